"""A flip as words, and as a scenario file that runs and says in its comments what it shows."""

from __future__ import annotations

import os
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

from billing_sim.errors import QueryError
from billing_sim.runs.named_file import write_named
from billing_sim.stress.asking import check_place
from billing_sim.stress.case import BASE
from billing_sim.stress.flips.duel import Side
from billing_sim.stress.flips.finding import Flip
from billing_sim.stress.flips.turns import size
from billing_sim.stress.flips.yaml_text import yaml_text
from billing_sim.stress.scale import scale_of
from billing_sim.stress.statistics import Mean
from billing_sim.truth.estimands import estimands

WIDTH = 80


def words(it: Flip) -> list[str]:
    """What a flip shows, as lines of at most 80 columns: both rankings with their numbers, and what was so."""
    one, other = it.duel.sides
    first, second = it.duel.policies
    head = (
        f"{one.definition.id} ranks {first} above {second}; {other.definition.id} ranks {second} above {first}. "
        f"Read in {len(it.seeds)} worlds of {it.members:,} members (seeds {it.seeds[0]} to {it.seeds[-1]}); leads of "
        f"{first} are paired, above 0 is better, with 90 % intervals."
    )
    return [*_wrapped(head), "", *_side(one, it), *_side(other, it), *_truths(it)]


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, WIDTH - 4, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _side(side: Side, it: Flip) -> Iterator[str]:
    first, second = it.duel.policies
    unit = side.definition.unit
    yield f"{side.definition.id}"
    yield f"  {first} {_level(side.first, unit)}, {second} {_level(side.second, unit)}"
    yield f"  lead {scale_of(unit).interval(side.lead, '+')}"


def _level(value: float, unit: str) -> str:
    return f"{100 * value:.2f} %" if unit == "share" else f"{value:,.2f} {unit.replace('_', ' ')}"


def _truths(it: Flip) -> Iterator[str]:
    for name, lead in it.duel.truth.items():
        yield f"What was so, {name} (up is better)"
        yield f"  lead {scale_of(estimands()[name].unit).interval(lead, '+')}: {_verdict(lead, it)}"


def _verdict(lead: Mean, it: Flip) -> str:
    move = lead.move(0.0)
    if move not in ("up", "down"):
        return "cannot be told apart"
    side = next(side for side in it.duel.sides if (side.lead.value > 0) == (move == "up"))
    return f"{side.definition.id} is right"


def command(it: Flip, file: str) -> str:
    """What reproduces the numbers from the file."""
    one, other = (side.definition.id for side in it.duel.sides)
    return shlex.join([
        "billing-sim", "flip", one, other, "--scenario", file,
        "--policies", ",".join(it.duel.policies), "--seeds", str(len(it.seeds)),
    ])  # fmt: skip


def text(it: Flip, extends: str, file: str) -> str:
    """The scenario file: comments, then what it says beyond its base."""
    first, second = it.duel.policies
    keys, _ = size(it.world)
    turns = ", ".join(turn.name for turn in it.world) or "none"
    notes = [
        "A ranking flip: two metrics rank two dunning policies in opposite order.", "", *words(it), "",
        *_wrapped(f"Keys beyond the base and its dunning: {keys} (changes: {turns})."),
        *_wrapped(f"It runs under {first}; for the other, write {second} in its place below `dunning`."), "",
        f"    billing-sim run {shlex.quote(file)}", f"    {command(it, file)}", "",
    ]  # fmt: skip
    comments = "\n".join(f"# {line}".rstrip() for line in notes)
    return f"{comments}\n{yaml_text({'extends': extends, **it.arena.content(it.world, first, it.duel.policies)})}"


def printed(it: Flip) -> str:
    """The file's text for somebody who saves it as `flip.yaml` in the current folder."""
    return text(it, _way(it.arena.base, Path()), "flip.yaml")


def check_out(out: Path, base: Path) -> None:
    """BillingSimError, before anything is looked for, when a flip could not be written there."""
    if out.suffix not in (".yaml", ".yml"):
        raise QueryError(f"{out} is no name of a scenario file: let it end in .yaml.")
    if out.exists():
        raise QueryError(f"{out} is there already: name another file, or delete it.")
    check_place(out, "the scenario")
    if base == BASE and _copy_of_base(out).exists() and _copy_of_base(out).read_bytes() != base.read_bytes():
        raise QueryError(f"{_copy_of_base(out)} is there already and is not the lab's base: name another file.")


def write(it: Flip, out: Path) -> None:
    """Write the file. The lab's own base is copied beside it, so that both can be taken anywhere.

    RunError where nothing can be written.
    """
    base = it.arena.base
    if base != BASE:
        write_named(out, text(it, _way(base, out.parent), str(out)))
        return
    copy = _copy_of_base(out)
    was_there = copy.exists()
    write_named(copy, base.read_bytes())
    try:
        write_named(out, text(it, _way(copy, out.parent), str(out)))
    except BaseException:
        if not was_there:
            copy.unlink(missing_ok=True)
        raise


def _copy_of_base(out: Path) -> Path:
    return out.with_name("stress_base.yaml")


def _way(base: Path, folder: Path) -> str:
    """The way from a folder to the base, as `extends` wants it."""
    try:
        return Path(os.path.relpath(base, folder)).as_posix()
    except ValueError:
        raise QueryError(f"{base} lies on another drive than {folder}: name a file on the same one.") from None
