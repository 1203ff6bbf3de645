"""Scanning: where motifs stand in sequences, with exact p-values and q-values."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.core._checks import checked
from seqbio.core.tables import Summarised, Table
from seqbio.errors import ParameterError
from seqbio.motif.motifs import (
    Background,
    alphabet_of,
    as_motifs,
    check_distinct,
    checked_background,
    count_matrix,
    empty_column,
    make_motif,
    reverse_complement,
    second_name,
)
from seqbio.motif.score_distribution import ScoreTable, score_table
from seqbio.sequences import Alphabet, SequenceLike, Source, as_records, get_alphabet
from seqbio.sequences.fasta import warn_of_duplicates
from seqbio.sequences.input import source_name
from seqbio.sequences.records import has_id
from seqbio.sequences.streaming import Stretch, stream_fasta

if TYPE_CHECKING:
    from Bio.motifs import Motif

Floats = NDArray[np.float64]
Records: TypeAlias = Iterable[SequenceLike] | Source

_MOST_SHOWN = 10  # hits and motifs in a summary
_BLOCK = 1 << 20  # letters that are scanned together
_TOGETHER = 128  # searches of one pass, whose lists of k-mers take at most 128 MB


@dataclass(frozen=True)
class Hit:
    """One place where a motif stands.

    Parameters
    ----------
    motif : str
        Name of the motif.
    sequence : str
        Id of the sequence.
    start, stop : int
        From the first letter, counted from 0, to before the last, on the strand as given.
    strand : {"+", "-"}
        On which the motif reads.
    score : float
        Log odds in bits.
    pvalue : float
        Chance of such a score or a higher one at one window of background letters.
    qvalue : float
        False discovery rate if this hit and all better ones of the motif are believed.
    qvalue_all : float
        The same over all motifs.
    matched : str
        The letters, in the direction of the motif.
    motif_alt : str
        Second name of the motif, if it has one.
    """

    motif: str
    sequence: str
    start: int
    stop: int
    strand: str
    score: float
    pvalue: float
    qvalue: float
    qvalue_all: float
    matched: str
    motif_alt: str = ""


class Hits(Summarised, Sequence[Hit]):
    """Hits in order of sequence, start, motif and strand, kept as arrays.

    Parameters
    ----------
    motifs : list of str
        Names.
    sequences : list of str
        Ids of the sequences that were scanned.
    columns : dict of str to ndarray
        ``motif``, ``sequence`` (indices), ``start``, ``strand`` (+1, -1), ``score``, ``pvalue``,
        ``qvalue``, ``qvalue_all``, ``matched`` (bytes), each (n_hits,).
    n_windows : ndarray of int, (n_motifs,)
        Windows that were scored, both strands counted.
    second_names : list of str
        Of the motifs; empty for those that have none.
    """

    def __init__(
        self,
        motifs: list[str],
        sequences: list[str],
        columns: dict[str, NDArray[Any]],
        n_windows: NDArray[np.int64],
        second_names: list[str],
    ) -> None:
        self.motifs, self.sequences = motifs, sequences
        self.columns, self.n_windows = columns, n_windows
        self.second_names = second_names

    def __len__(self) -> int:
        return len(self.columns["start"])

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = {name: column[index] for name, column in self.columns.items()}
        matched = row["matched"].decode()
        start = int(row["start"])
        return Hit(
            self.motifs[row["motif"]],
            self.sequences[row["sequence"]],
            start,
            start + len(matched),
            "+" if row["strand"] > 0 else "-",
            float(row["score"]),
            float(row["pvalue"]),
            float(row["qvalue"]),
            float(row["qvalue_all"]),
            matched,
            self.second_names[row["motif"]],
        )

    def __repr__(self) -> str:
        return f"<{len(self)} hits of {len(self.motifs)} motifs in {len(self.sequences)} sequences>"

    def _summary(self) -> tuple[str, list[Table]]:
        names = list(self.motifs)
        counts = np.bincount(self.columns["motif"], minlength=len(names))
        where = len(np.unique(self.columns["sequence"]))
        sentence = (
            f"{len(self)} hits of {np.count_nonzero(counts)} of {len(names)} motifs in {where} of "
            f"{len(self.sequences)} sequences."
        )
        best = np.argsort(self.columns["pvalue"], kind="stable")[:_MOST_SHOWN]
        rows = [
            (
                hit.motif,
                hit.sequence,
                f"{hit.start} to {hit.stop}",
                hit.strand,
                f"{hit.pvalue:.3g}",
                f"{hit.qvalue:.3g}",
                hit.matched,
            )
            for hit in (self[i] for i in best.tolist())
        ]
        header = ("motif", "sequence", "place, from 0", "strand", "p", "q", "matched")
        most = np.argsort(-counts, kind="stable")[:_MOST_SHOWN].tolist()
        of_motifs = [(names[i], str(counts[i]), str(self.n_windows[i])) for i in most]
        return sentence, [
            Table("Best hits", header, rows),
            Table("Motifs with most hits", ("", "hits", "windows"), of_motifs),
        ]


@checked
def scan(
    motifs: Motif | Sequence[Motif],
    records: Records,
    threshold: float = 1e-4,
    *,
    strands: Literal["both", "one"] | None = None,
    background: Background = None,
    pseudocount: float = 1.0,
    soft_masked: Literal["use", "skip"] = "use",
) -> Hits:
    """Find where motifs stand.

    The score of a window is its log odds, motif against background, in steps of a hundredth of a
    bit; the p-value is exact for these scores (`score_table`). Windows with a letter outside the
    alphabet's own (N and other ambiguity codes) are not scored, and do not count as tested.

    Parameters
    ----------
    motifs : Bio.motifs.Motif or list of them
        All of one alphabet of four letters.
    records
        Sequences (SeqRecord, Seq or str), or a path, ``"-"`` or file object with FASTA, which is
        read in pieces, so that memory does not grow with its size.
    threshold : float, default 1e-4
        Hits have a p-value of at most this.
    strands : {"both", "one"}, optional
        By default both for DNA, one for RNA.
    background : array_like of float, (4,), or dict, optional
        Letter probabilities on the strand as given: of A, C, G and T (U) in this order, whatever
        order a motif has them in, or by letter; equal by default. See `letter_frequencies`.
    pseudocount : float, default 1
        Added to each column of counts, shared out by the background.
    soft_masked : {"use", "skip"}
        Whether windows with lower-case letters are scored.

    Returns
    -------
    Hits
        A sequence of `Hit`; ``write_hits`` writes TSV, BED and GFF3.

    Raises
    ------
    ParameterError
        The threshold is not between 0 and 1, the motifs are of several alphabets or of proteins,
        two of them have one name, or one has a column without counts.
    AlphabetError, SequenceFormatError
        A sequence cannot be read.

    Warns
    -----
    DuplicateIdWarning
        Several records of a file have the same id, so that their hits cannot be told apart.

    Examples
    --------
    >>> from seqbio.motif import make_motif
    >>> motif = make_motif(100 * np.eye(4)[[3, 2, 0, 1, 1]].T, "TGACC")
    >>> for hit in scan(motif, ["AATGACCAAGGTCATT"], threshold=0.001):
    ...     print(hit.start, hit.stop, hit.strand, hit.matched, f"{hit.score:.2f} {hit.pvalue:.6f}")
    2 7 + TGACC 9.95 0.000977
    9 14 - TGACC 9.95 0.000977
    """
    found = as_motifs(motifs)
    alphabet = common_alphabet(found)
    check_distinct(found)
    if not 0 < threshold <= 1:
        raise ParameterError(f"threshold is {threshold}; give a p-value above 0 and at most 1")
    if strands not in ("both", "one", None) or soft_masked not in ("use", "skip"):
        raise ParameterError(
            f"strands is {strands!r} and soft_masked {soft_masked!r}; give both or one, use or skip"
        )
    both = strands == "both" or (strands is None and alphabet.name == "dna")
    searches = _searches(found, alphabet, threshold, both, background, pseudocount)
    hits = _Scanner(found, searches, alphabet, soft_masked == "skip").run(records)
    if _is_source(records):  # records in memory were checked by whatever made them
        warn_of_duplicates(source_name(records), hits.sequences)  # type: ignore[arg-type]
    return hits


@checked
def letter_frequencies(
    records: Records, alphabet: str | Alphabet = "dna", *, strands: Literal["both", "one"] = "both"
) -> Floats:
    """Count letters for a background, reading FASTA in pieces.

    Parameters
    ----------
    records
        As for `scan`. Ambiguity codes are not counted.
    alphabet
        With a complement, when both strands are wanted.
    strands : {"both", "one"}
        With both, a letter is as frequent as its complement.

    Returns
    -------
    ndarray of float64, (n_letters,)
        Add up to 1; a half is added to each count, so that none is 0.

    Examples
    --------
    >>> letter_frequencies(["A" * 999 + "C" * 499 + "N"]).round(2)
    array([0.33, 0.17, 0.17, 0.33])
    """
    table = get_alphabet(alphabet)
    counts = np.full(table.size, 0.5)
    for stretch in _stretches(records, table, 0):
        letters = stretch.letters.upper()
        counts += [letters.count(letter.encode()) for letter in table.letters]
    if strands == "both":
        if table.complement is None:
            raise ParameterError(f"the {table.name} alphabet has one strand; set strands='one'")
        counts = counts + counts[table.complement[: table.size]]
    return counts / counts.sum()


@dataclass(frozen=True)
class _Search:
    """What is looked for: one motif on one strand."""

    motif: int
    strand: int
    table: ScoreTable
    threshold: int


def _searches(
    motifs: list[Motif],
    alphabet: Alphabet,
    threshold: float,
    both: bool,
    background: Background,
    pseudocount: float,
) -> list[_Search]:
    shares = checked_background(background, alphabet.letters)
    searches = []
    for number, motif in enumerate(motifs):
        matrices = {+1: count_matrix(motif)}
        if (empty := empty_column(matrices[+1])) is not None:
            raise ParameterError(
                f"column {empty} of motif {motif.name!r} has no counts; give the counts, or leave "
                "the column out"
            )
        if both:
            # As a motif of its own, against the same background: exact even where the two
            # strands are of different composition.
            matrices[-1] = reverse_complement(matrices[+1], alphabet)
        for strand, counts in matrices.items():
            turned = make_motif(counts, motif.name, alphabet)
            table = score_table(turned, background=shares, pseudocount=pseudocount)
            searches.append(_Search(number, strand, table, table.threshold(threshold)))
    return searches


def common_alphabet(motifs: list[Motif]) -> Alphabet:
    """Find the alphabet of motifs that are to be scanned for.

    Raises
    ------
    ParameterError
        The motifs are of several alphabets, or of proteins.
    """
    alphabets = [alphabet_of(motif) for motif in motifs]
    different = {alphabet.name for alphabet in alphabets}
    if len(different) > 1 or alphabets[0].size != 4:
        raise ParameterError(
            f"the motifs are of {', '.join(sorted(different))}; give motifs of dna alone or of rna "
            "alone"
        )
    return alphabets[0]


class _Scanner:
    """Goes through the sequences block by block and collects hits."""

    def __init__(
        self, motifs: list[Motif], searches: list[_Search], alphabet: Alphabet, skip_soft: bool
    ) -> None:
        self.motifs, self.searches, self.alphabet = motifs, searches, alphabet
        self.codes = _code_table(alphabet, skip_soft)
        self.width = np.array([search.table.matrix.shape[1] for search in searches])
        self.reverse = np.array([search.strand < 0 for search in searches])
        self.sequences: list[str] = []
        self.n_windows = np.zeros(len(searches), dtype=np.int64)
        nothing = np.zeros(0, dtype=np.int64)
        self.parts = {name: [nothing] for name in ("search", "sequence", "start", "steps")}
        self.parts["matched"] = [np.zeros((0, self.width.max()), dtype=np.uint8)]

    def run(self, records: Records) -> Hits:
        from seqbio.motif.scan_kernels import list_kmers, make_searches

        passes = []
        for first in range(0, len(self.searches), _TOGETHER):
            part = slice(first, first + _TOGETHER)
            searches = make_searches(
                [search.table.matrix for search in self.searches[part]],
                [search.threshold for search in self.searches[part]],
            )
            passes.append((part, searches, list_kmers(searches)))
        stretches = _stretches(records, self.alphabet, int(self.width.max()) - 1)
        for block in _blocks(stretches, _BLOCK):
            self._block(block, passes)
        return self._collected()

    def _block(self, block: list[Stretch], passes: list[tuple[slice, Any, Any]]) -> None:
        from seqbio.motif.scan_kernels import find_windows, read_matches

        letters = np.frombuffer(b"".join(stretch.letters for stretch in block), dtype=np.uint8)
        lengths = [len(stretch.letters) for stretch in block]
        begins = np.concatenate([[0], np.cumsum(lengths)])
        repeated = np.array([stretch.n_repeated for stretch in block])
        numbers = np.array([self._number(stretch.id, stretch.start) for stretch in block])
        offsets = np.array([stretch.start for stretch in block])
        for part, searches, kmers in passes:
            hits, n_windows = find_windows(letters, self.codes, begins, repeated, searches, kmers)
            self.n_windows[part] += n_windows
            search, owner, place, steps = hits.T
            search += part.start
            matched = read_matches(
                letters,
                begins[owner] + place,
                self.width[search],
                self.reverse[search],
                _complement_table(self.alphabet),
                int(self.width.max()),
            )
            found = (search.copy(), numbers[owner], offsets[owner] + place, steps.copy(), matched)
            for column, values in zip(self.parts.values(), found, strict=True):
                column.append(values)

    def _number(self, name: str, start: int) -> int:
        if start == 0 or not self.sequences:
            self.sequences.append(name)
        return len(self.sequences) - 1

    def _collected(self) -> Hits:
        search, sequence, start, steps, matched = map(np.concatenate, self.parts.values())
        pvalue, qvalue = np.empty(len(search)), np.empty(len(search))
        for one, rows in zip(self.searches, _rows_of_each(search, len(self.searches)), strict=True):
            pvalue[rows] = one.table.pvalue(steps[rows])
        motif = np.array([one.motif for one in self.searches], dtype=np.int32)
        n_windows = np.zeros(len(self.motifs), dtype=np.int64)
        np.add.at(n_windows, motif, self.n_windows)
        for number, rows in enumerate(_rows_of_each(motif[search], len(self.motifs))):
            qvalue[rows] = q_values(pvalue[rows], int(n_windows[number]))
        columns: dict[str, NDArray[Any]] = {
            "motif": motif[search],
            "sequence": sequence.astype(np.int32),
            "start": start,
            "strand": np.where(self.reverse[search], -1, 1).astype(np.int8),
            "score": ScoreTable.in_bits(steps),
            "pvalue": pvalue,
            "qvalue": qvalue,
            "qvalue_all": q_values(pvalue, int(n_windows.sum())),
            "matched": matched.view(f"S{matched.shape[1]}")[:, 0],
        }
        order = np.lexsort(
            (-columns["strand"], columns["motif"], columns["start"], columns["sequence"])
        )
        columns = {name: column[order] for name, column in columns.items()}
        names = [str(motif.name) for motif in self.motifs]
        second = [second_name(motif) for motif in self.motifs]
        return Hits(names, self.sequences, columns, n_windows, second)


def _rows_of_each(number: NDArray[Any], n: int) -> list[NDArray[np.intp]]:
    """List the rows that have each number from 0 to n - 1."""
    order = np.argsort(number, kind="stable")
    return np.split(order, np.bincount(number, minlength=n).cumsum()[:-1])


def q_values(pvalues: ArrayLike, n_tests: int) -> Floats:
    """Turn the lowest of many p-values into false discovery rates (Benjamini and Hochberg).

    Parameters
    ----------
    pvalues : array_like of float, (n,)
        All those below some threshold.
    n_tests : int
        How many there are with those above it, which can only lower the rates given here.

    Returns
    -------
    ndarray of float64, (n,)
        At most 1.

    Examples
    --------
    >>> q_values([0.001, 0.01], 50)
    array([0.05, 0.25])
    """
    from scipy.stats import false_discovery_control

    values = np.asarray(pvalues, dtype=np.float64)
    if not values.size:
        return values
    rates = false_discovery_control(values) * (n_tests / values.size)
    return np.minimum(rates, 1.0)


def _stretches(records: Records, alphabet: Alphabet, overlap: int) -> Iterator[Stretch]:
    """Yield records, and FASTA in stretches with enough overlap for all windows."""
    if _is_source(records):
        source: Any = records
        yield from stream_fasta(source, alphabet, length=_BLOCK + overlap, overlap=overlap)
        return
    items: Any = records
    for number, record in enumerate(as_records(items, alphabet), start=1):
        name = str(record.id) if has_id(record) else f"sequence{number}"
        yield Stretch(name, 0, bytes(record.seq or b""), 0)


def _is_source(records: Records) -> bool:
    """Tell a file from sequences: a str in a list is a sequence, on its own it is a path."""
    return isinstance(records, str | os.PathLike) or hasattr(records, "read")


def _blocks(stretches: Iterable[Stretch], length: int) -> Iterator[list[Stretch]]:
    """Collect short stretches until they are worth an index."""
    block: list[Stretch] = []
    total = 0
    for stretch in stretches:
        block.append(stretch)
        total += len(stretch.letters)
        if total >= length:
            yield block
            block, total = [], 0
    if block:
        yield block


def _code_table(alphabet: Alphabet, skip_soft: bool) -> NDArray[np.int64]:
    """Map bytes to codes; all that is no concrete letter becomes 4."""
    table = np.full(256, alphabet.size)
    for code, letter in enumerate(alphabet.letters):
        table[ord(letter)] = code
        if not skip_soft:
            table[ord(letter.lower())] = code
    return table


def _complement_table(alphabet: Alphabet) -> NDArray[np.uint8]:
    """Map letters to those of the other strand, upper and lower case apart."""
    here, there = alphabet.letters, str(alphabet.complement_letters)
    table = bytes.maketrans((here + here.lower()).encode(), (there + there.lower()).encode())
    return np.frombuffer(table, dtype=np.uint8)
