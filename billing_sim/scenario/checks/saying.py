"""What people say adds up, and what is sent to them has a way to travel."""

from __future__ import annotations

from collections.abc import Iterator

from billing_sim.clock import DAY, format_duration
from billing_sim.errors import Problem
from billing_sim.scenario.checks.people import curve_ascends
from billing_sim.scenario.checks.read import duration, markets
from billing_sim.scenario.checks.shares import mapping_adds_up
from billing_sim.scenario.layers import suggestion
from billing_sim.scenario.nodes import Mapping, Node, Place, at, entries, items, text, texts


def reasons_add_up(tree: Mapping) -> Iterator[Problem]:
    """The shares of the reasons for leaving add up to 100 % in every market that gives them."""
    for market in markets(tree):
        yield from mapping_adds_up(at(market.value, "behaviour"), "leaving_reasons")


def exit_surveys_have_reasons(tree: Mapping) -> Iterator[Problem]:
    """Whoever asks people why they leave says why they do."""
    for market in markets(tree):
        asked, known = (at(market.value, "behaviour", key) for key in ("exit_survey", "leaving_reasons"))
        if isinstance(asked, Mapping) and not isinstance(known, Mapping):
            what = f"exit_survey: {market.key} has no leaving_reasons that people could tell."
            yield asked.place.problem(what, "Add leaving_reasons, with shares of price, content, not_using and other.")


def returns_of_serial_churners_accumulate(tree: Mapping) -> Iterator[Problem]:
    """Of serial churners who left, too, no fewer are back after more months."""
    for market in markets(tree):
        curve = at(market.value, "behaviour", "serial_churners", "returns")
        if curve is not None:
            yield from curve_ascends(curve)


def notices_find_a_channel(tree: Mapping) -> Iterator[Problem]:
    """A market with channels has those by which its notices and offers travel; notices by e-mail, unless told."""
    used = [*_channels_of_notices(tree), *_channels_of_offers(tree)]
    for market in markets(tree):
        channels = at(market.value, "behaviour", "channels")
        if not isinstance(channels, Mapping):
            continue
        known = [entry.key for entry in channels.entries.values() if isinstance(entry.value, Mapping)]
        if "email" not in known:
            what = f"channels: {market.key} has no email, by which notices travel whose policy names no channel."
            yield channels.place.problem(what, "Add email.")
        for name, place in used:
            if name not in known and name in ("push", "in_app"):
                what = f"channel: {name} is no channel of {market.key}."
                yield place.problem(what, f"Add {name} to its channels, or use another: {', '.join(known)}.")


def offers_fit(tree: Mapping) -> Iterator[Problem]:
    """Offers to come back name markets and promotions that exist, and stand for a day at least."""
    codes = [market.key for market in entries(tree, "markets")]
    promotions = [entry.key for entry in entries(tree, "promotions")]
    for offer in items(tree, "win_back_offers"):
        for name, place in texts(offer, "market"):
            if name not in codes:
                yield place.problem(f"There is no market {name}.", suggestion(name, codes, "Markets are"))
        coupon, node = text(offer, "coupon"), at(offer, "coupon")
        if coupon is not None and node is not None and coupon not in promotions:
            remedy = suggestion(coupon, promotions, "Promotions are")
            yield node.place.problem(f"coupon: there is no promotion {coupon}.", remedy)
        stands = at(offer, "within")
        length = duration(stands)
        if stands is not None and length is not None and length < DAY:
            what = f"within: {format_duration(length)} is less than a day."
            yield stands.place.problem(what, "Let the offer stand for a day at least.")


def _channels_of_notices(tree: Mapping) -> Iterator[tuple[str, Place]]:
    for policy in entries(tree, "dunning_policies"):
        for step in items(policy.value, "notices"):
            yield from _channel(step)


def _channels_of_offers(tree: Mapping) -> Iterator[tuple[str, Place]]:
    for offer in items(tree, "win_back_offers"):
        yield from _channel(offer)


def _channel(step: Node) -> Iterator[tuple[str, Place]]:
    name, node = text(step, "channel"), at(step, "channel")
    if name is not None and node is not None:
        yield name, node.place
