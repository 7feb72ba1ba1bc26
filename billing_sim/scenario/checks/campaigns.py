"""Sharing and campaigns: shares add up, names exist, and everything lies within the run."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from billing_sim.clock import DAY, SECOND, day_number, micros
from billing_sim.errors import Problem
from billing_sim.scenario.checks.read import day, duration, interventions, moment, share
from billing_sim.scenario.layers import suggestion
from billing_sim.scenario.nodes import Mapping, at, entries, items, text, texts

_COUPONS = ("free_month", "discount")


def borrowers_add_up(tree: Mapping) -> Iterator[Problem]:
    """The shares of hosts by how many they share with add up to 100 %."""
    node = at(tree, "sharing", "borrowers")
    found = [share(item) for item in items(tree, "sharing", "borrowers")]
    read = [value for value in found if value is not None]
    if node is not None and found and len(read) == len(found) and sum(read, Decimal(0)) != Decimal(1):
        what = f"borrowers add up to {(sum(read, Decimal(0)) * 100).normalize():f} %, not 100 %."
        yield node.place.problem(what, "Change them to add up to 100 %.")


def cards_fit_into_the_whole(tree: Mapping) -> Iterator[Problem]:
    """Nobody shares both cards of a campaign, so their shares add up to at most 100 %."""
    for campaign in entries(tree, "campaigns"):
        for key in ("cards", "cards_of_hosts"):
            node = at(campaign.value, key)
            total = sum((share(entry.value) or Decimal(0) for entry in entries(node)), Decimal(0))
            if node is not None and total > 1:
                what = f"{key} add up to {(total * 100).normalize():f} %, more than 100 %."
                yield node.place.problem(what, "A person shares one card at most: make them smaller.")


def crackdowns_have_somebody_to_restrict(tree: Mapping) -> Iterator[Problem]:
    """A crackdown, and a campaign against sharing, need households that share; a market has one crackdown."""
    shares = at(tree, "sharing") is not None
    seen: set[str] = set()
    for entry in interventions(tree, "sharing_crackdown"):
        if not shares:
            what = "kind: sharing_crackdown forbids what nobody does in this scenario."
            yield entry.place.problem(what, "Add sharing: to the scenario, or leave the entry out.")
        named = [name for name, _ in texts(entry, "market")] or [market.key for market in entries(tree, "markets")]
        for name in sorted(seen.intersection(named))[:1]:
            what = f"kind: there is more than one sharing_crackdown in market {name}."
            yield entry.place.problem(what, "Leave one of them out, or name other markets.")
        seen.update(named)
    for campaign in entries(tree, "campaigns"):
        if not shares:
            what = f"campaigns: {campaign.key} is about sharing, and nobody shares in this scenario."
            yield campaign.place.problem(what, "Add sharing: to the scenario, or leave the campaign out.")


def campaigns_name_what_exists(tree: Mapping) -> Iterator[Problem]:
    """Campaigns and sharing name markets and promotions of the scenario."""
    markets = [entry.key for entry in entries(tree, "markets")]
    promotions = [entry.key for entry in entries(tree, "promotions")]
    for owner in (at(tree, "sharing"), *(entry.value for entry in entries(tree, "campaigns"))):
        for name, place in texts(owner, "market"):
            if name not in markets:
                yield place.problem(f"market: there is no market {name}.", suggestion(name, markets, "Markets are"))
    for campaign in entries(tree, "campaigns"):
        if campaign.key == "none":
            yield campaign.place.problem("campaigns: none is the name of having no campaign.", "Give it another name.")
        for key in _COUPONS:
            asked, node = text(campaign.value, key), at(campaign.value, key)
            if asked is not None and node is not None and asked not in promotions:
                known = suggestion(asked, promotions, "Promotions are") if promotions else "Write it under promotions:."
                yield node.place.problem(f"{key}: there is no promotion {asked}.", known)


def campaigns_lie_within_the_run(tree: Mapping) -> Iterator[Problem]:
    """A campaign begins between the start and the end, and lasts a second at least."""
    start, end = day(at(tree, "start")), day(at(tree, "end"))
    for campaign in entries(tree, "campaigns"):
        node, begins = at(campaign.value, "at"), moment(at(campaign.value, "at"))
        length = duration(at(campaign.value, "duration"))
        if node is None or begins is None or start is None or end is None:
            continue
        if not day_number(start) * DAY <= micros(begins) < day_number(end) * DAY:
            what = f"at: {campaign.key} begins outside the run, which goes from {start} to {end}."
            yield node.place.problem(what, "Write a moment between them.")
        where = at(campaign.value, "duration")
        if where is not None and length is not None and length < SECOND:
            yield where.place.problem("duration: the campaign takes no time.", "Write a duration, as in 14 days.")
