"""Surveys: a question some time after an experience, and an answer from those who care to give one.

A person's mood is a sealed path: experiences move it, and month by month it forgets them. How content somebody is comes
from their temper, which stays, and their mood; it decides what they would answer and, against what every average hopes,
whether they answer at all.
"""

from __future__ import annotations

from billing_sim import draws, events
from billing_sim import purposes as purpose
from billing_sim.clock import DAY, HOUR, NEVER
from billing_sim.lifecycle import agenda
from billing_sim.lifecycle.calendar import hour_of, month_of_day
from billing_sim.lifecycle.log import confide, record
from billing_sim.lifecycle.state import SUBSCRIBED, Int, Nothing, Page, State, World
from billing_sim.rule import rule
from billing_sim.world.record import QUANTILES

# Experiences that people are asked about. Numbers are occasions of draws.
ABOUT_RECOVERY, ABOUT_HOLD, ABOUT_CONTACT, ABOUT_SIGNUP, ABOUT_QUIET_YEAR = range(5)

# What moves a mood; places in `world.mood_points`.
DECLINED, HELD, PRICE_ROSE, RECOVERED, CONTACT_SOLVED, CONTACT_UNSOLVED = range(6)

LABELS = (events.NOTICE_FAILED, events.NOTICE_HOLD, events.SERVICE, events.NEW, events.ACTIVE)
"""What the log calls each experience."""

NPS_TOP, CSAT_TOP = 10, 5
_YEAR = 365 * DAY


@rule(Nothing(World, State, Int))
def forget(world, state, now):
    """Bring the mood up to this month: every month a share of it is left."""
    month = month_of_day(now // DAY)
    while state.mood and state.mood_month < month:
        state.mood_month += 1
        # Towards zero from both sides: a bad mood is forgotten as fast as a good one.
        size = (abs(state.mood) * world.mood_keeps[state.market]) >> 10
        state.mood = size if state.mood > 0 else -size
    state.mood_month = month


@rule(Nothing(World, State, Int, Int))
def feel(world, state, experience, now):
    """An experience moves the mood, which stays within 100 points either way."""
    forget(world, state, now)
    state.mood = min(max(state.mood + world.mood_points[state.market, experience], -100), 100)


@rule(Int(World, State, Int))
def contentment(world, state, now):
    """How content a person is, 0 to 99: temper and mood."""
    forget(world, state, now)
    temper = draws.below(draws.draw(state.key, purpose.TEMPER, 0), 100)
    return min(max(temper + state.mood, 0), 99)


@rule(Nothing(World, State, Page, Int, Int))
def maybe_ask(world, state, _page, now, about):
    """After an experience (`ABOUT_...`), some people are asked some time later; nobody too often."""
    market = state.market
    if not world.surveys[market] or not state.logging:
        return
    if state.asked_at and now - state.asked_at < world.survey_wait[market]:
        return
    if draws.draw(state.key, purpose.SURVEY_ASKED, hour_of(now) * 8 + about) >= world.survey_share[market, about]:
        return
    place = agenda.put_down(world, state, now, now + world.survey_after[market], agenda.SURVEY_DUE)
    if place >= 0:
        state.asked_at = now
        state.matter_detail[place] = state.spell * 8 + about


@rule(Nothing(World, State, Page, Int, Int))
def note_payment(world, state, page, now, about):
    """An invoice is paid: the first of a sign-up, or one that had failed; all others go unnoticed."""
    if about == ABOUT_SIGNUP:
        state.troubled_at = 0
        maybe_ask(world, state, page, now, about)
    elif state.first_failed != NEVER:
        state.troubled_at = now
        feel(world, state, RECOVERED, now)
        maybe_ask(world, state, page, now, about)


@rule(Nothing(World, State, Page, Int, Int))
def note_renewal(world, state, page, now, is_dearer):
    """A renewal is invoiced: a higher price is felt, and an anniversary without trouble is asked about."""
    if is_dearer:
        feel(world, state, PRICE_ROSE, now)
    month = month_of_day(state.period_start)
    if (month - state.joined_month) % 12 == 0 and (not state.troubled_at or now - state.troubled_at > _YEAR):
        maybe_ask(world, state, page, now, ABOUT_QUIET_YEAR)


@rule(Int(World, State, Int))
def answers(world, state, content):
    """The threshold of answering: from the worst to the best share in a straight line."""
    worst = world.survey_worst[state.market]
    return worst + (world.survey_best[state.market] - worst) // 99 * content


@rule(Nothing(World, State, Page, Int, Int))
def ring_survey(world, state, page, now, place):
    """A survey is due: whoever is still a member in the same spell is asked, and may answer within days."""
    detail, invoice = state.matter_detail[place], state.matter_invoice[place]
    about = detail & 7
    if state.phase != SUBSCRIBED or detail >> 3 != state.spell:
        return
    market = state.market
    is_nps = world.survey_kind[market, about] == events.NPS
    sequence = state.sequence
    row = page.rows[record(world, state, page, events.SURVEY_SENT, now)]
    row.invoice = invoice
    row.reason = LABELS[about]
    row.score = NPS_TOP if is_nps else CSAT_TOP
    content = contentment(world, state, now)
    score = world.nps_score[content] if is_nps else world.csat_score[content]
    truth = page.truths[confide(state, page, events.SURVEY_JUDGED, state.last_at, sequence)]
    truth.invoice = invoice
    truth.verdict = score
    if draws.draw(state.key, purpose.SURVEY_RESPONSE, hour_of(now)) >= answers(world, state, content):
        return
    moment = draws.below(draws.draw(state.key, purpose.SURVEY_MOMENT, hour_of(now)), QUANTILES)
    answer = agenda.put_down(world, state, now, now + world.answer_hours[moment] * HOUR, agenda.SURVEY_ANSWER)
    if answer >= 0:
        state.matter_invoice[answer] = invoice
        state.matter_amount[answer] = score
        state.matter_detail[answer] = state.spell * 8 + about


@rule(Nothing(World, State, Page, Int, Int))
def ring_answer(world, state, page, now, place):
    """The answer comes, also from who has left meanwhile; who has come back since has other things in mind."""
    detail = state.matter_detail[place]
    if detail >> 3 != state.spell:
        return
    invoice, score = state.matter_invoice[place], state.matter_amount[place]
    row = page.rows[record(world, state, page, events.SURVEY_ANSWERED, now)]
    row.invoice = invoice
    row.reason = world.survey_kind[state.market, detail & 7]
    row.score = score
