"""The report in a real browser: no complaint, no request, every picture there, tabs by mouse and keyboard, a phone's
width, paper. Skipped with a word where there is no Chromium (Debian: `apt install chromium`)."""

from __future__ import annotations

import shutil
from itertools import pairwise

import pytest

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: `apt install chromium` brings it"),
    # The driver's own, when it is shut down.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def report(tiny_run, tmp_path_factory) -> str:
    """The address of a report of the smallest run."""
    path = tiny_run.report(tmp_path_factory.mktemp("report") / "page.html")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playing:
        # No sandbox: continuous integration runs as root, where Chromium refuses to start with one.
        started = playing.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser, report):
    """A function that opens the report in a window of its own: the page, what it complained of, what it asked for."""
    contexts = []

    def open_it(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        said, asked = [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(report)
        return page, said, asked

    yield open_it
    for context in contexts:
        context.close()


def visible(page) -> list[str]:
    """The panels that can be seen."""
    panels = "[...document.querySelectorAll('[role=tabpanel]')]"
    return page.evaluate(f"{panels}.filter(it => it.offsetHeight).map(it => it.id)")


def test_it_is_quiet_and_asks_for_nothing(opened, report):
    """No console message, no request but the page and what is in it."""
    for scheme in ("light", "dark"):
        _, said, asked = opened(color_scheme=scheme)
        assert said == []
        assert [it for it in asked if not it.startswith("data:")] == [report]


def test_every_picture_is_drawn(opened):
    """Also in panels that are not shown yet; each has a text beside it."""
    page, _, _ = opened()
    images = page.evaluate(
        "[...document.images].map(it => [it.dataset.picture, it.complete, it.naturalWidth, it.alt.length])"
    )
    assert len(images) >= 5
    assert all(complete and width > 300 and text > 40 for _, complete, width, text in images)


def test_tabs_by_mouse_and_by_keyboard(opened):
    """One panel at a time; arrows go round, Home and End jump; the focus goes along."""
    page, _, _ = opened()
    assert visible(page) == ["view-subscribers"]
    page.click("#tab-support")
    assert visible(page) == ["view-support"]
    walk = {"ArrowRight": "product", "Home": "subscribers", "ArrowLeft": "product", "End": "product"}
    for key, panel in [*walk.items(), ("ArrowRight", "subscribers")]:
        page.keyboard.press(key)
        assert visible(page) == [f"view-{panel}"]
        assert page.evaluate("document.activeElement.id") == f"tab-{panel}"
        assert page.get_attribute(f"#tab-{panel}", "aria-selected") == "true"
    assert page.locator('[role=tab][tabindex="-1"]').count() == 3


def test_it_fits_a_phone(opened):
    """Nothing sticks out at 360 pixels; tables stay within their own frames."""
    page, _, _ = opened(viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_on_paper_all_views_are_there(opened):
    """The tabs are gone, the panels are not; it can be saved as a PDF."""
    page, _, _ = opened()
    page.emulate_media(media="print")
    assert len(visible(page)) == 4
    assert not page.is_visible("[role=tablist]")
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_without_scripts_all_views_are_there(opened):
    """Where scripts are forbidden, panels stand one below the other."""
    page, _, _ = opened(java_script_enabled=False)
    assert all(page.locator(f"#view-{view}").is_visible() for view in ("subscribers", "finance", "support", "product"))


def test_a_screen_reader_finds_its_way(opened):
    """One main heading, no level left out, every picture and every section named, all that can be used has a name."""
    page, _, _ = opened()
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(it => +it.tagName[1])")
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    named = "it => document.getElementById(it.getAttribute('aria-labelledby'))"
    assert page.evaluate(f"[...document.querySelectorAll('section')].every({named})")
    assert page.evaluate("[...document.querySelectorAll('button, a, summary')].every(it => it.textContent.trim())")
    assert page.evaluate("document.documentElement.lang") == "en"


def test_a_picture_of_its_own_is_a_quiet_page_too(browser, tiny_run, tmp_path):
    """The interactive page of a single picture draws itself without a network."""
    path = tiny_run.plot("attempts_funnel").save(tmp_path / "picture.html")
    page = browser.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("svg, canvas", timeout=10_000)
    assert said == []
    assert [it for it in asked if not it.startswith(("data:", "blob:"))] == [path.as_uri()]
    page.close()


def test_the_tiny_run_is_what_is_reported(opened, tiny_run):
    """The heading names the scenario; the digest stands at the end."""
    page, _, _ = opened()
    assert page.inner_text("h1") == tiny_run.manifest.identity.scenario
    assert tiny_run.content_digest in page.inner_text("#again")
