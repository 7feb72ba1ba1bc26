"""Money: currencies exist, prices are whole minor units of them, nothing can outgrow 64 bits."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from billing_sim.errors import Problem
from billing_sim.money import EXPONENTS
from billing_sim.scenario.checks.read import day, interventions, markets, whole
from billing_sim.scenario.layers import suggestion
from billing_sim.scenario.nodes import Entry, Mapping, Node, Place, Scalar, at, entries, text, texts
from billing_sim.scenario.values import YEARS_MAX, price_minor

REVENUE_LIMIT = 1 << 62
"""What the members of a scenario may pay in all, in minor units, so that sums stay inside 64 bits."""

_SHIPPED_IN = "USD"
"""The currency of the exchange rates in defaults.yaml."""


def currencies_exist(tree: Mapping) -> Iterator[Problem]:
    """Every currency is one of ISO 4217."""
    for owner, key in ((tree, "reporting_currency"), *((market.value, "currency") for market in markets(tree))):
        code, node = text(owner, key), at(owner, key)
        if node is not None and code is not None and code not in EXPONENTS:
            yield _unknown_currency(f"{key}: {code}", code, node.place)
    for entry in entries(tree, "exchange_rates"):
        if entry.key not in EXPONENTS:
            yield _unknown_currency(f"exchange_rates: {entry.key}", entry.key, entry.place)


def exchange_rates_are_complete(tree: Mapping) -> Iterator[Problem]:
    """There is a rate for the currency of every market, and that of the reporting currency is 1."""
    rates = {entry.key: entry for entry in entries(tree, "exchange_rates")}
    reporting = text(tree, "reporting_currency")
    for market in markets(tree):
        code, node = text(market.value, "currency"), at(market.value, "currency")
        if node is not None and code in EXPONENTS and code != reporting and code not in rates:
            remedy = f"Add {code} to exchange_rates: how many {reporting} one {code} is worth."
            yield node.place.problem(f"currency: there is no exchange rate for {code}.", remedy)
    own = rates.get(reporting or "")
    # A shipped one, in dollars, is not used: a unit of the reporting currency is always worth 1.
    if (
        own
        and not own.place.is_shipped
        and isinstance(own.value, Scalar)
        and isinstance(own.value.value, int | Decimal)
        and own.value.value != 1
    ):
        yield own.value.place.problem(
            f"exchange_rates: {reporting} is the reporting currency, so its rate is 1.",
            "Write 1, and the other rates in units of it.",
        )


def shipped_rates_are_in_the_reporting_currency(tree: Mapping) -> Iterator[Problem]:
    """The shipped rates are in US dollars: where it is reported in something else, those in use are the file's own."""
    node, rates = at(tree, "reporting_currency"), {entry.key: entry for entry in entries(tree, "exchange_rates")}
    reporting = text(tree, "reporting_currency")
    if node is None or node.place.is_shipped:
        return
    used = sorted({code for market in markets(tree) for code in _currency(market)} - {reporting})
    shipped = [code for code in used if code in rates and rates[code].place.is_shipped]
    if shipped and reporting != _SHIPPED_IN:
        what = f"reporting_currency: the shipped exchange rates are in {_SHIPPED_IN}, not in {reporting}."
        named = ", ".join(shipped[:5]) + (", ..." if len(shipped) > 5 else "")
        yield node.place.problem(
            what, f"Write under exchange_rates how many {reporting} one of each is worth: {named}."
        )


def changed_rates_are_in_use(tree: Mapping) -> Iterator[Problem]:
    """A change of an exchange rate is for a market's currency, not the reporting one, and the only one of its day."""
    reporting = text(tree, "reporting_currency")
    used = sorted({code for market in markets(tree) for code in _currency(market)} - {reporting})
    seen = set()
    for change in interventions(tree, "exchange_rate"):
        code, node, on = text(change, "currency"), at(change, "currency"), day(at(change, "at"))
        if node is None or code is None:
            continue
        if code == reporting:
            what = f"currency: {code} is the reporting currency, so its rate is always 1."
            yield node.place.problem(what, "Leave the entry out.")
        elif code not in used:
            yield node.place.problem(
                f"currency: no market has the currency {code}.", suggestion(code, used, "Currencies are")
            )
        elif on and (code, on) in seen:
            yield node.place.problem(f"currency: {code} has two rates from {on} on.", "Leave one of them out.")
        seen.add((code, on))


def prices_are_amounts(tree: Mapping) -> Iterator[Problem]:
    """Every price is a whole number of minor units of its market's currency."""
    for entry, currency in _prices(tree):
        try:
            _minor(entry.value, currency)
        except ValueError as error:
            yield entry.value.place.refusal("price", error)


def plans_are_priced(tree: Mapping) -> Iterator[Problem]:
    """Prices and mixes name plans that exist, and every plan in a market's mix has a price there."""
    plans = [plan.key for plan in entries(tree, "plans")]
    changes = list(interventions(tree, "price_change"))
    for owner in (*(market.value for market in markets(tree)), *changes):
        for key in ("prices", "plan_mix"):
            for entry in entries(owner, key):
                if entry.key not in plans:
                    what = f"{key}: there is no plan {entry.key}."
                    yield entry.place.problem(what, suggestion(entry.key, plans, "Plans are"))
    for market in markets(tree):
        prices = [entry.key for entry in entries(market.value, "prices")]
        for entry in entries(market.value, "plan_mix"):
            if entry.key in plans and entry.key not in prices:
                what = f"{market.key} sells the plan {entry.key} without a price."
                yield entry.place.problem(what, f"Add {entry.key} to the prices of {market.key}.")


def changed_prices_are_sold(tree: Mapping) -> Iterator[Problem]:
    """A price change names plans that the markets it is for sell."""
    plans = {plan.key for plan in entries(tree, "plans")}
    for change in interventions(tree, "price_change"):
        for entry in entries(change, "prices"):
            missing = [m.key for m in _markets_of(tree, change) if at(m.value, "prices", entry.key) is None]
            if entry.key in plans and missing:
                what = f"prices: {entry.key} is not sold in {', '.join(missing[:5])}."
                yield entry.place.problem(what, "Name the markets that sell it under `market`.")


def prices_change_once_a_day(tree: Mapping) -> Iterator[Problem]:
    """No plan has two new prices in a market from one day on."""
    seen: set[tuple[str, str, object]] = set()
    for change in interventions(tree, "price_change"):
        on = day(at(change, "at"))
        for entry in entries(change, "prices"):
            again = [m.key for m in _markets_of(tree, change) if (m.key, entry.key, on) in seen]
            if on and again:
                what = f"prices: {entry.key} has two new prices in {', '.join(again[:5])} from {on} on."
                yield entry.place.problem(what, "Leave one of them out.")
            seen.update((market.key, entry.key, on) for market in _markets_of(tree, change))


def revenue_can_be_counted(tree: Mapping) -> Iterator[Problem]:
    """Members times price times months stays inside what 64 bits can count."""
    members = whole(at(tree, "members")) or 0
    for entry, currency in _prices(tree):
        try:
            minor = _minor(entry.value, currency) or 0
        except ValueError:
            continue
        if members * minor * 12 * YEARS_MAX > REVENUE_LIMIT:
            limit = REVENUE_LIMIT // (members * 12 * YEARS_MAX)
            what = f"price: {members:,} members paying {minor:,} minor units a month are more than can be counted."
            yield entry.value.place.problem(what, f"Write a price of at most {limit:,} minor units, or fewer members.")


def _unknown_currency(what: str, code: str, place: Place) -> Problem:
    return place.problem(f"{what} is not a currency of ISO 4217.", suggestion(code, EXPONENTS, "Currencies are"))


def _markets_of(tree: Mapping, change: Node) -> list[Entry]:
    chosen = [name for name, _ in texts(change, "market")]
    return [market for market in markets(tree) if not chosen or market.key in chosen]


def _prices(tree: Mapping) -> Iterator[tuple[Entry, str]]:
    """Every price with the known currency it is meant in: list prices, then those that the timeline changes to."""
    for market in markets(tree):
        for entry in entries(market.value, "prices"):
            yield from ((entry, code) for code in _currency(market))
    for change in interventions(tree, "price_change"):
        for market in _markets_of(tree, change):
            for entry in entries(change, "prices"):
                yield from ((entry, code) for code in _currency(market))


def _currency(market: Entry) -> list[str]:
    code = text(market.value, "currency")
    return [code] if code in EXPONENTS else []


def _minor(node: Node, currency: str) -> int | None:
    """The price in minor units; None for what is no price by its type, ValueError for one that cannot be charged."""
    value = node.value if isinstance(node, Scalar) else None
    return None if isinstance(value, bool | None) else price_minor(value, currency)
