"""The four views against one query over the bare log, which shares neither facts nor engine with them."""

from __future__ import annotations

import pytest

import billing_sim
from billing_sim.metrics import shapes
from tests.bench import same_sums


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("from_log") / "run"
    return billing_sim.run("scenarios/streaming.yaml", members=6000, log="all", out=folder)


@pytest.fixture(scope="module")
def rows(run):
    return same_sums.add_up(same_sums.connection_to(run.stored))


@pytest.fixture(scope="module")
def views(run):
    return run.views()


def test_the_log_adds_up_to_what_the_views_divide(rows, views):
    summed = same_sums.totals(rows)
    assert len(summed) == 38
    assert not same_sums.unlike(same_sums.shown(views, summed), summed)
    assert all(numerator for numerator, _ in summed.values()), "a sum that is nothing says nothing"


@pytest.mark.parametrize(("metric", "within"), [("time_to_recover_p50", 0.0), ("gateway_latency_p99", 0.004)])
def test_quantiles_of_months_are_those_of_the_log(rows, views, metric, within):
    by_month = {f"{month:%Y-%m}": value for of, month, value, _ in rows if of == metric and month}
    shown = {it.dims[shapes.MONTH]: it.value for it in views[metric].months if it.value is not None}
    assert len(shown) > 9
    for month, value in shown.items():
        assert value == pytest.approx(float(by_month[month]), rel=within, abs=0), month
