"""A case of the lab: what is injected into a world or into its log, and what is to be learnt from it.

A case is a file of YAML, read, checked and complained about as scenarios are. The shipped ones lie in `cases/`;
anybody's own are files of the same kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import SequenceMatcher
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from billing_sim.errors import InputError, Problem, QueryError
from billing_sim.scenario.complaints import complaints
from billing_sim.scenario.emit import emit
from billing_sim.scenario.layers import FILE_ONLY_KEYS, nearest, suggestion
from billing_sim.scenario.merge import overlay
from billing_sim.scenario.model import Market, Scenario
from billing_sim.scenario.nodes import Entry, Mapping, Node, Sequence, at, entries, items, plain, text
from billing_sim.scenario.parts import Name, Part
from billing_sim.scenario.reader import parse, read_bytes
from billing_sim.scenario.values import Day, Duration
from billing_sim.stress.damages import Damage, labels_of_kind
from billing_sim.stress.span import backwards

HERE = Path(__file__).parent
CASES = HERE / "cases"
BASE = HERE / "base.yaml"
"""The scenario that cases are laid over when no other is named."""

_ALIKE = 8
"""Names told to somebody who names a case that is not there."""

OF_THE_LAB = ("name", "about", "seed", "start", "end", "members", "mission", "goals", "best", "log")
"""Keys of a scenario that a case may not change: both worlds have the same people, luck and span."""

_COLUMNS_OF = {
    "invoices": ("attempts", "declines", "notices"),
    "subscriptions": ("renewals",),
    "signups": ("attempts",),
}


class Injection(Part):
    """What is done to the world and to its log."""

    scenario: dict[str, Any] = Field({}, description="laid over the scenario, as a file that extends it is")
    every_market: dict[str, Any] = Field({}, description="laid over each market of the scenario, before `scenario`")
    log: list[Annotated[Damage, Field(discriminator="kind")]] = Field(
        [], max_length=16, description="what is wrong with the log, one damage after the other"
    )


class CaseFile(Part):
    """A case as its file says it."""

    case: Name = Field(description="names the case; the file is called the same")
    title: str = Field(min_length=1, description="what happens, in a few words")
    pathology: int | None = Field(None, ge=1, le=99, description="its number in the catalogue of pathologies, if any")
    given: dict[str, Any] = Field(
        {},
        description="what both worlds need for the case to be about anything: keys that the scenario lacks, and "
        "interventions of kinds that its timeline lacks",
    )
    inject: Injection = Field(
        Injection(scenario={}, every_market={}, log=[]), description="what is done; nothing, when looking is enough"
    )
    since: Day | None = Field(None, description="the day on which it begins, when that is not the start")
    last: Duration | None = Field(None, description="only units that began so long before the end are looked at")
    reads: str = Field("", description="what it is known to do to which readings")
    moral: str = Field(min_length=1, description="what is to be learnt, in a line")


@dataclass(frozen=True)
class Case:
    """A case that was read and checked; `tree` is its file, in which everything knows its place."""

    name: str
    title: str
    pathology: int | None
    moral: str
    since: date | None
    last: int | None
    """Microseconds before the end in which the units lie that are looked at; None for all."""
    reads: str
    damages: tuple[Damage, ...]
    path: Path
    tree: Mapping = field(repr=False, compare=False)
    digest: str
    """Of all that is injected: what was computed for a case holds until this changes."""

    @property
    def changes_world(self) -> bool:
        """Whether other things happen, or could happen, than in the base."""
        said = [at(self.tree, "inject", key) for key in ("scenario", "every_market")]
        return any(isinstance(node, Mapping) and bool(node.entries or node.removed) for node in said)

    @property
    def given(self) -> tuple[str, ...]:
        """The keys of a scenario that both worlds get where it lacks them."""
        return tuple(entry.key for entry in entries(self.tree, "given"))

    @property
    def gives(self) -> bool:
        """Whether the scenario gets something that it may lack before anything is injected."""
        return bool(self.given)

    @property
    def injects(self) -> bool:
        """Whether anything is done at all, or only looked."""
        return self.changes_world or self.damages_log

    @property
    def damages_log(self) -> bool:
        """Whether readers are told of things that did not happen so."""
        return bool(self.damages)


def load_case(path: str | Path) -> Case:
    """The case in a file; InputError with every problem found in it."""
    path = Path(path)
    source = parse(read_bytes(path), str(path))
    tree = overlay(Mapping({}, source.place), source)
    problems = [*_faults(tree, path)]
    try:
        found = CaseFile.model_validate(plain(tree))
    except ValidationError as error:
        problems += map(_about_damage, complaints(error, tree, CaseFile))
    if problems:
        raise InputError(problems)
    return Case(
        found.case, found.title, found.pathology, found.moral, found.since, found.last, found.reads,
        tuple(found.inject.log), path, tree, _digest(source),
    )  # fmt: skip


@cache
def _shipped() -> tuple[Case, ...]:
    return tuple(sorted(map(load_case, CASES.glob("*.yaml")), key=_order))


def shipped_cases() -> list[Case]:
    """The cases that come with the package, in the order of the catalogue; those without a number last, by name."""
    return list(_shipped())


def find_cases(names: Iterable[str] = (), folders: Iterable[str | Path] = ()) -> list[Case]:
    """The cases of these names; all, when none is named.

    Known are the shipped ones and those in the files `*.yaml` of the folders, which come before a shipped one of the
    same name. A name that ends with .yaml is a file of its own. QueryError for an unknown name, InputError for a
    bad file.
    """
    known = {case.name: case for case in shipped_cases()}
    for folder in map(Path, folders):
        known |= {case.name: case for case in map(load_case, sorted(folder.glob("*.yaml")))}
    wanted = list(dict.fromkeys(names))
    if not wanted:
        return sorted(known.values(), key=_order)
    return [load_case(name) if name.endswith((".yaml", ".yml")) else _known(name, known) for name in wanted]


def _known(name: str, known: dict[str, Case]) -> Case:
    if name not in known:
        raise QueryError(_no_such_case(name, known))
    return known[name]


def _no_such_case(name: str, known: Iterable[str]) -> str:
    """What to say of a case that is not there: the one that was meant, or those most like it first."""
    near = nearest(name, known)
    if near:
        return f"There is no case `{name}`; did you mean `{near}`?"
    alike = sorted(known, key=lambda it: SequenceMatcher(None, name, it).ratio(), reverse=True)
    more = f", and {len(alike) - _ALIKE} more" if len(alike) > _ALIKE else ""
    return f"There is no case `{name}`; there is: {', '.join(alike[:_ALIKE])}{more}."


def _order(case: Case) -> tuple[int, str]:
    return (100 if case.pathology is None else case.pathology, case.name)


def _digest(source: Mapping) -> str:
    """A digest of what is injected and from when on; titles and morals may change."""
    deciding = ("case", "given", "inject", "since", "last")
    told: Any = {key: plain(entry.value) for key, entry in source.entries.items() if key in deciding}
    return sha256(emit(told).encode()).hexdigest()


def _about_damage(problem: Problem) -> Problem:
    what, remedy = problem.what.replace("a kind of intervention", "a kind of damage"), problem.remedy
    return replace(problem, what=what, remedy=remedy.removesuffix(".") if remedy.endswith("?.") else remedy)


def _faults(tree: Mapping, path: Path) -> Iterator[Problem]:
    """What the types do not see: the name of the file, keys of the overlays, columns and labels of damages."""
    named = at(tree, "case")
    if named is not None and isinstance(name := text(named), str) and name != path.stem:
        what = f"case: {name} is not the name of this file, {path.name}."
        yield named.place.problem(what, f"Write {path.stem}, or call the file {name}.yaml.")
    allowed = [key for key in (*Scenario.model_fields, *FILE_ONLY_KEYS) if key not in (*OF_THE_LAB, "extends")]
    for entry in (*entries(tree, "given"), *entries(tree, "inject", "scenario")):
        yield from _bad_key(entry, allowed)
    planned = at(tree, "given", "timeline")
    if planned is not None and not isinstance(planned, Sequence):
        what = "timeline: what is given is not a list."
        yield planned.place.problem(what, "Write it in brackets, as in [a, b], or as lines that begin with a dash.")
    for entry in entries(tree, "inject", "every_market"):
        yield from _bad_key(entry, list(Market.model_fields))
    for node in items(tree, "inject", "log"):
        yield from _misfits(node)


def _bad_key(entry: Entry, allowed: list[str]) -> Iterator[Problem]:
    if entry.key in (*OF_THE_LAB, "extends"):
        what = f"{entry.key} is not for a case to change."
        yield entry.place.problem(what, "Leave it out: both worlds have the same people, luck and span.")
    elif entry.key not in allowed:
        yield entry.place.problem(f"{entry.key} is not a known key here.", suggestion(entry.key, allowed, "Keys here"))


def _misfits(node: Node) -> Iterator[Problem]:
    """What a damage says that does not go together."""
    yield from backwards(node)
    kind = text(node, "kind")
    if kind == "fan_out":
        fact, by = text(node, "fact"), at(node, "by")
        columns = _COLUMNS_OF.get(fact or "", ())
        if columns and by is not None and text(by) not in columns:
            yield by.place.problem(f"by: {fact} do not say how many {text(by)}.", f"Write {' or '.join(columns)}.")
    if kind == "relabelled" and text(node, "column") == "kind":
        for key in ("was", "becomes"):
            label = at(node, key)
            if label is not None and text(label) not in labels_of_kind():
                what = f"{key}: {text(label)} is not a kind of event."
                yield label.place.problem(what, suggestion(text(label) or "", labels_of_kind()))
