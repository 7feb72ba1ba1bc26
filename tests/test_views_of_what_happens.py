"""Views show metrics of what a scenario switches on where it happened, and nowhere else."""

from __future__ import annotations

import pytest

import billing_sim
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.expressions import problems
from billing_sim.metrics.happening import ANY, names_table
from tests.conftest import SCENARIOS

WHERE_ANY = {it.id: it.fact for it in shipped() if it.once == ANY}


def shown(run: billing_sim.Run) -> set[str]:
    """Every metric in any view."""
    return {name for view in run.views().to_json().values() for name in view}


def test_what_never_happened_is_in_no_view(tiny_run):
    """No desk, no campaign, no survey: their facts have files, and no rows."""
    empty = {name for name, fact in WHERE_ANY.items() if not len(tiny_run.table(fact))}
    assert empty >= {"contact_abandonment", "left_borrowers_paying", "campaign_share_rate", "nps_after_payment"}
    assert not shown(tiny_run) & empty


TABLES = {it.id: it.once for it in shipped() if names_table(it) and it.once}


def test_a_query_can_be_shown_once_something_happens(tiny_run):
    """It has no fact of its own, so it names the table: none of these tables has such a row here."""
    assert {"crackdown_signup_jump", "change_failure_rate", "csat", "unauthorised_charges"} <= set(TABLES)
    assert not shown(tiny_run) & set(TABLES) - {"expansion_rate", "contraction_rate", "net_mrr_churn"}


@pytest.mark.parametrize(
    ("once", "what"),
    [
        ("nowhere WHERE step = 'restricted'", "Table with name nowhere does not exist"),
        ("touches WHERE stepp = 'restricted'", 'Referenced column "stepp" not found'),
        ("touches; DROP TABLE touches", "names no table"),
        ("disputes LIMIT 1", "names no table"),
        ("disputes, refunds", "names no table"),
        ("disputes WHERE TRUE LIMIT 1", "syntax error"),
        ("disputes WHERE TRUE UNION ALL SELECT TRUE, 1, 1", "syntax error"),
    ],
)
def test_a_table_that_a_query_names_is_checked(once, what):
    """Before any data is there, with the field that is wrong."""
    wrong = problems(shipped()["crackdown_signup_jump"].model_copy(update={"once": once}))
    assert [field for field, _, _ in wrong] == ["once"]
    assert what in wrong[0][1]


def test_a_sum_may_name_another_table():
    """Its own fact does not say how often a plan was changed."""
    it = shipped()["expansion_rate"]
    assert names_table(it)
    assert not names_table(shipped()["refund_rate"])
    assert not problems(it)
    assert problems(it.model_copy(update={"once": "subscriptions WHERE plan_changed"}))[0][0] == "once"


@pytest.mark.parametrize(
    ("scenario", "metric"),
    [
        ("support_desk", "contact_abandonment"),
        ("support_desk", "contact_reopen_rate"),
        ("paid_sharing", "left_borrowers_paying"),
        ("paid_sharing", "crackdown_signup_jump"),
        ("bad_deploy", "change_failure_rate"),
        ("bad_deploy", "time_to_restore"),
        ("upi_mandate_launch", "new_method_adoption"),
    ],
)
def test_what_happened_is(tmp_path, scenario, metric):
    """A core metric of a campaign stands where there is one."""
    run = billing_sim.run(SCENARIOS / f"{scenario}.yaml", members=600, out=tmp_path / "run", log="none")
    assert metric in shown(run)
