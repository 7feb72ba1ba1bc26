"""Labels of arms, as numbers: each experiment is one digit, its arms counted from 1, and all digits add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np


def set_arms(context: np.recarray, labels: Sequence[str]) -> None:
    """Tell the fold which digit of a label stands for the experiment of each arm (`experiment/arm`)."""
    single = {
        number: label.partition("/")[0] for number, label in enumerate(labels) if "/" in label and "+" not in label
    }
    counts, steps = Counter(single.values()), dict[str, int]()
    for number, experiment in single.items():
        step = steps.setdefault(experiment, number)
        context.arm_step[0, number], context.arm_count[0, number] = step, counts[experiment]
