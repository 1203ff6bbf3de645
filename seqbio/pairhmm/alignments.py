"""Between columns of the pair HMM and `Bio.Align.Alignment`, with what is known of each column.

A *path* has one number a column: 0 for aligned letters, 1 for a letter of x against a gap, 2 for a
letter of y against a gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqbio.errors import ParameterError

if TYPE_CHECKING:
    from Bio.Align import Alignment

    from seqbio.pairhmm.accuracy import Confidence
    from seqbio.sequences import Pair

Columns = NDArray[np.uint8]

CONFIDENCE_LINE = "consensus posterior probability"
"""Bio.Align's name for the line ``#=GC PP_cons`` of a Stockholm file."""

_STEPS = np.array([[1, 1, 0], [1, 0, 1]])  # letters of x and of y in each kind of column


def columns_of_states(states: Columns, kinds: str) -> Columns:
    """Tell what columns a path of states makes, for a machine of those kinds of states."""
    return np.array(["mxy".index(kind) for kind in kinds], dtype=np.uint8)[states]


def alignment_of_columns(pair: Pair, path: Columns, score: float) -> Alignment:
    """Build an alignment with x as its target and y as its query."""
    from Bio.Align import Alignment

    position = np.concatenate([np.zeros((2, 1), dtype=np.int64), _STEPS[:, path].cumsum(1)], axis=1)
    corners = np.concatenate([[0], np.flatnonzero(np.diff(path)) + 1, [len(path)]])
    alignment = Alignment(list(pair), position[:, corners])
    alignment.score = score  # type: ignore[attr-defined]
    return alignment


def columns_of_alignment(alignment: Alignment, index: int) -> Columns:
    """Read the columns of an alignment, which must hold two whole sequences.

    Raises
    ------
    ParameterError
        It does not; the message names the alignment by its index.
    """
    from Bio.Align import Alignment

    if not isinstance(alignment, Alignment):
        raise ParameterError(
            f"the item at index {index} is a {type(alignment).__name__}; give Bio.Align.Alignments"
        )
    if len(alignment.sequences) != 2:
        raise ParameterError(
            f"the alignment at index {index} has {len(alignment.sequences)} sequences; give "
            "alignments of two"
        )
    corners = np.asarray(alignment.coordinates)
    lengths = np.array([len(sequence) for sequence in alignment.sequences])
    ends_are_those = (corners[:, 0] == 0).all() and (corners[:, -1] == lengths).all()
    if not ends_are_those or (np.diff(corners, axis=1) < 0).any():
        raise ParameterError(
            f"the alignment at index {index} does not run through both sequences from their first "
            "letter to their last; make it a global one, of the sequences in the given direction"
        )
    steps = np.diff(corners, axis=1)
    kinds = np.where(steps[0] == 0, 2, np.where(steps[1] == 0, 1, 0)).astype(np.uint8)
    return np.repeat(kinds, steps.max(axis=0))


def annotate(alignment: Alignment, confidence: Confidence) -> None:
    """Add the confidence of every column, for programs and as a line of a Stockholm file."""
    found = alignment
    found.confidence = confidence.columns  # type: ignore[attr-defined]
    found.expected_accuracy = confidence.expected_accuracy  # type: ignore[attr-defined]
    known = getattr(alignment, "column_annotations", {})
    line = confidence_characters(confidence.columns.tolist())
    alignment.column_annotations = known | {CONFIDENCE_LINE: line}  # type: ignore[attr-defined]


def confidence_characters(probabilities: Sequence[float]) -> str:
    """Write probabilities with one character each, as HMMER does in Stockholm files.

    ``0`` is less than 0.05, ``1`` from there to less than 0.15, and so on to ``9``; ``*`` is 0.95
    or more.

    References
    ----------
    Eddy, *HMMER User's Guide*, on posterior probability annotation.

    Examples
    --------
    >>> confidence_characters([0.04, 0.05, 0.5, 0.949, 0.95, 1])
    '0159**'
    """
    return "".join("0123456789*"[int(10 * value + 0.5)] for value in probabilities)
