"""Exchange rates that change: lives stay as they are, amounts are worth what they were worth on their day."""

from __future__ import annotations

from datetime import date
from functools import cache

import numpy as np
import pytest

from billing_sim import clock, events
from billing_sim.errors import BillingSimError
from billing_sim.events import KIND_NAMES
from billing_sim.facts.context import context_of
from billing_sim.facts.folding import Folder
from billing_sim.facts.rates import constant_rates, schedules
from billing_sim.facts.record import RATES
from billing_sim.facts.schema import FACTS
from billing_sim.identity import vocabularies_of
from billing_sim.runs.tables import BUILT_IN
from billing_sim.scenario.parts import CAPACITY
from billing_sim.world.announce import announcements
from tests.naive_facts import Naive
from tests.test_facts import blocks, plain
from tests.world_builder import Log, happened, world_of
from tests.world_texts import BUSY

CHANGES = """timeline:
  - {kind: exchange_rate, at: 2025-04-01, currency: GBP, rate: 1.4}
  - {kind: exchange_rate, at: 2025-02-14, currency: INR, rate: 0.0131}
  - {kind: exchange_rate, at: 2025-02-14, currency: GBP, rate: 1.1}
"""
MOVING = BUSY.replace("timeline:\n", CHANGES)
MONEY = ("invoices", "attempts", "subscription_months")


@cache
def log(text: str = MOVING) -> Log:
    """Half a year in four currencies."""
    return happened("members: 400", text)


@cache
def folded(text: str = MOVING) -> dict[str, np.ndarray]:
    """Every fact of it."""
    folder = Folder(announcements(log(text).world), vocabularies_of(log(text).world))
    pieces: dict[str, list[np.ndarray]] = {fact.name: [] for fact in FACTS}
    for block in blocks(log(text).rows):
        for name, rows in folder.fold(block).items():
            pieces[name].append(rows.copy())
    return {name: np.concatenate(rows) for name, rows in pieces.items()}


def currency(code: str) -> int:
    return vocabularies_of(log().world)["currencies"].index(code)


def instant(day: str) -> int:
    return clock.day_number(date.fromisoformat(day)) * clock.DAY


def micros(minor: np.ndarray, rate: tuple[int, int]) -> np.ndarray:
    """Minor units at a rate, rounded half up."""
    return (minor * rate[0] + rate[1] // 2) // rate[1]


def test_nobody_lives_another_life():
    """Every row and every sealed truth is the same; the world has another name, so that its run is not taken for it."""
    still, moving = log(BUSY), log()
    assert still.rows.tobytes() == moving.rows.tobytes()
    assert still.truths.tobytes() == moving.truths.tobytes()
    assert still.world.digest != moving.world.digest


@pytest.mark.parametrize("fact", [fact for fact in FACTS if fact.name in MONEY], ids=lambda fact: fact.name)
def test_the_fold_says_what_a_slow_reader_says(fact):
    """Every column of every row, with rates that change in mid-month and on a first of the month."""
    reader = Naive(announcements(log().world), {**BUILT_IN, **vocabularies_of(log().world)}, KIND_NAMES)
    expected = [row for _, rows in log().lives() for row in reader.facts_of(reader.read(rows))[fact.name]]
    assert len(folded()[fact.name]) == len(expected) > 500
    for row, wanted in zip(folded()[fact.name], expected, strict=True):
        assert plain(fact, row) == wanted


def test_an_invoice_is_worth_what_it_was_worth_when_it_was_issued():
    """10.99 GBP: 13.74 USD at the start, 12.09 from the day of the first change; its attempts like the invoice."""
    invoices = folded()["invoices"]
    mine = invoices[(invoices["currency"] == currency("GBP")) & (invoices["amount_minor"] == 1099)]
    early, late = instant("2025-02-14"), instant("2025-04-01")
    before = mine["amount_micros"][(mine["issued_at"] >= 0) & (mine["issued_at"] < early)]
    after = mine["amount_micros"][(mine["issued_at"] >= early) & (mine["issued_at"] < late)]
    assert set(before.tolist()) == {round(10.99e6 * float(log().world.scenario.rate("GBP")))}
    assert set(after.tolist()) == {12_089_000}
    of = {(row["subscriber"], row["invoice"]): row["amount_micros"] for row in invoices}
    for row in folded()["attempts"]:
        assert row["amount_micros"] == of[row["subscriber"], row["invoice"]]


def test_months_end_as_the_next_ones_begin():
    """A rate of the first of April changes nothing in March: April begins at the old rate and ends at the new one."""
    months = folded()["subscription_months"]
    april = clock.day_number(date(2025, 4, 1))
    stays = (months["active_at_start"] == 1) & (months["active_at_end"] == 1)
    mine = months[stays & (months["month"] == april) & (months["currency"] == currency("GBP"))]
    mine = mine[mine["net_start_minor"] == mine["net_end_minor"]]
    assert len(mine) > 50
    assert (mine["mrr_end_micros"] * 110 - mine["mrr_start_micros"] * 140).max() < 200
    spells = list(zip(months["subscriber"].tolist(), months["spell"].tolist(), strict=True))
    follows = np.array([here == before for here, before in zip(spells[1:], spells, strict=False)])
    assert (months["mrr_start_micros"][1:][follows] == months["mrr_end_micros"][:-1][follows]).all()


def test_constant_rates_are_those_of_the_start():
    """With them any amount can be valued from its minor units: what it would be, had rates stood still."""
    rates = constant_rates(announcements(log().world))
    assert rates == constant_rates(announcements(log(BUSY).world))
    assert rates["USD"] == (10_000 * 10**9, 10**9)
    numbers = vocabularies_of(log().world)["currencies"]
    assert set(rates) == set(numbers)
    still, moving = folded(BUSY), folded()
    for code, rate in rates.items():
        mine = moving["invoices"]["currency"] == numbers.index(code)
        for amount in ("amount", "tax"):
            constant = micros(moving["invoices"][f"{amount}_minor"][mine], rate)
            assert (constant == still["invoices"][f"{amount}_micros"][mine]).all()
        mine = moving["subscription_months"]["currency"] == numbers.index(code)
        months = np.where(moving["subscription_months"]["interval"][mine] == 1, 12, 1)
        for end in ("start", "end"):
            constant = micros(moving["subscription_months"][f"net_{end}_minor"][mine], rate) // months
            assert (constant == still["subscription_months"][f"mrr_{end}_micros"][mine]).all()


def test_a_rate_is_published_on_its_day():
    """In the order of time, known from then on and not before; those of the start as ever."""
    told = [event for event in announcements(log().world) if event["kind"] == "exchange_rate.published"]
    later = [(event["currency"], event["rate_nanos"], event["occurred_at"]) for event in told[4:]]
    february, april = instant("2025-02-14"), instant("2025-04-01")
    assert later == [("GBP", 11 * 10**8, february), ("INR", 13_100_000, february), ("GBP", 14 * 10**8, april)]
    assert all(event["recorded_at"] == event["occurred_at"] for event in told)
    assert [len(steps) for steps in schedules(told).values()] == [1, 3, 2, 1]
    assert told[:4] == [event for event in announcements(log(BUSY).world) if event["kind"] == "exchange_rate.published"]


def test_a_rate_from_the_first_day_is_the_rate_of_the_start():
    """It takes the place of the one under `exchange_rates`."""
    world = world_of("timeline: [{kind: exchange_rate, at: 2025-01-15, currency: GBP, rate: 2}]", BUSY)
    assert constant_rates(announcements(world))["GBP"] == (20_000 * 10**9, 10**9)


def test_there_is_room_for_as_many_rates_as_a_scenario_may_have():
    """The fold holds what the scenario allows, and refuses more."""
    assert CAPACITY["rates"] == RATES
    told = announcements(log().world)
    rate = {"kind": "exchange_rate.published", "currency": "GBP", "rate_nanos": 10**9}
    more = [rate | {"occurred_at": instant("2025-05-01") + i} for i in range(RATES - 3)]
    assert context_of([*told, *more], vocabularies_of(log().world))["rate_count"].max() == RATES
    with pytest.raises(ValueError, match="are more than 128"):
        context_of([*told, *more, rate | {"occurred_at": 0}], vocabularies_of(log().world))


def test_amounts_stay_exact_at_the_highest_rate():
    """A rate at which an amount would outgrow 64 bits is refused, though the first rate was small."""
    with pytest.raises(BillingSimError, match="too large to be reported exactly"):
        world_of("timeline: [{kind: exchange_rate, at: 2025-03-01, currency: GBP, rate: 1000000}]", BUSY)


def test_an_attempt_without_its_invoice_is_worth_what_it_was_on_its_own_day():
    """The invoice was lost from the log: nothing else is known."""
    who = log().find(lambda rows: (rows["kind"] == events.INVOICE_ISSUED).sum() > 3 and rows["currency"].max() == 1)
    rows = log().of(who)
    facts = Folder(announcements(log().world), vocabularies_of(log().world)).fold(
        np.ascontiguousarray(rows[rows["kind"] != events.INVOICE_ISSUED])
    )
    steps = schedules(announcements(log().world))["GBP"]
    assert currency("GBP") == 1
    assert len(facts["attempts"]) > 3
    for row in facts["attempts"]:
        factor = [factor for since, factor in steps if since <= row["occurred_at"]][-1]
        assert row["amount_micros"] == micros(row["amount_minor"], (factor, 10**9))
