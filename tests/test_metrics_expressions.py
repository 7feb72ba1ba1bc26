"""Expressions of definitions: a list of what they may be made of, and for every field what it must come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from billing_sim.errors import InputError
from billing_sim.metrics.catalogue import load
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.expressions import problems

RATE = {
    "id": "mine", "view": "product", "tier": "core", "title": "Mine", "question": "What?", "formula": "a / b",
    "direction": "up", "unit": "share", "kind": "ratio", "fact": "invoices", "numerator": "status = 'paid'",
    "denominator": "1", "clock": "issued_at", "estimand": "mine", "misleads": "Always.",
}  # fmt: skip
WINDOW = {"of": "paid_at", "since": "issued_at", "last": "7 days"}
INCIDENCE = RATE | {
    "kind": "incidence", "numerator": "", "denominator": "", "since": "issued_at", "event": "paid_at",
    "by_age": "14 days",
}  # fmt: skip


def wrong(content: dict[str, object]) -> list[tuple[str, str, str]]:
    """What is wrong with a definition."""
    return problems(Definition.model_validate(content))


@pytest.mark.parametrize(
    "sql",
    [
        "amount_micros - tax_micros + 1",
        "-attempts * 2 // 3 % 4",
        "status IN ('paid', 'open') AND NOT (is_signup OR attempts <> 1)",
        "status NOT IN ('paid') AND paid_at IS NULL AND held_at IS NOT NULL",
        "attempts BETWEEN 1 AND 3",
        "CASE WHEN is_signup THEN amount_micros ELSE 0 END",
        "CAST(is_signup AS INTEGER) + was_returned::BIGINT",
        "paid_at::DATE = issued_at::DATE AND paid_at > TIMESTAMP '2025-01-01' AND issued_at < DATE '2025-01-01'",
        "coalesce(nullif(attempts, 0), 1) + ifnull(declines, 0) + if(is_signup, 1, 0)",
        "least(attempts, 3) + greatest(declines, 0) + abs(notices) + sign(notices)",
        "(floor(amount_minor / 100) + ceil(amount_minor / 100) + round(amount_minor / 100))::BIGINT",
        "date_diff('day', issued_at, paid_at) + datediff('hour', issued_at, paid_at)",
        "date_trunc('month', paid_at) = date_trunc('month', issued_at)",
        "date_part('dow', issued_at) = 1 OR extract(month FROM issued_at) = 2",
        "year(issued_at) + month(issued_at) + day(issued_at) + hour(issued_at)",
        "epoch_us(paid_at) - epoch_us(issued_at)",
        "paid_at <= issued_at + INTERVAL 14 DAY AND paid_at <= issued_at + to_days(3) + to_hours(attempts)",
        "paid_at <= issued_at + INTERVAL '36 hours' AND paid_at <= issued_at + INTERVAL (attempts) DAY",
        "hour(timezone('Asia/Tokyo', timezone('UTC', issued_at))) < 8",
        "first_outcome IS DISTINCT FROM 'declined' AND \"group\" < 32 AND invoices.is_signup",
        "status = 'a -- b'",
        "true",
    ],
)
def test_what_is_on_the_list_is_computed(sql):
    """Arithmetic, comparisons, conditions, casts, dates: the SQL of one row."""
    assert wrong(RATE | {"numerator": sql}) == []


ONE_ROW = "an expression looks at one row only: no queries, windows or stars in it"
REFUSED = [
    ("(SELECT max(attempts) FROM invoices)", ONE_ROW, "a whole query goes into `sql`"),
    ("invoice IN (SELECT 1)", ONE_ROW, "Use the columns of the fact"),
    ("max(attempts) OVER ()", ONE_ROW, "Use the columns of the fact"),
    ("COLUMNS(*)", ONE_ROW, "Use the columns of the fact"),
    ("1 UNION SELECT 2", "this is a query, not an expression", "Keep the part after SELECT"),
    ("1 FROM invoices", "this is a query, not an expression", "Keep the part after SELECT"),
    ("1 LIMIT 1", "this is a query, not an expression", "Keep the part after SELECT"),
    ("1; SELECT 2", "this is more than one expression", "without comments"),
    ("1 -- all", "this is more than one expression", "without comments"),
    ("1 /* all */", "this is more than one expression", "without comments"),
    ("attempts, declines", "this is more than one expression", "without a comma"),
    ("attempts AS tries", "this is more than one expression", "a name behind it"),
    ("attempts) OR (1", "this is not an SQL expression", "Write a condition"),
    ("1; DROP TABLE invoices", "this is not an SQL expression", "Write a condition"),
    ("sum(amount_micros)", "`sum` aggregates; write the term of the sum, the engine sums it once.", ""),
    ("count(*)", "`count_star` aggregates", ""),
    ("count(*) FILTER (WHERE is_signup)", "`count_star` aggregates", ""),
    ("1 + max(attempts)", "`max` aggregates", "For one row, greatest(a, b) takes several columns."),
    ("random()", "There is no function `random`", "Allowed are abs, sign"),
    ("now() > issued_at", "There is no function `now`", "Allowed are abs"),
    ("getenv('HOME') = 'x'", "There is no function `getenv`", "Allowed are abs"),
    ("length(read_text('/etc/hosts')) > 0", "There is no function `length`", "Allowed are abs"),
    ("gratest(attempts, 1)", "There is no function `gratest`; did you mean `greatest`?", ""),
    ("status LIKE 'p%'", "LIKE is not allowed", "Compare with ="),
    ("status || 'x' = 'px'", "|| is not allowed", "Compare with ="),
    ("attempts ** 2", "** is not allowed", "compute with + - * / //"),
    ("attempts::VARCHAR = '1'", "a cast to VARCHAR is not allowed", "Cast to BIGINT, BOOLEAN, DATE or TIMESTAMP"),
    ("attempts::DOUBLE > 0.5", "a cast to DOUBLE is not allowed", "Cast to BIGINT"),
    ("[attempts][1]", "array extract is not among what an expression may hold", "plain columns"),
    ("attempts = ?", "value parameter is not among what an expression may hold", "plain columns"),
    ("attemps = 1", "There is no column in invoices called `attemps`; did you mean `attempts`?", "schema facts"),
    ("current_date > issued_at", "There is no column in invoices called `current_date`", "schema facts"),
    ("attempts.attempts = 1", "`attempts.attempts` is not a column", "Write a column of invoices alone"),
    ("status", "only conditions and whole numbers are summed, this is VARCHAR", "Cast it to BIGINT or compare it."),
    ("amount_minor / 2", "only conditions and whole numbers are summed, this is DOUBLE", "Cast it to BIGINT"),
]


@pytest.mark.parametrize(("sql", "what", "remedy"), REFUSED, ids=[sql for sql, _, _ in REFUSED])
def test_everything_else_is_refused_with_what_to_do(sql, what, remedy):
    """Other rows, other statements, chance, files, text: none of it is a term of a sum."""
    ((field, said, advice),) = wrong(RATE | {"numerator": sql})
    assert field == "numerator"
    assert what in said
    assert remedy in advice


FIELDS = [
    (RATE | {"where": "attempts"}, "where", "a condition is needed, this is SMALLINT"),
    (RATE | {"exclude": ["is_signup", "is_import"]}, "exclude", "is_import: There is no column in invoices"),
    (RATE | {"clock": "issued"}, "clock", "There is no time in invoices called `issued`; did you mean `issued_at`?"),
    (RATE | {"fact": "invoice"}, "fact", "There is no fact `invoice`; did you mean `invoices`?"),
    (RATE | {"weight": "amount_micros / 2"}, "weight", "a whole number is needed, this is DOUBLE"),
    (RATE | {"weight": "is_signup"}, "weight", "a whole number is needed, this is BOOLEAN"),
    (RATE | {"weight": "attempts", "numerator": "attempts"}, "numerator", "a condition is needed, this is SMALLINT"),
    (RATE | {"window": WINDOW | {"of": "status"}}, "window.of", "a moment is needed, this is VARCHAR"),
    (RATE | {"window": WINDOW | {"since": "isued_at"}}, "window.since", "did you mean `issued_at`?"),
    (INCIDENCE | {"since": "attempts"}, "since", "a moment is needed, this is SMALLINT"),
    (INCIDENCE | {"event": "status = 'paid'"}, "event", "a moment is needed, this is BOOLEAN"),
    (INCIDENCE | {"competing": "given_up"}, "competing", "did you mean `given_up_at`?"),
    (INCIDENCE | {"enters": "max(paid_at)"}, "enters", "`max` aggregates"),
    (INCIDENCE | {"by_age": "soon"}, "by_age", "'soon' is no duration"),
    (RATE | {"over": {"fact": "atempts", "clock": "occurred_at"}}, "over.fact", "did you mean `attempts`?"),
    (RATE | {"over": {"fact": "attempts", "clock": "issued"}}, "over.clock", "did you mean `issued_at`?"),
    (
        RATE | {"over": {"fact": "attempts", "clock": "occurred_at", "where": "code"}},
        "over.where",
        "a condition is needed, this is VARCHAR",
    ),
    (
        RATE | {"over": {"fact": "attempts", "clock": "occurred_at", "exclude": ["paid_at IS NULL"]}},
        "over.exclude",
        "There is no column in attempts called `paid_at`",
    ),
    (
        RATE | {"over": {"fact": "attempts", "clock": "occurred_at"}, "denominator": "notices"},
        "denominator",
        "There is no column in attempts called `notices`",
    ),
    (RATE | {"sql": "SELECT 1 AS period"}, "sql", "the query returns no column `numerator`."),
    (RATE | {"sql": "SELECT * FROM invoicse"}, "sql", "invoicse"),
]


@pytest.mark.parametrize(("content", "field", "what"), FIELDS, ids=[f"{field}: {what}" for _, field, what in FIELDS])
def test_a_wrong_field_is_named(content, field, what):
    """As its key is written, with a dot below `window` and `over`."""
    if "sql" in content:
        content = {
            key: value for key, value in content.items() if key not in ("fact", "numerator", "denominator", "clock")
        }
    found = wrong(content)
    assert (field, True) in [(name, what in said) for name, said, _ in found], found


def test_a_whole_definition_with_every_new_field_passes():
    """A window, a weight, exclusions, another denominator, and an incidence with everything it may say."""
    over = {"fact": "attempts", "clock": "occurred_at", "exclude": ["is_signup"], "matures": "settlement"}
    assert wrong(RATE | {"window": WINDOW, "weight": "amount_micros", "exclude": ["is_signup", "attempts = 0"]}) == []
    assert wrong(RATE | {"over": over, "denominator": "amount_micros"}) == []
    assert wrong(INCIDENCE | {"competing": "given_up_at", "enters": "issued_at + INTERVAL 1 DAY"}) == []


def test_amounts_at_constant_rates_need_a_twin(monkeypatch):
    """A fact that keeps an amount at the rates of its day only cannot give it at constant ones."""
    content = RATE | {"money": "constant", "numerator": "amount_micros", "denominator": "tax_micros"}
    assert wrong(content) == []
    monkeypatch.setattr("billing_sim.metrics.expressions.twins", lambda fact: ["amount"])
    assert [(field, what) for field, what, _ in wrong(content)] == [
        ("money", "denominator: `tax_micros` of invoices is known at the rates of its day only")
    ]


FILE = """\
view: product
metrics:
  - id: mine
    like: payment_success_rate
    window:
      of: paid_att
      since: issued_at
      last: 7 days
    variants:
      - id: late
        axis: window
        differs: x
        title: Late
"""


def test_a_mistake_has_its_place_and_is_told_once(tmp_path: Path):
    """A variant takes the window over; the file says it once, and so does the report."""
    file = tmp_path / "mine.yaml"
    file.write_text(FILE)
    with pytest.raises(InputError) as caught:
        load(file)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (6, 11)
    assert problem.what.startswith(
        "mine, window.of: There is no column in invoices called `paid_att`; did you mean `paid_at`"
    )
