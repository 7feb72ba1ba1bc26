"""The report: its numbers are those of the views, nothing is fetched, no text is markup, doubts are named."""

from __future__ import annotations

import re
import shlex
import shutil
from html.parser import HTMLParser

import pytest

import billing_sim
from billing_sim.errors import RunError
from billing_sim.metrics import words
from billing_sim.metrics.catalogue import shipped
from billing_sim.pictures import PICTURES
from billing_sim.pictures.figure import Figure
from billing_sim.report import distrust, page
from billing_sim.report.content import COMPARED, PLACES, Content, content
from billing_sim.report.goals import MISSED, OPEN, REACHED, goals
from tests.cli_caller import call
from tests.conftest import SCENARIOS
from tests.no_room import no_room

__all__ = ["call"]

EVIL = "</style><script>alert(1)</script>"
FEBRUARY = "period: 2025-02, deadline: 2026-03-01"
OUTAGE = f"""
extends: first_month.yaml
name: bad_week
about: {EVIL!r}
members: 900
end: 2025-04-15
timeline:
  - {{kind: gateway_outage, at: 2025-02-01T05:00Z, gateway: northpay, duration: 30 hours, failing: 90%}}
  - {{kind: price_change, at: 2025-03-10, prices: {{standard: 17.99 USD}}, notice: 10 days}}
goals:
  - {{owner: product, goal: "Paid {EVIL}", metric: payment_success_rate, target: 10%, {FEBRUARY}}}
  - {{owner: product, goal: Never fails., metric: payment_success_rate, target: 100%, {FEBRUARY}}}
  - {{owner: finance, goal: Later., metric: churn, target: 1%, period: 2025-09, deadline: 2026-03-01}}
  - {{owner: support, goal: Nobody has to write.}}
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A bad week, and the same people without it."""
    folder = tmp_path_factory.mktemp("report")
    shutil.copy(SCENARIOS / "first_month.yaml", folder)
    (folder / "bad.yaml").write_text(OUTAGE, encoding="utf-8")
    quiet = OUTAGE.replace("name: bad_week", "name: quiet").partition("timeline:")[0]
    (folder / "quiet.yaml").write_text(quiet, encoding="utf-8")
    return [billing_sim.run(folder / f"{name}.yaml", out=folder / name, workers=1) for name in ("bad", "quiet")]


@pytest.fixture(scope="module")
def shown(runs) -> Content:
    """All that the report of the bad week holds, beside the quiet one."""
    return content(*runs)


@pytest.fixture(scope="module")
def text(shown) -> str:
    """The page."""
    return page.page(shown)


class Tags(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_every_number_of_the_views_is_on_the_page(runs, shown, text):
    """Value, what it is made of, and the change, metric for metric."""
    said = " ".join(" ".join(Tags(text).words).split())
    for view, results in runs[0].views().results.items():
        (standing,) = (it for it in shown.standings if it.view == view)
        rows = {row.id: row for found in standing.tiers.values() for row in found}
        assert list(rows) == [
            it.id for tier in ("core", "supporting", "risk") for it in results if it.definition.tier == tier
        ]
        for it in results:
            value = words.value(it.definition, it, it.currency) if it.value is not None else words.UNDEFINED
            assert rows[it.id].value == value
            assert f"{it.definition.title} {it.definition.question}" in said
            assert value in said


def test_a_view_says_what_to_look_at(shown):
    """A crossed bound, and a core metric that got worse; otherwise that nothing is to be seen."""
    states = {it.view: it for it in shown.standings}
    for it in shown.standings:
        core = it.tiers["core"]
        assert it.state == ("look" if it.crossed or any(row.mood == "worse" for row in core) else "fine")
        for row in it.crossed:
            assert f"{row.title} ({row.value}, bound {row.bound})" in it.verdict
    assert "Good answers of the gateways" in states["product"].verdict
    assert states["product"].state == "look"


def test_announcements_stand_in_their_order_without_those_of_the_beginning(shown):
    """What the world is like on the first day is no incident."""
    assert [(it.since, it.until, it.kind) for it in shown.incidents] == [
        ("2025-02-01 05:00", "2025-02-02 11:00", "gateway outage started"),
        ("2025-03-20", "", "price set"),
    ]
    assert shown.incidents[0].about == "gateway northpay, 90 %"
    assert "18.89 USD" in shown.incidents[1].about


def test_goals_are_held_against_the_run(runs, shown):
    """Reached, missed, or open where the month is not there; a goal of words stays one."""
    assert [it.state for it in shown.goals] == [REACHED, MISSED, OPEN, ""]
    rate = runs[0].metric("payment_success_rate", by="month")
    february = rate[rate["month"] == "2025-02"]["value"].item()
    assert shown.goals[0].value == shown.goals[1].value == f"{100 * february:.2f} %"
    assert shown.goals[2].value == words.UNDEFINED


def test_goals_of_words_alone_are_shown(tmp_path):
    """A scenario whose goals name no metric still has goals."""
    shutil.copy(SCENARIOS / "first_month.yaml", tmp_path)
    text = (
        "extends: first_month.yaml\nname: words\nmembers: 200\ngoals: [{owner: support, goal: Nobody has to write.}]\n"
    )
    (tmp_path / "words.yaml").write_text(text, encoding="utf-8")
    found = goals(billing_sim.run(tmp_path / "words.yaml", out=tmp_path / "run", workers=1))
    assert [(it.owner, it.goal, it.state) for it in found] == [("support", "Nobody has to write.", "")]


def test_what_is_not_settled_and_what_is_not_there_is_named(runs, shown):
    """By the coverage of the views, most open first."""
    results = [it for found in runs[0].views().results.values() for it in found]
    opened = {
        it.definition.title: 1 - it.coverage for it in results if it.value is not None and it.coverage is not None
    }
    named = [it.title for it in shown.distrust.unsettled]
    assert set(named) == {title for title, share in opened.items() if share > distrust.IMMATURE}
    assert [opened[title] for title in named] == sorted((opened[title] for title in named), reverse=True)
    assert {it.title for it in shown.distrust.missing} == {it.definition.title for it in results if it.value is None}


def test_the_lab_has_met_every_metric_that_views_show():
    """As it is defined now: `make faults` tries a changed one anew."""
    known = distrust._known_faults()
    shown = {it.id: it.digest for it in shipped() if it.shown or it.once}
    assert {name: found["definition"] for name, found in known.items()} == shown
    assert all(found["cases"] > 30 for found in known.values())


def test_a_metric_that_misleads_in_the_lab_is_named_with_its_cases(shown):
    """What is counted by attempt is raised by giving up; a later definition of that name is not blamed for it."""
    (found,) = (it for it in shown.distrust.fragile if it.title == "Payment success per attempt")
    assert "goodhart_cut_retries" in found.cases["wrong sign"]
    assert shown.distrust.untried == ()


def test_a_changed_definition_is_not_blamed(runs, monkeypatch):
    """The verdicts were about another one."""
    older = {name: found | {"definition": "older"} for name, found in distrust._known_faults().items()}
    monkeypatch.setattr(distrust, "_known_faults", lambda: older)
    found = distrust.distrust(runs[0].views())
    assert found.fragile == ()
    assert "Payment success per attempt" in found.untried


def test_every_picture_is_there_or_says_why_not(shown, text):
    """In both themes, with words for those who cannot see it."""
    images = {tag["data-picture"]: tag for name, tag in Tags(text).tags if name == "img"}
    drawn = {it.name for found in shown.figures.values() for it in found}
    missing = {name.replace(" ", "_") for name, _ in shown.undrawn}
    asked = {name for names in PLACES.values() for name in names}
    assert asked | {COMPARED} <= set(PICTURES)
    assert drawn | missing == asked
    assert len(drawn) >= 9, shown.undrawn
    assert set(images) == drawn | {COMPARED}
    assert all(tag["alt"] and len(tag["alt"]) > 40 for tag in images.values())
    sources = [tag for name, tag in Tags(text).tags if name == "source"]
    assert len(sources) == len(images)
    assert all(tag["srcset"].startswith("data:image/png;base64,") for tag in sources)


def test_nothing_is_fetched_and_no_text_is_markup(text):
    """No address outside the page, no tag that a scenario's author wrote."""
    found = Tags(text).tags
    assert sum(name == "script" for name, _ in found) == 1
    for _, tag in found:
        for key in ("src", "href", "srcset"):
            assert tag.get(key) is None or tag[key].startswith(("data:", "#"))
    assert not re.search(r"url\(|@import", page._file("style.css"))
    assert EVIL not in text
    assert "&lt;script&gt;alert(1)" in text


def test_the_other_run_stands_beside_it(shown, text):
    """Same people, so it is paired; the outage alone makes the difference."""
    assert shown.compared.is_paired
    by_name = {it.definition.id: it for found in shown.compared.differences.values() for it in found}
    assert by_name["gateway_good_share"].verdict == "worse"
    assert "Compared with quiet" in text


def test_the_footer_says_how_to_make_it_again(runs, text):
    """Seed, digests and the command."""
    for words_of in (runs[0].content_digest, runs[0].manifest.identity.digest, "billing-sim run", "seed"):
        assert words_of in text


@pytest.mark.parametrize("options", [{}, {"seed": 8, "driver": "simpy", "log": "none"}])
def test_the_command_makes_a_run_from_python_again(tmp_path, monkeypatch, call, options):
    """From the scenario in its folder, and with what was asked besides."""
    made = billing_sim.run(SCENARIOS / "first_month.yaml", members=30, out=tmp_path / "made", workers=1, **options)
    command = dict(content(made).side.facts)["command"]
    assert "30" in command
    monkeypatch.chdir(tmp_path)
    program, *words = shlex.split(command)
    assert program == "billing-sim"
    answer = call(*words, "--out", "again", "--format", "json")
    assert answer.code == 0, answer.err
    again = billing_sim.open("again")
    assert again.manifest.identity == made.manifest.identity
    assert again.content_digest == made.content_digest
    assert again.summary()["driver"] == made.summary()["driver"]
    assert dict(content(again).side.facts)["command"].endswith("--out again --format json")


def test_nothing_is_distrusted_twice(shown):
    """Also what subscribers and support both look at."""
    found = shown.distrust
    for named in (found.unsettled, found.missing, found.fragile):
        titles = [it.title for it in named]
        assert len(set(titles)) == len(titles)
    assert len(set(found.untried)) == len(found.untried)


def test_the_command_writes_the_same_page(runs, text, tmp_path, call, monkeypatch):
    """Into a folder that is made; nothing on it depends on when it is written. A name that is no page is refused."""
    # That the same run gives the same pictures is for the tests of pictures, which draw them twice.
    monkeypatch.setattr(Figure, "to_png", lambda *_: b"")
    folder, other = (run.directory for run in runs)
    done = call("report", folder, "--compare", other, "--out", tmp_path / "new" / "page.html")
    assert (done.code, done.err) == (0, "")
    assert "page.html" in done.out
    written = (tmp_path / "new" / "page.html").read_text(encoding="utf-8")
    assert written == re.sub('(?<=image/png;base64,)[^"]*', "", text)
    assert written.count("image/png;base64,") > 10
    refused = call("report", folder, "--out", tmp_path / "page.pdf")
    assert refused.code == 2
    assert "end in .html" in refused.err
    assert call("report", tmp_path / "nowhere").code == 2


def test_a_page_that_finds_no_room_leaves_the_old_one(tiny_run, tmp_path, monkeypatch):
    """Whole, and alone in its folder."""
    monkeypatch.setattr("billing_sim.report.page.content", lambda *_: None)
    monkeypatch.setattr("billing_sim.report.page.page", lambda _: "a page that is too long")
    file = tmp_path / "page.html"
    file.write_text("old")
    with no_room(), pytest.raises(RunError, match=r"cannot write .*page\.html: File too large\. Free some space"):
        tiny_run.report(file)
    assert [it.read_text() for it in tmp_path.iterdir()] == ["old"]


def test_a_withheld_scenario_is_no_obstacle(tmp_path):
    """A challenge pack has neither goals nor a seed to show."""
    billing_sim.new_challenge(SCENARIOS / "first_month.yaml", out=tmp_path / "pack", seed=1, members=800)
    packed = next(path.parent for path in (tmp_path / "pack").rglob("manifest.json"))
    shown = content(billing_sim.open(packed))
    assert shown.goals == ()
    assert shown.side.seed == "withheld"
