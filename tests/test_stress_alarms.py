"""Who alarms first: bands of known worlds, steps that must be seen at the step, and one outage lived for real."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from billing_sim.errors import QueryError
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.definition import Definition
from billing_sim.stress import alarms, kept, watched
from billing_sim.stress.alarms import Alarms, lag_of, lags, with_alarms
from billing_sim.stress.bands import Band, achieved, band_of, first_alarms
from billing_sim.stress.case import Case, find_cases, load_case
from billing_sim.stress.damages import Stale
from billing_sim.stress.lab import Matrix, bench
from billing_sim.stress.watching import Watch, moments_of
from billing_sim.truth.estimands import estimands
from tests.lab_samples import SEEDS, lives, told
from tests.stress_builder import case, cell, definition

KNOWN = {it.id: it for it in shipped()}
MOMENTS, WORLDS = 12, 200
WEEKS = np.arange(MOMENTS) * 7.0
END = datetime(2025, 9, 1)


def calm(worlds: int, seed: int, kind: str = "apart") -> np.ndarray:
    """Normal worlds around a trend, float64[12, worlds]: each moment on its own, or one walk from moment to moment."""
    luck = np.random.default_rng(seed).normal(size=(MOMENTS, worlds))
    return WEEKS[:, None] + (luck.cumsum(axis=0) if kind == "walk" else luck)


def level(kind: str) -> float:
    """The share of 1,000 further worlds that alarm, over 40 bands."""
    found = [band_of(calm(WORLDS, i, kind)).alarms(calm(1000, 99 + i, kind)).any(axis=0).mean() for i in range(40)]
    return float(np.mean(found))


@pytest.mark.parametrize("kind", ["apart", "walk"])
def test_one_world_in_twenty_alarms_while_nothing_happens(kind: str):
    """Whether moments are luck of their own or a walk; the mean of 40 bands is known to 0.3 points."""
    assert level(kind) == pytest.approx(0.05, abs=0.01)


def test_twelve_independent_moments_need_nearly_three_spreads():
    """The exact multiplier of normal moments is 2.86: 1 - 0.95 ** (1 / 12) in both tails."""
    found = np.mean([band_of(calm(WORLDS, seed)).multiplier for seed in range(40)])
    assert found == pytest.approx(2.86, abs=0.08)


def test_the_multiplier_is_the_largest_distance_of_a_world_from_all_others():
    """Of nineteen worlds; of thirty-nine one may lie farther out."""
    worlds = calm(39, 3)[:1]

    def farthest(values: np.ndarray) -> list[float]:
        others = [np.delete(values[0], i) for i in range(values.shape[1])]
        pairs = zip(values[0], others, strict=True)
        return sorted(abs(value - other.mean()) / other.std(ddof=1) for value, other in pairs)

    assert band_of(worlds[:, :19]).multiplier == pytest.approx(farthest(worlds[:, :19])[-1])
    assert band_of(worlds).multiplier == pytest.approx(farthest(worlds)[-2])


def test_the_level_is_measured_on_the_other_half():
    """Halves that are alike keep it; halves of other worlds do not."""
    worlds = calm(1000, 5)
    assert achieved(worlds) == pytest.approx(0.05, abs=0.02)
    worlds[:, 1::2] += 8
    assert achieved(worlds) == 1.0


def test_a_step_alarms_at_the_step_on_either_side():
    """Ten spreads up in one world and down in another; the third is calm."""
    band = Band(np.zeros(MOMENTS), np.ones(MOMENTS), 3.0)
    values = np.zeros((MOMENTS, 3))
    values[5:, 0], values[7:, 1] = 10, -10
    assert first_alarms(band, values, WEEKS, 20).tolist() == [35.0, 49.0, np.inf]


def test_an_alarm_of_before_does_not_count():
    """It was luck: nothing had happened. At the day itself nothing can have been recorded yet."""
    band = Band(np.zeros(MOMENTS), np.ones(MOMENTS), 3.0)
    values = np.zeros((MOMENTS, 2))
    values[2, 0] = values[3, 1] = 10
    assert first_alarms(band, values, WEEKS, 21).tolist() == [np.inf, np.inf]
    assert first_alarms(band, values, WEEKS, 20).tolist() == [np.inf, 21.0]


def test_what_never_varies_alarms_at_the_slightest_change():
    """And not at what is the same but for rounding."""
    band = band_of(np.full((2, 30), 0.3))
    values = np.array([[0.3, 0.1 + 0.2, 0.3001], [0.3, 0.3, 0.3]])
    assert band.alarms(values).any(axis=0).tolist() == [False, False, True]


def test_what_is_undefined_raises_no_alarm():
    """A world without a value is silent; a moment at which every fourth is without is not watched."""
    known = calm(40, 1)
    known[3, ::4] = np.nan
    band = band_of(known)
    values = np.full((MOMENTS, 1), np.nan)
    assert not band.alarms(values).any()
    values[3] = 1e6
    assert not band.alarms(values).any()
    values[4] = 1e6
    assert np.flatnonzero(band.alarms(values)).tolist() == [4]


def test_a_band_needs_nineteen_worlds():
    """With eighteen the largest of them is exceeded more often than once in twenty."""
    assert np.isfinite(band_of(calm(19, 1)).multiplier)
    with pytest.raises(ValueError, match="take 19 or more"):
        band_of(calm(18, 1))


def test_lags_tell_never_and_silent_apart():
    """Late by a week, early by two, never, and an oracle that is silent whatever the metric says."""
    first = np.array([14.0, 7.0, np.inf, 7.0, np.inf])
    oracle = np.array([7.0, 21.0, 7.0, np.inf, np.inf])
    assert lag_of(first, oracle)[:3].tolist() == [7.0, -14.0, np.inf]
    assert np.isnan(lag_of(first, oracle)[3:]).all()


def test_the_detection_lag_is_the_median_over_cases():
    """Of the worlds in which the oracle alarms."""
    told = {("churn", "a"): np.array([0.0, 7.0, np.nan]), ("churn", "b"): np.array([np.inf, 14.0, 7.0]),
            ("members", "a"): np.array([np.nan])}  # fmt: skip
    assert Alarms({}, told).detection_lag("churn") == 7.0
    assert Alarms({}, told).detection_lag("members") is None


def test_moments_are_counted_back_from_the_end():
    """So that they are the same for every case; none lies before the start."""
    found = moments_of(lives(), date(2025, 7, 1))
    assert (found[0], found[-1], len(found)) == (datetime(2025, 6, 16), END, 12)
    assert moments_of(lives(), date(2025, 1, 10))[0] == datetime(2025, 1, 6)


def counted(told_of: str, fact: str, since: datetime, until: datetime, column: str = "issued_at") -> np.ndarray:
    """The rows of a fact by seed with a moment in [since, until), from the lab's facts of the whole span."""
    table = getattr(told(), told_of).tables[fact]
    rows = table.filter(pc.and_(pc.greater_equal(table[column], since), pc.less(table[column], until)))
    return np.bincount(rows["group"].to_numpy(), minlength=SEEDS)


def query(sql: str) -> Definition:
    """A query as anybody would write one."""
    fields = {
        "id": "asked", "view": "product", "tier": "supporting", "title": "Asked", "question": "How many?",
        "kind": "sum", "formula": "all", "direction": "neither", "unit": "count", "sql": sql,
        "estimand": "members", "misleads": "No.",
    }  # fmt: skip
    return Definition.model_validate(fields)


def test_a_definition_is_read_over_its_last_countable_month():
    """Twenty-eight days of invoices, of attempts, and as many before the horizon where outcomes take time."""
    watch, days = Watch(lives(), range(1, SEEDS + 1)), timedelta(days=28)
    seen = told().now
    plain = KNOWN["collected"].model_copy(
        update={"clock": "issued_at", "where": "", "exclude": (), "numerator": "1", "unit": "count"}
    )
    ripe = plain.model_copy(update={"id": "ripe", "matures": "dunning"})
    found = watch.readings([plain, ripe], [END])
    assert found["collected"][0].tolist() == counted("reading", "invoices", END - days, END).tolist()
    edge, instant = END - seen.dunning, timedelta(microseconds=1)
    expected = counted("reading", "invoices", edge - days + instant, edge + instant)
    assert found["ripe"][0].tolist() == expected.tolist()


def test_monthly_rates_are_those_of_the_last_whole_month_and_queries_of_the_last_period():
    """In July both speak of June, or of as much of July as there is."""
    by_month = """SELECT date_trunc('month', issued_at) AS period, "group", count(*) AS numerator, 1 AS denominator
      FROM invoices WHERE issued_at IS NOT NULL GROUP BY ALL;"""
    watch = Watch(lives(), range(1, SEEDS + 1))
    july = [datetime(2025, 7, day) for day in (8, 15)]
    found = watch.readings([KNOWN["churn"], query(by_month)], july)
    assert found["churn"][0] == pytest.approx(found["churn"][1], abs=2e-3)
    assert 0 < found["churn"][0].mean() < 0.1
    for values, moment in zip(found["asked"], july, strict=True):
        assert values == pytest.approx(counted("complete", "invoices", datetime(2025, 7, 1), moment), abs=2)


def test_the_oracle_sees_the_end_of_what_has_just_begun():
    """Invoices of the last 28 days, paid in the end; the month in progress; declines and their causes."""
    wanted = [estimands()[name] for name in ("payment_success", "members", "lasting_causes")]
    found = Watch(lives(), range(1, SEEDS + 1)).truths(wanted, [datetime(2025, 6, 30), END])
    table = told().clean.tables["invoices"]
    begun = pc.greater_equal(table["issued_at"], END - timedelta(days=28))
    recent = table.filter(pc.and_(begun, pc.less(table["issued_at"], END)))
    due = recent.filter(pc.greater(recent["amount_minor"], 0))
    paid = due.filter(pc.equal(due["status"].cast("string"), "paid"))
    share = np.bincount(paid["group"].to_numpy(), minlength=SEEDS) / np.bincount(
        due["group"].to_numpy(), minlength=SEEDS
    )
    assert found["payment_success"][1] == pytest.approx(share)
    assert np.isfinite(found["members"]).all()
    assert ((found["lasting_causes"] > 0) & (found["lasting_causes"] < 1)).all()


def test_a_stale_log_hides_the_last_days_from_readers_and_not_from_the_oracle():
    """At every moment of the watch, not only at the end."""
    at, asked, claim = [datetime(2025, 7, 8), END], [KNOWN["billed"]], [estimands()["payment_success"]]
    seeds = range(1, SEEDS + 1)
    whole, stale = Watch(lives(), seeds), Watch(lives(), seeds, (Stale(kind="stale", last="7 days"),))
    ratio = stale.readings(asked, at)["billed"] / whole.readings(asked, at)["billed"]
    assert ((ratio > 0.6) & (ratio < 0.9)).all()
    assert stale.truths(claim, at)["payment_success"].tolist() == whole.truths(claim, at)["payment_success"].tolist()


def test_only_what_nobody_asked_before_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A second watch adds its moments to the file; a third finds all of them."""
    asked: list[tuple[str, list[int]]] = []

    def readings(_watch: Watch, definitions: list[Definition], moments: list[datetime]) -> dict[str, np.ndarray]:
        asked.extend((it.id, [moment.day for moment in moments]) for it in definitions)
        return {it.id: np.array([[moment.day, 0.5] for moment in moments]) for it in definitions}

    monkeypatch.setattr(kept, "cache_folder", lambda: tmp_path / "code")
    monkeypatch.setattr(Watch, "readings", readings)
    days = [datetime(2025, 7, day) for day in (1, 8, 15)]

    def again(*at: int) -> list[list[float]]:
        found = watched.watched(lives(), range(2), (), [KNOWN["churn"]], [], [days[i] for i in at])
        return [[float(value) for value in row] for row in found.reading["churn"]]

    assert again(1) == [[8, 0.5]]
    assert again(0, 1, 2) == [[1, 0.5], [8, 0.5], [15, 0.5]]
    assert again(2, 0) == [[15, 0.5], [1, 0.5]]
    assert asked == [("churn", [8]), ("churn", [1, 15])]


def outage(folder: Path) -> Case:
    """From the first of July on no gateway answers, and nothing that falls due is ever paid."""
    gateways = "\n".join(
        f"      - {{kind: gateway_outage, at: 2025-07-01, gateway: {name}, duration: 60 days, failing: 100%}}"
        for name in ("northpay", "harborpay")
    )
    head = "case: dead\ntitle: Nobody is paid\nsince: 2025-07-01\nmoral: Look early."
    (folder / "dead.yaml").write_text(f"{head}\ninject:\n  scenario:\n    timeline:\n{gateways}\n", encoding="utf-8")
    return load_case(folder / "dead.yaml")


def test_an_outage_shows_at_once_in_first_attempts_and_a_dunning_later_in_what_is_paid(tmp_path: Path):
    """The oracle of both alarms within the week; what must mature says nothing until dunning is over."""
    asked = [KNOWN["first_attempt_success_rate@answer"], KNOWN["payment_success_rate"]]
    on = bench(members=300)
    found = lags(asked, outage(tmp_path), on, range(1, 4), band_seeds=20)
    horizon = told().now.dunning / timedelta(days=1)
    assert found[asked[0].id].tolist() == [0.0, 0.0, 0.0]
    assert ((found[asked[1].id] > horizon - 7) & (found[asked[1].id] < horizon + 14)).all()


def test_what_holds_and_never_alarms_is_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Cells that do not hold, and cases without a date, are not watched; the matrix's own seeds are."""
    good, bad, stale = definition("good"), definition("bad"), Stale(kind="stale", last="7 days")
    dated, undated = (
        replace(case(tmp_path, "dated"), since=date(2025, 7, 1), damages=(stale,)),
        case(tmp_path, "undated"),
    )
    matrix = Matrix((good, bad), (dated, undated), seeds=20)
    for its in matrix.cases:
        matrix.cells |= {("good", its.name): cell(good, its, 0.02, 0.02), ("bad", its.name): cell(bad, its, 0.0, 0.02)}
    asked = []

    def never(definitions: list[Definition], case: Case, _on: object, seeds: range, *_more: object):
        asked.append(([it.id for it in definitions], case.name, seeds))
        return {it.id: np.full(len(seeds), np.inf) for it in definitions}

    monkeypatch.setattr(alarms, "lags", never)
    found = with_alarms(matrix, bench(members=300))
    assert asked == [(["good"], "dated", range(1, 21))]
    assert [(key, it.name, it.was) for key, it in found.verdicts.items()] == [(("good", "dated"), "late", "holds")]
    assert found.detection_lag("good") == np.inf


def test_only_dated_cases_can_be_late():
    """Asked for directly, a case without a date is refused; in a matrix it is passed over."""
    on, undated = bench(members=300), find_cases(["more_retries"])
    with pytest.raises(QueryError, match="more_retries has no date"):
        lags([KNOWN["churn"]], undated[0], on, range(2))
    with pytest.raises(QueryError, match="take 19 or more"):
        lags([KNOWN["churn"]], find_cases(["price_rise"])[0], on, range(2), band_seeds=18)
    assert with_alarms(Matrix((KNOWN["churn"],), tuple(undated), seeds=2), on) == Alarms()
