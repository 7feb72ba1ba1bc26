"""Definitions planted to be caught: for each verdict one that earns it, beside a good one that passes the same case.

First in worlds where it is known on paper what each must read, then in the lab's own scenario.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from billing_sim.metrics.catalogue import Catalogue, load, shipped
from billing_sim.stress.case import Case, find_cases, load_case
from billing_sim.stress.cells import Cell
from billing_sim.stress.lab import Bench, bench, stress
from billing_sim.stress.verdicts import Name
from tests.bench.lab_validity import failing, noisy

P, Q = 0.2, 0.3
SEEDS = 12

DEFINITIONS = """
view: finance
goal: Whatever is due is paid.
metrics:
  - {id: paid_in_the_end, tier: core, title: Paid in the end, question: How many invoices are paid?,
     formula: matured invoices paid / matured invoices, direction: up, unit: share, kind: ratio, fact: invoices,
     numerator: "status = 'paid'", denominator: "1", clock: issued_at, matures: dunning, estimand: payment_success,
     misleads: It comes late.}
  - {id: paid_at_once, tier: supporting, title: Paid at the first attempt, question: How many go through at once?,
     formula: settled invoices whose first attempt succeeds / settled invoices, direction: up, unit: share, kind: ratio,
     fact: invoices, numerator: "first_outcome = 'authorized'", denominator: "1", clock: issued_at, matures: settlement,
     estimand: payment_success, misleads: What retries mend counts as lost.}
  - {id: rescued, tier: supporting, title: Rescued by a retry, question: How much did our retries save?,
     formula: matured invoices paid by a retry / matured invoices, direction: up, unit: share, kind: ratio,
     fact: invoices, numerator: "recovered_by = 'retry'", denominator: "1", clock: issued_at, matures: dunning,
     estimand: payment_success, misleads: The more fails the more is there to be rescued.}
  - {id: per_attempt, tier: supporting, title: Success per attempt, question: How many attempts succeed?,
     formula: settled attempts that bring the money / settled attempts, direction: up, unit: share, kind: ratio,
     fact: attempts, numerator: "outcome = 'authorized' AND NOT was_returned", denominator: "1", clock: occurred_at,
     matures: settlement, estimand: payment_success, misleads: It punishes retrying.}
  - {id: paid_so_far, tier: supporting, title: Paid so far, question: How many invoices are paid by now?,
     formula: invoices paid / invoices, direction: up, unit: share, kind: ratio, fact: invoices,
     numerator: "status = 'paid'", denominator: "1", clock: issued_at, estimand: payment_success,
     misleads: The last weeks look bad.}
  - {id: kept, tier: supporting, title: Members kept, question: How many members stay on?,
     formula: members of the start of the month not ended for non-payment in it / members of its start, direction: up,
     unit: share, kind: ratio, fact: subscription_months, where: active_at_start, numerator: "ended <> 'nonpayment'",
     denominator: "1", clock: month, matures: month, estimand: payment_success,
     misleads: Members who are billed once a year are hardly ever at risk.}
  - {id: sample, tier: supporting, title: Paid of a sample, question: How many of a sample are paid?,
     formula: the same of what is issued early in an hour, direction: up, unit: share, kind: ratio, fact: invoices,
     where: minute(issued_at) < 6, numerator: "status = 'paid'", denominator: "1", clock: issued_at, matures: dunning,
     estimand: payment_success, misleads: It is a handful of invoices.}
  - {id: paid_of_unvoided, tier: supporting, title: Paid of what was not voided, question: How much of it is paid?,
     formula: matured invoices paid / matured invoices paid or uncollectible, direction: up, unit: share, kind: ratio,
     fact: invoices, where: "status IN ('paid', 'uncollectible')", numerator: "status = 'paid'", denominator: "1",
     clock: issued_at, matures: dunning, estimand: payment_success, misleads: Voiding raises it.}
  - {id: lost_by_reason, tier: supporting, title: Lost for non-payment, question: How many are lost through payment?,
     formula: members of the start of the month ended for non-payment in it / members of its start, direction: down,
     unit: share, kind: ratio, fact: subscription_months, where: active_at_start, numerator: "ended = 'nonpayment'",
     denominator: "1", clock: month, matures: month, estimand: wrongful_loss, misleads: Somebody enters the reason.}
  - {id: given_up, tier: supporting, title: Given up, question: How many renewals are given up?,
     formula: matured renewals given up / matured renewals, direction: down, unit: share, kind: ratio, fact: invoices,
     where: NOT is_signup, numerator: "status = 'uncollectible'", denominator: "1", clock: issued_at, matures: dunning,
     estimand: wrongful_loss, misleads: Not everybody wanted to stay.}
  - {id: value_at_spot, tier: supporting, title: Recurring revenue, question: What are subscriptions worth?,
     formula: monthly price of subscriptions in force at the last rate, direction: up, unit: money, kind: stock,
     fact: subscription_months, numerator: mrr_end_micros, clock: month, estimand: recurring_revenue,
     misleads: It moves with exchange rates.}
  - {id: value_at_old_rates, tier: supporting, title: Recurring revenue, question: What are subscriptions worth?,
     formula: monthly price of subscriptions in force at the first rate, direction: up, unit: money, kind: stock,
     fact: subscription_months, numerator: mrr_end_micros, clock: month, money: constant, estimand: recurring_revenue,
     misleads: Nobody pays at old rates.}
"""

YEARLY = """
plans: {yearly: {name: Yearly, interval: year}}
markets: {US: {prices: {yearly: 100.00 USD}, plan_mix: {standard: 40%, yearly: 60%}}}
"""

MORE_RETRIES = "{retries: [2 days, 4 days, 6 days], notices: [], grace: 8 days, end: 8 days}"
INJECTIONS = {
    "more_fails": f"{{scenario: {{timeline: [{failing(Q)}]}}}}",
    "a_little_more_fails": f"{{scenario: {{timeline: [{failing(0.22)}]}}}}",
    "three_retries": f"{{scenario: {{dunning_policies: {{steady: {MORE_RETRIES}}}}}}}",
    "declines_lost": "{log: [{kind: lost, events: [payment_attempt.declined], share: 25%}]}",
    "captures_late": "{log: [{kind: late, events: [payment.captured], share: 30%, by: 7 days}]}",
}
"""What is done to a world in which attempts fail with 20 %, and one retry comes after two days."""


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The definitions."""
    file = tmp_path_factory.mktemp("planted") / "planted.yaml"
    file.write_text(DEFINITIONS, encoding="utf-8")
    return load(file)


@cache
def quiet(plans: str = "") -> Bench:
    """January with one retry, and nothing but chance to make payments fail."""
    return noisy(P, retries="[2 days]", end="2025-02-01", members=600, more=plans)


def case(folder: Path, name: str) -> Case:
    """One of the injections as a case."""
    file = folder / f"{name}.yaml"
    file.write_text(f"case: {name}\ntitle: T\nmoral: M.\ninject: {INJECTIONS[name]}\n", encoding="utf-8")
    return load_case(file)


def judged(on: Bench, definitions: Catalogue, it: Case, *names: str, seeds: int = SEEDS) -> dict[str, Cell]:
    """The cells of a case, by definition."""
    matrix = stress(definitions.of(names), [it], on, seeds=seeds, most=seeds)
    assert matrix.misfits == {}
    return {name: matrix.cells[name, it.name] for name in names}


GOOD = "paid_in_the_end"
ON_PAPER: list[tuple[str, str, Name, float, float]] = [
    # First attempts know nothing of retries, and are the same ones in both worlds.
    ("three_retries", "paid_at_once", "blind", 0.0, P**2 - P**4),
    # One retry mends p(1 - p) of all invoices: more when more fails.
    ("more_fails", "rescued", "wrong sign", Q * (1 - Q) - P * (1 - P), P**2 - Q**2),
    # A quarter of the failures is missing below the line.
    ("declines_lost", "per_attempt", "false alarm", (1 - P) / (1 - P / 4) - (1 - P), 0.0),
    # The first attempt falls by q - p, what is paid by q^2 - p^2: half as much where p + q = 1/2.
    ("more_fails", "paid_at_once", "exaggerates", P - Q, P**2 - Q**2),
    # Captures of the last week that come late: as of now (1 - p^2) * 30 % * 7 / 31 at most.
    ("captures_late", "paid_so_far", "stale", -(1 - P**2) * 0.3 * 7 / 31, 0.0),
]
"""Case, definition, verdict, and the changes of metric and truth as the formulas have them."""


@pytest.mark.parametrize(("name", "accused", "verdict", "metric", "truth"), ON_PAPER)
def test_a_bad_definition_is_caught_and_the_good_one_passes(
    name: str, accused: str, verdict: Name, metric: float, truth: float, planted: Catalogue, tmp_path: Path
):
    """Each change is where paper puts it, within four of the lab's own standard errors."""
    found = judged(quiet(), planted, case(tmp_path, name), accused, GOOD)
    bad, good = found[accused].verdict, found[GOOD].verdict
    assert bad.name == verdict
    assert bad.metric.value == pytest.approx(metric, abs=4 * bad.metric.error + 0.003)
    assert bad.truth.value == pytest.approx(truth, abs=4 * bad.truth.error + 0.001)
    assert bad.p is not None
    assert bad.p < 0.05
    assert good.name == "holds"


def test_what_is_stale_says_what_it_read(planted: Catalogue, tmp_path: Path):
    """Late captures look like failures until they have come."""
    verdict = judged(quiet(), planted, case(tmp_path, "captures_late"), "paid_so_far")["paid_so_far"].verdict
    assert (verdict.name, verdict.was) == ("stale", "false alarm")


def test_a_definition_diluted_by_the_safe_understates(planted: Catalogue, tmp_path: Path):
    """Six members in ten are billed once a year, so a loss per member is less than half of a loss per invoice."""
    found = judged(quiet(YEARLY), planted, case(tmp_path, "more_fails"), "kept", GOOD, seeds=20)
    assert found["kept"].verdict.name == "understates"
    assert found["kept"].verdict.ratio is not None
    assert found["kept"].verdict.ratio.value < 0.45
    assert found[GOOD].verdict.name == "holds"


def test_a_handful_of_invoices_leaves_open_what_everybody_settles(planted: Catalogue, tmp_path: Path):
    """Two points more fail: thirty invoices a seed cannot tell, three hundred can."""
    found = judged(quiet(), planted, case(tmp_path, "a_little_more_fails"), "sample", GOOD)
    assert found["sample"].verdict.name == "unresolved"
    assert found["sample"].verdict.p is None
    assert found[GOOD].verdict.name == "holds"


def test_more_seeds_are_asked_for_only_while_it_is_unresolved(planted: Catalogue, tmp_path: Path):
    """The sample gets all the seeds, as if they had come at once; the good definition stays with the first."""
    it = case(tmp_path, "a_little_more_fails")
    found = stress(planted.of(["sample", GOOD]), [it], quiet(), seeds=SEEDS, most=2 * SEEDS).cells
    assert found["sample", it.name].verdict.seeds == 2 * SEEDS
    assert found[GOOD, it.name].verdict.seeds == SEEDS
    at_once = judged(quiet(), planted, it, "sample", seeds=2 * SEEDS)["sample"].changes
    assert found["sample", it.name].changes.metric.tolist() == at_once.metric.tolist()
    assert found["sample", it.name].changes.truth.tolist() == at_once.truth.tolist()


@cache
def real() -> Bench:
    """The lab's own scenario."""
    return bench(members=500)


REAL: list[tuple[str, str, Name, str]] = [
    ("goodhart_cut_retries", "per_attempt", "wrong sign", GOOD),
    ("gateway_outage", "paid_at_once", "false alarm", "paid_so_far"),
    ("lost_failures", "per_attempt", "false alarm", GOOD),
    ("late_events", "paid_so_far", "stale", GOOD),
    ("right_censored_dunning", "paid_so_far", "stale", GOOD),
    ("uncollectible_as_void", "paid_of_unvoided", "false alarm", GOOD),
    ("relabelled_churn", "lost_by_reason", "false alarm", "given_up"),
    ("currency_shock", "value_at_spot", "false alarm", "value_at_old_rates"),
]
"""Shipped case, bad definition, its verdict, and a good definition that holds."""


@pytest.mark.parametrize(("name", "accused", "verdict", "good"), REAL)
def test_in_a_real_world_the_bad_definition_is_caught_too(
    name: str, accused: str, verdict: Name, good: str, planted: Catalogue
):
    """Three markets, direct debits that come back, people who leave: the shipped cases do what they are for."""
    found = judged(real(), planted, find_cases([name])[0], accused, good, seeds=20)
    assert found[accused].verdict.name == verdict
    assert found[good].verdict.name == "holds"


SHIPPED: list[tuple[str, dict[str, Name]]] = [
    (
        "card_testing_bin_range",
        {
            "signup_payment_conversion": "false alarm", "payment_success_rate@attempt": "exaggerates",
            "first_attempt_success_rate@renewal": "holds", "top_bin_share_of_failures": "holds",
        },
    ),
    (
        "mandates_pending",
        {"paid_at_once_rate": "false alarm", "first_attempt_success_rate@without_late_success": "wrong sign"},
    ),
]  # fmt: skip
"""Shipped case, and what it does to shipped metrics."""


@pytest.mark.parametrize(("name", "verdicts"), SHIPPED)
def test_a_shipped_case_fools_whom_it_says(name: str, verdicts: dict[str, Name]):
    """Bots on one issuer's cards, and banks that answer days later: the moral names who is right."""
    found = judged(real(), shipped(), find_cases([name])[0], *verdicts, seeds=20)
    assert {metric: cell.verdict.name for metric, cell in found.items()} == verdicts


def test_a_review_team_that_falls_behind_is_seen_by_whoever_counts_invoices():
    """One reviewer is enough for 500 members and too few for 2,000, so all of them are there."""
    asked = "payment_success_rate@attempt", "payment_success_rate", "first_attempt_success_rate"
    it = find_cases(["review_team_falls_behind"])[0]
    found = judged(bench(members=2000), shipped(), it, *asked, seeds=8)
    tries, invoices, first = (found[name].changes for name in asked)
    assert (invoices.truth < -0.01).all()
    assert (invoices.metric < -0.02).all()
    assert (tries.metric > 0).all()
    assert abs(first.metric.mean()) < 0.002
