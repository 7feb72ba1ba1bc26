"""Can the lab be trusted? `python -m tests.bench.lab_validity [seeds [splits]]`, or 3,000 seeds and 1,000 splits.

Three questions whose answers are known beforehand: is a difference between two halves of the same people as likely to
be small as it should be (A/A), do the 90 % intervals of 20 paired seeds hold the mean over all seeds in 90 % of cases,
and is a shock seen as often as the formula of power says. The tests ask the same with fewer splits.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.definition import Definition
from billing_sim.metrics.engine import compute
from billing_sim.metrics.result import Slice
from billing_sim.metrics.source import InMemory
from billing_sim.scenario.emit import emit
from billing_sim.stress.bundle import bundle
from billing_sim.stress.case import Case, find_cases
from billing_sim.stress.cells import Cell
from billing_sim.stress.hits import key_of
from billing_sim.stress.lab import Bench, bench
from billing_sim.stress.lives import Lives
from billing_sim.stress.ratio import fieller
from billing_sim.stress.readings import Readings, read_world
from billing_sim.stress.statistics import mean_of
from billing_sim.stress.student import quantile, tail
from billing_sim.stress.telling import Told
from tests.world_texts import QUIET

BILLED = 28 * 12 / 365
"""The share of members who are billed on one of the first 28 days of a month."""

AT_ONCE = 60
"""Seeds of one bundle."""

SEEDS = 20
"""Seeds of one verdict."""

NOISY = """
end: {end}
members: {members}
dunning_policies: {{steady: {{retries: {retries}, notices: [], grace: {dunning}, end: {dunning}}}}}
timeline: [{failing}]
"""


def failing(noise: float) -> str:
    """The entry of a timeline by which every attempt fails with this probability, each hour with another luck.

    It begins with the run, so that the base of members is the same whatever the probability.
    """
    gateway = "{kind: gateway_outage, at: 2025-01-01, gateway: northpay, duration: 365 days, failing: %.4f%%}"
    return gateway % (100 * noise)


def bench_of(*texts: str) -> Bench:
    """A bench for a scenario in text: a quiet world with each text laid over the one before."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "layer_0.yaml").write_text(QUIET, encoding="utf-8")
        for number, text in enumerate(texts, start=1):
            (folder / f"layer_{number}.yaml").write_text(f"extends: layer_{number - 1}.yaml\n{text}", encoding="utf-8")
        return bench(folder / f"layer_{len(texts)}.yaml")


def noisy(noise: float, *, retries: str = "[]", dunning: str = "8 days", end: str = "2025-01-29", members: int = 1000,
          more: str = "") -> Bench:  # fmt: skip
    """A world whose attempts fail by chance alone: each with the same probability, whatever came before it.

    Until the 28th everybody who is billed on one of these days of the month is billed once, and each of these days is
    equally likely: `BILLED` is the share of members whose day it is.
    """
    told = NOISY.format(failing=failing(noise), retries=retries, dunning=dunning, end=end, members=members)
    return bench_of(told, *([more] if more else []))


# A/A: two halves of the same people.

SPLIT = ("payment_success_rate", "payment_success_rate@attempt", "net_collected_rate", "involuntary_churn", "churn")
"""Shares of invoices, attempts, money, rare losses and months."""


TOGETHER = 20
"""Splits that are computed in one scan."""


def one_run(members: int = 2000) -> Told:
    """What is read at the end of one run of the lab's own scenario."""
    return bundle(Lives(bench(members=members).scenario), [1]).reading


def hashed(subscribers: np.ndarray, split: int) -> np.ndarray:
    """uint64[n]: a keyed hash of each subscriber, another for each split (SplitMix64's finaliser)."""
    x = key_of(split, "split", 0) + subscribers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def with_arms(told: Told, splits: Sequence[int], facts: Iterable[str]) -> InMemory:
    """Some of the facts, once for each split: everybody in one of its two arms and one of 64 groups, by chance."""
    tables = {}
    for name in facts:
        table, parts = told.tables[name], []
        for place, split in enumerate(splits):
            chance = hashed(table["subscriber"].to_numpy(), split)
            arms = _with(table, "arm", np.uint64(2 * place) + (chance >> np.uint64(63)))
            parts.append(_with(arms, "group", chance & np.uint64(63)))
        tables[name] = pa.concat_tables(parts)
    return InMemory(tables, told.world_events)


def _with(table: pa.Table, column: str, values: np.ndarray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(column), column, pa.array(values.astype(np.uint8)))


def p_by_subscriber(arms: Sequence[Slice]) -> float:
    """Two-sided p of no difference between two arms, with the errors that the jackknife over subscribers gives them."""
    first, second = arms
    error = math.hypot(first.standard_error or 0.0, second.standard_error or 0.0)
    return min(2 * tail(abs(float(first.value or 0) - float(second.value or 0)) / error, 126), 1.0)


def p_by_unit(arms: Sequence[Slice]) -> float:
    """The same as if every unit had a luck of its own, which attempts on one invoice have not."""
    hits, units = (np.array([float(getattr(arm, name)) for arm in arms]) for name in ("numerator", "denominator"))
    pooled = hits.sum() / units.sum()
    error = math.sqrt(pooled * (1 - pooled) * (1 / units).sum())
    return 2 * (1 - NormalDist().cdf(abs(float(np.diff(hits / units)[0])) / error))


def split_again(told: Told, splits: int, names: Sequence[str] = SPLIT) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The p of every metric in every split: by subscriber, and by unit (NaN for money), float64[splits] each."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    definitions = shipped().of(names)
    facts = {it.fact for it in definitions}
    for first in range(0, splits, TOGETHER):
        some = range(first, min(first + TOGETHER, splits))
        for it in compute(with_arms(told, some, facts), definitions, by=("arm",)):
            by_arm = {int(arm.dims["arm"]): arm for arm in it.slices}
            counts = it.definition.denominator == "1"
            for place in range(len(some)):
                arms = by_arm[2 * place], by_arm[2 * place + 1]
                found[it.id].append((p_by_subscriber(arms), p_by_unit(arms) if counts else math.nan))
    return {name: (np.array([p for p, _ in pairs]), np.array([p for _, p in pairs])) for name, pairs in found.items()}


def p_uniform(values: np.ndarray) -> float:
    """Kolmogorov and Smirnov's p of a sample being uniform on 0 to 1; Kolmogorov's limit with Stephens' correction."""
    ordered, n = np.sort(values), len(values)
    above, below = np.arange(1, n + 1) / n - ordered, ordered - np.arange(n) / n
    far = float(max(above.max(), below.max())) * (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n))
    if far < 0.2:
        return 1.0
    return min(max(2 * sum((-1) ** (k - 1) * math.exp(-2 * (k * far) ** 2) for k in range(1, 101)), 0.0), 1.0)


# Intervals of 20 paired seeds.

COVERED = (
    "payment_success_rate", "payment_success_rate@attempt", "payment_success_rate@as_of", "net_collected_rate",
    "involuntary_churn", "monthly_recurring_revenue@constant_rates",
)  # fmt: skip
CASES = ("more_retries", "price_rise", "lost_failures", "late_events", "right_censored_dunning")
"""Two changes of the world, with everything stated that seeds could share; two damages of the log; and no injection."""

MEMBERS, MORE_MEMBERS, END = 250, 1000, "2025-05-01"


def four_months(members: int) -> Bench:
    """The lab's own scenario, with few people and four months."""
    own = bench(members=members)
    with TemporaryDirectory() as name:
        file = Path(name) / "four_months.yaml"
        file.write_text(emit({**own.content, "end": END}), encoding="utf-8")
        return bench(file)


def read_all(lives: Lives, seeds: int, definitions: Sequence[Definition], case: Case | None = None) -> Readings:
    """One world with seeds from 1 on, a bundle at a time."""
    found: Readings | None = None
    for first in range(1, seeds + 1, AT_ONCE):
        some = range(first, min(first + AT_ONCE, seeds + 1))
        part = read_world(lives, some, definitions, case.damages if case else ())
        found = part if found is None else found.followed_by(part)
    assert found is not None
    return found


def some_of(found: Readings, seeds: slice) -> Readings:
    """The readings of some of the seeds."""
    return Readings(*({k: v[seeds] for k, v in part.items()} for part in (found.reading, found.complete, found.truth)))


def cells(seeds: int, members: int, cases: Sequence[str]) -> Iterator[Cell]:
    """Every definition in every case, with all the seeds."""
    on, definitions = four_months(members), list(shipped().of(COVERED))
    base = read_all(Lives(on.scenario), seeds, definitions)
    for case in find_cases(cases):
        injects = case.changes_world or case.damages_log
        world = read_all(Lives(on.under(case)), seeds, definitions, case) if injects else base
        yield from (Cell(it, case, base, world) for it in definitions)


@dataclass(frozen=True)
class Held:
    """How often the intervals of disjoint batches hold the mean over all seeds, and on which side they miss it."""

    batches: int
    held: float
    below: float
    above: float

    @property
    def error(self) -> float:
        """The binomial standard error of `held` if it is 90 %."""
        return math.sqrt(0.9 * 0.1 / self.batches)


def held(changes: np.ndarray, size: int = SEEDS) -> Held | None:
    """The 90 % intervals of batches of seeds against the mean of all; None where nothing changes in any seed."""
    changes = changes[: len(changes) // size * size]
    if not changes.any():
        return None
    expected = float(changes.mean())
    found = [mean_of(batch) for batch in changes.reshape(-1, size)]
    below = float(np.mean([it.high < expected for it in found]))
    above = float(np.mean([it.low > expected for it in found]))
    return Held(len(found), 1 - below - above, below, above)


def ratio_held(metric: np.ndarray, truth: np.ndarray, size: int = SEEDS) -> float | None:
    """The share of batches whose Fieller interval holds the ratio of both means; None where the truth is still."""
    if not truth.any():
        return None
    pairs = zip(metric.reshape(-1, size), truth.reshape(-1, size), strict=True)
    found = [fieller(*pair) for pair in pairs]
    ratio = metric.mean() / truth.mean()
    return float(np.mean([it is None or ratio in it for it in found]))


# Power.

POWER_MARGIN = 0.0005


def power_by_formula(drop: float, invoices: float, seeds: int, margin: float) -> float:
    """How often a fall of a share by `drop` is seen to be more than `margin` in paired seeds, on paper.

    With keyed draws whoever fails before fails after, so an invoice's change is -1 with probability `drop`, else 0. The
    tail of the noncentral t is Johnson and Welch's (1940) approximation.
    """
    t, freedom = quantile(0.95, seeds - 1), seeds - 1
    away = (drop - margin) / math.sqrt(drop * (1 - drop) / (invoices * seeds))
    return NormalDist().cdf((away - t * (1 - 1 / (4 * freedom))) / math.sqrt(1 + t * t / (2 * freedom)))


def power_of_counts(drop: float, invoices: float, seeds: int, margin: float, runs: int = 20_000) -> float:
    """The same without the approximation: the changes of a seed are a Poisson count, and that is skewed where small."""
    counts = np.random.default_rng(1).poisson(drop * invoices, size=(runs, seeds)) / invoices
    half = quantile(0.95, seeds - 1) * counts.std(axis=1, ddof=1) / math.sqrt(seeds)
    return float((counts.mean(axis=1) - half > margin).mean())


def power_seen(drops: Sequence[float], seeds: int) -> Iterator[tuple[float, float]]:
    """Each drop of the success without retries from 70 %, and the share of batches that say "down"."""
    it = shipped()["payment_success_rate@as_of"]
    base = read_all(Lives(noisy(0.3, members=MEMBERS).scenario), seeds, [it]).complete[it.id]
    for drop in drops:
        world = read_all(Lives(noisy(0.3 + drop, members=MEMBERS).scenario), seeds, [it])
        changes = (world.complete[it.id] - base)[: seeds // SEEDS * SEEDS].reshape(-1, SEEDS)
        seen = [mean_of(batch).move(POWER_MARGIN) == "down" for batch in changes]
        yield drop, float(np.mean(seen))


def shock_seen(noise: float, shock: float, seeds: int) -> tuple[float, float]:
    """How often one world before and another after a shock differ beyond luck: with the shock, and without it.

    One-sided at 5 %, with the spread from seed to seed known; the worlds of before and after have unlike seeds.
    """
    it = shipped()["payment_success_rate@as_of"]
    before, after = (
        read_all(Lives(noisy(p, members=MEMBERS).scenario), seeds, [it]).complete[it.id] for p in (noise, noise + shock)
    )
    limit = NormalDist().inv_cdf(0.95) * before.std(ddof=1) * math.sqrt(2)
    other = np.roll(before, 1)
    return float(np.mean(other - after > limit)), float(np.mean(other - before > limit))


# The study.


def aa_lines(splits: int) -> Iterator[str]:
    """A line per metric."""
    yield f"A/A, {splits} splits of one run's subscribers: p of uniformity, and the share of p below 5 and 10 %"
    yield f"{'metric':42} {'subscriber':>10} {'<5 %':>6} {'<10 %':>6} {'unit':>9} {'<5 %':>6}"
    for name, (right, wrong) in split_again(one_run(), splits).items():
        low = [100 * float((right < level).mean()) for level in (0.05, 0.1)]
        alone = f"{'-':>9} {'-':>6}"
        if np.isfinite(wrong).all():
            alone = f"{p_uniform(wrong):9.2g} {100 * float((wrong < 0.05).mean()):6.1f}"
        yield f"{name:42} {p_uniform(right):10.3f} {low[0]:6.1f} {low[1]:6.1f} {alone}"


def interval_lines(seeds: int, members: int, cases: Sequence[str]) -> Iterator[str]:
    """A line per cell in which the metric changes in any seed, and how many seeds that is."""
    yield f"90 % intervals of {SEEDS} paired seeds, {members} members, against the mean of {seeds}: % that hold it"
    yield f"{'case':24} {'metric':42} {'D':>6} {'below':>6} {'above':>6} {'T':>6} {'D/T':>6} {'seeds':>6}"
    every = []
    for cell in cells(seeds, members, cases):
        metric, truth = cell.changes.pairs
        found, so, ratio = held(metric), held(truth), ratio_held(metric, truth) if cell.is_same_unit else None
        if not found:
            continue
        moves = float((metric != 0).mean())
        every += [it for it in (found, so) if it and moves > 0.5]
        t, r = (f"{'-':>6}" if it is None else f"{100 * it:6.1f}" for it in (so and so.held, ratio))
        yield (f"{cell.case.name:24} {cell.definition.id:42} {100 * found.held:6.1f} {100 * found.below:6.1f} "
               f"{100 * found.above:6.1f} {t} {r} {100 * moves:6.1f}")  # fmt: skip
    share = 100 * float(np.mean([it.held for it in every]))
    yield f"all {len(every)} changes that most seeds show: {share:.1f} %"
    yield f"one line is of {every[0].batches} batches, with a standard error of {100 * every[0].error:.1f} %"


def power_lines(seeds: int) -> Iterator[str]:
    """A line per size of the change."""
    yield f"Power of {SEEDS} paired seeds, margin {100 * POWER_MARGIN:g} %: fall, by formula, by Poisson counts, seen"
    invoices = MEMBERS * BILLED
    for drop, seen in power_seen((0.0005, 0.0015, 0.0025, 0.004, 0.008), seeds):
        paper = [power(drop, invoices, SEEDS, POWER_MARGIN) for power in (power_by_formula, power_of_counts)]
        yield f"{100 * drop:6.2f} % {100 * paper[0]:8.1f} % {100 * paper[1]:8.1f} % {100 * seen:8.1f} %"
    shock = (NormalDist().inv_cdf(0.95) + NormalDist().inv_cdf(0.8)) * math.sqrt(2 * 0.3 * 0.7 / invoices)
    seen, by_luck = shock_seen(0.3, shock, seeds)
    yield (f"Smallest shock of one world before and after, {100 * shock:.1f} %: seen in {100 * seen:.1f} %; "
           f"without it in {100 * by_luck:.1f} %")  # fmt: skip


def measure(seeds: int, splits: int) -> Iterator[str]:
    """All tables."""
    yield from aa_lines(splits)
    yield from interval_lines(seeds, MEMBERS, CASES)
    yield from interval_lines(2 * seeds // 3, MORE_MEMBERS, CASES[:2])
    yield from power_lines(seeds)


if __name__ == "__main__":
    asked = [int(word) for word in sys.argv[1:]]
    for text in measure(*(asked + [3000, 1000][len(asked) :])):
        print(text, flush=True)
