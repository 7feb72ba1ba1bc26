"""What assumptions are worth: both ends on the same people, told and drawn."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import billing_sim
from billing_sim.calibration.fitting.moments import value_of
from billing_sim.calibration.fitting.parameters import read_like
from billing_sim.calibration.fitting.targets import Target
from billing_sim.calibration.sensitivity.asking import HEADLINES
from billing_sim.calibration.sensitivity.levers import LEVERS
from billing_sim.calibration.sensitivity.tornado import data_of, description_of
from billing_sim.calibration.worlds import ground, live
from billing_sim.errors import QueryError, RunError
from billing_sim.metrics.catalogue import shipped
from tests.cli_caller import call
from tests.no_room import no_room

__all__ = ["call"]
ROOT = Path(__file__).parent.parent
STREAMING = ROOT / "scenarios" / "streaming.yaml"
FIRST_MONTH = ROOT / "scenarios" / "first_month.yaml"
CHURN = "regions.UCAN.voluntary_churn=0.5%..5%"


@pytest.fixture(scope="module")
def worth():
    """All shipped assumptions in a small streaming world."""
    return billing_sim.sensitivity(STREAMING, members=300, seeds=1)


def test_every_assumption_that_matters_is_tried(worth):
    """Mandates, partners, churn without an anchor, the recovery profile, and what hides behind 05."""
    names = [it.name for it in LEVERS]
    assert [word in " ".join(names) for word in ("e-mandate", "partners", "LATAM and APAC", "recovery", "05")] == [
        True
    ] * 5
    assert worth.misfits == {}
    assert {(it.lever.name, it.definition.id) for it in worth.swings} == {(a, b) for a in names for b in HEADLINES}
    assert all(it.why for it in LEVERS)


def test_a_swing_is_the_difference_on_the_same_people():
    """Lived again by hand, seed by seed, and set off against the base."""
    found = billing_sim.sensitivity(FIRST_MONTH, parameters=CHURN, metrics="voluntary_churn", members=800, seeds=2)
    (swing,) = found.swings
    on = ground(FIRST_MONTH, members=800)
    target = Target(shipped()["voluntary_churn"], {}, 0.0, 1.0)
    for end, rate in ((swing.low, "0.5% per month"), (swing.high, "5% per month")):
        changes = []
        for seed in found.seeds:
            there = live(on.scenario({"regions": {"UCAN": {"voluntary_churn": rate}}, "seed": seed}))
            changes.append(100 * (value_of(there, target) - value_of(live(on.scenario({"seed": seed})), target)))
        assert end.values == pytest.approx(changes)
    assert swing.low.mean < 0 < swing.high.mean
    assert found.assumed == {"regions.UCAN.voluntary_churn": "1.36% per month"}
    data = data_of(found)
    assert list(data["least"]) == pytest.approx([swing.low.low, swing.high.low])
    assert list(data["most"]) == pytest.approx([swing.low.high, swing.high.high])


def test_what_hides_behind_a_code_moves_nobody(worth):
    """No shipped policy tells 05 from 51, so not one life changes."""
    hidden = [it for it in worth.swings if "05" in it.lever.name]
    assert len(hidden) == len(HEADLINES)
    assert not any(any(it.low.values) or any(it.high.values) for it in hidden)
    assert "nothing" in repr(worth)


def test_partners_get_half_or_twice_their_share():
    """In every market, while the other methods keep their proportions."""
    lever = next(it for it in LEVERS if "partners" in it.name)
    on = ground(STREAMING)
    before = on.scenario().markets["FR"].behaviour.method_mix
    halved, doubled = (
        on.scenario(change(on)).markets["FR"].behaviour.method_mix for change in (lever.lowered, lever.raised)
    )
    assert float(halved["carrier_partner"]) == pytest.approx(float(before["carrier_partner"]) / 2)
    assert float(doubled["carrier_partner"]) == pytest.approx(2 * float(before["carrier_partner"]))
    assert float(halved["debit"] / halved["credit"]) == pytest.approx(
        float(before["debit"] / before["credit"]), rel=1e-5
    )


def test_the_recovery_profile_holds_all_year():
    """The scenario's own switch of policies is left out, everything else on its timeline stays."""
    lever = next(it for it in LEVERS if "recovery" in it.name)
    on = ground(STREAMING)
    lowered = on.scenario(lever.lowered(on))
    assert lowered.dunning[0].use == "generic"
    kinds = [it.kind for it in on.scenario().timeline]
    assert [it.kind for it in lowered.timeline] == [kind for kind in kinds if kind != "dunning_switch"]
    assert "dunning_switch" in kinds


def test_a_lever_that_does_not_fit_is_said():
    """A service without mandates in APAC has none to fail; one in the US alone is untouched by LATAM's churn."""
    found = billing_sim.sensitivity(FIRST_MONTH, metrics="voluntary_churn", members=200, seeds=1)
    by_name = {it.lever.name: it for it in found.swings}
    assert found.assumed["e-mandate failure, APAC"] == "not there"
    assert by_name["voluntary churn, LATAM and APAC"].low.values == (0.0,)


def test_the_picture_and_its_data(worth, tmp_path):
    """A line per metric, assumption and end; every ending writes a file of its kind."""
    data = data_of(worth)
    assert len(data) == 2 * len(worth.swings)
    assert np.isclose(data["change"].abs().max(), max(max(abs(it.low.mean), abs(it.high.mean)) for it in worth.swings))
    worth.save(tmp_path / "it.svg")
    drawn = (tmp_path / "it.svg").read_text(encoding="utf-8")
    assert all(it.lever.name in drawn for it in worth.swings)
    assert all(it.title in drawn for it in worth.definitions)
    worth.save(tmp_path / "it.png")
    before = {it: it.read_bytes() for it in tmp_path.iterdir()}
    with no_room(1000), pytest.raises(RunError, match=r"cannot write .*it\.svg: File too large"):
        worth.save(tmp_path / "it.svg")
    assert {it: it.read_bytes() for it in tmp_path.iterdir()} == before
    assert (tmp_path / "it.png").read_bytes().startswith(b"\x89PNG")
    assert "Widest bars by metric" in description_of(worth)
    with pytest.raises(QueryError, match=r"\.svg"):
        worth.save(tmp_path / "it.pdf")


def test_the_table_says_the_same(worth):
    """In each form."""
    rows = worth.to_json()["swings"]
    assert len(rows) == len(worth.swings) == len(worth.table()) == len(worth.to_csv().splitlines()) - 1
    assert rows[0]["change_low"] == pytest.approx(worth.swings[0].low.mean / 100)
    assert read_like(rows[0]["base"]) == pytest.approx(0.30)


def test_the_command_writes_the_picture(call, tmp_path):
    """And refuses a name that is no picture's before it simulates anything."""
    answer = call("sensitivity", FIRST_MONTH, "--parameter", CHURN, "--metric", "voluntary_churn", "--members", 200,
                  "--seeds", 1, "--out", tmp_path / "it.html", "-q")  # fmt: skip
    assert answer.code == 0
    assert "regions.UCAN.voluntary_churn" in answer.out
    assert "<html" in (tmp_path / "it.html").read_text(encoding="utf-8").lower()
    answer = call("sensitivity", FIRST_MONTH, "--out", tmp_path / "it.pdf")
    assert answer.code == 2
    assert "is no picture" in answer.err
    answer = call("sensitivity", FIRST_MONTH, "--parameter", "goals=1..2", "-q")
    assert answer.code == 2


def test_bounds_that_do_not_fit_are_refused(call):
    """As a fit refuses them: attention has an upper limit in the scenario itself."""
    answer = call("sensitivity", FIRST_MONTH, "--parameter", "regions.UCAN.attention=5%..20%", "--members", 200, "-q")
    assert answer.code == 2
    assert "attention_on_hold" in answer.err
    assert "Narrow the bounds" in answer.err


def test_the_example_of_the_guide_tries_something(call):
    """Every example there names bounds that fit."""
    guide = (ROOT / "docs" / "guides" / "fitting_to_your_own_figures.md").read_text(encoding="utf-8")
    line = next(it for it in guide.splitlines() if it.startswith("billing-sim sensitivity") and "--parameter" in it)
    words = [word if word != "scenarios/first_month.yaml" else FIRST_MONTH for word in shlex.split(line)[1:]]
    answer = call(*words, "--members", 300, "--seeds", 1, "-q")
    assert answer.code == 0
    assert "not tried" not in answer.out
    assert "one seed, so no intervals" in answer.out
    assert max(map(len, answer.out.splitlines())) <= 80


def test_nothing_to_draw_is_said_after_the_result(call, tmp_path, monkeypatch):
    """With shipped assumptions that do not fit, in every form."""
    lever = replace(LEVERS[0], lowered=lambda _: {"members": -1})
    monkeypatch.setattr("billing_sim.calibration.sensitivity.asking.LEVERS", (lever,))
    basic = ("sensitivity", FIRST_MONTH, "--metric", "voluntary_churn", "--members", 100, "--seeds", 1, "-q")
    answer = call(*basic, "--out", tmp_path / "it.svg")
    assert answer.code == 2
    assert "Nothing was tried" in answer.out
    assert "is not drawn" in answer.err
    assert not (tmp_path / "it.svg").exists()
    answer = call(*basic, "--format", "csv")
    assert answer.code == 0
    assert "not tried" in answer.err


def test_the_plain_values_have_one_unit():
    """The base of a share and its change are both fractions."""
    found = billing_sim.sensitivity(FIRST_MONTH, parameters=CHURN, metrics="voluntary_churn", members=300, seeds=1)
    told = found.to_json()
    (row,) = told["swings"]
    there = live(ground(FIRST_MONTH, members=300).scenario({"regions": {"UCAN": {"voluntary_churn": "5% per month"}}}))
    value = value_of(there, Target(shipped()["voluntary_churn"], {}, 0.0, 1.0))
    assert told["base"]["voluntary_churn"] + row["change_high"] == pytest.approx(value)
    assert row["unit"] == "share"
