"""Compiling rules only as far as an entry point needs them: to LLVM's own form, without machine code.

Numba makes machine code for every function it compiles, and for everything beneath it again. A rule's is never run:
only that of the few entry points is, into which rules are linked and with which they are optimised. Leaving it out
takes a third off a first start (measured: 20.7 s -> 14.9 s for 120 rules and 3 entry points).

This reaches below Numba's public surface. Where a version of Numba has no such place, rules are compiled in the
ordinary way: slower, and otherwise the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from numba import config
from numba.core import sigutils
from numba.core.codegen import JITCodeLibrary
from numba.core.registry import cpu_target

_LIGHT = 1
"""LLVM's optimisation level for rules; entry points get the full one, rules included."""


class _LinkedOnly(JITCodeLibrary):
    """The code of one rule, to be linked into others."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


@contextmanager
def _linked_only(names: set[str]) -> Iterator[None]:
    """While this holds, the libraries of these functions are `_LinkedOnly`."""
    codegen = cpu_target.target_context.codegen()
    ordinary, level = codegen._library_class, config.OPT
    codegen._library_class = lambda owner, name: (_LinkedOnly if name in names else ordinary)(owner, name)
    config.OPT = type(level)(_LIGHT)
    try:
        yield
    finally:
        codegen._library_class, config.OPT = ordinary, level


def _without_machine_code(flags: Any) -> Any:
    flags.no_compile = True
    return flags


def compile_for_linking(rules: Iterable[tuple[Any, Any]]) -> None:
    """Compile (function, signature) pairs in order, so that each finds those that it calls."""
    rules = list(rules)
    with _linked_only({function.py_func.__qualname__ for function, _ in rules}):
        for function, signature in rules:
            function._compiler._customize_flags = _without_machine_code
            found = function._compiler.compile(*sigutils.normalize_signature(signature))
            # Numba tells functions apart by their entry points; any distinct built-in will do for one never entered.
            found = found._replace(entry_point=[].append)
            function.targetctx.insert_user_function(found.entry_point, found.fndesc, [found.library])
            function.add_overload(found)
            function.disable_compile()


def is_possible() -> bool:
    """Whether this version of Numba has the places that are reached into."""
    return hasattr(cpu_target.target_context.codegen(), "_library_class") and hasattr(
        JITCodeLibrary, "_finalize_final_module"
    )
