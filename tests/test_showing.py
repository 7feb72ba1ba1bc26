"""Objects show themselves: what stands last in a notebook's cell can be read there."""

from __future__ import annotations

import pytest

from billing_sim.errors import QueryError


def test_views_show_their_tables_and_one_of_them_alone(tiny_run):
    """All four, or the one that was asked for, number for number."""
    every = tiny_run.views()
    assert repr(every) == str(every)
    assert "FINANCE" in repr(every)
    alone = every.only("support")
    assert list(alone.results) == ["support"]
    assert "FINANCE" not in repr(alone)
    assert alone.to_json()["support"] == every.to_json()["support"]
    with pytest.raises(QueryError, match="suport"):
        every.only("suport")


def test_a_story_shows_its_lines(tiny_run):
    """The same lines as `trace` prints."""
    story = tiny_run.trace("US-1")
    assert repr(story) == story.render()
    assert story.name in repr(story)


def test_a_run_without_a_campaign_says_how_to_get_one(tiny_run):
    """`run.campaign()` is the study of the command line."""
    with pytest.raises(QueryError, match="has no campaign"):
        tiny_run.campaign()


def test_a_notebook_gets_text_too(tiny_run, monkeypatch):
    """Where rich believes that it stands in a notebook, it would show the table by itself and leave nothing."""
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert "FINANCE" in repr(tiny_run.views())
    assert "\x1b" not in repr(tiny_run.views())
