"""Asking the processor for a record before it is needed.

People of one window lie anywhere in memory, and each takes some thirty cache lines: without this a sixth to three
tenths of a window are spent waiting for them (measured).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

_LINE = 64
_WRITE, _KEEP, _DATA = 1, 3, 1


@intrinsic
def _fetch(_context: Any, states: Any, place: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        number, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        record = builder.bitcast(builder.gep(array.data, [args[1]]), pointer)
        ask_type = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        ask = builder.module.declare_intrinsic("llvm.prefetch", (pointer,), ask_type)
        for offset in range(0, signature.args[0].dtype.size, _LINE):
            line = builder.gep(record, [ir.Constant(ir.IntType(64), offset)])
            builder.call(ask, [line, *(ir.Constant(number, it) for it in (_WRITE, _KEEP, _DATA))])
        return context.get_dummy_value()

    return types.void(states, place), generate


def _do_nothing(_states: Any, _place: int) -> None:
    """Plain Python has no cache to fill."""


fetch = _do_nothing if config.DISABLE_JIT else _fetch
"""`fetch(states, place)` has one record of an array on its way; it changes nothing."""
