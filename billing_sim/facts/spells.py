"""Sign-ups and subscriptions: who tries, who begins, who ends."""

from __future__ import annotations

from billing_sim import events
from billing_sim.facts import schema
from billing_sim.facts.launches import last_launch, weeks_since
from billing_sim.facts.months import end_membership, start_membership
from billing_sim.facts.places import is_spell_billed, is_spell_seen
from billing_sim.facts.plans import begin_plainly, price_at
from billing_sim.facts.record import SIGNUPS, SUBSCRIPTIONS, Context, Int, Nothing, Page, Person, Row
from billing_sim.facts.valuing import listed_price
from billing_sim.facts.who import sign_signup, sign_subscription
from billing_sim.rule import rule

NULL = schema.NULL
NO_LABEL = schema.NO_LABEL
_ACTIVE = 0
_PAST_DUE = 1
_ON_HOLD = 2
_CANCELING = 3
_ENDED = 4
_PAUSED = 5
_IN_TRIAL = 6
_IMPORTED = 1
_NEW = 2
_RETURNING = 3
_SIGNUP_PAID = 1


@rule(Nothing(Person, Row))
def meet(person, row):
    """A new person's first row: nothing is open."""
    person.subscriber = row.subscriber
    person.spell = 0
    person.arm = 0
    person.is_member = 0
    person.invoice = -1
    person.spell_row = -1
    person.signup_row = -1
    person.method_row = -1
    person.backup_row = -1
    person.backup_number = 0
    person.called = 0
    person.failed_calls = 0
    person.authenticated = 0
    person.reviewed = 0
    person.charged = 0
    person.first_joined_at = NULL
    person.first_paid_at = NULL
    person.is_past_due = 0
    person.is_held = 0
    begin_plainly(person)


@rule(Nothing(Context, Person, Row))
def read_spell(context, person, row):
    """Who this spell is, from the rows that say so."""
    person.spell = row.spell
    person.group = row.group
    person.arm = row.arm
    person.market = row.market
    person.region = context.region[row.market]
    person.currency = context.currency[row.market]
    person.plan = row.plan
    person.interval = context.interval[row.plan]
    person.method = row.method_kind


@rule(Nothing(Page, Person))
def note_standing(page, person):
    """The last that is known of a spell that goes on."""
    fact = page.subscriptions[person.spell_row]
    fact.method = person.method
    fact.plan = person.plan
    if person.is_held:
        fact.status = _ON_HOLD
    elif person.is_past_due:
        fact.status = _PAST_DUE
    elif person.is_paused and fact.status == _ACTIVE:
        fact.status = _PAUSED
    elif person.in_trial and fact.status == _ACTIVE:
        fact.status = _IN_TRIAL


@rule(Nothing(Page, Person))
def leave_unseen(page, person):
    """Whoever signs up again is no member any more, though no row told how the earlier spell ended."""
    note_standing(page, person)
    person.is_member = 0
    person.is_held = 0
    person.is_past_due = 0


@rule(Nothing(Context, Person, Page, Row))
def read_signup(context, person, page, row):
    """A person tries to sign up."""
    i = page.count[SIGNUPS]
    page.count[SIGNUPS] += 1
    if person.is_member and row.spell > person.spell:
        leave_unseen(page, person)
    if not person.is_member:
        read_spell(context, person, row)
        begin_plainly(person)
        person.signup_row = i
    fact = page.signups[i]
    sign_signup(person, fact)
    fact.method = row.method_kind
    fact.started_at = row.occurred_at
    fact.recorded_at = row.recorded_at
    fact.started_by = _RETURNING if row.reason == events.RETURNING else _NEW
    fact.outcome = 0
    fact.finished_at = NULL
    fact.attempts = 0
    launch = last_launch(context, row.occurred_at, NO_LABEL, 0)
    fact.weeks_since_launch = weeks_since(context, launch, row.occurred_at)
    fact.in_launched = 1 if launch >= 0 and context.launch_market[launch] == person.market else 0


@rule(Nothing(Page, Person, Row, Int))
def close_signup(page, person, row, outcome):
    """A sign-up is paid or given up."""
    if person.signup_row < 0:
        return
    fact = page.signups[person.signup_row]
    fact.outcome = outcome
    fact.finished_at = row.occurred_at
    fact.method = person.method
    if is_spell_billed(page, person):
        fact.attempts = page.invoices[person.invoice].attempts
    person.signup_row = -1


@rule(Nothing(Page, Person, Row))
def read_cancel_request(page, person, row):
    """The member cancels; the spell ends later."""
    if not is_spell_seen(page, person):
        return
    page.subscriptions[person.spell_row].cancel_requested_at = row.occurred_at
    if person.is_member:
        page.subscriptions[person.spell_row].status = _CANCELING


@rule(Nothing(Context, Person, Page, Row))
def read_subscription(context, person, page, row):
    """A spell begins: created, or imported with the base."""
    if person.is_member:
        note_standing(page, person)
    read_spell(context, person, row)
    i = page.count[SUBSCRIPTIONS]
    page.count[SUBSCRIPTIONS] += 1
    person.spell_row = i
    person.started_at = row.occurred_at
    person.joined_on = row.period_start
    person.is_held = 1 if row.reason == events.ON_HOLD else 0
    person.is_past_due = 1 if row.reason in (events.ON_HOLD, events.PAST_DUE) else 0
    person.started_by = _RETURNING if row.reason == events.RETURNING else _NEW
    if row.kind == events.SUBSCRIPTION_IMPORTED:
        person.started_by = _IMPORTED
    if not is_spell_billed(page, person):
        price_at(person, listed_price(context, row.market, row.plan, row.occurred_at))
    fact = page.subscriptions[i]
    sign_subscription(person, fact)
    fact.currency = person.currency
    fact.started_by = person.started_by
    fact.started_at = row.occurred_at
    fact.joined_on = row.period_start
    fact.cancel_requested_at = NULL
    fact.ended_at = NULL
    fact.ended_recorded_at = NULL
    fact.end_reason = 0
    fact.status = _CANCELING if row.reason == events.CANCELING else _ACTIVE
    fact.renewals = 0
    fact.failed_renewals = 0
    fact.coupon = person.coupon
    fact.plan_changes = 0
    fact.pauses = 0
    fact.trial_started_at = NULL
    fact.trial_ended_at = NULL
    fact.trial_end = 0
    fact.trial_paid_at = NULL
    fact.stated_reason = 0
    start_membership(context, person, row)
    close_signup(page, person, row, _SIGNUP_PAID)


@rule(Nothing(Context, Person, Page, Row))
def read_canceled(context, person, page, row):
    """A spell ends."""
    if not person.is_member:
        return
    fact = page.subscriptions[person.spell_row]
    fact.ended_at = row.occurred_at
    fact.ended_recorded_at = row.recorded_at
    fact.end_reason = row.reason
    fact.status = _ENDED
    fact.method = person.method
    fact.plan = person.plan
    end_membership(context, person, page, row)
