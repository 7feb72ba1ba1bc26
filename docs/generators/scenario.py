"""docs/reference/scenario.md, from the models of a scenario and the defaults that are laid under every file."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from billing_sim import clock
from billing_sim.scenario import json_schema, model, values
from billing_sim.scenario.behaviour import Behaviour, Rejoin, Tenure, WinBack
from billing_sim.scenario.gateway_load import PerHour
from billing_sim.scenario.interventions import Intervention
from billing_sim.scenario.layers import FILE_ONLY_KEYS, shipped
from billing_sim.scenario.meaning import CHECKS
from billing_sim.scenario.model import Market, Scenario
from billing_sim.scenario.nodes import plain
from billing_sim.scenario.parts import CAPACITY, Part
from generators.markdown import bullets, code, codes, page, section, sentence, table

_WORDS: list[tuple[Any, str, str]] = [
    (values.Share, "share", "`25%` or `0.25`"),
    (values.Change, "change", "`102%` is a little more than double, `-15%` takes away"),
    (values.PerMonth, "hazard", "`2.1% per month`, always with its unit"),
    (PerHour, "rate", "`5000 per hour`, always with its unit"),
    (values.Duration, "duration", "`3 days`, `90 min`, `1 week 12 hours`"),
    (values.Day, "date", "`2026-01-31`"),
    (values.Month, "month", "`2026-01`"),
    (values.Target, "target", "`98.5%` or `0.985` for a share, `1250` for anything else"),
    (values.Moment, "moment", "`2026-01-31 06:30`, `2026-01-31T06:30+01:00`; UTC without an offset"),
    (values.PriceText, "price", "`9.99 USD`, or `999` in minor units of the market's currency"),
    (values.Positive, "number", "`1.25`, above 0"),
    (model.Name, "name", "`standard_annual`: lower case, digits and `_`"),
    (model.RegionName, "region", "`UCAN`, or a name of your own"),
    (model.MarketCode, "market", "`US`: two to four capital letters or digits"),
]
_LIMITED = {
    "retries": "retries of a policy", "notices": "notices of a policy", "outages": "outages of a gateway",
    "rates": "exchange rates of a currency",
    "epochs": "prices of a plan in a market, sets of dunning rules, or states of the updater in a market",
    "bins": "BIN ranges of a market's cards", "zones": "time zones", "dunning_policies": "dunning policies",
}  # fmt: skip
_BY_REGION = (Behaviour, Tenure, WinBack, Rejoin)
_SHORT = 60
_IN_FULL = "see [defaults](../../billing_sim/scenario/defaults.yaml)"


def scenario_page() -> str:
    """Every key of a scenario file: type, default, meaning."""
    parts = list(_reachable(Scenario))
    return page(
        "Scenario files",
        "[Writing a scenario](../guides/writing_a_scenario.md) shows every key by example. A key marked **required** "
        "must stand wherever its part is written, in the file or in one that it extends. "
        "`billing-sim schema scenario` prints a JSON Schema of all this for editors.",
        section("How values are written", _value_types()),
        section("The file", _fields(Scenario)),
        section("Keys of the file only", "Used up while the file is read.", _file_keys()),
        *(section(_title(part), sentence(part.__doc__ or ""), _fields(part)) for part in parts if part is not Scenario),
        section("Behaviour of the regions", *_regions()),
        section("What a file is checked for", bullets(_first_line(check.__doc__) for check in CHECKS)),
        section("Limits", _limits()),
    )


def _first_line(text: str | None) -> str:
    return (text or "").split("\n", maxsplit=1)[0]


def _limits() -> str:
    return table(("at most", ""), [(f"{most:,}", _LIMITED.get(name, name)) for name, most in CAPACITY.items()])


def keys() -> dict[str, set[str]]:
    """The keys of every part of a scenario, by the part's name."""
    found = {
        part.__name__: {field.alias or name for name, field in part.model_fields.items()}
        for part in _reachable(Scenario)
    }
    return {**found, "the file": set(FILE_ONLY_KEYS), "a policy": {"preset"}}


def _reachable(part: type[Part], seen: set[type[Part]] | None = None) -> Iterator[type[Part]]:
    """A part and all parts below it, each once, from the outside in."""
    seen = set() if seen is None else seen
    if part in seen:
        return
    seen.add(part)
    yield part
    for hint in _hints(part).values():
        for below in _parts_in(hint):
            yield from _reachable(below, seen)


@cache
def _hints(part: type[Part]) -> dict[str, Any]:
    hints = typing.get_type_hints(part, include_extras=True)
    return {name: hints[name] for name in part.model_fields}


def _parts_in(hint: Any) -> Iterator[type[Part]]:
    if isinstance(hint, type) and issubclass(hint, Part):
        yield hint
    for below in get_args(hint):
        yield from _parts_in(below)


def _title(part: type[Part]) -> str:
    if kind := _dated(part):
        return f"On the timeline: {code(kind)}"
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in part.__name__).strip()
    return words.capitalize()


def _link(part: type[Part]) -> str:
    anchor = _title(part).lower().replace("`", "").replace(":", "").replace(" ", "-")
    return f"[{_dated(part) or _title(part).lower()}](#{anchor})"


def _dated(part: type[Part]) -> str:
    """The kind of an entry of the timeline; empty for what is none."""
    is_dated = part in _parts_in(Intervention)
    return str(get_args(part.model_fields["kind"].annotation)[0]) if is_dated else ""


def _value_types() -> str:
    rows = [(word, shown) for _, word, shown in _WORDS]
    return table(("kind of value", "as in"), [*rows, ("text, whole number, true or false", "as in any YAML 1.2 file")])


def _type(hint: Any) -> str:
    """A type in words."""
    named = next((word for known, word, _ in _WORDS if known == hint), "")
    if named:
        return named
    origin, args = get_origin(hint), get_args(hint)
    if isinstance(hint, type) and issubclass(hint, Part):
        return _link(hint)
    if origin is Literal:
        return ", ".join(code(str(arg).lower() if isinstance(arg, bool) else arg) for arg in args)
    if origin is list:
        return f"list of {_type(args[0])}"
    if origin is dict:
        return f"{_key_type(args[0])} → {_type(args[1])}"
    if origin in (Union, types.UnionType):
        return " or ".join(_type(arg) for arg in args if arg is not type(None))
    if origin is typing.Annotated:
        return _type(args[0])
    words = {int: "whole number", bool: "true or false", str: "text", Decimal: "number", Any: "as in a scenario"}
    return words[hint]


def _value(name: str, hint: Any) -> str:
    if name == "decline_codes":
        return "cause, or cause@method → code → share"
    return _type(hint)


def _key_type(hint: Any) -> str:
    return "method" if get_origin(hint) is Literal else {str: "code"}.get(hint) or _type(hint)


def _fields(part: type[Part]) -> str:
    rows = [
        (
            code(field.alias or name), _value(name, _hints(part)[name]), _default(part, name, field),
            sentence(field.description or ""),
        )
        for name, field in part.model_fields.items()
        if name != "kind" or not _dated(part)
    ]  # fmt: skip
    return table(("key", "value", "default", "meaning"), rows)


@cache
def _defaults() -> Any:
    return plain(shipped("defaults.yaml"))


def _default(part: type[Part], name: str, field: FieldInfo) -> str:
    given = _given(part)
    if part in _BY_REGION:
        return "[by region](#behaviour-of-the-regions)"
    if name in given:
        shown = _shown(given[name])
        return code(shown) if len(shown) <= _SHORT else _IN_FULL
    if part is Market and name == "behaviour":
        return "that of the region"
    if field.is_required():
        return "presets" if name == "dunning_policies" else "**required**"
    return _model_default(_hints(part)[name], field.get_default(call_default_factory=True))


def _given(part: type[Part]) -> dict[str, Any]:
    """What the defaults say about the keys of a part."""
    defaults = _defaults()
    found = {"Scenario": defaults, "Market": defaults["market_defaults"]}
    found["Signups"] = defaults["market_defaults"]["signups"]
    for key in ("network_rules", "issuer_memory", "recording_delay"):
        found[_hints(Scenario)[key].__name__] = defaults[key]
    given: dict[str, Any] = found.get(part.__name__, {})
    return given


def _model_default(hint: Any, value: Any) -> str:
    if value is None or value in ("", []):
        return ""
    if isinstance(value, Part):
        return "its defaults"
    is_duration = isinstance(value, int) and values.Duration in (hint, *get_args(hint))
    return code(clock.format_duration(value) if is_duration else _shown(value))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(below)}" for key, below in value.items()) + "}"
    return str(value)


def _file_keys() -> str:
    properties = json_schema()["properties"]
    rows = [(code(key), sentence(properties[key]["description"])) for key in FILE_ONLY_KEYS]
    presets = json_schema()["$defs"]["DunningPolicy"]["properties"]["preset"]
    return table(("key", "meaning"), [*rows, (code("preset"), f"In a policy: {presets['description']}.")])


def _regions() -> list[str]:
    regions = _defaults()["regions"]
    header = ("key", *regions)
    given = [key for key in Behaviour.model_fields if key in regions["UCAN"]]
    mappings = [key for key in given if isinstance(regions["UCAN"][key], dict)]
    single = [key for key in given if key not in (*mappings, "paydays")]
    rows = [(code(key), *(_shown(region[key]) for region in regions.values())) for key in single]
    parts = [
        "Where they come from, and how much of it is assumed: [assumptions](../background/assumptions.md). A region of "
        "another name begins as `OTHER`.",
        table(header, rows),
    ]
    for key in mappings:
        flat = [_flat(region[key]) for region in regions.values()]
        below = list(dict.fromkeys(name for values_ in flat for name in values_))
        rows = [(code(name), *(_shown(values_.get(name, "")) for values_ in flat)) for name in below]
        parts.append(section(code(key), table(header, rows), level=3))
    paydays = [(name, codes(map(_shown, region["paydays"]))) for name, region in regions.items()]
    return [*parts, section(code("paydays"), table(("region", "calendars"), paydays), level=3)]


def _flat(tree: dict[str, Any]) -> dict[str, Any]:
    """A mapping without mappings in it: `voluntary.month_1`."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        below = _flat(value) if isinstance(value, dict) else {"": value}
        found |= {f"{key}.{name}".rstrip("."): leaf for name, leaf in below.items()}
    return found
