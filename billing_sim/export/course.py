"""The course of each subscription: what its plan, price, period and status were at every moment of its life.

The facts know how a subscription stands and what was billed, so its course is put together from what changes it: each
part of `_TURNS` says what is different from a moment on, and what it leaves null stays as it was. The last step is how
the subscription stands, and every step is an event, so events and tables cannot disagree.
"""

from __future__ import annotations

from billing_sim.export.vocabulary import SIGNUP_ABANDONED, SIGNUP_OPEN

_BEGUN = f"""
CREATE TABLE begun AS
WITH trying AS (
    SELECT subscriber, spell, min(started_at) AS signed_at, max(finished_at) AS finished_at,
        any_value(market) AS market, any_value(plan) AS plan, any_value(interval) AS interval,
        CASE WHEN bool_or(outcome = 'open') THEN '{SIGNUP_OPEN}' ELSE '{SIGNUP_ABANDONED}' END AS status
    FROM signups GROUP BY subscriber, spell
), trials AS (
    SELECT market, CAST(json_extract(detail, '$.days') AS INTEGER) AS days
    FROM world_events WHERE kind = 'trial.offered'
), currencies AS (
    SELECT market, any_value(currency) AS currency FROM world_events WHERE kind = 'market.opened' GROUP BY market
), spells AS (
    SELECT coalesce(s.subscriber, t.subscriber) AS subscriber, coalesce(s.spell, t.spell) AS spell,
        coalesce(s.market, t.market) AS market, coalesce(s.plan, t.plan) AS last_plan,
        coalesce(s.interval, t.interval) AS interval, coalesce(s.status, t.status) AS stands,
        coalesce(s.started_by = 'imported', false) AS is_base, coalesce(s.plan_changes, 0) AS plan_changes,
        s.started_at, t.signed_at, s.end_reason, s.trial_started_at AS trial_start, s.trial_end AS trial_ended_by,
        coalesce(s.trial_ended_at, s.trial_started_at + to_days(o.days)) AS trial_end,
        coalesce(s.cancel_requested_at, CASE WHEN s.started_by = 'imported' AND (s.status = 'canceling'
            OR s.end_reason IN ('voluntary', 'payment_trouble')) THEN run_start() END) AS cancel_requested_at,
        CASE WHEN s.subscriber IS NOT NULL THEN s.ended_at
             WHEN t.status = '{SIGNUP_ABANDONED}' THEN t.finished_at END AS ended_at,
        coalesce(t.signed_at, CASE WHEN s.started_by = 'imported'
            THEN least(CAST(s.joined_on AS TIMESTAMP), run_start()) ELSE s.started_at END) AS created
    FROM subscriptions s FULL JOIN trying t ON s.subscriber = t.subscriber AND s.spell = t.spell
    LEFT JOIN trials o ON o.market = s.market
)
SELECT s.*, c.currency, CASE interval WHEN 'year' THEN INTERVAL 12 MONTH WHEN 'week' THEN INTERVAL 7 DAY
    ELSE INTERVAL 1 MONTH END AS length
FROM spells s LEFT JOIN currencies c USING (market)
"""
"""Spells, and sign-ups that never became one. Who cancelled before the run is known to have done so since its start."""

_RUNGS = (
    "CREATE TABLE rungs AS SELECT market, plan, any_value(under) AS under, any_value(rung) AS rung FROM tariff "
    "GROUP BY market, plan"
)

_RENEWED = """
CREATE TABLE renewed AS
SELECT subscriber, spell, invoice, created, is_signup, plan, price_minor,
    CAST(period_start AS TIMESTAMP) AS period_start, CAST(period_end AS TIMESTAMP) AS period_end
FROM billed WHERE is_recurring
"""

# What an upgrade costs is paid at once; where the payment came back later, the upgrade stood all the same.
_UPGRADED = """
CREATE TABLE upgraded AS
SELECT b.subscriber, b.spell, b.market, b.plan, b.price_minor, b.created,
    coalesce(CASE WHEN NOT b.was_returned THEN b.paid_at END, a.first_paid_at) AS bought_at
FROM billed b LEFT JOIN (
    SELECT subscriber, invoice, min(occurred_at) AS first_paid_at FROM attempts
    WHERE was_returned AND is_signup GROUP BY subscriber, invoice
) a USING (subscriber, invoice)
WHERE b.is_proration
"""

# Moments at which the plan of somebody who changed it is known. Of a downgrade that takes effect at once the facts know
# no more than the plan at the end of the month, or of what an upgrade that follows leads away from.
_SEEN = """
CREATE TABLE seen AS
WITH sightings AS (
    SELECT subscriber, spell, created AS seen_at, 1 AS place, plan, NULL AS price_minor FROM renewed
    UNION ALL
    SELECT u.subscriber, u.spell, u.created, 0, r.under, o.net_minor
    FROM upgraded u JOIN rungs r USING (market, plan)
        LEFT JOIN tariff o ON o.market = u.market AND o.plan = r.under AND o.listed_at <= u.created
            AND o.replaced_at > u.created AND o.taxed_from <= u.created AND o.taxed_until > u.created
    UNION ALL
    SELECT subscriber, spell, bought_at, 2, plan, NULL FROM upgraded WHERE bought_at IS NOT NULL
    UNION ALL
    SELECT m.subscriber, m.spell, coalesce(m.ended_at, m.until - INTERVAL 1 SECOND), 3, m.plan,
        coalesce(t.net_minor, o.net_minor)
    FROM (SELECT *, least(later(month, INTERVAL 1 MONTH, 1), run_end()) AS until FROM subscription_months) m
        LEFT JOIN (SELECT DISTINCT market, plan, net_minor FROM tariff) t
            ON t.market = m.market AND t.plan = m.plan AND t.net_minor = m.net_end_minor
        LEFT JOIN tariff o ON o.market = m.market AND o.plan = m.plan AND o.listed_at < m.until
            AND o.replaced_at >= m.until AND o.taxed_from < m.until AND o.taxed_until >= m.until
)
SELECT s.*, r.rung, lag(s.plan) OVER life AS plan_before, lag(r.rung) OVER life AS rung_before
FROM sightings s JOIN begun b USING (subscriber, spell) LEFT JOIN rungs r ON r.market = b.market AND r.plan = s.plan
WHERE b.plan_changes > 0 AND s.plan IS NOT NULL
WINDOW life AS (PARTITION BY s.subscriber, s.spell ORDER BY s.seen_at, s.place)
"""

# How a subscription began: a trial is the first period of whoever has one, and the first invoice tells the period of
# who pays at once. Of members of before the start the first period ever is counted from the day of joining, and whose
# plan has changed more often than it was seen to change has come down before it was first seen.
_FIRST = """
CREATE TABLE first_steps AS
WITH first_seen AS (
    SELECT subscriber, spell, arg_min(plan, (seen_at, place)) AS plan, arg_min(rung, (seen_at, place)) AS rung,
        sum(abs(coalesce(rung - rung_before, 0))) AS seen_changes
    FROM seen GROUP BY subscriber, spell
), first_invoice AS (
    SELECT subscriber, spell, arg_min(price_minor, invoice) AS price_minor FROM billed
    WHERE NOT coalesce(is_proration, false) GROUP BY subscriber, spell
), first_period AS (
    SELECT subscriber, spell, arg_min(period_start, invoice) AS next_start, arg_min(period_end, invoice) AS next_end,
        arg_min(is_signup, invoice) AS is_signup, arg_min(created, invoice) AS billed_at,
        max(greatest(day(at_home(period_start)), day(at_home(period_end)))) AS anchor
    FROM renewed GROUP BY subscriber, spell
), higher AS (
    SELECT DISTINCT market, interval, plan, rung FROM tariff
), planned AS (
    SELECT b.*, coalesce(CASE WHEN b.is_base THEN h.plan END, s.plan, b.last_plan) AS plan,
        i.price_minor AS first_price, p.* EXCLUDE (subscriber, spell)
    FROM begun b LEFT JOIN first_seen s USING (subscriber, spell) LEFT JOIN first_invoice i USING (subscriber, spell)
        LEFT JOIN first_period p USING (subscriber, spell)
        LEFT JOIN higher h ON h.market = b.market AND h.interval = b.interval
            AND h.rung = s.rung + b.plan_changes - s.seen_changes
)
SELECT f.subscriber, f.spell, f.plan,
    CASE WHEN f.is_base THEN coalesce(t.net_minor, f.first_price) ELSE coalesce(f.first_price, o.net_minor) END
        AS price_minor,
    coalesce(f.trial_start, CASE WHEN f.is_signup THEN f.next_start END, f.created) AS period_start,
    coalesce(f.trial_end, CASE WHEN f.is_signup THEN f.next_end END, later(f.created, f.length, 1)) AS period_end,
    f.is_base AND f.trial_start IS NULL AND (f.billed_at IS NULL OR f.billed_at > run_start()) AS is_under_way,
    coalesce(f.anchor, day(at_home(f.created))) AS anchor,
    coalesce(on_anchor(later(f.next_start, f.length, -1), f.anchor, f.length),
        later(f.created, f.length, periods_between(f.created, run_start(), f.interval))) AS running_start,
    coalesce(f.next_start, later(f.created, f.length, periods_between(f.created, run_start(), f.interval) + 1))
        AS running_end
FROM planned f
    LEFT JOIN tariff t ON t.market = f.market AND t.plan = f.plan AND t.is_base AND t.taxed_from <= run_start()
        AND t.taxed_until > run_start()
    LEFT JOIN tariff o ON o.market = f.market AND o.plan = f.plan AND o.listed_at <= f.created
        AND o.replaced_at > f.created AND o.taxed_from <= f.created AND o.taxed_until > f.created
"""

# Periods that nobody was billed for: on a pause, and while an invoice stays unpaid for longer than its period, a
# subscription goes from one period to the next all the same. The last day is left to the billing of that day.
_UNBILLED = """
CREATE TABLE unbilled AS
WITH known AS (
    SELECT subscriber, spell, period_start, period_end FROM renewed
    UNION ALL
    SELECT subscriber, spell, CASE WHEN is_under_way THEN running_start ELSE period_start END,
        CASE WHEN is_under_way THEN running_end ELSE period_end END FROM first_steps
), gaps AS (
    SELECT subscriber, spell, max(period_end) AS gap_start, lead(min(period_start)) OVER (PARTITION BY subscriber, spell
        ORDER BY period_start) AS next_start
    FROM known GROUP BY subscriber, spell, period_start
), open AS (
    SELECT g.*, b.length, b.interval, f.anchor,
        coalesce(g.next_start, coalesce(b.ended_at, run_end()) - INTERVAL 1 DAY) AS until
    FROM gaps g JOIN begun b USING (subscriber, spell) JOIN first_steps f USING (subscriber, spell)
    WHERE g.gap_start < until AND b.trial_end IS DISTINCT FROM g.gap_start AND b.started_at IS NOT NULL
), counted AS (
    SELECT *, unnest(range(0, periods_between(gap_start, until, interval) + 2)) AS n FROM open
)
SELECT subscriber, spell, on_anchor(later(gap_start, length, n), anchor, length) AS period_start,
    on_anchor(later(gap_start, length, n + 1), anchor, length) AS period_end
FROM counted
WHERE CASE WHEN next_start IS NULL THEN on_anchor(later(gap_start, length, n), anchor, length) <= until
    ELSE on_anchor(later(gap_start, length, n), anchor, length) < until END
"""

# An invoice whose payment failed, or came back while it was the last one, until it is paid. What somebody buys on the
# spot is owed only once it has been paid and came back.
_FAILING = """
CREATE TABLE failing AS
WITH failed AS (
    SELECT b.subscriber, b.spell, b.invoice, CASE WHEN b.status = 'paid' THEN b.paid_at END AS paid_at,
        CASE WHEN b.is_imported THEN b.created WHEN NOT b.is_signup THEN b.first_failed_at ELSE r.returned_at END
            AS failed_at
    FROM billed b LEFT JOIN (
        SELECT subscriber, invoice, min(returned_at) AS returned_at FROM returned GROUP BY subscriber, invoice
    ) r USING (subscriber, invoice)
    WHERE b.is_imported OR b.first_failed_at IS NOT NULL
)
SELECT f.* FROM failed f LEFT JOIN billed n ON n.subscriber = f.subscriber AND n.invoice = f.invoice + 1
WHERE f.failed_at IS NOT NULL AND (n.created IS NULL OR n.spell <> f.spell OR n.created > f.failed_at)
"""

_NOTHING = {
    "status": "VARCHAR", "plan": "VARCHAR", "price_minor": "BIGINT", "period_start": "TIMESTAMP",
    "period_end": "TIMESTAMP", "cancels_at_end": "BOOLEAN", "canceled_at": "TIMESTAMP", "ended_at": "TIMESTAMP",
}  # fmt: skip
"""What a subscription's course is made of, and its types."""


def _turn(place: int, at: str, source: str, **changed: str) -> str:
    """What is different from a moment on; `place` is the order at equal moments."""
    filled = ", ".join(f"CAST({changed.get(name, 'NULL')} AS {kind}) AS {name}" for name, kind in _NOTHING.items())
    return f"SELECT subscriber, spell, CAST({at} AS TIMESTAMP) AS turned_at, {place} AS place, {filled} FROM {source}"


_TRYING = "CASE WHEN trial_start IS NULL THEN 'active' ELSE 'trialing' END"
_PERIOD = {"period_start": "period_start", "period_end": "period_end"}
_COME_DOWN = """(
    SELECT s.* FROM seen s JOIN first_steps f USING (subscriber, spell)
    WHERE s.place IN (0, 3) AND s.plan <> coalesce(s.plan_before, f.plan))"""
_TURNS = (
    _turn(0, "created", "begun JOIN first_steps USING (subscriber, spell)", plan="plan", price_minor="price_minor",
          status=f"CASE WHEN signed_at IS NULL THEN {_TRYING} ELSE 'incomplete' END", cancels_at_end="false",
          **_PERIOD),
    _turn(1, "run_start()", "first_steps WHERE is_under_way", period_start="running_start", period_end="running_end"),
    _turn(2, "started_at", "begun WHERE signed_at IS NOT NULL AND started_at IS NOT NULL", status=_TRYING),
    _turn(3, "period_start", "unbilled", **_PERIOD),
    _turn(4, "trial_end", "begun WHERE trial_ended_by = 'trial_converted'", status="'active'"),
    _turn(5, "created", "renewed", plan="plan", price_minor="price_minor",
          status="CASE WHEN NOT is_signup THEN 'active' END", **_PERIOD),
    _turn(6, "failed_at", "failing", status="'past_due'"),
    _turn(7, "paid_at", "failing WHERE paid_at IS NOT NULL", status="'active'"),
    _turn(8, "bought_at", "upgraded WHERE bought_at IS NOT NULL", plan="plan", price_minor="price_minor"),
    _turn(9, "seen_at", _COME_DOWN, plan="plan", price_minor="price_minor"),
    _turn(10, "cancel_requested_at", "begun WHERE cancel_requested_at IS NOT NULL", cancels_at_end="true",
          canceled_at="cancel_requested_at"),
    _turn(11, "ended_at", "begun WHERE ended_at IS NOT NULL", ended_at="ended_at",
          status="CASE WHEN started_at IS NULL THEN 'incomplete_expired' ELSE 'canceled' END",
          canceled_at="CASE WHEN started_at IS NOT NULL THEN coalesce(cancel_requested_at, ended_at) END"),
)  # fmt: skip
"""Everything that changes a subscription."""


def _course() -> str:
    """The turns in order, each with all that holds from then on; what changes nothing is no step."""
    filled = ", ".join(f"last_value({name} IGNORE NULLS) OVER so_far AS {name}" for name in _NOTHING)
    same = " AND ".join(f"{name} IS NOT DISTINCT FROM lag({name}) OVER life" for name in _NOTHING)
    return f"""
    CREATE TABLE course AS
    WITH turns AS ({" UNION ALL ".join(_TURNS)}), clipped AS (
        SELECT t.* REPLACE (greatest(t.turned_at, b.created) AS turned_at)
        FROM turns t JOIN begun b USING (subscriber, spell)
        WHERE t.turned_at IS NOT NULL AND (b.ended_at IS NULL OR t.turned_at <= b.ended_at)
    ), filled AS (
        SELECT subscriber, spell, turned_at, place, {filled} FROM clipped
        WINDOW so_far AS (PARTITION BY subscriber, spell ORDER BY turned_at, place ROWS UNBOUNDED PRECEDING)
    ), compared AS (
        SELECT *, place > 0 AND {same} AS is_same FROM filled
        WINDOW life AS (PARTITION BY subscriber, spell ORDER BY turned_at, place)
    )
    SELECT * EXCLUDE (is_same, place), row_number() OVER life AS step,
        lead(turned_at) OVER life IS NULL AS is_last
    FROM compared WHERE NOT is_same
    WINDOW life AS (PARTITION BY subscriber, spell ORDER BY turned_at, place)
    """


# Months are counted in the calendar of the run, not in the one to which an export moves it: how many periods lie
# between two moments, a moment so many periods later, and the end of a period, which is the day of the anchor or the
# last one of a month that has no such day.
_MACROS = (
    "CREATE MACRO at_home(moment) AS CAST(moment - to_days(run_shift()) AS TIMESTAMP)",
    "CREATE MACRO moved(moment) AS CAST(moment + to_days(run_shift()) AS TIMESTAMP)",
    """
    CREATE MACRO periods_between(since, until, unit) AS greatest(0, CASE unit
        WHEN 'year' THEN date_sub('month', at_home(since), at_home(until)) // 12
        WHEN 'week' THEN date_sub('day', at_home(since), at_home(until)) // 7
        ELSE date_sub('month', at_home(since), at_home(until)) END)
    """,
    "CREATE MACRO later(moment, length, number) AS moved(at_home(moment) + length * number)",
    """
    CREATE MACRO on_anchor(moment, anchor, length) AS CASE WHEN length < INTERVAL 28 DAY THEN moment
        ELSE moved(date_trunc('month', at_home(moment))
            + to_days(CAST(least(anchor, day(last_day(at_home(moment)))) - 1 AS INTEGER))) END
    """,
)

_STEPS = """
CREATE VIEW steps AS
SELECT b.* EXCLUDE (ended_at), c.* EXCLUDE (subscriber, spell), p.created AS price_created, p.active AS price_active
FROM begun b JOIN course c USING (subscriber, spell)
    LEFT JOIN price_list p ON p.market = b.market AND p.plan = c.plan AND p.net_minor = c.price_minor
"""
_SUBSCRIBED = "CREATE TABLE subscribed AS SELECT * FROM steps WHERE is_last"

COURSE = (
    *_MACROS, _BEGUN, _RUNGS, _RENEWED, _UPGRADED, _SEEN, _FIRST, _UNBILLED, _FAILING, _course(), _STEPS, _SUBSCRIBED,
)  # fmt: skip
"""`course`, every step of a subscription; `steps`, each with how the subscription began; and `subscribed`, the last
steps. They read `billed`, `tariff` and `returned`."""
