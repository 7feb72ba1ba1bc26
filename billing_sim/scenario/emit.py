"""A composed scenario as one file: what a run keeps of a scenario that extends others, so that it can be read alone."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


def emit(value: Any) -> str:
    """Plain values as JSON, which is YAML too; decimals keep their digits."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {emit(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(emit(item) for item in value) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value, ensure_ascii=False)
