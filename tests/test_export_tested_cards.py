"""Exports of a business under attack: what a bank lets pass of a card test is no money, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.export_readers import lines, rows
from tests.test_export_refunds import FORMS, made
from tests.world_texts import BUSY
from tests.world_texts_fraud import FRAUD


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    """The business as each vendor has it."""
    home = tmp_path_factory.mktemp("attacked")
    run = made(home, BUSY, FRAUD)
    return {form: run.export(form, home / form).folder for form in FORMS}


@pytest.fixture(scope="module")
def tested(folders) -> set[str]:
    """Charges that succeeded on an invoice that nobody paid."""
    where = "c.status = 'succeeded' AND i.status <> 'paid'"
    found = rows(
        f"SELECT c.id FROM c JOIN i ON i.id = c.invoice_id WHERE {where}",
        c=folders["stripe"] / "charge.parquet", i=folders["stripe"] / "invoice.parquet",
    )  # fmt: skip
    assert len(found) > 5
    return {charge for (charge,) in found}


def test_stripe_has_let_them_pass_and_taken_nothing(folders, tested):
    """They are the charges that succeeded and are not captured, and no money moved for them."""
    charges = folders["stripe"] / "charge.parquet"
    uncaptured = rows("SELECT id, balance_transaction_id FROM t WHERE status = 'succeeded' AND NOT captured", t=charges)
    assert {charge for charge, _ in uncaptured} == tested
    assert {moved for _, moved in uncaptured} == {None}
    moved = rows("SELECT source FROM t", t=folders["stripe"] / "balance_transaction.parquet")
    assert not tested & {source for (source,) in moved}


def test_objects_and_events_say_the_same(folders, tested):
    """The object as it is in the end, and as the event of its success tells it."""
    objects = [it for it in lines(folders["stripe-json"] / "charges.jsonl") if it["id"] in tested]
    told = [it["data"]["object"] for it in lines(folders["stripe-json"] / "events.jsonl")
            if it["type"] == "charge.succeeded" and it["data"]["object"]["id"] in tested]  # fmt: skip
    assert len(objects) == len(told) == len(tested)
    for it in (*objects, *told):
        assert (it["status"], it["captured"], it["amount_captured"], it["balance_transaction"]) == (
            "succeeded", False, 0, None,
        )  # fmt: skip


def test_recurly_has_verified_them(folders, tested):
    """As transactions of their own type, of which nothing was collected."""
    found = rows(
        "SELECT success, collected_at FROM t WHERE type = 'verify'", t=folders["recurly"] / "transaction.parquet"
    )
    assert found == [(True, None)] * len(tested)
