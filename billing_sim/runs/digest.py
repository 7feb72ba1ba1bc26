"""Fingerprints of rows: the same rows in the same order give the same text, whatever blocks they came in.

Parquet's bytes change with its version; what is promised across platforms, drivers and workers is therefore a digest
of the *content*: per logical shard over its rows in canonical order, then over the shards. It is made while the rows
pass by, by four lanes that take the rows' 64-bit words in turn, so that four multiplications are always under way:

    lane = (rotate_left(lane, 29) xor word) * K        K odd

For a given word each step is a bijection of the lane and for a given lane one of the word, so two streams of rows
that differ in one word differ for ever in that lane. It guards against mistakes, not against forgers.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
from numba import config

from billing_sim.rule import entry, rule

START = (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89)
"""The lanes before the first row: the fractional digits of pi."""

_MASK = 0xFFFFFFFFFFFFFFFF
_K = 0xD6E8FEB86659FD93
_unsigned: Any = int if config.DISABLE_JIT else np.uint64


@rule("uint64(uint64, uint64)", inline=True)
def _stir(lane: int, word: int) -> int:
    turned = ((lane << 29) & _MASK) | (lane >> 35)
    return ((turned ^ word) * _K) & _MASK


@entry("void(uint64[::1], uint64[::1], int64, int64)")
def mix_rows(lanes: np.ndarray, words: np.ndarray, first_word: int, last_word: int) -> None:
    """Stir the words numbered `first_word` to `last_word` (exclusive) into the four lanes.

    Rows are given as the 64-bit words of their memory; their padding is zero. The lanes are kept as a queue whose head
    takes the next word, so the state needs no position and blocks may end anywhere.
    """
    a, b, c, d = _unsigned(lanes[0]), _unsigned(lanes[1]), _unsigned(lanes[2]), _unsigned(lanes[3])
    count = last_word - first_word
    block = words[first_word:last_word]
    for four in range(count // 4):
        a = _stir(a, _unsigned(block[4 * four]))
        b = _stir(b, _unsigned(block[4 * four + 1]))
        c = _stir(c, _unsigned(block[4 * four + 2]))
        d = _stir(d, _unsigned(block[4 * four + 3]))
    for i in range(count - count % 4, count):
        a, b, c, d = b, c, d, _stir(a, _unsigned(block[i]))
    lanes[0], lanes[1], lanes[2], lanes[3] = a, b, c, d


class ShardDigest:
    """The digest of one shard, fed with its rows block by block; `lanes` may be handed to compiled code."""

    def __init__(self) -> None:
        self.lanes = np.array(START, np.uint64)
        self.rows = 0

    def update(self, rows: np.ndarray) -> None:
        """Add a block of records whose size is a multiple of 8 bytes."""
        words = np.ascontiguousarray(rows).view(np.ndarray).view(np.uint64)
        mix_rows(self.lanes, words, 0, words.shape[0])
        self.rows += rows.shape[0]

    def hexdigest(self) -> str:
        """32 hexadecimal digits for the rows so far; more may follow."""
        state = struct.pack("<5Q", *(int(lane) for lane in self.lanes), self.rows)
        return hashlib.sha256(state).hexdigest()[:32]


def combine(shard_digests: Iterable[str], extra: str = "") -> str:
    """One SHA-256 over the digests of all shards, in shard order, and over `extra` (the world events' digest)."""
    return hashlib.sha256("\n".join([*shard_digests, extra]).encode()).hexdigest()
