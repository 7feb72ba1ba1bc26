"""The set to take for each question: exact endings on small matrices, and the search against trying every set."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_sim.metrics.definition import Definition
from billing_sim.metrics.plain import plain
from billing_sim.stress.case import load_case
from billing_sim.stress.minimal_set import Recommended
from billing_sim.stress.render_set import set_shown
from billing_sim.stress.set_search import Candidate, best_set, bits, sound, unanswered
from tests.stress_builder import SAYS, cell, definition, study


def found_in(folder: Path, said: Mapping[Definition, Mapping[str, str]], logs: Collection[str] = ()) -> Recommended:
    """The set of a study by hand; the cases named in `logs` damage the log and leave the world as it was."""
    made = study(folder, said)
    for it in made.matrix.cases:
        if it.name in logs:
            log = "[{kind: duplicated, events: [payment.captured], share: 5%}]"
            told = f"case: {it.name}\ntitle: Again\nmoral: Count once.\ninject: {{log: {log}}}\n"
            it.path.write_text(told, encoding="utf-8")
    matrix = made.matrix
    matrix.cases = tuple(load_case(it.path) for it in matrix.cases)
    for (name, where), old in matrix.cells.items():
        (case,) = (it for it in matrix.cases if it.name == where)
        verdict = next(verdicts for it, verdicts in said.items() if it.id == name)[where]
        noise = 2000.0 if verdict == "unresolved" else 1.0
        matrix.cells[name, where] = cell(old.definition, case, *SAYS[verdict], noise)
    return made.recommended


def variant(name: str, **more: object) -> Definition:
    """A neighbour of a canonical metric."""
    return definition(name, axis=("maturity",), differs="It waits.", **more)


def freshness(name: str = "freshness", **more: object) -> Definition:
    """A metric of the log itself."""
    return definition(name, "log_timeliness", "risk", **more)


def test_every_verdict_is_earned_by_its_changes(tmp_path):
    """What the builder plants is what is judged, and what may be printed."""
    planted = ("holds", "still", "wrong sign", "blind", "false alarm", "exaggerates", "understates", "unresolved")
    it = definition("a")
    found = study(tmp_path, {it: {f"case_{i}": name for i, name in enumerate(planted)}})
    read = [found["a", f"case_{i}"].name for i in range(len(planted))]
    assert read == ["holds", "holds", *planted[2:]]


def test_each_question_has_its_own_set(tmp_path):
    """One sees only sunshine and one only rain of the same; a third sees both of something else."""
    said = {
        definition("sun"): {"sunshine": "holds", "rain": "unresolved"},
        definition("also_sun"): {"sunshine": "holds", "rain": "unresolved"},
        definition("rain"): {"sunshine": "unresolved", "rain": "holds"},
        definition("money", "pooled_collection"): {"sunshine": "holds", "rain": "still"},
    }
    found = found_in(tmp_path, said)
    assert found.questions == {"payment_success": ("sun", "rain"), "pooled_collection": ("money",)}
    assert found.members == ("sun", "rain", "money")
    assert found.asks == {"sunshine": ("payment_success", "pooled_collection"), "rain": ("payment_success",)}
    assert found.catchers == {"sunshine": ("sun", "money"), "rain": ("rain",)}
    assert {name: it.cases for name, it in found.drops.items()} == {
        "sun": ("sunshine",), "rain": ("rain",), "money": ("sunshine",),
    }  # fmt: skip
    assert (found.answers, found.uncaught, found.unresolved) == ((), {}, {})
    assert found.survives_every_case


def test_who_shows_something_else_catches_nothing(tmp_path):
    """A metric that moves with its own truth says nothing of another that moves too."""
    said = {
        definition("asked"): {"storm": "blind"},
        definition("beside", "pooled_collection"): {"storm": "holds"},
    }
    found = found_in(tmp_path, said)
    assert found.questions == {"payment_success": (), "pooled_collection": ("beside",)}
    assert found.uncaught == {"storm": ("payment_success",)}
    assert not found.survives_every_case


def test_core_metrics_ask_the_questions(tmp_path):
    """What only others claim is no question, nor what a core metric or a variant moves with at most."""
    said = {
        definition("asked", tier="core"): {"storm": "holds"},
        definition("other", "pooled_collection"): {"storm": "holds"},
        definition("along", "members_lost", "core", proxy=True): {"storm": "holds"},
        variant("other@late", estimand="wrongful_loss", tier="core"): {"storm": "holds"},
    }
    assert found_in(tmp_path, said).questions == {"payment_success": ("asked",)}


def test_nobody_has_to_enter_where_nothing_moves(tmp_path):
    """Staying still, and rightly, is no reason to be a member."""
    found = found_in(tmp_path, {definition("asleep"): {"calm": "still"}})
    assert (found.members, found.asks, found.uncaught, found.unresolved) == ((), {}, {}, {})
    assert not found.survives_every_case


def test_who_misleads_is_answered_by_the_same_claim_only(tmp_path):
    """A lie stands unless another member claims the same and holds; a member with another claim does not help."""
    said = {
        definition("loud"): {"fire": "holds", "drill": "false alarm"},
        definition("stranger", "pooled_collection"): {"fire": "holds", "drill": "still"},
        definition("calm"): {"fire": "unresolved", "drill": "still"},
    }
    found = found_in(tmp_path, said)
    assert found.questions["payment_success"] == ("loud", "calm")
    assert [(it.member, it.case, it.verdict, it.by) for it in found.answers] == [
        ("loud", "drill", "false alarm", ("calm",))
    ]
    assert found.drops["calm"].unanswered == (("loud", "drill"),)
    assert found.drops["calm"].cases == ()
    assert found.survives_every_case


def test_a_lie_that_nobody_answers_is_told(tmp_path):
    """The only one that catches the fire is taken, and what it says in the drill counts against the set."""
    found = found_in(tmp_path, {definition("loud"): {"fire": "holds", "drill": "false alarm"}})
    assert found.members == ("loud",)
    assert [(it.member, it.case) for it in found.unanswered] == [("loud", "drill")]
    assert not found.survives_every_case
    headline = next(str(line) for line in set_shown(found, ["fire", "drill"], 80))
    assert headline == "\nRecommended set: one definition survives 1 of 2 cases"
    assert found.failing == {"drill"}
    assert not found.survives_every_case


@pytest.mark.parametrize("proxy", [False, True])
def test_a_guard_answers_where_only_the_log_is_damaged(tmp_path, proxy):
    """It moves as the log's own truth does, so whoever is fooled there is answered, with no second metric."""
    said = {
        definition("metric", tier="core"): {"fire": "holds", "late": "false alarm"},
        definition("dull"): {"fire": "unresolved", "late": "still"},
        freshness(proxy=proxy): {"fire": "still", "late": "holds"},
    }
    found = found_in(tmp_path, said, logs=["late"])
    assert (found.members, found.guards) == (("metric", "freshness"), ("freshness",))
    assert [(it.case, it.by) for it in found.answers] == [("late", ("freshness",))]
    assert found.drops["freshness"].unanswered == (("metric", "late"),)
    assert found.survives_every_case


@pytest.mark.parametrize(
    ("fire", "late", "logs", "members"),
    [
        ("still", "still", ["late"], ("metric",)),
        ("still", "holds", [], ("metric", "dull")),
        ("false alarm", "holds", ["late"], ("metric",)),
    ],
)
def test_who_is_no_guard(tmp_path, fire, late, logs, members):
    """One that stays still, one in a case that changes the world, and one that misleads in such a case itself.

    For a lie about a damaged log nobody of less worth is taken in; for one about the world somebody is.
    """
    said = {
        definition("metric", tier="core"): {"fire": "holds", "late": "false alarm"},
        definition("dull"): {"fire": "unresolved", "late": "still"},
        freshness(): {"fire": fire, "late": late},
    }
    found = found_in(tmp_path, said, logs)
    assert (found.members, found.guards) == (members, ())


def test_a_guard_that_nobody_needs_stays_away(tmp_path):
    """Nobody is fooled where it moves."""
    said = {
        definition("metric", tier="core"): {"fire": "holds", "late": "still"},
        freshness(): {"fire": "still", "late": "holds"},
    }
    assert found_in(tmp_path, said, logs=["late"]).members == ("metric",)


def test_an_unanswered_lie_about_a_damaged_log_fails_no_case(tmp_path):
    """It is told, but no metric of the world can know better."""
    found = found_in(tmp_path, {definition("metric"): {"fire": "holds", "late": "false alarm"}}, logs=["late"])
    assert [it.case for it in found.unanswered] == ["late"]
    assert not found.failing
    assert not found.survives_every_case
    headline = next(str(line) for line in set_shown(found, ["fire", "late"], 80))
    assert headline == "\nRecommended set: one definition survives every case but 1 that nobody answers"


def test_unresolved_is_neither_caught_nor_lost(tmp_path):
    """More seeds may tell; where every definition is accused nobody catches it."""
    said = {
        definition("a"): {"x": "blind", "y": "unresolved", "z": "blind"},
        definition("b"): {"x": "wrong sign", "y": "blind", "z": "unresolved"},
    }
    found = found_in(tmp_path, said)
    assert (found.members, found.catchers, found.drops) == ((), {}, {})
    assert found.uncaught == {"x": ("payment_success",)}
    assert found.unresolved == dict.fromkeys(("y", "z"), ("payment_success",))


def test_a_variant_enters_only_where_it_beats_its_metric(tmp_path):
    """Not for being first, nor for what its metric leaves unresolved; but for what its metric gets wrong."""
    told = {"x": "holds", "y": "holds", "z": "holds"}
    said = {variant("a@late", tier="core"): told, definition("a", tier="risk"): told | {"y": "unresolved"}}
    found = found_in(tmp_path, said)
    assert (found.members, found.unresolved) == (("a",), {"y": ("payment_success",)})
    said = {variant("a@late", tier="core"): told, definition("a", tier="risk"): told | {"y": "blind"}}
    assert found_in(tmp_path, said).members == ("a@late",)


@pytest.mark.parametrize(
    ("first", "second", "chosen"),
    [
        ({"tier": "supporting"}, {"tier": "core"}, "b"),
        ({"tier": "core"}, {"tier": "core"}, "a"),
        ({"tier": "core", "proxy": True}, {"tier": "risk"}, "b"),
    ],
)
def test_of_two_equals_the_one_that_claims_it_then_the_core_one_then_the_first(tmp_path, first, second, chosen):
    """Ties are broken by proxy, tier and the order asked."""
    said = {definition("a", **first): {"x": "holds"}, definition("b", **second): {"x": "holds"}}
    assert found_in(tmp_path, said).members == (chosen,)


def test_those_that_read_the_same_count_once(tmp_path):
    """The first is a member, and the other is named as its twin; one with other readings is none."""
    said = {
        definition("a"): {"x": "holds", "y": "still"},
        definition("b"): {"x": "holds", "y": "still"},
        definition("c"): {"x": "holds", "y": "restless"},
    }
    found = found_in(tmp_path, said)
    assert (found.members, found.twins) == (("a",), {"a": ("b",)})


def test_as_plain_values(tmp_path):
    """What JSON holds."""
    said = {
        definition("loud"): {"fire": "holds", "drill": "blind", "night": "false alarm"},
        definition("calm"): {"fire": "unresolved", "drill": "holds", "night": "restless"},
    }
    assert found_in(tmp_path, said).as_dict() == {
        "members": ["loud", "calm"],
        "survives_every_case": False,
        "questions": {"payment_success": ["loud", "calm"]},
        "guards": [],
        "asks": {"fire": ["payment_success"], "drill": ["payment_success"]},
        "caught_by": {"fire": ["loud"], "drill": ["calm"]},
        "answered": [{"member": "loud", "case": "drill", "verdict": "blind", "by": ["calm"], "changes_world": True}],
        "unanswered": [{"member": "loud", "case": "night", "verdict": "false alarm"}],
        "without": {
            "loud": {"uncaught": ["fire"], "unanswered": []},
            "calm": {"uncaught": ["drill"], "unanswered": [["loud", "drill"]]},
        },
        "uncaught": {},
        "unresolved": {},
        "twins": {},
    }


def test_as_printed(tmp_path):
    """Question by question, then case by case, then what is left."""
    said = {
        definition("metric", tier="core"): {
            "fire": "holds",
            "late": "false alarm",
            "frost": "blind",
            "fog": "unresolved",
        },
        definition("money", "pooled_collection", "core"): dict.fromkeys(("fire", "late", "frost", "fog"), "still"),
        freshness(): {"fire": "still", "late": "holds", "frost": "still", "fog": "still"},
    }
    found = found_in(tmp_path, said, logs=["late"])
    lines = [line for it in set_shown(found, ["fire", "late", "frost", "fog"], 80) for line in plain(it).splitlines()]
    assert [line for line in lines if line] == [
        "Recommended set: 2 definitions together survive 2 of 4 cases",
        "  payment_success    A metric",
        "  pooled_collection  nothing moves it in these cases",
        "  guards of the log  B freshness",
        "  case  caught by",
        "  fire  A",
        "  late  – (A false alarm, believe B)",
        "  frost nobody (A blind, unanswered)",
        "  fog   nobody",
        "  Without A: nobody catches fire.",
        "  Without B: A misleads unanswered in late.",
        "  Nobody catches: payment_success in frost.",
        "  Nobody answers: A in frost (blind).",
        "  Not resolved yet: take more seeds for payment_success in fog.",
    ]


WORLD, GUARDED = 0b00111, 0b01000


@st.composite
def crowds(draw: st.DrawFn) -> list[Candidate]:
    """Up to seven candidates of two claims in five cases, some of which guard."""
    made = []
    for order in range(draw(st.integers(1, 7))):
        holds = draw(st.integers(0, 31))
        catches = holds & draw(st.integers(0, 31))
        misleads = draw(st.integers(0, 31)) & ~holds
        guards = draw(st.sampled_from([0, 0, 0b11000])) & ~misleads
        flags = draw(st.booleans()), draw(st.booleans()), draw(st.integers(0, 2))
        claim = draw(st.sampled_from("aab"))
        made.append(Candidate(f"it_{order}", claim, *flags, order, holds, catches, misleads, guards))
    return made


def is_answered(it: Candidate, c: int, some: Collection[Candidate]) -> bool:
    """Whether one of these puts it right, told by looking at each."""
    return any(by.guards >> c & 1 or (by.estimand == it.estimand and by.holds >> c & 1) for by in some)


def cost(some: tuple[Candidate, ...]) -> tuple[int, int, int, int, int, int, tuple[int, ...]]:
    """By lies about the world, variants, proxies, tiers, other lies, size and order."""
    lies = [c for it in some for c in bits(it.misleads & ~GUARDED) if not is_answered(it, c, some)]
    in_world = sum(WORLD >> c & 1 for c in lies)
    variants, proxies = sum(it.is_variant for it in some), sum(it.is_proxy for it in some)
    tiers, orders = sum(it.tier for it in some), tuple(it.order for it in some)
    return in_world, variants, proxies, tiers, len(lies) - in_world, len(some), orders


def caught(some: Collection[Candidate]) -> set[int]:
    """The cases that somebody catches."""
    return {c for it in some for c in bits(it.catches)}


@given(crowds())
def test_the_search_finds_what_trying_every_set_finds(crowd):
    """Of all sets that catch what the whole crowd catches, the cheapest."""
    every = [some for size in range(len(crowd) + 1) for some in combinations(crowd, size)]
    best = min((some for some in every if caught(some) == caught(crowd)), key=cost)
    assert tuple(best_set(crowd, WORLD, GUARDED)) == best


@given(crowds())
def test_the_largest_sound_set_is_the_largest(crowd):
    """Of all sets in which nobody misleads unanswered about the world."""
    every = [some for size in range(len(crowd) + 1) for some in combinations(crowd, size)]
    clean = [some for some in every if not any(unanswered(it, some) & WORLD for it in some)]
    assert tuple(sound(crowd, WORLD)) == max(clean, key=len)


def test_a_ring_of_neighbours_is_no_trouble():
    """Each catches its own case and the next, so every second one is needed, of two sets the one with the first."""
    size = 30
    pairs = [1 << i | 1 << (i + 1) % size for i in range(size)]
    ring = [Candidate(f"it_{i}", "a", False, False, 1, i, mask, mask, 0) for i, mask in enumerate(pairs)]
    found = best_set(ring, (1 << size) - 1)
    assert [it.order for it in found] == list(range(0, size, 2))
