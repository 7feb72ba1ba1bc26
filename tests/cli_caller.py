"""Calling the command line as people do, or inside this process where a process of its own shows nothing more."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from billing_sim.cli import main

Call = Callable[..., "Answer"]
_DECIDING = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM", "GITHUB_ACTIONS", "PY_COLORS", "PYTHONIOENCODING")
"""What would change the output from outside."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    code: int
    out: str
    err: str


def in_a_process(*args: object, cwd: Path | None = None, **environment: str) -> Answer:
    """`python -m billing_sim ...` with its output in pipes."""
    plain = {name: value for name, value in os.environ.items() if name not in _DECIDING}
    done = subprocess.run(
        [sys.executable, "-m", "billing_sim", *map(str, args)],
        capture_output=True, cwd=cwd, env={**plain, **environment}, check=False, timeout=120,
    )  # fmt: skip
    return Answer(done.returncode, _text(done.stdout), _text(done.stderr))


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The same within this process."""
    for name in _DECIDING:
        monkeypatch.delenv(name, raising=False)

    def called(*args: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["billing-sim", *map(str, args)])
        monkeypatch.setattr(sys, "excepthook", sys.excepthook)
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Answer(int(ended.value.code or 0), captured.out, captured.err)

    return called


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace").replace("\r\n", "\n")
