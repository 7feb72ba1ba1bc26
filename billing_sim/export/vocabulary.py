"""What the run's words are called by each vendor: the one place where labels are translated.

Sources: Stripe's API reference and its pages on statuses, error codes and decline codes; Recurly's API reference (API
version 2021-02-25). Where a vendor has no word for something, the nearest one is used and the comment says why.
"""

from __future__ import annotations

from collections.abc import Mapping

from billing_sim.money import EXPONENTS

SIGNUP_OPEN, SIGNUP_ABANDONED = "signup_open", "signup_abandoned"
"""Statuses of subscriptions that never began: somebody is, or was, trying to pay the first invoice."""

SUBSCRIPTION_STATUS: Mapping[str, tuple[str, str]] = {
    "active": ("active", "active"),
    "canceling": ("active", "canceled"),  # Stripe says it by cancel_at_period_end
    "past_due": ("past_due", "active"),  # Recurly says it by the invoice
    "paused": ("active", "paused"),  # Stripe pauses the collection and leaves the status
    "in_trial": ("trialing", "active"),  # Recurly says it by the dates of the trial
    "on_hold": ("past_due", "active"),  # access is no matter of either; the invoice is still being retried
    "ended": ("canceled", "expired"),
    SIGNUP_OPEN: ("incomplete", "future"),
    SIGNUP_ABANDONED: ("incomplete_expired", "failed"),
}
"""Status of a spell -> Stripe, Recurly."""

INVOICE_STATUS: Mapping[str, tuple[str, str]] = {
    "open": ("open", "past_due"),  # Recurly: `pending` as long as no attempt has failed
    "paid": ("paid", "paid"),
    "void": ("void", "voided"),
    "uncollectible": ("uncollectible", "failed"),
}
"""Status of an invoice -> Stripe, Recurly."""

CHARGE_STATUS: Mapping[str, tuple[str, str]] = {
    "authorized": ("succeeded", "success"),
    "declined": ("failed", "declined"),
    "unknown": ("pending", "pending"),
    "blocked": ("failed", "declined"),  # Stripe: `outcome.type` is `blocked`
    "returned": ("failed", "declined"),  # a direct debit that came back counts as failed after all
}
"""Outcome of an attempt -> Stripe (charge), Recurly (transaction)."""

DISPUTE_STATUS: Mapping[str, tuple[str, str]] = {
    "open": ("needs_response", "chargeback"),
    "contested": ("under_review", "chargeback"),
    "won": ("won", "success"),
    "lost": ("lost", "chargeback"),
}
"""How a dispute stands -> Stripe (dispute), Recurly (the disputed transaction)."""

REFUND_REASON: Mapping[str, str] = {
    "complaint": "requested_by_customer",
    "goodwill": "requested_by_customer",  # Stripe has no word for what nobody asked for
    "fraud": "fraudulent",
    "duplicate": "duplicate",
    "unauthorised": "requested_by_customer",  # charged after the end of the subscription
}
"""Why money was given back -> Stripe's reason of a refund."""

DISPUTE_REASON: Mapping[str, str] = {
    "fraud": "fraudulent",
    "service": "product_unacceptable",
    "duplicate": "duplicate",
    "unauthorised": "subscription_canceled",
}
"""What the payer's bank says -> Stripe's reason of a dispute."""

END_REASON: Mapping[str, str] = {"voluntary": "canceled", "payment_trouble": "canceled", "nonpayment": "nonpayment"}
"""Why a spell ended -> Recurly's expiration reason."""

METHOD_TYPE: Mapping[str, str] = {
    "none": "custom",
    "credit": "card",
    "debit": "card",
    "prepaid": "card",
    "wallet": "card",  # a wallet hands over a card
    "direct_debit": "custom",  # where `METHOD_TYPE_IN` has none, Stripe collects no direct debits in the currency
    "a2a_emandate": "custom",
    "carrier_partner": "custom",  # collected outside Stripe
    "gift_balance": "custom",
    "voucher": "custom",
}
"""Kind of a payment method -> Stripe's type, where it does not depend on the currency."""

METHOD_TYPE_IN: Mapping[str, Mapping[str, str]] = {
    "direct_debit": {
        "EUR": "sepa_debit", "GBP": "bacs_debit", "USD": "us_bank_account", "CAD": "acss_debit",
        "AUD": "au_becs_debit", "NZD": "nz_bank_account",
    },
    "a2a_emandate": {"INR": "upi", "BRL": "pix"},
    "voucher": {"BRL": "boleto", "JPY": "konbini", "MXN": "oxxo"},
}  # fmt: skip
"""Kinds whose type depends on the currency -> currency -> Stripe's type."""

_DECLINED = "card_declined"
DECLINES: Mapping[str, tuple[str, str]] = {
    "04": (_DECLINED, "pickup_card"),
    "05": (_DECLINED, "do_not_honor"),
    "07": (_DECLINED, "pickup_card"),
    "14": ("incorrect_number", "incorrect_number"),
    "15": ("incorrect_number", "incorrect_number"),
    "41": (_DECLINED, "lost_card"),
    "43": (_DECLINED, "stolen_card"),
    "46": (_DECLINED, "invalid_account"),
    "51": (_DECLINED, "insufficient_funds"),
    "54": ("expired_card", "expired_card"),
    "57": (_DECLINED, "transaction_not_allowed"),
    "59": (_DECLINED, "fraudulent"),
    "62": (_DECLINED, "restricted_card"),
    "65": (_DECLINED, "withdrawal_count_limit_exceeded"),
    "91": (_DECLINED, "issuer_not_available"),
    "96": ("processing_error", "processing_error"),
    "1A": (_DECLINED, "authentication_required"),
    "R0": (_DECLINED, "stop_payment_order"),
    "R1": (_DECLINED, "revocation_of_authorization"),
    "R3": (_DECLINED, "revocation_of_all_authorizations"),
    "AM04": ("insufficient_funds", "insufficient_funds"),
    "AC04": ("account_closed", "account_closed"),
    "MD01": ("debit_not_authorized", "debit_not_authorized"),
    "MS02": ("refer_to_customer", "refer_to_customer"),
    "U30": ("insufficient_funds", "insufficient_funds"),
    "U16": (_DECLINED, "generic_decline"),
    "U68": ("processing_error", "processing_error"),
    "VE": ("debit_not_authorized", "debit_not_authorized"),
    "carrier_limit": ("insufficient_funds", "insufficient_funds"),
    "carrier_barred": (_DECLINED, "generic_decline"),
    "carrier_error": ("processing_error", "processing_error"),
    "authentication_failed": ("authentication_required", "authentication_required"),
    "authentication_abandoned": ("authentication_required", "authentication_required"),
    "blocked": (_DECLINED, "fraudulent"),
    "throttled": ("rate_limit", "try_again_later"),
    "processor_error": ("processing_error", "processing_error"),
    "method_withdrawn": (_DECLINED, "card_not_supported"),
    "voucher_expired": (_DECLINED, "generic_decline"),
    "balance_used": ("insufficient_funds", "insufficient_funds"),
}
"""Decline code -> Stripe's error code (`failure_code`) and decline code (`outcome_reason`)."""

FATE: Mapping[str, str] = {"paid": "recovered", "open": "open", "void": "lost", "uncollectible": "lost"}
"""Status of an invoice that failed -> the outcome in the table of failed charges."""


def macros() -> list[str]:
    """SQL that defines a macro for each translation; a word that nobody translates becomes null."""
    both = {"subscription": SUBSCRIPTION_STATUS, "invoice": INVOICE_STATUS, "charge": CHARGE_STATUS,
            "dispute": DISPUTE_STATUS}  # fmt: skip
    tables = {"end_reason_of": END_REASON, "fate": FATE,
              "refund_reason": REFUND_REASON, "dispute_reason": DISPUTE_REASON}  # fmt: skip
    for name, words in both.items():
        tables[f"stripe_{name}"] = {word: pair[0] for word, pair in words.items()}
        tables[f"recurly_{name}"] = {word: pair[1] for word, pair in words.items()}
    tables["failure_code_of"] = {code: pair[0] for code, pair in DECLINES.items()}
    tables["decline_code_of"] = {code: pair[1] for code, pair in DECLINES.items()}
    return [_translation(name, words) for name, words in tables.items()] + [_method_type(), _decimals()]


def _translation(name: str, words: Mapping[str, str]) -> str:
    cases = " ".join(f"WHEN '{word}' THEN '{theirs}'" for word, theirs in words.items())
    return f"CREATE MACRO {name}(word) AS CASE word {cases} END"


def _method_type() -> str:
    """`method_type(kind, currency)`."""
    pairs = [(kind, code, theirs) for kind, words in METHOD_TYPE_IN.items() for code, theirs in words.items()]
    cases = [f"WHEN kind = '{kind}' AND code = '{code}' THEN '{theirs}'" for kind, code, theirs in pairs]
    cases += [f"WHEN kind = '{kind}' THEN '{theirs}'" for kind, theirs in METHOD_TYPE.items()]
    return f"CREATE MACRO method_type(kind, code) AS CASE {' '.join(cases)} END"


def _decimals() -> str:
    """`major(minor, currency)`: whole minor units as an exact decimal of major units, by the exponents of ISO 4217."""
    known = {exponent: [f"'{it}'" for it, its in EXPONENTS.items() if its == exponent] for exponent in (0, 3)}
    thousandths = (
        f"CASE WHEN code IN ({', '.join(known[0])}) THEN 1000 WHEN code IN ({', '.join(known[3])}) THEN 1 ELSE 10 END"
    )
    exact = f"CAST(minor * {thousandths} AS DECIMAL(18, 0)) * 0.001"
    return f"CREATE MACRO major(minor, code) AS CAST({exact} AS DECIMAL(18, 3))"
