"""docs/reference/library.md, from the scenarios that are shipped."""

from __future__ import annotations

from pathlib import Path

from billing_sim.expectations import Finding, read_expectations
from billing_sim.metrics.catalogue import shipped
from billing_sim.scenario import load
from billing_sim.scenario.expectations import Expectation
from billing_sim.scenario.model import Scenario
from generators.markdown import code, page, section, table

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"


def library_page() -> str:
    """Every scenario: its story as its file tells it, its size, and what must come out."""
    files = sorted(SCENARIOS.glob("*.yaml"))
    told = [(file, load(file).scenario) for file in files]
    return page(
        "Scenarios",
        "What is shipped in `scenarios/`: one story in each file, to run, to change and to extend. "
        "`billing-sim run` looks whether what a scenario expects has come out, and exits with 1 when it has not.",
        table(("scenario", "what it is about"), [(f"[{it.name}](#{it.name})", it.about) for _, it in told]),
        *(_scenario(file, it) for file, it in told),
    )


def _scenario(file: Path, it: Scenario) -> str:
    size = f"{it.members:,} members in {len(it.markets)} market{'s' if len(it.markets) > 1 else ''}"
    expected = [(_says(each), _bounds(each)) for each in read_expectations(file)]
    return section(
        it.name,
        _story(file),
        f"{size}, {it.start} to {it.end}: `billing-sim run scenarios/{file.name}`",
        table(("what must come out", "bounds"), expected) if expected else "",
        level=2,
    )


def _says(it: Expectation) -> str:
    what = code(it.metric or it.count or "")
    return f"{it.says} ({what})" if it.says else what


def _bounds(it: Expectation) -> str:
    definition = shipped()[it.metric] if it.metric else None
    return Finding(it, 0.0, definition).bounds


def _story(file: Path) -> str:
    """The comment at the top of a file, as paragraphs."""
    lines = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line[1:].removeprefix(" ").rstrip())
    return "\n".join(lines).strip()
