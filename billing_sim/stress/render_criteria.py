"""The criteria of definitions on a terminal: one definition line by line, several as a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from billing_sim.metrics.definition import Definition
from billing_sim.stress.criteria import Criteria
from billing_sim.stress.scale import scale_of
from billing_sim.stress.statistics import mean_of
from billing_sim.truth.estimands import estimands

if TYPE_CHECKING:
    from billing_sim.stress.study import Study

_NONE = "–"


def criteria_shown(it: Study) -> Iterator[RenderableType]:
    """The criteria of every definition of a study that has some."""
    known = [each for each in it.matrix.definitions if each.id in it.criteria]
    yield Text("\nCriteria, over all cases", style="bold")
    if len(known) == 1:
        yield from _alone(it, known[0])
    elif known:
        yield from _table(it, known)


def _alone(study: Study, definition: Definition) -> Iterator[RenderableType]:
    rows = _rows(study, definition, study.criteria[definition.id])
    room = max(len(name) for name, _, _ in rows)
    width = max(len(value) for _, value, _ in rows)
    for name, value, meaning in rows:
        yield Text.assemble(f"  {name:<{room}}  {value:>{width}}  ", (meaning, "dim"))


def _rows(study: Study, definition: Definition, it: Criteria) -> list[tuple[str, str, str]]:
    neighbour = f"to {it.neighbour}" if it.neighbour else "no neighbour was tried"
    claimed = estimands()[definition.estimand].unit
    mix = "no case that shifts the mix was tried" if it.mix_exposure is None else "of its level, beyond the truth"
    moving, still = _counts(study, definition)
    return [
        ("bias", _amount(definition.unit, it.bias), "complete reading less truth, no case"),
        ("censoring bias", _amount(definition.unit, it.censoring_bias), "reading less complete reading"),
        ("noise", _plain(definition.unit, it.noise), "one world's reading, by luck"),
        ("matured", _days(it.matured_after), "after the end it says what it will say"),
        ("detection lag", _days(_whole(it.detection_lag)), _of_lag(study, definition)),
        ("sensitivity", _number(it.sensitivity), "median |change| / noise where truth moves"),
        ("smallest shock", _plain(claimed, it.smallest_shock), "seen in one world, 80 % power"),
        ("directionality", _of(it.directionality, moving), "cases that move the truth, moved the same way"),
        ("false alarms", _of(it.false_alarms, still), "cases that do not, moved all the same"),
        ("mix exposure", _share(it.mix_exposure), mix),
        ("elasticity", _share(it.elasticity), neighbour),
        ("worst market", *_worst_market(study, definition, it)),
    ]


def _of_lag(study: Study, definition: Definition) -> str:
    """What the detection lag is, or why there is none."""
    about = "median after the oracle's alarm"
    if study.alarms is None:
        return f"{about}; --alarms tells"
    if not any(name == definition.id for name, _ in study.alarms.lags):
        return "no dated case holds"
    return about if study.criteria[definition.id].detection_lag is not None else "the oracle raises no alarm"


def _worst_market(study: Study, definition: Definition, it: Criteria) -> tuple[str, str]:
    if len(study.scenario.markets) == 1:
        return _NONE, "there is only one market"
    where = f"error in {it.worst_market}" if it.worst_market else "cannot be split by market"
    return _amount(definition.unit, it.worst_error), where


def _counts(study: Study, definition: Definition) -> tuple[int, int]:
    """In how many cases the truth moves, and in how many it stays; those between are neither."""
    cells = [cell for (name, _), cell in study.matrix.cells.items() if name == definition.id]
    moves = [mean_of(cell.changes.pairs[1]).move(cell.changes.truth_margin) for cell in cells]
    return sum(it in ("up", "down") for it in moves), moves.count("still")


_ROOM = 35
"""For a name beside its five columns; a longer one stands on a line of its own."""


def _table(study: Study, known: Sequence[Definition]) -> Iterator[RenderableType]:
    room = min(max(len(it.id) for it in known), _ROOM)
    head = f"  {'':<{room}} {'right way':>9} {'false':>8} {'matured':>8} {'signal':>7} {'mix':>6}"
    yield Text(head, style="dim")
    for definition in known:
        it = study.criteria[definition.id]
        moving, still = _counts(study, definition)
        if len(definition.id) > room:
            yield Text(f"  {definition.id}")
        name = definition.id if len(definition.id) <= room else ""
        yield Text(
            f"  {name:<{room}} {_of(it.directionality, moving):>9} {_of(it.false_alarms, still):>8} "
            f"{_days(it.matured_after):>8} {_number(it.sensitivity):>7} {_share(it.mix_exposure):>6}"
        )
    yield Text(
        "  Right way: of the cases that move the truth. False: alarms, of the cases that\n"
        "  do not. Matured: days after the end. Signal: |change| / noise. Mix: what it\n"
        "  says beyond the truth when markets shift, share of its level.",
        style="dim",
    )


def _of(share: float | None, cases: int) -> str:
    """A share of cases as a count, so that few cases do not look like many."""
    return _NONE if share is None else f"{round(share * cases)} of {cases}"


def _amount(unit: str, value: float | None) -> str:
    scale = scale_of(unit)
    return _NONE if value is None else f"{scale.number(value, '+')} {scale.words}"


def _plain(unit: str, value: float | None) -> str:
    scale = scale_of(unit)
    return _NONE if value is None else f"{scale.number(value)} {scale.words}"


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{100 * value:.0f} %"


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.1f}"


def _whole(days: float | None) -> int | str | None:
    if days is None:
        return None
    return "never" if math.isinf(days) else round(days)


def _days(value: int | str | None) -> str:
    if value is None:
        return _NONE
    return f"{value} d" if isinstance(value, int) else value
