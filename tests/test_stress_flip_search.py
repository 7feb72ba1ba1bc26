"""Ranking flips: the search and the shrinking on their own, what is written, and one real flip that runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from billing_sim.errors import InputError, QueryError, RunError
from billing_sim.metrics.catalogue import shipped
from billing_sim.scenario import load
from billing_sim.scenario.nodes import plain
from billing_sim.scenario.reader import parse
from billing_sim.stress.case import BASE
from billing_sim.stress.flips import finding
from billing_sim.stress.flips.arena import Arena
from billing_sim.stress.flips.duel import Duel, Side, duel
from billing_sim.stress.flips.finding import Flip, find_flip
from billing_sim.stress.flips.policies import find_policies, under
from billing_sim.stress.flips.searching import search, worlds
from billing_sim.stress.flips.shrinking import shrink
from billing_sim.stress.flips.space import declared, default_policies, turns
from billing_sim.stress.flips.turns import Turn, World, fit_together, overlay_of, size
from billing_sim.stress.flips.writing import text, write
from billing_sim.stress.flips.yaml_text import yaml_text
from billing_sim.stress.readings import Readings
from billing_sim.stress.statistics import Mean
from tests.cli_caller import call
from tests.no_room import no_room

__all__ = ["call"]
FIRST_MONTH = Path(__file__).parent.parent / "scenarios" / "first_month.yaml"
RATE, BY_ATTEMPT = shipped()["payment_success_rate"], shipped()["payment_success_rate@attempt"]
A, B, C = (Turn(name, {name: 1}) for name in "abc")
WIDE = Turn("wide", {"x": {"p": 1, "q": 2}, "y": 3})
POLICIES = """\
never:
  retries: []
  notices: [1 day]
  grace: 5 days
  end: 10 days
often:
  preset: app_store
  end: 50 days
"""


def names(world: World) -> list[str]:
    """The turns of a world."""
    return [it.name for it in world]


# The search, with worlds that are only names.


def test_worlds_come_from_the_simplest_on():
    """The base, single turns by keys, pairs by keys, then all three."""
    assert [names(it) for it in worlds([WIDE, A, B])] == [
        [], ["a"], ["b"], ["wide"], ["a", "b"], ["wide", "a"], ["wide", "b"], ["wide", "a", "b"]
    ]  # fmt: skip


def test_turns_that_set_the_same_key_are_not_laid_over_each_other():
    """The same key, or one above another; neighbours are fine."""
    deep, deeper, beside = Turn("1", {"x": {"p": 1}}), Turn("2", {"x": {"p": {"r": 1}}}), Turn("3", {"x": {"q": 1}})
    assert not fit_together((deep, deeper))
    assert not fit_together((deep, Turn("4", {"x": {"p": 2}})))
    assert fit_together((deep, beside))
    assert [names(it) for it in worlds([deep, deeper, beside])][-2:] == [["1", "3"], ["2", "3"]]


def test_the_first_confirmed_world_is_found():
    """Pairs that are screened but not confirmed are passed over, and worlds tried are counted."""
    found = search(
        worlds([A, B, C]),
        lambda world: ["luck", "real"] if {"b", "c"} <= set(names(world)) else [],
        lambda world, pair: pair == "real",
    )
    assert found.world is not None
    assert (names(found.world), found.pair, found.tried, found.space) == (["b", "c"], "real", 7, 8)


def test_nothing_is_found_where_nothing_is():
    """Every world tried, none found."""
    found = search(worlds([A, B, C]), lambda world: [], lambda world, pair: True)
    assert (found.world, found.pair, found.tried) == (None, None, 8)


def test_when_time_is_over_the_base_was_tried_at_least():
    """A search without time tries one world."""
    found = search(worlds([A, B]), lambda world: ["pair"] if world else [], lambda world, pair: True, lambda: True)
    assert (found.world, found.tried, found.space) == (None, 1, 4)


# Shrinking, with an oracle that only looks at keys.


def test_what_is_not_needed_is_dropped():
    """Of two turns one goes; of the other's three keys only one stays."""
    steps = shrink((A, WIDE), lambda world: "q" in overlay_of(world).get("x", {}), {})
    assert [overlay_of(it) for it in steps] == [
        {"a": 1, "x": {"p": 1, "q": 2}, "y": 3},
        {"x": {"p": 1, "q": 2}, "y": 3},
        {"x": {"q": 2}, "y": 3},
        {"x": {"q": 2}},
    ]


def test_what_stays_is_made_as_mild_as_the_flip_allows():
    """From 90 % towards 10 %: 50 % and 30 % still flip, 20 % does not; not more than three steps are asked for."""
    asked = []

    def holds(world: World) -> bool:
        if not world:
            return False
        asked.append(world[0].overlay["share"])
        return float(world[0].overlay["share"].rstrip("%")) >= 30

    steps = shrink((Turn("more", {"share": "90%"}),), holds, {"share": "10%"})
    assert steps[-1][0].overlay == {"share": "30%"}
    assert asked == ["50%", "30%", "20%"]


def test_shrinking_stops_when_time_is_over():
    """What was found is enough."""
    assert shrink((A, B), lambda world: True, {}, lambda: True) == [(A, B)]


@pytest.mark.parametrize(
    ("turn", "base", "overlay", "events"),
    [
        (Turn("", {"x": {"days": "9 days"}}), {"x": {"days": "1 day"}}, {"x": {"days": "5 days"}}, ()),
        (Turn("", {"hazard": "8% per month"}), {"hazard": "1.5% per month"}, {"hazard": "4.75% per month"}, ()),
        (Turn("", {"n": 3}), {"n": 20}, {"n": 11}, ()),
        (Turn("", {"flag": False, "word": "off"}), {"flag": True, "word": "on"}, {"flag": False, "word": "off"}, ()),
        (Turn("", {"end": "2025-08-18"}), {"end": "2025-09-01"}, {"end": "2025-08-18"}, ()),
        (Turn("", {"share": "4%"}), {}, {"share": "4%"}, ()),
        (
            Turn("", {"method_mix": {"debit": "100%"}}), {"method_mix": {"debit": "30%", "credit": "70%"}},
            {"method_mix": {"debit": "65%", "credit": "35%"}}, (),
        ),
        (
            Turn("", events=({"at": "2025-08-28", "duration": "3 days", "failing": "90%"},)), {},
            {}, ({"at": "2025-08-28", "duration": "1.5 days", "failing": "45%"},),
        ),
    ],
)  # fmt: skip
def test_half_way_to_the_base(turn, base, overlay, events):
    """Numbers of one unit meet in the middle, shares of a whole stay one; words, dates and new keys stay."""
    assert turn.halved(base) == Turn("", overlay, events)


def test_the_size_counts_keys_first():
    """A mix is one key, an event one more, then characters decide."""
    mix = Turn("m", {"markets": {"US": {"behaviour": {"method_mix": {"debit": "60%", "credit": "40%"}}}}})
    assert size((mix,))[0] == 1
    assert size((Turn("e", {"a": 1, "b": 2}, ({"kind": "x"},)), A))[0] == 4
    assert size((Turn("s", {"a": 1}),)) < size((Turn("l", {"a": 100}),))


# The declared space.


def test_every_turn_of_the_space_makes_a_scenario(tmp_path):
    """In the lab's base and in a scenario with one market; names are unique, default policies are presets."""
    for base in (BASE, FIRST_MONTH):
        found = turns(load(base).scenario)
        assert len({it.name for it in found}) == len(found) >= 20
        arena = Arena(base, (RATE, BY_ATTEMPT), find_policies(default_policies(), load(base).scenario))
        for it in found:
            arena._lives(tmp_path, (it,), "generic", ("generic", "yuno"), 50)
    assert len(turns(load(BASE).scenario)) > len(declared()["changes"])


def test_a_market_grows_at_the_others_cost():
    """The shares still add up to 100 %, the others in proportion."""
    found = next(it for it in turns(load(BASE).scenario) if it.name == "one_market_grows_BR")
    shares = {code: int(it["members"].rstrip("%")) for code, it in found.overlay["markets"].items()}
    assert shares["BR"] == 85
    assert sum(shares.values()) == 100
    assert shares["US"] > shares["DE"] > 0


def test_events_come_besides_those_of_the_base():
    """The base's timeline stays, an outage is added; a switch of dunning would undo the policy, and goes."""
    outage = Turn("o", events=({"kind": "gateway_outage"},))
    assert overlay_of((A, outage), [{"kind": "price_change"}]) == {
        "a": 1, "timeline": [{"kind": "price_change"}, {"kind": "gateway_outage"}]
    }  # fmt: skip


def test_a_switch_of_dunning_is_left_out(tmp_path):
    """The file says the rest of the timeline again."""
    path = tmp_path / "switched.yaml"
    path.write_text(
        FIRST_MONTH.read_text()
        + "timeline:\n  - {kind: dunning_switch, at: 2025-02-01, dunning: [{use: smart}]}\n"
        + "  - {kind: signup_surge, at: 2025-02-01, duration: 3 days, increase: 50%}\n"
    )
    arena = Arena(path, (RATE, BY_ATTEMPT), {"generic": None, "yuno": None})
    said = arena.content((), "yuno", ("generic", "yuno"))
    assert [it["kind"] for it in said["timeline"]] == ["signup_surge"]


# Policies.


def test_policies_are_presets_or_files(tmp_path):
    """A file's policies are said in the scenario, presets are known; rules for some methods stay."""
    file = tmp_path / "mine.yaml"
    file.write_text(POLICIES)
    scenario = load(BASE).scenario
    found = find_policies([str(file), "smart"], scenario)
    assert found["smart"] is None
    assert found["often"] == {"preset": "app_store", "end": "50 days"}
    said = under("never", {"never": found["never"], "smart": None}, scenario.dunning)
    assert said["dunning"] == [{"use": "never"}, {"method": ["direct_debit"], "use": "direct_debit"}]
    assert list(said["dunning_policies"]) == ["never"]


def test_policies_that_cannot_be_ranked_are_refused(tmp_path):
    """Unknown, named twice, or alone; and a file with a mistake."""
    scenario = load(BASE).scenario
    with pytest.raises(QueryError, match=r"There is no dunning policy smrt\. Did you mean smart"):
        find_policies(["smrt", "yuno"], scenario)
    with pytest.raises(QueryError, match="The policy yuno is named twice"):
        find_policies(["yuno", "yuno"], scenario)
    with pytest.raises(QueryError, match="takes two: name another besides yuno"):
        find_policies(["yuno"], scenario)
    bad = tmp_path / "bad.yaml"
    bad.write_text(POLICIES.replace("app_store", "app_stor"))
    with pytest.raises(InputError, match="there is no dunning preset app_stor"):
        find_policies([str(bad)], scenario)


# Duels.


def readings(rate: list[float], by_attempt: list[float]) -> Readings:
    """Hand-made readings of both metrics."""
    return Readings(
        {RATE.id: np.array(rate), BY_ATTEMPT.id: np.array(by_attempt)}, {}, {"payment_success": np.array(rate)}
    )


def test_a_flip_needs_both_leads_clear_of_zero():
    """Opposite and sure is a flip; opposite within luck is none, nor is the same order; the order of names matters."""
    high, low = readings([0.97, 0.98, 0.99], [0.80, 0.81, 0.79]), readings([0.95, 0.96, 0.97], [0.90, 0.91, 0.90])
    found = duel(("many", "few"), (RATE, BY_ATTEMPT), (high, low))
    assert [side.lead.value for side in found.sides] == pytest.approx([0.02, -0.31 / 3])
    assert found.truth["payment_success"].value == pytest.approx(0.02)
    assert found.is_flip()
    assert not duel(("few", "many"), (RATE, BY_ATTEMPT), (low, high)).is_flip()
    lucky = readings([0.97, 0.95, 0.975], [0.90, 0.91, 0.90])
    assert not duel(("many", "few"), (RATE, BY_ATTEMPT), (high, lucky)).is_flip()
    assert not duel(("many", "few"), (RATE, RATE), (high, low)).is_flip()


def test_a_policy_without_readings_flips_nothing():
    """Where most worlds have no value there is no ranking."""
    gone = readings([0.9, np.nan, np.nan], [0.99, 0.99, 0.99])
    high = readings([0.97, 0.98, 0.99], [0.80, 0.81, 0.79])
    found = duel(("many", "few"), (RATE, BY_ATTEMPT), (high, gone))
    assert found.sides[0].lead.seeds == 0
    assert not found.is_flip()


# What is written.


def test_yaml_is_read_back_as_it_was():
    """Words that would be read as something else are quoted."""
    content = {
        "extends": "base.yaml", "off": "off", "text": "null", "code": "04", "share": "8% per month", "empty": [],
        "flag": False, "colon": "a: b", "mix": {"plan_mix": {"a": "50%", "b": "50%"}}, "change": "-30%", "dash": "- x",
        "rules": [{"use": "yuno"}, {"method": ["credit"], "use": "smart"}], "retries": ["1 day", "2 days"],
        "percent": "%x", "umlaut": "für",
    }  # fmt: skip
    assert plain(parse(yaml_text(content).encode(), "x.yaml")) == content


def test_a_flip_that_finds_no_room_leaves_nothing(tmp_path, monkeypatch):
    """Neither the scenario nor the base beside it; while it is looked for, a full disk is said as well."""
    arena = Arena(BASE, (RATE, BY_ATTEMPT), find_policies(["smart", "yuno"], load(BASE).scenario))
    flip = Flip(arena, (), Duel(("smart", "yuno"), (Side(RATE, 0.9, 0.8, _lead(0.01)),) * 2, {}), 10, range(3))
    monkeypatch.setattr("billing_sim.stress.flips.writing.text", lambda *_: "x" * 1_000_000)
    with no_room(100_000), pytest.raises(RunError, match=r"cannot write .*flip\.yaml: File too large"):
        write(flip, tmp_path / "flip.yaml")
    assert list(tmp_path.iterdir()) == []
    with no_room(), pytest.raises(RunError, match="cannot write a scenario to try: File too large"):
        arena.readings((), ["smart"], 10, range(2))


@pytest.fixture(scope="module")
def easy(tmp_path_factory):
    """Few against many retries: a rate by attempt likes few, a rate by invoice likes many."""
    folder = tmp_path_factory.mktemp("easy")
    policies, base = folder / "mine.yaml", folder / "small.yaml"
    policies.write_text(POLICIES)
    base.write_text(
        FIRST_MONTH.read_text().replace("members: 2000", "members: 900").replace("2025-03-01", "2025-05-01")
    )
    return folder, find_flip((RATE, BY_ATTEMPT), base, policies=[str(policies)], seeds=5, minutes=0.05)


def _lead(value: float) -> Mean:
    return Mean(value, 0.001, 20)


def _planted(asked: list[tuple[int, int, int]]):
    """Duels of a world in which policies flip as long as trouble makes three in ten cancel."""

    def duels(self, world, pairs, members, seeds):
        asked.append((members, seeds.start, seeds.stop))
        share = overlay_of(world).get("markets", {}).get("US", {}).get("behaviour", {}).get("cancel_in_trouble", "4%")
        other = _lead(-0.01 if float(share.rstrip("%")) >= 30 else 0.01)
        sides = Side(RATE, 0.9, 0.8, _lead(0.01)), Side(BY_ATTEMPT, 0.9, 0.8, other)
        return [Duel(pair, sides, {}) for pair in pairs if pair == ("yuno", "smart")]

    return duels


def test_a_planted_flip_is_found_confirmed_and_made_mild(monkeypatch):
    """60 % cancel in the space, 4 % in the base: half way, 32 %, is the mildest step that still flips.

    Screening, closer looks with shrinking, and confirming each have seeds of their own.
    """
    asked: list[tuple[int, int, int]] = []
    monkeypatch.setattr(Arena, "duels", _planted(asked))
    found = find_flip((RATE, BY_ATTEMPT), FIRST_MONTH, policies=["smart", "yuno"], seeds=20)
    assert found.flip is not None
    assert overlay_of(found.flip.world) == {"markets": {"US": {"behaviour": {"cancel_in_trouble": "32%"}}}}
    assert found.flip.duel.policies == ("yuno", "smart")
    assert set(asked) == {(1000, 1, 13), (2000, 101, 121), (2000, 1001, 1021)}
    assert asked.count((2000, 1001, 1021)) == 2


def test_what_is_not_confirmed_is_not_a_flip(monkeypatch):
    """Opposite wherever the search looks, and never on fresh seeds: luck, and nothing is found."""
    asked: list[tuple[int, int, int]] = []
    planted = _planted(asked)
    monkeypatch.setattr(Arena, "duels", lambda *given: [] if given[-1].start == 1001 else planted(*given))
    monkeypatch.setattr(finding, "worlds", lambda found: worlds(found, 1))
    found = find_flip((RATE, BY_ATTEMPT), FIRST_MONTH, policies=["smart", "yuno"], seeds=20)
    assert found.flip is None
    assert found.tried == found.space > 20


def test_looking_on_makes_confirming_harder(monkeypatch):
    """A lead that passes at 2.5 % is enough the first time, and not the second, at 0.8 %."""
    luck = Mean(0.00216, 0.001, 20)
    sides = Side(RATE, 0.9, 0.8, luck), Side(BY_ATTEMPT, 0.9, 0.8, _lead(-0.01))
    monkeypatch.setattr(Arena, "duels", lambda *given: [Duel(("yuno", "smart"), sides, {})])
    arena = Arena(FIRST_MONTH, (RATE, BY_ATTEMPT), {"yuno": None, "smart": None})
    trial = finding._Trial(arena, 20, 0.0, 1.0, None)
    assert [trial.confirm((), ("yuno", "smart")) for _ in range(2)] == [True, False]


def test_an_easy_flip_is_found_in_the_base(easy):
    """No key is needed, and it is sure on seeds that no search has seen."""
    _, found = easy
    assert found.flip is not None
    assert (found.tried, found.flip.world) == (1, ())
    assert found.flip.duel.policies == ("often", "never")
    one, other = found.flip.duel.sides
    assert one.lead.low > 0 > other.lead.high
    assert found.flip.seeds == range(1001, 1006)


def test_the_written_file_loads_runs_and_says_what_it_shows(easy, call, monkeypatch):
    """Its own numbers come back from the command in its comments."""
    folder, found = easy
    monkeypatch.chdir(folder)
    file = folder / "flip.yaml"
    file.write_text(text(found.flip, "small.yaml", "flip.yaml"))
    assert {"never", "often"} <= set(load(file).scenario.dunning_policies)
    assert load(file).scenario.dunning[0].use == "often"
    assert max(len(line) for line in file.read_text().splitlines() if not line.startswith("#     ")) <= 80
    assert call("run", "flip.yaml", "--out", "run", "--quiet", "--members", "50").code == 0
    (command,) = [line.split()[2:] for line in file.read_text().splitlines() if "billing-sim flip" in line]
    answer = call(*command, "--minutes", "0.05")
    assert answer.code == 0
    numbers = [line for line in file.read_text().splitlines() if line.startswith("#   lead ")]
    assert len(numbers) == 3
    assert [line for line in answer.out.splitlines() if line.startswith("#   lead ")] == numbers


def test_when_none_is_found_the_exit_code_says_so(call, tmp_path):
    """Two policies that are the same rank alike everywhere; how many worlds were tried is told."""
    file, base = tmp_path / "same.yaml", tmp_path / "tiny.yaml"
    one, _, _ = POLICIES.partition("often")
    file.write_text(one + one.replace("never", "nowise"))
    base.write_text(FIRST_MONTH.read_text().replace("members: 2000", "members: 60"))
    answer = call(
        "flip", RATE.id, BY_ATTEMPT.id, "--policies", file, "--scenario", base, "--seeds", 2, "--minutes", 0.05
    )
    assert answer.code == 1
    assert answer.out == ""
    assert answer.err.startswith("No ranking flip in ")
    assert "--minutes" in answer.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["payment_success_rate", "payment_success_rate"], "are the same formula"),
        (["payment_success_rate", "payment_sucess"], "payment_success"),
        (["payment_success_rate", "soft_decline_share"], "ranks nothing"),
        (["payment_success_rate", "involuntary_churn", "--out", "flip.txt"], "let it end in .yaml"),
        (["payment_success_rate", "involuntary_churn", "--out", str(FIRST_MONTH)], "is there already"),
        (["payment_success_rate", "involuntary_churn", "--out", "nowhere/flip.yaml"], "there is no folder nowhere"),
        (["payment_success_rate", "involuntary_churn", "--scenario", "nowhere.yaml"], "There is no such file."),
        (["payment_success_rate", "involuntary_churn", "--policies", "yuno"], "takes two"),
    ],
)
def test_bad_input_is_read_aloud(call, arguments, words):
    """Before anything is simulated, in plain words."""
    answer = call("flip", *arguments)
    assert answer.code == 2
    assert words in answer.err
