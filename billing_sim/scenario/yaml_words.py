"""What the YAML parser complains about, in plain words with a remedy."""

from __future__ import annotations

from ruamel.yaml.error import MarkedYAMLError

_GUIDE = "Check the indentation, the colons and the quotes around here."

# (part of the parser's message, what to say, what to do), the first that fits.
_WORDS: tuple[tuple[str, str, str], ...] = (
    ("found character '\\t'", "A tab stands here as white space.", "Use spaces: YAML allows no tabs for indentation."),
    (
        "mapping values are not allowed here",
        "A colon is not expected here.",
        "Put text with a colon in quotes; align keys of one level.",
    ),
    (
        "could not find expected ':'",
        "A key without a colon begins here.",
        "Write `key: value`, with a space after the colon.",
    ),
    ("that cannot start any token", "Text cannot begin with this character.", "Put the text in quotes."),
    ("unexpected end of stream", "The quotes that open here are never closed.", "Close them."),
    ("unexpected document separator", "The document ends inside quotes.", "Close them."),
    (
        "unknown escape character",
        "This escape after a backslash is unknown.",
        "Double the backslash, or use single quotes.",
    ),
    (
        "expected ',' or ']'",
        "A list in brackets is not closed before here.",
        "Close it with ], and put commas between its items.",
    ),
    (
        "expected ',' or '}'",
        "A mapping in braces is not closed before here.",
        "Close it with }, and put commas between its entries.",
    ),
    (
        "expected <block end>",
        "This does not line up with what comes before.",
        "Align keys of one level; quotes enclose all of a text.",
    ),
    ("'<stream end>'", "The file ends where a value is expected.", "Close what is open, such as [ or {."),
    ("expected the node content", "A value is expected here.", _GUIDE),
    (
        "incompatible YAML document",
        "Lines that begin with % are not read here.",
        "Delete them: files are read as YAML 1.2.",
    ),
    (
        "while scanning a directive",
        "Lines that begin with % are not read here.",
        "Put text that begins with % in quotes.",
    ),
    ("expected '<document start>'", "More follows where the document should have ended.", _GUIDE),
)


_AT_THE_BEGINNING = ("found unexpected end of stream", "could not find expected ':'")


def explain(error: MarkedYAMLError) -> tuple[int, int, str, str]:
    """Line, column, what is wrong and what to do about it, for an error of the parser."""
    said = f"{error.context or ''} {error.problem or ''}"
    marks = [error.context_mark, error.problem_mark]
    if not any(part in said for part in _AT_THE_BEGINNING):
        marks.reverse()
    mark = marks[0] or marks[1]
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    for part, what, remedy in _WORDS:
        if part in said:
            return line, column, what, remedy
    return line, column, "This is not YAML.", _GUIDE
