"""The compiled scenario: one record of integers in which every rule looks things up.

Its tables have fixed capacities, so one compiled kernel serves every scenario; its bytes *are* the compiled scenario
and their digest names it. Probabilities are thresholds of `draws.ONE`, times are microseconds UTC, days are counted
from 1970, money is in minor units. Cumulative tables end in `ONE`.
"""

from __future__ import annotations

import numpy as np

MARKETS, PLANS, KINDS, GATEWAYS, POLICIES, ZONES = 256, 16, 9, 16, 32, 64
EPOCHS, RETRIES, NOTICES, OUTAGES = 16, 24, 16, 1024
DAYS = 4096
MONTHS = 160
PAYDAYS = 8
CALENDARS = 32
CAUSES, CODES, CODE_SLOTS = 32, 64, 12
TRANSITIONS = 64
QUANTILES = 256
TENURES = 5
YEARS = 8

_PER_MARKET = """
code zone base_count former_count backup_share updater_coverage token_share expiry_choices attention attention_on_hold
other_means signup_refusal signup_again inert_members inert_instead inert_wakes cancel_in_trouble inert_cancel
unreachable gift_charges
""".split()
# People and what they say.
CHANNELS, WHYS, EXPERIENCES, FEELINGS, WIN_OFFERS = 4, 6, 5, 6, 16
_SAYING_PER_MARKET = """
knows_why exit_answered exit_misreported exit_blames_price serial_share serial_members serial_factor
channels surveys survey_after survey_wait survey_worst survey_best mood_keeps
""".split()
_PER_CHANNEL = "channel_bad channel_breaks channel_mends channel_opens channel_responds channel_quits".split()
_PER_WIN_OFFER = "win_after win_within win_share win_uplift win_coupon win_channel".split()
_PER_MARKET_KIND = "funds strained suspicion noise technical lost closed proactive bank_stop".split()

WORLD = np.dtype(
    [
        # The run.
        ("seed_key", "i8"),
        ("start", "i8"),
        ("end", "i8"),
        ("pre_roll", "i8"),
        ("window", "i8"),
        ("first_day", "i8"),
        ("first_month", "i8"),
        ("last_month", "i8"),
        ("markets", "i8"),
        ("billing_from", "i8"),
        ("billing_minutes", "i8"),
        ("return_lag", "i8"),
        ("resolution", "i8"),
        ("failover", "i8"),
        # What if: every attempt approved; whatever befalls a method mended at once. No scenario sets these.
        ("approves", "i8"),
        ("mends", "i8"),
        # From when nothing new is invoiced, while what is open goes on; the end of time unless somebody follows up.
        ("bills_until", "i8"),
        ("never_retry", "i8", (CODES,)),
        ("decline_kind", "i8", (CODES,)),
        ("max_attempts", "i8"),
        ("attempts_window", "i8"),
        ("memory_declines", "i8"),
        ("memory_window", "i8"),
        ("delay", "i8", (QUANTILES,)),
        # Time zones and income days.
        ("zone_count", "i8", (ZONES,)),
        ("zone_at", "i8", (ZONES, TRANSITIONS)),
        ("zone_offset", "i8", (ZONES, TRANSITIONS)),
        ("month_start", "i8", (MONTHS,)),
        ("income_last", "i8", (CALENDARS, DAYS)),
        ("income_next", "i8", (CALENDARS, DAYS)),
        # Plans and prices.
        ("plan_months", "i8", (PLANS,)),
        ("plan_mix", "i8", (MARKETS, PLANS)),
        ("price_count", "i8", (MARKETS, PLANS)),
        ("price_new_from", "i8", (MARKETS, PLANS, EPOCHS)),
        ("price_members_from", "i8", (MARKETS, PLANS, EPOCHS)),
        ("price", "i8", (MARKETS, PLANS, EPOCHS)),
        ("price_tax", "i8", (MARKETS, PLANS, EPOCHS)),
        ("currency", "i8", (MARKETS,)),
        # People of a market.
        *[(name, "i8", (MARKETS,)) for name in _PER_MARKET],
        *[(name, "i8", (MARKETS, KINDS)) for name in _PER_MARKET_KIND],
        ("method_mix", "i8", (MARKETS, KINDS)),
        ("expiry_years", "i8", (MARKETS, YEARS)),
        ("payday_mix", "i8", (MARKETS, PAYDAYS)),
        ("payday_calendar", "i8", (MARKETS, PAYDAYS)),
        ("tenure_mix", "i8", (MARKETS, TENURES)),
        ("leave_hazard", "i8", (MARKETS, TENURES)),
        ("leave_added", "i8", (MARKETS, MONTHS)),
        ("win_back", "i8", (MARKETS, 2, 12)),
        ("former_lapse", "i8", (MARKETS, 2)),
        # How long bad times last.
        ("dry_days", "i8", (QUANTILES,)),
        ("strained_days", "i8", (QUANTILES,)),
        ("suspicion_hours", "i8", (QUANTILES,)),
        # What a decline looks like.
        ("code_count", "i8", (CAUSES, KINDS)),
        ("code_mix", "i8", (CAUSES, KINDS, CODE_SLOTS)),
        ("code_value", "i8", (CAUSES, KINDS, CODE_SLOTS)),
        # Gateways.
        ("gateways", "i8"),
        ("route", "i8", (MARKETS, KINDS, GATEWAYS)),
        ("latency", "i8", (GATEWAYS, QUANTILES)),
        ("timeout", "i8", (GATEWAYS,)),
        ("outage_first", "i8", (GATEWAYS, DAYS)),
        ("outage_next", "i8", (OUTAGES,)),
        ("outage_start", "i8", (OUTAGES,)),
        ("outage_end", "i8", (OUTAGES,)),
        ("outage_share", "i8", (OUTAGES,)),
        # Dunning.
        ("retry_count", "i8", (POLICIES,)),
        ("retry_after", "i8", (POLICIES, RETRIES)),
        ("retry_hour", "i8", (POLICIES,)),
        ("notice_count", "i8", (POLICIES,)),
        ("notice_after", "i8", (POLICIES, NOTICES)),
        ("grace", "i8", (POLICIES,)),
        ("dunning_end", "i8", (POLICIES,)),
        ("stop_on", "i8", (POLICIES, 3)),
        ("use_backup", "i8", (POLICIES,)),
        ("policy_epochs", "i8"),
        ("policy_from", "i8", (EPOCHS,)),
        ("policy_for", "i8", (EPOCHS, MARKETS, KINDS, 3)),
        ("updater_count", "i8", (MARKETS,)),
        ("updater_from", "i8", (MARKETS, EPOCHS)),
        ("updater_on", "i8", (MARKETS, EPOCHS)),
        # Plans and money.
        # Refunds and disputes.
        # Fraud and authentication.
        # Gateways under load.
        # Support.
        # People and what they say.
        ("notice_channel", "i8", (POLICIES, NOTICES)),
        *[(name, "i8", (MARKETS,)) for name in _SAYING_PER_MARKET],
        *[(name, "i8", (MARKETS, CHANNELS)) for name in _PER_CHANNEL],
        ("why_mix", "i8", (MARKETS, WHYS)),
        ("serial_return", "i8", (MARKETS, 12)),
        ("survey_share", "i8", (MARKETS, EXPERIENCES)),
        ("survey_kind", "i8", (MARKETS, EXPERIENCES)),
        ("mood_points", "i8", (MARKETS, FEELINGS)),
        ("answer_hours", "i8", (QUANTILES,)),
        ("nps_score", "i8", (100,)),
        ("csat_score", "i8", (100,)),
        ("win_offers", "i8"),
        *[(name, "i8", (WIN_OFFERS,)) for name in _PER_WIN_OFFER],
        ("win_for", "i8", (WIN_OFFERS, MARKETS)),
        ("win_to", "i8", (WIN_OFFERS, 2)),
        # Campaigns.
        # Experiments.
    ]
)

FORMER_LAPSED_MONTHS = 12
"""People who left longer ago than this are not simulated; a return after a year counts as a new person."""


def new_world() -> np.recarray:
    """An empty world: an array of one record whose fields read as attributes."""
    return np.zeros(1, WORLD).view(np.recarray)
