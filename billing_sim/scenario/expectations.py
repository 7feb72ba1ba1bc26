"""What must come out of a scenario: bounds on metrics and on counts of events, checked whenever it is run."""

from __future__ import annotations

from pydantic import Field

from billing_sim.scenario.parts import Name, Part
from billing_sim.scenario.values import Month, Target


class Place(Part):
    """A part of what a metric is about, to compare with."""

    segment: dict[Name, str] = Field({}, description="dimension -> value, as in {market: US}")
    period: Month | None = Field(None, description="the month, as in 2025-06; none: the whole run")


class Expectation(Place):
    """One thing that must come out: a metric, or a count of events, within bounds."""

    says: str = Field("", description="what it shows, in a few words")
    metric: str | None = Field(None, description="the metric, as `billing-sim metrics` lists them")
    count: str | None = Field(None, description="a kind of event instead, such as payment.returned, counted in the log")
    minus: Place | None = Field(
        None, description="another segment or month whose value is taken away first: bounds hold for the difference"
    )
    at_least: Target | None = Field(None, description="the lowest value that will do")
    at_most: Target | None = Field(None, description="the highest value that will do")
