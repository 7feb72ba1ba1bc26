"""Stripe's API objects as DuckDB structs, each from the columns of a view of `billing_sim.export.business`.

Their shape is that of API version `API_VERSION`; a subscription's period and an invoice's subscription also stand where
later versions have them (on the item; under `parent`). Moments are seconds since 1970, amounts whole minor units.
"""

from __future__ import annotations

from collections.abc import Mapping

API_VERSION = "2025-02-24.acacia"

_ABOUT = "{'market': market, 'subscriber': person(subscriber)}"


def _struct(fields: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"'{name}': {sql}" for name, sql in fields.items()) + "}"


def _list(item: str, url: str) -> str:
    return _struct({"object": "'list'", "data": f"[{item}]", "has_more": "false", "total_count": "1", "url": url})


CUSTOMER = _struct({
    "id": "customer_id(subscriber)", "object": "'customer'", "balance": "0", "created": "seconds(created)",
    "currency": "lower(currency)", "delinquent": "false", "description": "person(subscriber)",
    "email": "email(subscriber)", "livemode": "true", "metadata": _ABOUT,
    "name": "concat('Member ', person(subscriber))",
})  # fmt: skip
"""Of a row of `persons`."""

PRODUCT = _struct({
    "id": "product_id(plan)", "object": "'product'", "active": "true", "created": "seconds(occurred_at)",
    "livemode": "true", "metadata": "{'plan': plan}", "name": "json_extract_string(detail, '$.name')",
    "type": "'service'",
})  # fmt: skip
"""Of a `plan.offered` world event."""


def _price(active: str, created: str) -> str:
    recurring = _struct({"interval": "interval", "interval_count": "1", "usage_type": "'licensed'"})
    return _struct({
        "id": "price_id(market, plan, net_minor)", "object": "'price'", "active": active,
        "billing_scheme": "'per_unit'", "created": created, "currency": "lower(currency)", "livemode": "true",
        "metadata": "{'market': market}", "product": "product_id(plan)", "recurring": recurring,
        "tax_behavior": "'exclusive'", "type": "'recurring'", "unit_amount": "net_minor",
        "unit_amount_decimal": "CAST(net_minor AS VARCHAR)",
    })  # fmt: skip


PRICE = _price("active", "seconds(created)")
"""Of a row of `price_list`."""


def subscription(
    status: str = "stripe_subscription(status)", *, canceled: str = "cancel_requested_at",
    cancels: str = "cancels_at_end", ended: str = "ended_at", start: str = "period_start", end: str = "period_end",
    created: str = "created",
) -> str:  # fmt: skip
    """Of a row of `subscribed`, or with other SQL for what was different at an earlier moment."""
    period = {"current_period_start": f"seconds({start})", "current_period_end": f"seconds({end})"}
    item = _struct({
        "id": "item_id(subscriber, spell)", "object": "'subscription_item'", "created": f"seconds({created})", **period,
        "metadata": "{'plan': plan}", "price": _price("true", f"seconds({created})"), "quantity": "1",
        "subscription": "subscription_id(subscriber, spell)",
    })  # fmt: skip
    return _struct({
        "id": "subscription_id(subscriber, spell)", "object": "'subscription'",
        "billing_cycle_anchor": f"seconds({created})", "cancel_at": f"CASE WHEN {cancels} THEN seconds({end}) END",
        "cancel_at_period_end": cancels, "canceled_at": f"seconds({canceled})",
        "collection_method": "'charge_automatically'", "created": f"seconds({created})", "currency": "lower(currency)",
        **period, "customer": "customer_id(subscriber)", "ended_at": f"seconds({ended})",
        "items": _list(item, "'/v1/subscription_items'"), "livemode": "true", "metadata": _ABOUT, "quantity": "1",
        "start_date": f"seconds({created})", "status": status, "trial_end": "seconds(trial_end)",
        "trial_start": "seconds(trial_start)",
    })  # fmt: skip


def invoice(
    status: str = "stripe_invoice(status)", *, paid: str = "paid_minor", attempts: str = "attempts",
    paid_at: str = "paid_at", given_up_at: str = "given_up_at",
) -> str:  # fmt: skip
    """Of a row of `billed`, or with other SQL for what was different at an earlier moment."""
    period = {"start": "seconds(CAST(period_start AS TIMESTAMP))", "end": "seconds(CAST(period_end AS TIMESTAMP))"}
    line = _struct({
        "id": "line_id(subscriber, invoice)", "object": "'line_item'", "amount": "net_minor",
        "currency": "lower(currency)", "description": "plan", "invoice": "invoice_id(subscriber, invoice)",
        "livemode": "true", "metadata": "{'plan': plan}", "period": _struct(period),
        "price": _struct({"id": "price_id(market, plan, net_minor)", "object": "'price'",
                          "product": "product_id(plan)", "unit_amount": "net_minor"}),
        "proration": "is_proration", "quantity": "1", "subscription": "subscription_id(subscriber, spell)",
        "subscription_item": "item_id(subscriber, spell)", "type": "'subscription'",
        "unit_amount_excluding_tax": "CAST(net_minor AS VARCHAR)",
    })  # fmt: skip
    transitions = _struct({
        "finalized_at": "seconds(created)", "paid_at": f"seconds({paid_at})",
        "voided_at": f"CASE WHEN {status} = 'void' THEN seconds({given_up_at}) END",
        "marked_uncollectible_at": f"CASE WHEN {status} = 'uncollectible' THEN seconds({given_up_at}) END",
    })  # fmt: skip
    parent = _struct({
        "type": "'subscription_details'",
        "subscription_details": "{'subscription': subscription_id(subscriber, spell)}",
    })  # fmt: skip
    return _struct({
        "id": "invoice_id(subscriber, invoice)", "object": "'invoice'", "amount_due": "amount_minor",
        "amount_paid": paid, "amount_remaining": f"amount_minor - {paid}", "attempt_count": attempts,
        "attempted": f"{attempts} > 0", "auto_advance": f"{status} = 'open'",
        "billing_reason": "CASE WHEN is_proration THEN 'subscription_update' WHEN is_signup THEN 'subscription_create' "
                          "ELSE 'subscription_cycle' END",
        "collection_method": "'charge_automatically'", "created": "seconds(created)", "currency": "lower(currency)",
        "customer": "customer_id(subscriber)", "lines": _list(line, "'/v1/invoices/lines'"), "livemode": "true",
        "metadata": _ABOUT, "number": "concat(person(subscriber), '-', invoice)", "paid": f"{status} = 'paid'",
        "parent": parent, "period_start": period["start"], "period_end": period["end"], "status": status,
        "status_transitions": transitions, "subscription": "subscription_id(subscriber, spell)",
        "subtotal": "net_minor", "tax": "tax_minor", "total": "amount_minor",
    })  # fmt: skip


def charge(fate: str = "fate", *, refunded: str = "refunded_minor", disputed: str = "dispute IS NOT NULL") -> str:
    """Of a row of `charged` or `returned`, as it stands with this outcome, refund and dispute."""
    settled, paid = f"{fate} IN ('authorized', 'returned')", f"{fate} = 'authorized'"
    outcome = _struct({
        "network_status": f"CASE WHEN {fate} = 'authorized' THEN 'approved_by_network' "
                          f"WHEN {fate} = 'unknown' THEN 'not_sent_to_network' ELSE 'declined_by_network' END",
        "reason": f"CASE WHEN NOT {paid} THEN decline_code_of(code) END",
        "type": f"CASE WHEN {paid} THEN 'authorized' ELSE 'issuer_declined' END",
    })  # fmt: skip
    return _struct({
        "id": "charge_id(subscriber, invoice, attempt)", "object": "'charge'", "amount": "amount_minor",
        "amount_captured": f"CASE WHEN {settled} THEN amount_minor ELSE 0 END", "amount_refunded": refunded,
        "balance_transaction": f"CASE WHEN {settled} THEN payment_id(subscriber, invoice, attempt) END",
        "captured": settled, "created": "seconds(occurred_at)", "currency": "lower(currency)",
        "customer": "customer_id(subscriber)", "disputed": disputed,
        "failure_balance_transaction":
            f"CASE WHEN {fate} = 'returned' THEN reversal_id(subscriber, invoice, attempt) END",
        "failure_code": f"CASE WHEN NOT {paid} THEN failure_code_of(code) END",
        "invoice": "invoice_id(subscriber, invoice)", "livemode": "true", "metadata": _ABOUT, "outcome": outcome,
        "paid": paid, "payment_method": "method_id(subscriber, instrument)",
        "payment_method_details": "{'type': method_type(method)}",
        "refunded": f"{refunded} > 0 AND {refunded} = amount_minor", "status": f"stripe_charge({fate})",
    })  # fmt: skip


_DISPUTE_FEE = _struct({
    "amount": "fee_minor", "application": "NULL", "currency": "lower(currency)", "description": "'Dispute fee'",
    "type": "'stripe_fee'",
})  # fmt: skip


def _movement(
    name: str, source: str, at: str, kind: str, category: str, *, amount: str = "amount_minor", fee: str = "0"
) -> str:
    return _struct({
        "id": name, "object": "'balance_transaction'", "amount": amount, "available_on": f"seconds({at})",
        "created": f"seconds({at})", "currency": "lower(currency)", "fee": fee,
        "fee_details": f"CASE WHEN {fee} > 0 THEN [{_DISPUTE_FEE}] ELSE [] END", "net": f"{amount} - {fee}",
        "reporting_category": category, "source": source, "status": "'available'", "type": kind,
    })  # fmt: skip


BALANCE_TRANSACTION = _movement("id", "source", "moved_at", "type", "category", fee="fee_minor")
"""Of a movement of money (`MOVEMENTS`)."""

_DISPUTE = "dispute_id(subscriber, invoice, claim)"
_WITHDRAWAL = _movement(
    "withdrawal_id(subscriber, invoice, claim)", _DISPUTE, "claimed_at", "'adjustment'", "'dispute'",
    amount="-amount_minor", fee="fee_minor",
)  # fmt: skip
_REINSTATEMENT = _movement(
    "reinstatement_id(subscriber, invoice, claim)", _DISPUTE, "resolved_at", "'adjustment'", "'dispute_reversal'"
)

REFUND = _struct({
    "id": "refund_id(subscriber, invoice, claim)", "object": "'refund'", "amount": "amount_minor",
    "balance_transaction": "refunding_id(subscriber, invoice, claim)",
    "charge": "charge_id(subscriber, invoice, attempt)", "created": "seconds(claimed_at)",
    "currency": "lower(currency)", "metadata": _ABOUT, "reason": "refund_reason(reason)", "status": "'succeeded'",
})  # fmt: skip
"""Of a refund in `claimed`."""


def dispute(state: str = "state") -> str:
    """Of a dispute in `claimed`, as it stands in this state."""
    contested = f"({state} <> 'open' AND represented_at IS NOT NULL)"
    evidence = _struct({"due_by": "NULL", "has_evidence": contested, "past_due": "false",
                        "submission_count": f"CASE WHEN {contested} THEN 1 ELSE 0 END"})  # fmt: skip
    return _struct({
        "id": _DISPUTE, "object": "'dispute'", "amount": "amount_minor",
        "balance_transactions": f"CASE WHEN {state} = 'won' THEN [{_WITHDRAWAL}, {_REINSTATEMENT}] "
                                f"ELSE [{_WITHDRAWAL}] END",
        "charge": "charge_id(subscriber, invoice, attempt)", "created": "seconds(claimed_at)",
        "currency": "lower(currency)", "evidence_details": evidence, "is_charge_refundable": "false",
        "livemode": "true", "metadata": _ABOUT, "reason": "dispute_reason(reason)",
        "status": f"stripe_dispute({state})",
    })  # fmt: skip


PAYMENT_METHOD = _struct({
    "id": "method_id(subscriber, instrument)", "object": "'payment_method'", "created": "seconds(added_at)",
    "customer": "customer_id(subscriber)", "livemode": "true",
    "metadata": "{'subscriber': person(subscriber)}", "type": "method_type(method)",
})  # fmt: skip
"""Of a row of `instruments`."""
