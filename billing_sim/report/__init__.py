"""One page about a run that can be sent to anybody: `billing-sim report`, `run.report()`."""

from billing_sim.report.page import write

__all__ = ["write"]
