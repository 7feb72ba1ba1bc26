"""The people of a scenario, with a campaign and without it: the same people with the same luck, folded into sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from billing_sim import clock, events
from billing_sim.drivers import batch, coupled
from billing_sim.facts.folding import Folder
from billing_sim.facts.schema import INVOICE_STATUSES
from billing_sim.identity import vocabularies_of
from billing_sim.people import SHARDS
from billing_sim.scenario.model import Scenario
from billing_sim.world.announce import announcements
from billing_sim.world.compile import CompiledWorld, compile_world

GROUPS = 64
_PAID = INVOICE_STATUSES.index("paid")
Report = Callable[[int, int], None]
"""Told how many parts of the people are done, and how many there are."""


@dataclass
class Lived:
    """What became of everybody in one world: `margin` is millionths of the reporting currency by jackknife group.

    `paid_since` tells when somebody first paid something, `members` who is a member at the end; `touches` are facts,
    `lies` and `anyway` who the sealed truth says lied or would have joined without it.
    """

    margin: np.ndarray = field(default_factory=lambda: np.zeros(GROUPS, np.int64))
    paid_since: dict[int, int] = field(default_factory=dict)
    members: set[int] = field(default_factory=set)
    lies: set[int] = field(default_factory=set)
    anyway: set[int] = field(default_factory=set)
    pieces: list[np.ndarray] = field(default_factory=list)

    @property
    def touches(self) -> np.ndarray:
        """Every step of every campaign, as facts."""
        return np.concatenate(self.pieces)


def without_campaign(scenario: Scenario, name: str) -> CompiledWorld:
    """The world of the same people in which a campaign is not; the others go on, and so does everything else."""
    others = {other: campaign for other, campaign in scenario.campaigns.items() if other != name}
    return compile_world(scenario.model_copy(update={"campaigns": others}))


def live(world: CompiledWorld, report: Report) -> Lived:
    """Let everybody live, and fold what they leave behind."""
    found, folder = Lived(), Folder(announcements(world), vocabularies_of(world))
    tape = coupled.tape_of(world) if world.is_coupled else None
    for shard in range(SHARDS):
        for block in batch.lives(world, shard, tape):
            _note_rows(found, block.rows)
            _note_truths(found, block.truths)
            _note_facts(found, folder.fold(block.rows))
        report(shard + 1, SHARDS)
    return found


def _note_rows(found: Lived, rows: np.ndarray) -> None:
    paid = rows[(rows["kind"] == events.PAYMENT_CAPTURED) & (rows["amount_minor"] > 0)]
    who, first = np.unique(paid["subscriber"], return_index=True)
    found.paid_since.update(zip(who.tolist(), paid["occurred_at"][first].tolist(), strict=True))


def _note_truths(found: Lived, truths: np.ndarray) -> None:
    found.lies.update(truths["subscriber"][truths["kind"] == events.SHARING_DENIED].tolist())
    found.anyway.update(truths["subscriber"][truths["kind"] == events.WOULD_JOIN_ANYWAY].tolist())


def _note_facts(found: Lived, facts: dict[str, np.ndarray]) -> None:
    invoices, spells = facts["invoices"], facts["subscriptions"]
    paid = invoices["status"] == _PAID
    kept = np.where(paid, invoices["booked_micros"] - invoices["tax_micros"], 0) - invoices["fee_micros"]
    lost = invoices["refunded_micros"] + invoices["chargeback_micros"]
    np.add.at(found.margin, invoices["group"], kept - lost)
    found.members.update(spells["subscriber"][spells["ended_at"] < clock.SECOND].tolist())
    found.pieces.append(facts["touches"].copy())
