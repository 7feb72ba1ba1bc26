"""The truth about worlds so simple that it is known on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from os.path import relpath

import numpy as np
import pytest
import yaml

import billing_sim
from billing_sim import events
from billing_sim.errors import EXIT_CHECK_FAILED, QueryError, RunError
from billing_sim.truth.alternatives import LEVERS
from billing_sim.truth.reconciling import CHECKS, UnreconciledError, reconciled
from billing_sim.truth.render import counted, half
from billing_sim.truth.telling import Truth
from billing_sim.truth.totals import Sum
from tests.conftest import SCENARIOS
from tests.world_builder import behaviour
from tests.world_texts import BUSY, LIFECYCLE, LONG_OUTAGE, OUTAGE, QUIET

Tell = Callable[..., Truth]


def laid_over(base: dict, story: dict) -> dict:
    """A story over a base as one file: what is said in both is the story's."""
    both = {key: laid_over(base[key], value) for key, value in story.items() if isinstance(base.get(key), dict)}
    return {**base, **story, **both}


@pytest.fixture(scope="session")
def tell(tmp_path_factory: pytest.TempPathFactory) -> Tell:
    """The truth about a scenario text laid over the quiet world, or another."""
    known: dict[tuple, Truth] = {}

    def told(text: str, base: str = QUIET, **asked: object) -> Truth:
        key = (text, base, *asked.items())
        if key not in known:
            folder = tmp_path_factory.mktemp("truth")
            (folder / "story.yaml").write_text(
                yaml.safe_dump(laid_over(yaml.safe_load(base), yaml.safe_load(text) or {}))
            )
            run = billing_sim.run(folder / "story.yaml", out=folder / "run", workers=1, log="none")
            known[key] = run.truth(**asked)
        return known[key]

    return told


GIFTS = (
    "members: 500\n"
    + behaviour(method_mix="{credit: 0%, gift_balance: 100%}", first_attempt_failure="{gift_balance: 100%}")
    + "    signups: {per_month: 60%}\n"
)


def test_in_a_quiet_world_there_is_nothing_to_tell(tell):
    """Nobody is lost, nothing fails, and all worlds are one but that without the updater."""
    truth = tell("")
    assert truth.people_lost == 0
    assert truth.wrongful.member_days.value == truth.wrongful.money.value == 0
    assert truth.attempts.good == truth.attempts.attempts == 64 * 12
    assert truth.failed[0].value == 0
    same = [it.name for it in truth.worlds if it.totals == truth.worlds[0].totals]
    assert same == [
        "actual",
        "frictionless",
        "perfect",
        "no_outage",
        *(f"without {it}" for it in LEVERS if it != "updater"),
    ]
    assert truth.world("without updater").totals["losses"].value > 0, "it mends every card that is reissued"
    assert truth.worlds[0].totals["collected"].value == 64 * 12 * 10


def test_an_outage_of_all_of_dunning_makes_every_loss_wrongful(tell):
    """Everybody billed in March is lost, stays for 90 days without it, and pays three times what they would not."""
    truth = tell(LONG_OUTAGE)
    lost = truth.losses()
    assert len(lost) == len(truth.found.lost) == truth.people_lost > 50
    assert lost["wrongful"].all()
    assert set(lost["cause"]) == {"outage"}
    assert set(lost["without_friction"]) == {"still_there"}
    assert (lost["member_days"] == 90).all()
    assert (lost["money"] == 30).all()
    assert truth.wrongful.money.value == 30 * len(lost)
    assert [(it.cause, it.losses.value) for it in truth.causes] == [("outage", len(lost))]
    assert truth.world("no_outage").totals["losses"].value == 0
    assert truth.world("no_outage").totals == truth.world("frictionless").totals


def test_what_an_outage_explains_is_all_of_it(tell):
    """Removed alone it takes every loss with it; retries every day cannot outlast it, and nothing else matters."""
    losses = next(it for it in tell(LONG_OUTAGE, attribution=True).attribution if it.measure == "losses")
    shares = {it.cause: it for it in losses.shares}
    assert shares["outage"].removed == losses.actual == losses.explained
    assert losses.without_all.value == 0
    for cause in set(shares) - {"outage"}:
        assert shares[cause].removed.value == shares[cause].added.value == 0, cause
        assert shares[cause].exactly == 0, cause


def test_in_a_world_where_only_money_lacks_nobody_is_lost_wrongly(tell):
    """Gift balances run dry and cannot be filled: everybody is willing, nobody able."""
    truth = tell(GIFTS)
    assert truth.people_lost > 500
    assert {(it.willing, it.able) for it in truth.lost if it.losses.value} == {(True, False)}
    assert truth.wrongful.people == truth.wrongful.losses.value == 0
    assert [it.cause for it in truth.causes if it.cause != "before_the_run"] == ["balance"]
    everybody = truth.without_friction[0]
    assert everybody.left_then == everybody.lost, "friction has no part in it"


def test_a_short_outage_is_recovered_by_retries_alone(tell):
    """Whoever is billed during four days is saved by a retry, and lost in the world without retries."""
    truth = tell(OUTAGE.format(at="2025-03-05", duration="4 days"))
    failed, money = truth.failed
    assert failed.value > 0
    ways = {it.way: it for it in truth.recovered}
    retry = ways.pop("retry")
    assert retry.invoices == retry.incremental == retry.unpaid_without == failed
    assert retry.money == retry.incremental_money == money
    assert all(it.invoices.value == 0 for it in ways.values())
    assert truth.world("without retries").totals["losses"] == failed
    assert truth.world("without retries").differences["members_at_end"].value == -failed.value


def test_a_backup_method_mends_what_has_expired(tell):
    """Whoever has a backup method on file is saved by it at once, and some would not have been otherwise."""
    truth = tell(
        LIFECYCLE + behaviour(first_attempt_failure="{credit: 100%}", expiry_years="[1]", account_updater_coverage="0%",
                           backup_method="100%", method_mix="{credit: 100%}")
    )  # fmt: skip
    backup = next(it for it in truth.recovered if it.way == "backup")
    assert backup.invoices.value > 0
    assert 0 < backup.incremental.value <= backup.invoices.value


@pytest.fixture(scope="module")
def busy(tell) -> Truth:
    """A world in which everything happens."""
    return tell("members: 1500\n", BUSY, policy="generic", attribution=True)


def test_groups_add_up_to_everybody_lost(busy):
    """Each loss is in one group of each table."""
    total = len(busy.found.lost)
    assert total > 50
    assert sum(it.losses.value for it in busy.lost) == total
    assert sum(it.losses.value for it in busy.causes) == total
    assert sum(it.wrongful.value for it in busy.causes) == busy.wrongful.losses.value
    for it in busy.without_friction:
        parts = (it.left_before, it.left_then, it.left_later, it.still_there)
        assert sum(part.value for part in parts) == it.lost.value
    whole, wrongful, others = (it.lost.value for it in busy.without_friction)
    assert whole == total == wrongful + others


def test_a_frictionless_world_has_no_false_declines(busy):
    """What is lost there is lost for money or by the person's own wish, beyond what was under way at the start."""
    losses = next(it for it in busy.attribution if it.measure == "losses")
    assert busy.world("frictionless").totals["losses"].value < losses.actual.value
    assert busy.world("perfect").totals["uncollected_invoices"].value <= 5
    worth = {it.name: it.totals["collected"].value for it in busy.worlds}
    assert worth["actual"] < worth["frictionless"] < worth["perfect"]


def test_shapley_values_add_up_exactly(busy):
    """Their fractions sum to the difference between the actual world and the one without all causes."""
    for it in busy.attribution:
        assert sum((share.exactly for share in it.shares), Fraction(0)) == it.explained.value
        assert it.actual.value - it.without_all.value == it.explained.value
        assert it.interaction.value == it.explained.value - sum(share.removed.value for share in it.shares)
        assert it.measure != "losses" or it.actual.value == len(busy.found.lost)


def test_incremental_recoveries_are_those_not_paid_anyway(busy):
    """Each recovered invoice has one fate in the world without its lever."""
    for it in busy.recovered:
        assert it.paid_anyway.value + it.incremental.value == it.invoices.value
        assert it.unpaid_without.value + it.never_issued_without.value == it.incremental.value
    assert sum(it.invoices.value for it in busy.recovered) < busy.failed[0].value


def test_days_of_a_person_count_once(busy):
    """Windows of one person's wrongful losses do not overlap: no person gains more than there is time."""
    lost = busy.losses()
    gained = lost[lost["wrongful"]].groupby("subscriber")["member_days"].sum()
    span = lost[lost["wrongful"]].groupby("subscriber")["at"].agg(lambda at: (at.max() - at.min()).days + 91)
    assert (gained <= span).all()
    assert (lost["member_days"] <= 90).all()


def test_everything_is_plain_values(busy):
    """JSON holds what the tables show; the long frame has a row per figure."""
    import json

    content = json.loads(json.dumps(busy.as_dict()))
    assert content["wrongful"]["losses"]["value"] == busy.wrongful.losses.value
    assert {it["name"] for it in content["worlds"]} >= {"actual", "frictionless", "perfect", "policy generic"}
    frame = busy.frame()
    assert len(frame) == len(frame.drop_duplicates(["question", "item", "figure"]))
    assert frame["value"].notna().all()


def test_the_tables_fit_eighty_columns(busy):
    """As does everything that is printed."""
    lines = repr(busy).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "THE TRUTH ABOUT busy: 1,500 members, seed 1"


def test_standard_errors_are_those_of_people(busy):
    """The error of a count of losses is near that of as many rare independent events."""
    losses = busy.wrongful.losses
    assert 0.5 * np.sqrt(losses.value) < losses.standard_error < 2 * np.sqrt(losses.value)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.strip("_"))
def test_a_damaged_figure_is_refused(busy, check):
    """One figure that does not agree, and nothing is told: every check can fail."""
    found = replace(busy.found, sums={name: values.copy() for name, values in busy.found.sums.items()})
    run = busy.run
    match check.__name__:
        case "_events_by_kind":
            found.kinds = found.kinds + np.eye(256, dtype=np.int64)[events.PAYMENT_CAPTURED]
        case "_content":
            found.digests = found.digests | {0: "0" * 32}
        case "_sealed":
            found.truth_digests = found.truth_digests | {0: "0" * 32}
        case "_losses":
            found.losses = [found.lost[1:]]
        case "_totals" | "_members" | "_months":
            found.sums["totals actual"] += 1
        case "_captures":
            found.captured = found.captured + np.array([1, 0])
        case "_money":
            found.captured = found.captured + np.array([0, 1])
        case "_claims":
            found.claimed += 1
        case "_game":
            found.sums["knocked"][0] += 1
    with pytest.raises(UnreconciledError, match="do not agree") as refused:
        reconciled(run, found)
    assert refused.value.exit_code == EXIT_CHECK_FAILED
    assert [it for it in reconciled(run, busy.found) if not it.holds] == []


def test_an_unknown_policy_is_refused_with_the_nearest(tell):
    """Before anybody lives again."""
    run = billing_sim.Run(tell("").run)
    with pytest.raises(QueryError, match="no dunning policy 'smrt'\\. Did you mean smart"):
        run.truth(policy="smrt")


def test_the_policy_that_is_in_force_changes_nothing(tell):
    """A world with the policy that everybody has already is the actual one."""
    truth = tell(OUTAGE.format(at="2025-03-05", duration="4 days"), policy="steady")
    assert truth.world("policy steady").totals == truth.world("actual").totals


def test_a_check_that_is_not_made_is_not_counted(tell):
    """Without the attribution there is one less, and no row of it."""
    without, with_it = tell(""), tell("", attribution=True)
    assert len(with_it.checks) - len(without.checks) == 1
    assert f"Reconciled: {len(without.checks)} checks made" in repr(without)
    assert "attribution" not in repr(without)


def test_nothing_has_no_interval_and_one_is_no_plural(tell):
    """A dash stands where nothing happened, and nouns agree with their number."""
    text = repr(tell(""))
    assert "±0" not in text
    assert re.search("nonpayment +0 +– +0 +–\\n", text)
    assert (counted(1, "person", "people"), counted(1000, "loss", "losses")) == ("1 person", "1,000 losses")
    assert half(Sum(0, 0.5)) == "±1", "where groups cancel out there is an interval"


def test_losses_can_be_joined_with_facts(busy):
    """The names of people lead to the numbers that facts hold."""
    whose = set(busy.losses()["subscriber"].map(billing_sim.people.parse))
    told = billing_sim.open(busy.run.directory).table("subscriptions")
    lost = told[told["end_reason"].isin(["nonpayment", "payment_trouble"])]
    assert whose == set(lost["subscriber"])
    assert whose


def test_a_few_people_give_few_degrees_of_freedom():
    """Student's t has one fewer than there are groups with people: 2.571 for six, 1.998 for all; one tells nothing."""
    groups = np.zeros(64, np.int64)
    groups[3] = 5
    halves = [Sum.of(groups, peopled).half / Sum.of(groups, peopled).standard_error for peopled in (6, 64)]
    assert halves == pytest.approx([2.571, 1.998])
    assert Sum.of(groups, 1).is_nothing


def test_an_unknown_world_and_a_policy_without_a_name_are_told(tell):
    """With the names that there are, and with how a policy is written."""
    truth = tell("")
    with pytest.raises(QueryError, match="There is no world `x`; there is: actual, frictionless"):
        truth.world("x")
    with pytest.raises(QueryError, match="policy=3 is no text"):
        billing_sim.Run(truth.run).truth(policy=3)


def test_an_edited_scenario_of_a_run_is_told(tmp_path):
    """Its bytes are not those of the manifest: no talk of another version."""
    (tmp_path / "story.yaml").write_text(QUIET)
    run = billing_sim.run(tmp_path / "story.yaml", members=64, out=tmp_path / "run", workers=1, log="none")
    path = run.stored.scenario_path
    edited = path.read_text().replace("end: 2026-01-01", "end: 2026-02-01")
    assert edited != path.read_text()
    path.write_text(edited)
    with pytest.raises(RunError, match="has changed since the run was made"):
        billing_sim.open(tmp_path / "run").truth()


def test_money_collected_is_less_what_refunds_and_disputes_took(tmp_path):
    """Once only debits that came back were taken off; the log, added up, is the witness."""
    file = tmp_path / "claims.yaml"
    file.write_text(
        f"extends: {relpath(SCENARIOS / 'first_month.yaml', tmp_path)}\n"
        "name: claims\nmembers: 150\nend: 2025-05-01\nlog: all\n"
        "refunds: {complaints: 20%, full: 50%, delay: {least: 1 day, p50: 3 days, p99: 9 days, most: 10 days}}\n"
        "disputes: {friendly_fraud: 5%, delay: {least: 2 days, p50: 9 days, p99: 20 days, most: 21 days}}\n",
        encoding="utf-8",
    )
    run = billing_sim.run(file, out=tmp_path / "run", workers=1)
    came, back = (
        float(
            run.sql(f"SELECT coalesce(sum(amount_minor), 0) / 100 AS money FROM events WHERE kind IN {kinds}").money[0]
        )
        for kinds in (
            "('payment.captured', 'payment.duplicated', 'dispute.won')",
            "('payment.returned', 'refund.issued', 'dispute.opened')",
        )
    )
    assert back > 100
    assert run.truth().world("actual").totals["collected"].value == pytest.approx(came - back)
