"""Alignments of pairs in the file formats of Bio.Align, and as a table."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from seqbio import __version__
from seqbio.errors import SeqbioError

if TYPE_CHECKING:
    from Bio.Align import Alignment
    from Bio.SeqRecord import SeqRecord

ALIGNMENT_FORMATS = {
    "a2m": "insertions into x in lower case",
    "bed": "blocks of x; the score is 1000 times the expected accuracy",
    "chain": "UCSC chains from x to y",
    "clustal": "blocks of 50 columns",
    "exonerate": "vulgar lines",
    "fasta": "x and y with gaps, one record after the other",
    "maf": "UCSC multiple alignment blocks",
    "nexus": "a data block",
    "phylip": "for ids of at most 10 characters",
    "psl": "blocks as from BLAT",
    "sam": "y as reads of the references x",
    "stockholm": "as in Pfam; PP_cons is the confidence in tenths, * from 0.95 on",
    "tsv": "a line for each column, with its confidence",
}
"""What alignments can be written in: format -> one line about it."""

WITH_CONFIDENCE = ("bed", "stockholm", "tsv")
"""Formats for which the alignments must have been assessed."""

_SINGLE = ("a2m", "nexus")  # one alignment in a file
_UNIQUE = ("nexus", "phylip", "stockholm")  # rows are told apart by their names
_NAMES = {  # ids of x and of y that a format can hold, and which it cannot
    "bed": (
        r"(?!#|track|browser)\S+",
        r"\S+",
        "# and the words track and browser begin other lines",
    ),
    "clustal": (r"(?!CLUSTAL)\S+",) * 2 + ("the word CLUSTAL begins another alignment",),
    "phylip": (r"[^\s\[\](),:;]{1,10}",) * 2
    + ("an id has 10 characters at most, none of [](),:;",),
    "sam": (
        r"[0-9A-Za-z!#$%&+./:;?^_|~-][0-9A-Za-z!#$%&*+./:;=?^_|~-]*",
        r"(?!\*$)[!-?A-~]{1,254}",
        "ids are ASCII without @, and that of x has no quotes, brackets, commas or backslashes",
    ),
    "stockholm": (r"(?!#|//)\S+",) * 2 + ("# and // begin lines of another meaning",),
}
_COLUMNS = 50  # of a block of clustal
_NAME_WIDTH = 36  # before it, or more for a longer name
_BLOCKS = ("bed", "chain", "psl", "sam")  # from the first aligned letters to the last
_MOLECULE_TYPE = {"dna": "DNA", "rna": "RNA", "protein": "protein"}
_SAM_VERSION = "1.6"
_TABLE_COLUMNS = (
    "alignment",
    "x",
    "y",
    "x_position",
    "x_letter",
    "y_position",
    "y_letter",
    "confidence",
)


def write_alignments(
    alignments: Iterable[Alignment], stream: TextIO, file_format: str, alphabet: str
) -> None:
    """Write alignments of pairs of records in a format of Bio.Align, or as a table.

    Parameters
    ----------
    alignments
        Of two records each; for a format of `WITH_CONFIDENCE` as `PairHMM.assess` gives them.
    stream
        Open for text.
    file_format
        One of `ALIGNMENT_FORMATS`.
    alphabet
        ``"dna"``, ``"rna"`` or ``"protein"``.

    Raises
    ------
    SeqbioError
        The format cannot hold these alignments.
    """
    from Bio import Align

    alignments = list(alignments)
    check_pairs([tuple(alignment.sequences) for alignment in alignments], file_format)
    if file_format in ("clustal", "tsv"):
        stream.writelines((_clustal if file_format == "clustal" else _table)(alignments))
        return
    prepared = [_prepared(alignment, file_format, alphabet) for alignment in alignments]
    for alignment in prepared:
        _check(alignment, file_format)
    together: Any = Align.Alignments(prepared)
    if file_format == "sam":
        together.metadata = {"HD": {"VN": _SAM_VERSION}}
        together.targets = _references(alignment.target for alignment in prepared)
    Align.write(together, stream, file_format)


def check_pairs(pairs: Sequence[Sequence[SeqRecord]], file_format: str, n_each: int = 1) -> None:
    """Refuse pairs of records whose alignments a format cannot hold, before they are aligned.

    Parameters
    ----------
    pairs
        Of x and y.
    file_format
        One of `ALIGNMENT_FORMATS`.
    n_each
        Alignments of each pair.

    Raises
    ------
    SeqbioError
        The message names the record.
    """
    if file_format in _SINGLE and len(pairs) * n_each > 1:
        raise SeqbioError(
            f"a {file_format} file holds one alignment and there are {len(pairs) * n_each}; choose "
            f"one pair with --pair, or another format: {_others(_SINGLE)}"
        )
    for x, y in pairs:
        if (record := _unfit(x, y, file_format)) is not None:
            others = (name for name in ALIGNMENT_FORMATS if _unfit(x, y, name) is None)
            raise SeqbioError(
                f"{file_format} cannot hold the id {record.id!r}: {_NAMES[file_format][-1]}; "
                f"rename the record, or choose another format: {', '.join(others)}"
            )
        if x.id == y.id and file_format in _UNIQUE:
            raise SeqbioError(
                f"{file_format} tells rows apart by their ids, and both records of a pair are "
                f"called {x.id!r}; rename one, or choose another format: {_others(_UNIQUE)}"
            )
    if file_format == "sam":
        _references(x for x, _ in pairs)


def _unfit(x: SeqRecord, y: SeqRecord, file_format: str) -> SeqRecord | None:
    """Find the record whose id a format cannot hold."""
    rules = _NAMES.get(file_format, (r"\S+", r"\S+"))[:2]
    for record, rule in zip((x, y), rules, strict=True):
        if not re.fullmatch(rule, str(record.id)):
            return record
    return None


def _others(formats: Container[str]) -> str:
    return ", ".join(name for name in ALIGNMENT_FORMATS if name not in formats)


def _clustal(alignments: Iterable[Alignment]) -> Iterator[str]:
    """Write blocks of columns with whole ids, which the writer of Bio.Align cuts."""
    for alignment in alignments:  # a header for each, by which Bio.AlignIO knows where one ends
        yield f"CLUSTAL by seqbio {__version__} multiple sequence alignment\n\n\n"
        names = [str(record.id) for record in alignment.sequences]
        width = max(_NAME_WIDTH, *(len(name) + 1 for name in names))
        for start in range(0, alignment.length, _COLUMNS):
            for name, row in zip(names, (alignment[0], alignment[1]), strict=True):
                yield f"{name:{width}}{row[start : start + _COLUMNS]}\n"
            yield "\n"
        yield "\n"


def _prepared(alignment: Alignment, file_format: str, alphabet: str) -> Any:
    """Copy an alignment and add what the writer of a format asks for."""
    from Bio.Align import Alignment
    from Bio.SeqRecord import SeqRecord

    records = []
    for record in alignment.sequences:
        # The writers put the id before the description, which has it as its first word.
        remark = record.description.removeprefix(record.id).strip()
        copy = SeqRecord(record.seq, id=record.id, name=record.id, description=remark)
        if file_format in ("exonerate", "nexus"):
            copy.annotations["molecule_type"] = _MOLECULE_TYPE[alphabet]
        records.append(copy)
    coordinates = alignment.coordinates
    # Else a chain has its blocks too early after a leading gap, and sam begins with a deletion,
    # where mappers move the position on and clip letters of y that stand against nothing.
    if file_format in _BLOCKS:
        coordinates = _between_end_gaps(coordinates)
    result: Any = Alignment(records, coordinates)
    result.score = alignment.score  # type: ignore[attr-defined]
    result.annotations, result.column_annotations = {}, {}
    if file_format == "a2m":
        state = "".join("I" if letter == "-" else "D" for letter in alignment[0])
        result.column_annotations["state"] = state
    elif file_format == "bed":  # where scores are whole numbers up to 1000
        result.score = round(1000 * alignment.expected_accuracy)  # type: ignore[attr-defined]
    elif file_format == "stockholm":
        from seqbio.pairhmm.alignments import CONFIDENCE_LINE

        assessed: Any = alignment
        result.annotations["comment"] = f"expected accuracy {assessed.expected_accuracy:.4f}"
        result.column_annotations[CONFIDENCE_LINE] = assessed.column_annotations[CONFIDENCE_LINE]
    return result


def _table(alignments: Iterable[Alignment]) -> Iterator[str]:
    """Write a line for each column; positions count from 1 and are empty against a gap."""
    from seqbio.sequences import tsv_line

    yield tsv_line(_TABLE_COLUMNS)
    for number, alignment in enumerate(alignments, start=1):
        x, y = (record.id for record in alignment.sequences)
        trust = alignment.confidence.tolist()  # type: ignore[attr-defined]
        i = j = 0
        for a, b, probability in zip(alignment[0], alignment[1], trust, strict=True):
            i, j = i + (a != "-"), j + (b != "-")
            left, right = "" if a == "-" else i, "" if b == "-" else j
            yield tsv_line((number, x, y, left, a, right, b, f"{probability:.6g}"))


def _check(alignment: Any, file_format: str) -> None:
    """Refuse what a format would garble."""
    x, y = (record.id for record in alignment.sequences)
    if file_format in _BLOCKS and alignment.coordinates.shape[1] < 2:
        raise SeqbioError(
            f"in the alignment of {x!r} and {y!r} no letters stand opposite each other, which "
            f"{file_format} cannot say; choose another format: {_others(_BLOCKS)}"
        )


def _between_end_gaps(coordinates: Any) -> Any:
    """Cut off the gaps at both ends; nothing is left where no letters are aligned."""
    blocks = (coordinates[:, 1:] > coordinates[:, :-1]).all(axis=0).nonzero()[0]
    return coordinates[:, blocks[0] : blocks[-1] + 2] if len(blocks) else coordinates[:, :0]


def _references(records: Iterable[Any]) -> list[Any]:
    """Collect the sequences x for the header of a SAM file."""
    from Bio.SeqRecord import SeqRecord

    references: dict[str, Any] = {}
    for record in records:
        known = references.setdefault(record.id, SeqRecord(record.seq, id=record.id))
        if known.seq != record.seq:
            raise SeqbioError(
                f"sam names references by their ids, and different sequences x have the id "
                f"{record.id!r}; give every record an id of its own"
            )
    return list(references.values())
