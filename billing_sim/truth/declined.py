"""Attempts by why they really failed: good ones that were refused by mistake or by machines, and all the others."""

from __future__ import annotations

import numpy as np

from billing_sim import declines, events
from billing_sim.truth.lives import Lives
from billing_sim.truth.totals import by_group

MISTAKES = (declines.SUSPICION, declines.ISSUER_MEMORY, declines.RESTRICTED)
"""The method was in order and had money; the issuer refused."""

MACHINES = (declines.OUTAGE, declines.TECHNICAL, declines.THROTTLED)
"""The method was in order, had money, and nobody minded; a machine failed."""

_CAUSES = len(declines.CAUSES)


def attempts_by_cause(lives: Lives, end: int) -> np.ndarray:
    """Attempts made before a moment by latent cause, 0 for those that brought money: int64 of shape (causes, 64).

    A direct debit that came back counts with why it did.
    """
    made = lives.where(events.ATTEMPT_AUTHORIZED, events.ATTEMPT_DECLINED, events.ATTEMPT_UNKNOWN)
    made = made[lives.rows["occurred_at"][made] < end]
    keys = _key(lives.person[made], lives.rows[made])
    told = lives.told(events.EXPLAINED)
    explained = _key(lives.truth_person[told], lives.truths[told])
    order = np.argsort(explained, kind="stable")
    cause = np.zeros(len(made), np.int64)
    if len(order):
        place = np.minimum(np.searchsorted(explained[order], keys), len(order) - 1)
        match = explained[order][place] == keys
        cause[match] = lives.truths["cause"][told][order][place[match]]
    found = np.zeros((_CAUSES, len(made)), np.int64)
    found[cause, np.arange(len(made))] = 1
    return by_group(found, lives.group[lives.person[made]])


def _key(person: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return (person << 40) | (rows["invoice"].astype(np.int64) << 16) | rows["attempt"].astype(np.int64)
