"""What stays pending for longer than a debit takes to come back: nothing counts as settled before it is known."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from billing_sim.clock import DAY, HOUR
from billing_sim.events import ATTEMPT_RECONCILED, INVOICE_ISSUED, INVOICE_UNCOLLECTIBLE
from billing_sim.metrics.frame import Frame, frame
from billing_sim.world.announce import announcements
from tests.world_builder import Log, happened
from tests.world_texts import BUSY

VOUCHERS = """
voucher_valid: {days} days
markets: {{BR: {{behaviour: {{method_mix: {{voucher: 100%}}, first_attempt_failure: {{voucher: 40%}}}}}}}}
"""


@dataclass(frozen=True)
class Told:
    """The world events of a world, as a source of metrics."""

    log: Log

    def world_events(self) -> list[dict[str, Any]]:
        """As they are announced."""
        return announcements(self.log.world)


def of(log: Log) -> Frame:
    """When outcomes of a world are final."""
    found: Frame = frame(Told(log))  # type: ignore[arg-type]
    return found


@pytest.fixture(scope="module")
def slow() -> Log:
    """A market of vouchers that can be paid for a fortnight."""
    return happened(VOUCHERS.format(days=14), BUSY)


def ages(log: Log, kind: int, attempt: int | None = None) -> list[int]:
    """How long after their invoice was issued rows of a kind came."""
    rows = log.rows
    opened = rows[rows["kind"] == INVOICE_ISSUED]
    issued = {(row["subscriber"], row["invoice"]): int(row["occurred_at"]) for row in opened}
    told = rows[(rows["kind"] == kind) & ((rows["attempt"] == attempt) if attempt else True)]
    keys = [(row["subscriber"], row["invoice"]) for row in told]
    return [int(row["occurred_at"]) - issued[key] for row, key in zip(told, keys, strict=True) if key in issued]


def test_a_first_voucher_is_known_when_it_is_settled(slow):
    """Many are known on the last day only, and none later."""
    known = ages(slow, ATTEMPT_RECONCILED, attempt=1)
    assert len(known) > 100
    assert max(known) == 14 * DAY == of(slow).settlement // timedelta(microseconds=1)


def test_what_is_given_up_is_given_up_in_time(slow):
    """Dunning begins when the first voucher expires, and waits for the last one."""
    given_up = ages(slow, INVOICE_UNCOLLECTIBLE)
    assert len(given_up) > 50
    assert max(given_up) <= of(slow).dunning // timedelta(microseconds=1)


def test_where_nothing_is_pending_for_long_nothing_is_said():
    """Three days pass while a debit may come back; then the log of a world is what it was without vouchers."""
    quick = happened(VOUCHERS.format(days=3), BUSY)
    detail = json.loads(announcements(quick.world)[0]["detail"])
    assert "pending_seconds" not in detail
    lag = quick.world.scenario.return_lag + quick.world.scenario.resolution
    assert of(quick).settlement // timedelta(hours=1) == lag // HOUR
