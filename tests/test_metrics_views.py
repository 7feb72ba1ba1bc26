"""The four views as people and programs read them."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from billing_sim.errors import QueryError
from billing_sim.metrics import render, words
from billing_sim.metrics.catalogue import Catalogue, shipped
from billing_sim.metrics.definition import VIEWS
from billing_sim.metrics.result import Figure
from billing_sim.metrics.views import Views, views
from billing_sim.report.standing import row_of
from tests.facts_builder import HandMade, build, invoice
from tests.test_metrics_numbers import facts


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    return facts(tmp_path_factory.mktemp("views"))


@pytest.fixture(scope="module")
def made(source: HandMade) -> Views:
    return views(source)


def test_json_holds_every_view_and_nothing_else(made):
    """{view: {metric: {...}}}, numbers as numbers, undefined as null with its reason."""
    content = json.loads(json.dumps(made.to_json(), allow_nan=False))
    assert tuple(content) == VIEWS
    for metrics in content.values():
        assert sum(it["value"] is not None and it["denominator"] is not None for it in metrics.values()) >= 5
        for it in metrics.values():
            assert it["question"].endswith("?")
            assert it["tier"] in ("core", "supporting", "risk")
            assert len(it["definition"]) == 64
            assert (it["value"] is None) == (it["reason"] is not None)
            assert "slices" not in it
    rate = content["finance"]["recovery_rate"]
    assert (rate["value"], rate["numerator"], rate["denominator"]) == (61 / 151, 61_000_000, 151_000_000)
    assert content["finance"]["billed"]["currency"] == "USD"


def test_views_are_looked_through_by_the_names_of_metrics(made):
    """In their order, each once; what is no name is told in words."""
    names = list(made)
    assert names == list(dict.fromkeys(it.id for results in made.results.values() for it in results))
    assert [made[name].id for name in names] == names
    assert names[0] in made
    assert "nothing" not in made
    assert 5 not in made
    for wrong in (5, None, ("churn",)):
        with pytest.raises(QueryError, match="is no metric: write the name of one in quotes"):
            made[wrong]
        with pytest.raises(QueryError, match="is no metric: write the name of one in quotes"):
            made.sql(wrong)


def test_a_metric_of_two_stakeholders_is_in_both_views(made):
    """Subscribers and support both want to know how soon a failure is mended."""
    content = made.to_json()
    assert content["support"]["self_fix_rate"] == content["subscribers"]["self_fix_rate"]


def test_slices_are_under_each_metric(source):
    """Dimensions, value, sums, units, immature units; one group of subscribers gives no interval."""
    content = views(source, by=["market"]).to_json()
    slices = content["product"]["payment_success_rate@renewal"]["slices"]
    shown = ("value", "numerator", "denominator", "units", "immature", "coverage", "standard_error", "partial")
    assert [[part["dims"], *(part[name] for name in shown)] for part in slices] == [
        [{"market": "BR"}, 1 / 3, 1, 3, 3, 2, 3 / 5, None, False],
        [{"market": "US"}, 1.0, 4, 4, 4, 3, 4 / 7, None, False],
    ]


def test_csv_has_a_line_for_every_number(source):
    """Totals leave the dimensions empty, slices fill them in."""
    rows = list(csv.DictReader(io.StringIO(views(source, by=["market"]).to_csv())))
    billed = [(row["market"], row["value"], row["unit"], row["partial"]) for row in rows if row["metric"] == "billed"]
    assert billed == [("", "508.0", "money", ""), ("BR", "310.0", "money", "False"), ("US", "198.0", "money", "False")]
    undefined = next(row for row in rows if row["metric"] == "worst_market_gap")
    assert (undefined["value"], undefined["reason"]) == ("", "fewer than two markets have 100 units or more")


def test_goals_of_the_scenario_win(tmp_path):
    """The scenario may say it in its own words; the mission is the scenario's."""
    source = HandMade(build(tmp_path).path, goals=({"owner": "support", "goal": "Let us sleep."},))
    made = views(source)
    assert made.mission == "Nobody is lost through payment."
    assert made.goals["support"] == "Let us sleep."
    assert made.goals["finance"] == "Every earned unit of money is collected, kept and explained."


@pytest.mark.parametrize("width", [80, 100, 140])
def test_everything_fits_the_terminal(source, width):
    """No line is longer than the terminal is wide, whatever is asked."""
    for by in ([], ["market"], ["market", "month"]):
        text = render.text(views(source, by=by), width)
        assert max(map(len, text.splitlines())) <= width
        assert "\x1b" not in text
        assert "…" not in text


def test_an_uneven_interval_is_told_by_both_sides(made):
    """Half of its width would contradict its ends; where there is no room, the longer side is told."""
    share, count = made["recovery_rate"], made["billed"]
    assert words.sides(share.definition, replace(share, value=0.5, low=0.41, high=0.6)) == "10.00"
    assert words.sides(share.definition, replace(share, value=0.5, low=0.45, high=0.6)) == "-5.00 +10.00"
    uneven = replace(count, value=6064, low=6064, high=7088)
    assert words.sides(count.definition, uneven) == "0 +1,024"
    assert words.sides(count.definition, replace(uneven, low=None)) == ""
    table = replace(made, results={"finance": (uneven,)})
    assert "0 +1,024" in render.text(table, 80)
    assert "0 +" not in render.text(table, 36)
    assert "1,024" in render.text(table, 36)


def test_a_value_that_breaks_its_bound_is_not_told_as_equal_to_it(made):
    """As many digits as it takes; one that keeps it has two."""
    it = made["retry_cap_compliance"]
    assert it.definition.bound == 1
    assert words.measured(replace(it, value=37_536 / 37_537)) == "99.997 %"
    assert words.measured(replace(it, value=0.98)) == "98.00 %"
    assert words.measured(replace(it, value=1.0)) == "100.00 %"


def _numbers(text: str) -> set[str]:
    """The numbers of tables, without those that say what is left out."""
    return set(re.findall(r"\d[\d,.]*\d", re.sub(r"Left out.*?[.;)] ", "", " ".join(text.split()))))


@pytest.mark.parametrize("width", [24, 36, 45, 58, 70])
def test_a_narrow_terminal_shows_whole_numbers_or_none(source, width):
    """Columns give way instead, and every metric keeps its name."""
    for by in ([], ["market", "month"]):
        made = views(source, by=by)
        text = render.text(made, width)
        assert _numbers(text) - _numbers(render.text(made, 140)) == set()
        assert max(map(len, text.splitlines())) <= width
        assert all(result.id in "".join(text.split()) for results in made.results.values() for result in results)


def test_what_gives_way_is_named_with_the_width_that_it_wants(made):
    """One column less and it is left out; from that width on it is there."""
    finance = made.only("finance")
    said = re.search(r"Left out: change \(shown from (\d+) columns on\)", " ".join(render.text(finance, 50).split()))
    wanted = int(said[1])
    assert "Left out" not in render.text(finance, wanted)
    assert "Left out: change" in render.text(finance, wanted - 1)


def test_more_appears_when_there_is_room(made):
    """At 80 columns what a number is made of stands below it; from 130 on the questions are there too."""
    assert "question" not in render.text(made, 80)
    assert "\n  6 / 9\n" in render.text(made, 80)
    assert "numerator / denominator" in render.text(made, 100)
    assert "How many invoices were paid in the end?" in render.text(made, 140)


def test_a_view_reads_from_mission_to_numbers(made):
    """Mission, goal, then value with unit, what it is made of, immature units, undefined with its reason."""
    lines = [" ".join(line.split()) for line in render.text(made, 160).splitlines()]
    assert lines[0] == "Mission Nobody is lost through payment."
    assert 'FINANCE "Every earned unit of money is collected, kept and explained."' in lines
    rate = next(line for line in lines if line.startswith("recovery_rate ↑ 40.40 %"))
    assert rate.endswith("61.00 / 151.00 How much of the money that failed at first did come in?")
    assert any(line.startswith("payment_success_rate ↑ 66.67 %") for line in lines)
    assert "~ 3 immature" in lines
    assert any(line.startswith("worst_market_gap ↓ undefined (fewer than two") for line in lines)
    assert any(line.startswith("retry_cap_compliance ↑ 93.33 % !") for line in lines)
    assert lines.count("What happened: nothing beyond chance from one month to the next.") == 4


def test_the_change_is_that_of_the_last_settled_months(tmp_path):
    """June is not settled; May against April is what can be told, and its error is that of the paired difference."""
    rows = []
    for month, paid in (("03", 90), ("04", 80), ("05", 40)):
        for number in range(100):
            status = {"status": "paid"} if number < paid else {"status": "uncollectible", "paid_at": None}
            rows.append(invoice(f"2025-{month}-02", 10, subscriber=number, group=number % 64, **status))
    rows.append(invoice("2025-06-20", 10))
    made = views(build(tmp_path, invoices=rows))
    content = made.to_json()["product"]["payment_success_rate"]["change"]
    assert (content["from"], content["to"]) == ("2025-04", "2025-05")
    assert (content["before"], content["after"]) == (0.8, 0.4)
    assert content["value"] == pytest.approx(-0.4)
    assert 0.03 < content["standard_error"] < 0.07
    assert "-40.00 pp May" in render.text(made, 80)


def test_what_is_left_out_is_named(tmp_path):
    """Thirty markets and thirteen metrics do not fit 80 columns: the largest stay, and the rest is counted."""
    rows = [invoice("2025-02-01", 10, market=f"M{i:02d}") for i in range(30) for _ in range(i + 1)]
    text = render.text(views(build(tmp_path, invoices=rows), by=["market"]), 80)
    assert "Left out here: 6 of 30 slices and 10 of 14 metrics; JSON and CSV hold them all." in text
    assert "M29" in text
    assert "M05" not in text


def test_colour_is_for_terminals_only(made):
    """Printed to a file it is plain text; on a terminal it may be coloured."""
    plain, colourful = io.StringIO(), io.StringIO()
    render.show(made, Console(file=plain, width=100))
    render.show(made, Console(file=colourful, width=100, force_terminal=True, color_system="standard"))
    assert "\x1b" not in plain.getvalue()
    assert "\x1b[" in colourful.getvalue()
    assert str(made).splitlines() == [line.rstrip() for line in plain.getvalue().splitlines()]


def test_an_unknown_metric_is_suggested(made):
    """Asking for the SQL of a metric that is not there is met with the likely one."""
    with pytest.raises(QueryError, match=r"did you mean `billed`?"):
        made.sql("biled")


def test_a_catalogue_of_ones_own_shows_its_view_only(source):
    """One metric, one view."""
    made = views(source, catalogue=Catalogue((shipped()["billed"],), {}))
    assert list(made.to_json()) == ["finance"]


@pytest.mark.parametrize(
    ("metric", "value", "shown"),
    [
        ("recovery_rate", 0.98765, "98.77 %"),
        ("billed", 12_345_678.9, "12.35M USD"),
        ("billed", 999.5, "999.50 USD"),
        ("members", 1_234_567, "1,234,567"),
        ("members", 98_765_432, "98.77M"),
        ("time_to_recover_p50", 76.5, "3.2 days"),
        ("time_to_recover_p50", 7, "7 hours"),
        ("gateway_latency_p99", 950.5, "950 ms"),
        ("holds_per_1000_renewals", 8.123, "8.12 ‰"),
        ("worst_market_gap", 4.2, "4.20 pp"),
        ("recovery_rate", None, "–"),
    ],
)
def test_numbers_read_as_people_write_them(metric, value, shown):
    """Units, thousands and millions."""
    definition = shipped()[metric]
    currency = "USD" if definition.unit == "money" else ""
    assert words.value(definition, Figure(value, 0, 0, 0), currency) == shown


@pytest.mark.parametrize(
    ("metric", "value", "half", "shown"),
    [
        ("time_to_recover_p50", 119, 19, "0.79 d"),
        ("time_to_recover_p50", 47, 60, "60 h"),
        ("time_to_recover_p50", 47, 0.25, "0.25 h"),
        ("time_to_recover_p50", 72, 60, "2.5 d"),
        ("time_to_recover_p50", -72, 6, "0.25 d"),
        ("time_to_recover_p50", None, 6, "6 h"),
        ("gateway_latency_p99", 12_000, 900, "0.90 s"),
        ("gateway_latency_p99", 950, 12_000, "12,000 ms"),
        ("recovery_rate", 0.9, 0.0123, "1.23"),
        ("billed", 12_345_678.9, 45_000, "45,000"),
        ("time_to_recover_p50", 119, None, ""),
    ],
)
def test_half_an_interval_is_told_in_the_unit_of_the_value_beside_it(metric, value, half, shown):
    """5.0 days with 19 beside it would read as 19 days, where hours are meant."""
    assert words.half(shipped()[metric], half, value) == shown


@pytest.mark.parametrize(
    ("metric", "change", "shown"),
    [
        ("time_to_recover_p50", 1, "+1 h"),
        ("time_to_recover_p50", -60, "-2.5 d"),
        ("gateway_latency_p99", -1536, "-1,536 ms"),
        ("gateway_latency_p99", 12_000, "+12.0 s"),
        ("gateway_latency_p99", 0, "0 ms"),
        ("recovery_rate", 0.0123, "+1.23 pp"),
        ("members", -4, "-4"),
    ],
)
def test_a_difference_says_its_sign_and_unit(metric, change, shown):
    """Also a time: milliseconds as well as hours."""
    assert words.signed(shipped()[metric], change) == shown


def test_what_stands_beside_a_time_is_in_its_unit(source):
    """In the table and in the report alike."""
    found = views(source, catalogue=Catalogue((shipped()["time_to_recover_p50"],), {})).results.values()
    late = replace(next(iter(found))[0], value=119.0, low=100.0, high=138.0)
    assert [render._value(late).plain, render._sides(late).plain] == ["5.0 days", "0.79 d"]
    row = row_of(late)
    assert [row.value, row.half] == ["5.0 days", "± 0.79 d"]


def test_the_views_can_be_read_without_pandas(tmp_path: Path):
    """The command line answers fast because it never loads what it does not need."""
    import subprocess
    import sys

    build(tmp_path, invoices=[invoice("2025-02-01", 10)])
    script = (
        "import sys; from pathlib import Path; import billing_sim.metrics.views, billing_sim.metrics.render;"
        "print(sorted({'pandas', 'numba', 'faker', 'simpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
