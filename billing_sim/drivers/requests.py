"""What subscribers ask of the desks that they share, and what comes back: the two records that a barrier exchanges.

A rule asks by filling `state.asks` (which queue), `asks_at`, `asks_detail`, `asks_patience` and `asks_service`; one
request a ring. After the ring the coupled driver turns that into a `REQUEST` and forgets it in the state. When the
window is over it puts all requests in the order (at, subscriber, queue), lets the desk of each queue serve them, and
hands every `EFFECT` to its subscriber at the barrier, before anything of the next window rings.

Whoever runs a queue gives the coupled driver an object with the methods of `Queue`. What it publishes to everybody (a
backlog, a wait) goes into fields of the world record that `PUBLISHED` names, so that it can be recorded and replayed.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numba import from_dtype, types

SUPPORT, REVIEW = 1, 2
"""Queues: the support desk, and the manual review of suspected fraud."""

REQUEST = np.dtype([(name, "i8") for name in "at subscriber place queue detail patience service".split()])
"""One person at one desk: when they came (microseconds UTC, inside the window), who and where among the states, which
queue, what about (the rule's own number), how long they wait before they give up and how long they keep an agent
(microseconds)."""

EFFECT = np.dtype([(name, "i8") for name in "at subscriber place queue detail outcome wait agent".split()])
"""What came of a request: when it was settled (microseconds UTC, before the barrier that delivers it), whom it
concerns, the `detail` of the request, and the desk's own outcome, wait (microseconds) and agent (0: none)."""

Request = from_dtype(REQUEST)
Effect = from_dtype(EFFECT)
Requests = types.Array(Request, 1, "C")
Effects = types.Array(Effect, 1, "C")

PUBLISHED: tuple[str, ...] = (
    # Gateways under load.
    # Support.
)
"""Fields of the world record that barriers write and rules read; every world of a run receives the same ones."""


class Queue(Protocol):
    """One desk, from the first window of a run to the last."""

    def serve(self, requests: np.ndarray, begin: int, end: int) -> np.ndarray:
        """Serve what came in the window [begin, end), in the order given (`REQUEST`), and return every effect that is
        settled before `end` (`EFFECT`), whenever its request came; what is still waiting or being served is kept.

        It is called for every window, with no requests too.
        """

    def serve_alone(self, requests: np.ndarray, begin: int, end: int) -> np.ndarray:
        """The same where the queue is not shared but replayed: each request waits as long as the published fields of
        the world, which are those of another run, say; it keeps nobody else waiting."""

    def publish(self, worlds: np.ndarray, now: int) -> None:
        """Write what everybody may see from `now` on into the `PUBLISHED` fields of these worlds."""


def in_order(entries: np.ndarray) -> np.ndarray:
    """Requests or effects in their total order: by moment, subscriber, queue, and then what they are about."""
    return entries[np.lexsort((entries["detail"], entries["queue"], entries["subscriber"], entries["at"]))]
