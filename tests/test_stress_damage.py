"""Damage to a log: which rows are hit, what becomes of them, and that what is left can still be folded."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from billing_sim import clock, declines, events
from billing_sim.errors import QueryError
from billing_sim.events import KIND_NAMES, ROW
from billing_sim.facts.folding import Folder
from billing_sim.facts.record import BLOCK_ROWS
from billing_sim.facts.schema import NULL
from billing_sim.identity import vocabularies_of
from billing_sim.people import BASE as OF_THE_BASE
from billing_sim.people import subscriber_number
from billing_sim.scenario import load
from billing_sim.stress.case import BASE, shipped_cases
from billing_sim.stress.damage import damage_facts, damage_rows, whole_lives
from billing_sim.stress.damages import Damage
from billing_sim.world.announce import announcements
from billing_sim.world.compile import compile_world
from tests.world_builder import Log, log_of

DAY, HOUR = clock.DAY, clock.HOUR
START, END = (clock.micros(clock.moment_of(clock.day_number(day) * DAY)) for day in
              (load(BASE).scenario.start, load(BASE).scenario.end))  # fmt: skip
LABELS = {"gateways": ("northpay", "harborpay"), "plans": ("standard", "premium")}
ANNA, BERT = subscriber_number("DE", OF_THE_BASE, 1), subscriber_number("US", OF_THE_BASE, 2)
ISSUED, DECLINED, AUTHORIZED = events.INVOICE_ISSUED, events.ATTEMPT_DECLINED, events.ATTEMPT_AUTHORIZED
CAPTURED, CANCELED, RETURNED = events.PAYMENT_CAPTURED, events.SUBSCRIPTION_CANCELED, events.PAYMENT_RETURNED
VOIDED, UNCOLLECTIBLE = events.INVOICE_VOIDED, events.INVOICE_UNCOLLECTIBLE


def damages(*told: dict[str, Any]) -> list[Damage]:
    """Damages as a case file says them."""
    return [TypeAdapter(Damage).validate_python(one) for one in told]


def life(who: int, *told: tuple[int, float], **columns: int) -> np.ndarray:
    """Rows of one person about invoice 1: kinds, and the days since the start on which they happened."""
    rows = np.zeros(len(told), ROW)
    rows["subscriber"], rows["spell"], rows["invoice"], rows["sequence"] = who, 1, 1, range(len(told))
    for row, (kind, day) in zip(rows, told, strict=True):
        row["kind"], row["occurred_at"] = kind, START + int(day * DAY)
        row["recorded_at"] = row["occurred_at"] + HOUR
    for name, value in columns.items():
        rows[name] = value
    return rows


def damaged(rows: np.ndarray, *told: dict[str, Any], seed: int = 1) -> np.ndarray:
    """The rows after the damages; those that were given must be as they were."""
    before = rows.tobytes()
    after = damage_rows(rows, damages(*told), seed=seed, end=END, labels=LABELS)
    assert rows.tobytes() == before
    return after


def days(rows: np.ndarray, column: str = "occurred_at") -> list[float]:
    """Days since the start."""
    return ((rows[column] - START) / DAY).tolist()


PAID = life(ANNA, (ISSUED, 0), (DECLINED, 0), (DECLINED, 1), (AUTHORIZED, 4), (CAPTURED, 4))
LOST = life(BERT, (ISSUED, 2), (DECLINED, 2), (DECLINED, 6), (UNCOLLECTIBLE, 23), (CANCELED, 23))
BOTH = np.concatenate([PAID, LOST])


def test_late_rows_are_recorded_later_and_nothing_else():
    """Only those of the kinds that were named."""
    rows = damaged(BOTH, {"kind": "late", "events": ["payment.captured", "invoice.issued"], "by": "5 days"})
    late = ((rows["recorded_at"] - BOTH["recorded_at"]) // DAY).tolist()
    assert late == [5, 0, 0, 0, 5, 5, 0, 0, 0, 0]
    rows["recorded_at"] = BOTH["recorded_at"]
    assert rows.tobytes() == BOTH.tobytes()


def test_duplicates_stand_side_by_side():
    """The same bytes twice, in the same life."""
    rows = damaged(BOTH, {"kind": "duplicated", "events": ["payment_attempt.authorized"]})
    assert [KIND_NAMES[kind] for kind in rows["kind"]].count("payment_attempt.authorized") == 2
    assert rows["sequence"].tolist() == [0, 1, 2, 3, 3, 4, 0, 1, 2, 3, 4]
    assert rows[3].tobytes() == rows[4].tobytes()


def test_every_way_of_saying_which_rows_are_lost():
    """By kind, reason, code, market, gateway and days; what a kind does not tell it cannot be named by."""
    rows = BOTH.copy()
    rows["gateway"][2], rows["code"][[1, 2]] = 1, [9, 5]
    rows["reason"][-1] = events.NONPAYMENT
    lost = [
        ({"events": ["payment_attempt.declined"]}, [1, 2, 6, 7]),
        ({"reason": ["nonpayment"]}, [9]),
        ({"code": [declines.CODES[9].code]}, [1]),
        ({"market": ["DE"]}, [0, 1, 2, 3, 4]),
        ({"gateway": ["harborpay"]}, [2]),
        ({"gateway": ["northpay"]}, [1, 3, 6, 7]),
        ({"since": "2025-01-03", "until": "2025-01-07"}, [3, 4, 5, 6]),
        ({"market": ["DE"], "events": ["payment_attempt.declined"], "since": "2025-01-02"}, [2]),
        ({"share": "0%"}, []),
    ]
    numbers = np.arange(len(rows))
    for where, gone in lost:
        rows["latency_ms"] = numbers
        left = damaged(rows, {"kind": "lost", **where})["latency_ms"]
        assert sorted({*numbers.tolist()} - {*left.tolist()}) == gone, where


def test_a_reordered_row_comes_after_what_happened_meanwhile():
    """Within its life, and with the times it had."""
    rows = damaged(BOTH, {"kind": "reordered", "events": ["invoice.issued"], "by": "1 day"})
    assert rows["sequence"].tolist() == [1, 0, 2, 3, 4, 1, 0, 2, 3, 4]
    assert days(rows)[:3] == [0, 0, 1]
    assert rows["subscriber"].tolist() == BOTH["subscriber"].tolist()


def test_a_stale_extract_ends_early():
    """What was recorded in the last stretch before the end, or later, is not in it."""
    age = (END - START) / DAY
    rows = life(ANNA, (ISSUED, age - 31), (CAPTURED, age - 30 - 1 / 24), (ISSUED, age - 1), (CAPTURED, age + 3))
    assert damaged(rows, {"kind": "stale", "last": "30 days"})["sequence"].tolist() == [0]
    assert damaged(rows, {"kind": "stale", "last": "29 days"})["sequence"].tolist() == [0, 1]


def test_a_shift_moves_both_times_and_leaves_the_imported_base():
    """Eight hours earlier, as in Los Angeles."""
    rows = life(ANNA, (events.SUBSCRIPTION_IMPORTED, 0), (ISSUED, 2), (CAPTURED, 2))
    shifted = damaged(rows, {"kind": "shifted", "hours": -8})
    for column in ("occurred_at", "recorded_at"):
        assert ((shifted[column] - rows[column]) // HOUR).tolist() == [0, -8, -8]


def test_labels_are_replaced_where_they_stand():
    """Of a column, of a kind of event, and of a gateway; zeros in columns that a kind does not use stay."""
    rows = BOTH.copy()
    rows["reason"][-1] = events.NONPAYMENT
    nonpayment = {"kind": "relabelled", "column": "reason", "was": "nonpayment", "becomes": "voluntary"}
    assert damaged(rows, nonpayment)["reason"].tolist() == [0] * 9 + [events.VOLUNTARY]
    kinds = {"kind": "relabelled", "column": "kind", "was": "invoice.marked_uncollectible", "becomes": "invoice.voided"}
    assert damaged(rows, kinds)["kind"].tolist() == [*BOTH["kind"][:8], VOIDED, CANCELED]
    gateways = {"kind": "relabelled", "column": "gateway", "was": "northpay", "becomes": "harborpay"}
    assert damaged(rows, gateways)["gateway"].tolist() == [0, 1, 1, 1, 0, 0, 1, 1, 0, 0]


@pytest.mark.parametrize(
    ("rows", "voids"),
    [
        (PAID, [(3, 3.0)]),
        (LOST, [(2, 5.0)]),
        (life(ANNA, (ISSUED, 0), (DECLINED, 0), (AUTHORIZED, 2), (CAPTURED, 2)), []),
        (life(ANNA, (ISSUED, 0), (DECLINED, 0), (VOIDED, 2)), []),
        (life(ANNA, (ISSUED, 0), (AUTHORIZED, 0), (CAPTURED, 0)), []),
        (life(ANNA, (ISSUED, 0), (CAPTURED, 0), (RETURNED, 5), (DECLINED, 9)), [(3, 8.0)]),
        (life(ANNA, (ISSUED, 0), (CAPTURED, 0), (RETURNED, 5), (CAPTURED, 7)), []),
        (life(ANNA, (ISSUED, 0), (DECLINED, 0), (CAPTURED, 1), (RETURNED, 2)), [(4, 3.0)]),
    ],
)
def test_failing_invoices_are_called_void_after_three_days(rows, voids):
    """Those that are neither paid nor closed by then, counted from the first failure; each once, at its place."""
    after = damaged(rows, {"kind": "voided", "after": "3 days"})
    places = np.flatnonzero(after["kind"] == VOIDED)
    added = [(int(i), days(after)[i]) for i in places if i not in np.flatnonzero(rows["kind"] == VOIDED)]
    assert added == voids
    for place, _ in voids:
        assert after[place]["invoice"] == 1
        assert after[place]["subscriber"] == rows["subscriber"][0]


def test_a_fact_fans_out_by_its_parts():
    """Each row comes as often as it has parts, one without any once; other facts are left alone."""
    facts = np.zeros(4, [("attempts", "i2"), ("invoice", "i4")])
    facts["attempts"], facts["invoice"] = [1, 0, 3, 2], [1, 2, 3, 4]
    told = damages({"kind": "fan_out", "fact": "invoices", "by": "attempts"})
    assert damage_facts("invoices", facts, told)["invoice"].tolist() == [1, 2, 3, 3, 3, 4, 4]
    assert damage_facts("signups", facts, told) is facts


def test_an_unknown_gateway_is_refused():
    """In the words of this world."""
    with pytest.raises(QueryError, match="no gateway 'eastpay' in this world; there are northpay, harborpay"):
        damaged(BOTH, {"kind": "lost", "gateway": ["eastpay"]})


def many(count: int) -> np.ndarray:
    """One row of each of so many people."""
    rows = np.zeros(count, ROW)
    rows["subscriber"] = [subscriber_number("US", OF_THE_BASE, number) for number in range(count)]
    rows["kind"] = CAPTURED
    return rows


@pytest.mark.parametrize("share", ["0.1%", "20%", "50%", "99%"])
def test_the_share_that_is_hit_is_the_one_that_was_asked_for(share):
    """Within four standard errors of 100,000 rows, in each of three seeds."""
    rows, wanted = many(100_000), float(Decimal(share.rstrip("%")) / 100)
    for seed in (1, 2, 3):
        gone = 1 - len(damaged(rows, {"kind": "lost", "share": share}, seed=seed)) / len(rows)
        assert abs(gone - wanted) < 4 * (wanted * (1 - wanted) / len(rows)) ** 0.5


def test_other_luck_hits_other_rows_and_a_larger_share_the_same_and_more():
    """Seeds and places in the list are keys; shares are nested."""
    rows = many(10_000)

    def gone(share: str, seed: int = 1, before: tuple[dict[str, Any], ...] = ()) -> set[int]:
        left = damaged(rows, *before, {"kind": "lost", "share": share}, seed=seed)["subscriber"].tolist()
        return {*rows["subscriber"].tolist()} - {*left}

    assert gone("20%") < gone("40%")
    for other in (gone("20%", seed=2), gone("20%", before=({"kind": "shifted", "hours": 0},))):
        assert 300 < len(gone("20%") & other) < 500


@cache
def log() -> Log:
    """Everybody in a small base."""
    return log_of(compile_world(load(BASE, members=300).scenario))


@pytest.mark.parametrize("case", [case for case in shipped_cases() if case.damages_log], ids=lambda case: case.name)
def test_the_same_rows_are_hit_however_the_log_is_split_and_what_is_left_folds(case):
    """Block by block as in one piece; lives stay in one piece; facts come out of it, one for each unit or more."""
    rows, labels = log().rows, vocabularies_of(log().world)
    whole = damage_rows(rows, case.damages, seed=4, end=END, labels=labels)
    pieces = [damage_rows(piece, case.damages, seed=4, end=END, labels=labels) for piece in whole_lives(rows, 500)]
    assert len(pieces) > 10
    assert np.concatenate(pieces).tobytes() == whole.tobytes()
    lives = np.count_nonzero(np.diff(whole["subscriber"])) + 1
    assert lives == len(np.unique(whole["subscriber"]))
    folder = Folder(announcements(log().world), labels, known_before=END)
    for piece in whole_lives(whole, BLOCK_ROWS):
        facts = folder.fold(np.ascontiguousarray(piece))
        assert len(damage_facts("invoices", facts["invoices"], case.damages)) >= len(facts["invoices"]) > 0
    changed = whole.tobytes() != rows.tobytes()
    assert changed != all(damage.kind == "fan_out" for damage in case.damages)


def test_a_void_in_the_log_is_a_void_in_the_facts():
    """And an invoice that is paid after all is paid."""
    told = {"kind": "voided", "after": "3 days"}
    rows = damage_rows(log().rows, damages(told), seed=1, end=END, labels=vocabularies_of(log().world))
    folder = Folder(announcements(log().world), vocabularies_of(log().world))
    found = [folder.fold(piece)["invoices"].copy() for piece in whole_lives(rows, BLOCK_ROWS)]
    invoices = np.concatenate(found)
    old = (
        (invoices["status"] == 0)
        & (invoices["first_failed_at"] != NULL)
        & (invoices["first_failed_at"] < START + 200 * DAY)
    )
    assert not old.any()
    assert not (invoices["status"] == 3).any(), "what is void is not given up again at the end of dunning"
    assert (invoices["given_up_at"] != NULL).sum() > (log().rows["kind"] == UNCOLLECTIBLE).sum() / 2
    paid = (invoices["status"] == 1) & (invoices["given_up_at"] != NULL)
    assert paid.any()
    assert (invoices["paid_at"][paid] > invoices["given_up_at"][paid]).all()


def test_rows_of_a_life_are_in_the_order_in_which_they_happened():
    """On which putting rows into another order stands."""
    rows = log().rows
    same = np.diff(rows["subscriber"]) == 0
    assert (np.diff(rows["occurred_at"])[same] >= 0).all()


def test_whole_lives_fill_pieces_without_cutting_anybody():
    """At most so many rows each; a life that is longer is refused."""
    assert [len(piece) for piece in whole_lives(BOTH, 10)] == [10]
    assert [len(piece) for piece in whole_lives(BOTH, 9)] == [5, 5]
    assert [len(piece) for piece in whole_lives(BOTH, 5)] == [5, 5]
    with pytest.raises(ValueError, match="more than 4 rows"):
        list(whole_lives(BOTH, 4))
