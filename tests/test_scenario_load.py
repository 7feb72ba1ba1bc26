"""Loading: what comes out of a good file, the shipped ones, and how long it may take."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from billing_sim.clock import DAY, HOUR
from billing_sim.money import EXPONENTS
from billing_sim.scenario import Loaded, check, load
from billing_sim.scenario.behaviour import Behaviour
from billing_sim.scenario.checks.names import locales
from billing_sim.scenario.dunning import DunningPolicy
from billing_sim.scenario.interventions import GatewayOutage, PriceChange
from billing_sim.scenario.layers import shipped
from billing_sim.scenario.meaning import CHECKS
from billing_sim.scenario.nodes import entries, plain
from billing_sim.scenario.parts import CAPACITY
from billing_sim.scenario.values import price_minor, read_duration, read_moment

SHIPPED = sorted(Path("scenarios").glob("*.yaml")) if Path("scenarios").is_dir() else []
SMALL = """\
name: small
start: 2025-01-01
end: 2025-03-01
members: 100
plans: {standard: {name: Standard}}
markets:
  NO:
    name: Norway
    region: EMEA
    currency: NOK
    time_zone: Europe/Oslo
    locale: no_NO
    members: 100%
    tax: {rate: 25%, included: true}
    prices: {standard: 129 NOK}
    plan_mix: {standard: 100%}
    behaviour: {voluntary_churn: 2.1% per month}
timeline:
  - {kind: gateway_outage, at: 2025-01-20 06:00, gateway: northpay, duration: 3 hours, failing: 0.85}
  - {kind: price_change, at: 2025-02-01, prices: {standard: 13900}}
"""


@pytest.fixture
def small(tmp_path: Path) -> Loaded:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return load(path)


def test_a_small_file_becomes_a_whole_scenario(small: Loaded) -> None:
    """Norway stays Norway, numbers are exact, the rest comes from the defaults."""
    scenario = small.scenario
    norway = scenario.markets["NO"]
    assert (scenario.start, scenario.end, scenario.members) == (date(2025, 1, 1), date(2025, 3, 1), 100)
    assert norway.behaviour.voluntary_churn == Decimal("0.021")
    assert price_minor(norway.prices["standard"], norway.currency) == 12_900
    outage, change = scenario.timeline
    assert isinstance(outage, GatewayOutage)
    assert isinstance(change, PriceChange)
    assert (outage.at, outage.duration) == (datetime(2025, 1, 20, 6, tzinfo=UTC), 3 * HOUR)
    assert (outage.failing, change.notice, change.added_churn.points) == (Decimal("0.85"), 30 * DAY, None)
    assert set(scenario.dunning_policies) == {"netflix_like", "direct_debit", "partner_billed"}


def test_the_source_is_the_file_byte_for_byte(small: Loaded) -> None:
    """Comments, order and line ends included: it is what a run keeps."""
    assert small.source == SMALL.encode()
    assert small.path.name == "small.yaml"


def test_an_extended_file_differs_in_what_it_says(tmp_path: Path) -> None:
    """One changed key of one market, and the timeline replaced whole."""
    (tmp_path / "small.yaml").write_text(SMALL)
    path = tmp_path / "child.yaml"
    path.write_text("extends: small.yaml\nname: child\nmarkets: {NO: {behaviour: {attention: 1%}}}\ntimeline: []\n")
    base, child = load(tmp_path / "small.yaml").scenario, load(path).scenario
    behaviour = base.markets["NO"].behaviour.model_copy(update={"attention": Decimal("0.01")})
    market = base.markets["NO"].model_copy(update={"behaviour": behaviour})
    assert child == base.model_copy(update={"name": "child", "timeline": [], "markets": {"NO": market}})


def test_an_extended_file_kept_as_one_says_the_same(tmp_path: Path) -> None:
    """Also where a layer takes away what the defaults give: null is kept, or they would come back."""
    (tmp_path / "small.yaml").write_text(SMALL + 'decline_codes:\n  expired: {"54": 100%, "05": null, "14": null}\n')
    path = tmp_path / "child.yaml"
    path.write_text("extends: small.yaml\nname: child\n")
    found = load(path)
    (tmp_path / "whole.yaml").write_bytes(found.whole)
    assert b"null" in found.whole
    assert load(tmp_path / "whole.yaml").scenario == found.scenario


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_scenarios_are_good(path: Path) -> None:
    assert [str(problem) for problem in check(path)] == []


def test_shipped_regions_and_presets_are_whole() -> None:
    """Every region holds a full behaviour and every preset a full policy, also those that no scenario uses."""
    defaults, policies = shipped("defaults.yaml"), shipped("dunning_presets.yaml")
    regions = {entry.key: Behaviour.model_validate(plain(entry.value)) for entry in entries(defaults, "regions")}
    presets = {entry.key: DunningPolicy.model_validate(plain(entry.value)) for entry in entries(policies)}
    assert "OTHER" in regions
    assert {"netflix_like", "generic", "smart"} <= set(presets)
    for behaviour in regions.values():
        assert sum(behaviour.method_mix.values()) == 1
        assert sum(calendar.share for calendar in behaviour.paydays) == 1


def test_every_preset_can_be_used(tmp_path: Path) -> None:
    """A scenario that names them all has no problem with any."""
    rules = [f"  - {{use: {entry.key}}}\n" for entry in entries(shipped("dunning_presets.yaml"))]
    path = tmp_path / "all.yaml"
    path.write_text(SMALL + "dunning:\n" + "".join(rules))
    assert check(path) == []
    assert len(load(path).scenario.dunning_policies) == len(rules)


def test_what_is_said_of_a_preset_is_not_said_of_what_is_made_of_it(tmp_path: Path) -> None:
    """A schedule of one's own once had the source of the one that it began with."""
    path = tmp_path / "own.yaml"
    own = "dunning_policies: {mine: {preset: netflix_like, retries: [4 days]}}\n"
    own += "dunning: [{use: mine}, {use: netflix_like}]\n"
    path.write_text(SMALL + own)
    policies = load(path).scenario.dunning_policies
    assert (policies["mine"].about, policies["mine"].source) == ("", "")
    assert policies["netflix_like"].source
    assert policies["mine"].grace == policies["netflix_like"].grace


def test_a_large_file_loads_quickly(tmp_path: Path) -> None:
    """Six hundred lines, forty markets: a fraction of a second, defaults read afresh."""
    head, _, rest = SMALL.partition("markets:\n")
    market = rest.partition("timeline:")[0].replace("100%\n    tax", "2.5%\n    tax")
    currencies = sorted({"NOK", "EUR", "USD", "JPY"} & set(EXPONENTS))
    lines = ""
    for number in range(40):
        currency = currencies[number % 4]
        one = market.replace("129 NOK", f"1000 {currency}").replace("currency: NOK", f"currency: {currency}")
        one = one.replace("NO:", f"M{number:02}:").replace("Norway", f"Country {number}")
        lines += one + "    signups:\n      per_month: 2%\n      growth_per_year: 1%\n"
    path = tmp_path / "large.yaml"
    path.write_text(head + "markets:\n" + lines)
    assert len(path.read_text().splitlines()) > 560
    shipped.cache_clear()
    started = time.perf_counter()
    assert len(load(path).scenario.markets) == 40
    assert time.perf_counter() - started < 1.5, "0.2 s on an idle machine"


def test_importing_the_package_is_cheap() -> None:
    """The command line answers `--help` without pydantic or a YAML reader."""
    wanted = "{'pydantic', 'yaml', 'ruamel.yaml', 'faker'}"
    code = f"import sys, billing_sim.scenario; print(sorted({wanted} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_loading_does_not_import_faker() -> None:
    """The locales are read from its folders; they are those that it says it knows."""
    from faker.config import AVAILABLE_LOCALES

    assert locales() == set(AVAILABLE_LOCALES)


def test_every_check_says_what_it_promises() -> None:
    """The documentation prints these lines."""
    assert len({check.__name__ for check in CHECKS}) == len(CHECKS)
    assert all((check.__doc__ or "").split("\n")[0].endswith(".") for check in CHECKS)


@pytest.mark.parametrize(
    ("price", "currency", "minor"),
    [
        ("9.99 USD", "USD", 999),
        ("USD 9.99", "USD", 999),
        ("9.990 USD", "USD", 999),
        ("500 JPY", "JPY", 500),
        ("1.234 KWD", "KWD", 1234),
        ("0 USD", "USD", 0),
        (999, "USD", 999),
        (10**15, "USD", 10**15),
    ],
)
def test_prices_are_counted_in_minor_units(price: str | int, currency: str, minor: int) -> None:
    assert price_minor(price, currency) == minor


@pytest.mark.parametrize(
    "price", ["9.99", Decimal("9.99"), "9.999 USD", "9.99 EUR", "-1 USD", -1, 10**15 + 1, "", "USD"]
)
def test_what_is_no_price_is_refused(price: str | int) -> None:
    with pytest.raises(ValueError, match="; write "):
        price_minor(price, "USD")


def test_moments_are_utc_whatever_they_are_written_in() -> None:
    six = datetime(2025, 1, 31, 6, tzinfo=UTC)
    for text in ("2025-01-31 06:00", "2025-01-31T07:00:00+01:00", "2025-01-31T06:00Z"):
        assert read_moment(text) == six
    assert read_moment("2025-01-31") == datetime(2025, 1, 31, tzinfo=UTC)


def test_the_longest_duration_is_ten_years() -> None:
    assert read_duration("3660 days") == CAPACITY["years"] * 366 * DAY
    with pytest.raises(ValueError, match="longer than 10 years"):
        read_duration("3661 days")
