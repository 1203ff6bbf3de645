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


def checked_labels(labels: ArrayLike | None, n_items: int) -> NDArray[Any]:
    """Convert labels of classes to an array that can be sorted and saved, one for each item."""
    values = np.asarray(labels)
    if labels is None or values.shape != (n_items,):
        found = "no labels" if labels is None else f"labels of shape {values.shape}"
        raise ParameterError(
            f"there are {n_items} sequences and {found}; give one label for each sequence"
        )
    if values.dtype.kind == "O":
        wrong = [place for place, label in enumerate(values) if not isinstance(label, str)]
        if wrong:
            raise ParameterError(
                f"label {wrong[0]} is {values[wrong[0]]!r}; give text, or numbers, for all"
            )
        values = values.astype(str)
    if values.dtype.kind not in "biufU":
        raise ParameterError(f"labels are of type {values.dtype}; give text, or numbers")
    if values.dtype.kind == "f":
        refuse(~np.isfinite(values), values, "label", "give a number for each sequence")
    return values
