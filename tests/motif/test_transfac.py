"""TRANSFAC's format, and JASPAR's matrices in it."""

from __future__ import annotations

import gzip
import io

import pytest
from Bio import motifs as bio_motifs

from seqbio.errors import SequenceFormatError
from seqbio.motif import read_motifs
from seqbio.motif.motifs import count_matrix

TRANSFAC = """VV  TRANSFAC MATRIX TABLE, Release 4.0
XX
//
AC  M00001
XX
ID  V$MYOD_01
XX
NA  MyoD
BF  T00526; MyoD; Species: mouse.
PO     T      G      C      A
01     1.5    2      0      0      R
02     0      0      9      0      C
XX
CC  1 site
//
ID any_old_name
P0  A  C  G  U
1  0 0 7 0
2  0 0 0 7
XX
//
DE  MA9 SP1
P0 a c g t
00 1 0 0 0 A
01 0 1 0 0 C
"""


def test_transfac():
    motifs = read_motifs(io.StringIO(TRANSFAC))
    names = [(motif.name, motif.matrix_id, motif.alphabet) for motif in motifs]
    assert names == [
        ("M00001", "V$MYOD_01", "ACGT"),
        ("any_old_name", None, "ACGU"),
        ("MA9", "SP1", "ACGT"),
    ]
    assert count_matrix(motifs[0]).tolist() == [[0, 0], [0, 9], [2, 0], [1.5, 0]]
    assert [str(motif.consensus) for motif in motifs] == ["GC", "GU", "AC"]


def test_transfac_of_jaspar_is_what_biopython_reads(real_data):
    file = real_data("motif/jaspar2024_core.transfac.gz")
    with gzip.open(file, "rt") as stream:
        expected = bio_motifs.parse(stream, "transfac", strict=False)
        motifs = read_motifs(file)
        assert len(motifs) == len(expected) == 2346
        for motif, other in zip(motifs, expected, strict=True):
            assert (motif.name, motif.matrix_id) == (other["AC"], other["ID"])
            assert [motif.counts[a] for a in "ACGT"] == [list(other.counts[a]) for a in "ACGT"]


def test_a_line_in_a_matrix_that_is_no_row_is_refused():
    text = "ID x\nP0 A C G T\n01 1 0 0 0\n!2 0 1 0 0\n//\n"
    with pytest.raises(SequenceFormatError, match="line 4: expected a row or a key of two letters"):
        read_motifs(io.StringIO(text))
