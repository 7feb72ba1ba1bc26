"""The people and banks of each market, as thresholds: how they pay, fail, notice, leave and return.

The targets of a scenario are shares of renewals that fail, by method and cause. The paths that produce them have an
onset and a duration, so the onset is solved here: share of bad time = onset x mean duration.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import cast

import numpy as np

from billing_sim import events
from billing_sim.draws import ONE, threshold
from billing_sim.scenario.behaviour import Behaviour, Tenure
from billing_sim.scenario.model import Market, Scenario
from billing_sim.scenario.parts import MethodKind
from billing_sim.scenario.rejoin import Rejoin
from billing_sim.world.paydays import PaydayCalendars
from billing_sim.world.quantiles import DRY_DAYS, STRAINED_DAYS, SUSPICION_HOURS
from billing_sim.world.record import KINDS, QUANTILES

_BLOCK_HOURS = 14 * 24
_CERTAIN = Decimal(1)
_CARDS = ("credit", "debit", "prepaid", "wallet")
_UPDATABLE = ("credit", "debit", "wallet")

STRAINED_SHARE = Decimal("0.60")
"""Assumed: share of the failures for lack of money that happen in a strained quarter, when no payday helps."""

FUNDS_SURVIVORS = Decimal("1.25")
"""Fitted: members in a strained quarter are lost and replaced by others, so more must be strained to keep the share."""

PROACTIVE_IN_TIME = Decimal("0.83")
"""Share of members' own updates (within ten days of a reissue) that come before the next monthly charge."""

TENURES = ("months_1_3", "months_4_12", "year_2", "year_3", "year_4_on")


def cumulative(shares: list[Decimal], length: int) -> np.ndarray:
    """Thresholds of an inverse CDF in a fixed order, padded with ONE so that the last entry always holds."""
    table, reached = np.full(length, ONE, np.int64), Decimal(0)
    for i, share in enumerate(shares[: length - 1]):
        reached += share
        table[i] = threshold(min(reached, Decimal(1)))
    if shares and sum(shares) >= 1:
        table[len(shares) - 1 :] = ONE
    return table


def by_kind(values: Mapping[MethodKind, Decimal]) -> list[Decimal]:
    """Values in the order of method kinds; the first entry stands for "none"."""
    return [values.get(cast(MethodKind, kind), Decimal(0)) for kind in events.METHOD_KINDS]


def _tenure(tenure: Tenure) -> list[Decimal]:
    return [getattr(tenure, name) for name in TENURES]


def _fill_failures(
    world: np.recarray, m: int, behaviour: Behaviour, scenario: Scenario, calendars: PaydayCalendars
) -> None:
    """Solve onsets so that the first attempts of renewals fail as often, and for the causes, that the scenario says."""
    suspicion_mean = Decimal(sum(SUSPICION_HOURS)) / QUANTILES
    dry = calendars.share_of_days(behaviour.paydays, DRY_DAYS)
    strained = calendars.share_of_days(behaviour.paydays, STRAINED_DAYS)
    for kind, target in behaviour.first_attempt_failure.items():
        k = events.METHOD_KINDS.index(kind)
        if kind == "gift_balance":
            continue
        causes = scenario.latent_causes[kind]
        funds = FUNDS_SURVIVORS * target * causes.funds
        world.strained[0, m, k] = threshold(min(_CERTAIN, STRAINED_SHARE * funds / strained))
        world.funds[0, m, k] = threshold(min(_CERTAIN, (1 - STRAINED_SHARE) * funds / dry))
        world.suspicion[0, m, k] = threshold(min(_CERTAIN, target * causes.suspicion * _BLOCK_HOURS / suspicion_mean))
        world.noise[0, m, k] = threshold(target * causes.restricted)
        world.technical[0, m, k] = threshold(target * causes.technical)
        _fill_lifecycle(world, m, k, kind, behaviour, target * (causes.lifecycle + causes.lost_stolen))


def _fill_lifecycle(world: np.recarray, m: int, k: int, kind: str, behaviour: Behaviour, target: Decimal) -> None:
    """Hazards of a method's own end, and how many members mend it in time to meet the target."""
    if kind not in _CARDS:
        world.closed[0, m, k] = threshold(target)
        return
    world.lost[0, m, k] = threshold(behaviour.lost_or_stolen)
    world.closed[0, m, k] = threshold(behaviour.closed)
    expiry = Decimal(len(behaviour.expiry_years)) / (12 * sum(behaviour.expiry_years))
    reissued = expiry + behaviour.lost_or_stolen
    if kind in _UPDATABLE:
        reissued *= (1 - behaviour.network_tokens) * (1 - behaviour.account_updater_coverage)
    unmended = max(Decimal(0), target - behaviour.closed)
    mended = 1 - unmended / reissued if reissued else Decimal(0)
    world.proactive[0, m, k] = threshold(min(Decimal(1), max(Decimal(0), mended) / PROACTIVE_IN_TIME))


def _fill_leaving(world: np.recarray, m: int, behaviour: Behaviour) -> None:
    """Tenure hazards whose mean over the tenure mix, inert members included, is the voluntary churn asked for."""
    mix, shape = _tenure(behaviour.tenure_mix), _tenure(behaviour.tenure_hazard)
    mean = sum((share * value for share, value in zip(mix, shape, strict=True)), Decimal(0)) or Decimal(1)
    inert = behaviour.inert_members
    level = max(Decimal(0), behaviour.voluntary_churn - inert * behaviour.inert_wakes) / max(1 - inert, Decimal("0.01"))
    losing = level / max(1 - behaviour.inert_instead_of_leaving, Decimal("0.01"))
    for i, value in enumerate(shape):
        world.leave_hazard[0, m, i] = threshold(min(Decimal(1), losing * value / mean))
    world.tenure_mix[0, m] = cumulative(mix, len(mix))


def return_curve(rejoin: Rejoin) -> list[int]:
    """Cumulative thresholds of having returned after 1 to 12 months, hazards constant between the given points."""
    left = [1 - rejoin.month_1, 1 - rejoin.month_6, 1 - rejoin.month_12]
    curve = [left[0]]
    for start, end, months in ((left[0], left[1], 5), (left[1], left[2], 6)):
        ratio = end / start if start else Decimal(1)
        step = (ratio.ln() / months).exp() if ratio > 0 else Decimal(0)
        curve += [start * step ** (i + 1) for i in range(months - 1)] + [end]
    return [threshold(min(max(1 - share, Decimal(0)), Decimal(1))) for share in curve]


def _share_lost_through_payment(behaviour: Behaviour) -> Decimal:
    """How many of those who left before the start left through payment: a quarter of failures end so (assumed)."""
    failing = sum(
        (share * behaviour.first_attempt_failure[kind] for kind, share in behaviour.method_mix.items()), Decimal(0)
    )
    lost = failing / 4
    return lost / (lost + behaviour.voluntary_churn) if lost + behaviour.voluntary_churn else Decimal(0)


def fill_people(world: np.recarray, m: int, market: Market, scenario: Scenario, calendars: PaydayCalendars) -> None:
    """Fill one market's tables about people."""
    behaviour = market.behaviour
    plain = {
        "backup_share": behaviour.backup_method,
        "updater_coverage": behaviour.account_updater_coverage,
        "token_share": behaviour.network_tokens,
        "attention": behaviour.attention,
        "attention_on_hold": behaviour.attention_on_hold,
        "unreachable": behaviour.unreachable,
        "other_means": behaviour.has_other_means,
        "signup_refusal": behaviour.signup_first_payment_failure,
        "signup_again": behaviour.signup_try_again,
        "inert_members": behaviour.inert_members,
        "inert_instead": behaviour.inert_instead_of_leaving,
        "inert_wakes": behaviour.inert_wakes,
        "cancel_in_trouble": behaviour.cancel_in_trouble,
        "inert_cancel": behaviour.inert_cancel_in_trouble,
    }
    for name, value in plain.items():
        world[name][0, m] = threshold(value)
    world.method_mix[0, m] = cumulative(by_kind(behaviour.method_mix), KINDS)
    world.bank_stop[0, m] = [threshold(share) for share in by_kind(behaviour.bank_stop)]
    world.expiry_choices[0, m] = len(behaviour.expiry_years)
    world.expiry_years[0, m, : len(behaviour.expiry_years)] = behaviour.expiry_years
    gift = behaviour.first_attempt_failure.get("gift_balance", Decimal("0.1"))
    world.gift_charges[0, m] = min(1200, max(1, round(2 / gift) - 1)) if gift else 1200
    world.payday_mix[0, m] = cumulative([entry.share for entry in behaviour.paydays], len(world.payday_mix[0, m]))
    for i, entry in enumerate(behaviour.paydays):
        world.payday_calendar[0, m, i] = calendars.number(entry)
    world.win_back[0, m, 0] = return_curve(behaviour.win_back.voluntary)
    world.win_back[0, m, 1] = return_curve(behaviour.win_back.involuntary)
    world.former_lapse[0, m, 1] = threshold(_share_lost_through_payment(behaviour))
    _fill_leaving(world, m, behaviour)
    _fill_failures(world, m, behaviour, scenario, calendars)


def exact(share: Decimal) -> Fraction:
    """A share without rounding."""
    return Fraction(share)
