"""The content digest: the same for any blocks, another for any difference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs_samples import log_rows, truth_rows

from billing_sim.runs.digest import ShardDigest, combine, mix_rows

ROWS = log_rows(60)


def digest_of(*blocks: np.ndarray) -> str:
    digest = ShardDigest()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


WHOLE = digest_of(ROWS)
GOLDEN = "f8d3319b4d90c390a62f2eb25818fbb3"


def test_the_digest_of_known_rows_never_changes():
    """Stored runs are compared by it across versions and platforms."""
    assert digest_of(np.arange(30, dtype=np.uint64).view([("a", "u8"), ("b", "u8"), ("c", "u8")])) == GOLDEN


@given(cuts=st.lists(st.integers(0, 60), max_size=5))
def test_blocks_of_any_size_give_the_same_digest(cuts):
    """A shard is digested block by block, wherever the blocks end."""
    assert digest_of(*np.split(ROWS, sorted(cuts))) == WHOLE


@given(byte=st.integers(0, ROWS.nbytes - 1), bit=st.integers(0, 7))
def test_any_flipped_bit_changes_the_digest(byte, bit):
    """One bit anywhere, padding included, is another content."""
    damaged = ROWS.copy()
    damaged.view(np.uint8)[byte] ^= 1 << bit
    assert digest_of(damaged) != WHOLE


@given(pair=st.lists(st.integers(0, 59), min_size=2, max_size=2, unique=True))
def test_swapping_two_rows_changes_the_digest(pair):
    """Order is content."""
    swapped = ROWS.copy()
    swapped[pair] = ROWS[pair[::-1]]
    assert digest_of(swapped) != WHOLE


@pytest.mark.parametrize("last", [0, 1, 58, 59])
def test_dropping_rows_changes_the_digest(last):
    """A log that stops early is another log."""
    assert digest_of(ROWS[:last]) != WHOLE


def test_an_empty_row_counts():
    """Even a row of zeros is a row."""
    nothing = np.zeros(1, ROWS.dtype)
    assert len({digest_of(), digest_of(nothing), digest_of(nothing, nothing), digest_of(ROWS, nothing), WHOLE}) == 5


def test_reading_the_digest_does_not_end_it():
    """More rows may follow after a look."""
    digest = ShardDigest()
    digest.update(ROWS[:10])
    digest.hexdigest()
    digest.update(ROWS[10:])
    assert digest.hexdigest() == WHOLE


def test_compiled_code_may_feed_the_lanes_itself():
    """A kernel that mixes words by their numbers gets the lanes that `update` gets."""
    digest, words = ShardDigest(), ROWS.view(np.uint64)
    width = ROWS.itemsize // 8
    mix_rows(digest.lanes, words, 0, 7 * width)
    mix_rows(digest.lanes, words, 7 * width, 60 * width)
    digest.rows = 60
    assert digest.hexdigest() == WHOLE


def test_narrower_rows_are_digested_too():
    """Truth rows have another number of words; nothing depends on it being a multiple of four."""
    rows = truth_rows(9)
    assert digest_of(rows[:4], rows[4:]) == digest_of(rows)


def test_shards_are_combined_in_order():
    """The digest of a run tells its shards apart, and includes what is added to them."""
    told = {combine(["a", "b"]), combine(["b", "a"]), combine(["ab"]), combine(["a", "b"], "world"), combine([])}
    assert len(told) == 5
    assert combine(iter(["a", "b"])) == combine(["a", "b"])
