"""Runs with processes of a user's own: what their folder says, who can read them, and what refuses to."""

from __future__ import annotations

import json
import sys

import pytest

import billing_sim
from billing_sim.cli.own_processes import load_processes
from billing_sim.comparison.sides import two_runs
from billing_sim.drivers.extension import extension_of
from billing_sim.errors import BillingSimError, RunError
from billing_sim.events import KIND_NAMES
from billing_sim.metrics.source import RunFolder
from billing_sim.runs.manifest import INTERRUPTED, read_manifest
from tests.cli_caller import call
from tests.test_stories_extended import LOST
from tests.world_texts import QUIET

__all__ = ["call"]
KINDS = {"x.mail_sent": "A mail was sent.", "x.mail_answered": "The member answered it."}
PROCESSES = '''
KINDS = {"x.mail_sent": "A mail was sent.", "x.mail_answered": "The member answered it."}


def mails(service):
    """Write to everybody on 10 January, and take down who answers."""
    yield service.at("2025-01-10")
    for member in service.subscribers():
        service.emit("x.mail_sent", member, amount_minor=member.amount_minor, reason="save")
        if service.draw(member, "answers") < 0.5:
            service.emit("x.mail_answered", member, score=7)


def stumbles(service):
    """Fail on the third day."""
    yield service.until(days=3)
    raise ValueError("no paper left")
'''


def mails(service):
    """Write to everybody on 10 January, and take down who answers."""
    yield service.at("2025-01-10")
    for member in service.subscribers():
        service.emit("x.mail_sent", member, amount_minor=member.amount_minor, reason="save")
        if service.draw(member, "answers") < 0.5:
            service.emit("x.mail_answered", member, score=7)


def stumbles(service):
    """Fail on the third day."""
    yield service.until(days=3)
    raise ValueError("no paper left")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    """A small world in which cards expire."""
    folder = tmp_path_factory.mktemp("extended")
    (folder / "base.yaml").write_text(QUIET)
    (folder / "story.yaml").write_text("extends: base.yaml\n" + LOST.replace("members: 40", "members: 12"))
    return folder / "story.yaml"


@pytest.fixture(scope="module")
def plain(scenario):
    """The run of the scenario alone."""
    return billing_sim.run(scenario, out=scenario.parent / "plain", driver="simpy", workers=1)


@pytest.fixture(scope="module")
def extended(scenario):
    """The run with a process in it."""
    return billing_sim.run(scenario, out=scenario.parent / "extended", processes=[mails], kinds=KINDS, workers=1)


def test_the_run_says_that_it_is_extended(plain, extended):
    """The manifest, the summary and what is shown name it; the plain run says the opposite."""
    said = json.loads((extended.directory / "manifest.json").read_text())
    assert said["extended"] is True
    assert said["extension"] == {"processes": ["mails"], "kinds": KINDS}
    assert (extended.summary()["extended"], plain.summary()["extended"]) == (True, False)
    assert "extended by the process mails; not what the scenario alone gives" in repr(extended)
    assert "extended" in extended._repr_html_()
    assert "extended by" not in repr(plain)
    assert json.loads((plain.directory / "manifest.json").read_text())["extended"] is False
    assert (extended.own_kinds, plain.own_kinds) == (KINDS, {})


def test_its_identity_is_its_own_and_it_is_never_reused(scenario, plain, extended):
    """Neither for the scenario alone, nor for the same process once more; what comes out is the same."""
    assert extended.manifest.identity.digest != plain.manifest.identity.digest
    assert "extension" not in json.loads((plain.directory / "manifest.json").read_text())["identity"]
    again = billing_sim.run(scenario, out=extended.directory, processes=[mails], kinds=KINDS, workers=1)
    assert (again.reused, again.content_digest) == (False, extended.content_digest)
    assert again.manifest.identity == extended.manifest.identity
    with pytest.raises(RunError, match="another run is there"):
        billing_sim.run(scenario, out=extended.directory, driver="simpy", workers=1)


def test_own_events_are_in_the_log_under_their_names(plain, extended):
    """Counts, the table and SQL know them; facts and metrics are those of the plain run."""
    kinds = extended.manifest.result.kinds
    members = plain.members - int(plain.table("subscriptions")["ended_at"].dropna().lt("2025-01-10T00:00Z").sum())
    assert kinds["x.mail_sent"] == members > kinds["x.mail_answered"] > 0
    table = extended.table("events")
    sent = table[table["kind"] == "x.mail_sent"]
    assert set(sent["reason"]) == {"save"}
    assert set(sent["amount_minor"]) == {1000}
    assert sent["gateway"].isna().all()
    found = extended.sql(
        "SELECT kind, count(*) AS rows, max(score) AS score FROM events WHERE kind LIKE 'x.%' GROUP BY 1"
    )
    assert dict(zip(found["kind"], found["rows"], strict=True)) == {it: kinds[it] for it in KINDS}
    for name in ("invoices", "attempts", "subscriptions", "subscription_months"):
        assert extended.table(name).equals(plain.table(name))
    said = json.dumps(extended.views().to_json()).replace(extended.content_digest, plain.content_digest)
    assert said == json.dumps(plain.views().to_json())


def test_the_story_of_a_person_comes_from_the_log(plain, extended):
    """The same sentences as in the plain run, and those of the user's own kinds in their place."""
    events = extended.table("events")
    who = int(events[events["kind"] == "x.mail_answered"]["subscriber"].iloc[0])
    told = [entry.text for entry in extended.trace(who).entries]
    own = ["x.mail_sent: A mail was sent.", "x.mail_answered: The member answered it."]
    assert [text for text in told if text.startswith("x.")] == own
    assert [text for text in told if not text.startswith("x.")] == [it.text for it in plain.trace(who).entries]


def test_a_story_needs_the_log_of_everybody(scenario, tmp_path):
    """Nobody can be simulated again, so without a log there is nothing to tell."""
    run = billing_sim.run(scenario, out=tmp_path / "run", processes=[mails], kinds=KINDS, log="none", workers=1)
    with pytest.raises(RunError, match="did not keep the log of everybody: run it again with log all"):
        run.trace("US-1")


@pytest.mark.parametrize(
    "asks",
    [
        lambda run: run.truth(),
        lambda run: run.trace("US-1", truth=True),
        lambda run: run.views(as_of="2025-02-01"),
    ],
)
def test_what_lets_people_live_again_refuses(extended, asks):
    """One plain sentence, which says what does work."""
    with pytest.raises(
        RunError, match=r"extended by the process mails, so its people cannot be simulated again\. Views"
    ):
        asks(extended)


def test_two_runs_can_be_compared_and_the_comparison_says_it(plain, extended):
    """The people are the same; a note names the process."""
    pair = two_runs(RunFolder(plain.directory), RunFolder(extended.directory))
    assert pair.is_paired
    assert "B is extended by the process mails." in pair.notes


def test_exported_events_have_their_data(extended, tmp_path):
    """CloudEvents carry the columns of a user's own kinds."""
    done = extended.export("events", tmp_path / "out")
    lines = next(it for it in done.files if it.startswith("events"))
    read = [json.loads(line) for line in (tmp_path / "out" / lines).read_text().splitlines()]
    sent = [it for it in read if it["type"] == "x.mail_sent"]
    assert len(sent) == extended.manifest.result.kinds["x.mail_sent"]
    assert {(it["data"]["amount_minor"], it["data"]["reason"]) for it in sent} == {(1000, "save")}


def test_a_process_that_fails_leaves_an_incomplete_run(scenario, tmp_path):
    """The error names process, moment and file; the folder cannot be opened."""
    with pytest.raises(BillingSimError, match=r"the process stumbles failed on 2025-01-04 .*ValueError: no paper left"):
        billing_sim.run(scenario, out=tmp_path / "run", processes=[stumbles], workers=1)
    assert read_manifest(tmp_path / "run").state == INTERRUPTED
    with pytest.raises(RunError, match="incomplete"):
        billing_sim.open(tmp_path / "run")
    again = {"out": tmp_path / "run", "processes": [mails], "kinds": KINDS, "workers": 1}
    with pytest.raises(RunError, match="Add --overwrite"):
        billing_sim.run(scenario, **again)
    mended = billing_sim.run(scenario, **again, overwrite=True)
    assert mended.manifest.result.kinds["x.mail_sent"]


def test_the_batch_driver_takes_no_processes(scenario, tmp_path):
    """It has none; nothing is written."""
    with pytest.raises(BillingSimError, match="take part in runs of the simpy driver only"):
        billing_sim.run(scenario, out=tmp_path / "run", driver="batch", processes=[mails], kinds=KINDS)
    assert not (tmp_path / "run").exists()


def test_the_command_line_takes_a_file(call, scenario, extended, tmp_path):
    """The same process from a file gives the same events; its kinds are in KINDS."""
    (tmp_path / "own.py").write_text(PROCESSES)
    named = f"{tmp_path / 'own.py'}:mails"
    answer = call(
        "run", scenario, "--driver", "simpy", "--process", named, "--out", tmp_path / "run", "--format", "json"
    )
    assert (answer.code, answer.err) == (0, "")
    told = json.loads(answer.out)
    assert (told["extended"], told["driver"], told["content_digest"]) == (True, "simpy", extended.content_digest)


def test_processes_of_one_file_share_what_it_holds(tmp_path, monkeypatch):
    """It is executed once, however many of its functions are named."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own.py").write_text("SENT = []\ndef one(service): yield SENT\ndef other(service): yield SENT\n")
    one, other = load_processes([f"{tmp_path / 'own.py'}:{name}" for name in ("one", "other")])["processes"]
    assert next(one(None)) is next(other(None))


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbfNAME = '\xc3\xa9'\n", b"# coding: latin-1\nNAME = '\xe9'\n"], ids=["mark", "latin"]
)
def test_a_file_is_read_as_python_reads_it(tmp_path, monkeypatch, content):
    """With the mark that some editors put in front, and in another encoding where it says so."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own.py").write_bytes(content + b"def mails(service): yield NAME\n")
    (mails,) = load_processes([f"{tmp_path / 'own.py'}:mails"])["processes"]
    assert next(mails(None)) == "\u00e9"


HELPED = """
import letters_helper
REPLIES = 0.5


def mails(service):
    yield service.until(days=1)
    from letters_later import WORDS
    assert letters_helper.PAPER and WORDS and REPLIES
"""


def test_a_file_imports_what_lies_beside_it(call, scenario, tmp_path, monkeypatch):
    """At once and while the process runs, from any folder."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "own.py").write_text(HELPED)
    (tmp_path / "letters_helper.py").write_text("PAPER = 3\n")
    (tmp_path / "letters_later.py").write_text("WORDS = 100\n")
    answer = call(
        "run", scenario, "--driver", "simpy", "--process", f"{tmp_path / 'own.py'}:mails", "--out", tmp_path / "r", "-q"
    )
    assert (answer.code, answer.err) == (0, "")


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("own.py", "REPLIES = 0.5", "REPLIES = 0.6"),
        ("letters_helper.py", "PAPER = 3", "PAPER = 4"),
        ("letters_later.py", "WORDS = 100", "WORDS = 200"),
        ("letters_box/depth.py", "DEEP = 1", "DEEP = 2"),
    ],
)
def test_another_constant_is_another_run(tmp_path, monkeypatch, file, before, after):
    """In the file of the process, and in whatever it imports from beside it; other files are none of its business."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "letters_box").mkdir()
    texts = {
        "own.py": HELPED, "letters_helper.py": "from letters_box.depth import DEEP\nPAPER = 3\n",
        "letters_later.py": "WORDS = 100\n", "letters_box/__init__.py": "", "letters_box/depth.py": "DEEP = 1\n",
        "stranger.py": "",
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / name).write_text(text)

    def digest():
        return extension_of(load_processes([f"{tmp_path / 'own.py'}:mails"])["processes"]).digest

    first = digest()
    (tmp_path / "stranger.py").write_text("ODD = 1\n")
    assert digest() == first
    (tmp_path / file).write_text(texts[file].replace(before, after))
    assert digest() != first


def test_a_process_of_no_file_has_its_values_in_its_identity():
    """As one that was written in a notebook: what it names from around it counts."""

    def made(replies):
        names = {}
        exec(f"REPLIES = {replies}\ndef mails(service):\n    yield REPLIES\n", names)
        return extension_of([names["mails"]]).digest

    assert made(0.5) == made(0.5) != made(0.6)

    def enclosed(replies):
        def mails(service):
            yield replies

        return extension_of([mails]).digest

    assert enclosed(1) == enclosed(1) != enclosed(2)


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (PROCESSES, "own.py:letters", "own.py defines no 'letters'."),
        (PROCESSES, "own.py", "'own.py' names no process: write FILE.py:NAME, such as my_processes.py:mails."),
        (PROCESSES, "none.py:mails", "cannot read none.py: No such file or directory."),
        ("KINDS = 3\ndef mails(service): yield", "own.py:mails", "own.py: KINDS is a mapping"),
        ("def mails(:", "own.py:mails", "own.py, line 1: SyntaxError:"),
        ("import os\n1 / 0", "own.py:mails", "own.py, line 2: ZeroDivisionError: division by zero"),
        (PROCESSES, "own.py:KINDS", "is no process: write a function that takes the service"),
        (PROCESSES, "own.py:stumbles", "the process stumbles failed on 2025-01-04 00:00 UTC (own.py, line 17)"),
    ],
)
def test_what_cannot_be_taken_from_a_file_is_said(call, scenario, tmp_path, monkeypatch, text, name, message):
    """In plain words and without a traceback, with exit code 2."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(text)
    answer = call("run", scenario, "--process", name, "--out", "run")
    assert answer.code == 2
    assert message in answer.err
    assert "Traceback" not in answer.err


def test_no_kind_of_ours_is_in_the_way():
    """Names that begin with x. are the user's."""
    assert not [name for name in KIND_NAMES.values() if name.startswith("x.")]
