"""What is done when a matter of the agenda is due: each kind is handed to the rule of its noun."""

from __future__ import annotations

from billing_sim.lifecycle import agenda
from billing_sim.lifecycle.agenda import NO_MATTER, set_matter_alarm, take_up
from billing_sim.lifecycle.state import Int, Nothing, Page, State, World
from billing_sim.lifecycle.support import ring_contact
from billing_sim.lifecycle.support_outcomes import ring_support_link, ring_support_retry
from billing_sim.rule import rule


@rule(Nothing(World, State, Page, Int))
def ring_matter(world, state, page, now):
    """The earliest matter is due; its place is free before its rule is called, which may need it."""
    place = take_up(state, now)
    matter = state.matter[place]
    state.matter[place] = NO_MATTER
    set_matter_alarm(state)
    # Plans and money.
    # Refunds and disputes.
    # Fraud and authentication.
    # Gateways under load.
    # Support.
    if matter == agenda.CONTACT:
        ring_contact(world, state, page, now, place)
    elif matter == agenda.SUPPORT_RETRY:
        ring_support_retry(world, state)
    elif matter == agenda.SUPPORT_LINK:
        ring_support_link(world, state, page, now)
    # People and what they say.
    # Campaigns.
    # Experiments.
