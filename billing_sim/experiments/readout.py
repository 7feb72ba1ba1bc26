"""The readout of an experiment: who is enrolled, each metric by arm, what could be told, and what is really so."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from billing_sim.errors import QueryError
from billing_sim.experiments import ratio_check
from billing_sim.experiments.contrast import Contrast, comparable, contrast, figures, id_per_enrolled
from billing_sim.experiments.design import Design, design_of
from billing_sim.experiments.gain import Gain, Growth, gain, growth_of
from billing_sim.experiments.power import Enrolment, Power, enrolment, power
from billing_sim.experiments.sample import ENROLMENTS, Sample, facts_of, sample_of
from billing_sim.experiments.truth import Effect, Worlds, worlds
from billing_sim.identity import world_of
from billing_sim.metrics import asking
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.frame import Frame, frame
from billing_sim.metrics.result import Figure
from billing_sim.recorded import facts_as_of
from billing_sim.runs.stored import StoredRun
from billing_sim.truth.worlds import shared_in

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("recovery_rate", "involuntary_churn", "net_collected_rate", "collected")
AT_SIGN_UP = ("signup_payment_conversion",)
"""What is read when no metric is named."""

EFFECT = 0.10
"""The effect of interest when none is named: this part of the first arm's value."""


@dataclass(frozen=True)
class Reading:
    """One metric: the figure of each arm, every arm against the first, what could be told, and the true effects."""

    definition: Definition
    by_arm: dict[str, Figure]
    contrasts: list[Contrast]
    enrolment: Enrolment
    powers: list[Power]
    effects: list[Effect] = field(default_factory=list)

    @property
    def misleads(self) -> bool:
        """Whether some of the people it counts may still change their outcome: it is read too early."""
        return self.definition.matures == "none" and self.enrolment.mature < self.enrolment.total

    @property
    def grows(self) -> bool:
        """Whether it is a sum per person enrolled, which goes on changing with all that these people are billed."""
        return self.definition.over is not None and self.definition.over.fact == ENROLMENTS

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "metric": self.definition.id,
            "title": self.definition.title,
            "unit": self.definition.unit,
            "direction": self.definition.direction,
            "mature_share": self.enrolment.mature_share,
            "read_too_early": self.misleads,
            "goes_on_growing": self.grows,
            "arms": {arm: _figure(it) for arm, it in self.by_arm.items()},
            "contrasts": [self._contrast(i) for i in range(len(self.contrasts))],
        }

    def row(self, i: int) -> dict[str, Any]:
        """One arm against the first as a row of `Readout.table`."""
        it, told = self.contrasts[i], self._contrast(i)
        return {
            "metric": self.definition.id,
            "arm": it.name,
            "against": it.base,
            "value": it.after.value,
            "value_against": it.before.value,
            **{name: told[name] for name in ("difference", "low", "high", "p")},
            "through": self.enrolment.mature_share,
            "detectable": told["detectable"],
            "true_difference": self.effects[i].true.value if self.effects else None,
        }

    def _contrast(self, i: int) -> dict[str, Any]:
        it = self.powers[i]
        told = self.contrasts[i].as_dict() | {
            "detectable": it.detectable,
            "effect_of_interest": it.effect,
            "people_needed": it.needed,
            "decided_on": it.decided_on.isoformat() if it.decided_on else None,
            "will_be_decided": it.will_be,
        }
        return told | (self.effects[i].as_dict() if self.effects else {})


def _figure(it: Figure) -> dict[str, Any]:
    return {"value": it.value, "low": it.low, "high": it.high, "units": it.units, "immature": it.immature,
            "reason": it.reason or None}  # fmt: skip


@dataclass(frozen=True)
class Readout:
    """An experiment at a moment: its design, whether people arrived as they should have, and its metrics.

    `enrolled_until` is the end of the day on which the last of those enrolled so far came (None: nobody is); the
    outcomes of all that was billed until then are final after `dunning`. The truth and `gains`, which are there when a
    cost was given (what each arm but the first brings for it), are those of the run's end, at `ends`. `shared` names
    what people share, None where the truth was left out.
    """

    design: Design
    as_of: datetime
    ends: datetime
    ratio: ratio_check.RatioCheck
    readings: list[Reading]
    enrolled_until: datetime | None
    dunning: timedelta
    currency: str
    gains: list[Gain] = field(default_factory=list)
    shared: tuple[str, ...] | None = None

    @property
    def has_truth(self) -> bool:
        """Whether the true effects are told."""
        return self.shared is not None

    @property
    def mature_from(self) -> datetime | None:
        """When everybody enrolled so far is through; None where nobody is enrolled."""
        return self.enrolled_until + self.dunning if self.enrolled_until else None

    @property
    def shares_nothing(self) -> bool | None:
        """Whether people of this world share nothing, so that an arm cannot change the other; None without truth."""
        return None if self.shared is None else not self.shared

    def __getitem__(self, metric: str) -> Reading:
        """The reading of one metric, also by the name of the sum that it is made of; QueryError where there is none."""
        by_id = {it.definition.id: it for it in self.readings}
        by_name = {it.definition.name: it for it in self.readings[::-1]}
        if found := by_id.get(metric) or by_id.get(id_per_enrolled(str(metric))) or by_name.get(metric):
            return found
        names = ", ".join(it.definition.id for it in self.readings)
        raise QueryError(f"{metric} is not in this readout, which has {names}.")

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "experiment": self.design.name,
            "about": self.design.about,
            "enrol": self.design.enrol,
            "as_of": self.as_of.isoformat(),
            "enrolled": dict(self.ratio.enrolled),
            "expected": dict(self.ratio.expected),
            "sample_ratio_p": self.ratio.p,
            "sample_ratio_mismatch": self.ratio.is_broken,
            "everybody_mature_from": self.mature_from.isoformat() if self.mature_from else None,
            "truth_as_of": self.ends.isoformat() if self.has_truth else None,
            "shares_nothing": self.shares_nothing,
            "metrics": [it.as_dict() for it in self.readings],
            "returns": [it.as_dict() for it in self.gains],
        }

    def table(self) -> pd.DataFrame:
        """A row for each metric and each arm but the first: both values, the difference with its 95 % interval and p,
        the share of people who are through, and, in the metric's unit, the difference that would be noticed by now
        (four times in five) and the true one (missing without `truth`)."""
        import pandas as pd

        return pd.DataFrame([it.row(i) for it in self.readings for i in range(len(it.contrasts))])

    def __repr__(self) -> str:
        from billing_sim.experiments.render import shown
        from billing_sim.metrics.plain import plain

        return plain(shown(self)).rstrip()


Report = Callable[[int, int], None]


def readout(
    run: StoredRun,
    name: str = "",
    *,
    metrics: str | Sequence[str] = (),
    definitions: Sequence[str] = (),
    as_of: datetime | None = None,
    effect: float = EFFECT,
    truth: bool = True,
    cost: float | None = None,
    report: Report | None = None,
) -> Readout:
    """Read an experiment of a run, by default its only one, as it could be read at `as_of` (default: at the end).

    `effect` is the effect of interest as a part of the first arm's value. With `truth` the people live again in a world
    for each arm; `cost` of the change, in the reporting currency, asks for the return, which needs the truth.
    QueryError for an experiment, metric or moment that there is not, for a metric that arms cannot be compared by, and
    for a cost that is no amount or comes without the truth.
    """
    refuse_cost(cost, truth)
    design = design_of(run, name)
    known = asking.known(definitions)
    asked = [comparable(it) for it in asking.definitions(known, metrics or _usual(design), variants=False)]
    money = comparable(known["collected"])
    if cost is not None and money.id not in [it.id for it in asked]:
        asked.append(money)
    facts, seen, whole = facts_of(asked), frame(run, as_of), frame(run)
    source = facts_as_of(run, as_of) if as_of else run
    sample = sample_of(source, design.name, facts)
    readings = _readings(sample, asked, seen, whole.as_of, design, effect)
    found = Readout(
        design, seen.as_of, whole.as_of, _ratio(sample, design), readings, _last(_moments(sample), seen), seen.dunning,
        seen.currency,
    )  # fmt: skip
    if not truth:
        return found
    everybody = sample_of(run, design.name, facts)
    lived = worlds(world_of(run), everybody, design.name, design.arms, facts, report or _quiet)
    readings = _with_truth(readings, lived, whole, design)
    by_id = {it.definition.id: it for it in readings}
    gains = [] if cost is None else _gains(by_id[money.id], lived, cost, growth_of(run, design, whole))
    return replace(found, readings=readings, gains=gains, shared=tuple(shared_in(world_of(run))))


def refuse_cost(cost: float | None, truth: bool) -> None:
    """QueryError for a cost that is no amount, and for one where the return that it asks for is not to be told."""
    if cost is None:
        return
    if not math.isfinite(cost) or cost < 0:
        raise QueryError(f"{cost} is no cost. Give an amount in the reporting currency, such as 1000.")
    if not truth:
        raise QueryError("The return on a cost is told from the true effect. Leave out the cost, or keep the truth.")


def _usual(design: Design) -> tuple[str, ...]:
    return (*METRICS, *AT_SIGN_UP) if design.enrol == "sign_up" else METRICS


def _quiet(_done: int, _total: int) -> None:
    pass


def _ratio(sample: Sample, design: Design) -> ratio_check.RatioCheck:
    arms = sample.tables[ENROLMENTS]["arm"].to_pylist()
    return ratio_check.check({arm: arms.count(arm) for arm in design.arms}, design.shares)


def _moments(sample: Sample) -> np.ndarray:
    return sample.tables[ENROLMENTS]["enrolled_at"].to_numpy().astype("datetime64[us]")


def _last(moments: np.ndarray, seen: Frame) -> datetime | None:
    """The end of the day of the last enrolment, and no later than now."""
    if not len(moments):
        return None
    day: datetime = (moments.max().astype("datetime64[D]") + 1).astype("datetime64[us]").item()
    return min(day, seen.as_of)


def _readings(
    sample: Sample, asked: Sequence[Definition], seen: Frame, ends: datetime, design: Design, effect: float
) -> list[Reading]:
    found, moments = figures(sample, asked, seen), _moments(sample)
    return [_reading(it, found[it.id], enrolment(moments, design, seen, ends, it), design, effect) for it in asked]


def _reading(it: Definition, found: dict[str, Figure], enrolled: Enrolment, design: Design, effect: float) -> Reading:
    base, *others = design.arms
    contrasts = [contrast(it, found, base, arm) for arm in others]
    value = contrasts[0].before.value
    wanted = None if value is None else effect * float(value)
    powers = [power(each.error, wanted, enrolled, each.groups) for each in contrasts]
    return Reading(it, {arm: found[arm] for arm in design.arms if arm in found}, contrasts, enrolled, powers)


def _with_truth(readings: list[Reading], lived: Worlds, whole: Frame, design: Design) -> list[Reading]:
    effects = lived.effects([it.definition for it in readings], whole, design.arms)
    return [
        Reading(it.definition, it.by_arm, it.contrasts, it.enrolment, it.powers, effects[it.definition.id])
        for it in readings
    ]


def _gains(money: Reading, lived: Worlds, cost: float, growth: Growth | None) -> list[Gain]:
    return [gain(effect, lived, cost, growth) for effect in money.effects]
