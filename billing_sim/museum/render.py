"""The museum as plain text of at most 80 columns, and as values for JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from billing_sim.metrics.result import Figure
from billing_sim.metrics.words import value
from billing_sim.museum.exhibit import WORLD, Exhibit
from billing_sim.museum.showing import Shown
from billing_sim.text_tables import WIDTH, Remark, TextTable

_HEAD = ("exhibit", "wrong", "off", "right", "off", "truth", "")
_WRONG, _TRUTH, _UNIT = 1, 5, 6


def listed(shown: Sequence[Shown], width: int = WIDTH) -> str:
    """Every exhibit with both readings, the truth, and how far each reading is off it."""
    width = min(width, WIDTH)
    rows = [_row(it) for it in shown]
    table = TextTable("", _HEAD, rows, stay=(_WRONG, _TRUTH, _UNIT), left=(0, _UNIT), indent="")
    legend = "off: the share of the truth by which a reading is off. `billing-sim museum EXHIBIT` tells the story."
    return "\n".join([*table.lines(width), "", *textwrap.wrap(legend, width)])


def _row(it: Shown) -> tuple[str, ...]:
    wrong, right, truth = (_number(it, number) for number in (it.wrong, it.right, it.truth))
    return it.exhibit.name, wrong, _percent(it.error), right, _percent(it.right_error), truth, _unit(it)


def _percent(share: float) -> str:
    """A relative error, with three digits at least."""
    return f"{100 * share:+,.{0 if abs(share) >= 1 else 1}f} %"


def told(it: Shown, width: int = WIDTH) -> str:
    """One exhibit: its story, both queries, what they read, what was so, and how to see it."""
    return "\n\n".join("\n".join(part) for part in _parts(it, min(width, WIDTH)))


def _parts(it: Shown, width: int) -> Iterator[list[str]]:
    story = it.exhibit.story
    yield [it.exhibit.name, *textwrap.wrap(story.title, width)]
    yield textwrap.wrap(story.happened, width)
    if story.nearest:
        yield textwrap.wrap(story.nearest, width)
    yield textwrap.wrap(f"Source: {story.source} ({story.retrieved})", width, break_long_words=False)
    yield textwrap.wrap(story.question, width)
    yield [*_readings(it, width), *Remark(f"Truth: {story.truth_is}.", " " * 7).lines(width)]
    yield ["The wrong query", *_sql(it.exhibit.wrong, width)]
    yield ["The right query", *_sql(it.exhibit.right, width)]
    yield textwrap.wrap(f"Moral: {story.moral}", width)
    yield ["See it yourself", *(line for step in steps(it.exhibit) for line in _typed(step, width))]


def _readings(it: Shown, width: int) -> Iterator[str]:
    """Both readings with their distance from the truth, and the truth."""
    for name, number, error in (("wrong", it.wrong, it.error), ("right", it.right, it.right_error)):
        told = f"{name}  {_number(it, number)} {_unit(it)}, {_percent(error)} off the truth"
        yield from textwrap.wrap(told, width, subsequent_indent="       ")
    yield f"truth  {_number(it, it.truth)} {_unit(it)}"


def _typed(command: str, width: int) -> list[str]:
    """A command as it may be pasted, over several lines where it is long."""
    lines = textwrap.wrap(
        command, width - 2, initial_indent="  ", subsequent_indent="      ", break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    return [*(f"{line} \\" for line in lines[:-1]), lines[-1]]


def _sql(file: Path, width: int) -> list[str]:
    """A query, its long lines broken between words."""
    lines = (line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("--"))
    return [part for line in lines for part in _indented(line, width)]


def _indented(line: str, width: int) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line.strip(), width, initial_indent=indent, subsequent_indent=f"{indent}  ") or [indent]


def _number(it: Shown, number: float) -> str:
    """A reading or the truth without its unit."""
    return value(it.definition, Figure(number, 0, 0, 0)).removesuffix(" %")


def _unit(it: Shown) -> str:
    """What the numbers of an exhibit are in."""
    return {"share": "%", "money": it.currency, "count": it.exhibit.story.counted}[it.unit]


def steps(it: Exhibit) -> list[str]:
    """The commands that give both readings."""
    lines = [f"billing-sim run {_near(WORLD)} --out runs/museum"]
    tables = ""
    if it.story.tables:
        lines.append(f"billing-sim export runs/museum --as {it.story.tables} --to runs/museum_tables")
        tables = " --tables runs/museum_tables"
    lines += [f"billing-sim metrics runs/museum --definitions {_near(file)}{tables}" for file in (it.wrong, it.right)]
    return [*lines, f"billing-sim stress --case {it.story.case}"] if it.story.case else lines


def _near(file: Path) -> str:
    """A file as it is called from here, where it lies below."""
    here = Path.cwd()
    return str(file.relative_to(here)) if file.is_relative_to(here) else str(file)


def as_values(it: Shown) -> dict[str, Any]:
    """An exhibit with its numbers, as plain values."""
    story = it.exhibit.story.model_dump(mode="json", exclude={"truth", "margin", "tolerance"})
    queries = {name: getattr(it.exhibit, name).read_text(encoding="utf-8") for name in ("wrong", "right")}
    numbers = {
        "unit": it.unit,
        "currency": it.currency,
        "wrong": it.wrong,
        "right": it.right,
        "truth": it.truth,
        "error": it.error,
        "right_error": it.right_error,
    }
    return {**story, **numbers, "queries": queries, "steps": steps(it.exhibit)}
