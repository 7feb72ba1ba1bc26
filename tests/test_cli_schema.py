"""`billing-sim schema`: what files may say and what runs hold."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from billing_sim import events
from billing_sim.facts.schema import FACTS
from billing_sim.metrics import catalogue
from billing_sim.metrics.definition import VIEWS
from billing_sim.scenario import json_schema
from billing_sim.scenario.nodes import plain
from billing_sim.scenario.reader import parse
from tests.cli_caller import call

__all__ = ["call"]


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_scenarios_schema_is_always_json(call, form):
    """Editors read it."""
    answer = call("schema", "scenario", "--format", form)
    assert (answer.code, json.loads(answer.out)) == (0, json_schema())


def of_metrics(call) -> Draft202012Validator:
    """What the printed schema says of files of metrics."""
    answer = call("schema", "metric")
    assert answer.code == 0
    schema = json.loads(answer.out)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def as_json(value: Any) -> Any:
    """What JSON makes of a tree: decimals become numbers."""
    if isinstance(value, dict):
        return {key: as_json(below) for key, below in value.items()}
    if isinstance(value, list):
        return [as_json(below) for below in value]
    return float(value) if isinstance(value, Decimal) else value


def test_shipped_metrics_fit_the_printed_schema(call):
    """As editors see the files: every key of every metric and variant is known."""
    validator = of_metrics(call)
    for view in VIEWS:
        file = Path(catalogue.__file__).parent / f"{view}.yaml"
        tree = as_json(plain(parse(file.read_bytes(), file.name)))
        assert [(list(error.path), error.message) for error in validator.iter_errors(tree)] == []


VARIANT = {"id": "late", "axis": "window", "differs": "later"}


@pytest.mark.parametrize(
    ("metric", "is_fine"),
    [
        ({"id": "mine", "like": "recovery_rate", "variants": [VARIANT]}, True),
        ({"id": "mine", "like": "recovery_rate", "denominator": 1, "where": True}, True),
        ({"id": "mine"}, False),
        ({"like": "recovery_rate"}, False),
        ({"id": "mine", "like": "recovery_rate", "view": "sales"}, False),
        ({"id": "mine", "like": "recovery_rate", "nummerator": "1"}, False),
        ({"id": "mine", "like": "recovery_rate", "window": {"of": "paid_at"}}, False),
        ({"id": "mine", "like": "recovery_rate", "variants": [{"id": "late"}]}, False),
        ({"id": "mine", "like": "recovery_rate", "variants": [VARIANT | {"axis": "wight"}]}, False),
        ({"id": "mine", "like": "recovery_rate", "variants": [VARIANT | {"like": "recovery_rate"}]}, False),
    ],
)
def test_the_schema_of_metrics_knows_what_a_metric_says(call, metric, is_fine):
    """`like` and `variants` included; a metric that is like no other says everything."""
    assert of_metrics(call).is_valid({"view": "finance", "metrics": [metric]}) is is_fine


def test_every_kind_and_column_of_the_log_is_described(call):
    """Tables for people, with labels where the house knows them."""
    words = call("schema", "events").out
    for item in (*events.EVENTS, *events.WORLD_EVENTS, *events.COLUMNS, *events.WORLD_COLUMNS):
        assert item.name in words
    told = json.loads(call("schema", "events", "--format", "json").out)
    assert [kind["name"] for kind in told["kinds"]] == [kind.name for kind in events.EVENTS]
    assert told["kinds"][1]["columns"] == ["spell", "invoice", "reason"]
    initiator = next(column for column in told["columns"] if column["name"] == "initiator")
    assert (initiator["type"], initiator["labels"]) == ("label", ["none", "cit", "mit"])


def test_every_fact_and_its_columns_are_described(call):
    """One table per fact; its grain is said."""
    words = call("schema", "facts").out
    for fact in FACTS:
        assert f"{fact.name}: one row is " in words
        assert all(column.name in words for column in fact.columns)
    told = json.loads(call("schema", "facts", "--format", "json").out)
    assert [(fact["name"], len(fact["columns"])) for fact in told] == [(it.name, len(it.columns)) for it in FACTS]
    types = {column["name"]: column["type"] for column in told[0]["columns"]}
    assert (types["amount_minor"], types["issued_at"], types["market"]) == ("int64", "timestamp", "label")


def test_a_reader_that_stops_early_is_no_error():
    """As in `| head -1`: quiet, and the code is that of the command."""
    command = [sys.executable, "-m", "billing_sim", "schema", "scenario"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writing:
        assert writing.stdout is not None
        assert writing.stderr is not None
        writing.stdout.read(1)
        writing.stdout.close()
        errors = writing.stderr.read()
    assert (writing.returncode, errors) == (0, b"")


def test_events_and_facts_as_csv(call):
    """A line per column, with its labels; kinds of events stand below the column that holds them."""
    rows = list(csv.DictReader(call("schema", "facts", "--format", "csv").out.splitlines()))
    assert [(row["table"], row["column"]) for row in rows] == [
        (fact.name, it.name) for fact in FACTS for it in fact.columns
    ]
    assert next(row["labels"] for row in rows if (row["table"], row["column"]) == ("invoices", "status")).split()
    rows = list(csv.DictReader(call("schema", "events", "--format", "csv").out.splitlines()))
    kinds = [row["column"] for row in rows if row["column"].startswith("kind: ")]
    assert kinds == [f"kind: {kind.name}" for kind in (*events.EVENTS, *events.WORLD_EVENTS)]
    assert all(row["meaning"] for row in rows)
