"""Why payments fail: the latent cause, which only the simulator knows, and the observed code, which everybody sees.

Sources: ISO 8583 response codes as Visa and Mastercard use them for cards; SEPA reason codes (EPC) for direct debits;
NPCI response codes for mandates on accounts; our own words for balances and partners. Soft or hard follows the
networks' retry rules (see `docs/reference/declines.md`).
"""

from __future__ import annotations

from dataclasses import dataclass

# Latent causes, in the order in which they are checked; the first bad one decides.
NO_CAUSE = 0
EXPIRED = 1
REPLACED = 2
CLOSED = 3
MANDATE_LAPSED = 4
MANDATE_REVOKED = 5
BANK_STOP = 6
FUNDS = 7
BALANCE = 8
SUSPICION = 9
ISSUER_MEMORY = 10
OUTAGE = 11
TECHNICAL = 12
RESTRICTED = 13
AUTHENTICATION = 14
FRAUD_SCREEN = 15
STOLEN = 16
THROTTLED = 17
BAD_RELEASE = 18
WITHDRAWN = 19
VOUCHER_UNPAID = 20
ABANDONED = 21

CAUSES: tuple[tuple[str, str], ...] = (
    ("none", "nothing is wrong"),
    ("expired", "the card on file has expired"),
    ("replaced", "the card was blocked and reissued under another number"),
    ("closed", "the card or account was closed"),
    ("mandate_lapsed", "the mandate ended without anybody meaning it"),
    ("mandate_revoked", "the member revoked the mandate to leave"),
    ("bank_stop", "the member told the bank to stop the payments"),
    ("funds", "the payer's money had run dry"),
    ("balance", "the gift balance was used up"),
    ("suspicion", "the issuer took a good payment for a risky one"),
    ("issuer_memory", "the issuer refused by reflex after recent declines"),
    ("outage", "the gateway was failing"),
    ("technical", "gateway or issuer could not be reached"),
    ("restricted", "not permitted at that moment"),
    ("authentication", "the issuer wanted the customer to authenticate"),
    ("fraud_screen", "our own screen took the payment for fraud"),
    ("stolen", "whoever paid did not own the card"),
    ("throttled", "the gateway had more attempts than it could take"),
    ("bad_release", "a faulty release refused a good payment"),
    ("withdrawn", "the payment method is no longer accepted"),
    ("voucher_unpaid", "the voucher was not paid in time"),
    ("abandoned", "the customer gave up while authenticating"),
)
"""Latent causes by number: name and meaning."""

SOFT = 1
HARD = 2
DECLINE_KINDS = ("none", "soft", "hard")


@dataclass(frozen=True)
class Code:
    """A decline code as an issuer, scheme or partner answers it."""

    code: str
    kind: str
    meaning: str


CODES: tuple[Code, ...] = (
    Code("none", "none", "not declined"),
    Code("04", "hard", "pick up card"),
    Code("05", "soft", "do not honor"),
    Code("07", "hard", "pick up card, special condition"),
    Code("14", "hard", "invalid card number"),
    Code("15", "hard", "no such issuer"),
    Code("41", "hard", "lost card"),
    Code("43", "hard", "stolen card"),
    Code("46", "hard", "closed account"),
    Code("51", "soft", "insufficient funds"),
    Code("54", "hard", "expired card"),
    Code("57", "soft", "transaction not permitted to cardholder"),
    Code("59", "soft", "suspected fraud"),
    Code("62", "soft", "restricted card"),
    Code("65", "soft", "authentication required, or activity limit exceeded"),
    Code("91", "soft", "issuer unavailable"),
    Code("96", "soft", "system malfunction"),
    Code("1A", "soft", "additional customer authentication required"),
    Code("R0", "hard", "stop payment order"),
    Code("R1", "hard", "revocation of authorization"),
    Code("R3", "hard", "revocation of all authorizations"),
    Code("AM04", "soft", "direct debit: insufficient funds"),
    Code("AC04", "hard", "direct debit: account closed"),
    Code("MD01", "hard", "direct debit: no valid mandate"),
    Code("MS02", "soft", "direct debit: refused by the payer's bank, no reason given"),
    Code("U30", "soft", "mandate debit failed: insufficient balance"),
    Code("U16", "soft", "mandate debit failed: risk threshold exceeded"),
    Code("U68", "soft", "mandate debit failed: no answer in time"),
    Code("VE", "hard", "mandate revoked or lapsed"),
    Code("carrier_limit", "soft", "partner: no balance or spending limit reached"),
    Code("carrier_barred", "hard", "partner: line closed or billing barred"),
    Code("carrier_error", "soft", "partner: system error"),
    Code("balance_used", "hard", "gift balance used up"),
    Code("authentication_failed", "soft", "the customer could not authenticate"),
    Code("authentication_abandoned", "soft", "the customer gave up authenticating"),
    Code("blocked", "hard", "blocked by our own fraud screen, never sent"),
    Code("throttled", "soft", "gateway: too many requests"),
    Code("processor_error", "soft", "refused by a fault of ours or the gateway's"),
    Code("method_withdrawn", "hard", "the payment method is no longer accepted"),
    Code("voucher_expired", "soft", "the voucher expired unpaid"),
)
"""Decline codes by number; 0 means that there was none."""

CODE_NUMBER = {code.code: number for number, code in enumerate(CODES)}
CAUSE_NUMBER = {name: number for number, (name, _) in enumerate(CAUSES)}
