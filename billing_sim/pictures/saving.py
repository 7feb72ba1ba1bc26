"""Pictures as files: SVG, PNG, and a page of its own.

Everything is rendered by the bundled renderer and its fonts, without a browser and without a network.
"""

from __future__ import annotations

import html as escaping
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_sim.errors import QueryError
from billing_sim.runs.named_file import cannot_write_named, write_named

if TYPE_CHECKING:
    from billing_sim.pictures.figure import Figure
    from billing_sim.pictures.theme import Theme

KINDS = (".png", ".svg", ".html")
"""The files that a picture can be saved to."""

_NAMED = re.compile(r'<(?:clipPath|linearGradient|radialGradient)[^>]* id="([^"]+)"')
_USED = re.compile(r'( id="|url\(#)([^")]+)("|\))')

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; \
style-src 'unsafe-inline'; img-src data: blob:">
<title>{title}</title>
<style>
:root {{ color-scheme: {theme}; }}
body {{ margin: 0; background: {paper}; color: {quiet}; font: 14px/1.4 {font}; }}
figure {{ margin: 0 auto; max-width: 1080px; }}
#picture {{ width: 100%; }}
#picture svg {{ width: 100%; height: auto; }}
figcaption {{ padding: 0 16px 16px; }}
</style>
</head>
<body>
<figure>
<div id="picture"></div>
<figcaption>{description}</figcaption>
</figure>
<script>{library}</script>
<script>
vegaEmbed("#picture", {spec}, {{renderer: "svg", actions: {{export: true, source: false, compiled: false, \
editor: false}}, tooltip: {{theme: "{theme}"}}}});
</script>
</body>
</html>
"""


def svg(chart: Any) -> str:
    """A chart as SVG text."""
    import vl_convert

    return _numbered(vl_convert.vegalite_to_svg(_spec(chart)))


def _numbered(text: str) -> str:
    """The same drawing, its named parts counted from 0: the renderer goes on counting from one drawing to the next."""
    names = list(dict.fromkeys(_NAMED.findall(text)))
    found = {name: f"part{place}" for place, name in enumerate(names)}
    return _USED.sub(lambda it: it[1] + found.get(it[2], it[2]) + it[3], text)


def png(chart: Any, scale: float) -> bytes:
    """A chart as PNG, so many pixels for one of its own."""
    import vl_convert

    data: bytes = vl_convert.vegalite_to_png(_spec(chart), scale=scale)
    return data


def html(chart: Any, theme: Theme, title: str, description: str) -> str:
    """A chart as a page that loads nothing: the scripts that draw it are inside, and the page forbids itself the rest.

    Labels come from scenario files, which anybody may have written: none of them can close the script.
    """
    spec = json.dumps(_spec(chart), sort_keys=True).replace("<", "\\u003c")
    return _PAGE.format(
        title=escaping.escape(title), description=escaping.escape(description), theme=theme.name, paper=theme.paper,
        quiet=theme.quiet, font="Arial, Helvetica, sans-serif", library=_library(), spec=spec,
    )  # fmt: skip


def save(figure: Figure, path: Path, theme: str) -> Path:
    """Write a figure to a file of one of the `KINDS`; QueryError for others, RunError where it cannot be written."""
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise QueryError(f"A picture cannot be saved as {path.name}: name a file that ends in .png, .svg or .html.")
    if kind == ".png":
        content = figure.to_png(theme)
    else:
        content = (figure.to_svg(theme) if kind == ".svg" else figure.to_html(theme)).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write_named(path, error) from None
    write_named(path, content)
    return path


@cache
def _library() -> str:
    import vl_convert

    bundled: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundled


def _spec(chart: Any) -> dict[str, Any]:
    """The chart's specification; data named by content, in an order that does not depend on anything else.

    It is not held against the schema of charts, which took as long as drawing it; tests do that.
    """
    spec: dict[str, Any] = chart.to_dict(validate=False)
    return spec
