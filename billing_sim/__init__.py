"""A payment subscription billing simulator in which the cause of every failed payment is known.

>>> import billing_sim
>>> run = billing_sim.run("scenarios/first_month.yaml")  # doctest: +SKIP
>>> run.views()["net_collected_rate"].value  # doctest: +SKIP
0.9812
>>> run.sql("SELECT market, count(*) AS invoices FROM invoices GROUP BY ALL")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from billing_sim.errors import BillingSimError, InputError, Problem, QueryError, RunError

if TYPE_CHECKING:
    from billing_sim.calibration.asking import calibrate
    from billing_sim.calibration.fitting.asking import fit
    from billing_sim.calibration.sensitivity.asking import sensitivity
    from billing_sim.challenges.grading import grade
    from billing_sim.challenges.making import new_challenge
    from billing_sim.comparison.comparing import compare
    from billing_sim.dunning_ranking.asking import dunning
    from billing_sim.goal_sheets.judging import goals
    from billing_sim.result import Run, open, run  # noqa: A004
    from billing_sim.scenario import check
    from billing_sim.stress.study import stress

    __version__: str

__all__ = [
    "BillingSimError", "InputError", "Problem", "QueryError", "Run", "RunError",
    "calibrate", "check", "compare", "dunning", "fit", "goals", "grade", "new_challenge", "open", "run", "sensitivity",
    "stress",
]  # fmt: skip

_ROOMS = {
    "Run": "billing_sim.result",
    "open": "billing_sim.result",
    "run": "billing_sim.result",
    "calibrate": "billing_sim.calibration.asking",
    "check": "billing_sim.scenario",
    "compare": "billing_sim.comparison.comparing",
    "dunning": "billing_sim.dunning_ranking.asking",
    "fit": "billing_sim.calibration.fitting.asking",
    "goals": "billing_sim.goal_sheets.judging",
    "grade": "billing_sim.challenges.grading",
    "new_challenge": "billing_sim.challenges.making",
    "sensitivity": "billing_sim.calibration.sensitivity.asking",
}

_WHOLE_ROOMS = ("people", "stress")


def __getattr__(name: str) -> Any:
    """Import on first use: `import billing_sim` alone loads nothing heavy."""
    if name == "__version__":
        from importlib.metadata import version

        found: Any = version("billing_sim")
    elif name in _WHOLE_ROOMS:
        found = import_module(f"billing_sim.{name}")
    elif name in _ROOMS:
        found = getattr(import_module(_ROOMS[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
