"""docs/reference/metrics.md, from the shipped definitions."""

from __future__ import annotations

import textwrap

from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.definition import DIMENSIONS, MATURITIES, VIEWS, Definition, Population
from generators.markdown import code, codes, page, section, sentence, table

_BETTER = {"up": "up is better", "down": "down is better", "neither": "neither way is better"}


def metrics_page() -> str:
    """Every shipped metric, by view, and the keys of a definition."""
    catalogue = shipped()
    return page(
        "Metrics",
        "What the four views show. [Reading the views](../guides/reading_the_views.md) explains the words; "
        "[adding a metric](../guides/adding_a_metric.md) shows how to define one.",
        f"Every metric can be sliced by {codes(DIMENSIONS)}.",
        *(section(view.capitalize(), f"*{catalogue.goals[view]}*", _overview(view), *_metrics(view)) for view in VIEWS),
        section("Keys of a definition", _keys()),
    )


def _overview(view: str) -> str:
    rows = [(it.tier, f"[{code(it.id)}](#{_anchor(it)})", it.question) for it in shipped().shown_in(view)]
    return table(("tier", "metric", "question"), rows)


def _anchor(it: Definition) -> str:
    return it.id.replace("@", "")


def _metrics(view: str) -> list[str]:
    return [_metric(it) for it in shipped() if it.view == view]


def _metric(it: Definition) -> str:
    also = f"; also shown to {', '.join(it.also_in)}" if it.also_in else ""
    rows = [
        ("question", it.question),
        ("formula", sentence(it.formula)),
        ("reading", f"{it.unit}, {_BETTER[it.direction]}{_bound(it)}"),
        ("matures", _matures(it)),
        ("stands for", code(it.estimand)),
        ("misleads", it.misleads),
    ]
    return section(code(it.id), f"{it.title}. Tier: {it.tier}{also}.", table(("", ""), rows), _sums(it), level=3)


def _bound(it: Definition) -> str:
    if it.bound is None:
        return ""
    return f"; must not be {'below' if it.direction == 'up' else 'above'} {it.bound}"


def _matures(units: Population) -> str:
    if units.matures == "none":
        return "at once"
    return code(units.matures) if units.matures in MATURITIES else f"at the age of {units.matures}"


def _sums(it: Definition) -> str:
    """What is summed over which rows, as the definition states it."""
    lines = [f"kind         {it.kind}" + (f", {it.quantile}" if it.quantile else "") + _across(it)]
    lines += [f"fact         {it.fact}, placed in time by {it.clock}"]
    lines += _wrapped("where", it.where) + _wrapped("numerator", it.numerator) + _wrapped("denominator", it.denominator)
    if it.over:
        lines += [f"over         {it.over.fact}, placed in time by {it.over.clock}"]
    lines += [f"scale        {it.scale}"] if it.scale != 1 else []
    return "```text\n" + "\n".join(lines) + "\n```"


def _across(it: Definition) -> str:
    return f" across {it.across}, parts of at least {it.at_least}" if it.across else ""


def _wrapped(label: str, sql: str) -> list[str]:
    return textwrap.wrap(sql, 100, initial_indent=f"{label:<13}", subsequent_indent=" " * 13) if sql else []


def _keys() -> str:
    schema = Definition.model_json_schema()
    required = set(schema["required"]) - {"view"}
    rows = []
    for name, field in Definition.model_fields.items():
        choices = schema["properties"][name].get("enum") or []
        words = [*([sentence(field.description)] if field.description else []), *([codes(choices)] if choices else [])]
        rows.append((code(name), "required" if name in required else "", " ".join(words)))
    return table(("key", "", "meaning"), rows)
