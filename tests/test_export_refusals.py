"""What `billing-sim export` refuses, in one sentence and without leaving anything behind."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace

import pytest

from billing_sim import QueryError, RunError
from billing_sim.export import exporting, stripe_tables
from billing_sim.export.forms import FORMS
from tests.cli_caller import call
from tests.export_readers import busy_run
from tests.no_room import no_room

__all__ = ["busy_run", "call"]


def test_the_command_tells_what_was_compared(call, tiny_run, tmp_path):
    """A line for each table, aligned, then where it is; long lines wrap."""
    answer = call("export", tiny_run.directory, "--as", "recurly", "--to", tmp_path / "out")
    assert (answer.code, answer.err) == (0, "")
    above, below = answer.out.split("\n\n")
    head, *table = above.splitlines()
    assert head.split() == ["table", "rows", "agrees", "with", "the", "run", "in"]
    table = [line for line in table if not line.startswith(" ")]
    assert [line.split()[0] for line in table] == [
        "account_history", "subscription_history", "plan_history", "invoice_history", "line_item_history",
        "transaction",
    ]  # fmt: skip
    assert len({line.index(line.split()[2]) for line in table}) == 1
    assert "issued, paid, remaining, without tax (USD)" in answer.out
    assert " ".join(below.split()) == f"{tmp_path / 'out'}: Recurly's tables as Parquet, until 2025-03-01"


def test_json_says_the_same(call, tiny_run, tmp_path):
    """For programs."""
    answer = call("export", tiny_run.directory, "--as", "csv", "--to", tmp_path / "out", "--format", "json")
    told = json.loads(answer.out)
    assert (told["form"], told["days"], told["end"]) == ("csv", 0, "2025-03-01")
    assert told["tables"][-1]["table"] == "failed_charges"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--as", "strype"], "'strype' is not one of 'stripe', 'stripe-json', 'recurly', 'csv', 'duckdb', 'events'"),
        (["--as", "csv", "--end-at", "yesterday"], "'yesterday' is not a day: write today or a date such as"),
        (["--as", "csv", "--end-at", "2026-02-30"], "'2026-02-30' is not a day"),
        ([], "--as"),
    ],
)  # fmt: skip
def test_nonsense_is_code_2(call, tiny_run, tmp_path, options, said):
    """And nothing is written."""
    answer = call("export", tiny_run.directory, "--to", tmp_path / "out", *options)
    assert (answer.code, answer.out) == (2, "")
    assert said in " ".join(answer.err.split())
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_run_is_not_exported(call, tiny_run, tmp_path):
    """Both sides of the comparison would be read from the damaged page."""
    shutil.copytree(tiny_run.directory, tmp_path / "run")
    file = next((tmp_path / "run" / "facts" / "invoices").glob("*.parquet"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    answer = call("export", tmp_path / "run", "--as", "csv", "--to", tmp_path / "out")
    assert (answer.code, answer.out) == (2, "")
    assert "is damaged: run it again with --overwrite" in answer.err
    assert f"facts/invoices/{file.name} is damaged: its bytes" in answer.err
    assert not (tmp_path / "out").exists()


def test_what_is_no_run_is_said(call, tmp_path):
    """The same words as everywhere."""
    answer = call("export", tmp_path / "nowhere", "--as", "csv", "--to", tmp_path / "out")
    assert answer.code == 2
    assert "is not a run: there is no such folder" in answer.err
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_form_in_python_gets_a_hint(tiny_run, tmp_path):
    """As `--as` does on the command line."""
    with pytest.raises(QueryError, match="There is no form `strip`; did you mean `stripe`"):
        tiny_run.export("strip", tmp_path / "out")


def test_a_run_without_a_log_has_no_events(busy_run, tmp_path):
    """It says how to get one."""
    with pytest.raises(RunError, match="kept no log: run the scenario again with --log all"):
        busy_run.export("events", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_alone(tiny_run, tmp_path):
    """With --overwrite too, unless it is an export and nothing else."""
    target = tmp_path / "mine"
    target.mkdir()
    (target / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match="is not empty: name another folder with --to, or replace it with --overwrite"):
        tiny_run.export("recurly", target)
    with pytest.raises(RunError, match="holds more than an earlier export, so it is not replaced"):
        tiny_run.export("recurly", target, overwrite=True)
    assert [it.name for it in tmp_path.rglob("*")] == ["mine", "letter.txt"]


def test_an_earlier_export_is_replaced_when_asked(tiny_run, tmp_path):
    """Whole: no file of the old one stays."""
    target = tmp_path / "out"
    tiny_run.export("csv", target)
    with pytest.raises(RunError, match="is not empty"):
        tiny_run.export("recurly", target)
    tiny_run.export("recurly", target, overwrite=True)
    assert {it.suffix for it in target.iterdir()} == {".parquet", ".json"}
    assert [it.name for it in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_as_good_as_none(tiny_run, tmp_path):
    """Somebody made it beforehand."""
    (tmp_path / "out").mkdir()
    assert tiny_run.export("recurly", tmp_path / "out").folder.is_dir()


def test_a_file_is_no_folder(tiny_run, tmp_path):
    """It stays as it is."""
    (tmp_path / "out").write_text("dear")
    with pytest.raises(RunError, match="is no folder to write to"):
        tiny_run.export("csv", tmp_path / "out", overwrite=True)
    assert (tmp_path / "out").read_text() == "dear"


@pytest.mark.parametrize(
    ("table", "column", "sql", "said"),
    [
        ("invoice", "amount_due", "amount_minor + CASE invoice WHEN 2 THEN 1 ELSE 0 END", "issued, USD in minor units"),
        ("charge", "amount", "amount_minor - CAST(attempt = 3 AS INTEGER)", "attempted, USD in minor units"),
        ("balance_transaction", "net", "0", "paid in, USD in minor units"),
        ("invoice_line_item", "currency", "'eur'", "without tax and discounts, EUR in minor units"),
    ],
)
def test_a_missing_minor_unit_is_found_and_nothing_is_left(tiny_run, tmp_path, monkeypatch, table, column, sql, said):
    """The check can fail: one table says something else than the run."""
    monkeypatch.setitem(FORMS, "stripe", replace(FORMS["stripe"], tables=lambda _: damaged(table, column, sql)))
    with pytest.raises(RunError, match=f"^{table} does not agree with the run: {said}: "):
        tiny_run.export("stripe", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_row_is_found(tiny_run, tmp_path, monkeypatch):
    """Also where there is no money."""
    tables = [replace(it, source="persons WHERE subscriber % 7 > 0") for it in stripe_tables.STRIPE[:1]]
    monkeypatch.setitem(FORMS, "stripe", replace(FORMS["stripe"], tables=lambda _: tables))
    with pytest.raises(RunError, match="customer does not agree with the run: rows: "):
        tiny_run.export("stripe", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("form", "room"),
    [("stripe", 3000), ("stripe-json", 3000), ("csv", 3000), ("duckdb", 3000), ("duckdb", 204_800), ("events", 3000)],
)
def test_a_full_disk_is_told_and_leaves_nothing(call, tiny_run, tmp_path, form, room):
    """In whatever way a form is written; a database says so when it begins, or when it commits."""
    with no_room(room):
        answer = call("export", tiny_run.directory, "--as", form, "--to", tmp_path / "out")
    assert (answer.code, answer.out) == (2, "")
    assert "File too large" in answer.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_database_goes_to_no_folder_with_a_question_mark(call, tiny_run, tmp_path):
    """It would be looked for elsewhere."""
    (tmp_path / "what?").mkdir()
    answer = call("export", tiny_run.directory, "--as", "duckdb", "--to", tmp_path / "what?" / "out")
    assert (answer.code, answer.out) == (2, "")
    assert "cannot be written to a folder with `?` in its path" in answer.err
    assert [it.name for it in tmp_path.rglob("*")] == ["what?"]


def test_two_exports_to_one_folder_do_not_disturb_each_other(tiny_run, tmp_path, monkeypatch):
    """The second is told so, and the first ends well."""
    told = []
    reconcile = exporting.reconcile

    def meanwhile(*given: object) -> object:
        if not told:
            with pytest.raises(RunError) as caught:
                tiny_run.export("csv", tmp_path / "out")
            told.append(str(caught.value))
        return reconcile(*given)

    monkeypatch.setattr(exporting, "reconcile", meanwhile)
    assert tiny_run.export("recurly", tmp_path / "out").tables
    assert "out is being written by another process or thread" in told[0]
    assert "name another folder with --to" in told[0]
    assert [it.name for it in tmp_path.iterdir()] == ["out"]


def test_an_interrupted_export_leaves_nothing(tiny_run, tmp_path, monkeypatch):
    """Whatever stops it, and the earlier one is still there."""
    target = tmp_path / "out"
    tiny_run.export("recurly", target)
    before = (target / "export.json").read_bytes()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("billing_sim.export.exporting.reconcile", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tiny_run.export("recurly", target, overwrite=True)
    assert (target / "export.json").read_bytes() == before
    assert [it.name for it in tmp_path.iterdir()] == ["out"]


def damaged(table: str, column: str, sql: str) -> list[stripe_tables.Table]:
    """Stripe's tables with other SQL in one column."""
    return [
        replace(it, columns=tuple(replace(at, sql=sql) if at.name == column else at for at in it.columns))
        if it.name == table
        else it
        for it in stripe_tables.STRIPE
    ]
