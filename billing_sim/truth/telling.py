"""What was really so in a run: answers from the sums over all shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from billing_sim import clock, declines, events
from billing_sim.errors import QueryError
from billing_sim.metrics.names import unknown
from billing_sim.runs.stored import StoredRun
from billing_sim.scenario.model import Scenario
from billing_sim.truth.alternatives import (
    ACTUAL,
    FOLLOWED_DAYS,
    FRICTIONLESS,
    NO_OUTAGE,
    PERFECT,
    Alternatives,
    without_lever,
)
from billing_sim.truth.attribution import Explained, explanations
from billing_sim.truth.declined import MACHINES, MISTAKES
from billing_sim.truth.lives import LOSSES
from billing_sim.truth.losses import BEFORE_THE_RUN, THERE
from billing_sim.truth.parts import (
    MICROS,
    Attempts,
    CauseRow,
    Longer,
    LostRow,
    Month,
    Recovered,
    Spread,
    Whereabouts,
    World,
    Wrongful,
    leaves,
    plain,
)
from billing_sim.truth.reconciling import Check
from billing_sim.truth.recoveries import LEVER_OF, NEVER_ISSUED, PAID, UNPAID, WAYS
from billing_sim.truth.study import Findings, month_of
from billing_sim.truth.totals import MEASURES, Sum, by_group, is_wrongful, measure
from billing_sim.truth.worlds import shared_in

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("question", "item", "figure", "value", "standard_error")
NO_QUESTIONS = ("run", "scenario", "seed", "start", "end", "currency", "reconciliation")
"""What `as_dict` holds that is no figure."""

_TITLES = {
    ACTUAL: "as it was", FRICTIONLESS: "frictionless", PERFECT: "perfect", NO_OUTAGE: "no outages",
    without_lever("retries"): "no retries", without_lever("member"): "no member's help",
    without_lever("updater"): "no updater or token", without_lever("backup"): "no backup method",
}  # fmt: skip


@dataclass(frozen=True, repr=False)
class Truth:
    """What was really so in a run, from its sealed truth and the same people in other worlds.

    It prints as plain tables; `as_dict()` is for JSON; `frame()` (every figure) and `losses()` (one row
    per loss) are for pandas. Every `Sum` carries the jackknife standard error of 64 groups of people.
    """

    run: StoredRun
    scenario: Scenario
    alternatives: Alternatives
    found: Findings
    checks: tuple[Check, ...]
    policy: str = ""

    @property
    def currency(self) -> str:
        """The reporting currency: all money is in it, taxes included, valued when invoiced."""
        return self.scenario.reporting_currency

    @cached_property
    def _peopled(self) -> int:
        """Groups with anybody in them."""
        return int(np.count_nonzero(self.found.sums["people"][0]))

    def _sum(self, groups: np.ndarray, scale: float = 1) -> Sum:
        return Sum.of(groups, self._peopled, scale)

    def _spread(self, what: str, direct: np.ndarray, total: np.ndarray, scale: float = 1) -> Spread:
        return Spread(what, *(self._sum(it, scale) for it in (direct, total - direct, total)))

    @cached_property
    def _lost(self) -> np.ndarray:
        return self.found.lost

    def _count(self, chosen: np.ndarray, values: np.ndarray | None = None, scale: float = 1) -> Sum:
        """How many losses fit, or the sum of their values."""
        values = np.ones(len(self._lost), np.int64) if values is None else values
        return self._sum(by_group(values[chosen], self._lost["group"][chosen]), scale)

    @cached_property
    def _wrongful(self) -> np.ndarray:
        return is_wrongful(self._lost["intent"], self._lost["able"]) == 1

    @cached_property
    def lost(self) -> tuple[LostRow, ...]:
        """Everybody lost through payment, by reason, intent and ability."""
        it = self._lost
        rows = []
        for reason, (intent, name), able in product(LOSSES, enumerate(events.INTENTS), (1, 0)):
            fits = (it["reason"] == reason) & (it["intent"] == intent) & (it["able"] == able)
            people = len(np.unique(it["subscriber"][fits]))
            rows.append(
                LostRow(events.REASONS[reason], name, intent == events.STAY, able == 1, people, self._count(fits))
            )
        return tuple(rows)

    @cached_property
    def people_lost(self) -> int:
        """How many people were lost through payment, once or more often."""
        return len(np.unique(self._lost["subscriber"]))

    @cached_property
    def causes(self) -> tuple[CauseRow, ...]:
        """Losses by the latent cause of the first decline, the most frequent first."""
        rows = []
        for cause, (name, _) in enumerate(declines.CAUSES):
            fits = self._lost["cause"] == cause
            if fits.any():
                label = BEFORE_THE_RUN if cause == declines.NO_CAUSE else name
                rows.append(CauseRow(label, self._count(fits), self._count(fits & self._wrongful)))
        return tuple(sorted(rows, key=lambda row: -row.losses.value))

    @cached_property
    def wrongful(self) -> Wrongful:
        """What the loss of the willing and able costs within ninety days."""
        chosen = self._wrongful
        return Wrongful(
            len(np.unique(self._lost["subscriber"][chosen])), self._count(chosen),
            self._count(chosen, self._lost["time"], clock.DAY), self._count(chosen, self._lost["micros"], MICROS),
            FOLLOWED_DAYS,
        )  # fmt: skip

    @property
    def shared(self) -> list[str]:
        """What people share, so that the relief of some changes others; empty where every effect is direct."""
        return shared_in(self.alternatives.actual)

    @cached_property
    def spread(self) -> tuple[Spread, ...]:
        """Direct, spillover and total of what friction costs; nothing where people share nothing."""
        if not self.shared:
            return ()
        here, direct, total = (
            self.found.sums[name] for name in (f"totals {ACTUAL}", f"totals {FRICTIONLESS}", f"together {FRICTIONLESS}")
        )
        lost, money = MEASURES.index("wrongful_losses"), MEASURES.index("collected_micros")
        chosen = self._wrongful
        own = by_group(self._lost["micros"][chosen], self._lost["group"][chosen])
        return (
            self._spread("wrongful_losses", here[lost] - direct[lost], here[lost] - total[lost]),
            self._spread("wrongful_money", own, self.found.sums["together money"], MICROS),
            self._spread("collected", direct[money] - here[money], total[money] - here[money], MICROS),
        )

    @cached_property
    def without_friction(self) -> tuple[Whereabouts, ...]:
        """Where everybody lost would be without friction: all of them, the wrongful losses, and the others."""
        groups = (("all", np.ones(len(self._lost), bool)), ("wrongful", self._wrongful), ("others", ~self._wrongful))
        return tuple(
            Whereabouts(
                whom, self._count(chosen),
                *(self._count(chosen & (self._lost["there"] == there)) for there in range(len(THERE))),
            )
            for whom, chosen in groups
        )  # fmt: skip

    @cached_property
    def longer(self) -> Longer:
        """The mirror: who stays longer because of friction."""
        sums = self.found.sums["longer"]
        return Longer(self._sum(sums[0, 0]), self._sum(sums[1, 0]), self._sum(sums[:, 1].sum(axis=0), clock.DAY))

    @cached_property
    def collected(self) -> tuple[Month, ...]:
        """Money collected by month of payment, in three worlds; `gap` is frictionless less here."""
        here, smooth, perfect = (self.found.sums[f"months {name}"] for name in (ACTUAL, FRICTIONLESS, PERFECT))
        first = int(month_of(np.array([clock.day_number(self.scenario.start) * clock.DAY]))[0])
        return tuple(
            Month(
                str(np.datetime64(first + i, "M")),
                *(self._sum(values, MICROS) for values in (here[i], smooth[i], perfect[i], smooth[i] - here[i])),
            )
            for i in range(len(here))
        )  # fmt: skip

    @cached_property
    def attempts(self) -> Attempts:
        """Good attempts that were refused by mistake or by machines."""
        by_cause = self.found.sums["attempts"]
        mistakes, machines = (
            {declines.CAUSES[cause][0]: self._sum(by_cause[cause]) for cause in causes}
            for causes in (MISTAKES, MACHINES)
        )
        refused, failed = (sum(int(it.value) for it in each.values()) for each in (mistakes, machines))
        good = int(by_cause[declines.NO_CAUSE].sum()) + refused + failed
        rates = (refused / good, failed / good) if good else (None, None)
        return Attempts(int(by_cause.sum()), good, mistakes, machines, *rates)

    @cached_property
    def failed(self) -> tuple[Sum, Sum]:
        """Invoices of the run whose failure started dunning, and their money."""
        return self._sum(self.found.sums["failed"][0]), self._sum(self.found.sums["failed"][1], MICROS)

    @cached_property
    def recovered(self) -> tuple[Recovered, ...]:
        """Failed invoices that were paid after all, by what brought the money."""
        return tuple(
            Recovered(
                way, LEVER_OF[i], self._sum(counts.sum(axis=0)), self._sum(money.sum(axis=0), MICROS),
                self._sum(counts[PAID]), self._sum(counts[UNPAID]), self._sum(counts[NEVER_ISSUED]),
                self._sum(counts[UNPAID:].sum(axis=0)), self._sum(money[UNPAID:].sum(axis=0), MICROS),
            )
            for i, way in enumerate(WAYS)
            for counts, money in [np.moveaxis(self.found.sums["recovered"][i], 1, 0)]
        )  # fmt: skip

    @cached_property
    def worlds(self) -> tuple[World, ...]:
        """What every world comes to, the actual one first."""
        return tuple(self._world(name) for name in (ACTUAL, *self.alternatives.others))

    def _world(self, name: str) -> World:
        here, values = (self.found.sums[f"totals {it}"] for it in (ACTUAL, name))
        levels, moved = (shown(it, self._peopled) for it in (values, values - here))
        together = self.found.sums.get(f"together {name}")
        if together is None:
            return World(name, _TITLES.get(name, name), levels, moved, {}, {})
        spilled, total = (shown(it, self._peopled) for it in (together - values, together - here))
        return World(name, _TITLES.get(name, name), levels, moved, spilled, total)

    @cached_property
    def attribution(self) -> tuple[Explained, ...] | None:
        """What each cause explains of losses and money; None unless asked for."""
        if "knocked" not in self.found.sums:
            return None
        prefix = "together "
        crowds = {name.removeprefix(prefix): sums for name, sums in self.found.sums.items() if name.startswith(prefix)}
        here = self.found.sums[f"totals {ACTUAL}"]
        return explanations(self.found.sums["knocked"], self.found.sums["untouched"], here, crowds, self._peopled)

    def world(self, name: str) -> World:
        """One of the worlds by name; QueryError with the known names for another."""
        known = {it.name: it for it in self.worlds}
        if name not in known:
            raise QueryError(unknown("world", str(name), known))
        return known[name]

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        identity = self.run.manifest.identity
        people = self.found.sums["people"].sum(axis=-1).tolist()
        return plain({
            "run": str(self.run.directory), "scenario": identity.scenario, "members": identity.members,
            "seed": identity.seed, "start": identity.start, "end": identity.end, "currency": self.currency,
            "followed_days": self.alternatives.days, "people": people[0], "people_who_live_again": people[1],
            "people_lost": self.people_lost, "lost": self.lost, "causes": self.causes, "wrongful": self.wrongful,
            "without_friction": self.without_friction, "longer": self.longer, "collected": self.collected,
            "attempts": self.attempts, "failed_invoices": self.failed[0], "failed_money": self.failed[1],
            "recovered": self.recovered, "worlds": self.worlds,
            "shared_between_subscribers": self.shared, "spread": self.spread,
            "attribution": self._attribution_as_dict(),
            "reconciliation": self.checks,
        })  # fmt: skip

    def _attribution_as_dict(self) -> dict[str, Any] | None:
        return None if self.attribution is None else {it.measure: it.as_dict() for it in self.attribution}

    def losses(self) -> pd.DataFrame:
        """One row per loss: who, when, how, wanted or not, and what the next ninety days without friction look like.

        Facts hold people as numbers: `subscriber.map(billing_sim.people.parse)` makes them of these names.
        """
        import pandas as pd

        from billing_sim.people import describe

        it = self._lost
        return pd.DataFrame({
            "subscriber": [describe(int(who)) for who in it["subscriber"]],
            "at": pd.to_datetime(it["at"], unit="us", utc=True),
            "reason": _labels(events.REASONS, it["reason"]),
            "intent": _labels(events.INTENTS, it["intent"]),
            "able": it["able"] == 1,
            "wrongful": self._wrongful,
            "cause": _labels([BEFORE_THE_RUN, *(name for name, _ in declines.CAUSES[1:])], it["cause"]),
            "without_friction": _labels(THERE, it["there"]),
            "member_days": it["time"] / clock.DAY,
            "money": it["micros"] / MICROS,
        })  # fmt: skip

    def frame(self) -> pd.DataFrame:
        """Every figure in one long table: question, item, figure, value and standard error (null if none)."""
        import pandas as pd

        return pd.DataFrame(self.rows(), columns=list(COLUMNS))

    def rows(self) -> list[tuple[str, str, str, float | None, float | None]]:
        """The rows of `frame`: question, item, figure, value, standard error."""
        asked = {name: value for name, value in self.as_dict().items() if name not in NO_QUESTIONS}
        return [(question, *leaf) for question, value in asked.items() for leaf in leaves(value)]

    def __repr__(self) -> str:
        from billing_sim.truth.render import text

        return text(self)


def shown(values: np.ndarray, peopled: int) -> dict[str, Sum]:
    """Every measure from sums of shape (measures, 64): days in days, money in units of the currency."""
    return {
        name.removesuffix("_micros"): Sum.of(values[i], peopled, MICROS)
        if name.endswith("_micros")
        else measure(values, name, peopled)
        for i, name in enumerate(MEASURES)
    }


def _labels(names: Sequence[str], numbers: np.ndarray) -> list[str]:
    return [names[number] for number in numbers.tolist()]
