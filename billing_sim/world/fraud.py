"""Authentication, the fraud screen, attacks, releases and offered methods, as thresholds and instants."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar

import numpy as np

from billing_sim import clock, events
from billing_sim.draws import threshold
from billing_sim.errors import BillingSimError
from billing_sim.scenario.fraud import (
    Authentication,
    AuthenticationRule,
    CardTesting,
    Deploy,
    Fraud,
    FraudRule,
    MethodLaunch,
    MethodWithdrawal,
    Scores,
)
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.parts import MethodKind
from billing_sim.world.names import Names
from billing_sim.world.people import by_kind, cumulative
from billing_sim.world.quantiles import interpolated
from billing_sim.world.record import ATTACKS, BINS, DEPLOYS, EPOCHS, KINDS, QUANTILES

T = TypeVar("T")
_HALF = Decimal("0.5")
_LATEST = 2
"""The latest of durations, as a multiple of their 95th percentile."""
NO_AUTHENTICATION = Authentication.model_validate({"required": 0})
_SCREENS = ("signup", "member", "renewal")

# Assumed: a risk assessment takes a second or two, a customer at a challenge most of a minute; milliseconds.
FRICTIONLESS_MS = interpolated([(Decimal(0), 300), (_HALF, 1200), (Decimal("0.95"), 4000), (Decimal(1), 9000)])
CHALLENGE_MS = interpolated([(Decimal(0), 6000), (_HALF, 35_000), (Decimal("0.95"), 150_000), (Decimal(1), 300_000)])


def _of(names: Names, kind: type[T]) -> list[T]:
    """The entries of the timeline of one kind, in the order of their moments."""
    found = [entry for entry in names.scenario.timeline if isinstance(entry, kind)]
    return sorted(found, key=lambda entry: entry.at)  # type: ignore[attr-defined]


def _epoch(counts: np.ndarray, m: int, what: str) -> int:
    """The next free epoch of a market, counted."""
    i = int(counts[m])
    if i == EPOCHS:
        raise BillingSimError(f"more than {EPOCHS - 1} changes of {what} in one market")
    counts[m] = i + 1
    return i


def authentication_of(names: Names, market: str) -> Authentication | None:
    """How customers of a market authenticate at the start, if they do."""
    return names.scenario.markets[market].behaviour.authentication or names.scenario.authentication


def changed_by(current: Authentication | None, rule: AuthenticationRule) -> Authentication:
    """Authentication from a rule on; where there was none, nothing was required."""
    current = current or NO_AUTHENTICATION
    given = {key: getattr(rule, key) for key in Authentication.model_fields if getattr(rule, key) is not None}
    return current.model_copy(update=given)


def fill_authentication(world: np.recarray, names: Names) -> None:
    """How customers authenticate in each market, and from when on."""
    world.frictionless_ms[0], world.challenge_ms[0] = FRICTIONLESS_MS, CHALLENGE_MS
    for m, market in enumerate(names.markets):
        current = authentication_of(names, market)
        if current is not None:
            _fill_authentication(world, m, 0, current)
        for rule in _of(names, AuthenticationRule):
            if not rule.market or market in rule.market:
                if current is None:
                    _fill_authentication(world, m, 0, NO_AUTHENTICATION)
                current = changed_by(current, rule)
                _fill_authentication(world, m, clock.micros(rule.at), current)


def _fill_authentication(world: np.recarray, m: int, at: int, it: Authentication) -> None:
    i = _epoch(world.sca_count[0], m, "authentication")
    world.sca_from[0, m, i] = at
    world.sca_required[0, m, i] = threshold(it.required * (1 - it.exempt))
    world.sca_frictionless[0, m, i] = threshold(it.frictionless)
    world.sca_passed[0, m, i] = threshold(it.challenge.passed)
    world.sca_failed[0, m, i] = threshold(min(it.challenge.passed + it.challenge.failed, Decimal(1)))
    world.sca_asked[0, m, i] = threshold(it.renewals_asked)


def score_table(scores: Scores) -> list[int]:
    """Scores at 257 equally spaced probabilities; between two of them a score lies on a straight line."""
    points = [
        (Decimal(0), 0), (Decimal("0.1"), scores.p10), (_HALF, scores.p50), (Decimal("0.9"), scores.p90),
        (Decimal("0.99"), scores.p99), (Decimal(1), 999),
    ]  # fmt: skip
    table, segment = [], 0
    for i in range(QUANTILES + 1):
        p = Decimal(i) / QUANTILES
        while p > points[segment + 1][0]:
            segment += 1
        (p0, v0), (p1, v1) = points[segment], points[segment + 1]
        # Whole numbers would lose the tail, where a slice of 1/256 spans many scores: 16 bits more.
        table.append(int((v0 + (v1 - v0) * (p - p0) / (p1 - p0)) * 65536))
    return table


def _times(p50: int, p95: int) -> list[int]:
    """Quantiles of a duration of which the median and the 95th percentile are known."""
    anchors = [(Decimal(0), max(p50 // 8, 1)), (_HALF, p50), (Decimal("0.95"), p95)]
    return interpolated([*anchors, (Decimal(1), p95 * _LATEST)])


def fill_fraud(world: np.recarray, names: Names) -> None:
    """Who is a fraudster, what the screen gives them for a score, and its thresholds over time."""
    given = names.scenario.fraud
    fraud = given or Fraud.model_validate({})
    world.fraud_works[0] = threshold(fraud.works)
    world.fraud_score[0] = score_table(fraud.good_scores), score_table(fraud.bad_scores)
    world.fraud_noticed[0] = _times(fraud.noticed.p50, fraud.noticed.p95)
    world.review_time[0] = _times(fraud.review.p50, fraud.review.p95)
    world.review_rejects[0] = threshold(fraud.review.rejects_good), threshold(fraud.review.rejects_bad)
    world.fraud_screens[0] = [int(name in fraud.screens) for name in _SCREENS]
    for m, market in enumerate(names.markets):
        if given is not None and (not given.market or market in given.market):
            own = names.scenario.markets[market].behaviour.fraudulent_signups
            world.fraud_signups[0, m] = threshold(fraud.signups if own is None else own)
            _fill_thresholds(world, m, 0, fraud.block_above, fraud.review_above)
            _fill_rules(world, names, m, market)


def _fill_rules(world: np.recarray, names: Names, m: int, market: str) -> None:
    for rule in _of(names, FraudRule):
        if not rule.market or market in rule.market:
            last = int(world.fraud_count[0, m]) - 1
            block, review = int(world.fraud_block[0, m, last]), int(world.fraud_review[0, m, last])
            block = block if rule.block_above is None else rule.block_above
            review = review if rule.review_above is None else rule.review_above
            _fill_thresholds(world, m, clock.micros(rule.at), block, review)


def _fill_thresholds(world: np.recarray, m: int, at: int, block: int, review: int) -> None:
    i = _epoch(world.fraud_count[0], m, "the fraud screen")
    world.fraud_from[0, m, i], world.fraud_block[0, m, i], world.fraud_review[0, m, i] = at, block, review


def _gateway(names: Names, name: str | None) -> int:
    return -1 if name is None else names.gateways.index(name)


def _mark(table: np.ndarray, names: Names, market: Sequence[str]) -> None:
    table[names.places(list(market))] = 1


def fill_attacks(world: np.recarray, names: Names) -> None:
    """Card-testing attacks: when, where, with which cards, and when the screen has learned."""
    attacks = _of(names, CardTesting)
    _fit(len(attacks), ATTACKS, "card-testing attacks")
    world.attacks[0] = len(attacks)
    for i, attack in enumerate(attacks):
        at = clock.micros(attack.at)
        world.attack_from[0, i], world.attack_until[0, i] = at, at + attack.duration
        world.attack_gateway[0, i] = _gateway(names, attack.gateway)
        world.attack_method[0, i] = events.METHOD_KINDS.index(attack.method)
        world.attack_concentration[0, i] = threshold(attack.concentration)
        world.attack_declined[0, i] = threshold(attack.declined)
        world.attack_learned[0, i] = clock.NEVER if attack.learned_after is None else at + attack.learned_after
        world.attack_blocked[0, i] = threshold(attack.then_blocked)
        _mark(world.attack_market[0, i], names, attack.market)
        if attack.bin is not None:
            world.attack_bin[0, i] = names.bins.index(attack.bin)
            world.attack_bin_share[0, i] = threshold(attack.bin_share)
            world.attack_refused[0, i] = threshold(attack.refused)
            world.attack_wary_until[0, i] = at + attack.duration + attack.refused_for


def fill_bins(world: np.recarray, names: Names) -> None:
    """How cards divide into BIN ranges, in the markets that say so."""
    for m, code in enumerate(names.markets):
        mix = names.scenario.markets[code].behaviour.card_bins
        if mix:
            world.bins[0] = 1
            world.bin_mix[0, m] = cumulative(list(mix.values()), BINS)
            world.bin_label[0, m, : len(mix)] = [names.bins.index(name) for name in mix]


def fill_deploys(world: np.recarray, names: Names) -> None:
    """Releases that do harm; the others only have an announcement."""
    deploys = [it for it in _of(names, Deploy) if it.declines or it.double_charges]
    _fit(len(deploys), DEPLOYS, "faulty releases")
    world.deploys[0] = len(deploys)
    for i, deploy in enumerate(deploys):
        at = clock.micros(deploy.at)
        world.deploy_from[0, i] = at
        world.deploy_until[0, i] = clock.NEVER if deploy.duration is None else at + deploy.duration
        world.deploy_gateway[0, i] = _gateway(names, deploy.gateway)
        world.deploy_declines[0, i] = threshold(deploy.declines)
        world.deploy_doubles[0, i] = threshold(deploy.double_charges)
        _mark(world.deploy_market[0, i], names, deploy.market)


def longest_pending(scenario: Scenario) -> int:
    """How long a payment stays pending at most: until a voucher expires, or a bank answers for an e-mandate."""
    found, debits = 0, scenario.mandate_debits
    if _is_used(scenario, "voucher"):
        found = scenario.voucher_valid
    if debits is not None and debits.pending and _is_used(scenario, "a2a_emandate"):
        found = max(found, debits.notice + _LATEST * debits.p95)
    return found


def _is_used(scenario: Scenario, method: MethodKind) -> bool:
    """Whether anybody may pay like that."""
    launched = any(isinstance(it, MethodLaunch) and it.method == method for it in scenario.timeline)
    return launched or any(it.behaviour.method_mix.get(method) for it in scenario.markets.values())


def fill_methods(world: np.recarray, names: Names) -> None:
    """How new methods divide after launches and withdrawals, when a withdrawn one is refused, and what is paid late."""
    world.voucher_valid[0] = names.scenario.voucher_valid
    debits = names.scenario.mandate_debits
    if debits is not None:
        world.mandate_pending[0] = threshold(debits.pending)
        world.mandate_notice[0] = debits.notice
        world.mandate_answer[0] = _times(debits.p50, debits.p95)
    changes = [it for it in names.scenario.timeline if isinstance(it, MethodLaunch | MethodWithdrawal)]
    for m, market in enumerate(names.markets):
        mix = by_kind(names.scenario.markets[market].behaviour.method_mix)
        here = [it for it in changes if not it.market or market in it.market]
        if here:
            _fill_mix(world, m, 0, mix)
        for change in sorted(here, key=lambda it: it.at):
            kind = events.METHOD_KINDS.index(change.method)
            share = change.share if isinstance(change, MethodLaunch) else Decimal(0)
            mix = shifted(mix, kind, share)
            _fill_mix(world, m, clock.micros(change.at), mix)
            if isinstance(change, MethodWithdrawal):
                world.withdrawals[0] = 1
                # From the first time on; whether it is offered again, the mix says.
                world.withdrawn_at[0, m, kind] = world.withdrawn_at[0, m, kind] or clock.micros(change.at)


def shifted(mix: list[Decimal], kind: int, share: Decimal) -> list[Decimal]:
    """A mix in which one kind has this share, and the others divide the rest as they did before."""
    rest = sum(mix, Decimal(0)) - mix[kind]
    if not rest:
        return mix
    return [share if i == kind else (1 - share) * part / rest for i, part in enumerate(mix)]


def _fill_mix(world: np.recarray, m: int, at: int, mix: list[Decimal]) -> None:
    i = _epoch(world.mix_count[0], m, "the methods offered")
    world.mix_from[0, m, i] = at
    table = cumulative(mix, KINDS)
    last = max(kind for kind, share in enumerate(mix) if share)
    # Divided shares may miss 100 % by a rounding: whoever is left has the last kind in use, never one beyond it.
    table[last:] = cumulative([Decimal(1)], KINDS)[0]
    world.mix[0, m, i] = table


def _fit(count: int, limit: int, what: str) -> None:
    if count > limit:
        raise BillingSimError(f"more than {limit} {what} in one scenario")
