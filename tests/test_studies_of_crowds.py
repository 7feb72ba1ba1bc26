"""Goals, challenges and experiments in scenarios whose people share something: a gateway's room, a desk, reviewers."""

from __future__ import annotations

from pathlib import Path

import pytest

import billing_sim
from billing_sim.challenges.key import read_key
from billing_sim.challenges.making import new_challenge
from billing_sim.challenges.other_worlds import collected, incidents_of, without_retries
from billing_sim.challenges.questions import CAUSES_BY_OPTION
from billing_sim.declines import CAUSES
from billing_sim.drivers import batch
from billing_sim.drivers.shards import SHARDS
from billing_sim.facts.folding import Folder
from billing_sim.facts.schema import INVOICE_STATUSES
from billing_sim.goal_sheets.aims import read_aims
from billing_sim.goal_sheets.worlds import OWN, try_out
from billing_sim.identity import vocabularies_of
from billing_sim.metrics.catalogue import shipped
from billing_sim.scenario import load
from billing_sim.truth.worlds import shared_in
from billing_sim.world.announce import announcements
from billing_sim.world.compile import CompiledWorld, compile_world
from tests.world_builder import digests, laid_over, world_of
from tests.world_texts import QUIET
from tests.world_texts_experiments import RETRIES

MEMBERS, SEED = 400, 5
FAILING = "markets: {US: {behaviour: {first_attempt_failure: {credit: 30%}, attention: 60%}}}\n"
SHARED = {
    "gateways": "gateways: {northpay: {capacity: 8 per hour}}\n",
    "the support desk": """
support:
  contact_rate: {payment_failed: 100%, hold_started: 100%}
  channels: {phone: 100%}
  desks: [{channels: [phone], shifts: [{hours: [13, 17], agents: 1}]}]
  handling: {phone: 1 hour}
  annoyance: {cancels: 60%, lasts: 10 days}
""",
    "the reviewers of payments": """
fraud: {signups: 0%, review_above: 150, block_above: 1000, screens: [signup, member, renewal],
        review: {rejects_good: 0%, team: {shifts: [{hours: [9, 12], agents: 1}], handling: 30 min}}}
""",
}
"""By what people share, a scenario in which they do; to be laid over the quiet world."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario in which people share everything that can be shared, with two goals."""
    folder = tmp_path_factory.mktemp("crowds")
    text = laid_over(QUIET, f"name: crowd\nmembers: {MEMBERS}\nend: 2025-06-01\nseed: {SEED}\n", FAILING,
                     *SHARED.values())  # fmt: skip
    (folder / "crowd.yaml").write_text(text, encoding="utf-8")
    (folder / "goals.yaml").write_text(
        """
mission: Nobody who wants to stay is lost because of a payment.
goals:
  - {owner: subscribers, goal: My payment just works., metric: payment_success_rate, baseline: 10%, target: 20%,
     period: 2025-03, deadline: 2025-06-30}
""",
        encoding="utf-8",
    )
    return folder


@pytest.mark.parametrize("shared", SHARED)
def test_what_people_share_is_named(shared: str):
    """Each by itself; a reader of the truth has to know what was left as it was."""
    assert shared_in(world_of(SHARED[shared])) == [shared]


def test_goals_are_judged_in_worlds_that_people_share(home: Path):
    """Every seed has a crowd of its own: the figures of the month are those of runs of the same scenario."""
    read = read_aims(home / "crowd.yaml", home / "goals.yaml", shipped())
    readings = try_out(home / "crowd.yaml", read, seeds=2, members=None, seed=None, report=lambda *_: None)
    for number, reading in enumerate(readings[OWN]):
        run = billing_sim.run(home / "crowd.yaml", seed=SEED + number, out=home / f"seed_{number}")
        months = run.metric("payment_success_rate", by="month").set_index("month")
        (figure,) = reading.period
        assert figure is not None
        assert (figure.numerator, figure.denominator) == tuple(months.loc["2025-03", ["numerator", "denominator"]])
    told = billing_sim.goals(home / "crowd.yaml", file=home / "goals.yaml", seeds=2).to_json()
    assert told["goals"][0]["criteria"]["attainable"][OWN]["worlds"] == 2


def paid_alone(world: CompiledWorld) -> int:
    """Millionths over all invoices that are paid when a world ends that is lived for itself."""
    folder, paid = Folder(announcements(world), vocabularies_of(world)), INVOICE_STATUSES.index("paid")
    total = 0
    for shard in range(SHARDS):
        for block in batch.lives(world, shard):
            invoices = folder.fold(block.rows)["invoices"]
            total += int(invoices["amount_micros"][invoices["status"] == paid].sum())
    return total


def test_a_challenge_is_about_the_crowd_that_there_would_be(home: Path, tmp_path: Path):
    """Without an incident nobody meets the queue that it made: the money is that of a run without it."""
    made = new_challenge(home / "crowd.yaml", out=tmp_path / "riddle", seed=SEED)
    key = read_key(made.key)
    (tmp_path / "scenario.yaml").write_text(key.scenario, encoding="utf-8")
    scenario = load(tmp_path / "scenario.yaml", seed=SEED).scenario
    world = compile_world(scenario)
    assert shared_in(world) == [*SHARED]
    came = paid_alone(world)
    assert collected(world, world) == came
    assert key.answers["retry_increment"] == (came - collected(world, without_retries(world))) / 1_000_000
    for gone in incidents_of(scenario).values():
        left = [entry for entry in scenario.timeline if entry not in gone]
        other = compile_world(scenario.model_copy(update={"timeline": left}))
        assert collected(world, other) == paid_alone(other)
    assert "they share it with whoever lives in that world" in " ".join(
        (made.folder / "QUESTIONS.md").read_text(encoding="utf-8").split()
    )
    answers = tmp_path / "answers.yaml"
    answers.write_text(f"answers: {{greatest_cause: {key.answers['greatest_cause']}}}\n", encoding="utf-8")
    found = {mark.question.id: mark.points.points for mark in billing_sim.grade(made.folder, answers).marks}
    assert found["greatest_cause"] == 1


def test_a_challenge_knows_every_cause_of_which_people_are_lost():
    """A gateway that is full is a machine that fails; a stolen card costs nobody a membership of their own."""
    known = [cause for causes in CAUSES_BY_OPTION.values() for cause in causes]
    assert sorted([*known, "none", "stolen"]) == sorted(name for name, _ in CAUSES)


def with_experiment(shared: str) -> str:
    """A scenario with an experiment on dunning in which people share something."""
    return laid_over(
        QUIET, RETRIES.replace("notices: []", "notices: [1 hour]"), "name: tested\nend: 2025-10-01\n", SHARED[shared]
    )


@pytest.mark.parametrize("shared", SHARED)
def test_an_experiment_among_people_who_share_something_is_the_same_from_both_drivers(shared: str):
    """Arms meet at the same barrier."""
    world = world_of("name: both\n", with_experiment(shared))
    assert world.is_coupled
    assert digests(world) == digests(world, "simpy")


@pytest.mark.parametrize("shared", SHARED)
def test_what_arms_do_to_one_another_is_told(shared: str, tmp_path: Path):
    """Arms that meet at a gateway, a desk or before reviewers are not worlds of their own, and the readout says so."""
    (tmp_path / "tested.yaml").write_text(with_experiment(shared), encoding="utf-8")
    run = billing_sim.run(tmp_path / "tested.yaml", out=tmp_path / "run")
    found = run.experiment(metrics=["recovery_rate", "involuntary_churn"])
    assert found.shared == (shared,)
    assert not found.as_dict()["shares_nothing"]
    effects = [reading.effects[0] for reading in found.readings]
    for effect in effects:
        assert effect.gap == pytest.approx(effect.sampling + effect.interference)
    assert any(effect.interference for effect in effects)
    said = " ".join(repr(found).split())
    assert "what the arms do to one another" in said
    assert "Nobody shares anything" not in said


ROUTED = """
name: routed
members: 300
end: 2025-05-01
routing: [{use: {northpay: 50%, harborpay: 50%}}]
timeline: [{kind: gateway_outage, at: 2025-02-01, gateway: northpay, duration: 20 days, failing: 60%}]
experiments:
  routing:
    enrol: renewal
    arms:
      by_weights: {share: 50%}
      by_success:
        share: 50%
        change: {routing: [{use: {northpay: 50%, harborpay: 50%}, by: success_rate, explore: 10%}]}
"""
"""Only one of the arms looks at what others have met."""


def test_what_an_arm_alone_shares_is_shared(tmp_path: Path):
    """An arm that routes by success rate makes people share the gateways; without it they share nothing."""
    text = laid_over(QUIET, ROUTED)
    (tmp_path / "routed.yaml").write_text(text, encoding="utf-8")
    run = billing_sim.run(tmp_path / "routed.yaml", out=tmp_path / "run")
    found = run.experiment(metrics=["first_attempt_success_rate"])
    assert (found.shared, found.shares_nothing) == (("gateways",), False)
    assert "Nobody shares anything" not in repr(found)
    assert run.experiment(metrics=["first_attempt_success_rate"], truth=False).shares_nothing is None
    direct = world_of("name: plain\n", laid_over(QUIET, ROUTED.replace(", by: success_rate, explore: 10%", "")))
    assert (shared_in(direct), direct.is_coupled) == ([], False)
