"""Every picture: files that open, the same each time, nothing to load, words that fit, colours that all can tell."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import combinations

import altair as alt
import numpy as np
import pytest

import billing_sim
from billing_sim import BillingSimError, QueryError, RunError
from billing_sim.pictures import PICTURES, draw, maturity, words
from billing_sim.pictures.board import Board
from billing_sim.pictures.charts import apart
from billing_sim.pictures.theme import THEMES, WIDTH
from tests.conftest import SCENARIOS
from tests.no_room import no_room
from tests.svg_words import covered, words_in


@pytest.fixture(scope="module")
def figures(busy_runs):
    """Every picture of the run in which much goes wrong, some of them with the truth as well."""
    run, other = busy_runs
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(maturity, "DAYS", (0, 14))
        drawn = {it.name: run.plot(it.name, **({"other": other} if it.needs else {})) for it in PICTURES.values()}
    truths = {f"{name}, truly": run.plot(name, truth=True) for name in ("losses_by_cause", "one_life")}
    return drawn | truths | {"one metric": run.plot("paired_difference", other=other, metric="churn")}


@pytest.fixture(scope="module")
def drawings(figures):
    """The same as SVG, light and dark."""
    return {name: (figure.to_svg(), figure.to_svg("dark")) for name, figure in figures.items()}


def test_files_of_each_kind_open(figures, drawings, tmp_path):
    """PNG by its signature, SVG as XML with the finding in it."""
    assert figures["by_market"].save(tmp_path / "new" / "it.png", "dark").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert figures["cohorts"].save(tmp_path / "it.svg").read_text("utf-8") == drawings["cohorts"][0]
    for name, figure in figures.items():
        for svg in drawings[name]:
            root = ET.fromstring(svg)
            assert root.tag == "{http://www.w3.org/2000/svg}svg", name
            shown = " ".join(it.text for it in words_in(svg)[0]).replace("\u00a0", " ")
            assert figure.title in shown, name


def test_every_picture_is_a_legal_chart(figures):
    """They are drawn without being held against the schema of charts first, which takes as long as drawing them."""
    for name, figure in figures.items():
        assert figure.chart().to_dict(validate=True)["title"]["text"], name


def test_what_is_drawn_alike_is_one_layer_below_the_words():
    """However often it is put on a board: charts are made and drawn by the layer."""
    board = Board(THEMES["light"], 40)
    for place in range(20):
        ends = {"x": 0, "x2": 9, "colour": "black"}
        board.words([{"x": 0, "y": place, "text": str(place), "colour": "black"}])
        board.bars([{**ends, "y": place, "y2": place + 1, "tip": ""}])
        board.bands([{**ends, "top": 0, "bottom": 1, "top2": 2, "bottom2": 3}])
    bars, bands, texts = board.chart().to_dict()["layer"]
    assert [it["mark"]["type"] for it in (bars, bands, texts)] == ["rect", "area", "text"]
    assert [it["text"] for it in texts["data"]["values"]] == [str(place) for place in range(20)]
    assert {it["band"] for it in bands["data"]["values"]} == set(range(20))


def test_making_a_chart_leaves_checks_of_other_charts_as_they_were(figures):
    """Ours are made unchecked; one that a user makes afterwards is refused where it is made, as ever."""
    figures["by_market"].chart()
    with pytest.raises(alt.utils.schemapi.SchemaValidationError, match="nonsense"):
        alt.Axis(grid="nonsense")


def test_a_page_loads_nothing_and_cannot_be_broken_out_of(busy_runs, tmp_path):
    """No address is fetched, and the spec holds no tag."""
    figure = draw(busy_runs[0], "retry_yield")
    page = figure.save(tmp_path / "it.html", "dark").read_text("utf-8")
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", page)
    assert "default-src 'none'" in page
    spec = re.search(r"vegaEmbed\(\"#picture\", (\{.*\}), \{renderer", page, re.DOTALL)[1]
    assert "<" not in spec
    assert page.count("<script>") == page.count("</script>") == 2
    assert figure.title in page


def test_the_same_run_gives_the_same_bytes(busy_runs, drawings):
    """Drawn again here, and by another process in which nothing was drawn before."""
    run = busy_runs[0]
    for name in ("by_market", "gateway_timeline", "one_life"):
        assert run.plot(name).to_svg() == drawings[name][0]
    code = (
        "import sys, hashlib, billing_sim; "
        "it = billing_sim.open(sys.argv[1]).plot('by_market'); "
        "print(hashlib.sha256(it.to_svg('dark').encode()).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, run.directory], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == hashlib.sha256(drawings["by_market"][1].encode()).hexdigest()


def test_words_neither_cover_each_other_nor_leave_the_picture(drawings):
    """In every picture; the check itself finds a word that is put on another."""
    for name, (svg, _) in drawings.items():
        found, width, height = words_in(svg)
        assert covered(found) == [], name
        assert all(it.left >= 0 and it.right <= width and it.top >= 0 and it.bottom <= height for it in found), name
        assert 300 < width <= WIDTH + 8, name
    twice, _, _ = words_in(svg.replace("</svg>", re.search(r"<g.*</g>", svg, re.DOTALL)[0] + "</svg>"))
    assert covered(twice)


def test_every_picture_has_both_themes_and_a_description(figures, drawings):
    """Dark paper in the dark one; the title is a finding with a figure in it."""
    for name, figure in figures.items():
        for svg, theme in zip(drawings[name], ("light", "dark"), strict=True):
            assert f'fill="{THEMES[theme].paper}"' in svg, name
            assert THEMES[theme].ink in svg, name
        assert len(figure.description) > 60, name
        assert re.search(r"\d", figure.title) or "nothing differs" in figure.title, name
        assert repr(figure) == figure.title
        assert not figure.data.empty


def test_a_notebook_gets_an_image(figures):
    """Without scripts."""
    shown = figures["mrr_bridge"]._repr_mimebundle_()
    assert set(shown) == {"image/png", "text/plain"}
    assert shown["image/png"].startswith(b"\x89PNG")


def test_almost_nothing_is_drawn_or_refused_in_a_sentence(tmp_path):
    """One member for two months: whatever cannot be drawn says so."""
    run = billing_sim.run(SCENARIOS / "first_month.yaml", members=1, out=tmp_path / "one", workers=1)
    drawn, refused = {}, {}
    for name in PICTURES:
        try:
            drawn[name] = run.plot(name).to_svg()
        except QueryError as error:
            refused[name] = str(error)
    assert all(
        it.startswith("The picture ") and it.endswith((".", "RUN on the command line.")) for it in refused.values()
    )
    assert [name for name, svg in drawn.items() if covered(words_in(svg)[0])] == []
    assert len(drawn) >= 3


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("retry_yeild", {}, "no picture `retry_yeild`; did you mean `retry_yield`"),
        ("paired_difference", {}, "needs another run to compare with"),
        ("cohorts", {"metric": "churn"}, "has no use for metric; these have: maturity, paired_difference, by_market"),
        ("by_market", {"metric": "chrun"}, "no metric `chrun`; did you mean `churn`"),
        ("by_market", {"metric": "lifetime_value"}, "cannot be split by market and month"),
        ("maturity", {}, "this run is too short"),
        ("one_life", {"subscriber": "nobody"}, "'nobody' is not a subscriber"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_a_sentence(tiny_run, name, options, said):
    """With what to do."""
    with pytest.raises(QueryError, match=re.escape(said)):
        tiny_run.plot(name, **options)


def test_other_files_and_themes_are_refused(figures, tmp_path):
    """Only three kinds of files, two themes, and places that can be written to."""
    figure = figures["mrr_bridge"]
    with pytest.raises(QueryError, match=r"it\.pdf: name a file that ends in \.png, \.svg or \.html"):
        figure.save(tmp_path / "it.pdf")
    with pytest.raises(QueryError, match="no theme `sepia`"):
        figure.to_svg("sepia")
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot write .*it\.svg: .*Name another file"):
        figure.save(tmp_path / "file" / "it.svg")
    assert issubclass(QueryError, BillingSimError)


def test_a_picture_that_finds_no_room_leaves_the_old_one(figures, tmp_path):
    """Whole, and alone in its folder."""
    place = figures["mrr_bridge"].save(tmp_path / "it.svg")
    before = place.read_bytes()
    with no_room(1000), pytest.raises(RunError, match=r"cannot write .*it\.svg: File too large"):
        figures["mrr_bridge"].save(place)
    assert [it.read_bytes() for it in tmp_path.iterdir()] == [before]


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_text_in_any_colour_can_be_read(theme):
    """WCAG 2.1: at least 4.5 to 1 against the paper."""
    for colour in (theme.ink, theme.quiet, *theme.series):
        assert _contrast(colour, theme.paper) >= 4.4, colour


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("lacking", ["nothing", "red", "green", "blue"])
def test_colours_beside_each_other_can_be_told_apart(theme, lacking):
    """The first four series as somebody sees them who lacks a kind of cone (Machado and others 2009, severity 1)."""
    seen = [_lab(_SEEN[lacking] @ _linear(colour)) for colour in theme.series[:4]]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 20
    assert np.linalg.norm(seen[0] - seen[1]) > 40


def test_labels_are_pushed_apart_but_stay_inside():
    """In their order, a gap between each two, within the bounds while there is room."""
    placed = apart([100, 101, 10, 290], 8, 292, 20)
    assert placed[2] == 10
    assert placed[0] < placed[1]
    assert all(abs(a - b) >= 20 - 1e-9 for a, b in combinations(placed, 2))
    assert all(8 <= it <= 292 for it in apart([295, 296, 297, 298], 8, 292, 20))


@pytest.mark.parametrize(
    ("number", "told"),
    [(0.41, "41 %"), (0.0412, "4.1 %"), (0.00412, "0.41 %"), (0.9996, "99.96 %"), (1, "100 %"), (0, "0 %")],
)
def test_shares_have_digits_that_say_something(number, told):
    """Near nothing and near all more of them."""
    assert words.share(number) == told


def test_numbers_over_narrow_columns_are_brief():
    """Twelve months of thousands stand side by side without touching; small numbers are whole."""
    assert [words.brief(it) for it in (0, 87, 999, 1_000, 8_195, 12_345, 1_400_000)] == [
        "0", "87", "999", "1.0k", "8.2k", "12.3k", "1.4M",
    ]  # fmt: skip


def test_amounts_of_any_size_stay_short():
    """From cents to trillions."""
    assert [words.money(10**6 * it, "USD") for it in (0, 3.5, 999, 12_345, 9.9995e5, 4.56e6, 7.89e12)] == [
        "0.00 USD", "3.50 USD", "999 USD", "12.3k USD", "1.00M USD", "4.56M USD", "7.89T USD",
    ]  # fmt: skip


_SEEN = {
    "nothing": np.eye(3),
    "red": np.array([[0.15229, 1.05258, -0.20487], [0.1145, 0.78628, 0.09922], [-0.00388, -0.04812, 1.052]]),
    "green": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]),
    "blue": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]),
}  # fmt: skip


def _linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def _contrast(a: str, b: str) -> float:
    light, dark = sorted((float(_linear(it) @ [0.2126, 0.7152, 0.0722]) for it in (a, b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _lab(linear: np.ndarray) -> np.ndarray:
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = matrix @ np.clip(linear, 0, 1) / np.array([0.9505, 1, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])
