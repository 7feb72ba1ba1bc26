"""`billing-sim check`: silence is good news."""

from __future__ import annotations

import csv
import json

import pytest

from billing_sim import check
from tests.cli_caller import call, in_a_process
from tests.conftest import SCENARIOS

__all__ = ["call"]


def test_good_files_are_passed_in_silence():
    """Code 0, nothing on any stream."""
    answer = in_a_process("check", *sorted(SCENARIOS.glob("*.yaml")))
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_every_problem_of_every_file_is_printed(call, tmp_path):
    """The same problems as in Python, in the order of the files, once each; code 2."""
    text = (SCENARIOS / "first_month.yaml").read_text()
    good, bad, worse = (tmp_path / f"{name}.yaml" for name in ("good", "bad", "worse"))
    good.write_text(text)
    bad.write_text(text.replace("members: 2000", "members: many"))
    worse.write_text(text.replace("premium: 30%", "premium: 40%").replace("currency: USD", "currency: USX"))
    problems = [*check(bad), *check(worse)]
    assert len(problems) >= 3
    answer = call("check", bad, good, worse, bad)
    assert (answer.code, answer.err) == (2, "")
    assert answer.out == "".join(f"{problem}\n" for problem in problems)


MANY_MISTAKES = """\
extends: base.yaml
membrs: 12
experiments:
  patience:
    enrol: first_failure
    arms:
      hurried: {share: 50%}
      patient: {share: 50%, change: {members: 3, gateways: {one: {nonsense: 3}}}}
expect:
  - {metric: payment_sucess_rate, at_least: 90%}
goals:
  - {goal: fewer, owner: finance, metric: involuntary_chrun, target: 1%, deadline: 2025-01-31}
"""


@pytest.mark.parametrize("command", ["check", "run"])
def test_mistakes_of_every_kind_are_told_at_once(call, tmp_path, command):
    """A mistyped key hides neither what is wrong within an arm nor a metric that does not exist."""
    file = tmp_path / "mine.yaml"
    (tmp_path / "base.yaml").write_text((SCENARIOS / "first_month.yaml").read_text())
    file.write_text(MANY_MISTAKES)
    answer = call(command, file)
    assert answer.code == 2
    told = answer.out + answer.err
    places = ("2:1  membrs", "8:38  change: members", "8:67  nonsense", "10:14  There is no", "12:43  There is no")
    assert [place for place in places if f"mine.yaml:{place}" not in told] == []


def test_a_missing_file_is_a_problem(call):
    """Not a traceback."""
    answer = call("check", "nowhere.yaml")
    assert (answer.code, answer.err) == (2, "")
    assert answer.out.startswith("nowhere.yaml  There is no such file.")


METRICS = """\
view: product
metrics:
  - id: quick_payment_rate
    like: payment_success_rate
    window: {of: paid_at, since: issued_at, last: 7 days}
    variants:
      - id: weighted
        axis: weight
        differs: by amount
        weight: amount_micros
"""


def test_metrics_and_queries_are_checked_too(call, tmp_path):
    """Mixed with scenarios; silence is good news here as well."""
    metrics, query = tmp_path / "mine.yaml", tmp_path / "mine.sql"
    metrics.write_text(METRICS)
    query.write_text(
        "SELECT month AS period, count(*) AS numerator, 1 AS denominator\nFROM subscription_months GROUP BY ALL"
    )
    answer = call("check", metrics, SCENARIOS / "first_month.yaml", query)
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_every_problem_of_metrics_has_its_place(call, tmp_path):
    """Keys, words and SQL at once, each where it stands, with what to do; then those of the next file."""
    metrics, query = tmp_path / "mine.yaml", tmp_path / "mine.sql"
    wrong = METRICS.replace("of: paid_at", "of: status").replace("axis: weight", "direction: upp\n        axis: weight")
    metrics.write_text(wrong.replace("weight: amount_micros", "wieght: amount_micros"))
    query.write_text("SELECT month AS period,\n  count(*) AS numerator FROM subscription_month GROUP BY ALL")
    answer = call("check", metrics, query)
    assert (answer.code, answer.err) == (2, "")
    assert [line.removeprefix(f"{tmp_path}/") for line in answer.out.splitlines() if not line.startswith(" ")] == [
        "mine.yaml:5:18  quick_payment_rate, window.of: a moment is needed, this is VARCHAR",
        "mine.yaml:8:20  quick_payment_rate@weighted: There is no direction `upp`; did you mean `up`?",
        "mine.yaml:11:17  quick_payment_rate@weighted: There is no key `wieght`; did you mean `weight`?",
        "mine.sql:2:30  Catalog Error: Table with name subscription_month does not exist!",
    ]
    assert "Name a column with a time, or shift one by an INTERVAL." in answer.out
    assert 'Did you mean "subscription_months"?' in answer.out


def test_a_query_without_its_columns_is_told_which(call, tmp_path):
    """Both that are missing, and what it returns instead."""
    query = tmp_path / "mine.sql"
    query.write_text("SELECT 1 AS period")
    answer = call("check", query)
    assert answer.code == 2
    assert [line.strip() for line in answer.out.splitlines()] == [
        f"{query}:1:1  the query returns no column `denominator`.",
        "It returns period.",
        f"{query}:1:1  the query returns no column `numerator`.",
        "It returns period.",
    ]


def test_a_goal_whose_metric_is_not_there_is_told_by_the_check(tmp_path, call):
    """The scenario does not know metrics; the check does."""
    text = (SCENARIOS / "first_month.yaml").read_text(encoding="utf-8")
    goal = "{owner: product, goal: All paid., metric: payment_sucess_rate, target: 99%, deadline: 2025-12-01}"
    file = tmp_path / "mine.yaml"
    file.write_text(f"{text}\ngoals:\n  - {goal}\n", encoding="utf-8")
    answer = call("check", file)
    assert answer.code == 2
    assert "did you mean `payment_success_rate`?" in answer.out


def test_cases_are_checked_too(tmp_path, call):
    """Alone, and laid over the lab's own scenario."""
    file = tmp_path / "mine.yaml"
    file.write_text("case: mine\ntitle: t\nmoral: m\ninject: {scenario: {failover: false}}\n", encoding="utf-8")
    answer = call("check", file, SCENARIOS / "first_month.yaml")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    file.write_text("case: mine\ntitle: t\nmorale: m\n", encoding="utf-8")
    answer = call("check", file)
    assert answer.code == 2
    assert f"{file}:3:1  morale is not a known key here." in answer.out
    file.write_text("case: mine\ntitle: t\nmoral: m\ninject: {log: [{kind: lost, market: [GB]}]}\n", encoding="utf-8")
    answer = call("check", file)
    assert answer.code == 2
    assert answer.out.startswith(f"{file}:4:38  GB is no market of the lab's own scenario")


def test_an_estimand_that_nobody_knows_is_told(tmp_path, call):
    """In YAML and in a query, at its line; a query that says nothing may be used all the same."""
    metrics, query = tmp_path / "mine.yaml", tmp_path / "mine.sql"
    metrics.write_text(METRICS.replace("    variants:", "    estimand: payment_sucess\n    variants:"))
    query.write_text(
        "-- direction: up\n-- estimand: payment_sucess\n"
        "SELECT month AS period, count(*) AS numerator, 1 AS denominator\nFROM subscription_months GROUP BY ALL"
    )
    answer = call("check", metrics, query)
    told = "There is no estimand `payment_sucess`; did you mean `payment_success`?"
    assert (answer.code, [line for line in answer.out.splitlines() if not line.startswith(" ")]) == (
        2, [f"{metrics}:6:15  {told}", f"{query}:2:1  {told}"],
    )  # fmt: skip


def test_problems_as_json_and_csv(call, tmp_path):
    """A list of places and remedies for programs; an empty one of what is well. Quietly only the code tells."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    text = (SCENARIOS / "first_month.yaml").read_text()
    good.write_text(text)
    bad.write_text(text.replace("members: 2000", "members: many"))
    answer = call("check", bad, "--format", "json")
    (told,) = json.loads(answer.out)
    assert (answer.code, told["file"], told["line"]) == (2, str(bad), check(bad)[0].line)
    assert set(told) == {"file", "line", "column", "what", "remedy"}
    (line,) = csv.DictReader(call("check", bad, "--format", "csv").out.splitlines())
    assert line == {name: str(value) for name, value in told.items()}
    assert json.loads(call("check", good, "--format", "json").out) == []
    assert call("check", good, "--format", "csv").out == "file,line,column,what,remedy\n"
    quiet = call("check", bad, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (2, "", "")
