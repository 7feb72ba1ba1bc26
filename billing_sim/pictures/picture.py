"""Which pictures there are, what each shows, and what it has to be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Picture:
    """One kind of picture: its name, what it shows in one line, what it `needs` and what else it `takes`.

    Both hold names of options of `draw`: other, metric, subscriber, truth. It is drawn by the module of its name.
    """

    name: str
    about: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...]:
        """Everything that it can be told."""
        return (*self.needs, *self.takes)


_ALL = (
    Picture("attempts_funnel", "how many invoices each attempt is left with, and how many it gets paid"),
    Picture("retry_yield", "how many failed renewals are paid, by days since they failed, and what mended them"),
)

PICTURES: dict[str, Picture] = {it.name: it for it in _ALL}
"""Every picture by its name, in the order in which they are listed."""
