"""The one place where kernels are compiled: what numba is asked for, and where its work is kept.

A kernel is a function over NumPy arrays and numbers that `compiled` turns into machine code at its
first call with arguments of new types. The code is kept on disk, so that an installation compiles
once. Modules with kernels import this one, which imports numba; both are imported only where a
kernel is first needed, since that takes half a second.

Kernels give the same bits on every processor: additions are never reordered and products are fused
with sums only where `math.fma` is written out. They release the interpreter lock, so that threads
run them side by side. With ``NUMBA_DISABLE_JIT=1`` they are the Python functions they look like.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import event

Function = TypeVar("Function", bound=Callable[..., Any])

PACKAGE = Path(__file__).resolve().parent.parent

_HAS_KERNELS = re.compile(rb"^\s*(?:from|import) (?:numba|llvmlite|seqbio\.core\.compiled)\b", re.M)
_lock = threading.Lock()


def compiled(function: Function) -> Function:
    """Compile a kernel when it is first called, or load what was compiled before.

    The decorator of every kernel. What a kernel calls is compiled into it. Names of its module
    are constants to it, so they must be set in a module that has kernels: only those are looked at
    to find out whether code on disk is still that of the sources.

    Parameters
    ----------
    function : callable
        Of NumPy arrays, numbers and tuples of both, within what numba supports. Division by zero
        gives infinity or nan, as in NumPy; indices are not checked.

    Returns
    -------
    callable
        The kernel. It does not hold the interpreter lock.

    Examples
    --------
    >>> @compiled
    ... def product(n):
    ...     total = 1
    ...     for factor in range(1, n + 1):
    ...         total *= factor
    ...     return total
    >>> product(5)
    120
    """
    return _compile(function)


def compiled_in_place(function: Function) -> Function:
    """Compile a kernel that makes no arrays of its own, as `compiled` does.

    Nobody counts who holds its arrays, which takes longer than what a short kernel does.

    Examples
    --------
    >>> import numpy as np
    >>> @compiled_in_place
    ... def double(values):
    ...     for i in range(len(values)):
    ...         values[i] *= 2
    >>> numbers = np.arange(3)
    >>> double(numbers)
    >>> numbers
    array([0, 2, 4])
    """
    return _compile(function, _nrt=False)


def inlined(function: Function) -> Function:
    """Write a kernel of a few lines into all that call it, before they are compiled.

    A call hands over everything that records of arrays consist of, which takes hundreds of cycles,
    and most of the time that compiling a few lines takes.

    Examples
    --------
    >>> @inlined
    ... def half(value):
    ...     return value / 2
    >>> half(5)
    2.5
    """
    return _compile(function, _nrt=False, inline="always")


def _compile(function: Function, **options: Any) -> Function:
    # Numba reads the folder of its cache here. Looking for one of its own, it would raise where
    # none can be written, and miss that something which the kernel calls has changed.
    with _lock:
        before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(_FOLDER or "")
        try:
            options["cache"] = _FOLDER is not None and Path(function.__code__.co_filename).exists()
            kernel: Function = numba.njit(nogil=True, error_model="numpy", **options)(function)
            return kernel
        finally:
            numba.config.CACHE_DIR = before


def _fingerprint() -> str:
    """Return a digest of the sources of all kernels: one may be compiled into another."""
    digest = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        source = file.read_bytes()
        if _HAS_KERNELS.search(source):
            digest.update(b"%d %s" % (len(source), source))
    return digest.hexdigest()[:16]


def _places() -> Iterator[Path]:
    """Yield where compiled code may be kept: the first that can be written is taken."""
    of_package = f"seqbio-{hashlib.sha256(bytes(PACKAGE)).hexdigest()[:16]}"
    if os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(os.environ["NUMBA_CACHE_DIR"]) / of_package
        return
    yield PACKAGE / "__pycache__" / "kernels"
    caches = {"win32": os.environ.get("LOCALAPPDATA"), "darwin": "~/Library/Caches"}
    place = caches.get(sys.platform, os.environ.get("XDG_CACHE_HOME")) or "~/.cache"
    place = os.path.expanduser(place)  # noqa: PTH111 - pathlib raises where there is no home
    if Path(place).is_absolute():
        yield Path(place) / "seqbio" / "kernels" / of_package


def _make_folder() -> Path | None:
    """Find or make the folder for these sources, and remove those of sources that were."""
    for place in _places():
        folder = place / _fingerprint()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError:
            continue
        for other in place.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        return folder
    return None


class _Announcement(event.Listener):  # type: ignore[misc] # numba's classes are not typed
    """Say once that kernels are being compiled, since that takes a while."""

    said = False

    def on_start(self, event: Any) -> None:
        kernel = event.data["dispatcher"].py_func
        if self.said or not kernel.__module__.startswith("seqbio."):
            return
        self.said = True
        if sys.stderr is not None:
            when = (
                "once after an installation"
                if _FOLDER
                else "each time, since no folder can be written: set NUMBA_CACHE_DIR to one"
            )
            print(f"seqbio: compiling kernels (about 15 s, {when})", file=sys.stderr)  # noqa: T201

    def on_end(self, event: Any) -> None:
        pass


_FOLDER = _make_folder()
event.register("numba:compile", _Announcement())
