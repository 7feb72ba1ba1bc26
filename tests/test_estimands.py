"""What metrics claim to measure, counted by hand from the rows and the sealed truth, and what the lab computes."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from billing_sim import declines, events
from billing_sim.stress import seeing
from billing_sim.truth.estimands import estimands
from tests.lab_samples import SEEDS, frictionless, lives, told

SEED = 2


@cache
def truths() -> dict[str, np.ndarray]:
    """Every estimand in every seed."""
    return seeing.tell(told(), estimands().values(), frictionless())


@cache
def rows() -> tuple[np.ndarray, np.ndarray]:
    """All rows and truths of one seed."""
    blocks = [(it.rows.copy(), it.truths.copy()) for it in lives().live(SEED)]
    return tuple(np.concatenate(part) for part in zip(*blocks, strict=True))


def told_once(name: str) -> float:
    """The lab's value in that seed."""
    return float(truths()[name][SEED - 1])


@cache
def invoices() -> dict[tuple[int, int], dict]:
    """Every invoice issued before the end: whether it is a sign-up's, its amount, and whether it is paid for good."""
    found: dict[tuple[int, int], dict] = {}
    signing: dict[int, bool] = {}
    for row in rows()[0]:
        who, key, kind = int(row["subscriber"]), (int(row["subscriber"]), int(row["invoice"])), int(row["kind"])
        if kind == events.SIGNUP_STARTED:
            signing[who] = True
        elif kind == events.SUBSCRIPTION_CREATED:
            signing[who] = False
        elif kind == events.INVOICE_ISSUED and row["occurred_at"] < lives().end:
            found[key] = {
                "signup": signing.get(who, False),
                "amount": int(row["amount_minor"]),
                "paid": False,
                "held": False,
            }
        elif kind == events.PAYMENT_CAPTURED and key in found:
            found[key]["paid"] = True
        elif kind == events.PAYMENT_RETURNED and key in found:
            found[key]["paid"] = False
        elif kind == events.SUBSCRIPTION_HELD and key in found:
            found[key]["held"] = True
    return found


def renewals() -> list[dict]:
    """Those that are no sign-up's."""
    return [it for it in invoices().values() if not it["signup"]]


NEED_MORE = {"trials_won"}
"""What only a world with trials has."""


def test_every_estimand_has_a_value_in_every_seed():
    """None is undefined in an ordinary world; shares lie between 0 and 1."""
    for name, values in truths().items():
        assert values.shape == (SEEDS,)
        if name in NEED_MORE:
            continue
        assert np.isfinite(values).all(), name
        if estimands()[name].unit == "share":
            assert ((values >= 0) & (values <= 1)).all(), name
    assert set(truths()) == set(estimands())


def test_payment_success_is_counted_from_the_rows():
    """Paid for good, however late, among all issued."""
    every = [it for it in invoices().values() if it["amount"] > 0]
    assert told_once("payment_success") == pytest.approx(sum(it["paid"] for it in every) / len(every))


def test_continuity_is_counted_from_the_rows():
    """Paid and never on hold, among renewals."""
    kept = sum(it["paid"] and not it["held"] for it in renewals())
    assert told_once("continuity_of_service") == pytest.approx(kept / len(renewals()))


def test_wrongful_loss_is_counted_from_the_sealed_truth():
    """Judged willing and able, on an invoice of before the end, per renewal issued."""
    judged = rows()[1][rows()[1]["kind"] == events.LOSS_JUDGED]
    wronged = judged[(judged["intent"] == events.STAY) & (judged["able"] == 1)]
    among = sum((int(it["subscriber"]), int(it["invoice"])) in invoices() for it in wronged)
    assert among > 0
    assert told_once("wrongful_loss") == pytest.approx(among / len(renewals()))


def test_causes_are_counted_from_the_sealed_truth():
    """What passes by itself and what lasts are all declines."""
    told_ = rows()[1][(rows()[1]["kind"] == events.EXPLAINED) & (rows()[1]["occurred_at"] < lives().end)]
    passes = {
        declines.FUNDS,
        declines.SUSPICION,
        declines.ISSUER_MEMORY,
        declines.OUTAGE,
        declines.TECHNICAL,
        declines.RESTRICTED,
    }
    share = np.isin(told_["cause"], list(passes)).mean()
    assert told_once("fleeting_causes") == pytest.approx(share)
    assert truths()["fleeting_causes"] + truths()["lasting_causes"] == pytest.approx(np.ones(SEEDS))


def test_members_are_counted_from_the_rows():
    """Begun and not ended by the end, unless a renewal that had failed by then is never paid."""
    standing: dict[int, int] = {}
    for row in rows()[0][rows()[0]["occurred_at"] < lives().end]:
        if row["kind"] in (events.SUBSCRIPTION_IMPORTED, events.SUBSCRIPTION_CREATED):
            standing[int(row["subscriber"])] = int(row["spell"])
        elif row["kind"] == events.SUBSCRIPTION_CANCELED:
            standing.pop(int(row["subscriber"]), None)
    ghosts = standing.items() & never_to_pay()
    assert ghosts
    assert told_once("members") == len(standing) - len(ghosts)


def never_to_pay() -> set[tuple[int, int]]:
    """Spells with a renewal that failed before the end and is never paid."""
    before = rows()[0][rows()[0]["occurred_at"] < lives().end]
    failed = before[np.isin(before["kind"], [events.ATTEMPT_DECLINED, events.PAYMENT_RETURNED])]
    spells = {(int(row["subscriber"]), int(row["invoice"])): int(row["spell"]) for row in failed}
    return {
        (key[0], spell)
        for key, spell in spells.items()
        if key in invoices() and not invoices()[key]["signup"] and not invoices()[key]["paid"]
    }


def test_what_is_due_is_collected_or_not():
    """Two estimands of the same money are one whole."""
    assert truths()["pooled_collection"] + truths()["uncollected_revenue"] == pytest.approx(np.ones(SEEDS))


def test_more_could_have_been_collected_than_was():
    """Friction only costs: the same people pay more where it is gone."""
    assert (truths()["collectable_revenue"] > truths()["collected_revenue"]).all()


def test_who_leaves_by_choice_leaves():
    """Members who want to go are some of those who leave."""
    assert (truths()["members_leaving_by_choice"] < truths()["members_lost"]).all()


def test_what_is_kept_is_part_of_what_is_retained():
    """Without rises there is less, and nobody keeps more than there was."""
    assert (truths()["kept_revenue"] <= truths()["retained_revenue"]).all()
    assert (truths()["kept_revenue"] < 1).all()


def test_notices_are_counted_from_the_rows():
    """Every one sent before the end."""
    sent = (rows()[0]["kind"] == events.NOTICE_SENT) & (rows()[0]["occurred_at"] < lives().end)
    assert told_once("notices_sent") == sent.sum()
