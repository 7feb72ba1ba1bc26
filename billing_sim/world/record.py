"""The compiled scenario: one record of integers in which every rule looks things up.

Its tables have fixed capacities, so one compiled kernel serves every scenario; its bytes *are* the compiled scenario
and their digest names it. Probabilities are thresholds of `draws.ONE`, times are microseconds UTC, days are counted
from 1970, money is in minor units. Cumulative tables end in `ONE`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

MARKETS, PLANS, KINDS, GATEWAYS, POLICIES, ZONES = 256, 16, 10, 16, 32, 64
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
NETWORKS, CLAIM_KINDS = 4, 8
PROMOTIONS, OFFERS, TAXES = 32, 64, 8
FOR_NEW, FOR_RETURNING, FOR_EVERYONE = 0, 1, 2
DEPLOYS, ATTACKS = 64, 16
BINS = 16
TRIES = 10
"""Cards that a card-testing session tries unless it is blocked (assumed)."""
TOPICS, CONTACT_CHANNELS, DESKS, WEEK_HOURS, AGENTS = 6, 3, 4, 168, 1024
REVIEW_DESK = DESKS - 1
"""The desk of those who review payments; the ones before it are of support."""

# Gateways under load.
LOADS = 64
ISSUER_OUTAGES = 64
REFUSED, SLOW, TIMEOUTS, RATE, PUBLISHED = 0, GATEWAYS, 2 * GATEWAYS, 3 * GATEWAYS, 4 * GATEWAYS
"""Places in `world.published`: a gateway's refused share (a threshold), slowness (1024ths, 0 for none), added share of
time-outs (a threshold) and success rate (millionths); the last is how many places there are."""
BY_WEIGHTS, BY_SUCCESS_RATE = 0, 1
"""How `route_by` lets a gateway be chosen."""
CAMPAIGNS = 8
EXPERIMENTS, ARMS, LABELS = 8, 16, 256

_PER_MARKET = """
code zone base_count former_count backup_share updater_coverage token_share expiry_choices attention attention_on_hold
other_means signup_refusal signup_again inert_members inert_instead inert_wakes cancel_in_trouble inert_cancel
unreachable gift_charges
""".split()
_OF_PLANS = """
trial_days trial_share trial_running trial_needs_method trial_until trial_leave trial_method_left
pauses upgrades downgrades goodwill goodwill_share tax_changes tax_included
""".split()
# People and what they say.
CHANNELS, WHYS, EXPERIENCES, FEELINGS, WIN_OFFERS = 4, 6, 5, 6, 16
_SAYING_PER_MARKET = """
knows_why exit_answered exit_misreported exit_blames_price serial_share serial_members serial_factor
channels surveys survey_after survey_wait survey_worst survey_best mood_keeps
""".split()
_PER_CHANNEL = "channel_bad channel_breaks channel_mends channel_opens channel_responds channel_quits".split()
_PER_WIN_OFFER = "win_after win_within win_share win_uplift win_coupon win_channel".split()
_OF_CAMPAIGNS = "reach control replies denies lands leaves mistypes accepts free_month discount".split()
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
        ("price_since", "i8", (MARKETS, PLANS, EPOCHS)),
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
        ("promotions", "i8"),
        ("promotion_share", "i8", (PROMOTIONS,)),
        ("promotion_amount", "i8", (PROMOTIONS, MARKETS)),
        ("promotion_cycles", "i8", (PROMOTIONS,)),
        ("promotion_months", "i8", (PROMOTIONS,)),
        ("offers", "i8"),
        ("offer_promotion", "i8", (OFFERS,)),
        ("offer_from", "i8", (OFFERS,)),
        ("offer_until", "i8", (OFFERS,)),
        ("offer_share", "i8", (OFFERS,)),
        ("offer_to", "i8", (OFFERS,)),
        ("offer_in", "i8", (OFFERS, MARKETS)),
        ("reductions", "i8"),
        *[(name, "i8", (MARKETS,)) for name in _OF_PLANS],
        ("pause_lengths", "i8", (MARKETS, 3)),
        ("plan_above", "i8", (MARKETS, PLANS)),
        ("plan_below", "i8", (MARKETS, PLANS)),
        ("downgrades_at_once", "i8"),
        ("plan_days", "i8", (PLANS,)),
        ("price_listed", "i8", (MARKETS, PLANS, EPOCHS)),
        ("tax_from", "i8", (MARKETS, TAXES)),
        ("tax_rate", "i8", (MARKETS, TAXES)),
        # Refunds and disputes.
        # Whether any of the rules about a charge that stands is in force, and which mistakes are made: charged twice,
        # charged after the end.
        ("claims", "i8"),
        ("faults", "i8"),
        ("complaint", "i8", (MARKETS,)),
        ("refund_full", "i8"),
        ("refund_part", "i8"),
        ("refund_delay", "i8", (QUANTILES,)),
        ("friendly_fraud", "i8", (MARKETS,)),
        ("dispute_service", "i8", (MARKETS,)),
        ("dispute_fraud", "i8", (MARKETS,)),
        ("asks_first", "i8", (MARKETS,)),
        ("dispute_delay", "i8", (QUANTILES,)),
        ("dispute_contest", "i8"),
        ("dispute_wins", "i8", (CLAIM_KINDS,)),
        ("dispute_response", "i8"),
        ("dispute_decision", "i8"),
        ("dispute_fee", "i8", (MARKETS,)),
        ("fraud_report", "i8"),
        ("double_refunded", "i8"),
        ("double_disputed", "i8"),
        ("fault_count", "i8", (2, MARKETS)),
        ("fault_from", "i8", (2, MARKETS, EPOCHS)),
        ("fault_until", "i8", (2, MARKETS, EPOCHS)),
        ("fault_share", "i8", (2, MARKETS, EPOCHS)),
        # Fees: minor units and millionths, by market, kind of method and gateway.
        ("fees", "i8"),
        ("fee_fixed", "i8", (MARKETS, KINDS, GATEWAYS)),
        ("fee_share", "i8", (MARKETS, KINDS, GATEWAYS)),
        ("fee_attempt", "i8", (MARKETS, KINDS, GATEWAYS)),
        # Card networks, by number; 0 is no card.
        ("networks", "i8"),
        ("ignores_caps", "i8"),
        ("network_mix", "i8", (MARKETS, NETWORKS)),
        ("network_cap", "i8", (NETWORKS, 2)),
        ("network_window", "i8", (NETWORKS, 2)),
        ("excess_fee", "i8", (MARKETS, NETWORKS)),
        # Fraud and authentication.
        ("sca_count", "i8", (MARKETS,)),
        ("sca_from", "i8", (MARKETS, EPOCHS)),
        ("sca_required", "i8", (MARKETS, EPOCHS)),
        ("sca_frictionless", "i8", (MARKETS, EPOCHS)),
        ("sca_passed", "i8", (MARKETS, EPOCHS)),
        ("sca_failed", "i8", (MARKETS, EPOCHS)),
        ("sca_asked", "i8", (MARKETS, EPOCHS)),
        ("frictionless_ms", "i8", (QUANTILES,)),
        ("challenge_ms", "i8", (QUANTILES,)),
        ("fraud_count", "i8", (MARKETS,)),
        ("fraud_from", "i8", (MARKETS, EPOCHS)),
        ("fraud_block", "i8", (MARKETS, EPOCHS)),
        ("fraud_review", "i8", (MARKETS, EPOCHS)),
        ("fraud_signups", "i8", (MARKETS,)),
        ("fraud_works", "i8"),
        ("fraud_screens", "i8", (3,)),
        ("fraud_score", "i8", (2, QUANTILES + 1)),
        ("fraud_noticed", "i8", (QUANTILES,)),
        ("review_time", "i8", (QUANTILES,)),
        ("review_team", "i8"),
        ("review_handling", "i8", (QUANTILES,)),
        ("review_rejects", "i8", (2,)),
        ("attacks", "i8"),
        ("attack_from", "i8", (ATTACKS,)),
        ("attack_until", "i8", (ATTACKS,)),
        ("attack_gateway", "i8", (ATTACKS,)),
        ("attack_method", "i8", (ATTACKS,)),
        ("attack_concentration", "i8", (ATTACKS,)),
        ("attack_declined", "i8", (ATTACKS,)),
        ("attack_learned", "i8", (ATTACKS,)),
        ("attack_blocked", "i8", (ATTACKS,)),
        ("attack_market", "i8", (ATTACKS, MARKETS)),
        # BIN ranges of cards: per market their shares and labels; which one an attack tries most, and how wary that
        # makes its issuer, until when.
        ("bins", "i8"),
        ("bin_mix", "i8", (MARKETS, BINS)),
        ("bin_label", "i8", (MARKETS, BINS)),
        ("attack_bin", "i8", (ATTACKS,)),
        ("attack_bin_share", "i8", (ATTACKS,)),
        ("attack_refused", "i8", (ATTACKS,)),
        ("attack_wary_until", "i8", (ATTACKS,)),
        ("deploys", "i8"),
        ("deploy_from", "i8", (DEPLOYS,)),
        ("deploy_until", "i8", (DEPLOYS,)),
        ("deploy_gateway", "i8", (DEPLOYS,)),
        ("deploy_declines", "i8", (DEPLOYS,)),
        ("deploy_doubles", "i8", (DEPLOYS,)),
        ("deploy_market", "i8", (DEPLOYS, MARKETS)),
        ("mix_count", "i8", (MARKETS,)),
        ("mix_from", "i8", (MARKETS, EPOCHS)),
        ("mix", "i8", (MARKETS, EPOCHS, KINDS)),
        ("withdrawals", "i8"),
        ("withdrawn_at", "i8", (MARKETS, KINDS)),
        ("voucher_valid", "i8"),
        ("mandate_pending", "i8"),
        ("mandate_notice", "i8"),
        ("mandate_answer", "i8", (QUANTILES,)),
        # Gateways under load.
        ("shared", "i8"),
        ("published", "i8", (PUBLISHED,)),
        ("capacity", "i8", (GATEWAYS,)),
        ("comfortable", "i8", (GATEWAYS,)),
        ("slow_at", "i8", (GATEWAYS, LOADS)),
        ("timeout_at", "i8", (GATEWAYS, LOADS)),
        ("route_by", "i8", (MARKETS, KINDS)),
        ("route_explore", "i8", (MARKETS, KINDS)),
        ("issuer_outages", "i8"),
        ("issuer_out_start", "i8", (ISSUER_OUTAGES,)),
        ("issuer_out_end", "i8", (ISSUER_OUTAGES,)),
        ("issuer_out_share", "i8", (ISSUER_OUTAGES,)),
        ("issuer_out_kinds", "i8", (ISSUER_OUTAGES, MARKETS)),
        # Support.
        # Whether there is a desk; then per market and topic who contacts it, how, and for how long.
        ("support", "i8"),
        ("contact_rate", "i8", (MARKETS, TOPICS)),
        ("contact_delay", "i8", (QUANTILES,)),
        ("contact_mix", "i8", (CONTACT_CHANNELS,)),
        ("contact_patience", "i8", (CONTACT_CHANNELS, QUANTILES)),
        ("contact_handling", "i8", (CONTACT_CHANNELS, QUANTILES)),
        ("contact_cost", "i8", (MARKETS, CONTACT_CHANNELS)),
        ("agent_does", "i8", (4,)),
        ("link_works", "i8"),
        ("grace_suffices", "i8"),
        ("explaining_suffices", "i8"),
        ("saving_works", "i8"),
        ("refunding_works", "i8"),
        ("goodwill_given", "i8"),
        ("grace_extension", "i8"),
        ("repeat_unresolved", "i8"),
        ("repeat_abandoned", "i8"),
        ("repeat_within", "i8"),
        ("annoyed_cancel", "i8"),
        ("annoyed_for", "i8"),
        # Who answers which channel, and how many are there by hour of the week (from Monday, UTC) in each epoch.
        ("desk_of", "i8", (CONTACT_CHANNELS,)),
        ("staff_epochs", "i8"),
        ("staff_from", "i8", (EPOCHS,)),
        ("staff_handling", "i8", (EPOCHS,)),
        ("staff", "i8", (EPOCHS, DESKS, WEEK_HOURS)),
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
        # Who shares with how many, from when on they may not, and what they do then.
        ("sharing", "i8"),
        ("host_share", "i8", (MARKETS,)),
        ("household", "i8", (3,)),
        ("crackdown_at", "i8", (MARKETS,)),
        ("joins", "i8"),
        ("joins_after", "i8", (QUANTILES,)),
        ("host_cancels", "i8"),
        ("host_cancels_after", "i8", (QUANTILES,)),
        # Campaigns: when and where, who takes which step, what they get for it and what it costs us.
        ("campaigns", "i8"),
        ("campaign_from", "i8", (CAMPAIGNS,)),
        ("campaign_until", "i8", (CAMPAIGNS,)),
        ("campaign_in", "i8", (CAMPAIGNS, MARKETS)),
        *[(f"campaign_{name}", "i8", (CAMPAIGNS,)) for name in _OF_CAMPAIGNS],
        ("campaign_cards", "i8", (CAMPAIGNS, 2, 2)),
        ("campaign_step", "i8", (CAMPAIGNS, QUANTILES)),
        ("campaign_accepts_after", "i8", (CAMPAIGNS, QUANTILES)),
        ("campaign_cost", "i8", (CAMPAIGNS, MARKETS, 3)),
        # Experiments.
        ("enrolling", "i8"),
        ("enrol_at", "i8", (EXPERIMENTS,)),
        ("enrol_from", "i8", (EXPERIMENTS,)),
        ("enrol_until", "i8", (EXPERIMENTS,)),
        ("enrol_market", "i8", (EXPERIMENTS, MARKETS)),
        ("enrol_name", "i8", (EXPERIMENTS,)),
        ("enrol_holdout", "i8", (EXPERIMENTS,)),
        ("enrol_share", "i8", (EXPERIMENTS, ARMS)),
        ("enrol_step", "i8", (EXPERIMENTS,)),
        ("enrol_world", "i8", (LABELS,)),
    ]
)

FORMER_LAPSED_MONTHS = 12
"""People who left longer ago than this are not simulated; a return after a year counts as a new person."""


_WORLD = np.dtype((np.record, WORLD))
"""The same with fields as attributes; one for all worlds, as `rule.records` would have it."""


def new_world(arms: int = 1) -> np.recarray:
    """An empty world, an array of one record whose fields read as attributes; of several where it has arms."""
    return np.zeros(arms, _WORLD).view(np.recarray)


class Fields:
    """The fields of a record as attributes that are looked up once: `np.recarray` makes a new view each time, which
    took a third of compiling a world."""

    def __init__(self, record: np.recarray) -> None:
        self.__dict__["_record"] = record

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__[name] = getattr(self._record, name)
        return found

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        getattr(self, name)[...] = value
