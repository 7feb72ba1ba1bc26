"""Reading a file of answers; everything that is wrong with it is said at once, each with its line."""

from __future__ import annotations

import difflib
from collections.abc import Mapping as Named
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from billing_sim.challenges.questions import CHOICE, SHARE, Question
from billing_sim.errors import InputError, Problem
from billing_sim.scenario.nodes import Mapping, Node, Scalar, Sequence, at, entries, items
from billing_sim.scenario.reader import parse, read_bytes

_EXAMPLE = "Write `answers:` and below it lines such as `wrongful_share: {value: 62%, interval: [50%, 75%]}`."


@dataclass(frozen=True)
class Answer:
    """What somebody says: a number with an interval perhaps, or a choice."""

    value: float | str
    interval: tuple[float, float] | None = None


def read_answers(path: Path, questions: Named[str, Question]) -> dict[str, Answer]:
    """The answers in a YAML or JSON file, by question; InputError with every problem."""
    tree = parse(read_bytes(path), str(path))
    problems = [
        entry.place.problem(f"{entry.key}: a file of answers has no such key.", _EXAMPLE)
        for entry in entries(tree) if entry.key != "answers"
    ]  # fmt: skip
    if not isinstance(at(tree, "answers"), Mapping):
        problems.append(tree.place.problem("There are no answers here.", _EXAMPLE))
    found: dict[str, Answer] = {}
    for entry in entries(tree, "answers"):
        question = questions.get(entry.key)
        if question is None:
            problems.append(entry.place.problem(f"{entry.key}: this is not asked.", _nearest(entry.key, questions)))
            continue
        answer = _answer(question, entry.value)
        if isinstance(answer, Problem):
            problems.append(answer)
        else:
            found[entry.key] = answer
    if problems:
        raise InputError(problems)
    return found


def _nearest(word: str, questions: Named[str, Question]) -> str:
    near = difflib.get_close_matches(word, questions, n=1, cutoff=0.5)
    return f"Did you mean {near[0]}?" if near else f"Asked are: {', '.join(questions)}."


def _answer(question: Question, node: Node) -> Answer | Problem:
    value = at(node, "value") if isinstance(node, Mapping) else node
    if isinstance(node, Mapping):
        for entry in entries(node):
            if entry.key not in ("value", "interval"):
                return entry.place.problem(f"{question.id}: there is no key {entry.key}.", "Write value and interval.")
    if value is None:
        return node.place.problem(f"{question.id}: the value is missing.", "Write `value:` beside `interval:`.")
    if question.unit == CHOICE:
        return _choice(question, value, at(node, "interval"))
    number = _number(value)
    if number is None:
        return value.place.problem(f"{question.id}: this is no number.", _units(question))
    if impossible := _impossible(question, value, number):
        return value.place.problem(*impossible)
    interval = at(node, "interval")
    if interval is None:
        return Answer(number)
    ends = [_number(item) for item in items(interval)] if isinstance(interval, Sequence) else []
    if len(ends) != 2 or ends[0] is None or ends[1] is None or ends[0] > ends[1]:
        return interval.place.problem(
            f"{question.id}: this is no interval.", "Write two numbers in brackets, the smaller one first: [0.5, 0.75]."
        )
    for item, end in zip(items(interval), (ends[0], ends[1]), strict=True):
        if impossible := _impossible(question, item, end):
            return interval.place.problem(*impossible)
    return Answer(number, (ends[0], ends[1]))


def _impossible(question: Question, node: Node, number: float) -> tuple[str, str] | None:
    """What is wrong with a number that no share can be, or with a share of money, and what to do; None where nothing
    is."""
    if question.unit != SHARE and isinstance(node, Scalar) and str(node.value).endswith("%"):
        return f"{question.id}: an amount is asked for, and this is a share.", _units(question)
    if question.unit != SHARE or 0 <= number <= 1:
        return None
    return f"{question.id}: a share is from 0 to 100 %, and this is {100 * number:,.10g} %.", _units(question)


def _choice(question: Question, value: Node, interval: Node | None) -> Answer | Problem:
    if interval is not None:
        return interval.place.problem(f"{question.id}: a choice has no interval.", "Leave it out.")
    if isinstance(value, Scalar) and value.value in question.options:
        return Answer(str(value.value))
    return value.place.problem(
        f"{question.id}: this is none of the choices.", f"Choose one of {', '.join(question.options)}."
    )


def _number(node: Node) -> float | None:
    """A number from its text, percent signs included; None when it is none."""
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return float(value)
    if isinstance(value, str) and value.endswith("%"):
        try:
            share = Decimal(value[:-1].strip()) / 100
        except InvalidOperation:
            return None
        return float(share) if share.is_finite() else None
    return None


def _units(question: Question) -> str:
    return "Write a share such as 0.31 or 31%." if question.unit == "share" else "Write an amount such as 1250."
