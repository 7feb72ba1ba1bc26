"""What goes wrong, said so that a person can mend it.

Every error that a user can cause is a `BillingSimError`; the command line prints it in plain words and exits with its
`exit_code`. Anything else that escapes is a defect of ours and keeps its traceback.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass

EXIT_FINE = 0
EXIT_CHECK_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says where a file finds no room."""

_LONGEST = 100
"""Characters of a remedy on one line; a list of names may take several."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in a file: where, what, and what to do about it.

    `line` and `column` count from 1; 0 means that the whole file is meant.
    """

    file: str
    line: int
    column: int
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        from textwrap import wrap

        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        lines = [self.remedy] if len(self.remedy) <= _LONGEST else wrap(self.remedy, _LONGEST, break_on_hyphens=False)
        indent = "\n" + " " * (len(place) + 2)
        return f"{place}  {self.what}" + "".join(indent + line for line in lines if line)


class BillingSimError(Exception):
    """Something that the user can mend; its text is the whole message."""

    exit_code = EXIT_BAD_INPUT


class InputError(BillingSimError):
    """A file that cannot be used, with every problem found in it at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[list[Problem]]]:
        """Made again from its problems, as when it comes from another process; by default it would be from its text."""
        return type(self), (self.problems,)


class RunError(BillingSimError):
    """A run directory that cannot be read, written or reused as asked."""


class QueryError(BillingSimError):
    """A question that a run cannot answer: an unknown table, column, metric or subscriber."""
