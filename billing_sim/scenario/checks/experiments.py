"""Experiments: shares of arms, markets, dates, and how many there may be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from math import prod

from billing_sim.errors import Problem
from billing_sim.scenario.checks.read import day, moment, share
from billing_sim.scenario.experiments import MOST_EXPERIMENTS, MOST_LABELS
from billing_sim.scenario.layers import suggestion
from billing_sim.scenario.nodes import Entry, Mapping, at, entries, text, texts


def _experiments(tree: Mapping) -> list[Entry]:
    return [entry for entry in entries(tree, "experiments") if isinstance(entry.value, Mapping)]


def arms_add_up(tree: Mapping) -> Iterator[Problem]:
    """The shares of an experiment's arms add up to 100 %, and somebody is enrolled."""
    for experiment in _experiments(tree):
        arms = entries(experiment.value, "arms")
        shares = [share(at(arm.value, "share")) for arm in arms]
        total = sum((it for it in shares if it is not None), Decimal(0))
        if arms and None not in shares and total != 1:
            what = f"arms: the shares of {experiment.key} add up to {(100 * total).normalize():f} %, not 100 %."
            yield arms[0].place.problem(what, "Change the shares.")
        holdout = at(experiment.value, "holdout")
        if holdout is not None and share(holdout) == 1:
            yield holdout.place.problem("holdout: nobody is left to enrol.", "Write less than 100%.")


def enrolment_has_places(tree: Mapping) -> Iterator[Problem]:
    """Experiments name markets that exist."""
    known = [market.key for market in entries(tree, "markets")]
    for experiment in _experiments(tree):
        for name, place in texts(experiment.value, "market"):
            if name not in known:
                yield place.problem(f"There is no market {name}.", suggestion(name, known, "Markets are"))


def enrolment_has_time(tree: Mapping) -> Iterator[Problem]:
    """Enrolment lies within the run and ends after it begins; who is enrolled at the start needs no dates."""
    start, end = (_instant(tree, key) for key in ("start", "end"))
    for experiment in _experiments(tree):
        at_start = text(experiment.value, "enrol") == "start"
        found = {key: (at(experiment.value, key), moment(at(experiment.value, key))) for key in ("from", "until")}
        for key, (node, when) in found.items():
            if node is None or when is None:
                continue
            if at_start:
                yield node.place.problem(f"{key}: who is enrolled at the start is enrolled then.", "Leave it out.")
            elif start and end and not start <= when <= end:
                what = f"{key}: {when:%Y-%m-%d %H:%M} is outside the scenario, {start.date()} to {end.date()}."
                yield node.place.problem(what, "Move it inside, or move the start or the end.")
        since, until = found["from"][1], found["until"][1]
        node = found["until"][0]
        if node is not None and since and until and until <= since and not at_start:
            yield node.place.problem("until: enrolment ends before it begins.", "Write a later moment than `from`.")


def experiments_fit(tree: Mapping) -> Iterator[Problem]:
    """There are no more experiments and arms than the compiled world holds."""
    found, node = _experiments(tree), at(tree, "experiments")
    if node is None:
        return
    if len(found) > MOST_EXPERIMENTS:
        what = f"experiments: there are {len(found)}, more than the limit of {MOST_EXPERIMENTS}."
        yield node.place.problem(what, "Leave some out.")
    labels = prod(1 + len(entries(it.value, "arms")) for it in found)
    if labels > MOST_LABELS:
        what = f"experiments: people could be in {labels} combinations of arms, more than the limit of {MOST_LABELS}."
        yield node.place.problem(what, "Leave out an arm or an experiment.")


def _instant(tree: Mapping, key: str) -> datetime | None:
    found = day(at(tree, key))
    return datetime(found.year, found.month, found.day, tzinfo=UTC) if found else None
