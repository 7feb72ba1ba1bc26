"""The JSON Schema that editors use: it accepts what loads, and complains about what an editor can see."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from billing_sim.scenario import json_schema
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import plain
from billing_sim.scenario.reader import parse, read_bytes

SHIPPED = sorted((Path(__file__).parents[1] / "scenarios").glob("*.yaml"))
SCHEMA = json_schema()
MARKET = (
    "{name: A, region: EMEA, currency: EUR, time_zone: Europe/Paris, locale: fr_FR, members: 1, "
    "tax: {rate: 20%, included: true}, prices: {a: 9.99 EUR}, plan_mix: {a: 1}}"
)
WHOLE = f"name: a\nstart: 2025-01-01\nend: 2025-02-01\nmembers: 5\nplans: {{a: {{}}}}\nmarkets: {{FR: {MARKET}}}\n"


def as_json(value: Any) -> Any:
    """What JSON makes of a tree: decimals become numbers."""
    if isinstance(value, dict):
        return {key: as_json(below) for key, below in value.items()}
    if isinstance(value, list):
        return [as_json(below) for below in value]
    return float(value) if isinstance(value, Decimal) else value


def complaints(text: str) -> list[str]:
    """Where the schema complains about a file, as paths."""
    data = as_json(plain(parse(text.encode(), "f.yaml")))
    return sorted("/".join(map(str, error.path)) for error in Draft202012Validator(SCHEMA).iter_errors(data))


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_scenarios_fit(path: Path) -> None:
    data = as_json(plain(parse(read_bytes(path), path.name)))
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(data)] == []


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        "extends: other.yaml\n",
        "extends: other.yaml\nmarkets: {FR: {members: 50%, behaviour: {attention: null}}, DE: null}\n",
        WHOLE + "dunning_policies: {mine: {preset: generic, end: 30 days}}\ndunning: [{use: mine}]\n",
        WHOLE + "regions: {EMEA: {attention: 0.1}}\nfailover: false\nexchange_rates: {EUR: 1.1}\n",
        WHOLE + "timeline: [{kind: account_updater, at: 2025-01-02 10:00, switched: off}]\n",
        WHOLE + "gateways: {northpay: {timeout: 1%}}\nnetwork_rules: {max_attempts: 15}\nmission:\n",
        WHOLE.replace("region: EMEA, ", "") + "market_defaults: {region: EMEA}\n",
    ],
)
def test_files_that_say_less_than_a_scenario_fit(text: str) -> None:
    assert complaints(text) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("name: a\n", ""),
        (WHOLE.replace("currency: EUR, ", ""), "markets/FR"),
        (WHOLE + "sead: 5\n", ""),
        (WHOLE.replace("members: 5", "members: many"), "members"),
        (WHOLE.replace("members: 5", "members: 1000000000000"), "members"),
        (WHOLE.replace("9.99 EUR", "9.99"), "markets/FR/prices/a"),
        (WHOLE.replace("rate: 20%", "rate: 20"), "markets/FR/tax/rate"),
        (WHOLE + "window: 3\n", "window"),
        (WHOLE + "regions: {EMEA: {atention: 1%}}\n", "regions/EMEA"),
        (WHOLE + "dunning_policies: {mine: {preset: nobody}}\n", "dunning_policies/mine/preset"),
        (WHOLE + "timeline: [{kind: meteor, at: 2025-01-02}]\n", "timeline/0"),
        (WHOLE + "routing: [{method: [credit]}]\n", "routing/0"),
        ("extends: other.txt\n", "extends"),
    ],
)
def test_mistakes_are_marked_where_they_are(text: str, path: str) -> None:
    assert set(complaints(text)) == {path}


def test_every_key_is_there_with_its_description() -> None:
    """An editor shows what the models say, also for the keys that only a file has."""
    properties = SCHEMA["properties"]
    assert set(properties) == {*Scenario.model_fields, "extends", "regions", "market_defaults"}
    assert properties["members"]["description"] == Scenario.model_fields["members"].description
    assert SCHEMA["$defs"]["Behaviour"]["properties"]["attention"]["description"].startswith("chance per day")
