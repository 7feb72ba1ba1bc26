"""A recommended set on a terminal: who measures what, and the certificate, case by case."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from billing_sim.stress.minimal_set import Answered, Pairs, Recommended

_NAMED = 6
"""Cases named that fail without a member; JSON has all."""


def set_shown(found: Recommended, cases: Sequence[str], width: int) -> Iterator[RenderableType]:
    """The recommended set: question by question who measures it, case by case who catches it, and what is left."""
    yield Text(f"\nRecommended set: {_survival(found, len(cases))}", style="bold")
    letters = dict(zip(found.members, _letters(), strict=False))
    yield from _questions(found, letters, width)
    if found.members:
        yield from _certificate(found, cases, letters, width)
    for name, letter in letters.items():
        yield from wrapped(f"Without {letter}: {_loss(found, name, letters)}.", width, "  ")
    yield from _left(found, letters, width)


def _survival(found: Recommended, cases: int) -> str:
    if not found.members:
        return "none; no definition is seen to catch what moves in these cases"
    which = _which(found, cases)
    if len(found.members) == 1:
        return f"one definition survives {which}"
    return f"{len(found.members)} definitions together survive {which}"


def _which(found: Recommended, cases: int) -> str:
    if found.survives_every_case:
        return "every case"
    if not found.failing:
        return f"every case but {len(found.misled)} that nobody answers"
    return f"{cases - len(found.failing | found.misled)} of {cases} cases"


def _letters() -> Iterator[str]:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    yield from alphabet
    yield from (f"{first}{second}" for first in alphabet for second in alphabet)


def _questions(found: Recommended, letters: dict[str, str], width: int) -> Iterator[RenderableType]:
    """Each question with the members that measure it, and the guards."""
    rows = dict(found.questions)
    if found.guards:
        rows["guards of the log"] = found.guards
    room = max(map(len, rows), default=0)
    for name, members in rows.items():
        own = ", ".join(f"{letters[it]} {it}" for it in members) or _why_nobody(name, found)
        yield from wrapped(f"{name:<{room}}  {own}", width, "  ", hanging=" " * (room + 4))


def _why_nobody(question: str, found: Recommended) -> str:
    for pairs, why in ((found.uncaught, "nobody"), (found.unresolved, "not resolved yet")):
        if any(question in names for names in pairs.values()):
            return why
    return "nothing moves it in these cases"


def _certificate(
    found: Recommended, cases: Sequence[str], letters: dict[str, str], width: int
) -> Iterator[RenderableType]:
    """For each case the members that catch what moves, and those that mislead there with who puts them right."""
    room = max(map(len, ["case", *cases]))
    yield Text(f"\n  {'case':<{room}} caught by", style="dim")
    quiet = []
    for case in cases:
        by = ", ".join(letters[name] for name in found.catchers.get(case, ()))
        lies = _lies([it for it in found.answers if it.case == case], letters)
        if not by and not lies and case not in found.asks:
            quiet.append(case)
            continue
        told = by or ("nobody" if case in found.asks else "–")
        line = f"{case:<{room}} {told}{f' ({lies})' if lies else ''}"
        yield from wrapped(line, width, "  ", hanging=" " * (room + 3))
    if quiet:
        yield from wrapped(f"Nothing is seen to move, and nobody misleads: {', '.join(quiet)}.", width, "  ")
    yield Text()


def _lies(answers: Iterable[Answered], letters: dict[str, str]) -> str:
    """Who misleads and whom to believe: those with the same verdict and the same answer together."""
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for it in answers:
        alike.setdefault((it.verdict, it.by), []).append(letters[it.member])
    return "; ".join(
        f"{', '.join(who)} {verdict}, {_believed([letters[name] for name in by])}"
        for (verdict, by), who in alike.items()
    )


def _believed(letters: Sequence[str]) -> str:
    return f"believe {', '.join(letters)}" if letters else "unanswered"


def _loss(found: Recommended, name: str, letters: dict[str, str]) -> str:
    loss = found.drops[name]
    parts = [f"nobody catches {_some(loss.cases)}"] if loss.cases else []
    by_member: dict[str, list[str]] = {}
    for member, case in loss.unanswered:
        by_member.setdefault(member, []).append(case)
    parts += [f"{letters[member]} misleads unanswered in {_some(own)}" for member, own in by_member.items()]
    return "; ".join(parts)


def _some(cases: Sequence[str]) -> str:
    more = f" and {len(cases) - _NAMED} more" if len(cases) > _NAMED else ""
    return ", ".join(cases[:_NAMED]) + more


def _left(found: Recommended, letters: dict[str, str], width: int) -> Iterator[RenderableType]:
    """What nobody catches, who misleads unanswered, and what more seeds may decide."""
    if found.uncaught:
        yield from wrapped(f"Nobody catches: {_pairs(found.uncaught)}.", width, "  ", "yellow")
    if found.unanswered:
        lies = (f"{letters[it.member]} in {it.case} ({it.verdict})" for it in found.unanswered)
        yield from wrapped(f"Nobody answers: {', '.join(lies)}.", width, "  ", "yellow")
    if found.unresolved:
        yield from wrapped(f"Not resolved yet: take more seeds for {_pairs(found.unresolved)}.", width, "  ")


def _pairs(pairs: Pairs) -> str:
    """Questions with their cases."""
    by_question: dict[str, list[str]] = {}
    for case, names in pairs.items():
        for name in names:
            by_question.setdefault(name, []).append(case)
    return "; ".join(f"{name} in {', '.join(cases)}" for name, cases in by_question.items())


def wrapped(told: str, width: int, indent: str = "", style: str = "", hanging: str | None = None) -> list[Text]:
    """Lines of a text, indented, the later ones further where asked."""
    lines = textwrap.wrap(
        told, width, initial_indent=indent, subsequent_indent=indent if hanging is None else hanging,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return [Text(line, style=style) for line in lines]
