"""The run's own tables, for `--as csv` and `--as duckdb`, and the failed charges that small dunning tools read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from billing_sim import events
from billing_sim.export.contract import Column, Table, Total, columns
from billing_sim.export.workshop import type_of
from billing_sim.facts.schema import FACTS

_TOTALS: Mapping[str, tuple[Total, ...]] = {
    "invoices": (
        Total("issued", "amount_minor", "invoices", "amount_minor"),
        Total("tax", "tax_minor", "invoices", "tax_minor"),
        Total("paid", "CASE status WHEN 'paid' THEN amount_minor ELSE 0 END", "invoices WHERE status = 'paid'",
              "amount_minor"),
    ),
    "attempts": (
        Total("attempted", "amount_minor", "attempts", "amount_minor"),
        Total("succeeded", "CASE WHEN outcome = 'authorized' AND NOT was_returned THEN amount_minor ELSE 0 END",
              "attempts WHERE outcome = 'authorized' AND NOT was_returned", "amount_minor"),
    ),
    "subscription_months": (
        Total("recurring revenue", "mrr_end_micros", "subscription_months", "mrr_end_micros"),
    ),
    "events": (
        Total("issued", "CASE kind WHEN 'invoice.issued' THEN amount_minor ELSE 0 END",
              "events WHERE kind = 'invoice.issued'", "amount_minor"),
    ),
}  # fmt: skip

FAILED_CHARGES = Table("failed_charges", """(
    SELECT charge_id(subscriber, invoice, attempt) AS id, a.occurred_at, a.amount_minor, a.currency, subscriber,
        a.code, i.status
    FROM attempts a JOIN invoices i USING (subscriber, invoice)
    WHERE a.outcome IN ('declined', 'blocked') OR a.was_returned
)""", columns("""
    id VARCHAR = id
    created TIMESTAMP = date_trunc('second', occurred_at)
    amount DECIMAL(18,3) = major(amount_minor, currency)
    currency VARCHAR = lower(currency)
    customer VARCHAR = customer_id(subscriber)
    decline_code VARCHAR = decline_code_of(code)
    outcome VARCHAR = fate(status)
"""), rows="SELECT count(*) FROM attempts WHERE outcome IN ('declined', 'blocked') OR was_returned", totals=(
    Total("failed", "amount", "attempts WHERE outcome IN ('declined', 'blocked') OR was_returned", "amount_minor",
          is_major=True),
), order="occurred_at, id")  # fmt: skip
"""One row for each attempt that failed or came back; `outcome` tells what became of its invoice since."""


def plain_tables(with_log: bool) -> tuple[Table, ...]:
    """A table for every fact, the world events, and the log when asked for."""
    tables = [_table(fact.name, fact.columns, fact.grain) for fact in FACTS]
    tables.append(_table("world_events", events.WORLD_COLUMNS, "one event of the world", order="sequence"))
    return (*tables, *((_table("events", events.COLUMNS, "one event of the log"),) if with_log else ()))


def _table(name: str, its: Sequence[events.Column], grain: str, order: str = "") -> Table:
    rows = f"SELECT count(*) FROM {name}"
    return Table(name, name, tuple(_columns(its)), rows, _TOTALS.get(name, ()), f"each is {grain}", order)


def _columns(its: Iterable[events.Column]) -> Iterable[Column]:
    for column in its:
        yield Column(column.name, type_of(column), f'"{column.name}"')
