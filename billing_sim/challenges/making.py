"""Making a pack: a scenario made different, simulated, its true answers locked away, and the rest handed out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from billing_sim.challenges.key import Key, new_salt, usual_place
from billing_sim.challenges.other_worlds import money_answers
from billing_sim.challenges.pack import COMMAND, new_folder, withhold
from billing_sim.challenges.questions import QUESTIONS, Question
from billing_sim.challenges.sheet import write_sheet
from billing_sim.challenges.truths import true_answers
from billing_sim.challenges.variations import varied
from billing_sim.errors import QueryError, RunError
from billing_sim.given import with_checked_arguments
from billing_sim.scenario.emit import emit
from billing_sim.scenario.layers import read_chain
from billing_sim.scenario.loading import load
from billing_sim.scenario.nodes import spoken
from billing_sim.scenario.reader import read_bytes
from billing_sim.simulate import Report, simulate

SERVICE = Path(__file__).parent / "service.yaml"
"""The scenario of a pack when no other is named."""

LONGEST_GUESS = 1 << 40
"""A seed below this can be found by trying, with patience."""

FEWEST_MEMBERS = 300
"""With fewer, some question of nearly every pack would have no answer."""

_UNTOLD = ("goals", "best", "about")
"""What a scenario says for people and is not needed to live."""


@dataclass(frozen=True)
class Challenge:
    """A pack that has been made: its folder, its key, its questions, and whether its seed could be guessed."""

    folder: Path
    key: Path
    questions: tuple[str, ...]
    members: int
    is_guessable: bool

    def to_json(self) -> dict[str, Any]:
        """The same as plain values; nothing of the truth."""
        return {
            "pack": str(self.folder),
            "key": str(self.key),
            "questions": list(self.questions),
            "members": self.members,
        }

    def __str__(self) -> str:
        lines = [
            f"{self.folder}: {self.members:,} members, {len(self.questions)} questions (QUESTIONS.md)",
            f"{self.key}: the key; keep it to yourself, and hand out the folder alone",
        ]
        if self.is_guessable:
            lines.append("The seed is short: whoever tries seeds finds it. Without --seed it is random.")
        return "\n".join(lines)

    __repr__ = __str__


@with_checked_arguments
def new_challenge(
    scenario: str | Path | None = None,
    *,
    out: str | Path,
    key: str | Path | None = None,
    seed: int | None = None,
    members: int | None = None,
    progress: Report | None = None,
) -> Challenge:
    """Write a run with its truth withheld into the new folder `out`, and its key beside it or to `key`.

    Without a `scenario` a small service is simulated; either is made different by incidents and another sort of people.
    `seed` names the pack (random by default), `members` replaces those of the scenario.

    InputError for a scenario that cannot run, QueryError for a seed out of range or too few members, RunError for a
    folder or key that must not be touched.
    """
    _check_members(load(Path(scenario or SERVICE), members=members).scenario.members)
    luck = int.from_bytes(os.urandom(8), "big") >> 2 if seed is None else seed
    if not 0 <= luck < 1 << 62:
        raise QueryError(f"{luck} is no seed: use a whole number from 0 to {(1 << 62) - 1}.")
    folder = Path(out)
    place = usual_place(folder) if key is None else Path(key)
    _check_place(place, folder)
    with new_folder(folder) as aside, TemporaryDirectory(prefix="billing_sim-challenge-") as hidden:
        told = _fill(aside, Path(hidden), Path(scenario or SERVICE), luck, members, progress)
        told.write(place)
    asked = tuple(it.id for it in QUESTIONS if it.id in told.answers)
    return Challenge(folder, place, asked, told.members, luck < LONGEST_GUESS)


def _check_members(members: int) -> None:
    if members < FEWEST_MEMBERS:
        raise QueryError(
            f"With {members:,} member{'' if members == 1 else 's'} hardly anybody fails to pay, and questions stay "
            f"without an answer: use {FEWEST_MEMBERS} at least."
        )


def _check_place(place: Path, folder: Path) -> None:
    if place.exists():
        raise RunError(f"{place} is there already, and an older pack may need it: name another file with --key.")
    if place.resolve().is_relative_to(folder.resolve()):
        raise RunError(f"{place} lies within the pack, where everybody would find it: name another place with --key.")
    if not place.parent.is_dir() and place.resolve().parent != folder.resolve().parent:
        raise RunError(
            f"{place.parent}, where the key should lie, is no folder: create it, or name another with --key."
        )


def _fill(aside: Path, hidden: Path, path: Path, seed: int, members: int | None, progress: Report | None) -> Key:
    """Simulate in a hidden folder, write what may be known to `aside`, and return the rest."""
    file = hidden / "scenario.yaml"
    file.write_text(emit(_different(path, seed)), encoding="utf-8")
    run = simulate(
        file, seed=seed, members=members, out=hidden / "run", log="all", progress=progress, command=COMMAND
    ).run
    scenario = load(file, members=members, seed=seed).scenario
    money, incidents = money_answers(scenario)
    answers = {**true_answers(run), **money}
    questions = [_as_asked(it, incidents) for it in QUESTIONS if it.id in answers]
    options = {it.id: list(it.options) for it in questions if it.options}
    digest = withhold(run, aside)
    key = Key(digest, seed, scenario.members, file.read_text(encoding="utf-8"), options, answers, new_salt())
    write_sheet(aside, questions, scenario.reporting_currency, key.seal)
    return key


def _different(path: Path, seed: int) -> dict[str, Any]:
    tree: Any = spoken(read_chain(path, read_bytes(path)))
    kept = {name: value for name, value in tree.items() if name not in _UNTOLD}
    return varied(kept, load(path).scenario, seed)


def _as_asked(question: Question, incidents: tuple[str, ...]) -> Question:
    return question.with_options(tuple(sorted(incidents))) if question.id == "costliest_incident" else question
