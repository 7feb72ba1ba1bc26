"""Execute the notebooks from start to end, each in a fresh kernel, and store what they show.

    python notebooks/execute.py
    python notebooks/execute.py 04_break_my_kpi.ipynb

They run in an empty folder beside a copy of the scenarios, as on a fresh machine, so that nothing is left behind.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
NOTEBOOKS = sorted(HERE.glob("0*.ipynb"))
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


def main(names: list[str]) -> None:
    """Execute and store those that are named, or all."""
    for path in [HERE / name for name in names] or NOTEBOOKS:
        notebook = executed(path)
        notebook.metadata["language_info"] = {"name": "python"}
        nbformat.write(notebook, path)
        print(path.name)


if __name__ == "__main__":
    main(sys.argv[1:])
