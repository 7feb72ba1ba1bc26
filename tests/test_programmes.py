"""Dispute programmes: counted as the metrics count, judged by thresholds that are data."""

from __future__ import annotations

import csv
import json
from datetime import date
from decimal import Decimal

import pytest

import billing_sim
from billing_sim.errors import InputError, QueryError
from billing_sim.programmes import read_programmes, render, shipped_programmes, standings
from billing_sim.programmes.programme import Threshold
from billing_sim.programmes.standing import COLUMNS, Standing, _judged, _state
from tests.cli_caller import call
from tests.conftest import SCENARIOS

__all__ = ["call"]

WORLD = """\
extends: first_month.yaml
name: disputed
end: 2025-07-15
members: 1500
market_defaults: {behaviour: {card_networks: {visa: 60%, mastercard: 40%}}}
disputes: {friendly_fraud: 1.2%, service: 0.4%, fraud: 0.6%}
"""
OURS = """\
programmes:
  ours:
    title: What our acquirer writes to us about
    network: visa
    cases: disputes
    over: same_month
    excessive:
      - {ratio: 0.5%, cases: 5}
      - {since: 2025-05-01, ratio: 90%, cases: 5}
    leaves_after: 2
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Half a year in which cards have networks and some charges are disputed."""
    folder = tmp_path_factory.mktemp("programmes")
    (folder / "first_month.yaml").write_text((SCENARIOS / "first_month.yaml").read_text())
    (folder / "disputed.yaml").write_text(WORLD)
    return billing_sim.run(folder / "disputed.yaml", out=folder / "run")


@pytest.fixture
def ours(tmp_path):
    """A file of programmes of one's own."""
    (tmp_path / "ours.yaml").write_text(OURS)
    return tmp_path / "ours.yaml"


@pytest.mark.parametrize("name", ["visa_vamp", "mastercard_ecm"])
def test_cases_and_payments_are_those_of_the_metric(run, name):
    """The same months, numerators and denominators as the variant of the dispute rate, which is another computation."""
    rows = run.metric(f"dispute_rate@{name}", by="month")
    wanted = {str(row["month"])[:7]: (row["numerator"], row["denominator"]) for _, row in rows.iterrows()}
    found = {f"{it.month:%Y-%m}": (it.cases, it.payments) for it in run.programmes().months[name]}
    assert len(found) >= 5
    assert found == {month: wanted[month] for month in found}
    assert "2025-07" not in found  # it is not whole


def test_shipped_programmes_have_the_published_thresholds():
    """2.2 %, from April 2026 on 1.5 %, and 1,500 cases; 1.5 % and 100 cases, over after three months."""
    vamp, ecm = (shipped_programmes()[name] for name in ("visa_vamp", "mastercard_ecm"))
    assert [(vamp.threshold(day).ratio, vamp.threshold(day).cases) for day in (date(2026, 3, 1), date(2026, 4, 1))] == [
        (Decimal("0.022"), 1500), (Decimal("0.015"), 1500),
    ]  # fmt: skip
    assert (ecm.threshold(date(2025, 1, 1)).ratio, ecm.excessive[0].cases, ecm.leaves_after) == (
        Decimal("0.015"),
        100,
        3,
    )
    assert all(it.source for it in (vamp, ecm))


def test_ones_own_thresholds_hold_from_their_day_on(run, ours):
    """Half a per cent is reached in every month; from May on it takes 90 %, and two months until it is over."""
    states = {f"{it.month:%Y-%m}": it.state for it in run.programmes(ours).months["ours"]}
    assert states["2025-03"] == states["2025-04"] == "excessive"
    assert (states["2025-05"], states["2025-06"]) == ("leaving", "below")
    assert run.programmes(ours).excessive["ours"][-1] == date(2025, 4, 1)


def test_a_small_scenario_stands_for_a_large_service(run):
    """The ratio is the same; the number of cases is reached once each stands for a thousand."""
    one, many = (run.programmes(scale=scale).months["visa_vamp"] for scale in (1, 1000))
    assert [it.ratio for it in one] == [it.ratio for it in many]
    assert "excessive" not in {it.state for it in one}
    few = [it.month for it in one if it.state == "few cases"]
    assert few == [it.month for it in many if it.state == "excessive"] != []


def test_edges():
    """A ratio that is just reached counts, as does a number; without payments there is no ratio."""
    threshold = shipped_programmes()["mastercard_ecm"].excessive[0]
    assert _state(15, 1000, 100, threshold) == "excessive"
    assert _state(15, 1000, 99, threshold) == "few cases"
    assert _state(14, 1000, 10_000, threshold) == "below"
    assert _state(3, 0, 3, threshold) == "undefined"
    assert _state(500, 1000, 500, None) == "below"


def test_a_programme_is_left_after_so_many_months():
    """Three that are not excessive in a row, whatever else they are; one that is begins the count anew."""
    programme = shipped_programmes()["mastercard_ecm"]
    states = ["below", "excessive", "below", "few cases", "excessive", "below", "below", "below", "below"]
    months = [Standing(date(2025, 1 + i, 1), 0, 1, 0, None, state) for i, state in enumerate(states)]
    assert [it.state for it in _judged(programme, months)] == [
        "below", "excessive", "leaving", "leaving", "excessive", "leaving", "leaving", "below", "below",
    ]  # fmt: skip


def test_without_networks_nothing_can_be_said(tiny_run):
    """And a scale below one is none."""
    with pytest.raises(QueryError, match="does not say of which networks"):
        tiny_run.programmes()
    with pytest.raises(QueryError, match="scale is 0"):
        tiny_run.programmes(scale=0)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("network: visa", "network: vsia", "4:14"),
        ("ratio: 0.5%", "ratio: 150%", "8:17"),
        ("cases: disputes", "casess: disputes", "5:5"),
        ("leaves_after: 2", "leaves_after: 0", "10:19"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(call, ours, old, new, told):
    """As in every other file, by `check` too."""
    ours.write_text(OURS.replace(old, new))
    with pytest.raises(InputError) as refused:
        read_programmes(ours)
    assert any(f"{it.line}:{it.column}" == told for it in refused.value.problems)
    answer = call("check", ours)
    assert (answer.code, f"{ours}:{told}" in answer.out) == (2, True)


def test_the_command_tells_it_in_every_form(call, run, ours):
    """A table of 80 columns, JSON by programme, a line per month; exit 1 when asked."""
    table = call("programmes", run.directory, "--programmes", ours)
    assert table.code == 0
    assert max(map(len, table.out.splitlines())) <= 80
    assert "Disputes of Visa cards by the month" in table.out
    told = json.loads(call("programmes", run.directory, "--scale", 10, "--format", "json").out)
    assert (told["scale"], [*told["programmes"]]) == (10, ["visa_vamp", "mastercard_ecm"])
    lines = list(csv.DictReader(call("programmes", run.directory, "--format", "csv").out.splitlines()))
    assert [*lines[0]] == [*COLUMNS]
    assert [line["cases"] for line in lines] == [
        str(it["cases"]) for each in told["programmes"].values() for it in each["months"]
    ]
    assert call("programmes", run.directory, "--programmes", ours, "--fail-on-excessive").code == 1
    assert call("programmes", run.directory, "--fail-on-excessive").code == 0


def test_the_last_of_two_thresholds_of_one_day_holds():
    """As the description says; the first used to."""
    programme = shipped_programmes()["mastercard_ecm"]
    twice = programme.model_copy(
        update={"excessive": [programme.excessive[0], programme.excessive[0].model_copy(update={"cases": 7})]}
    )
    assert twice.threshold(date(2025, 1, 1)).cases == 7


def test_a_run_without_a_whole_month_is_told_so(tmp_path):
    """An empty table would look like a clean one."""
    text = WORLD.replace("end: 2025-07-15", "start: 2025-01-03\nend: 2025-01-30").replace(
        "members: 1500", "members: 50"
    )
    (tmp_path / "first_month.yaml").write_text((SCENARIOS / "first_month.yaml").read_text())
    (tmp_path / "short.yaml").write_text(text)
    with pytest.raises(QueryError, match="whole calendar months, and the run has none"):
        billing_sim.run(tmp_path / "short.yaml", out=tmp_path / "run").programmes()


def test_what_a_file_says_cannot_harm_a_terminal(run, ours):
    """Line ends, escapes and long titles; a network that no card is of."""
    ours.write_text(
        OURS.replace("network: visa", "network: other").replace(
            "title: What our acquirer writes to us about", 'title: "a\\nb\\e[31m ' + "long " * 40 + '"'
        )
    )
    text = repr(run.programmes(ours))
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert "No payment with such a card" in text


@pytest.mark.parametrize("width", [30, 45, 60])
def test_a_narrow_terminal_keeps_ratio_and_state(run, width):
    """Limits and payments give way first."""
    text = render.text(run.programmes(), width)
    assert max(map(len, text.splitlines())) <= width
    assert " %" in text


def test_what_else_is_wrong_does_not_make_a_file_a_scenario(call, ours):
    """One bad number, and it was taken for a scenario without markets."""
    ours.write_text(OURS.replace("ratio: 0.5%", "ratio: .nan"))
    told = call("check", ours).out
    assert "8:" in told
    assert "markets" not in told


def test_a_month_without_its_base_leaves_no_trace(tmp_path):
    """Begun late in January, February would be held against a few days' payments, and March be told as leaving."""
    (tmp_path / "first_month.yaml").write_text((SCENARIOS / "first_month.yaml").read_text())
    text = WORLD.replace("end: 2025-07-15", "start: 2025-01-30\nend: 2025-07-15")
    (tmp_path / "late.yaml").write_text(text)
    programme = shipped_programmes()["mastercard_ecm"].model_copy(
        update={"excessive": [Threshold.model_validate({"ratio": "2%", "cases": 1})]}
    )
    run = billing_sim.run(tmp_path / "late.yaml", out=tmp_path / "run")
    found = standings(run.known_at(None), {"ecm": programme}).months["ecm"]
    assert [it.month for it in found][:2] == [date(2025, 3, 1), date(2025, 4, 1)]
    by_hand = [it.cases / it.payments >= 0.02 for it in found]
    assert found[0].state == ("excessive" if by_hand[0] else "below")
