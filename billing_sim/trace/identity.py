"""A made-up name for a subscriber, so that a story can be told to people: never a real person, never a real address.

Names come from Faker in the locale of the market and are made only when somebody asks. The same subscriber of the
same run always has the same name, on every machine with the same version of Faker.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Any

from billing_sim import people

DOMAIN = "example.com"
"""Reserved for examples (RFC 2606): mail to it reaches nobody."""


@dataclass(frozen=True)
class Identity:
    """Who a subscriber is called here; everything in it is invented."""

    name: str
    email: str
    city: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>, {self.city} (invented)"


def invent(subscriber: int, seed: int, locale: str) -> Identity:
    """The identity of a subscriber in a run with this seed, in a locale as Faker calls it (`pt_BR`).

    A locale that Faker does not have gives names of `en_US`.
    """
    faker = _faker(locale)
    faker.seed_instance(int.from_bytes(hashlib.sha256(f"{seed}/{subscriber}".encode()).digest()[:8]))
    name = f"{faker.first_name()} {faker.last_name()}"
    return Identity(name, f"{_local_part(name, subscriber)}@{DOMAIN}", faker.city())


@cache
def _faker(locale: str) -> Any:
    from faker import Faker  # loads dozens of modules, for those who want names

    try:
        return Faker(locale)
    except AttributeError:
        return Faker("en_US")


def _local_part(name: str, subscriber: int) -> str:
    """ASCII letters of the name, then the number, which makes it unique: `ana.souza.br-17`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z]+", plain) or ["member"]
    return ".".join([*words, people.describe(subscriber).lower()])
