"""What a Python file is made of: its text, and that of the modules which it imports from its own folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def texts_of(file: Path) -> list[tuple[str, str]]:
    """The name below its folder and the text of a file and of every file beside it that it leads to, by name."""
    folder = file.resolve().parent
    found: dict[Path, str] = {}
    waiting = [file.resolve()]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found[here] = here.read_text(encoding="utf-8-sig", errors="replace")
            waiting += _imported(found[here], here, folder)
    main, *others = found
    return [("", found[main]), *sorted((it.relative_to(folder).as_posix(), found[it]) for it in others)]


def _imported(text: str, file: Path, folder: Path) -> Iterator[Path]:
    """The files below a folder that a text imports; none from a text that is no Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield from _files(folder, name.name)
        elif isinstance(node, ast.ImportFrom):
            home = folder if not node.level else file.parents[node.level - 1]
            module = node.module or ""
            if home.is_relative_to(folder):
                yield from _files(home, module)
                for name in node.names:
                    yield from _files(home, f"{module}.{name.name}".strip("."))


def _files(home: Path, name: str) -> Iterator[Path]:
    """The files of a dotted name: every package on its way, and the module itself."""
    at = home
    for part in filter(None, name.split(".")):
        at = at / part
        for file in (at / "__init__.py", at.with_name(f"{part}.py")):
            if file.is_file():
                yield file.resolve()
