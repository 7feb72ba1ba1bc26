"""Metrics that are queries: they compute what they say, and can neither reach nor change nor exhaust anything."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from billing_sim.errors import InputError, QueryError
from billing_sim.metrics import queries
from billing_sim.metrics.catalogue import load, shipped
from billing_sim.metrics.connection import empty_facts
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import compute
from billing_sim.metrics.queries import definition_of
from billing_sim.metrics.result import Result
from billing_sim.metrics.source import exported_tables
from tests.facts_builder import USD, HandMade, attempt, build, failed, invoice

BR = {"market": "BR"}
INVOICES = [
    invoice("2025-01-10", 10, group=1),
    failed("2025-01-11", 20, group=2),
    BR | invoice("2025-02-10", 30, group=3),
    BR | invoice("2025-02-11", 40, group=3),
    failed("2025-02-12", 50, group=4),
]
PAID = (
    "SELECT date_trunc('month', issued_at) AS period, count_if(status = 'paid') AS numerator, count(*) AS denominator"
)
BY_MONTH = f"{PAID} FROM invoices GROUP BY ALL"
BY_GROUP = f'{PAID}, "group", market FROM invoices GROUP BY ALL'


def metric(sql: str, **more: Any) -> Definition:
    """A metric that is this query."""
    words = dict.fromkeys(("title", "question", "formula", "estimand", "misleads"), "what is asked")
    fields = {"id": "asked", "view": "product", "tier": "core", "direction": "up", "unit": "share", "kind": "ratio"}
    return Definition.model_validate({**words, **fields, "sql": sql, **more})


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    return build(tmp_path_factory.mktemp("asked") / "facts", parts=2, invoices=INVOICES)


def ask(source: HandMade, sql: str, *, by: tuple[str, ...] = (), **more: Any) -> Result:
    """The result of a query."""
    (result,) = compute(source, [metric(sql, **more)], by=by)
    return result


def test_a_ratio_divides_the_sums_of_all_periods(source):
    """Three of five are paid: not the mean of a half and two thirds."""
    result = ask(source, BY_MONTH)
    assert (result.value, result.numerator, result.denominator) == (3 / 5, 3, 5)
    assert (result.standard_error, result.low, result.high) == (None, None, None)


def test_months_are_the_periods_and_columns_are_slices(source):
    """`month` is the column `period`; any other column splits by its values."""
    months = ask(source, BY_MONTH, by=("month",))
    assert [(part.dims, part.value) for part in months.slices] == [
        ({"month": "2025-01"}, 1 / 2), ({"month": "2025-02"}, 2 / 3),
    ]  # fmt: skip
    markets = ask(source, BY_GROUP, by=("market",))
    assert {part.dims["market"]: part.value for part in markets.slices} == {"BR": 1, "US": 1 / 3}


def test_a_group_column_gives_the_interval_of_the_same_metric_over_a_fact(source):
    """Asked as a query or over the fact, the success of renewals has one value and one error, in all and in parts."""
    own = shipped()["payment_success_rate"].model_copy(update={"matures": "none"})
    asked = metric(BY_GROUP)
    for single, query in zip(*(compute(source, [it], by=["market"]) for it in (own, asked)), strict=True):
        assert query.standard_error is not None
        for one, other in zip((single, *single.slices), (query, *query.slices), strict=True):
            assert (one.value, one.numerator, one.denominator) == (other.value, other.numerator, other.denominator)
            assert one.standard_error == other.standard_error


LEFT_OUT = f"""
WITH parts AS (SELECT period, "group", market, sum(numerator) AS above, sum(denominator) AS below
               FROM ({BY_GROUP}) GROUP BY ALL)
SELECT period, market, without, sum(above * ("group" IS DISTINCT FROM without)::INT) AS numerator,
    sum(below * ("group" IS DISTINCT FROM without)::INT) AS denominator
FROM parts, (SELECT unnest([NULL] || range(64)) AS without) GROUP BY ALL
"""


def test_a_query_may_say_what_it_is_without_each_group(source):
    """Of what adds up that is the same interval, in all, in parts and by month."""
    for by in (("market",), ("month",)):
        split, left = (ask(source, sql, by=by) for sql in (BY_GROUP, LEFT_OUT))
        assert left.standard_error > 0
        for one, other in zip((split, *split.slices), (left, *left.slices), strict=True):
            assert (one.value, one.numerator, one.denominator) == (other.value, other.numerator, other.denominator)
            assert one.standard_error == pytest.approx(other.standard_error)
            assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_the_range_that_fails_most_has_the_error_of_leaving_groups_out(tmp_path):
    """By hand: 5 of 9 failures on one range, of groups with 2 and 1, 2 and 2, 1 and 1 of both; and their pairs."""
    failures = {1: (2, 1), 2: (2, 2), 3: (1, 1)}
    rows = [
        attempt("2025-01-10", outcome="declined", bin=name, group=group)
        for group, counts in failures.items()
        for name, count in zip(("north", "south"), counts, strict=True)
        for _ in range(count)
    ]
    source = build(tmp_path / "facts", attempts=rows)
    sums = np.array([failures.get(group, (0, 0)) for group in range(64)])
    left = sums.sum(axis=0) - sums
    for name, share in {
        "": left.max(axis=1) / left.sum(axis=1),
        "@herfindahl": (left**2).sum(axis=1) / left.sum(axis=1) ** 2,
    }.items():
        (found,) = compute(source, [shipped()[f"top_bin_share_of_failures{name}"]])
        assert found.value == pytest.approx(5 / 9 if not name else (25 + 16) / 81)
        assert found.standard_error == pytest.approx(np.sqrt(63 / 64 * ((share - share.mean()) ** 2).sum()))
        assert found.low < found.value < found.high


def test_a_sum_of_money_is_in_whole_units(source):
    """Millionths go in, dollars come out."""
    sql = "SELECT issued_at AS period, amount_micros AS numerator, 1 AS denominator FROM invoices"
    result = ask(source, sql, kind="sum", unit="money")
    assert (result.value, result.numerator, result.denominator, result.currency) == (150, 150 * USD, 1, "USD")
    summed = ask(source, f"SELECT 1 AS period, sum(numerator) AS numerator, 1 AS denominator FROM ({sql})", kind="sum")
    assert (summed.value, type(summed.numerator)) == (150 * USD, int)


@pytest.mark.parametrize("group", ["", ', "group"'])
def test_a_stock_is_taken_at_the_last_period(source, group):
    """February's end, in all and in each market, though US has fewer then; by month, each month's end."""
    counted = f"market, 1 AS numerator, 1 AS denominator{group}"
    rows = f"SELECT date_trunc('month', issued_at) AS period, {counted} FROM invoices"
    sql = f"{rows} UNION ALL SELECT NULL, 'US', 9, 1{', 0' if group else ''}"
    result = ask(source, sql, by=("market",), kind="stock", unit="count")
    assert result.value == 3
    assert {part.dims["market"]: part.value for part in result.slices} == {"BR": 2, "US": 1}
    months = ask(source, sql, by=("month",), kind="stock", unit="count")
    assert [part.value for part in months.slices] == [2, 3, 9]


def test_nothing_to_divide_by_is_undefined(source):
    """No rows, and rows that add up to nothing."""
    for sql in (f"{BY_MONTH} HAVING false", "SELECT 1 AS period, 5 AS numerator, 0 AS denominator"):
        result = ask(source, sql)
        assert (result.value, result.reason) == (None, "nothing to divide by")
    assert ask(source, "SELECT 1 AS period, NULL AS numerator, 1 AS denominator").value == 0


def test_a_column_that_a_query_lacks_is_refused_or_given_in_all(source):
    """Asked alone it is a mistake; beside other metrics it is given in all only, like a fact without the column."""
    with pytest.raises(QueryError, match="There is no column in asked `plan`"):
        ask(source, BY_MONTH, by=("plan",))
    asked, billed = compute(source, [metric(BY_MONTH), shipped()["billed"]], by=["plan"])
    assert (asked.value, asked.slices) == (3 / 5, ())
    assert len(billed.slices) == 1


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT 1 AS period, 1 AS numerator", "returns no column `denominator`; it returns period, numerator"),
        ("SELECT 1 AS period, 'ten' AS numerator, 1 AS denominator", "returns 'ten' as `numerator`; it must be"),
        ("SELECT 1 AS period, 1 AS numerator, 'nan'::DOUBLE AS denominator", "returns nan as `denominator`"),
        ("SELECT 1 AS period, 1 AS numerator, 1 AS denominator, 'x' AS \"group\"", "returns 'x' as `group`"),
        ("SELECT 1 AS period, 1 AS numerator, 1 AS denominator, 64 AS \"group\"", "between 0 and 63"),
        ("SELECT 1 AS period, 0.5 AS numerator, 1 AS denominator, 1 AS \"group\"", "returns 0.5 as `numerator`"),
        ("SELECT 1 AS period, 1 AS numerator, 1 AS denominator, 64 AS without", "`without` that is not between 0 and"),
        ("SELECT 1 AS period, 1 AS numerator, 1 AS denominator, 'x' AS without", "`without` that is not between 0 and"),
        ("SELECT 1 AS period, 1 AS numerator, 1 AS denominator, 1 AS without, 1 AS \"group\"", "both `group` and"),
        ("SELECT amout AS period, 1 AS numerator, 1 AS denominator FROM invoices", "amout"),
        ("SELEC 1", "syntax error"),
        ("EXPLAIN SELECT 1 AS period, 1 AS numerator, 1 AS denominator", "returns no column `period`"),
        ("", "Only one SELECT"),
    ],
)  # fmt: skip
def test_wrong_queries_are_explained(source, sql, said):
    """One sentence each, with the metric's name or what was wrong in it."""
    if not sql:
        with pytest.raises(QueryError, match=said):
            list(queries._run(source, metric("SELECT 1").model_copy(update={"sql": sql})))
        return
    with pytest.raises(QueryError, match=said):
        ask(source, sql)


def test_a_period_with_a_time_zone_is_refused_before_it_is_asked():
    """Python would need a package for zones to read it, and died for want of that."""
    zoned = "SELECT issued_at AT TIME ZONE 'America/New_York' AS period, 1 AS numerator, 1 AS denominator FROM invoices"
    ((what, remedy),) = queries.complaints(zoned)
    assert what == "the column `period` has a time zone."
    assert "CAST(period AS DATE)" in remedy
    assert (
        list(
            queries.complaints(
                zoned.replace("issued_at AT", "(issued_at AT").replace(" AS period", ")::DATE AS period")
            )
        )
        == []
    )


def test_half_a_unit_counts_without_groups(source):
    """Without groups nothing need be whole."""
    assert ask(source, "SELECT 1 AS period, 0.5 AS numerator, 2 AS denominator").value == 0.25


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_parquet('{outside}')",
        "SELECT * FROM '{outside}'",
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT content AS period, 1 AS numerator, 1 AS denominator FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM sniff_csv('/etc/hostname')",
        "ATTACH '{folder}/new.db'",
        "COPY (SELECT 1) TO '{folder}/new.csv'",
        "EXPORT DATABASE '{folder}/new'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA threads = 8",
        "SET memory_limit = '100GB'",
        "SET enable_external_access = true",
        "RESET memory_limit",
        "CREATE TABLE mine (a INTEGER)",
        "CREATE OR REPLACE VIEW invoices AS SELECT 1",
        "DROP VIEW invoices",
        "INSERT INTO invoices VALUES (1)",
        "DELETE FROM attempts",
        "UPDATE attempts SET attempt = 1",
        "BEGIN",
        "CALL pragma_version()",
        "USE memory",
        "CHECKPOINT",
        "PREPARE asked AS SELECT 1",
        f"{BY_MONTH}; SELECT 1",
        f"{BY_MONTH}; DROP VIEW invoices",
    ],
)
def test_a_query_reaches_and_changes_nothing(source, tmp_path, sql):
    """No file but the facts, no write, no setting, one statement: each is refused in words and leaves no trace."""
    outside = tmp_path / "sealed.parquet"
    duckdb.sql("SELECT 1 AS period, 1 AS numerator, 1 AS denominator").write_parquet(str(outside))
    facts = {file: file.read_bytes() for file in source.facts_files("invoices")}
    with pytest.raises(QueryError):
        ask(source, sql.format(outside=outside, folder=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["sealed.parquet"]
    assert facts == {file: file.read_bytes() for file in source.facts_files("invoices")}
    assert ask(source, BY_MONTH).numerator == 3


ENDLESS = "SELECT 1 AS period, count(*) AS numerator, 1 AS denominator FROM range(100000000) a, range(100000000) b"
RECURSIVE = """
WITH RECURSIVE steps(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM steps)
SELECT 1 AS period, count(*) AS numerator, 1 AS denominator FROM steps
"""


@pytest.mark.parametrize("sql", [ENDLESS, RECURSIVE])
def test_an_endless_query_is_stopped(source, monkeypatch, sql):
    """It ends when its time is over, and says so."""
    monkeypatch.setattr(queries, "SECONDS", 0.3)
    began = time.perf_counter()
    with pytest.raises(QueryError, match=r"asked took longer than 0\.3 s and was stopped|Out of Memory"):
        ask(source, sql)
    assert time.perf_counter() - began < 10


HOG = """
SELECT 1 AS period, len(list(x.range + y.range)) AS numerator, 1 AS denominator
FROM range(30000) x JOIN range(30000) y ON x.range < y.range
"""


def test_a_query_that_wants_all_memory_is_stopped(source, monkeypatch):
    """A range join that gathers hundreds of millions of values ends at the limit, not with the machine's last byte."""
    monkeypatch.setattr(queries, "MEMORY", "100MB")
    with pytest.raises(QueryError, match="Out of Memory"):
        ask(source, HOG)


def test_an_answer_of_too_many_rows_is_never_gathered(source):
    """A thousand billion rows are refused at the first million."""
    sql = "SELECT 1 AS period, 1 AS numerator, 1 AS denominator FROM range(1000000000000)"
    with pytest.raises(QueryError, match="more than 1,000,000 rows"):
        ask(source, sql)


def test_a_file_is_checked_before_there_is_data(tmp_path: Path, source):
    """`load` reads a .sql file, names the metric after it, and does not run it: an endless one loads at once."""
    good = tmp_path / "Success rate.sql"
    good.write_text(BY_MONTH)
    (it,) = load(good)
    assert (it.id, compute(source, [it])[0].value) == ("success_rate", 3 / 5)
    endless = tmp_path / "endless.sql"
    endless.write_text(ENDLESS)
    assert load(endless)["endless"].sql == ENDLESS


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT 1 AS period, 1 AS numerator", "denominator"),
        ("SELECT amout AS period, 1 AS numerator, 1 AS denominator FROM invoices", "amout"),
        ("DROP TABLE invoices", "Only one SELECT"),
        ("SELECT 1; SELECT 2", "Only one SELECT"),
        ("SELECT * FROM read_csv('/etc/hostname')", "disabled"),
    ],
)
def test_a_wrong_file_is_refused_in_words(tmp_path, sql, said):
    """What is wrong is said with the file's name."""
    path = tmp_path / "mine.sql"
    path.write_text(sql)
    with pytest.raises(InputError, match=said):
        load(path)


ALL = "count(*) AS numerator, count(*) AS denominator FROM invoices"


@pytest.mark.parametrize(
    ("sql", "line", "column", "said"),
    [
        (f"SELECT issued_at AS period,\n  random() AS x, {ALL} GROUP BY ALL", 2, 3, "`random` says something else"),
        (f"SELECT 1 AS period, {ALL} USING SAMPLE 10%", 1, 88, "A sample is another one each time"),
        (f"-- of random days\nWITH x AS (SELECT uuid() AS u) SELECT 1 AS period, {ALL}, x", 2, 19, "`uuid` says"),
        (f"SELECT 1 AS period, {ALL} WHERE issued_at > NOW() - INTERVAL 30 DAY", 1, 100, "`now` is the clock of this"),
        (f"SELECT 1 AS period, {ALL} WHERE issued_at > Current_Date", 1, 100, "`current_date` is the clock"),
    ],
)
def test_what_is_told_by_chance_or_by_the_wall_clock_is_refused(tmp_path, sql, line, column, said):
    """Worlds are compared seed by seed: a number that is another one tomorrow is none of the run."""
    path = tmp_path / "mine.sql"
    path.write_text(sql)
    with pytest.raises(InputError) as caught:
        load(path)
    assert [(it.line, it.column) for it in caught.value.problems if it.what.startswith(said)] == [(line, column)]
    steady = f"SELECT 1 AS period, {ALL} TABLESAMPLE reservoir(10) REPEATABLE (3)"
    assert list(queries.complaints(steady)) == []


def test_a_column_of_ones_own_may_be_called_today():
    """Without brackets only the standard's words are the clock; all others are names."""
    own = "WITH it AS (SELECT *, date_trunc('day', issued_at) AS today FROM invoices)"
    query = f"{own} SELECT today AS period, 1 AS numerator, 2 AS denominator FROM it"
    assert list(queries.complaints(query)) == []


def test_a_file_whose_name_begins_with_no_letter_is_refused(tmp_path):
    """The name becomes the metric's id."""
    path = tmp_path / "1.sql"
    path.write_text(BY_MONTH)
    with pytest.raises(InputError, match="does not begin with a letter"):
        load(path)


def test_comments_at_the_top_of_a_query_say_what_it_is(tmp_path):
    """A share with no better direction unless told; a wrong word is refused at the file."""
    file = tmp_path / "mrr.sql"
    query = "SELECT month AS period, mrr_end_micros AS numerator, 1 AS denominator FROM subscription_months"
    file.write_text(f"-- unit: money\n-- kind: stock\n-- direction: up\n-- what the board sees\n{query}")
    made = definition_of(file)
    assert (made.unit, made.kind, made.direction, made.id) == ("money", "stock", "up", "mrr")
    file.write_text(f"\ufeff\n-- unit: money\n\n-- kind: stock\n{query}", encoding="utf-8")
    assert (definition_of(file).unit, definition_of(file).kind) == ("money", "stock")
    file.write_text(query)
    assert (definition_of(file).unit, definition_of(file).direction) == ("share", "neither")
    file.write_text(f"-- unit: dollars\n{query}")
    with pytest.raises(InputError, match="unit: Input should be"):
        definition_of(file)


def test_a_query_that_is_not_utf8_is_refused(tmp_path):
    """A letter that cannot be read would be compared as another one."""
    file = tmp_path / "mine.sql"
    file.write_text(f"SELECT 'Müller' AS period, {ALL}", encoding="latin-1")
    with pytest.raises(InputError, match=r"mine.sql:1:10  The file is not UTF-8 text"):
        definition_of(file)


def test_a_file_without_a_query_is_refused(tmp_path):
    """Nothing is no metric."""
    file = tmp_path / "empty.sql"
    file.write_text(" \n")
    with pytest.raises(InputError, match=r"empty.sql:1:1  The file holds no query"):
        definition_of(file)


def test_a_query_reads_exported_tables_when_they_are_named(tiny_run, tmp_path):
    """Stripe's charges by status agree with the run's attempts; without the tables the name is unknown."""
    tiny_run.export("stripe", tmp_path / "out")
    file = tmp_path / "succeeded.sql"
    file.write_text(
        "SELECT created AS period, count_if(status = 'succeeded') AS numerator, count(*) AS denominator "
        "FROM charge GROUP BY 1"
    )
    asked = tiny_run.metric("succeeded", definitions=file, tables=tmp_path / "out").iloc[0]
    paid, tried = tiny_run.sql(
        "SELECT count_if(outcome = 'authorized' AND NOT was_returned), count(*) FROM attempts"
    ).iloc[0]
    assert (asked["numerator"], asked["denominator"]) == (paid, tried)
    with pytest.raises(InputError, match="charge does not exist"):
        tiny_run.metric("succeeded", definitions=file)
    with pytest.raises(QueryError, match="holds no tables"):
        tiny_run.metric("succeeded", definitions=file, tables=tmp_path)


@pytest.mark.parametrize("name", ["attempts", "Invoices", "world_events"])
def test_an_exported_table_must_not_be_called_like_one_of_the_run(tmp_path, name):
    """Which of the two would a query read?"""
    (tmp_path / f"{name}.parquet").touch()
    with pytest.raises(QueryError, match=rf"holds {name}\.parquet, and a run has a table of that name"):
        exported_tables(tmp_path)


def test_an_exported_table_may_have_any_other_name(tmp_path):
    """Also one with a quote in it."""
    pq.write_table(pa.table({"x": [3]}), tmp_path / 'what we "owe".parquet')
    with empty_facts(exported_tables(tmp_path)) as connection:
        assert connection.execute('SELECT x FROM "what we ""owe"""').fetchall() == [(3,)]
