"""One thread for linear algebra where pieces of work are shared between workers.

NumPy and SciPy bring a library for it each, mostly OpenBLAS, which uses as many threads as there
are cores unless the environment says otherwise. The last bits of a product depend on the number,
and Dask gives its workers another environment than the process that asks them; and workers that
each use all cores wait for each other most of the time.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any

_MODULES = ("numpy.linalg._umath_linalg", "scipy.linalg._fblas")  # each linked to its library
_NAMES = tuple(
    f"{vendor}openblas_{{}}_num_threads{size}" for vendor in ("scipy_", "") for size in ("64_", "")
)
_lock = threading.Lock()
_inside: list[list[int]] = []  # for each `one_thread` that is open, what there was before it


@contextmanager
def one_thread() -> Iterator[None]:
    """Let linear algebra use one thread in this process, until the last such block is left.

    Libraries other than OpenBLAS are left as they are.

    Examples
    --------
    >>> with one_thread():
    ...     set(n_threads()) <= {1}
    True
    """
    with _lock:
        _inside.append(n_threads() if not _inside else _inside[0])
        _use([1] * len(_inside[0]))
    try:
        yield
    finally:
        with _lock:
            before = _inside.pop()
            if not _inside:
                _use(before)


def n_threads() -> list[int]:
    """Say how many threads the libraries use that can be asked."""
    return [int(get()) for get, _ in _libraries()]


def _use(numbers: list[int]) -> None:
    for (_, set_), number in zip(_libraries(), numbers, strict=True):
        set_(number)


@cache
def _libraries() -> list[tuple[Callable[..., Any], Callable[..., Any]]]:
    """Find the functions that get and set the number, in what modules are linked to."""
    found: list[tuple[Callable[..., Any], Callable[..., Any]]] = []
    for module in _MODULES:
        try:
            library = ctypes.CDLL(str(import_module(module).__file__))
        except (ImportError, OSError, TypeError):
            continue
        for name in _NAMES:
            if hasattr(library, name.format("get")) and hasattr(library, name.format("set")):
                found.append((library[name.format("get")], library[name.format("set")]))
                break
    return found
