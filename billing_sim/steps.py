"""Steps of something that takes a while, counted as they are done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Report = Callable[[int, int], None]
"""Told steps done and in all."""

_T = TypeVar("_T")


class Steps:
    """Passes on what a step made, and reports that one more of `total` is done.

    >>> step = Steps(print, 2)
    >>> step("made")
    1 2
    'made'
    """

    def __init__(self, report: Report | None, total: int) -> None:
        self._report, self._total, self._done = report, total, 0

    def __call__(self, made: _T) -> _T:
        """The same, once it has been counted."""
        self._done += 1
        if self._report:
            self._report(self._done, self._total)
        return made
