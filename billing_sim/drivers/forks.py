"""The driver of second chances: lives in their own world, and each invoice that fails once more under other policies.

Before an alarm rings, a copy of the person is kept. When an invoice fails for the first time in that ring, the copy is
the fork: the very same person at that moment. From there the rest of the invoice's dunning is played out under each
policy, on a page that nobody reads, until the invoice is paid for good, void or given up. The life itself goes on as if
nothing had been tried.

Where people share something, lives run by the tape of their world. Forks fail beside its people, and go on beside them,
or beside those of a world in which everybody has the policy (`drivers.meeting`).
"""

from __future__ import annotations

import numpy as np
from numba import from_dtype, types

from billing_sim import events
from billing_sim.clock import HOUR, NEVER
from billing_sim.drivers.meeting import Answers, Others, go_on, take_along
from billing_sim.drivers.oracle import LEFT, fate_of_retry
from billing_sim.drivers.playing import first_effect
from billing_sim.drivers.requests import Effects
from billing_sim.drivers.tuning import list_of, tune
from billing_sim.drivers.windows import receive
from billing_sim.lifecycle.life import step
from billing_sim.lifecycle.ring import MOST_ROWS, begin, next_alarm
from billing_sim.lifecycle.state import (
    ALARM_RENEWAL,
    ALARM_SIGNUP,
    BACKUP,
    FIRST,
    PAGE_ROWS,
    PAGE_TRUTHS,
    Int,
    Nothing,
    Page,
    State,
    World,
)
from billing_sim.rule import entry, rule
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

UNTIL, FOLLOWED, LOOKED, FIRST_TRIED = range(4)
"""Places in the spans of a play."""

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
_Tape = types.Tuple((_Numbers, types.Array(types.int64, 2, "C"), Effects, _Numbers))
"""What was published and what desks answered, as in `drivers.tape.Tape`."""

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


@rule(Nothing(Outcome, Int))
def note_mended(outcome, reason):
    """Somebody told of a change of the method: the member, or the account updater.

    A token that follows its card mends nothing: it had been good all the time.
    """
    if reason == events.BY_SUBSCRIBER:
        outcome.fixed_by = BY_MEMBER
    elif reason == events.BY_UPDATER:
        outcome.fixed_by = BY_UPDATER


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
                note_mended(outcome, row.reason)
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


@rule(Nothing(_Worlds, State, Page, Others, Others, Answers, Int, Outcome))
def play_out(worlds, state, page, own, others, answers, until, outcome):
    """Let the invoice fail once more, beside those of one's own world, and follow it beside the others until it is paid
    for good, void or given up.

    A captured debit that may still come back is not paid for good.
    """
    at = go_on(worlds, state, page, own, answers)
    read_rows(state, page, place_after_first_failure(state, page), outcome)
    rings = 0
    while (state.open or state.pending) and at < until and rings < _MOST_RINGS:
        at = go_on(worlds, state, page, others, answers)
        read_rows(state, page, 0, outcome)
        rings += 1
    if outcome.collected_at == 0 and outcome.ended_by < GIVEN_UP:
        outcome.ended_by = UNDECIDED


@rule(Int(_Worlds, _States, Page, Others, Int))
def first_success(worlds, states, page, others, horizon):
    """The first whole hour, less than `horizon` after the failure, at which one retry alone succeeds; 0 for none.

    `states[_FORK]` is the person right after the failure. Luck is keyed by the hour, so asking once an hour misses
    nothing but what begins and ends within one.
    """
    span, places, tables, _ = others
    world = worlds[states[_FORK].lives_in]
    first = states[_FORK].first_failed
    at = (first // world.window + 1) * world.window
    at = (at + HOUR - 1) // HOUR * HOUR
    while at < first + horizon:
        tune(world, places, tables, list_of(span, at))
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


@rule(
    Nothing(_Worlds, _Worlds, _States, _Pages, Int, _Numbers, _Tape, Int, Others, Others, Answers, Failure, _Outcomes,
            Int)
)  # fmt: skip
def try_policies(
    own, changed, states, pages, issued_at, spans, tape, told, beside, others, answers, failure, outcomes, place
):
    """Play the invoice out under the world's own rules and under each policy, and ask the oracle.

    It fails `beside` the people of its own world, and is followed beside the `others`. `told` is the place on the tape
    of the next answer that a desk has for this person.
    """
    page = pages[1]
    _, _, effects, _ = tape
    market = states[_LIFE].market
    failure.method_kind = states[_BEFORE].method_kind[FIRST]
    note_failure(own[0], states[_LIFE], issued_at, failure)
    until = failure.first_failed_at + spans[FOLLOWED]
    policies = outcomes.shape[1] - 1
    for p in range(spans[FIRST_TRIED], policies + 1):
        states[_FORK] = states[_BEFORE]
        take_along(states[_FORK], effects, told, answers)
        if p == 0:
            play_out(own, states[_FORK], page, beside, others, answers, until, outcomes[place, p])
        else:
            put_in_force(changed, market, p - 1)
            play_out(changed, states[_FORK], page, beside, others, answers, until, outcomes[place, p])
    if spans[LOOKED]:
        put_in_force(changed, market, policies)
        states[_FORK] = states[_BEFORE]
        take_along(states[_FORK], effects, told, answers)
        go_on(changed, states[_FORK], page, beside, answers)
        failure.oracle_at = first_success(changed, states, page, others, spans[LOOKED])


@rule(Int(_Tape, Int, Int, Int))
def next_told(tape, e, subscriber, until):
    """The barrier at which this person is told what stands at place `e` of the tape, if a desk settled it by then."""
    _, _, effects, due = tape
    if e < len(effects) and effects[e].subscriber == subscriber and effects[e].at < until:
        return due[e]
    return NEVER


@entry(
    Int(_Worlds, _Worlds, _Numbers, _Numbers, Int, _States, _Pages, _Numbers, _Numbers, _Tape, Others, Others, Answers,
        _Failures, _Outcomes, _Numbers),
    long="what plays policies out",
)  # fmt: skip
def fork_lives(
    own, changed, numbers, markets, first, states, pages, spans, span, tape, beside, others, answers, failures,
    outcomes, filled,
):  # fmt: skip
    """Run lives from `first` on until the page or the table of failures is full; return the first life not on it.

    `own` is the world of the lives, `changed` the same with the policies in its table, the last of which does nothing;
    both hold a record for each arm of an experiment.
    `spans` says when lives stop, how long after a first failure forks are followed, how long the oracle looks (0: it is
    not asked), and which column is the first to be tried (0: the own rules).
    Lives run by the `tape` of their own world with its `span`. Forks fail `beside` its people, and go on beside the
    `others`.
    `filled` receives the rows, truths and failures written, and adds up the alarms rung.
    """
    page = pages[0]
    places, tables, effects, _ = tape
    written = 0
    told = 0
    failed = 0
    i = first
    while i < len(numbers):
        states[_LIFE] = states[_BLANK]
        state = states[_LIFE]
        state.rows = written
        state.truths = told
        tune(own[0], places, tables, -1)
        begin(own[0], state, markets[i], numbers[i])
        found = failed
        issued_at = 0
        now = next_alarm(state)
        e = first_effect(effects, numbers[i])
        barrier = next_told(tape, e, numbers[i], spans[UNTIL])
        while now < spans[UNTIL] or barrier < NEVER:
            full = state.rows > PAGE_ROWS - MOST_ROWS or state.truths > PAGE_TRUTHS - MOST_ROWS
            if full or found == len(failures):
                filled[0] = written
                filled[1] = told
                filled[2] = failed
                return i
            world = own[state.lives_in]
            if barrier <= now or now >= spans[UNTIL]:
                tune(world, places, tables, list_of(span, barrier) - 1)
                now = receive(world, state, page, barrier, effects[e])
                e += 1
                barrier = next_told(tape, e, numbers[i], spans[UNTIL])
                continue
            states[_BEFORE] = states[_LIFE]
            tune(world, places, tables, list_of(span, now))
            following = step(own, state, page)
            state.asks = 0
            filled[3] += 1
            if state.invoice != states[_BEFORE].invoice:
                issued_at = now if is_billing(states[_BEFORE].turn) else 0
            if state.logging and state.first_failed == now and states[_BEFORE].first_failed != now:
                try_policies(
                    own, changed, states, pages, issued_at, spans, tape, e, beside, others, answers, failures[found],
                    outcomes, found,
                )  # fmt: skip
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
