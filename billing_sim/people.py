"""Who is who: the number of a person is made of where and when they first appeared, and nothing else.

The subject of every draw is this number, so adding a market or more members only adds people: nobody's luck moves.

    code of the market (4 characters of 0-9A-Z, 21 bits) | how they came (2 bits) | which one (40 bits)

Members at the start and people who had left before it are numbered by ordinal; newcomers by the hour of arrival and
their place in it; who uses a member's account from outside the household by that member, the host, and their place
there. People read `US-1042`, `US-former-7`, `US-2025-03-04T17-2`, `US-1042-borrower-1`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

ALPHABET = " 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BASE, FORMER, ARRIVAL, MARKET_ITSELF = 0, 1, 2, 3
BORROWER = MARKET_ITSELF
"""A market itself is the first of these numbers; the others are borrowers."""

KIND_SHIFT = 40
MARKET_SHIFT = 42
ARRIVAL_SHIFT = 20
"""An arrival is its hour since 1970 times 2**20 plus its place in the hour."""

BOTS_FROM = 1 << 19
"""Places in the hour from here on are those of card-testing bots, so that they move no person's number."""

HOST_SHIFT = 3
MOST_BORROWERS = 4
"""A borrower is 1 + the ordinal of the host times 2**3 + their place, from 0, among those who borrow from the host."""

SHARDS = 64
_ORDINAL_MASK = (1 << KIND_SHIFT) - 1
_NAME = re.compile(r"([A-Z][A-Z0-9]{1,3})-(?:(former)-)?(\d+)")
_BORROWER = re.compile(r"([A-Z][A-Z0-9]{1,3})-(\d+)-borrower-([1-4])")
_ARRIVAL = re.compile(r"([A-Z][A-Z0-9]{1,3})-(\d{4}-\d\d-\d\dT\d\d)-(\d+)")


def market_number(code: str) -> int:
    """The number of a market code of 2 to 4 characters; ordered as the texts are."""
    number = 0
    for character in code.ljust(4):
        number = number * len(ALPHABET) + ALPHABET.index(character)
    return number


def _market_code(number: int) -> str:
    characters = ""
    for _ in range(4):
        number, rest = divmod(number, len(ALPHABET))
        characters = ALPHABET[rest] + characters
    return characters.strip()


def subscriber_number(market: str, kind: int, which: int) -> int:
    """The number of a person: `which` is an ordinal, or for arrivals hour * 2**20 + place."""
    return (market_number(market) << MARKET_SHIFT) | (kind << KIND_SHIFT) | which


def host_of(borrower: int) -> int:
    """The number of the member whose account a borrower uses."""
    market = borrower >> MARKET_SHIFT << MARKET_SHIFT
    return market | ((borrower & _ORDINAL_MASK) - 1) >> HOST_SHIFT


def is_borrower(subscriber: int) -> bool:
    """Whether a number is that of somebody who uses a member's account from outside the household."""
    return (subscriber >> KIND_SHIFT) & 3 == BORROWER and subscriber & _ORDINAL_MASK > 0


EXAMPLES = "US-1042, US-2025-03-04T17-2 or US-10-borrower-1"
"""A member of before the start, somebody who came in an hour, and one who uses a member's account."""


def describe(subscriber: int) -> str:
    """A person's number as people read it."""
    market = _market_code(subscriber >> MARKET_SHIFT)
    kind = (subscriber >> KIND_SHIFT) & 3
    which = subscriber & _ORDINAL_MASK
    if kind == ARRIVAL:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=which >> ARRIVAL_SHIFT)
        return f"{market}-{moment:%Y-%m-%dT%H}-{which & ((1 << ARRIVAL_SHIFT) - 1)}"
    if kind == BORROWER and which:
        return f"{market}-{(which - 1) >> HOST_SHIFT}-borrower-{((which - 1) & ((1 << HOST_SHIFT) - 1)) + 1}"
    return f"{market}-former-{which}" if kind == FORMER else f"{market}-{which}"


def parse(text: str) -> int:
    """The number behind `describe`'s text (or the plain number); ValueError when it is neither."""
    if text.isdecimal():
        return int(text)
    if found := _ARRIVAL.fullmatch(text):
        moment = datetime.strptime(found[2], "%Y-%m-%dT%H").replace(tzinfo=UTC)
        hour = int(moment.timestamp()) // 3600
        return subscriber_number(found[1], ARRIVAL, (hour << ARRIVAL_SHIFT) | int(found[3]))
    if found := _BORROWER.fullmatch(text):
        return subscriber_number(found[1], BORROWER, (int(found[2]) << HOST_SHIFT) + int(found[3]))
    if found := _NAME.fullmatch(text):
        return subscriber_number(found[1], FORMER if found[2] else BASE, int(found[3]))
    raise ValueError(f"{text!r} is not a subscriber; they read like {EXAMPLES}")
