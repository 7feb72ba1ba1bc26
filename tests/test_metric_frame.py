"""`run.metric`: a frame of numbers that remembers what ran."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import pandas as pd
import pytest

from billing_sim.errors import InputError, QueryError
from billing_sim.metrics.asking import COLUMNS
from billing_sim.metrics.catalogue import shipped

RATE = "payment_success_rate"


def test_one_row_per_metric_and_slice(tiny_run):
    """The dimensions are columns; values are those of the views, sums are whole."""
    frame = tiny_run.metric(RATE, by="plan")
    assert list(frame.columns) == ["metric", "plan", *COLUMNS]
    assert list(frame["plan"]) == ["premium", "standard"]
    parts = tiny_run.views(by="plan")[RATE].slices
    assert list(frame["value"]) == [part.value for part in parts]
    assert list(frame["numerator"]) == [part.numerator for part in parts]
    assert str(frame["numerator"].dtype) == "int64"
    assert (frame["definition"] == shipped()[RATE].digest).all()
    assert (frame["data"] == tiny_run.content_digest).all()
    assert not frame["partial"].any()


def test_without_dimensions_there_is_one_row(tiny_run):
    """Several names give several, each once."""
    frame = tiny_run.metric([RATE, "members", RATE])
    assert list(frame["metric"]) == [RATE, "members"]
    assert list(frame["unit"]) == ["share", "count"]


def test_a_month_that_is_not_over_is_partial_and_what_is_undefined_has_a_reason(tiny_run):
    """Nothing has matured in the last month: no number, and why."""
    last = tiny_run.metric(RATE, by=["month"]).iloc[-1]
    assert last["partial"]
    assert math.isnan(last["value"])
    assert last["reason"].startswith("nothing has matured yet")


def test_the_sql_that_ran_comes_with_it(tiny_run):
    """It gives the very numbers, and stays with selections, copies and pickles."""
    frame = tiny_run.metric(RATE, by="plan")
    answer = tiny_run.sql(frame.sql()).sort_values("plan")
    assert list(answer["numerator"]) == list(frame["numerator"])
    assert list(answer["denominator"]) == list(frame["denominator"])
    kept = (frame[frame["units"] > 0], frame.sort_values("value"), frame.copy(), pickle.loads(pickle.dumps(frame)))
    assert [other.sql() for other in kept] == [frame.sql()] * 4


def test_a_frame_of_other_frames_has_no_sql(tiny_run):
    """It would be that of one of them only."""
    both = pd.concat([tiny_run.metric(RATE), tiny_run.metric("members")])
    with pytest.raises(QueryError, match="put together from others"):
        both.sql()


def test_variants_come_with_their_metric(tiny_run):
    """Whichever of them is named; one that cannot be split so has one row without the dimension."""
    frame = tiny_run.metric(f"{RATE}@attempt", by="policy", variants=True)
    assert list(dict.fromkeys(frame["metric"])) == [it.id for it in shipped().variants(RATE)]
    assert frame[frame["metric"] == f"{RATE}@attempt"]["policy"].isna().tolist() == [True]
    assert frame[frame["metric"] == RATE]["policy"].notna().all()
    assert f"-- {RATE}@attempt\nSELECT" in frame.sql()


def test_metrics_of_ones_own(tiny_run, tmp_path: Path):
    """From one file or several; a mistake in one is told with its place."""
    file = tmp_path / "paid.sql"
    file.write_text("SELECT 1 AS period, count(*) AS numerator, 2 AS denominator FROM signups")
    assert list(tiny_run.metric("paid", definitions=file)["denominator"]) == [2]
    assert list(tiny_run.metric(["paid", RATE], definitions=[file])["metric"]) == ["paid", RATE]
    file.write_text("SELECT 1 AS period")
    with pytest.raises(InputError, match=r"paid\.sql:1:1  the query returns no column `numerator`"):
        tiny_run.metric("paid", definitions=str(file))


def test_as_of_shows_what_was_known_then(tiny_run):
    """In frames and in views alike."""
    frame = tiny_run.metric(f"{RATE}@as_of", as_of="2025-01-20")
    assert frame.attrs["as_of"] == "2025-01-20T00:00:00"
    assert frame["units"][0] < tiny_run.metric(f"{RATE}@as_of")["units"][0]
    views = tiny_run.views(as_of="2025-01-20")
    assert views[RATE].as_of == "2025-01-20T00:00:00"
    assert views["members"].value == tiny_run.metric("members", as_of="2025-01-20")["value"][0]


def test_unknown_names_are_met_with_a_suggestion(tiny_run):
    """Metrics, dimensions and dates."""
    with pytest.raises(QueryError, match="did you mean `payment_success_rate`"):
        tiny_run.metric("payment_succes_rate")
    with pytest.raises(QueryError, match="did you mean `market`"):
        tiny_run.metric(RATE, by="markt")
    with pytest.raises(QueryError, match="'soon' is no date"):
        tiny_run.metric(RATE, as_of="soon")


def test_the_metrics_are_listed(tiny_run):
    """Variants behind their metric."""
    assert tiny_run.metrics == tuple(it.id for it in shipped())
    assert {RATE, f"{RATE}@attempt"} <= set(tiny_run.metrics)
