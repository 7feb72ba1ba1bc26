"""The true answers of a run, from its sealed truth joined with its facts, before anything is withheld."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import duckdb

from billing_sim.challenges.questions import CAUSES_BY_OPTION
from billing_sim.facts.schema import COLUMNS
from billing_sim.metrics.rows import rows_of
from billing_sim.runs.stored import StoredRun

Answers: TypeAlias = dict[str, float | str]
"""By question: a number, or an option. A question that this run cannot answer is missing."""

_GROUPS = " ".join(
    f"WHEN cause IN ({', '.join(repr(cause) for cause in causes)}) THEN '{option}'"
    for option, causes in CAUSES_BY_OPTION.items()
)

_VIEWS = f"""
CREATE VIEW losses AS SELECT * FROM truth WHERE kind = 'loss.judged';
CREATE VIEW failures AS
SELECT subscriber, invoice, cause, CASE {_GROUPS} END AS option,
    row_number() OVER (PARTITION BY subscriber, invoice ORDER BY sequence) AS turn
FROM truth WHERE kind = 'decline.explained';
CREATE VIEW renewals AS SELECT * FROM invoices WHERE NOT is_signup;
"""

_SHARES: Mapping[str, str] = {
    "involuntary_share": """
        SELECT avg((end_reason IN ('nonpayment', 'payment_trouble'))::INT) FROM subscriptions
        WHERE ended_at IS NOT NULL""",
    "wrongful_share": "SELECT avg((intent = 'stay' AND able = 1)::INT) FROM losses",
    "false_decline_share": "SELECT avg((option = 'issuer_mistake')::INT) FROM failures",
    "funds_share": """
        SELECT avg((option = 'funds')::INT) FROM failures JOIN renewals USING (subscriber, invoice) WHERE turn = 1""",
    "retry_share": """
        SELECT avg((recovered_by = 'retry')::INT) FROM renewals WHERE status = 'paid' AND declines > 0""",
}

_RANKED: Mapping[str, str] = {
    "greatest_cause": """
        SELECT option, count(*) FROM losses JOIN failures USING (subscriber, invoice)
        WHERE turn = 1 AND intent = 'stay' AND able = 1 AND option IS NOT NULL GROUP BY ALL ORDER BY 2 DESC, 1""",
}


def true_answers(run: StoredRun) -> Answers:
    """What the sealed truth and the facts of a run say; questions without anything to count are left out."""
    with duckdb.connect(":memory:") as connection:
        for name in ("invoices", "subscriptions"):
            rows = rows_of(connection, COLUMNS[name], run.facts_files(name))
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM {rows}")
        connection.read_parquet([str(file) for file in run.truth_files]).create_view("truth")
        connection.execute(_VIEWS)
        found: Answers = {}
        for question, sql in _SHARES.items():
            row = connection.execute(sql).fetchone()
            if row and row[0] is not None:
                found[question] = float(row[0])
        for question, sql in _RANKED.items():
            rows = connection.execute(sql).fetchmany(2)
            if rows and (len(rows) == 1 or rows[0][1] > rows[1][1]):
                found[question] = str(rows[0][0])
    return found
