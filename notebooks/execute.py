"""Execute the notebooks from start to end, each in a fresh kernel, and store what they show.

    python notebooks/execute.py
    python notebooks/execute.py 04_break_my_kpi.ipynb

They run in an empty folder beside a copy of the scenarios, as on a fresh machine, so that nothing is left behind.
"""

from __future__ import annotations

import base64
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
NOTEBOOKS = sorted(HERE.glob("0*.ipynb"))
PNG = "image/png"
SHOWN_FIRST = HERE.parent / "docs" / "pictures" / "who_wanted_to_leave.png"
"""The picture of the first notebook, which the README shows."""

LONGEST = 600
"""Seconds that one cell may take; on a slow machine that others use the longest takes some twenty."""


def executed(path: Path) -> Any:
    """A notebook with what its cells show now; nbclient's CellExecutionError for a cell that fails."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(HERE.parent / "scenarios", Path(folder, "scenarios"))
        place = Path(folder, "notebooks")
        place.mkdir()
        where = {"metadata": {"path": str(place)}}
        NotebookClient(notebook, timeout=LONGEST, kernel_name="python3", resources=where, record_timing=False).execute()
    return notebook


def picture_of(notebook: Any) -> bytes:
    """The first picture that a notebook shows, as PNG."""
    outputs = [it for cell in notebook.cells if cell.cell_type == "code" for it in cell.outputs]
    return base64.b64decode(next(it.data[PNG] for it in outputs if PNG in it.get("data", {})))


def main(names: list[str]) -> None:
    """Execute and store those that are named, or all."""
    for path in [HERE / name for name in names] or NOTEBOOKS:
        notebook = executed(path)
        notebook.metadata["language_info"] = {"name": "python"}
        nbformat.write(notebook, path)
        if path == NOTEBOOKS[0]:
            SHOWN_FIRST.write_bytes(picture_of(notebook))
        print(path.name)


if __name__ == "__main__":
    main(sys.argv[1:])
