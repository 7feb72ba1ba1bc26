"""Attempts by why they really failed: good ones that were refused by mistake or by machines, and all the others."""

from __future__ import annotations

import numpy as np

from billing_sim import declines, events
from billing_sim.truth.lives import Lives
from billing_sim.truth.totals import by_group

MISTAKES = (
    declines.SUSPICION, declines.ISSUER_MEMORY, declines.RESTRICTED, declines.AUTHENTICATION, declines.FRAUD_SCREEN,
)  # fmt: skip
"""The method was in order and had money; the issuer refused, or our own screen did."""

MACHINES = (declines.OUTAGE, declines.TECHNICAL, declines.THROTTLED, declines.BAD_RELEASE)
"""The method was in order, had money, and nobody minded; a machine failed."""

_CAUSES = len(declines.CAUSES)


def attempts_by_cause(lives: Lives, end: int) -> np.ndarray:
    """Attempts made before a moment by latent cause, 0 for those that brought money: int64 of shape (causes, 64).

    A direct debit that came back counts with why it did, and whatever of a fraudster was refused as stolen.
    """
    made = lives.where(
        events.ATTEMPT_AUTHORIZED, events.ATTEMPT_DECLINED, events.ATTEMPT_UNKNOWN, events.ATTEMPT_PENDING,
        events.ATTEMPT_BLOCKED,
    )  # fmt: skip
    made = made[lives.rows["occurred_at"][made] < end]
    keys = _key(lives.person[made], lives.rows[made])
    told = lives.told(events.EXPLAINED)
    explained = _key(lives.truth_person[told], lives.truths[told])
    order = np.argsort(explained, kind="stable")
    cause = np.zeros(len(made), np.int64)
    if len(order):
        place = np.minimum(np.searchsorted(explained[order], keys), len(order) - 1)
        match = explained[order][place] == keys
        truths = lives.truths[told][order][place[match]]
        cause[match] = np.where(truths["fraud"] == 1, declines.STOLEN, truths["cause"])
    found = np.zeros((_CAUSES, len(made)), np.int64)
    found[cause, np.arange(len(made))] = 1
    return by_group(found, lives.group[lives.person[made]])


def _key(person: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return (person << 40) | (rows["invoice"].astype(np.int64) << 16) | rows["attempt"].astype(np.int64)
