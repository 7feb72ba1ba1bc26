"""Whether what is told about the truth agrees with the run: its digests, its log, its facts, and itself.

The people live again here, followed further than in the run. Up to its end every row must be the one that ran.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from billing_sim.errors import EXIT_CHECK_FAILED, BillingSimError
from billing_sim.events import KIND_NAMES
from billing_sim.facts.schema import FACTS
from billing_sim.identity import world_of
from billing_sim.metrics.connection import connect_to
from billing_sim.metrics.source import RunFolder
from billing_sim.metrics.unreadable import reading_facts
from billing_sim.runs.digest import combine
from billing_sim.runs.stored import StoredRun
from billing_sim.truth.alternatives import ACTUAL
from billing_sim.truth.study import Findings
from billing_sim.truth.totals import MEASURES
from billing_sim.world.announce import announcements


class UnreconciledError(BillingSimError):
    """The truth and the run disagree; nothing that was computed may be believed."""

    exit_code = EXIT_CHECK_FAILED


@dataclass(frozen=True)
class Check:
    """Two ways to the same figure: what is compared, what the truth says, what the run says."""

    name: str
    truth: int | str
    run: int | str

    @property
    def holds(self) -> bool:
        """Whether both are the same."""
        return self.truth == self.run

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"check": self.name, "holds": self.holds, "truth": self.truth, "run": self.run}


_ASKED = ("subscriptions", "attempts", "invoices", "refunds", "disputes")


@dataclass(frozen=True)
class Evidence:
    """A run and what was found about its people."""

    run: StoredRun
    found: Findings

    def total(self, name: str) -> int:
        """A measure of the actual world."""
        return int(self.found.sums[f"totals {ACTUAL}"][MEASURES.index(name)].sum())

    @cached_property
    def facts(self) -> dict[str, int]:
        """The same figures from the facts, which know nothing of other worlds."""
        wanted = [fact for fact in FACTS if fact.name in _ASKED]
        with reading_facts(), connect_to(RunFolder(self.run.directory), wanted) as connection:
            lost, members = connection.execute(
                "SELECT count(*) FILTER (end_reason IN ('nonpayment', 'payment_trouble')), "
                "count(*) FILTER (ended_at IS NULL) FROM subscriptions"
            ).fetchall()[0]
            # What card-testing bots found to be good was verified, never captured: their invoices are void.
            paid, micros = connection.execute(
                "SELECT count(*), coalesce(sum(attempts.amount_micros), 0) FROM attempts "
                "LEFT JOIN invoices USING (subscriber, invoice) WHERE outcome = 'authorized' "
                "AND (attempts.was_returned OR status IS DISTINCT FROM 'void')"
            ).fetchall()[0]
            (claimed,) = connection.execute(
                "SELECT coalesce((SELECT sum(amount_micros) FROM refunds), 0) "
                "+ coalesce((SELECT sum(amount_micros) FROM disputes WHERE outcome <> 'won'), 0)"
            ).fetchall()[0]
        found = {"lost": lost, "members": members, "paid": paid, "micros": micros, "claimed": claimed}
        return {name: int(value) for name, value in found.items()}


def _events_by_kind(it: Evidence) -> Check:
    """As many events of every kind as the run has."""
    here = {KIND_NAMES[kind]: int(it.found.kinds[kind]) for kind in it.found.kinds.nonzero()[0].tolist()}
    there = dict(it.run.content.kinds)
    differing = [name for name in {**here, **there} if here.get(name, 0) != there.get(name, 0)]
    shown = sorted(differing)[:3] or ["all"]
    return Check(
        f"events ({', '.join(shown)})", sum(here.get(name, 0) for name in differing or here),
        sum(there.get(name, 0) for name in differing or there),
    )  # fmt: skip


def _content(it: Evidence) -> Check:
    """Every public row, to the byte."""
    told = json.dumps(announcements(world_of(it.run)), sort_keys=True)
    digest = combine([it.found.digests[shard] for shard in sorted(it.found.digests)], told)
    return Check("digest of the log", digest, it.run.content.content_digest)


def _sealed(it: Evidence) -> Check:
    """Every sealed row, to the byte."""
    digests = it.found.truth_digests
    return Check(
        "digest of the sealed truth", combine([digests[it] for it in sorted(digests)]), it.run.content.truth_digest
    )


def _losses(it: Evidence) -> Check:
    """Subscriptions that ended through payment."""
    return Check("losses and facts", len(it.found.lost), it.facts["lost"])


def _totals(it: Evidence) -> Check:
    """Losses one by one, and as summed for the comparison of worlds."""
    return Check("losses one by one and in all", len(it.found.lost), it.total("losses"))


def _members(it: Evidence) -> Check:
    """Members at the end."""
    return Check("members at the end and facts", it.total("members_at_end"), it.facts["members"])


def _captures(it: Evidence) -> Check:
    """Payments captured."""
    return Check("payments captured and facts", int(it.found.captured[0]), it.facts["paid"])


def _money(it: Evidence) -> Check:
    """Money captured, in millionths of the reporting currency."""
    return Check("money captured and facts", int(it.found.captured[1]), it.facts["micros"])


def _claims(it: Evidence) -> Check:
    """Money that refunds and disputes took, in millionths of the reporting currency."""
    return Check("refunds, disputes and facts", it.found.claimed, it.facts["claimed"])


def _months(it: Evidence) -> Check:
    """Money collected, month by month and in all."""
    months = int(it.found.sums[f"months {ACTUAL}"].sum())
    return Check("money by month and in all", months, it.total("collected_micros"))


def _game(it: Evidence) -> Check | None:
    """The world of the attribution in which nothing is taken away, with everybody untouched, is the actual one."""
    if "knocked" not in it.found.sums:
        return None
    told = int(it.found.sums["knocked"][0, 0].sum() + it.found.sums["untouched"][0].sum())
    return Check("losses in the attribution", told, it.total("losses"))


CHECKS: tuple[Callable[[Evidence], Check | None], ...] = (
    _events_by_kind, _content, _sealed, _losses, _totals, _members, _captures, _money, _claims, _months, _game,
)  # fmt: skip
"""What has to agree. A promise more is a function more; None where a run gives nothing to compare."""


def reconciled(run: StoredRun, found: Findings) -> tuple[Check, ...]:
    """Every check that was made, all of which hold; UnreconciledError says which do not."""
    evidence = Evidence(run, found)
    made = (check(evidence) for check in CHECKS)
    checks = tuple(check for check in made if check is not None)
    failed = [f"  {it.name}: {_shown(it.truth)} here, {_shown(it.run)} in the run" for it in checks if not it.holds]
    if failed:
        raise UnreconciledError(
            "\n".join([
                f"{run.directory}: the truth and the run do not agree, so nothing is told.", *failed,
                "Files of the run were changed, or something is wrong with billing_sim: `billing-sim check` the run, "
                "or run the scenario again with --fresh.",
            ])
        )  # fmt: skip
    return checks


def _shown(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)[:16]
