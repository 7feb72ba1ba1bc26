"""Which lives need not be lived again: proved by living them all."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from billing_sim import clock, declines
from billing_sim.errors import QueryError
from billing_sim.truth import knocking_out
from billing_sim.truth.alternatives import ACTUAL, FRICTIONLESS, Alternatives, alternatives
from billing_sim.truth.declined import MACHINES, MISTAKES
from billing_sim.truth.exposure import PLAYERS, differs_somewhere
from billing_sim.truth.knocking_out import EXPLAINED, WORLDS, Span, causes_in, every_world
from billing_sim.truth.lives import Cohort, Lives, Shelf, live
from billing_sim.truth.losses import first_causes
from billing_sim.truth.study import people_of
from billing_sim.truth.tables import key_of
from billing_sim.truth.totals import MEASURES, measures
from billing_sim.truth.worlds import without
from billing_sim.truth.worth import Worth
from billing_sim.world.announce import announcements
from billing_sim.world.record import POLICIES
from tests.random_worlds import switches
from tests.world_builder import world_of
from tests.world_texts import BUSY

SHARDS = (3, 4)
TEXT = "members: 5000\nissuer_memory: {declines: 2, window: 48 hours}\n"


@cache
def others() -> Alternatives:
    """A busy world in which everything happens, and those to compare with it."""
    return alternatives(world_of(TEXT, BUSY).scenario, "smart")


@cache
def span() -> Span:
    """The span of the run."""
    world, scenario = others().actual, others().actual.scenario
    start, end = int(world.record.start[0]), clock.day_number(world_of(TEXT, BUSY).scenario.end) * clock.DAY
    assert scenario.end > world_of(TEXT, BUSY).scenario.end
    return Span(world, Worth(world, announcements(world)), start, end)


@cache
def cohort() -> Cohort:
    """Everybody of two shards."""
    return people_of(others().actual, SHARDS)[0]


def lived(name: str = ACTUAL) -> Lives:
    """Everybody's lives in one of the worlds."""
    world = others().actual if name == ACTUAL else others().others[name]
    return live(others().actual, world, cohort(), span().worth)


def test_whoever_is_untouched_lives_the_same_life_in_every_world():
    """To the byte: with every policy, without every lever, without outages, without friction, in a perfect world."""
    here = lived()
    same = ~differs_somewhere(here)
    assert 50 < same.sum() < len(cohort()) - 50
    for name in others().others:
        there = lived(name)
        assert there.rows[same[there.person]].tobytes() == here.rows[same[here.person]].tobytes(), name
        assert there.rows.tobytes() != here.rows.tobytes(), name


def test_lives_taken_over_are_those_lived_in_all_64_worlds():
    """Nobody's losses or money differ from what living in every one of the 64 worlds gives."""
    here = lived()
    chosen = differs_somewhere(here)
    found = every_world(span(), here, chosen, Shelf())
    rows = [MEASURES.index(name) for name in EXPLAINED]
    untouched = measures(here, span().start, span().end)[rows][:, ~chosen]
    differing = set()
    for mask in range(WORLDS):
        world = without(span().world, causes_in(mask))
        there = measures(live(span().world, world, cohort(), span().worth), span().start, span().end)[rows]
        assert np.array_equal(there[:, chosen], found[mask]), causes_in(mask)
        assert np.array_equal(there[:, ~chosen], untouched), causes_in(mask)
        differing.add(found[mask].tobytes())
    assert len(differing) > 20, "the worlds are told apart"


DOUBLED = """
timeline:
  - {kind: deploy, at: 2025-02-20, duration: 9 days, gateway: northpay, double_charges: 30%}
"""


@pytest.mark.parametrize("noun", ["doubled", "fraud", "mandates", "refunds"])
def test_skipping_lives_changes_no_figure(noun, monkeypatch):
    """Where a release charges twice, where vouchers and banks answer later, and where payments are disputed."""
    scenario = world_of({"doubled": DOUBLED, **switches()}[noun], BUSY, members=3000).scenario
    worlds = alternatives(scenario)
    start, end = (clock.day_number(day) * clock.DAY for day in (scenario.start, scenario.end))
    its = Span(worlds.actual, Worth(worlds.actual, announcements(worlds.actual)), start, end)
    people = people_of(its.world, range(16))[0]
    here = live(its.world, its.world, people, its.worth)
    same, actual = ~differs_somewhere(here), measures(here, start, end)
    for name, world in worlds.others.items():
        there = measures(live(its.world, world, people, its.worth), start, end)
        assert np.array_equal(there[:, same], actual[:, same]), name
    everybody = np.ones(len(people), bool)
    quick = every_world(its, here, everybody, Shelf())
    monkeypatch.setattr(knocking_out, "touching", lambda lives: np.full(len(lives.cohort), WORLDS - 1))
    assert np.array_equal(quick, every_world(its, here, everybody, Shelf()))


def test_a_policy_for_which_there_is_no_room_is_refused():
    """A scenario may have as many policies as the world's table holds."""
    scenario = world_of(TEXT, BUSY).scenario
    every = {f"p{i}": scenario.dunning_policies["short"] for i in range(POLICIES - len(scenario.dunning_policies))}
    full = scenario.model_copy(update={"dunning_policies": {**scenario.dunning_policies, **every}})
    assert alternatives(full, "p0").others
    with pytest.raises(QueryError, match="has 32 dunning policies, and there is no room for yuno"):
        alternatives(full, "yuno")


@pytest.mark.parametrize("cause", PLAYERS)
def test_every_cause_matters_to_somebody(cause):
    """Otherwise the laws above would say nothing about it."""
    here = lived()
    there = live(span().world, without(span().world, [cause]), cohort(), span().worth)
    assert there.rows.tobytes() != here.rows.tobytes()


def test_a_frictionless_loss_is_never_a_mistake():
    """Its invoice failed first for money, by the person's own wish, or for what was stale when the run began."""
    mistakes = {*MISTAKES, *MACHINES}
    causes = {}
    for name in (ACTUAL, FRICTIONLESS):
        it = lived(name)
        lost = it.losses(span().end)
        causes[name] = set(first_causes(it, key_of(it.spells.person[lost], it.spells.invoice[lost])).tolist())
    assert causes[ACTUAL] & mistakes
    assert causes[FRICTIONLESS].isdisjoint(mistakes)
    assert declines.FUNDS in causes[FRICTIONLESS]
