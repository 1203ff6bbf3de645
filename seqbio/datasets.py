"""Named data sets: shipped, kept in a folder of the user's, or downloaded; always checked.

A data set is a name for one file. :func:`path` looks for the file

1. in the data folder that comes with the package (``data/`` of the source tree, the same files
   inside an installed package),
2. in the folder that the environment variable ``SEQBIO_DATA`` names,
3. on the web, if exactly this file is public: pooch (``pip install 'seqbio[datasets]'``) fetches
   it once and keeps it in its cache,

and checks its SHA-256 wherever it was found, so that a name always means the same bytes. The table
of names is ``datasets.toml`` beside this module. The functions give file paths; the readers of
seqbio (and any other tool) take it from there.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from seqbio.errors import ArgumentTypeError, DatasetError, MissingDependencyError

DATA_VARIABLE = "SEQBIO_DATA"


@dataclass(frozen=True)
class Dataset:
    """What is known about a named data set.

    Attributes
    ----------
    name
        The name that :func:`path` takes.
    file
        Path of the file under ``$SEQBIO_DATA``; a shipped set is found by the last part of it.
    sha256
        SHA-256 of the file, 64 hexadecimal digits.
    description
        One line of what the file holds.
    licence
        The licence as its source states it. Some sets are for research only.
    source
        Where the data come from.
    alphabet
        ``"dna"``, ``"rna"`` or ``"protein"``; None where the file holds no sequences.
    pairing
        How pairs are read from the file: ``"consecutive"``, ``"first-vs-rest"``, or ``"select"``
        where any two records are homologous; None where there are no pairs.
    recipe
        How the file is made from its source; None where the source is the file itself.
    url
        A public file with exactly this content; None if there is none.
    """

    name: str
    file: str
    sha256: str
    description: str
    licence: str
    source: str
    alphabet: str | None = None
    pairing: str | None = None
    recipe: str | None = None
    url: str | None = None

    def __str__(self) -> str:
        rows = [(field, value) for field, value in vars(self).items() if value is not None]
        return "\n".join(f"{field:<12} {value}" for field, value in rows)


def names() -> tuple[str, ...]:
    """Return the names of all data sets, in alphabetical order.

    A name in this list is known; whether its file is at hand, :func:`path` tells.

    Returns
    -------
    tuple of str
        The names.

    Examples
    --------
    >>> "brca1" in names()
    True
    """
    return tuple(sorted(_registry()))


def describe(name: str) -> Dataset:
    """Return what is known about a data set; nothing is searched or downloaded.

    Parameters
    ----------
    name
        One of :func:`names`.

    Returns
    -------
    Dataset
        Its description, alphabet, pairing, licence and source. ``print`` shows it as a table.

    Raises
    ------
    DatasetError
        If there is no such data set; the message gives the nearest names.

    Examples
    --------
    >>> describe("brca1").alphabet
    'dna'
    >>> describe("brac1")
    Traceback (most recent call last):
        ...
    seqbio.errors.DatasetError: no data set is called 'brac1'; the nearest names are 'brca1'...
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"name is {name!r}; give text")
    registry = _registry()
    if name in registry:
        return registry[name]
    nearest = difflib.get_close_matches(name, registry, n=3)
    hint = (
        f"the nearest names are {', '.join(map(repr, nearest))}"
        if nearest
        else f"at hand are {', '.join(_at_hand())}; seqbio.datasets.names() lists all"
    )
    raise DatasetError(f"no data set is called {name!r}; {hint}")


def path(name: str) -> Path:
    """Return the path of the file of a data set, checked against its SHA-256.

    The shipped folder comes first, then the folder in the environment variable ``SEQBIO_DATA``,
    then the web (only for sets with a public file of the same content).

    Parameters
    ----------
    name
        One of :func:`names`.

    Returns
    -------
    pathlib.Path
        The file. It is to be read, not changed.

    Raises
    ------
    DatasetError
        If there is no such data set, its file is nowhere to be found or cannot be downloaded, or
        a file found has other content than expected. The message says what to do.
    MissingDependencyError
        If the file has to be downloaded and pooch is not installed.

    Examples
    --------
    >>> path("brca1").name
    'brca1_55mammals_unaligned.fasta.gz'
    """
    dataset = describe(name)
    for candidate in _local_candidates(dataset):
        if candidate.is_file():
            _check_content(candidate, dataset)
            return candidate
    if dataset.url is None:
        raise DatasetError(
            f"the file of data set {name!r} is not shipped with seqbio and no public file has the "
            f"same content. {_advice(dataset)}"
        )
    return _download(dataset, dataset.url)


@functools.cache
def _registry() -> dict[str, Dataset]:
    """Return all data sets by name."""
    tables = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {name: Dataset(name=name, **table) for name, table in tables.items()}


def _local_candidates(dataset: Dataset) -> list[Path]:
    """Return the places on this machine where the file of a data set may stand, best first."""
    package = Path(__file__).resolve().parent
    # The wheel carries the data inside the package; in a source tree they stand beside it.
    shipped = [package / "_data", package.parent / "data"]
    candidates = [folder / Path(dataset.file).name for folder in shipped]
    folder = os.environ.get(DATA_VARIABLE)
    if folder:
        candidates.append(Path(folder).expanduser() / dataset.file)
    return candidates


def _at_hand() -> list[str]:
    """Return the names of the data sets whose file is on this machine."""
    return [
        name
        for name, dataset in _registry().items()
        if any(file.is_file() for file in _local_candidates(dataset))
    ]


def _check_content(file: Path, dataset: Dataset) -> None:
    """Raise DatasetError unless the file has the SHA-256 of the data set."""
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != dataset.sha256:
        raise DatasetError(
            f"{file} is not the file of data set {dataset.name!r}: its SHA-256 is {found}, "
            f"expected {dataset.sha256}. Remove it or put the right file in its place"
        )


def _advice(dataset: Dataset) -> str:
    """Say how a user comes by the file of a data set that has to be put in place by hand."""
    folder = os.environ.get(DATA_VARIABLE)
    state = f"is {folder!r}, which has no such file" if folder else "is not set"
    made = f" ({dataset.recipe})" if dataset.recipe else ""
    return (
        f"Put it at {dataset.file} in a folder named by the environment variable {DATA_VARIABLE} "
        f"(which {state}). It comes from {dataset.source}{made}; licence: {dataset.licence}"
    )


def _download(dataset: Dataset, url: str) -> Path:
    """Fetch the file of a data set into pooch's cache, or find it there."""
    try:
        import pooch
    except ImportError as error:
        raise MissingDependencyError(
            f"downloading data set {dataset.name!r} needs pooch: pip install 'seqbio[datasets]'. "
            f"Or without a download: {_advice(dataset)}"
        ) from error
    try:
        fetched = pooch.retrieve(
            url,
            known_hash=f"sha256:{dataset.sha256}",
            fname=Path(dataset.file).name,
            path=pooch.os_cache("seqbio"),
        )
    # requests raises OSErrors for an unreachable host, pooch a ValueError for another SHA-256.
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"data set {dataset.name!r} could not be downloaded from {url}: {error}. "
            f"{_advice(dataset)}"
        ) from error
    return Path(fetched)
