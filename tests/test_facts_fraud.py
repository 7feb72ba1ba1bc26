"""Facts of a world in which people are challenged, screened and attacked: the fold says what a slow reader says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from billing_sim.events import KIND_NAMES
from billing_sim.facts.folding import Folder
from billing_sim.facts.schema import FACTS, NO_LABEL, NULL, OPTIONAL_LABELS
from billing_sim.identity import vocabularies_of
from billing_sim.runs.tables import BUILT_IN
from billing_sim.world.announce import announcements
from tests.naive_facts import Naive
from tests.test_facts import blocks
from tests.world_builder import Log, happened
from tests.world_texts import BUSY
from tests.world_texts_fraud import FRAUD

TOLD = ("invoices", "attempts", "signups", "payment_methods")


@pytest.fixture(scope="module")
def log() -> Log:
    """Everything of this noun, but nobody is charged twice."""
    return happened(FRAUD.replace("double_charges: 30%", "declines: 5%"), BUSY)


@pytest.fixture(scope="module")
def folded(log) -> dict[str, np.ndarray]:
    """Every fact of the log, as the fold writes it."""
    folder = Folder(announcements(log.world), vocabularies_of(log.world))
    pieces: dict[str, list[np.ndarray]] = {fact.name: [] for fact in FACTS}
    for block in blocks(log.rows):
        for name, rows in folder.fold(block).items():
            pieces[name].append(rows.copy())
    return {name: np.concatenate(rows) for name, rows in pieces.items()}


@pytest.fixture(scope="module")
def naive(log) -> dict[str, list[dict[str, Any]]]:
    """The same facts, the slow way."""
    reader = Naive(announcements(log.world), {**BUILT_IN, **vocabularies_of(log.world)}, KIND_NAMES)
    found: dict[str, list[dict[str, Any]]] = {fact.name: [] for fact in FACTS}
    for _, rows in log.lives():
        for name, facts in reader.facts_of(reader.read(rows)).items():
            found[name] += facts
    return found


@pytest.mark.parametrize("name", TOLD)
def test_the_fold_says_what_a_slow_reader_says(log, folded, naive, name):
    """Every column of every row."""
    fact = next(fact for fact in FACTS if fact.name == name)
    words = {**BUILT_IN, **vocabularies_of(log.world)}
    assert len(folded[name]) == len(naive[name]) > 100
    for row, wanted in zip(folded[name], naive[name], strict=True):
        for column in fact.columns:
            value: Any = int(row[column.name])
            if column.name in OPTIONAL_LABELS and value == NO_LABEL:
                value = None
            elif column.vocabulary:
                value = words[column.vocabulary][value]
            elif column.storage in ("timestamp", "date"):
                value = None if value == NULL else value
            assert value == wanted[column.name], (
                column.name,
                row["subscriber"],
                row["invoice"] if name == TOLD[1] else "",
            )


def test_what_no_bank_decided_is_told_apart(folded):
    """Blocked, challenged, reviewed and pending attempts are all there, and blocked ones have no gateway."""
    attempts = folded["attempts"]
    assert set(attempts["outcome"]) == {1, 2, 3, 4}
    assert set(attempts["authentication"]) == {0, 1, 2, 3, 4}
    assert attempts["was_reviewed"].sum() > 50
    assert attempts["is_pending"].sum() > 20
    blocked = attempts["outcome"] == 4
    assert (attempts["gateway"][blocked] == NO_LABEL).all()
    assert (attempts["score"][blocked] > 0).all()
    assert set(np.unique(folded["payment_methods"]["is_launched"])) == {0, 1}
