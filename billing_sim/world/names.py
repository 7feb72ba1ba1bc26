"""The names of a scenario and their numbers: markets by code, everything else in the order of the file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from billing_sim import clock, draws, people
from billing_sim.scenario.arms import bins_of
from billing_sim.scenario.experiments import labels
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.parts import MethodKind

MARGIN_DAYS = 70
"""Days beyond both ends of a run that calendars cover: a dunning window may look past the end."""

PRE_ROLL_DAYS = 45
"""How long before the start base members are simulated, unlogged, to find their steady state. It is the same for every
policy, so that a world with another policy holds the same people with the same luck."""


@dataclass(frozen=True)
class Names:
    """A scenario with everything in it numbered, and its span in the units of the world."""

    scenario: Scenario

    @cached_property
    def markets(self) -> tuple[str, ...]:
        """Market codes, ascending: people are ordered by market."""
        return tuple(sorted(self.scenario.markets))

    @cached_property
    def plans(self) -> tuple[str, ...]:
        """Plans in the order of the file."""
        return tuple(self.scenario.plans)

    @cached_property
    def gateways(self) -> tuple[str, ...]:
        """Gateways in the order of the file."""
        return tuple(self.scenario.gateways)

    @cached_property
    def policies(self) -> tuple[str, ...]:
        """Dunning policies in use."""
        return tuple(self.scenario.dunning_policies)

    @cached_property
    def coupons(self) -> tuple[str, ...]:
        """What the column `coupon` can say; 0 is none."""
        return ("none", *self.scenario.promotions)

    @cached_property
    def campaigns(self) -> tuple[str, ...]:
        """What the column `campaign` can say; 0 is none."""
        return ("none", *self.scenario.campaigns)

    @cached_property
    def bins(self) -> tuple[str, ...]:
        """What the column `bin` can say, in any arm of an experiment, ascending; 0 is none."""
        return ("none", *sorted(bins_of(self.scenario, self.scenario.experiments)))

    @cached_property
    def arms(self) -> tuple[str, ...]:
        """What the column `arm` can say; 0 is none."""
        return labels(self.scenario.experiments)

    @cached_property
    def currencies(self) -> tuple[str, ...]:
        """Currencies in use, ascending."""
        return tuple(sorted({market.currency for market in self.scenario.markets.values()}))

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Regions in use, ascending."""
        return tuple(sorted({market.region for market in self.scenario.markets.values()}))

    @property
    def start(self) -> int:
        """The first instant of the run."""
        return clock.day_number(self.scenario.start) * clock.DAY

    @property
    def end(self) -> int:
        """The instant at which it stops."""
        return clock.day_number(self.scenario.end) * clock.DAY

    @property
    def first_day(self) -> int:
        """The day that tables by day begin with."""
        return clock.day_number(self.scenario.start) - PRE_ROLL_DAYS - MARGIN_DAYS

    @property
    def first_month(self) -> int:
        """The month that tables by month begin with, in months since year 0."""
        first = clock.date_of(self.first_day)
        return first.year * 12 + first.month - 1

    def places(self, codes: list[str]) -> list[int]:
        """The numbers of these markets; of all when none is named."""
        return [m for m, code in enumerate(self.markets) if not codes or code in codes]

    def market_key(self, code: str) -> int:
        """The key of draws about a market as such."""
        subject = people.subscriber_number(code, people.MARKET_ITSELF, 0)
        return int(draws.subject_key(int(draws.run_key(self.scenario.seed)), subject))


def fits(wanted: list[MethodKind], kind: str) -> bool:
    """Whether a rule that names methods, or none, is about this kind."""
    return not wanted or kind in wanted
