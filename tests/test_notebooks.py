"""The notebooks: each runs from start to end in a fresh kernel, without a network, and shows what is stored in it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
NAMES = (
    "01_who_wanted_to_leave", "02_was_it_incremental", "03_one_incident_four_views", "04_break_my_kpi",
    "05_can_i_decide_by_friday",
)  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore")
"""What Jupyter's own packages warn of is not ours to mend."""

_spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
assert _spec
assert _spec.loader
execute = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(execute)


def shown(notebook: Any) -> list[tuple[str, list[Any]]]:
    """What every cell of code shows: text in full, of pictures that there is one (its title is in the text)."""
    return [
        ("\n".join(cell.source.splitlines()[:2]), [_plain(it) for it in cell.outputs])
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def _plain(output: Any) -> Any:
    if output.output_type == "stream":
        return output.text
    if output.output_type == "error":
        return [output.ename, output.evalue]
    # Another processor may round a pixel otherwise; the title of a picture, and so its finding, is among the texts.
    return {kind: "" if kind == "image/png" else text for kind, text in sorted(output.data.items())}


def test_all_five_are_there():
    """In the order in which they are read."""
    assert tuple(path.stem for path in NOTEBOOKS) == NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_and_shows_what_is_stored(path, monkeypatch):
    """Every cell, from an empty folder, as a reader would; `python notebooks/execute.py` stores it anew."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # Whoever wanted to fetch something would fail.
    stored = nbformat.read(path, as_version=4)
    assert shown(execute.executed(path)) == shown(stored)


def test_the_readme_shows_the_picture_of_the_first():
    """The same file, to the byte."""
    stored = execute.picture_of(nbformat.read(NOTEBOOKS[0], as_version=4))
    assert execute.SHOWN_FIRST.read_bytes() == stored


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_a_story_in_short_cells(path):
    """Prose before code, no cell of code longer than a glance, no machinery that belongs into the package."""
    notebook = nbformat.read(path, as_version=4)
    cells = notebook.cells
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
    assert "## Yours to change" in cells[-1].source
    for cell in cells:
        if cell.cell_type == "code":
            assert len(cell.source.splitlines()) <= 16
            assert not re.search(r"^\s*(def|class|for|while|try)\b", cell.source, re.MULTILINE)
            assert not any(it.output_type == "error" for it in cell.outputs)
    assert any("image/png" in it.get("data", {}) for cell in cells if cell.cell_type == "code" for it in cell.outputs)
