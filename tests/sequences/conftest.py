"""What the tests of sequences share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_directory() -> Path:
    """The folder of real data sets, named by the environment variable SEQBIO_DATA."""
    folder = os.environ.get("SEQBIO_DATA")
    if not folder:
        pytest.skip("SEQBIO_DATA does not name the folder of real data sets")
    return Path(folder)


@pytest.fixture
def fasta_file(tmp_path: Path) -> Callable[..., Path]:
    """Write content to a file and give its path."""

    def write(content: str | bytes, name: str = "x.fa") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
