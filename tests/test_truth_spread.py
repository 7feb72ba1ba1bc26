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
def spread(run):
    """What the truth says, by what it is about."""
    return {it.what: it for it in run.truth().spread}


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
