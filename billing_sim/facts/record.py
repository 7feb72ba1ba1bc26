"""What the fold works with: the world as the log tells it, one person in progress, and a page of facts.

All three are records, passed by address: reference counting of arrays would cost more than the folding.
"""

from __future__ import annotations

import numpy as np
from numba import from_dtype, types

from billing_sim.events import ROW
from billing_sim.facts import schema
from billing_sim.world.record import EPOCHS, LABELS, MARKETS, MONTHS, PLANS, PROMOTIONS

BLOCK_ROWS = 16384
"""The most rows that one call folds; they hold whole lives."""

LAUNCHES = 256
"""The most launches of markets and methods, one after the other."""

RATES = 128
"""The most exchange rates of a currency, one after the other."""

MONTH_ROWS = 8 * BLOCK_ROWS
"""Room for months: a spell has one a month but at least three log rows a year."""

CONTEXT = np.dtype([
    ("start", "i8"),
    ("end", "i8"),
    ("known_before", "i8"),
    ("tells_months", "i8"),
    ("first_month", "i8"),
    ("month_start", "i8", (MONTHS,)),
    ("region", "i8", (MARKETS,)),
    ("currency", "i8", (MARKETS,)),
    ("interval", "i8", (PLANS,)),
    ("rate_count", "i8", (MARKETS,)),
    ("rate_from", "i8", (MARKETS, RATES)),
    ("factor", "i8", (MARKETS, RATES)),
    ("net_count", "i8", (MARKETS, PLANS)),
    ("net_from", "i8", (MARKETS, PLANS, EPOCHS)),
    ("net", "i8", (MARKETS, PLANS, EPOCHS)),
    ("partner_keeps", "i8"),
    ("launches", "i8"),
    ("launch_at", "i8", (LAUNCHES,)),
    ("launch_market", "i8", (LAUNCHES,)),
    ("launch_method", "i8", (LAUNCHES,)),
    ("coupon_lasts", "i8", (PROMOTIONS,)),
    ("coupon_share", "i8", (PROMOTIONS,)),
    ("arm_step", "i8", (LABELS,)),
    ("arm_count", "i8", (LABELS,)),
])  # fmt: skip
"""What world events say: the calendar of the run, where a market lies, what a minor unit of a currency is worth from
when on (millionths of the reporting currency, times 10^9), and list prices net of tax in minor units, for members
who have not been invoiced yet; whether the share of partners is no revenue; launches, of markets (method 0) and of
methods; how long the discounts of coupons last, and which share of a price they are (millionths; 0 for an amount);
by the number of an arm the step between arms of its experiment and how many it has. Of the log only rows recorded
before `known_before` are read, and months are left out unless it `tells_months`."""

_PERSON = """
subscriber group arm market region plan interval method currency
spell started_by started_at joined_on net net_start mrr_start
is_member is_imported is_past_due is_held month
invoice fixed_by called failed_calls
authenticated authentication reviewed review_asked_at review_seconds first_joined_at first_paid_at
list_net discounts lasting forever is_paused in_trial after_trial coupon trial_start paused_start
spell_row signup_row method_row backup_row backup_number
charged
""".split()

PERSON = np.dtype([(name, "i8") for name in _PERSON])
"""The person whose rows are being read; `*_row` and `invoice` are places on the page, -1 for none; `net` is the price
per billing interval net of tax in minor units; `called` is the attempt that `failed_calls` count for, 0 for none, as
`authenticated` and `reviewed` are those before which the customer authenticated and somebody looked, and `charged` the
last one whose charge was counted; `first_joined_at` and `first_paid_at` are null until the person signs up and pays
something."""

_ROOM = {fact.name: BLOCK_ROWS for fact in schema.FACTS} | {"subscription_months": MONTH_ROWS}
NAMES = tuple(fact.name for fact in schema.FACTS)

PAGE = np.dtype([
    ("count", "i8", (len(NAMES),)),
    ("overflow", "i8"),
    *[(fact.name, fact.dtype, (_ROOM[fact.name],)) for fact in schema.FACTS],
])  # fmt: skip

INVOICES, ATTEMPTS, SUBSCRIPTIONS, SUBSCRIPTION_MONTHS, SIGNUPS, NOTICES, PAYMENT_METHODS = range(7)
REFUNDS, DISPUTES = NAMES.index("refunds"), NAMES.index("disputes")
TOUCHES = NAMES.index("touches")
ENROLMENTS = NAMES.index("enrolments")

Context = from_dtype(CONTEXT)
Person = from_dtype(PERSON)
Page = from_dtype(PAGE)
Row = from_dtype(ROW)
Rows = types.Array(Row, 1, "C")
Stretches = types.Array(types.int64, 2, "C")
Int = types.int64
Nothing = types.void
