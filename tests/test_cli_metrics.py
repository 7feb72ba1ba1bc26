"""`billing-sim metrics`: what there is, what it means, what it comes to."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from billing_sim.metrics import sheets
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.engine import compute
from billing_sim.metrics.source import RunFolder
from tests.cli_caller import call, in_a_process

__all__ = ["call"]

OWN = """\
view: support
metrics:
  - id: second_notice_share
    like: notices_per_1000_renewals
    title: Renewals with a second notice
    numerator: notices >= 2
    unit: share
    scale: 1
    variants:
      - id: late
        axis: maturity
        differs: every renewal counts at once
        matures: none
"""
QUERY = """\
SELECT date_trunc('month', issued_at) AS period, "group", region,
  count_if(status = 'paid') AS numerator, count(*) AS denominator
FROM invoices GROUP BY ALL
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A file of metrics."""
    file = tmp_path / "own.yaml"
    file.write_text(OWN)
    return file


def widest(text: str) -> int:
    """The length of the longest line."""
    return max(map(len, text.splitlines()))


# The list.


def test_every_metric_is_listed_with_the_number_of_its_variants(call):
    """By view and tier; in JSON the variants are named."""
    answer = call("metrics")
    assert (answer.code, answer.err) == (0, "")
    views = ("SUBSCRIBERS", "FINANCE", "SUPPORT", "PRODUCT")
    assert [line.split()[0] for line in answer.out.splitlines() if line.startswith(views)] == list(views)
    assert widest(answer.out) <= 80
    told = json.loads(call("metrics", "--format", "json").out)
    assert {name for it in told for name in (it["metric"], *it["variants"])} == {it.id for it in shipped()}
    assert all(f" {it['metric']} " in answer.out for it in told)
    rate = next(it for it in told if it["metric"] == "payment_success_rate")
    line = next(line for line in answer.out.splitlines() if " payment_success_rate " in line)
    assert line.split()[-1] == str(len(rate["variants"]))


def test_help_promises_what_each_format_holds(call):
    """JSON has a whole definition of one metric, of the list names, titles and questions."""
    said = " ".join(call("metrics", "--help").out.split())
    assert "hold everything" not in said
    assert "of one metric JSON holds the whole definition" in said
    one = json.loads(call("metrics", "churn", "--format", "json").out)
    assert {"formula", "sql", "matures", "misleads"} <= set(one)
    listed = json.loads(call("metrics", "--format", "json").out)
    head = call("metrics", "--format", "csv").out.splitlines()[0].split(",")
    assert {"metric", "title", "question"} <= set(head) == set(listed[0])


def test_one_view_is_listed_alone(call):
    """Or nothing, and the likely one, when there is no such view."""
    assert {it["view"] for it in json.loads(call("metrics", "--view", "finance", "--format", "json").out)} == {
        "finance"
    }
    assert call("metrics", "--view", "finanse").err == "There is no view `finanse`; did you mean `finance`?\n"


def test_a_search_reads_names_titles_questions_and_formulas(call):
    """In any case of letters; the list in CSV has a line for each."""
    answer = call("metrics", "--search", "RETRY", "--format", "csv")
    found = [line["metric"] for line in csv.DictReader(answer.out.splitlines())]
    texts = {it.id: f"{it.id} {it.title} {it.question} {it.formula} {it.differs}".lower() for it in shipped()}
    assert "retry_cap_compliance" in found
    assert all("retry" in texts[name] for name in found)
    canonical = {name for name, text in texts.items() if "retry" in text and "@" not in name}
    assert canonical <= set(found)
    assert "Do we stay within what card networks allow?" in call("metrics", "--search", "retry").out


def test_a_search_in_vain_gets_a_suggestion(call):
    """The nearest word that some metric says, or the way to the list."""
    answer = call("metrics", "--search", "rettry")
    assert (answer.code, answer.out, answer.err) == (2, "", "No metric speaks of `rettry`; did you mean `retry`?\n")
    assert call("metrics", "--search", "qqqq").err.endswith("`billing-sim metrics` lists them all.\n")


# One metric.


def test_one_metric_is_explained_whole(call):
    """Question to SQL, then its variants with axis and difference, presets with source and date."""
    it = shipped()["payment_success_rate"]
    answer = call("metrics", it.id)
    assert (answer.code, answer.err) == (0, "")
    assert widest(answer.out) <= 80
    words = " ".join(answer.out.split())
    for label in ("question", "owner", "tier", "formula", "population", "exclusions", "clock", "matures", "window",
                  "weight", "money", "stands for", "misleads"):  # fmt: skip
        assert f"\n{label}  " in answer.out
    assert it.question in words
    assert "FROM invoices" in words
    assert ":as_of - :dunning" in words
    for other in shipped().variants(it.id)[1:]:
        assert f"@{other.id.partition('@')[2]}" in words
        assert str(other.retrieved or "") in words
    told = json.loads(call("metrics", it.id, "--format", "json").out)
    assert (told["id"], told["digest"], told["clock"]) == (it.id, it.digest, it.clock)
    assert told["variants"] == [other.id for other in shipped().variants(it.id)]


def test_every_shipped_metric_can_be_explained():
    """Whatever its kind; no moment of the frame that stands in for a run is left in its SQL."""
    for it in shipped():
        assert [label for label, text in sheets.about(it) if not text] == []
        statements = sheets.sql(it)
        assert "TIMESTAMP '9" not in statements and "TIMESTAMP '8" not in statements  # noqa: PT018
        assert it.sql or "SELECT" in statements


def test_a_variant_says_how_it_differs(call):
    """And a name that is nearly one leads to it."""
    words = " ".join(call("metrics", "payment_success_rate@attempt").out.split())
    assert shipped()["payment_success_rate@attempt"].differs in words
    answer = call("metrics", "payment_succes_rate")
    assert (answer.code, answer.err) == (
        2,
        "There is no metric `payment_succes_rate`; did you mean `payment_success_rate`?\n",
    )


def test_a_metric_of_ones_own_is_explained(call, own):
    """With what it takes from the metric that it is like."""
    words = " ".join(call("metrics", "second_notice_share@late", "--definitions", own).out.split())
    assert "every renewal counts at once" in words
    assert "notices >= 2" in words


# Over a run.


def test_json_holds_everything_of_each_metric(call, tiny_run):
    """{metric: {...}}, the same numbers as the engine gives."""
    answer = call("metrics", tiny_run.directory, "--metric", "payment_success_rate", "--by", "plan", "--format", "json")
    assert (answer.code, answer.err) == (0, "")
    (result,) = compute(RunFolder(tiny_run.directory), [shipped()["payment_success_rate"]], ["plan"])
    assert json.loads(answer.out) == {"payment_success_rate": json.loads(json.dumps(result.as_dict()))}


def test_all_shown_metrics_fit_eighty_columns(tiny_run):
    """Value, interval, what it is made of, units, and those that are not settled."""
    answer = in_a_process("metrics", tiny_run.directory, "--by", "plan,month", PYTHONIOENCODING="ascii", COLUMNS="80")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.isascii()
    assert widest(answer.out) <= 80
    assert "\npayment_success_rate\n" in answer.out


def test_a_month_that_may_still_change_is_marked(call, tiny_run):
    """With ~ before its value, and never without."""
    asked = ("metrics", tiny_run.directory, "--metric", "payment_success_rate", "--by", "month")
    lines = {line.split()[0]: line.split()[1] for line in call(*asked).out.splitlines() if line.startswith("20")}
    rows = list(csv.DictReader(call(*asked, "--format", "csv").out.splitlines()))
    assert [row["month"] for row in rows] == ["", *lines]
    partial = {row["month"]: row["partial"] == "True" for row in rows if row["value"] and row["month"]}
    assert any(partial.values())
    assert {month: lines[month].startswith("~") for month in partial} == partial


def test_variants_stand_beside_their_metric(call, tiny_run):
    """Each with its difference from the canonical value."""
    asked = ("metrics", tiny_run.directory, "--metric", "payment_success_rate", "--variants")
    told = json.loads(call(*asked, "--format", "json").out)
    assert list(told) == [it.id for it in shipped().variants("payment_success_rate")]
    base = told["payment_success_rate"]
    assert "difference" not in base
    attempt = told["payment_success_rate@attempt"]
    assert attempt["difference"] == pytest.approx(attempt["value"] - base["value"])
    shown = call(*asked).out
    assert widest(shown) <= 80
    line = next(line for line in shown.splitlines() if "@attempt" in line)
    assert f"{100 * attempt['difference']:+.2f} pp" in line


@pytest.mark.parametrize("width", ["40", "50", "60"])
def test_a_narrow_terminal_keeps_names_and_values(call, tiny_run, monkeypatch, width):
    """Names break between their words, and other columns give way; lists wrap their titles at words."""
    monkeypatch.setenv("COLUMNS", width)
    shown = call("metrics", tiny_run.directory, "--metric", "payment_success_rate", "--variants").out
    assert widest(shown) <= int(width)
    rows = [line for line in shown.splitlines() if line.startswith(("payment_success_", " @"))]
    assert len(rows) == len(shipped().variants("payment_success_rate"))
    assert all("%" in row for row in rows)
    listed = call("metrics").out
    assert widest(listed) <= int(width)
    assert len(listed.splitlines()) < 300
    assert "(shown from " in " ".join(listed.split())


def test_files_of_ones_own_are_computed(call, tiny_run, own, tmp_path):
    """Without --metric only they are; YAML and SQL together."""
    query = tmp_path / "paid_share.sql"
    query.write_text(QUERY)
    asked = ("metrics", tiny_run.directory, "--definitions", own, "--definitions", query, "--format", "json")
    told = json.loads(call(*asked).out)
    assert list(told) == ["second_notice_share", "paid_share"]
    paid, billed = tiny_run.sql("SELECT count_if(status = 'paid'), count(*) FROM invoices").iloc[0]
    assert (told["paid_share"]["numerator"], told["paid_share"]["denominator"]) == (paid, billed)
    assert told["paid_share"]["low"] < told["paid_share"]["value"] < told["paid_share"]["high"]
    both = json.loads(call(*asked, "--metric", "second_notice_share", "--variants").out)
    assert list(both) == ["second_notice_share", "second_notice_share@late"]
    assert both["second_notice_share@late"]["units"] > both["second_notice_share"]["units"]


def test_as_of_shows_what_was_known_then(call, tiny_run):
    """An unpaid invoice of that day is unpaid, although it was paid later."""
    asked = ("metrics", tiny_run.directory, "--metric", "payment_success_rate@as_of", "--format", "json")
    now = json.loads(call(*asked).out)["payment_success_rate@as_of"]
    then = json.loads(call(*asked, "--as-of", "2025-01-20").out)["payment_success_rate@as_of"]
    assert then["as_of"] == "2025-01-20T00:00:00"
    assert then["units"] < now["units"]
    late = call(*asked, "--as-of", "2031-01-01")
    assert (late.code, late.out) == (2, "")
    assert "outside the run" in late.err
    assert call(*asked, "--as-of", "soon").err == "'soon' is no date; write one such as 2025-03-01.\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--by", "plan"], "say of which run"),
        (["payment_success_rate", "--variants"], "say of which run"),
        (["payment_success_rate", "--search", "retry"], "it looks through all metrics"),
        (["nowhere/run"], "nowhere/run is not a run: there is no such folder."),
        (["mine.yaml"], "name a file of metrics with --definitions mine.yaml"),
        (["--definitions", "nowhere.yaml"], "nowhere.yaml  There is no such file."),
    ],
)
def test_what_cannot_be_answered_says_what_to_do(call, args, said):
    """Code 2, nothing on stdout."""
    answer = call("metrics", *args)
    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--by", "markt"], "There is no dimension `markt`; did you mean `market`?\n"),
        (["--metric", "members_"], "There is no metric `members_`; did you mean `members`?\n"),
    ],
)
def test_unknown_names_get_a_suggestion(call, tiny_run, options, said):
    """One sentence."""
    answer = call("metrics", tiny_run.directory, *options)
    assert (answer.code, answer.out, answer.err) == (2, "", said)
