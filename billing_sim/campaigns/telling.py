"""What is told of a campaign: the funnel, whom the addresses find, what would have been without it, and its return."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from billing_sim import events
from billing_sim.campaigns.addresses import matched, typed
from billing_sim.campaigns.lives import Lived, Report, live, without_campaign
from billing_sim.errors import QueryError
from billing_sim.facts.schema import NULL, STEPS
from billing_sim.identity import world_of
from billing_sim.runs.manifest import MANIFEST_FILE
from billing_sim.scenario import load
from billing_sim.simulate import compile_first
from billing_sim.world.compile import CompiledWorld, compile_world

MILLION = 1_000_000


def study(
    path: Path | str,
    campaign: str = "",
    *,
    members: int | None = None,
    seed: int | None = None,
    report: Report | None = None,
) -> Findings:
    """What a campaign of a scenario file, or of a run's folder, did: the same people live with it and without it.

    Where there is one campaign it need not be named; of several the others go on in both worlds. InputError for a
    scenario that cannot run, RunError for a run of other rules, QueryError where there is no such campaign.
    """
    world = _world(Path(path), members, seed)
    names = world.names.campaigns[1:]
    if not names:
        raise QueryError(f"{path} has no campaign. Write one under campaigns:, as in scenarios/paid_sharing.yaml.")
    if campaign not in names and (campaign or len(names) > 1):
        asked = f"There is no campaign {campaign}" if campaign else "There is more than one campaign"
        raise QueryError(f"{asked}; campaigns are {', '.join(names)}.")
    compile_first(lambda _: None)
    tell = report or (lambda _done, _total: None)
    with_it = live(world, lambda done, total: tell(done, 2 * total))
    name = campaign or names[0]
    without = live(without_campaign(world.scenario, name), lambda done, total: tell(total + done, 2 * total))
    return Findings(world, name, with_it, without)


def _world(path: Path, members: int | None, seed: int | None) -> CompiledWorld:
    if (path / MANIFEST_FILE).exists():
        from billing_sim.runs.stored import open_run

        return world_of(open_run(path))
    return compile_world(load(path, members=members, seed=seed).scenario)


@dataclass(frozen=True)
class Findings:
    """What came out, of one campaign in a world; `without` is what the same people do where it is not."""

    world: CompiledWorld
    campaign: str
    lived: Lived
    without: Lived

    @cached_property
    def touches(self) -> np.ndarray:
        """The steps of this campaign."""
        every = self.lived.touches
        return every[every["campaign"] == self.world.names.campaigns.index(self.campaign)]

    def _steps(self, step: str, *reasons: int) -> np.ndarray:
        found = self.touches[self.touches["step"] == STEPS.index(step)]
        return found[np.isin(found["reason"], reasons)] if reasons else found

    @cached_property
    def funnel(self) -> dict[str, int]:
        """How many came how far, step by step."""
        replied = self._steps("replied", events.DOES_NOT_SHARE)
        return {
            "found": len(self._steps("reached")),
            "control": len(self._steps("reached", events.CONTROL)),
            "reached": len(self._steps("reached", 0)),
            "i_follow_the_rules": len(self._steps("shared", events.FOLLOWS_THE_RULES)),
            "netflix_criminal": len(self._steps("shared", events.CRIMINAL)),
            "replied": len(self._steps("replied")),
            "say_they_do_not_share": len(replied),
            "of_these_lie": sum(who in self.lived.lies for who in replied["subscriber"].tolist()),
            "admit_it": len(self._steps("replied", events.SHARES)),
            "landed": len(self._steps("landed")),
            "hosts_addresses": len(self._steps("email_left", events.HOST)),
            "borrowers_addresses": len(self.borrowers),
            "mistyped": int((self.borrowers["mistakes"] > 0).sum()),
            "borrowers_signed_up": int((self.borrowers["joined_at"] > NULL).sum()),
        }

    @cached_property
    def borrowers(self) -> np.ndarray:
        """The addresses of borrowers that were left, as facts."""
        return self._steps("email_left", events.BORROWER)

    @cached_property
    def attribution(self) -> dict[str, int]:
        """Whom the addresses of borrowers find among paying subscribers, and who is there indeed."""
        people, mistakes = self.borrowers["subscriber"].tolist(), self.borrowers["mistakes"].tolist()
        seed = self.world.scenario.seed
        left = [typed(who, wrong, seed) for who, wrong in zip(people, mistakes, strict=True)]
        found = matched(left, self.lived.paid_since)
        right = sum(it == who for it, who in zip(found, people, strict=True))
        return {
            "addresses": len(people),
            "found": sum(it is not None for it in found),
            "found_rightly": right,
            "found_wrongly": sum(it is not None for it in found) - right,
            "paying": sum(who in self.lived.paid_since for who in people),
        }

    @cached_property
    def increment(self) -> dict[str, int]:
        """Of the borrowers whose address was left: who pays with the campaign, who would without, and both."""
        people = self.borrowers["subscriber"].tolist()
        here = {who for who in people if who in self.lived.paid_since}
        there = {who for who in people if who in self.without.paid_since}
        return {
            "paying": len(here),
            "would_pay_anyway": len(here & there),
            "won": len(here - there),
            "lost": len(there - here),
            "would_join_sooner_or_later": sum(who in self.lived.anyway for who in people),
        }

    @cached_property
    def money(self) -> dict[str, float | None]:
        """Margin with the campaign less margin without it, its cost, and the one over the other; reporting currency."""
        part = self.world.scenario.campaigns[self.campaign]
        steps = int(self.touches["cost_micros"].sum()) / MILLION
        gains = (self.lived.margin - self.without.margin) / MILLION
        cost, gain = float(part.cost.fixed) + steps, float(gains.sum())
        spread = float(np.sqrt(len(gains) / (len(gains) - 1) * ((gains - gains.mean()) ** 2).sum()))
        won = self.increment["won"] - self.increment["lost"]
        return {
            "margin_gained": gain,
            "standard_error": spread,
            "cost": cost,
            "cost_of_steps": steps,
            "return": gain / cost if cost else None,
            "cost_per_paying_borrower": cost / self.increment["paying"] if self.increment["paying"] else None,
            "cost_per_borrower_won": cost / won if won > 0 else None,
        }

    @property
    def claimed(self) -> float | None:
        """The primary goal: the share of left borrowers' addresses found among paying subscribers."""
        return self._share(self.attribution["found"])

    @property
    def won(self) -> float | None:
        """The share of them who pay, and would not have paid by the end without the campaign; less those it lost."""
        return self._share(self.increment["won"] - self.increment["lost"])

    def _share(self, count: int) -> float | None:
        return count / len(self.borrowers) if len(self.borrowers) else None

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        scenario = self.world.scenario
        return {
            "scenario": scenario.name, "seed": scenario.seed, "members": self.world.members,
            "campaign": self.campaign, "funnel": self.funnel, "attribution": self.attribution,
            "increment": self.increment, "claimed": self.claimed, "won": self.won, "money": self.money,
            "currency": scenario.reporting_currency,
        }  # fmt: skip

    def __repr__(self) -> str:
        from billing_sim.campaigns.render import lines

        return "\n".join(lines(self))
