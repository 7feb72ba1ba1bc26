"""The code of rules and entry points in LLVM's form, in the libraries of Numba that hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llvmlite import binding
from numba.core.codegen import JITCodeLibrary

if TYPE_CHECKING:
    from billing_sim.linking import Rule


class RuleCode(JITCodeLibrary):
    """The code of one rule and of nothing that it calls, to be linked into entry points."""

    is_there = False
    rule: Rule

    def _optimize_functions(self, module: Any) -> None:
        """Leave it to the entry points."""

    def add_linking_library(self, library: Any) -> None:
        if not isinstance(library, RuleCode):
            library._ensure_finalized()
        if library not in self._linking_libraries:
            self._linking_libraries.append(library)

    def _ensure_finalized(self) -> None:
        """Where code is asked for that is not there yet, make it now."""
        if not self.is_there:
            self.rule.compile()

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        # As Numba marks a copy of it: an entry point keeps of what it is linked with what it calls.
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == binding.Linkage.external:
                function.linkage = "linkonce_odr"
        self._shared_module = self._final_module
        self._finalized = self.is_there = True

    def packed(self) -> tuple[bytes, list[str]]:
        """What it is made of, the helpers that Numba itself adds included, and the names of the rules it calls."""
        module, called = self._final_module, []
        for library in self._linking_libraries:
            if isinstance(library, RuleCode):
                called.append(library.rule.name)
            else:
                module = module.clone() if module is self._final_module else module
                module.link_in(library._get_module_for_linking(), preserve=True)
        return module.as_bitcode(), called

    def take(self, bitcode: bytes, called: list[RuleCode]) -> None:
        """Be what another process packed."""
        self._final_module = binding.parse_bitcode(bitcode)
        self._linking_libraries = list(called)
        self.finalize()


class EntryCode(JITCodeLibrary):
    """The code of an entry point: with a rule come the rules that it calls, each once."""

    def add_linking_library(self, library: Any) -> None:
        if library in self._linking_libraries:
            return
        super().add_linking_library(library)
        if isinstance(library, RuleCode):
            for called in library._linking_libraries:
                self.add_linking_library(called)
