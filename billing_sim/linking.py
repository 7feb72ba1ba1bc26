"""Compiling rules only as far as an entry point needs them: to LLVM's own form, neither optimised nor machine code.

Numba optimises every function it compiles, and everything beneath it again, and makes machine code of it all. A rule's
is never run: only that of the few entry points is, into which rules are linked and with which they are optimised.
Leaving out the machine code took a quarter off a first start, leaving the optimising to the entry points another.

A rule is first declared: its signature is pinned, and its name in machine code is made of its name in ours, so others
can call it before it is compiled, or when another process does that (`billing_sim/shelf.py`).

This reaches below Numba's public surface. Where a version of Numba has no such place, rules are compiled in the
ordinary way: slower, and otherwise the same.
"""

from __future__ import annotations

import gc
import hashlib
import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from numba import types
from numba.core import itanium_mangler, sigutils, typing
from numba.core.bytecode import FunctionIdentity
from numba.core.caching import Cache
from numba.core.codegen import JITCodeLibrary, JitEngine
from numba.core.compiler import CompileResult
from numba.core.funcdesc import FunctionDescriptor, default_mangler
from numba.core.registry import cpu_target
from numba.core.runtime import rtsys

from billing_sim.rule_code import EntryCode, RuleCode

_PLACES = (
    "add_linking_library", "finalize", "_finalize_dynamic_globals", "_finalize_final_module", "_optimize_functions",
    "_raise_if_finalized", "_set_compiled_object", "_unserialize", "_get_module_for_linking",
)  # fmt: skip
"""What is reached into."""

_UNCOMPILED = dict.fromkeys(CompileResult._fields)

_declared: dict[Any, Rule] = {}
"""Every rule of this process by its function, in order of definition."""

_named: dict[str, Rule] = {}
"""The same by their names."""


class Rule:
    """A rule from its declaration on: its function, its code as soon as there is some, and whom it calls."""

    def __init__(self, function: Any, signature: Any) -> None:
        self.function = function
        self.name = _new_name(function.py_func)
        self.module = function.py_func.__module__
        self.arguments, self.returned = sigutils.normalize_signature(signature)
        self.code = RuleCode(cpu_target.target_context.codegen(), function.py_func.__qualname__)
        self.code.rule = self
        self._declare()

    def _declare(self) -> None:
        """Let others call it, by name."""
        python, context = self.function.py_func, self.function.targetctx
        fndesc = FunctionDescriptor(
            True, self.module, python.__qualname__, python.__qualname__, "", {}, self.returned, {},
            python.__code__.co_varnames[: python.__code__.co_argcount], (), mangler=self.mangle,
            argtypes=tuple(self.arguments), inline=self.function.targetoptions.get("forceinline", False),
        )  # fmt: skip
        # Numba tells functions apart by their entry points; any distinct built-in will do for one never entered.
        entry_point: Any = [].append
        told: dict[str, Any] = _UNCOMPILED | {
            "typing_context": self.function.typingctx,
            "target_context": context,
            "entry_point": entry_point,
            "signature": typing.signature(self.returned, *self.arguments),
            "objectmode": False,
            "fndesc": fndesc,
            "library": self.code,
        }
        context.insert_user_function(entry_point, fndesc, [self.code])
        self.function.add_overload(CompileResult(**told))
        self.function.disable_compile()

    @property
    def is_compiled(self) -> bool:
        """Whether its code is there."""
        return self.code.is_there

    def compile(self) -> None:
        """Make its code, which calls other rules by name, whether they are compiled or not."""
        self.function._compiler._customize_flags = _flags_of_rule
        self.function._can_compile = True
        with _libraries(self.code), _own_numbers(self.name):
            self.function._compiler.compile(self.arguments, self.returned)
            self.code.finalize()
        self.function.disable_compile()

    def called(self) -> Iterator[Rule]:
        """The rules that its source names."""
        return _rules_named_in(self.function.py_func)

    def packed(self) -> tuple[bytes, list[str]]:
        """Its code and the names of the rules that it calls, for another process."""
        return self.code.packed()

    def unpack(self, bitcode: bytes, called: list[str]) -> None:
        """Take the code that another process made."""
        self.code.take(bitcode, [_named[name].code for name in called])

    def mangle(self, name: str, argtypes: Any = (), *, abi_tags: Any = (), uid: Any = None) -> str:
        """A name in machine code: ours is made of our name alone, which every process knows.

        A rule has one signature. What Numba adds is named as always, by types and numbers that one process counts.
        """
        environment = ".NumbaEnv."
        if name.removeprefix(environment) == _full_name(self.function.py_func):
            return itanium_mangler.mangle(self.name if name[0] != "." else environment + self.name, ())
        return default_mangler(name, argtypes, abi_tags=abi_tags, uid=uid)


class _Kinds:
    """Makes the library of each function; stands where Numba keeps the one class of all libraries."""

    _unserialize = EntryCode._unserialize

    def __init__(self, code: RuleCode | None) -> None:
        self._code = code

    def __call__(self, codegen: Any, name: str) -> JITCodeLibrary:
        """The code of the rule that is being compiled, where it is its own; of helpers of Numba's, new code."""
        if self._code is not None and name == self._code.name:
            code, self._code = self._code, None
            return code
        return EntryCode(codegen, name)


def _full_name(python: Any) -> str:
    return f"{python.__module__}.{python.__qualname__}"


def _new_name(python: Any) -> str:
    """The full name of a rule; rules that one function makes share theirs, and are counted."""
    name, count = _full_name(python), 1
    while name in _named:
        name, count = f"{_full_name(python)}.{count}", count + 1
    return name


@contextmanager
def _libraries(code: RuleCode | None) -> Iterator[None]:
    """While this holds, a function of this name is compiled into this code, and all others into `EntryCode`."""
    context = cpu_target.target_context
    codegen = context.codegen()
    before = codegen._library_class, context.mangler, types.Record.__repr__
    codegen._library_class = _Kinds(code)
    context.mangler = default_mangler if code is None else code.rule.mangle
    # Every pass over every function spells out its arguments' types for listeners that nobody has; ours have hundreds
    # of fields (measured: one second in fifteen).
    types.Record.__repr__ = types.Type.__str__
    try:
        yield
    finally:
        codegen._library_class, context.mangler, types.Record.__repr__ = before


@contextmanager
def _own_numbers(name: str) -> Iterator[None]:
    """While this holds, what Numba adds to a rule gets numbers that no other rule's gets, in any process.

    Numba makes names of them, and what has the same name is linked once.
    """
    before = FunctionIdentity._unique_ids
    FunctionIdentity._unique_ids = itertools.count(int(hashlib.sha256(name.encode()).hexdigest()[:10], 16) << 20)
    try:
        yield
    finally:
        FunctionIdentity._unique_ids = before


def _flags_of_rule(flags: Any) -> Any:
    """No machine code, and no rewriting of what rules do not contain: whole-array arithmetic, dead branches."""
    flags.no_compile = True
    flags.no_rewrites = True
    return flags


@contextmanager
def without_searching() -> Iterator[None]:
    """While this holds, nobody searches for rubbish: compiling makes millions of small objects, and hardly any."""
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


def declare(rules: Iterable[tuple[Any, Any]]) -> None:
    """Make (function, signature) pairs known, so that others can call them."""
    for function, signature in rules:
        declared = Rule(function, signature)
        _declared[function.py_func] = _named[declared.name] = declared


def beneath(*functions: Any) -> list[Rule]:
    """The declared rules that these functions are or call, and those that they call, in order of definition."""
    found: set[Rule] = set()
    waiting = [_declared[each.py_func] for each in functions if each.py_func in _declared]
    waiting += [rule for each in functions for rule in _rules_named_in(each.py_func)]
    while waiting:
        rule = waiting.pop()
        if rule not in found:
            found.add(rule)
            waiting += rule.called()
    return [rule for rule in _declared.values() if rule in found]


def rules_of(module: str) -> list[Rule]:
    """All rules declared in a module, in order of definition."""
    return [rule for rule in _declared.values() if rule.module == module]


def _rules_named_in(python: Any) -> Iterator[Rule]:
    named = [python.__globals__.get(name) for name in python.__code__.co_names]
    modules = [each for each in named if isinstance(each, ModuleType)]
    named += [getattr(module, name, None) for module in modules for name in python.__code__.co_names]
    for each in named:
        if hasattr(each, "py_func") and each.py_func in _declared:
            yield _declared[each.py_func]


def compile_entry(function: Any, signature: Any) -> None:
    """Compile a function for the interpreter to call, all rules beneath it included and optimised with it."""
    _load_alone(function._cache)
    with _libraries(None), without_searching():
        function.compile(signature)


def _load_alone(kept: Any) -> None:
    """Let what is kept be loaded without all that a compiler knows, which Numba loads first (measured: 0.15 s)."""

    def load_overload(signature: Any, context: Any) -> Any:
        rtsys.initialize(context)
        with kept._guard_against_spurious_io_errors():
            return kept._load_overload(signature, context)

    if hasattr(kept, "_load_overload"):
        kept.load_overload = load_overload


def is_possible() -> bool:
    """Whether this version of Numba has the places that are reached into."""
    return (
        all(hasattr(JITCodeLibrary, place) for place in _PLACES)
        and hasattr(cpu_target.target_context.codegen(), "_library_class")
        and hasattr(cpu_target.target_context, "mangler")
        and hasattr(FunctionIdentity, "_unique_ids")
        and hasattr(Cache, "_guard_against_spurious_io_errors")
        and hasattr(JitEngine, "_load_defined_symbols")
    )
