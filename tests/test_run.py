"""A run in Python: what it says of itself, its tables, and questions to it."""

from __future__ import annotations

import importlib
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import billing_sim
from billing_sim import frames
from billing_sim.facts.schema import FACTS
from billing_sim.metrics.connection import connect_to
from billing_sim.metrics.source import RunFolder
from billing_sim.metrics.unreadable import reading_facts
from billing_sim.upshot import upshot_of
from tests.conftest import SCENARIOS
from tests.runs_samples import IDENTITY, writer_for

FIRST_MONTH = SCENARIOS / "first_month.yaml"


def copy_of(run: billing_sim.Run, folder: Path) -> billing_sim.Run:
    """The same run in another folder."""
    shutil.copytree(run.directory, folder)
    return billing_sim.open(folder)


def test_a_run_tells_its_story(tiny_run):
    """Name, span and seed; what came of it; events, digest, how it was made and how fast, and where."""
    first, *lines = repr(tiny_run).splitlines()
    assert first == "first_month: 200 members, 2025-01-01 to 2025-03-01, seed 1"
    told = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}
    assert [*told] == "members lost invoices renewals kept events digest made speed where".split()
    assert told["events"].startswith(f"{tiny_run.events:,}")
    assert told["digest"] == tiny_run.content_digest
    assert "by the batch driver with 1 worker in " in told["made"]
    assert told["where"].startswith(str(tiny_run.directory))
    assert max(map(len, repr(tiny_run).splitlines()[:6])) <= 80
    assert tiny_run.story(upshot=False).splitlines()[1].startswith("  events  ")


def test_the_story_says_what_the_views_say(tiny_run):
    """Members at the end, losses, failures and recoveries, counted another way: from the log and by metrics."""
    told = upshot_of(tiny_run.known_at(None))
    assert tiny_run.members + told.came - told.left - told.lost == told.members
    (members,) = tiny_run.metric("members")["value"]
    assert told.members == members
    events = tiny_run.table("events")
    ended = events[events["kind"] == "subscription.canceled"]
    assert told.lost == ended["reason"].isin(["nonpayment", "payment_trouble"]).sum()
    assert told.lost + told.left == len(ended)
    invoices = tiny_run.table("invoices")
    renewals = invoices[~invoices["is_imported"] & ~invoices["is_signup"] & (invoices["amount_micros"] > 0)]
    failed = renewals[renewals["first_failed_at"].notna()]
    assert (told.failed, told.recovered) == (len(failed), (failed["status"] == "paid").sum())


def test_a_story_is_told_even_where_the_facts_are_not_there(tiny_run, tmp_path):
    """What came of it is left out; a repr never fails."""
    made = copy_of(tiny_run, tmp_path / "without")
    for file in (made.directory / "facts").rglob("*.parquet"):
        file.write_bytes(b"nothing")
    assert repr(made).splitlines()[1].split()[0] == "events"


def test_in_a_notebook_it_is_a_small_table(tiny_run, tmp_path):
    """A row for each of these lines, and no markup from names."""
    folder = tmp_path / "a&b"
    made = copy_of(tiny_run, folder)._repr_html_()
    assert made.count("<tr>") == 10
    assert str(folder).replace("&", "&amp;") in made


def test_attributes_are_those_of_the_manifest(tiny_run):
    """Identity, content and how it came to be."""
    manifest = tiny_run.manifest
    assert (tiny_run.members, tiny_run.seed) == (manifest.identity.members, manifest.identity.seed) == (200, 1)
    assert tiny_run.events == sum(manifest.result.kinds.values()) > 1000
    assert tiny_run.content_digest == manifest.result.content_digest
    assert tiny_run.reused is False


def test_the_same_run_is_reused_and_opened(tiny_run):
    """The folder is read, not simulated again."""
    again = billing_sim.run(FIRST_MONTH, members=200, out=tiny_run.directory)
    assert (again.reused, again.manifest) == (True, tiny_run.manifest)
    assert billing_sim.open(tiny_run.directory).manifest == tiny_run.manifest


def test_every_fact_the_world_and_the_log_are_tables(tiny_run):
    """All rows, in the columns of the schema, and the truth is not among them."""
    assert tiny_run.tables == (*(fact.name for fact in FACTS), "world_events", "events")
    for fact in FACTS:
        table = tiny_run.table(fact.name)
        assert list(table.columns) == [column.name for column in fact.columns]
        assert len(table) == tiny_run.manifest.result.facts[fact.name]
    assert len(tiny_run.table("events")) == tiny_run.events
    assert tiny_run.table("world_events")["kind"].iloc[0] == "run.configured"


def test_tables_have_the_types_that_pandas_people_expect(tiny_run):
    """Labels are categories, moments are in UTC, days are days, and money is a whole number even beside gaps."""
    invoices, events = tiny_run.table("invoices"), tiny_run.table("events")
    assert isinstance(invoices["market"].dtype, pd.CategoricalDtype)
    assert str(invoices["issued_at"].dtype) == "datetime64[us, UTC]"
    assert str(invoices["period_start"].dtype).startswith("datetime64[")
    assert (invoices["period_end"] - invoices["period_start"]).max() == pd.Timedelta(days=31)
    assert str(invoices["amount_minor"].dtype) == "int64"
    assert str(events["amount_minor"].dtype) == "Int64"
    assert events.loc[events["kind"] == "dunning.started", "amount_minor"].isna().all()


def test_sql_answers_from_the_same_rows(tiny_run):
    """Sums of money stay whole, moments stay in UTC."""
    invoices = tiny_run.table("invoices")
    answer = tiny_run.sql("SELECT sum(amount_micros) AS due, max(issued_at) AS last, count(paid_at) FROM invoices")
    assert str(answer["due"].dtype) == "int64"
    assert answer.iloc[0].tolist() == [
        invoices["amount_micros"].sum(), invoices["issued_at"].max(), invoices["paid_at"].notna().sum(),
    ]  # fmt: skip
    kinds = tiny_run.sql("SELECT kind, count(*) AS n FROM events GROUP BY ALL")
    assert dict(zip(kinds["kind"], kinds["n"], strict=True)) == dict(tiny_run.manifest.result.kinds)
    assert tiny_run.sql("SELECT 1 AS a, 2 AS a WHERE false").columns.tolist() == ["a", "a"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT amout FROM invoices", 'column "amout" not found'),
        ("SELECT * FROM invoicess", "\nTables: invoices, attempts,"),
        ("SELECT * FROM truth", "\nTables: invoices, attempts,"),
        ("SELEC 1", "syntax error"),
        ("SELECT 'a'::INT", "Could not convert"),
        ("DROP VIEW invoices", "Only one SELECT"),
        ("SELECT 1; SELECT 2", "Only one SELECT"),
        ("", "Only one SELECT"),
    ],
)
def test_a_query_that_cannot_be_answered_is_told_in_two_lines(tiny_run, query, said):
    """DuckDB's own words, without its excerpt, and what there is."""
    with pytest.raises(billing_sim.QueryError) as told:
        tiny_run.sql(query)
    assert said in str(told.value)
    assert len(str(told.value).splitlines()) <= 2
    assert tiny_run.sql("SELECT count(*) AS n FROM invoices")["n"].item() > 0


def test_the_sealed_truth_cannot_be_read_by_its_file(tiny_run):
    """Nor can any other file."""
    (file, *_) = tiny_run.stored.truth_files
    with pytest.raises(billing_sim.QueryError, match="Permission Error"):
        tiny_run.sql(f"SELECT * FROM read_parquet('{file}')")


def test_an_unknown_table_gets_a_suggestion_and_the_list(tiny_run):
    """The nearest name first; the truth is not a table."""
    with pytest.raises(billing_sim.QueryError) as told:
        tiny_run.table("invoice")
    assert str(told.value).startswith("There is no table `invoice`: did you mean `invoices`? Tables: invoices, ")
    with pytest.raises(billing_sim.QueryError, match=r"There is no table `truth`: did you mean `touches`\? Tables: "):
        tiny_run.table("truth")


def test_without_a_log_everything_but_the_events_is_there(tmp_path):
    """And it is said how to keep them."""
    run = billing_sim.run(FIRST_MONTH, members=20, log="none", out=tmp_path / "run")
    assert "events" not in run.tables
    assert len(run.table("invoices")) >= 20
    with pytest.raises(billing_sim.QueryError, match="kept no log: run the scenario again with --log all"):
        run.table("events")
    with pytest.raises(billing_sim.QueryError, match="\nTables: invoices"):
        run.sql("SELECT * FROM events")


def test_a_damaged_file_is_refused(tiny_run, tmp_path):
    """A flipped bit is found when the page is read, and said."""
    run = copy_of(tiny_run, tmp_path / "run")
    file = run.stored.facts_files("invoices")[0]
    content = bytearray(file.read_bytes())
    content[200] ^= 4  # the first page's header, whose statistics nobody reads, ends before
    file.write_bytes(bytes(content))
    with pytest.raises(billing_sim.RunError, match="cannot be read"):
        run.table("invoices")


def test_views_take_dimensions_as_text_or_list(tiny_run):
    """ "market, month" is ["market", "month"]."""
    assert tiny_run.views("plan, month").to_json() == tiny_run.views(by=["plan", "month"]).to_json()
    assert tiny_run.views().by == ()
    with pytest.raises(billing_sim.QueryError, match="did you mean `plan`"):
        tiny_run.views(by="plans")


def test_a_story_is_asked_for_by_number_or_text(tiny_run):
    """The same person, the same story."""
    who = tiny_run.table("invoices")["subscriber"].iloc[0]
    story = tiny_run.trace(who)
    assert story.subscriber == who
    assert tiny_run.trace(story.name).lines() == story.lines()
    with pytest.raises(billing_sim.QueryError, match="is not a subscriber"):
        tiny_run.trace("Norway")


def test_an_unfinished_run_is_not_opened(tmp_path):
    """It says what it is, and what to do."""
    writer_for(tmp_path / "run", IDENTITY).abort()
    with pytest.raises(billing_sim.RunError, match="incomplete"):
        billing_sim.open(tmp_path / "run")


def test_the_function_stays_when_modules_are_imported():
    """No module of ours takes the name `run`, `open` or `check` away."""
    for module in ("result", "runs", "runs.directory", "cli.running", "cli.checking", "simulate", "scenario.checks"):
        importlib.import_module(f"billing_sim.{module}")
    assert all(callable(getattr(billing_sim, name)) for name in ("run", "open", "check"))
    assert billing_sim.check(FIRST_MONTH) == []
    assert set(billing_sim.__all__) <= set(dir(billing_sim))
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        _ = billing_sim.simulat


def test_sums_too_large_for_64_bits_stay_exact():
    """Python's integers take over; nothing is rounded."""
    large = pa.table({"sum": pa.array([2**70], pa.decimal128(38, 0)), "half": pa.array([None], pa.int16())})
    made = frames.frame(large)
    assert int(made["sum"].iloc[0]) == 2**70
    assert str(made["half"].dtype) == "Int64"


def test_what_is_counted_can_be_multiplied(tiny_run):
    """Sixteen bits would wrap around at the fourth attempt of a cent in millionths, without a word."""
    run = billing_sim.open(tiny_run.directory)
    attempts = run.table("invoices")["attempts"]
    assert (attempts * 10_000).sum() == 10_000 * int(attempts.sum())
    asked = run.sql("SELECT 4::SMALLINT AS attempts, 26::UTINYINT AS calls")
    assert [int((asked[name] * 10_000).iloc[0]) for name in asked] == [40_000, 260_000]
    assert {str(kind) for kind in run.table("invoices").dtypes if "int" in str(kind)} == {"int64"}


def test_threads_may_share_a_run(tiny_run):
    """Eight at once, each with a question of its own, from the very first one on."""
    run = billing_sim.open(tiny_run.directory)
    questions = (
        lambda i: len(run.sql(f"SELECT * FROM invoices LIMIT {i}")),
        lambda i: len(run.table(run.tables[i % len(run.tables)])),
        lambda i: run.views(by=("market", "plan")[i % 2]).to_json(),
        lambda i: run.metric("payment_success_rate", by=("market", "plan", "month")[i % 3])["value"].tolist(),
        lambda i: run.metric("recovery_rate", as_of=f"2025-01-1{i % 2}")["value"].tolist(),
    )
    asked = [(question, i) for question in questions for i in range(3)] + [(questions[0], i) for i in range(100)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda it: it[0](it[1]), asked))
    again = billing_sim.open(tiny_run.directory)
    assert found[:3] == list(range(3))
    assert found[15:] == list(range(100))
    assert found[6] == again.views(by="market").to_json()


def test_a_run_goes_to_another_process_also_after_it_was_asked(tiny_run):
    """A pool of processes hands it over as it is."""
    assert len(tiny_run.sql("SELECT 1")) == 1
    carried = pickle.loads(pickle.dumps(tiny_run))
    assert carried.directory == tiny_run.directory
    assert carried.sql("SELECT count(*) AS n FROM invoices").equals(tiny_run.sql("SELECT count(*) AS n FROM invoices"))


def test_a_run_is_found_after_the_program_went_to_another_folder(tiny_run, tmp_path, monkeypatch):
    """Its folder may have been named from the one before; what is printed stays as it was named."""
    copy_of(tiny_run, tmp_path / "here" / "run")
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    opened = billing_sim.open("run")
    made = billing_sim.run(FIRST_MONTH, members=5, out="made", workers=1)
    monkeypatch.chdir(tmp_path / "there")
    assert opened.directory == tmp_path / "here" / "run"
    assert opened.sql("SELECT count(*) AS n FROM invoices")["n"][0] == len(opened.table("invoices"))
    assert opened.views().to_json() == tiny_run.views().to_json()
    assert opened.trace("US-4").entries
    assert len(made.table("subscriptions")) >= 5
    assert opened.summary()["run"] == "run"
    assert billing_sim.compare(opened, made).pair.before.identity.members == 200
    monkeypatch.chdir(tmp_path)
    assert "A  here/run  (first_month" in str(billing_sim.compare(opened, made))


def test_a_run_whose_folder_is_gone_says_so(tiny_run, tmp_path):
    """In words, whatever is asked, also where the facts had been read before."""
    shutil.copytree(tiny_run.directory, tmp_path / "run")
    fresh, asked = (billing_sim.open(tmp_path / "run") for _ in range(2))
    asked.sql("SELECT count(*) FROM invoices")
    shutil.rmtree(tmp_path / "run")
    for ask in (
        lambda: fresh.views(as_of="2025-02-01"),
        lambda: fresh.table("invoices"),
        lambda: fresh.metric("churn"),
        lambda: asked.sql("SELECT count(*) FROM invoices"),
    ):
        with pytest.raises(billing_sim.RunError, match=r"is gone: open the run where it lies|is not a run"):
            ask()


def test_files_that_go_while_they_are_read_are_missed(tiny_run, tmp_path):
    """The database takes them for files that it may not read; that is not what happened."""
    shutil.copytree(tiny_run.directory, tmp_path / "run")
    facts = [fact for fact in FACTS if fact.name == "invoices"]
    with reading_facts(), connect_to(RunFolder(tmp_path / "run"), facts) as connection:
        shutil.rmtree(tmp_path / "run")
        with pytest.raises(billing_sim.RunError, match="files of the run are gone"), reading_facts():
            connection.execute("SELECT count(*) FROM invoices")


@pytest.mark.parametrize(
    ("part", "ask"),
    [
        *(("world", ask) for ask in ("views", "metric", "compare", "table")),
        *(("facts/invoices", ask) for ask in ("views", "metric", "table", "truth")),
        *(("facts/subscriptions", ask) for ask in ("views", "compare", "table", "truth")),
    ],
)
def test_damage_where_a_file_tells_of_itself_is_said(tiny_run, tmp_path, part, ask):
    """Whoever reads it gets a sentence: the end is not that of such a file, or a word of it is no text."""
    shutil.copytree(tiny_run.directory, tmp_path / "run")
    (file,) = (tmp_path / "run" / part).glob("*.parquet")
    good = file.read_bytes()
    table = {"world": "world_events"}.get(part, part.removeprefix("facts/"))
    asking = {
        "views": lambda run: run.views(),
        "metric": lambda run: run.metric(["churn", "payment_success_rate"]),
        "compare": lambda run: billing_sim.compare(run, tiny_run),
        "table": lambda run: run.table(table),
        "truth": lambda run: run.truth(),
    }
    told = [] if part == "world" else [good.replace(b'{"', b'\xff"')]
    for damaged in (good[:-4] + b"XXXX", good[:-8] + b"\xff" * 4 + good[-4:], *told):
        file.write_bytes(damaged)
        with pytest.raises(billing_sim.RunError, match="cannot be read"):
            asking[ask](billing_sim.open(tmp_path / "run"))


def test_a_flipped_bit_is_found_where_it_is_asked_for(tiny_run, tmp_path):
    """Opening alone looks at sizes only; with `verify` at every byte of every file."""
    shutil.copytree(tiny_run.directory, tmp_path / "run")
    assert billing_sim.open(tmp_path / "run", verify=True).content_digest == tiny_run.content_digest
    file = billing_sim.open(tmp_path / "run").stored.facts_files("invoices")[0]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    billing_sim.open(tmp_path / "run")
    with pytest.raises(billing_sim.RunError, match=r"run it again(.|\n)*facts/invoices/.* is damaged: its bytes"):
        billing_sim.open(tmp_path / "run", verify=True)
