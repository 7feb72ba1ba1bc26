"""Definitions are data: a file of one's own is read like the shipped ones, and a wrong one is told where and what."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing_sim.errors import InputError, QueryError
from billing_sim.metrics.catalogue import Catalogue, load, shipped
from billing_sim.metrics.definition import AXES, Definition

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
FAMILY = (
    GOOD
    + """\
    variants:
      - id: with_signups
        axis: exclusions
        differs: sign-ups too
        where: amount_micros > 0
"""
)


def read(tmp_path: Path, text: str) -> Catalogue:
    """The metrics of a file with this text."""
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    return load(file)


def complaints(tmp_path: Path, text: str) -> list[str]:
    """What is wrong with a file, as "line:column: what"."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    return [f"{problem.line}:{problem.column}: {problem.what}" for problem in caught.value.problems]


def added(lines: str, below: str = "    matures: dunning") -> str:
    """The good file with more lines below this one."""
    assert below in FAMILY
    return FAMILY.replace(below, f"{below}\n{lines}")


def test_a_digest_follows_the_number_not_the_words():
    """Another title is the same metric; another condition is another one."""
    it = shipped()["recovery_rate"]
    assert it.model_copy(update={"title": "Saved", "tier": "risk"}).digest == it.digest
    assert it.model_copy(update={"where": "NOT is_signup"}).digest != it.digest


def test_a_file_of_ones_own_is_read(tmp_path):
    """Numbers and booleans in YAML become SQL."""
    (definition,) = read(tmp_path, GOOD)
    assert isinstance(definition, Definition)
    assert (definition.id, definition.view, definition.denominator) == ("large_invoices", "finance", "1")


def test_a_variant_says_only_how_it_differs(tmp_path):
    """The rest is its metric's; views show it on request only, under a title and a formula made for it."""
    parent, variant = read(tmp_path, FAMILY)
    assert (variant.id, variant.name, variant.is_variant) == ("large_invoices@with_signups", "large_invoices", True)
    assert (variant.where, variant.axis, variant.shown) == ("amount_micros > 0", ("exclusions",), False)
    assert variant.title == "Large invoices, with signups"
    assert variant.formula == "invoices above 100 / invoices; but sign-ups too"
    same = ("view", "tier", "question", "kind", "fact", "numerator", "denominator", "clock", "matures", "misleads")
    assert all(getattr(variant, field) == getattr(parent, field) for field in same)


def test_a_variant_is_shown_when_it_says_so(tmp_path):
    """`shown: true` puts it into the views; its metric stays."""
    found = read(tmp_path, added("        shown: true", "        axis: exclusions"))
    assert [it.id for it in found.shown] == ["large_invoices", "large_invoices@with_signups"]
    assert [it.id for it in read(tmp_path, FAMILY).shown] == ["large_invoices"]


def test_a_variant_of_another_fact_takes_no_columns_along(tmp_path):
    """Conditions, windows and clocks of one fact mean nothing to another; maturity and words stay."""
    change = "        fact: attempts\n        numerator: is_signup\n        denominator: 1\n        clock: occurred_at"
    text = FAMILY.replace("        where: amount_micros > 0", change)
    _, variant = read(
        tmp_path, text.replace("    where: NOT is_signup\n", "    where: NOT is_signup\n    exclude: [attempts = 0]\n")
    )
    assert (variant.fact, variant.where, variant.exclude, variant.clock) == ("attempts", "", (), "occurred_at")
    assert (variant.matures, variant.tier) == ("dunning", "supporting")


def test_a_variant_may_be_a_query(tmp_path):
    """Then nothing of the fact is left."""
    query = "        sql: SELECT month AS period, 1 AS numerator, 2 AS denominator FROM subscription_months"
    _, variant = read(tmp_path, FAMILY.replace("        where: amount_micros > 0", query))
    assert (variant.fact, variant.where, variant.numerator, variant.clock, variant.matures) == ("", "", "", "", "none")


def test_a_metric_may_be_like_another(tmp_path):
    """Like one of its own file, like a shipped one, and along a chain; source, axis and variants are not inherited."""
    more = """\
  - id: mine
    like: large_invoices
    title: Mine
  - id: mine_too
    like: mine
    where: is_signup
  - id: theirs
    like: recovery_rate@stripe
    view: product
"""
    found = read(tmp_path, GOOD + more)
    assert [it.id for it in found] == ["large_invoices", "mine", "mine_too", "theirs"]
    assert (found["mine"].numerator, found["mine"].title) == (found["large_invoices"].numerator, "Mine")
    assert (found["mine_too"].where, found["mine_too"].title) == ("is_signup", "Mine")
    rule, theirs = shipped()["recovery_rate@stripe"], found["theirs"]
    assert theirs.digest == rule.digest
    assert (theirs.view, theirs.source, theirs.axis, theirs.shown) == ("product", "", (), True)


def test_what_is_excluded_is_no_unit(tmp_path):
    """Every condition of `exclude` is turned round and joined to `where`."""
    it = read(tmp_path, added("    exclude: [amount_micros = 0, is_imported]"))["large_invoices"]
    assert it.condition == ("NOT is_signup", "(amount_micros = 0) IS NOT TRUE", "(is_imported) IS NOT TRUE")


@pytest.mark.parametrize(
    ("window", "condition"),
    [
        ("last: 7 days", "paid_at >= issued_at AND paid_at <= issued_at + INTERVAL 7 DAY"),
        (
            "first: 6 hours, last: 90 minutes, ends: ()",
            "paid_at > issued_at + INTERVAL 6 HOUR AND paid_at < issued_at + INTERVAL 5400 SECOND",
        ),
        (
            "last: 7 days, ends: '[)', grain: day",
            "date_diff('day', issued_at, paid_at) >= 0 AND date_diff('day', issued_at, paid_at) < 7",
        ),
    ],
)
def test_a_window_states_its_ends_and_its_grain(tmp_path, window, condition):
    """Square where an end belongs to it, round where not; calendar days count whole."""
    it = read(tmp_path, added(f"    window: {{of: paid_at, since: issued_at, {window}}}"))["large_invoices"]
    assert it.window.condition == condition


def test_calendar_days_are_those_of_a_zone(tmp_path):
    """Moments are moved into the zone before their days are counted."""
    window = "    window: {of: paid_at, since: issued_at, last: 7 days, grain: day, zone: America/Sao_Paulo}"
    it = read(tmp_path, added(window))["large_invoices"]
    assert "date_diff('day', timezone('America/Sao_Paulo', timezone('UTC', issued_at)), " in it.window.condition


def test_an_unknown_metric_is_answered_with_the_likely_one():
    """A typing error is met with a suggestion."""
    with pytest.raises(QueryError, match=r"There is no metric `recovery_rates`; did you mean `recovery_rate`?"):
        shipped()["recovery_rates"]


NUMERATOR = "amount_micros > 100000000"
MISTAKES = [
    (
        NUMERATOR,
        "amout_micros",
        "13:16: large_invoices, numerator: There is no column in invoices called `amout_micros`; "
        "did you mean `amount_micros`?",
    ),
    (
        NUMERATOR,
        "(SELECT 1)",
        "13:16: large_invoices, numerator: an expression looks at one row only: no queries, windows or stars in it",
    ),
    (
        NUMERATOR,
        "status",
        "13:16: large_invoices, numerator: only conditions and whole numbers are summed, this is VARCHAR",
    ),
    (
        "NOT is_signup",
        "NOT is_signup FROM invoices",
        "12:12: large_invoices, where: this is a query, not an expression",
    ),
    ("NOT is_signup", "attempts", "12:12: large_invoices, where: a condition is needed, this is SMALLINT"),
    ("NOT is_signup", "true -- all", "12:12: large_invoices, where: this is more than one expression"),
    (
        "fact: invoices",
        "fact: invoice",
        "11:11: large_invoices, fact: There is no fact `invoice`; did you mean `invoices`?",
    ),
    (
        "clock: issued_at",
        "clock: issued",
        "15:12: large_invoices, clock: There is no time in invoices called `issued`; did you mean `issued_at`?",
    ),
    ("    direction: neither\n", "", "3:5: large_invoices: `direction` is missing."),
    ("estimand:", "estimate:", "17:15: large_invoices: There is no key `estimate`; did you mean `estimand`?"),
    (
        "matures: dunning",
        "matures: soon",
        "16:14: large_invoices, matures: 'soon' is none of none, month, settlement, dunning and no duration "
        'such as "7 days"',
    ),
    (
        "    denominator: 1\n",
        "",
        "3:5: large_invoices: a ratio needs a denominator; 1 divides by the number of units",
    ),
    ("kind: ratio", "kind: sum", "3:5: large_invoices: a sum has no denominator; delete it"),
    ("kind: ratio", "kind: incidence", "3:5: large_invoices: kind: incidence needs `since`"),
    ("view: finance", "view: finances", "1:7: The file does not say whose view it is."),
]


@pytest.mark.parametrize(("right", "wrong", "complaint"), MISTAKES, ids=[wrong for _, wrong, _ in MISTAKES])
def test_a_wrong_definition_says_where_and_what(tmp_path, right, wrong, complaint):
    """Each mistake is reported at its line and column, in words."""
    assert right in GOOD
    assert complaint in complaints(tmp_path, GOOD.replace(right, wrong))


ADDITIONS = [
    ("    bound: 3", "3:5: large_invoices: only a risk metric has a bound"),
    ("    also: finance", "17:11: large_invoices: There is no key `also`"),
    (
        "    exclude: [amount_micros]",
        "17:14: large_invoices, exclude: amount_micros: a condition is needed, this is BIGINT",
    ),
    (
        "    sql: SELECT 1 AS period, 2 AS numerator, 3 AS denominator",
        "3:5: large_invoices: `sql` stands instead of `fact`; keep one of the two",
    ),
    (
        "    weight: amount_micro",
        "17:13: large_invoices, weight: There is no column in invoices called `amount_micro`; "
        "did you mean `amount_micros`?",
    ),
    ("    over: {fact: invoices}", "3:5: large_invoices: `over` needs a fact and a clock"),
    ("    window: 7 days", "17:13: large_invoices, window: this has keys of its own."),
    ("    window: {since: issued_at, last: 7 days}", "17:13: large_invoices: `window.of` is missing."),
    (
        "    window: {of: status, since: issued_at, last: 7 days}",
        "17:18: large_invoices, window.of: a moment is needed, this is VARCHAR",
    ),
    (
        "    window: {of: paid_at, since: issued_at, last: 7 moons}",
        "17:51: large_invoices, window.last: '7 moons' is not a duration",
    ),
    (
        "    window: {of: paid_at, since: issued_at, last: 7 days, ends: '[['}",
        "17:65: large_invoices: There is no ends `[[`; there is: (), (], [), [].",
    ),
    (
        "    window: {of: paid_at, since: issued_at, last: 7 days, zone: Mars/Base}",
        "17:65: large_invoices, window.zone: there is no time zone 'Mars/Base'",
    ),
]


@pytest.mark.parametrize(("lines", "complaint"), ADDITIONS, ids=[lines.strip() for lines, _ in ADDITIONS])
def test_what_does_not_fit_is_told_where_it_stands(tmp_path, lines, complaint):
    """Keys that are unknown, contradict each other, or hold something else than they should."""
    assert any(found.startswith(complaint) for found in complaints(tmp_path, added(lines)))


AXIS, WHERE = "        axis: exclusions\n", "        where: amount_micros > 0\n"
VARIANT_MISTAKES = [
    (AXIS, "", "20:9: large_invoices@with_signups: a variant says its `axis` and how it `differs`"),
    (
        "        differs: sign-ups too\n",
        "",
        "20:9: large_invoices@with_signups: a variant says its `axis` and how it `differs`",
    ),
    (
        AXIS,
        "        axis: exclusion\n",
        f"20:9: large_invoices@with_signups: there is no axis 'exclusion'; there are {', '.join(AXES)}",
    ),
    (AXIS, AXIS + "        like: billed\n", "22:15: A variant is like its metric; delete `like`."),
    (
        AXIS,
        AXIS + "        shwn: true\n",
        "22:15: large_invoices@with_signups: There is no key `shwn`; did you mean `shown`?",
    ),
    (
        WHERE,
        "        where: amount_micro > 0\n",
        "23:16: large_invoices@with_signups, where: There is no column in invoices called `amount_micro`; "
        "did you mean `amount_micros`?",
    ),
    (WHERE, "        fact: attempts\n", "20:9: large_invoices@with_signups: `clock` is missing"),
    (WHERE, "        kind: sum\n", "20:9: large_invoices@with_signups: `numerator` is missing"),
    (
        WHERE,
        "        sql: SELECT 1 AS period, 2 AS numerator\n",
        "23:14: large_invoices@with_signups, sql: the query returns no column `denominator`.",
    ),
    (
        WHERE,
        "        sql: DELETE FROM invoices\n",
        "23:14: large_invoices@with_signups, sql: Only one SELECT is run at a time; nothing here can be changed.",
    ),
    (
        WHERE,
        WHERE + "      - id: with_signups\n        axis: clock\n        differs: again\n",
        "24:13: large_invoices@with_signups is defined twice.",
    ),
    (
        WHERE,
        WHERE + "  - id: mine\n    like: large_invoice\n",
        "25:11: There is no metric `large_invoice`; did you mean `large_invoices`?",
    ),
    (WHERE, WHERE + "  - id: mine\n    like: mine\n", "25:11: mine is made like itself: mine -> mine."),
    (
        WHERE,
        WHERE + "  - id: hen\n    like: egg\n  - id: egg\n    like: hen\n",
        "25:11: hen is made like itself: hen -> egg -> hen.",
    ),
]


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"), VARIANT_MISTAKES, ids=[wrong.strip()[-40:] for _, wrong, _ in VARIANT_MISTAKES]
)
def test_a_wrong_variant_says_where_and_what(tmp_path, right, wrong, complaint):
    """The line is that of the variant where it states something, and else where the variant begins."""
    assert right in FAMILY
    assert complaint in complaints(tmp_path, FAMILY.replace(right, wrong))


def test_an_aggregate_is_refused_because_it_would_count_twice(tmp_path):
    """A measure is summed by us; a sum inside it is a mistake."""
    (found,) = complaints(tmp_path, GOOD.replace(NUMERATOR, "sum(amount_micros)"))
    assert found.startswith("13:16: large_invoices, numerator: ")


def test_all_mistakes_are_reported_at_once(tmp_path):
    """One reading of the report mends the file."""
    broken = GOOD.replace("NOT is_signup", "is_sign").replace("> 100000000", "> big")
    assert len(complaints(tmp_path, broken)) == 2


def test_a_metric_defined_twice_is_refused(tmp_path):
    """Two definitions of one name would make every reader guess."""
    twice = GOOD + GOOD.split("metrics:\n")[1]
    assert complaints(tmp_path, twice) == ["19:9: large_invoices is defined twice."]
