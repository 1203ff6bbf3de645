"""What all commands share: errors in one line, options, reading, writing, progress.

Nothing heavy is imported here, so that help is quick.
"""

from __future__ import annotations

import difflib
import errno
import json
import math
import os
import secrets
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from seqbio import __version__
from seqbio.errors import NestingError, ParameterError, SeqbioError

if TYPE_CHECKING:
    from Bio.SeqRecord import SeqRecord

    from seqbio.sequences import Pair

FAILED, WRONG_USAGE, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
ALPHABETS = ("dna", "rna", "protein")
PAIRINGS = ("consecutive", "first-vs-rest", "by-order", "by-id")

_DATASET = "dataset:"
_ADVICE = {
    errno.ENOENT: "check the name",
    errno.EISDIR: "name a file",
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.EROFS: "choose another place",
    errno.ENOSPC: "make room or choose another place",
}
# Typer gives no public name to the base of all complaints about a command line.
_ClickException: Any = typer.BadParameter.__mro__[2]


# -- options -----------------------------------------------------------------------------------

PairsFile = Annotated[
    str,
    typer.Argument(
        metavar="PAIRS_FILE",
        help="FASTA file (gzip or not), - for standard input, or dataset:NAME.",
    ),
]
SecondFile = Annotated[
    str | None,
    typer.Argument(
        metavar="SECOND_FILE",
        help="The second sequence of each pair, if they are in two files.",
    ),
]
PairingOption = Annotated[
    str | None,
    typer.Option(
        "--pairing",
        metavar="HOW",
        help="consecutive or first-vs-rest; with two files by-order or by-id.  "
        "[default: consecutive; by-order]",
    ),
]
PairOption = Annotated[
    list[str] | None,
    typer.Option(
        "--pair",
        metavar="ID,ID",
        help="Take the records of these two ids as a pair; repeat it for more.",
    ),
]
AlphabetOption = Annotated[
    str | None,
    typer.Option(
        "--alphabet",
        metavar="|".join(ALPHABETS),
        help="What the sequences are made of.  [default: dna, or that of the data set]",
    ),
]
StripGapsOption = Annotated[
    bool,
    typer.Option(
        "--strip-gaps",
        metavar="",
        help="Remove - and . from sequences, as in rows of an alignment.",
    ),
]
OutputOption = Annotated[
    str,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write the result here, whole or not at all; - is standard output.",
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option("--json", metavar="", help="Write JSON, with the keys above."),
]
SeedOption = Annotated[
    int,
    typer.Option("--seed", metavar="N", min=0, help="Of everything random."),
]
QuietOption = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        metavar="",
        help="No progress and no notes, only warnings and errors.",
    ),
]


# -- running and failing -----------------------------------------------------------------------


class Program(TyperGroup):
    """The outermost command: it turns every expected failure into one line and an exit status.

    Status 0 means done, 1 that something is wrong with the input or the computer, 2 with the
    command line; 130 follows an interrupt from the keyboard and 141 a reader who has gone, as in
    ``seqbio ... | head``.
    """

    def main(self, *args: Any, **settings: Any) -> Any:
        """Run a command line and exit."""
        settings["standalone_mode"] = False
        try:
            with warnings.catch_warnings(), _failures_in_one_line():
                warnings.showwarning = _show_warning
                status = super().main(*args, **settings)
        except typer.Exit as end:
            status = end.exit_code
        sys.exit(status if isinstance(status, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        """Run a command and report what went wrong, before Typer turns it into its own words."""
        with _failures_in_one_line():
            super().invoke(ctx)
            typer.echo("", nl=False)  # flushes, and finds out that a pipe is closed


@contextmanager
def _failures_in_one_line() -> Iterator[None]:
    try:
        yield
    except _ClickException as error:
        message, context = error.format_message().removesuffix("."), getattr(error, "ctx", None)
        if context is not None:
            see = " See" if message.endswith("?") else "; see"
            message += f"{see} '{context.command_path} --help'"
        _report("error", message)
        raise typer.Exit(WRONG_USAGE) from None
    except SeqbioError as error:
        _report("error", str(error))
        wrong = isinstance(error, ParameterError | NestingError)
        raise typer.Exit(WRONG_USAGE if wrong else FAILED) from None
    except BrokenPipeError:
        _forget_output()
        raise typer.Exit(PIPE_CLOSED) from None
    except OSError as error:
        _forget_output()
        _report("error", _explained(error))
        raise typer.Exit(FAILED) from None
    except MemoryError:
        _report("error", "there is not enough memory; take fewer or shorter sequences at once")
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def _report(kind: str, text: str) -> None:
    """Write one line to standard error."""
    typer.echo(f"{kind}: {' '.join(text.split())}", err=True)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    _report("warning", str(message))


def _explained(error: OSError) -> str:
    place = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
    reason = (error.strerror or str(error)).lower()
    advice = f"; {_ADVICE[error.errno]}" if error.errno in _ADVICE else ""
    return f"{place}{reason}{advice}"


def _forget_output() -> None:
    """Let Python end without another attempt to write what standard output has refused."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(text: str, *, quiet: bool) -> None:
    """Tell the user something beside the result, on standard error."""
    if not quiet:
        _report("note", text)


def warn(text: str) -> None:
    """Write a warning to standard error, in one line."""
    _report("warning", text)


def help_without_command(ctx: typer.Context) -> None:
    """Show the help of a group of commands where none was named, and exit."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(WRONG_USAGE)


@contextmanager
def progress(task: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal that work goes on, and for how long it has.

    Parameters
    ----------
    task
        What is done, such as ``"fitting 3 pairs"``.
    quiet
        Show nothing.

    Yields
    ------
    callable
        Takes the numbers of pieces that are done and that there are, to show them too.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda n_done, n_pieces: None  # noqa: ARG005
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        number = bar.add_task(task, total=None)
        yield lambda n_done, n_pieces: bar.update(
            number, description=f"{task}: {n_done} of {n_pieces}"
        )


def new_seed(*, quiet: bool) -> int:
    """Choose a seed and say which, so that the run can be repeated."""
    seed = secrets.randbits(32)
    note(f"the seed is {seed}; repeat this run with --seed {seed}", quiet=quiet)
    return seed


# -- values of options -------------------------------------------------------------------------


def wrong_usage(option: str, message: str) -> ParameterError:
    """Make the exception for an option with a wrong value."""
    return ParameterError(f"{option}: {message}")


def chosen(option: str, value: str, choices: Sequence[str]) -> str:
    """Check that the value of an option is one of a few names.

    Raises
    ------
    ParameterError
        It is not; the message gives the nearest name and all of them.

    Examples
    --------
    >>> chosen("--alphabet", "DNA", ALPHABETS)
    'dna'
    >>> chosen("--alphabet", "protien", ALPHABETS)
    Traceback (most recent call last):
        ...
    seqbio.errors.ParameterError: --alphabet: 'protien' is unknown; did you mean 'protein'? ...
    """
    if value.lower() in choices:
        return value.lower()
    nearest = _nearest(value, choices)
    meant = f"did you mean {nearest!r}? Choose" if nearest else "choose"
    raise wrong_usage(option, f"{value!r} is unknown; {meant} from {', '.join(choices)}")


def _nearest(value: str, choices: Sequence[str]) -> str | None:
    return next(iter(difflib.get_close_matches(value.lower(), choices, n=1, cutoff=0.5)), None)


def tie_names(option: str, value: str, ties: Sequence[str]) -> tuple[str, ...]:
    """Read tie names with commas between them, or ``none``.

    What is not like any of the names is left to the model, which can say more about it.

    Examples
    --------
    >>> tie_names("--tie", "open,extend", ["open", "extend"]), tie_names("--tie", "none", ["open"])
    (('open', 'extend'), ())
    """
    if value.lower() == "none":
        return ()
    names = [name.strip() for name in value.split(",")]
    return tuple(chosen(option, name, ties) if _nearest(name, ties) else name for name in names)


def assignments(option: str, values: Sequence[str]) -> dict[str, float]:
    """Read ``name=number``, each once.

    Examples
    --------
    >>> assignments("--set", ["open_x=0.02", "kappa=2"])
    {'open_x': 0.02, 'kappa': 2.0}
    """
    result: dict[str, float] = {}
    for value in values:
        name, equals, number = (part.strip() for part in value.partition("="))
        if not (name and equals):
            raise wrong_usage(option, f"{value!r} is no assignment; write NAME=NUMBER")
        if name in result:
            raise wrong_usage(option, f"{name!r} is given twice; leave one out")
        result[name] = _number(option, number)
    return result


def word_or_numbers(option: str, value: str, words: Sequence[str]) -> str | tuple[float, ...]:
    """Read one of a few words, or numbers with commas between them.

    Examples
    --------
    >>> word_or_numbers("--frequencies", "0.3,0.2,0.2,0.3", ["equal"])
    (0.3, 0.2, 0.2, 0.3)
    """
    if "," in value:
        return tuple(_number(option, part.strip()) for part in value.split(","))
    return chosen(option, value, words)


def _number(option: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise wrong_usage(option, f"{text!r} is no number") from None


# -- reading -----------------------------------------------------------------------------------


def read_pairs(
    file: str,
    second: str | None,
    *,
    alphabet: str | None,
    pairing: str | None,
    pair: Sequence[str] | None,
    strip_gaps: bool,
) -> tuple[list[Pair], str]:
    """Read pairs as the reading options say.

    Parameters
    ----------
    file, second, alphabet, pairing, pair, strip_gaps
        The options as they were given. A data set brings its own alphabet and pairing.

    Returns
    -------
    pairs : list of (SeqRecord, SeqRecord)
        As from `seqbio.read_pairs`.
    alphabet : str
        Name of the alphabet.
    """
    from seqbio import sequences

    select = [_two_ids(value) for value in pair] if pair else None
    _check_together(second, pairing, select)
    source, about = _located(file)
    other, _ = _located(second) if second is not None else (None, None)
    if alphabet is not None:
        alphabet = chosen("--alphabet", alphabet, ALPHABETS)
    elif about is not None and about.alphabet is not None:
        alphabet = str(about.alphabet)
    else:
        alphabet = "dna"
    if about is not None and second is None and pairing is None and select is None:
        if about.pairing == "select":
            raise ParameterError(
                f"{file} holds related sequences, not pairs: choose with --pair {_example(source)} "
                "(repeat it for more), or take --pairing first-vs-rest",
            )
        pairing = about.pairing
    arranged: Any = pairing
    pairs = sequences.read_pairs(
        source, other, alphabet=alphabet, pairing=arranged, select=select, strip_gaps=strip_gaps
    )
    return pairs, alphabet


def read_records(
    file: str, *, alphabet: str | None, strip_gaps: bool = False
) -> tuple[list[SeqRecord], str]:
    """Read records as the reading options say.

    Parameters
    ----------
    file, alphabet, strip_gaps
        The options as they were given. A data set brings its own alphabet.

    Returns
    -------
    records : list of SeqRecord
        As from `seqbio.read_fasta`.
    alphabet : str
        Name of the alphabet.
    """
    from seqbio import sequences

    source, about = _located(file)
    if alphabet is not None:
        alphabet = chosen("--alphabet", alphabet, ALPHABETS)
    elif about is not None and about.alphabet is not None:
        alphabet = str(about.alphabet)
    else:
        alphabet = "dna"
    return sequences.read_fasta(source, alphabet, strip_gaps=strip_gaps), alphabet


def _two_ids(value: str) -> tuple[str, str]:
    ids = [part.strip() for part in value.split(",")]
    if len(ids) != 2 or not all(ids):
        raise wrong_usage("--pair", f"{value!r} is no pair; write two ids with a comma between")
    return ids[0], ids[1]


def _check_together(second: str | None, pairing: str | None, select: object) -> None:
    if pairing is not None:
        pairing = chosen("--pairing", pairing, PAIRINGS)
        files, choices = (
            ("one file", PAIRINGS[:2]) if second is None else ("two files", PAIRINGS[2:])
        )
        if pairing not in choices:
            raise wrong_usage(
                "--pairing", f"with {files} choose {' or '.join(choices)}, not {pairing}"
            )
    if select is not None and (second is not None or pairing is not None):
        other = "a second file" if second is not None else "--pairing"
        raise wrong_usage("--pair", f"it picks pairs from one file; leave out {other}, or --pair")


def file_of(name: str) -> str:
    """Find the file that is meant by a path, ``-`` or ``dataset:NAME``."""
    return _located(name)[0]


def _located(name: str) -> tuple[str, Any]:
    """Find the file that is meant, and what is known about it if it is a data set."""
    from seqbio import datasets

    if name.startswith(_DATASET):
        known = name.removeprefix(_DATASET)
        about = datasets.describe(known)
        return str(datasets.path(known)), about
    if name in datasets.names() and not Path(name).exists():
        raise SeqbioError(f"{name}: no such file; the data set of that name is {_DATASET}{name}")
    return name, None


def _example(source: str) -> str:
    from seqbio.sequences import read_input

    _, content = read_input(source)
    headers = [line.split() for line in content.split(b"\n") if line.startswith(b">")]
    return ",".join(words[0][1:].decode() for words in headers[:2])


# -- writing -----------------------------------------------------------------------------------


def check_writable(*files: str | None) -> None:
    """Refuse a file that cannot be written before hours of work, not after.

    Raises
    ------
    SeqbioError
        The folder of a file does not exist.
    OSError
        It cannot be written.
    """
    for file in files:
        if file is None or file == "-":
            continue
        folder = Path(file).resolve().parent
        if not folder.is_dir():
            raise SeqbioError(f"{file}: there is no folder {folder}; create it first")
        if Path(file).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
        target = Path(file) if Path(file).exists() else folder
        if not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), file)


def write_text(text: str, output: str) -> None:
    """Write a result to a file, whole or not at all, or to standard output."""
    from seqbio.sequences import atomic_writer

    with atomic_writer(output) as stream:
        stream.write(text if text.endswith("\n") else f"{text}\n")


def table(title: str, rows: Sequence[Sequence[str]]) -> str:
    """Write cells in columns, below a title.

    Examples
    --------
    >>> print(table("Fit", [("", "estimate"), ("open_x", "0.02")]))
    Fit
              estimate
      open_x  0.02
    """
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = [
        "  ".join(["", *(cell.ljust(width) for cell, width in zip(row, widths, strict=True))])
        for row in rows
    ]
    return "\n".join([title, *(line.rstrip() for line in lines)])


def as_json(command: str, content: Mapping[str, Any]) -> str:
    """Write a result as JSON: ``seqbio_version``, ``command``, and what the command has found.

    Numbers are in full precision; what is not finite is null.

    Examples
    --------
    >>> print(as_json("version", {"number": 0.1, "missing": float("nan")}))
    {
      "seqbio_version": "...",
      "command": "version",
      "number": 0.1,
      "missing": null
    }
    """
    whole = {"seqbio_version": __version__, "command": command, **content}
    return json.dumps(_finite(whole), indent=2, allow_nan=False, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
