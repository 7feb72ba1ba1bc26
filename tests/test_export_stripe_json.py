"""`--as stripe-json`: Stripe's own package builds its objects from every line, and the events tell the same story."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.export_readers import busy_run, lines, sums

__all__ = ["busy_run"]

BUILDERS = {
    "customers": stripe.Customer,
    "products": stripe.Product,
    "prices": stripe.Price,
    "subscriptions": stripe.Subscription,
    "invoices": stripe.Invoice,
    "charges": stripe.Charge,
    "balance_transactions": stripe.BalanceTransaction,
    "payment_methods": stripe.PaymentMethod,
    "events": stripe.Event,
}
KEYS = {
    "customers": "id object balance created currency delinquent description email livemode metadata name",
    "products": "id object active created livemode metadata name type",
    "prices": "id object active billing_scheme created currency livemode metadata product recurring tax_behavior type "
    "unit_amount unit_amount_decimal",
    "subscriptions": "id object billing_cycle_anchor cancel_at cancel_at_period_end canceled_at collection_method "
    "created currency current_period_start current_period_end customer ended_at items livemode metadata quantity "
    "start_date status trial_end trial_start",
    "invoices": "id object amount_due amount_paid amount_remaining attempt_count attempted auto_advance billing_reason "
    "collection_method created currency customer discount discounts lines livemode metadata number paid parent "
    "period_start period_end status status_transitions subscription subtotal tax total total_discount_amounts",
    "charges": "id object amount amount_captured amount_refunded balance_transaction captured created currency "
    "customer disputed failure_balance_transaction failure_code invoice livemode metadata outcome paid payment_method "
    "payment_method_details refunded status",
    "balance_transactions": "id object amount available_on created currency fee fee_details net reporting_category "
    "source status type",
    "payment_methods": "id object created customer livemode metadata type",
    "events": "id object api_version created data livemode pending_webhooks request type",
}
TYPES = {
    "customer.created", "customer.subscription.created", "customer.subscription.updated",
    "customer.subscription.deleted", "invoice.created", "invoice.paid", "invoice.payment_failed", "invoice.voided",
    "invoice.marked_uncollectible", "charge.succeeded", "charge.failed",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(busy_run, tmp_path_factory) -> Path:
    """The busy business as Stripe's API gives it."""
    return busy_run.export("stripe-json", tmp_path_factory.mktemp("stripe_json") / "out").folder


@pytest.fixture(scope="module")
def told(folder) -> list[dict[str, Any]]:
    """Every event as its line says it."""
    return list(lines(folder / "events.jsonl"))


@pytest.fixture(scope="module")
def events(told) -> list[stripe.Event]:
    """One event in eight, and the first of each type, built by Stripe's package, which takes a millisecond for each."""
    firsts = {line["type"]: place for place, line in reversed(list(enumerate(told)))}
    chosen = {*range(0, len(told), 8), *firsts.values()}
    return [stripe.Event.construct_from(told[place], None) for place in sorted(chosen)]


@pytest.mark.parametrize("kind", KEYS)
def test_every_line_becomes_an_object_of_stripe(folder, kind, request):
    """Built by the real package, read back through attributes; exactly these keys in exactly this order."""
    found = list(lines(folder / f"{kind}.jsonl"))
    assert all(list(line) == KEYS[kind].split() for line in found)
    by_id = {line["id"]: line for line in found}
    if kind == "events":
        built = request.getfixturevalue("events")
    else:
        built = [BUILDERS[kind].construct_from(line, None) for line in found]
        assert len(built) == len(found)
    for thing in built:
        line = by_id[thing.id]
        assert (thing.id, thing.object) == (line["id"], BUILDERS[kind].OBJECT_NAME)
        assert json.loads(str(thing)) == line
    noted = json.loads((folder / "export.json").read_text(encoding="utf-8"))["tables"]
    assert {it["table"]: it["rows"] for it in noted}[kind] == len(found) > 0


def test_objects_inside_objects_are_stripes_own(folder):
    """A line of an invoice, and the price of a subscription's item, by attribute."""
    invoice = stripe.Invoice.construct_from(next(lines(folder / "invoices.jsonl")), None)
    assert invoice.lines.data[0].amount == invoice.subtotal == invoice.total - invoice.tax
    assert invoice.parent.subscription_details.subscription == invoice.subscription
    subscription = stripe.Subscription.construct_from(next(lines(folder / "subscriptions.jsonl")), None)
    item = subscription["items"].data[0]
    assert isinstance(item.price, stripe.Price)
    assert item.current_period_end == subscription.current_period_end


def test_an_event_holds_the_object_that_it_is_about(events):
    """`event.data.object` is an Invoice, a Charge, a Customer or a Subscription of Stripe's."""
    made = {
        "customer.created": stripe.Customer,
        "invoice.paid": stripe.Invoice,
        "invoice.voided": stripe.Invoice,
        "charge.failed": stripe.Charge,
        "customer.subscription.deleted": stripe.Subscription,
    }
    for event in events:
        assert isinstance(event.data.object, made.get(event.type, stripe.StripeObject))
        if event.type == "customer.subscription.updated":
            assert event.data.previous_attributes
        if event.type == "invoice.payment_failed":
            assert (event.data.object.status, event.data.object.amount_paid) == ("open", 0)


def test_every_kind_of_event_comes_in_order_of_time(told, events):
    """Each with an id of its own."""
    assert {event.type for event in events} == {line["type"] for line in told} >= TYPES
    moments = [line["created"] for line in told]
    assert moments == sorted(moments)
    assert len({line["id"] for line in told}) == len(told)


def test_events_add_up_to_the_run(busy_run, told):
    """What was charged, what failed, and what was paid and came back, by currency."""

    def total(kind: str, field: str) -> dict[str, int]:
        found: Counter[str] = Counter()
        for line in told:
            if line["type"] == kind:
                thing = line["data"]["object"]
                found[thing["currency"].upper()] += thing[field]
        return dict(found)

    assert total("charge.succeeded", "amount") == sums(busy_run, "attempts", "outcome = 'authorized'")
    assert total("charge.failed", "amount") == sums(busy_run, "attempts", "outcome = 'declined' OR was_returned")
    assert total("invoice.created", "amount_due") == sums(busy_run, "invoices")
    assert total("invoice.marked_uncollectible", "amount_due") == sums(busy_run, "invoices", "status = 'uncollectible'")
    assert total("invoice.voided", "amount_due") == sums(busy_run, "invoices", "status = 'void'")


def test_the_events_alone_lead_to_the_last_state(folder, told):
    """A client that stores the object of each event ends with the objects of the other files, every field of them."""
    state = {line["data"]["object"]["id"]: line["data"]["object"] for line in told}
    for file in ("customers", "subscriptions", "invoices", "charges"):
        for line in lines(folder / f"{file}.jsonl"):
            assert state[line["id"]] == line


def test_nothing_is_told_of_a_thing_before_it_was_created(told):
    """Customer, then subscription, then its invoices, then their charges."""
    known = set()
    for line in told:
        thing = line["data"]["object"]
        if line["type"] in ("customer.created", "customer.subscription.created", "invoice.created"):
            assert thing["id"] not in known
            known.add(thing["id"])
        else:
            assert thing["object"] == "charge" or thing["id"] in known
        needed = {"subscription": ["customer"], "invoice": ["subscription"], "charge": ["invoice"]}
        assert all(thing[name] in known for name in needed.get(thing["object"], []))
