"""The log: every kind of event, every column, in one table from which schema, docs and readers derive.

A kind is a fact in the past, `noun.past_participle`. Three files hold three kinds of rows:

- `EVENTS`: what happened to subscribers, public, ordered by (subscriber, sequence) inside a shard;
- `WORLD_EVENTS`: what readers must know of the world (prices, rates, policies, outages), a shard of their own;
- `TRUTH`: latent causes and intents, sealed: the metric layer never reads them.

An event has `occurred_at` (when it happened) and `recorded_at` (when it became known, never earlier), a subscriber and
a gapless sequence, and only the columns that its kind uses; the others are null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from billing_sim import declines

SCHEMA_VERSION = 1
"""Written into every run; a log with a higher number is refused by its readers."""

NONE = "none"
METHOD_KINDS = (
    NONE, "credit", "debit", "prepaid", "wallet", "direct_debit", "a2a_emandate", "carrier_partner", "gift_balance",
    "voucher",
)  # fmt: skip
CREDIT, DEBIT, PREPAID, WALLET, DIRECT_DEBIT, A2A_EMANDATE, CARRIER_PARTNER, GIFT_BALANCE, VOUCHER = range(1, 10)
INITIATORS = (NONE, "cit", "mit")
CIT, MIT = 1, 2

REASONS = (
    NONE,
    "voluntary", "nonpayment", "payment_trouble",
    "active", "past_due", "on_hold", "canceling",
    "subscriber", "account_updater", "network_token", "backup",
    "payment_failed", "payment_reminder", "hold_started", "ended",
    "authorized", "failed",
    "new", "returning", "gave_up", "preferred",
    # Plans and money.
    "upgrade", "downgrade", "trial_converted", "trial_ended", "trial_without_method", "goodwill", "proration",
    # Refunds and disputes.
    "complaint", "duplicate", "unauthorised", "fraud", "friendly_fraud", "service", "full", "partial",
    # Authentication and the fraud screen.
    "frictionless", "challenge_passed", "challenge_failed", "challenge_abandoned",
    "passed", "reviewed", "blocked", "approved", "rejected",
    # Support: what contacts are about, and how they end.
    "double_charge", "price_rise", "cannot_pay", "unknown_charge",
    "retried", "refunded", "grace_extended", "link_sent", "explained", "saved", "unresolved", "no_answer",
    # What people say, and what they are offered.
    "price", "content", "not_using", "other", "nps", "csat", "win_back", "save", "retention",
    # The campaign against sharing.
    "i_follow_the_rules", "netflix_criminal", "does_not_share", "shares", "host", "borrower", "control",
    "verification", "canceled_by_mistake",
    # How else a member of the base may stand at the start.
    "in_trial", "paused",
)  # fmt: skip
"""What the column `reason` can say; each kind documents which of these it uses."""
(
    _,
    VOLUNTARY, NONPAYMENT, PAYMENT_TROUBLE,
    ACTIVE, PAST_DUE, ON_HOLD, CANCELING,
    BY_SUBSCRIBER, BY_UPDATER, BY_TOKEN, BY_BACKUP,
    NOTICE_FAILED, NOTICE_REMINDER, NOTICE_HOLD, NOTICE_ENDED,
    RESOLVED_AUTHORIZED, RESOLVED_FAILED,
    NEW, RETURNING, GAVE_UP, PREFERRED,
    UPGRADE, DOWNGRADE, TRIAL_CONVERTED, TRIAL_OVER, TRIAL_WITHOUT_METHOD, GOODWILL, PRORATION,
    COMPLAINT, DUPLICATE, UNAUTHORISED, TRUE_FRAUD, FRIENDLY_FRAUD, SERVICE, FULL, PARTIAL,
    FRICTIONLESS, CHALLENGE_PASSED, CHALLENGE_FAILED, CHALLENGE_ABANDONED,
    SCREEN_PASSED, SCREEN_REVIEWED, SCREEN_BLOCKED, REVIEW_APPROVED, REVIEW_REJECTED,
    DOUBLE_CHARGE, PRICE_RISE, CANNOT_PAY, UNKNOWN_CHARGE,
    RETRIED, REFUNDED, GRACE_EXTENDED, LINK_SENT, EXPLAINED_TO, SAVED, UNRESOLVED, NO_ANSWER,
    WHY_PRICE, WHY_CONTENT, WHY_NOT_USING, WHY_OTHER, NPS, CSAT, WIN_BACK, SAVE, RETENTION,
    FOLLOWS_THE_RULES, CRIMINAL, DOES_NOT_SHARE, SHARES, HOST, BORROWER, CONTROL,
    VERIFICATION, CANCELED_BY_MISTAKE,
    IN_TRIAL, PAUSED,
) = range(len(REASONS))  # fmt: skip

CHANNELS = (NONE, "email", "push", "in_app", "chat", "phone")
BY_EMAIL, BY_PUSH, BY_IN_APP, BY_CHAT, BY_PHONE = range(1, 6)
NETWORKS = (NONE, "visa", "mastercard", "other")
VISA, MASTERCARD, OTHER_NETWORK = range(1, 4)


@dataclass(frozen=True)
class Column:
    """One column of the log: its storage, its vocabulary when it is a label, and what it means."""

    name: str
    storage: str
    meaning: str
    vocabulary: str = ""


ENVELOPE: tuple[Column, ...] = (
    Column("subscriber", "i8", "who; a number that is the same in every run and world (see `people.describe`)"),
    Column("sequence", "i4", "position in this subscriber's life, from 0 without gaps"),
    Column("kind", "u1", "what happened", "kinds"),
    Column("occurred_at", "timestamp", "when it happened, microseconds UTC"),
    Column("recorded_at", "timestamp", "when it became known, never before it happened"),
)
PAYLOAD: tuple[Column, ...] = (
    Column("spell", "i2", "which subscription of this person, from 1"),
    Column("invoice", "i4", "which invoice of this person, from 1"),
    Column("attempt", "i2", "which attempt on this invoice, from 1"),
    Column("method", "i2", "which payment method of this person, from 1"),
    Column("method_kind", "u1", "kind of that payment method", "method_kinds"),
    Column("market", "u1", "market", "markets"),
    Column("plan", "u1", "plan", "plans"),
    Column("currency", "u1", "ISO 4217 code", "currencies"),
    Column("gateway", "u1", "gateway", "gateways"),
    Column("policy", "u1", "dunning policy", "policies"),
    Column(
        "initiator",
        "u1",
        "who set it off, also a voucher: the customer (cit) or the merchant (mit)",
        "initiators",
    ),
    Column("code", "u1", "observed decline code", "codes"),
    Column("reason", "u1", "what qualifies the kind", "reasons"),
    Column("group", "u1", "jackknife group, 0 to 63, by keyed hash of the subscriber"),
    Column("arm", "u1", "experiment and arm, or none", "arms"),
    Column("channel", "u1", "how a notice or a contact travels", "channels"),
    Column("network", "u1", "card network", "networks"),
    Column("coupon", "u1", "promotion that gives a discount", "coupons"),
    Column("campaign", "u1", "campaign against sharing", "campaigns"),
    Column("bin", "u1", "BIN range of a card: the first digits of its number, by which its issuer is known", "bins"),
    Column("score", "i2", "risk from 0 to 999, what a survey was answered with, or typing mistakes in an address"),
    Column("latency_ms", "i4", "response time in milliseconds"),
    Column("period_start", "date", "first day of the service period, local calendar"),
    Column("period_end", "date", "first day after the service period, local calendar"),
    Column("amount_minor", "i8", "amount in minor units of the market's currency, tax included"),
    Column("tax_minor", "i8", "tax within that amount, minor units"),
    Column("fee_minor", "i8", "what it costs us, minor units of the same currency"),
)
COLUMNS = ENVELOPE + PAYLOAD

_STORAGE = {"timestamp": "i8", "date": "i4"}
_ORDER = ("i8", "i4", "i2", "u1")


def _row_type(columns: tuple[Column, ...]) -> np.dtype:
    fields: list[tuple[str, Any]] = [(column.name, _STORAGE.get(column.storage, column.storage)) for column in columns]
    fields.sort(key=lambda field: _ORDER.index(field[1]))
    # Filler with a name: NumPy does not copy nameless padding, and digests read every byte.
    missing = -np.dtype(fields).itemsize % 8
    return np.dtype([*fields, ("filler", "u1", (missing,))] if missing else fields)


ROW = _row_type(COLUMNS)
"""A row as the rules write it: narrow integers, widest first, zero where a kind does not use a column."""


@dataclass(frozen=True)
class Kind:
    """One kind of event: its number (never reused), name, columns beyond the envelope, and meaning."""

    number: int
    name: str
    columns: tuple[str, ...]
    meaning: str


def _kind(number: int, name: str, columns: str, meaning: str) -> Kind:
    return Kind(number, name, tuple(columns.split()), meaning)


SIGNUP_STARTED = 1
SIGNUP_ABANDONED = 2
SUBSCRIPTION_CREATED = 3
SUBSCRIPTION_IMPORTED = 4
CANCEL_REQUESTED = 5
SUBSCRIPTION_CANCELED = 6
SUBSCRIPTION_HELD = 7
SUBSCRIPTION_RESTORED = 8
METHOD_ADDED = 10
METHOD_UPDATED = 11
INVOICE_ISSUED = 20
INVOICE_VOIDED = 21
INVOICE_UNCOLLECTIBLE = 22
INVOICE_IMPORTED = 23
ATTEMPT_AUTHORIZED = 30
ATTEMPT_DECLINED = 31
ATTEMPT_UNKNOWN = 32
ATTEMPT_RECONCILED = 33
GATEWAY_CALL_FAILED = 34
PAYMENT_CAPTURED = 40
PAYMENT_RETURNED = 41
DUNNING_STARTED = 50
NOTICE_SENT = 51
# Plans and money.
PLAN_CHANGED = 9
SUBSCRIPTION_PAUSED = 12
SUBSCRIPTION_RESUMED = 13
COUPON_REDEEMED = 14
TRIAL_STARTED = 15
TRIAL_ENDED = 16
TRIAL_IMPORTED = 17
PAUSE_IMPORTED = 18
COUPON_IMPORTED = 19
DISCOUNT_APPLIED = 24
CREDIT_NOTE_ISSUED = 25
CREDIT_APPLIED = 26
# Refunds and disputes.
PAYMENT_DUPLICATED = 42
REFUND_ISSUED = 43
DISPUTE_OPENED = 44
DISPUTE_REPRESENTED = 45
DISPUTE_WON = 46
DISPUTE_LOST = 47
FRAUD_REPORTED = 48
# Fraud and authentication.
ATTEMPT_PENDING = 35
ATTEMPT_BLOCKED = 36
AUTHENTICATION_COMPLETED = 37
REVIEW_OPENED = 38
REVIEW_CLOSED = 39
# Gateways under load.
# Support.
CONTACT_OPENED = 70
CONTACT_ANSWERED = 71
CONTACT_ABANDONED = 72
CONTACT_RESOLVED = 73
CONTACT_UNRESOLVED = 74
# People and what they say.
NOTICE_OPENED = 52
NOTICE_UNDELIVERED = 53
OFFER_SENT = 54
SURVEY_SENT = 76
SURVEY_ANSWERED = 77
EXIT_SURVEY_ANSWERED = 78
# Campaigns.
CAMPAIGN_REACHED = 80
CAMPAIGN_SHARED = 81
CAMPAIGN_REPLIED = 82
CAMPAIGN_LANDED = 83
CAMPAIGN_EMAIL_LEFT = 84
SHARING_RESTRICTED = 85
# Experiments.
EXPERIMENT_ENROLLED = 90

EVENTS: tuple[Kind, ...] = (
    _kind(SIGNUP_STARTED, "signup.started", "spell market plan method method_kind reason group arm",
          "A person enters payment details; `reason` is new or returning."),
    _kind(SIGNUP_ABANDONED, "signup.abandoned", "spell invoice reason",
          "The person gives up without having paid."),
    _kind(SUBSCRIPTION_CREATED, "subscription.created",
          "spell market plan method method_kind reason group arm period_start",
          "A subscription begins, its first invoice paid; `reason` is new or returning."),
    _kind(SUBSCRIPTION_IMPORTED, "subscription.imported",
          "spell market plan method method_kind reason group arm invoice period_start period_end",
          "A member of the base at the start; `reason` is active, past_due, on_hold, canceling, in_trial or paused. "
          "`period_start` is the day they joined, `period_end` the end of what is paid or owed, of a trial or pause."),
    _kind(CANCEL_REQUESTED, "subscription.cancel_requested", "spell reason period_end",
          "The member cancels; it takes effect on `period_end`. `reason` is voluntary or payment_trouble."),
    _kind(SUBSCRIPTION_CANCELED, "subscription.canceled", "spell invoice reason",
          "The subscription ends: voluntary, payment_trouble (cancelled while a payment was failing), or nonpayment."),
    _kind(SUBSCRIPTION_HELD, "subscription.put_on_hold", "spell invoice",
          "Grace is over and the invoice still unpaid: access is blocked."),
    _kind(SUBSCRIPTION_RESTORED, "subscription.restored", "spell invoice",
          "Access is back after a hold."),
    _kind(METHOD_ADDED, "payment_method.added", "spell method method_kind network bin reason period_end amount_minor",
          "A payment method is put on file: preferred or backup; `period_end` is a card's expiry (1970-01-01 for "
          "what does not expire), the amount what is on a gift balance."),
    _kind(METHOD_UPDATED, "payment_method.updated",
          "spell method method_kind network bin reason period_end amount_minor",
          "The method on file is replaced or its details are: by the subscriber, the account updater, a network token, "
          "or by falling back to the backup. `method` is the number after the change; a token keeps its own."),
    _kind(INVOICE_ISSUED, "invoice.issued",
          "spell invoice plan currency amount_minor tax_minor reason period_start period_end",
          "An invoice is opened for a service period; the amount is what is due after discounts and credits. "
          "`reason` is verification (of a trial's method, with nothing), proration (a change of plan), else none."),
    _kind(INVOICE_IMPORTED, "invoice.imported",
          "spell invoice attempt plan currency policy amount_minor tax_minor period_start period_end",
          "An invoice of before the start that is open: of a base member in dunning at the start, or whose captured "
          "payment comes back after it; `attempt` counts the tries made before."),
    _kind(INVOICE_VOIDED, "invoice.voided", "spell invoice reason",
          "The invoice is void: nothing is owed any more."),
    _kind(INVOICE_UNCOLLECTIBLE, "invoice.marked_uncollectible", "spell invoice",
          "Dunning is exhausted: the invoice is given up."),
    _kind(ATTEMPT_AUTHORIZED, "payment_attempt.authorized",
          "spell invoice attempt method method_kind gateway initiator network bin latency_ms amount_minor fee_minor",
          "One try to collect an invoice is answered with yes."),
    _kind(ATTEMPT_DECLINED, "payment_attempt.declined",
          "spell invoice attempt method method_kind gateway initiator network bin latency_ms amount_minor fee_minor "
          "code",
          "One try to collect an invoice is answered with no."),
    _kind(ATTEMPT_UNKNOWN, "payment_attempt.outcome_unknown",
          "spell invoice attempt method method_kind gateway initiator network bin latency_ms amount_minor fee_minor",
          "No answer came in time; it is reconciled later and nothing is charged meanwhile."),
    _kind(ATTEMPT_RECONCILED, "payment_attempt.reconciled",
          "spell invoice attempt method method_kind gateway initiator network bin amount_minor code reason",
          "The unknown outcome is known: `reason` is authorized or failed (then with a code)."),
    _kind(GATEWAY_CALL_FAILED, "gateway_call.failed", "spell invoice attempt method_kind gateway latency_ms",
          "A gateway could not process the attempt, which went on to another gateway in the same decision."),
    _kind(PAYMENT_CAPTURED, "payment.captured", "spell invoice attempt amount_minor fee_minor",
          "The money of an authorized attempt is taken: the invoice is paid."),
    _kind(PAYMENT_RETURNED, "payment.returned", "spell invoice attempt amount_minor code",
          "A captured direct debit comes back unpaid days later: the invoice is open again."),
    _kind(DUNNING_STARTED, "dunning.started", "spell invoice policy",
          "The first failure of an invoice: this policy now says when to retry, tell, hold and end."),
    _kind(NOTICE_SENT, "notice.sent", "spell invoice reason channel",
          "The member is told: payment_failed, payment_reminder, hold_started or ended; `channel` where the market has "
          "channels."),
    # Plans and money.
    _kind(PLAN_CHANGED, "subscription.plan_changed", "spell invoice plan amount_minor tax_minor reason period_end",
          "The member has another plan from now on: upgrade (paid for at once) or downgrade. The amount is its price "
          "per billing interval, before discounts; `period_end` is when that is next due."),
    _kind(SUBSCRIPTION_PAUSED, "subscription.paused", "spell period_start period_end",
          "The member pauses from `period_start` to `period_end`: no access and no charge."),
    _kind(SUBSCRIPTION_RESUMED, "subscription.resumed", "spell", "A pause is over: the next period is billed."),
    _kind(COUPON_REDEEMED, "coupon.redeemed", "spell coupon", "A coupon is redeemed: it reduces what comes next."),
    _kind(TRIAL_STARTED, "trial.started", "spell method_kind period_start period_end",
          "A free trial begins; `method_kind` is none where no payment method was asked for."),
    _kind(TRIAL_ENDED, "trial.ended", "spell reason",
          "A free trial is over: trial_converted (the first period is billed), trial_ended (the person cancelled in "
          "it) or trial_without_method (nobody left a payment method)."),
    _kind(TRIAL_IMPORTED, "trial.imported", "spell method_kind period_start period_end",
          "A free trial of before the start that goes on: of a base member, who may have cancelled in it."),
    _kind(PAUSE_IMPORTED, "pause.imported", "spell period_start period_end",
          "A pause of before the start that goes on: of a base member."),
    _kind(COUPON_IMPORTED, "coupon.imported", "spell coupon score amount_minor tax_minor",
          "A coupon that a base member redeemed before the start and that goes on: what it takes off an invoice, and "
          "in `score` how many it still reduces, 0 for all to come."),
    _kind(DISCOUNT_APPLIED, "discount.applied", "spell invoice coupon amount_minor tax_minor",
          "What a coupon takes off the invoice just issued, whose amount is what is left."),
    _kind(CREDIT_NOTE_ISSUED, "credit_note.issued", "spell amount_minor tax_minor reason",
          "The member is owed an amount, which reduces the next invoices: goodwill, downgrade or proration."),
    _kind(CREDIT_APPLIED, "credit.applied", "spell invoice amount_minor tax_minor",
          "What earlier credit notes take off the invoice just issued."),
    # Refunds and disputes.
    _kind(PAYMENT_DUPLICATED, "payment.duplicated", "spell invoice attempt amount_minor fee_minor reason",
          "A paid invoice is charged once more by mistake: twice in one go (duplicate), or again after the "
          "subscription had ended (unauthorised)."),
    _kind(REFUND_ISSUED, "refund.issued", "spell invoice amount_minor reason",
          "We give money of a paid invoice back, all or a part: after a complaint, as goodwill, for fraud, or because "
          "it had been charged twice (duplicate) or after the end (unauthorised)."),
    _kind(DISPUTE_OPENED, "dispute.opened", "spell invoice network amount_minor fee_minor reason",
          "The payer's bank takes a charge back, for a fee: fraud, service, duplicate or unauthorised."),
    _kind(DISPUTE_REPRESENTED, "dispute.represented", "spell invoice network reason",
          "We contest the dispute with evidence."),
    _kind(DISPUTE_WON, "dispute.won", "spell invoice network amount_minor reason",
          "The bank gives us right: the money comes back."),
    _kind(DISPUTE_LOST, "dispute.lost", "spell invoice network amount_minor reason",
          "The money is gone: the bank gave the payer right, or we did not contest."),
    _kind(FRAUD_REPORTED, "fraud.reported", "spell invoice network amount_minor",
          "The payer's bank reports the charge to its card network as fraud (Visa calls it TC40)."),
    # Fraud and authentication.
    _kind(ATTEMPT_PENDING, "payment_attempt.pending",
          "spell invoice attempt method method_kind gateway initiator latency_ms amount_minor period_end fee_minor",
          "The answer comes later, when it is reconciled: a voucher is issued that the member may pay until the same "
          "time of day on `period_end`, or a bank is asked for a debit by e-mandate, which it makes on that day and "
          "answers after."),
    _kind(ATTEMPT_BLOCKED, "payment_attempt.blocked",
          "spell invoice attempt method method_kind initiator bin amount_minor score code",
          "Our own fraud screen refuses a payment; it is sent nowhere."),
    _kind(AUTHENTICATION_COMPLETED, "authentication.completed",
          "spell invoice attempt method method_kind latency_ms reason",
          "The customer authenticated, or did not, before an attempt: `reason` is frictionless, challenge_passed, "
          "challenge_failed or challenge_abandoned."),
    _kind(REVIEW_OPENED, "fraud_review.opened", "spell invoice attempt method method_kind amount_minor score",
          "A payment waits until somebody has looked at it."),
    _kind(REVIEW_CLOSED, "fraud_review.closed",
          "spell invoice attempt method method_kind latency_ms amount_minor score reason",
          "It is decided: approved, and the attempt is made now, or rejected. Where reviewers are a team, "
          "`latency_ms` is how long it waited for one of them, at most 24 days."),
    # Gateways under load.
    # Support.
    _kind(CONTACT_OPENED, "contact.opened", "spell invoice reason channel",
          "A member contacts support; `reason` is what about: payment_failed, hold_started, double_charge, price_rise, "
          "unknown_charge or canceled_by_mistake. A person has one contact under way at a time."),
    _kind(CONTACT_ANSWERED, "contact.answered", "spell invoice reason channel latency_ms",
          "An agent takes up the contact; `latency_ms` is how long the member waited, at most 24 days."),
    _kind(CONTACT_ABANDONED, "contact.abandoned", "spell invoice reason channel latency_ms",
          "The member gives up waiting, after `latency_ms`."),
    _kind(CONTACT_RESOLVED, "contact.resolved", "spell invoice reason channel fee_minor",
          "The agent closes the contact as settled; `reason` is what was done: retried, link_sent, grace_extended, "
          "explained, refunded or saved (a cancellation is undone)."),
    _kind(CONTACT_UNRESOLVED, "contact.closed_unresolved", "spell invoice reason channel fee_minor",
          "The contact ends without having settled anything."),
    # People and what they say.
    _kind(NOTICE_OPENED, "notice.opened", "spell invoice channel",
          "The member opens the notice in sight."),
    _kind(NOTICE_UNDELIVERED, "notice.undelivered", "spell invoice channel",
          "The notice just sent does not arrive: the address is bad, or the member wants no more of them."),
    _kind(OFFER_SENT, "offer.sent", "spell reason channel coupon period_end",
          "A person who left is offered something to come back (win_back); it stands until `period_end`."),
    _kind(SURVEY_SENT, "survey.sent", "spell invoice reason score",
          "The member is asked about what `reason` says: payment_failed (and mended), hold_started, service (contact), "
          "new (signing up) or active (a quiet year); `score` is the highest answer: 10 for nps, 5 for csat."),
    _kind(SURVEY_ANSWERED, "survey.answered", "spell invoice reason score",
          "The member answers: nps from 0 to 10, csat from 1 to 5."),
    _kind(EXIT_SURVEY_ANSWERED, "exit_survey.answered", "spell reason",
          "Who cancels says why: price, content, not_using or other; it need not be so."),
    # Campaigns.
    _kind(CAMPAIGN_REACHED, "campaign.reached", "spell market group campaign reason fee_minor",
          "A campaign finds a person; `reason` is control for those who are shown nothing, to compare with."),
    _kind(CAMPAIGN_SHARED, "campaign.shared", "spell market group campaign reason",
          "The person shares a conversation card: i_follow_the_rules or netflix_criminal."),
    _kind(CAMPAIGN_REPLIED, "campaign.replied", "spell market group campaign reason fee_minor",
          "The person answers the automatic reply: does_not_share, or shares."),
    _kind(CAMPAIGN_LANDED, "campaign.landed", "spell market group campaign reason",
          "A host who admits to sharing opens the landing page."),
    _kind(CAMPAIGN_EMAIL_LEFT, "campaign.email_left", "spell market group campaign reason score fee_minor",
          "The person's e-mail address is left on the landing page, as host or as borrower; `score` counts the typing "
          "mistakes in it. Whoever borrows may not be known to us yet: then `spell` is 0."),
    _kind(SHARING_RESTRICTED, "sharing.restricted", "spell market group reason",
          "A member who shares is told that people outside the household have no access any more; `reason` is host."),
    # Experiments.
    _kind(EXPERIMENT_ENROLLED, "experiment.enrolled", "spell invoice market group arm",
          "The person is enrolled in an experiment: from now on the rules of this arm hold. `spell` is their last by "
          "then, `invoice` one that is open."),
)  # fmt: skip
"""Every public kind. Adding one: a number here, a sentence in `billing_sim.trace.sentences`, a story test."""

KIND_NAMES = {kind.number: kind.name for kind in EVENTS}

FIRST_OWN_KIND, LAST_OWN_KIND = 200, 255
"""Numbers of the kinds that a user's own processes add to one run; no kind of ours is ever numbered so."""

OWN_COLUMNS = ("spell", "invoice", "reason", "score", "amount_minor")


def own_kind(place: int, name: str, meaning: str) -> Kind:
    """The kind at a place, from 0, among those that a user adds to a run."""
    return Kind(FIRST_OWN_KIND + place, name, OWN_COLUMNS, meaning)


# The sealed truth.
EXPLAINED = 1
INTENT_CHANGED = 2
EPISODE_BEGAN = 3
LOSS_JUDGED = 4
# Plans and money.
# Refunds and disputes.
DISPUTE_EXPLAINED = 20
# Fraud and authentication.
FRAUD_JUDGED = 30
# Gateways under load.
# Support.
# People and what they say.
SURVEY_JUDGED = 60
OFFER_JUDGED = 61
# Campaigns.
SHARING_DENIED = 70
WOULD_JOIN_ANYWAY = 71
# Experiments.

STAY, INERT, GO = 0, 1, 2
INTENTS = ("stay", "inert", "go")
WHYS = (NONE, "price", "content", "not_using", "payment_trouble", "other")

TRUTH_COLUMNS: tuple[Column, ...] = (
    Column("subscriber", "i8", "who"),
    Column("sequence", "i4", "the public event that this explains; -1 when it stands alone"),
    Column("kind", "u1", "what is told", "truth_kinds"),
    Column("occurred_at", "timestamp", "when it was so"),
    Column("spell", "i2", "which subscription"),
    Column("invoice", "i4", "which invoice"),
    Column("attempt", "i2", "which attempt"),
    Column("method", "i2", "which payment method"),
    Column("cause", "u1", "latent cause", "causes"),
    Column("intent", "u1", "whether the person wants to stay, stays only out of inertia, or wants to go", "intents"),
    Column("why", "u1", "why the person wants to go", "whys"),
    Column("fraud", "u1", "1 when whoever pays does not own the payment method"),
    Column("able", "u1", "1 when some instrument held could have paid within the dunning window"),
    Column("verdict", "i2", "what a survey would be answered with, or 1 when an offer brings somebody back"),
)
TRUTH_ROW = _row_type(TRUTH_COLUMNS)

TRUTH: tuple[Kind, ...] = (
    _kind(EXPLAINED, "decline.explained", "spell invoice attempt method cause intent fraud",
          "Why an attempt was really declined (or will be returned)."),
    _kind(INTENT_CHANGED, "intent.changed", "spell intent why",
          "The person's wish changes; `why`, for who wants to go, where the scenario gives reasons."),
    _kind(EPISODE_BEGAN, "episode.began", "spell method cause", "Something happens to a payment method."),
    _kind(LOSS_JUDGED, "loss.judged", "spell invoice intent why able",
          "A subscription ended through payment, given up after dunning or cancelled in payment trouble: whether "
          "the person wanted to stay and could have paid."),
    # Plans and money.
    # Refunds and disputes.
    _kind(DISPUTE_EXPLAINED, "dispute.explained", "spell invoice intent fraud",
          "Whether a disputed charge was made by somebody who does not own the payment method."),
    # Fraud and authentication.
    _kind(FRAUD_JUDGED, "fraud.judged", "spell method fraud",
          "Whoever signs up does not own the payment method."),
    # Gateways under load.
    # Support.
    # People and what they say.
    _kind(SURVEY_JUDGED, "survey.judged", "spell invoice verdict",
          "What the person asked would answer, whether they do or not."),
    _kind(OFFER_JUDGED, "offer.judged", "spell verdict",
          "Whether the offer brings the person back: 1 when they would not have been back by its end, else 0."),
    # Campaigns.
    _kind(SHARING_DENIED, "sharing.denied", "spell",
          "The person who has just said that they share with nobody does share."),
    _kind(WOULD_JOIN_ANYWAY, "joining.foreseen", "spell",
          "The borrower whose address was left would sign up without the campaign too, sooner or later."),
    # Experiments.
)  # fmt: skip

WORLD_COLUMNS: tuple[Column, ...] = (
    Column("sequence", "i4", "position, from 0"),
    Column("kind", "u1", "what happened", "world_kinds"),
    Column("occurred_at", "timestamp", "from when it holds"),
    Column("recorded_at", "timestamp", "when it was announced"),
    Column("until", "timestamp", "until when it holds; null: for good"),
    Column("market", "text", "market; null: all"),
    Column("plan", "text", "plan"),
    Column("gateway", "text", "gateway"),
    Column("currency", "text", "ISO 4217 code"),
    Column("amount_minor", "i8", "list price in minor units"),
    Column("rate_nanos", "i8", "units of the reporting currency for one unit, times 10^9"),
    Column("share_ppm", "i8", "share in millionths: of attempts that fail, of extra sign-ups, of tax"),
    Column("detail", "text", "policy rules, region, time zone or switch position, as JSON"),
)

WORLD_EVENTS: tuple[Kind, ...] = (
    _kind(1, "run.configured", "currency detail", "Reporting currency, horizon and longest dunning policy of the run."),
    _kind(2, "market.opened", "market currency share_ppm detail", "A market with its region, time zone and tax."),
    _kind(3, "price.set", "market plan currency amount_minor",
          "A list price holds from this moment; the amount is what is due for it, with the tax of the start."),
    _kind(4, "exchange_rate.published", "currency rate_nanos", "What one unit is worth in the reporting currency."),
    _kind(5, "dunning_policy.put_in_force", "detail", "Policies and the rules that choose among them."),
    _kind(6, "gateway_outage.started", "gateway share_ppm until", "A gateway fails a share of its attempts."),
    _kind(7, "account_updater.switched", "market detail", "The account updater is on or off."),
    _kind(8, "signup_surge.started", "market share_ppm until", "Sign-ups rise or fall for a while."),
    _kind(9, "plan.offered", "plan detail", "A plan and its billing interval."),
    # Plans and money.
    _kind(10, "promotion.defined", "detail", "A promotion that coupons stand for: what it takes off, for how long."),
    _kind(11, "promotion.opened", "market share_ppm until detail", "For a while people may redeem a promotion."),
    _kind(12, "trial.offered", "market detail", "New people may try the service for free."),
    _kind(13, "trial.withdrawn", "market", "Whoever signs up from now on gets no free trial."),
    _kind(14, "tax.changed", "market share_ppm", "Another tax rate holds from this moment."),
    _kind(15, "price_change.reverted", "market", "The prices before the last change hold again."),
    # Refunds and disputes.
    _kind(20, "partner_billing.agreed", "share_ppm detail",
          "The share that partners keep of what they collect, and whether revenue is booked gross or net of it."),
    _kind(21, "network_rules.announced", "detail", "What card networks allow per card, and what an excess try costs."),
    # Fraud and authentication.
    _kind(30, "authentication_rule.put_in_force", "market share_ppm detail",
          "From now on customers authenticate by these rules; the share of payments that need it."),
    _kind(31, "fraud_rule.put_in_force", "market detail", "From now on the fraud screen has these thresholds."),
    _kind(32, "deploy.released", "market gateway detail", "A release of ours goes live."),
    _kind(33, "deploy.rolled_back", "market gateway detail", "It is taken back; `detail`: live since when."),
    _kind(34, "payment_method.launched", "market share_ppm detail", "A payment method is offered from now on."),
    _kind(35, "payment_method.withdrawn", "market detail", "A payment method is no longer accepted."),
    _kind(36, "market.launched", "market share_ppm", "People can sign up in this market from now on."),
    # Gateways under load.
    _kind(40, "issuer_outage.started", "market share_ppm until detail",
          "Issuers cannot be reached for a share of attempts; `detail` names the methods, none for all."),
    _kind(41, "gateway_capacity.set", "gateway detail",
          "How many attempts an hour a gateway takes before it refuses, and from how many on it slows down."),
    # Support.
    _kind(50, "support.staffed", "share_ppm until detail",
          "Agents come or go for a while: by how much (`share_ppm`), and how much longer contacts take."),
    # People and what they say.
    _kind(60, "win_back_offer.planned", "market share_ppm detail",
          "People who left are offered something: when, for how long, to whom, with which coupon, by which channel."),
    # Campaigns.
    _kind(70, "campaign.opened", "market share_ppm until detail",
          "A campaign begins; the share of those it finds who are shown nothing, its coupons and its fixed cost in the "
          "reporting currency."),
    _kind(71, "sharing.forbidden", "market", "From now on hosts are told that sharing outside the household is over."),
    # Experiments.
    _kind(80, "experiment.opened", "detail until",
          "An experiment enrols people: its arms with their shares and what differs in each, whom and when it enrols."),
)  # fmt: skip

VOCABULARIES: dict[str, tuple[str, ...]] = {
    "method_kinds": METHOD_KINDS,
    "initiators": INITIATORS,
    "reasons": REASONS,
    "channels": CHANNELS,
    "networks": NETWORKS,
    "whys": WHYS,
    "codes": tuple(code.code for code in declines.CODES),
    "causes": tuple(name for name, _ in declines.CAUSES),
    "intents": INTENTS,
}
"""Labels by number, for the columns whose vocabulary does not come from the scenario."""
