"""What becomes of charges that stand: complaints, disputes, and charges that were never owed, as tables."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import numpy as np

from billing_sim import clock
from billing_sim.draws import ONE, threshold
from billing_sim.scenario.refunds import ChargingAfterEnd, Disputes, DisputeWait, DoubleCharging, RefundWait
from billing_sim.world.fees import in_minor
from billing_sim.world.names import Names
from billing_sim.world.quantiles import interpolated

_FAULTS = (DoubleCharging, ChargingAfterEnd)


def hours(waiting: RefundWait | DisputeWait) -> list[int]:
    """Quantiles of a wait, in whole hours."""
    least, p50, p99, most = (value // clock.HOUR for value in (waiting.least, waiting.p50, waiting.p99, waiting.most))
    anchors = [(Decimal(0), least), (Decimal("0.5"), p50), (Decimal("0.99"), p99), (Decimal(1), most)]
    return interpolated(anchors)


def fill_claims(world: np.recarray, names: Names) -> None:
    """Which charges are complained about or disputed, when, and how disputes go."""
    refunds, disputes = names.scenario.refunds, names.scenario.disputes
    world.refund_delay[0] = hours(refunds.delay if refunds else RefundWait.model_validate({}))
    if refunds:
        world.refund_full[0] = threshold(refunds.full)
        world.refund_part[0] = int(refunds.partial * 1_000_000)
        for m in names.places(list(refunds.market)):
            world.complaint[0, m] = threshold(refunds.complaints)
            world.asks_first[0, m] = threshold(refunds.instead_of_dispute)
    _fill_disputes(
        world, names, disputes or Disputes.model_validate({}), names.places(list(disputes.market)) if disputes else []
    )
    world.claims[0] = int(bool(refunds or disputes))


def _fill_disputes(world: np.recarray, names: Names, disputes: Disputes, places: Iterable[int]) -> None:
    """The tables of cases are there in any world: what is charged twice may be disputed although nothing else is."""
    for m in places:
        world.friendly_fraud[0, m] = threshold(disputes.friendly_fraud)
        world.dispute_service[0, m] = threshold(disputes.service)
        world.dispute_fraud[0, m] = threshold(disputes.fraud)
    for m, code in enumerate(names.markets):
        world.dispute_fee[0, m] = in_minor(names.scenario, disputes.fee, names.scenario.markets[code].currency)
    wins = disputes.wins
    chances = (Decimal(0), wins.fraud, wins.friendly_fraud, wins.service, wins.duplicate, wins.duplicate)
    world.dispute_wins[0, : len(chances)] = [threshold(chance) for chance in chances]
    world.dispute_delay[0] = hours(disputes.delay)
    world.dispute_contest[0] = threshold(disputes.contested)
    world.dispute_response[0], world.dispute_decision[0] = disputes.respond_within, disputes.decided_after
    world.fraud_report[0] = threshold(disputes.fraud_reports)


def fill_faults(world: np.recarray, names: Names) -> None:
    """When charges are made twice, or after the end, and what becomes of them."""
    faults = names.scenario.charging_faults
    world.double_refunded[0] = threshold(faults.refunded)
    world.double_disputed[0] = min(ONE, threshold(min(Decimal(1), faults.refunded + faults.disputed)))
    for entry in names.scenario.timeline:
        if not isinstance(entry, _FAULTS):
            continue
        world.faults[0] = world.claims[0] = 1
        kind = _FAULTS.index(type(entry))
        for m in names.places(list(entry.market)):
            i = int(world.fault_count[0, kind, m])
            world.fault_count[0, kind, m] = i + 1
            world.fault_from[0, kind, m, i] = clock.micros(entry.at)
            world.fault_until[0, kind, m, i] = clock.micros(entry.at) + entry.duration
            world.fault_share[0, kind, m, i] = threshold(entry.share)
