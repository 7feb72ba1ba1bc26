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

_QUERY = """
WITH lost AS (
    SELECT subscriber, invoice, occurred_at, intent::VARCHAR AS intent, able FROM truth WHERE kind = 'loss.judged'
), explained AS (
    SELECT subscriber, invoice, arg_min(cause::VARCHAR, (occurred_at, sequence)) AS cause
    FROM truth WHERE kind = 'decline.explained' GROUP BY ALL
)
SELECT subscriber, date_trunc('month', make_timestamp(epoch_us(occurred_at)))::TIMESTAMP AS at,
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
    meanings = dict(declines.CAUSES) | {"": "failed before the run began", "none": "failed before the run began"}
    return found.assign(cause=[meanings.get(it, it) for it in found["cause"]])
