"""The facts: what readers ask questions of, one row per unit, folded from the log alone.

Each fact has one grain and carries the dimensions of its unit, so a metric never needs a join. Times are UTC; money is
integer: `*_minor` in minor units of the row's currency, `*_micros` in millionths of the reporting currency at the
rate in force when the invoice was issued; monthly revenue at the rate in force just before the month began or ended. A
null means "not (yet)".

Storage names: `i8 i4 i2 u1` integers, `bool`, `timestamp` (microseconds UTC), `date` (days), and for labels the
vocabulary that turns the stored number into text.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from billing_sim.events import Column


@dataclass(frozen=True)
class Fact:
    """A table of facts: its name, what one row is, and its columns."""

    name: str
    grain: str
    columns: tuple[Column, ...]

    @property
    def dtype(self) -> np.dtype:
        """The row as the fold writes it: widest first; `timestamp` and `date` use `NULL` for null."""
        storage = {"timestamp": "i8", "date": "i4", "bool": "u1"}
        order = ("i8", "i4", "i2", "u1")
        fields = [(column.name, storage.get(column.storage, column.storage)) for column in self.columns]
        return np.dtype(sorted(fields, key=lambda field: order.index(field[1])), align=True)


NULL = -(1 << 31)
"""Stands for null in timestamp and date columns until the rows become Arrow columns."""

NO_LABEL = 255
"""Stands for null in the label columns of `OPTIONAL_LABELS`."""

OPTIONAL_LABELS = ("policy", "gateway")
"""Labels that a unit may lack: no attempt was made, or none failed."""


def _c(name: str, storage: str, meaning: str, vocabulary: str = "") -> Column:
    return Column(name, storage, meaning, vocabulary)


_WHO = (
    _c("subscriber", "i8", "who"),
    _c("spell", "i2", "which subscription of this person, from 1"),
    _c("group", "u1", "jackknife group, 0 to 63"),
    _c("arm", "u1", "experiment and arm in which the person is, or none", "arms"),
    _c("market", "u1", "market", "markets"),
    _c("region", "u1", "region", "regions"),
    _c("plan", "u1", "plan", "plans"),
    _c("interval", "u1", "billing interval of the plan", "intervals"),
    _c("method", "u1", "kind of the payment method", "method_kinds"),
)

INVOICES = Fact("invoices", "one invoice", (
    *_WHO,
    _c("invoice", "i4", "which invoice of this person, from 1"),
    _c("currency", "u1", "ISO 4217 code", "currencies"),
    _c("policy", "u1", "dunning policy, once an attempt failed; else null", "policies"),
    _c("gateway", "u1", "gateway of the first attempt", "gateways"),
    _c("is_signup", "bool", "bought on the spot: a spell's first invoice, unless a trial came first, or an upgrade's"),
    _c("is_imported", "bool", "it was open when the run began: issued before, so issued_at is null"),
    _c("issued_at", "timestamp", "when it was issued"),
    _c("issued_recorded_at", "timestamp", "when that became known"),
    _c("spell_started_at", "timestamp", "when the spell began (for cohorts)"),
    _c("period_start", "date", "first day of the service period"),
    _c("period_end", "date", "first day after it"),
    _c("amount_minor", "i8", "amount due, tax included"),
    _c("tax_minor", "i8", "tax within it"),
    _c("amount_micros", "i8", "amount due in the reporting currency"),
    _c("tax_micros", "i8", "tax within it in the reporting currency"),
    _c("first_outcome", "u1", "first answer: none, authorized, declined, blocked or unknown", "outcomes"),
    _c("first_recorded_at", "timestamp", "when the answer to the first attempt became known"),
    _c("first_code", "u1", "decline code of the first failure", "codes"),
    _c("first_decline_kind", "u1", "soft or hard", "decline_kinds"),
    _c("first_failed_at", "timestamp", "first decline or return"),
    _c("attempts", "i2", "attempts in all"),
    _c("mit_attempts", "i2", "merchant-initiated attempts"),
    _c("declines", "i2", "declined attempts and returned payments"),
    _c("notices", "i2", "notices sent"),
    _c("status", "u1", "open, paid, void or uncollectible, as last seen", "invoice_statuses"),
    _c("paid_at", "timestamp", "when it was paid for good"),
    _c("paid_recorded_at", "timestamp", "when that became known"),
    _c("given_up_at", "timestamp", "when it was voided or marked uncollectible"),
    _c("given_up_recorded_at", "timestamp", "when that became known"),
    _c("was_returned", "bool", "a captured payment came back"),
    _c("method_updated_at", "timestamp", "first change of the payment method by the member after the first failure"),
    _c("held_at", "timestamp", "when the subscription was first put on hold for it"),
    _c("recovered_by", "u1", "what mended a failure: none, retry, member, updater, backup", "recoveries"),
    # Plans and money.
    _c("is_verification", "bool", "an invoice of nothing that checks the payment method of a trial"),
    _c("is_proration", "bool", "the difference that an upgrade costs for the rest of a period"),
    _c("after_trial", "bool", "the first invoice after a trial"),
    _c("coupon", "u1", "coupon that reduced it", "coupons"),
    _c("discount_minor", "i8", "what a coupon took off before it was issued"),
    _c("discount_micros", "i8", "the same in the reporting currency"),
    _c("credit_minor", "i8", "what earlier credit notes took off"),
    _c("credit_micros", "i8", "the same in the reporting currency"),
    # Refunds and disputes.
    _c("refunded_at", "timestamp", "when money of it was first given back, duplicates aside"),
    _c("disputed_at", "timestamp", "when its charge was first disputed, duplicates aside"),
    _c("surplus_charges", "i2", "how often it was charged besides: twice by mistake, or after the end"),
    _c("refunded_minor", "i8", "given back of what was owed, minor units"),
    _c("chargeback_minor", "i8", "lost in disputes of what was owed, minor units"),
    _c("refunded_micros", "i8", "given back of what was owed, in the reporting currency"),
    _c("chargeback_micros", "i8", "lost in disputes of what was owed, in the reporting currency"),
    _c("duplicated_micros", "i8", "charged besides what was owed, and neither given nor taken back (yet)"),
    _c("fee_micros", "i8", "what collecting it cost: attempts, charges, disputes"),
    _c("booked_micros", "i8", "what is booked as revenue once it is paid: less a partner's share where that is net"),
    # Fraud and authentication.
    # Gateways under load.
    # Support.
    _c("contacts_14d", "i2", "contacts with support within 14 days after it was issued, before the next"),
    # People and what they say.
    # Campaigns.
    # Experiments.
))  # fmt: skip

ATTEMPTS = Fact("attempts", "one payment attempt", (
    *_WHO,
    _c("invoice", "i4", "which invoice of this person"),
    _c("attempt", "i2", "which attempt on it, from 1"),
    _c("instrument", "i2", "which payment method of this person, from 1"),
    _c("currency", "u1", "ISO 4217 code", "currencies"),
    _c("gateway", "u1", "gateway that answered", "gateways"),
    _c("initiator", "u1", "who set it off, also a voucher: the customer (cit) or the merchant (mit)", "initiators"),
    _c("is_signup", "bool", "on a spell's first invoice where no trial came before, or on that of an upgrade"),
    _c("occurred_at", "timestamp", "when it was answered"),
    _c("recorded_at", "timestamp", "when that became known"),
    _c("issued_at", "timestamp", "when its invoice was issued"),
    _c("outcome", "u1", "authorized, declined, blocked by us, or unknown until it is reconciled", "outcomes"),
    _c("code", "u1", "decline code", "codes"),
    _c("decline_kind", "u1", "soft or hard", "decline_kinds"),
    _c("latency_ms", "i4", "response time, milliseconds"),
    _c("failed_calls", "u1", "gateways that could not process it before this one"),
    _c("was_unknown", "bool", "its outcome was unknown for a while"),
    _c("was_returned", "bool", "its captured payment came back"),
    _c("amount_minor", "i8", "amount, minor units"),
    _c("amount_micros", "i8", "amount in the reporting currency"),
    # Plans and money.
    # Refunds and disputes.
    _c("network", "u1", "card network of the method", "networks"),
    _c("fee_micros", "i8", "what it cost: its own fee, and that of its charge"),
    # Fraud and authentication.
    _c("authentication", "u1", "how the customer authenticated before it, if they had to", "authentications"),
    _c("score", "i2", "risk score with which our own screen blocked or reviewed it, 0 when it did neither"),
    _c("was_reviewed", "bool", "somebody looked at it before it was made or blocked"),
    _c("is_pending", "bool", "a voucher, or a debit that a bank keeps pending: its outcome comes days later"),
    _c("review_seconds", "i8", "how long that took from when it was asked for, seconds"),
    _c("bin", "u1", "BIN range of the card, by which its issuer is known", "bins"),
    # Gateways under load.
    # Support.
    # People and what they say.
    # Campaigns.
    # Experiments.
))  # fmt: skip

SUBSCRIPTIONS = Fact("subscriptions", "one spell: a subscription of a person from its start to its end", (
    *_WHO,
    _c("currency", "u1", "ISO 4217 code", "currencies"),
    _c("started_by", "u1", "imported, new or returning", "starts"),
    _c("started_at", "timestamp", "when it was created, or imported"),
    _c("joined_on", "date", "the day the person joined (before the run, for the base)"),
    _c("cancel_requested_at", "timestamp", "when the member cancelled"),
    _c("ended_at", "timestamp", "when it ended"),
    _c("ended_recorded_at", "timestamp", "when that became known"),
    _c("end_reason", "u1", "voluntary, payment_trouble or nonpayment", "reasons"),
    _c("status", "u1", "active, past_due, on_hold, canceling, ended, paused or in_trial; last seen", "spell_statuses"),
    _c("renewals", "i4", "renewal invoices issued"),
    _c("failed_renewals", "i4", "renewals whose first attempt failed"),
    _c("coupon", "u1", "coupon last redeemed", "coupons"),
    _c("plan_changes", "i2", "changes of plan"),
    _c("pauses", "i2", "pauses"),
    _c("trial_started_at", "timestamp", "when a free trial began; of before the run, midnight of its day"),
    _c("trial_ended_at", "timestamp", "when it ended"),
    _c("trial_end", "u1", "trial_converted, trial_ended or trial_without_method", "reasons"),
    _c("trial_paid_at", "timestamp", "when the first invoice after the trial was paid"),
    # People and what they say.
    _c("stated_reason", "u1", "why who cancelled says they did: none, price, content, not_using or other", "reasons"),
))  # fmt: skip

SUBSCRIPTION_MONTHS = Fact("subscription_months", "one spell in one calendar month (UTC)", (
    *_WHO,
    _c("currency", "u1", "ISO 4217 code", "currencies"),
    _c("month", "date", "first day of the month"),
    _c("joined_on", "date", "the day the person joined"),
    _c("active_at_start", "bool", "subscribed when the month began"),
    _c("active_at_end", "bool", "subscribed when the month ended"),
    _c("joined", "u1", "began in this month: none, new, returning, or imported when the run began within it", "starts"),
    _c("ended", "u1", "ended in this month: none, voluntary, payment_trouble or nonpayment", "reasons"),
    _c("ended_at", "timestamp", "when it ended, if in this month"),
    _c("ended_recorded_at", "timestamp", "when that became known"),
    _c("past_due_at_end", "bool", "an invoice was failing when the month ended, on hold or not"),
    _c("on_hold_at_end", "bool", "access was blocked when the month ended"),
    _c("member_seconds", "i4", "time subscribed within the month, seconds"),
    _c("net_start_minor", "i8", "price per interval net of tax and recurring discounts as the month began; 0 when "
       "not subscribed, in a trial or paused"),
    _c("net_end_minor", "i8", "the same when it ended"),
    _c("mrr_start_micros", "i8", "monthly recurring revenue when the month began: annual / 12, weekly x 52/12"),
    _c("mrr_end_micros", "i8", "the same when it ended, 0 when no longer subscribed"),
    _c("in_trial_at_start", "bool", "in a free trial when the month began"),
    _c("in_trial_at_end", "bool", "in a free trial when the month ended"),
    _c("paused_at_start", "bool", "paused when the month began"),
    _c("paused_at_end", "bool", "paused when the month ended"),
    _c("list_mrr_end_micros", "i8", "price per month net of tax at the month's end, whatever discount, trial or pause"),
    _c("discounts_end_micros", "i8", "discounts on the last invoice, per month, net of tax"),
    _c("lasting_discounts_end_micros", "i8", "those of them that recur: for several invoices or all"),
    _c("forever_discounts_end_micros", "i8", "those of them that never run out"),
))  # fmt: skip

SIGNUPS = Fact("signups", "one person trying to sign up", (
    *_WHO,
    _c("started_at", "timestamp", "when payment details were entered"),
    _c("recorded_at", "timestamp", "when that became known"),
    _c("started_by", "u1", "new or returning", "starts"),
    _c("outcome", "u1", "open, paid or abandoned", "signup_outcomes"),
    _c("finished_at", "timestamp", "when it was paid or given up"),
    _c("attempts", "i2", "payment attempts"),
    _c("weeks_since_launch", "i2", "whole weeks since a market was last launched; -1 when none was yet"),
    _c("in_launched", "bool", "in the market that was launched last"),
))  # fmt: skip

NOTICES = Fact("notices", "one notice to a member", (
    *_WHO,
    _c("invoice", "i4", "about which invoice"),
    _c("sent_at", "timestamp", "when it was sent"),
    _c("recorded_at", "timestamp", "when that became known"),
    _c("notice", "u1", "payment_failed, payment_reminder, hold_started or ended", "reasons"),
    _c("channel", "u1", "how it travelled; none where the market has no channels", "channels"),
    _c("delivered", "bool", "false when it is known not to have arrived"),
    _c("opened_at", "timestamp", "when it was opened, where that is known"),
))  # fmt: skip

PAYMENT_METHODS = Fact("payment_methods", "one payment method on file, until another took its place", (
    *_WHO,
    _c("instrument", "i2", "which payment method of this person, from 1"),
    _c("added_at", "timestamp", "when it was put on file"),
    _c("added_by", "u1", "preferred, backup, subscriber, account_updater or network_token", "reasons"),
    _c("expires_on", "date", "last day of a card's validity"),
    _c("replaced_at", "timestamp", "when another took its place"),
    _c("weeks_since_launch", "i2", "whole weeks since a method was last launched in this market; -1 when none was yet"),
    _c("is_launched", "bool", "it is of the kind that was launched last"),
    _c("balance_minor", "i8", "what was loaded on a gift balance"),
))  # fmt: skip

# Plans and money.
# Refunds and disputes.
REFUNDS = Fact("refunds", "one refund: money of a paid invoice that we gave back", (
    *_WHO,
    _c("invoice", "i4", "of which invoice of this person"),
    _c("currency", "u1", "ISO 4217 code", "currencies"),
    _c("reason", "u1", "complaint, goodwill, fraud, or of a charge never owed: duplicate or unauthorised", "reasons"),
    _c("is_full", "bool", "all of the invoice's amount"),
    _c("charged_at", "timestamp", "when the invoice was paid (for cohorts)"),
    _c("refunded_at", "timestamp", "when the money went back"),
    _c("recorded_at", "timestamp", "when that became known"),
    _c("amount_minor", "i8", "what went back"),
    _c("amount_micros", "i8", "the same in the reporting currency"),
))  # fmt: skip

DISPUTES = Fact("disputes", "one dispute: a charge that the payer's bank took back", (
    *_WHO,
    _c("invoice", "i4", "of which invoice of this person"),
    _c("currency", "u1", "ISO 4217 code", "currencies"),
    _c("network", "u1", "card network of the charge", "networks"),
    _c("reason", "u1", "fraud, service, duplicate or unauthorised", "reasons"),
    _c("charged_at", "timestamp", "when the invoice was paid (for cohorts)"),
    _c("opened_at", "timestamp", "when the bank took the money back"),
    _c("recorded_at", "timestamp", "when that became known"),
    _c("represented_at", "timestamp", "when we contested it"),
    _c("resolved_at", "timestamp", "when it was won or lost"),
    _c("resolved_recorded_at", "timestamp", "when that became known"),
    _c("outcome", "u1", "open, won or lost, as last seen", "dispute_outcomes"),
    _c("fraud_reported", "bool", "the bank reported the charge to its network as fraud"),
    _c("contacted_before", "bool", "the person had written to support about this invoice before"),
    _c("amount_minor", "i8", "what was taken back"),
    _c("amount_micros", "i8", "the same in the reporting currency"),
    _c("fee_micros", "i8", "what the case cost besides, won or lost"),
))  # fmt: skip
# Fraud and authentication.
# Gateways under load.
# Support.
CONTACTS = Fact("contacts", "one contact of a member with support", (
    *_WHO,
    _c("invoice", "i4", "the invoice in question, or the last one"),
    _c("currency", "u1", "ISO 4217 code", "currencies"),
    _c("topic", "u1", "what about: payment_failed, hold_started, double_charge, price_rise, unknown_charge or "
       "canceled_by_mistake", "reasons"),
    _c("channel", "u1", "chat, phone or email", "channels"),
    _c("opened_at", "timestamp", "when the member wrote or called"),
    _c("recorded_at", "timestamp", "when that became known"),
    _c("answered_at", "timestamp", "when an agent took it up"),
    _c("waited_seconds", "i8", "how long the member waited: for that, before giving up, or until the run ended"),
    _c("outcome", "u1", "open, answered, abandoned, resolved or unresolved, as last seen", "contact_outcomes"),
    _c("action", "u1", "what was done: retried, link_sent, grace_extended, refunded, explained or saved", "reasons"),
    _c("closed_at", "timestamp", "when it was over, whatever its outcome"),
    _c("closed_recorded_at", "timestamp", "when that became known"),
    _c("is_repeat", "bool", "the member had made contact about the same topic within 7 days"),
    _c("repeated_at", "timestamp", "when the member next made contact about the same topic"),
    _c("cost_minor", "i8", "what it cost us, minor units"),
    _c("cost_micros", "i8", "the same in the reporting currency, millionths"),
))  # fmt: skip

# People and what they say.
SURVEYS = Fact("surveys", "one survey: somebody asked about an experience", (
    *_WHO,
    _c("invoice", "i4", "the invoice it is about, or the last one before"),
    _c("kind", "u1", "nps (0 to 10) or csat (1 to 5)", "reasons"),
    _c("about", "u1", "payment_failed (and mended), hold_started, service (a contact), new, or active (a quiet year)",
       "reasons"),
    _c("sent_at", "timestamp", "when it was sent"),
    _c("recorded_at", "timestamp", "when that became known"),
    _c("answered_at", "timestamp", "when it was answered"),
    _c("score", "i2", "the answer; -1 when there is none"),
))  # fmt: skip

OFFERS = Fact("offers", "one offer to somebody who had left", (
    *_WHO,
    _c("offer", "u1", "what it is for: win_back", "reasons"),
    _c("coupon", "u1", "the promotion that comes with it", "coupons"),
    _c("channel", "u1", "how it travelled; none where the market has no channels", "channels"),
    _c("sent_at", "timestamp", "when it was sent"),
    _c("recorded_at", "timestamp", "when that became known"),
    _c("valid_until", "date", "the last day on which it stands"),
    _c("ended_at", "timestamp", "when the subscription before it ended"),
    _c("end_reason", "u1", "why, as with subscriptions", "reasons"),
    _c("returned_at", "timestamp", "when the person was a member again, for whatever reason"),
))  # fmt: skip

# Campaigns.
TOUCHES = Fact("touches", "one step of a person in a campaign", (
    _c("subscriber", "i8", "who; a borrower may not have signed up yet"),
    _c("spell", "i2", "which subscription of this person was the last by then, 0 before the first"),
    _c("group", "u1", "jackknife group, 0 to 63"),
    _c("market", "u1", "market", "markets"),
    _c("region", "u1", "region", "regions"),
    _c("currency", "u1", "ISO 4217 code", "currencies"),
    _c("campaign", "u1", "campaign; none where sharing is restricted", "campaigns"),
    _c("step", "u1", "reached, shared, replied, landed or email_left; restricted without a campaign", "steps"),
    _c("reason", "u1", "what qualifies the step: control, the card's hashtag, the answer, host or borrower", "reasons"),
    _c("happened_at", "timestamp", "when"),
    _c("recorded_at", "timestamp", "when that became known"),
    _c("mistakes", "i2", "typing mistakes in the address that was left"),
    _c("other", "i8", "of a borrower: the number of the host; else 0"),
    _c("joined_at", "timestamp", "when it became known that the person had signed up for the first time in the run"),
    _c("paid_at", "timestamp", "when it became known that the person had paid something for the first time in the run"),
    _c("cost_minor", "i8", "what the step cost us, minor units"),
    _c("cost_micros", "i8", "the same in the reporting currency, millionths"),
))  # fmt: skip
# Experiments.
ENROLMENTS = Fact("enrolments", "one person enrolled in an experiment", (
    _c("subscriber", "i8", "who"),
    _c("spell", "i2", "which subscription of this person was the last by then, 0 before the first"),
    _c("group", "u1", "jackknife group, 0 to 63"),
    _c("arm", "u1", "experiment and arm", "arms"),
    _c("market", "u1", "market", "markets"),
    _c("region", "u1", "region", "regions"),
    _c("invoice", "i4", "their invoice that was open then, 0 when none was"),
    _c("enrolled_at", "timestamp", "when"),
    _c("recorded_at", "timestamp", "when that became known"),
))  # fmt: skip


FACTS: tuple[Fact, ...] = (
    INVOICES, ATTEMPTS, SUBSCRIPTIONS, SUBSCRIPTION_MONTHS, SIGNUPS, NOTICES, PAYMENT_METHODS,
    # Plans and money.
    # Refunds and disputes.
    REFUNDS, DISPUTES,
    # Fraud and authentication.
    # Gateways under load.
    # Support.
    CONTACTS,
    # People and what they say.
    SURVEYS, OFFERS,
    # Campaigns.
    TOUCHES,
    # Experiments.
    ENROLMENTS,
)  # fmt: skip
"""Every fact, in the order in which `billing-sim schema facts` prints them."""

COLUMNS = {fact.name: fact.columns for fact in FACTS}
"""The columns of every fact."""

OUTCOMES = ("none", "authorized", "declined", "unknown", "blocked")
AUTHENTICATIONS = ("none", "frictionless", "passed", "failed", "abandoned")
INVOICE_STATUSES = ("open", "paid", "void", "uncollectible")
SPELL_STATUSES = ("active", "past_due", "on_hold", "canceling", "ended", "paused", "in_trial")
RECOVERIES = ("none", "retry", "member", "updater", "backup")
STARTS = ("none", "imported", "new", "returning")
SIGNUP_OUTCOMES = ("open", "paid", "abandoned")
CONTACT_OUTCOMES = ("open", "answered", "abandoned", "resolved", "unresolved")
INTERVALS = ("month", "year", "week")
STEPS = ("none", "reached", "shared", "replied", "landed", "email_left", "restricted")
DISPUTE_OUTCOMES = ("open", "won", "lost")

VOCABULARIES: dict[str, tuple[str, ...]] = {
    "outcomes": OUTCOMES,
    "authentications": AUTHENTICATIONS,
    "invoice_statuses": INVOICE_STATUSES,
    "spell_statuses": SPELL_STATUSES,
    "recoveries": RECOVERIES,
    "starts": STARTS,
    "signup_outcomes": SIGNUP_OUTCOMES,
    "contact_outcomes": CONTACT_OUTCOMES,
    "intervals": INTERVALS,
    "dispute_outcomes": DISPUTE_OUTCOMES,
    "steps": STEPS,
    "decline_kinds": ("none", "soft", "hard"),
}
