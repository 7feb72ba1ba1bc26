"""Simulate and write docs/calibration.md with its picture: some minutes.

python docs/calibrate.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from generators.calibrated import PICTURE, calibration_page

import billing_sim
from billing_sim.calibration.worlds import ground
from billing_sim.rule import sources_digest
from billing_sim.world.compile import compile_world

DOCS = Path(__file__).parent
SCENARIO = DOCS.parent / "scenarios" / "streaming.yaml"
MEMBERS = 20_000
SEEDS = 5


def main() -> None:
    """Write the page and the picture."""
    found = billing_sim.calibrate(SCENARIO, members=MEMBERS, seeds=SEEDS, report=_tell("calibrating"))
    worth = billing_sim.sensitivity(SCENARIO, members=MEMBERS, seeds=SEEDS, report=_tell("trying assumptions"))
    (DOCS / PICTURE).parent.mkdir(exist_ok=True)
    worth.save(DOCS / PICTURE)
    world = compile_world(ground(SCENARIO, members=MEMBERS).scenario()).digest
    page = calibration_page(found, worth, world, sources_digest())
    (DOCS / "calibration.md").write_text(page, encoding="utf-8", newline="\n")


def _tell(what: str):
    return lambda done, total: print(f"\r{what}: {done} of {total} worlds ", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
