"""Cards that thieves test: issuers let some pass, nobody takes the money, and the words about attempts say so."""

from __future__ import annotations

import numpy as np
import pytest

from billing_sim.events import ATTEMPT_AUTHORIZED, PAYMENT_CAPTURED
from billing_sim.metrics.catalogue import shipped
from tests.world_builder import happened
from tests.world_texts import BUSY
from tests.world_texts_fraud import FRAUD

BY_ATTEMPT = ("collected@by_attempt", "dispute_rate@visa_vamp", "dispute_rate@mastercard_ecm")
"""Definitions that take an authorized attempt for money."""


def test_what_is_authorized_is_not_always_taken():
    """Every capture has its attempt, and some attempts have no capture."""
    rows = happened(FRAUD, BUSY).rows
    keys = [{(r["subscriber"], r["invoice"], r["attempt"]) for r in rows[rows["kind"] == kind]}
            for kind in (ATTEMPT_AUTHORIZED, PAYMENT_CAPTURED)]  # fmt: skip
    tested = keys[0] - keys[1]
    assert len(tested) > 0
    assert not set(np.unique(rows[rows["kind"] == PAYMENT_CAPTURED]["subscriber"])) & {key[0] for key in tested}


@pytest.mark.parametrize("name", BY_ATTEMPT)
def test_a_definition_that_counts_them_says_so(name):
    """It cannot tell them from payments."""
    assert "thieves test" in shipped()[name].misleads
