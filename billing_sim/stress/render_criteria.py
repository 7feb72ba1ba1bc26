"""The criteria of definitions on a terminal: one definition line by line, several as a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.definition import Definition
from billing_sim.stress.criteria import Criteria
from billing_sim.stress.scale import scale_of
from billing_sim.stress.statistics import mean_of
from billing_sim.truth.estimands import estimands

if TYPE_CHECKING:
    from billing_sim.stress.study import Study

_NONE = "–"
_LARGE = 1000
"""From here on decimals say nothing."""


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
    beside = _no_neighbour(definition) if study.apart else "no neighbour was tried; --criteria tells"
    neighbour = f"to {it.neighbour}" if it.neighbour else beside
    claimed = estimands()[definition.estimand].unit
    mix = "no case that shifts the mix was tried" if it.mix_exposure is None else "of its level, beyond the truth"
    moving, still = _counts(study, definition)
    return [
        ("bias", _amount(study, definition.unit, it.bias), "complete reading less truth, no case"),
        ("censoring bias", _amount(study, definition.unit, it.censoring_bias), "reading less complete reading"),
        ("noise", _plain(study, definition.unit, it.noise), "one world's reading, by luck"),
        ("matured", _days(it.matured_after), "after the end it says what it will say"),
        ("detection lag", _days(_whole(it.detection_lag)), _of_lag(study, definition)),
        ("sensitivity", _number(it.sensitivity), "median |change| / noise where truth moves"),
        ("smallest shock", _plain(study, claimed, it.smallest_shock), "seen in one world, 80 % power"),
        ("directionality", _of(it.directionality, moving), "cases that move the truth, moved the same way"),
        ("false alarms", _of(it.false_alarms, still), "cases that do not, moved all the same"),
        ("mix exposure", _share(it.mix_exposure), mix),
        ("elasticity", _share(it.elasticity), neighbour),
        ("worst market", *_worst_market(study, definition, it)),
        *_regret(study, definition, it),
    ]


def _no_neighbour(definition: Definition) -> str:
    has_some = any(it.name == definition.name and it.id != definition.id for it in shipped())
    return "nothing is read to compare it with" if has_some else "it has no neighbour"


def _regret(study: Study, definition: Definition, it: Criteria) -> Iterator[tuple[str, str, str]]:
    """How much truth is lost by following the metric, and what it would have one do."""
    name, shown = "decision regret", _regretted(study, definition, it)
    chosen, best = it.would_choose or "doing nothing", it.best_action or "doing nothing"
    if not study.apart:
        yield name, shown, "--criteria tells"
    elif it.decision_regret is None:
        yield name, shown, _why_no_regret(study, definition)
    elif chosen == best:
        yield name, shown, f"it rewards {chosen}, which is best"
    elif it.decision_regret <= 0:
        yield name, shown, f"it rewards {chosen}; none is surely better"
    else:
        yield name, shown, f"it rewards {chosen},"
        yield "", "", f"and best is {best}"


def _why_no_regret(study: Study, definition: Definition) -> str:
    if not any(apart.game for apart in study.apart.values()):
        return "no action fits the scenario"
    if estimands()[definition.estimand].direction == "neither":
        return "no direction of what it measures is better"
    return "what it rewards has no known truth"


def _regretted(study: Study, definition: Definition, it: Criteria) -> str:
    claim = estimands()[definition.estimand]
    if claim.relative and it.decision_regret is not None:
        return f"{scale_of(claim.unit, is_relative=True).number(it.decision_regret)} %"
    return _plain(study, claim.unit, it.decision_regret)


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
    unit = estimands()[definition.estimand].unit
    why = "a proxy has no error" if definition.proxy or definition.unit != unit else "cannot be split by market"
    where = f"error in {it.worst_market}" if it.worst_market else why
    return _amount(study, definition.unit, it.worst_error), where


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
    yield from _amounts(study, known)


def _amounts(study: Study, known: Sequence[Definition]) -> Iterator[RenderableType]:
    """The criteria that have units: a definition stands on one line, its numbers on the next."""
    yield Text(f"\n  {'bias':>14} {'smallest':>11} {'lag':>6} {'elastic':>8} {'regret':>10}  worst market", style="dim")
    for definition in known:
        it = study.criteria[definition.id]
        worst = _worst_market(study, definition, it)[0]
        where = f"{it.worst_market} " if it.worst_market and worst != _NONE else ""
        yield Text(f"  {definition.id}")
        yield Text(
            f"  {_amount(study, definition.unit, it.bias):>14} "
            f"{_plain(study, estimands()[definition.estimand].unit, it.smallest_shock):>11} "
            f"{_days(_whole(it.detection_lag)):>6} {_share(it.elasticity):>8} {_regretted(study, definition, it):>10}  "
            f"{where}{worst}"
        )
    lag = "" if study.alarms else " (--alarms tells)"
    yield Text(
        "  Bias: complete reading less truth, no case. Smallest: shock seen in one world.\n"
        f"  Lag: days after the oracle's alarm{lag}. Elastic: how far its\n"
        "  farthest neighbour reads from it. Regret: truth that the best action brings\n"
        "  beyond the one it rewards. Worst market: where it errs most.",
        style="dim",
    )


def _of(share: float | None, cases: int) -> str:
    """A share of cases as a count, so that few cases do not look like many."""
    return _NONE if share is None else f"{round(share * cases)} of {cases}"


def _amount(study: Study, unit: str, value: float | None) -> str:
    return _shown(study, unit, value, "+")


def _plain(study: Study, unit: str, value: float | None) -> str:
    return _shown(study, unit, value)


def _shown(study: Study, unit: str, value: float | None, plus: str = "") -> str:
    """A number with its unit; money in the scenario's currency."""
    scale = scale_of(unit)
    words = {"money": study.scenario.reporting_currency, "per_thousand": "‰"}.get(unit, scale.words)
    if value is None:
        return _NONE
    large = abs(value * scale.factor) >= _LARGE
    return f"{f'{value * scale.factor:{plus},.0f}' if large else scale.number(value, plus)} {words}"


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
