"""Vectors of eight numbers for kernels: what LLVM calls ``<8 x double>``.

LLVM puts them into the registers that a processor has (one of AVX-512, two of AVX2, four of SSE or
NEON), so that kernels run anywhere. Operations are done as they are written, in that order: results
do not depend on the processor.

Where compilation is off, vectors are NumPy arrays of eight numbers.
"""

from __future__ import annotations

import operator
from typing import Any, TypeAlias

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model

Vector: TypeAlias = Any  # numba's classes are not typed

LANES = 8

_INDEX = ir.IntType(32)


class _VectorType(types.Type):  # type: ignore[misc] # numba's classes are not typed
    def __init__(self, name: str, of: ir.Type) -> None:
        self.llvm = ir.VectorType(of, LANES)
        super().__init__(name=name)


@register_model(_VectorType)
class _VectorModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: _VectorType) -> None:
        super().__init__(manager, kind, kind.llvm)


NUMBERS = _VectorType("Numbers", ir.DoubleType())
MASK = _VectorType("Mask", ir.IntType(1))


def _place(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    data = cgutils.create_struct_proxy(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), NUMBERS.llvm.as_pointer())


@intrinsic
def load(typing, array, at):
    """Load eight numbers that stand next to each other."""

    def code(context, builder, sig, args):
        value = builder.load(_place(context, builder, array, *args))
        value.align = 8
        return value

    return NUMBERS(array, types.intp), code


@intrinsic
def store(typing, array, at, vector):
    """Store eight numbers next to each other."""

    def code(context, builder, sig, args):
        builder.store(args[2], _place(context, builder, array, *args[:2])).align = 8
        return context.get_dummy_value()

    return types.void(array, types.intp, NUMBERS), code


@intrinsic
def full(typing, number):
    """Put the same number into all lanes."""

    def code(context, builder, sig, args):
        one = builder.insert_element(ir.Constant(NUMBERS.llvm, ir.Undefined), args[0], _INDEX(0))
        return builder.shuffle_vector(
            one, one, ir.Constant(ir.VectorType(_INDEX, LANES), [0] * LANES)
        )

    return NUMBERS(types.float64), code


@intrinsic
def lane(typing, vector, k):
    """Take the number of one lane."""

    def code(context, builder, sig, args):
        return builder.extract_element(args[0], builder.trunc(args[1], _INDEX))

    return types.float64(NUMBERS, types.intp), code


def _letters(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> Any:
    """Load eight letters, of 16 bits each."""
    place = cgutils.create_struct_proxy(kind)(context, builder, array).data
    vector = ir.VectorType(ir.IntType(16), LANES)
    value = builder.load(builder.bitcast(builder.gep(place, [at]), vector.as_pointer()))
    value.align = 2
    return value


@intrinsic
def has_bit(typing, letters, at, bit):
    """Mark the lanes of which the letter has a bit (1, 2, 4 ...)."""

    def code(context, builder, sig, args):
        value = _letters(context, builder, letters, *args[:2])
        mask = builder.trunc(args[2], ir.IntType(16))
        wanted = ir.Constant(value.type, ir.Undefined)
        for k in range(LANES):
            wanted = builder.insert_element(wanted, mask, _INDEX(k))
        return builder.icmp_unsigned(
            "!=", builder.and_(value, wanted), ir.Constant(value.type, None)
        )

    return MASK(letters, types.intp, types.intp), code


@intrinsic
def is_letter(typing, letters, at, letter):
    """Mark the lanes of a letter."""

    def code(context, builder, sig, args):
        value = _letters(context, builder, letters, *args[:2])
        letter = builder.trunc(args[2], ir.IntType(16))
        wanted = ir.Constant(value.type, ir.Undefined)
        for k in range(LANES):
            wanted = builder.insert_element(wanted, letter, _INDEX(k))
        return builder.icmp_unsigned("==", value, wanted)

    return MASK(letters, types.intp, types.intp), code


@intrinsic
def choose(typing, mask, a, b):
    """Take a where the mask is set, and b elsewhere."""
    return NUMBERS(MASK, NUMBERS, NUMBERS), lambda context, builder, sig, args: builder.select(
        *args
    )


def _by_llvm(name: str, n: int) -> Any:
    """Write an operation that LLVM knows by name."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        kind = ir.FunctionType(NUMBERS.llvm, [NUMBERS.llvm] * n)
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v8f64")
        return builder.call(function, args)

    return NUMBERS(*[NUMBERS] * n), code


@intrinsic
def fma(typing, a, b, c):
    """Compute a b + c, rounded once."""
    return _by_llvm("fma", 3)


@intrinsic
def larger(typing, a, b):
    """Take the larger number of each lane."""
    return _by_llvm("maxnum", 2)


@intrinsic
def smaller(typing, a, b):
    """Take the smaller number of each lane."""
    return _by_llvm("minnum", 2)


@intrinsic
def positive(typing, a):
    """Mark the lanes of which the number is above 0."""

    def code(context, builder, sig, args):
        return builder.fcmp_ordered(">", args[0], ir.Constant(NUMBERS.llvm, [0.0] * LANES))

    return MASK(NUMBERS), code


@intrinsic
def _sum(typing, a, b):
    return NUMBERS(NUMBERS, NUMBERS), lambda context, builder, sig, args: builder.fadd(*args)


@intrinsic
def _product(typing, a, b):
    return NUMBERS(NUMBERS, NUMBERS), lambda context, builder, sig, args: builder.fmul(*args)


@overload(operator.add)
def _add(a, b):
    return (lambda a, b: _sum(a, b)) if a is NUMBERS and b is NUMBERS else None


@overload(operator.mul)
def _multiply(a, b):
    return (lambda a, b: _product(a, b)) if a is NUMBERS and b is NUMBERS else None


def _store(array: Any, at: int, vector: Any) -> None:
    array[at : at + LANES] = vector


if numba.config.DISABLE_JIT:
    globals().update(
        load=lambda array, at: array[at : at + LANES].copy(),
        store=_store,
        full=lambda number: np.full(LANES, number),
        lane=lambda vector, k: vector[k],
        has_bit=lambda letters, at, bit: letters[at : at + LANES] & bit != 0,
        is_letter=lambda letters, at, letter: letters[at : at + LANES] == letter,
        choose=np.where,
        fma=lambda a, b, c: a * b + c,
        larger=np.maximum,
        smaller=np.minimum,
        positive=lambda a: a > 0.0,
    )
