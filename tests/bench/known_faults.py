"""What the lab finds of every metric that views show, kept with the package so that a report can warn of it.

    make faults
    python -m tests.bench.known_faults payment_success_rate churn

Every metric is tried in every case with twenty seeds, which takes some ten minutes. Each is kept with the digest of its
definition, so that a verdict about an older definition is never shown for a newer one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import billing_sim
from billing_sim.metrics.catalogue import shipped
from billing_sim.stress.render import GRAVITY
from billing_sim.stress.study import Study

KEPT = Path(billing_sim.__file__).parent / "report" / "known_faults.json"
SEEDS = 20


def faults(study: Study, kept: list[str]) -> dict[str, Any]:
    """By metric that is kept: its definition's digest, how many cases tried it, and those in which it misleads."""
    cases = [it.name for it in study.matrix.cases if it.name not in study.matrix.misfits]
    return {
        it.id: {
            "definition": it.digest,
            "cases": sum((it.id, case) in study.verdicts for case in cases),
            "faults": _adverse({case: study[it.id, case].name for case in cases if (it.id, case) in study.verdicts}),
        }
        for it in study.matrix.definitions
        if it.id in kept
    }


def _adverse(verdicts: dict[str, Any]) -> dict[str, str]:
    adverse = [(GRAVITY.index(name), case) for case, name in verdicts.items() if name in GRAVITY]
    return {case: GRAVITY[place] for place, case in sorted(adverse)}


def main(names: list[str]) -> None:
    """Try those that are named, or all, and keep what is found beside what is known of the others."""
    shown = [it.id for it in shipped() if it.shown or it.once]
    asked = names or shown
    study = billing_sim.stress(asked, seeds=SEEDS, report=_tell)
    known = json.loads(KEPT.read_text(encoding="utf-8")) if names else {}
    found = known | faults(study, asked)
    KEPT.write_text(
        json.dumps({it: found[it] for it in shown if it in found}, indent=1, ensure_ascii=False) + "\n", "utf-8"
    )
    print(f"\n{len(asked)} metrics tried: {KEPT}")


def _tell(done: int, of: int) -> None:
    print(f"\r{done}/{of}", end="", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
