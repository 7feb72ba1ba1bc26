"""Experiments: who is enrolled when, what differs for them, and what stays as it was."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from billing_sim import clock, draws, events, people
from billing_sim import purposes as purpose
from billing_sim.drivers import batch, paired
from billing_sim.drivers.meeting import others_of
from billing_sim.drivers.stage import Play, Spans, Stage
from billing_sim.drivers.tape import NOTHING_SHARED
from billing_sim.dunning_ranking.playing import table_of
from billing_sim.errors import InputError
from billing_sim.facts.folding import Folder
from billing_sim.identity import vocabularies_of
from billing_sim.lifecycle import experiments as rules
from billing_sim.scenario import load
from billing_sim.scenario.experiments import MOST_ARMS, MOST_EXPERIMENTS, MOST_LABELS
from billing_sim.stress.lives import everybody
from billing_sim.trace.life import relive
from billing_sim.world import record
from billing_sim.world.announce import announcements
from billing_sim.world.compile import Reseeding, compile_world
from billing_sim.world.experiments import MOMENTS, force_arm, name_number, scenarios_of
from tests.world_builder import changed, digests, expected, happened, log_of, world_of
from tests.world_texts import BUSY, LONG_OUTAGE, QUIET
from tests.world_texts_experiments import MANY, RETRIES

FAILING = RETRIES.replace("credit: 30%", "credit: 0%") + LONG_OUTAGE
"""A story in which every payment of March fails, and no other."""


def enrolled(log, arm: str) -> list[int]:
    """Everybody whom a row enrols in this arm."""
    rows = log.rows[log.rows["kind"] == events.EXPERIMENT_ENROLLED]
    return rows["subscriber"][rows["arm"] == log.world.names.arms.index(arm)].tolist()


def story(log, arm: str) -> list[str]:
    """What the first member of an arm who is billed on the fifth of March lives through until the end of dunning."""
    for who in enrolled(log, arm):
        lines = log.story(who, "2025-03-05", "2025-03-16")
        if lines and lines[0].startswith("2025-03-05 invoice"):
            return [line for line in lines if "notice" not in line]
    raise AssertionError("nobody of this arm is billed on that day")


def test_a_member_enrolled_in_an_arm_gets_its_retries_exactly():
    """The new policy tries on days 2, 4, 6 and 8; enrolment lies between the failed attempt and dunning."""
    assert story(happened(FAILING), "retry_test/daily") == expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.declined mit 96
        2025-03-05 experiment.enrolled
        2025-03-05 dunning.started
        2025-03-07 payment_attempt.declined mit 96
        2025-03-09 payment_attempt.declined mit 96
        2025-03-11 payment_attempt.declined mit 96
        2025-03-11 subscription.put_on_hold
        2025-03-13 payment_attempt.declined mit 96
        2025-03-15 invoice.marked_uncollectible
        2025-03-15 subscription.canceled nonpayment
    """)


def test_a_member_of_the_control_arm_gets_the_old_retries():
    """The same failure at the same hour, and one retry after a day."""
    assert story(happened(FAILING), "retry_test/control") == expected("""
        2025-03-05 invoice.issued
        2025-03-05 payment_attempt.declined mit 96
        2025-03-05 experiment.enrolled
        2025-03-05 dunning.started
        2025-03-06 payment_attempt.declined mit 96
        2025-03-11 subscription.put_on_hold
        2025-03-15 invoice.marked_uncollectible
        2025-03-15 subscription.canceled nonpayment
    """)


def test_the_holdout_is_never_enrolled_and_arms_follow_the_keyed_hash():
    """In an outage that hits everybody, exactly those are enrolled whom the hash names, in the arm that it names."""
    log = happened(FAILING)
    world, name = log.world.record[0], name_number("retry_test")
    arms: dict[int, list[int]] = {1: enrolled(log, "retry_test/control"), 2: enrolled(log, "retry_test/daily")}
    failed = log.rows[(log.rows["kind"] == events.DUNNING_STARTED) & (log.rows["occurred_at"] > MARCH)]
    for who in set(failed["subscriber"].tolist()):
        key = draws.subject_key(int(world["seed_key"]), who)
        is_held_out = draws.draw(key, purpose.ENROL_HOLDOUT, name) < world["enrol_holdout"][0]
        arm = 1 if draws.draw(key, purpose.ENROL_ARM, name) < draws.ONE // 2 else 2
        assert [who in arms[i] for i in (1, 2)] == [not is_held_out and arm == i for i in (1, 2)]
    share = len(arms[1] + arms[2]) / len(set(failed["subscriber"].tolist()))
    assert 0.72 < share < 0.88


MARCH = 20_148 * clock.DAY


def test_after_until_nobody_new_is_enrolled_and_the_enrolled_stay():
    """Rows of enrolment lie between both dates; a later failure of an enrolled member is still dunned by the arm."""
    log = happened(RETRIES)
    rows = log.rows[log.rows["kind"] == events.EXPERIMENT_ENROLLED]
    since, until = MARCH, 20_332 * clock.DAY
    assert since <= rows["occurred_at"].min() < rows["occurred_at"].max() < until
    began = log.rows[log.rows["kind"] == events.DUNNING_STARTED]
    daily = log.world.names.policies.index("daily")
    late = began[(began["occurred_at"] >= until) & np.isin(began["subscriber"], enrolled(log, "retry_test/daily"))]
    assert len(late) > 5
    assert set(late["policy"].tolist()) == {daily}
    others = began[~np.isin(began["subscriber"], enrolled(log, "retry_test/daily"))]
    assert daily not in others["policy"]


ELSEWHERE = """
members: 800
experiments:
  moved:
    enrol: {moment}
    market: [US, GB]
    arms:
      a: {{share: 50%}}
      b: {{share: 50%, change: {change}}}
"""


def behaving(what: str) -> str:
    """A change of how people of the quiet world behave."""
    return f"{{markets: {{US: {{behaviour: {{{what}}}}}}}}}"


@pytest.mark.parametrize("moment", ["start", "renewal"])
@pytest.mark.parametrize(
    ("what", "table", "kind"),
    [
        ("voluntary_churn: 40% per month", "rows", events.CANCEL_REQUESTED),
        ("lost_or_stolen: 30% per month", "truths", events.EPISODE_BEGAN),
        ("closed: 30% per month", "truths", events.EPISODE_BEGAN),
    ],
)
def test_what_members_will_meet_follows_their_arm_from_enrolment_on(moment, what, table, kind):
    """Whether somebody wants to go, and what happens to a card, was foreseen before; it is foreseen anew."""
    log = log_of(world_of(ELSEWHERE.format(moment=moment, change=behaving(what)), BUSY))
    told = getattr(log, table)
    who = set(told["subscriber"][told["kind"] == kind].tolist())
    a, b = (set(enrolled(log, f"moved/{arm}")) for arm in "ab")
    assert len(who & b) / len(b) > 3 * len(who & a) / len(a)


TWO_PLANS = """
members: 300
plans: {standard: {name: Standard}, premium: {name: Premium}}
markets: {US: {prices: {premium: 20.00 USD}, plan_mix: {standard: 50%, premium: 50%}, HABITS}}
"""


@pytest.mark.parametrize("moment", ["start", "renewal"])
@pytest.mark.parametrize(("habit", "reason"), [("upgrades", events.UPGRADE), ("downgrades", events.DOWNGRADE)])
def test_wishes_for_another_plan_follow_the_arm_from_enrolment_on(moment, habit, reason):
    """Where only one arm nudges, that arm changes plans, for the rest of a period of an ordinary length."""
    nudge = f"{{markets: {{US: {{behaviour: {{plan_habits: {{{habit}: 30% per month}}}}}}}}}}"
    text = TWO_PLANS.replace(", HABITS", "") + ELSEWHERE.format(moment=moment, change=nudge).replace(", GB]", "]")
    log = log_of(world_of(text.replace("members: 800", "end: 2025-07-01")))
    changed_plan = log.rows[(log.rows["kind"] == events.PLAN_CHANGED) & (log.rows["reason"] == reason)]
    nudged = enrolled(log, "moved/b")
    assert len(set(changed_plan["subscriber"].tolist())) > len(nudged) / 4
    assert set(changed_plan["subscriber"].tolist()) <= set(nudged)
    rests = log.rows[(log.rows["kind"] == events.INVOICE_ISSUED) & (log.rows["reason"] == events.PRORATION)]
    # An upgrade from 10.00 to 20.00 costs 10.00 for a whole period, and each day of it alike.
    days = (rests["period_end"] - rests["period_start"]).tolist()
    assert all(days_left * 1000 // 31 - 1 <= due <= days_left * 1000 // 28 + 1
               for days_left, due in zip(days, rests["amount_minor"].tolist(), strict=True))  # fmt: skip


def test_wishes_that_an_arm_takes_away_are_gone():
    """Who moves into a world without changes of plan has none, also where one was foreseen already."""
    habits = "behaviour: {plan_habits: {upgrades: 30% per month}}"
    none = "{markets: {US: {behaviour: {plan_habits: {upgrades: 0% per month}}}}}"
    text = TWO_PLANS.replace("HABITS", habits) + ELSEWHERE.format(moment="start", change=none).replace(", GB]", "]")
    log = log_of(world_of(text.replace("members: 800", "end: 2025-07-01")))
    upgraded = set(log.rows["subscriber"][log.rows["kind"] == events.PLAN_CHANGED].tolist())
    assert len(upgraded & set(enrolled(log, "moved/a"))) > 20
    assert not upgraded & set(enrolled(log, "moved/b"))


@pytest.mark.parametrize("moment", ["start", "renewal", "first_failure"])
def test_where_two_worlds_agree_nothing_that_was_foreseen_moves(moment):
    """Another arm that changes what none of these people meet: but for enrolment everybody lives as before."""
    change = "{markets: {IN: {behaviour: {voluntary_churn: 40% per month}}}}"
    log = log_of(world_of(ELSEWHERE.format(moment=moment, change=change), BUSY))
    plain = log_of(world_of("members: 800\n", BUSY))
    others = log.rows[log.rows["kind"] != events.EXPERIMENT_ENROLLED]
    assert len(enrolled(log, "moved/b")) > 40
    for column in set(plain.rows.dtype.names) - {"sequence", "arm"}:
        assert (others[column] == plain.rows[column]).all(), column


GIFTS = """
members: 400
promotions: {half: {percent: 50%, cycles: 2}}
timeline: [{kind: promotion, at: 2025-02-01, promotion: half, to: everyone, duration: 20 days, redeem: 50%}]
experiments:
  promo:
    enrol: start
    arms:
      a: {share: 50%}
      b: {share: 50%, change: {CHANGE}}
"""


def coupons(log, arm: str) -> dict[str, int]:
    """How many people of an arm redeem each coupon."""
    redeemed = log.rows[log.rows["kind"] == events.COUPON_REDEEMED]
    mine = redeemed["coupon"][np.isin(redeemed["subscriber"], enrolled(log, f"promo/{arm}"))]
    return dict(Counter(log.world.names.coupons[it] for it in mine.tolist()))


def test_a_coupon_that_only_one_arm_knows_has_its_own_name():
    """The arm adds a promotion and offers it instead of the other; free months are called what they are."""
    free = "{kind: promotion, at: 2025-02-01, promotion: gift, to: everyone, duration: 20 days, redeem: 50%}"
    log = happened(GIFTS.replace("CHANGE", f"promotions: {{gift: {{free_months: 1}}}}, timeline: [{free}]"))
    assert log.world.names.coupons == ("none", "half", "gift")
    assert set(coupons(log, "a")) == {"half"}
    assert set(coupons(log, "b")) == {"gift"}
    free_months = log.rows[(log.rows["kind"] == events.DISCOUNT_APPLIED) & (log.rows["coupon"] == 2)]
    assert len(free_months) > 50
    assert set(free_months["amount_minor"].tolist()) == {1000}
    assert digests(log.world) == digests(log.world, "simpy")


@pytest.mark.parametrize("change", ["timeline: null", "timeline: []"])
def test_an_arm_may_take_things_away(change):
    """Null in a change removes what the scenario has, and so does an empty list."""
    log = happened(GIFTS.replace("CHANGE", change))
    assert set(coupons(log, "a")) == {"half"}
    assert coupons(log, "b") == {}


def test_bin_ranges_of_an_arm_have_names():
    """Cards that are put on file in the arm are divided as the arm says; elsewhere nobody looks at BINs."""
    change = "markets: {US: {behaviour: {card_bins: {x: 50%, y: 50%}}}}"
    text = GIFTS.replace("CHANGE", change).replace("enrol: start", "enrol: sign_up")
    log = happened(text + "markets: {US: {signups: {per_month: 30%}}}\n")
    assert log.world.names.bins == ("none", "x", "y")
    added = log.rows[log.rows["kind"] == events.METHOD_ADDED]
    found = {arm: set(added["bin"][np.isin(added["subscriber"], enrolled(log, f"promo/{arm}"))]) for arm in "ab"}
    assert found == {"a": {0}, "b": {1, 2}}


def test_enrolment_at_sign_up_decides_the_price():
    """Whoever signs up in the new arm is invoiced the new price from the first day; the rest pay the old one."""
    text = """
members: 400
markets: {US: {signups: {per_month: 20%}}}
experiments:
  price_test:
    enrol: sign_up
    arms:
      old: {share: 50%}
      new: {share: 50%, change: {markets: {US: {prices: {standard: 12.00 USD}}}}}
"""
    log = happened(text)
    issued = log.rows[log.rows["kind"] == events.INVOICE_ISSUED]
    new = np.isin(issued["subscriber"], enrolled(log, "price_test/new"))
    assert set(issued["amount_minor"][new].tolist()) == {1200}
    assert set(issued["amount_minor"][~new].tolist()) == {1000}
    arrival = log.of(enrolled(log, "price_test/new")[0])
    assert [events.KIND_NAMES[kind] for kind in arrival["kind"][:2]] == ["experiment.enrolled", "signup.started"]


def test_arms_in_which_nothing_differs_change_nothing():
    """An A/A experiment only adds its rows: all other rows are the same but for their sequence and arm."""
    text = """
experiments:
  nothing: {enrol: renewal, arms: {one: {share: 50%}, two: {share: 50%}}}
"""
    plain, split = happened("", BUSY), happened(text, BUSY)
    rows = split.rows[split.rows["kind"] != events.EXPERIMENT_ENROLLED]
    assert len(split.rows) > len(rows) + 500
    for name in rows.dtype.names:
        if name not in ("sequence", "arm"):
            assert np.array_equal(rows[name], plain.rows[name]), name
    assert len(split.world.record) == 1


def test_an_experiment_in_one_market_changes_no_other():
    """Every row of the other markets is the same to the byte."""
    plain, tested = happened("", BUSY), happened(MARKET_TEST, BUSY)
    found = changed(plain, tested)
    assert found
    assert {people.describe(who).partition("-")[0] for who in found} == {"BR"}


MARKET_TEST = """
experiments:
  updater_test:
    enrol: renewal
    market: [BR]
    arms: {"on": {share: 50%}, "off": {share: 50%, change: {account_updater: "off"}}}
"""


def test_everybody_in_one_arm_lives_as_that_arm_lives_in_the_mix():
    """Nobody shares anything: a member of an arm has the same rows when all others are in that arm too."""
    mixed = happened(RETRIES)
    for arm in ("control", "daily"):
        forced = log_of(force_arm(mixed.world, "retry_test", arm))
        label = f"retry_test/{arm}"
        assert set(enrolled(mixed, label)) < set(enrolled(forced, label))
        for who in enrolled(mixed, label):
            assert mixed.of(who).tobytes() == forced.of(who).tobytes()
        both = {*enrolled(mixed, "retry_test/control"), *enrolled(mixed, "retry_test/daily")}
        assert set(enrolled(forced, label)) == both


def test_another_experiment_moves_nobodys_arm():
    """Assignment is keyed by the experiment's name."""
    world = world_of(MANY, BUSY)
    alone = happened(MARKET_TEST, BUSY)
    labels = ("updater_test/on", "updater_test/off")
    together = log_of(world)
    for label in labels:
        here = {who for who in enrolled(together, label) if people.describe(who).startswith("BR")}
        share = len(here & set(enrolled(alone, label))) / max(len(here), 1)
        assert share > (0.6 if label.endswith("on") else 0.55)


@pytest.mark.parametrize(("text", "base", "members"), [(RETRIES, QUIET, 300), (MANY, BUSY, 500)])
def test_both_drivers_agree(text, base, members):
    """Rows and sealed truths, event for event, with every moment of enrolment."""
    world = world_of(text, base, members)
    assert digests(world, "batch") == digests(world, "simpy")


def test_many_experiments_live_in_few_worlds():
    """Arms that change nothing share the scenario's own record, and impossible combinations need none."""
    world = world_of(MANY, BUSY)
    assert (len(world.record), len(world.names.arms)) == (12, 81)
    assert world.names.arms[:4] == ("none", "price_test/old", "price_test/new", "retry_test/control")
    assert "price_test/new+retry_test/daily+updater_test/off" in world.names.arms


def test_facts_carry_the_arm_from_enrolment_on():
    """The failed invoice that enrolled, the subscription and all that follows carry it; what came before does not."""
    log = happened(FAILING)
    folder = Folder(announcements(log.world), vocabularies_of(log.world))
    facts = {name: rows.copy() for name, rows in folder.fold(log.rows[:16000]).items()}
    enrolments, invoices = facts["enrolments"], facts["invoices"]
    assert Counter(enrolments["arm"].tolist()).keys() == {1, 2}
    who = int(enrolments["subscriber"][0])
    arm, invoice = int(enrolments["arm"][0]), int(enrolments["invoice"][0])
    own = invoices[invoices["subscriber"] == who]
    assert set(own["arm"][own["invoice"] >= invoice].tolist()) == {arm}
    assert not own["arm"][own["invoice"] < invoice].any()
    assert facts["subscriptions"]["arm"][facts["subscriptions"]["subscriber"] == who].tolist() == [arm]


def test_readers_are_told_of_the_experiment():
    """A world event names arms and shares, and what each changes, without telling how."""
    told = [event for event in announcements(world_of(RETRIES)) if event["kind"] == "experiment.opened"]
    assert len(told) == 1
    assert '"daily": {"about": "", "share": "0.5", "changes": ["dunning"]}' in told[0]["detail"]
    assert told[0]["until"] == 20_332 * clock.DAY


def test_another_seed_reseeds_every_arm():
    """`Reseeding` gives the world that the scenario with that seed compiles to, all records of it."""
    assert Reseeding(world_of(RETRIES)).world(77).digest == world_of(RETRIES, seed=77).digest


def test_paired_worlds_hold_experiments_too():
    """The same world before and after the start gives the rows of the batch driver, enrolment and all."""
    world = world_of(MANY, BUSY, 200)
    rows = np.concatenate([block.rows.copy() for block in paired.lives(world, world, *everybody(world))])
    plain = log_of(world).rows
    assert (rows["kind"] == events.EXPERIMENT_ENROLLED).sum() > 50
    assert rows.tobytes() == plain.tobytes()


def test_numbers_of_moments_and_capacities_agree():
    """The compiled tables and the file speak of the same moments and limits."""
    assert [getattr(rules, f"AT_{name.upper()}") for name in MOMENTS[1:]] == [1, 2, 3, 4]
    assert (record.EXPERIMENTS, record.ARMS, record.LABELS) == (MOST_EXPERIMENTS, MOST_ARMS, MOST_LABELS)


def refusal(text: str, base: str = QUIET) -> list[str]:
    """Line, column and words of everything that is wrong with a story laid over a base."""
    with TemporaryDirectory() as folder:
        Path(folder, "base.yaml").write_text(base)
        Path(folder, "story.yaml").write_text(f"extends: base.yaml\n{text}")
        with pytest.raises(InputError) as found:
            compile_world(load(Path(folder, "story.yaml")).scenario)
    return [f"{it.line}:{it.column} {it.what}" for it in found.value.problems]


ARMS = "{a: {share: 50%}, b: {share: 50%, change: {CHANGE}}}"
TEST = f"experiments:\n  t:\n    enrol: renewal\n    arms: {ARMS}\n"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("members: 5", "5:54 change: members is the same for all arms of an experiment."),
        ("seed: 5", "5:54 change: seed is the same for all arms of an experiment."),
        ("extends: a.yaml", "5:54 change: extends is the same for all arms of an experiment."),
        ("experiments: {}", "5:54 change: experiments is the same for all arms of an experiment."),
        ("plans: {more: {}}", "5:62 change: the list of plans is the same for all arms of an experiment."),
        (
            "gateways: {more: {latency: {p50: 0 seconds, p95: 0 seconds, p99: 0 seconds}, timeout: 0%}}",
            "5:65 change: the list of gateways is the same for all arms of an experiment.",
        ),
        (
            "markets: {US: {time_zone: Europe/Paris}}",
            "5:69 change: time_zone of market US is the same for all arms of an experiment.",
        ),
        (
            "markets: {US: {behaviour: {former_members: 5%}}}",
            "5:81 change: behaviour.former_members of market US is the same for all arms of an experiment.",
        ),
        (
            "timeline: [{kind: signup_surge, at: 2025-03-01, duration: 1 day, increase: 5%}]",
            "5:54 change: every signup_surge of the timeline is the same for all arms of an experiment.",
        ),
        (
            "timeline: [{kind: card_testing, at: 2025-03-01, duration: 1 day, attempts_per_member: 1}]",
            "5:54 change: every card_testing of the timeline is the same for all arms of an experiment.",
        ),
        ("billing_hours: [5, 6]", "5:54 change: billing_hours is the same for all arms of an experiment."),
        (
            "partner_billing: {commission: 9%, booked: net}",
            "5:54 change: partner_billing is the same for all arms of an experiment.",
        ),
        ("expect: []", "5:54 change: expect is the same for all arms of an experiment."),
        (
            "markets: {US: {behaviour: {inert_members: 9%}}}",
            "5:81 change: behaviour.inert_members of market US is the same for all arms of an experiment.",
        ),
        (
            "markets: {US: {behaviour: {serial_churners: {share: 9%, leave_factor: 2, "
            "returns: {month_1: 9%, month_6: 9%, month_12: 9%}}}}}",
            "5:99 change: behaviour.serial_churners.share of market US is the same for all arms of an experiment.",
        ),
        (
            "dunning_policies: {steady: {end: 12 days}}",
            "5:73 change: the dunning policy steady is another one elsewhere.",
        ),
        (
            "gateways: {northpay: {capacity: 5 per hour}}",
            "5:76 change: capacity of gateway northpay is the same for all arms of an experiment.",
        ),
        (
            "gateways: {northpay: {load: {comfortable: 5 per hour}}}",
            "5:76 change: load of gateway northpay is the same for all arms of an experiment.",
        ),
        (
            "support: {desks: [{channels: [chat, phone, email], shifts: [{agents: 9}]}]}",
            "5:64 change: who works at the support desks is the same for all arms of an experiment.",
        ),
        (
            "fraud: {review: {team: {shifts: [{agents: 2}]}}}",
            "5:71 change: who reviews payments is the same for all arms of an experiment.",
        ),
        (
            "timeline: [{kind: support_staffing, at: 2025-03-01, duration: 1 day, agents: -50%}]",
            "5:54 change: every support_staffing of the timeline is the same for all arms of an experiment.",
        ),
        ("markets: {FR: {}}", "5:64 change: the list of markets is the same for all arms of an experiment."),
        ("markets: {US: null}", "5:64 change: the list of markets is the same for all arms of an experiment."),
        ("plans: {standard: null}", "5:62 change: the list of plans is the same for all arms of an experiment."),
        ("members: null", "5:54 change: members is the same for all arms of an experiment."),
        ("promotions: {half: {percent: 40%, cycles: 2}}", "5:67 change: the promotion half is another one elsewhere."),
        (
            "dunning_policies: {steady: null}",
            "5:53 change: laid over the scenario, use: there is no dunning policy steady.",
        ),
        ("dunning: [{use: nonsense}]", "5:70 use: there is no dunning policy nonsense."),
        ("failovr: true", "5:54 failovr is not a known key here."),
    ],
)
def test_a_change_that_cannot_be_is_refused_where_it_stands(change, line):
    """What all arms share may not differ, and a change is checked like a scenario."""
    base = QUIET.replace("failover: false\n", "failover: false\nexchange_rates: {EUR: 1.1}\n")
    base += "\nsupport: {desks: [{channels: [chat, phone, email], shifts: [{agents: 2}]}]}\n"
    base += "promotions: {half: {percent: 50%, cycles: 2}}\n"
    assert line in refusal(TEST.replace("CHANGE", change), base)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (TEST.replace("b: {share: 50%", "b: {share: 60%"), "5:12 arms: the shares of t add up to 110 %, not 100 %."),
        (TEST.replace("enrol: renewal", "enrol: renewal\n    market: [FR]"), "5:14 There is no market FR."),
        (
            TEST.replace("enrol: renewal", "enrol: renewal\n    from: 2025-05-01\n    until: 2025-04-01"),
            "6:12 until: enrolment ends before it begins.",
        ),
        (
            TEST.replace("enrol: renewal", "enrol: renewal\n    until: 2031-04-01"),
            "5:12 until: 2031-04-01 00:00 is outside the scenario, 2025-01-01 to 2026-01-01.",
        ),
        (
            TEST.replace("enrol: renewal", "enrol: start\n    from: 2025-05-01"),
            "5:11 from: who is enrolled at the start is enrolled then.",
        ),
        (TEST.replace("enrol: renewal", "enrol: renewal\n    holdout: 100%"), "5:14 holdout: nobody is left to enrol."),
        (
            "experiments: {t: {enrol: renewal, arms: {a: {share: 100%}}}}",
            "2:41 arms: there are 1 entries, fewer than the 2 needed.",
        ),
        (
            "experiments: {t: {enrol: later, arms: {a: {share: 100%}, b: {share: 0%}}}}",
            '2:26 enrol: "later" is not one of sign_up,',
        ),
    ],
)
def test_an_experiment_that_cannot_be_is_refused_where_it_stands(text, line):
    """Shares, markets, dates, moments and the number of arms."""
    found = refusal(text.replace("CHANGE", "failover: true"))
    assert any(it.startswith(line) for it in found), found


def test_two_experiments_may_not_change_the_same_key_for_the_same_people():
    """In different markets they may: nobody is ever in both."""
    second = TEST.replace("experiments:\n  t:", "  u:").replace("CHANGE", "failover: true")
    both = TEST.replace("CHANGE", "failover: true") + second
    assert refusal(both) == ["6:3 experiments: t and u both change failover, and the same people may be in both."]
    apart = (
        both.replace("true", "false")
        .replace("t:\n", "t:\n    market: [US]\n")
        .replace("u:\n", "u:\n    market: [BR]\n")
    )
    assert len(world_of(apart, BUSY, 20).record) == 3


def markets_test(name, behaviour):
    """An experiment that changes the behaviour of one market for half of its people."""
    arms = f"{{same: {{share: 50%}}, other: {{share: 50%, change: {{markets: {{US: {{behaviour: {behaviour}}}}}}}}}}}"
    return f"  {name}:\n    enrol: renewal\n    arms: {arms}\n"


def test_two_experiments_may_change_different_keys_of_the_same_market():
    """Who is in both lives under both changes; who is in one of them under that."""
    both = "experiments:\n" + markets_test("t", "{attention: 3%}") + markets_test("u", "{backup_method: 41%}")
    world = world_of(both, BUSY, 20)
    told = {
        (float(it.markets["US"].behaviour.attention), float(it.markets["US"].behaviour.backup_method))
        for it in scenarios_of(world.scenario)
    }
    own = world.scenario.markets["US"].behaviour
    without = (float(own.attention), float(own.backup_method))
    assert told == {without, (0.03, without[1]), (without[0], 0.41), (0.03, 0.41)}
    assert all(it.markets["BR"] == world.scenario.markets["BR"] for it in scenarios_of(world.scenario))


def test_two_experiments_may_not_change_the_same_key_of_a_market():
    """Named from the market on."""
    both = "experiments:\n" + markets_test("t", "{attention: 3%}") + markets_test("u", "{attention: 4%}")
    (line,) = refusal(both)
    assert line.startswith("6:3 experiments: t and u both change markets.US.behaviour.attention, and the same people")


def test_changes_of_markets_that_do_not_fit_together_are_refused():
    """Each is a scenario alone."""
    alone = {"t": "{attention: 14%}", "u": "{attention_on_hold: 12%}"}
    for name, behaviour in alone.items():
        assert len(world_of("experiments:\n" + markets_test(name, behaviour), BUSY, 20).record) == 2
    (line,) = refusal("experiments:\n" + "".join(markets_test(*it) for it in alone.items()))
    assert line.startswith("8:32 change: together with the arm other of t, attention_on_hold is smaller")


def test_more_bin_ranges_than_a_column_can_tell_apart_are_refused():
    """Each arm may name some; together they are too many."""

    def markets(arm: str) -> str:
        mixes = {
            code: ", ".join(f"{arm}{code.lower()}{i}: 6.25%" for i in range(16)) for code in ("US", "GB", "IN", "BR")
        }
        return ", ".join(f"{code}: {{behaviour: {{card_bins: {{{mix}}}}}}}" for code, mix in mixes.items())

    arms = "".join(f"      {arm}: {{share: 20%, change: {{markets: {{{markets(arm)}}}}}}}\n" for arm in "abcde")
    found = refusal(f"experiments:\n  t:\n    enrol: start\n    arms:\n{arms}", BUSY)
    assert any("there are 320 BIN ranges, more than the limit of 255." in line for line in found), found


def test_more_worlds_than_there_is_room_for_are_refused():
    """Five experiments on everybody with a change each make 32 worlds."""
    keys = ("account_updater: 'off'", "resolution: 5 hours", "return_lag: 1 day", "voucher_valid: 5 days",
            "network_rules: {max_attempts: 3}")  # fmt: skip
    tests = [TEST.removeprefix("experiments:\n").replace("t:", f"t{i}:", 1) for i in range(5)]
    text = "experiments:\n" + "".join(it.replace("CHANGE", key) for it, key in zip(tests, keys, strict=True))
    assert refusal(text) == ["2:1 experiments: their arms combine to 32 different worlds, more than the limit of 16."]


def test_the_batch_driver_counts_people_once():
    """Records of arms are no further people."""
    from billing_sim.identity import people_in

    world = world_of(RETRIES)
    assert people_in(world) == sum(block.people for shard in range(64) for block in batch.lives(world, shard))


def test_a_life_lived_again_and_its_forks_know_the_arm():
    """`trace` and the ranking of policies live the very rows of the run, enrolment and all."""
    log = happened(RETRIES)
    for who in enrolled(log, "retry_test/daily")[:5]:
        assert relive(log.world, 0, who).rows.tobytes() == log.of(who).tobytes()
    policies = log.world.scenario.dunning_policies
    spans = Spans(int(log.world.record.end[0]), 60 * clock.DAY, 20 * clock.DAY)
    others = others_of(log.world, NOTHING_SHARED)
    told = Play(log.world, table_of(log.world, policies), len(policies), spans, NOTHING_SHARED, others, others)
    for found in Stage(told).lives(0):
        assert set(found.block.rows["subscriber"].tolist()) <= set(log.subscribers)
        own = np.concatenate([log.of(who) for who in np.unique(found.block.rows["subscriber"]).tolist()])
        assert found.block.rows.tobytes() == own.tobytes()
        assert len(found.failures) > 3
