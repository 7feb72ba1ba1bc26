"""A table as wide as the terminal: words wrap, numbers stay whole, and columns give way where there is no room."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.style import StyleType
from rich.table import Table
from rich.text import Text

from billing_sim.giving_way import GAP, NEVER, Column, Room, room

_WORD = re.compile(r"[@_]?[^\s_@]+_?|[@_]")
_WORDS_LEAST = 12
"""No column of words is narrower, unless all it says is."""


@dataclass
class _Head:
    name: str
    called: str
    justify: Literal["left", "right"]
    wraps: bool
    least: int
    most: int
    style: StyleType
    gives_way: int


@dataclass
class Fitted:
    """Rows under heads without a frame, laid out only when it is known how wide it may be.

    The first `names` columns say what a row is about. Where even those that never give way do not fit side by side,
    a row says first what it is about and then, on lines of their own, its values.
    """

    names: int = 1
    _heads: list[_Head] = field(default_factory=list)
    _rows: list[tuple[list[Text], bool]] = field(default_factory=list)

    def add_words(
        self, name: str, *, least: int = 0, most: int = 0, called: str = "", style: StyleType = "",
        gives_way: int = NEVER, right: bool = False,
    ) -> None:  # fmt: skip
        """A column of text that wraps at words, down to its longest word or `least`.

        It is as wide as `most` says where `least` is the same.
        """
        head = _Head(name, called or name, "right" if right else "left", True, least, most, style, gives_way)
        self._heads.append(head)

    def add_whole(
        self, name: str, *, called: str = "", style: StyleType = "", gives_way: int = NEVER, right: bool = True
    ) -> None:
        """A column whose cells are never broken."""
        head = _Head(name, called or name, "right" if right else "left", False, 0, 0, style, gives_way)
        self._heads.append(head)

    def add_row(self, *cells: Text | str, end_section: bool = False) -> None:
        """The cells of a row, or the first few of them."""
        self._rows.append(([it if isinstance(it, Text) else Text(it) for it in cells], end_section))

    def add_section(self) -> None:
        """A line between what is above and what is below; none where nothing is above."""
        if self._rows:
            cells, _ = self._rows.pop()
            self._rows.append((cells, True))

    def is_whole(self, width: int) -> bool:
        """Whether nothing has to give way."""
        return not self._room(width).left_out

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        found = self._room(options.max_width)
        if found.stands_side_by_side:
            yield self._beside(found, options.max_width)
        else:
            yield from self._below(found)
        if found.left_out:
            yield Text(found.said, style="dim")

    def _room(self, width: int) -> Room:
        return room([Column(it.called, self._least(i), it.gives_way) for i, it in enumerate(self._heads)], width)

    def _beside(self, found: Room, width: int) -> Table:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        widths = dict(zip(found.shown, self._widths(found.shown, width), strict=True))
        for i, room_for in widths.items():
            it = self._heads[i]
            table.add_column(
                Text(it.name), justify=it.justify, style=it.style, overflow="fold", no_wrap=not it.wraps, width=room_for
            )
        for cells, end_section in self._rows:
            shown = (_broken(cells[i], widths[i]) if i < len(cells) else "" for i in found.shown)
            table.add_row(*shown, end_section=end_section)
        return table

    def _below(self, found: Room) -> Iterator[Text]:
        """Each row on lines of its own."""
        values = [i for i in found.shown if i >= self.names]
        for cells, _ in self._rows:
            about = [cells[i] for i in found.shown if i < min(self.names, len(cells)) and cells[i].plain]
            name, *more = Text(", ").join(about).split("\n", allow_blank=True) or [Text()]
            if name.plain:
                yield _folded(name)
            for i in values:
                if i < len(cells) and cells[i].plain:
                    named = f"{self._heads[i].name} " if len(values) > 1 and self._heads[i].name else ""
                    yield _folded(Text.assemble("  ", (named, "dim"), cells[i]))
            yield from map(_folded, more)

    def _widths(self, shown: Sequence[int], width: int) -> list[int]:
        """As wide as each would like to be; where that is too much, the widest that wrap become narrower first."""
        widths = [self._natural(i) for i in shown]
        least = [self._least(i) for i in shown]
        too_much = sum(widths) + GAP * (len(shown) - 1) - width
        for _ in range(too_much):
            able = [i for i in range(len(shown)) if widths[i] > least[i]]
            widths[max(able, key=lambda i: (widths[i], i))] -= 1
        return widths

    def _natural(self, column: int) -> int:
        it, wide = self._heads[column], max(map(cell_len, self._lines(column)), default=0)
        if it.most and it.least == it.most:
            return it.most
        return min(wide, it.most) if it.most else wide

    def _least(self, column: int) -> int:
        """A number's length, and of words the longest, as far as that is reasonable."""
        it, wide = self._heads[column], self._natural(column)
        if not it.wraps:
            return wide
        words = (word for line in self._lines(column) for word in _WORD.findall(line))
        longest = max(map(cell_len, words), default=0)
        return min(wide, max(min(longest, _WORDS_LEAST), it.least))

    def _lines(self, column: int) -> Iterator[str]:
        yield from self._heads[column].name.split("\n")
        for cells, _ in self._rows:
            if column < len(cells):
                yield from cells[column].plain.split("\n")


def _broken(cell: Text, width: int) -> Text:
    """A name that is longer than its column on lines that end between its words."""
    ends = []
    for long in re.finditer(r"\S+", cell.plain):
        start = long.start()
        for word in _WORD.finditer(cell.plain, *long.span()):
            if word.end() - start > width and word.start() > start:
                start = word.start()
                ends.append(start)
    return Text("\n").join(cell.divide(ends)) if ends else cell


def _folded(shown: Text) -> Text:
    shown.overflow = "fold"
    return shown
