"""Documentation that cannot lie: what it says exists, and what exists is said."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import generate
import pytest
from generators import lived
from generators import scenario as scenario_keys
from generators.commands import Command, commands
from generators.lived import blocks, commands_in
from generators.markdown import GENERATED
from typer.main import get_command

import billing_sim
from billing_sim import declines, events
from billing_sim.calibration.fitting.targets import read_targets
from billing_sim.cli.app import app
from billing_sim.facts.schema import FACTS
from billing_sim.lifecycle.state import ALARM_NAMES
from billing_sim.metrics import catalogue
from billing_sim.metrics.definition import Definition, Window
from billing_sim.metrics.mistakes import DRAFT_KEYS
from billing_sim.programmes import read_programmes
from billing_sim.scenario.layers import shipped
from billing_sim.scenario.nodes import plain
from billing_sim.scenario.reader import parse
from billing_sim.stress.case import load_case
from billing_sim.trace.finds import FINDS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
EVERYWHERE = [*PAGES, ROOT / "README.md"]
BY_HAND = [page for page in PAGES if page.parent.name != "reference"]
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def name_of(page: Path) -> str:
    """A page as it is called in the repository."""
    return page.relative_to(ROOT).as_posix()


@cache
def text_of(page: Path) -> str:
    """A page, read once."""
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return FENCE.sub("", text_of(page))


def in_code(page: Path) -> list[str]:
    """Every piece of code in the prose of a page."""
    return CODE.findall(prose(page))


def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def first_column(page: str) -> list[str]:
    """The code in the first cells of the tables of a generated page."""
    return re.findall(r"^\| (?:\d+ \| )?`([^`]+)` \|", text_of(DOCS / page), re.MULTILINE)


# Generated pages.


@pytest.mark.parametrize("name", generate.PAGES)
def test_generated_page_is_current(name):
    """A page made from the code is what the code makes today; programs on a page print what the page shows."""
    assert generate.kept(name) == generate.current(name), "stale: run `make docs`"


def test_every_output_on_a_page_is_filled_in():
    """A page whose blocks are marked as what came back is among those that are carried out."""
    pages = {path.relative_to(DOCS).as_posix(): path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")}
    assert {name for name, text in pages.items() if "<!-- output" in text} <= set(generate.LIVED)


def test_a_part_of_an_output_is_found_by_its_beginning(monkeypatch):
    """Until the next empty line; words that nothing begins with are a mistake of the page."""
    monkeypatch.setattr(lived, "_run", lambda words: "ONE: 1\n  a\n\nTWO: 2\n  b  \n\nTHREE\n")
    page = "```sh\nbilling-sim list\n```\n<!-- output from: TWO -->\n```text\nstale\n```\n"
    assert lived.relived(page).endswith("<!-- output from: TWO -->\n```text\nTWO: 2\n  b\n```\n")
    with pytest.raises(ValueError, match="nothing that was printed begins with 'FOUR'"):
        lived.relived(page.replace("TWO", "FOUR"))


def test_a_stale_page_is_found(tmp_path, monkeypatch, capsys):
    """One changed word, and `--check` exits with 1 and names the page."""
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    monkeypatch.setattr(generate, "PAGES", ("reference/alarms.md",))
    (tmp_path / "reference").mkdir()
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    page = tmp_path / "reference" / "alarms.md"
    page.write_text(page.read_text(encoding="utf-8").replace("rings", "sings"), encoding="utf-8")
    capsys.readouterr()
    assert generate.main(["--check"]) == 1
    assert capsys.readouterr().out == "docs/reference/alarms.md is stale: run `make docs`\n"


def test_reference_holds_generated_pages_only():
    """Whoever edits one by hand is told where it comes from."""
    found = {page.relative_to(DOCS).as_posix() for page in (DOCS / "reference").iterdir()}
    assert found == set(generate.REFERENCE)
    assert all(GENERATED in text_of(DOCS / name) for name in found)


# Commands.


def invocations() -> Iterator[tuple[str, list[str]]]:
    """Every call of `billing-sim` on any page: in shell blocks, after a prompt, and in the prose."""
    for page in EVERYWHERE:
        text = text_of(page)
        found = [
            words for language in ("sh", "shell", "bash") for it in blocks(text, language) for words in commands_in(it)
        ]
        found += [shlex.split(line[2:], comments=True) for line in re.findall(r"^\$ .+$", text, re.MULTILINE)]
        found += [shlex.split(it) for it in in_code(page) if it.startswith("billing-sim ")]
        for words in found:
            for i, word in enumerate(words):
                if word.rpartition("/")[2] == "billing-sim":
                    yield name_of(page), words[i + 1 :]


def mistakes(words: list[str]) -> Iterator[str]:
    """What is wrong with the arguments of `billing-sim`."""
    known = commands()
    if not words or words[0] in ("COMMAND", "--version", "--help"):
        return
    for length in (2, 1):
        command = known.get(" ".join(words[:length]))
        if command is not None:
            yield from _wrong_options(command, words[length:])
            return
    yield f"there is no command {words[0]}"


def _wrong_options(command: Command, words: list[str]) -> Iterator[str]:
    options = {name: option for option in command.options for name in option.names}
    rest = list(words)
    places = 0
    while rest and rest[0] not in ("&&", "|", ">", ";"):
        word = rest.pop(0)
        if not word.startswith("-"):
            places += 1
        elif word not in (*options, "--help"):
            yield f"{command.name} has no option {word}"
        elif word in options and not options[word].is_flag and rest:
            value = rest.pop(0)
            if options[word].choices and value not in options[word].choices:
                yield f"{value} is no choice of {word}"
            if word == "--find" and value not in (*FINDS, "WHAT"):
                yield f"{value} cannot be found"
    if places > len(command.arguments) and not any(it.is_repeated for it in command.arguments):
        yield f"{command.name} takes no {places} arguments"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("run a.yaml --members 5 -q", []),
        ("views runs/a --by month > out.csv", []),
        ("simulate a.yaml", ["there is no command simulate"]),
        ("run a.yaml --speed", ["run has no option --speed"]),
        ("views runs/a --format xml", ["xml is no choice of --format"]),
        ("trace runs/a --find nobody", ["nobody cannot be found"]),
        ("views runs/a runs/b", ["views takes no 2 arguments"]),
        ("challenge grade riddle answers.yaml --pass 60", []),
        ("challenge grade riddle --seed 3", ["challenge grade has no option --seed"]),
        ("challenge riddle", ["there is no command challenge"]),
    ],
)
def test_mistakes_in_commands_are_noticed(line, wrong):
    """Otherwise the next test would pass whatever the pages say."""
    assert list(mistakes(shlex.split(line))) == wrong


def test_every_command_on_a_page_exists():
    """With its options and choices, in the documentation and in the README."""
    found = list(invocations())
    assert len(found) > 30
    assert [(page, wrong) for page, words in found for wrong in mistakes(words)] == []


@pytest.mark.parametrize("command", commands().values(), ids=lambda command: command.name)
def test_every_command_and_option_is_documented(command):
    """In the reference, with a word about it."""
    page = text_of(DOCS / "reference/commands.md")
    assert f"## `billing-sim {command.name}`" in page
    part = page.split(f"## `billing-sim {command.name}`")[1].split("\n## ")[0]
    assert all(f"`{name}`" in part and option.help for option in command.options for name in option.names)
    assert all(f"`{argument.metavar}`" in part and argument.help for argument in command.arguments)


def options_taken(name: str) -> set[str]:
    """The ways to write an option that a command really takes, in short and in full."""
    found: Any = get_command(app)
    for part in name.split():
        found = found.commands[part]
    return {word for it in found.params if it.param_type_name == "option" for word in (*it.opts, *it.secondary_opts)}


@pytest.mark.parametrize("command", commands().values(), ids=lambda command: command.name)
def test_options_are_written_as_the_command_takes_them(command):
    """What the reference names is what the parser knows: words are joined by hyphens."""
    assert {name for option in command.options for name in option.names} == options_taken(command.name) - {"--help"}


# Scenario files.


def yaml_blocks(page: Path) -> list[str]:
    """The YAML on a page."""
    return blocks(text_of(page), "yaml")


def keys_in(tree: Any) -> Iterator[str]:
    """Every key of a tree, however deep."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from keys_in(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from keys_in(item)


@pytest.mark.parametrize("page", [page for page in EVERYWHERE if yaml_blocks(page)], ids=name_of)
def test_yaml_on_a_page_can_be_used(page, tmp_path):
    """Every example is a whole file: a scenario without a problem, metrics that can be computed, a case…"""
    scenarios = tmp_path / "scenarios"
    scenarios.mkdir()
    for file in (ROOT / "scenarios").glob("*.yaml"):
        (scenarios / file.name).write_bytes(file.read_bytes())
    for number, content in enumerate(yaml_blocks(page)):
        named = re.match(r"# (\S+\.yaml)\n", content)
        path = tmp_path / (named[1] if named else f"scenarios/example_{number}.yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
        if re.search(r"^view:", content, re.MULTILINE):
            catalogue.load(path)
        elif re.search(r"^case:", content, re.MULTILINE):
            load_case(path)
        elif re.search(r"^targets:", content, re.MULTILINE):
            assert read_targets(path)[0].targets
        elif re.search(r"^programmes:", content, re.MULTILINE):
            assert read_programmes(path)
        else:
            assert billing_sim.check(path) == []


def test_the_guide_shows_every_key_of_a_scenario():
    """By example, in YAML that loads (so that no key on it is gone)."""
    page = DOCS / "guides/writing_a_scenario.md"
    shown = {key for content in yaml_blocks(page) for key in keys_in(plain(parse(content.encode(), "page")))}
    for part, keys in scenario_keys.keys().items():
        assert keys - shown == set(), f"keys of {part} that the guide does not show"


def test_the_reference_says_what_every_key_means():
    """Both ways: no key without a line, no line without a key; and a meaning in each."""
    rows = re.findall(
        r"^\| `(\w+)` \| (.*) \|$",
        text_of(DOCS / "reference/scenario.md").split("## Behaviour of the")[0],
        re.MULTILINE,
    )
    said = {key: row.rpartition("|")[2].strip() for key, row in rows}
    known = set().union(*scenario_keys.keys().values())
    assert known == set(said)
    assert [key for key, meaning in said.items() if not meaning] == []


def test_presets_are_documented():
    """Both ways."""
    named = re.findall(r"^## `(\w+)`$", text_of(DOCS / "reference/dunning.md"), re.MULTILINE)
    assert named == list(shipped("dunning_presets.yaml").entries)


# The log, the facts, the metrics.


def test_every_kind_and_column_of_the_log_is_documented():
    """Both ways."""
    kinds = [kind.name for kind in (*events.EVENTS, *events.WORLD_EVENTS, *events.TRUTH)]
    columns = [column.name for column in (*events.COLUMNS, *events.WORLD_COLUMNS, *events.TRUTH_COLUMNS)]
    assert sorted(first_column("reference/events.md")) == sorted([*kinds, *columns, *events.VOCABULARIES])


def test_the_guide_adds_a_kind_that_is_not_there():
    """Its number, its constant and its name are free, so whoever follows it to the letter comes through."""
    guide = (DOCS / "guides" / "adding_an_event_kind.md").read_text(encoding="utf-8")
    ((constant, number),) = re.findall(r"^ *([A-Z_]+) = (\d+)$", guide, re.MULTILINE)
    ((named, name, columns),) = re.findall(r'_kind\(([A-Z_]+), "([a-z_.]+)", "([a-z_ ]+)"', guide)
    assert named == constant
    assert f"events.{constant}" in guide
    assert not hasattr(events, constant)
    assert name not in {kind.name for kind in (*events.EVENTS, *events.WORLD_EVENTS)}
    assert int(number) not in events.KIND_NAMES
    assert int(number) < events.FIRST_OWN_KIND
    known = {column.name for column in (*events.ENVELOPE, *events.PAYLOAD)}
    assert set(columns.split()) <= known


def test_every_fact_and_column_is_documented():
    """Both ways, fact by fact; what most facts begin with stands once, and a fact that lacks some of it lists all."""
    page = text_of(DOCS / "reference/facts.md")
    assert re.findall(r"^## `(\w+)`$", page, re.MULTILINE) == [fact.name for fact in FACTS]
    who = page.split("## Who")[1].split("\n## ")[0]
    first = re.findall(r"^\| `(\w+)`", who, re.MULTILINE)
    assert first[:3] == ["subscriber", "spell", "group"]
    for fact in FACTS:
        shared = [] if f"`{fact.name}`" in who else first
        own = re.findall(r"^\| `(\w+)`", page.split(f"## `{fact.name}`")[1].split("\n## ")[0], re.MULTILINE)
        assert [*shared, *own] == [column.name for column in fact.columns]


def test_every_metric_is_documented():
    """Both ways, and every key of a definition has a meaning."""
    page = text_of(DOCS / "reference/metrics.md")
    assert re.findall(r"^### `(\S+)`$", page, re.MULTILINE) == list(
        dict.fromkeys(it.name for it in catalogue.shipped())
    )
    parts = {part.partition("`")[0]: part for part in page.split("\n### `")[1:]}
    variants = {it.id: it.id.partition("@")[2] for it in catalogue.shipped() if it.is_variant}
    assert [name for name, suffix in variants.items() if f"| `@{suffix}` |" not in parts[name.partition("@")[0]]] == []
    keys = dict(re.findall(r"^\| `(\w+)` \| (?:required)? *\| (.*) \|$", page.split("## Keys of a")[1], re.MULTILINE))
    assert set(keys) == {*Definition.model_fields, *Window.model_fields, *DRAFT_KEYS}
    assert [key for key, meaning in keys.items() if not meaning.strip()] == []


def test_every_cause_and_code_is_documented():
    """Both ways, causes in the order of their checks."""
    causes = [name for name, _ in declines.CAUSES[1:]]
    codes = [code.code for code in declines.CODES[1:]]
    assert first_column("reference/declines.md")[: len(causes) + len(codes)] == [*causes, *codes]


def test_every_alarm_is_documented():
    """In the order in which equal times ring, each with the rule that it calls and somebody who sets it."""
    assert first_column("reference/alarms.md") == list(ALARM_NAMES)
    rows = re.findall(r"^\| \d+ \|.*$", text_of(DOCS / "reference/alarms.md"), re.MULTILINE)
    assert all(re.fullmatch(r"\| \d+ \| `\w+` \| .+\. \| `\w+` \| `\w+`.* \|", row) for row in rows)


# Pages among themselves.


@pytest.mark.parametrize("page", EVERYWHERE, ids=name_of)
def test_links_lead_somewhere(page):
    """To a file or folder that is there, and to a heading on it."""
    for target in LINK.findall(prose(page)):
        if target.startswith(("http://", "https://")):
            continue
        place, _, anchor = target.partition("#")
        found = (page.parent / place).resolve() if place else page
        assert found.exists(), f"{target} is not there"
        assert not anchor or anchor in headings(found), f"there is no heading {target}"


def test_the_index_names_every_page():
    """Nobody finds a page that is not listed."""
    linked = {(DOCS / target).resolve() for target in LINK.findall(text_of(DOCS / "README.md"))}
    assert [name_of(page) for page in PAGES if page.resolve() not in linked and page != DOCS / "README.md"] == []


@cache
def sources() -> str:
    """Everything that a name on a page can refer to."""
    files = [
        *(ROOT / "billing_sim").rglob("*.py"),
        *(ROOT / "billing_sim").rglob("*.yaml"),
        *ROOT.glob("scenarios/*.yaml"),
    ]
    tests = [file for file in (ROOT / "tests").glob("*.py") if file.name != "test_docs.py"]
    return "\n".join(file.read_text(encoding="utf-8") for file in (*files, *tests, ROOT / "Makefile"))


WORD = re.compile(r"\w+")


@cache
def words() -> set[str]:
    """The single words among them."""
    return set(WORD.findall(sources()))


NAME = re.compile(
    r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?:@[a-z_0-9]+)?|[a-z_]+\.[a-z_]+|[A-Z][A-Z_]{3,}|_[A-Z][a-z]\w+|_[A-Z_]+"
)
FILE = re.compile(r"(?:billing_sim|docs|scenarios|tests|notebooks)/[\w./]*")


def is_known(name: str, own: str) -> bool:
    """Whether a name stands in the sources or in the code of its page; an event kind has to be one as a whole."""
    noun, dot, last = name.rpartition(".")
    kinds = [kind.name for kind in (*events.EVENTS, *events.TRUTH)]
    if dot and noun in {kind.partition(".")[0] for kind in kinds}:
        return name in kinds or name in own
    if {name, last} & (words() | set(WORD.findall(own))):
        return True
    return any(name in text and re.search(rf"\b{re.escape(name)}\b", text) for text in (sources(), own))


def unknown_names(page: Path) -> list[str]:
    """Names in the prose of a page that are neither in the sources nor introduced in a code block of the page."""
    own = "\n".join(FENCE.findall(text_of(page)))
    found = []
    for it in in_code(page):
        if NAME.fullmatch(it) and not is_known(it, own):
            found.append(it)
        if FILE.fullmatch(it) and not (ROOT / it).exists() and f"# {it}\n" not in own:
            found.append(it)
    return found


@pytest.mark.parametrize("page", BY_HAND, ids=name_of)
def test_no_page_names_what_is_gone(page):
    """Keys, columns, metrics, events, functions, files: whatever stands in code exists, or is made on that page."""
    assert unknown_names(page) == []


def test_a_name_that_is_gone_is_noticed(tmp_path):
    """Otherwise the test before would pass whatever the pages say."""
    page = tmp_path / "page.md"
    page.write_text(
        "`recovery_rate` `recovery_ratio` `invoice.issued` `invoice.eaten` `billing_sim/eaten.py` `ALARM_NAPS`"
    )
    assert unknown_names(page) == ["recovery_ratio", "invoice.eaten", "billing_sim/eaten.py", "ALARM_NAPS"]


def test_sources_of_assumptions_are_used_or_listed():
    """Every source that the defaults and scenarios name by its short name is on the page that lists them."""
    page = text_of(DOCS / "background/assumptions.md")
    yaml = [*(ROOT / "billing_sim/scenario").glob("*.yaml"), *(ROOT / "scenarios").glob("*.yaml")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in yaml)
    named = set(
        re.findall(r"\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+) \([ABC]\)|\b([a-z][a-z0-9]*(?:_[a-z0-9]+)+) \([ABC],", text)
    )
    short = {one or other for one, other in named}
    assert len(short) > 20
    assert [name for name in sorted(short) if f"| `{name}` |" not in page] == []


def test_no_generated_page_has_an_empty_table():
    """A heading of columns without a row below it says that there is nothing, where something was meant."""
    empty = [name for name in generate.REFERENCE if re.search(r"\|---\|\n(?!\|)", text_of(DOCS / name))]
    assert empty == []
