"""MEME's formats: what its tools write is read, by the letters of the alphabet that it says."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.errors import SequenceFormatError
from seqbio.motif import read_motifs
from seqbio.motif.motifs import count_matrix, probability_matrix

HEAD = "MEME version 5.5.0\n\n"
MATRIX = """letter-probability matrix: alength= 4 w= 3 nsites= 8 E= 1.0e-010
 0.500000  0.500000  0.000000  0.000000
 0.000000  0.250000  0.750000  0.000000
 0.000000  0.000000  0.000000  1.000000
"""
STARS, DASHES = 80 * "*" + "\n", 80 * "-" + "\n"
OF_MEME = f"""{STARS}MEME - Motif discovery tool
{STARS}MEME version 5.5.0 (Release date: Wed Sep 7 14:18:26 2022 -0700)

{STARS}TRAINING SET
{STARS}PRIMARY SEQUENCES= x.fa
ALPHABET= ACGT
Sequence name            Weight Length  Sequence name            Weight Length
-------------            ------ ------  -------------            ------ ------
MOTIF1                   1.0000     20  s2                       1.0000     20
{STARS}COMMAND LINE SUMMARY
{STARS}strands: + -
Letter frequencies in dataset:
A 0.4 C 0.1 G 0.1 T 0.4
Background letter frequencies (from file dataset with add-one prior applied):
A 0.3 C 0.2 G 0.2 T 0.3
Background model order: 0
{STARS}

{STARS}MOTIF CGT MEME-1\twidth =   3  sites =   8  llr = 100  p-value = 1e-12  E-value = 1.0e-010
{STARS}{DASHES}\tMotif CGT MEME-1 Description
{DASHES}Simplified        A  5::
pos.-specific     C  5::

\tMotif CGT MEME-1 in BLOCKS format
{DASHES}BL   MOTIF CGT width=3 seqs=8
s1                       (    4) CGT  1

{DASHES}\tMotif CGT MEME-1 position-specific scoring matrix
{DASHES}log-odds matrix: alength= 4 w= 3 n= 36 bayes= 5.1 E= 1.0e-010
  -123    -45     67      8
  -123    -45     67      8
  -123    -45     67      8
{DASHES}
\tMotif CGT MEME-1 position-specific probability matrix
{DASHES}{MATRIX}{DASHES}
{STARS}MOTIF  2\twidth =    3   sites =   8   llr = 90   E-value = 2.0e+003
{STARS}{DASHES}{MATRIX.replace("1.0e-010", "2.0e+003")}{DASHES}
Time  0.27 secs.
{STARS}SUMMARY OF MOTIFS
"""
DNA_LIKE = """ALPHABET "DNA" DNA-LIKE
T "Thymine" 008000 ~ A "Aden = \\"ine\\"" CC0000  # the order does not matter
C "Cytosine" 0000CC ~ G "Guanine" FFB300
N "Any base" = ACGT
X = ACGT
R "Purine" = AG
U = T
. = ACGT
- =
END ALPHABET
"""
OF_DREME = f"""# DREME 5.0.5
# command:   dreme

MEME version 5.0.5 (Release date: Mon Mar 18 20:12:19 2019 -0700)

{DNA_LIKE}
strands: + -

Background letter frequencies (from dataset):
A 0.3 C 0.2 G 0.2 T 0.3

MOTIF MST DREME-1

#             Word    RC Word        Pos        Neg    P-value    E-value
# BEST         MST       ASK          8          0   1.0e-012   1.0e-010

{MATRIX}
MOTIF 2 DREME-2
{MATRIX.replace("E= 1.0e-010", "S= 2.0e+003")}

Time 0.06 secs.
"""
OF_STREME = f"""{STARS}STREME - Sensitive, Thorough, Rapid, Enriched Motif Elicitation
{STARS}MEME version 5.5.0 (Release date: Wed Sep 7 14:18:26 2022 -0700)
{STARS}

{STARS}ALPHABET "own" DNA-LIKE
{STARS}A ~ T
C ~ G
N = ACGT
{STARS}
strands: +

Background letter frequencies
A 0.3 C 0.2 G 0.2 T 0.3

MOTIF 1-MST STREME-1
{MATRIX}
MOTIF 2 STREME-2
{MATRIX.replace("1.0e-010", "2.0e+003")}
{STARS}Stopped because
"""


@pytest.mark.parametrize(
    ("text", "names", "strands", "evalue"),
    [
        (OF_MEME, [("CGT", "MEME-1"), ("2", None)], "both", 2e3),
        (OF_DREME, [("MST", "DREME-1"), ("2", "DREME-2")], "both", None),
        (OF_STREME, [("1-MST", "STREME-1"), ("2", "STREME-2")], "one", 2e3),
    ],
)
@pytest.mark.parametrize("change", [str, lambda text: "\ufeff" + text.replace("\n", "\r\n")])
def test_the_text_of_motif_finders(text, names, strands, evalue, change):
    motifs = read_motifs(io.BytesIO(change(text).encode()))
    assert [(motif.name, motif.matrix_id) for motif in motifs] == names
    assert [motif.evalue for motif in motifs] == [1e-10, evalue]
    for motif in motifs:
        assert motif.strands == strands
        assert motif.background == pytest.approx({"A": 0.3, "C": 0.2, "G": 0.2, "T": 0.3})
        np.testing.assert_allclose(
            count_matrix(motif), [[4, 0, 0], [4, 2, 0], [0, 6, 0], [0, 0, 8]], atol=1e-12
        )


def test_what_stands_before_motifs_holds_up_to_the_next_version():
    rna = f"{HEAD}ALPHABET= ACGU\n\nMOTIF r\n{MATRIX}"
    dna, other = read_motifs(io.StringIO(f"{OF_STREME}\n{rna}"))[1:]
    assert (dna.alphabet, dna.strands) == ("ACGT", "one")
    assert (other.name, other.alphabet, other.strands) == ("r", "ACGU", None)
    assert set(other.background.values()) == {0.25}


RNA_LINES = "A\nC\nU\nG\nT = U\nEND ALPHABET\n"
PROTEIN_LINES = (
    "".join(f"{letter}\n" for letter in "YWVTSRQPNMLKIHGFEDCA") + "B = DN\nEND ALPHABET\n"
)
alphabets = [
    ("", "ACGT"),
    ("ALPHABET= ACGT\n", "ACGT"),
    ("ALPHABET= ACGU\n", "ACGU"),
    ("ALPHABET =acgu\n", "ACGU"),
    (DNA_LIKE, "ACGT"),
    (DNA_LIKE.replace("DNA-LIKE", ""), "ACGT"),
    ("ALPHABET\na ~ t\nc ~ g\nr = ag\nEND ALPHABET\n", "ACGT"),
    ('ALPHABET "RNA" RNA-LIKE\n' + RNA_LINES, "ACGU"),
    ('ALPHABET "a name, RNA-LIKE # or not"\n' + RNA_LINES, "ACGU"),
    ("ALPHABET RNA-LIKE\nA ~ U\nC ~ G\nEND ALPHABET\n", "ACGU"),
    ('ALPHABET "P" PROTEIN-LIKE\n' + PROTEIN_LINES, "ACDEFGHIKLMNPQRSTVWY"),
    ("Background letter frequencies\nU 0.1 G 0.2 C 0.3 A 0.4\n", "ACGU"),
]


@pytest.mark.parametrize(("lines", "letters"), alphabets)
def test_columns_are_letters_of_the_alphabet_in_alphabetical_order(lines, letters):
    size = len(letters)
    rows = "".join(" ".join(map(str, row)) + "\n" for row in np.eye(size, dtype=int)[:3])
    text = f"{HEAD}{lines}\nMOTIF x\nletter-probability matrix:\n{rows}"
    [motif] = read_motifs(io.StringIO(text))
    assert motif.alphabet == letters
    assert motif.consensus == letters[:3]


def test_a_file_need_not_say_that_it_is_of_proteins():
    rows = "".join(" ".join(map(str, row)) + "\n" for row in np.eye(20, dtype=int)[[8, 9]])
    [motif] = read_motifs(io.StringIO(f"{HEAD}MOTIF x\nletter-probability matrix\n{rows}"))
    assert motif.consensus == "KL"


own_alphabets = [
    ("ALPHABET= GATC\n", "'GATC', in this order"),
    ("ALPHABET= ACGTN\n", "'ACGTN'"),
    ("ALPHABET= DNA\n", "'DNA'"),
    ("ALPHABET DNA\nA ~ T\nC ~ G\nEND ALPHABET\n", "is no alphabet; write 'ALPHABET= ACGT'"),
    ('ALPHABET "own"\nW\nX\nY\nZ\nEND ALPHABET\n', "the letters WXYZ, complements none;"),
    ("ALPHABET\nA\nC\nG\nT\nEND ALPHABET\n", "ACGT, complements none, codes none;"),
    ("ALPHABET\nA ~ G\nC ~ T\nEND ALPHABET\n", "ACGT, complements A~G C~T, codes none;"),
    ("ALPHABET\nA ~ T\nC ~ G\nR = CT\nEND ALPHABET\n", "codes R=CT; read are"),
    ("ALPHABET\nA ~ T\nC ~ G\nm\nEND ALPHABET\n", "the letters ACGTm, complements A~T C~G;"),
    ("ALPHABET\nA ~ T\nc ~ G\nEND ALPHABET\n", "the letters AGTc"),
    ("ALPHABET DNA-LIKE\n" + RNA_LINES, "'ALPHABET DNA-LIKE' has the letters ACGU"),
    ("ALPHABET RNA-LIKE\nA ~ T\nC ~ G\nEND ALPHABET\n", "'ALPHABET RNA-LIKE' has the letters ACGT"),
    ("ALPHABET PROTEIN-LIKE\n" + RNA_LINES, "has the letters ACGU"),
    (
        "ALPHABET DNA-LIKE\nA ~ T\nC ~ G\n",
        "line 7: 'MOTIF x' defines no new letter .* END ALPHABET",
    ),
    ("ALPHABET DNA-LIKE\nA ~ T\nA ~ T\nEND ALPHABET\n", "line 5: 'A ~ T' defines no new letter"),
    ("ALPHABET DNA-LIKE\nA ~ T ~ C\nEND ALPHABET\n", "line 4: 'A ~ T ~ C' defines no new letter"),
    ("ALPHABET DNA-LIKE\nAC\nEND ALPHABET\n", "line 4: 'AC' defines no new letter"),
    ("ALPHABET DNA-LIKE\n\n", "line 6: 'MOTIF x' defines no new letter"),
]


@pytest.mark.parametrize(("lines", "message"), own_alphabets)
def test_other_alphabets_are_refused_with_their_letters(lines, message):
    text = f"{HEAD}{lines}\nMOTIF x\nletter-probability matrix:\n1 0 0 0\n"
    with pytest.raises(SequenceFormatError, match=message):
        read_motifs(io.StringIO(text))


@pytest.mark.parametrize("digits", [2, 3, 4])
@given(seed=st.integers(0, 99))
def test_rounded_probabilities_are_scaled_to_1(digits, seed):
    generator = np.random.default_rng(seed)
    for size, kind in ((4, "ACGT"), (20, "ACDEFGHIKLMNPQRSTVWY")):
        true = generator.dirichlet([0.7] * size, 5)
        rows = np.round(true, digits)
        if abs(rows.sum(axis=1) - 1).max() > 0.05:
            continue  # 20 numbers of two digits can be further off
        text = "".join(" ".join(f"{x:.{digits}f}" for x in row) + "\n" for row in rows)
        text = f"{HEAD}ALPHABET= {kind}\nMOTIF x\nletter-probability matrix:\n{text}"
        [motif] = read_motifs(io.StringIO(text))
        expected = rows / rows.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(probability_matrix(motif), expected.T, atol=1e-12)


@pytest.mark.parametrize("row", ["0.95 0 0 0", ".35 .3 .2 .1", "0.35 0.35 0.35 0", "1 0.05 0 0"])
def test_sums_of_0_95_and_1_05_are_read(row):
    text = f"{HEAD}MOTIF x\nletter-probability matrix: w= 1\n{row}\n"
    [motif] = read_motifs(io.StringIO(text))
    values = np.array(row.split(), dtype=float)
    np.testing.assert_allclose(probability_matrix(motif)[:, 0], values / values.sum())


@pytest.mark.parametrize("row", ["0.949 0 0 0", "1.051 0 0 0", ".5 .5 .5 .5", "0 0 0 0"])
def test_other_sums_are_refused_with_their_line(row):
    text = f"{HEAD}MOTIF x\nletter-probability matrix: w= 2\n1 0 0 0\n{row}\n"
    with pytest.raises(SequenceFormatError, match=r"line 6: the probabilities add up to \d"):
        read_motifs(io.StringIO(text))


@pytest.mark.parametrize(
    "rows",
    [
        "1 0 0 0\n\n0 1 0 0\n",
        "1 0 0 0\nnan 0 0 1\n0 1 0 0\n",
        "1 0 0 0\nMOTIF\n0 1 0 0\n",
        "1 0 0 0\nURL x\n0 1 0 0\n",
        "1 0 0 0\n'0 1 0 0\n0 1 0 0\n",
    ],
)
def test_rows_that_are_in_no_matrix_are_refused(rows):
    text = f"{HEAD}ALPHABET= ACGT\nMOTIF x\nletter-probability matrix: nsites= 9\n{rows}"
    with pytest.raises(SequenceFormatError, match=r"line \d+: a row of numbers that is in no let"):
        read_motifs(io.StringIO(text))


def test_other_tables_of_numbers_are_passed_over():
    text = (
        f"{HEAD}ALPHABET= ACGT\nMOTIF x\nlog-odds matrix: alength= 4 w= 2 n= 9 bayes= 1 E= 1\n"
        "  120 -900 -900 13\n -1.5 -900 7 0\n\nletter-probability matrix: alength= 4\n1 0 0 0\n"
        "\n17 12 1.2e-05 ACGT\n"
    )
    [motif] = read_motifs(io.StringIO(text))
    assert probability_matrix(motif).T.tolist() == [[1, 0, 0, 0]]


@pytest.mark.parametrize("number", ["1_0", "\u0661", "0x1", "1e309", "nan"])
def test_what_formats_do_not_take_for_numbers_is_refused(number):
    for text in (
        f"{HEAD}MOTIF x\nletter-probability matrix: w= 1\n0 0 {number} 0\n",
        f">x\nA [ {number} ]\nC [ 1 ]\nG [ 1 ]\nT [ 1 ]\n",
        f"ID x\nP0 A C G T\n01 0 0 {number} 0\n//\n",
    ):
        with pytest.raises(SequenceFormatError, match=r"line \d: expected numbers, found"):
            read_motifs(io.StringIO(text))
