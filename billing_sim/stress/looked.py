"""What is looked at of many worlds: which facts, and which of their columns, definitions and estimands ask for.

Filling tables with columns that nobody reads costs as much as simulating the worlds, so only these are kept.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from billing_sim.facts.record import NAMES
from billing_sim.facts.schema import FACTS, Fact
from billing_sim.metrics.constant import SUFFIX, made_from, twins
from billing_sim.metrics.definition import WORDS, Definition
from billing_sim.truth.estimands import Estimand

Wanted: TypeAlias = Mapping[str, Collection[str] | None]
"""The facts that are looked at, each with its columns; None for all."""

ALL: Wanted = dict.fromkeys(NAMES)

BEGINS = {
    "invoices": "issued_at", "attempts": "occurred_at", "subscriptions": "started_at", "subscription_months": "month",
    "signups": "started_at", "notices": "sent_at", "payment_methods": "added_at",
    "refunds": "refunded_at", "disputes": "opened_at", "contacts": "opened_at", "enrolments": "enrolled_at",
    "surveys": "sent_at", "offers": "sent_at",
    "touches": "happened_at",
}  # fmt: skip
"""The moment at which a unit of each fact comes into the world."""

ENDS = {"subscriptions": "ended_at", "payment_methods": "replaced_at"}
"""The moment at which those that last are over; null: not yet."""

_CLEAN = "clean_"
"""Before the name of a fact: as it is without damage, for those who ask how far the log is true."""


@dataclass(frozen=True)
class Looked:
    """What is looked at in the reading, in the complete facts and in the clean ones, and whether in sealed truths."""

    reading: Wanted
    complete: Wanted
    clean: Wanted
    truths: bool

    @property
    def followed(self) -> Wanted:
        """What is looked at in the complete facts when they are the clean ones as well."""
        return joined(self.complete, self.clean)


def joined(one: Wanted, other: Wanted) -> Wanted:
    """All that is looked at in the one or the other."""
    both = dict(one)
    for name, columns in other.items():
        mine = both.get(name, ())
        both[name] = None if mine is None or columns is None else {*mine, *columns}
    return both


EVERYTHING = Looked(ALL, ALL, ALL, truths=True)


def looked_at(definitions: Iterable[Definition], asked: Iterable[Estimand]) -> Looked:
    """What definitions and estimands look at.

    Any column whose name occurs in what is asked is kept, and with money all that it takes to value it.
    """
    definitions, asked = tuple(definitions), tuple(asked)
    of_log, of_world = ([it.sql for it in asked if (it.worlds == "log") is is_log] for is_log in (True, False))
    truth = _words(" ".join([*of_world, *of_log]))
    clean = {word.removeprefix(_CLEAN) for word in truth} if of_log else truth
    return Looked(
        reading=_of_definitions(definitions, _words(" ".join(of_log))),
        complete=_of_definitions(definitions, frozenset()),
        clean=_facts(clean, ()),
        truths="truths" in truth,
    )


def _of_definitions(definitions: tuple[Definition, ...], more: Collection[str]) -> Wanted:
    """A query may look at any column of the facts that it names."""
    queried = _words(" ".join(it.sql.lower() for it in definitions))
    summed = [it for it in definitions if not it.sql]
    named = {it.fact for it in summed} | {it.denominator_units.fact for it in summed}
    deciding = " ".join(it.model_dump_json(exclude=set(WORDS)) for it in summed)
    found = _facts({*_words(deciding), *more}, named)
    return found | {name: None for name in ALL if name in queried}


def _facts(words: Collection[str], named: Collection[str]) -> dict[str, Collection[str] | None]:
    return {it.name: _columns_of(it, words) for it in FACTS if it.name in named or it.name in words}


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


def _columns_of(fact: Fact, words: Collection[str]) -> frozenset[str]:
    """The columns whose names occur, with all that it takes to value the amounts among them at constant rates."""
    names = {it.name for it in fact.columns}
    valued = [made_from(name) for name in twins(fact) if {*words} & {f"{name}_micros", f"{name}{SUFFIX}"}]
    return frozenset(names & {"group", BEGINS[fact.name], ENDS.get(fact.name, ""), *words}.union(*valued))
