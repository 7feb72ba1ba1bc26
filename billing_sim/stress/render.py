"""A study on a terminal: one definition case by case, or several in short with the set to take, and what to do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from billing_sim.metrics import words
from billing_sim.metrics.definition import Definition
from billing_sim.stress.asking import is_own
from billing_sim.stress.cells import Cell
from billing_sim.stress.looks import LOOKS
from billing_sim.stress.render_set import set_shown, wrapped
from billing_sim.stress.study import MANY
from billing_sim.stress.verdicts import Accusation, Name, Verdict

if TYPE_CHECKING:
    from billing_sim.stress.study import Study

WIDTH = 80
GRAVITY: tuple[Accusation, ...] = ("wrong sign", "blind", "false alarm", "exaggerates", "understates", "late", "stale")
"""Accusations, the gravest first: a wrong sign rewards harm, a stale reading is only early. Judgement."""

MEANINGS: dict[Name, str] = {
    "holds": "moves as the truth does, and stays where that stays",
    "wrong sign": "gets better where the truth gets worse, or worse where it gets better",
    "blind": "stays where the truth moves",
    "false alarm": "moves where the truth stays",
    "exaggerates": "moves the right way, more than one and a half times as far",
    "understates": "moves the right way, less than two thirds as far",
    "late": "holds in the end, but tells it too late",
    "stale": "misleads until its data are complete, then holds",
    "unresolved": "these seeds do not tell",
}
_STYLES: dict[Name, str] = {
    "holds": "green", "wrong sign": "bold red", "blind": "magenta", "false alarm": "red", "exaggerates": "yellow",
    "understates": "yellow", "late": "cyan", "stale": "cyan", "unresolved": "dim",
}  # fmt: skip
_SHORT: dict[Name, str] = {
    "holds": "holds", "wrong sign": "wrong", "blind": "blind", "false alarm": "false", "exaggerates": "exagg",
    "understates": "under", "late": "late", "stale": "stale", "unresolved": "?",
}  # fmt: skip
_ORDER: tuple[Name, ...] = ("holds", *GRAVITY, "unresolved")
_ONLY_LOOKED = "Nothing is injected: only looking"
"""Said of a case of one's own, whose maker may have forgotten something."""

_WORST = 3
"""Cases named of a definition among several."""

_NAMED = 8
"""Definitions named that have a wrong sign."""


def study_shown(it: Study, width: int = WIDTH, *, has_page: bool = False) -> RenderableType:
    """What was tried, verdicts, cases that do not fit, what to do, and what the words mean.

    `has_page` where the report card is written as well, so that nobody has to be told of it.
    """
    width = max(width, WIDTH)
    body = _alone(it, width) if len(it.matrix.definitions) == 1 else _several(it, width)
    return Group(*body, *_misfits(it, width), *_what_to_do(it, width, has_page), *_legend(it, width))


def changes_told(cell: Cell, verdict: Verdict, currency: str = "") -> tuple[str, str]:
    """The changes of metric and truth with their units; `% rel.` where it is a share of the metric's own level."""
    definition, value = cell.definition, verdict.metric.value
    claimed = definition.model_copy(update={"unit": cell.estimand.unit})
    own = in_unit(definition, value, currency) if cell.is_absolute else relative(value)
    return own, in_unit(claimed, verdict.truth.value, currency)


def in_unit(definition: Definition, change: float, currency: str) -> str:
    """A change with its sign and unit: +0.12 pp, -350.00 EUR."""
    shown = words.signed(definition, change if math.isfinite(change) else None)
    return f"{shown} {currency}".rstrip() if definition.unit == "money" else shown


def relative(change: float) -> str:
    """A change as a share of the level it starts from."""
    if not math.isfinite(change):
        return "–"
    shown = f"{100 * change:+,.2f}"
    return f"{shown if shown.strip('+-0.,') else '0'} % rel."


def tried(it: Study) -> list[str]:
    """The names of the cases that fit the scenario."""
    return [case.name for case in it.matrix.cases if case.name not in it.matrix.misfits]


def _alone(it: Study, width: int) -> Iterator[RenderableType]:
    """One definition: every case with its verdict and both changes; the moral below what misleads."""
    (definition,) = it.matrix.definitions
    yield Text.assemble((definition.id, "bold"), f"  {definition.title}")
    yield from wrapped(f"{_claim(it)} {_setting(it)}", width, style="dim")
    names = [case.name for case in it.matrix.cases]
    room = max(map(len, ["case", *names]))
    yield Text(f"\n{'case':<{room}} {'verdict':<11} {'metric':>14} {'truth':>14}", style="dim")
    for (_, case), verdict in sorted(it.verdicts.items(), key=lambda pair: _grave(pair[1])):
        cell = it.matrix.cells[definition.id, case]
        metric, truth = changes_told(cell, verdict, it.scenario.reporting_currency)
        yield Text.assemble(
            f"{case:<{room}} ", (f"{verdict.name:<11}", _STYLES[verdict.name]), f" {metric:>14} {truth:>14}"
        )
        yield from wrapped(_remark(cell, verdict), width, "  ", "dim")


def _claim(it: Study) -> str:
    (definition,) = it.matrix.definitions
    cell = next(iter(it.matrix.cells.values()), None)
    if cell is None:
        return f"It claims to measure {definition.estimand}."
    how = "moves with" if definition.proxy else "measures"
    return f"It claims that it {how} {cell.estimand.name}: {cell.estimand.formula}."


def _setting(it: Study) -> str:
    own, count = it.scenario, len(tried(it))
    cases = f"{count} {'case' if count == 1 else 'cases'}"
    seeds = f"{it.matrix.seeds}" if it.looks == 1 else f"{it.matrix.seeds} to {LOOKS[-1]}"
    given = sum(case.gives and case.name not in it.matrix.misfits for case in it.matrix.cases)
    more = "" if not given else f" In {given} of them both worlds have what they are about, which it may lack."
    return f"Tried in {cases} of {own.name} with {own.members:,} members, {seeds} seeds each.{more}"


def _remark(cell: Cell, verdict: Verdict) -> str:
    only = f"{_ONLY_LOOKED}. " if is_own(cell.case) and not cell.case.injects else ""
    if verdict.is_adverse:
        return f"{only}{cell.case.moral} ({verdict.reason})" if verdict.reason else f"{only}{cell.case.moral}"
    was = f"perhaps {verdict.was}: " if verdict.was else ""
    return f"{only}{was}{verdict.reason}" if verdict.name == "unresolved" else only.rstrip(". ")


def _grave(verdict: Verdict) -> int:
    """Accusations first, the gravest of them at the top; what holds comes last."""
    order = (*GRAVITY, "unresolved", "holds")
    return order.index(verdict.name)


def _several(it: Study, width: int) -> Iterator[RenderableType]:
    """Several definitions: how often each verdict, and the worst cases by name."""
    yield from wrapped(f"{len(it.matrix.definitions)} definitions. {_setting(it)}", width, style="dim")
    for case in it.matrix.cases:
        if is_own(case) and not case.injects:
            yield from wrapped(f"{case.name}: {_ONLY_LOOKED[:1].lower()}{_ONLY_LOOKED[1:]}.", width, style="dim")
    shown = [name for name in _ORDER if any(v.name == name for v in it.verdicts.values())]
    longest = max(len(name) for name in ("definition", *(each.id for each in it.matrix.definitions)))
    room = min(longest, width - 6 * len(shown))
    yield Text(f"\n{'definition':<{room}}" + "".join(f"{_SHORT[name]:>6}" for name in shown), style="dim")
    for definition in it.matrix.definitions:
        own = {case: verdict for (name, case), verdict in it.verdicts.items() if name == definition.id}
        counts = Counter(verdict.name for verdict in own.values())
        if len(definition.id) > room:
            yield Text(definition.id)
        line = Text(f"{definition.id if len(definition.id) <= room else '':<{room}}")
        for name in shown:
            line.append(f"{counts[name] or '·':>6}", style=_STYLES[name] if counts[name] else "dim")
        yield line
        yield from wrapped(_worst(own), width, "  ", "dim")


def _worst(own: dict[str, Verdict]) -> str:
    """The gravest cases by name."""
    adverse = sorted(((_grave(it), case) for case, it in own.items() if it.is_adverse), key=lambda pair: pair[0])
    named = [f"{case} ({own[case].name})" for _, case in adverse[:_WORST]]
    more = [f"and {len(adverse) - _WORST} more"] if len(adverse) > _WORST else []
    return ", ".join([*named, *more])


def _misfits(it: Study, width: int) -> Iterator[RenderableType]:
    if it.matrix.misfits:
        yield Text("\nCases that do not fit this scenario", style="bold")
        for case, reason in it.matrix.misfits.items():
            yield from wrapped(f"{case}: {reason}", width, "  ")


def _what_to_do(it: Study, width: int, has_page: bool) -> Iterator[RenderableType]:
    yield Text("\nWhat to do", style="bold")
    for line in _advice(it, has_page):
        yield from wrapped(line, width, "  ")
    if len(it.matrix.definitions) > 1:
        yield from set_shown(it.recommended, tried(it), width)


def _advice(it: Study, has_page: bool) -> Iterator[str]:
    """What follows from the verdicts, the gravest first."""
    yield from _of_one(it) if len(it.matrix.definitions) == 1 else _of_several(it)
    unresolved = it.accused(["unresolved"])
    empty = sum(it.verdicts[key].has_gaps for key in unresolved)
    if len(unresolved) > empty:
        yield f"{len(unresolved) - empty} of {len(it.verdicts)} unresolved: {_to_resolve(it)}."
    if empty:
        yield f"{empty} of {len(it.verdicts)} without a value in too many worlds: {_to_fill(it)}."
    if it.verdicts and not unresolved and not it.accused(GRAVITY):
        which = "it holds" if len(it.matrix.definitions) == 1 else "all of them hold"
        yield f"Nothing: {which} in every case that was tried."
    if not has_page:
        yield "`--html FILE` shows every seed of every case."


def _to_resolve(it: Study) -> str:
    """What tells more: more seeds where they can be had, else more members."""
    if it.looks > 1:
        return "more members (--members) may tell"
    few = len(it.matrix.definitions) <= MANY
    most = f"without --seeds up to {LOOKS[-1]} seeds are taken, 20 at first"
    if few and it.matrix.seeds < LOOKS[-1]:
        return most
    return f"for {MANY} definitions or fewer, {most}"


def _to_fill(it: Study) -> str:
    """Seeds do not give a metric units that every world lacks; members do, where these are only rare."""
    whose = "it counts" if len(it.matrix.definitions) == 1 else "they count"
    return f"more seeds will not tell; where what {whose} is rare, more members (--members) may"


def _of_one(it: Study) -> Iterator[str]:
    for name in GRAVITY:
        for deed, cases in _deeds(it, name).items():
            yield f"{name.capitalize()}: {deed} ({', '.join(cases)})."
    if it.accused(GRAVITY):
        yield "Look for a better one: `billing-sim stress` with several definitions names a set that survives."


def _deeds(it: Study, name: Accusation) -> dict[str, list[str]]:
    """What to do about an accusation, with the cases; a wrong sign tells which way."""
    found: dict[str, list[str]] = {}
    for key in it.accused([name]):
        is_good = name == "wrong sign" and it.verdicts[key].truth.value > 0
        found.setdefault(_OF_GOOD if is_good else _DEEDS[name], []).append(key[1])
    return found


def _of_several(it: Study) -> Iterator[str]:
    """Whom nobody may be rewarded for, the worst first."""
    counts = Counter(definition for definition, _ in it.accused(["wrong sign"]))
    named = [f"{name} ({count})" for name, count in counts.most_common(_NAMED)]
    more = [f"and {len(counts) - _NAMED} more"] if len(counts) > _NAMED else []
    if named:
        yield f"Reward nobody for a definition with a wrong sign: {', '.join([*named, *more])}."


_DEEDS: dict[Accusation, str] = {
    "wrong sign": "reward nobody for it; it is bettered by doing harm",
    "blind": "read another metric beside it, which shows this",
    "false alarm": "do not act before something else confirms it",
    "exaggerates": "believe the direction, not the size",
    "understates": "believe the direction, not the size",
    "late": "alarm on something that tells it earlier",
    "stale": "wait until its units are mature before reading it",
}
_OF_GOOD = "reward nobody for it; it is worsened by doing good"


def _legend(it: Study, width: int) -> Iterator[RenderableType]:
    there = {verdict.name for verdict in it.verdicts.values()}
    told = "; ".join(f"{name}: {MEANINGS[name]}" for name in _ORDER if name in there)
    signs = "Changes are turned so that + is better. "
    if len(it.matrix.definitions) == 1:
        signs += "pp: percentage points. % rel.: per cent of the metric's own level. "
    yield Text()
    if told:
        yield from wrapped(f"{signs if len(it.matrix.definitions) == 1 else ''}{told}.", width, style="dim")
