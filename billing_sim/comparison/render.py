"""A comparison on a terminal: who is compared, metric by metric, whose outcome flips, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from billing_sim.comparison.differences import Difference
from billing_sim.comparison.flips import ABSENT, Flips
from billing_sim.comparison.sides import Pair, Side
from billing_sim.comparison.why import PARTS, Why
from billing_sim.giving_way import NEVER
from billing_sim.metrics import words
from billing_sim.metrics.decomposition import Term
from billing_sim.metrics.definition import VIEWS, Definition
from billing_sim.metrics.fitted import Fitted
from billing_sim.metrics.result import Figure, Slice

if TYPE_CHECKING:
    from billing_sim.comparison.comparing import Comparison

WIDTH = 80
ROOMY_FROM = 100
"""From this width on no name is broken."""

NAME_WIDTH = 22
ROWS_MAX = 24
"""Segments or parts shown of one metric; the others are named by number."""

_ARROWS = {"up": "↑", "down": "↓", "neither": " "}
_STYLES = {"better": "green", "worse": "red", "other": "yellow", "same": "dim", "": "dim"}
_WORDS = {"other": "differs", "same": ""}
_VERDICT = "verdict"
"""What a column without a heading is called where it is left out."""

_TURNS = {"A": 4, "B": 4, "B - A": NEVER, "± 95 %": 2, _VERDICT: 3, "saved": 1}
_PART_TURNS = {"within": 4, "mix": 3, "interaction": 2, "total": NEVER}
"""In which turn the columns give way to a narrow terminal."""


def comparison_shown(it: Comparison, width: int = WIDTH) -> RenderableType:
    """Heading, a table for each view, and a legend."""
    most = NAME_WIDTH if width < ROOMY_FROM else width
    shown: list[RenderableType] = [heading(it.pair)]
    for view in VIEWS:
        of_view = [each for each in it.differences if each.definition.view == view]
        if of_view:
            shown += [Text(), Text(view.upper(), style="bold cyan"), _differences(it.pair, of_view, most)]
    return Group(*shown, Text(), legend(it))


def heading(pair: Pair) -> Text:
    """Who is compared, and whether the people are the same."""
    shown = Text()
    sides = (pair.before, pair.after)
    for letter, side in zip("AB", sides, strict=True):
        shown.append_text(Text.assemble((letter, "bold"), f"  {_side(side)}\n"))
    if pair.is_one_run:
        return shown.append("The same run in two months: who is in both counts in both.", style="dim")
    if pair.strangers:
        shown.append(f"Not the same people: {pair.strangers}. ", style="yellow")
        return shown.append("Errors are those of two independent samples.", style="dim")
    shown.append("The same people with the same luck: errors are those of the paired difference.", style="dim")
    for note in pair.notes:
        shown.append(f"\n{note}", style="yellow")
    return shown


def _side(side: Side) -> str:
    it = side.identity
    if side.month:
        return f"{side.month} of {side.place}"
    return f"{side.place}  ({it.scenario}, {it.members:,} members, seed {it.seed}, {it.start} to {it.end})"


def _grid(name: str, **numbers: int) -> Fitted:
    """A table whose first column is text and whose others are numbers, each with its turn to give way."""
    table = Fitted()
    table.add_words(name, least=NAME_WIDTH)
    for heading, turn in numbers.items():
        table.add_whole("" if heading == _VERDICT else heading, called=heading, gives_way=turn)
    return table


def _differences(pair: Pair, found: list[Difference], most: int) -> Fitted:
    table = _grid(
        "metric", **(_TURNS if pair.is_paired else {name: _TURNS[name] for name in _TURNS if name != "saved"})
    )
    for metric in dict.fromkeys(it.definition.id for it in found):
        own = [it for it in found if it.definition.id == metric]
        for it in own[: ROWS_MAX + 1]:
            table.add_row(*_row(it, most))
        if len(own) > ROWS_MAX + 1:
            table.add_row(Text(f"  and {len(own) - ROWS_MAX - 1} more parts; JSON and CSV hold them", style="dim"))
    return table


def _row(it: Difference, most: int) -> list[Text]:
    d, style = it.definition, _STYLES[it.verdict]
    return [
        _name(it, most), _value(d, it.before), _value(d, it.after), Text(words.signed(d, it.value), style=style),
        Text(words.half(d, it.half, it.value), style="dim"),
        Text(_WORDS.get(it.verdict, it.verdict), style=style),
        *([Text("" if it.saved is None else f"{100 * it.saved:.0f} %", style="dim")] if it.is_paired else []),
    ]  # fmt: skip


def _name(it: Difference, most: int) -> Text:
    if it.dims:
        return Text("  " + ", ".join(it.dims.values()))
    shown = Text.assemble(_broken(it.definition.id, most), (f" {_ARROWS[it.definition.direction]}", "dim"))
    if it.value is None and it.reason:
        shown.append(f"\n  ({it.reason})", style="dim")
    return shown


def _broken(name: str, most: int) -> str:
    """A long name on lines that end between words, the later ones indented."""
    lines = [""]
    for word in re.findall("[@_]?[^@_]+", name):
        if lines[-1] and len(lines[-1]) + len(word) > most:
            lines.append("  ")
        lines[-1] += word
    return "\n".join(lines)


def _value(it: Definition, figure: Figure) -> Text:
    if figure.value is None:
        return Text("–", style="yellow")
    unsettled = isinstance(figure, Slice) and figure.partial
    return Text(f"{'~' if unsettled else ''}{words.value(it, figure)}")


def legend(it: Comparison) -> Text:
    """What the columns mean."""
    what = (
        f"↑ ↓ which way is better. B - A with its 95 % interval; better or worse where it "
        f"leaves out 0. ~ not all settled yet. Money is in {it.pair.before.frame.currency}."
    )
    if it.is_paired:
        what += (
            " Saved: the share of the variance that comparing the same people saves, 1 - var(B - A) / (var(A) + "
            "var(B)); at 90 % other people would have to be ten times as many for the same interval."
        )
    return Text(what, style="dim")


def flips_shown(found: Flips) -> RenderableType:
    """Counts of every pair of outcomes that differ, with subscribers to look at."""
    shown: list[RenderableType] = []
    for unit in ABSENT:
        flips = found.of(unit)
        title = f"{unit.capitalize()} with another outcome: {found.count(unit):,}; the same: {found.same(unit):,}"
        shown += [Text(title, style="bold")]
        if flips:
            table = _grid("in A → in B", count=NEVER)
            table.add_words("such as", gives_way=1)
            for it in flips:
                table.add_row(f"{it.before} → {it.after}", f"{it.count:,}", ", ".join(it.examples))
            shown.append(table)
        shown.append(Text())
    return Group(*shown[:-1])


def trace_lines(found: Flips, pair: Pair) -> Iterator[str]:
    """The commands that tell the story of the first subscriber of the largest flip, on both sides."""
    for it in (*found.of("subscribers"), *found.of("invoices")):
        if it.examples and "never" not in it.before + it.after:
            yield from (f"billing-sim trace {side.place} {it.examples[0]}" for side in (pair.before, pair.after))
            return


def why_shown(it: Why) -> RenderableType:
    """The segments that moved most, and the sum of all, which is the difference with nothing left over."""
    d, terms = it.definition, it.largest_first
    parts = PARTS if d.denominator else ("total",)
    table = _grid(it.terms.dimension, **{"share in A": 1}, **{part: _PART_TURNS[part] for part in parts})
    for term in terms[:ROWS_MAX]:
        moved = [words.signed(d, it.in_unit(getattr(term, part))) for part in parts]
        table.add_row(term.segment, f"{100 * float(term.share):.1f} %", *moved)
    rest = terms[ROWS_MAX:]
    if rest:
        table.add_row(f"{len(rest)} others", "", *_sums(it, parts, rest))
    table.add_section()
    table.add_row("all", "", *_sums(it, parts, terms))
    title = f"Why {d.id} differs by {words.signed(d, it.in_unit(it.terms.change))}, by {it.terms.dimension}"
    return Group(Text(title, style="bold"), table, Text(), Text(_why_legend(it), style="dim"))


def _sums(it: Why, parts: Iterable[str], terms: Sequence[Term]) -> list[str]:
    sums = [sum((getattr(term, part) for term in terms), Fraction(0)) for part in parts]
    return [words.signed(it.definition, it.in_unit(moved)) for moved in sums]


def _why_legend(it: Why) -> str:
    exactly = "The terms add up to B - A exactly."
    if not it.definition.denominator:
        return exactly
    return (
        "Within: the segment itself got better or worse. Mix: it weighs more or less, being better or worse than the "
        f"rest. Interaction: both at once. {exactly}"
    )
