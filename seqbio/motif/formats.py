"""Motif files (MEME minimal, JASPAR) and tables of hits (TSV, BED, GFF3).

The readers keep every digit that is in a file. MEME files hold probabilities and a number of
sites; their product, the counts of the motif, is kept unrounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.errors import ParameterError, SequenceFormatError
from seqbio.motif.motifs import (
    alphabet_of,
    as_motifs,
    check_distinct,
    checked_background,
    count_matrix,
    empty_column,
    make_motif,
    probability_matrix,
    second_name,
)
from seqbio.motif.scanning import Hit, Hits
from seqbio.sequences import Source, atomic_writer, read_input

if TYPE_CHECKING:
    import os

    from Bio.motifs import Motif

MotifFormat = Literal["meme", "jaspar"]
HitFormat = Literal["tsv", "bed", "gff3"]

_DEFAULT_SITES = 20.0  # MEME's, where a file does not say
_ALPHABETS = {"ACGT": "dna", "ACGU": "rna", "ACDEFGHIKLMNPQRSTVWY": "protein"}
_SPACE = re.compile(r"\s")


def read_motifs(source: Source) -> list[Motif]:
    r"""Read motifs in MEME's minimal format or in JASPAR's, whichever the file is in.

    Parameters
    ----------
    source
        A path, ``"-"`` for standard input, or a file object; gzip data are recognised.

    Returns
    -------
    list of Bio.motifs.Motif
        ``name`` is the identifier; JASPAR's second word, and MEME's, is ``matrix_id`` of the motif.

    Raises
    ------
    SequenceFormatError
        The file is in neither format, or a matrix in it is broken; the message names the line.

    Examples
    --------
    >>> import io
    >>> text = ">MA1 sample\nA [ 3 0 ]\nC [ 0 1.5 ]\nG [ 0 1.5 ]\nT [ 0 0 ]\n"
    >>> [motif] = read_motifs(io.StringIO(text))
    >>> motif.name, motif.matrix_id, motif.counts["C"]
    ('MA1', 'sample', [0.0, 1.5])
    """
    name, content = read_input(source)
    lines = content.decode().split("\n")
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("MEME version"):
        return _read_meme(name, lines)
    if first.startswith(">"):
        return _read_jaspar(name, lines)
    raise SequenceFormatError(
        f"{name}: expected motifs in MEME's minimal format (first line 'MEME version 4') or in "
        f"JASPAR's ('>' and a name), found {first[:40]!r}"
    )


def write_motifs(
    motifs: Motif | Sequence[Motif],
    target: str | os.PathLike[str],
    file_format: MotifFormat = "meme",
    *,
    background: ArrayLike | Mapping[str, float] | None = None,
) -> None:
    r"""Write motifs, whole or not at all; reading them gives the same numbers to 1e-6 and better.

    Parameters
    ----------
    motifs : Bio.motifs.Motif or list of them
        All of one alphabet, each with a name.
    target
        A path (compressed if it ends in ``.gz``) or ``"-"`` for standard output.
    file_format : {"meme", "jaspar"}
        JASPAR's format holds counts, MEME's probabilities and the number of sites, which is a
        whole number there: counts that add up to another come back scaled.
    background : array_like of float, (n_letters,), or dict, optional
        For MEME's format, as for `scan`; equal by default.

    Raises
    ------
    ParameterError
        A name has spaces or is missing, names repeat, or the motifs are of several alphabets.

    Examples
    --------
    >>> motif = make_motif([[3, 0], [0, 1.5], [0, 1.5], [0, 0]], "MA1")
    >>> write_motifs(motif, "-", "jaspar")
    >MA1
    A [ 3 0 ]
    C [ 0 1.5 ]
    G [ 0 1.5 ]
    T [ 0 0 ]
    """
    found = as_motifs(motifs)
    _check_names(found)
    letters = {alphabet_of(motif).letters for motif in found}
    if len(letters) > 1:
        raise ParameterError(f"the motifs are of several alphabets: {', '.join(sorted(letters))}")
    if file_format == "jaspar":
        text = "".join(_jaspar_text(motif) for motif in found)
    elif file_format == "meme":
        text = _meme_head(letters.pop(), background) + "".join(map(_meme_text, found))
    else:
        raise ParameterError(f"file_format is {file_format!r}; choose meme or jaspar")
    with atomic_writer(target) as stream:
        stream.write(text)


def write_hits(
    hits: Hits | Iterable[Hit], target: str | os.PathLike[str], file_format: HitFormat = "tsv"
) -> None:
    """Write hits as a table, whole or not at all.

    Parameters
    ----------
    hits
        Of `scan`.
    target
        A path (compressed if it ends in ``.gz``) or ``"-"`` for standard output.
    file_format : {"tsv", "bed", "gff3"}
        ``tsv``: FIMO's columns, places counted from 1, and the q-value over all motifs as a
        column of its own. ``bed``: places from 0, six columns, score 1000 at most (-100 log10 p).
        ``gff3``: places from 1, score -log10 p.
    """
    writers = {"tsv": _tsv_line, "bed": _bed_line, "gff3": _gff_line}
    heads = {"tsv": "\t".join(_TSV_COLUMNS) + "\n", "bed": "", "gff3": "##gff-version 3\n"}
    if file_format not in writers:
        raise ParameterError(f"file_format is {file_format!r}; choose one of {', '.join(writers)}")
    with atomic_writer(target) as stream:
        stream.write(heads[file_format])
        for hit in hits:
            stream.write(writers[file_format](hit) + "\n")


_TSV_COLUMNS = (
    "motif_id",
    "motif_alt_id",
    "sequence_name",
    "start",
    "stop",
    "strand",
    "score",
    "p-value",
    "q-value",
    "matched_sequence",
    "q-value_all_motifs",
)


def _tsv_line(hit: Hit) -> str:
    names = f"{hit.motif}\t{hit.motif_alt}\t{hit.sequence}"
    numbers = f"{hit.score:.2f}\t{hit.pvalue:.6g}\t{hit.qvalue:.6g}"
    return (
        f"{names}\t{hit.start + 1}\t{hit.stop}\t{hit.strand}\t{numbers}\t{hit.matched}\t"
        f"{hit.qvalue_all:.6g}"
    )


def _bed_line(hit: Hit) -> str:
    score = min(1000, round(-100 * float(np.log10(hit.pvalue))))
    return f"{hit.sequence}\t{hit.start}\t{hit.stop}\t{hit.motif}\t{score}\t{hit.strand}"


def _gff_line(hit: Hit) -> str:
    score = -float(np.log10(hit.pvalue)) + 0.0  # no minus in front of 0
    alias = f"Alias={_escaped(hit.motif_alt)};" if hit.motif_alt else ""
    attributes = (
        f"Name={_escaped(hit.motif)};{alias}pvalue={hit.pvalue:.6g};qvalue={hit.qvalue:.6g};"
        f"log_odds={hit.score:.2f};sequence={hit.matched}"
    )
    return (
        f"{_escaped(hit.sequence)}\tseqbio\tsequence_motif\t{hit.start + 1}\t{hit.stop}\t"
        f"{score:.4f}\t{hit.strand}\t.\t{attributes}"
    )


def _escaped(text: str) -> str:
    """Escape what means something in a column of GFF3."""
    return re.sub(r"[\t\n\r%;=&,]", lambda match: f"%{ord(match.group()):02X}", text)


# -- JASPAR ----------------------------------------------------------------------------------


def _jaspar_text(motif: Motif) -> str:
    rows = zip(alphabet_of(motif).letters, count_matrix(motif).tolist(), strict=True)
    lines = [f"{letter} [ {' '.join(map(_number, row))} ]" for letter, row in rows]
    return "\n".join([f">{_title(motif)}", *lines, ""])


def _read_jaspar(name: str, lines: list[str]) -> list[Motif]:
    motifs: dict[str, Motif] = {}
    starts = [i for i, line in enumerate(lines) if line.startswith(">")]
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        letters, rows = "", []
        for number in range(start + 1, stop):
            line = lines[number].strip()
            if line:
                letters += line[0]
                rows.append(_counts(name, number, line[1:].replace("[", " ").replace("]", " ")))
        order = "".join(sorted(letters))
        if order not in _ALPHABETS or len(set(map(len, rows))) != 1:
            raise SequenceFormatError(
                f"{name}, line {start + 1}: the motif {lines[start][1:].strip()!r} has the rows "
                f"{letters!r} with {[len(row) for row in rows]} numbers; expected equally "
                "long rows A, C, G and T"
            )
        matrix = np.array([rows[letters.index(letter)] for letter in order])
        title = lines[start][1:]
        if (empty := empty_column(matrix)) is not None:
            raise SequenceFormatError(
                f"{name}, line {start + 1}: column {empty} of the motif {title.strip()!r} has no "
                "counts; give the counts, or leave the column out"
            )
        _add(motifs, name, start, title, matrix, _ALPHABETS[order])
    return list(motifs.values())


# -- MEME ------------------------------------------------------------------------------------


def _meme_head(letters: str, background: ArrayLike | Mapping[str, float] | None) -> str:
    shares = checked_background(background, letters)
    listed = " ".join(f"{a} {_number(share)}" for a, share in zip(letters, shares, strict=True))
    strands = "strands: + -\n\n" if letters == "ACGT" else ""
    return (
        f"MEME version 4\n\nALPHABET= {letters}\n\n{strands}"
        f"Background letter frequencies\n{listed}\n\n"
    )


def _meme_text(motif: Motif) -> str:
    probability = probability_matrix(motif)
    sites = count_matrix(motif).sum(axis=0)
    rows = "\n".join(" ".join(f"{value:.10f}" for value in column) for column in probability.T)
    return (
        f"MOTIF {_title(motif)}\nletter-probability matrix: alength= {len(probability)} "
        f"w= {probability.shape[1]} nsites= {max(1, round(float(sites.mean())))} E= 0\n{rows}\n\n"
    )


def _read_meme(name: str, lines: list[str]) -> list[Motif]:
    letters, title, title_at = "ACGT", None, 0
    motifs: dict[str, Motif] = {}
    number = 0
    while number < len(lines):
        line = lines[number].strip()
        if line.startswith("ALPHABET="):
            letters = line.removeprefix("ALPHABET=").split()[0].strip('"')
        elif line.startswith("MOTIF"):
            title, title_at = line.removeprefix("MOTIF"), number
        elif line.startswith("letter-probability matrix"):
            if title is None or letters not in _ALPHABETS:
                raise SequenceFormatError(
                    f"{name}, line {number + 1}: a matrix without a line MOTIF before it, or of "
                    f"the alphabet {letters!r}, which is not that of dna, rna or protein"
                )
            width, sites = _meme_sizes(name, number, line)
            stop = number + 1
            rows: list[list[float]] = []
            while stop < len(lines) and re.match(r"\s*[-+.\d]", lines[stop]):
                rows.append(_numbers(name, stop, lines[stop]))
                stop += 1
            matrix = _meme_matrix(name, number, rows, width, len(letters))
            _add(motifs, name, title_at, title, sites * matrix, _ALPHABETS[letters])
            number, title = stop - 1, None
        number += 1
    if not motifs:
        raise SequenceFormatError(f"{name}: the file has no motif with a probability matrix")
    return list(motifs.values())


def _meme_sizes(name: str, number: int, line: str) -> tuple[int | None, float]:
    width = re.search(r"\bw=\s*(\d+)", line)
    sites = re.search(r"\bnsites=\s*(\S+)", line)
    count = _numbers(name, number, sites.group(1))[0] if sites else _DEFAULT_SITES
    if count <= 0:
        raise SequenceFormatError(
            f"{name}, line {number + 1}: nsites is {count:g}; give the number of sites, or leave "
            "nsites out"
        )
    return (int(width.group(1)) if width else None), count


def _meme_matrix(
    name: str, number: int, rows: list[list[float]], width: int | None, n_letters: int
) -> NDArray[np.float64]:
    if not rows or any(len(row) != n_letters for row in rows) or width not in (None, len(rows)):
        raise SequenceFormatError(
            f"{name}, line {number + 1}: expected {width or 'some'} rows of {n_letters} "
            f"probabilities, found {len(rows)} rows of {sorted({len(row) for row in rows})}"
        )
    matrix = np.array(rows).T
    total = matrix.sum(axis=0)
    if (abs(total - 1) > 0.01).any() or (matrix < 0).any():
        column = int(abs(total - 1).argmax())
        raise SequenceFormatError(
            f"{name}, line {number + 2 + column}: the probabilities add up to {total[column]:g}; "
            "they must be 0 or more and add up to 1"
        )
    return matrix / total


# -- both ------------------------------------------------------------------------------------


def _add(
    motifs: dict[str, Motif],
    name: str,
    number: int,
    title: str,
    matrix: NDArray[np.float64],
    kind: str,
) -> None:
    """Add a motif whose title is on a line, counted from 0, to those before it."""
    words = title.split(None, 1)
    if not words:
        raise SequenceFormatError(f"{name}, line {number + 1}: the motif has no name; give it one")
    if words[0] in motifs:
        raise SequenceFormatError(
            f"{name}, line {number + 1}: a motif above has the name {words[0]!r}, too; give each "
            "its own name"
        )
    motif = make_motif(matrix, words[0], kind)
    setattr(motif, "matrix_id", words[1].strip() if len(words) > 1 else None)  # noqa: B010 (its own)
    motifs[words[0]] = motif


def _title(motif: Motif) -> str:
    return f"{motif.name} {second_name(motif)}".rstrip()


def _number(value: float) -> str:
    """Write a number so that reading it gives the same number, without a needless point."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _numbers(name: str, number: int, text: str) -> list[float]:
    try:
        values = [float(word) for word in text.split()]
    except ValueError:
        values = []
    if not values or not np.isfinite(values).all():
        raise SequenceFormatError(
            f"{name}, line {number + 1}: expected numbers, found {text.strip()[:40]!r}"
        )
    return values


def _counts(name: str, number: int, text: str) -> list[float]:
    values = _numbers(name, number, text)
    if min(values) < 0:
        raise SequenceFormatError(
            f"{name}, line {number + 1}: a count is {min(values):g}; give counts of 0 or more"
        )
    return values


def _check_names(motifs: list[Motif]) -> None:
    for motif in motifs:
        name = str(motif.name or "")
        if not name or _SPACE.search(name):
            raise ParameterError(f"a motif is named {name!r}; set motif.name to a single word")
    check_distinct(motifs)
