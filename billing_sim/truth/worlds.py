"""The worlds to compare with: the same people with the same luck, and one thing different from the start on.

Each is a change of the compiled world's tables, so the rules that run are the very same. `perfect` replaces every fate
by approval. `frictionless` leaves what is the payer's own (money, revoked mandates, intent, prices) and takes away what
is not: mistaken refusals, failing machines, stale card details, unread notices. A cause may also be taken away alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from types import MappingProxyType

import numpy as np

from billing_sim.clock import DAY, HOUR
from billing_sim.draws import ONE
from billing_sim.scenario.model import Scenario
from billing_sim.world.compile import CompiledWorld, compile_world
from billing_sim.world.record import RETRIES


def shared_in(world: CompiledWorld) -> list[str]:
    """What subscribers share in a world, so that the relief of some changes others; empty where every effect is direct.

    Worlds to compare with are lived by the tape of the actual one, which gives the direct effect, and once more by
    their own (`truth.crowds`), which gives the total. The arms of an experiment count too: one that routes by success
    rate shares what others have met.
    """
    record = world.record
    found = []
    if record.capacity.any() or record.comfortable.any() or record.route_by.any():
        found.append("gateways")
    if record.support.any():
        found.append("the support desk")
    if record.review_team.any():
        found.append("the reviewers of payments")
    return found


_NEVER_REACHED = 1 << 40
"""More attempts or declines than anybody ever makes."""

_MANY_GIFTS = 1 << 16
"""Charges on a gift card that never runs out."""


def _funds(world: np.recarray) -> None:
    """Money never runs dry, and gift balances last."""
    world.funds[:] = 0
    world.strained[:] = 0
    world.gift_charges[:] = _MANY_GIFTS


def _expiry(world: np.recarray) -> None:
    """Whatever happens to a card or account, the details on file follow at once."""
    world.mends[:] = 1


def _false_decline(world: np.recarray) -> None:
    """Nobody refuses a good payment: no suspicion, no memory of declines, no noise; no challenge, no score."""
    world.suspicion[:] = 0
    world.signup_refusal[:] = 0
    world.noise[:] = 0
    world.memory_declines[:] = _NEVER_REACHED
    world.sca_count[:] = 0
    world.fraud_score[:, 0] = 0


def _outage(world: np.recarray) -> None:
    """Gateways always answer, at once, and no release of ours does harm."""
    world.deploys[:] = 0
    world.outage_first[:] = 0
    world.issuer_outages[:] = 0
    world.capacity[:] = 0
    world.comfortable[:] = 0
    world.technical[:] = 0
    world.timeout[:] = 0


def _retry_cap(world: np.recarray) -> None:
    """Retries come every day until dunning ends, as far as the world's table of retries reaches; nothing stops them."""
    daily = np.arange(1, RETRIES + 1, dtype=np.int64) * DAY
    world.retry_after[:] = daily
    world.retry_count[:] = np.minimum(np.maximum((world.dunning_end - HOUR) // DAY, 0), RETRIES)
    world.max_attempts[:] = _NEVER_REACHED
    world.never_retry[:] = 0
    world.stop_on[:] = 0


def _unread_notice(world: np.recarray) -> None:
    """Everybody can be reached and sees what they are told within the day."""
    world.attention[:] = ONE
    world.attention_on_hold[:] = ONE
    world.unreachable[:] = 0
    world.channels[:] = 0


CAUSES: Mapping[str, Callable[[np.recarray], None]] = MappingProxyType({
    "funds": _funds, "expiry": _expiry, "false_decline": _false_decline, "outage": _outage,
    "retry_cap": _retry_cap, "unread_notice": _unread_notice,
})  # fmt: skip
"""Why payments and members are lost, and how each cause is taken out of a world."""

FRICTION = ("expiry", "false_decline", "outage", "unread_notice")
"""The causes that are nobody's wish and nobody's lack of money."""


def without(world: CompiledWorld, causes: Iterable[str]) -> CompiledWorld:
    """The world with these causes gone; KeyError for one that there is not."""
    record = world.record.copy().view(np.recarray)
    for cause in causes:
        CAUSES[cause](record)
    return replace(world, record=record)


def frictionless(world: CompiledWorld) -> CompiledWorld:
    """Funds, revocations, intent and prices stay real; mistakes, failing machines, stale details, unread notices go."""
    return without(world, FRICTION)


def perfect(world: CompiledWorld) -> CompiledWorld:
    """Every attempt is approved: an upper bound only, since it also gives money to people who have none."""
    record = world.record.copy().view(np.recarray)
    record.approves[:] = 1
    record.timeout[:] = 0
    record.comfortable[:] = 0
    record.capacity[:] = 0
    record.outage_first[:] = 0
    record.sca_count[:] = 0
    record.fraud_count[:] = 0
    record.deploys[:] = 0
    return replace(world, record=record)


def lengthened(scenario: Scenario, days: int) -> CompiledWorld:
    """The world of a scenario that goes on so many days longer without anybody new.

    Until the scenario's end everything happens as it did (the past does not depend on the horizon).
    """
    end = scenario.end + timedelta(days=days)
    world = compile_world(scenario.model_copy(update={"end": end}))
    arrivals = world.arrivals.copy()
    arrivals[:, hours_between(scenario.start, scenario.end) :] = 0
    bots = world.bots.copy()
    bots[:, hours_between(scenario.start, scenario.end) :] = 0
    return replace(world, arrivals=arrivals, bots=bots)


def hours_between(start: date, end: date) -> int:
    """Hours from the first instant of one day to that of another."""
    return (end - start).days * 24
