"""The JSON Schema of a scenario file, so that editors complete and check while people type.

A file says less than a finished scenario: what the defaults provide may be left out, a file that `extends` another may
leave out anything, and null removes a key. Everything else follows from the models.
"""

from __future__ import annotations

from typing import Any

from billing_sim.scenario.layers import shipped
from billing_sim.scenario.model import Market, Scenario
from billing_sim.scenario.nodes import entries

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_IN_LISTS = {
    "Paydays",
    "Routing",
    "DunningRule",
    "Goal",
    "Expectation",
    "Place",
    "GatewayOutage",
    "PriceChange",
    "DunningSwitch",
    "AccountUpdaterSwitch",
    "SignupSurge",
    "ExchangeRate",
    # Plans and money.
    "TrialsEnd",
    "PriceReversal",
    "TaxChange",
    "PromotionWindow",
    # Refunds and disputes.
    "Fee",
    "Cap",
    "DoubleCharging",
    "ChargingAfterEnd",
    # Fraud and authentication.
    "AuthenticationRule",
    "FraudRule",
    "CardTesting",
    "Deploy",
    "MethodLaunch",
    "MethodWithdrawal",
    "MarketLaunch",
    # Gateways under load.
    "IssuerOutage",
    # Support.
    "Desk",
    "Shift",
    "SupportStaffing",
    # People and what they say.
    "WinBackOffer",
    # Campaigns.
    "SharingCrackdown",
    # Experiments.
}
"""Parts that stand in lists, which are replaced whole: their keys are as in a finished scenario."""

_Schema = dict[str, Any]


def json_schema() -> _Schema:
    """The JSON Schema (draft 2020-12) of a scenario file; numbers may carry the fractions of their text as floats."""
    schema = Scenario.model_json_schema()
    for name, part in schema["$defs"].items():
        _without_titles(part)
        if name not in _IN_LISTS:
            _make_partial(part)
    _without_titles(schema)
    _make_partial(schema)
    schema["type"] = "object"
    _add_keys_of_the_file(schema)
    _require_essentials(schema)
    return {"$schema": DIALECT, "title": "Scenario of billing_sim", **schema}


def _without_titles(part: _Schema) -> None:
    """Drop the titles and machine-made defaults, which only repeat names and say nothing about files."""
    part.pop("title", None)
    for node in part.get("properties", {}).values():
        node.pop("title", None)
        node.pop("default", None)


def _make_partial(part: _Schema) -> None:
    """Let a layer say any of the keys, and null to remove one."""
    part.pop("required", None)
    part["type"] = ["object", "null"]
    for node in part.get("properties", {}).values():
        _allow_null(node)
        if "patternProperties" in node:
            node["additionalProperties"] = False
        for below in (node.get("additionalProperties"), *node.get("patternProperties", {}).values()):
            _allow_null(below)


def _allow_null(node: Any) -> None:
    """Allow null besides; a reference needs nothing, since the partial parts allow it themselves."""
    if not isinstance(node, dict):
        return
    if "anyOf" in node and {"type": "null"} not in node["anyOf"]:
        node["anyOf"] = [*node["anyOf"], {"type": "null"}]
    if isinstance(node.get("type"), str):
        node["type"] = [node["type"], "null"]
    if "enum" in node:
        node["enum"] = [*node["enum"], None]


def _add_keys_of_the_file(schema: _Schema) -> None:
    parts, top = schema["$defs"], schema["properties"]
    parts["DunningPolicy"]["properties"]["preset"] = {
        "description": "a shipped policy that this one changes",
        "enum": [entry.key for entry in entries(shipped("dunning_presets.yaml"))],
    }
    top["extends"] = {
        "description": "another scenario file, relative to this one, that this one changes",
        "type": "string",
        "pattern": r"\.ya?ml$",
    }
    top["regions"] = {
        "description": "behaviour by region, over that of the defaults; other regions begin as OTHER",
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/Behaviour"},
    }
    top["market_defaults"] = {
        "description": "what every market has when it does not say otherwise",
        "$ref": "#/$defs/Market",
    }


def _require_essentials(schema: _Schema) -> None:
    """A file that extends nothing must say what the defaults do not."""
    defaults = shipped("defaults.yaml")
    given = {entry.key for entry in entries(defaults)} | {"dunning_policies"}
    given_to_markets = {entry.key for entry in entries(defaults, "market_defaults")} | {"behaviour"}
    markets = {"additionalProperties": {"required": _required(Market, given_to_markets)}}
    # `market_defaults` in the file may provide any key of its markets.
    schema["if"] = {"anyOf": [{"required": ["extends"]}, {"required": ["market_defaults"]}]}
    schema["then"] = {"anyOf": [{"required": ["extends"]}, {"required": _required(Scenario, given)}]}
    schema["else"] = {"required": _required(Scenario, given), "properties": {"markets": markets}}


def _required(model: type[Scenario] | type[Market], given: set[str]) -> list[str]:
    return [key for key, field in model.model_fields.items() if field.is_required() and key not in given]
