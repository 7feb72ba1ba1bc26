"""From a scenario to a world: every name becomes a number, every probability a threshold, every date an instant."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from billing_sim import clock, declines, draws, events, people
from billing_sim import purposes as purpose
from billing_sim.errors import BillingSimError
from billing_sim.money import EXPONENTS
from billing_sim.scenario.model import (
    AccountUpdaterSwitch,
    DunningRule,
    DunningSwitch,
    GatewayOutage,
    PriceChange,
    Scenario,
)
from billing_sim.scenario.values import price_minor
from billing_sim.world import record
from billing_sim.world.apportion import apportion
from billing_sim.world.arrivals import arrivals
from billing_sim.world.paydays import PaydayCalendars
from billing_sim.world.people import cumulative, exact, fill_people
from billing_sim.world.quantiles import DRY_DAYS, STRAINED_DAYS, SUSPICION_HOURS, interpolated
from billing_sim.world.record import MONTHS

PRE_ROLL_DAYS = 45
"""How long before the start base members are simulated, unlogged, to find their steady state. It is the same for every
policy, so that a world with another policy holds the same people with the same luck."""

_MARGIN_DAYS = 70
_FIRST_MOMENT = clock.micros(datetime(1970, 1, 2, tzinfo=UTC))


@dataclass(frozen=True)
class CompiledWorld:
    """The record that rules read, the people still to come, and the names behind the numbers."""

    record: np.recarray
    arrivals: np.ndarray
    markets: tuple[str, ...]
    regions: tuple[str, ...]
    plans: tuple[str, ...]
    gateways: tuple[str, ...]
    policies: tuple[str, ...]
    currencies: tuple[str, ...]
    scenario: Scenario

    @property
    def digest(self) -> str:
        """SHA-256 of everything that decides what happens: the record and the arrivals."""
        names = json.dumps([self.markets, self.plans, self.gateways, self.policies, self.currencies])
        parts = (self.record.tobytes(), self.arrivals.tobytes(), names.encode())
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()

    @property
    def members(self) -> int:
        """Members at the start."""
        return int(self.record.base_count[0].sum())


class _Compiler:
    """Fills one world from one scenario, a table at a time."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.world = record.new_world()
        self.markets = tuple(sorted(scenario.markets))
        self.plans = tuple(scenario.plans)
        self.gateways = tuple(scenario.gateways)
        self.policies = tuple(scenario.dunning_policies)
        self.currencies = tuple(sorted({market.currency for market in scenario.markets.values()}))
        self.start = clock.day_number(scenario.start) * clock.DAY
        self.end = clock.day_number(scenario.end) * clock.DAY
        self.first_day = clock.day_number(scenario.start) - PRE_ROLL_DAYS - _MARGIN_DAYS
        self.calendars = PaydayCalendars(self.first_day)
        self.zones: dict[str, int] = {}

    def compile(self) -> CompiledWorld:
        self._run()
        self._plans_and_prices()
        self._counts()
        for m, code in enumerate(self.markets):
            market = self.scenario.markets[code]
            self.world.code[0, m] = people.market_number(code)
            self.world.zone[0, m] = self._zone(market.time_zone)
            self.world.currency[0, m] = self.currencies.index(market.currency)
            fill_people(self.world, m, market, self.scenario, self.calendars)
        self.world.income_last[0] = self.calendars.last
        self.world.income_next[0] = self.calendars.next
        self._added_churn()
        self._codes()
        self._gateways()
        self._outages()
        self._dunning()
        self._updater()
        regions = tuple(sorted({market.region for market in self.scenario.markets.values()}))
        keys = np.array([self._market_key(code) for code in self.markets], np.int64)
        return CompiledWorld(
            self.world, arrivals(self.scenario, keys), self.markets, regions, self.plans, self.gateways,
            self.policies, self.currencies, self.scenario,
        )  # fmt: skip

    def _market_key(self, code: str) -> int:
        subject = people.subscriber_number(code, 3, 0)
        return int(draws.subject_key(int(self.world.seed_key[0]), subject))

    def _run(self) -> None:
        world, scenario = self.world[0], self.scenario
        world.seed_key = draws.run_key(scenario.seed)
        world.start, world.end = self.start, self.end
        world.pre_roll = self.start - PRE_ROLL_DAYS * clock.DAY
        world.window = scenario.window
        world.first_day = self.first_day
        first = clock.date_of(self.first_day)
        world.first_month = first.year * 12 + first.month - 1
        world.last_month = scenario.end.year * 12 + scenario.end.month - 1
        world.markets = len(self.markets)
        months = np.arange(MONTHS) + int(world.first_month)
        self.world.month_start[0] = (months - 1970 * 12).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        world.billing_from = scenario.billing_hours[0] * 60
        world.billing_minutes = max(1, (scenario.billing_hours[1] - scenario.billing_hours[0]) * 60)
        world.return_lag, world.resolution = scenario.return_lag, scenario.resolution
        world.failover = int(scenario.failover)
        rules, memory, delay = scenario.network_rules, scenario.issuer_memory, scenario.recording_delay
        world.max_attempts, world.attempts_window = rules.max_attempts, rules.window
        world.memory_declines, world.memory_window = memory.declines, memory.window
        for code in rules.never_retry:
            self.world.never_retry[0, declines.CODE_NUMBER[code]] = 1
        for i, code in enumerate(declines.CODES):
            self.world.decline_kind[0, i] = declines.DECLINE_KINDS.index(code.kind)
        anchors = [(Decimal(0), delay.p50 // 4), (Decimal("0.5"), delay.p50), (Decimal("0.99"), delay.p99), (Decimal(1), delay.max)]
        self.world.delay[0] = interpolated(anchors)
        self.world.dry_days[0] = DRY_DAYS
        self.world.strained_days[0] = STRAINED_DAYS
        self.world.suspicion_hours[0] = SUSPICION_HOURS

    def _zone(self, name: str) -> int:
        if name not in self.zones:
            number = self.zones[name] = len(self.zones)
            if number == record.ZONES:
                raise BillingSimError(f"more than {record.ZONES} time zones in one scenario")
            end = self.end + (_MARGIN_DAYS + 400) * clock.DAY
            found = clock.transitions(name, self.first_day * clock.DAY, end)
            self.world.zone_count[0, number] = len(found)
            self.world.zone_at[0, number, : len(found)] = [at for at, _ in found]
            self.world.zone_offset[0, number, : len(found)] = [offset for _, offset in found]
        return self.zones[name]

    def _plans_and_prices(self) -> None:
        for p, plan in enumerate(self.scenario.plans.values()):
            self.world.plan_months[0, p] = 12 if plan.interval == "year" else 1
        for m, code in enumerate(self.markets):
            market = self.scenario.markets[code]
            mix = [market.plan_mix.get(plan, Decimal(0)) for plan in self.plans]
            self.world.plan_mix[0, m] = cumulative(mix, record.PLANS)
            for plan, price in market.prices.items():
                self._add_price(m, plan, price, _FIRST_MOMENT, _FIRST_MOMENT)
        changes = [entry for entry in self.scenario.timeline if isinstance(entry, PriceChange)]
        for change in sorted(changes, key=lambda entry: entry.at):
            at = clock.day_number(change.at) * clock.DAY
            for m in self._named(change.market):
                for plan, price in change.prices.items():
                    if plan in self.scenario.markets[self.markets[m]].prices:
                        self._add_price(m, plan, price, at, at + change.notice)

    def _add_price(self, m: int, plan: str, price: str | int, new_from: int, members_from: int) -> None:
        market, p = self.scenario.markets[self.markets[m]], self.plans.index(plan)
        i = int(self.world.price_count[0, m, p])
        if i == record.EPOCHS:
            raise BillingSimError(f"more than {record.EPOCHS} prices of {plan} in market {self.markets[m]}")
        listed, rate = price_minor(price, market.currency), market.tax.rate
        if market.tax.included:
            due, tax = listed, int((listed * rate / (1 + rate)).to_integral_value())
        else:
            tax = int((listed * rate).to_integral_value())
            due = listed + tax
        if self.reporting_factor(market.currency) * due >= 1 << 62:
            raise BillingSimError(f"the price of {plan} in market {self.markets[m]} is too large to be reported exactly")
        self.world.price_count[0, m, p] = i + 1
        self.world.price_new_from[0, m, p, i], self.world.price_members_from[0, m, p, i] = new_from, members_from
        self.world.price[0, m, p, i], self.world.price_tax[0, m, p, i] = due, tax

    def reporting_factor(self, currency: str) -> int:
        """Millionths of the reporting currency per minor unit, times 10^9."""
        rate = self.scenario.rate(currency)
        return int(rate.scaleb(9 + 6 - EXPONENTS[currency]))

    def _counts(self) -> None:
        shares = [exact(self.scenario.markets[code].members) for code in self.markets]
        counts = apportion(self.scenario.members, shares)
        self.world.base_count[0, : len(counts)] = counts
        for m, code in enumerate(self.markets):
            share = self.scenario.markets[code].behaviour.former_members
            self.world.former_count[0, m] = int(share * counts[m])

    def _named(self, codes: list[str]) -> list[int]:
        return [m for m, code in enumerate(self.markets) if not codes or code in codes]

    def _added_churn(self) -> None:
        """What price rises add to the hazard of leaving, from the moment people are told, decaying by the month."""
        for change in self.scenario.timeline:
            if not isinstance(change, PriceChange):
                continue
            month = change.at.year * 12 + change.at.month - 1 - int(self.world.first_month[0])
            for m in self._named(change.market):
                points = change.added_churn.points
                if points is None:
                    points = self._published_response(self.markets[m], clock.day_number(change.at))
                months = change.added_churn.months
                for i in range(min(months, MONTHS - month)):
                    self.world.leave_added[0, m, month + i] += draws.threshold(points * (months - i) / months)

    def _published_response(self, market: str, day: int) -> Decimal:
        """No effect in 60 % of rises, else 0.3 to 1.0 points: Antenna saw none in two of three US rises (2019-2022)."""
        u = int(draws.draw(self._market_key(market), purpose.PRICE_RESPONSE, day))
        share = Decimal(u) / draws.ONE
        return Decimal(0) if share < Decimal("0.6") else Decimal("0.003") + (share - Decimal("0.6")) / Decimal("0.4") * Decimal("0.007")

    def _codes(self) -> None:
        for cause in range(1, len(declines.CAUSES)):
            name = declines.CAUSES[cause][0]
            for kind in range(1, record.KINDS):
                table = self.scenario.decline_codes
                codes = table.get(f"{name}@{events.METHOD_KINDS[kind]}") or table.get(name)
                if codes:
                    self.world.code_count[0, cause, kind] = len(codes)
                    self.world.code_mix[0, cause, kind] = cumulative(list(codes.values()), record.CODE_SLOTS)
                    numbers = [declines.CODE_NUMBER[code] for code in codes]
                    self.world.code_value[0, cause, kind, : len(codes)] = numbers

    def _gateways(self) -> None:
        self.world.gateways[0] = len(self.gateways)
        for g, gateway in enumerate(self.scenario.gateways.values()):
            p50, p95, p99 = (value // 1000 for value in (gateway.latency.p50, gateway.latency.p95, gateway.latency.p99))
            anchors = [(Decimal(0), p50 // 3), (Decimal("0.5"), p50), (Decimal("0.95"), p95), (Decimal("0.99"), p99)]
            self.world.latency[0, g] = interpolated([*anchors, (Decimal(1), p99 * 3 // 2)])
            self.world.timeout[0, g] = draws.threshold(gateway.timeout)
        for rule in self.scenario.routing:
            weights = cumulative([rule.use.get(name, Decimal(0)) for name in self.gateways], record.GATEWAYS)
            for m in self._named(list(rule.market)):
                for kind in range(1, record.KINDS):
                    if not rule.method or events.METHOD_KINDS[kind] in rule.method:
                        self.world.route[0, m, kind] = weights

    def _outages(self) -> None:
        outages = [entry for entry in self.scenario.timeline if isinstance(entry, GatewayOutage)]
        if len(outages) > record.OUTAGES:
            raise BillingSimError(f"more than {record.OUTAGES} gateway outages in one scenario")
        last: dict[tuple[int, int], int] = {}
        slot = 0
        for outage in outages:
            begin, gateway = clock.micros(outage.at), self.gateways.index(outage.gateway)
            for day in range(begin // clock.DAY, (begin + outage.duration - 1) // clock.DAY + 1):
                if slot == record.OUTAGES:
                    raise BillingSimError(f"gateway outages cover more than {record.OUTAGES} days in all")
                # A chain per gateway and day; numbers are one more than the slot, 0 ends the chain.
                place = (gateway, day - self.first_day)
                self.world.outage_next[0, slot] = last.get(place, 0)
                self.world.outage_first[0][place] = last[place] = slot + 1
                self.world.outage_start[0, slot] = begin
                self.world.outage_end[0, slot] = begin + outage.duration
                self.world.outage_share[0, slot] = draws.threshold(outage.failing)
                slot += 1

    def _dunning(self) -> None:
        for i, policy in enumerate(self.scenario.dunning_policies.values()):
            self.world.retry_count[0, i] = len(policy.retries)
            self.world.retry_after[0, i, : len(policy.retries)] = policy.retries
            self.world.retry_hour[0, i] = -1 if policy.retry_hour is None else policy.retry_hour
            self.world.notice_count[0, i] = len(policy.notices)
            self.world.notice_after[0, i, : len(policy.notices)] = policy.notices
            self.world.grace[0, i], self.world.dunning_end[0, i] = policy.grace, policy.end
            self.world.use_backup[0, i] = int(policy.use_backup)
            for kind in policy.stop_on:
                self.world.stop_on[0, i, declines.DECLINE_KINDS.index(kind)] = 1
        switches = [entry for entry in self.scenario.timeline if isinstance(entry, DunningSwitch)]
        epochs = [(0, self.scenario.dunning)] + [(clock.micros(s.at), s.dunning) for s in sorted(switches, key=lambda s: s.at)]
        if len(epochs) > record.EPOCHS:
            raise BillingSimError(f"more than {record.EPOCHS - 1} dunning switches in one scenario")
        self.world.policy_epochs[0] = len(epochs)
        for i, (at, rules) in enumerate(epochs):
            self.world.policy_from[0, i] = at
            if i:
                self.world.policy_for[0, i] = self.world.policy_for[0, i - 1]
            self._fill_rules(i, rules)

    def _fill_rules(self, epoch: int, rules: list[DunningRule]) -> None:
        for rule in rules:
            number = self.policies.index(rule.use)
            for m in self._named(list(rule.market)):
                for kind in range(1, record.KINDS):
                    if rule.method and events.METHOD_KINDS[kind] not in rule.method:
                        continue
                    for decline in range(3):
                        if not rule.decline or declines.DECLINE_KINDS[decline] in rule.decline:
                            self.world.policy_for[0, epoch, m, kind, decline] = number

    def _updater(self) -> None:
        for m in range(len(self.markets)):
            self.world.updater_count[0, m] = 1
            self.world.updater_on[0, m, 0] = int(self.scenario.account_updater == "on")
        switches = [entry for entry in self.scenario.timeline if isinstance(entry, AccountUpdaterSwitch)]
        for switch in sorted(switches, key=lambda entry: entry.at):
            for m in self._named(switch.market):
                i = int(self.world.updater_count[0, m])
                if i == record.EPOCHS:
                    raise BillingSimError(f"more than {record.EPOCHS - 1} account updater switches in one market")
                self.world.updater_count[0, m] = i + 1
                self.world.updater_from[0, m, i] = clock.micros(switch.at)
                self.world.updater_on[0, m, i] = int(switch.switched == "on")


def compile_world(scenario: Scenario) -> CompiledWorld:
    """Compile a checked scenario; raises BillingSimError where a fixed capacity of the world is exceeded."""
    return _Compiler(scenario).compile()
