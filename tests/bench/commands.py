"""Whole commands, as a person waits for them, and the memory they need."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROUNDS = 3
_COMMAND = [sys.executable, "-m", "billing_sim"]


def _run(*words: str, **environment: str) -> tuple[float, float]:
    """Seconds and the most memory, in MiB, of one command."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [*_COMMAND, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment}
    )
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"billing-sim {' '.join(words)} failed"
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def _again(*words: str) -> str:
    seconds = [_run(*words)[0] for _ in range(ROUNDS)]
    return f"{median(seconds):6.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def measure() -> list[str]:
    """The demo warm and for the first time ever, the help, and memory as the population grows."""
    lines = [f"billing-sim --help                           {_again('--help')}"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo = ("run", "scenarios/streaming.yaml", "--overwrite", "--fresh", "--out", str(folder / "demo"))
        lines.append(f"the demo, rules compiled                     {_again(*demo)}")
        first, _ = _run(*demo, BILLING_SIM_CACHE=str(folder / "cache"))
        lines.append(f"the demo, first time ever                    {first:6.2f} s")
        for members in (100_000, 300_000, 1_000_000):
            words = ("run", "scenarios/streaming.yaml", "--members", str(members), "--log", "none", "--no-views")
            seconds, memory = _run(*words, "--out", str(folder / str(members)))
            lines.append(f"{members:>9,} members, no log                {seconds:6.2f} s, {memory:5.0f} MiB at most")
    return lines
