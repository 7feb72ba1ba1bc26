"""What is wrong with a definition that does not fit its model, in words and with the place where it stands."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from billing_sim.errors import Problem
from billing_sim.metrics.definition import Definition, Population, Window
from billing_sim.metrics.deriving import Draft
from billing_sim.metrics.names import unknown

DRAFT_KEYS = ("like", "variants")
"""What a metric may say in a file besides the fields of a definition."""

_PARTS: dict[str, type[BaseModel]] = {"window": Window, "over": Population}
"""Fields that have fields."""


def explain(draft: Draft, error: Mapping[str, Any]) -> Problem:
    """One complaint of the model, at its line, with what to do about it."""
    keys = [str(part) for part in error["loc"] if isinstance(part, str)]
    what, remedy = _words(draft, error, keys)
    return draft.place(*keys).problem(f"{draft.id or 'a metric'}{what}", remedy)


def _words(draft: Draft, error: Mapping[str, Any], keys: list[str]) -> tuple[str, str]:
    key, field, kind = (keys or [""])[-1], ".".join(keys), error["type"]
    message = str(error["msg"]).removeprefix("Value error, ")
    model = _PARTS[keys[0]] if len(keys) > 1 and keys[0] in _PARTS else Definition
    if kind == "extra_forbidden":
        known = [*model.model_fields, *(DRAFT_KEYS if model is Definition else ())]
        return f": {_no_key(key, known, _missing(draft, model))}", ""
    if kind == "missing":
        found = model.model_fields.get(key)
        return f": `{field}` is missing.", (found.description or "") if found else ""
    if kind == "literal_error":
        choices = re.findall("'([^']*)'", error["ctx"]["expected"])
        return f": {unknown(key, str(error['input']), choices)}", ""
    if kind == "model_type" and key in _PARTS:
        return f", {field}: this has keys of its own.", f"Write {', '.join(_PARTS[key].model_fields)} below it."
    if kind == "string_pattern_mismatch":
        return f": {error['input']!r} is no name of a metric.", "Write small letters, digits and underscores."
    return (f", {field}: {message}" if keys else f": {message}"), ""


def _no_key(key: str, known: Iterable[str], missing: list[str]) -> str:
    """What is missing was probably meant."""
    close = difflib.get_close_matches(key, missing, n=1, cutoff=0.6)
    return f"There is no key `{key}`; did you mean `{close[0]}`?" if close else unknown("key", key, known)


def _missing(draft: Draft, model: type[BaseModel]) -> list[str]:
    given = draft.fields if model is Definition else {}
    return [name for name, field in model.model_fields.items() if field.is_required() and name not in given]
