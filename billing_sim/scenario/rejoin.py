"""How many of those who left are back, and when."""

from __future__ import annotations

from pydantic import Field

from billing_sim.scenario.parts import Part
from billing_sim.scenario.values import Share


class Rejoin(Part):
    """The share of those who left that came back within 1, 6 and 12 months."""

    month_1: Share = Field(description="back within a month")
    month_6: Share = Field(description="back within 6 months, those within a month included")
    month_12: Share = Field(description="back within a year; nobody comes back later")
