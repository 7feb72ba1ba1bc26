"""Simulated counterparts of published figures: each a function of a lived world, in hundredths where the unit is %."""

from __future__ import annotations

from billing_sim.calibration.measures import churn, declines, members, recovery, rejoining, service
from billing_sim.calibration.measures.asking import Measure, needs

MEASURES: dict[str, Measure] = {
    **members.MEASURES, **churn.MEASURES, **declines.MEASURES, **recovery.MEASURES, **rejoining.MEASURES,
    **service.MEASURES,
}  # fmt: skip
"""By the name that a row says."""

__all__ = ["MEASURES", "Measure", "needs"]
