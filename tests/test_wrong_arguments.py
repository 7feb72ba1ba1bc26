"""What a caller hands over by mistake is told in words: no public function breaks on an argument of another kind."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import billing_sim
from billing_sim import BillingSimError, QueryError, RunError
from billing_sim.stress import study
from tests.conftest import SCENARIOS

FIRST_MONTH = SCENARIOS / "first_month.yaml"
FUNCTIONS = ("calibrate", "check", "compare", "dunning", "fit", "goals", "grade", "new_challenge", "open", "run",
             "sensitivity")  # fmt: skip
METHODS = ("views", "metric", "table", "sql", "trace", "plot", "experiment", "campaign", "truth", "report", "export",
           "known_at", "programmes")  # fmt: skip
THING = object()
_NEVER = (THING, b"x", 1j)
_NO_TEXT = (*_NEVER, 3, 0.5, [])
_NO_TEXTS = (*_NEVER, 3, 0.5, [3], [None], [b"x"], {"a": 1})
_NO_COUNT = (*_NEVER, 0.5, "2", [], True, np.float64(1), Decimal(1))
_NO_CALL = (*_NEVER, 3, 0.5, "x", [])
WRONG: dict[str, tuple[Any, ...]] = {
    "str": _NO_TEXT,
    "str | Path": (*_NO_TEXT, "a\0b", ""),
    "bool": (*_NEVER, "no", "yes", 0, 1, [], 0.5),
    "Run": (*_NO_TEXT, "x"),
    "Run | str | Path": _NO_TEXT,
    "RunLike | str | Path": _NO_TEXT,
    "str | Sequence[str]": _NO_TEXTS,
    "str | Path | Sequence[str | Path]": _NO_TEXTS,
    "str | Iterable[str]": _NO_TEXTS,
    "str | Path | Iterable[str | Path]": _NO_TEXTS,
    "Asked | Iterable[Asked]": _NO_TEXTS,
    "int": _NO_COUNT,
    "float": (*_NEVER, "2", [], True, float("nan"), float("inf")),
    "Decimal | float | str": (*_NEVER, [], True, float("nan"), "x"),
    "int | str": (*_NEVER, 0.5, [], "x", "", -1, 2**80, True),
    "datetime": _NO_TEXT,
    "str | date": (*_NO_TEXT, "x", ""),
    "str | date | datetime": (*_NO_TEXT, "x", ""),
    "Report": _NO_CALL,
    "Callable[[int, int], None]": _NO_CALL,
    "Mapping[str, str]": (*_NO_TEXT, "x", {1: 2}),
    "Sequence[Process]": (*_NEVER, 3, 0.5, "x", [3]),
}
"""Values that an argument with this annotation does not take; None besides, where it is not named."""


def _cases(names: tuple[str, ...], owner: Any) -> Iterator[Any]:
    for name in names:
        for it in inspect.signature(getattr(owner, name)).parameters.values():
            if it.name == "self":
                continue
            told, _, none = it.annotation.partition(" | None")
            assert not none
            assert told in WRONG, f"{name} takes {it.name}: {told}; say here what it does not take"
            for value in (*WRONG[told], *(() if "| None" in it.annotation else (None,))):
                yield pytest.param(name, it.name, value, id=f"{name}-{it.name}-{value!r}"[:60].split(" at ")[0])


def _filled(function: Callable[..., Any], name: str, value: Any, tmp_path: Path) -> dict[str, Any]:
    """Arguments that would do, but for one."""
    usual: dict[str, Any] = {
        "path": FIRST_MONTH, "name": "invoices", "query": "SELECT 1", "subscriber": "US-4", "form": "csv",
        "to": tmp_path / "to", "out": tmp_path / "out", "a": FIRST_MONTH, "b": FIRST_MONTH, "as_of": None,
        "pack": tmp_path, "answers": tmp_path / "answers.yaml", "targets": tmp_path / "targets.yaml",
    }  # fmt: skip
    needed = [it for it in inspect.signature(function).parameters.values() if it.default is inspect.Parameter.empty]
    return {it.name: usual[it.name] for it in needed if it.name != "self"} | {name: value}


@pytest.mark.parametrize(("function", "name", "value"), _cases(FUNCTIONS, billing_sim))
def test_a_function_tells_what_it_takes(function, name, value, tmp_path):
    called = getattr(billing_sim, function)
    with pytest.raises(BillingSimError) as caught:
        called(**_filled(called, name, value, tmp_path))
    assert len(str(caught.value)) > 20
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("function", "name", "value"), _cases(("stress",), study))
def test_the_lab_tells_what_it_takes(function, name, value):
    with pytest.raises(BillingSimError) as caught:
        billing_sim.stress(**{name: value})
    assert len(str(caught.value)) > 20


@pytest.mark.parametrize(("method", "name", "value"), _cases(METHODS, billing_sim.Run))
def test_a_method_of_a_run_tells_what_it_takes(tiny_run, method, name, value, tmp_path):
    called = getattr(tiny_run, method)
    with pytest.raises(BillingSimError) as caught:
        called(**_filled(called, name, value, tmp_path))
    assert len(str(caught.value)) > 20
    assert not list(tmp_path.iterdir())


def test_no_public_name_is_left_out():
    public = {it for it in vars(billing_sim.Run) if not it.startswith("_")}
    called = {it for it in public if inspect.isfunction(getattr(billing_sim.Run, it))}
    assert called - {"summary", "story"} == set(METHODS)
    functions = {it for it in billing_sim.__all__ if inspect.isfunction(getattr(billing_sim, it))}
    assert functions == set(FUNCTIONS)


def test_the_message_says_which_argument_and_what_to_write(tiny_run):
    with pytest.raises(QueryError, match="name=None is no text: put it in quotes"):
        tiny_run.table(None)
    with pytest.raises(QueryError, match="workers='2' is no whole number: write one in digits, as in 3"):
        billing_sim.run(FIRST_MONTH, workers="2")
    with pytest.raises(QueryError, match="query=object is no text"):
        tiny_run.sql(THING)
    with pytest.raises(QueryError, match="fresh='no' is neither yes nor no: write True or False, without quotes"):
        billing_sim.run(FIRST_MONTH, fresh="no")
    with pytest.raises(QueryError, match="out='' is no path: write the name of a file or folder"):
        billing_sim.run(FIRST_MONTH, out="")


def test_numbers_of_numpy_are_numbers(tmp_path):
    made = billing_sim.run(
        FIRST_MONTH, members=np.int32(20), seed=np.int64(1), out=tmp_path / "one", workers=np.int8(1)
    )
    assert (made.members, made.seed) == (20, 1)
    assert billing_sim.run(FIRST_MONTH, members=20, seed=1, out=tmp_path / "one").reused
    assert made.trace(np.int64(made.table("invoices")["subscriber"].iloc[0])).entries


@pytest.mark.parametrize("place", [".", "there.txt/report.html"])
def test_a_report_that_cannot_be_written_is_told(tiny_run, tmp_path, place):
    (tmp_path / "there.txt").write_text("mine")
    with pytest.raises(RunError, match=r"report\.html|Name another file"):
        tiny_run.report(tmp_path / place)
    assert [it.name for it in tmp_path.iterdir()] == ["there.txt"]
