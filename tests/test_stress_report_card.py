"""The report card: one page that needs nothing else, with every cell, in which no text is markup."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from billing_sim.errors import BillingSimError
from billing_sim.metrics.plain import plain
from billing_sim.stress.render import MEANINGS, study_shown
from billing_sim.stress.report_card import SIGNS, content
from billing_sim.stress.study import Study
from billing_sim.stress.verdicts import ADVERSE
from tests.no_room import no_room
from tests.stress_builder import SEEDS, definition, study

EVIL = '</script><img src=x onerror="alert(1)"> & </title>'


class Page(HTMLParser):
    """The tags, attributes and scripts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self._inside = True
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data


def data_of(page: str) -> dict[str, Any]:
    """What the page holds."""
    found: dict[str, Any] = json.loads(Page(page).scripts[0])
    return found


@pytest.fixture
def made(tmp_path) -> Study:
    """Three definitions in three cases; one of them has texts that would like to be markup."""
    said = {
        definition("good"): {"one": "holds", "two": "still", "three": "holds"},
        definition("bad", "pooled_collection"): {"one": "wrong sign", "two": "false alarm", "three": "blind"},
        definition("evil", title=EVIL, misleads=EVIL): {"one": "unresolved", "two": "still"},
    }
    return study(tmp_path, said, one={"moral": EVIL, "title": EVIL})


def test_the_page_fetches_nothing(made):
    """No address, no import, no reference to another file, and a policy that would forbid them."""
    shown = made.report_card()
    assert not re.search(r"https?:|//\w+\.|url\(|@import|\bfetch\(|XMLHttpRequest", shown)
    tags = Page(shown).tags
    assert not [(tag, attrs) for tag, attrs in tags if {"src", "href", "srcset"} & set(attrs)]
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in tags}
    (policy,) = (attrs["content"] for _, attrs in tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none';")


def test_every_cell_is_there(made):
    """By definition and case, with its verdict, its seeds and the truth beside them."""
    data = data_of(made.report_card())
    assert [it["id"] for it in data["definitions"]] == ["good", "bad", "evil"]
    assert [it["name"] for it in data["cases"]] == ["one", "two", "three"]
    read = [[cell and data["verdicts"][cell[0]]["name"] for cell in row] for row in data["cells"]]
    assert read == [
        ["holds", "holds", "holds"], ["wrong sign", "false alarm", "blind"], ["unresolved", "holds", 0],
    ]  # fmt: skip
    assert [len(cell[11]) for row in data["cells"] for cell in row if cell] == [SEEDS] * 8
    assert {name: list(map(len, rows)) for name, rows in data["truths"].items()} == {
        "payment_success": [SEEDS] * 3, "pooled_collection": [SEEDS] * 3,
    }  # fmt: skip
    assert data["recommended"] == made.recommended.as_dict()


def test_numbers_are_those_of_the_verdict(made):
    """To three digits: means, margins, p and split."""
    cell, verdict = data_of(made.report_card())["cells"][1][0], made["bad", "one"]
    metric, truth = verdict.metric, verdict.truth
    margin = made.matrix.cells["bad", "one"].changes.metric_margin
    assert cell[3] == pytest.approx([metric.value, metric.low, metric.high, margin], rel=0.005)
    assert cell[4][0] == pytest.approx(truth.value, rel=0.005)
    assert cell[7] == pytest.approx(verdict.p, rel=0.005)
    split = made.matrix.cells["bad", "one"].split
    assert split is not None
    assert math.isclose(sum(cell[6]), split.error, rel_tol=0.01)


def test_no_text_is_markup(made):
    """The script holds it as data, and the tags of the page are those of the template."""
    shown = made.report_card()
    plain = study_of_one(made).report_card()
    assert EVIL not in shown
    assert "<img" not in shown
    assert [tag for tag, _ in Page(shown).tags] == [tag for tag, _ in Page(plain).tags]
    assert data_of(shown)["definitions"][2]["title"] == EVIL
    assert data_of(shown)["cases"][0]["moral"] == EVIL
    assert "innerHTML" not in shown


def study_of_one(made: Study) -> Study:
    """The same study with the first definition alone."""
    from dataclasses import replace

    first = made.matrix.definitions[0]
    cells = {key: cell for key, cell in made.matrix.cells.items() if key[0] == first.id}
    return replace(made, matrix=replace(made.matrix, definitions=(first,), cells=cells))


def test_a_case_shows_its_file(made):
    """What was injected, as it can be run again."""
    for case, told in zip(made.matrix.cases, content(made)["cases"], strict=True):
        assert told["file"] == case.path.read_text(encoding="utf-8").strip()
        assert "inject: {scenario: {failover: false}}" in told["file"]


def test_a_sign_of_its_own_for_every_verdict():
    """Colour is not alone in telling them apart, and each is said in words."""
    assert len(set(SIGNS.values())) == len(SIGNS) == len(ADVERSE) + 2
    assert set(SIGNS) == set(MEANINGS)


def test_cases_that_do_not_fit_are_told(made):
    """They are no column; they are listed with the reason."""
    from dataclasses import replace

    cells = {key: cell for key, cell in made.matrix.cells.items() if key[1] != "three"}
    found = replace(made, matrix=replace(made.matrix, cells=cells, misfits={"three": "there is no market XX"}))
    data = content(found)
    assert [it["name"] for it in data["cases"]] == ["one", "two"]
    assert data["misfits"] == {"three": "there is no market XX"}
    assert "three: there is no market XX" in plain(study_shown(found))


def test_it_is_written_where_asked(made, tmp_path):
    """The same page; a folder that is not there is told in plain words."""
    path = tmp_path / "card.html"
    assert made.report_card(path) == path
    assert made.report_card() == path.read_text(encoding="utf-8")
    with pytest.raises(BillingSimError, match=r"cannot write the report card .*nowhere.*: there is no folder"):
        made.report_card(tmp_path / "nowhere" / "card.html")
    with no_room(1000), pytest.raises(BillingSimError, match=r"cannot write .*card\.html: File too large"):
        made.report_card(path)
    assert path.read_text(encoding="utf-8") == made.report_card()
    assert not list(tmp_path.glob(".*"))


def test_a_large_matrix_stays_small(made):
    """A cell costs less than 600 bytes, so 160 definitions in 43 cases stay below 5 MB."""
    data = content(made)
    cells = [cell for row in data["cells"] for cell in row if cell]
    assert len(json.dumps(cells, separators=(",", ":"))) / len(cells) < 600
    assert len(made.report_card()) < 60_000
