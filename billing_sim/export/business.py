"""The run seen as a billing system keeps it: customers, subscriptions with their period and price, invoices, charges.

Both vendors' tables are made of these, so that what they share is said once. What things cost is in `prices`, what
becomes of subscriptions in `course`, and what went back in `claims`.
"""

from __future__ import annotations

import duckdb

from billing_sim.export.claims import see_claims
from billing_sim.export.course import COURSE
from billing_sim.export.prices import PRICES

_RETURNED = """
CREATE TABLE returned AS
WITH next AS (
    SELECT r.subscriber, r.invoice, r.attempt, min(n.occurred_at) - to_seconds(1) AS before_next
    FROM attempts r JOIN attempts n USING (subscriber, invoice) WHERE r.was_returned AND n.attempt > r.attempt
    GROUP BY r.subscriber, r.invoice, r.attempt
), lag AS (
    SELECT CAST(json_extract(detail, '$.return_lag_seconds') AS BIGINT) AS longest
    FROM world_events WHERE kind = 'run.configured'
)
SELECT a.*, CASE WHEN i.first_failed_at > a.occurred_at THEN i.first_failed_at
    ELSE least(a.occurred_at + to_seconds(longest), before_next, i.given_up_at, run_end()) END AS returned_at
FROM charged a JOIN billed i USING (subscriber, invoice) LEFT JOIN next USING (subscriber, invoice, attempt), lag
WHERE a.was_returned
"""
"""When a captured payment came back: the first failure of its invoice, where that is later than the payment; else the
latest moment that is possible, for the facts know only how long it takes at most."""

_PERSONS = """
CREATE TABLE persons AS SELECT subscriber, min(created) AS created, min(market) AS market, min(currency) AS currency
FROM begun GROUP BY subscriber
"""

_INSTRUMENTS = """
CREATE TABLE instruments AS
WITH currencies AS (
    SELECT market, any_value(currency) AS currency FROM world_events WHERE kind = 'market.opened' GROUP BY market
), kept AS (
    SELECT subscriber, instrument, min(added_at) AS added_at, arg_min(method, added_at) AS method,
        any_value(market) AS market
    FROM payment_methods GROUP BY subscriber, instrument
)
SELECT * FROM kept LEFT JOIN currencies USING (market)
"""
"""One payment method is one row, however often a network token renewed it."""

BUSINESS = (*PRICES, _RETURNED, *COURSE, _PERSONS, _INSTRUMENTS)


def see_business(workshop: duckdb.DuckDBPyConnection) -> None:
    """Make the views and tables above, and those of `claims`."""
    see_claims(workshop)
    for statement in BUSINESS:
        workshop.execute(statement)
