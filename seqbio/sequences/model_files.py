"""Files that hold saved models: read whole, with one clear error for what is none.

Each has a checksum of its content, so that a file which was damaged or changed is refused although
what is in it would be a model, too. Files of earlier releases have none.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.fingerprint import fingerprint
from ..core.tying import Tying
from ..errors import ModelFileError, SequenceFormatError
from .input import Source, path_of, read_input, source_name
from .output import atomic_writer

_BY_SAVE = "give a file that save wrote"
_CHECKSUM = "checksum"


@contextlib.contextmanager
def model_file(
    name: str, kind: str, advice: str = _BY_SAVE, *, content: Any = None
) -> Iterator[None]:
    """Let whatever a wrong content leads to in the ``with`` block be one error about the file.

    Parameters
    ----------
    name
        Of the file.
    kind
        What it should be, such as ``"a saved pair HMM"``.
    advice
        What to give instead.
    content
        What was read. If nothing in it is wrong by itself, it is compared with its checksum.

    Raises
    ------
    ModelFileError
        Something in the file is missing, of another type or out of its range, or the content was
        changed since it was saved.

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
        if isinstance(content, dict) and _CHECKSUM in content:
            _check_seal(name, advice, content)
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


def write_model_text(path: str | os.PathLike[str], content: Mapping[str, Any]) -> None:
    """Write JSON with a checksum, whole or not at all.

    Parameters
    ----------
    path
        Of the file.
    content
        What JSON can hold.
    """
    with atomic_writer(path) as file:
        json.dump(_sealed(content), file, indent=1, allow_nan=False)
        file.write("\n")


def read_model_arrays(
    path: str | os.PathLike[str], kind: str, advice: str = _BY_SAVE
) -> dict[str, NDArray[Any]]:
    """Read all arrays of an archive that `write_model_arrays` wrote.

    It holds arrays as they are in memory, not packed and without objects, so that none can be
    larger than the file.

    Parameters
    ----------
    path
        Of the archive.
    kind, advice
        See `model_file`.
    """
    content = path_of(path).read_bytes()  # a pipe has no way back, which an archive needs
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if sum(each.file_size for each in members) > len(content):
                raise ValueError("it is packed")
            return {
                each.filename.removesuffix(".npy"): _read_array(archive.read(each))
                for each in members
            }
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes have a dozen ways to fail
        raise _damaged(os.fspath(path), kind, advice) from error


def write_model_arrays(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an archive of arrays without objects and with a checksum, whole or not at all.

    Parameters
    ----------
    path
        Of the archive.
    arrays
        By name.
    """
    with atomic_writer(path, "wb") as file:
        np.savez(file, **_sealed(arrays))


def _read_array(data: bytes) -> NDArray[Any]:
    """Read the content of a ``.npy`` file; `numpy.load` makes room for what it only says it is."""
    stream = io.BytesIO(data)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, by_columns, dtype = readers[np.lib.format.read_magic(stream)](stream)
    order: Literal["F", "C"] = "F" if by_columns else "C"
    array: NDArray[Any] = np.ndarray(shape, dtype, data, stream.tell(), order=order)
    if stream.tell() + array.nbytes != len(data):
        raise ValueError("an array is shorter than the file says")
    return array.copy()


def _sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    return {**content, _CHECKSUM: fingerprint(content)}


def _check_seal(name: str, advice: str, content: Mapping[str, Any]) -> None:
    """Refuse content that is not what its checksum was made of."""
    rest = {key: value for key, value in content.items() if key != _CHECKSUM}
    if str(content[_CHECKSUM]) != fingerprint(rest):
        raise ModelFileError(
            f"{name} was damaged or changed after it was saved, as its checksum says; {advice} "
            f"(where a change is meant, remove the {_CHECKSUM!r})"
        )


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
    if np.iscomplexobj(values):
        raise TypeError(f"the {what} are complex numbers")
    numbers = np.asarray(values, dtype=np.float64)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if wrong.size:
        raise ValueError(f"number {wrong[0] + 1} of the {what} is {numbers.flat[wrong[0]]}")
    return numbers


def check_ties(name: str, tying: Tying, full: NDArray[np.float64]) -> None:
    """Refuse saved parameters that are not equal where the settings of their model tie them.

    Parameters
    ----------
    name
        Of the file.
    tying
        That the settings imply.
    full
        The parameters.

    Raises
    ------
    ModelFileError
        They differ.
    """
    if not tying.contains(full, 1e-6):
        raise ModelFileError(
            f"{name} has parameters that differ where its own ties make them equal; {_BY_SAVE}"
        )


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
