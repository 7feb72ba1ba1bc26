"""`billing-sim stress` and `billing_sim.stress`: what is asked, what is refused, and what is printed."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from rich.console import Group

import billing_sim
from billing_sim.errors import BillingSimError, InputError, QueryError
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.plain import plain
from billing_sim.stress import batch, lab
from billing_sim.stress.alarms import Alarms
from billing_sim.stress.asking import VERDICTS, cases_meant, definitions_meant, in_place_of_shipped, verdicts_meant
from billing_sim.stress.case import BASE, find_cases, load_case, shipped_cases
from billing_sim.stress.case_schema import json_schema
from billing_sim.stress.cells import Cell
from billing_sim.stress.lab import Matrix
from billing_sim.stress.readings import Readings
from billing_sim.stress.render import GRAVITY, relative, study_shown
from billing_sim.stress.render_criteria import criteria_shown
from billing_sim.stress.study import RELATIVE, Study
from billing_sim.stress.verdicts import ADVERSE
from billing_sim.truth.estimands import estimands
from tests.cli_caller import call, in_a_process
from tests.conftest import SCENARIOS
from tests.stress_builder import SEEDS, definition, study

__all__ = ["call"]
CASES = ("goodhart_cut_retries", "lost_captures", "right_censored_dunning")
OWN = """\
view: finance
metrics:
  - like: payment_success_rate
    id: my_success
    title: Success as we count it
"""
SQL = """\
-- direction: up
SELECT date_trunc('month', issued_at) AS period, count_if(status = 'paid') AS numerator, count(*) AS denominator
FROM invoices GROUP BY ALL
"""
SMALL = ("--members", "300", "--seeds", "6", *(word for name in CASES for word in ("--case", name)))
CELL = {
    "type": "object",
    "required": ["verdict", "metric_change", "truth_change", "intervals", "split", "p", "seeds"],
    "properties": {
        "verdict": {"enum": list(VERDICTS)},
        "metric_change": {"type": ["number", "null"]},
        "truth_change": {"type": ["number", "null"]},
        "intervals": {"type": "object", "required": ["metric", "truth", "ratio"]},
        "split": {"type": ["object", "null"], "required": ["censoring", "sampling", "definition", "error"]},
        "p": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "seeds": {"type": "integer", "minimum": 0},
    },
}
SCHEMA = {
    "type": "object",
    "required": ["definitions", "recommended", "misfits"],
    "properties": {
        "definitions": {"additionalProperties": {"type": "object", "additionalProperties": CELL}},
        "recommended": {"type": "object", "required": ["members", "caught_by", "without", "uncaught"]},
        "misfits": {"additionalProperties": {"type": "string"}},
    },
}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A file with a metric of one's own."""
    path = tmp_path / "own.yaml"
    path.write_text(OWN, encoding="utf-8")
    return path


# One small world, really lived.


def test_a_real_run_end_to_end(call, own, tmp_path):
    """JSON that scripts can rely on, the page beside it, and an exit code for a false alarm."""
    page = tmp_path / "card.html"
    asked = ("payment_success_rate@attempt", own, *SMALL)
    answer = call("stress", *asked, "--format", "json", "--html", page, "--fail-on", "false alarm", "--quiet")
    found = json.loads(answer.out)
    Draft202012Validator(SCHEMA).validate(found)
    assert {name: list(cases) for name, cases in found["definitions"].items()} == {
        "payment_success_rate@attempt": [*CASES], "my_success": [*CASES],
    }  # fmt: skip
    damaged = [cases["lost_captures"] for cases in found["definitions"].values()]
    assert [cell["truth_change"] for cell in damaged] == [0.0, 0.0]
    assert {cell["seeds"] for cases in found["definitions"].values() for cell in cases.values()} == {6}
    wrong = found["definitions"]["payment_success_rate@attempt"]["goodhart_cut_retries"]
    assert wrong["metric_change"] > 0 > wrong["truth_change"]
    assert found["definitions"]["my_success"]["goodhart_cut_retries"]["verdict"] == "holds"
    assert found["definitions"]["my_success"]["lost_captures"]["verdict"] == "false alarm"
    assert answer.code == 1
    assert "my_success: false alarm in lost_captures" in answer.err
    assert f"The report card is {page}." in answer.err
    assert "my_success" in page.read_text(encoding="utf-8")


def test_python_and_tables_say_the_same(call, own):
    """The same study from Python, as a table, as CSV and on the terminal."""
    found = billing_sim.stress([own, "payment_success_rate@attempt"], cases=CASES, members=300, seeds=6)
    assert found["my_success", "lost_captures"].name == "false alarm"
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [(row["definition"], row["case"], row["verdict"]) for row in rows] == [
        (*key, verdict.name) for key, verdict in found.verdicts.items()
    ]
    assert list(found.table().columns) == list(rows[0])
    for row, (key, verdict) in zip(rows, found.verdicts.items(), strict=True):
        assert float(row["metric_change"]) == verdict.metric.value
        cell = found.matrix.cells[key]
        assert cell.is_same_unit
        assert cell.split is not None, "also of a query, also where it holds"
        parts = sum(float(row[name]) for name in ("censoring", "sampling", "definition_error"))
        assert math.isclose(parts, cell.split.error)
    assert "  lost_captures (false alarm)" in repr(found).splitlines()
    answer = call("stress", own, "payment_success_rate@attempt", *SMALL, "--format", "csv", "--fail-on", "blind")
    assert (answer.code, answer.out, answer.err) == (0, found.to_csv(), "")


@pytest.mark.parametrize(("seeds", "asked", "looks"), [(None, (20, 80), 3), (7, (7, 7), 1)])
def test_a_fixed_number_of_seeds_is_looked_at_once(monkeypatch, seeds, asked, looks):
    """Without one, verdicts may be looked at with 20, 40 and 80 seeds, and that is counted."""
    told = []

    def record(definitions, cases, on, *, seeds, most, report):
        told.append((seeds, most))
        return Matrix(tuple(definitions), tuple(cases), seeds=seeds)

    monkeypatch.setattr(lab, "stress", record)
    found = billing_sim.stress("billed", cases="late_events", seeds=seeds)
    assert (told, found.looks) == ([asked], looks)


def test_the_first_p_counts_every_look(tmp_path):
    """Three possible looks make a claim three times as easily luck, so fewer accusations are printed."""
    said = {definition("a"): {"x": (0.0006, 0.0)}}
    once = study(tmp_path, said)
    verdict = once.matrix.cells["a", "x"].verdict
    assert verdict.p is not None
    assert once["a", "x"].name == "false alarm"
    flat = Study(once.matrix, once.scenario, looks=10**30)
    assert (flat["a", "x"].name, flat["a", "x"].was) == ("unresolved", "false alarm")


# What is asked.


def test_the_package_is_called_like_what_it_does():
    """Whatever was imported first, `billing_sim.stress` can be called and holds its modules."""
    assert callable(billing_sim.stress)
    assert isinstance(sys.modules["billing_sim.stress"], ModuleType)
    assert billing_sim.stress is sys.modules["billing_sim.stress"]


def test_which_definitions_are_meant(own):
    """None: all; a name: it and its variants; an id with @: that one; a file: all in it; each once."""
    assert definitions_meant() == tuple(shipped())
    family = [it.id for it in shipped() if it.name == "payment_success_rate"]
    assert [it.id for it in definitions_meant("payment_success_rate")] == family
    assert len(family) > 5
    found = definitions_meant([str(own), "payment_success_rate@attempt", "payment_success_rate@attempt", own])
    assert [it.id for it in found] == ["my_success", "payment_success_rate@attempt"]
    assert definitions_meant(definition("a")) == (definition("a"),)


def test_a_file_takes_the_place_of_a_shipped_metric(tmp_path):
    """Its definition is meant, also when the metric is named besides."""
    path = tmp_path / "mine.yaml"
    path.write_text(OWN.replace("my_success", "billed").replace("payment_success_rate", "churn"), encoding="utf-8")
    found = definitions_meant(["billed", path])
    assert {it.id for it in found} == {it.id for it in shipped() if it.name == "billed"}
    assert next(it for it in found if it.id == "billed").title == "Success as we count it"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["paymnt_success_rate"], "There is no metric `paymnt_success_rate`; did you mean `payment_success_rate`?"),
        (["payment_success_rate@atempt"], "did you mean `payment_success_rate@attempt`?"),
        (
            ["billed", "--case", "goodhart_cut_retrys"],
            "There is no case `goodhart_cut_retrys`; did you mean `goodhart_cut_retries`?",
        ),
        (["billed", "--fail-on", "wrong-sign"], "There is no verdict `wrong-sign`; did you mean `wrong sign`?"),
        (["billed", "--cases", "nowhere"], "there is no folder nowhere"),
        (["billed", "--cases", "."], ". holds no cases"),
        (["billed", "--html", "nowhere/card.html"], "nowhere/card.html: there is no folder nowhere"),
        (["billed", "--html", "."], "cannot write the report card .: it is a folder"),
        (["nothing.yaml"], "There is no such file."),
        (["billed", "--scenario", "nothing.yaml"], "There is no such file."),
        (["billed", "--seeds", "1"], "--seeds"),
        (["billed", "--seeds", "1001"], "--seeds"),
    ],
)
def test_bad_input_is_read_aloud(call, tmp_path, monkeypatch, args, told):
    """In plain words, before anything is simulated."""
    monkeypatch.chdir(tmp_path)
    answer = call("stress", *args)
    assert (answer.code, answer.out) == (2, "")
    assert told in answer.err
    assert "Traceback" not in answer.err


def test_a_query_says_what_it_measures_or_is_refused(call, tmp_path):
    """Without an estimand there is no truth to set it against."""
    path = tmp_path / "mine.sql"
    path.write_text(SQL, encoding="utf-8")
    answer = call("stress", path)
    assert answer.code == 2
    assert "mine does not say what it measures" in answer.err
    assert "`-- estimand: payment_success`" in answer.err
    path.write_text(f"-- about: mine\n-- estimand: payment_sucess\n{SQL}", encoding="utf-8")
    answer = call("stress", path)
    assert answer.code == 2
    assert answer.err.startswith(f"{path}:2:1  There is no estimand `payment_sucess`; did you mean `payment_success`?")
    path.write_text(f"-- estimand: payment_success\n{SQL}", encoding="utf-8")
    assert definitions_meant(path)[0].estimand == "payment_success"


def test_an_unknown_estimand_of_a_file_is_told_at_its_line(own):
    """With the likely one; one that was made in Python has no line."""
    own.write_text(f"{OWN}    estimand: payment_sucess\n", encoding="utf-8")
    with pytest.raises(InputError, match="did you mean `payment_success`") as caught:
        definitions_meant(own)
    assert [(it.line, it.column) for it in caught.value.problems] == [(6, 15)]
    with pytest.raises(QueryError, match=r"^a: There is no estimand `sucess`"):
        billing_sim.stress(definition("a", estimand="sucess"), cases="late_events")


def test_a_case_that_was_asked_for_has_to_fit(call, tmp_path):
    """Named or one's own: refused at its place. Shipped ones that nobody named are listed, but not when none fits."""
    first_month = ("--scenario", SCENARIOS / "first_month.yaml", "--members", "50", "--seeds", "2")
    injected = "{log: [{kind: lost, gateway: [nobodys]}]}"
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"case: mine\ntitle: t\nmoral: m\ninject: {injected}\n", encoding="utf-8")
    for named in (("--case", mine), ("--cases", tmp_path), ("--cases", tmp_path, "--case", "mine")):
        answer = call("stress", "billed", *named, *first_month)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith(f"{mine}:4:39  nobodys is no gateway of this scenario")
    answer = call("stress", "billed", "--case", "market_mix_shift", *first_month)
    assert answer.code == 2
    assert "market_mix_shift.yaml:" in answer.err


def test_nothing_tried_is_no_answer(monkeypatch, tmp_path):
    """When no case fits, it is said why."""
    tried = study(tmp_path, {definition("a"): {"x": "holds"}}).matrix
    tried.misfits.update({case.name: "there is no market XX" for case in shipped_cases()})
    monkeypatch.setattr(lab, "stress", lambda *_args, **_more: tried)
    with pytest.raises(QueryError, match=r"nothing was tried: none of \d+ cases fits .*there is no market XX"):
        billing_sim.stress("billed")


def test_what_takes_the_place_of_a_shipped_one_is_told(tmp_path):
    """Metrics and cases; what is merely besides is not."""
    other = OWN.replace("my_success", "billed").replace("payment_success_rate", "churn")
    (tmp_path / "mine.yml").write_text(other, encoding="utf-8")
    for name in ("late_events", "besides"):
        (tmp_path / f"{name}.yaml").write_text(f"case: {name}\ntitle: t\nmoral: m\n", encoding="utf-8")
    told = list(in_place_of_shipped(definitions_meant(tmp_path / "mine.yml"), cases_meant((), tmp_path)))
    assert told == [
        "billed: yours takes the place of the shipped metric.",
        f"late_events: {tmp_path / 'late_events.yaml'} takes the place of the shipped case.",
    ]


def test_every_mistake_of_a_file_is_told(tmp_path):
    """All of them at once, each at its place."""
    path = tmp_path / "wrong.yaml"
    path.write_text(
        "view: finance\nmetrics:\n  - id: a\n    like: no_such\n  - id: b\n    like: nor_this\n", encoding="utf-8"
    )
    with pytest.raises(InputError) as caught:
        definitions_meant(path)
    assert [problem.line for problem in caught.value.problems] == [4, 6]


def test_seeds_have_bounds_in_python_too():
    """As on the command line."""
    with pytest.raises(QueryError, match="take 2 to 1,000"):
        billing_sim.stress("billed", seeds=1001)
    with pytest.raises(QueryError, match="seeds='4' is no whole number"):
        billing_sim.stress("billed", seeds="4")
    with pytest.raises(QueryError, match="members is 0; name a whole number above 0"):
        billing_sim.stress("billed", members=0)


def test_a_cell_that_was_not_tried(tmp_path):
    """The likely name is suggested, of the definition first."""
    found = study(tmp_path, {definition("alpha"): {"sunshine": "holds"}})
    with pytest.raises(QueryError, match="no metric `alpa`; did you mean `alpha`"):
        _ = found["alpa", "sunshine"]
    with pytest.raises(QueryError, match="no case `sunshin`; did you mean `sunshine`"):
        _ = found["alpha", "sunshin"]
    with pytest.raises(QueryError, match="name a definition and a case"):
        _ = found["alpha@sunshine"]


def test_verdicts_by_name():
    """Every one of the table of rules, and each accusation has its gravity."""
    assert verdicts_meant(["blind", "unresolved"]) == ("blind", "unresolved")
    assert set(VERDICTS) == {*ADVERSE, "holds", "unresolved"}
    assert sorted(GRAVITY) == sorted(ADVERSE)


def test_the_schema_of_cases_is_printed(call):
    """For editors."""
    answer = call("schema", "case")
    assert (answer.code, json.loads(answer.out)) == (0, json_schema())


# What is shown.


def advice(found: Study, *, has_page: bool = False) -> list[str]:
    """The lines below `What to do`."""
    lines = plain(study_shown(found, has_page=has_page)).splitlines()
    start = lines.index("What to do") + 1
    return lines[start : lines.index("", start)]


def test_one_definition_case_by_case(tmp_path):
    """The gravest first, with both changes; the moral below what misleads, the reason below what is open."""
    said = {definition("a"): {"calm": "still", "rain": "wrong sign", "fog": "unresolved", "snow": "blind"}}
    lines = plain(study_shown(study(tmp_path, said, rain={"moral": "Take an umbrella."}))).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("case"))
    assert lines[first : first + 8] == [
        "case verdict             metric          truth",
        "rain wrong sign        +2.00 pp       -2.00 pp",
        "  Take an umbrella.",
        "snow blind                 0 pp       +2.00 pp",
        "  Look twice.",
        "fog  unresolved        +3.00 pp       +2.00 pp",
        "  the ratio of both changes may be in or out of its bounds",
        "calm holds                 0 pp           0 pp",
    ]
    assert "  Wrong sign: reward nobody for it; it is bettered by doing harm (rain)." in lines


def test_both_directions_of_a_wrong_sign_are_told_apart(tmp_path):
    """Harm that betters it, and good that worsens it."""
    lines = advice(study(tmp_path, {definition("a"): {"rain": "wrong sign", "sun": (-0.02, 0.02)}}))
    assert lines[:2] == [
        "  Wrong sign: reward nobody for it; it is bettered by doing harm (rain).",
        "  Wrong sign: reward nobody for it; it is worsened by doing good (sun).",
    ]


def test_nothing_to_do_and_a_page_that_is_there(tmp_path):
    """What holds everywhere needs nothing; whoever has the page is not told of it."""
    found = study(tmp_path, {definition("a"): {"calm": "still"}})
    assert advice(found) == [
        "  Nothing: it holds in every case that was tried.", "  `--html FILE` shows every seed of every case.",
    ]  # fmt: skip
    assert advice(found, has_page=True) == ["  Nothing: it holds in every case that was tried."]


def test_a_case_of_ones_own_without_injection_is_only_looked_at(tmp_path):
    """Its line says so, in case something was forgotten; shipped ones mean it."""
    found = study(tmp_path, {definition("a"): {"calm": "still"}})
    (tmp_path / "calm.yaml").write_text("case: calm\ntitle: t\nmoral: m\n", encoding="utf-8")
    bare = load_case(tmp_path / "calm.yaml")
    cell = found.matrix.cells["a", "calm"]
    found.matrix.cells["a", "calm"] = replace(cell, case=bare)
    lines = plain(study_shown(found)).splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("calm holds"))
    assert lines[at + 1] == "  Nothing is injected: only looking"


def test_more_seeds_are_promised_where_they_are_to_be_had(tmp_path):
    """After a fixed number: without --seeds; with more definitions than may have them: fewer definitions."""
    few = {definition("a"): {"fog": "unresolved"}}
    assert "without --seeds up to 80 seeds are taken, 20 at first." in " ".join(advice(study(tmp_path, few)))
    many = {definition(f"a{n}"): {"fog": "unresolved"} for n in range(41)}
    told = " ".join(line.strip() for line in advice(study(tmp_path, many)))
    assert "for 40 definitions or fewer, without --seeds up to 80 seeds are taken" in told


def test_no_seeds_are_promised_where_a_metric_has_no_value(tmp_path):
    """Whoever counts what no world has stays without a value with any number of seeds."""
    it, other = definition("a"), definition("b")
    found = study(tmp_path, {it: {"fog": "unresolved", "rain": "unresolved"}, other: {"fog": "holds", "rain": "holds"}})
    base, world = found.matrix.cells["a", "fog"].base, found.matrix.cells["a", "fog"].world
    nothing = Readings({"a": np.full(SEEDS, np.nan)}, world.complete, world.truth)
    found.matrix.cells["a", "fog"] = Cell(it, found.matrix.cells["a", "fog"].case, base, nothing)
    told = " ".join(line.strip() for line in advice(found))
    assert "1 of 4 unresolved: without --seeds up to 80 seeds are taken, 20 at first." in told
    assert "1 of 4 without a value in too many worlds: more seeds will not tell;" in told


def test_criteria_count_cases_and_say_why_a_number_is_not_there(tmp_path):
    """Cases behind a share; no case of mix; alarms that were asked for although nothing holds."""
    said = {definition("a"): {"x": "holds", "y": "blind", "z": "false alarm"}}
    found = study(tmp_path, said)
    lines = [line.split(maxsplit=2) for line in plain(Group(*criteria_shown(found))).splitlines()]
    assert ["directionality", "1", "of 2  cases that move the truth, moved the same way"] in lines
    assert ["false", "alarms", "1 of 1  cases that do not, moved all the same"] in lines
    assert ["mix", "exposure", "–  no case that shifts the mix was tried"] in lines
    assert ["detection", "lag", "–  median after the oracle's alarm; --alarms tells"] in lines
    asked = plain(Group(*criteria_shown(replace(found, alarms=Alarms())))).splitlines()
    assert [line.split(maxsplit=2)[2] for line in asked if "detection lag" in line] == ["–  no dated case holds"]
    (market,) = list(found.scenario.markets)[:1]
    alone = found.scenario.model_copy(update={"markets": {market: found.scenario.markets[market]}})
    lonely = plain(Group(*criteria_shown(replace(found, scenario=alone)))).splitlines()
    assert lonely[-2].split(maxsplit=2)[2] == "–  there is only one market"


def test_a_page_with_a_path_is_not_printed(tmp_path):
    """The path comes back, so that a notebook shows a line."""
    found = study(tmp_path, {definition("a"): {"calm": "still"}})
    assert found.report_card(tmp_path / "card.html") == tmp_path / "card.html"
    assert found.report_card() == (tmp_path / "card.html").read_text(encoding="utf-8")
    with pytest.raises(BillingSimError, match="there is no folder"):
        found.report_card(tmp_path / "nowhere" / "card.html")
    assert not (tmp_path / "nowhere").exists()


def test_relative_changes_are_not_taken_for_points(tmp_path):
    """A change in another unit than the truth is a share of its own level, and says so; the truth stays in points."""
    said = {definition("a", unit="count"): {"rain": (0.02, 0.02)}}
    found = study(tmp_path, said)
    assert "rain holds         +4.00 % rel.       +2.00 pp" in plain(study_shown(found)).splitlines()
    told = found.to_json()["definitions"]["a"]["rain"]
    assert (told["metric_change_in"], told["truth_change_in"]) == (RELATIVE, "share")
    assert [relative(it) for it in (0.0, 1e-9, -0.5, 12.0, math.nan)] == [
        "0 % rel.", "0 % rel.", "-50.00 % rel.", "+1,200.00 % rel.", "–",
    ]  # fmt: skip


def test_several_definitions_in_short(tmp_path):
    """How often each verdict, the worst cases by name, the set to take, and what fails without each member."""
    said = {
        definition("loud"): {"calm": "false alarm", "rain": "holds", "snow": "wrong sign"},
        definition("shy"): {"calm": "still", "rain": "unresolved", "snow": "holds"},
    }
    lines = plain(study_shown(study(tmp_path, said))).splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("definition "))
    assert lines[start : start + 4] == [
        "definition holds wrong false     ?",
        "loud           1     1     1     ·",
        "  snow (wrong sign), calm (false alarm)",
        "shy            2     ·     ·     1",
    ]
    assert "Recommended set: 2 definitions together survive every case" in lines
    start = lines.index("  case caught by")
    assert lines[start + 1 : start + 4] == [
        "  calm – (A false alarm, believe B)", "  rain A", "  snow B (A wrong sign, believe B)",
    ]  # fmt: skip
    assert "  Reward nobody for a definition with a wrong sign: loud (1)." in lines
    assert "  Without A: nobody catches rain." in lines
    assert "  Without B: nobody catches snow; A misleads unanswered in calm, snow." in lines


def test_what_is_shown_fits_eighty_columns(tmp_path):
    """However long the names are."""
    long = "success_of_all_payments_by_attempt_as_we_have_counted_it_for_ever_and_ever"
    said = {definition(long): {"x": "holds", "a_case_with_quite_a_long_name": "blind"}, definition("b"): {"x": "blind"}}
    for some in (said, {definition("b"): {"a_case_with_quite_a_long_name": "false alarm"}}):
        assert max(map(len, plain(study_shown(study(tmp_path, some))).splitlines())) <= 80


def test_nothing_fits(tmp_path):
    """A study without a cell is told as such, and every form can be printed."""
    empty = study(tmp_path, {definition("a"): {"x": "holds"}})
    empty.matrix.cells.clear()
    empty.matrix.misfits["x"] = "there is no market XX"
    found = Study(empty.matrix, empty.scenario)
    lines = plain(study_shown(found)).splitlines()
    assert "  x: there is no market XX" in lines
    assert not any(line.endswith(" .") for line in lines)
    assert found.to_json()["definitions"] == {"a": {}}
    assert found.to_csv().count("\n") == 1
    assert '"cells":[[]]' in found.report_card()


def test_its_helpers_end_without_a_word():
    """What a process leaves behind when it ends is nobody's business, and stderr is for people."""
    answer = in_a_process("stress", "payment_success_rate", "--members", "300", "--seeds", "3", "--quiet", "--format",
                          "json", *(word for name in CASES for word in ("--case", name)))  # fmt: skip
    assert (answer.code, answer.err) == (0, "")


@pytest.mark.parametrize("few", [True, False])
def test_the_error_of_a_query_is_split_where_few_are_asked(monkeypatch: pytest.MonkeyPatch, few: bool):
    """Of many, only where a verdict is adverse: a query of complete data takes as long as one of the reading."""
    if not few:
        monkeypatch.setattr(batch, "FEW", 0)
    on = lab.bench(members=250, seed=77 + few)
    it = shipped()["net_revenue_retention"]
    (cell,) = lab.stress([it], cases_meant(["more_retries"]), on, seeds=3, most=3).cells.values()
    assert it.sql
    assert cell.is_same_unit
    assert not cell.verdict.is_adverse
    assert (cell.split is not None) == few


def test_criteria_of_long_names_fit_a_terminal():
    """A name that leaves no room for its columns stands on a line of its own."""
    names = [name for name in (it.id for it in shipped()) if name.startswith("first_contact_resolution")]
    assert max(map(len, names)) > 36
    found = billing_sim.stress(names, cases=["ticket_truncation"], members=200, seeds=2, criteria=True)
    lines = plain(Group(*criteria_shown(found))).splitlines()
    assert max(map(len, lines)) <= 80
    first = lines[: next(i for i, line in enumerate(lines) if line.startswith("  Right way"))]
    assert [line.strip() for line in first if line.strip() in names] == [it for it in names if len(it) > 35]


def test_how_late_an_alarm_may_come_is_said(monkeypatch: pytest.MonkeyPatch):
    """Seven days unless somebody says otherwise, from Python and from the command line."""
    told = []

    def noted(*_: object, allowed: float, **_more: object) -> Alarms:
        told.append(allowed)
        return Alarms()

    monkeypatch.setattr("billing_sim.stress.study.with_alarms", noted)
    asked = {"cases": ["price_rise"], "members": 100, "seeds": 2, "alarms": True}
    billing_sim.stress("churn@netflix", **asked)
    billing_sim.stress("churn@netflix", **asked, late_after=2.5)
    assert told == [7, 2.5]
    with pytest.raises(QueryError, match="late_after is 400; take 0 to 365 days"):
        billing_sim.stress("churn@netflix", **asked, late_after=400)


def test_more_seeds_than_a_bundle_holds_are_lived_in_turn():
    """Seventy at once: the first sixty-four say what they say alone, and the others follow."""
    few, many = (
        billing_sim.stress("payment_success_rate@attempt", cases=["gateway_outage"], members=100, seeds=seeds)
        for seeds in (64, 70)
    )
    one, other = (it.matrix.cells["payment_success_rate@attempt", "gateway_outage"] for it in (few, many))
    name = "payment_success_rate@attempt"
    assert len(other.world.reading[name]) == len(other.base.reading[name]) == 70
    assert np.array_equal(other.world.reading[name][:64], one.world.reading[name])
    assert np.array_equal(other.base.truth["payment_success"][:64], one.base.truth["payment_success"])
    assert many[name, "gateway_outage"].seeds == 70


@pytest.fixture(scope="module")
def tiny():
    """The lab's own scenario with sixty members."""
    return lab.bench(BASE, members=60)


@pytest.mark.parametrize("estimand", list(dict.fromkeys(it.estimand for it in shipped() if it.estimand in estimands())))
def test_each_truth_can_be_told_alone(estimand, tiny):
    """What one definition asks for has all that it needs, though nobody else asks: `billed` alone once failed."""
    alone = next(it for it in shipped() if it.estimand == estimand)
    case = find_cases(["gateway_outage"])[0]
    found = lab.stress([alone], [case], tiny, seeds=2, most=2)
    assert found.cells[alone.id, case.name].world.truth[estimand].shape == (2,)
