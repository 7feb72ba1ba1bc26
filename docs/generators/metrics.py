"""docs/reference/metrics.md, from the shipped definitions."""

from __future__ import annotations

from pydantic import BaseModel

from billing_sim.metrics import sheets
from billing_sim.metrics.asking import canonical
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.definition import AXES, DIMENSIONS, VIEWS, Definition, Population, Window
from generators.markdown import code, codes, page, section, sentence, table

_IN_FILES = (
    ("like", "Another metric, shipped or of the same file, from which everything that is not said here is taken."),
    ("variants", "Neighbours on one axis, each with an `id` that comes behind the metric's name and an @."),
)
"""What a metric may say in a file besides the fields of a definition."""


def metrics_page() -> str:
    """Every shipped metric with its variants, by view, and the keys of a definition."""
    catalogue = shipped()
    return page(
        "Metrics",
        "What the four views show, and the neighbours of each metric: definitions that others use under the same name. "
        "[Reading the views](../guides/reading_the_views.md) explains the words; "
        "[metrics of your own](../guides/metrics.md) shows how to define one. "
        "`billing-sim metrics NAME` says the same on the terminal, for variants too.",
        f"Every metric that is not a query can be sliced by {codes(DIMENSIONS)}, and by the other labels of its fact.",
        *(section(view.capitalize(), f"*{catalogue.goals[view]}*", _overview(view), *_metrics(view)) for view in VIEWS),
        section("Axes of variants", table(("axis", "what differs"), [(code(k), sentence(v)) for k, v in AXES.items()])),
        section("Keys of a definition", table(("key", "", "meaning"), [*_keys(Definition, {"view"}), *_file_keys()])),
        section("Keys of `window`", table(("key", "", "meaning"), _keys(Window))),
        section("Keys of `over`", table(("key", "", "meaning"), _keys(Population))),
    )


def _overview(view: str) -> str:
    rows = [
        (it.tier, f"[{code(it.id)}](#{it.name})", it.question)
        for it in shipped().shown_in(view)
        if it in canonical(shipped())
    ]
    return table(("tier", "metric", "question"), rows)


def _metrics(view: str) -> list[str]:
    return [_metric(it) for it in canonical(shipped()) if it.view == view]


def _metric(it: Definition) -> str:
    """What it says on the terminal, then its variants."""
    rows = [(label, text) for label, text in sheets.about(it) if label not in ("split by", "definition")]
    query = f"```sql\n{it.sql.strip()}\n```" if it.sql else ""
    return section(code(it.name), f"{it.title}.", table(("", ""), rows), query, _variants(it), level=3)


def _variants(it: Definition) -> str:
    others = [other for other in shipped().variants(it.id) if other.id != it.id]
    rows = [(code(f"@{other.id.partition('@')[2]}"), ", ".join(other.axis), _differs(other)) for other in others]
    return table(("variant", "axis", "how it differs"), rows) if rows else ""


def _differs(it: Definition) -> str:
    read = f", read {it.retrieved}" if it.retrieved else ""
    return sentence(it.differs) + (f" Published by {it.source}{read}." if it.source else "")


def _keys(model: type[BaseModel], given: frozenset[str] | set[str] = frozenset()) -> list[tuple[str, str, str]]:
    """The keys of a part of a definition; those in `given` come from elsewhere and need not be said."""
    schema = model.model_json_schema()
    required = set(schema.get("required", ())) - given
    rows = []
    for name, field in model.model_fields.items():
        choices = schema["properties"][name].get("enum") or []
        words = [*([sentence(field.description)] if field.description else []), *([codes(choices)] if choices else [])]
        rows.append((code(name), "required" if name in required else "", " ".join(words)))
    return rows


def _file_keys() -> list[tuple[str, str, str]]:
    return [(code(name), "", meaning) for name, meaning in _IN_FILES]
