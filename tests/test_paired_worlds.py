"""Paired worlds: the same people with the same luck, and one thing different from the start on."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from billing_sim import declines, events
from billing_sim.drivers import batch, paired
from billing_sim.drivers.shards import people_of_shard
from billing_sim.truth import worlds
from billing_sim.world.compile import CompiledWorld
from tests.world_builder import world_of
from tests.world_texts import BUSY

SHARD = 7
LONG = BUSY.replace("end: 2025-06-01", "end: 2026-06-01")


@cache
def world() -> CompiledWorld:
    """A busy world of a year and a half."""
    return world_of("members: 6000", LONG)


@cache
def lived(*causes: str, whole: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Rows and truths of a shard's people with these causes gone, or in a whole other world."""
    other = {"": lambda: worlds.without(world(), causes), "perfect": lambda: worlds.perfect(world()),
             "frictionless": lambda: worlds.frictionless(world())}[whole]()  # fmt: skip
    blocks = [
        (it.rows.copy(), it.truths.copy()) for it in paired.lives(world(), other, *people_of_shard(world(), SHARD))
    ]
    rows, truths = zip(*blocks, strict=True)
    return np.concatenate(rows), np.concatenate(truths)


def causes_of(truths: np.ndarray) -> set[str]:
    """Why attempts failed."""
    told = truths[truths["kind"] == events.EXPLAINED]
    return {declines.CAUSES[cause][0] for cause in np.unique(told["cause"]).tolist()}


def test_with_nothing_different_everybody_lives_the_same_life():
    """The driver of what if agrees with the batch driver to the byte."""
    blocks = [(it.rows.copy(), it.truths.copy()) for it in batch.lives(world(), SHARD)]
    rows, truths = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    assert lived()[0].tobytes() == rows.tobytes()
    assert lived()[1].tobytes() == truths.tobytes()


@pytest.mark.parametrize(
    ("cause", "gone"),
    [
        ("funds", {"funds", "balance"}),
        ("expiry", {"expired", "replaced", "closed", "mandate_lapsed"}),
        ("false_decline", {"suspicion", "issuer_memory", "restricted"}),
        ("outage", {"outage", "technical"}),
    ],
)
def test_a_cause_taken_away_is_gone_and_only_it(cause, gone):
    """Beyond what was under way at the start, nothing fails of it any more; the other causes stay."""
    _, truths = lived(cause)
    later = truths[truths["occurred_at"] > world().record.start[0] + 60 * 86_400_000_000]
    before = causes_of(lived()[1])
    assert gone & before
    assert gone.isdisjoint(causes_of(later))
    assert before - gone - causes_of(truths) <= {"bank_stop", "mandate_revoked"}, "only what is rare may not happen"


def test_the_base_is_the_same_in_every_world():
    """Who is a member at the start, owing what, does not depend on what is different afterwards."""
    kinds = (events.SUBSCRIPTION_IMPORTED, events.METHOD_ADDED, events.INVOICE_IMPORTED)

    def base(rows: np.ndarray) -> np.ndarray:
        start = rows["occurred_at"] == world().record.start[0]
        return rows[start & np.isin(rows["kind"], kinds)]

    plain = base(lived()[0])
    assert base(lived(whole="perfect")[0]).tobytes() == plain.tobytes()
    assert base(lived(whole="frictionless")[0]).tobytes() == plain.tobytes()
    assert (plain["kind"] == events.INVOICE_IMPORTED).any()


def test_in_a_perfect_world_nothing_is_declined():
    """Nobody is told of a failure, and nobody is lost through payment."""
    rows, truths = lived(whole="perfect")
    later = rows["occurred_at"] > world().record.start[0] + 60 * 86_400_000_000
    failing = (events.ATTEMPT_DECLINED, events.ATTEMPT_UNKNOWN, events.GATEWAY_CALL_FAILED, events.PAYMENT_RETURNED,
               events.NOTICE_SENT, events.DUNNING_STARTED)  # fmt: skip
    assert not np.isin(rows["kind"][later], failing).any()
    assert causes_of(truths[truths["occurred_at"] > world().record.start[0] + 60 * 86_400_000_000]) == set()


def test_a_frictionless_world_keeps_what_is_the_payers_own():
    """Money still runs dry; nothing fails but for what is the payer's own."""
    later = lived(whole="frictionless")[1]
    later = later[later["occurred_at"] > world().record.start[0] + 60 * 86_400_000_000]
    found = causes_of(later)
    assert {"funds"} <= found <= {"funds", "balance", "bank_stop", "mandate_revoked"}


def test_intent_does_not_depend_on_payment_trouble():
    """Whoever never leaves in either world changes their mind at the same moments in both."""

    def wishes(rows: np.ndarray, truths: np.ndarray) -> dict[int, list[tuple[int, int]]]:
        gone = set(rows["subscriber"][rows["kind"] == events.SUBSCRIPTION_CANCELED].tolist())
        told = truths[truths["kind"] == events.INTENT_CHANGED]
        found: dict[int, list[tuple[int, int]]] = {}
        for row in told:
            if int(row["subscriber"]) not in gone:
                found.setdefault(int(row["subscriber"]), []).append((int(row["occurred_at"]), int(row["intent"])))
        return found

    plain, other = wishes(*lived()), wishes(*lived(whole="frictionless"))
    both = plain.keys() & other.keys()
    assert len(both) > 20
    assert {who: plain[who] for who in both} == {who: other[who] for who in both}


def test_daily_retries_come_every_day_until_dunning_ends():
    """Without a retry cap the next retry of whoever cannot pay comes a day after the last."""
    rows, _ = lived("retry_cap")
    tried = rows[(rows["kind"] == events.ATTEMPT_DECLINED) & (rows["initiator"] == events.MIT)]
    pairs = (np.diff(tried["subscriber"]) == 0) & (np.diff(tried["invoice"]) == 0) & (np.diff(tried["method"]) == 0)
    days = np.round(np.diff(tried["occurred_at"])[pairs] / 86_400_000_000)
    assert np.median(days) == 1
    assert (
        len(tried)
        > 1.5 * ((lived()[0]["kind"] == events.ATTEMPT_DECLINED) & (lived()[0]["initiator"] == events.MIT)).sum()
    )


def test_a_longer_world_has_the_same_past_and_nobody_new():
    """Followed for another quarter, people do what they did; sign-ups end with the scenario, returns go on."""
    long = worlds.lengthened(world().scenario, 90)
    numbers, markets = people_of_shard(world(), SHARD)
    assert np.array_equal(people_of_shard(long, SHARD)[0], numbers)
    rows = np.concatenate([it.rows.copy() for it in paired.lives(long, long, numbers, markets)])
    past = rows["occurred_at"] < world().record.end[0]
    plain = lived()[0]
    assert rows[past].tobytes() == plain[plain["occurred_at"] < world().record.end[0]].tobytes()
    assert (~past).sum() > 0


def test_people_share_nothing_so_no_effect_spills_over():
    """Half of the people alone live the same lives in a world without friction as among all the others."""
    numbers, markets = people_of_shard(world(), SHARD)
    half = slice(0, len(numbers) // 2)
    alone = np.concatenate([
        it.rows.copy() for it in paired.lives(world(), worlds.frictionless(world()), numbers[half], markets[half])
    ])  # fmt: skip
    among = lived(whole="frictionless")[0]
    assert alone.tobytes() == among[np.isin(among["subscriber"], numbers[half])].tobytes()
    assert worlds.shared_in(world()) == []
