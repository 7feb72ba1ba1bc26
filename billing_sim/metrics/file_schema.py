"""The JSON Schema of a file of metrics, so that editors complete and check while people type.

A metric of its own says everything that a definition must; one that is `like` another, and a variant, say only what
differs. What the fields must be together, and their SQL, `billing-sim check` tells.
"""

from __future__ import annotations

from typing import Any

from billing_sim.metrics.definition import AXES, VIEWS, Definition

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SQL = frozenset("where numerator denominator weight of since event competing enters".split())
"""SQL may be written as 1 or true, which YAML reads as themselves."""

_NAME, _SUFFIX = "^[a-z][a-z0-9_]*(@[a-z0-9_]+)?$", "^[a-z0-9_]+$"

_Schema = dict[str, Any]


def json_schema() -> _Schema:
    """The JSON Schema (draft 2020-12) of a YAML file of metrics."""
    definition = Definition.model_json_schema()
    parts = definition.pop("$defs")
    fields: _Schema = definition["properties"]
    for part in (definition, *parts.values()):
        _tidy(part["properties"])
    fields["axis"] = {"description": fields["axis"]["description"], **_one_or_more({"enum": [*AXES]})}
    needed = [name for name in definition["required"] if name != "view"]
    return {
        "$schema": DIALECT,
        "title": "Metrics of billing_sim",
        "type": "object",
        "additionalProperties": False,
        "required": ["view", "metrics"],
        "properties": {
            "view": {"description": "the stakeholder who owns these metrics", "enum": [*VIEWS]},
            "goal": {"description": "what this stakeholder wants, in the user's words", "type": "string"},
            "metrics": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Metric"}},
        },
        "$defs": {**parts, "Metric": _metric(fields, needed), "Variant": _variant(fields)},
    }


def _metric(fields: _Schema, needed: list[str]) -> _Schema:
    like = {"description": "another metric, of this file or shipped, from which everything else is taken"}
    variants = {"description": "neighbours on one axis; each says only what differs", "type": "array"}
    return {
        "description": "A metric.",
        "type": "object",
        "additionalProperties": False,
        "required": ["id"],
        "anyOf": [{"required": ["like"]}, {"required": needed}],
        "properties": {
            **fields,
            "like": like | {"type": "string", "pattern": _NAME},
            "variants": variants | {"items": {"$ref": "#/$defs/Variant"}},
        },
    }


def _variant(fields: _Schema) -> _Schema:
    own = {"description": "what comes behind the metric's name and an @", "type": "string", "pattern": _SUFFIX}
    return {
        "description": "A variant of the metric above it.",
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "axis", "differs"],
        "properties": {**fields, "id": own},
    }


def _tidy(fields: _Schema) -> None:
    """Drop titles and defaults, which say nothing about files, and let SQL be what YAML makes of it."""
    for name, field in fields.items():
        field.pop("title", None)
        field.pop("default", None)
        if name in _SQL:
            field["type"] = ["string", "integer", "boolean"]


def _one_or_more(one: _Schema) -> _Schema:
    return {"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]}
