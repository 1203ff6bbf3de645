"""A short name for the content of a data set, to tell whether two fits saw the same data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from seqbio.core._checks import checked
from seqbio.errors import ParameterError


@checked
def fingerprint(data: Any) -> str:
    """Name data by its content.

    The content is written out as bytes, each piece with its type and length in front so that no
    two data sets write the same, and hashed with BLAKE2b. The result is the same in every run and
    on every machine: it depends neither on memory order nor on byte order, nor on the order of the
    keys of a mapping. A NumPy number counts as the Python number of the same value, a tuple as
    a list; arrays of different types differ even when their values agree.

    Parameters
    ----------
    data : object
        An array, str, bytes, number, None, a list, tuple or mapping of these, or any object with
        a method ``fingerprint()`` that returns a string.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    ParameterError
        A part of the data is of another type; the message says where it stands.

    Examples
    --------
    >>> fingerprint(["ACGT", 1.5])
    '349215353ab8adc8ca42708b2e356426'
    >>> fingerprint({"x": np.arange(3)}) == fingerprint({"x": np.arange(3)})
    True
    >>> fingerprint(np.arange(3)) == fingerprint(np.arange(4))
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    for piece in _pieces(data, "data"):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(item: Any, where: str) -> Iterator[bytes]:
    if isinstance(item, np.generic):
        item = item.item()
    own = getattr(item, "fingerprint", None)
    if callable(own):
        yield from _labelled("object", str(own()).encode())
    elif item is None or isinstance(item, (bool, int, float, complex)):
        yield from _labelled(type(item).__name__, repr(item).encode())
    elif isinstance(item, str):
        yield from _labelled("str", item.encode("utf-8", "surrogatepass"))
    elif isinstance(item, (bytes, bytearray)):
        yield from _labelled("bytes", bytes(item))
    elif isinstance(item, np.ndarray) and item.dtype.hasobject:
        yield from _pieces(item.tolist(), where)
    elif isinstance(item, np.ndarray):
        array = np.ascontiguousarray(item, dtype=item.dtype.newbyteorder("<"))
        yield from _labelled(f"array{array.dtype.descr}{item.shape}", array.tobytes())
    elif isinstance(item, (list, tuple)):
        yield from _labelled("list", str(len(item)).encode())
        for i, entry in enumerate(item):
            yield from _pieces(entry, f"{where}[{i}]")
    elif isinstance(item, Mapping):
        yield from _labelled("mapping", str(len(item)).encode())
        # Keys may be of types that have no order among them; their own bytes always have one.
        written = {b"".join(_pieces(key, f"a key of {where}")): key for key in item}
        for key_bytes, key in sorted(written.items()):
            yield key_bytes
            yield from _pieces(item[key], f"{where}[{key!r}]")
    else:
        raise ParameterError(
            f"{where} is of type {type(item).__name__}, whose content is not known; give arrays, "
            "strings, numbers, lists, tuples and mappings, or add a method fingerprint()"
        )


def _labelled(kind: str, content: bytes) -> Iterator[bytes]:
    yield json.dumps([kind, len(content)]).encode()
    yield content
