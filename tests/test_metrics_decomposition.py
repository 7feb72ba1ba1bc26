"""Why a number moved: terms that add up exactly, and the incident that every stakeholder can read."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from billing_sim.metrics.decomposition import of_ratio, of_sum

SEGMENTS = st.dictionaries(
    st.sampled_from("ABCDE"), st.tuples(st.integers(-50, 1000), st.integers(0, 1000)), min_size=1, max_size=5
)


@given(SEGMENTS, SEGMENTS)
def test_terms_add_up_to_the_change_exactly(before, after):
    """Whatever segments there are, with units on one side only or on neither, nothing is left over."""
    found = of_ratio("market", before, after)
    if not (sum(d for _, d in before.values()) and sum(d for _, d in after.values())):
        assert found is None
        return
    assert sum(term.total for term in found.terms) == found.change
    rates = [Fraction(sum(n for n, _ in side.values()), sum(d for _, d in side.values())) for side in (before, after)]
    assert found.change == rates[1] - rates[0]


@given(
    st.dictionaries(st.sampled_from("ABC"), st.integers(), min_size=1),
    st.dictionaries(st.sampled_from("ABC"), st.integers()),
)
def test_the_terms_of_a_sum_are_its_segments(before, after):
    """Each segment adds its own difference."""
    found = of_sum("plan", before, after)
    assert sum(term.total for term in found.terms) == found.change == sum(after.values()) - sum(before.values())
    assert all(term.mix == term.interaction == 0 for term in found.terms)


def test_better_everywhere_and_worse_in_all_is_mix():
    """Simpson's paradox: both markets gain three points, the pool falls, and the mix says why."""
    before = {"strong": (720, 800), "weak": (120, 200)}
    after = {"strong": (465, 500), "weak": (315, 500)}
    found = of_ratio("market", before, after)
    by = {term.segment: term for term in found.terms}
    assert found.change == Fraction(780, 1000) - Fraction(840, 1000)
    assert by["strong"].within == Fraction(8, 10) * Fraction(3, 100)
    assert by["weak"].within == Fraction(2, 10) * Fraction(3, 100)
    assert sum(term.within for term in found.terms) > 0 > found.change
    assert by["weak"].mix == Fraction(3, 10) * (Fraction(6, 10) - Fraction(84, 100))
    assert found.largest.segment == "weak"


def test_a_segment_that_is_new_is_all_mix():
    """It had no rate before, so it cannot have got better or worse."""
    found = of_ratio("market", {"old": (90, 100)}, {"old": (90, 100), "new": (50, 100)})
    new = next(term for term in found.terms if term.segment == "new")
    assert (new.within, new.interaction) == (0, 0)
    assert new.mix == Fraction(1, 2) * (Fraction(1, 2) - Fraction(9, 10))
