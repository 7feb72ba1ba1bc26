"""Every shipped metric on facts written by hand, with the exact number it must give.

The run lasts from January to June 2025. An outcome is final 30 days after issue, so invoices issued after 1 June are
immature; a payment is settled after 2 days, so attempts after 29 June are unsettled.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from billing_sim.errors import QueryError, RunError
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.engine import compute
from billing_sim.metrics.result import Result
from tests.facts_builder import USD, HandMade, at, attempt, build, failed, invoice, member_month, signup

BR = {"market": "BR"}
GIVEN_UP = {"given_up_at": "2025-04-07", "mit_attempts": 15}
INVOICES = [
    invoice("2025-01-10", 10),
    failed("2025-02-05", 20, paid_after=72, notices=1),
    BR | failed("2025-03-01", 30, paid_after=120, notices=2, attempts=3, held_at="2025-03-05", recovered_by="member"),
    BR | failed("2025-03-10", 40, status="uncollectible", notices=4, held_at="2025-03-20", **GIVEN_UP),
    BR | failed("2025-04-01", 50, status="void", notices=1, given_up_at="2025-04-03"),
    failed("2025-05-01", 60, paid_after=0, is_signup=True),
    failed("2025-05-02", 70, status="void", is_signup=True, given_up_at="2025-05-02"),
    invoice("2025-05-03", 0, attempts=0, mit_attempts=0),
    failed("2025-06-10", 80),
    BR | invoice("2025-06-28", 90),
    BR | failed("2025-06-30", 100, attempts=16, mit_attempts=16),
    failed("2025-03-15", 5, paid_after=200, recovered_by="member"),
    failed("2025-05-31", 6, paid_after=96, first_failed_at="2025-06-03"),
    failed("2025-06-16", 9, paid_after=228, first_failed_at="2025-06-25", notices=1),
    invoice("2025-06-29", 7, status="open", is_signup=True, attempts=2),
    invoice("2025-05-04", 0),
    invoice("2025-06-20", 8, status="open", attempts=0, mit_attempts=0),
]
MONTHS = [
    member_month("2025-01-01", start=9, end=9),
    BR | member_month("2025-01-01", start=18, ended="nonpayment"),
    member_month("2025-02-01", start=9, ended="voluntary"),
    member_month("2025-02-01", ended="voluntary", joined="new"),
    member_month("2025-06-01", start=9, end=9, past_due_at_end=True, on_hold_at_end=True),
    BR | member_month("2025-06-01", start=27, end=27, past_due_at_end=True),
    BR | member_month("2025-06-01", end=18, joined="new"),
    member_month("2025-06-01", start=9, ended="payment_trouble"),
]
ATTEMPTS = [
    attempt("2025-01-10", late=2),
    attempt("2025-02-05", outcome="declined", decline_kind="soft", latency_ms=200, late=60),
    attempt("2025-02-08", 2, latency_ms=300, late=61),
    attempt("2025-03-01", 2, outcome="declined", decline_kind="hard", failed_calls=1, latency_ms=400),
    attempt("2025-03-10", 3, was_returned=True, was_unknown=True, latency_ms=500),
    attempt("2025-05-01", 2, is_signup=True),
    attempt("2025-06-30", outcome="declined", decline_kind="soft"),
    attempt("2025-05-03", usd=0),
    attempt("2025-05-05", 2, usd=0),
    attempt("2025-05-06", 2, was_returned=True),
    attempt("2025-06-30", 2),
    attempt("2025-05-07", 3, is_signup=True),
    attempt("2025-05-08", 3),
    attempt("2025-06-15", 3, outcome="declined", decline_kind="hard"),
    attempt("2025-05-09", 3, usd=0),
    attempt("2025-06-30", 3),
]
SIGNUPS = [
    signup("2025-05-01", "paid"),
    signup("2025-05-02", "abandoned"),
    signup("2025-05-10", "paid", started_by="returning"),
    signup("2025-06-15", "abandoned"),
    signup("2025-06-30", "open"),
    signup("2025-06-30", "paid"),
]
SPELLS = [{"started_at": "2025-01-01", "failed_renewals": failures} for failures in (0, 1, 2, 3)]
NOTICES = [{"sent_at": "2025-03-02", "notice": notice} for notice in ("payment_failed", "payment_reminder", "ended")]

EXPECTED = {
    # metric: (value, numerator, denominator, immature)
    "uninterrupted_renewal_rate": (6 / 9, 6, 9, 5),
    "undisturbed_renewal_rate": (6 / 13, 6, 13, 1),
    "involuntary_churn": (1 / 9, 1, 9, 5),
    "involuntary_churn@with_cancels": (2 / 9, 2, 9, 5),
    "involuntary_churn@month": (1 / 6, 1, 6, 0),
    "voluntary_churn": (1 / 6, 1, 6, 0),
    "churn": (3 / 6, 3, 6, 0),
    "signup_payment_conversion": (2 / 4, 2, 4, 2),
    "time_to_recover_p50": (120, 3, 6, 3),
    "self_fix_rate": (1 / 7, 1, 7, 2),
    "notices_per_recovery": (3 / 4, 3, 4, 1),
    # Of nine, two are paid on day 1, one is seen for a day only, then one lost, one paid, one paid, one paid on day 9.
    "recovery_by_day": (2 / 9 + 3 * 7 / 54, 5, 9, 0),
    "members": (3, 3, 1, 0),
    "win_back_share": (1 / 2, 1, 2, 1),
    "worst_market_gap": (None, 0, 0, 5),
    "net_collected_rate": (131 / 221, 131 * USD, 221 * USD, 5),
    "monthly_recurring_revenue": (54, 54 * USD, 1, 0),
    "involuntary_mrr_churn": (18 / 81, 18 * USD, 81 * USD, 0),
    "paid_at_once_rate": (100 / 348, 100 * USD, 348 * USD, 1),
    "collected": (230, 230 * USD, 1, 0),
    "billed": (508, 508 * USD, 1, 0),
    "average_revenue_per_member": (41.4, 207 * USD, 10, 0),
    "recovery_rate": (61 / 151, 61 * USD, 151 * USD, 3),
    "recovery_rate@count": (4 / 6, 4, 6, 3),
    "collection_leakage": (90, 90 * USD, 1, 0),
    "leakage_share": (90 / 221, 90 * USD, 221 * USD, 5),
    # Of fourteen, four are paid at once, one is seen for a day only, one is lost, five are paid one by one.
    "collection_lag": (4 / 14 + 5 * 10 / 126, 9, 14, 0),
    "open_receivables": (188, 188 * USD, 1, 0),
    "notices_per_1000_renewals": (8000 / 9, 8, 9, 5),
    "holds_per_1000_renewals": (2000 / 9, 2, 9, 5),
    "members_on_hold_per_1000": (1000 / 3, 1, 3, 0),
    "failed_renewals": (9, 9, 1, 0),
    "failure_notices": (3, 3, 1, 0),
    "members_in_dunning": (2, 2, 1, 0),
    "members_on_hold": (1, 1, 1, 0),
    "repeat_failures": (2 / 3, 2, 3, 0),
    "unresolved_after_14_days": (2 / 7, 2, 7, 2),
    "payment_success_rate": (6 / 9, 6, 9, 6),
    "first_attempt_success_rate": (2 / 13, 2, 13, 1),
    "payment_success_rate@renewal": (5 / 7, 5, 7, 5),
    "payment_success_rate@attempt": (5 / 10, 5, 10, 3),
    "marginal_retry_yield": (2 / 6, 2, 6, 2),
    "soft_decline_share": (2 / 4, 2, 4, 0),
    "hard_decline_share": (2 / 4, 2, 4, 0),
    "unknown_outcome_share": (1 / 16, 1, 16, 0),
    "gateway_latency_p99": (500.5, 16, 16, 0),
    "gateway_good_share": (14 / 16, 14, 16, 0),
    "recording_delay_p99": (61_055.5, 16, 16, 0),
    "failover_share": (1 / 16, 1, 16, 0),
    "retry_cap_compliance": (14 / 15, 14, 15, 0),
    "event_freshness": (15 / 16, 15, 16, 0),
}


def facts(path: Path) -> HandMade:
    """The run of this module's stories, spread over two files each."""
    return build(
        path, parts=2, invoices=INVOICES, subscription_months=MONTHS, attempts=ATTEMPTS, signups=SIGNUPS,
        subscriptions=SPELLS, notices=NOTICES,
    )  # fmt: skip


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    return facts(tmp_path_factory.mktemp("facts"))


@pytest.fixture(scope="module")
def results(source: HandMade) -> dict[str, Result]:
    return {result.id: result for result in compute(source, shipped())}


def test_every_shown_metric_has_an_expected_number():
    """A sum over facts cannot be added to the views without saying what it must give."""
    assert {it.id for it in shipped().shown if not it.sql} <= set(EXPECTED)


@pytest.mark.parametrize("metric", EXPECTED)
def test_shipped_metric_gives_exactly_this(results, metric):
    """Value, numerator, denominator and immature units are those counted by hand."""
    result = results[metric]
    value, *sums = EXPECTED[metric]
    assert [result.numerator, result.denominator, result.immature] == sums
    assert result.value == (value if value is None else pytest.approx(value, rel=1e-12))


def test_undefined_is_null_with_a_reason(results):
    """A number is either there or its absence is explained."""
    for result in results.values():
        assert (result.value is None) == bool(result.reason), result.id
    assert results["worst_market_gap"].reason == "fewer than two markets have 100 units or more"


def test_a_quantile_that_too_few_reach_is_undefined(source):
    """Four of six failed renewals were paid: half of all within 120 hours, nine in ten never."""
    median = shipped()["time_to_recover_p50"]
    (result,) = compute(source, [median.model_copy(update={"quantile": Decimal("0.9")})])
    assert (result.value, result.numerator, result.denominator) == (None, 4, 6)
    assert result.reason == "fewer than 90 % of the units ever get there"


def test_nothing_at_all_is_undefined_or_zero(tmp_path):
    """A run without rows: sums are 0, ratios are undefined, nothing fails."""
    results = {result.id: result for result in compute(build(tmp_path), shipped())}
    assert (results["billed"].value, results["members"].value) == (0, 0)
    assert (results["recovery_rate"].value, results["recovery_rate"].reason) == (None, "nothing to divide by")
    assert results["gateway_latency_p99"].value is None


def test_only_immature_units_are_undefined_and_counted(tmp_path):
    """One renewal, issued a week before the end: not yet a success, not yet a failure."""
    (result,) = compute(build(tmp_path, invoices=[failed("2025-06-24", 10)]), shipped().of(["payment_success_rate"]))
    assert (result.value, result.denominator, result.immature) == (None, 0, 1)
    assert result.reason == "nothing has matured yet, 1 immature"


def test_units_and_immature_are_of_the_denominator(tmp_path):
    """Revenue per member is about member months: June's month is not over, and June's invoices are no members."""
    made = build(tmp_path, invoices=[invoice("2025-05-10", 10), invoice("2025-06-10", 10)], subscription_months=MONTHS)
    (revenue,) = compute(
        HandMade(made.path, end="2025-06-15"), shipped().of(["average_revenue_per_member"]), by=["month"]
    )
    assert (revenue.units, revenue.immature, revenue.coverage) == (4, 4, 0.5)
    assert [(part.dims["month"], part.immature) for part in revenue.slices] == [
        ("2025-01", 0), ("2025-02", 0), ("2025-05", 0), ("2025-06", 4),
    ]  # fmt: skip


def test_two_definitions_of_one_id_do_not_mix(source):
    """The same metric with another quantile is another question, also when it keeps its name."""
    median = shipped()["time_to_recover_p50"]
    early = median.model_copy(update={"quantile": Decimal("0.1")})
    assert [it.value for it in compute(source, [median, early])] == [120, 24]
    assert [it.value for it in compute(source, [early, median])] == [24, 120]


def test_maturity_includes_its_last_instant(tmp_path):
    """Issued exactly one horizon before the end is mature, a microsecond later is not."""
    last = at("2025-06-01")
    late = [invoice("2025-06-01", 10), invoice("2025-06-01", 10, issued_at=last + timedelta(microseconds=1))]
    (result,) = compute(build(tmp_path, invoices=late), shipped().of(["payment_success_rate"]))
    assert (result.denominator, result.immature) == (1, 1)


def test_self_fix_window_is_closed_at_seven_days(tmp_path):
    """A payment exactly 168 hours after the failure is inside, one an hour later is not."""
    story = [failed("2025-03-01", 10, paid_after=hours, recovered_by="member") for hours in (168, 169)]
    (result,) = compute(build(tmp_path, invoices=story), shipped().of(["self_fix_rate"]))
    assert (result.numerator, result.denominator) == (1, 2)


def test_bounds_are_crossed_only_beyond_them(results):
    """Fourteen of fifteen invoices within the cap are too few, leakage above 2 % is too much; core has no bound."""
    assert results["retry_cap_compliance"].crossed is True
    assert results["leakage_share"].crossed is True
    assert results["worst_market_gap"].crossed is None
    assert results["net_collected_rate"].crossed is None


def test_worst_market_gap_names_both_ends(tmp_path):
    """US keeps 95 of 100, BR 90 of 100, and DE with 99 renewals is too small to be compared."""
    rows = [invoice("2025-02-01", 10)] * 95 + [failed("2025-02-01", 10)] * 5
    rows += [BR | invoice("2025-02-01", 10)] * 90 + [BR | failed("2025-02-01", 10)] * 10
    rows += [failed("2025-02-01", 10, market="DE")] * 99
    (result,) = compute(build(tmp_path, invoices=rows), shipped().of(["worst_market_gap"]))
    assert result.value == pytest.approx(5)
    assert (result.numerator, result.denominator, result.note) == (90, 100, "lowest BR 90.00 %\nhighest US 95.00 %")


def test_a_gap_can_be_taken_inside_each_part(tmp_path):
    """Within a region markets are compared with each other; a region with one market has no gap."""
    emea = {"region": "EMEA", "market": "DE"}
    rows = [invoice("2025-02-01", 10)] * 100 + [emea | invoice("2025-02-01", 10)] * 100
    rows += [emea | {"market": "FR"} | failed("2025-02-01", 10)] * 100
    (gap,) = compute(build(tmp_path, invoices=rows), shipped().of(["worst_market_gap"]), by=["region"])
    assert {part.dims["region"]: part.value for part in gap.slices} == {"EMEA": 100, "UCAN": None}
    assert compute(build(tmp_path), shipped().of(["worst_market_gap"]), by=["market"])[0].slices == ()


def test_facts_that_cannot_be_read_are_reported_in_words(tmp_path):
    """A file that is no Parquet is no traceback."""
    source = build(tmp_path, invoices=INVOICES)
    source.facts_files("invoices")[0].write_bytes(b"PAR1 this is not Parquet PAR1")
    with pytest.raises(RunError, match="The facts cannot be read"):
        compute(source, shipped())


def test_a_stock_is_never_added_up_over_months(source):
    """By month it shows each month's end; its total is the last one."""
    (members,) = compute(source, shipped().of(["members"]), by=["month"])
    assert {part.dims["month"]: part.value for part in members.slices} == {"2025-01": 1, "2025-02": 0, "2025-06": 3}
    assert members.value == 3


def test_a_month_with_immature_units_is_partial(source):
    """May is complete; June's renewals may still be paid, so what it shows is marked."""
    (result,) = compute(source, shipped().of(["payment_success_rate"]), by=["month"])
    partial = {part.dims["month"]: (part.partial, part.immature) for part in result.slices}
    assert partial["2025-05"] == (False, 0)
    assert partial["2025-06"] == (True, 6)


def test_a_month_that_is_not_over_is_partial_and_left_out_of_churn(tmp_path):
    """A run that ends on 15 June: its June cannot be compared with other months."""
    made = build(tmp_path, subscription_months=MONTHS)
    source = HandMade(made.path, end="2025-06-15")
    (churn,) = compute(source, shipped().of(["churn"]), by=["month"])
    assert (churn.numerator, churn.denominator, churn.immature) == (2, 3, 3)
    assert [part.partial for part in churn.slices] == [False, False, True]


def test_an_earlier_moment_sees_fewer_mature_units(source):
    """As of 20 April, only invoices issued by 21 March are judged."""
    (result,) = compute(source, shipped().of(["payment_success_rate"]), as_of=at("2025-04-20"))
    assert (result.numerator, result.denominator, result.immature) == (4, 5, 1)


@pytest.mark.parametrize("moment", ["2024-12-31", "2025-01-01", "2025-07-02"])
def test_a_moment_outside_the_run_is_refused(source, moment):
    """There is nothing to look at before the start or after the end."""
    with pytest.raises(QueryError, match="outside the run"):
        compute(source, shipped(), as_of=at(moment))


def test_an_unknown_dimension_is_answered_with_the_likely_one(source):
    """A typing error is met with a suggestion."""
    with pytest.raises(QueryError, match=r"There is no dimension `markets`; did you mean `market`?"):
        compute(source, shipped(), by=["markets"])


def test_a_run_without_configuration_is_refused(tmp_path):
    """Maturity comes from the world events; without them nothing can be judged."""

    class Silent(HandMade):
        def world_events(self):
            return []

    with pytest.raises(RunError, match=r"run\.configured"):
        compute(Silent(tmp_path), shipped())
