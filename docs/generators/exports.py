"""docs/reference/exports.md, from the contracts of the exported tables and the translations of words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from billing_sim.export import vocabulary
from billing_sim.export.contract import Table
from billing_sim.export.forms import FORMS
from billing_sim.export.recurly_tables import RECURLY
from billing_sim.export.stripe_tables import STRIPE
from billing_sim.export.webhooks import WEBHOOKS
from generators.markdown import code, page, section, table


def exports_page() -> str:
    """Every table with its columns, every webhook event, every word and what it becomes."""
    return page(
        "Exports",
        "What `billing-sim export` writes. How to use it: [exporting a run](../guides/export.md).",
        table(("`--as`", "what is written"), [(code(name), form.about) for name, form in FORMS.items()]),
        section("Tables of `stripe`", _tables(STRIPE)),
        section("Tables of `recurly`", _tables(RECURLY)),
        section("Webhook events of `stripe-json`", _webhooks()),
        section("Statuses", *_statuses()),
        section("Decline codes", _declines()),
        section("Other words", _words()),
    )


def _tables(tables: Iterable[Table]) -> str:
    rows = [(code(it.name), ", ".join(f"{code(at.name)} {at.type}" for at in it.all_columns)) for it in tables]
    return table(("table", "columns and types"), rows)


def _webhooks() -> str:
    kinds = dict.fromkeys(webhook.type for webhook in WEBHOOKS)
    return "In order of time: " + ", ".join(map(code, kinds)) + "."


def _statuses() -> list[str]:
    named = {
        "subscription": vocabulary.SUBSCRIPTION_STATUS,
        "invoice": vocabulary.INVOICE_STATUS,
        "attempt": vocabulary.CHARGE_STATUS,
        "dispute": vocabulary.DISPUTE_STATUS,
    }
    return [
        table((f"{thing} here", "Stripe", "Recurly"), [(code(word), *map(code, both)) for word, both in words.items()])
        for thing, words in named.items()
    ]


def _declines() -> str:
    rows = [(code(word), *map(code, both)) for word, both in vocabulary.DECLINES.items()]
    return table(("code here", "`failure_code`", "`outcome_reason`, `decline_code`"), rows)


def _words() -> str:
    named: Mapping[str, Mapping[str, str]] = {
        "payment method -> Stripe's type, where no currency is named": vocabulary.METHOD_TYPE,
        "why a subscription ended -> Recurly's expiration reason": vocabulary.END_REASON,
        "reason of a refund -> Stripe's reason": vocabulary.REFUND_REASON,
        "reason of a dispute -> Stripe's reason": vocabulary.DISPUTE_REASON,
        "status of a failed invoice -> outcome in `failed_charges`": vocabulary.FATE,
    }
    rows = [(what, code(word), code(theirs)) for what, words in named.items() for word, theirs in words.items()]
    rows += [
        (f"payment method -> Stripe's type, in {currency}", code(word), code(theirs))
        for word, types in vocabulary.METHOD_TYPE_IN.items()
        for currency, theirs in types.items()
    ]
    return table(("what", "here", "there"), rows)
