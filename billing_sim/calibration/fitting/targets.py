"""A file of targets: aggregates of one's own, and the parameters that may move to match them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from billing_sim.errors import InputError, Problem, QueryError
from billing_sim.metrics.catalogue import Catalogue
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import dimensions
from billing_sim.metrics.names import unknown
from billing_sim.metrics.written import misread
from billing_sim.scenario import nodes
from billing_sim.scenario.complaints import complaints
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.parts import Part
from billing_sim.scenario.reader import parse, read_bytes
from billing_sim.scenario.segments import segment_values

_AMOUNT = re.compile(r"\s*(-?[0-9]+(?:\.[0-9]+)?)\s*(%|[A-Z]{3})?\s*")
MOST_TARGETS = 64
MOST_PARAMETERS = 16


def read_amount(value: Any) -> float:
    """A number such as 12.5, 1.4% or 15.49 USD; ValueError for anything else."""
    found = None if isinstance(value, bool) else _AMOUNT.fullmatch(str(value))
    if not found:
        raise ValueError(f'{value} is no amount; write a number, or a share as in "1.4%"')
    return float(found[1]) / (100 if found[2] == "%" else 1)


Amount = Annotated[float, BeforeValidator(read_amount)]


class TargetPart(Part):
    """One aggregate: a metric, perhaps of one segment, its value, and how far off is still fine."""

    metric: str = Field(description="a shipped metric, such as involuntary_churn@month")
    by: dict[str, str] = Field({}, description="the segment, such as {market: US}; left out for everybody")
    value: Amount
    tolerance: Amount = Field(gt=0, description="one standard error of the aggregate, or how far off is fine")


class ParameterPart(Part):
    """A number of the scenario that may move, and how far, written as the scenario writes it."""

    path: str = Field(min_length=1, description="keys joined by dots, such as regions.UCAN.voluntary_churn")
    low: Any
    high: Any


class TargetsFile(Part):
    """A file of targets."""

    about: str = ""
    targets: list[TargetPart] = Field(min_length=1, max_length=MOST_TARGETS)
    parameters: list[ParameterPart] = Field([], max_length=MOST_PARAMETERS)


@dataclass(frozen=True)
class Target:
    """An aggregate to match, in the unit of the metric (shares as fractions)."""

    definition: Definition
    segment: dict[str, str]
    value: float
    tolerance: float

    @property
    def name(self) -> str:
        """The metric and the segment."""
        return " ".join([self.definition.id, *(f"{name}={value}" for name, value in self.segment.items())])


def read_targets(path: str | Path) -> tuple[TargetsFile, nodes.Mapping]:
    """A file of targets and its tree; InputError with everything that its types refuse."""
    tree = parse(read_bytes(Path(path)), str(path))
    try:
        return TargetsFile.model_validate(nodes.plain(tree)), tree
    except ValidationError as error:
        raise InputError(complaints(error, tree, TargetsFile)) from None


def targets_of(file: TargetsFile, tree: nodes.Mapping, scenario: Scenario, catalogue: Catalogue) -> list[Target]:
    """The targets of a file; InputError for an unknown metric, dimension or segment, each at its place."""
    problems: list[Problem] = []
    found = []
    for part, node in zip(file.targets, nodes.items(tree, "targets"), strict=True):
        try:
            definition = catalogue[part.metric]
        except QueryError as error:
            problems.append(
                (nodes.at(node, "metric") or node).place.problem(str(error), "`billing-sim metrics` lists them.")
            )
            continue
        problems += misread(node, ("value", "tolerance"), definition, scenario.reporting_currency)
        problems += _wrong_segment(part, node, definition, scenario)
        found.append(Target(definition, dict(part.by), part.value, part.tolerance))
    if problems:
        raise InputError(problems)
    return found


def _wrong_segment(part: TargetPart, node: nodes.Node, it: Definition, scenario: Scenario) -> Iterator[Problem]:
    values = segment_values(scenario)
    for entry in nodes.entries(node, "by"):
        if entry.key not in dimensions(it):
            what = unknown(f"dimension of {it.id}", entry.key, dimensions(it))
            yield entry.place.problem(what, "Choose another one.")
        elif entry.key in values and part.by[entry.key] not in values[entry.key]:
            what = unknown(entry.key, part.by[entry.key], values[entry.key])
            yield entry.value.place.problem(what, "Name one of the scenario.")
