"""The metrics to take for each question, found by exact search, with the proof for each case.

A *question* is an estimand that a canonical core metric claims, not as a proxy. A case asks it where that truth moves,
and a member *catches* it there that claims the estimand and holds. A member with an adverse verdict *misleads*. It is
*answered* by a member of the same estimand that holds there: both claim to say the same, and the certificate names the
one to believe. Where the log is damaged and the world is as it was it is also answered by a *guard*, a member about
the log itself that moves there as it should: it says that the log is not to be trusted.

For each question the set is taken that catches whatever one of the definitions catches, and costs least: members that
mislead unanswered where the world changes; then variants, proxies and tiers; then lies that nothing but a damaged log
makes them tell, which a guard should answer and no lesser metric; then members. A case in which a sound
guard moves counts as guarded meanwhile; the guards that are needed then are searched for last, in the same way.
An unresolved verdict neither catches, answers nor misleads; no variant has to enter for what its canonical metric
leaves unresolved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from billing_sim.metrics.definition import TIERS, Definition
from billing_sim.stress.lab import Matrix
from billing_sim.stress.set_search import Candidate, best_set, bits, sound, unanswered, union
from billing_sim.stress.statistics import Move
from billing_sim.stress.verdicts import Verdict
from billing_sim.truth.estimands import estimands

Key = tuple[str, str]
"""A definition's id and a case's name."""

Pairs = dict[str, tuple[str, ...]]
"""Estimands by the name of the case in which their truth moves."""


@dataclass(frozen=True)
class Answered:
    """A member that misleads in a case, its verdict there, and the members that put it right, if any do."""

    member: str
    case: str
    verdict: str
    by: tuple[str, ...]
    changes_world: bool


@dataclass(frozen=True)
class Loss:
    """What fails without a member: cases in which nobody catches its estimand, and (member, case) left unanswered."""

    cases: tuple[str, ...]
    unanswered: tuple[Key, ...]


@dataclass(frozen=True)
class Recommended:
    """The set with its certificate: who measures what, who catches each case, who answers whom, and what is left.

    `questions` holds the members that measure each estimand, `guards` those about the log that answer others; `asks`
    and `catchers` by case the questions whose truth moves there and who catches them. `drops` is what fails without
    each member, `uncaught` what moves where no definition shows it, `unresolved` what more seeds may decide: whether it
    moves, or whether anybody shows it; `twins` which other definitions read the same as a member in every case.
    """

    members: tuple[str, ...]
    questions: dict[str, tuple[str, ...]]
    guards: tuple[str, ...]
    asks: Pairs
    catchers: dict[str, tuple[str, ...]]
    answers: tuple[Answered, ...]
    drops: dict[str, Loss]
    uncaught: Pairs
    unresolved: Pairs
    twins: dict[str, tuple[str, ...]]

    @property
    def unanswered(self) -> tuple[Answered, ...]:
        """Who misleads where nobody puts it right."""
        return tuple(it for it in self.answers if not it.by)

    @property
    def failing(self) -> frozenset[str]:
        """Cases in which something that moves is not caught, or the world changes and a member misleads unanswered."""
        left = {case for case, names in self.unresolved.items() if set(names) & set(self.asks.get(case, ()))}
        return frozenset({*self.uncaught, *left, *(it.case for it in self.unanswered if it.changes_world)})

    @property
    def survives_every_case(self) -> bool:
        """Whether there are members, no case is failing, and nobody misleads unanswered."""
        return bool(self.members) and not self.failing and not self.unanswered

    @property
    def misled(self) -> frozenset[str]:
        """Cases in which all that moves is caught, and a member misleads unanswered all the same."""
        return frozenset(it.case for it in self.unanswered) - self.failing

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "members": list(self.members),
            "survives_every_case": self.survives_every_case,
            "questions": _lists(self.questions),
            "guards": list(self.guards),
            "asks": _lists(self.asks),
            "caught_by": _lists(self.catchers),
            "answered": [{**vars(it), "by": list(it.by)} for it in self.answers if it.by],
            "unanswered": [{"member": it.member, "case": it.case, "verdict": it.verdict} for it in self.unanswered],
            "without": {
                name: {"uncaught": list(it.cases), "unanswered": [list(key) for key in it.unanswered]}
                for name, it in self.drops.items()
            },
            "uncaught": _lists(self.uncaught),
            "unresolved": _lists(self.unresolved),
            "twins": _lists(self.twins),
        }


def _lists(found: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {key: list(values) for key, values in found.items()}


def recommended(matrix: Matrix, verdicts: Mapping[Key, Verdict]) -> Recommended:
    """The set to take among the definitions of a matrix, judged by these verdicts."""
    found = _Tried(matrix, verdicts)
    measuring, guards = _chosen(found)
    members = sorted([*measuring, *guards], key=lambda it: it.order)
    own = {name: [it for it in members if it.estimand == name] for name in found.asking}
    missed = {name: mask & ~union(it.catches for it in own[name]) for name, mask in found.asking.items()}
    open_still = {name: mask & found.unresolved(name) for name, mask in missed.items()}
    undecided = {name: mask | found.undecided[name] for name, mask in open_still.items()}
    return Recommended(
        tuple(it.id for it in members),
        {name: tuple(it.id for it in some) for name, some in own.items()},
        tuple(it.id for it in guards),
        found.by_case(found.asking),
        found.by_case({it.id: it.catches & found.asking.get(it.estimand, 0) for it in members}),
        tuple(_answers(members, found)),
        {it.id: _without(it, members, found) for it in members},
        found.by_case({name: mask & ~open_still[name] for name, mask in missed.items()}),
        found.by_case(undecided),
        {it.id: same for it in members if (same := found.twins(it.order))},
    )


def _chosen(found: _Tried) -> tuple[list[Candidate], list[Candidate]]:
    """The members that measure, those about the log first since they guard the others, and those that only guard."""
    about_log = [name for name in found.asking if estimands()[name].worlds == "log"]
    members = [it for name in about_log for it in found.best(name)]
    pool = sound([it for it in found.candidates if it.guards], found.world)
    guarded = union(it.guards for it in [*members, *pool])
    members += [it for name in found.asking if name not in about_log for it in found.best(name, guarded)]
    needed = union(unanswered(it, members) for it in members) & guarded
    willing = [replace(it, catches=it.guards & needed) for it in pool if it not in members]
    taken = {it.id for it in best_set(willing, found.world)}
    return members, [it for it in pool if it.id in taken]


class _Tried:
    """What was tried, as bits: one for each case that fits the scenario."""

    def __init__(self, matrix: Matrix, verdicts: Mapping[Key, Verdict]) -> None:
        self._matrix, self.verdicts = matrix, verdicts
        fitting = [it for it in matrix.cases if it.name not in matrix.misfits]
        self.cases = [it.name for it in fitting]
        self.world = _mask(it.changes_world for it in fitting)
        self._log_only = _mask(it.damages_log and not it.changes_world for it in fitting)
        self.candidates = [self._candidate(order, it) for order, it in enumerate(matrix.definitions)]
        questions = _questions(matrix.definitions)
        self.asking = {name: self._truth_goes(name, "up", "down") for name in questions}
        self.undecided = {name: self._truth_goes(name, "unresolved") for name in questions}

    def best(self, question: str, guarded: int = 0) -> list[Candidate]:
        """The best set for one question; nobody has to enter for what a canonical metric may catch with more seeds."""
        own = [it for it in self.candidates if it.estimand == question]
        metric = {it.id: self._matrix.definitions[it.order].name for it in own}
        beating = union(it.catches & ~(self._unresolved(metric[it.id]) if it.is_variant else 0) for it in own)
        return best_set(own, self.world, guarded, self.asking[question] & beating)

    def unresolved(self, question: str) -> int:
        """The cases in which one of the definitions that claim it is unresolved."""
        return union(self._unresolved(it.id) for it in self.candidates if it.estimand == question)

    def _unresolved(self, name: str) -> int:
        return self._where(name, lambda key: self.verdicts[key].name == "unresolved")

    def by_case(self, masks: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
        """For each case those whose bit is set, cases without any left out."""
        named = {case: tuple(key for key, mask in masks.items() if mask >> c & 1) for c, case in enumerate(self.cases)}
        return {case: names for case, names in named.items() if names}

    def twins(self, order: int) -> tuple[str, ...]:
        """Other definitions of the same estimand with the same verdicts and readings in every case."""
        it = self._matrix.definitions[order]
        others = (by for by in self._matrix.definitions if by.id != it.id and by.estimand == it.estimand)
        return tuple(by.id for by in others if all(self._are_same((it.id, c), (by.id, c)) for c in self.cases))

    def _candidate(self, order: int, it: Definition) -> Candidate:
        holds = self._where(it.id, lambda key: self.verdicts[key].name == "holds")
        misleads = self._where(it.id, lambda key: self.verdicts[key].is_adverse)
        moves = self._where(it.id, lambda key: self._ways(key)[1] in ("up", "down"))
        guards = 0
        if estimands()[it.estimand].worlds == "log":
            follows = moves & self._where(it.id, lambda key: len(set(self._ways(key))) == 1)
            guards = self._log_only & (follows & ~misleads if it.proxy else holds & follows)
        tier = TIERS.index(it.tier)
        return Candidate(
            it.id, it.estimand, it.is_variant, it.proxy, tier, order, holds, holds & moves, misleads, guards
        )

    def _where(self, name: str, passes: Callable[[Key], bool]) -> int:
        return _mask((name, case) in self.verdicts and passes((name, case)) for case in self.cases)

    def _ways(self, key: Key) -> tuple[Move, Move]:
        """Which way a metric went and which way its truth."""
        cell = self._matrix.cells[key]
        metric, truth = cell.verdict.metric, cell.verdict.truth
        return metric.move(cell.changes.metric_margin), truth.move(cell.changes.truth_margin)

    def _truth_goes(self, question: str, *ways: Move) -> int:
        """The cases in which a truth goes one of these ways, told by the definition with most seeds."""
        own = [it.id for it in self.candidates if it.estimand == question]
        found = 0
        for c, case in enumerate(self.cases):
            keys = [(name, case) for name in own if (name, case) in self.verdicts]
            most = max(keys, key=lambda key: self._matrix.cells[key].changes.seeds, default=None)
            found |= (most is not None and self._ways(most)[1] in ways) << c
        return found

    def _are_same(self, one: Key, other: Key) -> bool:
        if one not in self.verdicts or other not in self.verdicts:
            return (one in self.verdicts) == (other in self.verdicts)
        return self.verdicts[one].name == self.verdicts[other].name and all(
            np.array_equal(a, b, equal_nan=True) for a, b in zip(self._read(one), self._read(other), strict=True)
        )

    def _read(self, key: Key) -> tuple[np.ndarray, np.ndarray]:
        cell = self._matrix.cells[key]
        return cell.base.reading[key[0]], cell.world.reading[key[0]]


def _mask(flags: Iterable[bool]) -> int:
    return sum(1 << i for i, flag in enumerate(flags) if flag)


def _questions(definitions: Sequence[Definition]) -> list[str]:
    """What canonical core metrics claim; where none is there, whatever is claimed."""
    core = [it for it in definitions if it.tier == "core" and not it.is_variant and not it.proxy]
    return list(dict.fromkeys(it.estimand for it in core or definitions))


def _answers(members: Sequence[Candidate], found: _Tried) -> Iterator[Answered]:
    for it in members:
        for c in bits(it.misleads):
            by = tuple(other.id for other in members if other.answers(it) >> c & 1)
            said = found.verdicts[it.id, found.cases[c]].name
            yield Answered(it.id, found.cases[c], said, by, bool(found.world >> c & 1))


def _without(gone: Candidate, members: Sequence[Candidate], found: _Tried) -> Loss:
    rest = [it for it in members if it is not gone]
    caught = union(it.catches for it in rest if it.estimand == gone.estimand)
    lost = gone.catches & ~caught & found.asking.get(gone.estimand, 0)
    newly = ((it.id, unanswered(it, rest) & ~unanswered(it, members)) for it in rest)
    return Loss(
        tuple(found.cases[c] for c in bits(lost)),
        tuple((name, found.cases[c]) for name, mask in newly for c in bits(mask)),
    )
