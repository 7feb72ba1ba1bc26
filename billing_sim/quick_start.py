"""What a short-lived process need not do: search for rubbish, start threads for linear algebra, load it at all, and
take itself apart in the end."""

from __future__ import annotations

import atexit
import gc
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any

_OBJECTS_BETWEEN_SEARCHES = 100_000
"""Imports and scenarios make hundreds of thousands of objects that stay; by default Python searches after every 700."""

_NUMBA_STATISTICS = "numba.np.arraymath"
"""The module of Numba that loads SciPy's linear algebra, only to see whether it is there."""

_LINEAR_ALGEBRA = "scipy.linalg"


def hurry() -> None:
    """Set up the process of one command: to be called before NumPy is imported, by programs and not by libraries."""
    gc.set_threshold(_OBJECTS_BETWEEN_SEARCHES, 20, 100)
    # Its threads spin while they wait, and nothing here multiplies matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def exit_at_once(program: Callable[[], None]) -> None:
    """Run a program that ends with SystemExit, and end the process without letting go of each object by itself first.

    That takes a fifth of a short command's time (measured: 0.3 s), and the system takes everything back anyway. What is
    registered for the end is done and threads are waited for, as ever; only programs of our own may end so.
    """
    status: list[int] = []

    def end() -> None:
        if status:
            try:
                for stream in (sys.stdout, sys.stderr):
                    stream and stream.flush()
            except (OSError, ValueError):
                return  # nobody reads it any more: Python has its own way of ending then
            os._exit(status[0])

    atexit.register(end)  # the first to be registered is the last to be called
    try:
        program()
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            status.append(ended.code or 0)
        raise


def load_numba_without_scipy() -> None:
    """Import Numba's array functions, and leave SciPy's linear algebra to whoever needs it (measured: 0.3 s a start).

    What Numba would have found out is told to it, so a function of a user's own that multiplies matrices compiles as
    ever: it looks for SciPy then. Where a version of Numba has no such place, nothing is changed.
    """
    if _NUMBA_STATISTICS in sys.modules or _LINEAR_ALGEBRA in sys.modules:
        return
    there = importlib.util.find_spec("scipy") is not None
    sys.modules[_LINEAR_ALGEBRA] = None  # type: ignore[assignment]
    try:
        found: Any = importlib.import_module(_NUMBA_STATISTICS)
    except ImportError:
        return
    finally:
        del sys.modules[_LINEAR_ALGEBRA]
    if hasattr(found, "_HAVE_BLAS"):
        found._HAVE_BLAS = there
