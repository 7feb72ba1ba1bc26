"""Facts are folded from the log alone, and the fold says what a slow reader of the same rows says."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from billing_sim.clock import NEVER
from billing_sim.events import (
    EXIT_SURVEY_ANSWERED,
    KIND_NAMES,
    PAYMENT_CAPTURED,
    PAYMENT_RETURNED,
    SUBSCRIPTION_CREATED,
)
from billing_sim.facts.folding import Folder, new_page, settled_and_not
from billing_sim.facts.record import BLOCK_ROWS
from billing_sim.facts.schema import FACTS, NO_LABEL, NULL, OPTIONAL_LABELS, Fact
from billing_sim.identity import vocabularies_of
from billing_sim.runs.tables import BUILT_IN
from billing_sim.world.announce import announcements
from tests.naive_facts import TRIES, Naive
from tests.world_builder import Log, happened, laid_over
from tests.world_texts_experiments import MANY
from tests.world_texts_refunds import BUSY_FAULTS, CLAIMS
from tests.world_texts_saying import TALKING

TEXT = """
members: 900
dunning_policies: {short: {retries: [5 min, 2 days, 4 days], grace: 1 day, end: 6 days}}
regions: {UCAN: {backup_method: 50%, network_tokens: 70%, expiry_years: [1]}}
support:
  contact_rate: {payment_failed: 60%, hold_started: 60%, price_rise: 30%, canceled_by_mistake: 60%}
  desks: [{channels: [chat, phone, email], shifts: [{hours: [8, 18], agents: 1}]}]
"""


@cache
def log() -> Log:
    """A busy service with experiments; many payments are held, restored and held again."""
    return happened(TEXT + CLAIMS, laid_over(BUSY_FAULTS, TALKING, MANY))


def blocks(rows: np.ndarray) -> list[np.ndarray]:
    """Whole lives, cut into blocks that fold in one call."""
    starts = np.flatnonzero(np.diff(rows["subscriber"], prepend=-1))
    found, first = [], 0
    while first < len(rows):
        fitting = starts[(starts > first) & (starts <= first + BLOCK_ROWS)]
        last = len(rows) if first + BLOCK_ROWS >= len(rows) else int(fitting[-1])
        found.append(rows[first:last])
        first = last
    return found


@cache
def folded() -> dict[str, np.ndarray]:
    """Every fact of the log, as the fold writes it."""
    folder = Folder(announcements(log().world), vocabularies_of(log().world))
    pieces: dict[str, list[np.ndarray]] = {fact.name: [] for fact in FACTS}
    for block in blocks(log().rows):
        for name, rows in folder.fold(block).items():
            pieces[name].append(rows.copy())
    return {name: np.concatenate(rows) for name, rows in pieces.items()}


@cache
def naive() -> dict[str, list[dict[str, Any]]]:
    """The same facts, the slow way."""
    reader = Naive(announcements(log().world), {**BUILT_IN, **vocabularies_of(log().world)}, KIND_NAMES)
    found: dict[str, list[dict[str, Any]]] = {fact.name: [] for fact in FACTS}
    for _, rows in log().lives():
        for name, facts in reader.facts_of(reader.read(rows)).items():
            found[name] += facts
    return found


def plain(fact: Fact, row: np.void) -> dict[str, Any]:
    """A folded row with labels as text and nulls as None."""
    words = {**BUILT_IN, **vocabularies_of(log().world)}
    found: dict[str, Any] = {}
    for column in fact.columns:
        value = int(row[column.name])
        if column.name in OPTIONAL_LABELS and value == NO_LABEL:
            found[column.name] = None
        elif column.vocabulary:
            found[column.name] = words[column.vocabulary][value]
        elif column.storage in ("timestamp", "date"):
            found[column.name] = None if value == NULL else value
        else:
            found[column.name] = bool(value) if column.storage == "bool" else value
    return found


@pytest.mark.parametrize("fact", [it for it in FACTS if it.name != "touches"], ids=lambda fact: fact.name)
def test_the_fold_says_what_a_slow_reader_says(fact):
    """Every column of every row, for more than a thousand lives; of campaigns `test_stories_campaigns` says it."""
    rows, expected = folded()[fact.name], naive()[fact.name]
    assert len(rows) == len(expected) > 100
    for row, wanted in zip(rows, expected, strict=True):
        told = plain(fact, row)
        assert told.keys() == wanted.keys()
        assert told == wanted, {name: (told[name], wanted[name]) for name in told if told[name] != wanted[name]}


def test_months_of_a_spell_tile():
    """One month follows another without a gap; who is there at its end begins the next one, worth as much."""
    months = folded()["subscription_months"]
    spells = np.flatnonzero(np.diff(months["subscriber"], prepend=-1) | np.diff(months["spell"], prepend=-1))
    for first, last in zip(spells, [*spells[1:], len(months)], strict=True):
        mine = months[first:last]
        calendar = mine["month"].astype("datetime64[D]").astype("datetime64[M]").astype(int)
        assert (np.diff(calendar) == 1).all()
        assert (mine["active_at_end"][:-1] == 1).all()
        assert (mine["active_at_start"][1:] == 1).all()
        assert (mine["mrr_end_micros"][:-1] == mine["mrr_start_micros"][1:]).all()
        assert (mine["joined"][1:] == 0).all()
        assert (mine["ended"][:-1] == 0).all()


def test_months_hold_all_the_time_of_all_spells():
    """Seconds of the months add up to the time between start and end, less what each month rounds down."""
    spells, months = folded()["subscriptions"], folded()["subscription_months"]
    end = int(log().world.record.end[0])
    ended = np.where(spells["ended_at"] == NULL, end, np.minimum(spells["ended_at"], end))
    seconds = np.maximum(ended - spells["started_at"], 0).sum() / 1e6
    assert months["member_seconds"].min() >= 0
    assert 0 <= seconds - months["member_seconds"].astype(np.int64).sum() <= len(months)


def test_facts_reconcile_with_the_log():
    """Every event that a fact stands for is in exactly one of them, and so is every unit of money."""
    kinds = dict(zip(*np.unique(log().rows["kind"], return_counts=True), strict=True))
    count = {name: kinds.get(number, 0) for number, name in KIND_NAMES.items()}
    facts = folded()
    assert len(facts["invoices"]) == count["invoice.issued"] + count["invoice.imported"]
    assert len(facts["attempts"]) == sum(count[name] for name in TRIES)
    assert facts["attempts"]["failed_calls"].sum() == count["gateway_call.failed"]
    assert len(facts["subscriptions"]) == count["subscription.imported"] + count["subscription.created"]
    assert (facts["subscriptions"]["ended_at"] != NULL).sum() == count["subscription.canceled"]
    assert len(facts["signups"]) == count["signup.started"]
    assert len(facts["notices"]) == facts["invoices"]["notices"].sum() == count["notice.sent"]
    assert len(facts["payment_methods"]) == count["payment_method.added"] + count["payment_method.updated"]
    assert len(facts["surveys"]) == count["survey.sent"]
    assert (facts["surveys"]["answered_at"] != NULL).sum() == count["survey.answered"]
    assert len(facts["offers"]) == count["offer.sent"]
    assert (facts["notices"]["opened_at"] != NULL).sum() == count["notice.opened"]
    assert (facts["notices"]["delivered"] == 0).sum() == count["notice.undelivered"]
    # Who cancels again after a change of mind is asked again; a spell keeps the last answer.
    told = log().rows[log().rows["kind"] == EXIT_SURVEY_ANSWERED]
    assert (facts["subscriptions"]["stated_reason"] > 0).sum() == len(np.unique(told[["subscriber", "spell"]])) > 50
    taken: dict[tuple[int, int], int] = {}
    for row in log().rows[np.isin(log().rows["kind"], (PAYMENT_CAPTURED, PAYMENT_RETURNED))]:
        bill = (int(row["subscriber"]), int(row["invoice"]))
        # What came back of a payment of before the start was never taken in this log.
        back = -int(row["amount_minor"]) if bill in taken else 0
        taken[bill] = taken.get(bill, 0) + (back if row["kind"] == PAYMENT_RETURNED else int(row["amount_minor"]))
    paid = facts["invoices"][facts["invoices"]["paid_at"] != NULL]
    assert paid["amount_minor"].sum() == sum(taken.values())


def test_where_blocks_end_changes_no_fact():
    """One life at a time gives what whole blocks give: nothing is carried from one person to the next."""
    folder = Folder(announcements(log().world), vocabularies_of(log().world))
    pieces: dict[str, list[np.ndarray]] = {fact.name: [] for fact in FACTS}
    for _, rows in log().lives():
        for name, facts in folder.fold(rows).items():
            pieces[name].append(facts.copy())
    for name, rows in folded().items():
        assert (np.concatenate(pieces[name]) == rows).all(), name


def test_people_are_parted_by_whether_anything_is_recorded_later():
    """Stretches of whole lives, as a slow reader finds them; folded apart, both give what all give together."""
    block = blocks(log().rows)[0]
    moments = (0, int(np.median(block["recorded_at"])), int(np.quantile(block["recorded_at"], 0.9)), NEVER)
    folder = Folder(announcements(log().world), vocabularies_of(log().world))
    for moment in moments:
        late = late_in(block, moment)
        found = settled_and_not(block, moment)
        for stretches, is_late in zip(found, (False, True), strict=True):
            rows = [block[first:end] for first, end in stretches]
            whose = np.concatenate([np.zeros(0, np.int64), *(part["subscriber"] for part in rows)])
            assert whose.tolist() == [who for who in block["subscriber"].tolist() if (who in late) == is_late]
        pieces = [{name: facts.copy() for name, facts in folder.fold(block, it).items()} for it in found]
        for name, whole in folder.fold(block).items():
            apart = np.concatenate([piece[name] for piece in pieces])
            assert len(apart) == len(whole)
            own = [whole[np.isin(whole["subscriber"], list(late)) == is_late] for is_late in (False, True)]
            assert (apart == np.concatenate(own)).all(), name
    assert 0 < len(late_in(block, moments[1])) < len(np.unique(block["subscriber"]))


def late_in(block: np.ndarray, moment: int) -> set[int]:
    """Those of whom something is recorded from a moment on."""
    return set(block["subscriber"][block["recorded_at"] >= moment].tolist())


def test_months_that_nobody_wants_are_left_out_and_change_nothing_else():
    """Every other fact is the same, also where folders take turns on one page."""
    page = new_page()
    told = announcements(log().world), vocabularies_of(log().world)
    without, whole = Folder(*told, tells_months=False, page=page), Folder(*told, page=page)
    for block in blocks(log().rows):
        few = {name: facts.copy() for name, facts in without.fold(block).items()}
        assert len(few.pop("subscription_months")) == 0
        all_of_it = whole.fold(block)
        assert len(all_of_it["subscription_months"]) > 1000
        for name, facts in few.items():
            assert (facts == all_of_it[name]).all(), name


def test_a_block_too_large_is_refused():
    """A call folds at most so many rows."""
    folder = Folder(announcements(log().world), vocabularies_of(log().world))
    with pytest.raises(ValueError, match="more than a block"):
        folder.fold(log().rows[: BLOCK_ROWS + 1])


def test_who_joins_as_the_run_ends_is_in_no_month():
    """Paid by an answer that came after the last instant: a subscription, and no time in it."""
    end = int(log().world.record.end[0])
    who = log().find(lambda rows: SUBSCRIPTION_CREATED in rows["kind"][:7])
    rows = log().of(who).copy()
    rows = rows[: rows["kind"].tolist().index(SUBSCRIPTION_CREATED) + 1]
    later = end + 500_000 - rows["occurred_at"][-1]
    rows["occurred_at"] += later
    rows["recorded_at"] += later
    facts = Folder(announcements(log().world), vocabularies_of(log().world)).fold(rows)
    assert len(facts["subscriptions"]) == 1
    assert len(facts["subscription_months"]) == 0


def test_a_sign_up_whose_debit_comes_back_is_no_failed_renewal():
    """No spell has more failed renewals than renewals."""
    spells = folded()["subscriptions"]
    assert (spells["failed_renewals"] <= spells["renewals"]).all()
    returned = folded()["invoices"]
    assert (returned["is_signup"] & returned["was_returned"]).sum() > 10
