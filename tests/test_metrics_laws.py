"""Laws that hold for every metric on any facts: parts add up, files do not matter, the SQL shown is what counts."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from billing_sim.clock import DAY, parse_duration
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.connection import connect
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import Question, compute
from billing_sim.metrics.frame import frame
from billing_sim.metrics.measures import AGES
from billing_sim.metrics.result import Figure, Result, Slice
from tests.facts_builder import USD, HandMade, Row, at, attempt, build, member_month, signup, write

PEOPLE = 120
FACTS_ONLY = [it for it in shipped() if not it.sql]
MARKETS, METHODS, PLANS = ("US", "BR", "DE"), ("credit", "debit"), ("basic", "premium")
FIRST, LAST = at("2025-01-01"), at("2025-07-01")
CUTOFF = LAST - timedelta(days=30)
WEEK = timedelta(days=7)


def who(luck: random.Random) -> Row:
    """Someone, somewhere."""
    market = luck.choice(MARKETS)
    region = {"US": "UCAN", "BR": "LATAM", "DE": "EMEA"}[market]
    subscriber, interval = luck.randrange(PEOPLE), luck.choice(["month", "year"])
    made = {"subscriber": subscriber, "group": subscriber % 64, "market": market, "region": region}
    return made | {"method": luck.choice(METHODS), "plan": luck.choice(PLANS), "interval": interval}


def moment(luck: random.Random) -> datetime:
    """Some moment of the run, to the microsecond."""
    return FIRST + timedelta(microseconds=luck.randrange(int((LAST - FIRST).total_seconds() * 1e6)))


def some_invoice(luck: random.Random) -> Row:
    """An invoice with any history, likely or not."""
    issued, hours = moment(luck), luck.choice([0, 0, 0, 1, 100, 168, 169, 700])
    status = luck.choice(["paid", "paid", "paid", "open", "void", "uncollectible"])
    has_failed = luck.random() < 0.5
    paid = issued + timedelta(hours=hours) if status == "paid" else None
    return who(luck) | {
        "issued_at": issued, "status": status, "is_signup": luck.random() < 0.2, "paid_at": paid,
        "amount_micros": luck.choice([0, 5, 10, 25]) * USD, "tax_micros": luck.randrange(USD),
        "amount_minor": luck.randrange(2500), "tax_minor": luck.randrange(100),
        "attempts": luck.randrange(4), "mit_attempts": luck.choice([0, 1, 16]), "notices": luck.randrange(5),
        "first_failed_at": issued if has_failed else None,
        "held_at": issued if luck.random() < 0.2 else None,
        "given_up_at": issued if status in ("void", "uncollectible") else None,
        "recovered_by": luck.choice(["none", "retry", "member"]),
    }  # fmt: skip


def some_attempt(luck: random.Random) -> Row:
    """An attempt with any answer."""
    outcome = luck.choice(["authorized", "declined", "unknown"])
    kind = luck.choice(["soft", "hard"]) if outcome == "declined" else "none"
    made = attempt("2025-01-01", luck.randrange(1, 5), usd=luck.randrange(3), outcome=outcome, decline_kind=kind)
    occurred = moment(luck)
    recorded = occurred + timedelta(seconds=luck.choice([0, 60, 61]))
    flags = {name: luck.random() < 0.2 for name in ("was_returned", "was_unknown", "is_signup")}
    calls = {"failed_calls": luck.randrange(2), "latency_ms": luck.randrange(20_000)}
    return who(luck) | made | {"occurred_at": occurred, "recorded_at": recorded} | flags | calls


def some_month(luck: random.Random) -> Row:
    """A spell in a month."""
    ended = luck.choice(["none", "none", "voluntary", "nonpayment", "payment_trouble"])
    month, start = f"2025-0{luck.randrange(1, 7)}-01", luck.choice([None, 9])
    made = member_month(month, start=start, end=9 if ended == "none" else None)
    flags = {name: luck.random() < 0.3 for name in ("past_due_at_end", "on_hold_at_end")}
    native = {name: luck.randrange(10_000) for name in ("net_start_minor", "net_end_minor")}
    return (
        who(luck)
        | made
        | {"ended": ended, "joined_on": luck.choice([None, "2024-11-05", "2025-02-01"])}
        | flags
        | native
    )


def some_signup(luck: random.Random) -> Row:
    """A sign-up."""
    outcome, started_by = luck.choice(["open", "paid", "abandoned"]), luck.choice(["new", "returning"])
    made = signup("2025-01-01", outcome, started_by=started_by)
    return who(luck) | made | {"started_at": moment(luck)}


def some_spell(luck: random.Random) -> Row:
    """A subscription."""
    started_by, joined = luck.choice(["imported", "new"]), luck.choice(["2024-11-05", "2025-02-01"])
    made = {"started_at": moment(luck), "started_by": started_by, "joined_on": joined}
    return who(luck) | made | {"failed_renewals": luck.randrange(4)}


def random_facts(seed: int, rows: int = 500) -> dict[str, list[Row]]:
    """Facts that obey no story at all."""
    luck = random.Random(seed)
    return {
        "invoices": [some_invoice(luck) for _ in range(rows)],
        "attempts": [some_attempt(luck) for _ in range(rows)],
        "subscription_months": [some_month(luck) for _ in range(rows)],
        "signups": [some_signup(luck) for _ in range(rows)],
        "subscriptions": [some_spell(luck) for _ in range(rows)],
        "notices": [who(luck) | {"sent_at": moment(luck)} for _ in range(rows)],
    }


@pytest.fixture(scope="module")
def random_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[HandMade, dict[str, list[Row]]]:
    facts = random_facts(1)
    return build(tmp_path_factory.mktemp("random"), parts=3, **facts), facts


@pytest.fixture(scope="module")
def whole(random_run) -> dict[str, Result]:
    return {result.id: result for result in compute(random_run[0], shipped())}


@pytest.mark.parametrize("by", [["market"], ["month"], ["plan", "method"], ["region", "month"], ["cohort"]])
def test_slices_add_up_to_the_total(random_run, whole, by):
    """Numerators, denominators, units and immature units of the parts are those of the whole, for every metric."""
    source, _ = random_run
    for result in compute(source, shipped(), by=by):
        total = whole[result.id]
        assert result == replace(total, slices=result.slices, months=result.months)
        kind = result.definition.kind
        if kind == "gap" or not result.slices:
            continue
        parts = [part for part in result.slices if kind != "stock" or part.dims.get("month", "2025-06") == "2025-06"]
        for name in ("immature", "units"):
            assert sum(getattr(part, name) for part in parts) == getattr(total, name), result.id
        if kind != "quantile":
            assert sum(part.numerator for part in parts) == total.numerator, result.id
        if result.definition.denominator:
            assert sum(part.denominator for part in parts) == total.denominator, result.id


def test_the_division_comes_last(random_run):
    """The whole is never the mean of its parts: it is what their sums give, divided once."""
    source, _ = random_run
    for result in compute(source, FACTS_ONLY, by=["market"]):
        if result.definition.denominator and result.definition.kind != "gap":
            above, below = (sum(getattr(it, name) for it in result.slices) for name in ("numerator", "denominator"))
            money = USD if result.definition.unit == "money" else 1
            assert result.value == (above * result.definition.scale / (below * money) if below else None), result.id


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_any_split_of_the_subscribers_merges_to_the_whole(tmp_path, seed):
    """Each person's rows in any of some files, in any order: every number, error and replicate is the same."""
    luck, facts = random.Random(seed), random_facts(seed, rows=200)
    one = compute(build(tmp_path / "one", **facts), FACTS_ONLY, by=["market"])
    place = {who: luck.randrange(luck.randrange(2, 9)) for who in range(PEOPLE)}
    for name, rows in facts.items():
        shuffled = luck.sample(rows, len(rows))
        shards = [[row for row in shuffled if place[row["subscriber"]] == shard] for shard in range(9)]
        for number, shard in enumerate(filter(None, shards)):
            write(tmp_path / "many", name, shard, number)
    many = compute(HandMade(tmp_path / "many"), FACTS_ONLY, by=["market"])
    assert one == many
    for single, split in zip(one, many, strict=True):
        for figure, other in zip((single, *single.slices), (split, *split.slices), strict=True):
            if figure.replicates is None or other.replicates is None:
                assert figure.replicates is other.replicates
            else:
                assert np.array_equal(figure.replicates, other.replicates, equal_nan=True)


def test_partial_sums_of_the_shards_add_up(tmp_path):
    """Computed shard by shard, as machines that never meet would, the sums add up to those of all together."""
    facts = random_facts(14, rows=200)
    whole = compute(build(tmp_path / "whole", **facts), FACTS_ONLY)
    shards = []
    for shard in range(3):
        own = {name: [row for row in rows if row["subscriber"] % 3 == shard] for name, rows in facts.items()}
        shards.append(compute(build(tmp_path / str(shard), **own), FACTS_ONLY))
    for total, *parts in zip(whole, *shards, strict=True):
        kind = total.definition.kind
        names = ["units", "immature"] + (["numerator"] if kind not in ("gap", "quantile") else [])
        for name in [*names, "denominator"] if kind in ("ratio", "incidence") else names:
            assert sum(getattr(part, name) for part in parts) == getattr(total, name), (total.id, name)


def test_files_do_not_matter(random_run, tmp_path):
    """The same facts in one file, or in seven in another order, give the same numbers to the last digit."""
    source, facts = random_run
    turned = {name: rows[::-1] for name, rows in facts.items()}
    sources = [source, build(tmp_path / "one", **facts), build(tmp_path / "seven", parts=7, **turned)]
    three, one, seven = (compute(it, shipped(), by=["market"]) for it in sources)
    assert three == one == seven


def test_each_metric_alone_gives_what_all_together_give(random_run):
    """Sharing a scan changes nothing; one metric in five is tried."""
    source, _ = random_run
    for together in compute(source, shipped(), by=["region"])[::5]:
        (alone,) = compute(source, [together.definition], by=["region"] if together.slices else [])
        assert alone == together


@pytest.mark.parametrize("place", range(4))
def test_a_person_who_runs_the_sql_shown_finds_the_numbers(random_run, place):
    """The statements of `Question.sql`, run by hand on the facts and divided, give every value of every slice."""
    source, _ = random_run
    by = [(), ("market",), ("month", "plan"), ("cohort", "interval")][place]
    source = replace(source, rates=(("USD", 0, 10**9), ("USD", 10**15, 2 * 10**9)))
    question = Question(tuple(FACTS_ONLY[place::4]), by, frame(source))
    connection = connect(source)
    for result in question.answer(source):
        it = result.definition
        own = by if result.slices or not by else None
        if own is None:
            continue
        rows = by_hand(connection, question.sql(it, source), (*own, *([it.across] if it.across else [])))
        for part in result.slices or (result,):
            key = tuple(part.dims.values()) if isinstance(part, Slice) else ()
            mine = {full: sums for full, sums in rows.items() if full[: len(key)] == key}
            assert_same(it, part, mine)


def by_hand(connection: Any, statements: str, names: tuple[str, ...]) -> dict[tuple[str, ...], dict[str, Any]]:
    """The columns of all statements, by the values of the dimensions."""
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for statement in statements.split(";\n"):
        cursor = connection.execute(statement)
        columns = [column[0] for column in cursor.description]
        for row in cursor.fetchall():
            found = dict(zip(columns, row, strict=True))
            key = tuple("none" if found[name] is None else str(found[name]).lower() if found[name] in (True, False)
                        else str(found[name]) for name in names)  # fmt: skip
            rows.setdefault(key, {}).update({name: value for name, value in found.items() if name not in names})
    return rows


def assert_same(it: Definition, figure: Figure, rows: dict[tuple[str, ...], dict[str, Any]]) -> None:
    """What a person would make of the columns is what the figure says."""
    sums = {name: sum(row.get(name) or 0 for row in rows.values()) for name in ("denominator", "units", "immature")}
    assert (figure.units, figure.immature) == (sums["units"], sums["immature"]), it.id
    if it.kind in ("quantile", "incidence"):
        (row,) = rows.values()
        counted: dict[int, int] = row["numerator"] or {}
        assert_counted(it, figure, counted)
        return
    if it.kind == "gap":
        rates = [r["numerator"] / r["denominator"] for r in rows.values() if (r["denominator"] or 0) >= it.at_least]
        value = 100 * (max(rates) - min(rates)) if len(rates) > 1 else None
    else:
        numerator = sum(row.get("numerator") or 0 for row in rows.values())
        below = (sums["denominator"] if it.denominator else 1) * (USD if it.unit == "money" else 1)
        value = numerator * it.scale / below if below else None
        assert figure.numerator == numerator, it.id
    assert figure.value == (value if value is None else pytest.approx(value, rel=1e-12)), it.id


def assert_counted(it: Definition, figure: Figure, counted: dict[int, int]) -> None:
    """Values with how often they occur: the middle one within half a per cent; or outcomes with days."""
    if it.kind == "incidence":
        days = parse_duration(it.by_age) // DAY
        happened = sum(count for cell, count in counted.items() if cell // AGES**2 == 1 and cell % AGES <= days)
        assert (figure.numerator, figure.denominator) == (happened, sum(counted.values())), it.id
        return
    line = sorted(value for value, count in counted.items() for _ in range(count))
    assert it.quantile is not None
    rank = math.ceil(it.quantile * figure.units)
    reached = line[rank - 1] if 0 < rank <= len(line) else None
    assert figure.value == (reached if reached is None else pytest.approx(reached * it.scale, rel=0.004)), it.id


def test_the_query_of_a_query_is_its_own_sql(random_run):
    """A metric that is a query shows that query, and its rows add up to the figure."""
    source, _ = random_run
    connection = connect(source)
    for result in compute(source, [it for it in shipped() if it.sql and it.kind != "stock"]):
        shown = Question((result.definition,), (), frame(source)).sql(result.definition, source)
        (row,) = connection.sql(shown).aggregate("sum(numerator), sum(denominator)").fetchall()
        assert round(row[0] or 0) == result.numerator, result.id
        assert result.definition.kind != "ratio" or round(row[1] or 0) == result.denominator, result.id


def test_undefined_is_null_with_a_reason(random_run, tmp_path):
    """No value without a reason for it, in all and in every slice, with facts and without."""
    source, _ = random_run
    for made in (source, build(tmp_path)):
        for result in compute(made, shipped(), by=["market"]):
            for figure in (result, *result.slices):
                assert (figure.value is None) == bool(figure.reason), result.id
                assert figure.value is not None or figure.standard_error is None


def _is_due(row: Row) -> bool:
    return not row["is_signup"] and row["issued_at"] <= CUTOFF


def _has_failed(row: Row) -> bool:
    return _is_due(row) and row["first_failed_at"] is not None


def _is_self_fixed(row: Row) -> bool:
    return row["recovered_by"] == "member" and row["status"] == "paid" and row["paid_at"] - row["issued_at"] <= WEEK


NAIVE: dict[str, tuple[Callable[[Row], bool], Callable[[Row], int], Callable[[Row], int]]] = {
    # metric: (unit belongs, numerator, denominator), row by row
    "uninterrupted_renewal_rate": (_is_due, lambda it: it["status"] == "paid" and it["held_at"] is None, lambda it: 1),
    "recovery_rate": (
        _has_failed, lambda it: it["amount_micros"] if it["status"] == "paid" else 0, lambda it: it["amount_micros"],
    ),
    "notices_per_1000_renewals": (_is_due, lambda it: it["notices"], lambda it: 1),
    "self_fix_rate": (
        lambda it: not it["is_signup"] and it["first_failed_at"] is not None and it["first_failed_at"] <= LAST - WEEK,
        _is_self_fixed,
        lambda it: 1,
    ),
    "leakage_share": (
        lambda it: it["issued_at"] <= CUTOFF and (not it["is_signup"] or it["status"] == "paid"),
        lambda it: it["amount_micros"] if it["status"] in ("uncollectible", "void") else 0,
        lambda it: it["amount_micros"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("metric", NAIVE)
@pytest.mark.parametrize("seed", [2, 3])
def test_row_by_row_python_agrees(tmp_path: Path, metric: str, seed: int):
    """A loop over the rows, written from the metric's formula in words, finds the same sums in every market."""
    rows = random_facts(seed, rows=300)["invoices"]
    belongs, numerator, denominator = NAIVE[metric]
    (result,) = compute(build(tmp_path, invoices=rows), shipped().of([metric]), by=["market"])
    assert len(result.slices) == len(MARKETS)
    for part in result.slices:
        units = [row for row in rows if row["market"] == part.dims["market"] and belongs(row)]
        assert part.numerator == sum(numerator(row) for row in units) > 0
        assert part.denominator == sum(denominator(row) for row in units)


def test_quantiles_agree_with_sorting(tmp_path):
    """The median recovery time is the one in the middle when everybody is lined up, the lost at the end."""
    rows = [row for row in random_facts(5)["invoices"] if _has_failed(row) and row["status"] != "open"]
    hours = sorted((row["paid_at"] - row["issued_at"]) / timedelta(hours=1) if row["paid_at"] else 1e9 for row in rows)
    middle = hours[(len(hours) + 1) // 2 - 1]
    assert 0 < middle < 1e9
    (result,) = compute(build(tmp_path, invoices=rows), shipped().of(["time_to_recover_p50"]))
    assert (result.value, result.denominator) == (pytest.approx(middle, rel=0.004), len(rows))
