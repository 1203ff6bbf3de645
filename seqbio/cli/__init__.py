"""The command line: ``seqbio GROUP COMMAND``, one module for each group.

Everywhere ``--json``, ``--seed`` and ``--quiet`` mean the same, results go to standard output and
all else to standard error, and the exit status is 0 when done, 1 when the input is at fault and 2
when the command line is.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from seqbio import __version__
from seqbio.cli import common, motif, pairhmm, recurrent

__all__ = ["app", "main"]

app = typer.Typer(
    cls=common.Program,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text can be copied, and is quicker
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.add_typer(motif.app, name="motif")
app.add_typer(pairhmm.app, name="pairhmm")
app.add_typer(recurrent.app, name="recurrent")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"seqbio {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def seqbio(
    ctx: typer.Context,
    _: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            is_eager=True,
            callback=_print_version,
            help="Print the version and exit.",
        ),
    ] = False,
) -> None:
    """Test symmetries of sequence models: fit them tied and untied, and compare.

    For example: seqbio pairhmm test dataset:brca1 --pair Human,Mouse
    """
    common.help_without_command(ctx)


@app.command()
def version(
    json: common.JsonOption = False,
    seed: common.NoSeedOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", hidden=True)] = False,
) -> None:
    """Print the versions of seqbio and of its tools.

    Keys of --json: python, numpy, scipy, biopython; as everywhere seqbio_version, schema_version
    and command.

    For example: seqbio version --json
    """
    from seqbio.report import versions as installed

    del seed, quiet
    versions = installed()
    if json:
        typer.echo(common.as_json("version", versions))
    else:
        others = ", ".join(f"{name} {number}" for name, number in versions.items())
        typer.echo(f"seqbio {__version__} ({others})")


_FAMILIES = {
    "motif": "MotifDetector",
    "recurrent": "RecurrentModel",
    "markov": "MarkovModel",
    "pairhmm": "PairHMM",
}


@app.command(cls=common.PlainCommand)
def ties(
    family: Annotated[
        str | None,
        typer.Argument(
            metavar="FAMILY",
            help=f"One of {', '.join(_FAMILIES)}; markov is the model of recurrent test.  "
            "[default: all]",
        ),
    ] = None,
    json: common.JsonOption = False,
    seed: common.NoSeedOption = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", hidden=True)] = False,
) -> None:
    """Say what each tie means, by the names that --tie, --null and --alternative take.

    Keys of --json: ties (by family and name: what it says about biology).

    For example: seqbio ties pairhmm
    """
    import seqbio
    from seqbio.core.tables import Table, as_text

    del seed, quiet
    names = [common.chosen("FAMILY", family, tuple(_FAMILIES))] if family else list(_FAMILIES)
    meanings = {name: getattr(seqbio, _FAMILIES[name]).ties() for name in names}
    if json:
        typer.echo(common.as_json("ties", {"ties": meanings}))
        return
    sentence = "A tie is one number in several places: a belief that can be held, or tested."
    tables = [Table(f"Ties of {name}", (), list(each.items())) for name, each in meanings.items()]
    typer.echo(as_text(sentence, tables))


@app.command()
def schema() -> None:
    """Print the JSON Schema of what every command writes with --json.

    Under $defs it has one definition for each command, which says what each key holds.

    For example: seqbio schema > seqbio.schema.json
    """
    from importlib.resources import files

    typer.echo(files("seqbio.cli").joinpath("schema.json").read_text(encoding="utf-8"), nl=False)


def main() -> None:
    """Run the command line that the process was started with, and exit."""
    common.hold_standard_streams()
    if isinstance(sys.stdout, TextIOWrapper):
        # Help may have letters that an old terminal cannot show.
        sys.stdout.reconfigure(errors="backslashreplace")
    app(prog_name="seqbio")
