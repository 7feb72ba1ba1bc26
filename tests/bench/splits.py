"""A/A splits: the p-values of thousands of re-hashed splits of people between whom nothing differs.

python -m tests.bench.splits 2000
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from billing_sim.experiments.contrast import comparable
from billing_sim.experiments.design import design_of
from billing_sim.experiments.sample import facts_of, sample_of
from billing_sim.experiments.splits import distance_from_uniform, p_values, uniform_bound
from billing_sim.identity import world_of
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.frame import frame
from billing_sim.simulate import simulate

SCENARIO = Path(__file__).parent.parent.parent / "scenarios" / "dunning_ab_test.yaml"
METRICS = ("recovery_rate", "involuntary_churn", "collected")


def main(splits: int) -> None:
    """Print, for each metric, how the p-values of so many splits lie."""
    with tempfile.TemporaryDirectory() as folder:
        run = simulate(SCENARIO, out=Path(folder) / "run", log="none").run
        key = int(world_of(run).record.seed_key[0])
        for name in METRICS:
            metric = comparable(shipped()[name])
            sample = sample_of(run, design_of(run).name, facts_of([metric]))
            found = p_values(sample, metric, frame(run), key, range(splits))
            shares = ", ".join(f"{np.mean(found < at):.3f} below {at}" for at in (0.01, 0.05, 0.1, 0.5))
            distance, bound = distance_from_uniform(found), uniform_bound(splits)
            print(f"{metric.id}: {shares}; distance {distance:.4f}, bound {bound:.4f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
