"""Alignments of pairs in the file formats of Bio.Align, and as a table."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TextIO

from seqbio import __version__
from seqbio.errors import SeqbioError

if TYPE_CHECKING:
    from Bio.Align import Alignment

ALIGNMENT_FORMATS = {
    "a2m": "insertions into x in lower case",
    "bed": "blocks of x; the score is 1000 times the expected accuracy",
    "chain": "UCSC chains from x to y",
    "clustal": "blocks of 50 columns",
    "exonerate": "vulgar lines",
    "fasta": "x and y with gaps, one record after the other",
    "maf": "UCSC multiple alignment blocks",
    "nexus": "a data block",
    "phylip": "ids of at most 10 characters",
    "psl": "blocks as from BLAT",
    "sam": "y as reads of the references x",
    "stockholm": "as in Pfam, with the confidence of every column (PP_cons)",
    "tsv": "a line for each column, with its confidence",
}
"""What alignments can be written in: format -> one line about it."""

WITH_CONFIDENCE = ("bed", "stockholm", "tsv")
"""Formats for which the alignments must have been assessed."""

_SINGLE = ("a2m", "nexus")  # one alignment in a file
_UNIQUE = ("nexus", "phylip", "stockholm")  # rows are told apart by their names
_NAME_WIDTH = {"clustal": 30, "phylip": 10}  # so many characters of a name are kept
_BLOCKS = ("bed", "chain", "psl", "sam")  # from the first aligned letters to the last
_MOLECULE_TYPE = {"dna": "DNA", "rna": "RNA", "protein": "protein"}
_SAM_VERSION = "1.6"


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

    if file_format == "tsv":
        stream.writelines(_table(alignments))
        return
    prepared = [_prepared(alignment, file_format, alphabet) for alignment in alignments]
    if file_format in _SINGLE and len(prepared) > 1:
        raise SeqbioError(
            f"a {file_format} file holds one alignment and there are {len(prepared)}; choose one "
            f"pair with --pair, or another format: {_others(_SINGLE)}"
        )
    for alignment in prepared:
        _check(alignment, file_format)
    if file_format == "clustal":
        for alignment in prepared:  # a header for each, by which Bio.AlignIO knows where one ends
            single: Any = Align.Alignments([alignment])
            # The format is known by the first word of its header, which is Bio.Align's program.
            single.metadata = {"Program": "CLUSTAL", "Version": f"by seqbio {__version__}"}
            Align.write(single, stream, file_format)
        return
    together: Any = Align.Alignments(prepared)
    if file_format == "sam":
        together.metadata = {"HD": {"VN": _SAM_VERSION}}
        together.targets = _references(prepared)
    Align.write(together, stream, file_format)


def _others(formats: Container[str]) -> str:
    return ", ".join(name for name in ALIGNMENT_FORMATS if name not in formats)


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
    yield "alignment\tx\ty\tx_position\tx_letter\ty_position\ty_letter\tconfidence\n"
    for number, alignment in enumerate(alignments, start=1):
        x, y = (record.id for record in alignment.sequences)
        trust = alignment.confidence.tolist()  # type: ignore[attr-defined]
        i = j = 0
        for a, b, probability in zip(alignment[0], alignment[1], trust, strict=True):
            i, j = i + (a != "-"), j + (b != "-")
            left, right = "" if a == "-" else i, "" if b == "-" else j
            yield f"{number}\t{x}\t{y}\t{left}\t{a}\t{right}\t{b}\t{probability:.6g}\n"


def _check(alignment: Any, file_format: str) -> None:
    """Refuse what a format would garble."""
    x, y = (record.id for record in alignment.sequences)
    width = _NAME_WIDTH.get(file_format)
    if x != y and x[:width] == y[:width]:
        raise SeqbioError(
            f"{file_format} keeps {width} characters of an id, and those of {x!r} and {y!r} are "
            f"the same; rename the records, or choose another format: {_others(_NAME_WIDTH)}"
        )
    if x == y and file_format in _UNIQUE:
        raise SeqbioError(
            f"{file_format} tells rows apart by their ids, and both records of a pair are called "
            f"{x!r}; rename one, or choose another format: {_others(_UNIQUE)}"
        )
    if file_format in _BLOCKS and alignment.coordinates.shape[1] < 2:
        raise SeqbioError(
            f"in the alignment of {x!r} and {y!r} no letters stand opposite each other, which "
            f"{file_format} cannot say; choose another format: {_others(_BLOCKS)}"
        )


def _between_end_gaps(coordinates: Any) -> Any:
    """Cut off the gaps at both ends; nothing is left where no letters are aligned."""
    blocks = (coordinates[:, 1:] > coordinates[:, :-1]).all(axis=0).nonzero()[0]
    return coordinates[:, blocks[0] : blocks[-1] + 2] if len(blocks) else coordinates[:, :0]


def _references(alignments: Iterable[Any]) -> list[Any]:
    """Collect the sequences x for the header of a SAM file."""
    from Bio.SeqRecord import SeqRecord

    references: dict[str, Any] = {}
    for alignment in alignments:
        record = alignment.target
        known = references.setdefault(record.id, SeqRecord(record.seq, id=record.id))
        if known.seq != record.seq:
            raise SeqbioError(
                f"sam names references by their ids, and different sequences x have the id "
                f"{record.id!r}; give every record an id of its own"
            )
    return list(references.values())
