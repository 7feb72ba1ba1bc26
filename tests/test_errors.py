"""Mistakes are told in plain words, also when they come from another process."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest

from billing_sim.errors import BillingSimError, InputError, Problem, QueryError, RunError
from billing_sim.truth.reconciling import UnreconciledError

PROBLEMS = [Problem("a.yaml", 2, 3, "seed is missing.", "Add it."), Problem("a.yaml", 0, 0, "the file is empty.")]
ERRORS = [
    InputError(PROBLEMS),
    *(kind("Say it again.") for kind in (BillingSimError, RunError, QueryError, UnreconciledError)),
]


def _kinds(kind: type[BillingSimError]) -> Iterator[type[BillingSimError]]:
    yield kind
    for it in kind.__subclasses__():
        yield from _kinds(it)


def test_no_kind_of_error_is_left_out_below():
    assert {type(error) for error in ERRORS} == set(_kinds(BillingSimError))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("carried", [lambda it: pickle.loads(pickle.dumps(it)), copy.copy, copy.deepcopy])
def test_an_error_says_the_same_in_another_process(error, carried):
    found = carried(error)
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert vars(found) == vars(error)
    assert found.exit_code == error.exit_code
