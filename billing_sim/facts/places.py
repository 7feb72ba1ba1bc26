"""Finding the unit that a row is about. Logs may be damaged: a row may come whose unit never came, or twice.

In a whole log the unit is always the last of its kind, so nothing is searched; otherwise the person's own units are
looked through from the last to the first.
"""

from __future__ import annotations

from billing_sim.facts.record import ATTEMPTS, Int, Page, Person, Row
from billing_sim.rule import rule

NOWHERE = -1


@rule(Int(Page, Person, Int))
def invoice_place(page, person, number):
    """Where this person's invoice of this number is on the page; NOWHERE when it was not seen."""
    i = person.invoice
    while i >= 0 and page.invoices[i].subscriber == person.subscriber:
        if page.invoices[i].invoice == number:
            return i
        i -= 1
    return NOWHERE


@rule(Int(Page, Person, Row))
def attempt_place(page, person, row):
    """Where the attempt that a later row is about is on the page; NOWHERE when it was not seen."""
    i = page.count[ATTEMPTS] - 1
    while i >= 0 and page.attempts[i].subscriber == person.subscriber:
        if page.attempts[i].invoice == row.invoice and page.attempts[i].attempt == row.attempt:
            return i
        i -= 1
    return NOWHERE


@rule(Int(Page, Person))
def is_spell_seen(page, person):
    """Whether the subscription of the current spell is on the page, ended or not."""
    if person.spell_row >= 0 and page.subscriptions[person.spell_row].spell == person.spell:
        return 1
    return 0


@rule(Int(Page, Person))
def is_spell_billed(page, person):
    """Whether the last invoice on the page belongs to the current spell."""
    if person.invoice >= 0 and page.invoices[person.invoice].spell == person.spell:
        return 1
    return 0


@rule(Int(Page, Person))
def is_signing_up(page, person):
    """Whether the next invoice is a sign-up's first: nobody pays twice before the subscription begins."""
    return 1 if person.signup_row >= 0 and not is_spell_billed(page, person) else 0
