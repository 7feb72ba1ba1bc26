"""What of a table fits a width: numbers are shown whole or not at all, so whole columns give way, and it is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 2
"""Spaces between two columns."""

NEVER = 0


@dataclass(frozen=True)
class Column:
    """A column as the width sees it: what it is called, how narrow it may become, and when it gives way.

    Those that give way first have the lowest number; those that never do have `NEVER`, and come to stand on lines of
    their own where even they are too wide together.
    """

    name: str
    least: int
    gives_way: int = NEVER


@dataclass(frozen=True)
class Room:
    """The columns that fit a width, the names of those that do not, and the width from which on all are there."""

    shown: tuple[int, ...]
    left_out: tuple[str, ...]
    whole_from: int
    stands_side_by_side: bool

    @property
    def said(self) -> str:
        """What is left out, for the line below the table; empty where nothing is."""
        return f"Left out: {', '.join(self.left_out)} (shown from {self.whole_from} columns on)." * bool(self.left_out)


def room(columns: Sequence[Column], width: int) -> Room:
    """Leave columns out, those that give way first in front, until the others fit."""
    shown = list(range(len(columns)))
    for turn in sorted({it.gives_way for it in columns} - {NEVER}):
        if _needed(columns, shown) <= width:
            break
        shown = [i for i in shown if columns[i].gives_way != turn]
    left_out = dict.fromkeys(it.name for i, it in enumerate(columns) if i not in shown)
    whole = _needed(columns, range(len(columns)))
    return Room(tuple(shown), tuple(left_out), whole, _needed(columns, shown) <= width)


def _needed(columns: Sequence[Column], shown: Sequence[int]) -> int:
    return sum(columns[i].least for i in shown) + GAP * max(len(shown) - 1, 0)
