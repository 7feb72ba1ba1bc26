"""Disputes of members who had asked support before, and of those who had not: counted from the rows by hand."""

from __future__ import annotations

import pytest

import billing_sim
from tests.world_texts import BUSY
from tests.world_texts_refunds import CLAIMS
from tests.world_texts_support import desk

TALKATIVE = desk("unknown_charge", "explain")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A world in which some of those who go to their bank have written to us before."""
    folder = tmp_path_factory.mktemp("disputes")
    (folder / "busy.yaml").write_text(BUSY)
    claims = CLAIMS.replace("friendly_fraud: 6%", "friendly_fraud: 20%")
    (folder / "claims.yaml").write_text(f"extends: busy.yaml\n{claims}")
    (folder / "story.yaml").write_text(f"extends: claims.yaml\nname: asked\nmembers: 400\n{TALKATIVE}")
    return billing_sim.run(folder / "story.yaml", out=folder / "run", workers=1)


def test_who_wrote_first_is_not_counted(run):
    """A contact about another invoice, or one after the dispute, does not count as having asked."""
    asked = run.sql("""
        SELECT count(*) AS disputes, count_if(NOT EXISTS (
            FROM events AS c WHERE c.kind = 'contact.opened' AND c.subscriber = d.subscriber AND c.invoice = d.invoice
            AND c.occurred_at <= d.occurred_at)) AS unasked
        FROM events AS d WHERE d.kind = 'dispute.opened'
    """).iloc[0]
    assert 10 < asked.unasked < asked.disputes
    found = run.metric("disputes_without_contact")
    assert float(found.value.iloc[0]) == pytest.approx(asked.unasked / asked.disputes)
    assert run.metric("disputes_without_contact@all_disputes").value.iloc[0] == asked.disputes
