"""A disk without room: a file grows to some bytes, and what comes after is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def no_room(size: int = 10) -> Iterator[None]:
    """Within the block no file of this process grows beyond so many bytes."""
    resource = pytest.importorskip("resource")
    limit = resource.RLIMIT_FSIZE
    soft, hard = resource.getrlimit(limit)
    resource.setrlimit(limit, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(limit, (soft, hard))
