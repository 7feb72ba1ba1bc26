"""Metrics the slow way: walk the rows in plain Python and do what a definition says, one row after the other.

A second witness of the metric engine that shares no code with it: expressions are evaluated over one row after the
other by `naive_sql`, and ratios are `Fraction`s to the very end.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from billing_sim.metrics.definition import Definition, Population, Window
from billing_sim.metrics.jackknife import half_width
from tests.naive_sql import DAY, EPOCH, SIZES, Row, as_moment, calendar, compiled, micros_of, truth

Number = Fraction | None
COHORTS = {
    "invoices": "spell_started_at", "subscriptions": "joined_on", "subscription_months": "joined_on",
    "signups": "started_at",
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """From when to when, and how long outcomes stay open."""

    start: datetime
    as_of: datetime
    settlement: timedelta
    dunning: timedelta


@dataclass(frozen=True)
class Answer:
    """What a metric says; `error` is the standard error."""

    value: Number
    numerator: int
    denominator: int
    units: int
    immature: int
    error: float | None = None


def moment_of(text: str) -> timedelta:
    """A duration such as "7 days" or "36 hours"."""
    count, unit = re.fullmatch(r"(\d+)\s*([a-z]+?)s?", text).groups()
    return timedelta(microseconds=int(count) * SIZES[unit.upper()])


def _month_start(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, 1)


def _belongs(units: Population, row: Row) -> bool:
    """Whether a row is one of these units: it meets `where` and none of `exclude`."""
    if units.where and truth(compiled(units.where)(row)) is not True:
        return False
    return not any(truth(compiled(condition)(row)) for condition in units.exclude)


def _is_final(units: Population, row: Row, world: World) -> bool:
    placed = as_moment(row[units.clock])
    if placed is None:
        return False
    if units.matures == "none":
        return placed < world.as_of
    if units.matures == "month":
        first = _month_start(world.start)
        if first < world.start:
            first = _month_start(first + 32 * DAY)
        return first <= placed < _month_start(world.as_of)
    named = {"settlement": world.settlement, "dunning": world.dunning}
    horizon = named[units.matures] if units.matures in named else moment_of(units.matures)
    return placed <= world.as_of - horizon


def _is_immature(units: Population, row: Row, world: World) -> bool:
    placed = as_moment(row[units.clock])
    known = placed is not None and placed < world.as_of
    return units.matures != "none" and known and not _is_final(units, row, world)


def _is_within(window: Window, row: Row) -> bool:
    since, moment = (as_moment(compiled(text)(row)) for text in (window.since, window.of))
    if since is None or moment is None:
        return False
    age: Any
    first, last = moment_of(window.first), moment_of(window.last)
    if window.grain == "instant":
        age = moment - since
    else:
        zone, unit = ZoneInfo(window.zone), window.grain.upper()
        there = [at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) for at in (since, moment)]
        age = calendar(there[1], unit) - calendar(there[0], unit)
        first, last = (micros_of(EPOCH + end) // SIZES[unit] for end in (first, last))
    begun = age >= first if window.ends[0] == "[" else age > first
    over = age > last if window.ends[1] == "]" else age >= last
    return bool(begun and not over)


def _number(value: Any) -> int:
    assert value is None or value == int(value), value
    return 0 if value is None else int(value)


def _above(it: Definition, row: Row) -> int:
    if it.window and not _is_within(it.window, row):
        return 0
    value = compiled(it.numerator)(row)
    if it.weight:
        return _number(compiled(it.weight)(row)) if truth(value) else 0
    return _number(value)


@dataclass(frozen=True)
class Part:
    """What one row adds. `seen` is (bucket or outcome, entry, exit) for kinds that line units up."""

    key: tuple[str, ...]
    across: str
    group: int
    above: int = 0
    below: int = 0
    units: int = 0
    immature: int = 0
    seen: Any = None


def evaluate(
    it: Definition, facts: dict[str, list[Row]], world: World, by: Sequence[str] = ()
) -> tuple[Answer, dict[tuple[str, ...], Answer]]:
    """The metric in all, and for each combination of the dimensions."""
    it = _at_constant_rates(it)
    last = f"{world.as_of - timedelta(microseconds=1):%Y-%m}"
    months = "month" in by
    parts = list(_parts(it, facts, world, by, only_last=it.kind == "stock" and not months))
    base: dict[int, int] = defaultdict(int)
    for row in facts["subscriptions"]:
        base[row["group"]] += row["started_by"] == "imported"
    slices: dict[tuple[str, ...], list[Part]] = defaultdict(list)
    for part in parts:
        slices[part.key].append(part)
    place = list(by).index("month") if months else None
    found = {key: _answer(it, own, base) for key, own in slices.items() if by and (place is None or key[place] <= last)}
    if it.across and it.across in by:
        found = {}
    if it.kind == "stock" and place is not None:
        parts = [part for part in parts if part.key[place] == last]
    return _answer(it, parts, base), found


NATIVE = {
    "amount": "amount_minor", "tax": "tax_minor", "mrr_start": "net_start_minor", "mrr_end": "net_end_minor",
    "refunded": "refunded_minor", "chargeback": "chargeback_minor",
}  # fmt: skip


def at_constant_rates(facts: dict[str, list[Row]], rates: dict[str, int]) -> dict[str, list[Row]]:
    """The rows with an amount at the rates of the run's start beside every amount in the reporting currency.

    `rates` is billionths of the reporting currency for a unit of each currency, which has a hundred minor units;
    empty when rates never moved.
    """
    return {name: [row | _twins(row, rates) for row in rows] for name, rows in facts.items()}


def _twins(row: Row, rates: dict[str, int]) -> Row:
    found = {}
    for name, native in NATIVE.items():
        if f"{name}_micros" in row and native in row:
            micros = Fraction(row[native], 100) * Fraction(rates[row["currency"]], 1000) if rates else None
            exact = row[f"{name}_micros"] if micros is None else math.floor(micros + Fraction(1, 2))
            monthly = {"year": exact // 12, "week": exact * 52 // 12}.get(row["interval"], exact)
            found[f"{name}_constant"] = monthly if micros is not None and name.startswith("mrr") else exact
    return found


def _at_constant_rates(it: Definition) -> Definition:
    """The definition with every amount at the rate of the run's start: another column's name in its texts."""
    if it.money != "constant":
        return it
    texts = {
        name: re.sub(r"\b(\w+)_micros\b", r"\1_constant", value)
        for name, value in it.model_dump().items()
        if isinstance(value, str)
    }
    return it.model_copy(update=texts)


def _parts(
    it: Definition, facts: dict[str, list[Row]], world: World, by: Sequence[str], *, only_last: bool
) -> Iterable[Part]:
    """The rows' parts; a denominator over another fact has rows of its own."""
    over = it.over or it
    since = _month_start(world.as_of - timedelta(microseconds=1)) if only_last else None
    for row in facts[it.fact]:
        counts = (
            _belongs(it, row) and _is_final(it, row, world) and (since is None or as_moment(row[it.clock]) >= since)
        )
        both = counts and not it.over
        yield Part(
            *_where(it, it, row, by),
            above=_above(it, row) if counts and it.numerator and it.kind != "quantile" else 0,
            below=_below(it, row) if both and it.denominator else 0,
            units=int(both) if it.kind != "incidence" else int(counts and _is_watched(it, row, world)),
            immature=int(not it.over and it.kind != "incidence" and _belongs(it, row) and _is_immature(it, row, world)),
            seen=_seen(it, row, world) if counts else None,
        )
    for row in facts[over.fact] if it.over else ():
        counts = _belongs(over, row) and _is_final(over, row, world)
        counts = counts and (since is None or as_moment(row[over.clock]) >= since)
        immature = int(_belongs(over, row) and _is_immature(over, row, world))
        below = _below(it, row) if counts else 0
        yield Part(*_where(it, over, row, by), below=below, units=int(counts), immature=immature)


def _below(it: Definition, row: Row) -> int:
    return _number(compiled(it.weight or it.denominator)(row))


def _where(it: Definition, units: Population, row: Row, by: Sequence[str]) -> tuple[tuple[str, ...], str, int]:
    words = [_label(units, row, name) for name in (*by, *filter(None, [it.across]))]
    return tuple(words[: len(by)]), words[-1] if it.across else "", row["group"]


def _label(units: Population, row: Row, name: str) -> str:
    if name in ("month", "cohort"):
        moment = row[units.clock if name == "month" else COHORTS[units.fact]]
        return "none" if moment is None else f"{moment:%Y-%m}"
    value = row[name]
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _seen(it: Definition, row: Row, world: World) -> Any:
    if it.kind == "quantile":
        value = compiled(it.numerator)(row)
        return None if value is None or (it.window and not _is_within(it.window, row)) else _bucket(int(value))
    return _wait(it, row, world) if it.kind == "incidence" and _is_watched(it, row, world) else None


def _bucket(value: int) -> tuple[int, int]:
    """(lowest, highest) value of the bucket: single below 256, above that 128 to each doubling."""
    value = max(value, 0)
    width = 1
    while value >= 256 * width:
        width *= 2
    low = value - value % width
    return low, low + width - 1


def _is_watched(it: Definition, row: Row, world: World) -> bool:
    since = as_moment(compiled(it.since)(row))
    return since is not None and since < world.as_of


def _wait(it: Definition, row: Row, world: World) -> tuple[str, int, int]:
    """(event, lost or waiting; day of entry; day of exit) of a unit; what happens within the n-th day is on day n."""
    since = as_moment(compiled(it.since)(row))
    event, lost, enters = (
        as_moment(compiled(text)(row)) if text else None for text in (it.event, it.competing, it.enters)
    )
    event, lost = (None if moment is None or moment >= world.as_of else moment for moment in (event, lost))
    entry = max(0, math.ceil((enters - since) / DAY)) if enters else 0
    if event is not None and (lost is None or event <= lost):
        return "event", entry, max(0, -((since - event) // DAY))
    if lost is not None:
        return "lost", entry, max(0, -((since - lost) // DAY))
    return "waiting", entry, max(0, (world.as_of - since) // DAY)


def _answer(it: Definition, parts: list[Part], base: dict[int, int]) -> Answer:
    """The value of all parts, and its error from leaving out every group in turn."""
    found = _value(it, parts, base, None)
    counted: dict[int, int] = defaultdict(int)
    ends = _ends(it, parts) if it.kind == "gap" else None
    for part in parts:
        counted[part.group] += part.below if it.denominator else part.units
    groups = sum(count != 0 for count in counted.values())
    if ends:
        groups = min(_groups_of(parts, name) for name in ends)
    if found.value is None or groups < 2:
        return found
    if it.kind == "quantile":
        return replace(found, error=_error_of_quantile(it, parts, found, groups))
    left = [part.group for part in parts] + (list(base) if it.kind in ("sum", "stock") else [])
    without = {group: _left_out(it, parts, base, group, ends) for group in set(left)}
    is_total = it.kind in ("sum", "stock") and not it.denominator
    nobody = _left_out(it, parts, base, 64, ends) if is_total else found.value
    replicates = [without.get(group, nobody) for group in range(64)]
    return Answer(found.value, found.numerator, found.denominator, found.units, found.immature, _error(replicates))


def _groups_of(parts: list[Part], name: str) -> int:
    sums: dict[int, int] = defaultdict(int)
    for part in parts:
        sums[part.group] += part.below if part.across == name else 0
    return sum(count != 0 for count in sums.values())


def _error(replicates: list[Number]) -> float | None:
    """The root of (G - 1) / G times the sum of squared deviations from the replicates' mean."""
    if None in replicates:
        return None
    known = [value for value in replicates if value is not None]
    mean = sum(known, Fraction()) / len(known)
    return math.sqrt(Fraction(len(known) - 1, len(known)) * sum((value - mean) ** 2 for value in known))


def _left_out(
    it: Definition, parts: list[Part], base: dict[int, int], group: int, ends: tuple[str, str] | None
) -> Number:
    kept = [part for part in parts if part.group != group]
    if ends:
        low, high = (_rate([part for part in kept if part.across == name]) for name in ends)
        return None if low is None or high is None else 100 * (high - low)
    return _value(it, kept, base, group).value


def _rate(parts: list[Part]) -> Number:
    below = sum(part.below for part in parts)
    return Fraction(sum(part.above for part in parts), below) if below else None


def _value(it: Definition, parts: list[Part], base: dict[int, int], without: int | None) -> Answer:
    units, immature = sum(part.units for part in parts), sum(part.immature for part in parts)
    above, below = sum(part.above for part in parts), sum(part.below for part in parts)
    money = 1_000_000 if it.unit == "money" else 1
    if it.kind == "gap":
        return _gap(it, parts, units, immature)
    if it.kind == "quantile":
        return _quantile(it, parts, units, immature)
    if it.kind == "incidence":
        return _incidence(it, parts, units)
    if it.denominator:
        return Answer(Fraction(above * it.scale, below * money) if below else None, above, below, units, immature)
    share = Fraction(1)
    if without is not None:
        members = sum(base.values())
        share = Fraction(members - base.get(without, 0), members) if members else Fraction(63, 64)
    value = Fraction(above * it.scale) / money / share if share else None
    return Answer(value, above, 1, units, immature)


def _ends(it: Definition, parts: list[Part]) -> tuple[str, str] | None:
    names = {part.across for part in parts}
    rates = {name: _rate([part for part in parts if part.across == name]) for name in names}
    sizes = {name: sum(part.below for part in parts if part.across == name) for name in names}
    known = [(rate, name) for name, rate in rates.items() if rate is not None and sizes[name] >= it.at_least]
    return (min(known)[1], max(known)[1]) if len(known) >= 2 else None


def _gap(it: Definition, parts: list[Part], units: int, immature: int) -> Answer:
    ends = _ends(it, parts)
    if ends is None:
        big = [name for name in {part.across for part in parts}
               if sum(part.below for part in parts if part.across == name) >= it.at_least]  # fmt: skip
        lone = [part for part in parts if part.across in big]
        return Answer(None, sum(part.above for part in lone), sum(part.below for part in lone), units, immature)
    low, high = ([part for part in parts if part.across == name] for name in ends)
    best, worst = _rate(high), _rate(low)
    assert best is not None
    assert worst is not None
    value = 100 * (best - worst)
    return Answer(value, sum(part.above for part in low), sum(part.below for part in low), units, immature)


def _quantile(it: Definition, parts: list[Part], units: int, immature: int) -> Answer:
    """The bucket in which the unit of this rank stands when all are lined up, those who never get there last."""
    line = sorted(part.seen for part in parts if part.seen is not None)
    assert it.quantile is not None
    rank = math.ceil(Fraction(it.quantile) * units)
    if not units or rank > len(line):
        return Answer(None, len(line), units, units, immature)
    low, high = line[rank - 1]
    reached = sum(seen <= (low, high) for seen in line)
    return Answer(Fraction(low + high, 2) * it.scale, reached, units, units, immature)


def _error_of_quantile(it: Definition, parts: list[Part], found: Answer, groups: int) -> float | None:
    """The error of the share at or below the value, carried over to values: half of what lies between its ends.

    Woodruff (1952); None when the upper end is nowhere or a group holds all units.
    """
    line = sorted(part.seen for part in parts if part.seen is not None)
    value = line[found.numerator - 1]
    shares: list[Number] = []
    for group in range(64):
        kept = [part for part in parts if part.group != group]
        units = sum(part.units for part in kept)
        if not units:
            return None
        shares.append(Fraction(sum(part.seen is not None and part.seen <= value for part in kept), units))
    student = half_width(1.0, groups)
    half = student * (_error(shares) or 0.0)
    if not half:
        return 0.0
    ranks = [max(math.ceil((float(it.quantile) + side) * found.units), 1) for side in (-half, half)]
    if ranks[1] > len(line):
        return None
    low, high = (sum(line[rank - 1]) / 2 for rank in ranks)
    return (high - low) * it.scale / (2 * student)


def _incidence(it: Definition, parts: list[Part], units: int) -> Answer:
    """Day by day: those at risk, those to whom it happens, those to whom it no longer can."""
    days = moment_of(it.by_age) // DAY
    seen = [part.seen for part in parts if part.seen is not None]
    happened = sum(outcome == "event" and leaves <= days for outcome, _, leaves in seen)
    watched = [each for each in seen if each[2] > each[1] or each[1] == 0]
    if it.estimator == "closed":
        watched = [each for each in watched if each[0] != "waiting"]
    waiting, reached = Fraction(1), Fraction()
    for day in range(days + 1) if units else ():
        at_risk = sum((enters < day or enters == 0) and leaves >= day for _, enters, leaves in watched)
        if not waiting:
            break
        if not at_risk:
            return Answer(None, happened, units, units, 0)
        events = sum(outcome == "event" and leaves == day for outcome, _, leaves in watched)
        lost = sum(outcome == "lost" and leaves == day for outcome, _, leaves in watched)
        reached += waiting * Fraction(events, at_risk)
        waiting *= 1 - Fraction(events if it.estimator == "kaplan_meier" else events + lost, at_risk)
    return Answer(reached * it.scale if units else None, happened, units, units, 0)
