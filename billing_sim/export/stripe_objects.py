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


def _price(amount: str, active: str, created: str, plan: str = "plan") -> str:
    recurring = _struct({"interval": "interval", "interval_count": "1", "usage_type": "'licensed'"})
    return _struct({
        "id": f"price_id(market, {plan}, {amount})", "object": "'price'", "active": active,
        "billing_scheme": "'per_unit'", "created": created, "currency": "lower(currency)", "livemode": "true",
        "metadata": "{'market': market}", "product": f"product_id({plan})", "recurring": recurring,
        "tax_behavior": "'exclusive'", "type": "'recurring'", "unit_amount": amount,
        "unit_amount_decimal": f"CAST({amount} AS VARCHAR)",
    })  # fmt: skip


PRICE = _price("net_minor", "active", "seconds(created)")
"""Of a row of `price_list`."""

COUPON = _struct({
    "id": "coupon", "object": "'coupon'", "created": "seconds(created)", "duration": "duration",
    "duration_in_months": "duration_in_months", "livemode": "true", "metadata": "{'coupon': coupon}", "name": "coupon",
    "percent_off": "percent_off", "valid": "true",
})  # fmt: skip
"""Of a row of `coupons`."""


def _items(was: str = "") -> str:
    """The one item of a subscription, as it is or, with a prefix of the columns, as it was."""
    item = _struct({
        "id": "item_id(subscriber, spell)", "object": "'subscription_item'", "created": "seconds(created)",
        "current_period_start": f"seconds({was}period_start)", "current_period_end": f"seconds({was}period_end)",
        "metadata": f"{{'plan': {was}plan}}",
        "price": _price(f"{was}price_minor", f"{was}price_active", f"seconds({was}price_created)", f"{was}plan"),
        "quantity": "1", "subscription": "subscription_id(subscriber, spell)",
    })  # fmt: skip
    return _list(item, "'/v1/subscription_items'")


def _state(was: str = "") -> dict[str, str]:
    """What changes in a subscription's life, as it is or as it was."""
    return {
        "cancel_at": f"CASE WHEN {was}cancels_at_end THEN seconds({was}period_end) END",
        "cancel_at_period_end": f"{was}cancels_at_end", "canceled_at": f"seconds({was}canceled_at)",
        "ended_at": f"seconds({was}ended_at)",
        "current_period_end": f"seconds({was}period_end)", "current_period_start": f"seconds({was}period_start)",
        "items": _items(was), "status": f"{was}status",
    }  # fmt: skip


_STATE = _state()
_CHANGES = {
    "cancel_at": ("cancels_at_end", "period_end"),
    "items": ("plan", "price_minor", "period_start", "period_end"),
    "cancel_at_period_end": ("cancels_at_end",),
    "canceled_at": ("canceled_at",),
    "ended_at": ("ended_at",),
    "current_period_end": ("period_end",),
    "current_period_start": ("period_start",),
    "status": ("status",),
}
"""Each of them with the columns on which it depends."""


def former_state() -> str:
    """What a step of a subscription has changed, with its values before: JSON, of columns with the prefix `was_`."""
    former = _state("was_")
    parts = []
    for name, depends in _CHANGES.items():
        differs = " OR ".join(f"{it} IS DISTINCT FROM was_{it}" for it in depends)
        if name == "cancel_at":
            differs = f"({differs}) AND (cancels_at_end OR was_cancels_at_end)"
        value = f"coalesce(CAST(to_json({former[name]}) AS VARCHAR), 'null')"
        parts.append(f"CASE WHEN {differs} THEN '\"{name}\":' || {value} END")
    return f"CAST('{{' || concat_ws(',', {', '.join(parts)}) || '}}' AS JSON)"


SUBSCRIPTION = _struct({
    "id": "subscription_id(subscriber, spell)", "object": "'subscription'", "billing_cycle_anchor": "seconds(created)",
    "cancel_at": _STATE["cancel_at"], "cancel_at_period_end": _STATE["cancel_at_period_end"],
    "canceled_at": _STATE["canceled_at"], "collection_method": "'charge_automatically'", "created": "seconds(created)",
    "currency": "lower(currency)", "current_period_start": _STATE["current_period_start"],
    "current_period_end": _STATE["current_period_end"], "customer": "customer_id(subscriber)",
    "ended_at": _STATE["ended_at"], "items": _STATE["items"], "livemode": "true", "metadata": _ABOUT, "quantity": "1",
    "start_date": "seconds(created)", "status": _STATE["status"], "trial_end": "seconds(trial_end)",
    "trial_start": "seconds(trial_start)",
})  # fmt: skip
"""Of a row of `subscribed`, or of a step of `course` joined with how the subscription began."""


_SERVICE = {"start": "seconds(CAST(period_start AS TIMESTAMP))", "end": "seconds(CAST(period_end AS TIMESTAMP))"}
_DISCOUNTS = "CASE WHEN coupon_minor > 0 THEN [{}] ELSE [] END"
_TAKEN_OFF = _DISCOUNTS.format("{'amount': coupon_minor, 'discount': discount_id(subscriber, invoice)}")
_DISCOUNT = _struct({
    "id": "discount_id(subscriber, invoice)", "object": "'discount'",
    "coupon": "{'id': nullif(coupon, 'none'), 'object': 'coupon', 'name': nullif(coupon, 'none')}",
    "customer": "customer_id(subscriber)", "invoice": "invoice_id(subscriber, invoice)",
    "subscription": "subscription_id(subscriber, spell)",
})  # fmt: skip


def _line(name: str, amount: str, *, about: str, kind: str, proration: str, taken_off: str) -> str:
    """A line of an invoice: that of its price, or that of a credit."""
    return _struct({
        "id": name, "object": "'line_item'", "amount": amount, "currency": "lower(currency)", "description": about,
        "discount_amounts": taken_off, "discountable": f"{kind} = 'subscription'",
        "invoice": "invoice_id(subscriber, invoice)", "livemode": "true", "metadata": "{'plan': plan}",
        "period": _struct(_SERVICE),
        "price": _struct({"id": "price_id(market, plan, price_minor)", "object": "'price'",
                          "product": "product_id(plan)", "unit_amount": "price_minor"}),
        "proration": proration, "quantity": "1", "subscription": "subscription_id(subscriber, spell)",
        "subscription_item": "item_id(subscriber, spell)", "type": kind,
        "unit_amount_excluding_tax": f"CAST({amount} AS VARCHAR)",
    })  # fmt: skip


def _lines() -> str:
    """The lines of an invoice; a credit is one of its own."""
    main = _line("line_id(subscriber, invoice)", "line_minor", about="plan", kind="'subscription'",
                 proration="is_proration", taken_off=_TAKEN_OFF)  # fmt: skip
    credit = _line("credit_id(subscriber, invoice)", "-credit_net_minor", about="'credit'", kind="'invoiceitem'",
                   proration="false", taken_off="[]")  # fmt: skip
    both = "credited_minor > 0"
    return _struct({
        "object": "'list'", "data": f"CASE WHEN {both} THEN [{main}, {credit}] ELSE [{main}] END", "has_more": "false",
        "total_count": f"CASE WHEN {both} THEN 2 ELSE 1 END", "url": "'/v1/invoices/lines'",
    })  # fmt: skip


def invoice(
    status: str = "stripe_invoice(status)", *, paid: str = "paid_minor", attempts: str = "attempts",
    paid_at: str = "paid_at", given_up_at: str = "given_up_at",
) -> str:  # fmt: skip
    """Of a row of `billed`, or with other SQL for what was different at an earlier moment."""
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
        "customer": "customer_id(subscriber)", "discount": f"CASE WHEN coupon_minor > 0 THEN {_DISCOUNT} END",
        "discounts": _DISCOUNTS.format("discount_id(subscriber, invoice)"), "lines": _lines(), "livemode": "true",
        "metadata": _ABOUT, "number": "concat(person(subscriber), '-', invoice)", "paid": f"{status} = 'paid'",
        "parent": parent, "period_start": _SERVICE["start"], "period_end": _SERVICE["end"], "status": status,
        "status_transitions": transitions, "subscription": "subscription_id(subscriber, spell)",
        "subtotal": "net_minor + coupon_minor", "tax": "tax_minor", "total": "amount_minor",
        "total_discount_amounts": _TAKEN_OFF,
    })  # fmt: skip


def charge(fate: str = "fate", *, refunded: str = "refunded_minor", disputed: str = "dispute IS NOT NULL") -> str:
    """Of a row of `charged` or `returned`, as it stands with this outcome, refund and dispute."""
    settled, paid = f"({fate} IN ('authorized', 'returned') AND is_taken)", f"{fate} = 'authorized'"
    outcome = _struct({
        "network_status": f"CASE {fate} WHEN 'authorized' THEN 'approved_by_network' "
                          "WHEN 'blocked' THEN 'not_sent_to_network' ELSE 'declined_by_network' END",
        "reason": f"CASE WHEN NOT {paid} THEN decline_code_of(code) END",
        "type": f"CASE {fate} WHEN 'authorized' THEN 'authorized' WHEN 'blocked' THEN 'blocked' "
                "ELSE 'issuer_declined' END",
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
        "invoice": "invoice_id(subscriber, invoice)", "livemode": "true", "metadata": _ABOUT,
        "outcome": f"CASE WHEN {fate} <> 'unknown' THEN {outcome} END",
        "paid": paid, "payment_method": "method_id(subscriber, instrument)",
        "payment_method_details": "{'type': method_type(method, currency)}",
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


NO_EVIDENCE = "json_object('due_by', NULL, 'has_evidence', false, 'past_due', false, 'submission_count', 0)"
"""Evidence of a dispute before we contest it."""


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
    "metadata": "{'subscriber': person(subscriber)}", "type": "method_type(method, currency)",
})  # fmt: skip
"""Of a row of `instruments`."""
