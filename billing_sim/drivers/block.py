"""What a driver hands on: whole lives of one shard, in canonical order, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from billing_sim.errors import BillingSimError

DRIVERS = ("batch", "simpy")


@dataclass(frozen=True)
class Block:
    """Rows and sealed truths of whole lives, ordered by (subscriber, sequence); good until the next block is asked for.

    `people` lived in it, among them those who leave no rows; `alarms` rang.
    """

    rows: np.ndarray
    truths: np.ndarray
    people: int
    alarms: int


def too_long(number: int) -> BillingSimError:
    """The refusal of a life whose rows do not fit on a page."""
    return BillingSimError(f"subscriber {number} has more events than a page of the log holds; shorten the scenario")
