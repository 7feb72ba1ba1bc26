"""Curves of the report card: month by month, with a case and without, as a run of the same world says it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import billing_sim
from billing_sim.metrics.catalogue import shipped
from billing_sim.stress import curves, lab
from billing_sim.stress.case import BASE, find_cases
from billing_sim.stress.curves import curves_of
from tests.conftest import SCENARIOS

MEMBERS = 400
RATE, ATTEMPT, MONEY = "payment_success_rate", "payment_success_rate@attempt", "collected"
NAMES = (RATE, ATTEMPT, MONEY, "involuntary_churn@no_valid_card", "event_freshness", "members")
CASES = ("gateway_outage", "lost_failures", "right_censored_dunning", "agents_halved", "late_events")


@pytest.fixture(scope="module")
def bench():
    """The lab's own scenario, smaller."""
    return lab.bench(BASE, members=MEMBERS)


@pytest.fixture(scope="module")
def matrix(bench):
    """A few definitions in cases of every kind."""
    return lab.stress([shipped()[name] for name in NAMES], find_cases(CASES), bench, seeds=2, most=2)


@pytest.fixture(scope="module")
def drawn(matrix, bench):
    """Their curves."""
    return curves_of(matrix, bench)


def test_without_the_case_it_says_what_a_run_says(matrix, bench, monkeypatch, tmp_path):
    """One seed alone, against the months of the same run read from its files: rates, sums, stocks and queries."""
    monkeypatch.setattr(curves, "SEEDS", 1)
    found = curves_of(matrix, bench).without["gateway_outage"]
    run = billing_sim.run(BASE, members=MEMBERS, seed=bench.scenario.seed, out=tmp_path / "run")
    frame = run.metric([*NAMES], by=["month"])
    months = curves_of(matrix, bench).months
    for name in NAMES:
        rows = frame[frame["metric"] == name].set_index("month")["value"]
        told = dict(zip(months, found.reading[name], strict=True))
        assert len(rows) >= 7, name
        for month, value in rows.items():
            assert told[str(month)[:7]] == pytest.approx(value, nan_ok=True), (name, month)


def test_several_seeds_of_a_sum_are_one_world(drawn, bench):
    """Money and members are those of one world, not of four."""
    members = drawn.without["gateway_outage"].reading["members"]
    assert np.nanmax(np.abs(members - MEMBERS)) < MEMBERS / 4


def test_an_outage_moves_the_metric_in_its_month_and_no_other(drawn):
    """Three days in May: the rate by attempt falls then, and what is paid in the end hardly does."""
    own, other = drawn.with_case["gateway_outage"], drawn.without["gateway_outage"]
    fall = dict(zip(drawn.months, own.reading[ATTEMPT] - other.reading[ATTEMPT], strict=True))
    assert fall["2025-05"] < -0.03
    assert all(abs(it) < 0.01 for month, it in fall.items() if month != "2025-05")
    truth = own.truth["payment_success"] - other.truth["payment_success"]
    assert np.nanmax(np.abs(truth)) < 0.01


def test_a_damaged_log_leaves_the_truth_as_it_was(drawn):
    """Failures that are not logged raise the rate; what is so does not move. What is about the log does."""
    own, other = drawn.with_case["lost_failures"], drawn.without["lost_failures"]
    assert (own.reading[ATTEMPT] > other.reading[ATTEMPT]).all()
    assert np.array_equal(own.truth["payment_success"], other.truth["payment_success"])
    late, timely = drawn.with_case["late_events"], drawn.without["late_events"]
    assert np.nanmin(late.truth["log_timeliness"] - timely.truth["log_timeliness"]) < -0.01


def test_where_a_case_only_looks_complete_data_are_beside_it(drawn):
    """Nothing is injected: the other line is what will be known."""
    own, other = drawn.with_case["right_censored_dunning"], drawn.without["right_censored_dunning"]
    assert np.array_equal(own.truth["payment_success"], other.truth["payment_success"])
    assert not np.isfinite(own.reading[RATE][-1])
    plain = drawn.without["gateway_outage"].reading
    assert np.array_equal(own.reading[RATE], plain[RATE], equal_nan=True)


def test_a_base_with_what_a_case_needs_is_its_own(drawn):
    """The case about a desk brings one along in both worlds."""
    both = [lines["agents_halved"].reading[MONEY] for lines in (drawn.without, drawn.with_case)]
    assert not np.array_equal(drawn.without["gateway_outage"].reading[MONEY], both[0])


def test_the_second_time_nobody_lives_again(matrix, bench, drawn, monkeypatch):
    """Curves are kept with the readings of the lab."""
    monkeypatch.setattr(curves._World, "_read", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr(curves._World, "_tell", lambda *_: pytest.fail("told again"))
    again = curves_of(matrix, bench)
    for name in CASES:
        assert np.array_equal(again.with_case[name].reading[RATE], drawn.with_case[name].reading[RATE], equal_nan=True)


def test_only_whole_months_are_drawn():
    """What a scenario cuts off would look like a fall."""
    from datetime import date

    ends = curves._month_ends(date(2025, 11, 15), date(2026, 2, 10))
    assert [f"{it:%Y-%m-%d}" for it in ends] == ["2026-01-01", "2026-02-01"]
    assert [f"{curves._first_of(it):%Y-%m}" for it in ends] == ["2025-12", "2026-01"]
    assert [f"{it:%Y-%m}" for it in curves._month_ends(date(2025, 1, 1), date(2025, 3, 1))] == ["2025-02", "2025-03"]
    assert curves._month_ends(date(2025, 1, 2), date(2025, 2, 20)) == []


def test_a_query_is_drawn_whoever_stands_beside_it(bench):
    """It counts members at the start, which nobody else needs; alone with its metric it once failed."""
    names = ["involuntary_churn", "involuntary_churn@no_valid_card"]
    matrix = lab.stress([shipped()[name] for name in names], find_cases(["gateway_outage"]), bench, seeds=2, most=2)
    found = curves_of(matrix, bench)
    assert np.isfinite(found.with_case["gateway_outage"].reading["involuntary_churn@no_valid_card"]).any()


def test_without_a_whole_month_there_is_a_card_without_curves(tmp_path):
    """Six weeks across the turn of a month."""
    text = (SCENARIOS / "first_month.yaml").read_text()
    (tmp_path / "short.yaml").write_text(
        re.sub(
            r"^start: .*$", "start: 2025-01-05", re.sub(r"^end: .*$", "end: 2025-02-20", text, flags=re.M), flags=re.M
        )
    )
    found = billing_sim.stress(
        RATE, cases=["late_events"], scenario=tmp_path / "short.yaml", members=200, seeds=2
    )  # fmt: skip
    assert '"curves":null' in found.report_card()


def test_the_card_holds_every_line(tmp_path):
    """Months, and for each cell the line with the case and that without, each once."""
    seen = []
    found = billing_sim.stress([RATE], cases=["gateway_outage", "lost_failures"], members=MEMBERS, seeds=2)
    page = found.report_card(report=lambda done, total: seen.append((done, total)))
    told = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])
    held, place = told["curves"], [it["id"] for it in told["definitions"]].index(ATTEMPT)
    assert held["months"][0] == "2025-01"
    own, other = (held["lines"][number] for number in held["cells"][place][0])
    assert own[4] < other[4] - 0.03
    assert held["cells"][place][0][1] == held["cells"][place][1][1]
    assert held["truths"]["payment_success"][1][0] == held["truths"]["payment_success"][1][1]
    assert seen[-1][0] == seen[-1][1] == 3
