"""Second chances where people share something: beside the others as they were, and where all have the policy."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import billing_sim
from billing_sim import declines, events
from billing_sim.clock import DAY
from billing_sim.drivers import by_tape, coupled
from billing_sim.drivers.forks import ENDINGS, UNDECIDED
from billing_sim.drivers.tape import Tape, span_of, window_of
from billing_sim.dunning_ranking.playing import Played, play
from billing_sim.dunning_ranking.policies import Policies, presets
from billing_sim.dunning_ranking.ranking import Ranking
from billing_sim.facts.folding import Folder
from billing_sim.facts.schema import RECOVERIES
from billing_sim.identity import vocabularies_of
from billing_sim.trace.life import relive
from billing_sim.trace.oracle import chances_of
from billing_sim.truth.alternatives import with_policy
from billing_sim.truth.worlds import lengthened, shared_in
from billing_sim.world.announce import announcements
from billing_sim.world.compile import CompiledWorld
from tests.world_builder import laid_over, world_of
from tests.world_texts import BUSY, QUIET
from tests.world_texts_experiments import MANY
from tests.world_texts_fraud import REVIEWERS
from tests.world_texts_load import BUSY_GATEWAYS
from tests.world_texts_support import CROWDED

SHARED = {
    "the gateways": (BUSY_GATEWAYS.replace("0.5 per hour", "2 per hour"),),
    "room at gateways": ("gateways: {northpay: {capacity: 3 per hour}, harborpay: {capacity: 2 per hour}}\n",),
    "a desk": (CROWDED,),
    "reviewers": (REVIEWERS,),
    "everything, in arms": (BUSY_GATEWAYS, CROWDED, REVIEWERS, MANY),
}
SOME = ("netflix_like", "generic", "yuno", "smart")
Invoice = tuple[int, int]
"""Whose, and which."""

_FOLLOWED = 150
"""Days after the end until everything is settled."""


def some() -> Policies:
    """A few presets, unlike each other."""
    return {name: presets()[name] for name in SOME}


@cache
def world(shared: str) -> CompiledWorld:
    """A busy world of a thousand in which people share something."""
    found = world_of("members: 1200\n", laid_over(BUSY, *SHARED[shared]))
    assert shared_in(found)
    return found


@cache
def played(shared: str) -> Played:
    """Its failed invoices under a few policies."""
    return play(world(shared).scenario, some(), 20, 1, lambda done, total: None)


Ending = tuple[int, str]
"""When an invoice was paid (0: never), and by what."""


def endings(
    before: CompiledWorld, after: CompiledWorld, tape: Tape
) -> tuple[dict[Invoice, Ending], dict[Invoice, int]]:
    """How invoices of everybody ended who lived in another world from the start on, by a tape: read from the rows.

    With it, when the first invoice of each person to fail did so.
    """
    folder, found, failed = Folder(announcements(after), vocabularies_of(after)), {}, {}
    for block in by_tape.lives(before, after, *coupled.everybody(before), tape):
        begun = block.rows[block.rows["kind"] == events.DUNNING_STARTED]
        _, places = np.unique(begun["subscriber"], return_index=True)
        for it in begun[places]:
            failed[int(it["subscriber"]), int(it["invoice"])] = int(it["occurred_at"])
        for it in folder.fold(np.ascontiguousarray(block.rows))["invoices"]:
            recovered_by = RECOVERIES[it["recovered_by"]]
            key = int(it["subscriber"]), int(it["invoice"])
            found[key] = (0, "none") if recovered_by == "none" else (int(it["paid_at"]), recovered_by)
    return found, failed


def ending_of(outcome: np.void) -> Ending:
    """The same of an invoice that was played out."""
    return (int(outcome["collected_at"]), ENDINGS[outcome["ended_by"]]) if outcome["collected_at"] else (0, "none")


@cache
def longer(shared: str) -> CompiledWorld:
    """The world, followed until everything is settled."""
    return lengthened(world(shared).scenario, _FOLLOWED)


@pytest.mark.parametrize("shared", SHARED)
def test_the_own_rules_end_every_invoice_as_the_life_did(shared: str):
    """Who lives on beside the people of their own world meets what they met: gateways, desk and reviewers alike."""
    it, (ends, _) = played(shared), endings(longer(shared), longer(shared), coupled.tape_of(longer(shared)))
    for failure, outcome in zip(it.failures, it.outcomes[:, 0], strict=True):
        assert ending_of(outcome) == ends[int(failure["subscriber"]), int(failure["invoice"])]
    assert len(it.failures) > 400
    assert {ENDINGS[way] for way in it.outcomes[:, 0]["ended_by"]} >= {"retry", "member", "given_up", "canceled"}


@pytest.mark.parametrize("shared", SHARED)
@pytest.mark.parametrize("place", range(1, 1 + len(SOME)), ids=SOME)
def test_a_policy_ends_invoices_as_in_the_world_in_which_all_have_it(shared: str, place: int):
    """Whose dunning begins for the first time lived alike until then, so it ends alike: beside the others as they were,
    which is the direct effect of that world, and no fork knows of it.
    """
    it, name = played(shared), SOME[place - 1]
    other = lengthened(with_policy(world(shared).scenario, "tried", some()[name]), _FOLLOWED)
    ends, failed = endings(longer(shared), other, coupled.direct_tape_of(longer(shared), other))
    compared = 0
    for failure, outcome in zip(it.failures, it.outcomes[:, place], strict=True):
        key = int(failure["subscriber"]), int(failure["invoice"])
        if failed.get(key) == failure["first_failed_at"]:
            assert ending_of(outcome) == ends[key]
            compared += 1
    assert compared > 100


def test_the_oracle_is_that_of_the_trace():
    """Both ask by the same tape, each in the world of the arm in which the person lives."""
    it, there = played("everything, in arms"), longer("everything, in arms")
    tape, window = coupled.tape_of(there), there.record["dunning_end"][0]
    asked = in_arms = found = 0
    for failure in it.failures[::20]:
        lived = relive(there, int(failure["market"]), int(failure["subscriber"]), tape)
        state = lived.failures[int(failure["invoice"])]
        chances = chances_of(there, int(failure["invoice"]), state, tape)
        within = int(failure["first_failed_at"]) + min(int(window[state["policy"][0]]), 20 * DAY)
        good = [int(at) for at in chances.moments[chances.causes == declines.NO_CAUSE] if at < within]
        told = int(failure["oracle_at"])
        assert (told if told < within else 0) == (good[0] if good else 0)
        asked, in_arms, found = asked + 1, in_arms + bool(state["lives_in"][0]), found + bool(good)
    assert asked > 80
    assert in_arms > 10
    assert 0 < found < asked


def test_a_policy_that_all_have_already_does_the_same_together():
    """Where the scenario's rules are the policy, they, the policy alone and the policy of all are one."""
    scenario = with_policy(world("everything, in arms").scenario, "generic", some()["generic"])
    it = play(scenario, {"generic": some()["generic"]}, 20, 1, lambda done, total: None)
    assert it.together is not None
    for column in (it.outcomes[:, 0], it.outcomes[:, 1], it.together[:, 0]):
        assert column.tobytes() == it.together[:, 1].tobytes()


@pytest.mark.parametrize("shared", SHARED)
def test_what_all_do_to_one_another_is_not_what_one_meets(shared: str):
    """Some invoice ends otherwise when everybody has the policy; the own rules are what everybody has."""
    it = played(shared)
    assert it.together is not None
    assert it.together[:, 0].tobytes() == it.outcomes[:, 0].tobytes()
    assert any(it.together[:, i].tobytes() != it.outcomes[:, i].tobytes() for i in range(1, 1 + len(SOME)))


def test_together_is_the_world_in_which_all_have_the_policy():
    """At gateways, of whose load nobody keeps a memory: what fails there too, in an hour when they are as full, ends as
    there.
    """
    it, shared = played("room at gateways"), "room at gateways"
    assert it.together is not None
    moved = 0
    for place, name in enumerate(SOME, 1):
        other = lengthened(with_policy(world(shared).scenario, "tried", some()[name]), _FOLLOWED)
        own, tape = coupled.tape_of(longer(shared)), coupled.record_tape(longer(shared), other)
        ends, failed = endings(longer(shared), other, tape)
        span, compared = span_of(longer(shared)), 0
        for failure, outcome, alone in zip(it.failures, it.together[:, place], it.outcomes[:, place], strict=True):
            key = int(failure["subscriber"]), int(failure["invoice"])
            k = window_of(span, int(failure["first_failed_at"]))
            if failed.get(key) == failure["first_failed_at"] and (own.row(k) == tape.row(k)).all():
                assert ending_of(outcome) == ends[key]
                compared, moved = compared + 1, moved + (outcome != alone)
        assert compared > 20
    assert moved


@pytest.mark.parametrize("shared", SHARED)
def test_an_invoice_that_would_not_fail_in_the_crowd_is_not_taken_for_unpaid(shared: str):
    """It fails as it did and is followed from there: in the crowd no more are open at the end than one by one."""
    it = played(shared)
    assert it.together is not None
    for place in range(1, 1 + len(SOME)):
        alone, together = (part[:, place]["ended_by"] == UNDECIDED for part in (it.outcomes, it.together))
        assert together.sum() <= alone.sum() + 2


@pytest.mark.parametrize("shared", SHARED)
def test_how_many_fail_is_told_of_the_world_in_which_all_have_it(shared: str):
    """Counted once more in a run of that scenario."""
    it = played(shared)
    scenario = with_policy(world(shared).scenario, "tried", some()["smart"])
    end = int(world(shared).record["end"][0])
    there = lengthened(scenario, _FOLLOWED)
    before, tape, failed = longer(shared), coupled.record_tape(longer(shared), there), 0
    for block in by_tape.lives(before, there, *coupled.everybody(before), tape):
        kinds = block.rows["kind"][block.rows["occurred_at"] < end]
        failed += int((kinds == events.DUNNING_STARTED).sum())
    assert it.failed[0] == len(it.failures)
    assert it.failed[1 + SOME.index("smart")] == failed != len(it.failures)


_NARROW = "gateways: {northpay: {capacity: 20 per hour}}\n"
ARMS_WITH_A_TIMELINE = """
name: arms
experiments:
  test:
    enrol: start
    arms:
      as_it_is: {share: 50%}
      worse:
        share: 50%
        change:
          timeline:
            - {kind: gateway_outage, at: 2025-02-05, gateway: northpay, duration: 1 day, failing: 100%}
            - {kind: gateway_outage, at: 2025-02-08, gateway: northpay, duration: 1 day, failing: 100%}
"""


def test_what_arms_meet_stays_in_the_crowd():
    """Of an arm's timeline only switches of dunning give way to the policy of all."""
    base = laid_over(QUIET, ONE_NIGHT, ARMS_WITH_A_TIMELINE)
    scenario = world_of(f"members: 900\n{_NARROW}dunning: [{{use: generic}}]\n", base).scenario
    own = scenario.dunning_policies["generic"]
    it = play(scenario, {"generic": own}, 20, 1, lambda done, total: None)
    assert it.together is not None
    assert len(it.failures) > 20
    assert it.together[:, 1].tobytes() == it.outcomes[:, 0].tobytes()
    assert it.failed == (len(it.failures),) * 2


ONE_NIGHT = """
name: one_night
members: 2000
end: 2025-02-20
gateways: {northpay: {capacity: 100 per hour}}
timeline: [{kind: gateway_outage, at: 2025-02-05, gateway: northpay, duration: 1 day, failing: 100%}]
dunning_policies:
  untried: {retries: [], notices: [], grace: 10 days, end: 10 days}
dunning: [{use: untried}]
"""
POLICIES = """
at_night: {retries: [1 day], notices: [], grace: 10 days, end: 10 days}
at_nine: {retries: [1 day], retry_hour: 9, notices: [], grace: 10 days, end: 10 days}
"""
"""Whoever is billed on February 5 fails, some 66. A day later as many others are billed in the same hour of the night;
at nine in the morning nobody pays."""


@pytest.fixture(scope="module")
def one_night(tmp_path_factory: pytest.TempPathFactory) -> Ranking:
    """Both policies after a day without a gateway that takes 100 an hour."""
    folder = tmp_path_factory.mktemp("one_night")
    (folder / "policies.yaml").write_text(POLICIES)
    (folder / "scenario.yaml").write_text(laid_over(QUIET, ONE_NIGHT))
    return billing_sim.dunning(folder / "scenario.yaml", policies=folder / "policies.yaml")


def test_retries_of_all_meet_a_full_gateway_at_night(one_night: Ranking):
    """Alone everybody is paid at either hour; together three quarters are at night, and everybody at nine."""
    failed = one_night.failed
    assert 55 < failed < 80
    for name in ("at_night", "at_nine"):
        assert (one_night[name].sums["collected"], one_night[name].endings["retry"]) == (failed, failed)
    night, nine = (one_night[name].together for name in ("at_night", "at_nine"))
    assert night is not None and nine is not None  # noqa: PT018
    assert nine["collected"] == failed
    assert 0.6 * failed < night["collected"] < 0.9 * failed
    spill = one_night["at_night"].spillover("collected_rate")
    assert spill is not None
    assert spill.value == pytest.approx((night["collected"] - failed) / failed)
    assert spill.is_told


def test_the_ranking_tells_what_all_do_to_one_another(one_night: Ranking):
    """In the table, in JSON, in CSV and invoice by invoice; own rules that everybody has already add nothing."""
    text = str(one_night)
    assert "when everybody has it (total): people share gateways." in " ".join(text.split())
    head = text.splitlines().index(next(line for line in text.splitlines() if "spillover" in line))
    rows = {line.split()[1]: line.split() for line in text.splitlines()[head + 1 : head + 4]}
    assert set(rows) == {"at_nine", "at_night", "own"}
    assert float(rows["at_night"][2]) > float(rows["at_night"][3])
    assert rows["own"][-1] == "0"
    assert max(map(len, text.splitlines())) <= 80
    told = one_night.to_json()
    assert told["shared"] == ["gateways"]
    for one in told["policies"]:
        standing = one_night[one["policy"]]
        assert one["together"]["net_per_failure"]["value"] == standing.scores_together["net_per_failure"].value
        added = one["together"]["net_per_failure"]["value"] - one["scores"]["net_per_failure"]["value"]
        assert one["spillover"]["net_per_failure"]["difference"] == pytest.approx(added)
    assert "net_per_failure_together" in one_night.to_csv().splitlines()[0].split(",")
    invoices = one_night.outcomes().query("policy == 'at_night'")
    assert invoices["collected_hours_together"].notna().sum() == one_night["at_night"].together["collected"]
    assert set(invoices["ended_by_together"]) == {"retry", "given_up"}


def test_where_nothing_is_shared_there_is_nothing_to_tell(tmp_path: Path):
    """No crowd, no second table, no empty columns."""
    (tmp_path / "policies.yaml").write_text(POLICIES)
    (tmp_path / "scenario.yaml").write_text(laid_over(QUIET, ONE_NIGHT, "gateways: {northpay: {capacity: null}}"))
    it = billing_sim.dunning(tmp_path / "scenario.yaml", policies=tmp_path / "policies.yaml", members=400)
    assert it["at_nine"].together is None
    assert it["at_nine"].spillover() is None
    assert "spillover" not in str(it)
    assert "together" not in it.to_csv()
    assert not [name for name in it.outcomes().columns if "together" in name]
    assert (it.to_json()["shared"], "together" in it.to_json()["policies"][0]) == ([], False)
