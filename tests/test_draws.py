"""Luck: uniform, the same whenever it is asked for, and no two questions share an answer."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_sim import draws, purposes
from billing_sim.draws import OCCASION_LIMIT, ONE, threshold

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
KEYS = st.integers(0, (1 << 63) - 1)
PURPOSES = st.integers(0, draws.PURPOSES - 1)
OCCASIONS = st.integers(0, OCCASION_LIMIT - 1)
DRAWS = st.integers(0, ONE - 1)
MANY = 200_000

FROZEN = """
SHARD GROUP ARRIVAL_GAP ARRIVAL_MINUTE PLAN METHOD_KIND BACKUP BACKUP_KIND TENURE BILLING_MINUTE PAYDAY CARD_AGE TOKEN
GIFT INTENT_START INTENT_CHANGE INTENT_MOMENT INTENT_KIND EXIT_CHANNEL EPISODE EPISODE_MOMENT UPDATER PROACTIVE
PROACTIVE_DELAY ATTENTION ATTENTION_HOUR REACTION SELF_FIX FUNDS SUSPICION ROUTE OUTAGE CODE RESOLUTION RETURN_LAG
RECORD_DELAY WIN_BACK WIN_BACK_MOMENT SIGNUP_AGAIN SIGNUP_METHOD FORMER_LAPSE FORMER_KIND PRICE_RESPONSE NEW_METHOD
RETRY_MINUTE PROBE STRAINED SIGNUP_RISK ANCHOR EXPIRY MEANS MACHINE SAMPLE REACH
""".split()
"""Purposes by number, from 1: new ones go behind, and none ever moves."""


def plain_mix13(x: int) -> int:
    """Stafford's variant 13, from the paper."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    return x ^ x >> 31


def plain_mx3(x: int) -> int:
    """Maiga's mx3, revision 2."""
    for shift in (32, 29, 32):
        x = (x ^ x >> shift) * 0xBEA225F9EB34556D & MASK
    return x ^ x >> 29


def plain_draw(key: int, purpose: int, occasion: int) -> int:
    """The construction as the module's docstring states it."""
    return plain_mix13(key + (occasion * 1024 + purpose + 1) * GOLDEN & MASK) >> 2


@given(KEYS, PURPOSES, OCCASIONS)
def test_compiled_draws_are_those_of_the_definition(key, purpose, occasion):
    """Word for word, at any size of the arguments."""
    assert draws.draw(key, purpose, occasion) == plain_draw(key, purpose, occasion)


@given(st.integers(0, (1 << 62) - 1), st.integers(0, (1 << 63) - 1))
def test_compiled_keys_are_those_of_the_definition(seed, subject):
    """One key per run, one per subject of it, each without its lowest bit."""
    key = plain_mx3(seed + GOLDEN & MASK) >> 1
    assert draws.run_key(seed) == key
    assert draws.subject_key(key, subject) == plain_mx3(key + subject * GOLDEN & MASK) >> 1


def test_the_construction_never_changes():
    """Known answers: every digest ever published hangs on them."""
    key = draws.subject_key(draws.run_key(1), 42)
    assert key == 8968754053487789671
    assert draws.draw(key, purposes.FUNDS, 482_136) == 2973634161981984695
    assert draws.draw(0, 0, 0) == 4073552104164651883


@given(KEYS, PURPOSES, OCCASIONS)
def test_a_draw_lies_below_certainty(key, purpose, occasion):
    """Between 0 and 2**62: a probability of 1 always holds, one of 0 never."""
    u = draws.draw(key, purpose, occasion)
    assert 0 <= u < ONE == threshold(Decimal(1))
    assert not u < threshold(Decimal(0))


@given(DRAWS, st.integers(1, (1 << 31) - 1))
def test_a_choice_among_n_is_in_range_and_monotone(u, n):
    """0 to n - 1, the upper bits deciding; a larger draw never chooses less."""
    chosen = draws.below(u, n)
    assert chosen == ((u >> 30) * n) >> 32
    assert 0 <= chosen < n
    assert draws.below(min(u + (1 << 30), ONE - 1), n) >= chosen


@given(st.decimals(0, 1, places=12), st.decimals(0, 1, places=12))
def test_thresholds_are_exact_and_monotone(low, high):
    """Within half a unit of the decimal text; a larger probability includes everybody whom a smaller one includes."""
    low, high = sorted((low, high))
    assert threshold(low) <= threshold(high)
    assert abs(Decimal(threshold(low)) - low * ONE) <= Decimal("0.5")


@pytest.mark.parametrize("probability", ["-0.01", "1.0000001"])
def test_what_is_no_probability_is_refused(probability):
    """Below 0 or above 1."""
    with pytest.raises(ValueError, match="not a probability"):
        threshold(Decimal(probability))


def layout(name: str) -> np.ndarray:
    """Many draws that lie side by side in use: consecutive hours, consecutive people, all purposes."""
    key = draws.run_key(7)
    if name == "occasions":
        found = [draws.draw(key, purposes.PROBE, i) for i in range(MANY)]
    elif name == "subjects":
        found = [draws.draw(draws.subject_key(key, i), purposes.PROBE, 0) for i in range(MANY)]
    else:
        found = [draws.draw(key, i % 64, i // 64) for i in range(MANY)]
    return np.array(found, np.int64)


@pytest.mark.parametrize("name", ["occasions", "subjects", "purposes"])
def test_draws_are_uniform_in_every_bit(name):
    """Chi-square over 62 bits, over the leading byte, and over the bits in which neighbours differ."""
    found = layout(name)
    for values in (found, found[1:] ^ found[:-1]):
        ones = np.array([((values >> bit) & 1).sum() for bit in range(62)])
        deviations = (ones - len(values) / 2) / np.sqrt(len(values) / 4)
        assert abs((deviations**2).sum() - 62) < 5 * np.sqrt(2 * 62)
        assert np.abs(deviations).max() < 5
    counts = np.bincount(found >> 54, minlength=256)
    chi_square = ((counts - MANY / 256) ** 2 / (MANY / 256)).sum()
    assert abs(chi_square - 255) < 5 * np.sqrt(2 * 255)


@pytest.mark.parametrize("name", ["occasions", "subjects", "purposes"])
def test_no_two_questions_share_an_answer(name):
    """Of 200,000 draws none is equal to another (by chance once in two hundred million tries)."""
    assert len(np.unique(layout(name))) == MANY


@pytest.mark.parametrize("probability", ["0.001", "0.03", "0.5", "0.999"])
def test_events_happen_as_often_as_they_should(probability):
    """The share of draws below a threshold is its probability, within four standard errors."""
    p = float(probability)
    happened = (layout("occasions") < threshold(Decimal(probability))).mean()
    assert abs(happened - p) < 4 * np.sqrt(p * (1 - p) / MANY)


def test_purposes_are_never_renumbered():
    """Each has its own number, and it is the one it always had."""
    numbers = {name: value for name, value in vars(purposes).items() if name.isupper()}
    assert [numbers[name] for name in FROZEN] == list(range(1, len(FROZEN) + 1))
    assert len(set(numbers.values())) == len(numbers)
    assert all(0 < number < draws.PURPOSES for number in numbers.values())
