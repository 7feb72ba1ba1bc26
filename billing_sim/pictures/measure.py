"""A metric in pictures: its definition, how its values are written, and what an axis of them says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.definition import Definition
from billing_sim.pictures import words
from billing_sim.pictures.charts import PERCENT

_UNITS = {"per_thousand": " ‰", "points": " points", "days": " days", "months": " months", "hours": " h", "ms": " ms"}


@dataclass(frozen=True)
class Measure:
    """A shipped metric by its name; QueryError for an unknown one."""

    id: str
    currency: str = ""

    @cached_property
    def definition(self) -> Definition:
        """What it is."""
        found: Definition = shipped()[self.id]
        return found

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.definition.title

    @property
    def is_share(self) -> bool:
        """Whether it is a part of a whole."""
        return self.definition.unit == "share"

    def value(self, number: float) -> str:
        """A value with its unit."""
        if self.is_share:
            return words.share(number)
        if self.definition.unit == "money":
            return f"{words.short(number)} {self.currency}".rstrip()
        return words.short(number) + _UNITS.get(self.definition.unit, "")

    def difference(self, number: float) -> str:
        """The size of a difference; shares in percentage points."""
        if not self.is_share:
            return self.value(abs(number))
        size = abs(100 * number)
        return f"{size:.{1 if size >= 0.95 else 2 if size >= 0.095 else 3}f} points"

    @property
    def axis(self) -> str:
        """The expression with which an axis writes its values."""
        if self.is_share:
            return PERCENT
        return f"format(datum.value, '~s') + '{_UNITS.get(self.definition.unit, '')}'"
