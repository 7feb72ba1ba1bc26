"""Damaged logs: rows that are lost, come twice or change places never make a fact that the rest of the log denies."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

from billing_sim import events
from billing_sim.events import ROW
from billing_sim.facts.folding import Folder
from billing_sim.facts.schema import FACTS, NULL
from billing_sim.identity import vocabularies_of
from billing_sim.world.announce import announcements
from tests.test_facts import log

LOGS = 3000
ISSUED = (events.INVOICE_ISSUED, events.INVOICE_IMPORTED)
TRIES = (events.ATTEMPT_AUTHORIZED, events.ATTEMPT_DECLINED, events.ATTEMPT_UNKNOWN)
BEGUN = (events.SUBSCRIPTION_CREATED, events.SUBSCRIPTION_IMPORTED)
COUNTS = {
    "attempts", "mit_attempts", "declines", "notices", "renewals", "failed_renewals", "member_seconds",
    "mrr_start_micros", "mrr_end_micros", "failed_calls", "amount_minor", "tax_minor",
}  # fmt: skip
KIND_OF = {
    "invoices": ISSUED, "attempts": TRIES, "subscriptions": BEGUN, "signups": (events.SIGNUP_STARTED,),
    "notices": (events.NOTICE_SENT,), "payment_methods": (events.METHOD_ADDED, events.METHOD_UPDATED),
    "surveys": (events.SURVEY_SENT,), "offers": (events.OFFER_SENT,),
    "enrolments": (events.EXPERIMENT_ENROLLED,),
}  # fmt: skip
UNTOUCHED = 0x5A


@cache
def folder() -> Folder:
    """One folder for all, so that what a person leaves behind would show in the next one."""
    return Folder(announcements(log().world), vocabularies_of(log().world))


def fold(rows: np.ndarray) -> dict[str, np.ndarray]:
    return {name: facts.copy() for name, facts in folder().fold(np.ascontiguousarray(rows)).items()}


def same(left: np.ndarray, right: np.ndarray) -> bool:
    """Whether two tables hold the same; the bytes between their columns are nobody's."""
    return len(left) == len(right) and bool((left == right).all())


@cache
def lives() -> list[np.ndarray]:
    """Lives of more than a few rows."""
    return [rows for _, rows in log().lives() if len(rows) > 5]


def lost(rows: np.ndarray, luck: np.random.Generator) -> np.ndarray:
    return rows[luck.random(len(rows)) > luck.choice([0.05, 0.3, 0.7])]


def doubled(rows: np.ndarray, luck: np.random.Generator) -> np.ndarray:
    """Some rows again, right behind themselves or anywhere later."""
    places = np.arange(len(rows))
    again = places[luck.random(len(rows)) < 0.2]
    later = again + (luck.integers(0, len(rows), len(again)) if luck.random() < 0.5 else 0)
    order = np.argsort(np.concatenate([places, later]), kind="stable")
    return rows[np.concatenate([places, again])[order]]


def swapped(rows: np.ndarray, luck: np.random.Generator) -> np.ndarray:
    """Pairs of rows in each other's place: neighbours, or any two."""
    order = np.arange(len(rows))
    for _ in range(luck.integers(1, 6)):
        i = luck.integers(0, len(rows) - 1)
        j = i + 1 if luck.random() < 0.5 else luck.integers(0, len(rows))
        order[[i, j]] = order[[j, i]]
    return rows[order]


def delayed(rows: np.ndarray, luck: np.random.Generator) -> np.ndarray:
    """Some rows behind all others."""
    late = luck.random(len(rows)) < 0.1
    return np.concatenate([rows[~late], rows[late]])


def damaged(seed: int) -> np.ndarray:
    """A few lives, each damaged in one to three ways."""
    luck = np.random.default_rng(seed)
    found = []
    for i in luck.choice(len(lives()), 3, replace=False):
        rows = lives()[i]
        for damage in luck.permutation(4)[: luck.integers(1, 4)]:
            if len(rows) > 1:
                rows = (lost, doubled, swapped, delayed)[damage](rows, luck)
        found.append(rows)
    return np.concatenate(found)


def keys(facts: np.ndarray, *names: str) -> Counter[tuple[int, ...]]:
    return Counter(zip(*(facts[name].tolist() for name in names), strict=True))


def test_thousands_of_damaged_logs_fold_to_facts_that_hold():
    """No count is negative, no fact stands without the row that says so, nobody has another one's market or group."""
    who = {int(rows["subscriber"][0]): rows[0] for rows in lives()}
    checked = Counter()
    for seed in range(LOGS):
        rows = damaged(seed)
        facts = fold(rows)
        for name, kinds in KIND_OF.items():
            there = rows[np.isin(rows["kind"], kinds)]
            columns = {"invoices": ("subscriber", "spell", "invoice"), "attempts": ("subscriber", "invoice", "attempt")}
            by = columns.get(name, ("subscriber", "spell"))
            assert not keys(facts[name], *by) - keys(there, *by), (seed, name)
        for name, table in facts.items():
            for column in COUNTS & set(table.dtype.names):
                assert (table[column] >= 0).all(), (seed, name, column)
            for subscriber, group, market in keys(table, "subscriber", "group", "market"):
                assert (group, market) == (who[subscriber]["group"], who[subscriber]["market"]), (seed, name)
            checked[name] += len(table)
        assert (
            not keys(facts["subscription_months"], "subscriber", "spell").keys()
            - keys(facts["subscriptions"], "subscriber", "spell").keys()
        )
        seen = keys(facts["invoices"], "subscriber", "invoice", "issued_at")
        issued = facts["attempts"][facts["attempts"]["issued_at"] != NULL]
        assert keys(issued, "subscriber", "invoice", "issued_at").keys() <= seen.keys()
    assert min(count for name, count in checked.items() if name != "touches") > LOGS // 5


def test_nothing_is_written_outside_the_facts():
    """What lies behind the last fact on a page, which a negative place would reach, stays as it was."""
    mine = Folder(announcements(log().world), vocabularies_of(log().world))
    mine._page.view(np.uint8)[:] = UNTOUCHED
    most: Counter[str] = Counter()
    for seed in range(300):
        for name, facts in mine.fold(damaged(seed)).items():
            most[name] = max(most[name], len(facts))
    for fact in FACTS:
        behind = mine._page[fact.name][0][most[fact.name] :]
        assert len(behind) > 1000
        assert (np.ascontiguousarray(behind).view(np.uint8) == UNTOUCHED).all(), fact.name


def test_what_is_not_damaged_is_not_touched():
    """A whole life between two damaged ones has the facts that it has alone."""
    for seed in range(200):
        whole = lives()[seed]
        rows = np.concatenate([damaged(seed), whole, damaged(seed + 1)])
        facts, alone = fold(rows), fold(whole)
        if (rows["subscriber"] == whole["subscriber"][0]).sum() > len(whole):
            continue
        for name in facts:
            mine = facts[name][facts[name]["subscriber"] == whole["subscriber"][0]]
            assert same(mine, alone[name]), name


def life(fits) -> np.ndarray:
    return next(rows for rows in lives() if fits(rows)).copy()


def without(rows: np.ndarray, *kinds: int, first: int = 0) -> np.ndarray:
    """The rows without those of some kinds; with `first`, without the first so many of them only."""
    places = np.flatnonzero(np.isin(rows["kind"], kinds))
    return np.delete(rows, places[:first] if first else places)


def test_an_attempt_whose_invoice_was_lost_is_an_attempt():
    """When the invoice was issued is not known; the invoices that were not lost are whole."""
    rows = life(lambda rows: (rows["kind"] == events.INVOICE_ISSUED).sum() > 2)
    gone = rows["invoice"][rows["kind"] == events.INVOICE_ISSUED][1]
    facts, whole = fold(rows[(rows["kind"] != events.INVOICE_ISSUED) | (rows["invoice"] != gone)]), fold(rows)
    tries = np.isin(rows["kind"], TRIES) & (rows["invoice"] == gone)
    assert (facts["attempts"]["issued_at"] == NULL).sum() == tries.sum() > 0
    left = whole["invoices"][whole["invoices"]["invoice"] != gone]
    assert same(facts["invoices"], left)


def test_a_person_of_whom_nothing_is_known_leaves_no_facts():
    """Market, plan and group are in the row that begins a spell; without it there is nothing to say."""
    facts = fold(
        without(life(lambda rows: rows["spell"].max() == 1), *BEGUN, events.SIGNUP_STARTED, events.EXPERIMENT_ENROLLED)
    )
    assert {name: len(table) for name, table in facts.items()} == {fact.name: 0 for fact in FACTS}


def test_a_renewal_is_no_sign_up_because_the_beginning_was_lost():
    """The first invoice after a sign-up is the sign-up's; the next one is not, seen a beginning or not."""
    rows = life(lambda rows: rows["kind"][0] == events.SIGNUP_STARTED and (rows["kind"] == ISSUED[0]).sum() > 2)
    facts = fold(without(rows, events.SUBSCRIPTION_CREATED))
    assert facts["invoices"]["is_signup"].tolist() == fold(rows)["invoices"]["is_signup"].tolist()
    assert facts["signups"]["outcome"][0] == 0
    assert len(facts["subscriptions"]) == len(facts["subscription_months"]) == 0


def test_whoever_signs_up_again_had_left():
    """The end of the first spell was lost: it has no end, and no month after the return."""
    rows = life(lambda rows: (rows["kind"] == events.SUBSCRIPTION_CREATED).sum() == 2 and rows["spell"][0] == 1)
    facts, whole = fold(without(rows, events.SUBSCRIPTION_CANCELED, first=1)), fold(rows)
    assert facts["subscriptions"]["ended_at"][0] == NULL
    back = whole["subscription_months"][whole["subscription_months"]["spell"] == 2]
    again = facts["subscription_months"][facts["subscription_months"]["spell"] == 2]
    assert same(again, back)
    first = facts["subscription_months"][facts["subscription_months"]["spell"] == 1]
    assert first["month"].max() <= back["month"].min()


def test_a_failed_call_belongs_to_its_own_attempt():
    """The attempt that it preceded is lost: the next one has no failed calls."""
    rows = life(lambda rows: events.GATEWAY_CALL_FAILED in rows["kind"][:-3])
    place = int(np.flatnonzero(rows["kind"] == events.GATEWAY_CALL_FAILED)[0])
    of = rows[place]
    same = (rows["invoice"] == of["invoice"]) & (rows["attempt"] == of["attempt"]) & np.isin(rows["kind"], TRIES)
    facts, whole = fold(rows[~same]), fold(rows)
    assert facts["attempts"]["failed_calls"].sum() < whole["attempts"]["failed_calls"].sum()


def test_months_without_end_still_fit():
    """A block of members of whom only the beginning is left: more months than a page holds are folded in two."""
    start = life(lambda rows: rows["kind"][0] == events.SUBSCRIPTION_IMPORTED)[:1]
    rows = np.repeat(start, 16_384)
    rows["subscriber"] += np.arange(len(rows))
    rows = rows.astype(ROW)
    months = len(fold(rows[:1])["subscription_months"])
    told = announcements(log().world)
    told[0] = told[0] | {"detail": told[0]["detail"].replace('"end": "2025-06-01"', '"end": "2026-06-01"')}
    facts = Folder(told, vocabularies_of(log().world)).fold(rows)
    assert len(facts["subscriptions"]) == len(rows)
    assert len(facts["subscription_months"]) == (months + 12) * len(rows) > 8 * len(rows)


@pytest.mark.parametrize("kind", [events.SUBSCRIPTION_CANCELED, events.CANCEL_REQUESTED, events.PAYMENT_CAPTURED])
def test_a_row_that_comes_twice_closes_once(kind):
    """The second one finds nothing left to do."""
    rows = life(lambda rows: kind in rows["kind"])
    place = int(np.flatnonzero(rows["kind"] == kind)[0])
    twice = np.insert(rows, place, rows[place])
    facts, whole = fold(twice), fold(rows)
    assert all(same(facts[name], whole[name]) for name in facts)
