"""`billing-sim schema`: what files may say and what runs hold."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from billing_sim import events
from billing_sim.facts.schema import FACTS
from billing_sim.scenario import json_schema
from tests.cli_caller import call

__all__ = ["call"]


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_scenarios_schema_is_always_json(call, form):
    """Editors read it."""
    answer = call("schema", "scenario", "--format", form)
    assert (answer.code, json.loads(answer.out)) == (0, json_schema())


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
