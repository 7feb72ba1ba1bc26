"""Many seeds in one table say what each of them says alone, and complete facts are the future of the same units."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import billing_sim
from billing_sim import clock
from billing_sim.drivers import paired
from billing_sim.errors import QueryError
from billing_sim.metrics import queries
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import compute
from billing_sim.metrics.source import RunFolder
from billing_sim.scenario.emit import emit
from billing_sim.stress import lives as stress_lives
from billing_sim.stress import seed_queries, seeing
from billing_sim.stress.bundle import _live
from billing_sim.stress.case import find_cases
from billing_sim.stress.lives import Lives
from billing_sim.stress.looked import ALL, looked_at
from billing_sim.stress.readings import _Kept, is_kept, read_world
from billing_sim.stress.telling import Teller
from billing_sim.truth.estimands import estimands
from billing_sim.world.announce import announcements
from billing_sim.world.compile import compile_world
from tests.lab_samples import SEEDS, lives, small, told

EVERY = tuple(shipped())
SUMMED = [it for it in EVERY if not it.sql]
GROUPED = [it for it in EVERY if it.sql and queries.is_grouped(it.sql)]


@cache
def readings(complete: bool = False) -> dict[str, np.ndarray]:
    """Every shipped definition in every seed of the base."""
    return seeing.read(told(), EVERY, complete=complete)


@pytest.fixture(scope="module")
def second_seed(tmp_path_factory: pytest.TempPathFactory) -> billing_sim.Run:
    """An ordinary run of the base's second seed."""
    folder = tmp_path_factory.mktemp("second")
    file = folder / "world.yaml"
    file.write_text(emit(small().content), encoding="utf-8")
    return billing_sim.run(file, seed=2, out=folder / "run", log="none")


def test_each_seed_reads_what_an_ordinary_run_to_the_end_would(second_seed):
    """Every shipped definition, computed from a run directory by the engine, and in the lab by seed.

    What the log learns after the run's last instant is in the run's facts, and not in the reading; metrics that count
    at once may differ by what was answered in that minute.
    """
    alone = compute(RunFolder(Path(second_seed.directory)), EVERY)
    late = told().reading.tables["attempts"].num_rows != told().complete.tables["attempts"].num_rows
    wrong = {
        it.id: (it.value, readings()[it.id][1])
        for it in alone
        if not np.isclose(np.nan if it.value is None else it.value, readings()[it.id][1], rtol=0.02, equal_nan=True)
    }
    exact = [
        it.id for it in alone
        if it.value == readings()[it.id][1] or (it.value is None and np.isnan(readings()[it.id][1]))
    ]  # fmt: skip
    assert late
    assert wrong == {}
    assert len(exact) > 0.6 * len(alone)


def assert_same_rows(one: pa.Table, other: pa.Table) -> None:
    """In any order, as often in one as in the other; nulls are alike."""
    assert one.column_names == other.column_names
    assert one.num_rows == other.num_rows
    with duckdb.connect() as connection:
        connection.register("one", one)
        connection.register("other", other)
        assert connection.execute("SELECT * FROM one EXCEPT ALL SELECT * FROM other LIMIT 1").fetchall() == []


@pytest.mark.parametrize("case", ["", "late_events", "uncollectible_as_void"])
def test_who_is_settled_is_told_once_and_nothing_is_lost(case):
    """Reading and complete facts hold the same rows as when everybody is told twice."""
    damages = find_cases([case])[0].damages if case else ()
    world, seeds = lives(case), range(1, SEEDS + 1)
    apart = [Teller(world, ALL, damages, before) for before in (world.end, clock.NEVER)]
    _live(world, seeds, apart)
    for once, twice in zip((told(case).reading, told(case).complete), apart, strict=True):
        assert once.tables.keys() == twice.told.tables.keys()
        for name, table in once.tables.items():
            assert_same_rows(table, twice.told.tables[name])
            sizes = [[it.of(name, number).num_rows for number in range(SEEDS)] for it in (once, twice.told)]
            assert sizes[0] == sizes[1]


def test_the_base_is_lived_once_for_all_that_damages_its_log(monkeypatch):
    """The same rows and truths as when they are lived, also after somebody changed the truths; others live again."""
    lived = []

    def counted(*people, **more):
        lived.append(1)
        return lives_of(*people, **more)

    lives_of = paired.lives
    monkeypatch.setattr(stress_lives.paired, "lives", counted)
    scenario = small().scenario

    def rows_and_truths(world: Lives, seeds: tuple[int, ...]) -> list[tuple[bytes, bytes]]:
        found = [[(it.rows.tobytes(), it.truths.tobytes(), it.truths) for it in one] for one in world.live_each(seeds)]
        for _, _, truths in (block for one in found for block in one):
            truths["subscriber"] = 0
        return [block[:2] for one in found for block in one]

    plain = rows_and_truths(Lives(scenario), (3, 4))
    lived.clear()
    assert rows_and_truths(Lives(scenario, is_base=True), (3, 4)) == plain
    assert len(lived) == 2
    assert rows_and_truths(Lives(scenario, is_base=True), (3, 4)) == plain
    assert len(lived) == 2
    assert rows_and_truths(Lives(scenario, is_base=True), (4, 3)) != plain
    assert len(lived) == 4
    stress_lives.forget_lives()
    assert stress_lives._KEPT._lives == []
    monkeypatch.setattr(stress_lives, "_ROOM_FOR_LIVES", 1)
    assert rows_and_truths(Lives(scenario, is_base=True), (3, 4)) == plain
    assert rows_and_truths(Lives(scenario, is_base=True), (3, 4)) == plain
    assert len(lived) == 8


@pytest.mark.parametrize("definition", [pytest.param(it, id=it.id) for it in GROUPED])
def test_a_query_that_tells_groups_apart_says_the_same_of_one_seed_alone(definition: Definition):
    """Subscribers of different seeds never meet in a join."""
    alone = seed_queries._one_by_one(told().reading, told().now, [definition], SEEDS)[definition.id][2]
    assert alone == pytest.approx(readings()[definition.id][2], nan_ok=True)


def test_a_query_that_tells_no_groups_apart_is_put_to_all_seeds_in_one_statement():
    """Each seed says what it says alone, also where nothing but the world's own events is read."""
    asked = [it for it in EVERY if it.sql and it not in GROUPED]
    with seed_queries._connected(told().complete, told().now, asked, SEEDS, ()) as connection:
        found = {it.id: seed_queries._beside(connection, it, SEEDS) for it in asked}
    alone = seed_queries._one_by_one(told().complete, told().now, asked, SEEDS)
    together = {name: values for name, values in found.items() if values is not None}
    assert len(together) == len(asked) > 5
    for name, values in together.items():
        assert np.array_equal(values, alone[name], equal_nan=True), name


def _query(sql: str) -> Definition:
    fields = {"kind": "ratio", "unit": "share", "sql": sql, "fact": "", "where": "", "clock": "", "numerator": ""}
    return shipped()["lifetime_value"].model_copy(update=fields)


@pytest.mark.parametrize("sql", [
    "WITH attempts AS (SELECT * FROM attempts WHERE attempt = 1) SELECT DATE '2026-01-01' AS period, "
    "sum(amount_minor) AS numerator, count(*) AS denominator FROM attempts;",
    "SELECT issued_at AS period, amount_minor AS numerator, 1 AS denominator FROM invoices ORDER BY subscriber, "
    "invoice LIMIT 7",
    "SELECT DATE '2026-01-01' AS period, 1 AS numerator, 4 AS denominator -- no table at all",
    "SELECT i.issued_at AS period, 1 AS numerator, 2 AS denominator FROM Invoices i FULL JOIN signups s USING "
    "(subscriber) WHERE i.issued_at IS NOT NULL",
])  # fmt: skip
def test_any_query_says_of_each_seed_what_it_says_alone(sql: str):
    """Names of its own that hide facts, limits, no facts, joins that cannot be put beside anything."""
    it = _query(sql)
    found = seed_queries.put_to_each([it], told().reading, told().now, SEEDS)[it.id]
    assert np.isfinite(found).all()
    assert np.array_equal(found, seed_queries._one_by_one(told().reading, told().now, [it], SEEDS)[it.id])


def test_a_statement_that_differs_from_the_first_seed_alone_is_not_believed(monkeypatch):
    """Then every seed is asked alone."""
    it = _query(f"{shipped()['lifetime_value'].sql} -- as I put it")
    honest = seed_queries._beside
    monkeypatch.setattr(seed_queries, "_beside", lambda *asked: np.nextafter(honest(*asked), 0))
    alone = seed_queries._one_by_one(told().reading, told().now, [it], SEEDS)[it.id]
    assert np.array_equal(seed_queries.put_to_each([it], told().reading, told().now, SEEDS)[it.id], alone)


def test_a_query_that_fails_says_why():
    """In the words that it gets where it is run alone."""
    it = _query("SELECT DATE '2026-01-01' AS period, 'many' AS numerator, 1 AS denominator FROM invoices")
    with pytest.raises(QueryError, match=r"^lifetime_value returns 'many' as `numerator`; it must be a number\.$"):
        seed_queries.put_to_each([it], told().reading, told().now, SEEDS)


@pytest.mark.parametrize("case", ["", "gateway_outage", "price_rise", "currency_shock", "dunning_stretched"])
def test_a_world_that_is_followed_tells_of_itself_what_one_that_ends_tells(case: str):
    """Prices, rates, policies, outages and switches do not depend on how long anybody looks."""
    assert lives(case).told == announcements(compile_world(lives(case).scenario))


def test_seeds_lived_on_one_page_are_those_lived_alone():
    """Nothing of a seed is left over for the next."""
    together = [[it.rows.tobytes() for it in blocks] for blocks in lives("gateway_outage").live_each(range(1, 4))]
    assert together == [[it.rows.tobytes() for it in lives("gateway_outage").live(seed)] for seed in range(1, 4)]
    assert len({rows[0] for rows in together}) == 3


def test_where_only_the_log_is_damaged_the_truth_is_that_of_the_base(monkeypatch, tmp_path):
    """It is found out once, and what is read beside it is what is read when everything is lived again."""
    monkeypatch.setattr("billing_sim.stress.readings._folder", lambda: tmp_path)
    asked = [shipped()[it] for it in ("payment_success_rate@attempt", "billed", "closed_past_dunning", "churn@stripe")]
    seeds, damages = range(1, SEEDS + 1), find_cases(["lost_captures"])[0].damages
    base = read_world(lives(), seeds, asked).truth
    known = {name: values for name, values in base.items() if name != "log_fidelity"}
    spared = read_world(lives(), seeds, asked, damages, truth=known)
    for file in tmp_path.glob("*.npz"):
        file.unlink()
    whole = read_world(lives(), seeds, asked, damages)
    assert set(known) < set(base)
    for part in ("reading", "complete", "truth"):
        assert getattr(spared, part).keys() == getattr(whole, part).keys()
        for name, values in getattr(whole, part).items():
            assert np.array_equal(getattr(spared, part)[name], values, equal_nan=True), name
    assert not np.array_equal(whole.truth["log_fidelity"], base["log_fidelity"])


def test_readings_whose_file_is_damaged_are_made_again(monkeypatch, tmp_path):
    """As after the power went while it was written."""
    monkeypatch.setattr("billing_sim.stress.readings._folder", lambda: tmp_path)
    kept = _Kept(lives(), [1], (), None, {})
    kept.add("truth", {"collected": np.zeros(3)})
    kept.write()
    assert is_kept(lives(), [1])
    (file,) = tmp_path.glob("*.npz")
    file.write_bytes(file.read_bytes()[:-9])
    assert not is_kept(lives(), [1])


def test_a_metric_of_one_group_alone_is_that_of_its_rows():
    """Quantiles, incidences and gaps too."""
    from billing_sim.metrics.source import InMemory

    only = {name: table.filter(pc.equal(table["group"], 3)) for name, table in told().reading.tables.items()}
    for result in compute(InMemory(only, told().reading.world_events), SUMMED):
        found = readings()[result.id][3]
        assert found == pytest.approx(np.nan if result.value is None else float(result.value), nan_ok=True), result.id


def test_what_has_matured_reads_the_same_from_complete_data():
    """A unit whose outcome can no longer change has the same outcome four months later."""
    for it in SUMMED:
        if it.matures == "dunning" and it.fact == "invoices" and it.kind == "ratio" and "notices" not in it.id:
            assert readings()[it.id] == pytest.approx(readings(complete=True)[it.id], abs=2e-3), it.id


def test_what_has_not_matured_reads_too_low():
    """Open invoices of the last weeks are paid later."""
    before, after = (readings(complete=it)["payment_success_rate@as_of"] for it in (False, True))
    assert (before <= after).all()
    assert (before < after).any()


def test_complete_facts_hold_the_same_invoices_with_nothing_left_open():
    """After the end only people who come back are billed, and every invoice of before it has come to its end."""
    read, complete = told().reading.tables["invoices"], told().complete.tables["invoices"]
    end = told().now.as_of
    later = complete.filter(pc.greater_equal(complete["issued_at"], end))
    assert pc.all(later["is_signup"]).as_py()
    before = complete.filter(pc.or_kleene(pc.is_null(complete["issued_at"]), pc.less(complete["issued_at"], end)))
    assert before.num_rows >= read.num_rows > 0.999 * before.num_rows
    assert pc.sum(pc.equal(before["status"], "open")).as_py() == 0
    assert pc.sum(pc.equal(read["status"], "open")).as_py() > 0


def test_nobody_has_the_same_number_in_two_seeds():
    """Although the same people live in all of them."""
    table = told().reading.tables["subscriptions"]
    whose = {}
    for row in table.select(["subscriber", "group"]).to_pylist():
        assert whose.setdefault(row["subscriber"], row["group"]) == row["group"]
    assert set(whose.values()) == set(range(SEEDS))


def mean_delay(attempts: pa.Table) -> float:
    """Microseconds from what happened to its being recorded."""
    happened, recorded = (attempts[name].cast("int64") for name in ("occurred_at", "recorded_at"))
    return pc.mean(pc.subtract(recorded, happened)).as_py()


def test_damage_is_in_what_is_read_and_spares_the_truth():
    """Late successes are missing from the reading, there in the complete facts, and the clean ones are as ever."""
    late = told("late_events")
    assert seeing.read(late, EVERY[:1])[EVERY[0].id].shape == (SEEDS,)
    attempts = [it.tables["attempts"].num_rows for it in (late.reading, late.complete, late.clean)]
    assert attempts[0] < attempts[1] == attempts[2] == told().complete.tables["attempts"].num_rows
    delays = [mean_delay(it.tables["attempts"]) for it in (late.complete, late.clean)]
    assert delays[0] > 10 * delays[1]


def test_a_longer_life_has_the_same_past():
    """The lab follows people beyond the end without changing what happened before."""
    from billing_sim.drivers import batch
    from billing_sim.world.compile import compile_world

    world = compile_world(small().scenario)
    plain = np.concatenate([it.rows.copy() for shard in range(64) for it in batch.lives(world, shard)])
    long = np.concatenate([it.rows.copy() for it in lives().live(small().scenario.seed)])
    past = [
        np.sort(rows[rows["occurred_at"] < lives().end], order=["subscriber", "sequence"]) for rows in (plain, long)
    ]
    assert past[0].tobytes() == past[1].tobytes()


@pytest.mark.parametrize("name", ["late_events", "stale_extract"])
def test_one_scan_reads_the_end_and_complete_data(name: str):
    """Whether the two know the same of most people or come from different logs, of all units or of the last ones."""
    from billing_sim.stress.bundle import bundle

    (case,) = (it for it in find_cases() if it.name == name)
    whole = bundle(lives(), range(1, SEEDS + 1), case.damages)
    for told_ in (whole, whole.since(whole.now.as_of - timedelta(days=40))):
        for found, complete in zip(seeing.read_both(told_, SUMMED), (False, True), strict=True):
            apart = seeing.read(told_, SUMMED, complete=complete)
            for it in SUMMED:
                assert np.array_equal(found[it.id], apart[it.id], equal_nan=True), it.id
    shared = set(told_.reading.parts) & set(told_.complete.parts)
    assert len(shared) == (0 if name == "stale_extract" else 1)


def test_columns_that_nobody_looks_at_change_nothing():
    """A definition alone, with few columns, says what it says beside all others."""
    from billing_sim.stress.bundle import bundle

    names = ("payment_success_rate@attempt", "involuntary_mrr_churn", "recovery_by_day", "worst_market_gap",
             "net_collected_rate@constant_rates", "monthly_recurring_revenue@constant_rates", "time_to_recover_p50",
             "win_back_share")  # fmt: skip
    for it in (shipped()[name] for name in names):
        claims = [estimands()[it.estimand]]
        told_ = bundle(lives(), range(1, SEEDS + 1), (), looked_at([it], claims))
        assert sum(table.num_columns for table in told_.reading.tables.values()) < 20
        assert seeing.read(told_, [it])[it.id] == pytest.approx(readings()[it.id], nan_ok=True)
        whole = seeing.tell(told(), claims)[it.estimand]
        assert seeing.tell(told_, claims)[it.estimand] == pytest.approx(whole, nan_ok=True)
