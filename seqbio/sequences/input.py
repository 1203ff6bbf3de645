"""Text from wherever users keep it: a path, gzip data, standard input, a file object."""

from __future__ import annotations

import gzip
import os
import stat
import sys
import zlib
from pathlib import Path
from typing import IO, Annotated, Any, TypeAlias

from ..core._checks import SELF_CHECKED, checked
from ..errors import ParameterError, SequenceFormatError

Source: TypeAlias = Annotated[str | os.PathLike[str] | IO[str] | IO[bytes], SELF_CHECKED]
"""What every reader takes: a path, ``"-"`` for standard input, or a file object."""

_GZIP_MAGIC = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def is_standard_stream(path: object) -> bool:
    """Say whether a path is the ``-`` that means standard input or output.

    Examples
    --------
    >>> is_standard_stream("-"), is_standard_stream("./-")
    (True, False)
    """
    return isinstance(path, str | os.PathLike) and os.fspath(path) == "-"


def source_name(source: Source) -> str:
    """Say how a source is called in messages.

    Examples
    --------
    >>> source_name("reads/x.fa"), source_name("-")
    ('reads/x.fa', 'standard input')
    """
    if isinstance(source, str | os.PathLike):
        return "standard input" if is_standard_stream(source) else os.fspath(source)
    return str(getattr(source, "name", "file object"))


def path_of(name: str | os.PathLike[str]) -> Path:
    """Turn the name of a file into a path.

    Raises
    ------
    ParameterError
        No file can have this name: it has a NUL, or what is not text.

    Examples
    --------
    >>> path_of("reads/x.fa").name
    'x.fa'
    """
    try:
        possible = b"\0" not in os.fsencode(name)
    except UnicodeEncodeError:
        possible = False
    if not possible:
        raise ParameterError(f"no file can be called {name!r}; give another name")
    return Path(name)


def stream_names(source: Source) -> set[object]:
    """Say by what a stream is known however it is named, such as ``-`` and ``/dev/stdin``.

    Returns
    -------
    set
        Empty for a plain file, which can be read as often as one likes.

    Examples
    --------
    >>> stream_names("-") & stream_names("-") != set(), stream_names("x.fa")
    (True, set())
    """
    if not isinstance(source, str | os.PathLike):
        return {id(source)}
    names: set[object] = {"-"} if is_standard_stream(source) else set()
    try:
        about = os.fstat(sys.stdin.fileno()) if names else Path(source).stat()
    except (OSError, ValueError, AttributeError):  # no such file, or nothing with a number
        return names
    if not (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):
        names.add((about.st_dev, about.st_ino))
    return names


def read_twice(source: Source) -> ParameterError:
    """Make the exception for a stream that would have to be read twice."""
    return ParameterError(
        f"{source_name(source)} is a stream and cannot be read twice; save it in a file, and name "
        "that"
    )


@checked
def read_input(source: Source) -> tuple[str, bytes]:
    r"""Read a whole source as clean text.

    Gzip data are known by their first two bytes, not by a name, and unpacked. A byte order mark
    is dropped; line ends of Windows and old Macintosh files become ``\n``.

    Parameters
    ----------
    source
        A path, ``"-"`` for standard input, or a file object in text or binary mode.

    Returns
    -------
    name : str
        How the source is called in messages.
    content : bytes
        Valid UTF-8 without ``\r`` .

    Raises
    ------
    SequenceFormatError
        The gzip data are broken, a file named ``.gz`` holds none, or bytes are not UTF-8.
    ParameterError
        The source is none of the above.
    OSError
        The path cannot be opened.

    Examples
    --------
    >>> import io
    >>> read_input(io.BytesIO(b"one\r\ntwo\r"))
    ('file object', b'one\ntwo\n')
    """
    name = source_name(source)
    try:
        content = _load(source)
        if is_gzip(source, content):
            content = gzip.decompress(content)
        if not content.isascii():
            content.decode("utf-8")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SequenceFormatError(
            f"{name}: the gzip data are broken ({error}); copy or compress the file again"
        ) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise not_utf8(name, line, error) from error
    content = content.removeprefix(_BYTE_ORDER_MARK)
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return name, content


def is_gzip(source: Source, start: bytes) -> bool:
    """Say by its first bytes whether a source holds gzip data.

    Raises
    ------
    SequenceFormatError
        It does not, and is a file named ``.gz``.

    Examples
    --------
    >>> is_gzip("x.fa", b">x")
    False
    """
    if start.startswith(_GZIP_MAGIC):
        return True
    name = source_name(source)
    if start and isinstance(source, str | os.PathLike) and name.endswith(".gz"):
        raise SequenceFormatError(
            f"{name}: the name ends in .gz but the file is not gzip data; rename it or compress it"
        )
    return False


def not_utf8(name: str, line: int, error: UnicodeDecodeError) -> SequenceFormatError:
    """Make the exception for a line with a byte that is no text."""
    return SequenceFormatError(
        f"{name}, line {line}: byte 0x{error.object[error.start]:02x} is not UTF-8 text; "
        "save the file as plain text in UTF-8"
    )


def standard_input() -> Any:
    """Give standard input, in binary mode unless it was replaced by what has none.

    Raises
    ------
    SequenceFormatError
        It is closed.
    """
    if sys.stdin is None:  # as after <&- in a shell
        raise SequenceFormatError("standard input is closed; give it something to read, or a file")
    return getattr(sys.stdin, "buffer", sys.stdin)


def _load(source: Source) -> bytes:
    stream: Any = source
    if is_standard_stream(source):
        stream = standard_input()
    elif isinstance(source, str | os.PathLike):
        return path_of(source).read_bytes()
    if not hasattr(stream, "read"):
        raise ParameterError(
            f"cannot read from {source!r}; give a path, '-' for standard input, or a file object"
        )
    content: str | bytes = stream.read()
    # Bytes that a lenient text stream could not decode come back here and are refused later.
    return content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
