"""Households that share, the day on which that ends, and a campaign: who does what, to the line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import billing_sim
from billing_sim import clock, events, people
from billing_sim.campaigns import study
from billing_sim.campaigns.addresses import address, matched, normalised, typed
from billing_sim.drivers import paired
from billing_sim.drivers.shards import people_of_shard
from billing_sim.errors import InputError, QueryError
from billing_sim.facts.folding import Folder
from billing_sim.facts.schema import STEPS
from billing_sim.identity import people_in, vocabularies_of
from billing_sim.scenario import load
from billing_sim.stress.lives import everybody
from billing_sim.trace.life import relive
from billing_sim.trace.story import story_of
from billing_sim.world.announce import announcements
from billing_sim.world.households import borrowers_in
from tests import log_promises
from tests.cli_caller import in_a_process
from tests.world_builder import Log, changed, digests, expected, happened, world_of
from tests.world_texts import BUSY, QUIET
from tests.world_texts_campaigns import FEW, SHARING

PLAIN = "from tests.test_stories_campaigns import *; print(*digests(world_of(FEW, BUSY)))"
WITHOUT = SHARING.partition("campaigns:")[0] + "timeline: [{kind: sharing_crackdown, at: 2025-03-03}]\n"


def number(name: str) -> int:
    """Somebody by name."""
    return people.parse(name)


def told(log: Log, name: str) -> list[str]:
    """What somebody lives through in the spring of the campaign."""
    return log.story(number(name), "2025-03-01", "2025-05-01")


def rows_of(log: Log, kind: int, *reasons: int) -> np.ndarray:
    """The rows of a kind, with one of these reasons."""
    rows = log.rows[log.rows["kind"] == kind]
    return rows[np.isin(rows["reason"], reasons)] if reasons else rows


def test_a_host_who_admits_it_leaves_the_addresses_and_pays_half_for_two_months():
    """Reached, shares a card, answers, lands, leaves the addresses; then two invoices at half price."""
    assert told(happened(SHARING), "US-12") == expected("""
        2025-03-03 sharing.restricted host
        2025-03-09 invoice.issued
        2025-03-09 payment_attempt.authorized mit
        2025-03-09 payment.captured
        2025-03-16 campaign.reached
        2025-03-16 campaign.shared netflix_criminal
        2025-03-17 campaign.replied shares
        2025-03-17 campaign.landed host
        2025-03-17 campaign.email_left host
        2025-03-17 coupon.redeemed
        2025-04-09 invoice.issued
        2025-04-09 discount.applied
        2025-04-09 payment_attempt.authorized mit
        2025-04-09 payment.captured
    """)
    rows = happened(SHARING).of(number("US-12"))
    assert rows["amount_minor"][rows["kind"] == events.PAYMENT_CAPTURED].tolist()[2:6] == [1000, 500, 500, 1000]


def test_a_host_who_lies_gets_a_free_month_and_only_the_truth_knows():
    """The log says that nobody shares; the sealed truth contradicts it."""
    log = happened(SHARING)
    assert told(log, "US-7") == expected("""
        2025-03-03 sharing.restricted host
        2025-03-14 invoice.issued
        2025-03-14 payment_attempt.authorized mit
        2025-03-14 payment.captured
        2025-03-17 campaign.reached
        2025-03-17 campaign.shared netflix_criminal
        2025-03-18 campaign.replied does_not_share
        2025-03-18 coupon.redeemed
        2025-04-14 invoice.issued
        2025-04-14 discount.applied
        2025-04-14 payment.captured
    """)
    assert log.secrets(number("US-7"))[-1] == "2025-03-18 sharing.denied"


def test_a_member_who_shares_with_nobody_says_so_and_gets_the_same():
    """And the sealed truth has nothing to add."""
    log = happened(SHARING)
    assert told(log, "US-0")[3:9] == expected("""
        2025-03-12 campaign.reached
        2025-03-12 campaign.shared i_follow_the_rules
        2025-03-12 campaign.replied does_not_share
        2025-03-12 coupon.redeemed
        2025-04-04 invoice.issued
        2025-04-04 discount.applied
    """)
    assert not [line for line in log.secrets(number("US-0")) if "sharing" in line]


def test_who_is_in_the_control_group_is_shown_nothing():
    """The log notes that the campaign found them, and everything else is as in the world without it."""
    log, without = happened(SHARING), happened(WITHOUT)
    assert told(log, "US-1") == expected("""
        2025-03-03 sharing.restricted host
        2025-03-16 campaign.reached control
        2025-03-26 invoice.issued
        2025-03-26 payment_attempt.authorized mit
        2025-03-26 payment.captured
        2025-04-26 invoice.issued
        2025-04-26 payment_attempt.authorized mit
        2025-04-26 payment.captured
    """)
    for who in rows_of(log, events.CAMPAIGN_REACHED, events.CONTROL)["subscriber"].tolist():
        assert [line for line in log.story(who) if "campaign" not in line] == without.story(who)


def test_a_borrower_who_gets_a_letter_signs_up_at_half_price():
    """The address is left before anybody knows the person; the coupon waits for the sign-up."""
    log = happened(SHARING)
    assert told(log, "US-9-borrower-1") == expected("""
        2025-03-17 campaign.email_left borrower
        2025-03-19 signup.started new
        2025-03-19 payment_method.added preferred
        2025-03-19 coupon.redeemed
        2025-03-19 invoice.issued
        2025-03-19 discount.applied
        2025-03-19 payment_attempt.authorized cit
        2025-03-19 payment.captured
        2025-03-19 subscription.created new
        2025-04-19 invoice.issued
        2025-04-19 discount.applied
        2025-04-19 payment_attempt.authorized mit
        2025-04-19 payment.captured
    """)
    assert number("US-9-borrower-1") not in happened(WITHOUT).subscribers


def test_a_borrower_who_had_just_signed_up_gets_the_discount_for_nothing():
    """They paid before the letter came; the truth says that they would have."""
    log = happened(SHARING)
    assert told(log, "US-9-borrower-2")[-7:] == expected("""
        2025-03-15 subscription.created new
        2025-03-17 campaign.email_left borrower
        2025-03-17 coupon.redeemed
        2025-04-15 invoice.issued
        2025-04-15 discount.applied
        2025-04-15 payment_attempt.authorized mit
        2025-04-15 payment.captured
    """)
    assert log.secrets(number("US-9-borrower-2")) == ["2025-03-17 joining.foreseen"]


def test_a_letter_to_a_mistyped_address_never_arrives():
    """The borrower pays the full price, and nobody finds them by the address that was left."""
    log, who = happened(SHARING), number("US-16-borrower-1")
    assert told(log, "US-16-borrower-1") == expected("""
        2025-03-05 signup.started new
        2025-03-05 payment_method.added preferred
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.authorized cit
        2025-03-05 payment.captured
        2025-03-05 subscription.created new
        2025-03-19 campaign.email_left borrower
        2025-04-05 invoice.issued
        2025-04-05 payment_attempt.authorized mit
        2025-04-05 payment.captured
    """)
    (row,) = [row for row in log.of(who) if row["kind"] == events.CAMPAIGN_EMAIL_LEFT]
    assert row["score"] == 1
    assert matched([typed(who, 1, 1)], [who]) == [None]


def test_a_host_who_cancels_over_it_still_answers_and_leaves_the_addresses():
    """What is said on a social network needs no membership: the discount waits, and the borrower is written to."""
    log = happened(SHARING)
    assert told(log, "US-9") == expected("""
        2025-03-03 sharing.restricted host
        2025-03-06 subscription.cancel_requested voluntary
        2025-03-16 campaign.reached
        2025-03-17 campaign.shared netflix_criminal
        2025-03-17 campaign.replied shares
        2025-03-17 subscription.canceled voluntary
        2025-03-17 campaign.landed host
        2025-03-17 campaign.email_left host
    """)
    assert log.secrets(number("US-9"))[-1] == "2025-03-06 intent.changed go"


@pytest.mark.parametrize("base", [QUIET, BUSY])
def test_hosts_and_borrowers_tell_the_same_story(base):
    """Whoever's address is left has a host who left it at that moment, and every host leaves those of all borrowers."""
    log = happened(SHARING, base)
    hosts = {
        int(row["subscriber"]): int(row["occurred_at"]) for row in rows_of(log, events.CAMPAIGN_EMAIL_LEFT, events.HOST)
    }
    left = rows_of(log, events.CAMPAIGN_EMAIL_LEFT, events.BORROWER)
    assert hosts
    assert {people.host_of(int(row["subscriber"])): int(row["occurred_at"]) for row in left} == hosts
    every = np.concatenate([borrowers_in(log.world.record[0], m) for m in range(len(log.world.markets))]).tolist()
    assert sorted(left["subscriber"].tolist()) == [who for who in every if people.host_of(who) in hosts]
    discount = log.world.names.coupons.index("half_price")
    redeemed = rows_of(log, events.COUPON_REDEEMED)
    holders = set(redeemed["subscriber"][redeemed["coupon"] == discount].tolist())
    assert holders <= set(hosts) | set(left["subscriber"][left["score"] == 0].tolist())


def test_only_people_whom_the_campaign_touches_live_otherwise():
    """The world without it differs for nobody who has no row of the campaign."""
    log = happened(SHARING)
    kinds = np.isin(log.rows["kind"], (events.CAMPAIGN_REACHED, events.CAMPAIGN_EMAIL_LEFT))
    assert changed(log, happened(WITHOUT)) == set(log.rows["subscriber"][kinds].tolist())


def test_sharing_alone_changes_nobody():
    """Borrowers have numbers of their own: nobody's luck moves, and without a crackdown nobody hears of them."""
    assert changed(happened("", BUSY), happened("sharing: {}", BUSY)) == set()


def test_a_crackdown_in_one_market_leaves_the_others_alone():
    """To the byte."""
    text = "sharing: {cancels: 20%}\ntimeline: [{kind: sharing_crackdown, at: 2025-02-03, market: [GB]}]"
    touched = changed(happened("timeline: []", BUSY), happened(text, BUSY))
    assert {people.describe(who).partition("-")[0] for who in touched} == {"GB"}
    assert any(people.is_borrower(who) for who in touched)


def test_both_drivers_and_plain_python_agree():
    """Everything of this noun at once, digest for digest."""
    world = world_of(SHARING, BUSY)
    assert digests(world) == digests(world, "simpy")
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", PLAIN],
        capture_output=True, check=False, timeout=240, cwd=Path(__file__).parent.parent,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [*digests(world_of(FEW, BUSY))]


def test_who_lives_without_a_campaign_until_the_start_lives_with_it_afterwards():
    """The pair of worlds that studies compare: only what happens after the start differs."""
    log, without = happened(SHARING), world_of(WITHOUT)
    blocks = [block.rows.copy() for block in paired.lives(without, log.world, *everybody(log.world))]
    rows = np.concatenate(blocks)
    assert rows[np.argsort(rows["subscriber"], kind="stable")].tobytes() == log.rows.tobytes()


def test_a_shorter_run_is_the_beginning_of_a_longer_one():
    """Borrowers work nothing out that depends on when the run ends."""
    log, short = happened(SHARING), happened(SHARING + "end: 2025-03-18\n")
    until = clock.micros(datetime(2025, 3, 18, tzinfo=UTC))
    assert short.rows.tobytes() == log.rows[log.rows["occurred_at"] < until].tobytes()
    assert len(rows_of(short, events.CAMPAIGN_EMAIL_LEFT))


@pytest.mark.parametrize(
    "promise",
    [
        log_promises.sequences_have_no_gaps,
        log_promises.time_runs_forward,
        log_promises.rows_use_only_their_columns,
        log_promises.people_move_legally,
    ],
)
def test_lives_with_campaigns_keep_the_promises_of_the_log(promise):
    """Borrowers whose first row is a letter included."""
    for _, rows in happened(SHARING, BUSY).lives():
        assert list(promise(log_promises.read(rows))) == []


def test_an_arm_cannot_change_who_shares(tmp_path):
    """Host and borrower live by one campaign: an experiment that changed it for one of them would tear them apart."""
    (tmp_path / "base.yaml").write_text(QUIET)
    arms = "{a: {share: 50%}, b: {share: 50%, change: {sharing: {hosts: 10%}}}}"
    text = f"extends: base.yaml\n{SHARING}experiments: {{test: {{enrol: sign_up, arms: {arms}}}}}\n"
    (tmp_path / "arms.yaml").write_text(text)
    with pytest.raises(InputError, match="sharing is the same for all arms"):
        load(tmp_path / "arms.yaml")


def test_borrowers_are_listed_alike_everywhere():
    """By shard, all together, and counted; each with the host whose number is in theirs."""
    world = world_of(SHARING, BUSY)
    numbers, _ = everybody(world)
    dealt = [people_of_shard(world, shard)[0] for shard in range(people.SHARDS)]
    assert sorted(np.concatenate(dealt).tolist()) == numbers.tolist() == sorted(numbers.tolist())
    assert people_in(world) == len(numbers)
    borrowers = [who for who in numbers.tolist() if people.is_borrower(who)]
    assert borrowers
    shard_of = {who: shard for shard, found in enumerate(dealt) for who in found.tolist()}
    assert all(shard_of[who] == shard_of[people.host_of(who)] for who in borrowers)


def test_a_borrower_has_a_name():
    """It reads as the host's, and says which of the borrowers."""
    who = number("US-1042-borrower-2")
    assert people.describe(who) == "US-1042-borrower-2"
    assert people.host_of(who) == number("US-1042")
    assert people.is_borrower(who)
    assert not people.is_borrower(number("US-1042"))


def test_more_members_only_add_borrowers():
    """Whoever borrows in a small world does so in a large one."""
    few, many = (borrowers_in(world_of(SHARING, members=members).record[0], 0).tolist() for members in (40, 64))
    assert few == [who for who in many if people.host_of(who) < number("US-40")]
    assert len(few) < len(many)


def test_touches_say_what_the_log_says():
    """Each row of a campaign is one fact; who paid is read off the same life."""
    log = happened(SHARING)
    touches = Folder(announcements(log.world), vocabularies_of(log.world)).fold(log.rows)["touches"]
    rows = log.rows[log.rows["kind"] >= events.CAMPAIGN_REACHED]
    assert touches["subscriber"].tolist() == rows["subscriber"].tolist()
    assert Counter(STEPS[step] for step in touches["step"]) == Counter(
        {"reached": 60, "shared": 39, "replied": 36, "landed": 15, "email_left": 35, "restricted": 34}
    )
    left = touches[touches["reason"] == events.BORROWER]
    assert left["other"].tolist() == [people.host_of(int(who)) for who in left["subscriber"]]
    for fact in left:
        paid = [row for row in log.of(int(fact["subscriber"])) if row["kind"] == events.PAYMENT_CAPTURED]
        assert (fact["paid_at"] > 0) == bool(paid)
        assert not paid or fact["paid_at"] == paid[0]["recorded_at"]
    shown = (touches["step"] == STEPS.index("reached")) & (touches["reason"] == 0)
    assert set(touches["cost_micros"][shown].tolist()) == {20_000}


def test_nobody_is_reached_twice_by_one_campaign():
    """Not even who leaves and comes back, or who joins while it runs."""
    reached = rows_of(happened(SHARING, BUSY), events.CAMPAIGN_REACHED)["subscriber"]
    assert len(np.unique(reached)) == len(reached)
    assert any((int(who) >> people.KIND_SHIFT) & 3 == people.ARRIVAL for who in reached)


def test_a_person_is_told_in_sentences():
    """The whole funnel reads as a story, with what only the simulator knows."""
    world = world_of(SHARING.replace("    free_month: free_month\n    discount: half_price\n", ""))
    lines = story_of(world, relive(world, 0, number("US-7")), truth=True).render(200)
    for sentence in (
        "The member was told that people outside the household have no access to the account any more.",
        "The campaign amnesty reached the person.",
        "The person shared the card #NetflixCriminal.",
        "The person answered the automatic reply: they share their account with nobody.",
        "In truth: the person does share their account.",
    ):
        assert sentence in lines
    borrower = story_of(world, relive(world, 0, number("US-16-borrower-1")), truth=True).render(200)
    assert "who uses the account of US-16, was left on the landing page, with 1 typing mistake." in borrower
    assert "In truth: the person would sign up without the campaign too, sooner or later." in borrower
    stranger = next(
        who for who in borrowers_in(world.record[0], 0).tolist() if who not in happened(SHARING).subscribers
    )
    assert "and the run never heard of them." in story_of(world, relive(world, 0, stranger)).render(200)


@pytest.mark.parametrize("way", ["US-7@example.invalid", "u.s-7+films@Example.invalid", "US-.7@EXAMPLE.INVALID"])
def test_addresses_are_compared_without_capitals_dots_and_tags(way):
    """Three ways to type one address."""
    assert normalised(way) == address(number("US-7"))


def test_a_mistyped_address_can_find_somebody_else():
    """One wrong digit, and it is the neighbour's."""
    base = [number(f"US-{ordinal}") for ordinal in range(10)]
    found = [matched([typed(who, 1, 1)], base)[0] for who in base]
    assert all(it != who for it, who in zip(found, base, strict=True))
    assert any(it is not None for it in found)
    assert [matched([typed(who, 0, 1)], base)[0] for who in base] == base


@pytest.fixture(scope="module")
def scenario_file(tmp_path_factory) -> Path:
    """The sharing world as a file."""
    folder = tmp_path_factory.mktemp("campaigns")
    (folder / "base.yaml").write_text(QUIET)
    (folder / "sharing.yaml").write_text(f"extends: base.yaml\n{SHARING}")
    return folder / "sharing.yaml"


def test_the_study_counts_what_the_log_has(scenario_file):
    """Funnel, attribution and increment, against the rows of both worlds."""
    log, without, found = happened(SHARING), happened(WITHOUT), study(scenario_file)
    left = rows_of(log, events.CAMPAIGN_EMAIL_LEFT, events.BORROWER)
    borrowers = left["subscriber"].tolist()
    payers = {int(who) for who in rows_of(log, events.PAYMENT_CAPTURED)["subscriber"]}
    anyway = {int(who) for who in rows_of(without, events.PAYMENT_CAPTURED)["subscriber"]}
    assert (found.funnel["reached"], found.funnel["control"]) == (50, 10)
    assert found.funnel["of_these_lie"] == int((log.truths["kind"] == events.SHARING_DENIED).sum()) == 5
    assert found.funnel["borrowers_addresses"] == len(left) == 22
    assert found.increment["paying"] == len(payers & {*borrowers})
    assert found.increment["would_pay_anyway"] == len(payers & anyway & {*borrowers})
    assert found.attribution["paying"] - found.attribution["found_rightly"] == int(
        sum(who in payers for who in left["subscriber"][left["score"] > 0].tolist())
    )
    assert found.won < found.claimed
    assert f"Claimed: {found.attribution['found']} of 22" in repr(found)


def test_the_return_is_the_paired_difference_in_money_over_the_cost(scenario_file):
    """Money captured in both worlds, counted by hand: there are no fees and no taxes here."""

    def captured(log: Log) -> int:
        return int(rows_of(log, events.PAYMENT_CAPTURED)["amount_minor"].sum())

    log, found = happened(SHARING), study(scenario_file)
    cost = 100 + int(log.rows["fee_minor"][log.rows["kind"] >= events.CAMPAIGN_REACHED].sum()) / 100
    assert found.money["margin_gained"] == pytest.approx((captured(log) - captured(happened(WITHOUT))) / 100)
    assert found.money["cost"] == pytest.approx(cost)
    assert found.money["return"] == pytest.approx(found.money["margin_gained"] / cost)


def test_of_two_campaigns_each_is_held_against_the_world_in_which_only_the_other_is(scenario_file):
    """What the second one costs or wins is not the first one's: counted by hand in the worlds with either."""
    second = """
  later: {at: 2025-04-14, duration: 5 days, reach: 90%, control: 0%, cards: {i_follow_the_rules: 50%},
          replies: 100%, free_month: free_month, discount: half_price, cost: {reach: 0.1}}
timeline:"""
    both, alone = SHARING.replace("\ntimeline:", second), WITHOUT.replace("timeline:", f"campaigns:{second}")
    file = scenario_file.with_name("both.yaml")
    file.write_text(f"extends: base.yaml\n{both}")
    here, there = happened(both), happened(alone)
    with_it, without = (rows_of(log, events.PAYMENT_CAPTURED)["amount_minor"].sum() for log in (here, there))
    found = study(file, "amnesty")
    payers = {int(who) for who in rows_of(there, events.PAYMENT_CAPTURED)["subscriber"]}
    assert found.money["margin_gained"] == pytest.approx((int(with_it) - int(without)) / 100)
    assert found.increment["would_pay_anyway"] == len(payers & {*found.borrowers["subscriber"].tolist()})
    assert found.money["margin_gained"] != pytest.approx(study(file, "later").money["margin_gained"])


def test_why_the_metric_of_the_cost_says_less_is_printed(scenario_file, tmp_path):
    """The campaign has a fixed cost, which the log does not know; without one there is nothing to explain."""
    run = billing_sim.run(scenario_file, out=tmp_path / "run")
    value = run.metric("campaign_cost_per_paying_borrower")["value"].item()
    told = " ".join(repr(run.campaign()).split())
    assert "The fixed cost of 100.00 USD is in both. The metric campaign_cost_per_paying_borrower, " in told
    assert f"counts only borrowers whose address finds them: {value:,.2f} USD." in told
    free = scenario_file.with_name("free.yaml")
    free.write_text(scenario_file.read_text().replace("fixed: 100, ", ""))
    assert "fixed cost" not in repr(study(free))


def test_a_scenario_without_campaigns_has_no_story_of_one(tmp_path, scenario_file):
    """And a campaign that does not exist is refused by name."""
    (tmp_path / "quiet.yaml").write_text(QUIET)
    with pytest.raises(QueryError, match="has no campaign"):
        study(tmp_path / "quiet.yaml")
    with pytest.raises(QueryError, match="There is no campaign other; campaigns are amnesty"):
        study(scenario_file, "other")


def test_the_log_announces_crackdowns_and_campaigns():
    """With the moments from which they hold, and never with who would do what."""
    rows = [row for row in announcements(world_of(SHARING)) if row["kind"] in ("sharing.forbidden", "campaign.opened")]
    assert [row["kind"] for row in rows] == ["sharing.forbidden", "campaign.opened"]
    assert rows[1]["until"] - rows[1]["occurred_at"] == 10 * clock.DAY
    assert "denies" not in rows[1]["detail"]


def test_the_command_prints_the_funnel_and_the_verdict(scenario_file):
    """As a table and as JSON, with the same numbers; a scenario without a campaign is refused in one sentence."""
    found = study(scenario_file)
    table, plain = in_a_process("campaign", scenario_file), in_a_process("campaign", scenario_file, "--format", "json")
    assert (table.code, plain.code) == (0, 0)
    assert repr(found) in table.out
    assert json.loads(plain.out) == json.loads(json.dumps(found.to_json()))
    refused = in_a_process("campaign", scenario_file.parent / "base.yaml")
    assert (refused.code, refused.out) == (2, "")
    assert "has no campaign. Write one under campaigns:" in refused.err
