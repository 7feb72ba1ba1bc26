"""Exports of a business whose money goes back: refunds, disputes, and charges that were never owed."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import stripe

import billing_sim
from billing_sim import events
from billing_sim.export import vocabulary
from billing_sim.facts import schema
from billing_sim.money import EXPONENTS
from tests.export_readers import lines, rows, sums
from tests.world_builder import laid_over
from tests.world_texts import QUIET
from tests.world_texts_refunds import BUSY_FAULTS, CLAIMS

FORMS = ("stripe", "recurly", "stripe-json")
DENIED = """
end: 2025-05-01
disputes: {friendly_fraud: 100%, service: 0%, fraud: 0%, wins: {friendly_fraud: 100%}, contested: 100%,
           delay: {least: 30 days, p50: 30 days, p99: 30 days, most: 30 days}, respond_within: 10 days,
           decided_after: 20 days}
"""
"""Every charge is denied after thirty days; the case is contested ten days later and won after twenty more."""


def made(folder: Path, *texts: str) -> billing_sim.Run:
    """A run of a scenario that says one text with others laid over it, its log kept."""
    file = folder / "story.yaml"
    file.write_text(laid_over(*texts))
    return billing_sim.run(file, out=folder / "run", workers=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> billing_sim.Run:
    """Months in which many complain or turn to their bank, and some are charged twice or after the end."""
    return made(tmp_path_factory.mktemp("claims"), BUSY_FAULTS, CLAIMS)


@pytest.fixture(scope="module")
def folders(run, tmp_path_factory) -> dict[str, Path]:
    """The run as each vendor has it."""
    home = tmp_path_factory.mktemp("exported")
    return {form: run.export(form, home / form).folder for form in FORMS}


@pytest.fixture(scope="module")
def denied(tmp_path_factory) -> Path:
    """Stripe's tables of a quiet business in which every charge is disputed, and every dispute won."""
    folder = tmp_path_factory.mktemp("denied")
    return made(folder, QUIET, DENIED).export("stripe", folder / "out").folder


def exported(file: Path, amount: str, where: str = "true") -> dict[str, int]:
    """Totals of a table of Stripe's by currency."""
    found = rows(f"SELECT upper(currency), sum({amount}) FROM t WHERE {where} GROUP BY 1", t=file)
    return {currency: int(total) for currency, total in found if total}


def test_refunds_add_up_to_the_facts(run, folders):
    """In their own table, on the charges, and in what moved."""
    given = sums(run, "refunds")
    assert len(given) == 4
    table = folders["stripe"]
    assert exported(table / "refund.parquet", "amount") == given
    assert exported(table / "charge.parquet", "amount_refunded") == given
    assert exported(table / "balance_transaction.parquet", "-net", "reporting_category = 'refund'") == given
    ((count, charges),) = rows("SELECT count(*), count(DISTINCT charge_id) FROM t", t=table / "refund.parquet")
    assert count == charges == len(run.sql("SELECT 1 FROM refunds")) > 200


def test_disputes_add_up_to_the_facts(run, folders):
    """By how they ended; what was won came back, and the fee did not."""
    dispute, moved = (folders["stripe"] / f"{name}.parquet" for name in ("dispute", "balance_transaction"))
    for status, outcome in (("won", "won"), ("lost", "lost")):
        assert exported(dispute, "amount", f"status = '{status}'") == sums(run, "disputes", f"outcome = '{outcome}'")
    answered = "outcome = 'open' AND represented_at IS NOT NULL"
    assert exported(dispute, "amount", "status = 'under_review'") == sums(run, "disputes", answered)
    waiting = "outcome = 'open' AND represented_at IS NULL"
    assert exported(dispute, "amount", "status = 'needs_response'") == sums(run, "disputes", waiting)
    assert exported(moved, "-amount", "reporting_category = 'dispute'") == sums(run, "disputes")
    won = sums(run, "disputes", "outcome = 'won'")
    assert exported(moved, "net", "reporting_category = 'dispute_reversal'") == won


def test_the_fee_of_a_dispute_is_that_of_the_log(run, folders):
    """The facts have it in the reporting currency; in its own it is what it was, to the minor unit."""
    file = folders["stripe"] / "balance_transaction.parquet"
    fees = run.sql(
        "SELECT subscriber, invoice, fee_minor, occurred_at FROM events WHERE kind = 'dispute.opened' AND fee_minor > 0"
    )
    wanted = {(f"{row.subscriber}{row.invoice:05}", row.occurred_at.replace(tzinfo=None), row.fee_minor)
              for row in fees.itertuples()}  # fmt: skip
    found = rows("SELECT source[4:-6], created, fee FROM t WHERE fee > 0", t=file)
    assert set(found) == wanted
    assert len(found) == len(fees) > 100


def test_a_refund_or_dispute_is_of_a_charge_that_stood(folders):
    """Paid before, never for more than it, and never given back and taken back at once."""
    tables = {name: folders["stripe"] / f"{name}.parquet" for name in ("refund", "dispute", "charge")}
    query = """
        SELECT count(*), count(*) FILTER (c.status <> 'succeeded' OR c.created > b.created OR b.amount > c.amount),
            count(DISTINCT c.id)
        FROM (SELECT * FROM refund UNION ALL BY NAME SELECT * FROM dispute) b JOIN charge c ON c.id = b.charge_id
    """
    ((joined, wrong, charges),) = rows(query, **tables)
    both = rows("SELECT (SELECT count(*) FROM refund) + (SELECT count(*) FROM dispute)", **tables)[0][0]
    assert (joined, charges, wrong) == (both, both, 0)
    query = "SELECT count(*) FILTER (refunded), count(*) FILTER (amount_refunded > 0 AND NOT refunded) FROM charge"
    ((full, part),) = rows(query, **tables)
    assert full > 100
    assert part > 20
    assert rows("SELECT count(*) FROM charge WHERE refunded <> (amount_refunded = amount)", **tables) == [(0,)]


def test_charges_that_were_never_owed_are_charges(run, folders):
    """As many as the log has, for as much; of those that went back the moment is known."""
    file, refund = (folders["stripe"] / f"{name}.parquet" for name in ("charge", "refund"))
    besides = "CAST(id[-5:] AS INTEGER) > 30000"
    doubled = "SELECT i.currency, e.amount_minor FROM events e JOIN invoices i USING (subscriber, invoice)"
    assert exported(file, "amount", besides) == sums(run, f"({doubled} WHERE e.kind = 'payment.duplicated')")
    told = run.sql("SELECT subscriber, invoice, occurred_at, reason FROM events WHERE kind = 'payment.duplicated'")
    moments: dict[str, list[datetime]] = {}
    for row in told.itertuples():
        name = f"in_{row.subscriber}{row.invoice:05}"
        moments.setdefault(name, []).append(row.occurred_at.replace(tzinfo=None))
    query = f"SELECT c.invoice_id, c.created, c.id IN (SELECT charge_id FROM r) FROM c WHERE {besides}"
    for invoice, created, went_back in rows(query, c=file, r=refund):
        nearest = min(abs(created - moment) for moment in moments[invoice])
        assert nearest < timedelta(hours=1) or not went_back
    ((claimed,),) = rows("SELECT count(*) FROM r WHERE CAST(charge_id[-5:] AS INTEGER) > 30000", r=refund)
    assert claimed == len(run.sql("SELECT 1 FROM refunds WHERE reason IN ('duplicate', 'unauthorised')")) > 20


def test_a_dispute_that_is_won_row_by_row(denied):
    """Charged on the fifth of January at ten dollars, taken back in February, reinstated in March."""
    tables = {name: denied / f"{name}.parquet" for name in ("charge", "dispute", "balance_transaction")}
    query = """
        SELECT c.created::DATE, d.created::DATE, d.amount, d.currency, d.reason, d.status
        FROM dispute d JOIN charge c ON d.charge_id = c.id WHERE c.created::DATE = DATE '2025-01-05' LIMIT 1
    """
    day = datetime(2025, 1, 5).date()
    later = day + timedelta(days=30)
    assert rows(query, **tables) == [(day, later, 1000, "usd", "fraudulent", "won")]
    query = """
        SELECT b.created::DATE, b.type, b.reporting_category, b.amount, b.fee, b.net
        FROM dispute d JOIN charge c ON d.charge_id = c.id JOIN balance_transaction b ON b.source IN (c.id, d.id)
        WHERE d.id = (SELECT min(d.id) FROM dispute d JOIN charge c ON d.charge_id = c.id
                      WHERE c.created::DATE = DATE '2025-01-05') ORDER BY b.created
    """
    assert rows(query, **tables) == [
        (day, "charge", "charge", 1000, 0, 1000),
        (later, "adjustment", "dispute", -1000, 1500, -2500),
        (later + timedelta(days=30), "adjustment", "dispute_reversal", 1000, 0, 1000),
    ]


def test_the_same_claims_give_the_same_rows(run, folders, tmp_path):
    """In the same order, joins or not."""
    again = run.export("stripe", tmp_path / "again").folder
    for name in ("charge", "balance_transaction", "refund", "dispute"):
        left, right = (rows("SELECT * FROM t", t=it / f"{name}.parquet") for it in (folders["stripe"], again))
        assert left == right


def test_events_lead_to_the_last_state_of_refunds_and_disputes(run, folders):
    """Whoever keeps the object of each event has the objects of the other files, built by Stripe's package."""
    folder, last, before = folders["stripe-json"], {}, {}
    for line in lines(folder / "events.jsonl"):
        data, thing = line["data"], line["data"]["object"]
        if line["type"] == "charge.refunded":
            before[thing["id"]] = data["previous_attributes"]["amount_refunded"]
        assert line["type"] != "charge.dispute.created" or thing["status"] == "needs_response"
        last[thing["id"]] = line
    for name, kind in (("refunds", stripe.Refund), ("disputes", stripe.Dispute)):
        found = list(lines(folder / f"{name}.jsonl"))
        assert len(found) == len(run.sql(f"SELECT 1 FROM {name}")) > 200
        for line in found:
            built = stripe.Event.construct_from(last[line["id"]], None).data.object
            assert isinstance(built, kind)
            assert built.to_dict() == line
    for line in lines(folder / "charges.jsonl"):
        assert last[line["id"]]["data"]["object"] == line
    assert len(before) == len(run.sql("SELECT 1 FROM refunds"))
    assert set(before.values()) == {0}


def test_disputed_charges_say_so(folders):
    """As many as there are disputes, and each dispute has what it moved."""
    folder = folders["stripe-json"]
    moved = {line["id"]: line for line in lines(folder / "balance_transactions.jsonl")}
    disputes = list(lines(folder / "disputes.jsonl"))
    assert {line["id"] for line in lines(folder / "charges.jsonl") if line["disputed"]} == {
        line["charge"] for line in disputes
    }
    for line in disputes:
        assert all(moved[it["id"]] == it for it in line["balance_transactions"])
        assert len(line["balance_transactions"]) == (2 if line["status"] == "won" else 1)


def test_recurly_has_transactions_of_refunds(run, folders):
    """Beside the purchases, which say whether money of them went back, or the bank took them back."""
    file = folders["recurly"] / "transaction.parquet"
    found = rows("SELECT currency, sum(amount) FROM t WHERE type = 'refund' AND success GROUP BY 1", t=file)
    assert {currency: int(total.scaleb(EXPONENTS[currency])) for currency, total in found} == sums(run, "refunds")
    assert all(isinstance(total, Decimal) for _, total in found)
    query = """
        SELECT count(*) FILTER (type = 'refund'), count(*) FILTER (refunded), count(*) FILTER (status = 'chargeback'),
            count(DISTINCT id) = count(*) FROM t
    """
    refunds = len(run.sql("SELECT 1 FROM refunds"))
    lost = len(run.sql("SELECT 1 FROM disputes WHERE outcome <> 'won'"))
    assert rows(query, t=file) == [(refunds, refunds, lost, True)]


def test_every_reason_is_translated():
    """One that nobody gave a vendor's name to would become null."""
    assert set(schema.DISPUTE_OUTCOMES) | {"contested"} == set(vocabulary.DISPUTE_STATUS)
    said = (events.COMPLAINT, events.GOODWILL, events.TRUE_FRAUD, events.DUPLICATE, events.UNAUTHORISED)
    assert {events.REASONS[it] for it in said} == set(vocabulary.REFUND_REASON)
    said = (events.TRUE_FRAUD, events.SERVICE, events.DUPLICATE, events.UNAUTHORISED)
    assert {events.REASONS[it] for it in said} == set(vocabulary.DISPUTE_REASON)
