"""The tornado: one panel per metric, a bar per assumption from its low to its high end, the widest on top."""

from __future__ import annotations

import math
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_sim.errors import QueryError
from billing_sim.runs.named_file import cannot_write_named, write_named

if TYPE_CHECKING:
    import pandas as pd

    from billing_sim.calibration.sensitivity.asking import Sensitivity
    from billing_sim.calibration.sensitivity.swings import Swing

ENDINGS = (".svg", ".png", ".html", ".json")
_LOW, _HIGH = "#4c78a8", "#e4761b"
_PANEL = 190
_ROW = 40


def title_of(it: Sensitivity) -> str:
    """What the picture shows, in a line."""
    seeds = "1 seed" if len(it.seeds) == 1 else f"{len(it.seeds)} seeds"
    return f"What the assumptions are worth: {it.scenario}, {it.members:,} members, {seeds}"


def description_of(it: Sensitivity) -> str:
    """The same for who cannot see it."""
    widest = [f"{panel.title}: {bars[0].lever.name}" for panel, bars in it.panels if bars and bars[0].size]
    return f"{title_of(it)}. Widest bars by metric: {'; '.join(widest)}."


def data_of(it: Sensitivity) -> pd.DataFrame:
    """One line per metric, assumption and end: the change, its interval, and what was assumed."""
    import pandas as pd

    rows = []
    for swing in it.swings:
        for end, estimate, said in (("low", swing.low, swing.lever.low), ("high", swing.high, swing.lever.high)):
            if estimate is not None:
                width = estimate.half_width if math.isfinite(estimate.half_width) else 0.0
                rows.append({
                    "metric": swing.definition.title, "assumption": _label(swing), "end": end, "assumed": said,
                    "change": estimate.mean, "least": estimate.mean - width, "most": estimate.mean + width,
                    "unit": swing.unit,
                })  # fmt: skip
    return pd.DataFrame(rows)


def _label(swing: Swing) -> str:
    """The assumption, and below it both ends; the bar is where the picture breaks the line."""
    return f"{swing.lever.name}|{swing.lever.low} or {swing.lever.high}"


def tornado(it: Sensitivity) -> Any:
    """The picture as an altair chart: panels side by side, each with a scale of its own."""
    import altair as alt

    data = data_of(it)
    order = [_label(swing) for swing in it.by_size]
    panels = []
    for place, (definition, _) in enumerate(it.panels):
        rows = data[data["metric"] == definition.title] if len(data) else data
        panels.append(_panel(alt, rows, definition.title, order, is_first=not place))
    chart = alt.hconcat(*panels, spacing=14)
    return chart.properties(title=alt.Title(title_of(it), anchor="start", offset=14)).configure_view(stroke=None)


def _panel(alt: Any, rows: pd.DataFrame, title: str, order: list[str], *, is_first: bool) -> Any:
    unit = rows["unit"].iloc[0] if len(rows) else ""
    axis = alt.Axis(title=None, labelLimit=300, labelExpr="split(datum.label, '|')", ticks=False, domain=False)
    y = alt.Y("assumption:N", sort=order, axis=axis if is_first else None)
    offset = alt.YOffset("end:N", sort=["low", "high"])
    colour = alt.Color("end:N", title=["assumption", "at its"], sort=["low", "high"],
                       scale=alt.Scale(domain=["low", "high"], range=[_LOW, _HIGH]),
                       legend=alt.Legend(labelExpr="datum.label == 'low' ? 'first end' : 'second end'"))  # fmt: skip
    base = alt.Chart(rows)
    bars = base.mark_bar(opacity=0.85).encode(
        x=alt.X("change:Q", title=f"change, {unit}", stack=None), y=y, yOffset=offset, color=colour,
        tooltip=["assumption", "assumed", alt.Tooltip("change:Q", format="+.3f"), "unit"],
    )  # fmt: skip
    luck = base.mark_rule(strokeWidth=1.2, color="#333333").encode(x="least:Q", x2="most:Q", y=y, yOffset=offset)
    zero = alt.Chart(rows.head(1)).mark_rule(color="#333333").encode(x=alt.datum(0))
    size = {"width": _PANEL, "height": _ROW * max(len(order), 1)}
    return (bars + luck + zero).properties(title=alt.Title(title, fontSize=11), **size)


def refuse_other_endings(path: Path | None) -> None:
    """QueryError for a name that is no picture's, before anything is simulated for it."""
    if path is not None and path.suffix not in ENDINGS:
        raise QueryError(f"{path.name} is no picture; write a name that ends with {', '.join(ENDINGS)}.")


def save(it: Sensitivity, path: str | Path) -> None:
    """Write the picture as svg, png, html or json, by the ending of the name.

    QueryError where there is nothing to draw, RunError when it cannot be written.
    """
    path = Path(path)
    refuse_other_endings(path)
    if not data_of(it).size:
        raise QueryError(f"{path} is not drawn: no assumption was tried, or no metric has a value.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write_named(path, error) from None
    write_named(path, _drawn(it, path.suffix))


def _drawn(it: Sensitivity, ending: str) -> str | bytes:
    """The picture as the content of a file with this ending."""
    if ending == ".png":
        pixels = BytesIO()
        tornado(it).save(pixels, format="png", ppi=144)
        return pixels.getvalue()
    text = StringIO()
    tornado(it).save(text, format=ending[1:])
    return text.getvalue()
