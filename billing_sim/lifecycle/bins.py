"""BIN ranges: the first digits of a card's number, by which its issuer is known; and issuers wary of tested ones.

A card belongs to a range by the market's shares, and whoever has it reissued stays with the issuer. An issuer of whose
range many cards are tested at one merchant refuses some of the good ones there too, in the attack and for a while
after.
"""

from __future__ import annotations

from billing_sim import draws
from billing_sim import purposes as purpose
from billing_sim.lifecycle.calendar import hour_of
from billing_sim.lifecycle.state import FIRST, Int, Nothing, State, World
from billing_sim.rule import rule
from billing_sim.world.record import BINS

BLOCK_HOURS = 14 * 24
"""An issuer's suspicion of a card begins at most once in a block of hours, and lasts no longer than one block."""


@rule(Int(World, State, Int))
def bin_of(world, state, u):
    """The BIN range at a place of the market's shares; none where they are not given."""
    market = state.market
    if world.bin_label[market, 0] == 0:
        return 0
    place = 0
    while place < BINS - 1 and u >= world.bin_mix[market, place]:
        place += 1
    return world.bin_label[market, place]


@rule(Nothing(World, State, Int, Int))
def draw_bin(world, state, slot, hour):
    """A card just put on file belongs to a range."""
    state.bin[slot] = bin_of(world, state, draws.draw(state.method_key[slot], purpose.CARD_BIN, hour))


@rule(Nothing(World, State, Int, Int))
def draw_tested_bin(world, state, attack, occasion):
    """The card that a bot tries next: of the range that the attack is about, or like those of members."""
    tested = world.attack_bin[attack]
    if tested and draws.draw(state.key, purpose.TESTED_BIN, occasion) < world.attack_bin_share[attack]:
        state.bin[FIRST] = tested
    else:
        state.bin[FIRST] = bin_of(world, state, draws.draw(state.key, purpose.BESIDE_BIN, occasion))


@rule(Int(World, State, Int, Int))
def issuer_is_wary(world, state, slot, at):
    """Whether the issuer of this card's range refuses it because of an attack on the range.

    The draw is that of suspicion in the block of hours in which the attack begins, so the cards that are suspected
    first are those that would have been suspected anyway.
    """
    label = state.bin[slot]
    if label == 0:
        return 0
    for i in range(world.attacks):
        if world.attack_bin[i] == label and world.attack_market[i, state.market]:
            since = world.attack_from[i]
            if since <= at < world.attack_wary_until[i]:
                block = hour_of(since) // BLOCK_HOURS
                if draws.draw(state.method_key[slot], purpose.SUSPICION, block) < world.attack_refused[i]:
                    return 1
    return 0
