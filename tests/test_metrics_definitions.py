"""Definitions are data: the shipped ones are whole and honest, and a wrong one is told what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing_sim.errors import InputError, QueryError
from billing_sim.metrics import expressions
from billing_sim.metrics.catalogue import load, shipped
from billing_sim.metrics.definition import VIEWS, Definition

GOOD = """\
view: finance
metrics:
  - id: large_invoices
    tier: supporting
    title: Large invoices
    question: How many invoices are large?
    formula: invoices above 100 / invoices
    direction: neither
    unit: share
    kind: ratio
    fact: invoices
    where: NOT is_signup
    numerator: amount_micros > 100000000
    denominator: 1
    clock: issued_at
    matures: dunning
    estimand: size_of_invoices
    misleads: It moves with exchange rates.
"""


def complaints(tmp_path: Path, text: str) -> list[str]:
    """What is wrong with a file, as "line: what"."""
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        load(file)
    return [f"{problem.line}: {problem.what}" for problem in caught.value.problems]


@pytest.mark.parametrize("definition", shipped(), ids=lambda it: it.id)
def test_shipped_sql_fits_its_fact(definition):
    """Every expression binds to the columns of its fact, conditions are conditions and sums are whole numbers."""
    assert expressions.problems(definition) == []


@pytest.mark.parametrize("definition", shipped(), ids=lambda it: it.id)
def test_shipped_words_are_there(definition):
    """Question, formula, estimand and how it misleads: full sentences where sentences are meant."""
    assert definition.question.endswith("?")
    assert definition.misleads.endswith(".")
    assert len(definition.formula) > 10
    assert definition.estimand.isidentifier()
    assert "\n" not in definition.misleads


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_has_a_goal_core_metrics_and_risks(view):
    """One to four core metrics lead a view, at least five have a denominator, and some number must not be crossed."""
    shown = shipped().shown_in(view)
    assert shipped().goals[view]
    assert 1 <= sum(it.tier == "core" for it in shown) <= 4
    assert sum(bool(it.denominator) for it in shown) >= 5
    assert any(it.bound is not None for it in shown)
    assert [it.tier for it in shown] == sorted((it.tier for it in shown), key=["core", "supporting", "risk"].index)


def test_a_variant_has_its_canonical_metric():
    """`recovery_rate@count` makes no sense without `recovery_rate`, unless every variant is one of a numbered row."""
    ids = {it.id for it in shipped()}
    variants = {it.split("@")[0] for it in ids if "@" in it and not it.split("@")[1].isdigit()}
    assert variants <= ids


def test_the_gap_compares_what_the_core_metric_counts():
    """`worst_market_gap` repeats the definition of the rate that it compares, and must not drift from it."""
    gap, rate = shipped()["worst_market_gap"], shipped()["uninterrupted_renewal_rate"]
    for field in ("fact", "where", "numerator", "denominator", "clock", "matures", "estimand"):
        assert getattr(gap, field) == getattr(rate, field)


def test_a_digest_follows_the_number_not_the_words():
    """Another title is the same metric; another condition is another one."""
    it = shipped()["recovery_rate"]
    assert it.model_copy(update={"title": "Saved", "tier": "risk"}).digest == it.digest
    assert it.model_copy(update={"where": "NOT is_signup"}).digest != it.digest
    assert len({definition.digest for definition in shipped()}) == len(shipped().definitions)


def test_a_file_of_ones_own_is_read(tmp_path):
    """Numbers and booleans in YAML become SQL."""
    file = tmp_path / "mine.yaml"
    file.write_text(GOOD)
    (definition,) = load(file)
    assert isinstance(definition, Definition)
    assert (definition.id, definition.view, definition.denominator) == ("large_invoices", "finance", "1")


def test_an_unknown_metric_is_answered_with_the_likely_one():
    """A typing error is met with a suggestion."""
    with pytest.raises(QueryError, match=r"There is no metric `recovery_rates`; did you mean `recovery_rate`?"):
        shipped()["recovery_rates"]


NUMERATOR = "amount_micros > 100000000"
MISTAKES = [
    (
        NUMERATOR,
        "amout_micros",
        13,
        "There is no column in invoices called `amout_micros`; did you mean `amount_micros`?",
    ),
    (NUMERATOR, "(SELECT 1)", 13, "an expression looks at one row only: no queries, windows or stars in it"),
    (NUMERATOR, "status", 13, "only conditions and whole numbers are summed, this is VARCHAR"),
    ("NOT is_signup", "NOT is_signup FROM invoices", 12, "this is a query, not an expression"),
    ("NOT is_signup", "attempts", 12, "a condition is needed, this is SMALLINT"),
    ("NOT is_signup", "true -- all", 12, "this is more than one expression"),
    ("fact: invoices", "fact: invoice", 11, "There is no fact `invoice`; did you mean `invoices`?"),
    (
        "clock: issued_at",
        "clock: issued",
        15,
        "There is no time in invoices called `issued`; did you mean `issued_at`?",
    ),
    ("    direction: neither\n", "", 3, "`direction` is missing."),
    ("estimand:", "estimate:", 17, "There is no key `estimate`; did you mean `estimand`?"),
    ("matures: dunning", "matures: soon", 16, "'soon' is none of none, month, settlement, dunning and no duration"),
    ("    denominator: 1\n", "", 3, "a ratio needs a denominator; 1 divides by the number of units"),
    ("kind: ratio", "kind: sum", 3, "a sum has no denominator; delete it"),
    ("view: finance", "view: finances", 1, "The file does not say whose view it is."),
]


@pytest.mark.parametrize(("right", "wrong", "line", "what"), MISTAKES, ids=[wrong for _, wrong, _, _ in MISTAKES])
def test_a_wrong_definition_says_where_and_what(tmp_path, right, wrong, line, what):
    """Each mistake is reported at its line, in words."""
    assert right in GOOD
    found = complaints(tmp_path, GOOD.replace(right, wrong))
    assert any(each.startswith(f"{line}: ") and what in each for each in found), found


def test_an_aggregate_is_refused_because_it_would_count_twice(tmp_path):
    """A measure is summed by us; a sum inside it is a mistake."""
    (found,) = complaints(tmp_path, GOOD.replace("amount_micros > 100000000", "sum(amount_micros)"))
    assert found.startswith("13: large_invoices, numerator: ")
    assert "aggregate" in found.lower()


def test_all_mistakes_are_reported_at_once(tmp_path):
    """One reading of the report mends the file."""
    broken = GOOD.replace("NOT is_signup", "is_sign").replace("> 100000000", "> big")
    assert len(complaints(tmp_path, broken)) == 2


def test_a_metric_defined_twice_is_refused(tmp_path):
    """Two definitions of one name would make every reader guess."""
    twice = GOOD + GOOD.split("metrics:\n")[1]
    assert complaints(tmp_path, twice) == ["19: large_invoices is defined twice."]
