"""Pages whose commands and programs are carried out, so that what they show is what came back.

On such a page, in the order of the page:

- a `yaml`, `sql` or `python` block that begins with a comment naming a file, as in `# scenarios/mine.yaml` or
  `-- mine.sql`, is written to that file;
- every line of an `sh` block is run as a command, and every `python` block in one program;
- a `text` block after `<!-- output -->` holds what the block before it printed; `<!-- output: 12 lines -->` holds the
  beginning of it, and `<!-- output from: WORDS -->` the paragraph of it that begins with these words.

All of it happens in an empty folder beside a copy of the scenarios.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from billing_sim.cli import main

ROOT = Path(__file__).parent.parent.parent
WIDTH = 80
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OUTPUT = re.compile(
    r"(<!-- output(?:: (\d+) lines| from: ([^\n]+))? -->\n)```text\n.*?^```$", re.MULTILINE | re.DOTALL
)
_PIECES = re.compile(f"{_OUTPUT.pattern}|{_FENCE.pattern}", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"(?:#|--) (\S+\.(?:yaml|sql|py))\n")
_PLAIN = {"COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb"}
_FANCY = ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TTY_COMPATIBLE")
"""What would make a terminal of anything."""


def blocks(text: str, language: str) -> list[str]:
    """The contents of all code blocks of a language on a page."""
    return [found[2] for found in _FENCE.finditer(text) if found[1] == language]


def commands_in(block: str) -> Iterator[list[str]]:
    """The commands of an `sh` block as words, comments left out."""
    for line in block.replace("\\\n", " ").splitlines():
        if words := shlex.split(line.removeprefix("$ "), comments=True):
            yield words


def relived(text: str) -> str:
    """The page with every output as it is now."""
    with _workplace():
        life = _Life()
        return _PIECES.sub(life.next, text)


class _Life:
    """What has happened on a page so far: the names of its program, and what the last block printed."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.printed = ""

    def next(self, piece: re.Match[str]) -> str:
        """Carry out a block, or fill in an output."""
        if piece[1]:
            return f"{piece[1]}```text\n{self._shown(piece[2], piece[3])}\n```"
        language, content = piece[4], piece[5]
        named = _FILE.match(content)
        if named and language in ("yaml", "sql", "python"):
            Path(named[1]).write_text(content, encoding="utf-8")
        if language == "sh":
            self.printed = "".join(_run(words) for words in commands_in(content))
        elif language == "python":
            self.printed = _captured(lambda: exec(compile(content, "<page>", "exec"), self.names))
        return piece[0]

    def _shown(self, most: str | None, words: str | None) -> str:
        lines = [line.rstrip() for line in self.printed.rstrip().splitlines()]
        if words:
            return _paragraph(lines, words)
        if most and len(lines) > int(most):
            lines = [*lines[: int(most)], "…"]
        return "\n".join(lines)


def _paragraph(lines: list[str], words: str) -> str:
    """The lines from the one that begins so until an empty one."""
    begin = next((i for i, line in enumerate(lines) if line.startswith(words)), None)
    if begin is None:
        raise ValueError(f"nothing that was printed begins with {words!r}")
    rest = lines[begin:]
    return "\n".join(rest[: rest.index("")] if "" in rest else rest)


def _run(words: list[str]) -> str:
    if words[0] != "billing-sim":
        raise ValueError(f"a page tells its readers to run {words[0]}, which cannot be carried out here")
    return _captured(lambda: _command(words))


def _command(words: list[str]) -> None:
    before, sys.argv = sys.argv, words
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise ValueError(f"{shlex.join(words)} exits with {ended.code}") from None
    finally:
        sys.argv = before


def _captured(action: Any) -> str:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        action()
    return out.getvalue()


@contextlib.contextmanager
def _workplace() -> Iterator[None]:
    """An empty folder with the scenarios, and a terminal of a known width."""
    before = {name: os.environ.get(name) for name in (*_PLAIN, *_FANCY)}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        shutil.copytree(ROOT / "scenarios", Path(folder) / "scenarios")
        for name in _FANCY:
            os.environ.pop(name, None)
        os.environ.update(_PLAIN)
        try:
            with contextlib.chdir(folder):
                yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value
