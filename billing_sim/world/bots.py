"""Card-testing bots: how many pose as people signing up in each hour. They are counted, not drawn."""

from __future__ import annotations

import numpy as np

from billing_sim.clock import HOUR, day_number, micros
from billing_sim.errors import BillingSimError
from billing_sim.people import BOTS_FROM
from billing_sim.scenario.fraud import CardTesting
from billing_sim.scenario.model import Scenario
from billing_sim.world.record import TRIES


def bots(scenario: Scenario) -> np.ndarray:
    """Sessions per market (ascending codes) and hour since the start, int64 of shape (markets, hours)."""
    codes = sorted(scenario.markets)
    found = np.zeros((len(codes), (scenario.end - scenario.start).days * 24), np.int64)
    for attack in scenario.timeline:
        if isinstance(attack, CardTesting):
            for m, code in enumerate(codes):
                if not attack.market or code in attack.market:
                    _add(found[m], scenario, attack, code)
    if found.max(initial=0) >= BOTS_FROM:
        raise BillingSimError(f"card testing has more than {BOTS_FROM:,} sessions in an hour; write fewer attempts")
    return found


def _add(hours: np.ndarray, scenario: Scenario, attack: CardTesting, code: str) -> None:
    """Spread the sessions evenly over the whole hours of the attack; those after the end never come."""
    members = scenario.members * scenario.markets[code].members
    sessions = int(members * attack.attempts_per_member) // TRIES
    first = micros(attack.at) // HOUR - day_number(scenario.start) * 24
    span = max(1, attack.duration // HOUR)
    for i in range(span):
        if first + i < len(hours):
            hours[first + i] += sessions * (i + 1) // span - sessions * i // span
