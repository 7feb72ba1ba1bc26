"""Metrics of a run as tables: each with its interval, what it is made of, and what is not settled yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from billing_sim.metrics import words
from billing_sim.metrics.asking import Answer, difference
from billing_sim.metrics.fitted import Fitted
from billing_sim.metrics.result import Figure, Result, Slice

_NAME_WIDTH = 18
_BETTER = {"up": " ↑", "down": " ↓", "neither": ""}


def computed(answer: Answer) -> RenderableType:
    """Every metric in all, then each that was split by its parts."""
    return Group(_totals(answer.results), *_parts(answer), Text(), *_legend(answer))


def side_by_side(answer: Answer) -> RenderableType:
    """Canonical definitions with their variants below, and how far each variant lies from its metric."""
    return Group(_compared(answer.results), *_parts(answer), Text(), *_legend(answer))


def _totals(results: Iterable[Result]) -> Fitted:
    table = _numbers("metric")
    for result in results:
        name = Text.assemble(_broken(result.id), (_BETTER[result.definition.direction], "dim"))
        table.add_row(name, *_cells(result, result))
    return table


def _broken(metric: str) -> str:
    """A long id in lines that break between words."""
    lines = [""]
    for word in metric.replace("_", "_ ").replace("@", " @").split():
        if lines[-1] and len(lines[-1]) + len(word) > _NAME_WIDTH:
            lines.append("")
        lines[-1] += word
    return "\n".join(lines)


def _compared(results: Sequence[Result]) -> Fitted:
    table = Fitted()
    table.add_words("metric and variants", least=_NAME_WIDTH)
    table.add_whole("value")
    table.add_whole("95 %", gives_way=2)
    table.add_whole("difference", gives_way=3)
    table.add_words("units", right=True, gives_way=1)
    metrics = {result.id: result for result in results if not result.definition.is_variant}
    names = dict.fromkeys(result.definition.name for result in results)
    for name in names:
        own = [result for result in results if result.definition.name == name]
        for i, result in enumerate(own):
            away = difference(result, metrics[name]) if name in metrics and result.definition.is_variant else None
            shown = words.signed(result.definition, away) if away is not None else ""
            row = (_value(result, result), _interval(result, result), shown, _units(result, result))
            table.add_row(_variant(result), *row, end_section=i + 1 == len(own))
    return table


def _variant(result: Result) -> Text:
    """A variant by its suffix, with its axes."""
    it = result.definition
    if not it.is_variant:
        return Text(it.id, style="bold")
    return Text.assemble(f" @{it.id.partition('@')[2]}", (f" {', '.join(it.axis)}", "dim"))


def _parts(answer: Answer) -> Iterator[RenderableType]:
    for result in answer.results:
        if not result.slices:
            continue
        table = _numbers(*answer.by)
        for part in result.slices:
            table.add_row(*(Text(name) for name in part.dims.values()), *_cells(result, part))
        yield Group(Text(), Text(result.id, style="bold"), table)


def _numbers(*names: str) -> Fitted:
    table = Fitted(names=len(names))
    for name in names:
        table.add_words(name, least=_NAME_WIDTH)
    table.add_whole("value")
    table.add_whole("95 %", gives_way=3)
    table.add_words("numerator / denom.", right=True, gives_way=2)
    table.add_words("units", right=True, gives_way=1)
    return table


def _cells(result: Result, figure: Figure) -> tuple[Text, Text, Text, Text]:
    is_partial = isinstance(figure, Slice) and figure.partial
    made_of = words.parts(result, figure) if figure.value is not None else f"({figure.reason})"
    cells = _value(result, figure), Text(_interval(result, figure)), Text(made_of), _units(result, figure)
    if is_partial:
        for cell in cells:
            cell.stylize("dim")
    return cells


def _value(result: Result, figure: Figure) -> Text:
    if figure.value is None:
        return Text("undefined", style="yellow")
    shown = words.measured(result) if figure is result else words.value(result.definition, figure)
    return Text(f"~{shown}" if isinstance(figure, Slice) and figure.partial else shown, style="bold")


def _interval(result: Result, figure: Figure) -> str:
    """Both ends, their common unit once."""
    if figure.low is None or figure.high is None:
        return ""
    low, high = (words.value(result.definition, Figure(end, 0, 1, 0)) for end in (figure.low, figure.high))
    (first, _, unit), (_, _, other) = low.partition(" "), high.partition(" ")
    return f"{first if unit == other else low} – {high}"


def _units(result: Result, figure: Figure) -> Text:
    """Whom the number is about, and how many more are not settled; a query does not say."""
    shown = Text(words.whole(figure.units) if not result.definition.sql else "")
    if figure.immature:
        shown.append(f"\n~{words.whole(figure.immature)}", style="dim")
    return shown


def _legend(answer: Answer) -> Iterator[RenderableType]:
    frame = answer.question.frame
    money = f" Money is in {frame.currency}." if any(result.currency for result in answer.results) else ""
    not_split = [result.id for result in answer.results if answer.by and not result.slices]
    if not_split:
        yield Text(f"In all only, not by {', '.join(answer.by)}: {', '.join(not_split)}.", style="dim")
    signs = "~ units not settled yet, left out; a part with ~ in front may still change."
    yield Text(f"As of {frame.as_of:%Y-%m-%d %H:%M} UTC.{money} {signs}", style="dim")
