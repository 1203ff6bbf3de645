"""Files that hold saved models: read whole, with one clear error for what is none."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ModelFileError, SequenceFormatError
from .input import Source, read_input, source_name

_BY_SAVE = "give a file that save wrote"


@contextlib.contextmanager
def model_file(name: str, kind: str, advice: str = _BY_SAVE) -> Iterator[None]:
    """Let whatever a wrong content leads to in the ``with`` block be one error about the file.

    Parameters
    ----------
    name
        Of the file.
    kind
        What it should be, such as ``"a saved pair HMM"``.
    advice
        What to give instead.

    Raises
    ------
    ModelFileError
        Something in the file is missing, of another type or out of its range.

    Examples
    --------
    >>> with model_file("model.json", "a saved pair HMM"):
    ...     {"settings": 3}["format"]
    Traceback (most recent call last):
        ...
    seqbio.errors.ModelFileError: model.json is not a saved pair HMM (it has no 'format'); give ...
    """
    try:
        yield
    except ModelFileError:
        raise
    except KeyError as error:
        raise ModelFileError(f"{name} is not {kind} (it has no {error}); {advice}") from error
    except (AttributeError, ArithmeticError, RecursionError, TypeError, ValueError) as error:
        raise ModelFileError(f"{name} is not {kind} ({error}); {advice}") from error


def read_model_text(source: Source, kind: str) -> tuple[str, Any]:
    """Read JSON.

    Parameters
    ----------
    source
        See `read_input`.
    kind
        What the file should be.

    Returns
    -------
    name : str
        How the source is called in messages.
    content : object
        What is in it.
    """
    try:
        name, text = read_input(source)
    except SequenceFormatError as error:
        raise _damaged(source_name(source), kind, _BY_SAVE) from error
    with model_file(name, kind):
        return name, json.loads(text)


def read_model_arrays(
    path: str | os.PathLike[str], kind: str, advice: str = _BY_SAVE
) -> dict[str, NDArray[Any]]:
    """Read all arrays of an archive that ``numpy.savez`` wrote; objects are refused.

    Parameters
    ----------
    path
        Of the archive.
    kind, advice
        See `model_file`.
    """
    stream = io.BytesIO(Path(path).read_bytes())  # a pipe has no way back, which NumPy needs
    try:
        with np.load(stream, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes have a dozen ways to fail
        raise _damaged(os.fspath(path), kind, advice) from error


def _damaged(name: str, kind: str, advice: str) -> ModelFileError:
    return ModelFileError(f"{name} is not {kind}, or it is damaged or cut short; {advice}")


def model_numbers(values: ArrayLike, what: str) -> NDArray[np.float64]:
    """Convert to float64 and refuse what is not finite; for use inside `model_file`.

    Parameters
    ----------
    values
        From a file.
    what
        They are, in the plural.

    Raises
    ------
    TypeError, ValueError
        A value is no finite number.

    Examples
    --------
    >>> model_numbers([1, float("nan")], "weights")
    Traceback (most recent call last):
        ...
    ValueError: number 2 of the weights is nan
    """
    numbers = np.asarray(values, dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if wrong.size:
        raise ValueError(f"number {wrong[0] + 1} of the {what} is {numbers.flat[wrong[0]]}")
    return numbers


def written_coordinates(full: ArrayLike) -> list[float | str]:
    """Give coordinates as JSON takes them: numbers, exact, and ``"-inf"``.

    Parameters
    ----------
    full
        Logarithms; -inf is that of 0.

    Examples
    --------
    >>> written_coordinates([0.5, -np.inf])
    [0.5, '-inf']
    """
    values = np.asarray(full, dtype=np.float64).tolist()
    return [value if np.isfinite(value) else str(value) for value in values]


def read_coordinates(values: list[float | str]) -> NDArray[np.float64]:
    """Read what `written_coordinates` gave; for use inside `model_file`.

    Raises
    ------
    TypeError, ValueError
        A value is no number, or not finite and not -inf.

    Examples
    --------
    >>> read_coordinates([0.5, "-inf"])
    array([ 0.5, -inf])
    """
    full = np.array([float(value) for value in values])
    model_numbers(np.where(np.isneginf(full), 0.0, full), "coordinates")
    return full
