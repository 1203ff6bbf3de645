from __future__ import annotations

import numpy as np
import pytest
from Bio import Align
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from hypothesis import given
from hypothesis import strategies as st

from seqbio.errors import ParameterError
from seqbio.pairhmm.alignments import (
    alignment_of_columns,
    columns_of_alignment,
    columns_of_states,
    confidence_characters,
)

paths = st.lists(st.integers(0, 2), min_size=1).map(lambda path: np.array(path, dtype=np.uint8))


def pair_for(path):
    return tuple(
        SeqRecord(Seq("ACGT" * len(path)), id=name)[: int((path != other).sum())]
        for name, other in (("x", 2), ("y", 1))
    )


@given(paths)
def test_columns_come_back(path):
    alignment = alignment_of_columns(pair_for(path), path, -1.5)
    assert alignment.score == -1.5
    assert columns_of_alignment(alignment, 0).tolist() == path.tolist()
    for row, other in ((0, 2), (1, 1)):
        assert [letter == "-" for letter in alignment[row]] == (path == other).tolist()
    steps = np.diff(alignment.coordinates, axis=1)
    assert (np.diff(np.sign(steps), axis=1) != 0).any(axis=0).all()  # no corner without a turn


def test_states_of_one_kind_make_the_same_columns():
    states = np.array([0, 1, 3, 2, 4, 0], dtype=np.uint8)
    assert columns_of_states(states, "mxyxy").tolist() == [0, 1, 1, 2, 2, 0]


@pytest.mark.parametrize(
    ("sequences", "coordinates", "message"),
    [
        (["ACG", "ACG"], [[1, 3], [0, 2]], "at index 7 does not run through both"),
        (["ACG", "ACG"], [[0, 2], [0, 2]], "from their first letter to their last"),
        (["ACG", "ACG"], [[0, 3], [3, 0]], "in the given direction"),
        (["A", "A", "A"], [[0, 1]] * 3, "has 3 sequences; give alignments of two"),
    ],
)
def test_other_alignments_are_refused(sequences, coordinates, message):
    alignment = Align.Alignment(sequences, np.array(coordinates))
    with pytest.raises(ParameterError, match=message):
        columns_of_alignment(alignment, 7)


def test_characters_of_confidence_are_those_of_hmmer():
    assert confidence_characters([0, 0.049, 0.05, 0.149, 0.15, 0.949, 0.95, 1]) == "001129**"
    assert confidence_characters([]) == ""
