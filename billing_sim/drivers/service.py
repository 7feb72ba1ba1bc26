"""The service, as a user's own process meets it: who is a member, what time it is, and what can be done.

It shows what a payment service knows of its members and nothing of what is sealed, and whatever it does to somebody
goes through the rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy
from numpy.typing import NDArray

from billing_sim import clock, draws, events, people
from billing_sim import purposes as purpose
from billing_sim.clock import DAY, HOUR, NEVER
from billing_sim.drivers import acts
from billing_sim.errors import QueryError
from billing_sim.lifecycle.state import FIRST, SUBSCRIBED

if TYPE_CHECKING:
    from billing_sim.drivers.extended import ExtendedTown

_LAST = 2
"""At one moment a user's process comes after everything else, which has the priorities 0 and 1."""

_OCCASION_BITS, _NAME_BITS = 28, 24
_MOST_AMOUNT, _MOST_SCORE = 1 << 62, (1 << 15) - 1
_REFUND_REASONS = ("goodwill", "complaint")


class Turn(simpy.Event):
    """Comes at a moment after everything else that happens at it."""

    def __init__(self, env: simpy.Environment, delay: int) -> None:
        super().__init__(env)
        self._ok, self._value = True, None
        env.schedule(self, _LAST, delay)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A member as they stand at a moment; it does not change when they do, so ask again.

    `amount_minor` is that of the open invoice, or of the last one; `card_expires_on` is the last day on which the card
    on file is valid, None for methods without one; `tenure_months` counts whole months since they joined.
    """

    number: int
    market: str
    plan: str
    method_kind: str
    card_expires_on: date | None
    currency: str
    amount_minor: int
    invoice: int
    tenure_months: int
    is_past_due: bool
    is_on_hold: bool
    is_canceling: bool

    def __str__(self) -> str:
        return people.describe(self.number)


_TIMES = ("weeks", "days", "hours", "minutes", "seconds")
"""What a wait is made of."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an act: true when it was done, false with the `reason` when it is not possible."""

    done: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.done


Who = Subscriber | int | str
"""A member as `subscribers` gives them, a number, or a name such as "US-1042"."""


class Service:
    """What a process sees and may do; one for each process."""

    def __init__(self, town: ExtendedTown) -> None:
        self._town = town
        self._names = town.world.names

    @property
    def env(self) -> simpy.Environment:
        """The SimPy environment of everybody; its time is in microseconds since 1970, UTC."""
        return self._town.env

    @property
    def now(self) -> datetime:
        """The moment, in UTC."""
        return clock.moment_of(int(self.env.now))

    def until(self, **wait: float) -> Turn:
        """Wait for so long: `yield service.until(days=3)`; also weeks, hours and minutes."""
        unknown = [name for name in wait if name not in _TIMES]
        if unknown:
            raise QueryError(f"until knows no {unknown[0]}; write {', '.join(_TIMES)}, as in until(days=3).")
        delay = timedelta(**wait) // timedelta(microseconds=1)
        if delay <= 0:
            raise QueryError("until takes a time to wait that is longer than nothing, such as until(days=3).")
        return Turn(self.env, delay)

    def at(self, moment: datetime | date | str) -> Turn:
        """Wait for a moment that is still to come: an aware datetime, or a day (its midnight in UTC)."""
        instant = _instant(moment)
        if instant <= self.env.now:
            raise QueryError(f"at({moment}) is not still to come: it is {self.now:%Y-%m-%d %H:%M} UTC.")
        return Turn(self.env, instant - int(self.env.now))

    def subscribers(
        self, market: str | None = None, where: Callable[[Subscriber], object] | None = None
    ) -> list[Subscriber]:
        """Everybody who is a member now, in the order of their numbers; of one market, or those who fit."""
        states = self._town.states
        found = (states["phase"] == SUBSCRIBED) & (states["logging"] == 1)
        if market is not None:
            found &= states["market"] == self._place("market", market, self._town.world.markets)
        places = np.flatnonzero(found)
        places = places[np.argsort(states["subject"][places])]
        return [it for it in self._seen(places) if where is None or where(it)]

    def subscriber(self, who: Who) -> Subscriber | None:
        """Somebody as they stand now; None for who is no member."""
        i = self._town.place_of(_number(who))
        state = self._town.states[i]
        return self._seen(np.array([i]))[0] if state["phase"] == SUBSCRIBED and state["logging"] else None

    def draw(self, who: Who, name: str, occasion: date | datetime | int | None = None) -> float:
        """Luck from 0 to 1 (never 1), always the same for this person, name and occasion.

        The occasion is a moment (its hour), a day, or a number that says which of several; by default this hour.
        """
        key = self._town.states["key"][self._town.place_of(_number(who))]
        digest = hashlib.sha256(name.encode()).digest()
        named = int.from_bytes(digest[: _NAME_BITS // 8], "big") << _OCCASION_BITS
        return draws.draw(int(key), purpose.OWN_PROCESS, named | self._occasion(occasion)) / draws.ONE

    def cancel(self, who: Who) -> Answer:
        """The member cancels: at the end of what is paid, or at once while something is owed."""
        return self._act(who, acts.CANCEL)

    def replace_method(self, who: Who, kind: str) -> Answer:
        """The member puts a payment method of this kind on file; nothing is charged by that (see `retry`)."""
        return self._act(who, acts.REPLACE_METHOD, self._place("method kind", kind, events.METHOD_KINDS[1:]) + 1)

    def retry(self, who: Who) -> Answer:
        """The member pays: the open invoice is charged now. Whether it was paid, `subscriber(who)` tells."""
        return self._act(who, acts.RETRY)

    def refund(self, who: Who, invoice: int, amount_minor: int, reason: str = "goodwill") -> Answer:
        """Give money of the last paid invoice back, out of goodwill or after a complaint."""
        self._place("reason of a refund", reason, _REFUND_REASONS)
        if not self._town.has_paid(self._town.place_of(_number(who)), invoice, amount_minor):
            return self._answer(who, acts.NOT_PAID)
        return self._act(who, acts.REFUND, invoice, amount_minor, events.REASONS.index(reason))

    def grant(self, who: Who, coupon: str) -> Answer:
        """Give a coupon of the scenario: to members for the next invoices, to others for when they come back."""
        return self._act(who, acts.GRANT, self._place("coupon", coupon, self._names.coupons[1:]) + 1)

    def send_notice(self, who: Who) -> Answer:
        """One more reminder of the open invoice, beyond those of the policy."""
        return self._act(who, acts.SEND_NOTICE)

    def emit(self, kind: str, who: Who, *, amount_minor: int = 0, score: int = 0, reason: str = "none") -> Answer:
        """Write an event of a kind of your own into the log; it changes nothing else.

        `reason` is one of the log's labels (`billing_sim.events.REASONS`), `score` at most 32,767.
        """
        known = self._town.kinds
        number = known[self._name("event kind", kind, tuple(known))]
        label = self._place("reason", reason, events.REASONS)
        if not (_is_int(amount_minor, _MOST_AMOUNT) and _is_int(score, _MOST_SCORE)):
            raise QueryError(f"{kind}: amount_minor and score are whole numbers, and a score is at most {_MOST_SCORE}.")
        done = self._town.write_own(self._town.place_of(_number(who)), number, amount_minor, score, label)
        return Answer(True) if done else self._answer(who, acts.NOT_IN_LOG)

    def _act(self, who: Who, what: int, *details: int) -> Answer:
        refusal = self._town.act(self._town.place_of(_number(who)), what, *details, *[0] * (3 - len(details)))
        return self._answer(who, refusal)

    @staticmethod
    def _answer(who: Who, refusal: int) -> Answer:
        return Answer(False, f"{people.describe(_number(who))} {acts.REFUSALS[refusal]}.") if refusal else Answer(True)

    def _place(self, what: str, name: str, known: tuple[str, ...]) -> int:
        return known.index(self._name(what, name, known))

    @staticmethod
    def _name(what: str, name: str, known: tuple[str, ...]) -> str:
        if name not in known:
            raise QueryError(f"there is no {what} {name!r}; there are: {', '.join(known) or 'none'}.")
        return name

    def _occasion(self, occasion: date | datetime | int | None) -> int:
        if occasion is None:
            return int(self.env.now) // HOUR
        if isinstance(occasion, datetime):
            return _instant(occasion) // HOUR
        number = clock.day_number(occasion) if isinstance(occasion, date) else occasion
        if not isinstance(number, int) or not 0 <= number < 1 << _OCCASION_BITS:
            raise QueryError(f"the occasion of a draw is a moment, a day or a number from 0 on, not {occasion!r}.")
        return number

    def _seen(self, places: NDArray[np.int64]) -> list[Subscriber]:
        """Those who have these places, as they stand now; field by field, as reading one record's is slow."""
        states, names = self._town.states, self._names
        past_due = (states["open"][places] != 0) & (states["first_failed"][places] < NEVER)
        fields = [states[name][places] for name in ("subject", "market", "plan", "amount", "invoice", "joined_day")]
        fields += [states[name][places, FIRST] for name in ("method_kind", "method_expiry")]
        fields += [past_due, states["held"][places] != 0, states["canceling"][places] != 0]
        return [
            Subscriber(
                number, names.markets[market], names.plans[plan], events.METHOD_KINDS[kind], _end_of_month(expiry),
                names.scenario.markets[names.markets[market]].currency, amount, invoice, self._tenure(joined), *flags,
            )
            for number, market, plan, amount, invoice, joined, kind, expiry, *flags
            in zip(*(it.tolist() for it in fields), strict=True)
        ]  # fmt: skip

    def _tenure(self, joined_day: int) -> int:
        joined, today = clock.date_of(joined_day), clock.date_of(int(self.env.now) // DAY)
        months = (today.year - joined.year) * 12 + today.month - joined.month
        return max(0, months - (today.day < joined.day))


def _end_of_month(expiry: int) -> date | None:
    """The last day on which a card is good, of a month counted from January of the year 0; None for 0: no card."""
    return date((expiry + 1) // 12, (expiry + 1) % 12 + 1, 1) - timedelta(1) if expiry else None


def _number(who: Who) -> int:
    """The number of a person, however they are named."""
    if isinstance(who, Subscriber):
        return who.number
    try:
        return people.parse(who) if isinstance(who, str) else int(who)
    except (TypeError, ValueError):
        raise QueryError(f"{who!r} is not a subscriber; they read like {people.EXAMPLES}.") from None


def _instant(moment: datetime | date | str) -> int:
    """A moment in microseconds UTC."""
    try:
        moment = datetime.fromisoformat(moment) if isinstance(moment, str) and len(moment) > 10 else moment
        moment = date.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError:
        raise QueryError(f"{moment!r} is no moment: give a day such as 2025-03-01, or a datetime.") from None
    if not isinstance(moment, datetime):
        return clock.day_number(moment) * DAY
    if moment.tzinfo is None:
        raise QueryError(f"{moment} names no time zone: write datetime(..., tzinfo=UTC).")
    return clock.micros(moment.astimezone(UTC))


def _is_int(number: Any, most: int) -> bool:
    return isinstance(number, int | np.integer) and abs(int(number)) <= most
