"""Failed invoices one by one: what each policy made of them, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from billing_sim.clock import HOUR
from billing_sim.drivers.forks import ENDINGS
from billing_sim.events import METHOD_KINDS
from billing_sim.people import describe
from billing_sim.scenario.model import Scenario
from billing_sim.world.names import Names

if TYPE_CHECKING:
    import pandas as pd

    from billing_sim.dunning_ranking.playing import Played


def outcomes(played: Sequence[Played], policies: Sequence[str], scenario: Scenario) -> pd.DataFrame:
    """One row per failed invoice and policy, invoices in the order of seeds and shards.

    Hours count from the first failure; `oracle_hours` is missing where no retry alone succeeds, `collected_hours` where
    the invoice is never paid. Counts are wide, so that multiplying them by what a try costs cannot overflow. Where
    people share something, two more columns say what comes of it where everybody has the policy.
    """
    import pandas as pd

    names = Names(scenario)
    parts = [pd.DataFrame(_columns(it, i, name, names)) for it in played for i, name in enumerate(policies)]
    return pd.concat(parts, ignore_index=True)


def _columns(it: Played, column: int, policy: str, names: Names) -> dict[str, Any]:
    failed, found = it.failures, it.outcomes[:, column]
    since = failed["first_failed_at"]
    return {
        "seed": np.full(len(failed), it.seed),
        "policy": np.full(len(failed), policy, object),
        "subscriber": np.array([describe(int(who)) for who in failed["subscriber"]], object),
        "invoice": failed["invoice"].astype(np.int64),
        "market": _named(names.markets, failed["market"]),
        "method_kind": _named(METHOD_KINDS, failed["method_kind"]),
        "amount_minor": failed["amount_minor"].astype(np.int64),
        "currency": _named(names.currencies, failed["currency"]),
        "amount_micros": it.micros,
        "first_failed_at": since.astype("M8[us]"),
        "oracle_hours": _hours(failed["oracle_at"], since),
        "collected_hours": _hours(found["collected_at"], since),
        "ended_by": _named(ENDINGS, found["ended_by"]),
        "attempts": found["attempts"].astype(np.int64),
        "notices": found["notices"].astype(np.int64),
        "lost": found["is_lost"] == 1,
        "wrongful": found["is_wrongful"] == 1,
        **_together(it, column),
    }


def _together(it: Played, column: int) -> dict[str, Any]:
    if it.together is None:
        return {}
    found = it.together[:, column]
    return {
        "collected_hours_together": _hours(found["collected_at"], it.failures["first_failed_at"]),
        "ended_by_together": _named(ENDINGS, found["ended_by"]),
    }


def _named(names: Sequence[str], numbers: np.ndarray) -> np.ndarray:
    return np.array(names, object)[numbers]


def _hours(at: np.ndarray, since: np.ndarray) -> np.ndarray:
    """Hours from one moment to the other, NaN where there is none."""
    return np.where(at > 0, (at - since) / HOUR, np.nan)
