"""The findings about a campaign as text: a table of steps, then what they are worth."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from billing_sim.campaigns.telling import Findings

WIDTH = 80

_STEPS = (
    ("found", "found by the campaign", ""),
    ("control", "  control group, shown nothing", "found"),
    ("reached", "  reached", "found"),
    ("i_follow_the_rules", "shared #IFollowTheRules", "reached"),
    ("netflix_criminal", "shared #NetflixCriminal", "reached"),
    ("replied", "answered the automatic reply", ""),
    ("say_they_do_not_share", "  say that they share with nobody", "replied"),
    ("of_these_lie", "    of these share in truth", "say_they_do_not_share"),
    ("admit_it", "  admit that they share", "replied"),
    ("landed", "opened the landing page", "admit_it"),
    ("hosts_addresses", "hosts who left the addresses", "landed"),
    ("borrowers_addresses", "borrowers whose address was left", ""),
    ("mistyped", "  mistyped", "borrowers_addresses"),
    ("borrowers_signed_up", "  signed up", "borrowers_addresses"),
)


def lines(found: Findings) -> Iterator[str]:
    """The findings, line by line."""
    scenario = found.world.scenario
    yield f"Campaign {found.campaign} in {scenario.name}: {found.world.members:,} members, seed {scenario.seed}."
    yield ""
    for key, label, base in _STEPS:
        share = _percent(found.funnel[key], found.funnel[base]) if base else ""
        yield f"{label:<36}{found.funnel[key]:>9,}{share:>10}"
    yield ""
    for line in (*_attribution(found), *_increment(found), "", *_money(found)):
        yield from textwrap.wrap(line, WIDTH, subsequent_indent="  ") or [""]


def _attribution(found: Findings) -> Iterator[str]:
    it = found.attribution
    yield (
        f"Claimed: {it['found']} of {it['addresses']} borrowers' addresses ({_percent(it['found'], it['addresses'])}) "
        f"are found among people who have paid; {it['found_wrongly']} of them find somebody else, and "
        f"{it['paying'] - it['found_rightly']} borrowers who pay are not found."
    )


def _increment(found: Findings) -> Iterator[str]:
    it, addresses = found.increment, found.attribution["addresses"]
    net = it["won"] - it["lost"]
    yield (
        f"Won: {net} ({_percent(net, addresses)}). Of {it['paying']} who pay {it['would_pay_anyway']} pay by the end "
        f"in the world without the campaign too."
    )


def _money(found: Findings) -> Iterator[str]:
    it, currency = found.money, found.world.scenario.reporting_currency
    yield (
        f"Margin: {it['margin_gained']:+,.0f} {currency} by the end of the run (standard error "
        f"{it['standard_error']:,.0f}) against the same people without the campaign, discounts included."
    )
    back = "undefined: it cost nothing" if it["return"] is None else f"{it['return']:.2f}"
    yield f"Cost: {it['cost']:,.2f} {currency} besides. Return, margin gained over cost: {back}."
    each = it["cost_per_paying_borrower"], it["cost_per_borrower_won"]
    shown = ["undefined" if value is None else f"{value:,.2f} {currency}" for value in each]
    yield f"Cost per paying borrower: {shown[0]}; per borrower won: {shown[1]}."
    yield from _in_metrics(found)


def _in_metrics(found: Findings) -> Iterator[str]:
    """Why the metric of nearly the same name says less; nothing where the campaign has no fixed cost."""
    it, reached = found.money, found.attribution["found_rightly"]
    assert it["cost"] is not None
    assert it["cost_of_steps"] is not None
    if fixed := it["cost"] - it["cost_of_steps"]:
        currency = found.world.scenario.reporting_currency
        each = f"{it['cost_of_steps'] / reached:,.2f} {currency}" if reached else "undefined"
        yield (
            f"The fixed cost of {fixed:,.2f} {currency} is in both. The metric campaign_cost_per_paying_borrower, "
            f"which reads the log, does not know it and counts only borrowers whose address finds them: {each}."
        )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"
