"""The reader: what YAML 1.2 means by a word, and what is refused before it costs anything."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import pytest

from billing_sim.errors import InputError
from billing_sim.scenario.nodes import Mapping, at, plain
from billing_sim.scenario.reader import DEPTH_MAX, NODES_MAX, _read_slowly, parse, read_bytes


def refused(content: bytes) -> str:
    """The whole message for a file that must be refused."""
    with pytest.raises(InputError) as caught:
        parse(content, "f.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("1:30", "1:30"),
        ("2026-01-31", "2026-01-31"),
        ("12_000", "12_000"),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("9.90", Decimal("9.90")),
        (".5", Decimal("0.5")),
        ("1e3", Decimal("1000")),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'12'", "12"),
        ('"null"', "null"),
        ("30%", "30%"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_a_word_is_what_yaml_1_2_says(word: str, value: object) -> None:
    read = plain(parse(f"key: {word}\n".encode(), "f.yaml"))["key"]  # type: ignore[index]
    assert (read, type(read)) == (value, type(value))


def test_a_fraction_is_a_decimal_of_its_text_and_never_a_float() -> None:
    """0.1 keeps its one digit; three of them are 0.3 exactly."""
    tenth = plain(parse(b"key: 0.1", "f.yaml"))["key"]  # type: ignore[index]
    assert type(tenth) is Decimal
    assert tenth * 3 == Decimal("0.3")


def test_everything_knows_its_place() -> None:
    """Keys and values carry line and column, counted from 1, also behind a byte order mark and Windows line ends."""
    tree = parse(b"\xef\xbb\xbfa: 1\r\nmarkets:\r\n  US: [x, {deep: 2}]\r\n", "f.yaml")
    us = tree.entries["markets"].value.entries["US"]  # type: ignore[union-attr]
    deep = us.value.items[1].entries["deep"]  # type: ignore[union-attr]
    assert (us.place.line, us.place.column) == (3, 3)
    assert (deep.place.line, deep.place.column) == (3, 12)
    assert (deep.value.place.line, deep.value.place.column) == (3, 18)
    assert at(tree, "a").place.line == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("content", "start"),
    [
        (b"", "f.yaml:1:1  The file is empty."),
        (b"# nothing\n", "f.yaml:1:1  The file is empty."),
        (b"---\n...\n", "f.yaml:1:1  The file is empty."),
        (b"hello", "f.yaml:1:1  The file holds a single value, not keys with values."),
        (b"- a\n- b\n", "f.yaml:1:1  The file holds a list, not keys with values."),
        (b"a: 1\nb: 2\na: 3\n", "f.yaml:3:1  a is given twice; the first is in line 1."),
        (b"a: &x 1\n", "f.yaml:1:4  Anchors such as &x are not read."),
        (b"a: *x\n", "f.yaml:1:4  Aliases such as *x are not read."),
        (b"a: !!str 1\n", "f.yaml:1:4  Tags such as"),
        (b"a: !!python/object:os.system x\n", "f.yaml:1:4  Tags such as"),
        (b"a: 1\n---\nb: 1\n", "f.yaml:2:1  A second document begins here."),
        (b"%YAML 1.1\n---\na: 1\n", "f.yaml:1:1  Lines that begin with % are not read here."),
        (b"%TAG ! x\n---\na: 1\n", "f.yaml:1:1  Lines that begin with % are not read here."),
        (b"a: .nan\n", "f.yaml:1:4  .nan is not a finite number."),
        (b"a: -.inf\n", "f.yaml:1:4  -.inf is not a finite number."),
        (b"a: 1e400\n", "f.yaml:1:4  1e400 is too large or too small"),
        (b"a: 1e-9999999999\n", "f.yaml:1:4  1e-9999999999 is too large or too small"),
        (b"a: " + b"9" * 5000, "f.yaml:1:4  99999999999999999999"),
        (b"1: a\n", "f.yaml:1:1  The key 1 is not text."),
        (b"true: a\n", "f.yaml:1:1  The key true is not text."),
        (
            b"a: {value: 3,000, b: 1}\n",
            "f.yaml:1:14  The key 0 is not text.\n             Write a number without commas, 3000 for 3,000",
        ),
        (b"~: a\n", "f.yaml:1:1  The key null is not text."),
        (b"? [a]\n: 1\n", "f.yaml:1:3  A list or mapping cannot be a key."),
        (b"a:\n\tb: 1\n", "f.yaml:2:1  A tab stands here as white space."),
        (b"a: 1\nb: \x07\n", "f.yaml:2:4  There is a control character here (U+0007)."),
        (b"a: 1\nb: \x00\n", "f.yaml:2:4  There is a control character here (U+0000)."),
        (b"a: 1\nb: x\xe9\n", "f.yaml:2:5  The file is not UTF-8 text from here on."),
        (b"\xff\xfea\x00", "f.yaml:1:1  The file is in UTF-16, not UTF-8."),
        (b"\x89PNG\r\n\x1a\n", "f.yaml:1:1  The file is not UTF-8 text from here on."),
        (b"a: 1\n b: 2\n", "f.yaml:2:3  A colon is not expected here."),
        (b"a: 1\nb\nc: 2\n", "f.yaml:2:1  A key without a colon begins here."),
        (b"a: [1, 2\nb: 3\n", "f.yaml:2:2  A list in brackets is not closed before here."),
        (b"a: {b: 1\n", "f.yaml:2:1  A mapping in braces is not closed before here."),
        (b"a: 'x\n", "f.yaml:1:4  The quotes that open here are never closed."),
        (b'a: "\\q"\n', "f.yaml:1:6  This escape after a backslash is unknown."),
        (b"a: @x\n", "f.yaml:1:4  Text cannot begin with this character."),
        (b"a:\n  b: 1\n c: 2\n", "f.yaml:3:2  This does not line up with what comes before."),
        (b"a: [", "f.yaml:1:5  The file ends where a value is expected."),
        (b"{}}", "f.yaml:1:3  More follows where the document should have ended."),
    ],
)
def test_a_bad_file_is_refused_at_its_place_with_a_remedy(content: bytes, start: str) -> None:
    message = refused(content)
    assert message.startswith(start), message
    assert len(message.splitlines()) == 2, message


def test_all_that_does_not_stop_the_reading_is_told_at_once() -> None:
    """A duplicate key, an anchor, a bad number and the syntax error after them make four problems."""
    message = refused(b"a: 1\na: 2\nb: &x 3\nc: .nan\nd: [\n")
    assert [line.split("  ")[0] for line in message.splitlines() if line.startswith("f.yaml")] == [
        "f.yaml:2:1",
        "f.yaml:3:4",
        "f.yaml:4:4",
        "f.yaml:6:1",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b"{" * 100_000,
        b"a: " + b"[\n" * 100_000,
        b"- " * 100_000,
        b"? " * 100_000,
        b"{? " * 100_000,
        b"".join(b" " * depth + b"a:\n" for depth in range(1000)),
    ],
    ids=["brackets", "braces", "brackets in lines", "dashes", "question marks", "both", "indentation"],
)
def test_deep_nesting_is_refused_at_once(content: bytes) -> None:
    """Neither time nor the interpreter's stack depends on how deep a file pretends to be."""
    started = time.perf_counter()
    message = refused(content)
    assert f"nested more than {DEPTH_MAX} deep" in message or "cannot be a key" in message
    assert time.perf_counter() - started < 2


def test_the_greatest_depth_is_still_read() -> None:
    """One level less than what is refused makes a tree."""
    text = b"a: " + b"[" * (DEPTH_MAX - 1) + b"]" * (DEPTH_MAX - 1)
    assert isinstance(parse(text, "f.yaml"), Mapping)
    assert "deep" in refused(b"a: " + b"[" * DEPTH_MAX + b"]" * DEPTH_MAX)


def test_an_alias_bomb_is_refused_before_it_stands_for_anything() -> None:
    """Ten levels of ten aliases are ten thousand million values in 400 bytes."""
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 10)]
    started = time.perf_counter()
    message = refused("\n".join(lines).encode())
    assert "f.yaml:2:10  Aliases such as *a0 are not read." in message
    assert time.perf_counter() - started < 0.5


def test_too_many_values_are_refused() -> None:
    """The count stops at its limit, whatever follows."""
    assert f"more than {NODES_MAX:,} values" in refused(b"a: [" + b"1," * 300_000 + b"1]")


def test_a_file_that_is_missing_or_no_file_is_refused(tmp_path: Path) -> None:
    """The message names the path; there is no line to point at."""
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (1 << 20) + b"\n")
    for path, what in (
        (tmp_path / "missing.yaml", "There is no such file."),
        (tmp_path, "This is a directory, not a file."),
        (large, "The file is larger than 1 MiB."),
        (Path("/dev/null"), "This is not an ordinary file."),
        (tmp_path / "a\0b", "The file cannot be read"),
    ):
        with pytest.raises(InputError) as caught:
            read_bytes(path)
        assert str(caught.value).startswith(f"{path}  {what}")


@pytest.mark.parametrize("file", ["scenarios/streaming.yaml", "billing_sim/scenario/defaults.yaml"])
def test_both_readers_see_the_same_tree(file: str) -> None:
    """The slow one, which explains faults, finds the same values in the same places as the fast one."""
    content = (Path(__file__).parent.parent / file).read_bytes()
    assert parse(content, file) == _read_slowly(content.decode(), file).finish()
