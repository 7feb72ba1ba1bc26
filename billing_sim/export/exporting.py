"""How an export is made: write every table aside, compare it with the run, then let the folder take its name."""

from __future__ import annotations

import shutil
import textwrap
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from billing_sim.errors import QueryError, RunError
from billing_sim.export.business import see_business
from billing_sim.export.folder import NOTE_FILE, write_note, written_aside
from billing_sim.export.forms import FORMS, Form
from billing_sim.export.reconcile import Reconciled, reconcile
from billing_sim.export.workshop import open_workshop, shift_of
from billing_sim.giving_way import GAP
from billing_sim.metrics.catalogue import unknown
from billing_sim.metrics.source import RunFolder
from billing_sim.runs.stored import open_run
from billing_sim.steps import Report, Steps
from billing_sim.text_tables import WIDTH

TODAY = "today"
_REFUSED = (duckdb.IOException, duckdb.OutOfMemoryException, duckdb.TransactionException, duckdb.FatalException)
"""What comes of a disk that takes no more; a database says so when it commits."""
_WORDS_LEAST = 24
"""What was compared stands below the name of a table where there is less room beside it."""


@dataclass(frozen=True)
class Exported:
    """An export that agrees with its run: where it lies, its files, and what was compared in each table.

    `days` is by how much its calendar is later than that of the run, `end` the day on which it stops.
    """

    folder: Path
    form: str
    end: str
    days: int
    tables: tuple[Reconciled, ...]
    files: tuple[str, ...]

    def text(self, width: int = WIDTH) -> str:
        """What was compared, table by table; at most 80 columns wide."""
        width = min(width, WIDTH)
        counts = [f"{it.rows:,}" for it in self.tables]
        wide, broad = max(len(it.table) for it in self.tables), max(map(len, ("rows", *counts)))
        beside = wide + broad + 2 * GAP
        lines = (
            [f"{'table':<{wide}}  {'rows':>{broad}}  agrees with the run in"] if width > beside + _WORDS_LEAST else []
        )
        for it, count in zip(self.tables, counts, strict=True):
            if lines and len(lines[0]) <= width:
                told = f"{it.table:<{wide}}  {count:>{broad}}  {it.agrees}"
                lines += textwrap.wrap(told, width, subsequent_indent=" " * beside)
            else:
                lines += [
                    it.table,
                    *textwrap.wrap(
                        f"{count} rows, agrees in {it.agrees}", width, initial_indent="  ", subsequent_indent="  "
                    ),
                ]
        moved = f", {self.days:+,} days" if self.days else ""
        about = f"{self.folder}: {FORMS[self.form].about}, until {self.end}{moved}"
        return "\n".join([*lines, "", *textwrap.wrap(about, width, break_long_words=False, break_on_hyphens=False)])

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def to_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {**asdict(self), "folder": str(self.folder)}


def export(
    run: str | Path, form: str, to: str | Path, *, end_at: str | date | None = None, overwrite: bool = False,
    report: Report | None = None,
) -> Exported:  # fmt: skip
    """Write a finished run into the folder `to` in one of `FORMS`, and prove that it agrees with the run.

    `end_at` (a date, ISO or not, or "today") moves the whole calendar so that the run ends on that day; `overwrite`
    replaces an earlier export. Amounts are compared per currency, to the minor unit. `report` is told steps done and in
    all: the business is seen once, and each table is written and then compared.

    QueryError for an unknown form or date; RunError for a folder that is no run, a run without the log that the form
    needs or with a byte that is not as it was written, a target that must not be touched, and an export that does not
    agree (nothing is left of it).
    """
    if form not in FORMS:
        raise QueryError(unknown("form", form, FORMS))
    source, target = RunFolder(Path(run)), Path(to)
    last = source.manifest.identity.end
    wanted = day_of(end_at)
    days = shift_of(last, wanted)
    # Both sides of the comparison read the same files, and the database does not look at their checksums.
    open_run(run).refuse_damage()
    with written_aside(target.resolve(), overwrite) as aside:
        tables = _fill(source, FORMS[form], aside, days, report)
        files = tuple(sorted(it.name for it in aside.iterdir()))
        end = (date.fromisoformat(last) + timedelta(days)).isoformat()
        done = Exported(target, form, end, days, tuple(tables), (*files, NOTE_FILE))
        write_note(aside, {**done.to_json(), "folder": target.name, "run": source.manifest.identity.digest})
    return done


def day_of(end_at: str | date | None) -> date | None:
    """The day that `--end-at` names; QueryError when it names none."""
    if end_at is None or isinstance(end_at, date):
        return end_at
    if end_at == TODAY:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(end_at)
    except ValueError:
        raise QueryError(f"{end_at!r} is not a day: write {TODAY} or a date such as 2026-12-31.") from None


def _fill(source: RunFolder, form: Form, folder: Path, days: int, report: Report | None) -> list[Reconciled]:
    """Write all tables, then compare each with the facts."""
    tables = form.tables(source)
    step = Steps(report, 1 + 2 * len(tables))
    spill = folder / ".spill"
    workshop = open_workshop(source, days, spill)
    try:
        see_business(workshop)
        step(workshop)
        form.medium.open(workshop, folder)
        written = [(table, step(form.medium.write(workshop, table, folder))) for table in tables]
        agreed = [step(reconcile(workshop, table, f"(SELECT {table.reading} FROM {it})")) for table, it in written]
        form.medium.close(workshop)
        return agreed
    except _REFUSED as error:
        raise RunError(f"{source.path}: the export cannot be written: {str(error).splitlines()[0]}") from None
    finally:
        workshop.close()
        shutil.rmtree(spill, ignore_errors=True)
