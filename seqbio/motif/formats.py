"""Motif files (MEME, JASPAR, TRANSFAC) and tables of hits (TSV, BED, GFF3).

The readers keep every digit that is in a file. MEME files hold probabilities and a number of
sites; their product, the counts of the motif, is kept unrounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import numpy as np

from seqbio.core._checks import checked
from seqbio.errors import ParameterError, SequenceFormatError
from seqbio.motif.jaspar import jaspar_text, read_jaspar
from seqbio.motif.meme import VERSION, meme_text, read_meme
from seqbio.motif.motif_text import MotifText
from seqbio.motif.motifs import Background, alphabet_of, as_motifs, check_distinct
from seqbio.motif.scanning import Hit, Hits
from seqbio.motif.transfac import KEY, read_transfac
from seqbio.sequences import Source, atomic_writer, read_input, tsv_line

if TYPE_CHECKING:
    import os

    from Bio.motifs import Motif

MotifFormat = Literal["meme", "jaspar"]
HitFormat = Literal["tsv", "bed", "gff3"]

_SPACE = re.compile(r"\s")


@checked
def read_motifs(source: Source) -> list[Motif]:
    r"""Read motifs in a format of MEME's, in JASPAR's or in TRANSFAC's, whichever the file is in.

    Of MEME's there are the minimal format and the text that MEME, STREME and DREME write. An
    alphabet that a file defines is read if it is that of DNA, RNA or proteins. Probabilities of a
    column that add up to 0.95 to 1.05 were rounded, and are scaled to 1.

    Parameters
    ----------
    source
        A path, ``"-"`` for standard input, or a file object; gzip data are recognised.

    Returns
    -------
    list of Bio.motifs.Motif
        ``name`` is the identifier (in TRANSFAC's format the accession number), ``matrix_id`` the
        second name, such as CTCF of MA0139.1. Motifs of MEME's have counts that add up to the
        number of sites, 20 where the file does not say, and what the file says of their
        ``evalue``, ``background`` and ``strands`` ("both", "one" or None).

    Raises
    ------
    SequenceFormatError
        The file is in none of the formats, or a matrix in it is broken; the message names the line.

    Examples
    --------
    >>> import io
    >>> text = ">MA1 sample\nA [ 3 0 ]\nC [ 0 1.5 ]\nG [ 0 1.5 ]\nT [ 0 0 ]\n"
    >>> [motif] = read_motifs(io.StringIO(text))
    >>> motif.name, motif.matrix_id, motif.counts["C"]
    ('MA1', 'sample', [0.0, 1.5])
    """
    name, content = read_input(source)
    text = MotifText(name, content.decode().split("\n"))
    first = next((line for line in text.lines if line.strip()), "")
    if first.startswith(">"):
        read_jaspar(text)
    elif KEY.match(first):
        read_transfac(text)
    elif any(line.startswith(VERSION) for line in text.lines):
        read_meme(text)
    else:
        raise SequenceFormatError(
            f"{name}: expected motifs in a format of MEME's (with a line 'MEME version 4'), in "
            f"JASPAR's ('>' and a name) or in TRANSFAC's ('AC' or 'ID' and a name), found "
            f"{first[:40]!r}"
        )
    if not text.motifs:
        raise SequenceFormatError(f"{name}: the file has no motif with a matrix; give one that has")
    return list(text.motifs.values())


@checked
def write_motifs(
    motifs: Motif | Sequence[Motif],
    target: str | os.PathLike[str],
    file_format: MotifFormat = "meme",
    *,
    background: Background = None,
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
    >>> from seqbio.motif import make_motif
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
        text = "".join(map(jaspar_text, found))
    elif file_format == "meme":
        text = meme_text(found, letters.pop(), background)
    else:
        raise ParameterError(f"file_format is {file_format!r}; choose meme or jaspar")
    with atomic_writer(target) as stream:
        stream.write(text)


@checked
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
        column of its own, cells quoted as in CSV where they must be. ``bed``: places from 0, six
        columns, score 1000 at most (-100 log10 p). ``gff3``: places from 1, score -log10 p, names
        with the escapes of the format.

    Raises
    ------
    ParameterError
        The format is unknown, or BED cannot hold the name of a sequence or motif.
    OSError
        The target cannot be written.
    """
    writers = {"tsv": _tsv_line, "bed": _bed_line, "gff3": _gff_line}
    heads = {"tsv": tsv_line(_TSV_COLUMNS), "bed": "", "gff3": "##gff-version 3\n"}
    if file_format not in writers:
        raise ParameterError(f"file_format is {file_format!r}; choose one of {', '.join(writers)}")
    with atomic_writer(target) as stream:
        stream.write(heads[file_format])
        for index, hit in enumerate(hits):
            if not isinstance(hit, Hit):
                raise ParameterError(
                    f"the item at index {index} is a {type(hit).__name__}; give hits from scan"
                )
            stream.write(writers[file_format](hit))


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
    numbers = f"{hit.score:.2f}", f"{hit.pvalue:.6g}", f"{hit.qvalue:.6g}"
    names = hit.motif, hit.motif_alt, hit.sequence
    place = hit.start + 1, hit.stop, hit.strand
    return tsv_line((*names, *place, *numbers, hit.matched, f"{hit.qvalue_all:.6g}"))


def _bed_line(hit: Hit) -> str:
    if not _BED_NAMES.fullmatch(f"{hit.sequence}\t{hit.motif}"):
        raise ParameterError(
            f"bed cannot hold the names {hit.sequence!r} and {hit.motif!r} (sequence and motif): "
            "it has no escapes for what separates columns, and #, track and browser begin other "
            "lines; rename them, or choose tsv or gff3"
        )
    score = min(1000, round(-100 * float(np.log10(hit.pvalue))))
    return f"{hit.sequence}\t{hit.start}\t{hit.stop}\t{hit.motif}\t{score}\t{hit.strand}\n"


def _gff_line(hit: Hit) -> str:
    score = -float(np.log10(hit.pvalue)) + 0.0  # no minus in front of 0
    alias = f"Alias={_escaped(hit.motif_alt)};" if hit.motif_alt else ""
    attributes = (
        f"Name={_escaped(hit.motif)};{alias}pvalue={hit.pvalue:.6g};qvalue={hit.qvalue:.6g};"
        f"log_odds={hit.score:.2f};sequence={hit.matched}"
    )
    return (
        f"{quote(hit.sequence, safe=_GFF_ID)}\tseqbio\tsequence_motif\t{hit.start + 1}\t{hit.stop}"
        f"\t{score:.4f}\t{hit.strand}\t.\t{attributes}\n"
    )


_BED_NAMES = re.compile(r"(?!#|track|browser)\S+\t[^\t\n\r]+")
_GFF_ID = ".:^*$@!+_?-|"  # all that the first column may have beside letters and digits


def _escaped(text: str) -> str:
    """Escape what means something among the attributes of GFF3, and nothing else."""
    return re.sub(r"[\x00-\x1f\x7f%;=&,]", lambda match: f"%{ord(match.group()):02X}", text)


def _check_names(motifs: list[Motif]) -> None:
    for motif in motifs:
        name = str(motif.name or "")
        if not name or _SPACE.search(name):
            raise ParameterError(f"a motif is named {name!r}; set motif.name to a single word")
    check_distinct(motifs)
