"""What was read and what was so, seed by seed, in one world: the arrays from which every verdict is made.

They are kept by digest in the user's cache, so a world is lived again only when the scenario, the case, a definition or
the code that decides has changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np

from billing_sim import clock
from billing_sim.metrics.definition import Definition
from billing_sim.stress.bundle import Bundle, bundle, without_friction
from billing_sim.stress.damages import Damage
from billing_sim.stress.kept import read_arrays, write_arrays
from billing_sim.stress.lives import Lives
from billing_sim.stress.looked import Looked, looked_at
from billing_sim.stress.seeing import read, read_both, tell
from billing_sim.stress.telling import Told
from billing_sim.truth.estimands import Estimand, estimands

_HERE = "bundle columns damage damages hits lives looked readings seed_queries seeing telling voiding".split()
_DECIDING = (
    "scenario", "world", "lifecycle", "drivers", "facts", "metrics", "runs", "truth/estimands.py", "truth/worlds.py",
    *(f"stress/{name}.py" for name in _HERE),
)  # fmt: skip
"""The code that decides what is read, and what was so."""


@dataclass(frozen=True)
class Readings:
    """Arrays float64[S] by definition (`reading`, `complete`) and by estimand (`truth`), NaN where undefined."""

    reading: dict[str, np.ndarray] = field(default_factory=dict)
    complete: dict[str, np.ndarray] = field(default_factory=dict)
    truth: dict[str, np.ndarray] = field(default_factory=dict)

    def followed_by(self, other: Readings) -> Readings:
        """The same of more seeds; what only one of the two knows is dropped."""
        pairs = zip(map(vars(self).get, _PARTS), map(vars(other).get, _PARTS), strict=True)
        return Readings(*(_joined(mine or {}, theirs or {}) for mine, theirs in pairs))


_PARTS = ("reading", "complete", "truth")


def _joined(mine: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([mine[name], theirs[name]]) for name in mine if name in theirs}


def claimed(definitions: Sequence[Definition]) -> list[Estimand]:
    """The estimands that definitions claim to measure."""
    known = estimands()
    return [known[name] for name in dict.fromkeys(it.estimand for it in definitions) if name in known]


Need = Callable[[Definition, Readings], bool]
"""Whether complete data are wanted of a definition, now that its reading and its truth are known."""


def read_world(
    lives: Lives,
    seeds: Sequence[int],
    definitions: Sequence[Definition],
    damages: Sequence[Damage] = (),
    last: int | None = None,
    needs: Need = lambda _it, _found: True,
    truth: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> Readings:
    """Read every definition, and what it claims to measure, in a world with these seeds; from the cache where known.

    With `last` only units that began so long (microseconds) before the end are looked at. Sums are always read from
    complete data as well; queries, which cost a statement each, where needed. What is known of the `truth`
    (float64[S] by estimand) is not found out again.
    """
    return next(read_spans(lives, seeds, definitions, [last], damages, needs, truth))


def read_spans(
    lives: Lives,
    seeds: Sequence[int],
    definitions: Sequence[Definition],
    spans: Iterable[int | None],
    damages: Sequence[Damage] = (),
    needs: Need = lambda _it, _found: True,
    truth: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> Iterator[Readings]:
    """The same for one span (`last`) after the other, of a world that is lived once."""
    wanted = claimed(definitions)
    whole = _Lived(lives, seeds, damages, looked_at(definitions, [it for it in wanted if it.name not in truth]))
    for last in spans:
        kept, world = _Kept(lives, seeds, damages, last, truth), _World(whole, last)
        unknown = [it for it in wanted if not kept.has("truth", it.name)]
        if unknown:
            kept.add("truth", world.tell(unknown))
        lacking = [it for it in definitions if not kept.has("reading", it.digest)]
        if lacking:
            reading, complete = world.read_both([it for it in lacking if not it.sql])
            kept.add("reading", reading | world.read([it for it in lacking if it.sql], complete=False))
            kept.add("complete", complete)
        found = kept.readings(definitions, wanted)
        later = [it for it in definitions if it.id not in found.complete and needs(it, found)]
        if later:
            kept.add("complete", world.read(later, complete=True))
            found = kept.readings(definitions, wanted)
        kept.write()
        yield found


def is_kept(lives: Lives, seeds: Sequence[int]) -> bool:
    """Whether anything is known of a whole world with these seeds, without damage."""
    return _Kept(lives, seeds, (), None, {}).is_there


@dataclass(frozen=True)
class _Lived:
    """A world that is lived when the first question is asked."""

    lives: Lives
    seeds: Sequence[int]
    damages: Sequence[Damage]
    looked: Looked

    @cached_property
    def told(self) -> Bundle:
        return bundle(self.lives, self.seeds, self.damages, self.looked)

    @cached_property
    def other(self) -> Told:
        return without_friction(self.lives, self.seeds, self.looked.clean.get("invoices"))


@dataclass(frozen=True)
class _World:
    """A span of a world."""

    whole: _Lived
    last: int | None

    @property
    def _since(self) -> datetime:
        return clock.moment_of(self.whole.lives.end - (self.last or 0)).replace(tzinfo=None)

    @cached_property
    def told(self) -> Bundle:
        return self.whole.told.since(self._since) if self.last else self.whole.told

    def tell(self, asked: Sequence[Estimand]) -> dict[str, np.ndarray]:
        is_paired = any(it.worlds == "frictionless" for it in asked)
        other = self.whole.other if is_paired else None
        return tell(self.told, asked, other.since(self._since) if other is not None and self.last else other)

    def read_both(self, summed: Sequence[Definition]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        if not summed:
            return {}, {}
        reading, complete = read_both(self.told, summed)
        return {it.digest: reading[it.id] for it in summed}, {it.digest: complete[it.id] for it in summed}

    def read(self, asked: Sequence[Definition], *, complete: bool) -> dict[str, np.ndarray]:
        found = read(self.told, asked, complete=complete) if asked else {}
        return {it.digest: found[it.id] for it in asked}


class _Kept:
    """The arrays of one world and these seeds, in a file named by the digest of all that decides them."""

    def __init__(
        self, lives: Lives, seeds: Sequence[int], damages: Sequence[Damage], last: int | None,
        truth: Mapping[str, np.ndarray],
    ) -> None:  # fmt: skip
        told = [it.model_dump(mode="json") for it in damages]
        decided = json.dumps([lives.digest, list(seeds), told, last, _code()])
        self._path = _folder() / f"{hashlib.sha256(decided.encode()).hexdigest()[:40]}.npz"
        self._is_new = False
        self._arrays = read_arrays(self._path) | {f"truth {name}": values for name, values in truth.items()}

    @property
    def is_there(self) -> bool:
        """Whether the file was there."""
        return bool(self._arrays)

    def has(self, part: str, name: str) -> bool:
        return f"{part} {name}" in self._arrays

    def add(self, part: str, found: Mapping[str, np.ndarray]) -> None:
        """Take what was computed."""
        self._arrays |= {f"{part} {name}": values for name, values in found.items()}
        self._is_new = True

    def write(self) -> None:
        """Write the file, where there is something new."""
        if self._is_new:
            write_arrays(self._path, self._arrays)

    def readings(self, definitions: Sequence[Definition], wanted: Sequence[Estimand]) -> Readings:
        return Readings(
            {it.id: self._arrays[f"reading {it.digest}"] for it in definitions},
            {it.id: self._arrays[f"complete {it.digest}"] for it in definitions if self.has("complete", it.digest)},
            {it.name: self._arrays[f"truth {it.name}"] for it in wanted},
        )


def _folder() -> Path:
    from billing_sim.rule import cache_folder

    return cache_folder().parent / "stress"


@cache
def _code() -> str:
    """A digest of the code and the texts that decide what is read."""
    from billing_sim.rule import sources_digest

    root = Path(__file__).parent.parent
    texts = [*(root / "metrics").glob("*.yaml"), *(root / "truth").glob("*.yaml")]
    told = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(texts))).hexdigest()
    return f"{sources_digest(_DECIDING)} {told}"
