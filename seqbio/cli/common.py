"""What all commands share: errors in one line, options, reading, writing, progress.

Nothing heavy is imported here, so that help is quick.
"""

from __future__ import annotations

import errno
import functools
import inspect
import json
import math
import os
import re
import secrets
import shlex
import stat
import sys
import time
import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TextIO, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup

from seqbio import __version__
from seqbio.errors import NestingError, ParameterError, SeqbioError, did_you_mean

if TYPE_CHECKING:
    from Bio.SeqRecord import SeqRecord

    from seqbio.core.tables import Table
    from seqbio.hypothesis_testing import LikelihoodRatioResult
    from seqbio.sequences import Pair

SCHEMA_VERSION = 2
FAILED, WRONG_USAGE, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
ALPHABETS = ("dna", "rna", "protein")
PAIRINGS = ("consecutive", "first-vs-rest", "by-order", "by-id")

_DATASET = "dataset:"
_arguments: ContextVar[Sequence[str]] = ContextVar("arguments", default=())
_options: ContextVar[frozenset[str]] = ContextVar("options", default=frozenset())
_streams: ContextVar[frozenset[object]] = ContextVar("streams", default=frozenset())
_TELLING = 5.0  # seconds of fits from which the time of the rounds can be foretold
_LONG = 20.0  # seconds of work ahead that are worth a line where there is no terminal
_HELP_WIDTH = 76
_ADVICE = {
    errno.ENOENT: "check the name",
    errno.EISDIR: "name a file",
    errno.EACCES: "check its permissions",
    errno.EPERM: "check its permissions",
    errno.EROFS: "choose another place",
    errno.ENOSPC: "make room or choose another place",
}
# Arguments of the library whose options have other names than theirs with hyphens.
_SPELLED = {
    "batch_size": "--batch",
    "embedding_size": "--embedding",
    "hidden_size": "--hidden",
    "n_epochs": "--epochs",
    "n_layers": "--layers",
    "n_motifs": "--motifs",
    "n_replicates": "--replicates",
    "n_splits": "--splits",
    "n_starts": "--starts",
    "validation_fraction": "--validation",
}
_FORMER_OPTIONS = {"--jobs": "--workers"}
_FORMER = "{} is called {} now; the former name will be gone in the next release"
# The same said twice: "(--option ...; argument=...)", "(argument; --option ...)", "--option ...
# (argument=...)" and "argument=... (--option ...)".
_BESIDE = re.compile(r"(?P<kept>\((?P<option>--[a-z-]+)[^();]*); \w+(=[^();]*)?(?=\))")
_BEFORE = re.compile(r"(?<=\()\w+(=[^();]*)?; (?P<kept>(?P<option>--[a-z-]+))")
_BEHIND = re.compile(r"(?P<kept>(?P<option>--[a-z-]+)[\w ,]*) \([a-z]+(_[a-z]+)*(=[^()]*)?\)")
_INSTEAD = re.compile(r"\b[a-z_]+=\w+ \((?P<kept>(?P<option>--[a-z-]+))\)")
# An argument with a value, one whose name is like no other word, and one that a message is about.
_OUTSIDE = r"(?<![\w./'\"=-])(?P<name>{})"
_ASSIGNED = re.compile(_OUTSIDE.format(r"[a-z_]+") + r"=(?P<value>'[^']*'|\([^()]*\)|\w[\w.]*)")
_NAMED = re.compile(_OUTSIDE.format(r"[a-z]+(?:_[a-z]+)+") + r"(?![\w:/='\"-]|\.\w)")
_FIRST = re.compile(r"^(?P<name>[a-z]+)(?= is |: found )")
# Typer gives no public name to the base of all complaints about a command line.
_ClickException: Any = typer.BadParameter.__mro__[2]
_EXPECTED = (_ClickException, SeqbioError, OSError, MemoryError, KeyboardInterrupt)


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
        help="What sequences are made of.  [default: dna, or the data set's]",
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
        help="Write the result here; - is standard output.",
    ),
]
ReportOption = Annotated[
    str | None,
    typer.Option(
        "--report",
        metavar="FILE.html",
        help="Write a report for people here: one HTML file with figures.",
    ),
]
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json",
        metavar="",
        help="Write JSON, with the keys above, which 'seqbio schema' explains.",
    ),
]
SeedOption = Annotated[
    int,
    typer.Option("--seed", metavar="N", min=0, help="Of everything random."),
]
NewSeedOption = Annotated[
    int | None,
    typer.Option(
        "--seed",
        metavar="N",
        min=0,
        help="Of everything random.  [default: a new one, reported on standard error]",
    ),
]
NoSeedOption = Annotated[int | None, typer.Option("--seed", hidden=True)]
QuietOption = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        metavar="",
        help="No progress and no notes, only warnings and errors.",
    ),
]


# -- groups of options -------------------------------------------------------------------------


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take options in groups that several commands share.

    A parameter of the command whose type is a dataclass stands for the fields of that class: each
    becomes an argument or option of its own, and the command gets them back as one object.
    """
    parameters: list[inspect.Parameter] = []
    groups: dict[str, Any] = {}
    hints = get_type_hints(command, include_extras=True)
    for parameter in inspect.signature(command).parameters.values():
        kind = hints[parameter.name]
        if isinstance(kind, type) and is_dataclass(kind):
            groups[parameter.name] = kind
            members = inspect.signature(kind).parameters.values()
            types = get_type_hints(kind, include_extras=True)
        else:
            members, types = {parameter.name: parameter}.values(), hints
        parameters += [
            member.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=types[member.name])
            for member in members
        ]

    @functools.wraps(command)
    def ungrouped(**values: Any) -> None:
        for name, kind in groups.items():
            values[name] = kind(**{each.name: values.pop(each.name) for each in fields(kind)})
        command(**values)

    ungrouped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    ungrouped.__annotations__ = {each.name: each.annotation for each in parameters}
    return ungrouped


@dataclass(frozen=True)
class Results:
    """Where the result goes and as what, the same for every command."""

    output: OutputOption = "-"
    json: JsonOption = False
    quiet: QuietOption = False

    def check(self, *read: str | None, **written: str | None) -> None:
        """Refuse files that cannot be written, or that are named twice, before hours of work.

        Parameters
        ----------
        *read
            The files that are read, as they were named.
        **written
            The files that are written beside the result, by their options.
        """
        check_files(read, {"output": self.output, **written})

    def write_text(self, text: str) -> None:
        """Write a result for people."""
        write_text(text, self.output)

    def write_json(self, command: str, content: Mapping[str, Any]) -> None:
        """Write a result for programs."""
        write_text(as_json(command, content), self.output)


@dataclass(frozen=True)
class Reported(Results):
    """The same for a command that can write a report, too."""

    report: ReportOption = None

    def check(self, *read: str | None, **written: str | None) -> None:
        """Check the report, too."""
        super().check(*read, report=self.report, **written)
        if self.report is not None:
            from seqbio.report import check_installed, check_name

            check_name(self.report)
            check_installed()

    def write_test(self, result: LikelihoodRatioResult, *about: Table) -> None:
        """Write the result of a test for people: its conclusion, what it is about, and why."""
        from seqbio.core.tables import as_text

        self.write_text(as_text(result.conclusion, [*about, *result.tables()]))

    def write_report(self, source: Any, origin: Mapping[str, object], **settings: Any) -> None:
        """Write a report if it is asked for, see `seqbio.report.write_report`."""
        if self.report is not None:
            from seqbio.report import write_report

            command = shlex.join(["seqbio", *_arguments.get()])
            write_report(source, self.report, origin=origin, command=command, **settings)


@dataclass(frozen=True)
class PairsInput:
    """Where pairs of sequences come from."""

    pairs_file: PairsFile
    second_file: SecondFile = None
    pairing: PairingOption = None
    pair: PairOption = None
    alphabet: AlphabetOption = None
    strip_gaps: StripGapsOption = False

    def read(self) -> tuple[list[Pair], str]:
        """Read pairs, see `read_pairs`."""
        return read_pairs(
            self.pairs_file,
            self.second_file,
            alphabet=self.alphabet,
            pairing=self.pairing,
            pair=self.pair,
            strip_gaps=self.strip_gaps,
        )

    @property
    def files(self) -> list[str]:
        """The files as they were named."""
        return [file for file in (self.pairs_file, self.second_file) if file is not None]


# -- help --------------------------------------------------------------------------------------


def helped(words: Callable[[], Mapping[str, str]]) -> type[TyperCommand]:
    """Make a class of commands whose help names what the library knows.

    Parameters
    ----------
    words
        Gives what stands for ``{name}`` in the help; called only when help is shown, because the
        library takes time to load.
    """

    class Command(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> Any:
            known = frozenset(name for option in self.params for name in option.opts)
            _options.set(known)
            quiet = not {"-q", "--quiet"}.isdisjoint(args)
            args = [_renamed(arg, known, quiet) for arg in args]
            _refuse_repeated(self.make_parser(ctx).parse_args(list(args))[2])
            return super().parse_args(ctx, args)

        def format_help(self, ctx: Any, formatter: Any) -> None:
            # Click leaves the lines of a paragraph with this mark as they are.
            known = {f"{{{name}}}": text for name, text in words().items()} | {r"\b": "\b"}
            for place, text in known.items():
                self.help = (self.help or "").replace(place, text)
            super().format_help(ctx, formatter)

    return Command


PlainCommand = helped(dict)
"""A command whose help needs no words of the library's."""


def _refuse_repeated(given: Sequence[Any]) -> None:
    """Refuse options with two values, of which Click would take the last without a word."""
    for parameter in given:
        if given.count(parameter) > 1 and not (parameter.multiple or parameter.is_flag):
            raise wrong_usage(
                max(parameter.opts, key=len), "it is given more than once; give it once"
            )


def _renamed(argument: str, known: Container[str], quiet: bool) -> str:
    """Take an option by its former name, with a note, where the command has the new one."""
    name, equals, value = argument.partition("=")
    new = _FORMER_OPTIONS.get(name)
    if new is None or name in known or new not in known:
        return argument
    note(_FORMER.format(name, new), quiet=quiet)
    return f"{new}{equals}{value}"


def formerly(app: typer.Typer, name: str, command: Callable[..., None]) -> None:
    """Let a command be called by its former name, with a note; help does not show it."""

    @functools.wraps(command)
    def former(**values: Any) -> None:
        note(_FORMER.format(name, command.__name__), quiet=values["quiet"])
        command(**values)

    app.command(name, cls=PlainCommand, hidden=True)(former)


def listed(meanings: Mapping[str, str]) -> str:
    """Write names and what they mean in two columns, as lines that click leaves alone."""
    width = max(map(len, meanings))
    lines = [
        fill(
            meaning,
            _HELP_WIDTH,
            initial_indent=f"  {name.ljust(width)}  ",
            subsequent_indent=" " * (width + 4),
        )
        for name, meaning in meanings.items()
    ]
    return "\n".join([r"\b", *lines])


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
        given = args[0] if args else settings.get("args")
        _arguments.set(tuple(sys.argv[1:] if given is None else given))
        _streams.set(frozenset())
        try:
            with warnings.catch_warnings(), _failures_in_one_line():
                warnings.showwarning = _each_once()
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
    except _EXPECTED as error:
        raise typer.Exit(_told(error)) from None


def _told(error: Any) -> int:
    """Tell of an expected failure, and give the exit status that says of what kind it is."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, OSError) and not isinstance(error, SeqbioError):
        _forget_output()
        if isinstance(error, BrokenPipeError):
            return PIPE_CLOSED
        message = _explained(error)
    elif isinstance(error, MemoryError):
        message = "there is not enough memory; take fewer or shorter sequences at once"
    elif isinstance(error, _ClickException):
        message, context = error.format_message().removesuffix("."), getattr(error, "ctx", None)
        if context is not None:
            see = " See" if message.endswith("?") else "; see"
            message += f"{see} '{context.command_path} --help'"
    else:
        message = as_typed(str(error), _options.get())
    _report("error", message)
    wrong = isinstance(error, _ClickException | ParameterError | NestingError)
    return WRONG_USAGE if wrong else FAILED


def _report(kind: str, text: str) -> None:
    """Write one line to standard error, where what no terminal should get is escaped."""
    line = "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in " ".join(text.split())
    )
    with suppress(OSError):  # that nobody listens must not cost the result
        typer.echo(f"{kind}: {line}", err=True)


def _each_once() -> Callable[..., None]:
    """Make a function that shows warnings, but none a second time."""
    shown: set[str] = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        text = str(message)
        if text not in shown:
            shown.add(text)
            _report("warning", as_typed(text, _options.get()))

    return show


def as_typed(text: str, options: Container[str]) -> str:
    """Say what the library says of its arguments in the words of a command line.

    Messages name an argument, or an option with the argument behind it, in parentheses. Here
    nobody can give an argument, so it gives way to its option, if the command has that.

    Parameters
    ----------
    text
        A message of the library.
    options
        Those of the command.

    Returns
    -------
    str
        The same where no option is meant.

    Examples
    --------
    >>> as_typed("n_epochs is 0; give 1 or more, or tie=()", ["--epochs", "--tie"])
    '--epochs is 0; give 1 or more, or --tie none'
    >>> as_typed("use --ends free (ends='free')", ["--ends"])
    'use --ends free'
    """

    def option(name: str) -> str:
        spelled = _SPELLED.get(name, f"--{name.replace('_', '-')}")
        return spelled if spelled in options else ""

    def assigned(found: re.Match[str]) -> str:
        values = " ".join(re.findall(r"[\w.]+", found["value"])).replace(" ", ",")
        word = {"True": "", "": " none"}.get(values, f" {values}")
        return option(found["name"]) + word if option(found["name"]) else found[0]

    def named(found: re.Match[str]) -> str:
        return option(found["name"]) or found[0]

    for pattern in (_BESIDE, _BEFORE, _BEHIND, _INSTEAD):
        text = pattern.sub(
            lambda found: found["kept"] if found["option"] in options else found[0], text
        )
    text = _ASSIGNED.sub(assigned, text)
    return _FIRST.sub(named, _NAMED.sub(named, text))


def _explained(error: OSError) -> str:
    place = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
    reason = (error.strerror or str(error)).lower()
    advice = f"; {_ADVICE[error.errno]}" if error.errno in _ADVICE else ""
    near = nearby(os.fsdecode(error.filename)) if error.errno == errno.ENOENT else ""
    return f"{place}{reason}{near}{advice}"


def nearby(file: str | None) -> str:
    """Ask whether a file of a similar name in the same folder is meant, see `did_you_mean`."""
    if not file:
        return ""
    try:
        names = [each.name for each in Path(file).parent.iterdir()]
    except OSError:
        return ""
    return did_you_mean(Path(file).name, names)


def _forget_output() -> None:
    """Let Python end without another attempt to write what standard output has refused."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def hold_standard_streams() -> None:
    """Keep a file that is opened later from taking the number of a standard stream that is closed.

    Else it would get what is meant for the stream, as from ``-o /dev/stdout`` after ``>&-``.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


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


class Update(Protocol):
    """What tells of progress: pieces that are done and that there are, and what is going on."""

    def __call__(self, n_done: int, n_pieces: int, now: str = "") -> None:
        """Show it."""


@contextmanager
def progress(task: str, *, quiet: bool) -> Iterator[Update]:
    """Show that work goes on, and how much of it is left.

    On a terminal there is a bar with the time that remains. Elsewhere one line is written, and
    only if the work will take long.

    Parameters
    ----------
    task
        What is done, such as ``"fitting 3 pairs"``.
    quiet
        Show nothing.

    Yields
    ------
    callable
        Takes the numbers of pieces that are done and that there are, to show them too, and what
        else there is to say.
    """
    if quiet or sys.stderr is None:
        yield lambda n_done, n_pieces, now="": None  # noqa: ARG005
        return
    if not sys.stderr.isatty():
        yield _said_when_long(task)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        number = bar.add_task(task, total=None)

        def update(n_done: int, n_pieces: int, now: str = "") -> None:
            words = now or f"{n_done} of {n_pieces}"
            bar.update(number, completed=n_done, total=n_pieces, description=f"{task}: {words}")

        yield update


def announce(task: str, seconds: float, advice: str, *, quiet: bool) -> None:
    """Say before it begins how long work takes, and what would make it shorter, if it is long."""
    if seconds > _LONG:
        note(f"{task} takes about {_duration(seconds)}; {advice}", quiet=quiet)


def _said_when_long(task: str) -> Update:
    """Say how much work is left if it is much: before the first round, and as the rounds show.

    Before it there are only the fits that led up to it to go by, of which a round makes as many;
    short ones say nothing, since programs take a while to load.
    """
    begun, first, foretold, settled = time.monotonic(), (0.0, -1), 0.0, False

    def update(n_done: int, n_pieces: int, now: str = "") -> None:
        nonlocal first, foretold, settled
        at = time.monotonic()
        if first[1] < 0:
            first = at, n_done
        if settled:
            return
        if n_done > first[1]:
            left = (at - first[0]) / (n_done - first[1]) * (n_pieces - n_done)
            words = now or f"{n_done} of at most {n_pieces} rounds of fits are done"
            words += f"; up to {_duration(left)} to go"
        elif n_done == 0 and at - begun > _TELLING:
            left = (at - begun) * n_pieces
            words = f"at most {n_pieces} rounds of fits to do"
            words += f"; about {_duration(left)} if each takes as long as the first fits"
        else:
            return
        if left > _LONG:
            settled = n_done > 0
            if not foretold / 2 < left < 2 * foretold:
                note(f"{task}: {words}", quiet=False)
            foretold = left

    return update


def epochs(
    update: Update, n_epochs: int, unit: str, factor: float = 1.0
) -> Callable[[int, int, int, float], None]:
    """Let a training tell of its progress.

    Parameters
    ----------
    update
        From `progress`.
    n_epochs
        At most.
    unit
        Of the loss that is shown.
    factor
        From nats to that unit.

    Returns
    -------
    callable
        Takes the epoch, the batches done, the batches of an epoch and the loss in nats.
    """

    def on_batch(epoch: int, n_done: int, n_batches: int, loss: float) -> None:
        update(
            (epoch - 1) * n_batches + n_done,
            n_epochs * n_batches,
            f"epoch {epoch} of {n_epochs}, {loss * factor:.3f} {unit}",
        )

    return on_batch


def _duration(seconds: float) -> str:
    """Round a time to what matters.

    Examples
    --------
    >>> _duration(75), _duration(1000), _duration(10_000)
    ('75 s', '17 min', '2.8 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


@contextmanager
def seeded(seed: int | None, *, quiet: bool) -> Iterator[int]:
    """Choose a seed where none is given, and say which once the work with it is done.

    Yields
    ------
    int
        With it the run can be repeated.
    """
    if seed is not None:
        yield seed
        return
    seed = secrets.randbits(32)
    yield seed
    note(f"the seed is {seed}; repeat this run with --seed {seed}", quiet=quiet)


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
    seqbio.errors.ParameterError: --alphabet: 'protien' is unknown (did you mean 'protein'?); ...
    """
    if value.lower() in choices:
        return value.lower()
    meant = did_you_mean(value.lower(), choices)
    raise wrong_usage(option, f"{value!r} is unknown{meant}; choose from {', '.join(choices)}")


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
    return tuple(
        chosen(option, name, ties) if did_you_mean(name.lower(), ties) else name for name in names
    )


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

    select = pair or None
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
    """Find the file that is meant by a path, ``-`` or ``dataset:NAME``, each time it is read.

    Raises
    ------
    ParameterError
        It is a stream, such as a pipe, and the command has asked for it already.
    """
    return _located(name)[0]


def _located(name: str) -> tuple[str, Any]:
    """Find the file that is meant, and what is known about it if it is a data set."""
    from seqbio import datasets
    from seqbio.sequences.input import read_twice, stream_names

    names = stream_names(name)
    if names & _streams.get():
        raise read_twice(name)
    _streams.set(_streams.get() | names)
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
    return shlex.quote(",".join(words[0][1:].decode() for words in headers[:2]))


# -- writing -----------------------------------------------------------------------------------


def check_files(read: Iterable[str | None], written: Mapping[str, str | None]) -> None:
    """Refuse files that cannot be written, or that are named twice, before hours of work.

    Parameters
    ----------
    read
        The files that are read, as they were named.
    written
        The files that are written, by their options.

    Raises
    ------
    SeqbioError
        The folder of a file does not exist.
    ParameterError
        A file is written for two options, or is one that is read.
    OSError
        A file cannot be written.
    """
    from seqbio.sequences import check_target

    known = {_identity(file, sys.__stdin__): "is read, too" for file in read if file is not None}
    for name, file in written.items():
        if file is None:
            continue
        option = f"--{name.replace('_', '-')}"
        folder = Path(os.path.realpath(file)).parent
        if not folder.exists():
            raise SeqbioError(f"{file}: there is no folder {folder}; create it first")
        check_target(file)
        identity = _identity(file, sys.__stdout__)
        if identity is not None and identity in known:
            raise wrong_usage(option, f"{file} {known[identity]}; name another file")
        known[identity] = f"is written for {option}, too"


def _identity(file: str, standard: TextIO | None) -> object:
    """Give what is the same for two names of one file, and None for what takes anything."""
    from seqbio.sequences import open_descriptor

    number = open_descriptor(file)
    if file == "-" and standard is not None:
        number = standard.fileno()
    try:
        about = os.stat(file) if number is None else os.fstat(number)  # noqa: PTH116
    except OSError:
        return os.path.realpath(file)
    if stat.S_ISREG(about.st_mode) or stat.S_ISFIFO(about.st_mode):
        return about.st_dev, about.st_ino
    return number  # of a terminal, which reads and writes; other devices are named to forget


def write_text(text: str, output: str) -> None:
    """Write a result to a file, whole or not at all, or to standard output."""
    from seqbio.sequences import atomic_writer

    with atomic_writer(output) as stream:
        stream.write(text if text.endswith("\n") else f"{text}\n")


def as_table(rows: Sequence[Mapping[str, Any]]) -> str:
    r"""Write rows as a table with tabs.

    The probabilities of classes get a column each, whose name is that of no other whatever the
    classes are called.

    Examples
    --------
    >>> as_table([{"id": "x", "probabilities": {"id": 0.25, "no": 0.75}}])
    'id\tP(id)\tP(no)\nx\t0.25\t0.75\n'
    """
    from seqbio.sequences import tsv_line

    flat = []
    for row in rows:
        shares = row.get("probabilities", {})
        others = {name: value for name, value in row.items() if name != "probabilities"}
        flat.append(others | {f"P({name})": share for name, share in shares.items()})
    lines = [tsv_line(list(flat[0])), *(tsv_line(map(_cell, row.values())) for row in flat)]
    return "".join(lines)


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@contextmanager
def each_written() -> Iterator[Callable[..., None]]:
    """Write every output of a command, whether or not another fails.

    Yields
    ------
    callable
        Takes a function that writes, and its arguments. A failure is raised when the block ends;
        the others are told.
    """
    failures: list[Exception] = []

    def attempt(write: Callable[..., None], *arguments: Any, **settings: Any) -> None:
        try:
            write(*arguments, **settings)
        except Exception as error:  # noqa: BLE001 (all are raised or told below)
            failures.append(error)

    try:
        yield attempt
    except BaseException:
        for failure in failures:
            _told(failure)
        raise
    failures.sort(key=lambda failure: isinstance(failure, _EXPECTED))  # mistakes of ours first
    for failure in failures[1:]:
        _told(failure)
    if failures:
        raise failures[0]


def as_json(command: str, content: Mapping[str, Any]) -> str:
    """Write a result as JSON: the versions, the command, and what the command has found.

    Numbers are in full precision; what is not finite is null.

    Examples
    --------
    >>> print(as_json("version", {"number": 0.1, "missing": float("nan")}))
    {
      "seqbio_version": "...",
      "schema_version": 2,
      "command": "version",
      "number": 0.1,
      "missing": null
    }
    """
    versions = {"seqbio_version": __version__, "schema_version": SCHEMA_VERSION}
    whole = {**versions, "command": command, **content}
    return json.dumps(_finite(whole), indent=2, allow_nan=False, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
