"""What pictures show, against the shipped metrics and against counting row by row."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, timedelta

import pytest

from billing_sim import declines
from billing_sim.metrics.frame import frame
from billing_sim.pictures import maturity, true_losses
from billing_sim.pictures.asked import Asked


@pytest.fixture(scope="module")
def run(busy_runs):
    """The run with an outage."""
    return busy_runs[0]


@pytest.fixture(scope="module")
def invoices(run):
    """Its invoices as rows."""
    return run.table("invoices")


@pytest.fixture(scope="module")
def mature(run, invoices):
    """Those whose dunning is over."""
    seen = frame(run.known_at(None))
    last = (seen.as_of - seen.dunning).replace(tzinfo=UTC)
    return invoices[invoices["issued_at"].notna() & (invoices["issued_at"] <= last)]


def shares(title):
    """The percentages in a title."""
    return [float(it) / 100 for it in re.findall(r"(\d+(?:\.\d+)?)\s%", title)]


def value(run, metric, column="value"):
    """One number of a metric."""
    return run.metric(metric)[column].iloc[0]


def test_the_funnel_counts_what_payment_success_counts(run, mature):
    """Issued and paid as the metric; each attempt as rows say."""
    figure = run.plot("attempts_funnel")
    data = figure.data
    assert data["reached"].iloc[0] == value(run, "payment_success_rate", "denominator")
    assert data["paid"].sum() == value(run, "payment_success_rate", "numerator")
    assert data["paid"].iloc[0] == value(run, "payment_success_rate@first", "numerator")
    billed = mature[mature["amount_micros"] != 0]
    for it in data.iloc[1:-1].itertuples():
        assert it.reached == sum(billed["attempts"] >= it.attempt)
        assert it.paid == sum((billed["attempts"] == it.attempt) & (billed["status"] == "paid"))
    first, later = shares(figure.title)
    assert first == pytest.approx(data["paid"].iloc[0] / len(billed), abs=0.005)
    assert later == pytest.approx(data["paid"].iloc[1:].sum() / (len(billed) - data["paid"].iloc[0]), abs=0.005)


def test_the_yield_of_retries_ends_where_the_recovery_rate_does(run, mature):
    """The last day against the metric; day 7 against counting rows."""
    figure = run.plot("retry_yield")
    data = figure.data
    last = data[data["day"] == data["day"].max()]
    assert last["paid"].sum() == value(run, "recovery_rate@count", "numerator")
    assert last["share"].sum() == pytest.approx(value(run, "recovery_rate@count"))
    failed = mature[~mature["is_signup"] & mature["first_failed_at"].notna()]
    retried = failed[(failed["status"] == "paid") & (failed["recovered_by"] == "retry")]
    soon = sum((retried["paid_at"] - retried["first_failed_at"]) < timedelta(days=7, seconds=1))
    assert data[(data["day"] == 7) & (data["way"] == "retry")]["paid"].item() == soon
    whole, early = shares(figure.title)
    assert whole == pytest.approx(len(retried) / len(failed), abs=0.005)
    assert early == pytest.approx(soon / len(retried), abs=0.005)


def test_the_bridge_sums_exactly_to_the_shipped_revenue(run):
    """Start plus moves is the end, to the millionth; the moves are those of the metrics on revenue."""
    data = run.plot("mrr_bridge").data
    amount = data.set_index("move")["micros"]
    assert amount["start"] + amount.iloc[1:-1].sum() == amount["end"]
    assert list(data["begin"].iloc[1:-1]) == list(data["end"].iloc[:-2])
    assert amount["end"] == value(run, "monthly_recurring_revenue", "numerator")
    assert -amount["nonpayment"] == value(run, "involuntary_mrr_churn", "numerator")
    months = run.table("subscription_months")
    assert amount["new"] == months[months["joined"] == "new"]["mrr_end_micros"].sum()
    stayed = value(run, "expansion_rate", "numerator") - value(run, "contraction_rate", "numerator")
    assert sum(amount.get(it, 0) for it in ("rises", "falls", "exchange")) == stayed
    assert amount["rises"] > 0


def test_money_flows_balance_and_agree_with_what_was_kept(run):
    """Both halves sum exactly; billed, kept and refunds as the metrics and the tables say."""
    amount = run.plot("money_flow").data.set_index("flow")["micros"]
    paid = amount["paid_first"] + amount["paid_later"]
    assert amount["billed"] == paid + amount["given_up"] + amount["voided"] + amount["open"]
    assert paid == amount["kept"] + amount["fees"] + amount["refunded"] + amount["charged_back"]
    assert amount["billed"] == value(run, "billed", "numerator")
    assert amount["kept"] + amount["fees"] == value(run, "net_collected_rate@as_of", "numerator")
    assert min(amount[["fees", "refunded", "charged_back", "paid_later"]]) > 0
    refunds = run.table("refunds")
    issued = run.sql("SELECT subscriber, invoice FROM invoices WHERE issued_at IS NOT NULL")
    owed = refunds[~refunds["reason"].isin(["duplicate", "unauthorised"])].merge(issued, on=["subscriber", "invoice"])
    assert amount["refunded"] == owed["amount_micros"].sum()


def test_cohorts_hold_everybody_who_is_a_member(run):
    """Each cell against the spells themselves: begun in the month, and not over when the later one ended."""
    data = run.plot("cohorts").data
    spells = run.table("subscriptions")
    for it in data[data["cohort"] != "Before the run"].itertuples():
        own = spells[(spells["started_by"] == "new") & (spells["started_at"].dt.strftime("%b %Y") == it.cohort)]
        month = own["started_at"].dt.strftime("%Y-%m").iloc[0]
        end = run.sql(f"SELECT TIMESTAMP '{month}-01' + INTERVAL {it.age + 1} MONTH AS at")["at"].iloc[0]
        left = int((own["ended_at"].isna() | (own["ended_at"] >= end)).sum())
        assert (it.began, it.left) == (len(own), left)
    assert set(data["age"]) == {0, 1, 2, 3}


def test_losses_are_the_ends_of_subscriptions(run):
    """By month and reason, row by row; the title's share is theirs."""
    figure = run.plot("losses_by_cause")
    ended = run.table("subscriptions").dropna(subset=["ended_at"])
    counted = Counter(zip(ended["ended_at"].dt.strftime("%Y-%m"), ended["end_reason"].astype(str), strict=True))
    shown = {(f"{it.at:%Y-%m}", it.part): it.lost for it in figure.data.itertuples() if it.lost}
    assert shown == counted
    assert shares(figure.title)[0] == pytest.approx((ended["end_reason"] != "voluntary").mean(), abs=0.005)


def test_true_losses_are_those_of_the_truth_command(run):
    """By wish and ability, as `run.truth()` finds them by simulating everybody again."""
    sums = run.plot("losses_by_cause", truth=True).data.groupby("part")["lost"].sum()
    truth = run.truth()
    told = Counter()
    for row in truth.lost:
        part = {"go": "leaving", "inert": "inert"}.get(row.intent, "wrongful" if row.able else "unable")
        told[part] += int(row.losses.value)
    assert {part: int(number) for part, number in sums.items() if number} == {k: v for k, v in told.items() if v}
    assert sums["wrongful"] == truth.wrongful.losses.value


def test_causes_of_true_losses_are_those_of_the_truth_command(run):
    """Those that had failed before the run began among them: nobody has seen their first decline."""
    losses = run.truth().losses()
    meanings = dict(declines.CAUSES) | {"before_the_run": true_losses.BEFORE}
    told = Counter(meanings[cause] for cause in losses["cause"])
    assert told[true_losses.BEFORE] > 0
    assert Counter(true_losses.read(Asked(run))["cause"]) == told


def test_declines_are_all_there_with_their_codes(run):
    """By week and code against the attempts, the less frequent ones together."""
    figure = run.plot("decline_mix")
    attempts = run.table("attempts")
    declined = attempts[attempts["outcome"] == "declined"]
    by_code = Counter(declined["code"].astype(str))
    shown = figure.data.groupby("code")["declines"].sum()
    assert shown.sum() == len(declined)
    assert all(shown[code] == by_code[code] for code in shown.index if code != "other")
    assert figure.data.drop_duplicates("at")["attempts"].sum() == len(attempts)
    assert figure.data.groupby("at")["share"].sum().round(9).isin([0, 1]).all()
    assert shares(figure.title)[0] == pytest.approx(max(by_code.values()) / len(declined), abs=0.005)


def test_gateways_add_up_to_payment_success_per_attempt(run):
    """Settled attempts of each gateway as the metric counts them, and the outage in the title."""
    figure = run.plot("gateway_timeline")
    seen = frame(run.known_at(None))
    attempts = run.table("attempts")
    attempts = attempts[(attempts["amount_micros"] != 0) & (attempts["outcome"] != "blocked")]
    for name, own in figure.data.groupby("gateway"):
        rows = attempts[attempts["gateway"] == name]
        if name in set(attempts["gateway"].astype(str)):
            good = (rows["outcome"] == "authorized") & ~rows["was_returned"]
            assert (own["attempts"].sum(), own["good"].sum()) == (len(rows), good.sum())
        else:
            assert own["good"].sum() == (attempts["failed_calls"] > 0).sum() > 0
    settled = attempts[attempts["occurred_at"] <= (seen.as_of - seen.settlement).replace(tzinfo=UTC)]
    metric = run.metric("payment_success_rate@attempt", by="gateway").set_index("gateway")["denominator"]
    assert metric.to_dict() == Counter(settled["gateway"].astype(str))
    assert "During the outage of northpay" in figure.title


def test_markets_are_the_metric_by_market_and_month(run):
    """Each row as `run.metric` gives it."""
    figure = run.plot("by_market", metric="churn")
    metric = run.metric("churn", by=["market", "month"])
    expected = {(it.market, it.month): it.value for it in metric.itertuples() if not it.partial}
    shown = {(it.market, f"{it.month:%Y-%m}"): it.value for it in figure.data.itertuples() if it.market}
    assert shown == expected
    assert len(shown) == 8


def test_maturity_ends_at_the_final_value(run, monkeypatch):
    """The last look is the month's value at the end of the run; earlier ones are what was known then."""
    monkeypatch.setattr(maturity, "DAYS", (0, 14))
    figure = run.plot("maturity")
    data = figure.data
    month = re.search(r"(\w{3}) 2025", figure.title)[1]
    metric = run.metric("payment_success_rate", by="month").set_index("month")["value"]
    final = metric[{"Jan": "2025-01", "Feb": "2025-02", "Mar": "2025-03"}[month]]
    last = data[(data["day"] == data["day"].max()) & (data["metric"] == "payment_success_rate")]
    assert last["value"].item() == pytest.approx(final) == data["final"].iloc[0]
    early = data[(data["day"] == 0) & (data["metric"] == "payment_success_rate@as_of")]["value"].item()
    assert early < final
    then = run.metric("payment_success_rate@as_of", by="month", as_of=f"2025-0{'JanFebMar'.index(month) // 3 + 2}-01")
    assert then.set_index("month")["value"][f"2025-0{'JanFebMar'.index(month) // 3 + 1}"] == early


def test_paired_differences_are_those_of_compare(busy_runs):
    """Values, intervals and verdicts, shares in points."""
    import billing_sim

    run, other = busy_runs
    data = run.plot("paired_difference", other=other).data.set_index("metric")
    found = billing_sim.compare(run, other, metrics=list(data.index))
    for name, it in data.iterrows():
        scale = 100 if it["section"] == "points" else 100 / abs(found[name].before.value)
        assert it["difference"] == pytest.approx(found[name].value * scale)
        assert it["half"] == pytest.approx(found[name].half * scale)
        assert it["verdict"] == found[name].verdict
    assert data.loc["monthly_recurring_revenue", "verdict"] == "worse"


def test_one_life_holds_every_row_of_the_person(run):
    """Each lane as long as the fact of that person."""
    figure = run.plot("one_life")
    who = figure.title.split(":")[0]
    number = run.trace(who).subscriber
    lanes = Counter(figure.data["lane"])
    for lane, fact in (("Attempts", "attempts"), ("Payment method", "payment_methods"), ("Member", "subscriptions")):
        rows = run.table(fact)
        assert lanes[lane] == sum(rows["subscriber"] == number) > 0
    assert "In truth" in set(run.plot("one_life", subscriber=who, truth=True).data["lane"])
