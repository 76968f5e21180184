"""Vector instructions for LLVM: what register tiles are written in.

The width of a vector and the number of vector registers are those of the process's level.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kiso._compute.levels import level


def vector_shape() -> tuple[int, int]:
    """Bytes of a vector, and rows of a tile of two vectors that the registers hold."""
    own = level()
    return own.vector_bytes, own.tile_rows


class VectorBuilder:
    """LLVM instructions about vectors of one kind of number."""

    def __init__(self, context: Any, builder: Any, signature: Any, args: Any, dtype: Any):
        from llvmlite import ir

        self.ir, self.builder, self.args = ir, builder, args
        self.context, self.signature = context, signature
        self.itemsize = dtype.bitwidth // 8
        self.lanes = vector_shape()[0] // self.itemsize
        self.number = ir.FloatType() if self.itemsize == 4 else ir.DoubleType()
        self.integer, self.bit, self.short = ir.IntType(64), ir.IntType(1), ir.IntType(32)
        self.vector = ir.VectorType(self.number, self.lanes)
        self.mask = ir.VectorType(self.bit, self.lanes)
        self.suffix = f"v{self.lanes}f{8 * self.itemsize}"

    def array(self, position: int) -> Any:
        """The place of an array's first number."""
        kind = self.signature.args[position]
        return self.context.make_array(kind)(self.context, self.builder, self.args[position]).data

    def apart(self, name: str, write: Callable[[VectorBuilder], None]) -> None:
        """Call what `write` writes as a function of its own, with places for arrays.

        Not inlined: in the middle of another function the registers would not suffice.
        """
        from numba.core import types

        places = [
            self.array(i) if isinstance(kind, types.Array) else self.args[i]
            for i, kind in enumerate(self.signature.args)
        ]
        module, name = self.builder.module, f"kiso_{name}_{self.suffix}"
        function = module.globals.get(name)
        if function is None:
            kind = self.ir.FunctionType(self.ir.VoidType(), [place.type for place in places])
            function = self.ir.Function(module, kind, name)
            function.linkage = "linkonce_odr"
            function.attributes.add("noinline")
            builder, args = self.builder, self.args
            self.builder = self.ir.IRBuilder(function.append_basic_block())
            self.args = function.args
            write(self)
            self.builder.ret_void()
            self.builder, self.args = builder, args
        self.builder.call(function, places)

    def at(self, pointer: Any, offset: Any) -> Any:
        return self.builder.gep(pointer, [offset])

    def const(self, value: int) -> Any:
        return self.ir.Constant(self.integer, value)

    def zero(self) -> Any:
        return self.ir.Constant(self.vector, [0.0] * self.lanes)

    def splat(self, value: Any, kind: Any) -> Any:
        """The same value in all lanes of a vector type."""
        ir = self.ir
        one = self.builder.insert_element(
            ir.Constant(kind, ir.Undefined), value, ir.Constant(self.short, 0)
        )
        order = ir.Constant(ir.VectorType(self.short, self.lanes), [0] * self.lanes)
        return self.builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), order)

    def first(self, count: Any) -> Any:
        """The mask of the lanes below a count."""
        ir = self.ir
        kind = ir.VectorType(self.integer, self.lanes)
        numbers = ir.Constant(kind, list(range(self.lanes)))
        return self.builder.icmp_signed("<", numbers, self.splat(count, kind))

    def _call(self, name: str, result: Any, args: list[Any]) -> Any:
        from numba.core import cgutils

        kind = self.ir.FunctionType(result, [arg.type for arg in args])
        function: Any = cgutils.get_or_insert_function
        return self.builder.call(function(self.builder.module, kind, name), args)

    def _vector_at(self, pointer: Any) -> Any:
        return self.builder.bitcast(pointer, self.vector.as_pointer())

    def load(self, pointer: Any, mask: Any = None) -> Any:
        """A vector; zeros where the mask is not set, whose memory is not touched."""
        pointer = self._vector_at(pointer)
        if mask is None:
            loaded = self.builder.load(pointer)
            loaded.align = self.itemsize
            return loaded
        align = self.ir.Constant(self.short, self.itemsize)
        name = f"llvm.masked.load.{self.suffix}.p0{self.suffix}"
        return self._call(name, self.vector, [pointer, align, mask, self.zero()])

    def store(self, value: Any, pointer: Any, mask: Any = None) -> None:
        pointer = self._vector_at(pointer)
        if mask is None:
            self.builder.store(value, pointer).align = self.itemsize
            return
        align = self.ir.Constant(self.short, self.itemsize)
        name = f"llvm.masked.store.{self.suffix}.p0{self.suffix}"
        self._call(name, self.ir.VoidType(), [value, pointer, align, mask])

    def fetch(self, pointer: Any) -> None:
        """Let the cache line of a pointer come; it need not be memory at all."""
        integer = self.short
        hints = [self.ir.Constant(integer, hint) for hint in (0, 3, 1)]  # read, near, data
        pointer = self.builder.bitcast(pointer, self.ir.IntType(8).as_pointer())
        self._call("llvm.prefetch.p0", self.ir.VoidType(), [pointer, *hints])

    def multiply_add(self, a: Any, b: Any, c: Any) -> Any:
        return self._call(f"llvm.fma.{self.suffix}", self.vector, [a, b, c])

    def total(self, value: Any) -> Any:
        """The sum of the lanes, by halves: always in the same order."""
        ir, half, lanes = self.ir, self.lanes // 2, self.lanes
        while half:
            order = [(i + half) % lanes for i in range(lanes)]
            turned = self.builder.shuffle_vector(
                value,
                ir.Constant(self.vector, ir.Undefined),
                ir.Constant(ir.VectorType(self.short, lanes), order),
            )
            value = self.builder.fadd(value, turned)
            half //= 2
        return self.builder.extract_element(value, ir.Constant(self.short, 0))

    def loop(self, last: Any, starts: list[Any], step: Callable[..., list[Any]]) -> list[Any]:
        """For i = 0 … last − 1 (last ≥ 1) carry values from step to step; those of the end."""
        before = self.builder.block
        body = self.builder.append_basic_block("tile")
        after = self.builder.append_basic_block("tile_done")
        self.builder.branch(body)
        self.builder.position_at_end(body)
        i = self.builder.phi(self.integer)
        i.add_incoming(self.const(0), before)
        carried = []
        for start in starts:
            value = self.builder.phi(start.type)
            value.add_incoming(start, before)
            carried.append(value)
        ends = step(i, carried)
        following = self.builder.add(i, self.const(1))
        i.add_incoming(following, body)
        for value, end in zip(carried, ends, strict=True):
            value.add_incoming(end, body)
        self.builder.cbranch(self.builder.icmp_signed("<", following, last), body, after)
        self.builder.position_at_end(after)
        return ends
