"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import gzip
import io
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, TextIO, overload

from ..core._checks import checked
from ..errors import ParameterError
from .input import is_standard_stream, path_of

# Where systems list the open files of this process.
_DESCRIPTORS = re.compile(rf"/dev/fd|/proc/{os.getpid()}(/task/\d+)?/fd")
_STANDARD_OUTPUT = 1
_MOST_LINKS = 40
_QUOTED = re.compile(r'["\t\n\r]|^#')
_UNUSUAL = re.compile(r'["#\n\r]')  # most lines of a large table have nothing to quote


@checked
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
    file is removed and whatever stood at the path before still stands. A link stays a link, and
    a file that is replaced keeps its permissions and, where that is allowed, its owner.

    What cannot be replaced gets the whole content at the end: standard output, a pipe, a device,
    and a file that is open already, such as ``/dev/stdout`` or ``/dev/fd/3``, after what others
    have written to it.

    Parameters
    ----------
    path
        The target. A name that ends in ``.gz`` is compressed, to the same bytes every time;
        ``"-"`` is standard output.
    mode
        ``"w"`` for text or ``"wb"`` for bytes. Text is UTF-8 everywhere, standard output
        included; bytes of a file name that are no UTF-8 come as escapes, such as ``\udcff``.

    Yields
    ------
    stream
        A text or binary stream, open for writing.

    Raises
    ------
    OSError
        The target cannot be written; the error names the target.
    ParameterError
        The target is no path.

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
    check_target(path)
    compressed = os.fspath(path).endswith(".gz")
    if is_standard_stream(path) or _is_special(path):
        content = io.BytesIO()
        with _layered(content, compressed, mode) as stream:
            yield stream
        with _named(path):
            _send(content.getvalue(), path)
        return
    target = Path(os.path.realpath(path))  # a link stays a link: the file behind it is replaced
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with _named(path, temporary):
            with temporary.open("xb") as raw, _layered(raw, compressed, mode) as stream:
                yield stream
            if target.exists():
                with contextlib.suppress(OSError, AttributeError):  # as root alone may, and on Unix
                    os.chown(temporary, target.stat().st_uid, target.stat().st_gid)
                shutil.copymode(target, temporary)
            temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@checked
def check_target(path: str | os.PathLike[str]) -> None:
    """Refuse a target that `atomic_writer` could not write, as far as can be told beforehand.

    Parameters
    ----------
    path
        The target.

    Raises
    ------
    OSError
        It is a folder, its folder is missing, or it may not be written; the error names it.
    ParameterError
        It is no path.

    Examples
    --------
    >>> check_target("no/such/folder/x.fa")
    Traceback (most recent call last):
        ...
    FileNotFoundError: [Errno 2] No such file or directory: 'no/such/folder/x.fa'
    """
    if not isinstance(path, str | os.PathLike):
        raise ParameterError(f"cannot write to {path!r}; give a path, or '-' for standard output")
    name = os.fspath(path)
    if not name:
        raise ParameterError("a path to write to is empty; name a file")
    path_of(path)
    number = _STANDARD_OUTPUT if is_standard_stream(path) else open_descriptor(path)
    if number == _STANDARD_OUTPUT and sys.stdout is None:  # as after >&- in a shell
        raise OSError(errno.EBADF, "standard output is closed")
    if is_standard_stream(path):
        return
    if number is not None:
        with _named(path):
            os.fstat(number)
        return
    if Path(name).is_dir() or not os.path.basename(name):  # noqa: PTH119 (which keeps a last slash)
        raise _error(errno.EISDIR, name)
    special, folder = _is_special(name), Path(os.path.realpath(name)).parent
    if not special and not folder.is_dir():
        raise _error(errno.ENOENT if not folder.exists() else errno.ENOTDIR, name)
    if Path(name).exists() and not os.access(name, os.W_OK):
        raise _error(errno.EACCES, name)
    if not special and not os.access(folder, os.W_OK | os.X_OK):
        raise _error(errno.EACCES, name)


@checked
def open_descriptor(path: str | os.PathLike[str]) -> int | None:
    """Give the number of the open file that a path stands for, as ``/dev/stdout`` does.

    Parameters
    ----------
    path
        May be a link to such a path.

    Returns
    -------
    int or None
        None for any other path.

    Examples
    --------
    >>> open_descriptor("/dev/fd/3"), open_descriptor("x.fa")
    (3, None)
    """
    current = path_of(path)
    for _ in range(_MOST_LINKS):
        folder = os.path.realpath(current.parent)
        if current.name.isdecimal() and _DESCRIPTORS.fullmatch(folder):
            return int(current.name)
        try:
            current = Path(folder, current.readlink())
        except OSError:
            return None
    return None


def _is_special(path: str | os.PathLike[str]) -> bool:
    """Say whether a path stands for something that can be written to and not replaced."""
    if open_descriptor(path) is not None:
        return True
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 (whose errors name the path)
    except FileNotFoundError:
        return False


def _send(content: bytes, path: str | os.PathLike[str]) -> None:
    if sys.stdout is not None:
        sys.stdout.flush()  # what was printed before comes first
    if not is_standard_stream(path):
        number = open_descriptor(path)
        with Path(path).open("wb") if number is None else os.fdopen(os.dup(number), "wb") as stream:
            stream.write(content)
        return
    binary = getattr(sys.stdout, "buffer", None)
    if binary is not None:
        binary.write(content)
    else:  # a notebook's, which shows text
        try:
            sys.stdout.write(content.decode("utf-8"))
        except UnicodeDecodeError:
            raise ParameterError("standard output takes text alone here; name a file") from None
    sys.stdout.flush()


def _error(number: int, name: str) -> OSError:
    return OSError(number, os.strerror(number), name)


@contextlib.contextmanager
def _named(path: str | os.PathLike[str], temporary: Path | None = None) -> Iterator[None]:
    """Let errors name the target; that of the temporary file would tell the user nothing."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(temporary)):
            raise
        name = "standard output" if is_standard_stream(path) else os.fspath(path)
        raise OSError(error.errno, error.strerror, name) from error


@contextlib.contextmanager
def _layered(raw: BinaryIO, compressed: bool, mode: str) -> Iterator[IO[Any]]:
    """Put compression and text encoding on a binary stream, which stays open."""
    with contextlib.ExitStack() as stack:
        stream: Any = raw
        if compressed:
            # No name and no time inside: equal content gives equal files.
            stream = stack.enter_context(gzip.GzipFile("", "wb", fileobj=raw, mtime=0))
        if mode == "w":
            # What is no text in UTF-8 comes from names of files alone.
            stream = io.TextIOWrapper(stream, "utf-8", "backslashreplace", newline="\n")
            stack.callback(stream.detach)
        yield stream


@checked
def tsv_line(cells: Iterable[object]) -> str:
    r"""Write a line of a table with tabs between its cells.

    As in CSV, a cell is quoted if it holds a tab, the end of a line or a quotation mark; and if it
    begins with ``#``, with which comments begin. So ``csv.reader(stream, "excel-tab")`` and tools
    of its kind read any name as it is.

    Parameters
    ----------
    cells
        Written as ``str`` writes them.

    Returns
    -------
    str
        With a line end.

    Examples
    --------
    >>> tsv_line(["x", 1.5, "#c"])
    'x\t1.5\t"#c"\n'
    """
    texts = [str(cell) for cell in cells]
    line = "\t".join(texts)
    if line.count("\t") >= len(texts) or _UNUSUAL.search(line):
        line = "\t".join(_quoted(text) if _QUOTED.search(text) else text for text in texts)
    return line + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
