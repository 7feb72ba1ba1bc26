"""What is meant: definitions by id, by the name of a metric or by file, cases by name or folder, verdicts by name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from billing_sim.errors import BillingSimError, InputError, Problem, QueryError
from billing_sim.metrics.catalogue import Catalogue, load, shipped
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.deriving import drafts
from billing_sim.metrics.names import unknown
from billing_sim.scenario.nodes import text
from billing_sim.scenario.reader import decoded, parse, read_bytes
from billing_sim.stress.case import Case, find_cases, shipped_cases
from billing_sim.stress.fitting import apply, faults_of_given
from billing_sim.stress.lab import Bench
from billing_sim.stress.verdicts import ADVERSE, Name
from billing_sim.truth.estimands import estimands

Asked: TypeAlias = str | Path | Definition
FILES = (".yaml", ".yml", ".sql")
"""How the names of files with definitions end."""

_UNSAID = "unnamed"
"""The estimand of a query that does not say what it measures."""

VERDICTS: tuple[Name, ...] = ("holds", *ADVERSE, "unresolved")
"""Every verdict, in the order of the table of rules."""


def definitions_meant(asked: Asked | Iterable[Asked] = ()) -> tuple[Definition, ...]:
    """The definitions that these stand for, each once, in the order asked; all shipped ones when nothing is asked.

    A path that ends with .yaml, .yml or .sql stands for every definition in that file; `metric@variant` for that one;
    the name of a metric for it and all its variants. A file's definition takes the place of a shipped one with its id.
    QueryError with a suggestion for an unknown name, InputError with everything that is wrong in a file.
    """
    wanted: Sequence[Asked] = [asked] if isinstance(asked, str | Path | Definition) else list(asked)
    if not wanted:
        return tuple(shipped())
    files = {str(it): own_metrics(Path(str(it))) for it in wanted if _is_file(it)}
    known = shipped()
    for own in files.values():
        known = known.with_(own)
    found = [each for it in wanted for each in _of(it, files, known)]
    return tuple({it.id: it for it in found}.values())


def own_metrics(path: Path) -> Catalogue:
    """The metrics of a file; InputError with everything that is wrong in it, unknown estimands included."""
    found = load(path)
    wrong = list(_unknown_estimands(path, found))
    if wrong:
        raise InputError(wrong)
    return found


def claiming(definitions: Iterable[Definition]) -> tuple[Definition, ...]:
    """The definitions; QueryError for one that does not say what it measures, or names what nobody knows."""
    found = tuple(definitions)
    for it in found:
        if _is_silent(it):
            raise QueryError(
                f"{it.id} does not say what it measures. A line such as `-- estimand: payment_success` at the top of "
                f"the query says it. There are {', '.join(estimands())}."
            )
        if it.estimand not in estimands():
            raise QueryError(f"{it.id}: {unknown('estimand', it.estimand, estimands())}")
    return found


def _is_silent(it: Definition) -> bool:
    return bool(it.sql) and it.estimand == _UNSAID


def _unknown_estimands(path: Path, found: Catalogue) -> Iterator[Problem]:
    """The estimands in a file that nobody knows, each where it is written."""
    lost = {it.id: it.estimand for it in found if it.estimand not in estimands() and not _is_silent(it)}
    if not lost:
        return
    if path.suffix == ".sql":
        lines = decoded(read_bytes(path), str(path)).splitlines()
        for name in lost.values():
            said = (i for i, told in enumerate(lines, 1) if told.replace(" ", "").startswith("--estimand:"))
            line = next(said, 1)
            yield Problem(str(path), line, 1, unknown("estimand", name, estimands()))
        return
    root = parse(read_bytes(path), str(path))
    for draft in drafts(root, text(root, "view")):
        if draft.id in lost:
            what = unknown("estimand", lost[draft.id], estimands())
            yield draft.place("estimand").problem(what, "Write `estimand:` with one that there is.")


def cases_meant(names: str | Iterable[str] = (), folders: str | Path | Iterable[str | Path] = ()) -> list[Case]:
    """The cases of these names, the shipped ones and those in folders of one's own; all, when none is named.

    QueryError for an unknown name, and for a folder that is not there or holds no case; InputError for a file that is
    none.
    """
    places = [folders] if isinstance(folders, str | Path) else list(folders)
    for folder in map(Path, places):
        if not folder.is_dir():
            raise QueryError(f"there is no folder {folder}.")
        if not any(folder.glob("*.yaml")):
            raise QueryError(f"{folder} holds no cases; name a folder with files such as my_case.yaml.")
    return find_cases([names] if isinstance(names, str) else names, places)


def refuse_misfits(cases: Iterable[Case], on: Bench, *, named: bool = False) -> None:
    """InputError when a case that somebody asked for does not fit the scenario, with every place in its file.

    Asked for are cases of one's own, and all when they were named. Other shipped ones are made for another scenario.
    """
    problems: list[Problem] = []
    for case in cases:
        if named or is_own(case):
            try:
                apply(case, on.content)
                on.under(case)
                on.beneath(case)
            except InputError as error:
                problems += error.problems
            problems += [it for it in faults_of_given(case, on.content) if it not in problems]
    if problems:
        raise InputError(problems)


def is_own(case: Case) -> bool:
    """Whether a case did not come with the package."""
    return all(case.path != it.path for it in shipped_cases())


def in_place_of_shipped(definitions: Iterable[Definition], cases: Iterable[Case]) -> Iterator[str]:
    """A line for each definition and case of one's own that takes the place of a shipped one."""
    known = {it.id: it for it in shipped()}
    for it in definitions:
        if it.id in known and it != known[it.id]:
            yield f"{it.id}: yours takes the place of the shipped metric."
    names = {it.name for it in shipped_cases()}
    for case in cases:
        if case.name in names and is_own(case):
            yield f"{case.name}: {case.path} takes the place of the shipped case."


def check_place(path: Path, what: str) -> None:
    """BillingSimError, before any work, where a file could not be written; folders are never made."""
    why = ""
    if path.is_dir():
        why = "it is a folder"
    elif not path.parent.is_dir():
        why = f"there is no folder {path.parent}"
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        why = "it may not be written" if path.exists() else f"nothing may be written in {path.parent}"
    if why:
        raise BillingSimError(f"cannot write {what} {path}: {why}.")


def verdicts_meant(names: Iterable[str]) -> tuple[Name, ...]:
    """The verdicts of these names; QueryError with a suggestion for one that is none."""
    known = {str(it): it for it in VERDICTS}
    for name in names:
        if name not in known:
            raise QueryError(unknown("verdict", name, known))
    return tuple(known[name] for name in names)


def _is_file(it: Asked) -> bool:
    return isinstance(it, Path) or (isinstance(it, str) and it.endswith(FILES))


def _of(it: Asked, files: dict[str, Catalogue], known: Catalogue) -> Iterable[Definition]:
    if isinstance(it, Definition):
        return (it,)
    if _is_file(it):
        return files[str(it)]
    name = str(it)
    return [known[name]] if "@" in name else ([each for each in known if each.name == name] or [known[name]])
