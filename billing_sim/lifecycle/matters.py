"""What is done when a matter of the agenda is due: each kind is handed to the rule of its noun."""

from __future__ import annotations

from billing_sim.lifecycle import agenda
from billing_sim.lifecycle.agenda import NO_MATTER, set_matter_alarm, take_up
from billing_sim.lifecycle.fraud import card_is_blocked
from billing_sim.lifecycle.state import Int, Nothing, Page, State, World
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
    if matter == agenda.OWNER_NOTICES:
        card_is_blocked(state, page, now, place)
    # Gateways under load.
    # Support.
    # People and what they say.
    # Campaigns.
    # Experiments.
