"""What a base member brings along from before the start: they have had it since their first month began."""

from __future__ import annotations

from billing_sim import events
from billing_sim.clock import DAY
from billing_sim.facts.months import start_with
from billing_sim.facts.places import is_spell_billed, is_spell_seen
from billing_sim.facts.plans import lay_on
from billing_sim.facts.record import Context, Nothing, Page, Person, Row
from billing_sim.rule import rule


@rule(Nothing(Person, Page, Row))
def read_running_trial(person, page, row):
    """A trial that began before the start: on a day, of which the log knows no hour."""
    person.in_trial = 1
    if is_spell_seen(page, person):
        page.subscriptions[person.spell_row].trial_started_at = int(row.period_start) * DAY


@rule(Nothing(Person, Page))
def read_running_pause(person, page):
    """A pause that began before the start."""
    person.is_paused = 1
    if is_spell_seen(page, person):
        page.subscriptions[person.spell_row].pauses += 1


@rule(Nothing(Context, Person, Page, Row))
def read_running_coupon(context, person, page, row):
    """A coupon redeemed before the start: it reduces the list price, and an open invoice has been reduced by it."""
    person.coupon = row.coupon
    net = row.amount_minor - row.tax_minor
    if is_spell_billed(page, person):
        person.list_net += net
    lay_on(context, person, row.coupon, net)
    if is_spell_seen(page, person):
        page.subscriptions[person.spell_row].coupon = row.coupon


@rule(Nothing(Context, Person, Page, Row))
def read_brought(context, person, page, row):
    """Hand a row to the rule of what it brings."""
    if row.kind == events.TRIAL_IMPORTED:
        read_running_trial(person, page, row)
    elif row.kind == events.PAUSE_IMPORTED:
        read_running_pause(person, page)
    else:
        read_running_coupon(context, person, page, row)
    start_with(context, person, row)
