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
    """The code of an entry point: with a rule come the rules that it calls, each once.

    It is kept as machine code, and beside that in LLVM's form with the names of what is in it: who only calls it needs
    no more than the names, and reading the rest takes longer than loading the machine code.
    """

    _unread = b""

    def add_linking_library(self, library: Any) -> None:
        if library in self._linking_libraries:
            return
        super().add_linking_library(library)
        if isinstance(library, RuleCode):
            for called in library._linking_libraries:
                self.add_linking_library(called)

    def serialize_using_object_code(self) -> Any:
        """What Numba keeps of it, with the names that it defines in front of LLVM's form."""
        name, kind, (machine_code, bitcode) = super().serialize_using_object_code()
        module = self._get_module_for_linking()
        held = [*module.functions, *module.global_variables]
        return name, kind, (machine_code, ([it.name for it in held if not it.is_declaration], bitcode))

    @classmethod
    def _unserialize(cls, codegen: Any, state: Any) -> Any:
        name, _, (machine_code, (defined, bitcode)) = state
        code = codegen.create_library(name)
        code.enable_object_caching()
        code._set_compiled_object(machine_code)
        code._unread = bitcode
        code._finalize_final_module()
        codegen._engine._defined_symbols.update(defined)
        return code

    def _get_module_for_linking(self) -> Any:
        """LLVM's form, read when another function that calls this one is compiled."""
        if self._unread:
            self._shared_module, self._unread = binding.parse_bitcode(self._unread), b""
        return super()._get_module_for_linking()
