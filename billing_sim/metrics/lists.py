"""The list of all metrics, and those that speak of something."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from billing_sim.errors import QueryError
from billing_sim.metrics.asking import canonical
from billing_sim.metrics.catalogue import Catalogue
from billing_sim.metrics.definition import TIERS, VIEWS, Definition
from billing_sim.metrics.fitted import Fitted

_MORE = "billing-sim metrics NAME explains one; billing-sim metrics RUN computes them."


def overview(catalogue: Catalogue) -> RenderableType:
    """All metrics by view and tier, with the number of their variants."""
    shown: list[RenderableType] = []
    for view in VIEWS:
        own = [it for it in canonical(catalogue) if it.view == view]
        if own:
            goal = f'  "{catalogue.goals[view]}"' if view in catalogue.goals else ""
            shown += [Text.assemble((view.upper(), "bold cyan"), goal), _of_view(own, catalogue), Text()]
    return Group(*shown, Text(_MORE, style="dim"))


def _of_view(own: Iterable[Definition], catalogue: Catalogue) -> RenderableType:
    table = Fitted(names=2)
    table.add_whole("tier", style="dim", right=False, gives_way=3)
    table.add_whole("metric", right=False)
    table.add_words("title")
    table.add_whole("unit", right=False, gives_way=2)
    table.add_whole("variants", gives_way=1)
    tier = ""
    for it in sorted(own, key=lambda it: TIERS.index(it.tier)):
        others = len(_variants(catalogue, it))
        table.add_row(it.tier if it.tier != tier else "", it.id, Text(it.title), it.unit, str(others or ""))
        tier = it.tier
    return table


def matches(found: Iterable[Definition]) -> RenderableType:
    """What a search has found, each with its question."""
    table = Fitted()
    table.add_whole("metric", right=False)
    table.add_words("question")
    for it in found:
        table.add_row(it.id, Text(it.differs or it.question))
    return table


def search(catalogue: Catalogue, text: str) -> list[Definition]:
    """The metrics that speak of it; a variant when its metric does not. QueryError with a suggestion when none does."""
    wanted = text.casefold()
    found = [it for it in catalogue if wanted in " ".join(_texts(it)).casefold()]
    ids = {it.id for it in found}
    kept = [it for it in found if not it.is_variant or it.name not in ids]
    if not kept:
        spoken = {word.strip(".,?;()'").casefold() for it in catalogue for part in _texts(it) for word in part.split()}
        words = sorted(word for entry in spoken for word in (entry, *entry.split("_")) if len(word) > 2)
        close = difflib.get_close_matches(wanted, words, n=1, cutoff=0.6)
        hint = f"did you mean `{close[0]}`?" if close else "`billing-sim metrics` lists them all."
        raise QueryError(f"No metric speaks of `{text}`; {hint}")
    return kept


def _texts(it: Definition) -> tuple[str, ...]:
    return it.id, it.title, it.question, it.formula, it.differs


def listed(found: Iterable[Definition], catalogue: Catalogue) -> list[dict[str, Any]]:
    """The same for JSON."""
    return [
        {
            "metric": it.id, "view": it.view, "tier": it.tier, "title": it.title, "unit": it.unit,
            "question": it.question, "variants": [] if it.is_variant else _variants(catalogue, it),
        }
        for it in found
    ]  # fmt: skip


def _variants(catalogue: Catalogue, it: Definition) -> Sequence[str]:
    return [other.id for other in catalogue.variants(it.id) if other.id != it.id]
