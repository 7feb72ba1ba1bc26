"""Random scenarios, built from the schema: any nouns together, any value of theirs exchanged for another legal one.

A scenario begins as the busy world with some of the nouns of `SWITCHES` laid over it. Then a few of its values change:
the schema says of what kind each is (a share, a hazard, a duration, a choice, ...), so a new key is tried out without a
line here. What the scenario's checks refuse is not used.
"""

from __future__ import annotations

import copy
import importlib
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from billing_sim.errors import BillingSimError
from billing_sim.scenario.emit import emit
from billing_sim.scenario.layers import Composition, read_chain
from billing_sim.scenario.loading import made_of
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import spoken
from billing_sim.scenario.reader import parse, read_bytes
from billing_sim.world.compile import CompiledWorld, compile_world
from tests.world_texts import BUSY

Path_ = tuple[str | int, ...]

SHORT = "members: 24\n"
SHARED = ("load", "support", "reviewers")
"""Nouns with which people share something."""

FIXED = ("name", "about", "mission", "goals", "expect", "best", "start", "end", "members", "log", "reporting_currency",
         "exchange_rates", "at", "time_zone", "locale", "currency", "region", "kind", "prices", "seed")  # fmt: skip
"""What names or bounds a scenario rather than being lived."""

SHARES = ("0%", "1%", "7%", "30%", "60%", "100%")
HAZARDS = ("0% per month", "1% per month", "8% per month", "40% per month")
DURATIONS = ("5 min", "40 min", "2 hours", "1 day", "3 days", "9 days", "30 days")


def switches() -> dict[str, str]:
    """Every noun's texts that lay it over the busy world, by name."""
    found: dict[str, str] = {}
    for file in sorted(Path(__file__).parent.glob("world_texts_*.py")):
        found |= importlib.import_module(f"tests.{file.stem}").SWITCHES
    return found


def leaves(node: Any, schema: dict[str, Any], defs: dict[str, Any], path: Path_ = ()) -> Iterator[tuple[Path_, dict]]:
    """Every value of a scenario that may be exchanged, with its schema; mixes of shares count as one value."""
    schema = _resolved(schema, defs, node)
    if isinstance(node, dict):
        rest = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
        if is_whole(node) or (isinstance(rest, dict) and _is_share(_resolved(rest, defs, None)) and len(node) > 1):
            yield from [(path, {"mix": True})] * (len(node) > 1)
            return
        for key, value in node.items():
            part = schema.get("properties", {}).get(key) or rest
            if key not in FIXED and isinstance(part, dict):
                yield from leaves(value, part, defs, (*path, key))
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from leaves(value, schema.get("items", {}), defs, (*path, i))
    elif _choices(schema):
        yield path, schema


def is_whole(node: dict[str, Any]) -> bool:
    """Whether this is a mapping of shares that add up to 100 %."""
    values = [it for it in node.values() if it is not None]
    shares = [it.removesuffix("%").strip() for it in values if isinstance(it, str) and it.endswith("%")]
    return len(shares) == len(values) > 0 and abs(sum(map(float, shares)) - 100) < 0.01


def _resolved(schema: dict[str, Any], defs: dict[str, Any], node: Any) -> dict[str, Any]:
    """A schema without references; of alternatives the one that a node is."""
    while True:
        if "$ref" in schema:
            schema = defs[schema["$ref"].rpartition("/")[2]]
        elif "discriminator" in schema and isinstance(node, dict):
            schema = {"$ref": schema["discriminator"]["mapping"][node["kind"]]}
        elif "anyOf" in schema and any("$ref" in it or it.get("type") in ("object", "array") for it in schema["anyOf"]):
            wanted = {dict: "object", list: "array"}.get(type(node), "")
            fitting = [it for it in schema["anyOf"] if "$ref" in it or it.get("type") == wanted]
            if not fitting:
                return {}
            schema = fitting[0]
        elif len(schema.get("allOf", ())) == 1:
            schema = schema["allOf"][0]
        else:
            return schema


def _is_share(schema: dict[str, Any]) -> bool:
    return any("%" in str(it.get("pattern", "")) for it in schema.get("anyOf", ()))


def _choices(schema: dict[str, Any]) -> tuple[Any, ...]:
    """Other values of the same kind."""
    pattern = str(schema.get("pattern", ""))
    if "enum" in schema:
        return tuple(schema["enum"])
    if schema.get("type") == "boolean":
        return (True, False)
    if schema.get("type") == "integer":
        low = int(schema.get("minimum", 0))
        return tuple(range(low, min(int(schema.get("maximum", low + 6)), low + 6) + 1))
    if "per month" in pattern:
        return HAZARDS
    if "hour" in pattern:
        return DURATIONS
    return SHARES if _is_share(schema) else ()


def _put(content: Any, path: Path_, value: Any) -> None:
    for step in path[:-1]:
        content = content[step]
    content[path[-1]] = value


def _get(content: Any, path: Path_) -> Any:
    for step in path:
        content = content[step]
    return content


def _mixed(mix: dict[str, Any], turn: int) -> dict[str, Any]:
    """The same shares, dealt to other names: they still add up."""
    values = list(mix.values())
    turn %= len(values)
    return dict(zip(mix, values[turn:] + values[:turn], strict=True))


@cache
def _content_of(names: tuple[str, ...]) -> dict[str, Any]:
    texts = [BUSY, *(switches()[name] for name in names), SHORT]
    timeline: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        for i, text in enumerate(texts):
            layer = Path(folder, f"layer_{i}.yaml")
            layer.write_text(text if i == 0 else f"extends: layer_{i - 1}.yaml\n{text}")
            own: Any = spoken(parse(layer.read_bytes(), str(layer)))
            timeline += own.get("timeline") or []
        # A layer replaces the timeline whole; here everything happens that any of them says.
        layer.write_text(f"{layer.read_text()}\ntimeline: {emit(timeline)}\n")
        content: Any = spoken(Composition(read_chain(layer, read_bytes(layer))).tree)
    return content


@cache
def scenario_schema() -> dict[str, Any]:
    """What may stand in a scenario: as slow to write down as a small world is to live."""
    return Scenario.model_json_schema()


def compiled(content: dict[str, Any]) -> CompiledWorld | None:
    """The world of a content; None where it is refused."""
    try:
        return compile_world(made_of(content))
    except BillingSimError:
        return None


def content_of(names: tuple[str, ...]) -> dict[str, Any]:
    """The busy world with some nouns laid over it and every default filled in, as plain values of one's own."""
    return copy.deepcopy(_content_of(names))


@st.composite
def scenarios(draw: st.DrawFn, without: tuple[str, ...] = (), always: tuple[str, ...] = ()) -> dict[str, Any]:
    """A scenario's content: some nouns, of `always` at least one, a seed, and up to six values exchanged."""
    known = [name for name in switches() if name not in without]
    names = draw(st.lists(st.sampled_from(known), unique=True, max_size=len(known)))
    if always and not set(always) & set(names):
        names.append(draw(st.sampled_from(always)))
    content = content_of(tuple(names))
    content["seed"] = draw(st.integers(0, 1 << 40))
    schema = scenario_schema()
    places = list(leaves(content, schema, schema["$defs"]))
    for path, kind in draw(st.lists(st.sampled_from(places), max_size=6, unique_by=lambda it: it[0])):
        if "mix" in kind:
            _put(content, path, _mixed(_get(content, path), draw(st.integers(1, 6))))
        else:
            _put(content, path, draw(st.sampled_from(_choices(kind))))
    return content
