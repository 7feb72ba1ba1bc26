"""Exports of a business in which everything changes: plans, prices, taxes, coupons, credits, trials and pauses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import billing_sim
from billing_sim.export import vocabulary
from tests.export_readers import lines, rows, types

END = datetime(2025, 7, 1)
SCENARIO = """\
name: changing
seed: 5
start: 2025-01-01
end: 2025-07-01
members: 450
log: all
reporting_currency: EUR
exchange_rates: {EUR: 1, USD: 0.96, JPY: 0.006, KWD: 3.1, BRL: 0.16}
plans:
  basic: {name: Basic}
  standard: {name: Standard}
  premium: {name: Premium}
  weekly: {name: A week, interval: week}
  annual: {name: A year, interval: year}
promotions: {half: {percent: 50%, cycles: 3}, free: {free_months: 1}, always: {percent: 10%}}
plan_changes: {downgrades: at_once}
fraud: {signups: 5%, screens: [signup, member, renewal]}
timeline:
  - {kind: promotion, at: 2025-01-10, duration: 60 days, promotion: half, to: everyone, redeem: 30%}
  - {kind: promotion, at: 2025-04-10, duration: 60 days, promotion: free, to: everyone, redeem: 20%}
  - {kind: promotion, at: 2024-10-01, duration: 60 days, promotion: always, to: everyone, redeem: 20%}
  - {kind: price_change, at: 2025-03-15, market: [US], prices: {premium: 24.99 USD}, grandfathered: true}
  - {kind: price_change, at: 2025-03-15, market: [JP], prices: {basic: 990 JPY}, notice: 20 days}
  - {kind: tax_change, at: 2025-04-01, market: [DE], rate: 16%}
  - {kind: method_launch, at: 2025-01-15, market: [BR], method: voucher, share: 40%}
market_defaults:
  plan_mix: {basic: 40%, standard: 30%, premium: 15%, weekly: 10%, annual: 5%}
  signups: {per_month: 8%}
  behaviour:
    plan_habits: {pauses: 3% per month, upgrades: 6% per month, downgrades: 5% per month, goodwill: 3%}
markets:
  US: {name: United States, region: UCAN, currency: USD, time_zone: America/New_York, locale: en_US, members: 30%,
       tax: {rate: 5%, included: false},
       prices: {basic: 9.99 USD, standard: 15.49 USD, premium: 22.99 USD, weekly: 3.99 USD, annual: 99.00 USD},
       trial: {duration: 14 days, needs_method: true, share: 80%, cancels: 40%}}
  DE: {name: Germany, region: EMEA, currency: EUR, time_zone: Europe/Berlin, locale: de_DE, members: 30%,
       tax: {rate: 19%, included: true},
       prices: {basic: 9.99 EUR, standard: 13.99 EUR, premium: 19.99 EUR, weekly: 3.49 EUR, annual: 99.00 EUR},
       trial: {duration: 14 days, needs_method: false, share: 80%, cancels: 40%, leaves_method: 50%}}
  JP: {name: Japan, region: APAC, currency: JPY, time_zone: Asia/Tokyo, locale: ja_JP, members: 15%,
       tax: {rate: 10%, included: true},
       prices: {basic: 890 JPY, standard: 1590 JPY, premium: 2290 JPY, weekly: 300 JPY, annual: 8900 JPY}}
  KW: {name: Kuwait, region: EMEA, currency: KWD, time_zone: Asia/Kuwait, locale: ar_SA, members: 10%,
       tax: {rate: 0%, included: false},
       prices: {basic: 2.990 KWD, standard: 3.995 KWD, premium: 4.990 KWD, weekly: 0.995 KWD, annual: 29.900 KWD}}
  BR: {name: Brazil, region: LATAM, currency: BRL, time_zone: America/Sao_Paulo, locale: pt_BR, members: 15%,
       tax: {rate: 12%, included: true},
       prices: {basic: 20.90 BRL, standard: 39.90 BRL, premium: 59.90 BRL, weekly: 7.90 BRL, annual: 209.00 BRL}}
"""
FILES = "customers subscriptions invoices charges refunds disputes".split()


@pytest.fixture(scope="module", params=["at_once", "at_renewal"])
def run(request, tmp_path_factory) -> billing_sim.Run:
    """Half a year, its log kept; downgrades take effect at once, or with the next period."""
    file = tmp_path_factory.mktemp("changing") / "changing.yaml"
    file.write_text(SCENARIO.replace("at_once", request.param))
    return billing_sim.run(file, out=file.parent / "run", workers=1)


@pytest.fixture(scope="module")
def folders(run, tmp_path_factory) -> dict[str, Path]:
    """The run as each vendor has it."""
    home = tmp_path_factory.mktemp("exported")
    return {form: run.export(form, home / form).folder for form in ("stripe", "recurly", "stripe-json")}


def seconds(moment: Any) -> int:
    """A moment of the log as Stripe writes it."""
    return int(moment.replace(tzinfo=UTC).timestamp())


def is_at_once(run: billing_sim.Run) -> bool:
    """Whether downgrades take effect at once here."""
    return "at_once" in (Path(run.directory) / "scenario.yaml").read_text()


def told_prices(run: billing_sim.Run) -> dict[tuple[int, int], tuple[str, int]]:
    """Plan and price without tax of each subscription by the log: the last full price, or that of the last change."""
    log = run.sql(
        "SELECT subscriber, spell, invoice, kind, plan, reason, amount_minor - tax_minor AS net FROM events WHERE kind "
        "IN ('invoice.issued', 'discount.applied', 'credit.applied', 'subscription.plan_changed') "
        "ORDER BY subscriber, sequence"
    )
    prices: dict[tuple[int, int], tuple[str, int]] = {}
    rest = set()
    for row in log.itertuples():
        key = (row.subscriber, row.spell)
        if row.kind == "invoice.issued" and row.reason in ("proration", "verification"):
            rest.add((row.subscriber, row.invoice))
        elif row.kind in ("invoice.issued", "subscription.plan_changed"):
            prices[key] = (row.plan, row.net)
        elif (row.subscriber, row.invoice) not in rest:
            prices[key] = (prices[key][0], prices[key][1] + row.net)
    return prices


def item_prices(folder: Path) -> dict[tuple[int, int], tuple[str, int]]:
    """Plan and unit amount of each subscription in Stripe's tables."""
    tables = {name: folder / f"{name}.parquet" for name in ("subscription_item", "price")}
    found = rows("SELECT i.subscription_id, p.product_id, p.unit_amount FROM subscription_item i "
                 "LEFT JOIN price p ON p.id = i.plan_id", **tables)  # fmt: skip
    return {(int(it[4:-5]), int(it[-5:])): ((product or "")[5:], amount) for it, product, amount in found}


def test_every_subscription_has_its_plan_at_a_price_that_exists(run, folders):
    """Whatever the last invoice was for: an upgrade, a discounted period, or nothing at all."""
    plans = run.sql("SELECT subscriber, spell, plan FROM subscriptions")
    found = item_prices(folders["stripe"])
    assert len(plans) > 500
    for row in plans.itertuples():
        assert found[row.subscriber, row.spell][0] == row.plan
    assert all(amount for _, amount in found.values())
    known = {line["id"]: line["unit_amount"] for line in lines(folders["stripe-json"] / "prices.jsonl")}
    for line in lines(folders["stripe-json"] / "subscriptions.jsonl"):
        price = line["items"]["data"][0]["price"]
        assert known[price["id"]] == price["unit_amount"]
    for event in lines(folders["stripe-json"] / "events.jsonl"):
        if event["type"].startswith("customer.subscription"):
            assert event["data"]["object"]["items"]["data"][0]["price"]["id"] in known


def test_the_price_of_a_subscription_is_that_of_its_plan(run, folders):
    """Before discounts and credits, as the log has it: of a member who was spared a rise, the old one."""
    found, told = item_prices(folders["stripe"]), told_prices(run)
    differs = {key for key, price in told.items() if found[key] != price}
    assert len(told) > 450
    assert not differs
    file = folders["recurly"] / "subscription_history.parquet"
    for number, plan, amount, subtotal, currency in rows(
        "SELECT id, plan_id, unit_amount, subtotal, currency FROM t", t=file
    ):
        key = (int(number[:-5]), int(number[-5:]))
        assert (plan, subtotal) == (found[key][0], amount)
        assert int(amount.scaleb({"JPY": 0, "KWD": 3}.get(currency, 2))) == found[key][1]


def test_the_price_list_is_the_price_list(run, folders):
    """As many prices as were listed, once for each tax on top of which they came, created when they were listed."""
    found = rows("SELECT id, created, active FROM t", t=folders["stripe"] / "price.parquet")
    by_name = {name: (created, active) for name, created, active in found}
    assert len(by_name) == 5 * 5 + 2 + 5
    assert by_name["price_US_premium_2299"] == (datetime(2025, 1, 1), False)
    assert by_name["price_US_premium_2499"] == (datetime(2025, 3, 15), True)
    assert by_name["price_JP_basic_900"] == (datetime(2025, 3, 15), True)
    assert by_name["price_DE_standard_1206"] == (datetime(2025, 4, 1), True)
    assert by_name["price_DE_standard_1176"] == (datetime(2025, 1, 1), False)


def test_discounts_are_those_of_the_log(run, folders):
    """In both vendors' columns, without tax, invoice by invoice; what is due is what it was."""
    log = run.sql("SELECT subscriber, invoice, coupon, amount_minor - tax_minor AS net FROM events "
                  "WHERE kind = 'discount.applied'")  # fmt: skip
    told = {f"{row.subscriber}{row.invoice:05}": (row.net, row.coupon) for row in log.itertuples()}
    stripe, recurly = folders["stripe"], folders["recurly"]
    found = rows("SELECT invoice_id[4:], amount, coupon_id FROM t", t=stripe / "discount.parquet")
    assert len(told) > 500
    assert {number: (amount, coupon) for number, amount, coupon in found if coupon} == told
    brought = {number for number, _, coupon in found if coupon is None}
    assert len(brought) < 10
    coupons = rows("SELECT id, percent_off, duration, duration_in_months FROM t", t=stripe / "coupon.parquet")
    assert sorted(coupons) == [
        ("always", 10, "forever", None), ("free", 100, "once", None), ("half", 50, "repeating", 3),
    ]  # fmt: skip
    scale = "CASE currency WHEN 'JPY' THEN 1 WHEN 'KWD' THEN 1000 ELSE 100 END"
    for table, name in (("line_item_history", "invoice_id"), ("invoice_history", "id")):
        query = f"SELECT {name}, (discount * {scale})::INTEGER FROM t WHERE discount > 0"
        given = rows(query, t=recurly / f"{table}.parquet")
        assert {number: amount for number, amount in given if number not in brought} == {
            number: net for number, (net, _) in told.items()
        }
    off = "subtotal - discount + tax <> total"
    assert rows(f"SELECT count(*) FROM t WHERE {off}", t=recurly / "invoice_history.parquet") == [(0,)]


def test_credits_are_lines_of_their_own(run, folders):
    """Each as large as in the log, and with it the lines of an invoice add up to its subtotal."""
    log = run.sql("SELECT subscriber, invoice, amount_minor - tax_minor AS net FROM events "
                  "WHERE kind = 'credit.applied'")  # fmt: skip
    told = {f"in_{row.subscriber}{row.invoice:05}": -row.net for row in log.itertuples()}
    tables = {name: folders["stripe"] / f"{name}.parquet" for name in ("invoice", "invoice_line_item", "discount")}
    found = rows("SELECT invoice_id, amount FROM invoice_line_item WHERE type = 'invoiceitem'", **tables)
    assert len(told) > 50
    assert dict(found) == told
    query = """
        SELECT count(*), count(*) FILTER (i.subtotal <> l.amount), count(*) FILTER (i.total <> i.subtotal
            - coalesce(d.amount, 0) + i.tax)
        FROM invoice i JOIN (SELECT invoice_id, sum(amount) AS amount FROM invoice_line_item GROUP BY 1) l
            ON l.invoice_id = i.id LEFT JOIN discount d ON d.invoice_id = i.id
    """
    ((invoices, lined, added),) = rows(query, **tables)
    assert invoices > 2000
    assert (lined, added) == (0, 0)
    for line in lines(folders["stripe-json"] / "invoices.jsonl"):
        off = sum(it["amount"] for it in line["total_discount_amounts"])
        assert line["subtotal"] - off + line["tax"] == line["total"]
        assert sum(it["amount"] for it in line["lines"]["data"]) == line["subtotal"]


def subscription_events(folder: Path) -> Iterator[dict[str, Any]]:
    """Events about subscriptions."""
    for event in lines(folder / "events.jsonl"):
        if event["type"].startswith("customer.subscription"):
            yield event


def test_whoever_keeps_the_objects_of_events_has_the_files(folders):
    """Every object whole, after the last event about it; and each event says truly what it changed."""
    state: dict[str, dict[str, Any]] = {}
    for event in lines(folders["stripe-json"] / "events.jsonl"):
        thing = event["data"]["object"]
        former = event["data"].get("previous_attributes", {})
        if event["type"].endswith(".updated"):
            assert former
            known = state[thing["id"]]
            assert {name: known[name] for name in thing if known[name] != thing[name]} == former
        state[thing["id"]] = thing
    for file in FILES:
        for line in lines(folders["stripe-json"] / f"{file}.jsonl"):
            assert state[line["id"]] == line


def test_tables_and_objects_agree(folders):
    """Status, period and what was cancelled, subscription by subscription."""
    query = """
        SELECT id, status, epoch_ms(current_period_start) // 1000, epoch_ms(current_period_end) // 1000,
            cancel_at_period_end, epoch_ms(canceled_at) // 1000, epoch_ms(ended_at) // 1000 FROM t
    """
    table = {it[0]: it[1:] for it in rows(query, t=folders["stripe"] / "subscription_history.parquet")}
    names = "status current_period_start current_period_end cancel_at_period_end canceled_at ended_at".split()
    for line in lines(folders["stripe-json"] / "subscriptions.jsonl"):
        assert table[line["id"]] == tuple(line[name] for name in names)
        assert line["status"] != "canceled" or (line["canceled_at"] and line["ended_at"])


def test_subscriptions_stand_as_in_the_facts(run, folders):
    """The course of each leads to the status that the facts have; who cancels in a trial goes on trying."""
    told = run.sql("SELECT subscriber, spell, status, trial_started_at, trial_ended_at FROM subscriptions")
    found = dict(rows("SELECT id, status FROM t", t=folders["stripe"] / "subscription_history.parquet"))
    for row in told.itertuples():
        wanted = vocabulary.SUBSCRIPTION_STATUS[row.status][0]
        if row.status == "canceling" and not pd.isna(row.trial_started_at) and pd.isna(row.trial_ended_at):
            wanted = "trialing"
        assert found[f"sub_{row.subscriber}{row.spell:05}"] == wanted


def test_events_begin_with_the_plan_of_then(run, folders):
    """Of whoever joined in the run, that of the log; nothing that came later."""
    log = run.sql("SELECT subscriber, spell, plan FROM events WHERE kind IN ('subscription.created', "
                  "'subscription.imported')")  # fmt: skip
    first = {}
    for event in subscription_events(folders["stripe-json"]):
        thing = event["data"]["object"]
        if event["type"] == "customer.subscription.created":
            first[thing["id"]] = thing["items"]["data"][0]["metadata"]["plan"]
            assert (thing["canceled_at"], thing["ended_at"], thing["cancel_at_period_end"]) == (None, None, False)
    differs = [row for row in log.itertuples() if first[f"sub_{row.subscriber}{row.spell:05}"] != row.plan]
    assert len(log) > 500
    assert len(differs) <= (5 if is_at_once(run) else 0)


def test_a_change_of_plan_is_an_event(run, folders):
    """An upgrade and a downgrade at a renewal to the second; one at once in its month, or with what comes earlier."""
    log = run.sql("SELECT subscriber, spell, plan, reason, occurred_at FROM events "
                  "WHERE kind = 'subscription.plan_changed' ORDER BY subscriber, sequence")  # fmt: skip
    told = defaultdict(list)
    for event in subscription_events(folders["stripe-json"]):
        if "items" in event["data"].get("previous_attributes", {}):
            thing, former = event["data"]["object"], event["data"]["previous_attributes"]["items"]["data"][0]
            plan = thing["items"]["data"][0]["metadata"]["plan"]
            if plan != former["metadata"]["plan"]:
                told[thing["id"]].append((event["created"], plan))
    missing = 0
    assert {"upgrade", "downgrade"} == set(log.reason)
    for row in log.itertuples():
        at, found = seconds(row.occurred_at), told[f"sub_{row.subscriber}{row.spell:05}"]
        if row.reason == "upgrade" or not is_at_once(run):
            assert (at, row.plan) in found
        else:
            later = row.occurred_at.replace(day=1) + timedelta(days=32)
            until = seconds(later.replace(day=1, hour=0, minute=0, second=0))
            missing += not any(at <= moment < until and plan == row.plan for moment, plan in found)
    assert missing <= 0.03 * len(log)


def test_periods_go_on_while_nobody_is_charged(run, folders):
    """Of whoever pauses too, and after an upgrade the period is as long as any."""
    query = """
        SELECT s.status, p.recurring_interval, s.current_period_start, s.current_period_end
        FROM s JOIN i ON i.subscription_id = s.id JOIN p ON p.id = i.plan_id
        WHERE s.status IN ('active', 'past_due')
    """
    tables = {name: folders["stripe"] / f"{file}.parquet" for name, file in
              (("s", "subscription_history"), ("i", "subscription_item"), ("p", "price"))}  # fmt: skip
    found = rows(query, **tables)
    assert len(found) > 350
    days = {"week": (7, 7), "month": (28, 31), "year": (365, 366)}
    for _, interval, begins, ends in found:
        assert begins <= END <= ends + timedelta(days=1)
        assert days[interval][0] <= (ends - begins).days <= days[interval][1]
    assert len(run.sql("SELECT 1 FROM subscriptions WHERE status = 'paused'")) > 10
    upgraded = run.sql("SELECT 1 FROM invoices WHERE is_proration")
    assert len(upgraded) > 50


def test_a_moved_calendar_moves_every_step(run, folders, tmp_path):
    """By as many days, though its months are not as long as those of the run."""
    plain, moved = folders["stripe"], run.export("stripe", tmp_path / "moved", end_at="2026-12-04").folder
    by = datetime(2026, 12, 4) - END
    for name in ("subscription_history", "subscription_item", "price"):
        kinds = types(plain / f"{name}.parquet")
        shifted = ", ".join(f"{it} + INTERVAL {by.days} DAY" if kinds[it] == "TIMESTAMP" else it for it in kinds)
        before = rows(f"SELECT {shifted} FROM t ORDER BY id", t=plain / f"{name}.parquet")
        assert before == rows("SELECT * FROM t ORDER BY id", t=moved / f"{name}.parquet")


def test_an_upgrade_is_an_immediate_change_for_recurly(run, folders):
    """As many as the facts have."""
    found = dict(rows("SELECT origin, count(*) FROM t GROUP BY 1", t=folders["recurly"] / "invoice_history.parquet"))
    upgrades = len(run.sql("SELECT 1 FROM invoices WHERE is_proration"))
    assert set(found) == {"purchase", "renewal", "immediate_change"}
    assert found["immediate_change"] == upgrades > 50


def test_types_of_payment_methods_are_of_their_currency(folders):
    """Stripe debits accounts by SEPA in euros alone, and knows no vouchers in most currencies."""
    tables = {name: folders["stripe"] / f"{name}.parquet" for name in ("payment_method", "customer")}
    query = """
        SELECT DISTINCT upper(c.currency), m.type FROM payment_method m JOIN customer c ON c.id = m.customer_id
        WHERE m.type NOT IN ('card', 'custom')
    """
    found = set(rows(query, **tables))
    allowed = {(code, theirs) for words in vocabulary.METHOD_TYPE_IN.values() for code, theirs in words.items()}
    assert found <= allowed
    assert {("EUR", "sepa_debit"), ("BRL", "boleto")} <= found
    details = {line["id"]: line["type"] for line in lines(folders["stripe-json"] / "payment_methods.jsonl")}
    for line in lines(folders["stripe-json"] / "charges.jsonl"):
        assert details[line["payment_method"]] == line["payment_method_details"]["type"]


def test_what_we_block_was_sent_nowhere_and_what_is_pending_has_no_outcome(run, folders):
    """Only what an issuer declined says so."""
    found = list(lines(folders["stripe-json"] / "charges.jsonl"))
    outcomes = {(it["status"], *(it["outcome"][name] for name in ("type", "network_status"))) if it["outcome"]
                else (it["status"],) for it in found}  # fmt: skip
    assert outcomes == {
        ("succeeded", "authorized", "approved_by_network"), ("failed", "issuer_declined", "declined_by_network"),
        ("failed", "blocked", "not_sent_to_network"), ("pending",),
    }  # fmt: skip
    blocked = len(run.sql("SELECT 1 FROM attempts WHERE outcome = 'blocked'"))
    assert sum(1 for it in found if it["outcome"] and it["outcome"]["type"] == "blocked") == blocked > 5
