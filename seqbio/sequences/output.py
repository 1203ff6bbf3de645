"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, TextIO, overload

from .input import is_standard_stream


@overload
def atomic_writer(
    path: str | os.PathLike[str], mode: Literal["w"] = "w"
) -> contextlib.AbstractContextManager[TextIO]: ...
@overload
def atomic_writer(
    path: str | os.PathLike[str], mode: Literal["wb"]
) -> contextlib.AbstractContextManager[BinaryIO]: ...
@contextlib.contextmanager
def atomic_writer(path: str | os.PathLike[str], mode: Literal["w", "wb"] = "w") -> Iterator[Any]:
    r"""Open a file that appears under its name only when the ``with`` block ends well.

    The stream writes to a temporary file in the same directory, which then takes the place of
    the target in one step. When the block raises, `KeyboardInterrupt` included, the temporary
    file is removed and whatever stood at the path before still stands. What cannot be replaced
    (a pipe, a device) is written directly.

    Parameters
    ----------
    path
        The target. A name that ends in ``.gz`` is compressed, to the same bytes every time;
        ``"-"`` is standard output.
    mode
        ``"w"`` for text (UTF-8) or ``"wb"`` for bytes.

    Yields
    ------
    stream
        A text or binary stream, open for writing.

    Raises
    ------
    OSError
        The target cannot be written; the error names the target.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     target = pathlib.Path(directory, "table.tsv")
    ...     with atomic_writer(target) as stream:
    ...         print("a", "b", sep="\t", file=stream)
    ...     target.read_text()
    'a\tb\n'
    """
    if is_standard_stream(path):
        sys.stdout.flush()  # what was printed before comes first, in binary mode too
        yield sys.stdout if mode == "w" else sys.stdout.buffer
        sys.stdout.flush()
        return
    compressed = os.fspath(path).endswith(".gz")
    target = Path(path).resolve()  # a link stays a link: the file behind it is replaced
    if target.exists() and not target.is_file():
        with target.open("wb") as raw, _layered(raw, compressed, mode) as stream:
            yield stream
        return
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with _create(temporary, target) as raw, _layered(raw, compressed, mode) as stream:
            yield stream
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _create(temporary: Path, target: Path) -> io.BufferedWriter:
    try:
        return temporary.open("xb")
    except OSError as error:
        error.filename = str(target)  # the temporary name would tell the user nothing
        raise


@contextlib.contextmanager
def _layered(raw: BinaryIO, compressed: bool, mode: str) -> Iterator[IO[Any]]:
    """Put compression and text encoding on a binary stream."""
    with contextlib.ExitStack() as stack:
        stream: Any = raw
        if compressed:
            # No name and no time inside: equal content gives equal files.
            stream = stack.enter_context(gzip.GzipFile("", "wb", fileobj=raw, mtime=0))
        if mode == "w":
            stream = stack.enter_context(io.TextIOWrapper(stream, "utf-8", newline="\n"))
        yield stream
