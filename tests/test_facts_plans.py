"""With everything on that is about plans and money, the fold still says what a slow reader of the same rows says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from billing_sim.facts.schema import FACTS
from tests import test_facts as facts
from tests.world_builder import digests, happened, world_of
from tests.world_texts import BUSY
from tests.world_texts_plans import GENEROUS

FEW = GENEROUS.replace("members: 700", "members: 40")
ALONE = """
import numpy as np
from tests.test_facts_plans import FEW
from tests.world_builder import digests, world_of
from tests.world_texts import BUSY
with np.errstate(over="raise"):
    print(*digests(world_of(FEW, BUSY)))
"""


@pytest.fixture(scope="module")
def told() -> Any:
    """The folded facts and the slow ones of the generous world."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "log", lambda: happened(GENEROUS, BUSY))
        yield facts.folded.__wrapped__(), facts.naive.__wrapped__()


ELSEWHERE = {"refunds", "disputes", "contacts", "surveys", "offers", "enrolments", "touches"}
"""Facts that nothing happens for in the generous world."""
HERE = [fact for fact in FACTS if fact.name not in ELSEWHERE]


@pytest.mark.parametrize("fact", HERE, ids=lambda fact: fact.name)
def test_the_fold_says_what_a_slow_reader_says(told, fact):
    """Every column of every row: trials, pauses, discounts, credits and plans that change."""
    rows, expected = told[0][fact.name], told[1][fact.name]
    assert len(rows) == len(expected) > 100
    for row, wanted in zip(rows, expected, strict=True):
        found = facts.plain(fact, row)
        assert found == wanted, {name: (found[name], wanted[name]) for name in found if found[name] != wanted[name]}


def test_the_generous_world_has_everything(told):
    """No column of plans and money is empty there."""
    invoices, months, spells = (told[0][name] for name in ("invoices", "subscription_months", "subscriptions"))
    for name in ("is_verification", "is_proration", "after_trial", "coupon", "discount_micros", "credit_micros"):
        assert invoices[name].any(), name
    for name in ("in_trial_at_start", "in_trial_at_end", "paused_at_start", "paused_at_end", "discounts_end_micros",
                 "lasting_discounts_end_micros", "forever_discounts_end_micros"):  # fmt: skip
        assert months[name].any(), name
    for name in ("coupon", "plan_changes", "pauses", "trial_end"):
        assert spells[name].any(), name
    assert (months["mrr_end_micros"][months["paused_at_end"] == 1] == 0).all()
    assert (months["mrr_end_micros"][months["in_trial_at_end"] == 1] == 0).all()


def test_an_attempt_is_of_the_plan_of_its_invoice(told):
    """Also where it pays for the change to that plan: parts by plan of attempts and of invoices fit together."""
    of = {(row["subscriber"], row["invoice"]): row["plan"] for row in told[0]["invoices"]}
    attempts = told[0]["attempts"]
    assert [row["plan"] for row in attempts] == [of[row["subscriber"], row["invoice"]] for row in attempts]


def test_a_discount_for_good_ends_with_its_spell_only(told):
    """Whoever has one at the end of a month has one at the end of the next, whatever plan they have by then."""
    months = told[0]["subscription_months"]
    same = (np.diff(months["subscriber"]) == 0) & (np.diff(months["spell"]) == 0) & (months["active_at_end"][1:] == 1)
    kept = months["forever_discounts_end_micros"][1:][same & (months["forever_discounts_end_micros"][:-1] > 0)]
    assert len(kept) > 100
    assert (kept > 0).all()


def test_plain_python_tells_the_same_story():
    """The same rules, not compiled, with NumPy complaining about overflow: the same digests."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE], capture_output=True, check=False, timeout=120,
        cwd=Path(__file__).parent.parent, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert tuple(done.stdout.split()) == digests(world_of(FEW, BUSY))
