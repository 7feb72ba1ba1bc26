"""What can happen to a log between the world and its readers, as a case file says it.

The world is as it was; only what is known of it is wrong. Each damage says what it does and which rows it hits: those
that fit every key given, and of them a share.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema

from billing_sim import declines, events
from billing_sim.scenario.layers import suggestion
from billing_sim.scenario.parts import MarketCode, Name, Part
from billing_sim.scenario.values import Duration, Moment, Share

_KINDS = tuple(kind.name for kind in events.EVENTS)
_CODES = tuple(code.code for code in declines.CODES[1:])
_REASONS = events.REASONS[1:]


def _word(what: str, known: tuple[str, ...]) -> Any:
    """Text that is one of many words, refused with the nearest one."""

    def among(value: str) -> str:
        if value not in known:
            remedy = suggestion(value, known, f"There are {what}s")
            raise ValueError(f"{value} is not a {what}; {remedy.removesuffix('.')}")
        return value

    return AfterValidator(among), WithJsonSchema({"type": "string", "enum": list(known)})


EventKind = Annotated[str, *_word("kind of event", _KINDS)]
Code = Annotated[str, *_word("decline code", _CODES)]
Reason = Annotated[str, *_word("reason", _REASONS)]


class Where(Part):
    """Which rows are meant."""

    market: list[MarketCode] = Field([], description="only people of these markets; empty: all")
    gateway: list[Name] = Field([], description="only rows of these gateways; empty: all")
    code: list[Code] = Field([], description="only rows with these decline codes; empty: all")
    since: Moment | None = Field(None, description="only what happened from then on")
    until: Moment | None = Field(None, description="only what happened before")
    share: Share = Field(Decimal(1), description="the share of those rows that is hit")


class Rows(Where):
    """Which rows are meant, by what they tell too."""

    events: list[EventKind] = Field([], description="only these kinds of events; empty: all")
    reason: list[Reason] = Field([], description="only rows with these reasons; empty: all")


class Late(Rows):
    """Rows are recorded later than they were."""

    kind: Literal["late"]
    by: Duration = Field(description="how much later")


class Duplicated(Rows):
    """Rows come twice, one right after the other."""

    kind: Literal["duplicated"]


class Lost(Rows):
    """Rows are missing."""

    kind: Literal["lost"]


class Reordered(Rows):
    """Rows of a life come after others that happened later; their times stay as they were."""

    kind: Literal["reordered"]
    by: Duration = Field(description="a row comes after everything of that person that happened within this time")


class Stale(Part):
    """The extract ends early: nothing that was recorded in the last stretch before the end is in it."""

    kind: Literal["stale"]
    last: Duration = Field(description="how long that stretch is")


class Shifted(Rows):
    """All times are moved, as when a local time is taken for UTC. The base as it was imported stays where it is."""

    kind: Literal["shifted"]
    hours: int = Field(ge=-24, le=24, description="hours added to the times, below 0 to take away")


class Relabelled(Rows):
    """A label is replaced by another."""

    kind: Literal["relabelled"]
    column: Literal["kind", "reason", "code", "method_kind", "initiator", "gateway", "plan"] = Field(
        description="the column of the log"
    )
    was: str = Field(description="the label that the rows have")
    becomes: str = Field(description="the label that they get")


class Voided(Where):
    """Invoices that are still unpaid some time after their first failure are said to be void."""

    kind: Literal["voided"]
    after: Duration = Field(description="how long after the first failure")


class FanOut(Part):
    """A fact is joined with something finer, so that each of its rows comes as often as it has such parts."""

    kind: Literal["fan_out"]
    fact: Literal["invoices", "subscriptions", "signups"] = Field(description="the fact whose rows are repeated")
    by: Literal["attempts", "declines", "notices", "renewals"] = Field(
        description="the column that says how often; a row without any stays, once"
    )


Damage: TypeAlias = Late | Duplicated | Lost | Reordered | Stale | Shifted | Relabelled | Voided | FanOut
"""What a case may do to the log."""

VOCABULARY_OF = {
    "reason": "reasons", "code": "codes", "method_kind": "method_kinds", "initiator": "initiators",
    "gateway": "gateways", "plan": "plans",
}  # fmt: skip
"""The vocabularies of the columns that can be relabelled; `kind` has the kinds of events."""


def labels_of_kind() -> dict[str, int]:
    """The numbers of the kinds of events, by name."""
    return {kind.name: kind.number for kind in events.EVENTS}
