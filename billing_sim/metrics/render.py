"""The views on a terminal: the mission, then for each stakeholder the goal and the numbers that serve it.

Everything fits the width, 80 columns included; what does not is left out by name, never cut off in silence.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console, Group, RenderableType
from rich.text import Text

from billing_sim import declines
from billing_sim.metrics import words
from billing_sim.metrics.decomposition import Decomposition
from billing_sim.metrics.definition import TIERS, Definition
from billing_sim.metrics.explaining import Event
from billing_sim.metrics.figures import MICROS
from billing_sim.metrics.fitted import Fitted
from billing_sim.metrics.plain import plain
from billing_sim.metrics.result import Result, Slice
from billing_sim.metrics.views import Views, latest_change

MADE_OF_FROM = 100
QUESTIONS_FROM = 130
"""From these widths on what a number is made of has a column, and the questions are shown."""

ROWS_MAX = 24
"""Slices shown per view; the largest are kept."""

_METRIC_WIDTH = 14
_BETTER = {"up": "↑", "down": "↓", "neither": " "}
_MOODS = {"better": "green", "worse": "red", "noise": "dim"}


def text(views: Views, width: int = 100) -> str:
    """The views as plain text without colour."""
    return plain(render(views, width), width)


def show(views: Views, console: Console | None = None) -> None:
    """Print the views; colour and width are those of the terminal, and plain text when it is none."""
    out = console or Console()
    out.print(render(views, out.width))


def render(views: Views, width: int) -> RenderableType:
    """Everything that is shown for a run at this width."""
    shown: list[RenderableType] = [Text.assemble(("Mission  ", "bold"), views.mission)]
    for view, results in views.results.items():
        shown += [Text(), Text.assemble((view.upper(), "bold cyan"), f'  "{views.goals[view]}"'), Text()]
        shown += [_totals(results, width), Text(), happened(views.events.get(view), views.frame.currency)]
        if views.by:
            shown += [Text(), *_slices(results, views.by, width)]
    return Group(*shown, Text(), *_legend(views))


def _totals(results: Sequence[Result], width: int) -> Fitted:
    """Both sides of uneven intervals where there is room for all, else the longer one."""
    table = _table(results, width, _sides)
    return table if table.is_whole(width) else _table(results, width, _reach)


def _table(results: Sequence[Result], width: int, interval: Callable[[Result], Text]) -> Fitted:
    table = Fitted()
    table.add_words("metric", least=max(len(result.id) for result in results) + 2)
    table.add_whole("value")
    table.add_whole("± 95 %", gives_way=2)
    table.add_whole("change", gives_way=1)
    if width >= MADE_OF_FROM:
        table.add_words("numerator / denominator", right=True, most=26)
    if width >= QUESTIONS_FROM:
        table.add_words("question", style="italic", least=16)
    for tier in TIERS:
        of_tier = [result for result in results if result.definition.tier == tier]
        if of_tier:
            table.add_row(Text(tier, style="dim italic"))
        for i, result in enumerate(of_tier):
            table.add_row(*_row(result, width, interval), end_section=i + 1 == len(of_tier))
    return table


def _row(result: Result, width: int, interval: Callable[[Result], Text]) -> list[Text]:
    name = Text.assemble(result.id, (f" {_BETTER[result.definition.direction]}", "dim"))
    row = [name, _value(result), interval(result), _change(result)]
    if width >= MADE_OF_FROM:
        row.append(_made_of(result))
    else:
        name.append_text(_below(_made_of(result)))
    if width >= QUESTIONS_FROM:
        row.append(Text(result.definition.question))
    return row


def _below(shown: Text) -> Text:
    """The same on lines of its own below a name."""
    return Text("\n").append_text(Text("\n").join(Text("  ").append_text(line) for line in shown.split("\n")))


def _value(result: Result) -> Text:
    if result.value is None:
        return Text(words.UNDEFINED, style="yellow")
    shown = Text(words.measured(result, result.currency), style="bold")
    if result.crossed:
        shown.stylize("bold red")
        shown.append(" !")
    return shown


def _sides(result: Result) -> Text:
    return Text(words.sides(result.definition, result), style="dim")


def _reach(result: Result) -> Text:
    return Text(words.half(result.definition, result.reach, result.value), style="dim")


def _change(result: Result) -> Text:
    """The change between the last two whole and mature months: plain when it may be noise, else by what is better."""
    latest = latest_change(result)
    if latest is None:
        return Text("")
    _, after, moved = latest
    month = f" {calendar.month_abbr[int(after.dims['month'][-2:])]}"
    style = _MOODS[moved.mood(result.definition.direction)]
    return Text.assemble((words.signed(result.definition, moved.value), style), (month, "dim"))


def _made_of(result: Result) -> Text:
    lines = [words.parts(result, result)] if result.value is not None else [f"({result.reason})"]
    shown = Text(lines[0], style="dim")
    if result.note:
        shown.append(f"\n{result.note}", style="dim")
    if result.crossed:
        shown.append(f"\nbound {words.bound(result)}", style="red")
    if result.immature and result.value is not None:
        shown.append(f"\n~ {words.whole(result.immature)} immature", style="dim")
    return shown


def happened(event: Event | None, currency: str) -> Text:
    """What moved the view's core metric most, where and why; or that nothing did."""
    if event is None:
        return Text("What happened: nothing beyond chance from one month to the next.", style="dim")
    it = event.definition
    moved = f" {words.signed(it, event.change.value, currency)} in {_month(event.month)} against {_month(event.before)}"
    surely = f", {event.change.signal:.0f} standard errors."
    first = "" if it.tier == "core" else "no core rate moved beyond chance; "
    shown = Text.assemble(("What happened: ", "bold"), first, (it.id, "bold"), moved, surely)
    for label, found in (("Where", event.place), ("Why", event.cause)):
        if found and (why := _reason(it, found, currency)):
            shown.append(f" {label}: {why}.")
    return shown


def _reason(it: Definition, found: Decomposition, currency: str) -> str:
    """The largest term of a decomposition in words: by doing better or worse, or by growing or shrinking.

    Empty where even that is too small to be told.
    """
    term, scale = found.largest, it.scale / (MICROS if it.unit == "money" else 1)
    segment = _segment(found.dimension, term.segment)
    moved = words.signed(it, float(term.total) * scale, currency)
    if _is_nothing(moved):
        return ""
    if it.kind != "ratio":
        return f"{segment} {moved}"
    inside, mix, both = (
        words.signed(it, float(part) * scale, currency) for part in (term.within, term.mix, term.interaction)
    )
    rest = "" if _is_nothing(both) else f", both at once {both}"
    return f"{segment} {moved} (itself {inside}, its size {mix}{rest})"


def _is_nothing(told: str) -> bool:
    """Whether a difference with its sign is told as none; any other begins with the sign."""
    return told.startswith("0")


def _segment(dimension: str, name: str) -> str:
    if dimension in ("first_code", "code"):
        code = next((code for code in declines.CODES if code.code == name), None)
        return "no decline" if name in ("none", "") else f"declines {name}" + (f" ({code.meaning})" if code else "")
    return f"{dimension} {name}"


def _month(month: str) -> str:
    return f"{calendar.month_abbr[int(month[-2:])]} {month[:4]}"


def _slices(results: Sequence[Result], by: tuple[str, ...], width: int) -> Iterator[RenderableType]:
    """One row per slice, one column per metric, as many as fit, core first."""
    sliced = [result for result in results if result.slices]
    keys = _largest(sliced)
    if not keys:
        return
    first = sum(max(len(name), *(len(key[i]) for key in keys)) + 2 for i, name in enumerate(by))
    fitting = sliced[: max(1, (width - first) // (_METRIC_WIDTH + 2))]
    table = Fitted(names=len(by))
    for name in by:
        table.add_whole(name, right=False)
    for result in fitting:
        table.add_words(_heading(result.id), right=True, least=_METRIC_WIDTH, most=_METRIC_WIDTH)
    cells = {result.id: {tuple(part.dims.values()): part for part in result.slices} for result in fitting}
    for key in keys:
        table.add_row(*map(Text, key), *(_cell(result, cells[result.id].get(key)) for result in fitting))
    yield table
    rows = len({tuple(part.dims.values()) for result in sliced for part in result.slices})
    left = [f"{rows - len(keys)} of {rows} slices"] if rows > len(keys) else []
    left += [f"{len(results) - len(fitting)} of {len(results)} metrics"] if len(results) > len(fitting) else []
    if left:
        yield Text(f"Left out here: {' and '.join(left)}; JSON and CSV hold them all.", style="dim")


def _largest(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """The slices to show, sorted: those with most units in the first metric that has any."""
    size: dict[tuple[str, ...], int] = {}
    for result in results:
        for part in result.slices:
            size.setdefault(tuple(part.dims.values()), part.denominator + part.immature)
    kept = sorted(size, key=lambda key: (-size[key], key))[:ROWS_MAX]
    return sorted(kept)


def _heading(metric: str) -> str:
    """A long id in lines that break between words."""
    lines = [""]
    for word in metric.replace("_", "_ ").replace("@", " @").split():
        if lines[-1] and len(lines[-1]) + len(word) > _METRIC_WIDTH:
            lines.append("")
        lines[-1] += word
    return "\n".join(lines)


def _cell(result: Result, part: Slice | None) -> Text:
    if part is None:
        return Text("–", style="dim")
    shown = words.value(result.definition, part)
    return Text(f"~{shown}" if part.partial and part.value is not None else shown, style="dim" if part.partial else "")


def _legend(views: Views) -> Iterator[RenderableType]:
    signs = (
        "↑ ↓ which way is better. ~ not over yet. ! beyond its bound. ± how far the 95 % interval reaches; - and + "
        "where its sides differ, or the longer one. Change: the last whole month in which all is settled against the "
        "one before; coloured when beyond noise."
    )
    yield Text(
        f"As of {views.frame.as_of:%Y-%m-%d %H:%M} UTC. Money is in {views.frame.currency}. {signs}", style="dim"
    )
