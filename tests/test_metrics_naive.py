"""The engine against a loop over the rows: small random logs, every metric of the catalogue, any slices.

`python tests/test_metrics_naive.py 3000` tries that many logs and counts the differences.
"""

from __future__ import annotations

import math
import os
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from billing_sim.events import Column
from billing_sim.facts.schema import FACTS, OPTIONAL_LABELS, VOCABULARIES
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.definition import Definition, Population
from billing_sim.metrics.engine import Question
from billing_sim.metrics.frame import frame
from billing_sim.metrics.result import Figure, Slice
from tests.facts_builder import HandMade, Row, build
from tests.naive_metrics import COHORTS, Answer, World, at_constant_rates, evaluate, moment_of
from tests.naive_sql import DAY

LOGS = int(os.environ.get("NAIVE_LOGS", "20"))
MICROSECOND = timedelta(microseconds=1)
DIMS = ("market", "region", "plan", "method", "month", "cohort", "arm", "interval", "currency", "is_signup", "gateway",
        "policy", "status", "started_by", "outcome", "attempt", "spell")  # fmt: skip
_NAMES = {
    "market": ("US", "BR", "DE"), "region": ("UCAN", "LATAM"), "plan": ("basic", "premium"), "currency": ("BRL", "USD"),
    "gateway": ("north", "south"), "policy": ("patient", "none"),
    "method": ("credit", "debit", "direct_debit", "voucher", "carrier_partner"),
}  # fmt: skip


def summed() -> list[Definition]:
    """The metrics that are sums over facts, not queries."""
    return [it for it in shipped() if not it.sql]


@cache
def interesting() -> tuple[dict[str, set[Any]], tuple[timedelta, ...]]:
    """What the catalogue's definitions compare columns with, and the lengths of time in them."""
    values: dict[str, set[Any]] = defaultdict(set)
    spans = {timedelta(), MICROSECOND, timedelta(days=2), timedelta(days=30)}
    for it in summed():
        for sql in _texts(it):
            tree = sqlglot.parse_one(sql, dialect="duckdb")
            for node in tree.find_all(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In):
                literals = [part for part in node.find_all(exp.Literal) if not part.find_ancestor(exp.Interval)]
                for column in node.find_all(exp.Column):
                    values[column.name] |= {each.this if each.is_string else int(each.this) for each in literals}
            spans |= {
                moment_of(f"{each.this.this} {each.args['unit'].name.lower()}") for each in tree.find_all(exp.Interval)
            }
        spans |= {moment_of(text) for text in (it.matures, it.by_age) if text[:1].isdigit()}
        spans |= {moment_of(text) for text in ((it.window.first, it.window.last) if it.window else ())}
    return dict(values), tuple(sorted(spans))


def _texts(it: Definition) -> Iterator[str]:
    populations: list[Population] = [it, *([it.over] if it.over else [])]
    found = [text for each in populations for text in (each.where, *each.exclude)]
    found += [it.numerator, it.denominator, it.weight, it.since, it.event, it.competing, it.enters]
    yield from filter(None, found + ([it.window.of, it.window.since] if it.window else []))


_PARTS: dict[str, dict[str, tuple[str, ...]]] = {
    "invoices": {
        "conditions": (
            "NOT is_signup", "status IN ('paid', 'void')", "first_failed_at IS NOT NULL AND held_at IS NULL",
            "policy <> 'patient' OR gateway = 'north'", "paid_at > issued_at", "attempts BETWEEN 1 AND 2", "true",
        ),
        "numbers": (
            "amount_micros", "notices", "CASE WHEN status = 'paid' THEN amount_micros END",
            "amount_micros - tax_micros", "1", "status NOT IN ('paid', 'open')",
            "CASE status WHEN 'paid' THEN 2 WHEN 'void' THEN -1 ELSE 0 END",
            "epoch_us(paid_at) // 1000000 - epoch_us(issued_at) // 1000000", "attempts % 2",
        ),
        "clocks": ("issued_at", "first_failed_at", "paid_at", "period_start"),
        "moments": ("issued_at", "paid_at", "coalesce(paid_at, given_up_at)", "first_failed_at", "period_end",
                    "CASE WHEN status = 'paid' THEN paid_at END", "least(held_at, given_up_at)"),
    },
    "subscription_months": {
        "conditions": ("active_at_start", "ended IS DISTINCT FROM 'none'", "NOT (past_due_at_end OR on_hold_at_end)"),
        "numbers": ("mrr_end_micros", "active_at_start::INTEGER + active_at_end::INTEGER", "1", "ended <> 'none'"),
        "clocks": ("month", "ended_at"),
        "moments": ("ended_at", "joined_on", "month + INTERVAL 1 DAY", "ended_recorded_at"),
    },
}  # fmt: skip


def some_definition(luck: random.Random, number: int) -> Definition:
    """A metric that nobody asked for: any kind, any window, any maturity."""
    kind = luck.choice(["ratio", "ratio", "sum", "stock", "quantile", "gap", "incidence"])
    fields: dict[str, Any] = _population(luck, luck.choice(list(_PARTS)), kind)
    parts = _PARTS[fields["fact"]]
    if kind == "incidence":
        since, event, competing, enters = (luck.choice(parts["moments"]) for _ in range(4))
        fields |= {"since": since, "event": event, "competing": luck.choice(["", competing])}
        fields |= {
            "enters": luck.choice(["", enters]),
            "by_age": luck.choice(["0 days", "2 days", "14 days", "30 days"]),
        }
        fields |= {"estimator": luck.choice(["aalen_johansen", "kaplan_meier", "closed"])}
    else:
        fields |= {"numerator": luck.choice(parts["numbers"])}
        fields |= {"window": luck.choice([None, _window(luck, parts["moments"])])}
    if kind in ("ratio", "gap") or (kind == "stock" and luck.random() < 0.5):
        over = luck.choice([None, _population(luck, luck.choice(list(_PARTS)), kind)])
        below = _PARTS[over["fact"] if over else fields["fact"]]["numbers"]
        fields |= {"over": over, "denominator": luck.choice(["1", luck.choice(below)])}
        if fields["denominator"] == "1" and not over and luck.random() < 0.3:
            fields |= {
                "weight": luck.choice(["amount_micros", "notices"] if "notices" in below else ["mrr_end_micros"])
            }
            fields |= {"numerator": luck.choice(parts["conditions"])}
    fields |= {"quantile": luck.choice(["0.5", "0.9", "0.01"])} if kind == "quantile" else {}
    fields |= (
        {"across": luck.choice(["market", "plan", "month"]), "at_least": luck.choice([1, 3])} if kind == "gap" else {}
    )
    words = dict.fromkeys(("title", "question", "formula", "estimand", "misleads"), "whatever")
    unit = "points" if kind == "gap" else luck.choice(["share", "money", "each"])
    fields |= {"id": f"some_{number}", "view": "product", "tier": "core", "direction": "up", "unit": unit, "kind": kind}
    fields |= {"scale": luck.choice([1, 1, 1000]), "money": luck.choice(["spot", "spot", "constant"])}
    return Definition.model_validate({**words, **fields})


def _population(luck: random.Random, fact: str, kind: str) -> dict[str, Any]:
    parts = _PARTS[fact]
    matures = luck.choice(["none", "settlement", "dunning", "month", "7 days", "36 hours"])
    return {
        "fact": fact, "clock": luck.choice(parts["clocks"]),
        "where": luck.choice(["", *parts["conditions"]]),
        "exclude": luck.choice([(), (f"coalesce({luck.choice(parts['conditions'])}, false)",)]),
        "matures": "none" if kind in ("stock", "incidence") else matures,
    }  # fmt: skip


def _window(luck: random.Random, moments: tuple[str, ...]) -> dict[str, str]:
    grain = luck.choice(["instant", "hour", "day"])
    zone = luck.choice(["UTC", "America/Sao_Paulo", "Asia/Kolkata", "Europe/Berlin"])
    first, last = luck.choice(
        [("0 days", "7 days"), ("1 days", "14 days"), ("0 hours", "48 hours"), ("2 days", "2 days")]
    )
    return {
        "of": luck.choice(moments), "since": luck.choice(moments), "first": first, "last": last, "grain": grain,
        "ends": luck.choice(["[]", "[)", "(]", "()"]),
        "zone": "UTC" if grain == "instant" else zone,
    }  # fmt: skip


class Log:
    """A small random log: facts that obey no story, moments exactly on every limit, few groups or many."""

    def __init__(self, seed: int) -> None:
        self.luck = random.Random(seed)
        luck = self.luck
        self.start = datetime(2025, 1, luck.choice([1, 1, 15]))
        self.end = self.start + luck.choice([40, 90, 120, 181]) * DAY
        if luck.random() < 0.3:
            self.end = datetime(2025, 5, 1)
        self.as_of = self.end if luck.random() < 0.6 else self.end - luck.choice([1, 20, 30]) * DAY
        self.groups = luck.choice([[7], [0, 63], [1, 2, 3, 4, 5], range(64)])
        self.rates = luck.choice([(), (("USD", 0, 10**9), ("BRL", 0, 180_000_001), ("BRL", 10**15, 90_000_000))])
        self.size = luck.choice([1, 4, 12, 30])
        self.months = luck.random() < 0.4
        self.by = tuple(luck.sample(DIMS, luck.choice([0, 1, 1, 2])))
        self.facts = {fact.name: self._rows(fact.columns, fact.name) for fact in FACTS}

    @property
    def world(self) -> World:
        """What the builder's run says of itself."""
        return World(self.start, self.as_of, timedelta(days=2), timedelta(days=30))

    def source(self, path: Path) -> HandMade:
        """The facts as a run's files."""
        made = build(path, **self.facts)
        return HandMade(made.path, f"{self.start:%Y-%m-%d}", f"{self.end:%Y-%m-%d}", rates=self.rates)

    def _rows(self, columns: tuple[Column, ...], fact: str) -> list[Row]:
        count = 0 if self.luck.random() < 0.1 else self.luck.randrange(self.size + 1)
        return [self._row(columns, fact) for _ in range(count)]

    def _row(self, columns: tuple[Column, ...], fact: str) -> Row:
        anchor = self._moment()
        row = {column.name: self._value(column, anchor) for column in columns}
        if fact == "subscriptions":
            row["started_at"] = row["started_at"] or anchor
        return row

    def _value(self, column: Column, anchor: datetime) -> Any:
        luck, (values, _) = self.luck, interesting()
        mentioned = sorted(values.get(column.name, ()), key=str)
        if column.name == "group":
            return luck.choice(self.groups)
        if column.vocabulary:
            known = sorted(
                {*_NAMES.get(column.name, ()), *VOCABULARIES.get(column.vocabulary, ()), *map(str, mentioned)}
            )
            return luck.choice([*(known or ["this", "that"]), *([None] if column.name in OPTIONAL_LABELS else [])])
        if column.storage == "bool":
            return luck.random() < 0.4
        if column.storage == "timestamp":
            return None if luck.random() < 0.25 else self._near(anchor) if luck.random() < 0.75 else self._moment()
        if column.storage == "date":
            return self._day(anchor, column.name)
        if mentioned and luck.random() < 0.6:
            return max(0, int(luck.choice(mentioned)) + luck.choice([-1, 0, 0, 1]))
        return luck.choice(self._sizes(column.storage))

    def _sizes(self, storage: str) -> list[int]:
        luck = self.luck
        if storage in ("u1", "i2"):
            return [0, 1, 1, 2, 3]
        small = [0, 1, 255, 256, 257, luck.randrange(1000), luck.randrange(100_000)]
        return small if storage == "i4" else [*small, 0, 9_990_000, 10**7, luck.randrange(10**9), 10**13 + 1]

    def _moment(self) -> datetime:
        """Anything from before the run until after its end; often a limit, or a microsecond beside it."""
        luck, (_, spans) = self.luck, interesting()
        beside = luck.choice([timedelta(), timedelta(), MICROSECOND, -MICROSECOND])
        kind = luck.random()
        if kind < 0.3:
            return self.as_of - luck.choice(spans) + beside
        if kind < 0.45:
            return datetime(2025, luck.randrange(1, 7), 1) + beside
        return self.start + timedelta(seconds=luck.randrange(-5 * 86_400, int((self.end - self.start).total_seconds())))

    def _near(self, anchor: datetime) -> datetime:
        """A moment that hangs on another one: the same, or a limit's length away."""
        luck, (_, spans) = self.luck, interesting()
        beside = luck.choice([timedelta(), timedelta(), timedelta(), MICROSECOND, -MICROSECOND])
        if luck.random() < 0.3:
            return anchor + timedelta(hours=luck.randrange(-30, 900)) + beside
        return anchor + luck.choice(spans) + beside

    def _day(self, anchor: datetime, name: str) -> date | None:
        if name == "month":
            return date(2025, self.luck.randrange(1, 7), 1)
        return None if self.luck.random() < 0.2 else (anchor - self.luck.randrange(0, 400) * DAY).date()


def differences(log: Log, path: Path) -> list[str]:
    """Where engine and loop disagree on a log."""
    definitions = [*summed(), *(some_definition(log.luck, number) for number in range(12))]
    known = {name for it in definitions for name in dimensions(it)}
    by = tuple(name for name in log.by if name in known)
    found = []
    source = log.source(path)
    start_of = {currency: nanos for currency, _, nanos in reversed(log.rates)}
    facts = at_constant_rates(log.facts, start_of)
    question = Question(tuple(definitions), by, frame(source, log.as_of), months=log.months)
    for result in question.answer(source):
        it = result.definition
        own = by if set(by) <= dimensions(it) else ()
        total, slices = evaluate(it, facts, log.world, own)
        found += [f"{_named(it)}: {what}" for what in _differs(result, total)]
        found += _apart(it, own, result.slices, slices)
        if log.months:
            found += _apart(it, ("month",), result.months, evaluate(it, facts, log.world, ("month",))[1])
    return found


def _named(it: Definition) -> str:
    return repr(it.model_dump(exclude_defaults=True)) if it.id.startswith("some_") else it.id


def _apart(
    it: Definition, by: tuple[str, ...], made: tuple[Slice, ...], naive: dict[tuple[str, ...], Answer]
) -> Iterator[str]:
    """Where slices differ, or are there on one side only."""
    parts = {tuple(part.dims[name] for name in by): part for part in made}
    if set(parts) != set(naive):
        yield f"{_named(it)} by {by}: slices {sorted(parts)}, not {sorted(naive)}"
    for key in set(parts) & set(naive):
        yield from (f"{_named(it)} in {key}: {what}" for what in _differs(parts[key], naive[key]))


def dimensions(it: Definition) -> set[str]:
    """Labels, flags and small numbers of both facts, the month, and the cohort where both know when people joined."""
    facts = [fact for fact in FACTS if fact.name in (it.fact, (it.over or it).fact)]
    columns = [
        {each.name for each in fact.columns if each.vocabulary or each.storage in ("bool", "i2", "u1")}
        for fact in facts
    ]
    cohort = {"cohort"} if all(fact.name in COHORTS for fact in facts) else set()
    return set.intersection(*columns) - {"group", "invoice", "instrument"} | {"month"} | cohort


def _differs(made: Figure, naive: Answer) -> Iterator[str]:
    for name in ("numerator", "denominator", "units", "immature"):
        if getattr(made, name) != getattr(naive, name):
            yield f"{name} {getattr(made, name)}, not {getattr(naive, name)}"
    value = None if naive.value is None else float(naive.value)
    if not _close(made.value, value, 0):
        yield f"value {made.value}, not {value}"
    elif not _close(made.standard_error, naive.error, abs(value or 0)):
        yield f"standard error {made.standard_error}, not {naive.error}"
    if (made.value is None) != bool(made.reason):
        yield f"reason {made.reason!r} of {made.value}"


def _close(one: float | None, other: float | None, size: float) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12 * max(1.0, size))


@pytest.mark.parametrize("tens", range(math.ceil(LOGS / 10)))
def test_row_by_row_python_agrees_on_every_metric(tmp_path: Path, tens: int):
    """Ten random logs: sums and counts are equal, values and errors to nine digits, in all and in every slice."""
    for seed in range(10 * tens, 10 * tens + 10):
        assert differences(Log(seed), tmp_path / str(seed)) == [], f"log {seed}"


def main(logs: int) -> int:
    """Try so many logs; the number of those with differences."""
    wrong = 0
    for seed in range(logs):
        with tempfile.TemporaryDirectory() as folder:
            log = Log(seed)
            found = differences(log, Path(folder))
        wrong += bool(found)
        if found:
            print(f"log {seed} by {log.by}: {len(found)} differences, such as {found[:4]}", flush=True)
    print(f"{logs:,} logs, {len(summed())} metrics, {wrong} logs with differences")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000) else 0)
