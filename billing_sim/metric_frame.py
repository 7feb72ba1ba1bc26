"""Metrics as a pandas frame that remembers what ran."""

from __future__ import annotations

import pandas as pd

from billing_sim.errors import QueryError
from billing_sim.metrics.asking import Answer

_WHOLE = ("numerator", "denominator", "units", "immature")
_FRACTIONS = ("value", "low", "high", "standard_error", "coverage")


class MetricFrame(pd.DataFrame):
    """One row per metric and slice. What it was made by stays in `attrs`, which pandas hands on to selections."""

    @property
    def _constructor(self) -> type[MetricFrame]:
        return MetricFrame

    def sql(self) -> str:
        """The SQL that ran, with the moments of its run; QueryError for a frame that was made of other frames."""
        if "sql" not in self.attrs:
            raise QueryError("This frame was put together from others; ask for the SQL where `run.metric` gave it.")
        return str(self.attrs["sql"])


def metric_frame(answer: Answer) -> MetricFrame:
    """An answer as a frame: `metric`, the dimensions, then `billing_sim.metrics.asking.COLUMNS`.

    Sums are whole numbers (money in millionths), shares and intervals floats, NaN where undefined; a metric that
    cannot be split by the dimensions has one row without them.
    """
    made = MetricFrame(list(answer.rows(totals=False)), columns=answer.columns)
    types = dict.fromkeys(_WHOLE, "int64") | dict.fromkeys(_FRACTIONS, "float64") | {"partial": "bool"}
    made = MetricFrame(made.astype(types))
    made.attrs = {"sql": answer.sql(), "as_of": answer.question.frame.as_of.isoformat()}
    return made
