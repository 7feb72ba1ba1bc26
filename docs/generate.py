"""Write the generated parts of the documentation, or with `--check` find out whether they are stale.

    python docs/generate.py
    python docs/generate.py --check

The pages in docs/reference/ come from the code. The pages in `LIVED` are written by hand, but their commands and
programs are carried out and what they print is filled in.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from generators.commands import commands_page
from generators.exports import exports_page
from generators.lab import cases_page, estimands_page
from generators.library import library_page
from generators.lived import relived
from generators.log import events_page, facts_page
from generators.metrics import metrics_page
from generators.rules import alarms_page, declines_page, dunning_page
from generators.scenario import scenario_page

DOCS = Path(__file__).parent
REFERENCE: dict[str, Callable[[], str]] = {
    "reference/commands.md": commands_page,
    "reference/scenario.md": scenario_page,
    "reference/events.md": events_page,
    "reference/facts.md": facts_page,
    "reference/metrics.md": metrics_page,
    "reference/declines.md": declines_page,
    "reference/dunning.md": dunning_page,
    "reference/alarms.md": alarms_page,
    "reference/exports.md": exports_page,
    "reference/estimands.md": estimands_page,
    "reference/cases.md": cases_page,
    "reference/library.md": library_page,
}
LIVED = (
    "tutorial.md",
    "guides/reading_the_views.md",
    "guides/comparing.md",
    "guides/using_from_python.md",
    "guides/your_own_processes.md",
    "guides/metrics.md",
    "guides/export.md",
    "guides/experiments.md",
    "guides/knowing_the_truth.md",
)
PAGES = (*REFERENCE, *LIVED)


def current(name: str) -> str:
    """A page as it should be now; those in `LIVED` are simulated for it."""
    if name in REFERENCE:
        return REFERENCE[name]()
    return relived(kept(name))


def kept(name: str) -> str:
    """A page as it is; empty when there is none."""
    path = DOCS / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main(arguments: list[str]) -> int:
    """Write or check every page; 1 when a checked page is stale."""
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 2
    stale = []
    for name in PAGES:
        text = current(name)
        if text != kept(name):
            stale.append(name)
            if not arguments:
                (DOCS / name).write_text(text, encoding="utf-8", newline="\n")
    for name in stale:
        print(f"docs/{name} " + ("is stale: run `make docs`" if arguments else "written"))
    return 1 if stale and arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
