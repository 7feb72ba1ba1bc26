"""The answers of `run.truth()`, each a small record of sums with standard errors; money in the reporting currency."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from billing_sim.truth.totals import Sum

MICROS = 1_000_000


def plain(value: Any) -> Any:
    """Plain values for JSON of whatever an answer is made of."""
    if hasattr(value, "as_dict"):
        return value.as_dict()
    if isinstance(value, dict):
        return {key: plain(it) for key, it in value.items()}
    if isinstance(value, tuple | list):
        return [plain(it) for it in value]
    return value


_LABELS = ("reason", "intent", "able", "cause", "whom", "month", "way", "name", "what")
"""The fields that say what a row of an answer is about, in this order."""


def leaves(value: Any, item: str = "", figure: str = "") -> Iterator[tuple[str, str, float | None, float | None]]:
    """Every figure in plain values: what it is about, its name, value and standard error."""
    if isinstance(value, dict) and set(value) == {"value", "standard_error"}:
        yield item, figure or "count", value["value"], value["standard_error"]
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in _LABELS:
                yield from leaves(each, item, f"{figure} {name}".strip())
    elif isinstance(value, list):
        for each in value:
            about = each if isinstance(each, dict) else {}
            own = " ".join(_label(name, about[name]) for name in _LABELS if name in about)
            yield from leaves(each, f"{item} {own}".strip(), figure)
    elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        yield item, figure or "count", value, None


def _label(name: str, value: Any) -> str:
    return (name if value else f"un{name}") if isinstance(value, bool) else str(value)


class Answer:
    """Something that was found out; `as_dict` gives its fields as plain values."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True)
class LostRow(Answer):
    """Losses of one reason and intent, by whether the person was able to pay; `people` may be in several rows."""

    reason: str
    intent: str
    willing: bool
    able: bool
    people: int
    losses: Sum


@dataclass(frozen=True)
class CauseRow(Answer):
    """Losses by the latent cause of the first decline of the invoice that they ended with."""

    cause: str
    losses: Sum
    wrongful: Sum


@dataclass(frozen=True)
class Wrongful(Answer):
    """Wrongful loss within `days` days of each: net of what the same people did and paid in the actual world."""

    people: int
    losses: Sum
    member_days: Sum
    money: Sum
    days: int


@dataclass(frozen=True)
class Spread(Answer):
    """What another world does to something, such as losses avoided or money collected, where people share something.

    `direct`: everything shared stays as it was; `total`: it follows what everybody does there; `spillover`: the rest.
    """

    what: str
    direct: Sum
    spillover: Sum
    total: Sum


@dataclass(frozen=True)
class Whereabouts(Answer):
    """Everybody lost, by where they are without friction at the moment of the loss; the groups add up to all.

    `left_before` stayed longer here because payment failed late; `left_then` leave at that moment in both worlds; of
    those still subscribed there, `left_later` are not ninety days later, `still_there` are.
    """

    whom: str
    lost: Sum
    left_before: Sum
    left_then: Sum
    left_later: Sum
    still_there: Sum


@dataclass(frozen=True)
class Longer(Answer):
    """People never lost through payment who are subscribed longer here than without friction, and for how long."""

    still_here: Sum
    left_later: Sum
    member_days: Sum


@dataclass(frozen=True)
class Month(Answer):
    """Money collected in a month of payment: here, without friction, and in the perfect world (an upper bound)."""

    month: str
    actual: Sum
    frictionless: Sum
    perfect: Sum
    gap: Sum


@dataclass(frozen=True)
class Attempts(Answer):
    """Attempts made, the good ones among them (method in order, money there), and those refused nevertheless.

    `mistakes` are by issuers, `machines` by gateways and networks, each by latent cause; `false_decline_rate` and
    `machine_failure_rate` are per good attempt, null where there was none.
    """

    attempts: int
    good: int
    mistakes: dict[str, Sum]
    machines: dict[str, Sum]
    false_decline_rate: float | None
    machine_failure_rate: float | None


@dataclass(frozen=True)
class Recovered(Answer):
    """Failed invoices paid after all in one way, and what became of them in the world without its lever.

    They are paid there as well, or not paid, or never issued since the person had left; the last two are incremental.
    """

    way: str
    lever: str
    invoices: Sum
    money: Sum
    paid_anyway: Sum
    unpaid_without: Sum
    never_issued_without: Sum
    incremental: Sum
    incremental_money: Sum


@dataclass(frozen=True)
class World(Answer):
    """What a world comes to over the span of the run (`totals.MEASURES`), and its difference from the actual one.

    Where people share something, `totals` and `differences` are of everybody beside the crowd of the run: the direct
    effect. `total_differences` are of everybody in the crowd of that world, `spillovers` what they are beyond direct
    ones; both are empty where nothing is shared, and for the actual world.
    """

    name: str
    title: str
    totals: dict[str, Sum]
    differences: dict[str, Sum]
    spillovers: dict[str, Sum]
    total_differences: dict[str, Sum]
