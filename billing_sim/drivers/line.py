"""Who waits at one desk, and who is being served there, from window to window.

Places are taken in buffers that grow by doubling: a window then costs what happens in it, not what has piled up.
"""

from __future__ import annotations

import numpy as np

from billing_sim.drivers.desk_kernel import COMING, HEAD, TAIL, serve_line
from billing_sim.drivers.requests import EFFECT, REQUEST
from billing_sim.rule import records

_ROOM = 64


class Line:
    """The line of one desk; `busy` and `frontier` are those of all desks (see `drivers.desk_kernel`)."""

    def __init__(self, worlds: np.ndarray, busy: np.ndarray, frontier: np.ndarray, desk: int) -> None:
        self._worlds, self._busy, self._frontier, self._desk = worlds, busy, frontier, desk
        self._sizes: np.ndarray = np.zeros(3, np.int64)
        self._requests, self._beside = np.zeros(_ROOM, REQUEST), np.zeros(_ROOM, np.int64)
        self._done = np.zeros(_ROOM, np.int64)
        self._coming, self._told = np.zeros(_ROOM, EFFECT), np.zeros(2 * _ROOM, EFFECT)

    @property
    def waiting(self) -> int:
        """How many wait for an agent."""
        return int(self._sizes[TAIL] - self._sizes[HEAD])

    @property
    def is_busy(self) -> bool:
        """Whether anybody waits or is being served."""
        return bool(self._sizes[TAIL] > self._sizes[HEAD] or self._sizes[COMING])

    def serve(self, requests: np.ndarray, beside: np.ndarray | None, end: int) -> np.ndarray:
        """Put these behind the others and serve until `end`; what is settled before it, in no order.

        `beside` (1 or 0 each) marks those who are served beside the others; then only they are told of.
        """
        self._join(requests, beside)
        if not self.is_busy:
            return self._told[:0]
        self._make_room()
        count = serve_line(
            self._worlds, self._busy, self._desk, self._frontier, self._sizes, records(self._requests), self._beside,
            self._done, records(self._coming), records(self._told), int(beside is not None), end,
        )  # fmt: skip
        return self._told[:count].copy()

    def _join(self, requests: np.ndarray, beside: np.ndarray | None) -> None:
        more = len(requests)
        if not more:
            return
        if self._sizes[TAIL] + more > len(self._requests):
            self._move_up(more)
        tail = int(self._sizes[TAIL])
        self._requests[tail : tail + more] = requests
        self._beside[tail : tail + more] = 0 if beside is None else beside
        self._sizes[TAIL] += more

    def _move_up(self, more: int) -> None:
        """Begin the buffers with whoever is first in line; make them larger where they would soon be full again."""
        here, waiting = slice(int(self._sizes[HEAD]), int(self._sizes[TAIL])), self.waiting
        room = max(len(self._requests), 2 * (waiting + more))
        requests, beside = np.zeros(room, REQUEST), np.zeros(room, np.int64)
        requests[:waiting], beside[:waiting] = self._requests[here], self._beside[here]
        self._requests, self._beside, self._done = requests, beside, np.zeros(room, np.int64)
        self._sizes[HEAD], self._sizes[TAIL] = 0, waiting

    def _make_room(self) -> None:
        held = int(self._sizes[COMING])
        if held + self.waiting > len(self._coming):
            coming = np.zeros(2 * (held + self.waiting), EFFECT)
            coming[:held] = self._coming[:held]
            self._coming = coming
        if held + 2 * self.waiting > len(self._told):
            self._told = np.zeros(2 * (held + 2 * self.waiting), EFFECT)
