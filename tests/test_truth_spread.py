"""What friction costs those whom it does not touch: direct, spillover and total, where people share a desk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import billing_sim
from billing_sim import events
from billing_sim.drivers import by_tape, coupled
from billing_sim.identity import world_of
from billing_sim.truth import worlds
from billing_sim.truth.totals import Sum
from tests.world_builder import behaviour
from tests.world_texts import LIFECYCLE, QUIET
from tests.world_texts_support import desk

CROWDED = (
    desk(agents=1, hours="[9, 17]", cancels="60%", again="80%")
    .replace("phone: 8 min", "phone: 50 min")
    + LIFECYCLE.replace("lifecycle: 100%, funds: 0%", "lifecycle: 60%, funds: 40%")
    + behaviour(first_attempt_failure="{credit: 40%}", expiry_years="[1]", account_updater_coverage="0%",
                attention="100%")
)  # fmt: skip
"""Cards expire and their owners call; so do others who are out of money. One agent answers, and who gives up
waiting may leave."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Half a year at that desk."""
    folder = tmp_path_factory.mktemp("spread")
    (folder / "quiet.yaml").write_text(QUIET)
    story = f"extends: quiet.yaml\nname: crowded\nend: 2025-07-01\nmembers: 600\n{CROWDED}"
    (folder / "crowded.yaml").write_text(story)
    return billing_sim.run(folder / "crowded.yaml", out=folder / "run", workers=1)


@pytest.fixture(scope="module")
def truth(run):
    """All that is known of it, with another policy and every cause."""
    return run.truth(policy="visa_acceptance", attribution=True)


@pytest.fixture(scope="module")
def spread(truth):
    """What the truth says, by what it is about."""
    return {it.what: it for it in truth.spread}


def captured(world, after, tape, end: int) -> int:
    """Minor units that come in when everybody lives by a tape, counted from the rows alone."""
    numbers, markets = coupled.everybody(world)
    total = 0
    for block in by_tape.lives(world, after, numbers, markets, tape):
        kinds = block.rows["kind"][block.rows["occurred_at"] < end]
        amounts = block.rows["amount_minor"][block.rows["occurred_at"] < end]
        total += int(amounts[kinds == events.PAYMENT_CAPTURED].sum())
        assert not np.isin(kinds, (events.PAYMENT_RETURNED, events.REFUND_ISSUED)).any()
    return total


def test_the_parts_add_up(spread):
    """Total = direct + spillover, for every question asked."""
    assert set(spread) == {"wrongful_losses", "wrongful_money", "collected"}
    for it in spread.values():
        assert it.total.value == pytest.approx(it.direct.value + it.spillover.value)


def test_who_is_not_relieved_gains_from_the_relief_of_others(spread):
    """Without expired cards nobody calls about them; those without money get through, stay, and pay later."""
    assert spread["collected"].spillover.value > 0
    assert spread["collected"].total.value > spread["collected"].direct.value > 0


def test_the_total_is_what_everybody_pays_in_that_world(run, spread):
    """Counted once more from the rows of both worlds, each by its own tape."""
    world = world_of(run.stored)
    smooth, end = worlds.frictionless(world), int(world.record.end[0])
    here = captured(world, world, coupled.tape_of(world), end)
    there = captured(world, smooth, coupled.record_tape(world, smooth), end)
    assert spread["collected"].total.value == pytest.approx((there - here) / 100)


def test_the_direct_part_leaves_the_desk_as_it_was(run, spread):
    """Everybody by the tape of the actual world: each is answered as if nobody else had changed."""
    world = world_of(run.stored)
    smooth, end = worlds.frictionless(world), int(world.record.end[0])
    here = captured(world, world, coupled.tape_of(world), end)
    there = captured(world, smooth, coupled.direct_tape_of(world, smooth), end)
    assert spread["collected"].direct.value == pytest.approx((there - here) / 100)


def test_the_tables_show_the_parts(run):
    """A table of its own, headed by what each column is."""
    text = repr(run.truth())
    head = next(line for line in text.splitlines() if "spillover" in line and "direct" in line)
    assert head.index("direct") < head.index("spillover") < head.index("total")
    assert max(map(len, text.splitlines())) <= 80


def test_the_parts_of_a_large_world_fit_a_terminal(run, monkeypatch):
    """A thousand million in each column, and its error."""
    truth, large = run.truth(), Sum(-1_234_567_890.5, 123_456_789.5)
    rows = [replace(it, direct=large, spillover=large, total=large) for it in truth.spread]
    monkeypatch.setitem(vars(truth), "spread", rows)
    assert "-1,234,567,890" in repr(truth)
    assert max(map(len, repr(truth).splitlines())) <= 80


def test_every_other_world_has_a_total(truth):
    """What everybody does there together, counted once more from the rows; spillover is what it adds to the direct."""
    world, end = truth.alternatives.actual, int(world_of(truth.run).record.end[0])
    here = captured(world, world, coupled.tape_of(world), end)
    spilled = []
    for name, other in truth.alternatives.others.items():
        found = truth.world(name)
        there = captured(world, other, coupled.record_tape(world, other), end)
        assert found.total_differences["collected"].value == pytest.approx((there - here) / 100), name
        for measure, total in found.total_differences.items():
            parts = found.differences[measure].value + found.spillovers[measure].value
            assert total.value == pytest.approx(parts), (name, measure)
        spilled.append(found.spillovers["collected"].value)
    assert not truth.world("actual").total_differences
    assert np.count_nonzero(spilled) >= 3


@pytest.mark.parametrize("cause", ["expiry", "funds"])
def test_a_cause_removed_for_everybody(truth, cause):
    """Removed alone: what all collect less in this world than together in the one without the cause."""
    world, end = truth.alternatives.actual, int(world_of(truth.run).record.end[0])
    collected = next(it for it in truth.attribution if it.measure == "collected_micros")
    row = next(it for it in collected.spread if it.what == f"removed {cause}")
    other = worlds.without(world, [cause])
    here = captured(world, world, coupled.tape_of(world), end)
    there = captured(world, other, coupled.record_tape(world, other), end)
    assert row.total.value == (here - there) * 10_000
    assert row.direct.value == next(it for it in collected.shares if it.cause == cause).removed.value
    assert row.spillover.value != 0


def test_each_explanation_has_the_same_parts(truth):
    """Direct + spillover = total for every cause removed, added, and for all of them."""
    for it in truth.attribution:
        assert len({row.what for row in it.spread}) == len(it.spread) == 13
        assert all(row.direct.value + row.spillover.value == row.total.value for row in it.spread)
        everything = next(row for row in it.spread if row.what == "all together")
        assert everything.direct.value == it.explained.value


def test_tables_of_every_part_fit_and_have_names_of_their_own(truth):
    """Worlds and causes by part; every figure of the long table can be told from the others."""
    text = repr(truth)
    assert "… in all, where everybody lives in that world together" in text
    assert "… collected, USD, by what people do to one another" in text
    assert max(map(len, text.splitlines())) <= 80
    keys = [row[:3] for row in truth.rows()]
    assert len(set(keys)) == len(keys)


def test_where_nothing_is_shared_there_are_no_parts(tmp_path):
    """A life without a desk has direct effects alone, and says so."""
    (tmp_path / "alone.yaml").write_text(QUIET)
    alone = billing_sim.run(tmp_path / "alone.yaml", out=tmp_path / "run", workers=1).truth(attribution=True)
    assert all(it.total_differences == it.spillovers == {} for it in alone.worlds)
    assert all(it.spread == () for it in alone.attribution)
