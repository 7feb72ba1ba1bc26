"""Dunning policies, and the rules that choose among them."""

from __future__ import annotations

from pydantic import Field

from billing_sim.scenario.parts import DeclineKind, MarketCode, MethodKind, Name, Part
from billing_sim.scenario.saying import NoticeStep
from billing_sim.scenario.values import Duration


class DunningPolicy(Part):
    """What is done about a failed invoice: retries, notices, grace, hold, end. Times count from the first failure."""

    about: str = Field("", description="what the policy is like, for people")
    source: str = Field("", description="where the schedule comes from")
    retries: list[Duration] = Field(max_length=24, description="when to try again")
    notices: list[NoticeStep] = Field(
        max_length=16, description="when to tell the member; a duration, or {after: 3 days, channel: push}"
    )
    grace: Duration = Field(description="how long access stays; then the subscription is put on hold")
    end: Duration = Field(description="when the subscription ends if the invoice is still unpaid")
    stop_on: list[DeclineKind] = Field([], description="stop retrying after such a decline until the method changes")
    retry_hour: int | None = Field(
        None, ge=0, le=23, description="local hour of retries a day or more away; none: same hour"
    )
    use_backup: bool = Field(True, description="try the backup method when the preferred one fails")


class DunningRule(Part):
    """Which policy is for whom; the last rule that fits wins."""

    market: list[MarketCode] = Field([], description="only these markets; empty: all")
    method: list[MethodKind] = Field([], description="only these methods; empty: all")
    decline: list[DeclineKind] = Field([], description="kind of the first decline")
    use: Name = Field(description="a policy of this scenario, or a shipped preset")
