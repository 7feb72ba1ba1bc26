"""Every kind of event has its sentence, in exactly these words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing_sim import declines, events
from billing_sim.trace.context import METHOD_WORDS
from billing_sim.trace.ending import _STANDING
from billing_sim.trace.sentences import SENTENCES
from billing_sim.trace.truths import SEALED
from tests import refunds_said
from tests.trace_rows import CONTEXT, attempt, row, truth

_CARD = {"method": 1, "method_kind": events.DEBIT, "period_end": "2027-05-31"}
_INVOICE = {"invoice": 7, "amount_minor": 1799, "period_start": "2025-03-13", "period_end": "2025-04-13"}

_CONTACT = {"channel": events.BY_CHAT, "reason": events.NOTICE_FAILED}
SUPPORT_SAID = [
    (row(events.CONTACT_OPENED, **_CONTACT), "The member contacted support by chat about the failed payment."),
    (
        row(events.CONTACT_OPENED, channel=events.BY_EMAIL, reason=events.CANCELED_BY_MISTAKE),
        "The member contacted support by e-mail about a cancellation that they regret.",
    ),
    (row(events.CONTACT_ANSWERED, **_CONTACT), "An agent answered at once."),
    (row(events.CONTACT_ANSWERED, latency_ms=119_999, **_CONTACT), "An agent answered after 119 seconds."),
    (
        row(events.CONTACT_ABANDONED, latency_ms=1_260_500, **_CONTACT),
        "Nobody answered; the member gave up waiting after 21 minutes.",
    ),
    (
        row(events.CONTACT_RESOLVED, channel=events.BY_PHONE, reason=events.LINK_SENT),
        "The agent sent a link to update the payment method, and closed the contact.",
    ),
    (
        row(events.CONTACT_UNRESOLVED, channel=events.BY_PHONE, reason=events.UNRESOLVED),
        "The contact ended without having settled anything.",
    ),
]

SAID = [
    (
        row(events.SIGNUP_STARTED, plan=1, method_kind=events.WALLET, reason=events.NEW),
        "Signed up for Premium with a wallet.",
    ),
    (
        row(events.SIGNUP_STARTED, method_kind=events.CREDIT, reason=events.RETURNING),
        "Came back and signed up again for Standard with a credit card.",
    ),
    (row(events.SIGNUP_ABANDONED), "Gave up signing up without having paid."),
    (
        row(events.SUBSCRIPTION_CREATED, method_kind=events.DIRECT_DEBIT, reason=events.NEW),
        "Became a member: Standard, by direct debit.",
    ),
    (
        row(events.SUBSCRIPTION_CREATED, method_kind=events.PREPAID, reason=events.RETURNING),
        "Became a member again: Standard, by prepaid card.",
    ),
    (
        row(
            events.SUBSCRIPTION_IMPORTED,
            plan=1,
            method_kind=events.A2A_EMANDATE,
            reason=events.ACTIVE,
            period_start="2023-05-14",
            period_end="2025-01-14",
        ),
        "Already a member when the run began: Premium, by bank mandate, since 2023-05-14, paid until 2025-01-14.",
    ),
    (
        row(events.SUBSCRIPTION_IMPORTED, method_kind=events.CREDIT, reason=events.ON_HOLD, period_start="2024-05-14"),
        "Already a member when the run began: Standard, by credit card, since 2024-05-14, "
        "with access blocked for an unpaid invoice.",
    ),
    (
        row(
            events.SUBSCRIPTION_IMPORTED,
            reason=events.IN_TRIAL,
            period_start="2024-12-28",
            period_end="2025-01-11",
        ),
        "Already a member when the run began: Standard, without a payment method, since 2024-12-28, "
        "in a free trial until 2025-01-11.",
    ),
    (
        row(
            events.SUBSCRIPTION_IMPORTED,
            method_kind=events.CREDIT,
            reason=events.PAUSED,
            period_start="2024-05-14",
            period_end="2025-02-14",
        ),
        "Already a member when the run began: Standard, by credit card, since 2024-05-14, on a pause until 2025-02-14.",
    ),
    (
        row(events.TRIAL_IMPORTED, method_kind=events.CREDIT, period_start="2024-12-28", period_end="2025-01-11"),
        "A free trial had begun before, with a credit card on file, from 2024-12-28 to 2025-01-11.",
    ),
    (
        row(events.TRIAL_IMPORTED, period_start="2024-12-28", period_end="2025-01-11"),
        "A free trial had begun before, without a payment method, from 2024-12-28 to 2025-01-11.",
    ),
    (
        row(events.PAUSE_IMPORTED, period_start="2024-11-14", period_end="2025-02-14"),
        "A pause had begun before, from 2024-11-14 to 2025-02-14: no access, no charge.",
    ),
    (
        row(events.COUPON_IMPORTED, coupon=1, score=3, amount_minor=500),
        "The coupon half had been redeemed before: it takes 5.00 USD off 3 more invoices.",
    ),
    (
        row(events.COUPON_IMPORTED, coupon=1, score=1, amount_minor=500),
        "The coupon half had been redeemed before: it takes 5.00 USD off one more invoice.",
    ),
    (
        row(events.COUPON_IMPORTED, coupon=1, amount_minor=500),
        "The coupon half had been redeemed before: it takes 5.00 USD off every invoice to come.",
    ),
    (
        row(events.CANCEL_REQUESTED, reason=events.VOLUNTARY, period_end="2025-02-03"),
        "The member cancelled, effective 2025-02-03.",
    ),
    (
        row(events.CANCEL_REQUESTED, reason=events.PAYMENT_TROUBLE, period_end="2025-02-03"),
        "The member cancelled because a payment was failing, effective 2025-02-03.",
    ),
    (row(events.SUBSCRIPTION_CANCELED, reason=events.VOLUNTARY), "The subscription ended, as the member had wished."),
    (
        row(events.SUBSCRIPTION_CANCELED, reason=events.PAYMENT_TROUBLE),
        "The subscription ended: the member cancelled while a payment was failing.",
    ),
    (
        row(events.SUBSCRIPTION_CANCELED, invoice=7, reason=events.NONPAYMENT),
        "The subscription ended: invoice 7 was never paid.",
    ),
    (row(events.SUBSCRIPTION_HELD, invoice=7), "Access was blocked: grace is over and invoice 7 still unpaid."),
    (row(events.SUBSCRIPTION_RESTORED, invoice=7), "Access was restored."),
    (row(events.METHOD_ADDED, reason=events.PREFERRED, **_CARD), "A debit card was put on file, valid to 2027-05-31."),
    (
        row(events.METHOD_ADDED, method_kind=events.CARRIER_PARTNER, reason=events.BY_BACKUP),
        "A partner account was put on file as a backup.",
    ),
    (
        row(events.METHOD_UPDATED, reason=events.BY_SUBSCRIBER, **_CARD),
        "The member put a new debit card on file, valid to 2027-05-31.",
    ),
    (
        row(events.METHOD_UPDATED, reason=events.BY_UPDATER, **_CARD),
        "The account updater brought new details of the debit card, valid to 2027-05-31.",
    ),
    (
        row(events.METHOD_UPDATED, reason=events.BY_TOKEN, **_CARD),
        "The network token carried over to the new debit card, valid to 2027-05-31.",
    ),
    (
        row(events.INVOICE_ISSUED, tax_minor=86, **_INVOICE),
        "Invoice 7 was issued: 17.99 USD, 0.86 USD of it tax, for Standard from 2025-03-13 to 2025-04-13.",
    ),
    (
        row(events.INVOICE_ISSUED, **_INVOICE),
        "Invoice 7 was issued: 17.99 USD, for Standard from 2025-03-13 to 2025-04-13.",
    ),
    (
        row(events.INVOICE_IMPORTED, attempt=1, policy=1, **_INVOICE),
        "Invoice 7 of 17.99 USD was already failing after 1 attempt, by the policy generic.",
    ),
    (row(events.INVOICE_VOIDED, invoice=7), "Invoice 7 was voided: nothing is owed any more."),
    (row(events.INVOICE_UNCOLLECTIBLE, invoice=7), "Invoice 7 was given up as uncollectible."),
    (
        attempt(events.ATTEMPT_AUTHORIZED, gateway=1, attempt=2),
        "The service tried the credit card through harborpay (attempt 2), authorized.",
    ),
    (
        attempt(events.ATTEMPT_AUTHORIZED, initiator=events.CIT, method_kind=events.DEBIT),
        "The member paid with the debit card through northpay (attempt 1), authorized.",
    ),
    (
        attempt(events.ATTEMPT_DECLINED, code=declines.CODE_NUMBER["51"], method=9),
        "The service tried the backup credit card through northpay (attempt 1), "
        "declined: 51 insufficient funds (soft).",
    ),
    (
        attempt(events.ATTEMPT_DECLINED, code=declines.CODE_NUMBER["54"], initiator=events.CIT),
        "The member tried to pay with the credit card through northpay (attempt 1), declined: 54 expired card (hard).",
    ),
    (
        attempt(events.ATTEMPT_UNKNOWN),
        "The service tried the credit card through northpay (attempt 1), "
        "and no answer came in time: the outcome is unknown.",
    ),
    (
        attempt(events.ATTEMPT_RECONCILED, reason=events.RESOLVED_AUTHORIZED),
        "The outcome of attempt 1 became known: it was authorized.",
    ),
    (
        attempt(events.ATTEMPT_RECONCILED, reason=events.RESOLVED_FAILED, code=declines.CODE_NUMBER["91"]),
        "The outcome of attempt 1 became known: it was declined: 91 issuer unavailable (soft).",
    ),
    (
        attempt(events.GATEWAY_CALL_FAILED),
        "Gateway northpay could not process the attempt, which went on to another.",
    ),
    (
        row(events.PAYMENT_CAPTURED, invoice=7, attempt=1, amount_minor=123456),
        "1,234.56 USD was captured: invoice 7 is paid.",
    ),
    (
        row(events.PAYMENT_RETURNED, invoice=7, amount_minor=1799, code=declines.CODE_NUMBER["MD01"]),
        "The payment of 17.99 USD for invoice 7 came back: MD01 direct debit: no valid mandate (hard).",
    ),
    (
        row(events.ATTEMPT_PENDING, attempt=1, amount_minor=1549, period_end="2025-01-13"),
        "A voucher over 15.49 USD was issued (attempt 1), payable until this time on 2025-01-13.",
    ),
    (
        row(events.ATTEMPT_PENDING, attempt=2, amount_minor=1549, period_end="2025-01-13", initiator=events.CIT),
        "The member asked for a voucher over 15.49 USD (attempt 2), payable until this time on 2025-01-13.",
    ),
    (
        attempt(events.ATTEMPT_PENDING, method_kind=events.A2A_EMANDATE, amount_minor=14900, period_end="2025-01-11"),
        "The bank was asked for 149.00 USD by bank mandate (attempt 1); it tells the member, debits on 2025-01-11 and "
        "answers after that.",
    ),
    (
        row(
            events.ATTEMPT_BLOCKED,
            attempt=1,
            method=1,
            method_kind=events.CREDIT,
            score=930,
            code=declines.CODE_NUMBER["blocked"],
        ),
        "Our fraud screen refused the credit card (attempt 1, score 930); it was sent nowhere.",
    ),
    (
        attempt(events.ATTEMPT_DECLINED, code=declines.CODE_NUMBER["59"], method=1, gateway=1, bin=1),
        "The service tried the credit card of the BIN range northbank through harborpay (attempt 1), declined: 59 "
        "suspected fraud (soft).",
    ),
    (
        row(events.METHOD_ADDED, method=1, method_kind=events.DEBIT, reason=events.PREFERRED, bin=1),
        "A debit card of the BIN range northbank was put on file.",
    ),
    (
        row(events.AUTHENTICATION_COMPLETED, reason=events.FRICTIONLESS),
        "The issuer authenticated the member without asking anything.",
    ),
    (
        row(events.AUTHENTICATION_COMPLETED, reason=events.CHALLENGE_ABANDONED),
        "The issuer asked the member to authenticate, and the member gave up.",
    ),
    (
        row(events.REVIEW_OPENED, attempt=2, score=640),
        "Attempt 2 waits for somebody to look at it (score 640).",
    ),
    (
        row(events.REVIEW_CLOSED, attempt=2, score=640, reason=events.REVIEW_REJECTED),
        "Somebody looked at attempt 2 and rejected it.",
    ),
    (
        row(events.REVIEW_CLOSED, attempt=2, score=640, latency_ms=5 * 3_600_000, reason=events.REVIEW_APPROVED),
        "Somebody looked at attempt 2 when a reviewer had time, after 5 hours, and approved it.",
    ),
    (row(events.DUNNING_STARTED, invoice=7, policy=0), "Dunning of invoice 7 began, by the policy patient."),
    (row(events.NOTICE_SENT, reason=events.NOTICE_FAILED), "The member was told that the payment had failed."),
    (row(events.NOTICE_SENT, reason=events.NOTICE_REMINDER), "The member was reminded of the failed payment."),
    (row(events.NOTICE_SENT, reason=events.NOTICE_HOLD), "The member was told that access is blocked."),
    *refunds_said.SAID,
    *SUPPORT_SAID,
    (row(events.PAYMENT_CAPTURED, invoice=7), "Nothing is left to pay of invoice 7."),
    (
        row(events.PLAN_CHANGED, plan=1, reason=events.UPGRADE, amount_minor=2299, period_end="2025-04-13"),
        "Changed up to Premium; its price of 22.99 USD is next due on 2025-04-13.",
    ),
    (
        row(events.PLAN_CHANGED, plan=0, reason=events.DOWNGRADE, amount_minor=1549, period_end="2025-04-13"),
        "Changed down to Standard; its price of 15.49 USD is next due on 2025-04-13.",
    ),
    (
        row(events.SUBSCRIPTION_PAUSED, period_end="2025-04-13"),
        "The member pauses until 2025-04-13: no access, no charge.",
    ),
    (row(events.SUBSCRIPTION_RESUMED), "The pause is over."),
    (row(events.COUPON_REDEEMED, coupon=1), "Redeemed the coupon half."),
    (
        row(events.TRIAL_STARTED, method_kind=events.CREDIT, period_end="2025-04-13"),
        "A free trial began, with a credit card on file, until 2025-04-13.",
    ),
    (
        row(events.TRIAL_STARTED, period_end="2025-04-13"),
        "A free trial began, without a payment method, until 2025-04-13.",
    ),
    (
        row(events.TRIAL_ENDED, reason=events.TRIAL_CONVERTED),
        "The free trial is over: from now on the subscription is paid for.",
    ),
    (
        row(events.TRIAL_ENDED, reason=events.TRIAL_WITHOUT_METHOD),
        "The free trial is over, and no payment method was left.",
    ),
    (
        row(events.DISCOUNT_APPLIED, coupon=1, invoice=7, amount_minor=500),
        "The coupon half took 5.00 USD off invoice 7.",
    ),
    (
        row(events.CREDIT_NOTE_ISSUED, amount_minor=250, reason=events.GOODWILL),
        "A credit note of 2.50 USD was issued out of goodwill.",
    ),
    (row(events.CREDIT_APPLIED, invoice=7, amount_minor=250), "Credit of 2.50 USD was used for invoice 7."),
    (
        row(events.SIGNUP_STARTED, reason=events.NEW),
        "Signed up for Standard with no payment method.",
    ),
    (
        row(events.METHOD_ADDED, method=1, method_kind=events.GIFT_BALANCE, amount_minor=3000, reason=events.PREFERRED),
        "A gift balance with 30.00 USD was put on file.",
    ),
    (
        row(events.INVOICE_ISSUED, invoice=1, reason=events.VERIFICATION),
        "Invoice 1 was issued: 0.00 USD, to check the payment method of the trial.",
    ),
    # People and what they say.
    (
        row(events.NOTICE_SENT, reason=events.NOTICE_REMINDER, channel=events.BY_PUSH),
        "The member was reminded of the failed payment by push message.",
    ),
    (row(events.NOTICE_OPENED, channel=events.BY_EMAIL), "The member opened the notice that came by e-mail."),
    (row(events.NOTICE_UNDELIVERED, channel=events.BY_IN_APP), "The notice sent in the app did not arrive."),
    (
        row(events.OFFER_SENT, reason=events.WIN_BACK, period_end="2025-04-30"),
        "An offer to come back was sent; it stands until 2025-04-30.",
    ),
    (
        row(events.SURVEY_SENT, reason=events.NOTICE_HOLD, score=10),
        "The member was asked about the blocked access, on a scale that ends at 10.",
    ),
    (row(events.SURVEY_ANSWERED, reason=events.NPS, score=3), "The member answered: 3 (nps)."),
    (
        row(events.EXIT_SURVEY_ANSWERED, reason=events.WHY_NOT_USING),
        "Asked why they leave, the member said: they don't use it.",
    ),
    (row(events.CAMPAIGN_REACHED, campaign=1), "The campaign amnesty reached the person."),
    (row(events.CAMPAIGN_SHARED, reason=events.CRIMINAL), "The person shared the card #NetflixCriminal."),
    (
        row(events.CAMPAIGN_REPLIED, reason=events.DOES_NOT_SHARE),
        "The person answered the automatic reply: they share their account with nobody.",
    ),
    (row(events.CAMPAIGN_LANDED), "The person opened the landing page of the campaign."),
    (
        row(events.CAMPAIGN_EMAIL_LEFT, reason=events.HOST),
        "The person left their e-mail address on the landing page, and those of who borrows from them.",
    ),
    (
        row(events.SHARING_RESTRICTED),
        "The member was told that people outside the household have no access to the account any more.",
    ),
    (
        row(events.EXPERIMENT_ENROLLED, arm=2),
        "Enrolled in the experiment patience: from now on the rules of its arm patient hold.",
    ),
]


@pytest.mark.parametrize(("event", "sentence"), SAID, ids=[sentence[:40] for _, sentence in SAID])
def test_an_event_is_told_in_exactly_these_words(event, sentence):
    assert SENTENCES[int(event["kind"])](event, CONTEXT) == sentence


def test_every_kind_of_event_has_a_sentence_and_an_example_here():
    kinds = {kind.number for kind in events.EVENTS}
    assert set(SENTENCES) == kinds
    assert {int(event["kind"]) for event, _ in SAID} == kinds


def test_every_kind_of_payment_method_has_words():
    assert tuple(METHOD_WORDS) == events.METHOD_KINDS[1:]


def test_every_way_to_stand_at_the_end_has_words():
    entering = {events.ACTIVE, events.PAST_DUE, events.ON_HOLD, events.CANCELING, events.NEW, events.RETURNING}
    entering |= {events.IN_TRIAL, events.PAUSED}
    leaving = {events.VOLUNTARY, events.NONPAYMENT, events.PAYMENT_TROUBLE, events.GAVE_UP}
    assert set(_STANDING) == entering | leaving | {events.BORROWER}


SEALED_SAID = [
    (truth(events.EXPLAINED, cause=declines.FUNDS), "Really: the payer's money had run dry."),
    (truth(events.INTENT_CHANGED, intent=events.STAY), "In truth: the person wants to stay."),
    (truth(events.INTENT_CHANGED, intent=events.INERT), "In truth: the person stays only out of inertia."),
    (truth(events.INTENT_CHANGED, intent=events.GO), "In truth: the person wants to go."),
    (
        truth(events.INTENT_CHANGED, intent=events.GO, why=events.WHYS.index("price")),
        "In truth: the person wants to go, for the price.",
    ),
    (truth(events.SURVEY_JUDGED, verdict=4), "In truth: their answer is 4, given or not."),
    (truth(events.OFFER_JUDGED), "In truth: the offer changes nothing."),
    (
        truth(events.OFFER_JUDGED, verdict=1),
        "In truth: the offer brings them back; they would not have been back by its end.",
    ),
    (
        truth(events.EPISODE_BEGAN, cause=declines.EXPIRED, method=2),
        "In truth: the card on file has expired (payment method 2).",
    ),
    (truth(events.FRAUD_JUDGED, method=1, fraud=1), "In truth: whoever pays does not own payment method 1."),
    (truth(events.LOSS_JUDGED, intent=events.STAY, able=1), "In truth: the person wanted to stay and could have paid."),
    (truth(events.LOSS_JUDGED, intent=events.STAY), "In truth: the person wanted to stay but had no way to pay."),
    (
        truth(events.LOSS_JUDGED, intent=events.INERT, able=1),
        "In truth: the person stayed only out of inertia but could have paid.",
    ),
    (truth(events.LOSS_JUDGED, intent=events.GO), "In truth: the person wanted to go and had no way to pay."),
    *refunds_said.SEALED_SAID,
]


@pytest.mark.parametrize(("told", "sentence"), SEALED_SAID, ids=[sentence for _, sentence in SEALED_SAID])
def test_a_truth_is_told_in_exactly_these_words(told, sentence):
    assert SEALED[int(told["kind"])](told) == sentence


def test_every_kind_of_truth_has_a_sentence():
    assert set(SEALED) == {kind.number for kind in events.TRUTH}


@pytest.mark.parametrize(
    ("queued", "said"),
    [
        (0, "Somebody looked at attempt 2 after 31 hours and approved it."),
        (5 * 3_600_000, "Somebody looked at attempt 2 when a reviewer had time, after 5 hours, and approved it."),
        # The column can hold no more; how long it was is known all the same.
        ((1 << 31) - 1, "Somebody looked at attempt 2 when a reviewer had time, after 31 hours, and approved it."),
    ],
)
def test_a_review_says_how_long_it_waited(queued, said):
    """In the queue where there was one, else until it was decided; of another attempt nothing is known."""
    asked = row(events.REVIEW_OPENED, "2025-01-10 12:00", invoice=7, attempt=2)
    context = replace(CONTEXT, reviews={(7, 2): int(asked["occurred_at"])})
    decided = {"invoice": 7, "latency_ms": queued, "reason": events.REVIEW_APPROVED}
    closed = row(events.REVIEW_CLOSED, "2025-01-11 19:00", attempt=2, **decided)
    assert SENTENCES[events.REVIEW_CLOSED](closed, context) == said
    other = row(events.REVIEW_CLOSED, "2025-01-11 19:00", attempt=3, **decided | {"latency_ms": 0})
    assert SENTENCES[events.REVIEW_CLOSED](other, context) == "Somebody looked at attempt 3 and approved it."


def test_an_invoice_of_before_the_start_whose_payment_comes_back_was_paid():
    """It was once told as failing already, one line before its payment came back."""
    imported = row(events.INVOICE_IMPORTED, attempt=1, policy=1, **_INVOICE)
    told = SENTENCES[events.INVOICE_IMPORTED](imported, replace(CONTEXT, came_back=frozenset({7})))
    assert told == "Invoice 7 of 17.99 USD had been paid before, after 1 attempt; its payment did not last."
