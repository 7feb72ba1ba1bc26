"""What is done when a matter of the agenda is due: each kind is handed to the rule of its noun."""

from __future__ import annotations

from billing_sim.lifecycle import agenda, surveys, win_back
from billing_sim.lifecycle.agenda import CHANGE_PLAN, LEAVE_TRIAL, set_matter_alarm, take_up
from billing_sim.lifecycle.campaigns import foresee_joining, invite, take_step
from billing_sim.lifecycle.changing import wish_change
from billing_sim.lifecycle.disputes import contest_dispute, end_dispute, open_dispute
from billing_sim.lifecycle.fraud import card_is_blocked
from billing_sim.lifecycle.refunds import charge_after_end, ring_refund
from billing_sim.lifecycle.sharing import end_sharing, leave_over_sharing
from billing_sim.lifecycle.state import Int, Nothing, Page, State, World
from billing_sim.lifecycle.support import ring_contact
from billing_sim.lifecycle.support_outcomes import ring_support_link, ring_support_retry
from billing_sim.lifecycle.trials import leave_trial
from billing_sim.rule import rule


@rule(Nothing(World, State, Page, Int))
def ring_matter(world, state, page, now):
    """The earliest matter is due; its place is free before its rule is called, which may need it."""
    place = take_up(state, now)
    matter = state.matter[place]
    state.matter[place] = agenda.NO_MATTER
    set_matter_alarm(state)
    # Plans and money.
    if matter == LEAVE_TRIAL:
        leave_trial(world, state, page, now)
    elif matter == CHANGE_PLAN:
        wish_change(world, state, page, now, state.matter_detail[place])
    # Refunds and disputes.
    if matter == agenda.REFUND_DUE:
        ring_refund(world, state, page, now, place)
    elif matter == agenda.DISPUTE_OPENS:
        open_dispute(world, state, page, now, place)
    elif matter == agenda.DISPUTE_CONTESTED:
        contest_dispute(world, state, page, now, place)
    elif matter == agenda.DISPUTE_ENDS:
        end_dispute(world, state, page, now, place)
    elif matter == agenda.CHARGE_AFTER_END:
        charge_after_end(world, state, page, now, place)
    # Fraud and authentication.
    if matter == agenda.OWNER_NOTICES:
        card_is_blocked(state, page, now, place)
    # Gateways under load.
    # Support.
    if matter == agenda.CONTACT:
        ring_contact(world, state, page, now, place)
    elif matter == agenda.SUPPORT_RETRY:
        ring_support_retry(world, state)
    elif matter == agenda.SUPPORT_LINK:
        ring_support_link(world, state, page, now)
    # People and what they say.
    if matter == agenda.SURVEY_DUE:
        surveys.ring_survey(world, state, page, now, place)
    elif matter == agenda.SURVEY_ANSWER:
        surveys.ring_answer(world, state, page, now, place)
    elif matter == agenda.OFFER_DUE:
        win_back.ring_offer(world, state, page, now, place)
    # Campaigns.
    if matter == agenda.BEGIN_BORROWING:
        foresee_joining(world, state, now)
    elif matter == agenda.SHARING_ENDS:
        end_sharing(world, state, page, now)
    elif matter == agenda.LEAVES_OVER_SHARING:
        leave_over_sharing(world, state, page, now)
    elif matter == agenda.CAMPAIGN_STEP:
        take_step(world, state, page, now, state.matter_detail[place])
    elif matter == agenda.INVITED:
        invite(world, state, page, now, state.matter_detail[place])
    # Experiments.
