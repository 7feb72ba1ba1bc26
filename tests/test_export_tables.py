"""`--as stripe` and `--as recurly`: exactly these columns, and every total as the run has it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from billing_sim import declines, people
from billing_sim.events import METHOD_KINDS
from billing_sim.export import vocabulary
from billing_sim.export.contract import columns
from billing_sim.facts import schema
from billing_sim.money import EXPONENTS
from tests.export_readers import busy_run, rows, sums, types

__all__ = ["busy_run"]

TEXT, TIME, WHOLE, NUMBER, YES_NO, MONEY = "VARCHAR", "TIMESTAMP", "BIGINT", "INTEGER", "BOOLEAN", "DECIMAL(18,3)"

STRIPE = {
    "customer": f"id {TEXT} created {TIME} currency {TEXT} email {TEXT} description {TEXT} is_deleted {YES_NO}",
    "subscription_history": f"""
        id {TEXT} customer_id {TEXT} created {TIME} start_date {TIME} billing_cycle_anchor {TIME}
        current_period_start {TIME} current_period_end {TIME} status {TEXT} canceled_at {TIME} ended_at {TIME}
        cancel_at_period_end {YES_NO} quantity {NUMBER} trial_start {TIME} trial_end {TIME}""",
    "subscription_item": f"""
        id {TEXT} subscription_id {TEXT} created {TIME} current_period_start {TIME} current_period_end {TIME}
        plan_id {TEXT} quantity {NUMBER}""",
    "price": f"""
        id {TEXT} product_id {TEXT} currency {TEXT} unit_amount {WHOLE} recurring_interval {TEXT}
        recurring_interval_count {NUMBER} active {YES_NO} created {TIME} is_deleted {YES_NO}""",
    "product": f"id {TEXT} name {TEXT} active {YES_NO} created {TIME} is_deleted {YES_NO}",
    "invoice": f"""
        id {TEXT} created {TIME} customer_id {TEXT} subscription_id {TEXT} amount_due {WHOLE} amount_paid {WHOLE}
        amount_remaining {WHOLE} attempt_count {NUMBER} attempted {YES_NO} status {TEXT} paid {YES_NO} currency {TEXT}
        period_start {TIME} period_end {TIME} total {WHOLE} subtotal {WHOLE} tax {WHOLE} is_deleted {YES_NO}""",
    "invoice_line_item": f"""
        id {TEXT} invoice_id {TEXT} subscription_id {TEXT} subscription_item_id {TEXT} amount {WHOLE} currency {TEXT}
        description {TEXT} discountable {YES_NO} period_start {TIME} period_end {TIME} plan_id {TEXT} price_id {TEXT}
        proration {YES_NO} quantity {NUMBER} type {TEXT} unique_id {TEXT} unit_amount_excluding_tax {WHOLE}""",
    "discount": f"""
        id {TEXT} amount {WHOLE} coupon_id {TEXT} currency {TEXT} customer_id {TEXT} invoice_id {TEXT}
        subscription_id {TEXT} type {TEXT} type_id {TEXT} start {TIME}""",
    "coupon": f"""
        id {TEXT} created {TIME} duration {TEXT} duration_in_months {NUMBER} name {TEXT} percent_off DOUBLE
        valid {YES_NO} is_deleted {YES_NO}""",
    "charge": f"""
        id {TEXT} created {TIME} amount {WHOLE} amount_refunded {WHOLE} captured {YES_NO} paid {YES_NO} status {TEXT}
        currency {TEXT} customer_id {TEXT} invoice_id {TEXT} balance_transaction_id {TEXT} payment_method_id {TEXT}
        failure_code {TEXT} outcome_reason {TEXT} refunded {YES_NO}""",
    "balance_transaction": f"""
        id {TEXT} created {TIME} amount {WHOLE} fee {WHOLE} net {WHOLE} type {TEXT} source {TEXT} currency {TEXT}
        status {TEXT} available_on {TIME} reporting_category {TEXT}""",
    "payment_method": f"id {TEXT} created {TIME} customer_id {TEXT} type {TEXT}",
    "refund": f"""
        id {TEXT} created {TIME} amount {WHOLE} balance_transaction_id {TEXT} charge_id {TEXT} currency {TEXT}
        reason {TEXT} status {TEXT}""",
    "dispute": f"""
        id {TEXT} created {TIME} amount {WHOLE} balance_transaction {TEXT} charge_id {TEXT} currency {TEXT}
        reason {TEXT} status {TEXT}""",
}
STRIPE_ALWAYS = f" livemode {YES_NO} _fivetran_active {YES_NO} _fivetran_synced {TIME}"
RECURLY = {
    "account_history": f"""
        id {TEXT} code {TEXT} state {TEXT} email {TEXT} first_name {TEXT} last_name {TEXT} tax_exempt {YES_NO}
        created_at {TIME} updated_at {TIME}""",
    "subscription_history": f"""
        id {TEXT} account_id {TEXT} plan_id {TEXT} state {TEXT} created_at {TIME} updated_at {TIME} activated_at {TIME}
        canceled_at {TIME} expires_at {TIME} current_period_started_at {TIME} current_period_ends_at {TIME}
        trial_started_at {TIME} trial_ends_at {TIME} auto_renew {YES_NO} currency {TEXT} unit_amount {MONEY}
        quantity {NUMBER} add_ons_total {MONEY} subtotal {MONEY} expiration_reason {TEXT} paused_at {TIME}""",
    "plan_history": f"""
        id {TEXT} code {TEXT} name {TEXT} state {TEXT} interval_unit {TEXT} interval_length {NUMBER} created_at {TIME}
        updated_at {TIME}""",
    "invoice_history": f"""
        id {TEXT} account_id {TEXT} number {TEXT} type {TEXT} origin {TEXT} state {TEXT} created_at {TIME}
        updated_at {TIME} due_at {TIME} closed_at {TIME} total {MONEY} subtotal {MONEY} discount {MONEY} tax {MONEY}
        paid {MONEY} balance {MONEY} currency {TEXT}""",
    "line_item_history": f"""
        id {TEXT} account_id {TEXT} invoice_id {TEXT} subscription_id {TEXT} plan_id {TEXT} type {TEXT} state {TEXT}
        amount {MONEY} quantity {NUMBER} unit_amount {MONEY} subtotal {MONEY} discount {MONEY} tax {MONEY}
        currency {TEXT} start_date {TIME} end_date {TIME} created_at {TIME} updated_at {TIME}""",
    "transaction": f"""
        id {TEXT} invoice_id {TEXT} account_id {TEXT} type {TEXT} origin {TEXT} status {TEXT} success {YES_NO}
        amount {MONEY} currency {TEXT} refunded {YES_NO} created_at {TIME} collected_at {TIME}""",
}
RECURLY_ALWAYS = f" _fivetran_active {YES_NO} _fivetran_synced {TIME}"


@pytest.fixture(scope="module")
def stripe(busy_run, tmp_path_factory) -> Path:
    """The busy business as Stripe's tables."""
    return busy_run.export("stripe", tmp_path_factory.mktemp("stripe") / "out").folder


@pytest.fixture(scope="module")
def recurly(busy_run, tmp_path_factory) -> Path:
    """The busy business as Recurly's tables."""
    return busy_run.export("recurly", tmp_path_factory.mktemp("recurly") / "out").folder


def promised(text: str) -> dict[str, str]:
    """Names and types from "name TYPE name TYPE"."""
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


@pytest.mark.parametrize("table", STRIPE)
def test_a_table_of_stripe_has_these_columns(stripe, table):
    """Names, types and order."""
    found = types(stripe / f"{table}.parquet")
    assert list(found.items()) == list(promised(STRIPE[table] + STRIPE_ALWAYS).items())


@pytest.mark.parametrize("table", RECURLY)
def test_a_table_of_recurly_has_these_columns(recurly, table):
    """Names, types and order."""
    found = types(recurly / f"{table}.parquet")
    assert list(found.items()) == list(promised(RECURLY[table] + RECURLY_ALWAYS).items())


def test_there_are_these_files_and_no_others(stripe, recurly):
    """And the note that says what they are."""
    assert {it.name for it in stripe.iterdir()} == {"export.json", *(f"{name}.parquet" for name in STRIPE)}
    assert {it.name for it in recurly.iterdir()} == {"export.json", *(f"{name}.parquet" for name in RECURLY)}


@pytest.mark.parametrize("table", STRIPE)
def test_ids_are_unique_and_in_the_vendors_style(stripe, table):
    """`ch_` and digits; a line item is never taken for a subscription."""
    prefix = {
        "customer": "cus", "subscription_history": "sub", "subscription_item": "si", "product": "prod",
        "invoice": "in", "invoice_line_item": "il", "charge": "ch", "balance_transaction": "txn",
        "payment_method": "pm", "refund": "re", "dispute": "dp", "price": "price",
        "discount": "di", "coupon": "",
    }[table]  # fmt: skip
    file = stripe / f"{table}.parquet"
    assert rows("SELECT count(*) = count(DISTINCT id) FROM t", t=file) == [(True,)]
    assert rows(f"SELECT DISTINCT split_part(id, '_', 1) FROM t WHERE id <> '{prefix}'", t=file) in ([(prefix,)], [])


@pytest.mark.parametrize(
    ("child", "column", "parent"),
    [
        ("subscription_history", "customer_id", "customer"),
        ("subscription_item", "subscription_id", "subscription_history"),
        ("subscription_item", "plan_id", "price"),
        ("price", "product_id", "product"),
        ("invoice", "customer_id", "customer"),
        ("invoice", "subscription_id", "subscription_history"),
        ("invoice_line_item", "invoice_id", "invoice"),
        ("invoice_line_item", "subscription_item_id", "subscription_item"),
        ("invoice_line_item", "price_id", "price"),
        ("discount", "invoice_id", "invoice"),
        ("discount", "type_id", "invoice_line_item"),
        ("discount", "coupon_id", "coupon"),
        ("charge", "invoice_id", "invoice"),
        ("charge", "customer_id", "customer"),
        ("charge", "balance_transaction_id", "balance_transaction"),
        ("charge", "payment_method_id", "payment_method"),
        ("balance_transaction", "source", "charge"),
    ],
)
def test_every_reference_leads_somewhere(stripe, child, column, parent):
    """No row names a thing that is not there."""
    query = f"SELECT count(*) FROM c WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT id FROM p)"
    assert rows(query, c=stripe / f"{child}.parquet", p=stripe / f"{parent}.parquet") == [(0,)]


def test_stripe_amounts_are_minor_units_in_every_currency(busy_run, stripe):
    """Yen have no decimals and dinars three; both sums are those of the run, in lower-case currencies."""

    def exported(table: str, amount: str) -> dict[str, int]:
        found = rows(f"SELECT upper(currency), sum({amount}) FROM t GROUP BY 1", t=stripe / f"{table}.parquet")
        return {currency: int(total) for currency, total in found if total}

    issued = sums(busy_run, "invoices")
    assert {"JPY", "KWD", "USD", "EUR", "BRL"} <= set(issued)
    assert exported("invoice", "amount_due") == issued
    assert exported("invoice", "amount_paid") == sums(busy_run, "invoices", "status = 'paid'")
    assert exported("invoice", "amount_remaining") == sums(busy_run, "invoices", "status <> 'paid'")
    assert exported("invoice_line_item", "amount") == sums(busy_run, "invoices", amount="amount_minor - tax_minor")
    assert exported("charge", "amount") == sums(busy_run, "attempts")
    assert exported("balance_transaction", "net") == sums(busy_run, "invoices", "status = 'paid'")


def test_recurly_amounts_are_exact_decimals(busy_run, recurly):
    """890 yen are 890.000 and 3,790 fils 3.790."""
    found = rows("SELECT currency, sum(total), sum(balance) FROM t GROUP BY 1", t=recurly / "invoice_history.parquet")
    minor = {currency: int(total.scaleb(EXPONENTS[currency])) for currency, total, _ in found}
    assert minor == sums(busy_run, "invoices")
    prices = rows(
        "SELECT DISTINCT currency, amount FROM t WHERE currency IN ('JPY', 'KWD') ORDER BY ALL",
        t=recurly / "line_item_history.parquet",
    )
    assert ("JPY", Decimal("890.000")) in prices
    assert ("KWD", Decimal("3.790")) in prices


def test_a_returned_direct_debit_is_a_failed_charge_with_its_money_taken_back(busy_run, stripe):
    """Two movements that add up to nothing, the second one later."""
    returned = sums(busy_run, "attempts", "was_returned")
    assert returned
    charge, balance = stripe / "charge.parquet", stripe / "balance_transaction.parquet"
    query = """
        SELECT c.status, c.paid, c.captured, sum(b.net)::INTEGER, max(b.created) > min(b.created),
            list(b.type ORDER BY b.net)
        FROM c JOIN b ON b.source = c.id WHERE b.source IN (SELECT source FROM b WHERE net < 0)
        GROUP BY c.id, c.status, c.paid, c.captured
    """
    found = rows(query, c=charge, b=balance)
    assert set(map(str, found)) == {str(("failed", False, True, 0, True, ["payment_failure_refund", "payment"]))}


def test_what_the_run_cannot_know_is_null_or_empty(stripe, recurly):
    """Trials, refunds, disputes and pauses: columns without values, tables without rows."""
    assert rows("SELECT count(*) FROM t", t=stripe / "refund.parquet") == [(0,)]
    assert rows("SELECT count(*) FROM t", t=stripe / "dispute.parquet") == [(0,)]
    assert rows(
        "SELECT count(trial_started_at), count(paused_at) FROM t", t=recurly / "subscription_history.parquet"
    ) == [(0, 0)]


def test_subscriptions_say_how_they_end(busy_run, stripe, recurly):
    """As many ended ones as the run has, abandoned sign-ups apart; Recurly knows why."""
    ended = busy_run.sql("SELECT end_reason, count(*) AS n FROM subscriptions WHERE ended_at IS NOT NULL GROUP BY ALL")
    by_reason = {str(row.end_reason): int(row.n) for row in ended.itertuples()}
    file = stripe / "subscription_history.parquet"
    states = dict(rows("SELECT status, count(*) FROM t GROUP BY 1", t=file))
    assert states["canceled"] == sum(by_reason.values())
    assert states["incomplete_expired"] == len(busy_run.sql("SELECT 1 FROM signups WHERE outcome = 'abandoned'"))
    assert rows("SELECT count(*) FROM t WHERE status = 'canceled' AND canceled_at IS NULL", t=file) == [(0,)]
    file = recurly / "subscription_history.parquet"
    reasons = dict(rows("SELECT expiration_reason, count(*) FROM t WHERE state = 'expired' GROUP BY 1", t=file))
    assert reasons["nonpayment"] == by_reason["nonpayment"]
    assert reasons["canceled"] == by_reason["voluntary"] + by_reason.get("payment_trouble", 0)


def test_current_periods_hold_the_end_of_the_run(stripe):
    """For everybody who is still subscribed, whether an invoice tells it or the day of joining."""
    query = (
        "SELECT count(*), count(*) FILTER (current_period_start > _fivetran_synced), "
        "count(*) FILTER (current_period_end < _fivetran_synced - INTERVAL 1 DAY) FROM t WHERE status = 'active'"
    )
    ((everybody, too_late, too_early),) = rows(query, t=stripe / "subscription_history.parquet")
    assert everybody > 250
    assert (too_late, too_early) == (0, 0)


def test_people_are_called_as_everywhere_else(busy_run, stripe):
    """The description is what `trace` takes, and the address belongs to nobody."""
    found = rows("SELECT id, description, email FROM t", t=stripe / "customer.parquet")
    assert all(people.describe(int(name.removeprefix("cus_"))) == text for name, text, _ in found)
    assert all(email == f"{text.lower()}@example.invalid" for _, text, email in found)
    assert {text.count("-") for _, text, _ in found} >= {1, 4}


def test_the_calendar_moves_by_whole_days(tiny_run, tmp_path):
    """Everything later by as much, so that the run ends on the day; nothing else changes."""
    plain = tiny_run.export("stripe", tmp_path / "plain")
    for width in (40, 60, 80):
        told = [line for line in plain.text(width).splitlines() if str(tmp_path) not in line]
        assert max(map(len, told)) <= width
    moved = tiny_run.export("stripe", tmp_path / "moved", end_at="2026-02-01")
    by = date(2026, 2, 1) - date(2025, 3, 1)
    assert (plain.days, moved.days, moved.end) == (0, by.days, "2026-02-01")
    for table, column in (("charge", "created"), ("invoice", "period_start"), ("customer", "created")):
        query = f"SELECT id, {column} FROM t ORDER BY id"
        before, after = (rows(query, t=it.folder / f"{table}.parquet") for it in (plain, moved))
        assert after == [(name, moment + by) for name, moment in before]
    assert rows("SELECT DISTINCT _fivetran_synced FROM t", t=moved.folder / "price.parquet") == [
        (datetime(2026, 2, 1),)
    ]


def test_today_is_today(tiny_run, tmp_path):
    """By the clock of the machine, in UTC."""
    before = datetime.now(UTC).date()
    done = tiny_run.export("recurly", tmp_path / "now", end_at="today")
    assert before <= date.fromisoformat(done.end) <= before + timedelta(days=1)


@pytest.mark.parametrize(("form", "names"), [("stripe", STRIPE), ("recurly", RECURLY)])
def test_the_same_run_gives_the_same_tables(tiny_run, tmp_path, form, names):
    """Row for row, in the same order."""
    one, two, three = (tiny_run.export(form, tmp_path / name).folder for name in ("one", "two", "three"))
    for table in names:
        first, *others = (pd.read_parquet(it / f"{table}.parquet") for it in (one, two, three))
        for other in others:
            pd.testing.assert_frame_equal(first, other)


def test_every_word_is_translated():
    """A status, code or method that nobody gave a vendor's name to would become null."""
    assert set(schema.SPELL_STATUSES) | {vocabulary.SIGNUP_OPEN, vocabulary.SIGNUP_ABANDONED} == set(
        vocabulary.SUBSCRIPTION_STATUS
    )
    assert set(schema.INVOICE_STATUSES) == set(vocabulary.INVOICE_STATUS) == set(vocabulary.FATE)
    assert {*schema.OUTCOMES, "returned"} - {"none"} == set(vocabulary.CHARGE_STATUS)
    assert {code.code for code in declines.CODES} - {"none"} == set(vocabulary.DECLINES)
    assert set(METHOD_KINDS) == set(vocabulary.METHOD_TYPE)


def test_a_column_without_sql_is_a_typed_null():
    """What a contract promises and no run knows."""
    (column,) = columns("trial_end TIMESTAMP")
    assert column.select == 'CAST(NULL AS TIMESTAMP) AS "trial_end"'
