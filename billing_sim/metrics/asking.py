"""A question about a run from names to results: which definitions, split by what, as of when.

The command line and Python ask in the same way; here names become definitions, and results become plain rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from billing_sim.errors import QueryError
from billing_sim.metrics.catalogue import Catalogue, load, shipped
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import Question, checked
from billing_sim.metrics.frame import frame, utc
from billing_sim.metrics.result import Figure, Result, Slice
from billing_sim.metrics.source import Others, Source, WithTables, exported_tables

COLUMNS = (
    "value", "low", "high", "standard_error", "numerator", "denominator", "units", "immature", "coverage", "unit",
    "currency", "partial", "reason", "definition", "data",
)  # fmt: skip
"""What a row says behind the metric and its dimensions."""


@dataclass(frozen=True)
class Answer:
    """Results with the question that they answer."""

    question: Question
    source: Source
    results: tuple[Result, ...]

    @property
    def by(self) -> tuple[str, ...]:
        """The dimensions."""
        return self.question.by

    @property
    def columns(self) -> list[str]:
        """The names of what a row holds."""
        return ["metric", *self.by, *COLUMNS]

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """{metric: {"value", "low", "high", ..., "slices"}} for JSON; a variant also says its `difference`.

        The difference is from the canonical definition when that is among the results, in the metric's unit.
        """
        found = {result.id: result for result in self.results}
        told = {}
        for name, result in found.items():
            told[name] = result.as_dict()
            if result.definition.is_variant and result.definition.name in found:
                told[name]["difference"] = difference(result, found[result.definition.name])
        return told

    def sql(self, metric: str = "") -> str:
        """The SQL of one metric, or of all, each below its name."""
        asked = self.question.definitions
        if metric or len(asked) == 1:
            (it,) = Catalogue(asked, {}).of([metric or asked[0].id])
            return self.question.sql(it, self.source)
        return "\n\n".join(f"-- {it.id}\n{self.question.sql(it, self.source)};" for it in asked)

    def rows(self, *, totals: bool) -> Iterator[dict[str, Any]]:
        """One row per metric and slice; with `totals`, or where a metric cannot be split so, without dimensions."""
        for result in self.results:
            if totals or not result.slices:
                yield self._row(result, result)
            for part in result.slices:
                yield self._row(result, part)

    def _row(self, result: Result, figure: Figure) -> dict[str, Any]:
        dims = figure.dims if isinstance(figure, Slice) else {}
        about = {
            "unit": result.definition.unit,
            "currency": result.currency,
            "partial": figure.partial if isinstance(figure, Slice) else False,
            "definition": result.definition.digest,
            "data": result.data,
        }
        return {
            "metric": result.id,
            **{name: dims.get(name) for name in self.by},
            **{name: about[name] if name in about else getattr(figure, name) for name in COLUMNS},
        }


def ask(
    source: Source, definitions: Iterable[Definition], by: str | Sequence[str] | None, as_of: datetime | None
) -> Answer:
    """The answer of a run; QueryError for an unknown dimension or a moment outside the run."""
    asked = tuple(definitions)
    question = Question(asked, checked(dimensions_in(by), asked), frame(source, as_of))
    return Answer(question, source, tuple(question.answer(source)))


def beside(source: Source, folder: str | Path | None) -> Source:
    """A run's facts with the tables of an exported folder beside them, when one is named."""
    return WithTables(source, Path(folder)) if folder else source


def others(folder: str | Path | None) -> Others:
    """The exported tables of a folder by name; none without a folder."""
    return exported_tables(Path(folder)) if folder else {}


def known(files: str | Path | Sequence[str | Path] = (), others: Others | None = None) -> Catalogue:
    """The shipped metrics with those of files of one's own, which win; InputError when one cannot be used."""
    found = shipped()
    for file in _several(files):
        found = found.with_(load(Path(file), others))
    return found


def definitions(catalogue: Catalogue, names: str | Sequence[str], *, variants: bool) -> list[Definition]:
    """What these names stand for, with `variants` their canonical definitions and neighbours too; each once."""
    asked = catalogue.of(_several(names))
    found = [other for it in asked for other in (catalogue.variants(it.id) if variants else (it,))]
    return list({it.id: it for it in found}.values())


def canonical(catalogue: Catalogue) -> list[Definition]:
    """One definition per metric: the canonical one, or the first variant where there is none."""
    first: dict[str, Definition] = {}
    for it in catalogue:
        if it.name not in first or not it.is_variant:
            first[it.name] = it
    return [it for it in catalogue if it is first[it.name]]


def dimensions_in(by: str | Sequence[str] | None) -> list[str]:
    """Dimensions as a list; a text may name several, separated by commas."""
    return [part.strip() for part in by.split(",") if part.strip()] if isinstance(by, str) else list(by or ())


def moment(as_of: str | date | datetime | None) -> datetime | None:
    """A moment in UTC, without zone; a day is its beginning. QueryError when a text is neither."""
    try:
        return None if as_of is None else utc(as_of if isinstance(as_of, datetime) else str(as_of))
    except ValueError:
        raise QueryError(f"{str(as_of)!r} is no date; write one such as 2025-03-01.") from None


def difference(result: Result, other: Result) -> float | None:
    """How far a result lies above another in their unit; None where one is undefined or their units differ."""
    if result.value is None or other.value is None or result.definition.unit != other.definition.unit:
        return None
    return float(result.value) - float(other.value)


def _several(given: str | Path | Sequence[Any]) -> Sequence[Any]:
    return (given,) if isinstance(given, str | Path) else given
