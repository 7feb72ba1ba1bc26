"""The driver of second chances: lives in their own world, and each invoice that fails once more under other policies.

Before an alarm rings, a copy of the person is kept. When an invoice fails for the first time in that ring, the copy is
the fork: the very same person at that moment. From there the rest of the invoice's dunning is played out under each
policy, on a page that nobody reads, until the invoice is paid for good, void or given up. The life itself goes on as if
nothing had been tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numba import from_dtype, types

from billing_sim import events
from billing_sim.clock import HOUR
from billing_sim.drivers.block import Block, refuse_sharing, too_long
from billing_sim.drivers.oracle import LEFT, fate_of_retry
from billing_sim.drivers.shards import people_of_shard
from billing_sim.lifecycle.life import step
from billing_sim.lifecycle.ring import MOST_ROWS, begin, next_alarm
from billing_sim.lifecycle.state import (
    ALARM_RENEWAL,
    ALARM_SIGNUP,
    BACKUP,
    FIRST,
    PAGE,
    PAGE_ROWS,
    PAGE_TRUTHS,
    Int,
    Nothing,
    Page,
    State,
    World,
    new_states,
)
from billing_sim.rule import entry, records, rule
from billing_sim.world.compile import CompiledWorld
from billing_sim.world.record import KINDS, POLICIES

ENDINGS = ("undecided", "retry", "member", "updater", "backup", "given_up", "canceled", "left")
"""How a failing invoice ends: collected by one of the four that `invoices.recovered_by` knows, given up at the end of
dunning, void because trouble made the member cancel, or void because the member left of their own accord."""
UNDECIDED, BY_RETRY, BY_MEMBER, BY_UPDATER, BY_BACKUP, GIVEN_UP, CANCELED, LEFT_ANYWAY = range(8)

MOST_POLICIES = POLICIES - 1
"""Policies that can be tried at once; one more row of the table is for doing nothing."""

FAILURE = np.dtype(
    [(name, "i8") for name in ("subscriber", "invoice", "amount_minor", "issued_at", "first_failed_at", "oracle_at")]
    + [(name, "u1") for name in ("market", "currency", "group", "method_kind")]
    + [("filler", "u1", (4,))]
)
"""An invoice that failed: whose, what it is about, and the first whole hour at which one retry alone would have
succeeded (microseconds UTC, 0 when there is none within the horizon). `issued_at` is
0 for an invoice of before the start."""

OUTCOME = np.dtype(
    [("collected_at", "i8"), ("attempts", "i2"), ("notices", "i2")]
    + [(name, "u1") for name in ("ended_by", "fixed_by", "is_lost", "is_wrongful")]
)
"""What came of it under one policy: when it was paid for good (0: never), merchant-initiated attempts and notices since
the first failure, how it ended (`ENDINGS`), what last mended the method, whether the subscription was lost while it was
unpaid, and whether that person wanted to stay and could have paid."""

_FAILURES_AT_ONCE = 2048
_MOST_RINGS = 1 << 14
"""More alarms than any dunning rings; a play that is longer stays undecided."""

Failure = from_dtype(FAILURE)
Outcome = from_dtype(OUTCOME)
_Worlds = types.Array(World, 1, "C")
_States = types.Array(State, 1, "C")
_Pages = types.Array(Page, 1, "C")
_Numbers = types.Array(types.int64, 1, "C")
_Failures = types.Array(Failure, 1, "C")
_Outcomes = types.Array(Outcome, 2, "C")

# Who is who among the states: the life, a blank record, the life before the ring, the fork, and who tries one retry.
_LIFE, _BLANK, _BEFORE, _FORK, _TRYING = range(5)


@rule(Nothing(_Worlds, Int, Int))
def put_in_force(worlds, market, policy):
    """Whatever fails in this market from now on, every rule chooses this policy, in every arm of an experiment."""
    for i in range(len(worlds)):
        for kind in range(KINDS):
            for decline in range(3):
                worlds[i].policy_for[0, market, kind, decline] = policy


@rule(Int(State, Int, Int, Int))
def who_paid(state, method, initiator, fixed_by):
    """What brought the money in: the member, the backup method, new details of the method on file, or a mere retry."""
    if initiator == events.CIT:
        return BY_MEMBER
    if state.backup and method == state.method_number[BACKUP]:
        return BY_BACKUP
    return fixed_by if fixed_by else BY_RETRY


@rule(Int(Int))
def mended_by(reason):
    """Who told of a change of the method: the member, or the networks (updater and tokens alike)."""
    return BY_MEMBER if reason == events.BY_SUBSCRIBER else BY_UPDATER


@rule(Nothing(State, Page, Int, Outcome))
def read_rows(state, page, first, outcome):
    """Take down what the rows of one ring say about the failing invoice, from row `first` on."""
    for i in range(first, state.rows):
        row = page.rows[i]
        kind = row.kind
        if kind in (events.ATTEMPT_AUTHORIZED, events.ATTEMPT_DECLINED, events.ATTEMPT_UNKNOWN):
            if row.initiator == events.MIT:
                outcome.attempts += 1
        elif kind == events.NOTICE_SENT:
            outcome.notices += 1
        elif kind == events.METHOD_UPDATED:
            if not (state.backup and row.method == state.method_number[BACKUP]):
                outcome.fixed_by = mended_by(row.reason)
        elif kind == events.PAYMENT_RETURNED:
            outcome.collected_at = 0
            outcome.ended_by = UNDECIDED
        elif kind == events.INVOICE_UNCOLLECTIBLE:
            outcome.ended_by = GIVEN_UP
        elif kind == events.SUBSCRIPTION_CANCELED and outcome.collected_at == 0:
            outcome.is_lost = 1
            if row.reason == events.PAYMENT_TROUBLE:
                outcome.ended_by = CANCELED
            elif row.reason == events.VOLUNTARY:
                outcome.ended_by = LEFT_ANYWAY
        if kind in (events.ATTEMPT_AUTHORIZED, events.ATTEMPT_RECONCILED):
            outcome.ended_by = who_paid(state, row.method, row.initiator, outcome.fixed_by)
        elif kind == events.PAYMENT_CAPTURED:
            outcome.collected_at = row.occurred_at
    for i in range(state.truths):
        truth = page.truths[i]
        if truth.kind == events.LOSS_JUDGED and truth.intent == events.STAY and truth.able:
            outcome.is_wrongful = 1


@rule(Int(State, Page))
def place_after_first_failure(state, page):
    """The first row after that in which dunning began."""
    for i in range(state.rows):
        if page.rows[i].kind == events.DUNNING_STARTED:
            return i + 1
    return state.rows


@rule(Int(_Worlds, State, Page))
def ring_aside(worlds, state, page):
    """Ring the fork's next alarm on the page that nobody reads; return the moment after it."""
    state.rows = 0
    state.truths = 0
    return step(worlds, state, page)


@rule(Nothing(_Worlds, State, Page, Int, Outcome))
def play_out(worlds, state, page, until, outcome):
    """Let the invoice fail once more, and follow it until it is paid for good, void or given up.

    A captured debit that may still come back is not paid for good.
    """
    at = ring_aside(worlds, state, page)
    read_rows(state, page, place_after_first_failure(state, page), outcome)
    rings = 0
    while (state.open or state.pending) and at < until and rings < _MOST_RINGS:
        at = ring_aside(worlds, state, page)
        read_rows(state, page, 0, outcome)
        rings += 1
    if outcome.collected_at == 0 and outcome.ended_by < GIVEN_UP:
        outcome.ended_by = UNDECIDED


@rule(Int(_Worlds, _States, Page, Int))
def first_success(worlds, states, page, span):
    """The first whole hour, less than `span` after the failure, at which one retry alone succeeds; 0 for none.

    `states[_FORK]` is the person right after the failure. Luck is keyed by the hour, so asking once an hour misses
    nothing but what begins and ends within one.
    """
    world = worlds[states[_FORK].lives_in]
    first = states[_FORK].first_failed
    at = (first // world.window + 1) * world.window
    at = (at + HOUR - 1) // HOUR * HOUR
    while at < first + span:
        states[_TRYING] = states[_FORK]
        states[_TRYING].rows = 0
        states[_TRYING].truths = 0
        cause = fate_of_retry(world, states[_TRYING], page, at)
        if cause == 0:
            return at
        if cause == LEFT:
            return 0
        at += HOUR
    return 0


@rule(Int(Int))
def is_billing(alarm):
    """Whether this alarm issues an invoice; others bring in one of before the start."""
    return 1 if alarm in (ALARM_RENEWAL, ALARM_SIGNUP) else 0


@rule(Nothing(World, State, Int, Failure))
def note_failure(world, state, issued_at, failure):
    """Write down which invoice has just failed."""
    failure.subscriber = state.subject
    failure.invoice = state.invoice
    failure.amount_minor = state.amount
    failure.issued_at = issued_at
    failure.first_failed_at = state.first_failed
    failure.market = state.market
    failure.currency = world.currency[state.market]
    failure.group = state.group


@rule(Nothing(_Worlds, _Worlds, _States, _Pages, Int, _Numbers, Failure, _Outcomes, Int))
def try_policies(own, others, states, pages, issued_at, spans, failure, outcomes, place):
    """Play the invoice out under the world's own rules and under each policy, and ask the oracle."""
    page = pages[1]
    market = states[_LIFE].market
    failure.method_kind = states[_BEFORE].method_kind[FIRST]
    note_failure(own[0], states[_LIFE], issued_at, failure)
    until = failure.first_failed_at + spans[1]
    policies = outcomes.shape[1] - 1
    for p in range(policies + 1):
        states[_FORK] = states[_BEFORE]
        if p == 0:
            play_out(own, states[_FORK], page, until, outcomes[place, p])
        else:
            put_in_force(others, market, p - 1)
            play_out(others, states[_FORK], page, until, outcomes[place, p])
    put_in_force(others, market, policies)
    states[_FORK] = states[_BEFORE]
    ring_aside(others, states[_FORK], page)
    failure.oracle_at = first_success(others, states, page, spans[2])


@entry(
    Int(_Worlds, _Worlds, _Numbers, _Numbers, Int, _States, _Pages, _Numbers, _Failures, _Outcomes, _Numbers),
    long="what plays policies out",
)
def fork_lives(own, others, numbers, markets, first, states, pages, spans, failures, outcomes, filled):
    """Run lives from `first` on until the page or the table of failures is full; return the first life not on it.

    `own` is the world of the lives, `others` the same with the policies in its table, the last of which does nothing;
    both hold a record for each arm of an experiment.
    `spans` says when lives stop, how long after a first failure forks are followed, and how long the oracle looks.
    `filled` receives the rows, truths and failures written, and adds up the alarms rung.
    """
    page = pages[0]
    written = 0
    told = 0
    failed = 0
    i = first
    while i < len(numbers):
        states[_LIFE] = states[_BLANK]
        state = states[_LIFE]
        state.rows = written
        state.truths = told
        begin(own[0], state, markets[i], numbers[i])
        found = failed
        issued_at = 0
        now = next_alarm(state)
        while now < spans[0]:
            full = state.rows > PAGE_ROWS - MOST_ROWS or state.truths > PAGE_TRUTHS - MOST_ROWS
            if full or found == len(failures):
                filled[0] = written
                filled[1] = told
                filled[2] = failed
                return i
            states[_BEFORE] = states[_LIFE]
            following = step(own, state, page)
            filled[3] += 1
            if state.invoice != states[_BEFORE].invoice:
                issued_at = now if is_billing(states[_BEFORE].turn) else 0
            if state.logging and state.first_failed == now and states[_BEFORE].first_failed != now:
                try_policies(own, others, states, pages, issued_at, spans, failures[found], outcomes, found)
                found += 1
            now = following
        written = state.rows
        told = state.truths
        failed = found
        i += 1
    filled[0] = written
    filled[1] = told
    filled[2] = failed
    return i


@dataclass(frozen=True)
class Forks:
    """Whole lives as the batch driver hands them on, the invoices of theirs that failed (`FAILURE`), and what came of
    each (`OUTCOME`, a row per failure): in column 0 under the world's own rules, then under each policy.

    Good until the next ones are asked for.
    """

    block: Block
    failures: np.ndarray
    outcomes: np.ndarray


@dataclass(frozen=True)
class Spans:
    """When lives stop (microseconds UTC), how long after a first failure forks are followed and the oracle looks."""

    until: int
    followed: int
    oracle: int


def lives(own: CompiledWorld, others: np.ndarray, policies: int, shard: int, spans: Spans) -> Iterator[Forks]:
    """Simulate a shard of `own` until `spans.until`, trying the first so many policies of the world records `others`.

    `others` are `own`'s records but for their policies; the one after the last that is tried does nothing. They
    are left as they are.
    """
    refuse_sharing(own)
    numbers, markets = people_of_shard(own, shard)
    # A shard's own copy: which policy is in force is written into it, and shards run beside each other.
    worlds, states = (records(own.record), records(others.copy())), records(new_states(5))
    pages = np.zeros(2, PAGE)
    failures, outcomes = np.zeros(_FAILURES_AT_ONCE, FAILURE), np.zeros((_FAILURES_AT_ONCE, policies + 1), OUTCOME)
    limits = np.array([spans.until, spans.followed, spans.oracle], np.int64)
    filled = np.zeros(4, np.int64)
    first = 0
    while first < len(numbers):
        rung = int(filled[3])
        outcomes[:] = 0
        following = int(
            fork_lives(
                *worlds, numbers, markets, first, states, records(pages), limits, records(failures), records(outcomes),
                filled,
            )
        )  # fmt: skip
        if following == first:
            raise too_long(int(numbers[first]))
        block = Block(
            pages["rows"][0, : filled[0]], pages["truths"][0, : filled[1]], following - first, int(filled[3]) - rung
        )
        yield Forks(block, failures[: filled[2]], outcomes[: filled[2]])
        first = following
