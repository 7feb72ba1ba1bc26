"""Tables as plain text, the same wherever they are asked for."""

from __future__ import annotations

import io

from rich.console import Console, RenderableType

WIDTH = 80


def plain(shown: RenderableType, width: int = WIDTH) -> str:
    """What would stand on a terminal of this width, without colour and without spaces at the ends of lines.

    In a notebook the console would otherwise show its output as a picture of its own and leave nothing as text.
    """
    out = io.StringIO()
    console = Console(
        file=out, width=width, no_color=True, force_terminal=False, force_jupyter=False, legacy_windows=False
    )
    console.print(shown)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
