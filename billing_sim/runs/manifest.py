"""The manifest: what a run is, what it holds and how it was made, kept apart.

`Identity` says which world was simulated, `Content` what came out; neither depends on `Environment`, which says who
did it, with what, and how fast. A file of a run exists when the manifest lists it. The manifest is written last, in
one step, and carries a checksum of itself, so a run is either whole or says that it is not.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from billing_sim.errors import RunError
from billing_sim.events import SCHEMA_VERSION, Kind, own_kind
from billing_sim.runs.aside import sync_folder, write_aside

MANIFEST_FILE = "manifest.json"
FORMAT = "billing_sim run"
RUNNING, FINISHED, INTERRUPTED = "running", "finished", "interrupted"
_STATES = (RUNNING, FINISHED, INTERRUPTED)


@dataclass(frozen=True)
class Identity:
    """Which world was simulated: equal identities have equal content, on any machine and with any driver.

    `start` and `end` are ISO dates; `members` is the base at the start. Without a `seed` the run is part of a
    challenge: its scenario, its seed and its truth are withheld.
    """

    scenario: str
    world_digest: str
    seed: int | None
    members: int
    start: str
    end: str
    rules_digest: str
    schema_version: int = SCHEMA_VERSION
    extension: str = ""
    """A digest of the user's own processes that took part; empty where there are none, and then not part of it."""

    @property
    def digest(self) -> str:
        """SHA-256 of the fields as canonical JSON."""
        return hashlib.sha256(_canonical(self.as_dict())).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {name: value for name, value in asdict(self).items() if name != "extension" or value}


@dataclass(frozen=True)
class Content:
    """What came out: digests over all simulated rows (kept or not), counts, and the files that are kept.

    `log` is "all", "none" or "1/N" (a keyed sample of subscribers). `kinds` counts events by kind and `facts` the rows
    of each fact. `segments` lists every file with `path`, `rows`, `bytes` and `sha256`; `RunWriter` fills in the last
    three of these fields.
    """

    content_digest: str
    truth_digest: str
    members: int
    events: int
    kinds: Mapping[str, int]
    log: str = "none"
    facts: Mapping[str, int] = field(default_factory=dict)
    segments: tuple[Mapping[str, Any], ...] = ()


def versions_here() -> dict[str, str]:
    """Versions of Python and of every package that has a part in a run's bytes."""
    packages = ("billing_sim", "numpy", "numba", "pyarrow")
    return {"python": platform.python_version(), **{package: version(package) for package in packages}}


@dataclass(frozen=True)
class Environment:
    """How it was made: never part of identity or content. Times are wall-clock seconds; `started_at` is ISO, UTC."""

    driver: str
    workers: int
    command: str
    started_at: str
    seconds: float = 0.0
    simulation_seconds: float = 0.0
    events_per_second: float = 0.0
    platform: str = field(default_factory=platform.platform)
    processors: int = field(default_factory=lambda: os.cpu_count() or 1)
    versions: Mapping[str, str] = field(default_factory=versions_here)


@dataclass(frozen=True)
class Extended:
    """What a user added to a run: the names of their processes, and their kinds of events with a sentence for each."""

    processes: tuple[str, ...]
    kinds: Mapping[str, str]

    @property
    def own_kinds(self) -> tuple[Kind, ...]:
        """The kinds as the log knows them."""
        return tuple(own_kind(place, *told) for place, told in enumerate(self.kinds.items()))

    @property
    def words(self) -> str:
        """ "extended by the process call_on_hold"."""
        return f"extended by the process{'es' if len(self.processes) > 1 else ''} {', '.join(self.processes)}"


@dataclass(frozen=True)
class Manifest:
    """All that `manifest.json` says; `content` is there once the run has finished.

    `extended` says what processes of a user's own took part, which is nothing as a rule.
    """

    state: str
    identity: Identity
    environment: Environment
    vocabularies: Mapping[str, tuple[str, ...]]
    content: Content | None = None
    extended: Extended | None = None

    @property
    def own_kinds(self) -> tuple[Kind, ...]:
        """The kinds of events of a user's own in this run."""
        return self.extended.own_kinds if self.extended else ()

    def ended(self, state: str, environment: Environment, content: Content | None = None) -> Manifest:
        """The same run in its last state."""
        return replace(self, state=state, environment=environment, content=content)

    @property
    def result(self) -> Content:
        """The content of a finished run."""
        if self.content is None:
            raise RunError("this run is incomplete (interrupted while simulating): run it again with --overwrite")
        return self.content


def write_manifest(home: Path, manifest: Manifest) -> None:
    """Replace the manifest of a run folder in one step and make that durable."""
    body = {
        "format": FORMAT,
        "synthetic": True,
        "schema_version": manifest.identity.schema_version,
        "state": manifest.state,
        "extended": manifest.extended is not None,
        "extension": asdict(manifest.extended) if manifest.extended else None,
        "identity": {**manifest.identity.as_dict(), "digest": manifest.identity.digest},
        "content": asdict(manifest.content) if manifest.content else None,
        "environment": asdict(manifest.environment),
        "vocabularies": dict(manifest.vocabularies),
    }
    body["checksum"] = hashlib.sha256(_canonical(body)).hexdigest()
    write_aside(home / MANIFEST_FILE, json.dumps(body, indent=2, ensure_ascii=False).encode() + b"\n")
    sync_folder(home)


def read_manifest(home: Path) -> Manifest:
    """Read and check the manifest of a run folder.

    Raises `RunError` when there is none, when it is damaged or only half written, and when a newer version wrote it.
    """
    body = _load(home)
    newest = body.get("schema_version", 0)
    if isinstance(newest, int) and newest > SCHEMA_VERSION:
        raise RunError(
            f"{home} was written with log schema {newest}, and this version of billing_sim reads up to "
            f"{SCHEMA_VERSION}: upgrade billing_sim to open it."
        )
    checksum = body.pop("checksum", None)
    if checksum != hashlib.sha256(_canonical(body)).hexdigest():
        raise _damaged(home, "its checksum does not fit")
    try:
        return _manifest_of(body)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(home, f"{type(error).__name__} {error}") from error


def holds_run(home: Path) -> bool:
    """Whether a folder holds a manifest of ours, of whatever version and state: only such folders are ever replaced."""
    try:
        return bool(_load(home))
    except RunError:
        return False


def _load(home: Path) -> dict[str, Any]:
    try:
        body = json.loads((home / MANIFEST_FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(
            f"{home} is not a run: it holds no {MANIFEST_FILE}. Name a folder that `billing-sim run` has written."
        ) from None
    except OSError as error:
        raise RunError(f"cannot read {home / MANIFEST_FILE}: {error.strerror or error}.") from error
    except (ValueError, RecursionError):
        raise _damaged(home, "it is not whole JSON") from None
    if not isinstance(body, dict) or body.get("format") != FORMAT or body.get("synthetic") is not True:
        raise RunError(f"{home} is not a run: its {MANIFEST_FILE} was written by something else.")
    return body


def _manifest_of(body: dict[str, Any]) -> Manifest:
    if body["state"] not in _STATES:
        raise ValueError(f"state {body['state']!r}")
    content = body["content"] and _record(Content, body["content"])
    if content:
        content = replace(content, segments=tuple(content.segments))
    elif body["state"] == FINISHED:
        raise ValueError("no content")
    identity = {name: value for name, value in body["identity"].items() if name != "digest"}
    vocabularies = {name: tuple(labels) for name, labels in body["vocabularies"].items()}
    environment = _record(Environment, body["environment"])
    added = body.get("extension")
    extended = Extended(tuple(added["processes"]), dict(added["kinds"])) if added else None
    return Manifest(body["state"], _record(Identity, identity), environment, vocabularies, content or None, extended)


def _record(record: type[Any], values: dict[str, Any]) -> Any:
    absent = {item.name for item in fields(record)} - values.keys() - {"extension"}
    if absent:
        raise KeyError(f"{record.__name__.lower()} lacks {sorted(absent)[0]}")
    return record(**values)


def _canonical(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _damaged(home: Path, how: str) -> RunError:
    return RunError(f"{home / MANIFEST_FILE} is damaged ({how}): remove that folder and run the scenario again.")
