"""A command line in this process, and small files to give it."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from seqbio import PairHMM, read_fasta, write_fasta
from seqbio.cli import app, common

PARAMETERS = {
    "open_x": 0.03,
    "open_y": 0.05,
    "extend_x": 0.4,
    "extend_y": 0.5,
    "end": 0.01,
    "distance": 0.2,
    "kappa": 2.0,
}


def check_advice(words: list[str], messages: str) -> None:
    """Check that a command names no option that it does not have, and each as it is typed."""
    command: Any = typer.main.get_command(app)
    for word in words:
        command = getattr(command, "commands", {}).get(word, command)
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", messages))
    assert named <= known | {*words}, messages
    for argument in re.findall(r"(?<![\w/'.-])[a-z]+(?:_[a-z]+)+(?![\w/'-])", messages):
        option = common._SPELLED.get(argument, f"--{argument.replace('_', '-')}")
        assert option not in known, messages


@pytest.fixture
def run() -> Callable[..., Any]:
    """Return a function that runs ``seqbio`` with some arguments."""

    def run(*arguments: object, stdin: str | bytes | None = None) -> Any:
        words = [str(each) for each in arguments]
        result = CliRunner().invoke(app, words, input=stdin)
        check_advice(words, result.stderr)
        return result

    return run


@pytest.fixture
def fails(run: Callable[..., Any]) -> Callable[..., str]:
    """Return a function that runs ``seqbio`` and gives the one line in which it says no."""

    def fails(status: int, *arguments: object, stdin: str | bytes | None = None) -> str:
        result = run(*arguments, stdin=stdin)
        assert result.exit_code == status, result.output
        assert result.stdout == ""
        [line] = result.stderr.splitlines()
        assert line.startswith("error: ")
        return line.removeprefix("error: ")

    return fails


@pytest.fixture(scope="session")
def model() -> PairHMM:
    return PairHMM(tie=()).set_parameters(PARAMETERS)


@pytest.fixture(scope="session")
def model_file(model: PairHMM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("model") / "model.json"
    model.save(file)
    return file


@pytest.fixture(scope="session")
def pairs_file(model: PairHMM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with four pairs, from which all parameters can be estimated."""
    file = tmp_path_factory.mktemp("pairs") / "pairs.fa"
    records = [record for pair in model.simulate(4, columns=150, seed=3) for record in pair]
    write_fasta(records, file)
    return file


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file and gives its path."""

    def write(name: str, content: str | bytes) -> Path:
        data = content.encode() if isinstance(content, str) else content
        file = tmp_path / name
        file.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return file

    return write


@pytest.fixture(scope="session")
def small(
    pairs_file: Path, model_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Return small files for every command, and where to keep networks."""
    folder = tmp_path_factory.mktemp("small")
    # Two classes of records for the motifs and the recurrent models, and a motif.
    letters = "".join(str(record.seq) for record in read_fasta(pairs_file))
    for kind, start in (("early", 0), ("late", 500)):
        pieces = [letters[start + 14 * i :][:14] for i in range(30)]
        rows = [f">{kind}{i} kind={kind}\n{piece}\n" for i, piece in enumerate(pieces)]
        (folder / f"{kind}.fa").write_text("".join(rows))
    both = (folder / "early.fa").read_text() + (folder / "late.fa").read_text()
    (folder / "both.fa").write_text(both)
    matrix = "0.7 0.1 0.1 0.1\n" * 4
    text = f"MEME version 4\n\nALPHABET= ACGT\n\nMOTIF m\nletter-probability matrix: w= 4\n{matrix}"
    (folder / "m.meme").write_text(text)
    return {
        "pairs": pairs_file,
        "model": model_file,
        **{name: folder / f"{name}.fa" for name in ("early", "late", "both")},
        "motif": folder / "m.meme",
        "detector": folder / "detector.json",
        "network": folder / "network.npz",
        "classifier": folder / "classifier.npz",
    }
