"""Simulated against published: every figure has its source, its counterpart is counted right, errors are as defined."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import billing_sim
from billing_sim.calibration.comparing import Compared, Estimate, compare, normalised_error
from billing_sim.calibration.measures import MEASURES
from billing_sim.calibration.published import RELATIVE, Row, digest, published, sources
from billing_sim.calibration.special import WORLDS, change_of
from billing_sim.calibration.worlds import Lived, ground, live
from billing_sim.errors import QueryError

ROOT = Path(__file__).parent.parent
STREAMING = ROOT / "scenarios" / "streaming.yaml"
FIRST_MONTH = ROOT / "scenarios" / "first_month.yaml"


@cache
def lived(name: str = "main") -> Lived:
    """A small streaming world of this kind."""
    on = ground(STREAMING, members=1500)
    return live(on.scenario(change_of(name, on)), truth=True)


def row(**changed) -> Row:
    """A row with these values, that claims what a checked row claims."""
    values = {"id": "r", "section": "s", "what": "w", "measure": "churn", "unit": "%", "source": "nflx_us_churn",
              "counts": "c", "status": "checked"}  # fmt: skip
    return Row.model_validate(values | changed)


# The figures.


def test_every_row_says_where_its_figure_comes_from_and_what_it_counts():
    """Title, address, year and definition of the source; unit, measure and world that exist."""
    found = published()
    assert len(found.rows) > 120
    assert len({it.id for it in found.rows}) == len(found.rows)
    for it in found.rows:
        source = sources()[it.source]
        assert source.definition
        assert source.title
        assert it.status == "assumed" or (source.url and source.year and source.confidence in "ABC")
        assert it.unit
        assert it.counts
        assert it.measure in MEASURES
        assert it.world in WORLDS
        assert not it.beside or it.beside in WORLDS


def test_the_parts_that_a_reader_expects_are_there():
    """Members and revenue by region, churn by tenure, involuntary share, codes by card, recovery, and so on."""
    sections = {it.section for it in published().rows}
    assert sections == {
        "members", "churn", "first attempts", "direct debit", "decline codes", "recovery by day", "recovery",
        "recovery by method", "rejoining", "price rise", "disputes", "contacts",
    }  # fmt: skip
    days = [it for it in published().rows if it.section == "recovery by day"]
    assert {it.world for it in days} == {"generic", "smart", "netflix_like"}
    assert {it.status for it in published().rows} == {"fitted", "checked", "assumed"}


def test_every_collected_source_is_compared_or_said_not_to_be():
    """Nothing is dropped silently."""
    used = {it.source for it in published().rows}
    assert used | set(published().left_out) == set(sources())
    assert not used & set(published().left_out)
    assert all(len(reason) > 10 for reason in published().left_out.values())


def test_fitted_rows_say_what_they_moved_and_no_others_of_the_published_do():
    """Otherwise a figure might test what it was used for."""
    for it in published().rows:
        if it.status != "assumed":
            assert bool(it.moved) == (it.status == "fitted"), it.id


@pytest.mark.parametrize(
    "wrong",
    [
        {"published": 2.0, "low": 1.0, "high": 3.0},
        {},
        {"published": 2.0, "status": "fitted"},
        {"published": 2.0, "moved": ["a"]},
        {"published": 0.0},
        {"published": 2.0, "status": "assumed"},
    ],
)
def test_a_row_that_contradicts_itself_is_refused(wrong):
    """Two figures or none, fitted to nothing, no tolerance, a source for what is assumed."""
    with pytest.raises(ValueError, match=r"r: "):
        row(**wrong)


# Distance and error.


def test_distance_in_tolerances():
    """Of a range half of it, of a figure what it declares or a share by confidence, of a bound one side only."""
    assert row(low=1.8, high=2.0).distance(2.1) == pytest.approx(2.0)
    assert row(published=2.0, tolerance=0.5).distance(1.0) == pytest.approx(-2.0)
    assert row(published=2.0).distance(2.2) == pytest.approx(0.2 / (RELATIVE["A"] * 2.0))
    assert row(at_least=40.0).distance(55.0) == 0.0
    assert row(at_least=40.0).distance(38.0) == pytest.approx(-1.0)


def test_the_normalised_error_is_the_root_mean_square_of_distances():
    """Closed form, by status; a row without a value adds nothing."""
    rows = [
        Compared(row(published=2.0, tolerance=1.0), Estimate((5.0,))),
        Compared(row(published=2.0, tolerance=1.0), Estimate((-2.0,))),
        Compared(row(published=2.0, tolerance=1.0), None, "no such market"),
        Compared(row(published=2.0, tolerance=1.0, status="fitted", moved=["a"]), Estimate((2.5,))),
    ]
    assert normalised_error(rows, "checked") == pytest.approx(math.sqrt((9 + 16) / 2))
    assert normalised_error(rows, "fitted") == pytest.approx(0.5)
    assert math.isnan(normalised_error(rows, "assumed"))


def test_the_interval_is_students():
    """Against SciPy, to the sixth digit."""
    values = (1.0, 1.4, 0.7, 1.1)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (Estimate(values).low, Estimate(values).high) == pytest.approx((low, high), rel=1e-6)
    assert math.isinf(Estimate((1.0,)).half_width)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [((2.0, 2.02, 1.98), "near"), ((4.0, 4.02, 3.98), "far"), ((2.0, 4.0), "unclear"), ((2.4, 2.6), "unclear")],
)
def test_a_verdict_needs_the_whole_interval(values, verdict):
    """Near or far only where luck could not have said otherwise."""
    assert Compared(row(published=2.0, tolerance=0.5), Estimate(values)).verdict == verdict


@pytest.mark.parametrize(("value", "verdict"), [(2.1, "near?"), (4.0, "far?")])
def test_one_world_gives_a_guess(value, verdict):
    """Without an interval nothing is sure, and nothing is told as far off for sure."""
    found = Compared(row(published=2.0, tolerance=0.5), Estimate((value,)))
    assert found.verdict == verdict
    assert found.as_dict()["low"] is None


def test_an_interval_beyond_a_share_is_noticed():
    """Two worlds that differ much; not a value that is no share, nor an interval within."""
    share = row(published=40.0, tolerance=5.0, unit="%")
    assert Compared(share, Estimate((10.0, 40.0))).is_beyond_a_share
    assert not Compared(share, Estimate((40.0, 41.0))).is_beyond_a_share
    assert not Compared(share, Estimate((10.0,))).is_beyond_a_share
    assert not Compared(row(published=40.0, tolerance=5.0, unit="USD"), Estimate((10.0, 40.0))).is_beyond_a_share


# Measures against another way of counting.


def test_a_world_in_memory_is_the_run_on_the_disk(tmp_path):
    """The same facts, row by row, as a run of the same scenario."""
    on = ground(FIRST_MONTH, members=300)
    run = billing_sim.run(FIRST_MONTH, members=300, out=tmp_path / "run")
    ours = live(on.scenario())
    for table in ("invoices", "attempts", "subscription_months"):
        count = f"SELECT count(*), sum(hash(subscriber, spell, method)), max(subscriber) FROM {table}"
        assert [tuple(it) for it in run.sql(count).to_numpy()] == [
            tuple(it) for it in np.array(ours.rows(count), dtype=object)
        ]


def test_churn_against_a_loop():
    """Members of the start of each month, and who of them was lost, counted in Python."""
    world = lived()
    rows = world.rows("SELECT active_at_start, ended FROM subscription_months WHERE region = 'EMEA'")
    members = [ended for active, ended in rows if active]
    lost = [ended for ended in members if ended in ("nonpayment", "payment_trouble")]
    found = MEASURES["churn"](world, region="EMEA", reasons=["nonpayment", "payment_trouble"])
    assert found == pytest.approx(len(lost) / len(members))
    assert len(lost) > 10


def test_recovery_by_day_against_a_loop():
    """Who was paid so many days after failing, invoice by invoice."""
    world = lived("generic")
    rows = world.rows(
        "SELECT first_failed_at, paid_at, status FROM invoices WHERE NOT is_signup AND NOT is_imported "
        "AND amount_minor > 0 AND method IN ('credit', 'debit') AND first_failed_at < TIMESTAMP '2025-12-01'"
    )
    failed = [it for it in rows if it[0] is not None]
    for day in (0, 3, 14):
        paid = [
            1 for at, paid, status in failed if status == "paid" and (paid - at).total_seconds() < 86400 * (day + 0.5)
        ]
        found = MEASURES["recovered_by_day"](world, day=day, methods=["credit", "debit"])
        assert found == pytest.approx(len(paid) / len(failed))


def test_rejoining_against_a_loop():
    """The next spell of the same person, within so many months of the end of the one before."""
    world = lived("years")
    rows = world.rows("SELECT subscriber, spell, started_at, ended_at FROM subscriptions WHERE region = 'UCAN'")
    begun = {(who, spell): started for who, spell, started, _ in rows}
    left = [it for it in rows if it[3] is not None and it[3].year == 2025]
    back = [1 for who, spell, _, ended in left
            if (who, spell + 1) in begun and begun[who, spell + 1] < _months_later(ended, 6)]  # fmt: skip
    assert MEASURES["rejoined"](world, months=6, region="UCAN") == pytest.approx(len(back) / len(left))
    assert len(back) > 10


def _months_later(moment, months):
    """The same day and hour so many months later, or the last of its month."""
    import calendar

    month = moment.month - 1 + months
    year, month = moment.year + month // 12, month % 12 + 1
    return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))


def test_hidden_funds_against_a_loop():
    """The sealed cause of each attempt with code 05, looked up one by one."""
    world = lived()
    causes = {
        (who, invoice, attempt): cause
        for who, invoice, attempt, cause in world.rows(
            "SELECT subscriber, invoice, attempt, cause FROM truth WHERE kind = 'decline.explained'"
        )
    }
    attempts = world.rows(
        "SELECT subscriber, invoice, attempt FROM attempts WHERE outcome = 'declined' AND code = '05' "
        "AND initiator = 'mit' AND NOT is_signup AND method IN ('credit', 'debit') AND amount_minor > 0"
    )
    hidden = [1 for it in attempts if causes[it] == "funds"]
    assert MEASURES["hidden_funds"](world, methods=["credit", "debit"]) == pytest.approx(len(hidden) / len(attempts))


def test_members_revenue_and_tenure_by_hand():
    """Regions add up to the whole; revenue is the mean of both ends; tenure bands cover everybody."""
    world = lived()
    regions = ("UCAN", "EMEA", "LATAM", "APAC")
    assert sum(MEASURES["members_at_start"](world, 301.63, it) for it in regions) == pytest.approx(301.63)
    months = world.rows(
        "SELECT mrr_start_micros, mrr_end_micros, active_at_start, active_at_end FROM subscription_months "
        "WHERE month = DATE '2025-01-01' AND region = 'UCAN'"
    )
    revenue = sum(it[0] + it[1] for it in months) / 1e6 / sum(it[2] + it[3] for it in months)
    assert MEASURES["revenue_per_member"](world, region="UCAN") == pytest.approx(revenue)
    rows = world.rows("SELECT joined_on, ended FROM subscription_months WHERE active_at_start AND month = '2025-06-01'")
    young = [it for it in rows if (2025 - it[0].year) * 12 + 6 - it[0].month - (it[0].day > 1) < 12]
    everywhere = MEASURES["churn_by_tenure"](world, months="0-1200")
    assert everywhere == pytest.approx(MEASURES["churn"](world))
    assert 0 < len(young) < len(rows)


def test_a_price_rise_is_measured_on_the_same_people():
    """With nothing added to churn the rows of both worlds are the same but for the rise, so the effect is luck-free."""
    on = ground(STREAMING, members=1500)
    effect = next(it for it in published().rows if it.id == "strong_rise")
    (found,) = compare([effect], on, [1])
    calm, rise = (
        100 * MEASURES["cancels_in_month"](lived(name), market="US", number=1, without=["carrier_partner"])
        for name in ("calm", "rise")
    )
    assert found.estimate.mean == pytest.approx(rise - calm)
    assert found.estimate.mean > 0.2


# The question as a whole.


def test_what_a_scenario_lacks_is_said():
    """A market, a region or a world that does not fit: not compared, with the reason."""
    found = billing_sim.calibrate(FIRST_MONTH, members=200, seeds=1, sections="direct debit")
    assert {it.reason for it in found.rows} == {"the scenario has no market in EMEA"}
    assert "nothing was compared" in repr(found)
    assert set(found.to_json()["normalised_error"].values()) == {None}


def test_calibrate_says_everything_in_each_form():
    """Table, JSON, CSV and DataFrame tell the same rows."""
    found = billing_sim.calibrate(STREAMING, members=300, seeds=2, sections=["disputes", "decline codes"])
    assert found.seeds == (1, 2)
    told = found.to_json()
    assert told["figures"] == digest()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert [it["id"] for it in told["rows"]] == [it.row.id for it in found.rows] == list(found.table()["id"])
    assert len(found.to_csv().splitlines()) == len(found.rows) + 1
    text = repr(found)
    assert "Normalised error, in tolerances" in text
    assert "latent_causes.credit" in text
    assert not any(name in text for name in published().left_out)
    assert max(map(len, text.splitlines())) <= 80
    whole = repr(replace(found, left_out=dict(published().left_out)))
    assert all(name in whole for name in published().left_out)
    assert found["visa_dnh"].row.status == "checked"
    with pytest.raises(QueryError, match="visa_dnh"):
        found["visa_dnd"]


def test_one_seed_is_told_as_such():
    """The legend speaks of one world, of no interval, and names no row as far for sure; in eighty columns."""
    text = repr(billing_sim.calibrate(STREAMING, members=300, seeds=1, sections=["churn", "decline codes"]))
    words = " ".join(text.split())
    assert "far?: one world without an interval" in words
    assert "whole interval" not in words
    assert "Farthest off" not in words
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(("asked", "said"), [({"seeds": 0}, "use 1 at least"), ({"sections": "chrun"}, "churn")])
def test_senseless_questions_are_refused(asked, said):
    """With what would make sense."""
    with pytest.raises(QueryError, match=said):
        billing_sim.calibrate(STREAMING, members=100, **asked)


def test_the_page_names_every_row_and_was_made_of_these_figures():
    """Whoever changes a figure makes the page anew: `make calibration`."""
    page = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
    assert f"Published figures: `{digest()}`." in page
    cells = {line.split(" | ")[0].removeprefix("| ") for line in page.splitlines() if line.startswith("| ")}
    assert [it.id for it in published().rows if it.id not in cells] == []
    assert [name for name in published().left_out if f"| `{name}` |" not in page] == []
    assert (ROOT / "docs" / "pictures" / "sensitivity.svg").read_text(encoding="utf-8").startswith("<svg")


def test_without_the_usual_scenario_it_says_how_to_name_one(tmp_path, monkeypatch):
    """From a folder of one's own, where nobody has typed a path."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(QueryError, match=r"where no scenario is named, is not below this folder: name a scenario, as"):
        billing_sim.calibrate()
