"""A run in the hand: its story, the four views, its tables as DataFrames, and SQL over them.

>>> run = billing_sim.run("scenarios/first_month.yaml")  # doctest: +SKIP
>>> run.table("invoices").groupby("market")["attempts"].mean()  # doctest: +SKIP
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from billing_sim import people
from billing_sim.errors import BillingSimError, QueryError, RunError
from billing_sim.given import with_checked_arguments
from billing_sim.nearby import is_there, meant, no_run
from billing_sim.runs import tables
from billing_sim.runs.manifest import MANIFEST_FILE, Manifest
from billing_sim.runs.stored import StoredRun, open_run

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from billing_sim.campaigns.telling import Findings
    from billing_sim.drivers.extension import Process
    from billing_sim.experiments.readout import Readout
    from billing_sim.export import Exported
    from billing_sim.metric_frame import MetricFrame
    from billing_sim.metrics.source import RunFolder, Source
    from billing_sim.metrics.views import Views
    from billing_sim.pictures import Figure
    from billing_sim.programmes import Standings
    from billing_sim.trace import Story
    from billing_sim.truth.telling import Truth

WORLD_EVENTS = "world_events"


class Run:
    """A finished run, read from its folder; the sealed truth stays sealed, except in `truth()` and
    `trace(..., truth=True)`.

    `stored` is the store's own view of it; `note` is a sentence when it was reused or replaced another.
    """

    def __init__(self, stored: StoredRun, *, reused: bool = False, note: str = "") -> None:
        self.stored = replace(stored, directory=stored.directory.absolute())
        self._named = stored.directory
        self.reused = reused
        self.note = note
        self._asking = Lock()

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs to know of it: everything else is found in its folder."""
        return {"stored": self.stored, "reused": self.reused, "note": self.note}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    @property
    def directory(self) -> Path:
        """The folder of the run, from the root of the machine, so that it is found from any other folder."""
        return self.stored.directory

    @property
    def manifest(self) -> Manifest:
        """Identity (which world), content (what came out) and environment (how it was made)."""
        return self.stored.manifest

    @property
    def members(self) -> int:
        """Members at the start."""
        return self.manifest.identity.members

    @property
    def events(self) -> int:
        """Events simulated, kept or not."""
        return self.manifest.result.events

    @property
    def content_digest(self) -> str:
        """SHA-256 over all simulated public rows: the same on every machine, with any driver and any workers."""
        return self.manifest.result.content_digest

    @property
    def seed(self) -> int | None:
        """The seed of all luck; None in a challenge pack, which withholds it."""
        return self.manifest.identity.seed

    @property
    def is_extended(self) -> bool:
        """Whether processes of a user's own took part in it, so that its people cannot be simulated again."""
        return self.manifest.extended is not None

    @property
    def own_kinds(self) -> dict[str, str]:
        """The kinds of events that these processes write, with what each means."""
        return dict(self.manifest.extended.kinds) if self.manifest.extended else {}

    @property
    def tables(self) -> tuple[str, ...]:
        """The names that `table` and `sql` know: the facts, the world events, and the events when they were kept."""
        kept = (tables.EVENTS,) if self.stored.log != "none" else ()
        return (*tables.FACT_NAMES, WORLD_EVENTS, *kept)

    def summary(self) -> dict[str, Any]:
        """What `billing-sim run --format json` prints; seconds and speed are those of the original simulation."""
        identity, environment = self.manifest.identity, self.manifest.environment
        return {
            "run": str(self._named),
            "scenario": identity.scenario,
            "start": identity.start,
            "end": identity.end,
            "members": self.members,
            "events": self.events,
            "seconds": environment.seconds,
            "events_per_second": environment.events_per_second,
            "content_digest": self.content_digest,
            "driver": environment.driver,
            "extended": self.is_extended,
            "workers": environment.workers,
            "seed": self.seed,
            "log": self.stored.log,
            "reused": self.reused,
            "identity": identity.digest,
        }

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names that `metric` knows: the shipped metrics and their variants."""
        from billing_sim.metrics.catalogue import shipped

        return tuple(it.id for it in shipped())

    @with_checked_arguments
    def views(self, by: str | Sequence[str] | None = None, *, as_of: str | date | datetime | None = None) -> Views:
        """The four views, in all and by dimensions such as "market" or ["market", "month"].

        With `as_of` they show what could be known at that moment (UTC), from what had been recorded before it.
        QueryError for an unknown dimension or a moment outside the run.
        """
        from billing_sim.metrics.asking import dimensions_in, moment
        from billing_sim.metrics.views import views

        return views(self.known_at(moment(as_of)), dimensions_in(by), as_of=moment(as_of))

    @with_checked_arguments
    def metric(
        self,
        name: str | Sequence[str],
        by: str | Sequence[str] | None = None,
        *,
        as_of: str | date | datetime | None = None,
        variants: bool = False,
        definitions: str | Path | Sequence[str | Path] = (),
        tables: str | Path | None = None,
    ) -> MetricFrame:
        """Metrics as a pandas frame, one row per metric and slice; its `sql()` shows what ran.

        `as_of` as in `views`; `variants` adds the canonical definition and its neighbours; `definitions` names files
        of metrics of one's own, YAML or SQL, which win over shipped ones; `tables` is a folder of exported tables that
        queries may read too. QueryError for an unknown name, dimension
        or moment, InputError for a file that cannot be used.
        """
        from billing_sim.metric_frame import metric_frame
        from billing_sim.metrics import asking

        moment, catalogue = asking.moment(as_of), asking.known(definitions, asking.others(tables))
        asked = asking.definitions(catalogue, name, variants=variants)
        return metric_frame(asking.ask(asking.beside(self.known_at(moment), tables), asked, by, moment))

    @with_checked_arguments
    def table(self, name: str) -> pd.DataFrame:
        """All rows of a table: labels as categories, moments in UTC, money in whole minor units or millionths.

        QueryError when there is no such table in this run.
        """
        from billing_sim import frames

        self._check_table(name)
        self.stored.refuse_if_replaced()
        if name == WORLD_EVENTS:
            return frames.read([self.directory / tables.WORLD_EVENTS_FILE])
        if name == tables.EVENTS:
            return frames.read(self.stored.events_files, narrow=True)
        return frames.read(self.stored.facts_files(name))

    @with_checked_arguments
    def sql(self, query: str) -> pd.DataFrame:
        """The answer to one SELECT (DuckDB's SQL) over the tables of this run, and nothing else on the machine.

        Several threads may ask the same run; they are answered one after the other, each by two threads of DuckDB's.
        QueryError when it is anything else or cannot be answered, RunError when files of the run are gone.
        """
        import duckdb

        from billing_sim import frames
        from billing_sim.metrics.connection import reading
        from billing_sim.metrics.unreadable import is_about_files

        self.stored.refuse_if_replaced()
        try:
            with self._asking:
                found = self._connection.sql(reading(self._connection, query)).to_arrow_table()
        except duckdb.Error as error:
            if is_about_files(error):
                open_run(self.directory)  # whose files may be gone since they were opened
            raise QueryError(_in_two_lines(str(error), self.tables)) from None
        return frames.frame(found)

    @with_checked_arguments
    def trace(self, subscriber: int | str, *, truth: bool = False) -> Story:
        """What happened to one person, told in order; with `truth` also why.

        QueryError when `subscriber` (a number, or a text such as "US-1042") is not in this run.
        """
        from billing_sim.trace import tell

        return tell(self.stored, subscriber_of(subscriber), truth=truth)

    @with_checked_arguments
    def plot(
        self,
        name: str,
        *,
        other: Run | str | Path | None = None,
        metric: str = "",
        subscriber: int | str | None = None,
        truth: bool = False,
    ) -> Figure:
        """A picture of this run, shown by notebooks and saved by its `save`; `billing_sim.pictures.PICTURES` lists all.

        `other` is a second run, or its folder, to compare with; `metric` a shipped metric, `subscriber` a person; with
        `truth` what only the simulator knows is drawn too. QueryError for an unknown name, for something that this
        picture has no use for, and when there is nothing in this run to draw.
        """
        from billing_sim.pictures import draw

        return draw(self, name, other=other, metric=metric, subscriber=subscriber, truth=truth)

    @with_checked_arguments
    def experiment(
        self,
        name: str = "",
        *,
        metrics: str | Sequence[str] = (),
        as_of: str | date | datetime | None = None,
        effect: float = 0.1,
        truth: bool = True,
        cost: float | None = None,
        report: Callable[[int, int], None] | None = None,
    ) -> Readout:
        """The readout of an experiment, by default of the only one: metrics by arm, and the true effect beside them.

        `as_of` as in `views`; `effect` is the effect of interest as a part of the first arm's value; with `truth` the
        people live again in a world for each arm, which takes some seconds; `cost` of the change (reporting currency)
        asks for its return, which needs the truth. QueryError for an unknown experiment, metric or moment, and for a
        cost that is no amount.
        """
        from billing_sim.experiments.readout import readout
        from billing_sim.metrics.asking import moment

        return readout(
            self.stored, name, metrics=metrics, as_of=moment(as_of), effect=effect, truth=truth, cost=cost,
            report=report,
        )  # fmt: skip

    @with_checked_arguments
    def campaign(self, name: str = "", *, report: Callable[[int, int], None] | None = None) -> Findings:
        """What a campaign against sharing did, by default the only one: its funnel, whom it claims and won, its return.

        The people live again with it and without it. QueryError where there is no such campaign.
        """
        from billing_sim.campaigns import study

        return study(self.directory, name, report=report)

    @with_checked_arguments
    def truth(
        self, *, policy: str = "", attribution: bool = False, report: Callable[[int, int], None] | None = None
    ) -> Truth:
        """What was really so: who was lost and why, and what the same people do in other worlds.

        `policy` names a dunning policy, of the scenario or shipped, to compare with; with `attribution` every
        combination of causes is taken away. `report` is told how many parts of the people are done, and how many
        there are. The people live again, which takes some seconds.

        RunError when the run was made by other rules than those installed, QueryError for an unknown policy, and a
        BillingSimError when what is found does not agree with the run.
        """
        from billing_sim.truth.knowing import truth_of

        return truth_of(self.stored, policy=policy, attribution=attribution, report=report)

    @with_checked_arguments
    def report(
        self, path: str | Path = "report.html", *, compare: Run | None = None,
        report: Callable[[int, int], None] | None = None,
    ) -> Path:  # fmt: skip
        """Write one page about this run that needs nothing but itself, beside another run when one is given.

        The folder of `path` is made when it is missing; what the path is comes back. `report` is told sections gathered
        and in all.
        """
        from billing_sim.report import write

        return write(self, path, compare, report=report)

    @with_checked_arguments
    def export(
        self, form: str, to: str | Path, *, end_at: str | date | None = None, overwrite: bool = False,
        report: Callable[[int, int], None] | None = None,
    ) -> Exported:  # fmt: skip
        """Write this run as other programs read it: stripe, stripe-json, recurly, csv, duckdb or events.

        `to` is a new folder; `end_at` (a date or "today") moves the calendar so that the run ends on that day. Every
        table is compared with the run to the minor unit; `report` is told steps done and in all. QueryError for an
        unknown form or date, RunError otherwise.
        """
        from billing_sim.export import export

        return export(self.directory, form, to, end_at=end_at, overwrite=overwrite, report=report)

    @with_checked_arguments
    def known_at(self, as_of: datetime | None) -> Source:
        """The facts for metrics, all of them or as they had been recorded by a moment (UTC, without zone)."""
        self.stored.refuse_if_replaced()
        if as_of is None:
            return self._source
        from billing_sim.recorded import facts_as_of

        return facts_as_of(self.stored, as_of)

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        from billing_sim.metrics.connection import connect

        return connect(self._source, self.stored.events_files if tables.EVENTS in self.tables else ())

    @cached_property
    def _source(self) -> RunFolder:
        """The same folder without the store's compiled code, which takes longer to load than most questions."""
        from billing_sim.metrics.source import RunFolder

        return RunFolder(self.directory)

    def _check_table(self, name: str) -> None:
        if name in self.tables:
            return
        if name == tables.EVENTS:
            raise QueryError(f"{self.directory} kept no log: run the scenario again with --log all.")
        raise QueryError(f"There is no table `{name}`{meant(name, self.tables)} Tables: {', '.join(self.tables)}.")

    def __repr__(self) -> str:
        return self.story()

    @with_checked_arguments
    def programmes(self, file: str | Path | None = None, *, scale: int = 1) -> Standings:
        """Where this run stands in dispute programmes, month by month: those shipped, or those of a file of one's own.

        Each case stands for `scale` before it is held against a number of cases. InputError for a wrong file,
        QueryError where the scenario does not say of which networks cards are.
        """
        from billing_sim.programmes import read_programmes, shipped_programmes, standings

        return standings(self._source, shipped_programmes() if file is None else read_programmes(file), scale=scale)

    def story(self, *, upshot: bool = True) -> str:
        """The run in a few lines, as `repr` shows it; without its `upshot`, for whoever shows the views as well."""
        heading, *lines = self._story(upshot=upshot)
        width = max(len(label) for label, _ in lines)
        return "\n".join([": ".join(heading), *(f"  {label:<{width}}  {text}" for label, text in lines)])

    def _repr_html_(self) -> str:
        (name, about), *lines = ((html.escape(label), html.escape(text)) for label, text in self._story())
        cell = 'style="text-align:left"'
        rows = (f"<tr><th {cell}>{label}</th><td {cell}>{text}</td></tr>" for label, text in lines)
        return f"<table><caption {cell}><b>{name}</b>: {about}</caption><tbody>{''.join(rows)}</tbody></table>"

    def _upshot(self) -> list[tuple[str, str]]:
        """What came of it; nothing where the facts cannot be read, since a story is no place to fail."""
        from billing_sim.upshot import upshot_of

        with suppress(BillingSimError):
            return [*upshot_of(self._source).lines()]
        return []

    def _story(self, *, upshot: bool = True) -> list[tuple[str, str]]:
        """The name and what it is about, then labelled lines."""
        identity, made = self.manifest.identity, self.manifest.environment
        workers = f"{made.workers} worker" + ("s" if made.workers != 1 else "")
        log = {"all": "all in the log", "none": "no log kept"}.get(self.stored.log, f"{self.stored.log} in the log")
        again = f"; {self.note}" if self.note else ""
        luck = "seed withheld" if self.seed is None else f"seed {self.seed}"
        extended = self.manifest.extended
        own = [("extended", f"{extended.words}; not what the scenario alone gives")] if extended else []
        return [
            (identity.scenario, f"{self.members:,} members, {identity.start} to {identity.end}, {luck}"),
            *own,
            *(self._upshot() if upshot else ()),
            ("events", f"{self.events:,}, {log}"),
            ("digest", self.content_digest),
            ("made", f"by the {made.driver} driver with {workers} in {made.seconds:.1f} s{again}"),
            ("speed", f"{made.events_per_second:,.0f} events/s while simulating"),
            ("where", str(self._named)),
        ]


@with_checked_arguments
def run(
    path: str | Path,
    *,
    seed: int | None = None,
    members: int | None = None,
    out: str | Path | None = None,
    driver: str | None = None,
    workers: int | None = None,
    log: str | None = None,
    fresh: bool = False,
    overwrite: bool = False,
    progress: bool = False,
    command: str = "billing_sim.run",
    processes: Sequence[Process] = (),
    kinds: Mapping[str, str] | None = None,
) -> Run:
    """Simulate a scenario file, or reuse the finished run of the same world.

    `seed` and `members` replace those of the file; `out` names the folder (otherwise `runs/<scenario>-<identity>`);
    `driver` is "batch" or "simpy"; `log` is "all", "none" or a share of the subscribers such as "1/16"
    (default: as the scenario says). `fresh`
    simulates again, `overwrite` allows to replace another run in `out`, `progress` shows a bar, and `command` is noted
    in the manifest. `processes` are generator functions of your own that take part in a run of the SimPy driver, with
    the `kinds` of events that they write (such as {"x.mail_sent": "A mail was sent."}); such a run is marked as
    extended and never reused.

    InputError for a scenario that cannot run, RunError for a folder that must not be touched, BillingSimError for a
    process that fails.
    """
    from contextlib import nullcontext

    from billing_sim.cli.progress import announce_compiling, bar

    announce_compiling(quiet=not progress)
    from billing_sim.simulate import simulate

    with bar() if progress else nullcontext() as report:
        outcome = simulate(
            path, seed=seed, members=members, out=None if out is None else Path(out), driver=driver, workers=workers,
            log=log, fresh=fresh, overwrite=overwrite, progress=report, command=command,
            processes=processes, kinds=kinds,
        )  # fmt: skip
    return Run(outcome.run, reused=outcome.reused, note=outcome.note)


@with_checked_arguments
def open(path: str | Path, *, verify: bool = False) -> Run:  # noqa: A001
    """The finished run in a folder; RunError when there is none, with the runs that are near.

    Its files must be there and have their sizes. With `verify` every byte is read and compared with what was written,
    which takes about a second for each gigabyte; RunError with the name of each damaged file.
    """
    folder = Path(path)
    if not is_there(folder / MANIFEST_FILE):
        raise RunError(no_run(folder))
    found = Run(open_run(folder))
    if verify:
        found.stored.refuse_damage()
    return found


def subscriber_of(text: int | str) -> int:
    """The number of a subscriber given as number or text; QueryError when it is neither."""
    try:
        return people.parse(text) if isinstance(text, str) else int(text)
    except ValueError:
        raise QueryError(f"{text!r} is not a subscriber; they read like {people.EXAMPLES}.") from None


def _in_two_lines(message: str, known: Sequence[str]) -> str:
    """The beginning of DuckDB's message, which goes on with an excerpt of the query."""
    first, *rest = [line for line in message.splitlines() if line.strip()]
    if "Table with name" in first:
        return f"{first}\nTables: {', '.join(known)}."
    candidates = [line for line in rest if line.startswith("Candidate")]
    return "\n".join([first, *candidates[:1]])
