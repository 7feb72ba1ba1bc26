"""Layers: what `extends`, the defaults, regions, market defaults and presets make of one another."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from billing_sim.errors import InputError
from billing_sim.scenario import layers
from billing_sim.scenario.layers import Composition, read_chain
from billing_sim.scenario.merge import overlay
from billing_sim.scenario.nodes import Mapping, at, plain
from billing_sim.scenario.reader import parse

DEFAULTS = b"""
seed: 7
market_defaults: {signups: {per_month: 1%, growth_per_year: 0%}}
regions:
  EU: {attention: 10%, method_mix: {credit: 60%, debit: 40%}, bank_stop: {credit: 1%}}
  OTHER: {attention: 20%, method_mix: {credit: 100%}, bank_stop: {credit: 2%}}
dunning: [{use: calm}]
"""
PRESETS = b"""
calm: {retries: [1 day], notices: [], grace: 1 day, end: 9 days}
eager: {retries: [1 hour], notices: [], grace: 2 days, end: 3 days}
"""


def tree(text: str) -> Mapping:
    return parse(text.encode(), "f.yaml")


def laid(base: str, top: str) -> object:
    return plain(overlay(tree(base), tree(top)))


@pytest.fixture
def tiny_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few defaults of our own in the place of the shipped ones."""
    files = {"defaults.yaml": parse(DEFAULTS, "d.yaml"), "dunning_presets.yaml": parse(PRESETS, "p.yaml")}
    monkeypatch.setattr(layers, "shipped", files.__getitem__)


def composed(text: str) -> dict[str, object]:
    composition = Composition(overlay(tree("{}"), tree(text)))
    assert composition.problems == []
    return plain(composition.tree)  # type: ignore[return-value]


def test_mappings_are_laid_over_key_by_key() -> None:
    """Keys of the base come first, the upper value wins, new keys follow."""
    assert list(laid("{a: 1, b: {x: 1, y: 2}}", "{c: 3, b: {y: 5, z: 6}}").items()) == [  # type: ignore[attr-defined]
        ("a", 1),
        ("b", {"x": 1, "y": 5, "z": 6}),
        ("c", 3),
    ]


def test_lists_are_replaced_whole() -> None:
    """The upper list is the list, even an empty one."""
    assert laid("{a: [1, 2], b: [1]}", "{a: [3], b: []}") == {"a": [3], "b": []}


@pytest.mark.parametrize("key", ["plan_mix", "method_mix", "tenure_mix", "use", "paydays"])
def test_shares_of_a_whole_are_replaced_whole(key: str) -> None:
    """Half of an old mix in a new one would not add up."""
    assert laid(f"{{m: {{{key}: {{a: 1, b: 2}}}}}}", f"{{m: {{{key}: {{c: 3}}}}}}") == {"m": {key: {"c": 3}}}


def test_null_removes_a_key() -> None:
    """Of the base, of the upper layer itself, and over several layers."""
    assert laid("{a: 1, b: {x: 1, y: 2}}", "{a: null, b: {x: null}}") == {"b": {"y": 2}}
    assert laid("{}", "{a: {x: null, y: 1}, b: }") == {"a": {"y": 1}}
    middle = overlay(tree("{}"), tree("{a: null}"))
    assert plain(overlay(tree("{a: 1, b: 2}"), middle)) == {"b": 2}
    assert plain(overlay(middle, tree("{a: 3}"))) == {"a": 3}


def test_values_keep_the_place_they_came_from() -> None:
    """What a lower file says is blamed on the lower file."""
    merged = overlay(parse(b"a: {x: 1}", "base.yaml"), parse(b"\na: {y: 2}", "top.yaml"))
    assert [(node.place.file, node.place.line) for node in (at(merged, "a", "x"), at(merged, "a", "y")) if node] == [
        ("base.yaml", 1),
        ("top.yaml", 2),
    ]


def test_extends_reads_the_base_relative_to_the_file_over_several_levels(tmp_path: Path) -> None:
    """The nearest file wins; `extends` itself is used up."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.yaml").write_text("name: a\nx: 1\ny: 1\nz: 1\n")
    (tmp_path / "sub" / "b.yaml").write_text("extends: ../a.yaml\ny: 2\nz: 2\n")
    top = tmp_path / "c.yml"
    top.write_text("extends: sub/b.yaml\nz: 3\n")
    assert plain(read_chain(top, top.read_bytes())) == {"name": "a", "x": 1, "y": 2, "z": 3}


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("missing.yaml", "cannot be used. There is no such file."),
        ("loop.yaml", "cannot be used. The file cannot be read"),
        ("folder.yaml", "cannot be used. This is a directory, not a file."),
        ("c.yaml", "c.yaml is extended in a circle."),
        ("./c.yaml", "c.yaml is extended in a circle."),
        ("ring.yaml", "c.yaml is extended in a circle."),
        ("/etc/passwd.yaml", "/etc/passwd.yaml is not a relative path."),
        ("~/x.yaml", "~/x.yaml is not a relative path."),
        ("'C:\\x.yaml'", "C:\\x.yaml is not a relative path."),
        ("/etc/passwd", "this is not the name of a YAML file."),
        ("[a.yaml]", "this is not the name of a YAML file."),
        ("", "this is not the name of a YAML file."),
    ],
)
def test_an_extends_that_cannot_be_followed_is_refused_in_its_line(tmp_path: Path, written: str, what: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (tmp_path / "ring.yaml").write_text("extends: c.yaml\n")
    top = tmp_path / "c.yaml"
    top.write_text(f"name: c\nextends: {written}\n")
    with pytest.raises(InputError) as caught:
        read_chain(top, top.read_bytes())
    (problem,) = caught.value.problems
    place = (f"{tmp_path}/ring.yaml", 1) if written == "ring.yaml" else (str(top), 2)
    assert (problem.file, problem.line) == place
    assert what in problem.what
    assert problem.remedy


def test_a_fault_in_the_base_is_told_in_the_base(tmp_path: Path) -> None:
    """The message names the file that holds the fault."""
    (tmp_path / "base.yaml").write_text("a: 1\na: 2\n")
    top = tmp_path / "top.yaml"
    top.write_text("extends: base.yaml\n")
    with pytest.raises(InputError) as caught:
        read_chain(top, top.read_bytes())
    assert str(caught.value).startswith(f"{tmp_path}/base.yaml:2:1  a is given twice")


@pytest.mark.usefixtures("tiny_defaults")
def test_a_market_behaves_like_its_region_but_for_what_it_says() -> None:
    """Defaults of the region, then the scenario's region, then the market's own; mixes whole."""
    whole = composed("""
regions: {EU: {attention: 11%, bank_stop: {debit: 3%}}}
markets:
  DE: {region: EU, behaviour: {method_mix: {debit: 100%}, bank_stop: {credit: 9%}}, signups: {per_month: 5%}}
  FR: {region: EU}
""")
    markets = whole["markets"]
    assert markets["DE"]["behaviour"] == {  # type: ignore[index]
        "attention": "11%",
        "method_mix": {"debit": "100%"},
        "bank_stop": {"credit": "9%", "debit": "3%"},
    }
    assert markets["DE"]["signups"] == {"per_month": "5%", "growth_per_year": "0%"}  # type: ignore[index]
    assert markets["FR"]["behaviour"]["method_mix"] == {"credit": "60%", "debit": "40%"}  # type: ignore[index]
    assert set(whole) == {"seed", "dunning", "markets", "dunning_policies"}


@pytest.mark.usefixtures("tiny_defaults")
def test_an_unknown_region_behaves_like_other() -> None:
    """One that the scenario brings begins as OTHER; one that nobody describes is OTHER."""
    markets = composed("""
regions: {moon: {attention: 1%}}
markets: {MO: {region: moon}, MA: {region: mars}}
""")["markets"]
    assert markets["MO"]["behaviour"]["attention"] == "1%"  # type: ignore[index]
    assert markets["MO"]["behaviour"]["bank_stop"] == {"credit": "2%"}  # type: ignore[index]
    assert markets["MA"]["behaviour"]["attention"] == "20%"  # type: ignore[index]


@pytest.mark.usefixtures("tiny_defaults")
def test_presets_are_there_by_name_and_can_be_changed() -> None:
    """A rule may name a preset, also on the timeline; a policy of one's own may start from one."""
    policies = composed("""
dunning: [{use: mine}]
dunning_policies: {mine: {preset: calm, grace: 5 days}}
timeline: [{kind: dunning_switch, dunning: [{use: eager}]}]
""")["dunning_policies"]
    assert policies == {
        "mine": {"retries": ["1 day"], "notices": [], "grace": "5 days", "end": "9 days"},
        "eager": {"retries": ["1 hour"], "notices": [], "grace": "2 days", "end": "3 days"},
    }


@pytest.mark.usefixtures("tiny_defaults")
def test_a_policy_of_ones_own_hides_the_preset_of_that_name() -> None:
    """Without `preset` nothing of the shipped one remains."""
    assert composed("dunning_policies: {calm: {end: 1 day}}")["dunning_policies"] == {"calm": {"end": "1 day"}}


@pytest.mark.usefixtures("tiny_defaults")
def test_an_unknown_preset_is_told_with_the_nearest_one() -> None:
    (problem,) = Composition(tree("dunning_policies: {mine: {preset: clam}}")).problems
    assert str(problem) == ("f.yaml:1:35  preset: there is no dunning preset clam.\n             Did you mean calm?")


def test_decimals_survive_the_layers() -> None:
    assert laid("{a: {x: 0.10}}", "{a: {y: 0.20}}") == {"a": {"x": Decimal("0.10"), "y": Decimal("0.20")}}
