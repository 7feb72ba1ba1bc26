"""The support desk: every channel in use is answered by one desk, and shares add up."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from billing_sim.errors import Problem
from billing_sim.scenario.checks.read import interventions, share, whole
from billing_sim.scenario.layers import suggestion
from billing_sim.scenario.nodes import Mapping, at, entries, items, texts
from billing_sim.scenario.support import CHANNELS

_STAFFINGS = 7
"""Changes of staffing that the world's tables hold: each has a beginning and an end."""


def support_shares_add_up(tree: Mapping) -> Iterator[Problem]:
    """The channels of contacts and what agents do about failing invoices, where given, each add up to 100 %."""
    for key in ("channels", "actions"):
        node = at(tree, "support", key)
        found = [share(entry.value) for entry in entries(node)]
        read = [value for value in found if value is not None]
        if node is None or not isinstance(node, Mapping) or len(read) < len(found) or not read:
            continue
        if key == "actions" and len(read) < 4:
            what, remedy = "actions: some are left out.", "Write all of retry, link, grace and explain."
            yield node.place.problem(what, remedy)
        elif sum(read, Decimal(0)) != 1:
            what = f"{key} add up to {(sum(read, Decimal(0)) * 100).normalize():f} %."
            yield node.place.problem(what, "Change them to add up to 100 %.")


def channels_have_one_desk(tree: Mapping) -> Iterator[Problem]:
    """A channel is answered by one desk, and each that people use by some desk."""
    desks = at(tree, "support", "desks")
    if desks is None:
        return
    seen: set[str] = set()
    for desk in items(desks):
        for name, place in texts(desk, "channels"):
            if name in seen:
                yield place.problem(f"channels: {name} has two desks.", "Leave it out of one of them.")
            seen.add(name)
    used = [entry.key for entry in entries(tree, "support", "channels") if share(entry.value)]
    for name in used or CHANNELS:
        if name in CHANNELS and name not in seen:
            what = f"desks: nobody answers {name}."
            yield desks.place.problem(what, "Add it to the channels of a desk, or give it no share of the channels.")


def shifts_have_a_length(tree: Mapping) -> Iterator[Problem]:
    """A shift ends after it begins."""
    for desk in (*items(tree, "support", "desks"), at(tree, "fraud", "review", "team")):
        for shift in items(desk, "shifts"):
            hours = at(shift, "hours")
            found = [whole(item) for item in items(hours)]
            if hours is not None and len(found) == 2 and None not in found and found[0] >= found[1]:  # type: ignore[operator]
                what = f"hours: {found[0]} is not before {found[1]}."
                yield hours.place.problem(what, "Write two shifts where one passes midnight.")


def staffing_has_a_desk(tree: Mapping) -> Iterator[Problem]:
    """Agents come and go only where there is a support desk, and not too often."""
    changes = list(interventions(tree, "support_staffing"))
    for entry in changes:
        if at(tree, "support") is None:
            what = "kind: support_staffing changes a desk that this scenario does not have."
            yield entry.place.problem(what, "Add support: to the scenario, or leave the entry out.")
    for entry in changes[_STAFFINGS:]:
        what = f"kind: there are more than {_STAFFINGS} entries of support_staffing."
        yield entry.place.problem(what, "Leave some out.")


def support_markets_exist(tree: Mapping) -> Iterator[Problem]:
    """Markets that the support desk names are markets of the scenario."""
    known = [entry.key for entry in entries(tree, "markets")]
    named = [(name, place, "market") for name, place in texts(tree, "support", "market")]
    named += [(entry.key, entry.place, "by_market") for entry in entries(tree, "support", "by_market")]
    for name, place, key in named:
        if name not in known:
            yield place.problem(f"{key}: there is no market {name}.", suggestion(name, known, "Markets are"))
