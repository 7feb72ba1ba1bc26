"""Authentication, the fraud screen, attacks, releases and launches make sense together."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain

from billing_sim.errors import Problem
from billing_sim.scenario.checks.read import (
    duration,
    fits,
    interventions,
    markets,
    methods_in_use,
    moment,
    share,
    whole,
)
from billing_sim.scenario.checks.shares import mapping_adds_up
from billing_sim.scenario.fraud import Challenge, MandateDebits, Noticing, Review, Scores
from billing_sim.scenario.layers import suggestion
from billing_sim.scenario.nodes import Mapping, Place, at, entries, text, texts
from billing_sim.scenario.parts import CAPACITY, MOST_BINS

_MOST = {
    "authentication_rule": CAPACITY["epochs"] - 1,
    "fraud_rule": CAPACITY["epochs"] - 1,
    "method_launch": CAPACITY["epochs"] // 2 - 1,
    "method_withdrawal": CAPACITY["epochs"] // 2,
    "card_testing": 16,
    "deploy": 64,
}

_NO_BINS = "Add card_bins to the behaviour of a market."


def challenges_add_up(tree: Mapping) -> Iterator[Problem]:
    """The ends of a challenge add up to 100 %, those that are not given counted with their defaults."""
    owners = [at(tree, "authentication"), *interventions(tree, "authentication_rule")]
    owners += [at(market.value, "behaviour", "authentication") for market in markets(tree)]
    for node in (at(owner, "challenge") for owner in owners if owner is not None):
        if node is None:
            continue
        default = Challenge.model_validate({})
        shares = [
            share(found) if (found := at(node, key)) is not None else getattr(default, key)
            for key in Challenge.model_fields
        ]
        known = [value for value in shares if value is not None]
        total = sum(known, Decimal(0))
        if len(known) == len(shares) and total != 1:
            what = f"challenge adds up to {(total * 100).normalize():f} %, not 100 %."
            yield node.place.problem(what, "Write all of passed, failed and abandoned.")


def scores_ascend(tree: Mapping) -> Iterator[Problem]:
    """Quantiles of scores do not fall."""
    for key in ("good_scores", "bad_scores"):
        by_key = {entry.key: entry for entry in entries(tree, "fraud", key)}
        before = None
        for name in Scores.model_fields:
            entry = by_key.get(name)
            score = whole(entry.value) if entry else None
            if entry is None or score is None:
                continue
            if before is not None and score < before[1]:
                what = f"{key}: {name} is smaller than {before[0].key}."
                yield entry.place.problem(what, f"Write a score of at least {before[1]}.")
            before = (entry, score)


def waits_ascend(tree: Mapping) -> Iterator[Problem]:
    """Half of the reviews, of the owners of stolen cards, and of late answers are not later than 95 % of them."""
    for path, defaults in (
        (("fraud", "review"), Review.model_validate({})),
        (("fraud", "noticed"), Noticing.model_validate({})),
        (("mandate_debits",), MandateDebits.model_validate({})),
    ):
        node, key = at(tree, *path), path[-1]
        p50, p95 = at(node, "p50"), at(node, "p95")
        given = p50 if p50 is not None else p95
        if given is None:
            continue
        half = duration(p50) if p50 is not None else defaults.p50
        most = duration(p95) if p95 is not None else defaults.p95
        if half is not None and most is not None and half > most:
            remedy = "Write both, the longer as p95."
            yield (p95 or given).place.problem(f"{key}: p95 is shorter than p50.", remedy)


def attacked_gateways_exist(tree: Mapping) -> Iterator[Problem]:
    """Attacks and releases name gateways that exist."""
    known = [gateway.key for gateway in entries(tree, "gateways")]
    for owner in chain(interventions(tree, "card_testing"), interventions(tree, "deploy")):
        name, node = text(owner, "gateway"), at(owner, "gateway")
        if name is not None and node is not None and name not in known:
            yield node.place.problem(f"There is no gateway {name}.", suggestion(name, known, "Gateways are"))


def bins_are_known(tree: Mapping) -> Iterator[Problem]:
    """Shares of BIN ranges add up to 100 %, attacks name ranges that cards belong to, and there are not too many."""
    known: dict[str, Place] = {}
    for market in markets(tree):
        behaviour = at(market.value, "behaviour")
        known |= {entry.key: entry.place for entry in entries(behaviour, "card_bins")}
        yield from mapping_adds_up(behaviour, "card_bins")
    for attack in interventions(tree, "card_testing"):
        name, node = text(attack, "bin"), at(attack, "bin")
        if name is not None and node is not None and name not in known:
            remedy = suggestion(name, list(known), "BIN ranges are") if known else _NO_BINS
            yield node.place.problem(f"There is no BIN range {name}.", remedy)
    if len(known) > MOST_BINS:
        what = f"card_bins: the markets name {len(known)} BIN ranges, more than the limit of {MOST_BINS}."
        yield list(known.values())[MOST_BINS].problem(what, "Let markets share names.")


def screened_markets_exist(tree: Mapping) -> Iterator[Problem]:
    """The fraud screen names markets that exist, and its rules change only after there is one."""
    known = [market.key for market in entries(tree, "markets")]
    for name, place in texts(tree, "fraud", "market"):
        if name not in known:
            yield place.problem(f"There is no market {name}.", suggestion(name, known, "Markets are"))
    if not isinstance(at(tree, "fraud"), Mapping):
        for rule in interventions(tree, "fraud_rule"):
            what = "fraud_rule: there is no fraud screen whose thresholds could change."
            yield rule.place.problem(what, "Add `fraud: {}` to switch the screen on.")


def launched_markets_are_empty(tree: Mapping) -> Iterator[Problem]:
    """A market that is launched has no members at the start."""
    members = {market.key: at(market.value, "members") for market in markets(tree)}
    for launch in interventions(tree, "market_launch"):
        for name, place in texts(launch, "market"):
            node = members.get(name)
            if node is not None and (share(node) or 0) > 0:
                what = f"market_launch: {name} has members before it is launched."
                yield place.problem(what, f"Write members: 0% for {name}.")


def something_is_left_to_pay_with(tree: Mapping) -> Iterator[Problem]:
    """A withdrawal leaves every market that it is for some method that is offered."""
    changes = [*interventions(tree, "method_launch"), *interventions(tree, "method_withdrawal")]
    dated = sorted(((when, i) for i, it in enumerate(changes) if (when := moment(at(it, "at"))) is not None))
    for market in markets(tree):
        offered = set(methods_in_use(market.value))
        for change in (changes[i] for _, i in dated if fits(changes[i], market=market.key)):
            method = text(change, "method")
            if method is None or not offered:
                continue
            if text(change, "kind") == "method_launch":
                offered.add(method)
            elif not (offered := offered - {method}):
                what = f"method_withdrawal: without {method} nobody in {market.key} can pay."
                yield change.place.problem(what, "Launch another method before it.")


def payment_events_fit(tree: Mapping) -> Iterator[Problem]:
    """The timeline holds no more rules, attacks, releases and launches than the compiled world does."""
    node = at(tree, "timeline")
    for kind, limit in _MOST.items():
        count = sum(1 for _ in interventions(tree, kind))
        if node is not None and count > limit:
            what = f"timeline: there are {count} interventions of kind {kind}, more than the limit of {limit}."
            yield node.place.problem(what, "Leave some out.")
