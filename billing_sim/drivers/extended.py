"""A run that a user's own processes take part in: everybody in one SimPy environment, and these processes with them.

Processes begin at the start of the run, in the order in which they were given. At one moment they come after everything
else that happens at it. What they do to somebody wakes that person, who then sleeps until their next alarm as before.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import numpy as np
import simpy

from billing_sim import clock, people
from billing_sim.drivers import acts
from billing_sim.drivers.crowd import everybody
from billing_sim.drivers.extension import Extension, Process, file_of, name_of
from billing_sim.drivers.memory import check_room_extended
from billing_sim.drivers.service import Service, Turn
from billing_sim.drivers.simpy_coupled import Town
from billing_sim.drivers.tuning import END, START
from billing_sim.errors import BillingSimError, QueryError
from billing_sim.events import PAYMENT_CAPTURED, PAYMENT_RETURNED
from billing_sim.world.compile import CompiledWorld

Report = Callable[[float, int], None]
"""Told the share of time that has passed and the rows so far."""

_REPORTS = 50


class ExtendedTown(Town):
    """All people of a world and the user's processes in one environment."""

    def __init__(self, world: CompiledWorld, extension: Extension) -> None:
        check_room_extended(len(everybody(world)[0]), world.members)
        self.world = world
        super().__init__(world)
        self.kinds = {kind.name: kind.number for kind in extension.kinds}
        self._extension = extension
        self._places = {number: i for i, number in enumerate(self.states["subject"].tolist())}
        # What the log says of the last payment of each: invoice and amount, 0 for none.
        self._paid = np.zeros((len(self.states), 2), np.int64)
        self._refusal = np.zeros(1, np.int64)
        for process in extension.processes:
            self.env.process(self.take_part(process))

    def take_part(self, process: Process) -> Generator[simpy.Event, Any, None]:
        """A user's process, from the start of the run on; its errors name it and its line."""
        yield Turn(self.env, int(self.span[START]) - int(self.env.now))
        running = process(Service(self))
        value: Any = None
        error: Exception | None = None
        while True:
            try:
                waited = running.throw(error) if error else running.send(value)
            except StopIteration:
                return
            except Exception as problem:
                raise self.failed(process, problem) from problem
            value, error = None, None
            if not isinstance(waited, simpy.Event):
                error = QueryError(f"{waited!r} is nothing to wait for: yield service.until(days=1), for example.")
                continue
            try:
                value = yield waited
            except Exception as problem:
                # What it waited for has failed, which is for the process to know.
                error = problem

    def failed(self, process: Process | None, error: BaseException) -> BillingSimError:
        """An error in a user's process, with its place and moment."""
        files = {file_of(it) for it in self._extension.processes}
        frames = [it for it in traceback.extract_tb(error.__traceback__) if it.filename in files]
        place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
        name = f"the process {name_of(process)}" if process else "a process that yours has started"
        kind = "" if isinstance(error, BillingSimError) else f"{type(error).__name__}: "
        return BillingSimError(
            f"{name} failed on {clock.moment_of(int(self.env.now)):%Y-%m-%d %H:%M} UTC{place}: "
            f"{kind}{error}\nThe run is incomplete: mend the process and run the scenario again, "
            "with --overwrite if you named its folder."
        )

    def place_of(self, number: int) -> int:
        """The place of a person among all; QueryError for who is not in this run."""
        if number not in self._places:
            is_somebody = number >> people.MARKET_SHIFT > 0
            raise QueryError(f"there is no {people.describe(number) if is_somebody else number} in this run.")
        return self._places[number]

    def has_paid(self, i: int, invoice: int, amount_minor: int) -> bool:
        """Whether this is the last invoice that a person has paid, and at least this amount of it."""
        return self._paid[i, 0] == invoice > 0 and 0 < amount_minor <= self._paid[i, 1]

    def act(self, i: int, what: int, a: int, b: int, c: int) -> int:
        """Let a person do something; 0, or why it is not possible."""
        now = int(self.env.now)
        self.wake_after(
            i, lambda i: int(acts.act(self.worlds, self.states, i, self.pages, now, what, a, b, c, self._refusal,
                                      self.filled)),
        )  # fmt: skip
        return int(self._refusal[0])

    def write_own(self, i: int, kind: int, amount_minor: int, score: int, reason: int) -> bool:
        """Write a row of a kind of the user's own; not for who has never been in the log."""
        if not self.states["logging"][i] or self.states["sequence"][i] == 0:
            return False
        now = int(self.env.now)
        self.write(
            i, lambda i: int(acts.write_own(self.worlds, self.states, i, self.pages, now, kind, amount_minor, score,
                                            reason, self.filled)),
        )  # fmt: skip
        return True

    def wake_after(self, i: int, act: Callable[[int], int]) -> None:
        """Let somebody act, ask a desk where that is what they do, and go to sleep again until their next alarm."""
        before = int(self.next_at[i])
        self.write(i, partial(self.asking, act))
        if self.next_at[i] != before:
            self.wake(i)

    def asking(self, act: Callable[[int], int], i: int) -> int:
        """An act, and the request to a desk that may come of it."""
        at = act(i)
        self.take_request(i)
        return at

    def note(self, i: int, rows: np.ndarray) -> None:
        """Count attempts, and remember who has paid what."""
        super().note(i, rows)
        for row in rows[(rows["kind"] == PAYMENT_CAPTURED) | (rows["kind"] == PAYMENT_RETURNED)]:
            is_paid = row["kind"] == PAYMENT_CAPTURED
            self._paid[i] = (row["invoice"], row["amount_minor"]) if is_paid else (0, 0)

    def pass_time(self) -> None:
        """Let time pass until the end; what fails in what the user's processes have started is told as theirs."""
        try:
            super().pass_time()
        except BillingSimError:
            raise
        except Exception as error:
            files = {file_of(it) for it in self._extension.processes}
            if not any(it.filename in files for it in traceback.extract_tb((error.__cause__ or error).__traceback__)):
                raise
            raise self.failed(None, error.__cause__ or error) from error


def live(world: CompiledWorld, extension: Extension, report: Report | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Rows and sealed truths of everybody, in the order of subscribers; BillingSimError where a process fails."""
    town = ExtendedTown(world, extension)
    if report:
        begins, ends = int(town.env.now), int(town.span[END])
        town.env.process(_reporting(town, (ends - begins) // _REPORTS, report))
    return town.run()


def _reporting(town: ExtendedTown, step: int, report: Report) -> Generator[simpy.Event, Any, None]:
    begins, ends = int(town.env.now), int(town.span[END])
    while True:
        yield Turn(town.env, step)
        rows = sum(len(it) for it in town.rows) + int(town.filled[0])
        report((int(town.env.now) - begins) / (ends - begins), rows)
