"""`make bench`: speeds as ratios, each pair measured in one run on one machine.

Machines are shared and noisy, so every ratio is the median of several rounds in which both sides take turns.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import commands
import drivers
import metrics
import readers
import writing

SECTIONS: tuple[tuple[str, Callable[[], list[str]]], ...] = (
    # Commands come first: the system counts this process's own memory as theirs, as long as they have not used more.
    ("Commands", commands.measure),
    ("Simulating, log off", drivers.measure),
    ("Keeping the log", writing.measure),
    ("Facts and views", readers.measure),
    ("Every metric", metrics.measure),
)


def main(names: list[str]) -> None:
    """Run every section, or those whose title contains a given word."""
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    print(f"load when started: {load}; medians of {ROUNDS} rounds\n")
    for title, measure in SECTIONS:
        if not names or any(name.lower() in title.lower() for name in names):
            print(title)
            for line in measure():
                print(f"  {line}", flush=True)
            print()


ROUNDS = drivers.ROUNDS
median = statistics.median

if __name__ == "__main__":
    main(sys.argv[1:])
