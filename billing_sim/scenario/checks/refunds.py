"""Refunds, disputes, fees and card networks fit together and name what exists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from billing_sim.clock import DAY
from billing_sim.errors import Problem
from billing_sim.money import EXPONENTS
from billing_sim.scenario.checks.read import duration, interventions, markets, share
from billing_sim.scenario.checks.shares import mapping_adds_up
from billing_sim.scenario.checks.times import ascend
from billing_sim.scenario.layers import suggestion
from billing_sim.scenario.nodes import Entry, Mapping, Node, Scalar, at, entries, items, text, texts
from billing_sim.scenario.parts import CAPACITY
from billing_sim.scenario.refunds import DisputeWait, RefundWait
from billing_sim.scenario.values import price_minor

_WAITS = ("least", "p50", "p99", "most")
_FAULTS = ("double_charging", "charging_after_end")


def claims_name_what_exists(tree: Mapping) -> Iterator[Problem]:
    """Refunds, disputes and fees name markets and gateways that exist."""
    known = [market.key for market in markets(tree)]
    gateways = [gateway.key for gateway in entries(tree, "gateways")]
    for owner in (at(tree, "refunds"), at(tree, "disputes"), *items(tree, "fees")):
        for name, place in texts(owner, "market"):
            if name not in known:
                yield place.problem(f"There is no market {name}.", suggestion(name, known, "Markets are"))
        for name, place in texts(owner, "gateway"):
            if name not in gateways:
                yield place.problem(f"There is no gateway {name}.", suggestion(name, gateways, "Gateways are"))


def claims_fit_into_the_whole(tree: Mapping) -> Iterator[Problem]:
    """No more is disputed, or given back and disputed, than there is."""
    for owner, keys in (
        ("disputes", ("fraud", "friendly_fraud", "service")),
        ("charging_faults", ("refunded", "disputed")),
    ):
        found = [at(tree, owner, key) for key in keys]
        total = sum((share(node) or Decimal(0) for node in found), Decimal(0))
        last = next((node for node in reversed(found) if node is not None), None)
        if last is not None and total > 1:
            off = f"{((total - 1) * 100).normalize():f} %"
            yield last.place.problem(f"{owner}: {' and '.join(keys)} are more than 100 %.", f"Take {off} away.")


def claims_take_their_time(tree: Mapping) -> Iterator[Problem]:
    """Percentiles of a wait for a refund or dispute do not fall: least, p50, p99, most; also beside what is assumed."""
    for owner, assumed in (("refunds", RefundWait.model_validate({})), ("disputes", DisputeWait.model_validate({}))):
        wait = at(tree, owner, "delay")
        told = [*ascend(wait, _WAITS)]
        yield from told or _beside_what_is_assumed(wait, assumed)


def _beside_what_is_assumed(wait: Node | None, assumed: RefundWait | DisputeWait) -> Iterator[Problem]:
    """The first wait that is given and does not fit one that is not."""
    given = {entry.key: entry for entry in entries(wait) if entry.key in _WAITS}
    lengths = {key: duration(given[key].value) if key in given else getattr(assumed, key) for key in _WAITS}
    for lower, upper in pairwise(_WAITS):
        less, more = lengths[lower], lengths[upper]
        if less is not None and more is not None and less > more and (lower in given) != (upper in given):
            own, other = (lower, upper) if lower in given else (upper, lower)
            how, days = ("longer", more // DAY) if own == lower else ("shorter", less // DAY)
            what = f"{own} is {how} than {other}, which is assumed to be {days} days."
            yield given[own].value.place.problem(what, f"Write {other} as well.")
            return


def fees_are_amounts(tree: Mapping) -> Iterator[Problem]:
    """Every fee is a whole number of minor units of the reporting currency."""
    currency = text(tree, "reporting_currency")
    if currency not in EXPONENTS:
        return
    for entry in _fees(tree):
        value = entry.value.value if isinstance(entry.value, Scalar) else None
        try:
            if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
                price_minor(value, str(currency))
        except ValueError as error:
            said = str(error).replace("the currency of this market", "the reporting currency")
            yield entry.value.place.refusal(entry.key, ValueError(said))


def least_cost_has_fees(tree: Mapping) -> Iterator[Problem]:
    """Routing by least cost knows what gateways take."""
    for rule in items(tree, "routing"):
        node = at(rule, "by")
        if node is not None and text(rule, "by") == "least_cost" and not items(tree, "fees"):
            remedy = "List them under `fees:`, or delete `by`."
            yield node.place.problem("by: least_cost needs to know what gateways take.", remedy)


def networks_are_known(tree: Mapping) -> Iterator[Problem]:
    """Shares of card networks add up to 100 %, and whoever states caps by network says which cards belong to it."""
    given = False
    for market in markets(tree):
        behaviour = at(market.value, "behaviour")
        given = given or bool(entries(behaviour, "card_networks"))
        yield from mapping_adds_up(behaviour, "card_networks")
    caps = next((entry for entry in entries(tree, "network_rules") if entry.key == "networks"), None)
    if caps is not None and entries(caps.value) and not given:
        remedy = "Add card_networks to the behaviour of a market."
        yield caps.place.problem("networks: nobody says which networks cards belong to.", remedy)


def caps_have_a_length(tree: Mapping) -> Iterator[Problem]:
    """Windows in which networks count attempts are longer than nothing."""
    for network in entries(tree, "network_rules", "networks"):
        for cap in items(network.value, "caps"):
            node = at(cap, "window")
            if node is not None and duration(node) == 0:
                yield node.place.problem("window: it has no length.", "Write a longer duration, as in 30 days.")


def faults_fit(tree: Mapping) -> Iterator[Problem]:
    """The timeline holds no more times of charging wrongly than the compiled world does."""
    node, limit = at(tree, "timeline"), CAPACITY["epochs"]
    counts = Counter(kind for kind in _FAULTS for _ in interventions(tree, kind))
    for kind, count in counts.items():
        if node is not None and count > limit:
            what = f"timeline: there are {count} interventions of kind {kind}, more than the limit of {limit}."
            yield node.place.problem(what, "Leave some out.")


def _fees(tree: Mapping) -> Iterator[Entry]:
    """Every amount that is in the reporting currency."""
    yield from (entry for entry in entries(tree, "disputes") if entry.key == "fee")
    owners: list[Node] = [*items(tree, "fees"), *(it.value for it in entries(tree, "network_rules", "networks"))]
    for owner in owners:
        yield from (entry for entry in entries(owner) if entry.key in ("fixed", "per_attempt", "excess_fee"))
