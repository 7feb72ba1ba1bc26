"""`billing-sim trace`: one person's story."""

from __future__ import annotations

import csv
import json

from billing_sim import people, trace
from tests.cli_caller import call, in_a_process

__all__ = ["call"]


def test_a_person_is_found_and_told_of(tiny_run):
    """The same story as in Python, as wide as the terminal."""
    answer = in_a_process("trace", tiny_run.directory, "--find", "recovered", "--truth", COLUMNS="90")
    story = tiny_run.trace(trace.find(tiny_run.stored, "recovered"), truth=True)
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == story.render(90) + "\n"
    assert max(map(len, answer.out.splitlines())) <= 90


def test_json_keeps_the_sealed_apart(call, tiny_run):
    """Without --truth nothing sealed is told."""
    who = people.describe(trace.find(tiny_run.stored, "recovered"))
    open_story, whole = (
        json.loads(call("trace", tiny_run.directory, who, "--format", "json", *options).out)
        for options in ([], ["--truth"])
    )
    assert open_story["subscriber"] == whole["subscriber"] == who
    assert not any(entry["sealed"] for entry in open_story["entries"])
    assert any(entry["sealed"] for entry in whole["entries"])


def test_a_person_has_a_name_for_whoever_asks(call, tiny_run):
    """Invented, always the same, in text and in JSON; nobody else is told it."""
    who = people.describe(trace.find(tiny_run.stored, "recovered"))
    person = str(tiny_run.trace(who).person)
    assert "@example.com" in person
    assert f"Called here {person}." in " ".join(call("trace", tiny_run.directory, who, "--named").out.split())
    assert "@example.com" not in call("trace", tiny_run.directory, who).out
    named, plain = (
        json.loads(call("trace", tiny_run.directory, who, "--format", "json", *options).out)
        for options in (["--named"], [])
    )
    assert named == plain | {"person": person}


def test_what_cannot_be_found(call, tiny_run):
    """A wrong name lists what there is; somebody who is not there, and no name at all, are said."""
    answer = call("trace", tiny_run.directory, "--find", "recoverd")
    assert (answer.code, answer.out) == (2, "")
    assert "recovered" in answer.err
    answer = call("trace", tiny_run.directory, "NO-1")
    assert (answer.code, answer.out) == (2, "")
    assert "There is no market NO in this run" in answer.err
    answer = call("trace", tiny_run.directory, "somebody")
    said = f"'somebody' is not a subscriber; they read like {people.EXAMPLES}.\n"
    assert (answer.code, answer.out, answer.err) == (2, "", said)


def test_csv_has_a_line_per_entry(call, tiny_run):
    """The same entries as JSON, with the name of the person in front."""
    who = people.describe(trace.find(tiny_run.stored, "recovered"))
    lines = list(csv.DictReader(call("trace", tiny_run.directory, who, "--format", "csv").out.splitlines()))
    told = json.loads(call("trace", tiny_run.directory, who, "--format", "json").out)["entries"]
    assert [(line["subscriber"], line["at"], line["text"]) for line in lines] == [
        (who, entry["at"], entry["text"]) for entry in told
    ]
    assert {line["sealed"] for line in lines} == {"False"}
