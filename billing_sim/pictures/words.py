"""Numbers and names in pictures: few digits, with their unit."""

from __future__ import annotations

import re
import textwrap
from datetime import date, datetime

from billing_sim.pictures.theme import INNER, SIZE, TITLE

MICROS = 1_000_000
_UNIT = re.compile(r" (%|USD\b|days\b|points?\b)")
"""What stays on the line of its number."""

_LARGE = ((10**12, "T"), (10**9, "bn"), (10**6, "M"), (10**3, "k"))


def share(part: float, digits: int | None = None) -> str:
    """A share in percent: 41 %, 4.1 %, 0.41 %; close to all of it with as many digits as keep it apart from 100."""
    percent = 100 * part
    if digits is None:
        near = min(abs(percent), abs(100 - percent)) if percent <= 100 else abs(percent)
        digits = 0 if near >= 10 or near == 0 else 1 if near >= 0.95 else 2
    return f"{percent:,.{digits}f} %".replace("-", "−")


def count(number: int) -> str:
    """A number of things: 1,234 or 12.3M."""
    return f"{number:,}".replace("-", "−") if abs(number) < MICROS else short(number)


def brief(number: int) -> str:
    """A number of things where there is hardly room for it: 987, 8.2k, 1.4M."""
    if abs(number) < 1_000:
        return count(number)
    size, letter = next((size, letter) for size, letter in _LARGE if abs(number) >= size)
    return f"{number / size:,.1f}{letter}".replace("-", "−")


def short(number: float) -> str:
    """Three digits: 999, 12.3k, 4.56M."""
    size, letter = next(((size, letter) for size, letter in _LARGE if abs(number) >= 0.9995 * size), (1, ""))
    scaled = number / size
    whole = len(str(int(abs(scaled))))
    digits = max(0, 3 - whole) if letter or abs(number) < 100 else 0
    return f"{scaled:,.{digits}f}{letter}".replace("-", "−")


def money(micros: float, currency: str = "") -> str:
    """An amount in millionths: 4.56M USD."""
    return f"{short(micros / MICROS)} {currency}".rstrip()


def month(day: date | datetime) -> str:
    """Jan 2025."""
    return f"{day:%b %Y}"


def day(moment: date | datetime) -> str:
    """5 Jan 2025."""
    return f"{moment.day} {moment:%b %Y}"


def plain(label: str) -> str:
    """A label of the facts as words: direct_debit is direct debit."""
    return label.replace("_", " ")


def fit(text: str, room: float, size: float = SIZE, *, bold: bool = True) -> str:
    """A text within so many pixels, with an ellipsis where it was longer."""
    if width(text, size, bold=bold) <= room:
        return text
    while text and width(text + "…", size, bold=bold) > room:
        text = text[:-1].rstrip()
    return text + "…"


def title_lines(text: str) -> list[str]:
    """A finding in lines within the width of the picture, about equally long."""
    return _lines(text, TITLE, bold=True)


def subtitle_lines(text: str) -> list[str]:
    """What stands below it, each line of the text by itself."""
    return [line for part in text.splitlines() for line in _lines(part, SIZE)]


def _lines(text: str, size: float, *, bold: bool = False) -> list[str]:
    """As few lines as can be, then the narrowest that need no more of them."""
    glued = _UNIT.sub("\u00a0\\1", text)

    def within(limit: float) -> list[str]:
        return textwrap.wrap(glued, max(10, int(limit)), break_long_words=True, break_on_hyphens=False)

    def fits(lines: list[str]) -> bool:
        return max((width(line, size, bold=bold) for line in lines), default=0) <= INNER

    limit = INNER / (0.35 * size)
    while not fits(within(limit)) and limit > 10:
        limit -= 1
    best = within(limit)
    ragged = bold or (len(best) > 1 and width(best[-1], size) < INNER / 4)
    while ragged and limit > 11 and len(within(limit - 1)) == len(best):
        limit -= 1
        best = within(limit)
    return best


def width(text: str, size: float = SIZE, *, bold: bool = False) -> float:
    """About how many pixels a text takes, from the widths of Arial's letters; rather too many than too few."""
    return (1.08 if bold else 1.02) * size * sum(_letter(letter) for letter in text)


def _letter(letter: str) -> float:
    if letter in "iljI|.,:;'! ":
        return 0.28
    if letter in 'ftr()[]-/"\u00a0':
        return 0.35
    if letter in "mwMWGOQ@%→≥":
        return 0.9
    return 0.69 if letter.isupper() or letter in "+−±=" else 0.56
