"""Compiled code: rules with pinned signatures, and the few entry points through which the rest of us calls them.

Rules are pinned because Numba otherwise compiles a small function again for every literal it is called with (measured:
91 times). They are compiled only when an entry point is not in the cache yet: a cached entry point holds all the rules
beneath it, so a warm start loads a handful of objects instead of a hundred (measured: 0.3 s instead of 1.9 s).

The cache lives in a folder named by a digest of the sources that the entry points can reach: Numba's own check looks at
one file, so an edited callee would go unnoticed. Nothing in the folder says where the sources lie: every checkout with
the same sources finds the same code there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numba
import numpy as np
from filelock import FileLock
from llvmlite import binding
from numba import config, njit
from numba.core.caching import UserProvidedCacheLocator
from numba.core.registry import cpu_target

from billing_sim import news
from billing_sim.quick_start import load_numba_without_scipy

_GROUND = ("draws", "purposes", "clock", "events", "declines", "people", "rule")
_ENGINE = ("world/record.py", "world/arrivals.py", "world/households.py", "lifecycle", "drivers")
_COMPILING = ("linking.py", "rule_code.py", "shelf.py")
_READERS = ("facts", "runs")
_FOLDERS_KEPT = 6

_pending: list[tuple[Any, Any]] = []


@cache
def sources_digest(places: tuple[str, ...] = ("world", *_ENGINE)) -> str:
    """A SHA-256 over the text of the ground modules and of these modules or packages; by default: of the rules."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in source_files(places):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def source_files(places: tuple[str, ...]) -> list[Path]:
    """The ground modules and these modules or packages."""
    root = Path(__file__).parent
    paths = [root / f"{name}.py" for name in _GROUND]
    for place in places:
        paths += [root / place] if place.endswith(".py") else sorted((root / place).glob("*.py"))
    return paths


def _cache_root() -> Path:
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "billing_sim"
    return Path(os.environ.get("BILLING_SIM_CACHE") or default)


def packages_of(module: str) -> tuple[str, ...]:
    package = module.split(".")[1]
    return ("world/record.py", package) if package in _READERS else _ENGINE


@cache
def cache_folder(packages: tuple[str, ...] = _ENGINE) -> Path:
    """Where machine code for these sources, this Python and this processor is kept; `BILLING_SIM_CACHE` moves it."""
    digest = sources_digest((*packages, *_COMPILING))
    return _cache_root() / f"{numba.__version__}-{_machine()}-{packages[-1]}-{digest[:16]}"


@cache
def _machine() -> str:
    """What machine code depends on besides the sources: Python, the processor, and what of it may be used.

    Two processors of one name may not have the same features, and code for the one is none for the other.
    """
    features = hashlib.sha256(repr(cpu_target.target_context.codegen().magic_tuple()).encode()).hexdigest()
    return f"{binding.get_host_cpu_name()}-{features[:8]}-{sys.implementation.cache_tag}"


class CodeLocator(UserProvidedCacheLocator):
    """Tells Numba where an entry point is kept: in the folder of its sources, wherever those lie themselves."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        super().__init__(py_func, py_file)
        self._cache_path, self._package = config.CACHE_DIR, py_func.__module__.split(".")[-2]

    def get_disambiguator(self) -> str:
        """What tells functions of one name in files of one name apart: the package, and the line."""
        return f"{self._package}-{super().get_disambiguator()}"

    def get_source_stamp(self) -> str:
        """Nothing to be compared: the folder is named by the sources."""
        return "named by its folder"


def is_compiled() -> bool:
    """Whether the engine's machine code is already there, so that nothing has to be announced.

    What lies beneath it (draws, arrivals) is compiled wherever it is imported, and says nothing of the rules.
    """
    return bool(config.DISABLE_JIT) or any(cache_folder().glob("kernel.*.nbc"))


def forget_old_code() -> None:
    """Remove the machine code of older sources, keeping the most recent folders."""
    folders = [folder for folder in _cache_root().glob("*-*") if folder.is_dir()]
    folders.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in folders[_FOLDERS_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


def rule(signature: Any, inline: bool = False, allocates: bool = False) -> Callable[[Callable[..., Any]], Any]:
    """A compiled function with exactly this signature, called from other compiled code only.

    It has no wrappers for the interpreter, which take longer to compile than most rules. `inline` is for the small
    ones on the path of every renewal (measured: a quarter of the time). Only what `allocates` arrays counts who uses
    them: counting is a locked operation, which waits for all that has been fetched ahead (measured: a tenth of a tape).
    """

    def decorate(function: Callable[..., Any]) -> Any:
        if config.DISABLE_JIT:
            return function
        options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": inline, "_nrt": allocates}
        compiled = njit(nogil=True, error_model="numpy", **options)(function)
        _pending.append((compiled, signature))
        return compiled

    return decorate


def entry(signature: Any, inline: bool = False, long: str = "") -> Callable[[Callable[..., Any]], Any]:
    """A compiled function that the interpreter calls: cached on disk together with every rule beneath it.

    `long` says what it is that takes long to compile, for people who wait.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        if config.DISABLE_JIT:
            return function
        folder = cache_folder(packages_of(function.__module__))
        with _kept_in(folder):
            compiled = njit(
                cache=_is_writable(folder.parent), nogil=True, error_model="numpy", forceinline=inline, _nrt=False
            )(function)
        with _alone(folder, f"{function.__module__.split('.')[-1]}.{function.__name__}"):
            _compile(compiled, signature, long)
        compiled.disable_compile()
        return compiled

    return decorate


@cache
def _is_writable(root: Path) -> bool:
    """Whether machine code can be kept there; people who wait learn why they will wait again."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=root):
            return True
    except OSError:
        news.tell(
            f"Machine code cannot be kept in {root}, so it is compiled anew every time; "
            "BILLING_SIM_CACHE names another folder."
        )
        return False


@contextmanager
def _kept_in(folder: Path) -> Iterator[None]:
    """While this holds, what is to be cached is kept in this folder."""
    before = config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES
    config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = str(folder), f"{__name__}.{CodeLocator.__name__}"
    try:
        yield
    finally:
        config.CACHE_DIR, config.CACHE_LOCATOR_CLASSES = before


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    """While this holds, no other process compiles this entry point, or finds it half written.

    Numba writes the index before the code: who reads in between would compile every rule anew, one by one.
    """
    with ExitStack() as held:
        # A folder that cannot be written to is not being written to; where files cannot be locked (FileLock then raises
        # NotImplementedError), processes may compile the same thing side by side.
        with suppress(OSError, NotImplementedError):
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(FileLock(folder / f"{name}.lock"))
        yield


def _compile(function: Any, signature: Any, long: str = "") -> None:
    """Load an entry point; where it is not to be had, compile the rules beneath it and then itself, and say so."""
    from billing_sim.linking import compile_entry, is_possible

    compile_itself = function._compiler.compile

    def compile_both(*told: Any) -> Any:
        if long:
            news.tell(f"Compiling {long}, once: 10 to 20 seconds.")
        load_numba_without_scipy()
        compile_rules(function)
        return compile_itself(*told)

    function._compiler.compile = compile_both
    if is_possible():
        compile_entry(function, signature)
    else:
        function.compile(signature)


def records(array: np.ndarray) -> np.ndarray:
    """An array of records in the form in which rules read them: as it is for compiled ones, and over the same memory
    with fields as attributes where rules run as plain Python.

    Numba looks up what it is given by the dtype. One that is equal to a known one without being the same object, as
    that of every `recarray`, is compared field by field in each call (measured: 50 to 150 us for a world), so all
    arrays of equal records share one.
    """
    if config.DISABLE_JIT:
        return array.view(_attributed(array.dtype))
    known = _dtypes.setdefault(array.dtype, array.dtype)
    return array.view(np.ndarray) if known is array.dtype else array.view(known, np.ndarray)


_dtypes: dict[np.dtype, np.dtype] = {}
"""The first dtype of each kind of records."""


def _attributed(dtype: np.dtype) -> np.dtype:
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return np.dtype((_attributed(base), shape))
    if dtype.fields is None:
        return dtype
    names = list(dtype.names or ())
    layout: Any = {
        "names": names,
        "formats": [_attributed(dtype.fields[name][0]) for name in names],
        "offsets": [dtype.fields[name][1] for name in names],
        "itemsize": dtype.itemsize,
    }
    return np.dtype((np.record, np.dtype(layout)))


def compile_rules(*functions: Any, backwards: bool = False) -> None:
    """Compile the rules beneath these functions, or take them from where another process has kept them."""
    from billing_sim import linking, shelf

    rules = list(_pending)
    _pending.clear()
    if linking.is_possible():
        linking.declare(rules)
        shelf.obtain(linking.beneath(*functions), backwards)
        return
    for function, signature in rules:
        function.compile(signature)
        function.disable_compile()
