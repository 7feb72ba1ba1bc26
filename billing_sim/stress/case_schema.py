"""The JSON Schema of a case file, so that editors complete and check while people type."""

from __future__ import annotations

from typing import Any

from billing_sim.scenario.file_schema import DIALECT
from billing_sim.scenario.file_schema import json_schema as scenario_schema
from billing_sim.stress.case import OF_THE_LAB, CaseFile

_Schema = dict[str, Any]


def json_schema() -> _Schema:
    """The JSON Schema (draft 2020-12) of a case file; what it injects into a scenario is checked as one."""
    schema, scenario = CaseFile.model_json_schema(), scenario_schema()
    parts = schema["$defs"]
    for part in (schema, *parts.values()):
        _without_titles(part)
    injection = parts["Injection"]["properties"]
    allowed = {key: node for key, node in scenario["properties"].items() if key not in (*OF_THE_LAB, "extends")}
    for place, key in ((injection, "scenario"), (schema["properties"], "given")):
        place[key] = {
            "description": place[key]["description"], "type": "object", "properties": allowed,
            "additionalProperties": False,
        }  # fmt: skip
    injection["every_market"] = {"description": injection["every_market"]["description"], "$ref": "#/$defs/Market"}
    schema["$defs"] = scenario["$defs"] | parts
    return {"$schema": DIALECT, "title": "Case of the stress lab of billing_sim", **schema}


def _without_titles(part: _Schema) -> None:
    part.pop("title", None)
    for node in part.get("properties", {}).values():
        node.pop("title", None)
        node.pop("default", None)
