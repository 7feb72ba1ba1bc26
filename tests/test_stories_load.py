"""Stories of gateways under load, and of drivers that keep windows for people who share something."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from billing_sim import clock, events
from billing_sim.clock import HOUR
from billing_sim.declines import CODE_NUMBER, CODES
from billing_sim.drivers import by_tape, coupled, desk, one_crowd, paired
from billing_sim.drivers.memory import PER_PERSON, check_room
from billing_sim.drivers.shards import people_of_shard
from billing_sim.drivers.tape import Tape, span_of, window_of
from billing_sim.errors import BillingSimError
from billing_sim.scenario import load
from billing_sim.stress.lab import bench
from billing_sim.trace.life import relive
from billing_sim.truth.worlds import frictionless, shared_in
from billing_sim.world.compile import CompiledWorld, compile_world
from billing_sim.world.record import REFUSED, SLOW
from tests.random_worlds import compiled, content_of
from tests.world_builder import Log, changed, digests, expected, happened, log_of, world_of
from tests.world_texts import BUSY, QUIET
from tests.world_texts_load import BUSY_GATEWAYS, CROWDED

ATTEMPTS = (events.ATTEMPT_AUTHORIZED, events.ATTEMPT_DECLINED, events.ATTEMPT_UNKNOWN)
THROTTLED = CODE_NUMBER["throttled"]


def attempts(log: Log) -> np.ndarray:
    """The attempts of a log."""
    return log.rows[np.isin(log.rows["kind"], ATTEMPTS)]


def hours(rows: np.ndarray) -> Counter:
    """How many rows there are in each hour."""
    return Counter((rows["occurred_at"] // HOUR).tolist())


@pytest.mark.parametrize("window", ["1 hour", "30 min", "7 hours"])
def test_both_drivers_tell_the_same_story_of_a_crowd(window):
    """One by a tape and life after life, the other window by window in one environment: the same rows and truths."""
    world = world_of(f"window: {window}{BUSY_GATEWAYS}", BUSY, 400)
    assert world.is_coupled
    assert digests(world, "batch") == digests(world, "simpy")


def alike(one: Tape, other: Tape) -> None:
    """The same was published, asked and delivered."""
    for part in ("places", "tables", "effects", "due", "requests"):
        assert getattr(one, part).tobytes() == getattr(other, part).tobytes(), part


def test_threads_leave_no_trace_on_a_tape(monkeypatch):
    """Three crowds who wait for each other at every barrier, or one in a loop that never stops: the same tape."""
    world = world_of(BUSY_GATEWAYS, BUSY, 400)
    alone = coupled.record_tape(world, threads=1)
    monkeypatch.setattr(coupled, "_SHARED_BY_THREADS", 0)
    alike(alone, coupled.record_tape(world, threads=3))


def desks() -> list[CompiledWorld]:
    """A world with a busy support desk, and the same from when half of the agents are away."""
    content = content_of(("support", "reviewers")) | {"members": 600}
    away = {"kind": "support_staffing", "at": "2025-02-10", "duration": "300 days", "agents": "-50%"}
    worlds = [compiled(content), compiled(content | {"timeline": [*content.get("timeline", ()), away]})]
    assert all(world and world.is_coupled for world in worlds)
    return worlds


@pytest.fixture(scope="module")
def desk_tapes() -> tuple[list[CompiledWorld], Tape, Tape]:
    """Those worlds, the tape of the first, and what it would have been like in the second beside that crowd."""
    before, after = desks()
    tape = coupled.record_tape(before)
    assert len(tape.requests) > 100
    return [before, after], tape, coupled.record_tape(before, after, replayed=tape)


def test_threads_leave_no_trace_on_what_desks_answer(monkeypatch, desk_tapes):
    """One crowd or three ask the same and are told the same, also when each is served alone beside others."""
    (before, after), tape, beside = desk_tapes
    monkeypatch.setattr(coupled, "_SHARED_BY_THREADS", 0)
    alike(tape, coupled.record_tape(before, threads=3))
    alike(beside, coupled.record_tape(before, after, replayed=tape, threads=3))
    assert tape.effects.tobytes() != beside.effects.tobytes()


def test_room_that_is_made_on_the_way_leaves_no_trace(monkeypatch, desk_tapes):
    """The loop stops and goes on wherever a buffer is full: with room for one of everything it does so all the time."""
    (before, after), tape, beside = desk_tapes
    monkeypatch.setattr(one_crowd, "_FEW", 1)
    monkeypatch.setattr(one_crowd, "_AT_ONCE", 7)
    monkeypatch.setattr(desk, "_ROOM", 1)
    alike(tape, coupled.record_tape(before))
    alike(beside, coupled.record_tape(before, after, replayed=tape))


def test_the_order_of_shards_leaves_no_trace_on_a_tape(monkeypatch):
    """Whoever is listed first is nobody in particular."""
    world = world_of(BUSY_GATEWAYS, BUSY, 400)
    tape = coupled.record_tape(world)
    listed = coupled.everybody(world)
    monkeypatch.setattr(coupled, "everybody", lambda _: tuple(column[::-1].copy() for column in listed))
    assert (coupled.record_tape(world).tables == tape.tables).all()


def test_the_past_does_not_depend_on_the_horizon():
    """Each subscriber's rows before a moment are the same when the run goes on for longer, in a crowd too."""
    text = CROWDED.replace("end: 2025-04-01", "end: 2025-02-15")
    short, long = happened(text), happened(CROWDED)
    end = clock.day_number(short.world.scenario.end) * clock.DAY
    before = [log.rows[log.rows["occurred_at"] < end] for log in (short, long)]
    assert before[0].tobytes() == before[1].tobytes()
    assert (before[0]["code"] == THROTTLED).any()


def test_plain_python_tells_the_same_story_of_a_crowd():
    """The same rules, not compiled."""
    text = f"members: 10\nend: 2025-05-02{BUSY_GATEWAYS}"
    told = (
        "import json\nfrom tests.world_builder import digests, world_of\nfrom tests.world_texts import BUSY\n"
        f"print(json.dumps([digests(world_of({text!r}, BUSY), driver) for driver in ('batch', 'simpy')]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=120,
        cwd=Path(__file__).parent.parent, env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    compiled = list(digests(world_of(text, BUSY)))
    assert json.loads(done.stdout) == [compiled, compiled]


def test_a_gateway_without_room_refuses_and_the_retry_finds_room():
    """Refused in the crowd of the night, charged a day later; nobody but the gateway is to blame."""
    log = happened(CROWDED)
    who = log.find(lambda rows: (rows["code"] == THROTTLED).sum() == 1 and rows["kind"][0] == 4)
    story = [line.partition(" ")[2] for line in log.story(who)]
    i = story.index("payment_attempt.declined mit throttled")
    assert story[i - 1 : i + 5] == expected("""
        invoice.issued
        payment_attempt.declined mit throttled
        dunning.started
        notice.sent payment_failed
        payment_attempt.authorized mit
        payment.captured
    """)
    assert "decline.explained throttled" in [line.partition(" ")[2] for line in log.secrets(who)]


def test_a_gateway_takes_about_as_many_as_it_can():
    """Each hour's takings stay around the capacity, by the luck of the draw; quiet hours refuse nobody."""
    log = happened(CROWDED)
    taken = hours(log.rows[log.rows["kind"] == events.ATTEMPT_AUTHORIZED])
    came, refused = hours(attempts(log)), hours(log.rows[log.rows["code"] == THROTTLED])
    crowded = [hour for hour in came if came[hour] > 40]
    assert len(crowded) > 40
    assert abs(np.mean([taken[hour] for hour in crowded]) - 40) < 1
    assert max(taken.values()) < 60
    assert all(refused[hour] == 0 for hour in came if came[hour] <= 40)


def test_more_room_refuses_only_some_of_the_same_people():
    """In the first crowded window luck is the same in both worlds, and the line is drawn lower down."""
    less, more = (happened(CROWDED.replace("40 per", f"{room} per")) for room in (40, 55))
    first = {int(attempts(log)["occurred_at"].min()) // HOUR for log in (less, more)}
    assert len(first) == 1
    hour = next(iter(first))
    refused = [
        set(
            log.rows["subscriber"][(log.rows["code"] == THROTTLED) & (log.rows["occurred_at"] // HOUR == hour)].tolist()
        )
        for log in (less, more)
    ]
    assert refused[1] < refused[0]


def test_what_one_gateway_refuses_another_takes():
    """With fail-over the refused go on at once to the gateway that has room."""
    text = CROWDED + "failover: true\nrouting: [{use: {northpay: 90%, harborpay: 10%}}]\n"
    log = happened(text)
    assert not (log.rows["code"] == THROTTLED).any()
    went_on = log.rows[log.rows["kind"] == events.GATEWAY_CALL_FAILED]
    assert len(went_on) > 300
    assert set(went_on["gateway"]) == {0}


def test_the_spill_of_one_gateway_crowds_the_next():
    """What the first cannot take counts as demand on the second, which then refuses as well."""
    text = CROWDED + "failover: true\nrouting: [{use: {northpay: 90%, harborpay: 10%}}]\n"
    log = happened(text.replace("40 per hour}", "40 per hour}\n  harborpay: {capacity: 15 per hour}"))
    declined = log.rows[log.rows["code"] == THROTTLED]
    assert len(declined) > 100
    taken = hours(log.rows[(log.rows["kind"] == events.ATTEMPT_AUTHORIZED) & (log.rows["gateway"] == 1)])
    busy = [count for count in taken.values() if count > 10]
    assert abs(np.mean(busy) - 15) < 2


SLOW_NIGHTS = """
members: 2000
end: 2025-03-01
billing_hours: [3, 6]
gateways:
  northpay:
    latency: {p50: 1 second, p95: 2 seconds, p99: 3 seconds}
    load: {comfortable: 10 per hour, slowdown: 4, timeouts: 0%}
"""


def test_answers_take_as_long_as_the_window_before_was_busy():
    """Every answer is the unloaded one times what was published, and that follows from the attempts counted before."""
    loaded = happened(SLOW_NIGHTS)
    idle = happened(SLOW_NIGHTS.replace("10 per hour", "100000 per hour"))
    slow, fast = attempts(loaded), attempts(idle)
    assert (slow["subscriber"] == fast["subscriber"]).all()
    world = loaded.world
    tape, span = coupled.tape_of(world), span_of(world)
    asked = slow["occurred_at"] - slow["latency_ms"].astype(np.int64) * 1000
    windows = [window_of(span, int(at)) for at in asked]
    factors = np.array([int(tape.row(k)[SLOW]) or 1024 for k in windows])
    assert (slow["latency_ms"] == fast["latency_ms"].astype(np.int64) * factors // 1024).all()
    came = Counter(windows)
    for k in range(1, len(tape.tables)):
        step = min(came[k - 1] * 8 // 10, 63)
        assert int(tape.row(k)[SLOW]) == (1024 * (8 + 3 * (step - 8)) // 8 if step > 8 else 0)
    assert factors.max() > 2048


def test_load_leaves_answers_out():
    """Beyond what is comfortable some attempts time out, which never happens otherwise."""
    log = happened(SLOW_NIGHTS.replace("timeouts: 0%", "timeouts: 10%"))
    unknown = log.rows[log.rows["kind"] == events.ATTEMPT_UNKNOWN]
    assert 20 < len(unknown) < len(attempts(log)) // 4


def test_routing_by_success_rate_goes_around_an_outage():
    """Within hours most attempts avoid the failing gateway; those that explore still meet it."""
    text = """
members: 3000
end: 2025-03-01
routing: [{use: {northpay: 50%, harborpay: 50%}, by: success_rate, explore: 10%}]
timeline: [{kind: gateway_outage, at: 2025-02-01, gateway: northpay, duration: 10 days, failing: 100%}]
"""
    rows = attempts(happened(text))
    day = (rows["occurred_at"] - rows["occurred_at"].min()) // (24 * HOUR)
    during = rows[(day >= 32) & (day < 40)]
    share = (during["gateway"] == 0).mean()
    assert 0.02 < share < 0.09
    by_weights = attempts(happened(text.replace(", by: success_rate, explore: 10%", "")))
    assert 0.4 < (by_weights["gateway"] == 0).mean() < 0.6


ONE_MARKET = "routing: [{use: {northpay: 60%, harborpay: 40%}}, {market: [BR], use: {partner: 100%}}]\n"


def test_a_crowd_in_one_market_changes_nobody_elsewhere():
    """Only Brazil pays through the partner; with next to no room there, nothing differs in any other market."""
    free = log_of(world_of(ONE_MARKET + "gateways: {partner: {timeout: 1%}}\n", BUSY, 800))
    tight = log_of(world_of(ONE_MARKET + "gateways: {partner: {timeout: 1%, capacity: 0.05 per hour}}\n", BUSY, 800))
    assert tight.world.is_coupled
    assert not free.world.is_coupled
    touched = {free.line(rows[0]) and free.world.markets[int(rows["market"][0])] for who, rows in free.lives()
               if who in changed(free, tight)}  # fmt: skip
    assert touched == {"BR"}


ISSUERS_OUT = """
members: 1000
end: 2025-03-01
timeline:
  - {kind: issuer_outage, at: 2025-02-10, method: [credit], duration: 1 day, failing: 50%}
"""


def test_issuers_that_cannot_be_reached_answer_91_to_half_of_the_cards():
    """For a day, credit cards only; everything else stays as it was."""
    log, calm = happened(ISSUERS_OUT), happened(ISSUERS_OUT.partition("timeline")[0])
    declined = log.rows[log.rows["kind"] == events.ATTEMPT_DECLINED]
    assert {CODES[code].code for code in declined["code"]} == {"91"}
    assert not log.world.is_coupled
    day = log.world.record.issuer_out_start[0, 0]
    asked = attempts(log)
    inside = asked[(asked["occurred_at"] >= day) & (asked["occurred_at"] < day + 24 * HOUR)]
    cards = inside[inside["method_kind"] == events.CREDIT]
    assert 0.3 < (cards["code"] > 0).mean() < 0.7
    assert changed(log, calm) == set(declined["subscriber"].tolist())


def test_issuers_out_of_reach_are_no_matter_where_no_bank_pays():
    """A gift balance is ours, a partner bills by itself, and a voucher is issued all the same."""
    by_method = "method_mix: {credit: 25%, voucher: 25%, gift_balance: 25%, carrier_partner: 25%}"
    out = ISSUERS_OUT.replace("method: [credit], ", "").replace("50%", "100%")
    day = happened(out + f"markets: {{US: {{behaviour: {{{by_method}, first_attempt_failure: {{voucher: 0%}}}}}}}}\n")
    outage = day.rows[(day.rows["kind"] == events.ATTEMPT_DECLINED) & (day.rows["code"] != CODE_NUMBER["balance_used"])]
    assert set(outage["method_kind"].tolist()) == {events.CREDIT}


def test_a_life_told_again_is_the_life_of_the_log():
    """One subscriber followed by the tape, alarm by alarm, leaves the rows that they left in the crowd."""
    world = world_of(BUSY_GATEWAYS, BUSY, 400)
    log, tape = log_of(world), coupled.tape_of(world)
    for shard in range(0, 64, 16):
        for number, market in zip(*people_of_shard(world, shard), strict=True):
            life = relive(world, int(market), int(number), tape)
            assert life.rows.tobytes() == log.of(int(number)).tobytes()
            assert life.truths.tobytes() == log.truth_of(int(number)).tobytes()


def test_other_worlds_are_lived_by_the_tape_of_the_first():
    """The same world again is the same log; without friction nobody is refused, whatever the tape says."""
    world = world_of(CROWDED)
    numbers, markets = people_of_shard(world, 5)
    again = np.concatenate([block.rows.copy() for block in paired.lives(world, world, numbers, markets)])
    own = [log_of(world).of(int(number)) for number in numbers]
    assert again.tobytes() == np.concatenate(own).tobytes()
    better = np.concatenate([it.rows.copy() for it in paired.lives(world, frictionless(world), numbers, markets)])
    assert not (better["code"] == THROTTLED).any()
    assert shared_in(world) == ["gateways"]
    assert shared_in(world_of("")) == []


def test_direct_and_total_effect_of_less_dunning_differ_by_what_others_feel():
    """Nobody retries: those who never failed live the same lives by the baseline's tape, and others by their own."""
    world = world_of(CROWDED)
    other = world_of(
        CROWDED
        + "dunning: [{use: never}]\ndunning_policies: {never: {retries: [], notices: [], grace: 9 days, end: 9 days}}\n"
    )
    numbers, markets = people_of_shard(world, 7)
    direct, total = (
        np.concatenate([it.rows.copy() for it in by_tape.lives(world, other, numbers, markets, tape)])
        for tape in (coupled.direct_tape_of(world, other), coupled.record_tape(world, other))
    )
    assert direct.tobytes() != total.tobytes()
    base = log_of(world)
    calm = [int(n) for n in numbers if not (base.of(int(n))["code"] > 0).any()]
    same = [who for who in calm if direct[direct["subscriber"] == who].tobytes() == base.of(who).tobytes()]
    assert same == calm
    relieved = [
        who
        for who in numbers
        if (direct[direct["subscriber"] == who].tobytes() != total[total["subscriber"] == who].tobytes())
    ]
    assert relieved


def test_capacities_are_scaled_with_the_members():
    """Half the people, half the room; the file's own number leaves it alone."""
    text = CROWDED.replace("members: 2000", "members: 2001") + "  harborpay: {load: {comfortable: 10 per hour}}\n"
    whole, half = world_of(text), world_of(text, members=667)
    assert whole.record.capacity[0, 0] == 40 * 1024
    assert half.record.capacity[0, 0] == 40 * 1024 * 667 // 2001
    assert half.record.comfortable[0, 1] == 10 * 1024 * 667 // 2001


def test_windows_half_as_long_tell_the_same_within_the_noise(tmp_path):
    """First attempts that succeed on an overrun payday, by windows of an hour and of half an hour, seed by seed."""
    shares = np.array([
        [first_success(payday(tmp_path, window, seed)) for seed in (1, 2, 3, 4)] for window in ("1 hour", "30 min")
    ])  # fmt: skip
    between_seeds = shares.std(axis=1, ddof=1).mean()
    assert abs(np.subtract(*shares.mean(axis=1))) < between_seeds


def payday(folder: Path, window: str, seed: int) -> CompiledWorld:
    """The shipped outage on a payday, smaller, by windows of this length."""
    shipped = Path(__file__).parent.parent / "scenarios" / "outage_on_payday.yaml"
    file = folder / "payday.yaml"
    file.write_text(f"extends: {Path(os.path.relpath(shipped, folder)).as_posix()}\nwindow: {window}\n")
    return compile_world(load(file, members=2000, seed=seed).scenario)


def first_success(world: CompiledWorld) -> float:
    """The share of first attempts that are authorized."""
    rows = attempts(log_of(world))
    return float((rows["kind"][rows["attempt"] == 1] == events.ATTEMPT_AUTHORIZED).mean())


def test_people_who_do_not_fit_into_memory_are_refused_in_time():
    """The refusal says how many would fit."""
    with pytest.raises(BillingSimError, match=r"About 600 members fit: use --members 600;"):
        check_room(2000, 1000, available=2000 * PER_PERSON)
    check_room(2000, 1000, available=4000 * PER_PERSON)


def test_nothing_published_where_nothing_is_shared():
    """The quiet world keeps no windows and has an empty tape."""
    world = world_of("", QUIET)
    assert not world.is_coupled
    assert len(coupled.tape_of(world).tables) == 0
    assert world.record.published[0, REFUSED] == 0


def test_the_lab_scales_capacities_with_its_few_members():
    """A case is laid over content whose capacities fit the members that the lab takes."""
    on = bench(Path(__file__).parent.parent / "scenarios" / "outage_on_payday.yaml", members=600)
    assert on.content["gateways"]["northpay"]["capacity"] == "6.000000 per hour"
    assert on.scenario.gateways["harborpay"].load.comfortable == 2
