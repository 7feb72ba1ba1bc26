"""Every picture of a small run: files that open, the same each time, with nothing to load and words that fit."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from billing_sim import QueryError
from billing_sim.pictures import PICTURES, draw

DRAWN = [name for name, it in PICTURES.items() if not it.needs]


@pytest.mark.parametrize("name", DRAWN)
def test_every_picture_can_be_saved_and_says_what_it_shows(tiny_run, tmp_path, name):
    """PNG by its signature, SVG by its root, HTML without anything to load; the same at the second time."""
    figure = tiny_run.plot(name)
    assert figure.save(tmp_path / "it.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    drawn = figure.to_svg("dark")
    assert ET.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
    assert draw(tiny_run, name).to_svg("dark") == drawn
    assert repr(figure) == figure.title
    assert not figure.data.empty


def test_an_unknown_picture_is_refused_with_the_nearest(tiny_run):
    """One sentence."""
    with pytest.raises(QueryError, match="no picture `retry_yeild`; did you mean `retry_yield`"):
        tiny_run.plot("retry_yeild")
