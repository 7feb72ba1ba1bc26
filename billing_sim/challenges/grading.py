"""Marking a file of answers against the key of a pack."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from billing_sim.challenges.key import Key, read_key, usual_place
from billing_sim.challenges.questions import MONEY, QUESTIONS, Question
from billing_sim.challenges.reading import Answer, read_answers
from billing_sim.challenges.scoring import Points, points_for
from billing_sim.challenges.sheet import read_currency, read_seal
from billing_sim.errors import RunError
from billing_sim.given import with_checked_arguments
from billing_sim.runs.manifest import read_manifest
from billing_sim.runs.stored import StoredRun

WIDTH = 80


@dataclass(frozen=True)
class Mark:
    """One question with the answer that was given (or none), the truth and the points."""

    question: Question
    answer: Answer | None
    truth: float | str
    points: Points

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        given, marked = self.answer, self.points
        return {
            "id": self.question.id, "unit": self.question.unit, "answer": given and given.value,
            "interval": list(given.interval) if given and given.interval else None, "truth": self.truth,
            "error": marked.error, "interval_score": marked.interval_score, "interval_holds": marked.holds,
            "points": marked.points, "mistake": self.question.mistake,
        }  # fmt: skip

    def lines(self, currency: str) -> Iterator[str]:
        """Question and points, then answer, truth, error, interval and the usual mistake, as they are printed."""
        given, marked, asked = self.answer, self.points, self.question
        yield f"{asked.id:<{WIDTH - 12}}{marked.points:>5.2f} points"
        said = _shown(asked, given.value, currency) if given else "none"
        error = "" if marked.error is None else f", error {_error(asked, marked.error, currency)}"
        yield from _wrapped(f"answer {said}, truth {_shown(asked, self.truth, currency)}{error}")
        if given and given.interval:
            low, high = (_shown(asked, end, currency) for end in given.interval)
            yield from _wrapped(f"90 % interval {low} to {high}: {'holds' if marked.holds else 'misses'} the truth")
        yield from _wrapped(f"The usual mistake: {asked.mistake}")


def _shown(asked: Question, value: float | str, currency: str) -> str:
    """An answer or a truth with its unit."""
    if isinstance(value, str):
        return value
    return f"{value:,.0f} {currency}".rstrip() if asked.unit == MONEY else f"{100 * value:.1f} %"


def _error(asked: Question, error: float, currency: str) -> str:
    """A distance with its sign; of shares in percentage points."""
    return f"{error:+,.0f} {currency}".rstrip() if asked.unit == MONEY else f"{100 * error:+.1f} pp"


def _wrapped(words: str) -> list[str]:
    return textwrap.wrap(words, WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


@dataclass(frozen=True)
class Grade:
    """The marks of a file of answers; `currency` is that of money."""

    marks: tuple[Mark, ...]
    currency: str = ""

    @property
    def points(self) -> float:
        """The points over all questions."""
        return sum(mark.points.points for mark in self.marks)

    @property
    def score(self) -> float:
        """The points of 100."""
        return 100 * self.points / len(self.marks)

    def __getitem__(self, question: str) -> Mark:
        """The mark of a question, by its name."""
        return next(mark for mark in self.marks if mark.question.id == question)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        marks = [mark.to_json() for mark in self.marks]
        return {
            "score": self.score, "points": self.points, "of": len(self.marks), "currency": self.currency,
            "questions": marks,
        }  # fmt: skip

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _lines(self) -> Iterator[str]:
        for mark in self.marks:
            yield from mark.lines(self.currency)
        yield ""
        yield f"{self.points:.2f} of {len(self.marks)} points: {self.score:.0f} of 100"


@with_checked_arguments
def grade(pack: str | Path, answers: str | Path, *, key: str | Path | None = None) -> Grade:
    """Mark a file of answers (YAML or JSON) about a pack; the key lies beside the pack unless `key` names it.

    RunError when the folder is no pack, a file of it is missing or changed, or the key is not its own; InputError for a
    file of answers with mistakes.
    """
    folder = Path(pack)
    place = usual_place(folder) if key is None else Path(key)
    seal = read_seal(folder)
    told = read_key(place)
    manifest = read_manifest(folder)
    if told.seal != seal or told.pack != manifest.result.content_digest:
        raise RunError(
            f"{place} is not the key that {folder} was sealed with: one of them belongs to another pack or was changed."
        )
    if damage := StoredRun(folder, manifest).verify():
        raise RunError("\n".join([f"{folder} is not as it was handed out: get the pack anew.", *damage]))
    asked = questions_of(told)
    given = read_answers(Path(answers), asked)
    marks = (_mark(question, given.get(name), told.answers[name]) for name, question in asked.items())
    return Grade(tuple(marks), read_currency(folder))


def questions_of(key: Key) -> dict[str, Question]:
    """What a pack asks, by name; the key knows, so that nobody gains by changing the pack."""
    asked = (it for it in QUESTIONS if it.id in key.answers)
    return {it.id: it.with_options(tuple(key.options.get(it.id, ()))) for it in asked}


def _mark(question: Question, answer: Answer | None, truth: float | str) -> Mark:
    return Mark(question, answer, truth, points_for(question, answer, truth))
