"""Plans and money: what reduces an invoice, and who is in a trial, pauses, or changes plan."""

from __future__ import annotations

from billing_sim import events
from billing_sim.facts.places import invoice_place, is_spell_seen
from billing_sim.facts.record import Context, Int, Nothing, Page, Person, Row
from billing_sim.facts.valuing import factor_at, micros
from billing_sim.rule import rule

_MILLION = 1_000_000
ONE_OFF, LASTING, FOREVER = 0, 1, 2
"""How long a promotion's discount lasts: one invoice (or free months), several invoices, all of them."""


@rule(Int(Person))
def worth(person):
    """The price per billing interval net of tax and of discounts that recur; nothing in a trial or a pause."""
    if person.in_trial or person.is_paused:
        return 0
    return person.net


@rule(Nothing(Person))
def set_net(person):
    """What recurs is the price before discounts less the discounts that last."""
    person.net = person.list_net - person.lasting


@rule(Nothing(Person, Int))
def price_at(person, net):
    """A price per billing interval net of tax, and no discount on it."""
    person.list_net = net
    person.discounts = 0
    person.lasting = 0
    person.forever = 0
    person.net = net


@rule(Nothing(Context, Person, Int, Int))
def lay_on(context, person, coupon, net):
    """What a coupon takes off the price per interval, net of tax: some of it recurs, some of that for good."""
    lasts = context.coupon_lasts[coupon]
    person.discounts = net
    person.lasting = net if lasts != ONE_OFF else 0
    person.forever = net if lasts == FOREVER else 0
    set_net(person)


@rule(Nothing(Context, Person, Page, Row))
def read_discount(context, person, page, row):
    """A coupon has reduced the invoice just issued."""
    place = invoice_place(page, person, row.invoice)
    if place < 0:
        return
    fact = page.invoices[place]
    fact.coupon = row.coupon
    fact.discount_minor = row.amount_minor
    fact.discount_micros = micros(row.amount_minor, factor_at(context, person.currency, row.occurred_at))
    if fact.is_proration:
        return
    net = row.amount_minor - row.tax_minor
    person.list_net += net
    lay_on(context, person, row.coupon, net)


@rule(Nothing(Context, Person, Page, Row))
def read_credit(context, person, page, row):
    """An earlier credit note has reduced the invoice just issued; what the plan costs is not less for it."""
    place = invoice_place(page, person, row.invoice)
    if place < 0:
        return
    fact = page.invoices[place]
    fact.credit_minor = row.amount_minor
    fact.credit_micros = micros(row.amount_minor, factor_at(context, person.currency, row.occurred_at))
    if not fact.is_proration:
        person.list_net += row.amount_minor - row.tax_minor
        set_net(person)


@rule(Int(Context, Person, Row))
def still_off(context, person, row):
    """What the coupon at work will take off the new price, net of tax: its share of it, or the amount as before.

    Of a share, tax is rounded as on the invoices to come.
    """
    net = row.amount_minor - row.tax_minor
    share = context.coupon_share[person.coupon]
    if not share or row.amount_minor <= 0:
        return min(person.lasting, net)
    left = row.amount_minor - (row.amount_minor * share + _MILLION // 2) // _MILLION
    tax = (row.tax_minor * left + row.amount_minor - 1) // row.amount_minor
    return net - (left - tax)


@rule(Nothing(Context, Person, Page, Row))
def read_plan_changed(context, person, page, row):
    """The member has another plan from now on; a coupon that lasts goes on with it."""
    person.plan = row.plan
    person.interval = context.interval[row.plan]
    off = still_off(context, person, row) if person.lasting > 0 else 0
    price_at(person, row.amount_minor - row.tax_minor)
    if off:
        lay_on(context, person, person.coupon, off)
    if is_spell_seen(page, person):
        page.subscriptions[person.spell_row].plan_changes += 1


@rule(Nothing(Person, Page, Row))
def read_pause(person, page, row):
    """A pause begins or ends."""
    person.is_paused = 1 if row.kind == events.SUBSCRIPTION_PAUSED else 0
    if person.is_paused and is_spell_seen(page, person):
        page.subscriptions[person.spell_row].pauses += 1


@rule(Nothing(Person, Page, Row))
def read_trial(person, page, row):
    """A trial begins or ends."""
    person.in_trial = 1 if row.kind == events.TRIAL_STARTED else 0
    person.after_trial = 1 if row.reason == events.TRIAL_CONVERTED else 0
    if not is_spell_seen(page, person):
        return
    fact = page.subscriptions[person.spell_row]
    if person.in_trial:
        fact.trial_started_at = row.occurred_at
    else:
        fact.trial_ended_at = row.occurred_at
        fact.trial_end = row.reason


@rule(Nothing(Person, Page, Row))
def read_coupon(person, page, row):
    """A coupon is redeemed; at a sign-up that is before the spell begins."""
    person.coupon = row.coupon
    if is_spell_seen(page, person):
        page.subscriptions[person.spell_row].coupon = row.coupon


@rule(Nothing(Person, Page, Int, Int))
def note_trial_paid(person, page, place, at):
    """The first invoice after a trial is paid, or (`NULL`) is not any more."""
    if page.invoices[place].after_trial and is_spell_seen(page, person):
        page.subscriptions[person.spell_row].trial_paid_at = at


@rule(Nothing(Person))
def begin_plainly(person):
    """A new spell: no trial, no pause, no coupon yet."""
    person.in_trial = 0
    person.after_trial = 0
    person.is_paused = 0
    person.coupon = 0
