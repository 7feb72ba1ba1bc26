"""How often the 95 % interval holds the truth: `python tests/bench/intervals.py [seeds [seconds]]`, or 1,000 seeds.

Every seed is a run of its own: the same business, another luck. The truth of a metric is its mean over all seeds, and
an interval is right when it holds that mean. With 1,000 seeds, 93.6 to 96.4 % is what chance alone allows.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev

from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.engine import compute
from billing_sim.metrics.source import RunFolder
from billing_sim.simulate import simulate

SCENARIO = Path(__file__).parents[2] / "scenarios" / "first_month.yaml"
MEMBERS, END = 1500, "2025-05-01"
METRICS = (
    "payment_success_rate", "first_attempt_success_rate", "involuntary_churn", "recovery_rate", "recovery_rate@count",
    "recovery_by_day", "time_to_recover_p50", "win_back_share", "collected", "monthly_recurring_revenue", "members",
    "average_revenue_per_member", "gateway_latency_p99", "notices_per_1000_renewals",
)  # fmt: skip


@dataclass
class Tried:
    """The values and intervals of one metric, a seed each; without an interval the error is unknown."""

    values: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    intervals: list[tuple[float, float]] = field(default_factory=list)
    missing: int = 0

    def line(self, name: str) -> str:
        """What the errors promise and what was seen."""
        truth = fmean(self.values)
        held = [low <= truth <= high for low, high in self.intervals]
        below = sum(high < truth for _, high in self.intervals) / max(len(held), 1)
        above = sum(low > truth for low, _ in self.intervals) / max(len(held), 1)
        spread = stdev(self.values)
        promised = fmean(self.errors) if self.errors else float("nan")
        return (
            f"{name:28} {truth:12.5g} {spread:10.4g} {promised:10.4g} {100 * fmean(held):8.1f} "
            f"{100 * below:7.1f} {100 * above:7.1f} {self.missing:8}"
        )


def measure(seeds: int, seconds: float = float("inf")) -> Iterator[str]:
    """A table, a line per metric; it stops early when the time is over."""
    wanted = list(shipped().of([name for name in METRICS if name in {it.id for it in shipped()}]))
    tried = {it.id: Tried() for it in wanted}
    began, done = time.perf_counter(), 0
    with tempfile.TemporaryDirectory() as name:
        scenario = Path(name) / "intervals.yaml"
        scenario.write_text(SCENARIO.read_text().replace("end: 2025-03-01", f"end: {END}"))
        for seed in range(1, seeds + 1):
            out = Path(name) / "run"
            simulate(scenario, seed=seed, members=MEMBERS, out=out, log="none", workers=1, overwrite=True)
            for result in compute(RunFolder(out), wanted):
                if result.value is not None:
                    _add(tried[result.id], float(result.value), result.standard_error, result.low, result.high)
            done += 1
            if time.perf_counter() - began > seconds:
                break
    yield f"{done} seeds, {MEMBERS} members, until {END}"
    words = (
        ("truth", 12),
        ("spread", 10),
        ("promised", 10),
        ("held %", 8),
        ("below %", 7),
        ("above %", 7),
        ("no error", 8),
    )
    yield " ".join([f"{'metric':28}", *(f"{word:>{width}}" for word, width in words)])
    yield from (found.line(name) for name, found in tried.items() if len(found.values) > 1)


def _add(found: Tried, value: float, error: float | None, low: float | None, high: float | None) -> None:
    found.values.append(value)
    if error is None or low is None or high is None:
        found.missing += 1
    else:
        found.errors.append(error)
        found.intervals.append((low, high))


if __name__ == "__main__":
    asked = [float(word) for word in sys.argv[1:]]
    for text in measure(int(asked[0]) if asked else 1000, *asked[1:]):
        print(text)
