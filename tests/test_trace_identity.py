"""Invented people: the same every time, in the market's language, and never at a real address."""

from __future__ import annotations

import re
import subprocess
import sys

from billing_sim import people
from billing_sim.scenario import load
from billing_sim.trace.identity import Identity, invent

BRAZILIAN = people.subscriber_number("BR", people.BASE, 17)


def test_the_same_subscriber_of_the_same_run_is_always_the_same_person():
    first = invent(BRAZILIAN, 7, "pt_BR")
    invent(BRAZILIAN + 1, 7, "pt_BR")
    assert invent(BRAZILIAN, 7, "pt_BR") == first


def test_another_subscriber_and_another_seed_are_other_people():
    names = {invent(BRAZILIAN + i, seed, "pt_BR").name for i in range(5) for seed in (1, 2)}
    assert len(names) > 7


def test_mail_goes_nowhere_and_its_name_is_plain():
    for locale in ("pt_BR", "ja_JP", "de_DE", "pl_PL"):
        email = invent(BRAZILIAN, 7, locale).email
        assert re.fullmatch(r"[a-z]+(\.[a-z]+)*\.br-17@example\.com", email), email


def test_a_name_in_another_script_keeps_it_and_gets_a_plain_address():
    person = invent(people.subscriber_number("JP", people.BASE, 3), 7, "ja_JP")
    assert not person.name.isascii()
    assert person.email == "member.jp-3@example.com"


def test_a_locale_that_nobody_knows_gives_english_names():
    assert invent(BRAZILIAN, 7, "xx_XX") == invent(BRAZILIAN, 7, "en_US")


def test_every_locale_of_the_shipped_scenario_is_known():
    from faker.config import AVAILABLE_LOCALES

    markets = load("scenarios/streaming.yaml", members=1000).scenario.markets
    assert {market.locale for market in markets.values()} <= set(AVAILABLE_LOCALES)


def test_a_person_reads_as_invented():
    person = Identity("Ana Souza", "ana.souza.br-17@example.com", "Recife")
    assert str(person) == "Ana Souza <ana.souza.br-17@example.com>, Recife (invented)"


def test_names_are_loaded_only_when_asked_for():
    code = "import sys, billing_sim.trace.story; sys.exit('faker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
