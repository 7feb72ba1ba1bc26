"""What subscribers ask of the desks that they share, and what comes back: the two records that a barrier exchanges.

A rule asks by filling `state.asks` (which queue), `asks_at`, `asks_detail`, `asks_patience` and `asks_service`; one
request a ring. After the ring the coupled driver turns that into a `REQUEST` and forgets it in the state. When the
window is over it puts all requests in the order (at, subscriber, queue), lets the desk of each queue serve them, and
hands every `EFFECT` to its subscriber at the barrier, before anything of the next window rings.

`queue_of` gives the coupled driver whoever runs the desks, an object with the methods of `Queue`. A filler that opens a
desk sets `world.shared[0] = 1`: only then are windows and barriers kept.

The whole run is simulated twice. The first time everybody is resident and lives window by window, no row is kept, and
what barriers publish and deliver is recorded on a tape (`drivers.tape`). The second time lives run one after the other,
each against the tape. So whatever a rule reads must lie in its own state, in the world, in `world.published`, or in the
effect that is delivered to it.

An effect is delivered through `lifecycle.delivering.deliver(world, state, page, now, queue, at, detail, outcome, wait,
agent)`, `now` being the barrier. It writes rows and schedules; it must not collect money itself (attempts are booked
after it): it puts down a matter or sets an alarm, which rings in a later window.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numba import from_dtype, types

from billing_sim.world.compile import CompiledWorld

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


class Queue(Protocol):
    """One desk, from the first window of a run to the last."""

    def serve(self, requests: np.ndarray, begin: int, end: int) -> np.ndarray:
        """Serve what came in the window [begin, end), in the order given (`REQUEST`), and return every effect that is
        settled before `end` (`EFFECT`, in total order), whenever its request came; the rest is kept.

        It is called for every window, with no requests too.
        """

    def serve_beside(self, requests: np.ndarray, others: np.ndarray, begin: int, end: int) -> np.ndarray:
        """The same where each request comes alone beside the `others`, who are those of another run.

        It waits as long as they make it wait, and keeps nobody waiting; the effects are those of `requests`.
        """


def queue_of(world: CompiledWorld) -> Queue | None:
    """Whoever runs the desks of this world; none where nobody queues."""
    fraud = world.scenario.fraud
    if world.scenario.support is not None or (fraud is not None and fraud.review.team is not None):
        from billing_sim.drivers.desk import Desk

        return Desk(world.record)
    return None


def in_order(entries: np.ndarray) -> np.ndarray:
    """Requests or effects in their total order: by moment, subscriber, queue, and then what they are about."""
    if len(entries) < 2:
        return entries
    return entries[np.lexsort((entries["detail"], entries["queue"], entries["subscriber"], entries["at"]))]
