"""What is done when a matter of the agenda is due: each kind is handed to the rule of its noun."""

from __future__ import annotations

from billing_sim.lifecycle import agenda, surveys, win_back
from billing_sim.lifecycle.agenda import set_matter_alarm, take_up
from billing_sim.lifecycle.state import Int, Nothing, Page, State, World
from billing_sim.rule import rule


@rule(Nothing(World, State, Page, Int))
def ring_matter(world, state, page, now):
    """The earliest matter is due; its place is free before its rule is called, which may need it."""
    place = take_up(state, now)
    matter = state.matter[place]
    state.matter[place] = agenda.NO_MATTER
    set_matter_alarm(state)
    # Plans and money.
    # Refunds and disputes.
    # Fraud and authentication.
    # Gateways under load.
    # Support.
    # People and what they say.
    if matter == agenda.SURVEY_DUE:
        surveys.ring_survey(world, state, page, now, place)
    elif matter == agenda.SURVEY_ANSWER:
        surveys.ring_answer(world, state, page, now, place)
    elif matter == agenda.OFFER_DUE:
        win_back.ring_offer(world, state, page, now, place)
    # Campaigns.
    # Experiments.
