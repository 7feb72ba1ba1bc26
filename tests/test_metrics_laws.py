"""Laws that hold for every metric on any facts: parts add up, files do not matter, the SQL shown is what counts."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.connection import connect
from billing_sim.metrics.engine import compute
from billing_sim.metrics.views import views
from tests.facts_builder import USD, HandMade, Row, at, attempt, build, member_month, signup

MARKETS, METHODS, PLANS = ("US", "BR", "DE"), ("credit", "debit"), ("basic", "premium")
FIRST, LAST = at("2025-01-01"), at("2025-07-01")
CUTOFF = LAST - timedelta(days=30)
WEEK = timedelta(days=7)


def who(luck: random.Random) -> Row:
    """Someone, somewhere."""
    market = luck.choice(MARKETS)
    region = {"US": "UCAN", "BR": "LATAM", "DE": "EMEA"}[market]
    return {"market": market, "region": region, "method": luck.choice(METHODS), "plan": luck.choice(PLANS)}


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
    return who(luck) | made | {"ended": ended} | flags


def some_signup(luck: random.Random) -> Row:
    """A sign-up."""
    outcome, started_by = luck.choice(["open", "paid", "abandoned"]), luck.choice(["new", "returning"])
    made = signup("2025-01-01", outcome, started_by=started_by)
    return who(luck) | made | {"started_at": moment(luck)}


def some_spell(luck: random.Random) -> Row:
    """A subscription."""
    return who(luck) | {"started_at": moment(luck), "failed_renewals": luck.randrange(4)}


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


@pytest.mark.parametrize("by", [["market"], ["month"], ["plan", "method"], ["region", "month"]])
def test_slices_add_up_to_the_total(random_run, by):
    """Numerators, denominators and immature units of the parts are those of the whole, for every metric."""
    source, _ = random_run
    whole = {result.id: result for result in compute(source, shipped())}
    for result in compute(source, shipped(), by=by):
        total = whole[result.id]
        assert (result.value, result.numerator, result.denominator, result.immature) == (
            total.value, total.numerator, total.denominator, total.immature,
        ), result.id  # fmt: skip
        kind = result.definition.kind
        if kind == "gap":
            continue
        parts = [part for part in result.slices if kind != "stock" or part.dims.get("month", "2025-06") == "2025-06"]
        assert sum(part.immature for part in parts) == total.immature, result.id
        if kind != "quantile":
            assert sum(part.numerator for part in parts) == total.numerator, result.id
        if result.definition.denominator:
            assert sum(part.denominator for part in parts) == total.denominator, result.id


def test_files_do_not_matter(random_run, tmp_path):
    """The same facts in one file, or in seven in another order, give the same numbers to the last digit."""
    source, facts = random_run
    turned = {name: rows[::-1] for name, rows in facts.items()}
    sources = [source, build(tmp_path / "one", **facts), build(tmp_path / "seven", parts=7, **turned)]
    three, one, seven = (compute(it, shipped(), by=["market"]) for it in sources)
    assert three == one == seven


def test_each_metric_alone_gives_what_all_together_give(random_run):
    """Sharing a scan changes nothing."""
    source, _ = random_run
    for together in compute(source, shipped()):
        (alone,) = compute(source, [together.definition])
        assert alone == together


def test_the_sql_shown_gives_the_sums_of_the_result(random_run):
    """What `sql` shows, run by hand on the facts, gives numerator, denominator and immature units of every metric."""
    source, _ = random_run
    made = views(source)
    connection = connect(source)
    for result in compute(source, shipped()):
        sums: dict[str, list[Any]] = {}
        for statement in made.sql(result.id).split(";\n"):
            cursor = connection.execute(statement)
            for row in cursor.fetchall():
                for column, value in zip(cursor.description, row, strict=True):
                    sums.setdefault(column[0], []).append(value)
        kind = result.definition.kind
        if kind == "gap":
            rates = [n / d for n, d in zip(sums["numerator"], sums["denominator"], strict=True) if d >= 100]
            assert result.value == pytest.approx(100 * (max(rates) - min(rates)))
            continue
        if kind != "quantile":
            assert sums["numerator"] == [result.numerator], result.id
        if result.definition.denominator:
            assert sums["denominator"] == [result.denominator], result.id
        assert sums.get("immature", [0]) == [result.immature], result.id


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
