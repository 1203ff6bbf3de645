"""A command line in this process, and small files to give it."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from seqbio import PairHMM, write_fasta
from seqbio.cli import app

PARAMETERS = {
    "open_x": 0.03,
    "open_y": 0.05,
    "extend_x": 0.4,
    "extend_y": 0.5,
    "end": 0.01,
    "distance": 0.2,
    "kappa": 2.0,
}


@pytest.fixture
def run() -> Callable[..., Any]:
    """Return a function that runs ``seqbio`` with some arguments."""

    def run(*arguments: object, stdin: str | bytes | None = None) -> Any:
        return CliRunner().invoke(app, [str(each) for each in arguments], input=stdin)

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
