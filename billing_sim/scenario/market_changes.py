"""What differs between two versions of the same markets, key by key, so that several changes can hold at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from billing_sim.scenario.behaviour import Behaviour
from billing_sim.scenario.model import Market

Markets: TypeAlias = Mapping[str, Market]

Differing: TypeAlias = dict[tuple[str, str], dict[str, Any]]
"""By market and the part of it ("" or "behaviour"), the keys whose values are others."""

_BEHAVIOUR = "behaviour"


def differing(own: Markets, changed: Markets) -> Differing:
    """What a change says otherwise than the markets it is laid over."""
    found: Differing = {}
    for code, market in own.items():
        other = changed[code]
        found[code, ""] = _others(Market, market, other)
        if found[code, ""].pop(_BEHAVIOUR, None):
            found[code, _BEHAVIOUR] = _others(Behaviour, market.behaviour, other.behaviour)
    return found


def keys_of(differences: Differing) -> set[str]:
    """Their keys as a scenario writes them, from the market on."""
    return {".".join(filter(None, (code, part, key))) for (code, part), others in differences.items() for key in others}


def together(own: Markets, changes: Iterable[Markets]) -> dict[str, Market]:
    """The markets under several changes, of which no two change the same key."""
    found = dict(own)
    for changed in changes:
        for (code, part), others in differing(own, changed).items():
            market = found[code]
            update = {_BEHAVIOUR: market.behaviour.model_copy(update=others)} if part else others
            found[code] = market.model_copy(update=update)
    return found


def _others(model: type[Market | Behaviour], own: Any, other: Any) -> dict[str, Any]:
    return {key: getattr(other, key) for key in model.model_fields if getattr(own, key) != getattr(other, key)}
