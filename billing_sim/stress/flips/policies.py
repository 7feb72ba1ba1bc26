"""The policies that are ranked: dunning presets, a scenario's own, or files; and how a scenario is put under one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from billing_sim.dunning_ranking.policies import presets, read_policies
from billing_sim.errors import QueryError
from billing_sim.scenario.dunning import DunningRule
from billing_sim.scenario.layers import suggestion
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import at, plain
from billing_sim.scenario.reader import parse, read_bytes

Policies = dict[str, Any]
"""By name, what a scenario file has to say of a policy under `dunning_policies`; None for one that it knows."""

_FILES = (".yaml", ".yml")


def find_policies(names: Iterable[str], scenario: Scenario) -> Policies:
    """The policies of these names and files, two at least.

    QueryError for an unknown name, a name used twice, or fewer than two; InputError for a bad file.
    """
    found: Policies = {}
    for name in names:
        told = _of_file(Path(name)) if name.endswith(_FILES) else {_known(name, scenario): None}
        twice = next((it for it in told if it in found), None)
        if twice is not None:
            raise QueryError(f"The policy {twice} is named twice: name two that differ, or rename one.")
        found |= told
    if len(found) < 2:
        raise QueryError(f"To rank policies takes two: name another besides {', '.join(found) or 'none'}.")
    return found


def _of_file(path: Path) -> Policies:
    """The policies of a file, checked, as it says them."""
    names = read_policies(path)
    tree = parse(read_bytes(path), str(path))
    content: Any = plain(at(tree, "dunning_policies") or tree)
    return {name: content[name] for name in names}


def _known(name: str, scenario: Scenario) -> str:
    known = {**presets(), **scenario.dunning_policies}
    if name not in known:
        raise QueryError(f"There is no dunning policy {name}. {suggestion(name, known, 'Policies are')}")
    return name


def under(policy: str, policies: Policies, rules: Sequence[DunningRule]) -> dict[str, Any]:
    """What puts a scenario with these dunning rules under a policy: the rule that is for everybody names it.

    Rules for some markets, methods or declines stay, since they are exceptions from it. Whatever `policies` says of
    policies that the scenario does not know is said too.
    """
    kept = [it for it in rules if it.market or it.method or it.decline]
    told = [{"use": policy}, *(it.model_dump(mode="json", exclude_defaults=True) for it in kept)]
    written = {name: said for name, said in policies.items() if said is not None}
    return {"dunning_policies": written, "dunning": told} if written else {"dunning": told}
