"""A ranking on a terminal: what was at stake, policy by policy, and who can be told apart from whom."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from billing_sim.dunning_ranking.scores import MICROS, NET, NOTHING_FAILED, Gap
from billing_sim.giving_way import GAP, NEVER, Column, room
from billing_sim.text_tables import WIDTH

if TYPE_CHECKING:
    from billing_sim.dunning_ranking.ranking import Cost, Ranking, Standing
    from billing_sim.metrics.result import Figure

_NAME = 18
_MONEY = ("net",)
_COLUMNS = (
    ("paid", "collected_rate", 7), ("money", "collected_money_rate", 7), ("regret", "regret_money_rate", 7),
    ("beyond", "beyond_money_rate", 7), ("days", "days_to_collect", 6), ("tries", "attempts_per_failure", 6),
    ("told", "notices_per_failure", 5), ("wrong", "wrongful_per_1000", 6), ("net", "net_per_failure", 8),
)  # fmt: skip
_TURNS = {"told": 1, "tries": 2, "days": 3, "beyond": 4, "wrong": 5, "regret": 6, "paid": 7, "money": 8, "net": NEVER}
"""In which turn the columns give way to a narrow terminal."""


def text(it: Ranking, width: int = WIDTH) -> str:
    """The whole ranking as plain text, at most 80 columns wide."""
    width = min(width, WIDTH)
    if not it.failed:
        return "\n".join(_wrapped(f"{_people(it)}: {NOTHING_FAILED}, so there is nothing to rank. {_remedy()}", width))
    parts = (_stake, _table, _in_full, _neighbours, _together, _legend)
    told = ("\n".join(part(it, width)) for part in parts)
    return "\n\n".join(part for part in told if part)


def _remedy() -> str:
    return "Use more members, a longer scenario, or one in which payments fail."


def _people(it: Ranking) -> str:
    scenario, seeds = it.setting.scenario, it.seeds
    luck = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    return f"{scenario.name}, {_counted(scenario.members, 'member')}, {luck}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _stake(it: Ranking, width: int) -> Iterator[str]:
    """What failed, and what a single retry could have done about it."""
    scenario, oracle = it.setting.scenario, it.oracle
    worth = f"{it.standings[0].sums['money'] / MICROS:,.0f} {scenario.reporting_currency}"
    yield from _wrapped(f"{_people(it)}: {_counted(it.failed, 'invoice')} failed, worth {worth}.", width)
    yield from _wrapped(
        f"One retry at the right hour within {_counted(it.setting.oracle_days, 'day')} would have collected "
        f"{_share(oracle['oracle_rate'])} of them and {_share(oracle['oracle_money_rate'])} of the money.",
        width,
    )


def _table(it: Ranking, width: int) -> Iterator[str]:
    """A row per policy, with as many scores as there is room for."""
    currency = it.setting.scenario.reporting_currency
    found = room(
        [Column("policy", _NAME + 3), *(Column(head, wide - GAP, _TURNS[head]) for head, _, wide in _COLUMNS)], width
    )
    shown = [_COLUMNS[i - 1] for i in found.shown[1:]]
    heads = "".join(f"{f'{head} {currency}' if head in _MONEY else head:>{wide}}" for head, _, wide in shown)
    yield from _beside_or_below(f"{'':3}{'policy':<{_NAME}}", heads, width)
    yield "-" * min(width, _NAME + 3 + sum(wide for _, _, wide in shown))
    for rank, one in enumerate(it.standings, 1):
        cells = "".join(_cell(one, name, wide) for _, name, wide in shown)
        yield from _beside_or_below(f"{rank:>2} {_short(one.name):<{_NAME}}", cells, width)
    if found.left_out:
        yield from _wrapped(found.said, width)


def _cell(it: Standing, score: str, width: int) -> str:
    found = it.scores[score]
    shown = _share(found) if score.endswith("_rate") else _number(found)
    return f"{shown:>{width}}"


def _share(found: Figure) -> str:
    if found.value is None:
        return "–"
    return f"{100 * found.value:.1f} %".replace("100.0", "100")


def _number(found: Figure) -> str:
    """Three digits that say something, or more before the point."""
    if found.value is None:
        return "–"
    size = abs(float(found.value))
    return f"{found.value:,.{2 if size < 100 else 0}f}"


def _short(name: str) -> str:
    """A name that fits its column: of a longer one both ends, since names of a family often begin alike."""
    if len(name) < _NAME:
        return name
    half = (_NAME - 2) // 2
    return f"{name[:half]}…{name[-half:]}"


def _in_full(it: Ranking, width: int) -> Iterator[str]:
    """The names that are shown short in the table, by rank."""
    cut = [f"{rank} {one.name}" for rank, one in enumerate(it.standings, 1) if _short(one.name) != one.name]
    if cut:
        yield from _wrapped(f"Names in full: {', '.join(cut)}.", width)


def _neighbours(it: Ranking, width: int) -> Iterator[str]:
    """Every two policies next to each other, and whether luck alone could have put them in this order."""
    if not it.neighbours:
        return
    money = it.setting.scenario.reporting_currency
    yield from _wrapped(f"Net money per failed invoice, {money}, each less the next, with 95 % interval", width)
    for rank, (one, other, found) in enumerate(it.neighbours, 1):
        names = f"{_short(one.name)} - {_short(other.name)}"
        told = _nothing(it.alike(one.name, other.name)) if found.is_nothing else lead(found, len(it.seeds))
        yield from _beside_or_below(f"{rank:>2} {names:<{2 * _NAME + 1}}", told, width)


def _together(it: Ranking, width: int) -> Iterator[str]:
    """Where people share something: what a policy comes to when everybody has it, and what that adds."""
    if not it.setting.shared:
        return
    yield from _wrapped(
        f"Net money per failed invoice, {it.setting.scenario.reporting_currency}, when one member alone has the policy "
        f"(direct, as above), and when everybody has it (total): people share {_listed(it.setting.shared)}. Failed: "
        "invoices that fail there.",
        width,
    )
    yield from _beside_or_below(
        f"{'':3}{'policy':<{_NAME}}", f"{'failed':>9}{'direct':>8}{'total':>8}{'spillover':>11}", width
    )
    for rank, one in enumerate(it.standings, 1):
        spill, total = one.spillover(), one.scores_together[NET.id]
        if spill is None:
            continue
        added = f"{0:>8}" if spill.is_nothing or one.policy is None else f" {lead(spill, 1)}"
        counts = f"{one.failed_together:>9,}{_number(one[NET.id]):>8}{_number(total):>8}"
        yield from _beside_or_below(f"{rank:>2} {_short(one.name):<{_NAME}}", counts + added, width)


def _beside_or_below(name: str, numbers: str, width: int) -> Iterator[str]:
    """Numbers beside a name, or on lines of their own."""
    if len(line := f"{name}{numbers}".rstrip()) <= width:
        yield line
        return
    yield from textwrap.wrap(name.rstrip(), width)
    yield from textwrap.wrap(numbers, width, initial_indent="   ", subsequent_indent="   ")


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _nothing(is_alike: bool) -> str:
    return "  0  the same, one for one" if is_alike else "  0  the same net money"


def lead(found: Gap, seeds: int) -> str:
    """By how much one policy is ahead, with the interval, and in how many of the seeds that can tell."""
    if found.value is None or found.low is None or found.high is None:
        return "  –  too few people to tell"
    shown = f"{_signed(found.value):>7}  ({_signed(found.low)} to {_signed(found.high)})"
    if not found.is_told:
        return f"{shown} ~"
    told = min(seeds, len(found.by_seed))  # where nothing failed, nobody was ahead or behind
    return shown if told == 1 else f"{shown} {found.seeds_ahead}/{told}"


def _signed(number: float) -> str:
    """A difference with its sign and at least two digits that say something."""
    size = abs(number)
    decimals = 0 if size >= 1000 else 2 if size >= 0.1 or size == 0 else 3
    shown = f"{size:,.{decimals}f}"
    return shown if not shown.strip("0.,") else f"{'-' if number < 0 else '+'}{shown}"


def _legend(it: Ranking, width: int) -> Iterator[str]:
    setting, money = it.setting, it.setting.scenario.reporting_currency
    costs = (_cost(setting.attempt, money, "try"), _cost(setting.notice, money, "message"))
    yield from _wrapped(
        "".join(_signs(it))
        + "Paid, money: failed invoices and their money that are paid for good. Regret: money that one well-timed "
        "retry collects and the policy does not. Beyond: money it collects although no retry alone does, through "
        "members, updates and backups. Days to the payment; tries and messages (told) per failed invoice. Wrong: "
        "subscriptions lost per 1,000 failed invoices whose members wanted to stay and could have paid. Net: money "
        f"collected per failed invoice, less {costs[0]} and {costs[1]}. Own rules: what the scenario does.",
        width,
    )
    yield from _wrapped(_undecided(it), width)


def _undecided(it: Ranking) -> str:
    """Who did not come to an end while it was followed, and counts as not collected."""
    found = [(one.name, one.endings["undecided"]) for one in it.standings]
    told = [f"{_short(name)} {count:,}" for name, count in found if count]
    return f"Still open when they were no longer followed, so not collected: {_listed(told)}." if told else ""


def _signs(it: Ranking) -> Iterator[str]:
    """What the signs behind the gaps mean, where there are any."""
    added = [one.spillover() for one in it.standings if one.policy]
    gaps = [found for _, _, found in it.neighbours] + [found for found in added if found]
    gaps = [found for found in gaps if found.low is not None and not found.is_nothing]
    if not all(found.is_told for found in gaps):
        yield "~ cannot be told apart: the interval holds 0. "
    if len(it.seeds) > 1 and any(found.is_told for _, _, found in it.neighbours):
        yield "k/n: ahead in k of n seeds. "


def _cost(it: Cost, money: str, unit: str) -> str:
    return f"{_plain(it.amount)} {money} per {unit}" + (" (assumed)" if it.is_assumed else "")


def _plain(amount: Decimal) -> str:
    """An amount without zeros that say nothing."""
    shown = f"{amount:f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _wrapped(words: str, width: int) -> list[str]:
    return textwrap.wrap(words, width, break_long_words=False, break_on_hyphens=False)
