"""What a scenario expects, as a table: what was looked at, what came out, and whether it will do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from billing_sim.metrics.fitted import Fitted

if TYPE_CHECKING:
    from billing_sim.expectations import Finding


def table(found: Sequence[Finding]) -> Fitted:
    """One row per expectation, in the order of the file."""
    shown = Fitted()
    shown.add_words("what must come out")
    shown.add_whole("expected", gives_way=1)
    shown.add_whole("found")
    shown.add_whole("", right=False)
    for it in found:
        says = Text(it.expectation.says or it.what)
        verdict = Text("ok", "green") if it.holds else Text("FAILS", "bold red")
        shown.add_row(says, it.bounds, it.found, verdict)
    return shown
