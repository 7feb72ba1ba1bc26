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
    Picture("losses_by_cause", "members lost in each month, by how they left; with --truth by why", takes=("truth",)),
    Picture("cohorts", "who is still a member after so many months, by month of joining"),
    Picture("mrr_bridge", "monthly recurring revenue from the first month to the last, and what moved it"),
    Picture("decline_mix", "why payments were declined, as parts of all declines, over time"),
    Picture("gateway_timeline", "success of each gateway by day, with incidents shaded"),
    Picture("money_flow", "from what was billed to what was kept"),
    Picture(
        "maturity", "how one month's value of a metric looked from day to day until it was final", takes=("metric",)
    ),
    Picture("paired_difference", "what differs in another run of the same people", needs=("other",), takes=("metric",)),
    Picture("by_market", "a metric by month in each market", takes=("metric",)),
    Picture("one_life", "what happened to one subscriber", takes=("subscriber", "truth")),
)

PICTURES: dict[str, Picture] = {it.name: it for it in _ALL}
"""Every picture by its name, in the order in which they are listed."""
