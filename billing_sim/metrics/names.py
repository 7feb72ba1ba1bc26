"""What to say of a name that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED = 12


def unknown(noun: str, name: str, known: Iterable[str]) -> str:
    """A sentence for a name that is not there, with the likely one or with those that there are."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"There is no {noun} `{name}`; did you mean `{close[0]}`?"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"There is no {noun} `{name}`; there is: {', '.join(names[:_LISTED])}{more}."
