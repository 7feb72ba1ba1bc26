"""What both worlds of a case need: given where the scenario lacks it, compared with a base that has it too."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

import billing_sim
from billing_sim import clock, events
from billing_sim.clock import DAY
from billing_sim.errors import InputError
from billing_sim.metrics.catalogue import shipped
from billing_sim.stress import lab
from billing_sim.stress.alarms import lags
from billing_sim.stress.asking import refuse_misfits
from billing_sim.stress.bundle import bundle
from billing_sim.stress.case import BASE, Case, find_cases, load_case
from billing_sim.stress.fitting import apply, beneath
from billing_sim.stress.lab import Bench, Matrix, bench
from billing_sim.stress.lives import Lives
from billing_sim.stress.mutation import study
from billing_sim.stress.seeing import tell
from billing_sim.truth.estimands import estimands
from tests.test_stress_cases import content_of, written

SEEDS = 4
ASKED = ("contact_abandonment", "left_borrowers_paying", "dispute_rate@same_month", "payment_success_rate")
DESK = """\
case: mine
title: A desk with fewer people
since: 2025-05-01
given:
  support: {desks: [{channels: [chat, phone, email], shifts: [{hours: [9, 17], agents: 2}]}]}
  timeline: [{kind: signup_surge, at: 2025-03-01, duration: 9 days, increase: 50%}]
inject:
  scenario:
    timeline: [{kind: support_staffing, at: 2025-05-01, duration: 99 days, agents: -50%}]
moral: Look at who gave up.
"""


def case_of(name: str) -> Case:
    """A shipped case."""
    (found,) = find_cases([name])
    return found


@cache
def on() -> Bench:
    """The lab's own scenario with fewer people."""
    return bench(members=900)


@cache
def matrix() -> Matrix:
    """Four metrics in cases with three bases of their own, and in one with the common base."""
    names = ("ticket_truncation", "campaign_claim", "dispute_lag_and_volume_drop", "more_retries")
    return lab.stress([shipped()[name] for name in ASKED], find_cases(names), on(), seeds=SEEDS, most=SEEDS)


def test_both_worlds_have_what_is_given(tmp_path: Path):
    """The timeline is added to; what is injected comes on top of it, in one world alone."""
    case, content = load_case(written(tmp_path, DESK)), content_of(BASE)
    before, after = beneath(case, content), apply(case, content)
    assert before["support"] == after["support"]
    assert [it["kind"] for it in before["timeline"]] == ["account_updater", "signup_surge"]
    assert [it["kind"] for it in after["timeline"]] == ["account_updater", "signup_surge", "support_staffing"]
    assert {**before, "timeline": []} == {**after, "timeline": []}
    assert "support" not in content


def test_what_the_scenario_says_itself_stays(tmp_path: Path):
    """Its own desk is the one that is halved."""
    own = {"desks": [{"channels": ["chat", "phone", "email"], "shifts": [{"hours": [1, 2], "agents": 4}]}]}
    case, content = load_case(written(tmp_path, DESK)), content_of(BASE) | {"support": own}
    assert beneath(case, content)["support"] == apply(case, content)["support"] == own


def test_a_case_that_is_given_something_may_inject_nothing(tmp_path: Path):
    """Both worlds are then one, and it is not that of the scenario."""
    text = DESK[: DESK.index("inject:")] + "moral: m\n"
    case = load_case(written(tmp_path, text))
    assert (case.gives, case.changes_world, case.injects) == (True, False, False)
    assert on().under(case) == on().beneath(case)
    assert on().under(case) != on().scenario


def test_of_a_timeline_only_what_it_lacks_is_given(tmp_path: Path):
    """A crackdown of the scenario's own is the one that there is; its switches stay, whatever else is given."""
    own = [
        {"kind": "signup_surge", "at": "2025-02-01", "duration": "3 days", "increase": "20%"},
        {"kind": "dunning_switch", "at": "2025-06-01", "dunning": [{"use": "generic"}]},
    ]
    text = DESK.replace("given:\n", "given:\n  dunning: [{use: generic}]\n")
    case = load_case(written(tmp_path, text))
    content = content_of(BASE) | {"timeline": own}
    assert beneath(case, content)["timeline"] == own
    assert [it["kind"] for it in apply(case, content)["timeline"]] == [
        "signup_surge",
        "dunning_switch",
        "support_staffing",
    ]
    plain = {key: value for key, value in content_of(BASE).items() if key != "timeline"}
    assert [it["kind"] for it in beneath(case, plain)["timeline"]] == ["signup_surge"]


def test_a_base_that_is_no_scenario_is_the_case_s_to_answer_for(tmp_path: Path):
    """Also where what is injected would mend it, and in a study with others."""
    text = """\
case: mine
title: t
given:
  timeline: [{kind: support_staffing, at: 2025-05-01, duration: 99 days, agents: -50%}]
inject:
  scenario: {support: {desks: [{channels: [chat, phone, email], shifts: [{hours: [9, 17], agents: 2}]}]}}
moral: m
"""
    case = load_case(written(tmp_path, text))
    with pytest.raises(InputError) as caught:
        refuse_misfits([case], on(), named=True)
    (problem,) = caught.value.problems
    assert (problem.line, "support_staffing" in problem.what) == (4, True)
    found = lab.stress([shipped()["payment_success_rate"]], [case, case_of("more_retries")], on(), seeds=2, most=2)
    assert "support_staffing" in found.misfits["mine"]
    assert ("payment_success_rate", "more_retries") in found.cells


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("dunning: [{uze: 3}]", "uze is not a known key here."),
        ("plans: 5", "plans: 5"),
        ("support: {}", ""),
    ],
)
def test_what_a_scenario_would_not_need_is_checked_all_the_same(tmp_path: Path, given: str, told: str):
    """Somebody else's scenario may need it."""
    text = DESK.replace("given:\n", f"given:\n  {given}\n") if told else DESK
    case = load_case(written(tmp_path, text))
    if told:
        with pytest.raises(InputError) as caught:
            refuse_misfits([case], on(), named=True)
        assert any(told in it.what for it in caught.value.problems), str(caught.value)
    else:
        refuse_misfits([case], on(), named=True)


def test_a_study_tells_what_was_given():
    """In JSON which case got what, and above the table how many did."""
    found = billing_sim.stress(
        "payment_success_rate@attempt", cases=["agents_halved", "more_retries"], members=200, seeds=2
    )
    assert found.to_json()["given"] == {"agents_halved": ["support"]}
    assert "In 1 of them both worlds have what they are about, which it may lack." in " ".join(repr(found).split())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "  timeline: [{kind: signup_surge, at: 2025-03-01, duration: 9 days, increase: 50%}]",
            "  timeline: {kind: signup_surge, at: 2025-03-01, duration: 9 days, increase: 50%}",
            "timeline: what is given is not a list.",
        ),
        ("  support:", "  suport:", "5:3 suport is not a known key here. Did you mean support?"),
        ("  support:", "  members: 3\n  support:", "5:3 members is not for a case to change."),
        ("agents: 2", "agents: 0", "agents: 0"),
        ("at: 2025-03-01", "at: 2031-03-01", "is outside the scenario"),
    ],
)
def test_what_is_wrong_with_it_is_told_at_its_place(tmp_path: Path, old: str, new: str, told: str):
    """As of everything else in a case."""
    with pytest.raises(InputError) as caught:
        apply(load_case(written(tmp_path, DESK.replace(old, new, 1))), content_of(BASE))
    said = [f"{it.line}:{it.column} {it.what} {it.remedy}" for it in caught.value.problems]
    assert any(told in it for it in said), said
    assert {it.file for it in caught.value.problems} == {str(tmp_path / "mine.yaml")}


def test_another_thing_given_is_another_case(tmp_path: Path):
    """What was computed for the one does not stand for the other."""
    one, other = (load_case(written(tmp_path, DESK.replace("agents: 2", f"agents: {n}"))).digest for n in (2, 3))
    assert one != other


def test_each_case_is_compared_with_a_base_that_has_what_it_is_about():
    """Contacts, borrowers and disputes are read in both worlds of their case, and in no other."""
    for name, case in zip(ASKED, ("ticket_truncation", "campaign_claim", "dispute_lag_and_volume_drop"), strict=False):
        for other in ("ticket_truncation", "campaign_claim", "dispute_lag_and_volume_drop", "more_retries"):
            cell = matrix().cells[name, other]
            read = [cell.base.reading[name], cell.world.reading[name]]
            is_there = np.isfinite(read).all() and np.any(read)
            assert is_there == (case == other), (name, other)
    for case in ("ticket_truncation", "campaign_claim", "more_retries"):
        cell = matrix().cells["payment_success_rate", case]
        assert np.isfinite(
            [cell.base.reading["payment_success_rate"], cell.world.reading["payment_success_rate"]]
        ).all()


def test_a_campaign_that_claims_everybody_has_the_wrong_sign():
    """More pay, and fewer of them because of it."""
    verdict = matrix().cells["left_borrowers_paying", "campaign_claim"].verdict
    assert verdict.name == "wrong sign"
    plain = matrix().cells["payment_success_rate", "more_retries"].base.reading["payment_success_rate"]
    given = matrix().cells["payment_success_rate", "ticket_truncation"].base.reading["payment_success_rate"]
    assert (plain != given).any(), "contacts make some people pay"


def test_alarms_are_held_against_the_same_base():
    """Days are those after agents left: the desk had been there all the time."""
    found = lags([shipped()["contact_abandonment@of_calls_and_chats"]], case_of("ticket_truncation"), on(), [1, 2], 20)
    assert found["contact_abandonment@of_calls_and_chats"].shape == (2,)


def test_mutants_are_tried_beside_the_same_base():
    """One that nothing but a desk can tell apart is noticed where there is one in both worlds."""
    found = study([shipped()["contact_abandonment"]], [case_of("ticket_truncation")], on(), seeds=2)
    assert found.places[-2] == "ticket_truncation"
    assert any(it.noticed_in == "ticket_truncation" for it in found.trials)


@cache
def desk() -> Lives:
    """The base of `agents_halved`, where half of the agents are away."""
    return Lives(on().under(case_of("agents_halved")))


def unsettled(rows: np.ndarray, end: int) -> int:
    """Contacts opened before the end and given up, open for a week, or followed by another about the same matter
    within one: read from the rows alone, in which who has one open opens no other.
    """
    found = 0
    kinds = (events.CONTACT_OPENED, events.CONTACT_ABANDONED, events.CONTACT_RESOLVED, events.CONTACT_UNRESOLVED)
    contacts = rows[np.isin(rows["kind"], kinds)]
    for who in np.unique(contacts["subscriber"]):
        mine = contacts[contacts["subscriber"] == who]
        opened = np.flatnonzero(mine["kind"] == events.CONTACT_OPENED)
        for place, following in zip(opened, [*opened[1:], len(mine)], strict=True):
            row, ends = mine[place], mine[place + 1 : following]
            later = mine[opened[opened > place]]
            again = later[later["reason"] == row["reason"]]
            is_missed = (
                not len(ends)
                or ends[0]["kind"] == events.CONTACT_ABANDONED
                or ends[0]["occurred_at"] >= row["occurred_at"] + 7 * DAY
                or (again["occurred_at"] < row["occurred_at"] + 7 * DAY).any()
            )
            found += bool(is_missed and row["occurred_at"] < end)
    return found


def renewals(rows: np.ndarray, end: int) -> int:
    """Invoices issued before the end, but for those with which somebody signs up."""
    found, signing = 0, set()
    for who, kind, at in zip(*(rows[name].tolist() for name in ("subscriber", "kind", "occurred_at")), strict=True):
        if kind == events.SIGNUP_STARTED:
            signing.add(who)
        elif kind == events.SUBSCRIPTION_CREATED:
            signing.discard(who)
        elif kind == events.INVOICE_ISSUED and at < end:
            found += who not in signing
    return found


def test_a_contact_that_is_still_waiting_is_not_settled():
    """The truth about a desk, counted from the rows of one seed."""
    lives = desk()
    rows = np.concatenate([block.rows.copy() for block in lives.live(1)])
    value = float(tell(bundle(lives, [1]), [estimands()["unsettled_contacts"]], None)["unsettled_contacts"][0])
    missed = unsettled(rows, lives.end)
    assert missed > 10
    assert value == pytest.approx(1000 * missed / renewals(rows, lives.end))


def test_a_borrower_won_costs_units_of_money():
    """A campaign costs some dollars, and a borrower a few of them; not millionths."""
    case = case_of("campaign_claim")
    lives = Lives(on().under(case))
    truth = tell(bundle(lives, [1]), [estimands()["cost_of_a_borrower_won"]], None)["cost_of_a_borrower_won"][0]
    assert 0.1 < truth < 100
    assert clock.date_of(lives.end // DAY) == on().scenario.end
