"""What a scenario expects, as a table: what was looked at, what came out, and whether it will do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from billing_sim.metrics.tables import plain_table

if TYPE_CHECKING:
    from rich.table import Table

    from billing_sim.expectations import Finding


def table(found: Sequence[Finding]) -> Table:
    """One row per expectation, in the order of the file."""
    shown = plain_table()
    shown.add_column("what must come out", overflow="fold")
    for heading in ("expected", "found"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("")
    for it in found:
        says = Text(it.expectation.says or it.what)
        verdict = Text("ok", "green") if it.holds else Text("FAILS", "bold red")
        shown.add_row(says, it.bounds, it.found, verdict)
    return shown
