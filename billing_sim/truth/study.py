"""All that is asked of the people of one shard, as sums over jackknife groups that add up over the shards."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from billing_sim import events
from billing_sim.drivers.shards import people_of_shard
from billing_sim.runs.digest import ShardDigest
from billing_sim.truth.alternatives import ACTUAL, FRICTIONLESS, LEVERS, Alternatives, without_lever
from billing_sim.truth.crowds import Crowds
from billing_sim.truth.declined import attempts_by_cause
from billing_sim.truth.exposure import differs_somewhere
from billing_sim.truth.knocking_out import EXPLAINED, Span, every_world
from billing_sim.truth.lives import Cohort, Lives, Shelf, live
from billing_sim.truth.losses import LOSS, longer_here, losses
from billing_sim.truth.recoveries import FATES, LEVER_OF, WAYS, failed, fate_without, recoveries
from billing_sim.truth.tables import key_of, places
from billing_sim.truth.totals import GROUPS, MEASURES, by_group, is_wrongful, measures
from billing_sim.world.compile import CompiledWorld

Shelves = defaultdict[str, Shelf]
"""A worker's room for the lives of each world."""


@dataclass
class Findings:
    """What was found so far. `sums` are arrays by name whose last axis has the 64 groups; rows of `losses` are kept.

    Names of sums: `totals WORLD` (measures), `months WORLD` (months), `attempts` (causes), `failed` (invoices, money),
    `recovered` (ways, fates without the lever, invoices and money), `longer` (kinds, people and time), `knocked`
    (worlds, measures), `untouched` (measures), `people` (all, followed); where people share something also
    `together WORLD` (measures of all of them meeting one another there) and `together money` (what wrongful losses are
    worth among those who live without friction).
    """

    sums: dict[str, np.ndarray] = field(default_factory=dict)
    losses: list[np.ndarray] = field(default_factory=list)
    digests: dict[int, str] = field(default_factory=dict)
    truth_digests: dict[int, str] = field(default_factory=dict)
    kinds: np.ndarray = field(default_factory=lambda: np.zeros(256, np.int64))
    captured: np.ndarray = field(default_factory=lambda: np.zeros(2, np.int64))
    claimed: int = 0

    def add(self, other: Findings) -> None:
        """Take over what was found about other people."""
        for name, values in other.sums.items():
            self.sums[name] = self.sums[name] + values if name in self.sums else values
        self.losses += other.losses
        self.digests |= other.digests
        self.truth_digests |= other.truth_digests
        self.kinds = self.kinds + other.kinds
        self.captured = self.captured + other.captured
        self.claimed += other.claimed

    @property
    def lost(self) -> np.ndarray:
        """Every loss (rows of `losses.LOSS`) by subscriber and moment."""
        rows = np.concatenate([np.zeros(0, LOSS), *self.losses])
        return rows[np.lexsort((rows["at"], rows["subscriber"]))]


@dataclass(frozen=True)
class Study:
    """What is asked: of which worlds and crowds, over which span, and whether every combination of causes is tried."""

    worlds: Alternatives
    span: Span
    attribution: bool
    crowds: Crowds

    def of_shards(
        self, shards: Sequence[int], shelves: Shelves, is_stopped: Callable[[], bool] = lambda: False
    ) -> Findings:
        """Everything about the people of some shards; incomplete once stopped."""
        actual, found = self.span.world, Findings()
        cohort, shard = people_of(actual, shards)
        here = live(actual, actual, cohort, self.span.worth, shelf=shelves[ACTUAL])
        differs = differs_somewhere(here)
        self._look_back(found, here, shards, shard)
        self._count(found, here, differs)
        others = {}
        for name, world in self.worlds.others.items():
            if is_stopped():
                return found
            others[name] = live(actual, world, here.cohort, self.span.worth, differs, shelves[name])
        self._compare(found, here, others, differs)
        self._recovered(found, here, others)
        self._live_together(found, here, shelves["together"], is_stopped)
        if self.attribution:
            worlds = every_world(self.span, here, differs, shelves["any"], is_stopped)
            found.sums["knocked"] = by_group(worlds, here.group[differs])
        return found

    def _look_back(self, found: Findings, here: Lives, shards: Sequence[int], shard: np.ndarray) -> None:
        """What must be as in the run itself; `shard` is everybody's."""
        past, told = here.rows["occurred_at"] < self.span.end, here.truths["occurred_at"] < self.span.end
        found.kinds = np.bincount(here.kinds[past], minlength=256)
        found.captured = _captured(here, self.span.end)
        found.claimed = _claimed(here, self.span.end)
        for each in shards:
            found.digests[each] = _digest(here.rows[past & (shard[here.person] == each)])
            found.truth_digests[each] = _digest(here.truths[told & (shard[here.truth_person] == each)])

    def _count(self, found: Findings, here: Lives, differs: np.ndarray) -> None:
        """What needs no other world; people who live one life in every world count in each."""
        everything = measures(here, self.span.start, self.span.end)
        own, rest = (
            by_group(everything[:, differs], here.group[differs]),
            by_group(everything[:, ~differs], here.group[~differs]),
        )
        months, other_months = self._months(here, here.group, differs), self._months(here, here.group, ~differs)
        found.sums[f"totals {ACTUAL}"], found.sums[f"months {ACTUAL}"] = own + rest, months + other_months
        for name in self.worlds.others:
            found.sums[f"totals {name}"], found.sums[f"months {name}"] = rest, other_months
        found.sums["untouched"] = rest[[MEASURES.index(name) for name in EXPLAINED]]
        found.sums["attempts"] = attempts_by_cause(here, self.span.end)
        found.sums["people"] = by_group(np.stack([np.ones_like(here.group), differs.astype(np.int64)]), here.group)

    def _compare(self, found: Findings, here: Lives, others: dict[str, Lives], differs: np.ndarray) -> None:
        for name, lives in others.items():
            totals = by_group(measures(lives, self.span.start, self.span.end), here.group)
            found.sums[f"totals {name}"] = found.sums[f"totals {name}"] + totals
            found.sums[f"months {name}"] = found.sums[f"months {name}"] + self._months(lives, here.group, differs)
        there = others[FRICTIONLESS]
        found.losses.append(losses(here, there, self.span.end))
        who, kind, more = longer_here(here, there, differs, self.span.start, self.span.end)
        values = np.zeros((2, 2, len(who)), np.int64)
        values[kind, 0, np.arange(len(who))], values[kind, 1, np.arange(len(who))] = 1, more
        found.sums["longer"] = by_group(values, here.group[who])

    def _live_together(self, found: Findings, here: Lives, shelf: Shelf, is_stopped: Callable[[], bool]) -> None:
        """Every other world by the tape of those who live there: whatever is shared is as they make it."""
        for name, world, tape in self.crowds:
            if is_stopped():
                return
            there = live(self.span.world, world, here.cohort, self.span.worth, shelf=shelf, tape=tape)
            found.sums[f"together {name}"] = by_group(measures(there, self.span.start, self.span.end), here.group)
            if name == FRICTIONLESS:
                lost = losses(here, there, self.span.end)
                wrongful = lost[is_wrongful(lost["intent"], lost["able"]) == 1]
                found.sums["together money"] = by_group(wrongful["micros"], wrongful["group"])

    def _months(self, lives: Lives, group: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Money collected from people chosen by the month of the payment, less what went back by that of its return."""
        paid = lives.payments
        inside = np.flatnonzero((paid.at < self.span.end) & chosen[paid.person])
        months = month_of(np.array([self.span.start, self.span.end - 1]))
        values = np.zeros((int(months[1] - months[0]) + 1, GROUPS), np.int64)
        np.add.at(values, (month_of(paid.at[inside]) - months[0], group[paid.person[inside]]), paid.micros[inside])
        return values

    def _recovered(self, found: Findings, here: Lives, others: dict[str, Lives]) -> None:
        lost = failed(here, self.span.end)
        micros = here.invoices.micros[lost]
        found.sums["failed"] = by_group(
            np.stack([np.ones_like(micros), micros]), here.group[here.invoices.person[lost]]
        )
        saved = recoveries(here, self.span.end)
        fates = np.zeros(len(saved), np.int64)
        for lever in LEVERS:
            own = np.isin(saved["way"], [way for way, its in enumerate(LEVER_OF) if its == lever])
            fates[own] = fate_without(saved[own], others[without_lever(lever)])
        values = np.zeros((len(WAYS), len(FATES), 2, GROUPS), np.int64)
        group = here.group[saved["person"]]
        one = np.zeros_like(fates)
        np.add.at(values, (saved["way"], fates, one, group), 1)
        np.add.at(values, (saved["way"], fates, one + 1, group), saved["micros"])
        found.sums["recovered"] = values


def _captured(lives: Lives, end: int) -> np.ndarray:
    """Payments captured by attempts of the run, and their money; an answer to one of before it is nobody's attempt."""
    paid, imported = lives.payments, lives.where(events.INVOICE_IMPORTED)
    came = np.flatnonzero((lives.kinds[paid.row] == events.PAYMENT_CAPTURED) & (paid.at < end))
    place = places(paid.invoice[came], key_of(lives.person[imported], lives.rows["invoice"][imported]))
    tried = np.append(lives.rows["attempt"][imported], 0)[place]
    came = came[lives.rows["attempt"][paid.row[came]] > tried]
    return np.array([len(came), paid.micros[came].sum()])


def _claimed(lives: Lives, end: int) -> int:
    """Money refunded, or taken back in disputes that are not won, in millionths of the reporting currency."""
    paid = lives.payments
    kinds = lives.kinds[paid.row]
    is_claim = np.isin(kinds, (events.REFUND_ISSUED, events.DISPUTE_OPENED, events.DISPUTE_WON))
    return -int(paid.micros[is_claim & (paid.at < end)].sum())


def people_of(world: CompiledWorld, shards: Sequence[int]) -> tuple[Cohort, np.ndarray]:
    """Everybody of some shards, and the shard of each."""
    lived = [people_of_shard(world, shard) for shard in shards]
    numbers, markets = (np.concatenate(parts) for parts in zip(*lived, strict=True))
    shard = np.repeat(np.array(shards), [len(part[0]) for part in lived])
    order = np.argsort(numbers, kind="stable")
    return Cohort(numbers[order], markets[order]), shard[order]


def month_of(at: np.ndarray) -> np.ndarray:
    """Calendar months (UTC) of moments in microseconds, counted from 1970."""
    return at.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)


def _digest(rows: np.ndarray) -> str:
    digest = ShardDigest()
    digest.update(rows)
    return digest.hexdigest()
