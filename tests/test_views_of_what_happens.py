"""Views show metrics of what a scenario switches on where it happened, and nowhere else."""

from __future__ import annotations

import pytest

import billing_sim
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.happening import ANY
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


@pytest.mark.parametrize(
    ("scenario", "metric"),
    [("support_desk", "contact_abandonment"), ("paid_sharing", "left_borrowers_paying")],
)
def test_what_happened_is(tmp_path, scenario, metric):
    """A core metric of a campaign stands where there is one."""
    run = billing_sim.run(SCENARIOS / f"{scenario}.yaml", members=600, out=tmp_path / "run", log="none")
    assert metric in shown(run)
