"""What is told of money that goes back, word for word (for `test_trace_sentences`)."""

from __future__ import annotations

from billing_sim import events
from tests.trace_rows import row, truth

_OF_SEVEN = {"invoice": 7, "amount_minor": 1799}

SAID = [
    (
        row(events.PAYMENT_DUPLICATED, reason=events.DUPLICATE, **_OF_SEVEN),
        "By mistake 17.99 USD was charged for invoice 7 a second time.",
    ),
    (
        row(events.PAYMENT_DUPLICATED, reason=events.UNAUTHORISED, **_OF_SEVEN),
        "By mistake 17.99 USD was charged for invoice 7 after the subscription had ended.",
    ),
    (
        row(events.REFUND_ISSUED, reason=events.COMPLAINT, **_OF_SEVEN),
        "17.99 USD of invoice 7 went back after a complaint.",
    ),
    (row(events.REFUND_ISSUED, reason=events.GOODWILL, **_OF_SEVEN), "17.99 USD of invoice 7 went back as goodwill."),
    (
        row(events.REFUND_ISSUED, reason=events.TRUE_FRAUD, **_OF_SEVEN),
        "17.99 USD of invoice 7 went back since somebody else had paid with the method.",
    ),
    (
        row(events.DISPUTE_OPENED, reason=events.SERVICE, **_OF_SEVEN),
        "The payer's bank took 17.99 USD of invoice 7 back: disputed for the service.",
    ),
    (
        row(events.DISPUTE_OPENED, reason=events.TRUE_FRAUD, **_OF_SEVEN),
        "The payer's bank took 17.99 USD of invoice 7 back: disputed as fraud.",
    ),
    (row(events.DISPUTE_REPRESENTED, invoice=7), "The service contested the dispute of invoice 7."),
    (row(events.DISPUTE_WON, **_OF_SEVEN), "The dispute of invoice 7 was won: 17.99 USD came back."),
    (row(events.DISPUTE_LOST, **_OF_SEVEN), "The dispute of invoice 7 was lost: 17.99 USD is gone."),
    (
        row(events.FRAUD_REPORTED, **_OF_SEVEN),
        "The payer's bank reported the charge of invoice 7 to its network as fraud.",
    ),
]

SEALED_SAID = [
    (truth(events.DISPUTE_EXPLAINED, fraud=1), "In truth: somebody else made the disputed charge."),
    (truth(events.DISPUTE_EXPLAINED), "In truth: the member made the disputed charge."),
]
