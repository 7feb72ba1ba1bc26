"""One subscriber: a record of integers and a handful of alarms.

The record is zeroed before each life. An alarm is the next moment of its kind, or `clock.NEVER`; the earliest rings
first, equal ones in the order of their numbers.
"""

from __future__ import annotations

import numpy as np
from numba import from_dtype, types

from billing_sim.events import ROW, TRUTH_ROW
from billing_sim.world.record import WORLD

# Alarms, in the order in which equal times ring. Numbers are part of every digest.
ALARM_IMPORT = 0
ALARM_EPISODE = 1
ALARM_INTENT = 2
ALARM_RESOLVE = 3
ALARM_MEMBER = 4
ALARM_RETRY = 5
ALARM_RENEWAL = 6
ALARM_NOTICE = 7
ALARM_HOLD = 8
ALARM_EXHAUST = 9
ALARM_PERIOD_END = 10
ALARM_SIGNUP = 11
ALARM_MATTER = 12
ALARMS = 13

ALARM_NAMES = (
    "import", "episode", "intent", "resolve", "member", "retry", "renewal", "notice", "hold", "exhaust", "period_end",
    "signup", "matter",
)  # fmt: skip

# Where a person stands.
OUTSIDE, SIGNING_UP, SUBSCRIBED = 0, 1, 2

# What an open attempt waits for.
NOTHING_PENDING, PENDING_OUTCOME, PENDING_RETURN = 0, 1, 2

# Slots of payment methods on file.
FIRST, BACKUP = 0, 1

_SCALARS = """
subject key market group rows truths sequence logging last_at delay_hour delay
turn phase spell plan months joined_day joined_month anchor_day bill_at payday strained_quarter strain started_by
period_start period_end period_month canceling intent joined_at
invoice attempt open amount tax
first_failed policy next_retry next_notice stopped held
pending pending_cause pending_code pending_slot pending_initiator
collects failed_code lives_in methods backup balance gateway sight_until signup_tries
""".split()
_NOUNS = {
    # Plans and money.
    "plans": """
quoted quoted_tax worth worth_tax free discount discount_tax coupon coupon_left coupon_waiting coupons_had
trial had_trial verifying paused changing downgrading credit credit_used credit_tax_used
""",
    # Refunds and disputes.
    "refunds": "refunded disputed doubled attempt_cost charged_fee charged_network",
    # Fraud and authentication.
    "fraud": "fraudster score cleared reviewing review_at review_waited "
    "authentication authenticated_month authenticated_method",
    # Gateways under load.
    "gateways": "issuer_out",
    # Support.
    "support": "asks asks_at asks_detail asks_patience asks_service "
    "contact_open contact_topic contact_channel contact_invoice contact_at grace_given annoyed_until",
    # People and what they say.
    "people": """
why serial bad_addresses addresses_month unwanted sight_channel unopened
mood mood_month asked_at troubled_at
left_at left_through offered_coupon offered_until
""",
    # Campaigns.
    "campaigns": "campaigns_awaited",
    # Experiments.
    "experiments": "arm enrolled_in enrols enrols_slot",
}
"""What each of these nouns remembers of a person."""

_PER_SLOT = """
method_number method_kind method_key method_added method_expiry method_status method_token
episode_at episode_cause memory_since memory_count counted_since counted
network recounted_since recounted bin
""".split()

MATTERS = 12
"""Dated matters that a person can have under way at once (see `lifecycle.agenda`)."""

_PER_MATTER = "matter_at matter matter_invoice matter_amount matter_detail".split()

STATE = np.dtype(
    [(name, "i8") for name in (*_SCALARS, *" ".join(_NOUNS.values()).split())]
    + [(name, "i8", (MATTERS,)) for name in _PER_MATTER]
    + [(name, "i8", (2,)) for name in _PER_SLOT]
    + [("alarm", "i8", (ALARMS,))]
)  # fmt: skip

PAGE_ROWS, PAGE_TRUTHS = 16384, 4096

PAGE = np.dtype([("rows", ROW, (PAGE_ROWS,)), ("truths", TRUTH_ROW, (PAGE_TRUTHS,))])
"""A page of the log: what rules write on until a driver takes the rows away. It is a record like the others because
Numba counts references to arrays, atomically, at every call (measured: three quarters of the time of a renewal)."""

# Numba's names for what rules receive.
World = from_dtype(WORLD)
State = from_dtype(STATE)
Page = from_dtype(PAGE)
Int = types.int64
Nothing = types.void


_STATE = np.dtype((np.record, STATE))
"""The same with fields as attributes; one for all of them, as `rule.records` would have it."""


def new_states(count: int) -> np.recarray:
    """`count` zeroed subscribers, fields readable as attributes in plain Python too."""
    return np.zeros(count, _STATE).view(np.recarray)


def new_page() -> np.ndarray:
    """An empty page, as an array of one record."""
    return np.zeros(1, PAGE)
