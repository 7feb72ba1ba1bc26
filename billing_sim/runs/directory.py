"""Where a run goes, and whether it has to be simulated at all.

A finished run of the same identity that kept enough of the log is reused. A folder is replaced only when it holds a
run: in its default place when it is the same one, anywhere when the user says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from billing_sim.errors import RunError
from billing_sim.runs.claim import being_written, is_being_written
from billing_sim.runs.manifest import FINISHED, Identity, Manifest, holds_run, read_manifest
from billing_sim.runs.stored import StoredRun, open_run
from billing_sim.runs.writer import PartWriter, RunWriter

__all__ = ["Decision", "PartWriter", "RunWriter", "StoredRun", "default_directory", "open_run", "plan_directory"]


@dataclass(frozen=True)
class Decision:
    """What to do about a run: reuse what is in `directory`, or simulate into it, replacing what is there or not.

    `note` is a sentence for the user, empty when there is nothing to say.
    """

    directory: Path
    reuse: bool = False
    replace: bool = False
    note: str = ""


def default_directory(root: Path, identity: Identity) -> Path:
    """`<root>/runs/<scenario>-<first 10 digits of the identity's digest>`."""
    return root / "runs" / f"{identity.scenario}-{identity.digest[:10]}"


def share_of(log: str) -> Fraction:
    """The share of subscribers whose log is kept, for "all", "none" and "1/N"; `RunError` for anything else."""
    if log in ("all", "none"):
        return Fraction(log == "all")
    one, _, number = log.partition("/")
    if one != "1" or not number.isdecimal() or int(number).bit_count() != 1:
        raise RunError(f"{log!r} is no log to keep: write all, none, or 1/N with N a power of two, such as 1/16.")
    return Fraction(1, int(number))


def covers(kept: str, asked: str) -> bool:
    """Whether a kept log holds everyone asked for: 1/4 holds 1/8, because whoever is in 1/8 is also in 1/4."""
    wanted = share_of(asked)
    held = share_of(kept)
    return wanted == 0 or (held > 0 and (held / wanted).denominator == 1)


def _refuse_odd(directory: Path) -> None:
    """RunError for a name that no folder can have: too long, in a circle of links, or no text."""
    try:
        directory.resolve().exists()
        str(directory).encode()
    except (OSError, RuntimeError, UnicodeEncodeError) as error:
        why = getattr(error, "strerror", None) or (
            "it is a circle of links" if isinstance(error, RuntimeError) else "its name is no text"
        )
        raise RunError(f"{str(directory)!a} cannot be used: {why}. Name another folder with --out.") from None


def plan_directory(
    out: Path | None,
    root: Path,
    identity: Identity,
    log: str,
    driver: str | None = None,
    fresh: bool = False,
    overwrite: bool = False,
) -> Decision:
    """Decide where a run goes and whether an earlier one serves; `RunError` when the folder must not be touched.

    `out` is the folder that the user named, if any; otherwise the run goes to its default place under `root`. `log` is
    what must be kept at least, `driver` the one that must have been used, if any.
    """
    directory = out if out is not None else default_directory(root, identity)
    _refuse_odd(directory)
    if not directory.exists() or (directory.is_dir() and not any(directory.iterdir())):
        return Decision(directory)
    if not holds_run(directory):
        if is_being_written(directory):
            raise being_written(directory)
        raise RunError(f"{directory} holds something that is not a run: name a new or empty folder with --out.")
    trouble = _trouble(directory, identity)
    if not trouble and not fresh:
        lacking = _lacking(read_manifest(directory), log, driver)
        return (
            Decision(directory, replace=True, note=lacking)
            if lacking
            else Decision(directory, reuse=True, note="reused")
        )
    if trouble and is_being_written(directory):
        raise being_written(directory)
    is_default = out is None and not trouble.startswith(_ANOTHER)
    if trouble and not overwrite and not is_default:
        raise RunError(f"{directory}: {trouble}. Add --overwrite to replace it, or name another folder with --out.")
    return Decision(directory, replace=True, note=f"{trouble}; simulated again" if trouble else "simulated afresh")


_ANOTHER = "another run is there"


def _trouble(directory: Path, identity: Identity) -> str:
    """Why what is there is not this run, whole and finished; empty when it is."""
    try:
        found = read_manifest(directory)
        if found.identity != identity:
            return f"{_ANOTHER} ({found.identity.scenario}, seed {found.identity.seed}, {found.state})"
        if found.state != FINISHED:
            return "the run there is incomplete (interrupted while simulating)"
        open_run(directory)
    except RunError as error:
        return f"the run there cannot be read ({str(error).splitlines()[-1].rstrip('.')})"
    return ""


def _lacking(found: Manifest, log: str, driver: str | None) -> str:
    """Why a finished run of the same identity does not serve; empty when it does."""
    if not covers(found.result.log, log):
        return f"the run there kept the log {found.result.log}, and {log} is asked for; simulated again"
    if driver is not None and found.environment.driver != driver:
        return f"the run there used the {found.environment.driver} driver, and {driver} is asked for; simulated again"
    return ""
