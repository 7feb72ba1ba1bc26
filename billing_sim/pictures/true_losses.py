"""Who was lost through payment, as only the simulator knows: what they wanted, what they could, and why it failed."""

from __future__ import annotations

import duckdb
import pandas as pd

from billing_sim import declines
from billing_sim.errors import RunError
from billing_sim.pictures.asked import Asked

PARTS = {
    "wrongful": "willing, could have paid",
    "unable": "willing, could not pay",
    "inert": "not caring",
    "leaving": "wanted to go",
}
"""What a loss was; only the first is wrongful."""

BEFORE = "failed before the run began"

_QUERY = """
WITH lost AS (
    SELECT subscriber, invoice, occurred_at, intent::VARCHAR AS intent, able FROM truth WHERE kind = 'loss.judged'
), explained AS (
    SELECT subscriber, invoice, arg_min(cause::VARCHAR, (occurred_at, sequence)) AS cause
    FROM truth WHERE kind = 'decline.explained' GROUP BY ALL
)
SELECT subscriber, invoice, date_trunc('month', make_timestamp(epoch_us(occurred_at)))::TIMESTAMP AS at,
    CASE WHEN intent = 'go' THEN 'leaving' WHEN intent = 'inert' THEN 'inert'
        WHEN able = 1 THEN 'wrongful' ELSE 'unable' END AS part,
    coalesce(cause, '') AS cause
FROM lost LEFT JOIN explained USING (subscriber, invoice) ORDER BY ALL
"""


def read(asked: Asked) -> pd.DataFrame:
    """One row per loss: whose, in which month (`at`), which of the `PARTS`, and the cause in words.

    RunError where the truth is withheld or cannot be read.
    """
    files = [str(file) for file in asked.run.stored.truth_files]
    try:
        with duckdb.connect(":memory:", config={"threads": 1}) as connection:
            connection.execute("CREATE VIEW truth AS SELECT * FROM read_parquet($files)".replace("$files", str(files)))
            found: pd.DataFrame = connection.sql(_QUERY).df()
    except duckdb.Error as error:
        raise RunError(f"The truth of this run cannot be read: {str(error).splitlines()[0]}") from None
    meanings = dict(declines.CAUSES) | {"": BEFORE, "none": BEFORE}
    begun = _failing_at_the_start(asked)
    invoices = zip(found["subscriber"], found["invoice"], strict=True)
    causes = [
        BEFORE if it in begun else meanings.get(cause, cause)
        for it, cause in zip(invoices, found["cause"], strict=True)
    ]
    return found.drop(columns="invoice").assign(cause=causes)


def _failing_at_the_start(asked: Asked) -> set[tuple[int, int]]:
    """Invoices that had failed before the run began, subscriber and number: nobody has seen their first decline."""
    rows = asked.run.sql("SELECT subscriber, invoice FROM invoices WHERE is_imported")
    return set(zip(rows["subscriber"], rows["invoice"], strict=True))
