"""Where the words of an SVG stand, to see that none is cut off and none covers another."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from billing_sim.pictures import words

NARROW = 0.9
"""`words.width` is rather too wide; this part of it is surely covered with ink."""

_SVG = "{http://www.w3.org/2000/svg}"
_MOVE = re.compile(r"translate\((-?[\d.e-]+),\s*(-?[\d.e-]+)\)")


@dataclass(frozen=True)
class Word:
    """A text with its left, right, upper and lower edge."""

    text: str
    left: float
    right: float
    top: float
    bottom: float

    def covers(self, other: Word) -> bool:
        """Whether both share more than their edges."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return across > 0.5 and down > 0.5


def words_in(svg: str) -> tuple[list[Word], float, float]:
    """Every visible text of a drawing, its width and its height."""
    root = ET.fromstring(svg)
    return list(_walk(root, 0, 0)), float(root.get("width", 0)), float(root.get("height", 0))


def covered(found: list[Word]) -> list[tuple[str, str]]:
    """Pairs of texts that cover each other."""
    return [(a.text, b.text) for a, b in combinations(found, 2) if a.covers(b)]


def _walk(node: ET.Element, x: float, y: float) -> Iterator[Word]:
    moved = _MOVE.search(node.get("transform", ""))
    if moved:
        x, y = x + float(moved[1]), y + float(moved[2])
    if node.tag == f"{_SVG}text" and node.get("opacity") != "0":
        yield from _lines(node, x, y)
        return
    for child in node:
        yield from _walk(child, x, y)


def _lines(node: ET.Element, x: float, y: float) -> Iterator[Word]:
    parts = node.findall(f"{_SVG}tspan")
    size = float(node.get("font-size", "11px").removesuffix("px"))
    is_bold = node.get("font-weight") == "bold"
    for part in parts or [node]:
        y += float(part.get("dy", 0))
        text = (part.text or "").strip()
        if not text:
            continue
        wide = NARROW * words.width(text, size, bold=is_bold)
        left = x - {"middle": wide / 2, "end": wide}.get(node.get("text-anchor", "start"), 0)
        yield Word(text, left, left + wide, y - 0.7 * size, y)
