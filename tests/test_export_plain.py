"""`--as csv`, `--as duckdb` and `--as events`: the run's own tables, whole and readable elsewhere."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import duckdb
import dunningkit.analyze
import pandas as pd
import pytest

from billing_sim import events
from billing_sim.facts.schema import FACTS
from billing_sim.result import WORLD_EVENTS
from tests.export_readers import busy_run, lines, sums

__all__ = ["busy_run"]

FAILED = ["id", "created", "amount", "currency", "customer", "decline_code", "outcome"]
ENVELOPE = ["specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data"]


@pytest.fixture(scope="module")
def csv(tiny_run, tmp_path_factory) -> Path:
    """The first month as CSV."""
    return tiny_run.export("csv", tmp_path_factory.mktemp("csv") / "out").folder


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)
def test_a_fact_as_csv_has_the_columns_and_rows_of_the_fact(csv, tiny_run, fact):
    """In its order, whole numbers whole."""
    found = pd.read_csv(csv / f"{fact.name}.csv", keep_default_na=False)
    assert list(found.columns) == [column.name for column in fact.columns]
    table = tiny_run.table(fact.name)
    assert len(found) == len(table)
    assert list(found["subscriber"]) == list(table["subscriber"])
    for column in fact.columns:
        if column.name.endswith(("_minor", "_micros")):
            assert list(found[column.name]) == list(table[column.name])


def test_csv_has_the_world_events_too(csv):
    """Plans and prices, with the column names of the log."""
    found = pd.read_csv(csv / "world_events.csv")
    assert list(found.columns) == [column.name for column in events.WORLD_COLUMNS]
    assert {"plan.offered", "price.set"} <= set(found["kind"])


def test_moments_have_one_form(csv):
    """So that a column of moments is read as such, whatever fractions its seconds have."""
    names = ["occurred_at", "recorded_at"]
    found = pd.read_csv(csv / "attempts.csv", parse_dates=names)
    assert {found[name].dtype.kind for name in names} == {"M"}
    plain = pd.read_csv(csv / "attempts.csv")
    assert {length for name in names for length in plain[name].str.len()} == {26}


def test_failed_charges_have_these_columns(csv, tiny_run):
    """One row for each failed attempt; amounts in major units, moments that pandas reads."""
    found = pd.read_csv(csv / "failed_charges.csv", dtype={"id": str}, parse_dates=["created"])
    assert list(found.columns) == FAILED
    assert len(found) == len(tiny_run.sql("SELECT 1 FROM attempts WHERE outcome = 'declined'")) > 0
    assert found["created"].is_monotonic_increasing
    assert set(found["currency"]) == {"usd"}
    assert set(found["outcome"]) <= {"recovered", "open", "lost"}
    assert round(found["amount"].sum() * 100) == sums(tiny_run, "attempts", "outcome = 'declined'")["USD"]


def test_a_dunning_package_reads_the_failed_charges(csv, tiny_run):
    """A package that analyses Stripe's failed charges knows every column and code, and adds up the same total."""
    found = dunningkit.analyze.analyze_file(csv / "failed_charges.csv")
    assert found.currency == "USD"
    assert found.total_amount_cents == sums(tiny_run, "attempts", "outcome = 'declined'")["USD"]
    counted = tiny_run.sql("SELECT count(*) AS n FROM attempts WHERE outcome = 'declined' AND code = '51'")["n"][0]
    assert {it.code: it.count for it in found.by_code}["insufficient_funds"] == counted
    assert found.period_start.startswith("2025-01")


def test_a_returned_payment_is_a_failed_charge(busy_run, tmp_path):
    """In the currency of its market."""
    folder = busy_run.export("csv", tmp_path / "busy").folder
    returned = len(busy_run.sql("SELECT 1 FROM attempts WHERE was_returned"))
    declined = len(busy_run.sql("SELECT 1 FROM attempts WHERE outcome = 'declined'"))
    found = pd.read_csv(folder / "failed_charges.csv")
    assert len(found) == declined + returned > declined
    assert found["decline_code"].notna().all()


def test_a_database_holds_every_table_of_the_run(tiny_run, tmp_path):
    """Facts, world events and the log, with types, in one file that needs nothing else."""
    folder = tiny_run.export("duckdb", tmp_path / "db").folder
    assert {it.name for it in folder.iterdir()} == {"export.json", "run.duckdb"}
    with duckdb.connect(str(folder / "run.duckdb"), read_only=True) as database:
        tables = {name for (name,) in database.execute("SELECT table_name FROM information_schema.tables").fetchall()}
        assert tables == set(tiny_run.tables)
        for name in tables:
            count = database.execute(f"SELECT count(*) FROM {name}").fetchone()
            assert count == (len(tiny_run.table(name)),)
        kinds = {name: kind for name, kind, *_ in database.execute("DESCRIBE attempts").fetchall()}
    assert list(kinds) == [column.name for fact in FACTS if fact.name == "attempts" for column in fact.columns]
    assert (kinds["amount_minor"], kinds["occurred_at"], kinds["market"]) == ("BIGINT", "TIMESTAMP", "VARCHAR")


def test_a_database_without_a_log(busy_run, tmp_path):
    """A run that kept no events has everything else."""
    folder = busy_run.export("duckdb", tmp_path / "db").folder
    with duckdb.connect(str(folder / "run.duckdb"), read_only=True) as database:
        tables = {name for (name,) in database.execute("SELECT table_name FROM information_schema.tables").fetchall()}
    assert tables == {*(fact.name for fact in FACTS), WORLD_EVENTS}


def test_the_log_as_cloud_events(tiny_run, tmp_path):
    """The envelope of CloudEvents 1.0, all events in order of time, each unique, with the columns of its kind."""
    folder = tiny_run.export("events", tmp_path / "events").folder
    found = list(lines(folder / "events.jsonl"))
    assert {tuple(line) for line in found} == {tuple(ENVELOPE)}
    assert {(line["specversion"], line["datacontenttype"]) for line in found} == {("1.0", "application/json")}
    assert len({(line["source"], line["id"]) for line in found}) == len(found)
    assert [line["time"] for line in found] == sorted(line["time"] for line in found)
    assert len(found) == tiny_run.events + len(tiny_run.table(WORLD_EVENTS))
    columns = {kind.name: kind.columns for kind in events.EVENTS}
    for line in found:
        assert datetime.fromisoformat(line["time"]) <= datetime.fromisoformat(line["data"]["recorded_at"])
        if line["subject"] != "world":
            assert set(line["data"]) == {"subscriber", "sequence", "recorded_at", *columns[line["type"]]}
    issued = sum(line["data"]["amount_minor"] for line in found if line["type"] == "invoice.issued")
    assert issued == sums(tiny_run, "invoices", "NOT is_imported")["USD"]


def test_a_moved_calendar_says_so_everywhere(tiny_run, tmp_path):
    """Also in the world event that tells when the run begins and ends; who never expires still does not."""
    folder = tiny_run.export("events", tmp_path / "moved", end_at="2030-03-01").folder
    found = list(lines(folder / "events.jsonl"))
    (configured,) = (line for line in found if line["type"] == "run.configured")
    assert (configured["data"]["detail"]["start"], configured["data"]["detail"]["end"]) == ("2030-01-01", "2030-03-01")
    assert {line["time"][:4] for line in found} == {"2030"}
    expiries = {line["data"]["period_end"] for line in found if line["type"] == "payment_method.added"}
    assert all(day is None or day > "2029" for day in expiries)


def test_the_note_says_what_the_folder_holds(csv, tiny_run):
    """Form, end, files, and what was compared in every table."""
    note = json.loads((csv / "export.json").read_text(encoding="utf-8"))
    assert (note["format"], note["form"], note["synthetic"]) == ("billing_sim export", "csv", True)
    assert note["run"] == tiny_run.manifest.identity.digest
    assert set(note["files"]) == {it.name for it in csv.iterdir()}
    assert {it["table"] for it in note["tables"]} == {*(fact.name for fact in FACTS), WORLD_EVENTS, "failed_charges"}
