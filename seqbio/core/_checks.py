"""Checks of arrays that users give, with one wording of what is wrong and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.core.numerics import IntArray
from seqbio.errors import ParameterError, TyingError


def refuse(
    wrong: NDArray[np.bool_],
    values: NDArray[Any],
    name: str,
    advice: str,
    error: type[ParameterError] = ParameterError,
) -> None:
    """Raise for the first wrong value, if there is one, saying where it is and what to do."""
    if wrong.any():
        index = tuple(np.argwhere(wrong)[0].tolist())
        place = f"[{','.join(map(str, index))}]" if index else ""
        raise error(f"{name}{place} is {values[index]}; {advice}")


def checked_integers(values: ArrayLike, name: str) -> IntArray:
    """Convert to an array of integers, without rounding what is not one."""
    array = np.asarray(values)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise TyingError(f"{name} holds values of type {array.dtype}; give integers")
    return array.astype(np.intp)
