"""People and what they say, as thresholds: reasons, channels, surveys, serial churners and offers."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import numpy as np

from billing_sim import events
from billing_sim.draws import ONE, threshold
from billing_sim.scenario.behaviour import Behaviour
from billing_sim.scenario.saying import Channel, Channels, SerialChurners, Surveys
from billing_sim.world.names import Names
from billing_sim.world.people import cumulative, return_curve
from billing_sim.world.quantiles import interpolated
from billing_sim.world.record import WHYS

CHANNEL_NAMES = events.CHANNELS[1:4]
EXPERIENCES = ("recovered", "hold", "contact", "signup", "quiet_year")
FEELINGS = ("decline", "hold", "price_rise", "recovered", "contact_solved", "contact_unsolved")
HOW_LEFT = ("voluntary", "involuntary")

# Assumed shapes. Together they would give a net promoter score of +54 if everybody answered and nobody had trouble:
# a streaming brand's published figure, which says nothing about payments: no figure of payments is fitted to it.
NPS_SHARES = {0: 2, 3: 2, 5: 3, 6: 3, 7: 11, 8: 15, 9: 26, 10: 38}
CSAT_SHARES = {1: 3, 2: 5, 3: 12, 4: 38, 5: 42}

_SCALE = 1024


def fill_saying(world: np.recarray, names: Names) -> None:
    """Fill every market's tables, those of notices and offers, and what does not depend on a scenario."""
    world.nps_score[0], world.csat_score[0] = _scores(NPS_SHARES), _scores(CSAT_SHARES)
    world.answer_hours[0] = _answer_hours()
    for i, policy in enumerate(names.scenario.dunning_policies.values()):
        world.notice_channel[0, i] = events.BY_EMAIL
        world.notice_channel[0, i, : len(policy.notices)] = [
            events.CHANNELS.index(notice.channel or "email") for notice in policy.notices
        ]
    for m, code in enumerate(names.markets):
        _fill_market(world, m, names.scenario.markets[code].behaviour)
    _fill_offers(world, names)


def _scores(shares: dict[int, int]) -> list[int]:
    """The score at each of 100 degrees of contentment."""
    return [score for score, share in shares.items() for _ in range(share)]


@cache
def _answer_hours() -> tuple[int, ...]:
    """When an answer comes, assumed: half within four hours, all within a week."""
    return tuple(interpolated([(Decimal(0), 1), (Decimal("0.5"), 4), (Decimal("0.9"), 48), (Decimal(1), 168)]))


def _fill_market(world: np.recarray, m: int, behaviour: Behaviour) -> None:
    if behaviour.leaving_reasons:
        shares = [getattr(behaviour.leaving_reasons, why, Decimal(0)) for why in events.WHYS]
        world.knows_why[0, m] = 1
        world.why_mix[0, m] = cumulative(shares, WHYS)
    if behaviour.exit_survey:
        world.exit_answered[0, m] = threshold(behaviour.exit_survey.answered)
        world.exit_misreported[0, m] = threshold(behaviour.exit_survey.misreported)
        world.exit_blames_price[0, m] = threshold(behaviour.exit_survey.trouble_says_price)
    if behaviour.serial_churners:
        _fill_serial(world, m, behaviour.serial_churners)
    if behaviour.channels:
        _fill_channels(world, m, behaviour.channels)
    if behaviour.surveys:
        _fill_surveys(world, m, behaviour.surveys)


def _fill_serial(world: np.recarray, m: int, serial: SerialChurners) -> None:
    """Whoever leaves so many times as fast is that much rarer among those who are there."""
    left = serial.share / serial.leave_factor
    world.serial_share[0, m] = threshold(serial.share)
    world.serial_members[0, m] = threshold(left / (left + 1 - serial.share)) if left else 0
    world.serial_factor[0, m] = int(serial.leave_factor * _SCALE)
    world.serial_return[0, m] = return_curve(serial.returns)


def _fill_channels(world: np.recarray, m: int, channels: Channels) -> None:
    world.channels[0, m] = 1
    for name in CHANNEL_NAMES:
        channel: Channel | None = getattr(channels, name)
        c = events.CHANNELS.index(name)
        if channel is None:
            world.channel_bad[0, m, c] = ONE
            continue
        # As many break as are mended, so that the share of good addresses stays.
        breaks = (1 - channel.delivered) * channel.mended / channel.delivered if channel.delivered else Decimal(1)
        world.channel_bad[0, m, c] = threshold(1 - channel.delivered)
        world.channel_breaks[0, m, c] = threshold(min(breaks, Decimal(1)))
        world.channel_mends[0, m, c] = threshold(channel.mended if channel.delivered else Decimal(0))
        world.channel_opens[0, m, c] = threshold(channel.opened)
        world.channel_responds[0, m, c] = threshold(channel.responded)
        world.channel_quits[0, m, c] = threshold(channel.unsubscribed)


def _fill_surveys(world: np.recarray, m: int, surveys: Surveys) -> None:
    world.surveys[0, m] = 1
    for i, name in enumerate(EXPERIENCES):
        asked = getattr(surveys, name)
        if asked:
            world.survey_share[0, m, i] = threshold(asked.share)
            world.survey_kind[0, m, i] = events.NPS if asked.kind == "nps" else events.CSAT
    world.survey_after[0, m], world.survey_wait[0, m] = surveys.after, surveys.wait
    world.survey_worst[0, m] = threshold(surveys.response.worst)
    world.survey_best[0, m] = threshold(surveys.response.best)
    world.mood_points[0, m] = [getattr(surveys.mood, name) for name in FEELINGS]
    world.mood_keeps[0, m] = int(surveys.mood.keeps * _SCALE)


def _fill_offers(world: np.recarray, names: Names) -> None:
    offers = names.scenario.win_back_offers
    world.win_offers[0] = len(offers)
    for i, offer in enumerate(offers):
        world.win_after[0, i], world.win_within[0, i] = offer.after, offer.within
        world.win_share[0, i], world.win_uplift[0, i] = threshold(offer.share), threshold(offer.uplift)
        world.win_coupon[0, i] = names.coupons.index(offer.coupon) if offer.coupon else 0
        world.win_channel[0, i] = events.CHANNELS.index(offer.channel)
        world.win_for[0, i, names.places(list(offer.market))] = 1
        world.win_to[0, i] = [int(not offer.to or how in offer.to) for how in HOW_LEFT]
