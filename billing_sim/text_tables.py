"""Tables and remarks as plain text, laid out when it is known how wide they may be."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from billing_sim.giving_way import GAP, NEVER, Column, Room, room

WIDTH = 80
"""What text is laid out for where nothing says otherwise; it is never wider."""

_INTERVAL = "± 95 %"
"""What a column without a head is called where it is left out."""


@dataclass(frozen=True)
class TextTable:
    """A title, heads, and rows: words to the left, numbers to the right.

    Where it is too wide, columns without a head give way first, then the others from the right. The first column and
    those that `stay` never do.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    stay: Sequence[int] = (1,)
    left: Sequence[int] = (0,)
    indent: str = "  "

    def lines(self, width: int) -> Iterator[str]:
        """As it stands on so many columns."""
        if self.title:
            yield from textwrap.wrap(self.title, width, subsequent_indent=self.indent)
        found = self._room(width - len(self.indent))
        yield from self._beside(found) if found.stands_side_by_side else self._below(found, width)
        if found.left_out:
            yield from Remark(found.said, self.indent).lines(width)

    def _room(self, width: int) -> Room:
        turns = [i for i in range(len(self.head) - 1, 0, -1) if i not in self.stay and self.head[i]]
        columns = []
        for i, name in enumerate(self.head):
            turn = NEVER if i == 0 or i in self.stay else turns.index(i) + 2 if name else 1
            columns.append(Column(name or _INTERVAL, self._wide(i), turn))
        found = room(columns, width)
        return Room(found.shown, found.left_out, found.whole_from + len(self.indent), found.stands_side_by_side)

    def _wide(self, column: int) -> int:
        return max(len(row[column]) for row in (self.head, *self.rows))

    def _beside(self, found: Room) -> Iterator[str]:
        for row in (self.head, *self.rows) if any(self.head) else self.rows:
            cells = (
                f"{row[i]:<{self._wide(i)}}" if i in self.left else f"{row[i]:>{self._wide(i)}}" for i in found.shown
            )
            yield f"{self.indent}{(' ' * GAP).join(cells)}".rstrip()

    def _below(self, found: Room, width: int) -> Iterator[str]:
        """Each row on lines of its own."""
        for row in self.rows:
            yield from Remark(row[0], self.indent).lines(width)
            for i in found.shown[1:]:
                named = f"{self.head[i]} {row[i]}".strip()
                yield from Remark(named, self.indent + "  ").lines(width)


@dataclass(frozen=True)
class Remark:
    """Words that wrap."""

    words: str
    indent: str = "  "

    def lines(self, width: int) -> Iterator[str]:
        """As they stand on so many columns."""
        yield from textwrap.wrap(self.words, width, initial_indent=self.indent, subsequent_indent=self.indent)


def laid_out(parts: Sequence[TextTable | Remark | str], width: int) -> list[str]:
    """One below the other; a text alone stands at the margin, and an empty one is a line between."""
    return [line for it in parts for line in _lines(it, width)]


def _lines(it: TextTable | Remark | str, width: int) -> Iterator[str]:
    if isinstance(it, str):
        yield from textwrap.wrap(it, width) or [""]
    else:
        yield from it.lines(width)
