"""Numbers of a scenario that may move: where they stand, what they are now, and how a new value is written.

A number keeps the way it is written: 1.36% per month stays a percentage per month, 15.49 USD an amount. Where it is a
share of a whole (a method mix, latent causes, decline codes) the other shares give way in proportion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing_sim.calibration.worlds import Ground
from billing_sim.errors import InputError, QueryError
from billing_sim.metrics.names import unknown
from billing_sim.money import EXPONENTS
from billing_sim.scenario.layers import Composition, shipped
from billing_sim.scenario.merge import is_whole, overlay
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import Mapping as Tree
from billing_sim.scenario.nodes import node_of, plain

_WRITTEN = re.compile(r"\s*(-?[0-9]+(?:\.[0-9]+)?)\s*(%?)\s*([^0-9]*?)\s*")
_WHOLES = ("latent_causes", "decline_codes")
"""Keys whose mappings add up to 100 %, besides those that are replaced in one piece."""

_DIGITS = Decimal("1e-8")
"""How exactly shares are written."""


@dataclass(frozen=True)
class Parameter:
    """A number of a scenario with its bounds; `written` is how it stands in the file."""

    path: str
    written: str
    start: float
    low: float
    high: float

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the path."""
        return tuple(self.path.split("."))

    @property
    def width(self) -> float:
        """How far it may move in all."""
        return self.high - self.low

    def value(self, unit: float) -> float:
        """The value at a place between the bounds, 0 to 1."""
        return self.low + unit * self.width

    def unit(self, value: float) -> float:
        """The place of a value between the bounds, 0 to 1."""
        return (value - self.low) / self.width

    def said(self, value: float) -> str:
        """A value as the file would write it, with the digits that people read."""
        return said_like(self.written, value, digits=4)

    @property
    def unit_said(self) -> str:
        """What the file writes behind the number, such as % per month; empty for a bare number."""
        return _WRITTEN.sub(lambda found: f"{found[2]} {found[3]}", self.written).strip()

    def number(self, value: float) -> str:
        """A value as the file would write it, without what stands behind it."""
        return self.said(value).removesuffix(self.unit_said).strip()


def parameter(on: Ground, path: str, low: Any, high: Any) -> Parameter:
    """A parameter of a scenario; QueryError when there is no number at the path, or the bounds make no sense."""
    now = _at(tree_of(on), path)
    written = str(now)
    number = read_like(now)
    if number is None or isinstance(now, bool):
        raise QueryError(f"{path} is {_kind(now)}, no number that could be fitted.")
    if isinstance(now, int) and not _WRITTEN.fullmatch(written)[2]:  # type: ignore[index]
        raise QueryError(f"{path} is the whole number {now}; only shares, rates, amounts and durations can be fitted.")
    ends = [read_like(it) for it in (low, high)]
    if ends[0] is None or ends[1] is None or not ends[0] < ends[1]:
        raise QueryError(
            f"The bounds of {path} are {low} and {high}; write two numbers like {written}, the lower first."
        )
    if not ends[0] <= number <= ends[1]:
        raise QueryError(f"{path} is {written}, outside its bounds {low} to {high}; widen them.")
    return Parameter(path, written, number, ends[0], ends[1])


def usable_at(on: Ground, parameters: Sequence[Parameter], values: Iterable[float]) -> Scenario:
    """The scenario with these values of parameters; QueryError when it cannot be used with them."""
    wanted = {it.path: float(value) for it, value in zip(parameters, values, strict=True)}
    try:
        return on.scenario(change_for(on, wanted))
    except InputError as error:
        said = said_at(parameters, wanted.values())
        raise QueryError(
            f"The scenario cannot be used with {said}: {error.problems[0].what} Narrow the bounds."
        ) from error


def said_at(parameters: Sequence[Parameter], values: Iterable[float]) -> str:
    """Parameters with their values, in words."""
    return ", ".join(f"{it.path} {it.said(value)}" for it, value in zip(parameters, values, strict=True))


def tree_of(on: Ground) -> dict[str, Any]:
    """The whole scenario as plain values: regions as they are defined, markets with the behaviour of theirs."""
    own = node_of(dict(on.content))
    assert isinstance(own, Tree)
    whole: Any = plain(overlay(shipped("defaults.yaml"), own))
    finished: Any = plain(Composition(own).tree)
    return {**whole, **{key: it for key, it in finished.items() if key in ("markets",)}}


def change_for(on: Ground, values: Mapping[str, float]) -> dict[str, Any]:
    """What is laid over a scenario so that these paths have these values; QueryError where shares exceed a whole."""
    tree = tree_of(on)
    change: dict[str, Any] = {}
    for parent in dict.fromkeys(path.rpartition(".")[0] for path in values):
        chosen = {path.rpartition(".")[2]: it for path, it in values.items() if path.rpartition(".")[0] == parent}
        below = _at(tree, parent) if parent else tree
        written = {key: said_like(_at(below, key), value) for key, value in chosen.items()}
        if isinstance(below, dict) and is_share_of_whole(parent, below):
            written = _shares(parent, below, chosen)
        _lay(change, tree, tuple(parent.split(".")) if parent else (), written)
    return change


def is_share_of_whole(parent: str, siblings: Mapping[str, Any]) -> bool:
    """Whether the values of a mapping are shares that add up to 100 %."""
    keys = parent.split(".")
    if not (is_whole(keys[-1]) or keys[0] in _WHOLES):
        return False
    numbers = [read_like(it) for it in siblings.values()]
    return all(it is not None for it in numbers) and abs(sum(it or 0 for it in numbers) - 1) < 1e-6


def _shares(parent: str, siblings: Mapping[str, Any], chosen: Mapping[str, float]) -> dict[str, str]:
    """Shares that add up to 100 % to the last digit, with these among them and the others in their proportion."""
    fixed = {key: Decimal(repr(value)).quantize(_DIGITS) for key, value in chosen.items()}
    rest = {key: Decimal(repr(read_like(it))) for key, it in siblings.items() if key not in fixed}
    left = 1 - sum(fixed.values())
    if left < 0 or not rest:
        raise QueryError(f"{', '.join(chosen)} of {parent} leave {left:.2%} to the others; lower their upper bounds.")
    scaled = {key: (it / sum(rest.values()) * left).quantize(_DIGITS) for key, it in rest.items()}
    largest = max(scaled, key=lambda key: scaled[key])
    scaled[largest] += left - sum(scaled.values())
    both = fixed | scaled
    return {key: f"{(both[key] * 100).normalize():f}%" for key in siblings}


def _lay(change: dict[str, Any], tree: dict[str, Any], keys: tuple[str, ...], written: Mapping[str, str]) -> None:
    """Put values into a change; a list on the way is written out whole, since lists are replaced as a whole."""
    here: Any = change
    now: Any = tree
    for place, key in enumerate(keys):
        now = now[int(key)] if isinstance(now, list) else now[key]
        if isinstance(here, list):
            here = here[int(key)]
        else:
            here = here.setdefault(key, deepcopy(now) if isinstance(now, list) else {})
        if isinstance(now, list):
            rest = keys[place + 1 :]
            for name in rest:
                here = here[int(name)] if isinstance(here, list) else here[name]
            break
    here.update(written)


def read_like(value: Any) -> float | None:
    """The number in a text such as 1.36% per month, 15.49 USD or 6 hours, a percentage as a share; None without one."""
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return None
    found = _WRITTEN.fullmatch(str(value))
    return None if not found else float(found[1]) / (100 if found[2] else 1)


def said_like(written: Any, value: float, digits: int = 8) -> str:
    """A number written as another one is."""
    found = _WRITTEN.fullmatch(str(written))
    assert found
    _, percent, unit = found.groups()
    number = value * 100 if percent else value
    if unit in EXPONENTS:
        return f"{number:.{EXPONENTS[unit]}f} {unit}"
    shown = f"{number:.{digits}g}" if digits < 8 else f"{Decimal(repr(number)).quantize(Decimal('1e-6')).normalize():f}"
    return f"{shown}{percent}{f' {unit}' if unit else ''}"


def _at(tree: Any, path: str) -> Any:
    """The value at a path; QueryError that names the keys there are, where it ends."""
    here = tree
    walked: list[str] = []
    for key in path.split("."):
        known = (
            list(here)
            if isinstance(here, dict)
            else [str(i) for i in range(len(here))]
            if isinstance(here, list)
            else []
        )
        if key not in known:
            raise QueryError(f"{path} is not in the scenario. " + _missing(key, walked, known))
        here = here[int(key)] if isinstance(here, list) else here[key]
        walked.append(key)
    return here


def _missing(key: str, walked: Sequence[str], known: Iterable[str]) -> str:
    where = ".".join(walked)
    return unknown(f"key under {where}" if where else "key", key, list(known)) if known else f"{where} has no keys."


def _kind(value: Any) -> str:
    return {dict: "a mapping", list: "a list", bool: "a switch"}.get(type(value), f'"{value}"')
