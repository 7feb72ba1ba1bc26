"""E-mail addresses, made up from the numbers of people: as they are known, as people type them, and how they compare.

No address is anybody's: all end in `example.invalid`. People type theirs with capitals, dots and tags; whoever matches
addresses normalises them first. A typing mistake changes a digit, so it may even be the address of somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable

from billing_sim import draws, people
from billing_sim import purposes as purpose

DOMAIN = "@example.invalid"
_WAYS = 4


def address(subscriber: int) -> str:
    """The address under which a person signs up, as exports have it."""
    return people.describe(subscriber).lower() + DOMAIN


def typed(subscriber: int, mistakes: int, seed: int) -> str:
    """The address as it is left on a landing page, with so many digits wrong."""
    key = int(draws.subject_key(draws.run_key(seed), subscriber))
    name = address(subscriber).removesuffix(DOMAIN)
    for mistake in range(mistakes):
        name = _with_mistake(name, int(draws.draw(key, purpose.CAMPAIGN_MISTAKE, mistake + 1)))
    way = int(draws.below(draws.draw(key, purpose.CAMPAIGN_MISTAKE, 0), _WAYS))
    told = (name, name.upper(), name.replace("-", ".-", 1), f"{name}+films")[way]
    return told + DOMAIN


def _with_mistake(name: str, luck: int) -> str:
    places = [i for i, letter in enumerate(name) if letter.isdigit()]
    place = places[int(draws.below(luck, len(places)))]
    other = (int(name[place]) + 1 + luck % 9) % 10
    return f"{name[:place]}{other}{name[place + 1 :]}"


def normalised(text: str) -> str:
    """What is left of an address when capitals, dots and tags do not count.

    >>> normalised("US.-1042+films@Example.invalid")
    'us-1042@example.invalid'
    """
    name, _, domain = text.strip().lower().partition("@")
    return f"{name.partition('+')[0].replace('.', '')}@{domain}"


def matched(left: Iterable[str], subscribers: Iterable[int]) -> list[int | None]:
    """For each address that was left, whom it finds among these people; None where it finds nobody."""
    known = {normalised(address(who)): who for who in subscribers}
    return [known.get(normalised(text)) for text in left]
