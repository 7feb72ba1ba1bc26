"""Watches that are kept: the arrays of one world and its seeds, moment by moment, in the user's cache."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from billing_sim.metrics.definition import Definition
from billing_sim.stress.damages import Damage
from billing_sim.stress.kept import Kept, file_of
from billing_sim.stress.lives import Lives
from billing_sim.stress.watching import Watch, Watched
from billing_sim.truth.estimands import Estimand


def watched(
    lives: Lives, seeds: Sequence[int], damages: Sequence[Damage], definitions: Sequence[Definition],
    estimands: Sequence[Estimand], moments: Sequence[datetime],
) -> Watched:  # fmt: skip
    """Watch a world with these seeds (at most 64) at these moments; from the cache where known."""
    kept, watch = Kept(file_of(lives, seeds, damages)), Watch(lives, seeds, damages)
    read, so = {of_reading(it): it for it in definitions}, {of_truth(it): it for it in estimands}

    def readings(names: Sequence[str], at: Sequence[datetime]) -> dict[str, np.ndarray]:
        found = watch.readings([read[name] for name in names], at)
        return {name: found[read[name].id] for name in names}

    def truths(names: Sequence[str], at: Sequence[datetime]) -> dict[str, np.ndarray]:
        found = watch.truths([so[name] for name in names], at)
        return {name: found[so[name].name] for name in names}

    kept.complete(list(read), moments, readings)
    kept.complete(list(so), moments, truths)
    kept.write()
    return Watched(
        {it.id: kept.at(of_reading(it), moments) for it in definitions},
        {it.name: kept.at(of_truth(it), moments) for it in estimands},
    )


def of_reading(it: Definition) -> str:
    """Under which name a definition's readings are kept."""
    return f"reading {it.digest}"


def of_truth(it: Estimand) -> str:
    """Under which name what was so is kept."""
    return f"truth {hashlib.sha256(it.model_dump_json().encode()).hexdigest()}"
