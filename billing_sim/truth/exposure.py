"""Who is touched by what: people whose lives cannot differ in a world without a cause need not live in it.

Two worlds that differ in one cause give a person the same life until a rule reads what differs and decides otherwise.
Each cause is read in few places, and each such reading leaves a trace in the log or in the sealed truth:

- `funds`, `false_decline`, `outage`: the fate of an attempt is the first bad thing in a fixed order, so taking away one
  that was never the first bad thing changes no fate; those that were are explained in the sealed truth. A machine may
  also let an attempt go on to another gateway or time out, and a release may charge twice what it approves, which the
  log tells; refunds, disputes and contacts only follow from there. What a lost person could have paid depends on
  money, so every judged loss is touched by it. A bank or shop that answers later looks at money and doubts once more,
  and what it found at first stays unsaid, so every attempt that waited for an answer is touched by both.
- `expiry`: mending differs from what happens anyway where an episode began that no token followed.
- `retry_cap`: retries and caps are read after a first failure only, which starts dunning or was before the run.
- `unread_notice`: attention is read after a notice, or while an invoice of before the run is open; offers may bounce.

Whoever shows none of these lives the same life without any cause; whoever does, the same in every world that lacks
only causes that do not touch them there.
"""

from __future__ import annotations

import numpy as np

from billing_sim import declines, events
from billing_sim.truth.declined import MACHINES, MISTAKES
from billing_sim.truth.lives import Lives
from billing_sim.truth.worlds import CAUSES

PLAYERS = tuple(CAUSES)
"""The causes in the order of their bits."""

_MONEY = (declines.FUNDS, declines.BALANCE)
_MISTAKES = (*MISTAKES, declines.ABANDONED)
"""What a world without mistaken refusals does otherwise; nobody gives up where nobody is challenged."""

_LOOKED_AT = (events.AUTHENTICATION_COMPLETED, events.REVIEW_OPENED, events.ATTEMPT_PENDING)
"""What leaves a row even where it does no harm."""

_BY_MACHINES = (events.GATEWAY_CALL_FAILED, events.ATTEMPT_UNKNOWN, events.PAYMENT_DUPLICATED)
"""What machines do without refusing anything."""


def touching(lives: Lives) -> np.ndarray:
    """For everybody the causes that act in their life, as bits in the order of `PLAYERS`."""
    by_cause = {
        "funds": _failing(lives, _MONEY) | _truths(lives, events.LOSS_JUDGED) | _rows(lives, events.ATTEMPT_PENDING),
        "expiry": _stale(lives),
        "false_decline": _failing(lives, _MISTAKES) | _rows(lives, *_LOOKED_AT),
        "outage": _failing(lives, MACHINES) | _rows(lives, *_BY_MACHINES),
        "retry_cap": _rows(lives, events.DUNNING_STARTED, events.INVOICE_IMPORTED),
        "unread_notice": _rows(lives, events.NOTICE_SENT, events.INVOICE_IMPORTED, events.OFFER_SENT),
    }
    found = np.zeros(len(lives.cohort), np.int64)
    for bit, cause in enumerate(PLAYERS):
        found |= by_cause[cause].astype(np.int64) << bit
    return found


def differs_somewhere(lives: Lives) -> np.ndarray:
    """Whose life may differ in any world that is compared here: touched by a cause, refused, or with a method changed.

    Other policies and levers act after a failure, and the account updater where it changes a method.
    """
    return (touching(lives) > 0) | _truths(lives, events.EXPLAINED) | _rows(lives, events.METHOD_UPDATED)


def _rows(lives: Lives, *kinds: int) -> np.ndarray:
    return _anybody(lives, lives.person[lives.where(*kinds)])


def _truths(lives: Lives, kind: int) -> np.ndarray:
    return _anybody(lives, lives.truth_person[lives.told(kind)])


def _failing(lives: Lives, causes: tuple[int, ...]) -> np.ndarray:
    told = lives.told(events.EXPLAINED)
    return _anybody(lives, lives.truth_person[told[np.isin(lives.truths["cause"][told], causes)]])


def _stale(lives: Lives) -> np.ndarray:
    """More happened to their methods than tokens followed."""
    updated = lives.where(events.METHOD_UPDATED)
    followed = lives.person[updated[lives.rows["reason"][updated] == events.BY_TOKEN]]
    began = lives.truth_person[lives.told(events.EPISODE_BEGAN)]
    size = len(lives.cohort)
    return np.bincount(began, minlength=size) > np.bincount(followed, minlength=size)


def _anybody(lives: Lives, person: np.ndarray) -> np.ndarray:
    found = np.zeros(len(lives.cohort), bool)
    found[person] = True
    return found
