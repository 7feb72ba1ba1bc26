"""Exports of what is not a plain month: weekly plans, trials and pauses, some of them since before the start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import billing_sim
from tests.export_readers import lines, rows

WEEKLY = """
extends: first_month.yaml
name: weekly
plans: {weekly: {name: A week, interval: week}}
members: 300
markets:
  US:
    prices: {weekly: 4.99 USD}
    plan_mix: {standard: 20%, premium: 0%, weekly: 80%}
    trial: {duration: 14 days, cancels: 20%}
    signups: {per_month: 20%}
    behaviour: {plan_habits: {pauses: 10% per month}}
"""
END = datetime(2025, 3, 1)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> billing_sim.Run:
    """Two months of people who mostly pay by the week; new ones begin with a trial."""
    folder = tmp_path_factory.mktemp("weekly")
    first = Path(__file__).parent.parent / "scenarios" / "first_month.yaml"
    (folder / "first_month.yaml").write_text(first.read_text())
    (folder / "weekly.yaml").write_text(WEEKLY)
    return billing_sim.run(folder / "weekly.yaml", out=folder / "run", workers=1, log="none")


@pytest.fixture(scope="module")
def folders(run, tmp_path_factory) -> dict[str, Path]:
    """The run as each vendor has it."""
    home = tmp_path_factory.mktemp("exported")
    return {form: run.export(form, home / form).folder for form in ("stripe", "recurly", "stripe-json")}


def test_a_weekly_period_is_a_week(folders):
    """The running period of everybody who pays by the week has seven days and has begun."""
    query = """
        SELECT count(*), count(*) FILTER (s.current_period_end - s.current_period_start = INTERVAL 7 DAY),
            count(*) FILTER (s.current_period_start > s._fivetran_synced)
        FROM s JOIN i ON i.subscription_id = s.id JOIN p ON i.plan_id = p.id
        WHERE s.status = 'active' AND p.recurring_interval = 'week' AND s.trial_end IS NULL
    """
    tables = {name: folders["stripe"] / f"{file}.parquet" for name, file in
              (("s", "subscription_history"), ("i", "subscription_item"), ("p", "price"))}  # fmt: skip
    everybody, of_a_week, too_late = rows(query, **tables)[0]
    assert everybody > 200
    assert of_a_week == everybody
    assert too_late == 0


def test_events_of_weekly_plans_move_by_a_week(folders):
    """Where a renewal is told, the period before it was as long."""
    found = 0
    for event in lines(folders["stripe-json"] / "events.jsonl"):
        thing, before = event["data"]["object"], event["data"].get("previous_attributes", {})
        if "current_period_start" not in before:
            continue
        item = thing["items"]["data"][0]
        if item["price"]["recurring"]["interval"] == "week" and thing["trial_end"] != before["current_period_end"]:
            assert before["current_period_end"] - before["current_period_start"] == 7 * 86_400
            found += 1
    assert found > 500


def test_a_trial_is_told_by_its_dates_and_by_events(run, folders):
    """Also one of before the start; who is in one at the end is `trialing`, and so says everybody's last event."""
    # Who has cancelled in a trial goes on trying until it is over.
    trials = run.sql("SELECT count(*) AS n, count(*) FILTER (trial_end = 'none' AND ended_at IS NULL) AS running, "
                     "count(*) FILTER (started_by = 'imported') AS before FROM subscriptions "
                     "WHERE trial_started_at IS NOT NULL").iloc[0]  # fmt: skip
    assert trials.running > 10
    assert trials.before > 10
    stripe, recurly = (folders[it] / "subscription_history.parquet" for it in ("stripe", "recurly"))
    query = "SELECT count(trial_start), count(*) FILTER (status = 'trialing') FROM t"
    assert rows(query, t=stripe) == [(trials.n, trials.running)]
    assert rows("SELECT count(trial_started_at), count(trial_ends_at) FROM t", t=recurly) == [(trials.n, trials.n)]
    ends = rows("SELECT trial_start, trial_end, current_period_end FROM t WHERE status = 'trialing'", t=stripe)
    for begins, until, period in ends:
        assert timedelta(days=13) < until - begins <= timedelta(days=14)
        assert until.replace(tzinfo=UTC) >= END.replace(tzinfo=UTC)
        assert abs(period - until) < timedelta(days=1, hours=12)
    state = {event["data"]["object"]["id"]: event["data"]["object"]
             for event in lines(folders["stripe-json"] / "events.jsonl")}  # fmt: skip
    for file in ("subscriptions", "invoices", "charges"):
        for line in lines(folders["stripe-json"] / f"{file}.jsonl"):
            assert state[line["id"]] == line


def test_who_is_on_a_pause_is_paused_for_recurly(run, folders):
    """Stripe leaves the status of whoever pauses, and their periods go on."""
    paused = int(run.sql("SELECT count(*) AS n FROM subscriptions WHERE status = 'paused'").n[0])
    assert paused > 10
    found = rows("SELECT count(*) FROM t WHERE state = 'paused'", t=folders["recurly"] / "subscription_history.parquet")
    assert found == [(paused,)]
    stale = f"status = 'active' AND current_period_end < TIMESTAMP '{END}' - INTERVAL 1 DAY"
    file = folders["stripe"] / "subscription_history.parquet"
    assert rows(f"SELECT count(*) FROM t WHERE {stale}", t=file) == [(0,)]


def test_an_upgrade_is_billed_as_a_proration_of_the_plan_that_it_leads_to(tmp_path):
    """Its line once was that of a renewal of the cheaper plan, and its reason a subscription that begins."""
    first = Path(__file__).parent.parent / "scenarios" / "first_month.yaml"
    (tmp_path / "first_month.yaml").write_text(first.read_text())
    (tmp_path / "upgrades.yaml").write_text(
        "extends: first_month.yaml\nname: upgrades\nmembers: 300\nlog: all\n"
        "market_defaults: {behaviour: {plan_habits: {upgrades: 30% per month}}}\n"
    )
    run = billing_sim.run(tmp_path / "upgrades.yaml", out=tmp_path / "run", workers=1)
    told = run.sql(
        "SELECT plan, count(*) AS n FROM events WHERE kind = 'invoice.issued' AND reason = 'proration' GROUP BY 1"
    )
    assert list(told.plan) == ["premium"]
    kept = run.sql("SELECT plan, count(*) AS n FROM invoices WHERE is_proration GROUP BY 1")
    assert (list(kept.plan), list(kept.n)) == (["premium"], list(told.n))
    tables, objects = (run.export(form, tmp_path / form).folder for form in ("stripe", "stripe-json"))
    lined = rows("SELECT count(*) FROM t WHERE proration", t=tables / "invoice_line_item.parquet")
    assert lined == [(int(told.n[0]),)]
    found = [it for it in lines(objects / "invoices.jsonl") if it["billing_reason"] == "subscription_update"]
    assert len(found) == told.n[0]
    assert {(it["lines"]["data"][0]["proration"], it["lines"]["data"][0]["metadata"]["plan"]) for it in found} == {
        (True, "premium")
    }
