"""Compiling rules only as far as an entry point needs them: to LLVM's own form, neither optimised nor machine code.

Numba optimises every function it compiles, and everything beneath it again, and makes machine code of it all. A rule's
is never run: only that of the few entry points is, into which rules are linked and with which they are optimised.
Leaving out the machine code took a quarter off a first start, leaving the optimising to the entry points another.

This reaches below Numba's public surface. Where a version of Numba has no such place, rules are compiled in the
ordinary way: slower, and otherwise the same.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from numba import types
from numba.core import sigutils
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import cpu_target

_PLACES = (
    "add_linking_library", "finalize", "_finalize_dynamic_globals", "_optimize_functions",
    "_raise_if_finalized", "_unserialize",
)  # fmt: skip
"""What is reached into."""


class _LinkedOnly(JITCodeLibrary):
    """The code of one rule and of nothing that it calls, to be linked into entry points."""

    def _optimize_functions(self, module: Any) -> None:
        """Leave it to the entry points."""

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        self._finalized = True


class _Linking(JITCodeLibrary):
    """The code of an entry point: with a rule come the rules that it calls, each once."""

    def add_linking_library(self, library: Any) -> None:
        if library in self._linking_libraries:
            return
        super().add_linking_library(library)
        if isinstance(library, _LinkedOnly):
            for called in library._linking_libraries:
                self.add_linking_library(called)


class _Kinds:
    """Makes the library of each function; stands where Numba keeps the one class of all libraries."""

    _unserialize = JITCodeLibrary._unserialize

    def __init__(self, linked_only: set[str]) -> None:
        self._linked_only = linked_only

    def __call__(self, codegen: Any, name: str) -> JITCodeLibrary:
        return (_LinkedOnly if name in self._linked_only else _Linking)(codegen, name)


@contextmanager
def _libraries(linked_only: set[str]) -> Iterator[None]:
    """While this holds, the libraries of these functions are `_LinkedOnly`, and all others `_Linking`."""
    codegen = cpu_target.target_context.codegen()
    ordinary, told = codegen._library_class, types.Record.__repr__
    codegen._library_class = _Kinds(linked_only)
    # Every pass over every function spells out its arguments' types for listeners that nobody has; ours have hundreds
    # of fields (measured: one second in fifteen).
    types.Record.__repr__ = types.Type.__str__
    # Millions of small objects are made, and hardly any rubbish that only a search would find.
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            # Nor now: there and back they are among what is old and rarely searched (measured: two seconds in fifteen).
            gc.freeze()
            gc.unfreeze()
            gc.enable()
        codegen._library_class, types.Record.__repr__ = ordinary, told


def _flags_of_rule(flags: Any) -> Any:
    """No machine code, and no rewriting of what rules do not contain: whole-array arithmetic, dead branches."""
    flags.no_compile = True
    flags.no_rewrites = True
    return flags


def compile_for_linking(rules: Iterable[tuple[Any, Any]]) -> None:
    """Compile (function, signature) pairs in order, so that each finds those that it calls."""
    rules = list(rules)
    with _libraries({function.py_func.__qualname__ for function, _ in rules}):
        for function, signature in rules:
            function._compiler._customize_flags = _flags_of_rule
            found = function._compiler.compile(*sigutils.normalize_signature(signature))
            # Numba tells functions apart by their entry points; any distinct built-in will do for one never entered.
            found = found._replace(entry_point=[].append)
            function.targetctx.insert_user_function(found.entry_point, found.fndesc, [found.library])
            function.add_overload(found)
            function.disable_compile()


def compile_entry(function: Any, signature: Any) -> None:
    """Compile a function for the interpreter to call, all rules beneath it included and optimised with it."""
    with _libraries(set()):
        function.compile(signature)


def is_possible() -> bool:
    """Whether this version of Numba has the places that are reached into."""
    return all(hasattr(JITCodeLibrary, place) for place in _PLACES) and hasattr(
        cpu_target.target_context.codegen(), "_library_class"
    )
