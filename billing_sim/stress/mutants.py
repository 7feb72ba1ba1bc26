"""Mutants: a definition with one small mistake in it, such as reviews overlook.

A mutant is an ordinary definition, so the lab reads it in the same scans as its original. Only mistakes that leave a
valid definition are made: those that do not run are found by anybody.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import ValidationError

from billing_sim.metrics.definition import Definition
from billing_sim.metrics.expressions import problems
from billing_sim.stress.rewriting import Slip, edges, fewer_parts, other_states, slips_of_query

TYPED = "10 days"
"""A maturity that somebody typed in when dunning was shorter."""

_CLOCKS = {
    "invoices": ("issued_at", "issued_recorded_at", "first_failed_at", "paid_at", "spell_started_at"),
    "attempts": ("occurred_at", "recorded_at"),
    "subscriptions": ("started_at", "ended_at", "cancel_requested_at"),
    "subscription_months": ("month", "ended_at"),
    "signups": ("started_at", "recorded_at", "finished_at"),
    "notices": ("sent_at", "recorded_at"),
    "surveys": ("sent_at", "answered_at"),
    "offers": ("sent_at", "ended_at"),
    "contacts": ("opened_at", "recorded_at"),
}
"""The moments of each fact by which somebody may place its units."""

_ROWS = {"invoices": "attempts", "attempts": "1 + failed_calls", "signups": "attempts", "subscriptions": "renewals"}
"""How many rows a unit becomes when a fact is joined to what hangs on it."""

_MATURITIES = {
    "none": ("dunning", TYPED), "month": ("none", TYPED), "settlement": ("none", TYPED),
    "dunning": ("none", "settlement", TYPED),
}  # fmt: skip

_CONDITIONS = ("where", "numerator", "denominator", "event", "competing")
_AMOUNT = re.compile(r"\b(?!member)\w+_micros\b")
_PARTLY = re.compile(r"CASE WHEN (.+) THEN (.+) END")

_SQL_STAYS = ("clock", "maturity", "window", "direction")
"""Mistakes that leave the SQL of a definition as it was, which need not be checked again."""

Fields: TypeAlias = dict[str, Any]
Change: TypeAlias = tuple[str, str, Fields]
"""Kind of mistake, the mistake in words, and the fields that it changes."""


@dataclass(frozen=True)
class Mutant:
    """A definition with one mistake: of which kind, and what it is in words."""

    original: Definition
    definition: Definition
    kind: str
    mistake: str


def mutants(it: Definition) -> list[Mutant]:
    """Every mutant of a definition that is a valid one and that differs in what decides the number or its direction."""
    known = {(it.digest, it.direction)}
    found: list[Mutant] = []
    for kind, mistake, fields in _changes(it):
        made = _valid(it, fields, len(found) + 1, is_new_sql=kind not in _SQL_STAYS)
        if made and (made.digest, made.direction) not in known:
            known.add((made.digest, made.direction))
            found.append(Mutant(it, made, kind, mistake))
    return found


def _valid(it: Definition, fields: Fields, number: int, *, is_new_sql: bool) -> Definition | None:
    try:
        made = Definition.model_validate(it.model_dump() | fields | {"id": f"{it.id}_m{number}"})
    except ValidationError:
        return None
    return None if is_new_sql and problems(made) else made


def _changes(it: Definition) -> Iterator[Change]:
    if it.sql:
        for kind, slips in (("edge", edges), ("part dropped", slips_of_query), ("recognition", other_states)):
            yield from ((_kind(kind, what), what, {"sql": text}) for what, text in slips(it.sql))
    else:
        yield from _texts(it)
        yield from _times(it)
        yield from _weights(it)
    if it.direction != "neither":
        other = "down" if it.direction == "up" else "up"
        yield "direction", f"{it.direction} to {other}", {"direction": other}


def _kind(kind: str, what: str) -> str:
    """Slips of queries are of many kinds."""
    if kind != "part dropped" or what.startswith("without"):
        return kind
    return "fan-out" if " joined to " in what else "query"


def _texts(it: Definition) -> Iterator[Change]:
    """Mistakes in the SQL of the fields, and conditions that are forgotten altogether."""
    for field in _CONDITIONS:
        text = getattr(it, field)
        for kind, slips in _SLIPS.items():
            yield from ((kind, f"{field}: {what}", {field: slip}) for what, slip in slips(text))
    for field in ("where", "competing"):
        if text := getattr(it, field):
            yield "part dropped", f"without {field}: {text}", {field: ""}
    for i, condition in enumerate(it.exclude):
        yield "exclusion dropped", f"{condition} is not excluded", {"exclude": it.exclude[:i] + it.exclude[i + 1 :]}
    if it.over:
        yield from _texts_below(it)


_SLIPS: dict[str, Callable[[str], Iterable[Slip]]] = {
    "edge": edges, "part dropped": fewer_parts, "recognition": other_states,
}  # fmt: skip


def _texts_below(it: Definition) -> Iterator[Change]:
    over = it.over.model_dump() if it.over else {}
    for kind, slips in _SLIPS.items():
        for what, slip in slips(over["where"]):
            yield kind, f"below: {what}", {"over": over | {"where": slip}}
    if over["where"]:
        yield "part dropped", f"below: without {over['where']}", {"over": over | {"where": ""}}


def _times(it: Definition) -> Iterator[Change]:
    """Another clock, another maturity, another window."""
    for clock in _CLOCKS.get(it.fact, ()):
        yield "clock", f"{it.clock} to {clock}", {"clock": clock}
    for matures in _MATURITIES.get(it.matures, ("none", "14 days", TYPED)):
        yield "maturity", f"{it.matures} to {matures}", {"matures": matures}
    if it.over:
        over = it.over.model_dump()
        for clock in _CLOCKS.get(it.over.fact, ()):
            yield "clock", f"below: {it.over.clock} to {clock}", {"over": over | {"clock": clock}}
        for matures in _MATURITIES.get(it.over.matures, ("none",)):
            yield "maturity", f"below: {it.over.matures} to {matures}", {"over": over | {"matures": matures}}
    if it.window:
        window = it.window.model_dump()
        for ends in ("[]", "[)", "(]", "()"):
            if sum(one != other for one, other in zip(ends, it.window.ends, strict=True)) == 1:
                yield "window", f"ends {it.window.ends} to {ends}", {"window": window | {"ends": ends}}
        yield "window", "no window", {"window": None}
        yield "window", f"{it.window.grain} to day", {"window": window | {"grain": "day"}}


def _weights(it: Definition) -> Iterator[Change]:
    """Counts for amounts, amounts for counts, and rows that a join has multiplied."""
    if it.kind in ("quantile", "incidence"):
        return
    if it.weight:
        yield "weight", "amounts to counts", {"weight": ""}
    elif it.kind in ("ratio", "gap") and it.denominator == "1" and it.fact in ("invoices", "attempts"):
        yield "weight", "counts to amounts", {"weight": "amount_micros"}
    elif it.kind == "ratio" and it.unit != "money" and _AMOUNT.search(it.numerator):
        counted = {field: _AMOUNT.sub("1", getattr(it, field)) for field in ("numerator", "denominator")}
        yield "weight", "amounts to counts", counted
    rows = _ROWS.get(it.fact)
    if rows and not it.over:
        yield "fan-out", f"every row {rows} times", dict(_fanned(it, rows))


def _fanned(it: Definition, rows: str) -> Iterator[tuple[str, str]]:
    if it.weight or (it.denominator == "1" and _is_condition(it)):
        yield "weight", f"({it.weight or '1'}) * ({rows})"
        return
    partly = _PARTLY.fullmatch(it.numerator)
    above = f"CASE WHEN {partly[1]} THEN ({partly[2]}) * ({rows}) END" if partly else _times_rows(it.numerator, rows)
    yield "numerator", above
    if it.denominator:
        yield "denominator", _times_rows(it.denominator, rows)


def _times_rows(text: str, rows: str) -> str:
    return f"({text})::BIGINT * ({rows})"


def _is_condition(it: Definition) -> bool:
    """Whether the numerator counts units rather than adding something up."""
    made = it.model_dump() | {"weight": "1"}
    return not problems(Definition.model_validate(made))
