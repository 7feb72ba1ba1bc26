"""Metrics in words: the list of all, and for one everything that its definition decides, with its variants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from billing_sim import clock
from billing_sim.facts.schema import FACTS
from billing_sim.metrics.catalogue import Catalogue
from billing_sim.metrics.definition import MATURITIES, Definition, Population
from billing_sim.metrics.engine import Question, dimensions
from billing_sim.metrics.fitted import Fitted
from billing_sim.metrics.frame import Frame, literal
from billing_sim.metrics.source import InMemory

_BETTER = {"up": "up is better", "down": "down is better", "neither": "neither way is better"}
_MATURITY = {
    "none": "at once",
    "month": "once its month is over",
    "settlement": "once its payment can no longer come back",
    "dunning": "once its payment can no longer be recovered",
}
_LINE = 78
_ID_WIDTH = 40
_KINDS = {
    "ratio": "numerator / denominator, summed before dividing",
    "sum": "the sum of the numerator",
    "stock": "the sum when the last month ended",
    "quantile": "a quantile of the numerator",
    "gap": "highest minus lowest ratio",
    "incidence": "share to whom it has happened by an age",
}


def sheet(catalogue: Catalogue, it: Definition) -> RenderableType:
    """One metric, whole: what it asks, whom it counts and when, how it misleads; then its SQL and its neighbours."""
    heading = Text.assemble((it.id, "bold"), f"  {it.title}")
    parts: list[RenderableType] = [
        heading,
        Text(),
        _grid(about(it)),
        Text(),
        Text("SQL", style="bold"),
        Text(_folded(sql(it))),
    ]
    others = [other for other in catalogue.variants(it.id) if other.id != it.id]
    own = [other for other in others if not other.source]
    presets = [other for other in others if other.source]
    if own:
        parts += [Text(), _others("Variants", own)]
    if presets:
        parts += [Text(), _others("Presets, as others publish them", presets)]
    return Group(*parts)


def as_dict(catalogue: Catalogue, it: Definition) -> dict[str, Any]:
    """The same for JSON: every field of the definition, its SQL and digest, and what its neighbours are called."""
    own = it.model_dump(mode="json")
    return own | {"sql": sql(it), "digest": it.digest, "variants": [other.id for other in catalogue.variants(it.id)]}


def about(it: Definition) -> Iterator[tuple[str, str]]:
    """What a definition decides, by label, in words and pieces of its SQL."""
    also = f", also shown to {', '.join(it.also_in)}" if it.also_in else ""
    yield "question", it.question
    yield "owner", f"{it.view}{also}"
    yield "tier", it.tier + (f", must not be {_bound(it)}" if it.bound is not None else "")
    yield "formula", it.formula
    yield "value", f"{it.unit}, {_BETTER[it.direction]}"
    if it.is_variant:
        yield "differs", f"{it.differs} ({', '.join(it.axis)})"
    if it.source:
        yield "source", it.source + (f" (read {it.retrieved})" if it.retrieved else "")
    if it.sql:
        yield "computed", "by a query of its own, which sees every fact"
    else:
        yield from _counted(it)
    yield "stands for", it.estimand
    yield "misleads", it.misleads
    yield "definition", it.digest[:16]


def _counted(it: Definition) -> Iterator[tuple[str, str]]:
    yield "kind", _KINDS[it.kind] + _detail(it)
    yield "population", _population(it)
    yield "exclusions", "; ".join(it.exclude) or "none"
    if it.kind != "incidence":
        yield "numerator", it.numerator
    if it.denominator:
        yield "denominator", it.denominator
    yield "clock", it.clock
    yield "matures", _maturity(it)
    if it.over:
        yield "divided by", f"{_population(it.over)}, by {it.over.clock}, {_maturity(it.over)}"
        if it.over.exclude:
            yield "", f"without {'; '.join(it.over.exclude)}"
    yield "window", _window(it) or "none"
    yield "weight", it.weight or "none, each unit counts as 1"
    yield "money", "at the exchange rates of the day" if it.money == "spot" else "at those of the run's start"
    yield "split by", ", ".join(dimensions(it))


def _detail(it: Definition) -> str:
    if it.kind == "quantile":
        return f": {it.quantile}"
    if it.kind == "gap":
        return f" across {it.across}, parts of at least {it.at_least}"
    if it.kind == "incidence":
        others = f", competing {it.competing}" * bool(it.competing) + f", watched from {it.enters}" * bool(it.enters)
        return f": {it.by_age} after {it.since}, event {it.event}{others} ({it.estimator.replace('_', ' ')})"
    return f", times {it.scale}" if it.scale != 1 else ""


def _bound(it: Definition) -> str:
    return f"{'below' if it.direction == 'up' else 'above'} {it.bound}"


def _population(units: Population) -> str:
    grain = next(fact.grain for fact in FACTS if fact.name == units.fact)
    return f"{units.fact}, each {grain}" + (f", where {units.where}" if units.where else "")


def _maturity(units: Population) -> str:
    return _MATURITY[units.matures] if units.matures in MATURITIES else f"at the age of {units.matures}"


def _window(it: Definition) -> str:
    if it.window is None:
        return ""
    first, last = it.window.ends
    zone = f" by {it.window.grain} in {it.window.zone}" if it.window.grain != "instant" else ""
    return f"{it.window.of} within {first}{it.window.first}, {it.window.last}{last} after {it.window.since}{zone}"


def _grid(lines: Iterator[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in lines:
        table.add_row(label, Text(text))
    return table


def _others(title: str, found: Sequence[Definition]) -> RenderableType:
    """Neighbours with their axis and how they differ; presets with their source and its date."""
    table = Fitted()
    table.add_words(title.partition(",")[0].lower(), least=min(max(len(it.id) for it in found), _ID_WIDTH))
    table.add_words("axis", gives_way=1)
    table.add_words("how it differs")
    for it in found:
        source = f"\n{it.source}" + (f", read {it.retrieved}" if it.retrieved else "") if it.source else ""
        shown = f"@{it.id.partition('@')[2]}" if it.is_variant else it.id
        words = it.differs or "the canonical one"
        table.add_row(shown, "\n".join(it.axis), Text.assemble(words, (source, "dim")))
    return Group(Text(title, style="bold"), table)


# The SQL without a run.


_NO_RUN = InMemory({}, [])
"""A source without rows: enough to know which columns are conditions."""

_FAR = Frame(
    start=datetime(9000, 1, 1), as_of=datetime(9001, 6, 15, 12), settlement=timedelta(days=101),
    dunning=timedelta(days=202), currency="", mission="", goals={},
)  # fmt: skip
"""A frame so far away that its moments are told from anything that a definition says."""


def sql(it: Definition) -> str:
    """The statements of a metric, with `:as_of` and the like where a run puts its moments."""
    if it.sql:
        return it.sql.strip()
    text = Question((it,), (), _FAR).sql(it, _NO_RUN)
    for moment, name in _names(it):
        text = text.replace(literal(moment), name)
    return text


def _folded(statement: str) -> str:
    """Long lines broken where a condition begins."""
    lines = (
        line.replace(" AND (", "\n    AND (").replace(" AND NOT (", "\n    AND NOT (") if len(line) > _LINE else line
        for line in statement.splitlines()
    )
    return "\n".join(lines)


def _names(it: Definition) -> Iterator[tuple[datetime, str]]:
    yield _FAR.as_of, ":as_of"
    yield _FAR.as_of - _FAR.settlement, ":as_of - :settlement"
    yield _FAR.as_of - _FAR.dunning, ":as_of - :dunning"
    yield _FAR.whole_months[0], ":first_whole_month"
    yield _FAR.whole_months[1], ":last_month" if it.kind == "stock" else ":end_of_whole_months"
    for units in (it, it.denominator_units):
        if units.matures not in MATURITIES:
            age = clock.parse_duration(units.matures)
            yield _FAR.as_of - timedelta(microseconds=age), f":as_of - INTERVAL '{units.matures}'"
