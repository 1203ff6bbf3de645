"""Motif files come back as they went, and other tools read them; tables of hits."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import unquote

import numpy as np
import pytest
from Bio import motifs as bio_motifs
from hypothesis import given
from hypothesis import strategies as st

from seqbio.errors import ParameterError, SequenceFormatError
from seqbio.motif import Hit, make_motif, read_motifs, scan, write_hits, write_motifs
from seqbio.motif.motifs import count_matrix, probability_matrix


def random_motifs(seed=0, alphabet="dna", size=4):
    generator = np.random.default_rng(seed)
    motifs = [
        make_motif(generator.dirichlet([0.3] * size, width).T * sites, f"m{k}", alphabet)
        for k, (width, sites) in enumerate([(1, 7), (6, 913), (19, 100_000)])
    ]
    motifs[0].matrix_id = "a second name"
    return motifs


@pytest.mark.parametrize("file_format", ["meme", "jaspar"])
@pytest.mark.parametrize(("alphabet", "size"), [("dna", 4), ("rna", 4), ("protein", 20)])
@given(seed=st.integers(0, 20))
def test_what_is_written_is_read(tmp_path_factory, file_format, alphabet, size, seed):
    target = tmp_path_factory.mktemp("motifs") / "motifs.txt.gz"
    motifs = random_motifs(seed, alphabet, size)
    write_motifs(motifs, target, file_format)
    again = read_motifs(target)
    assert [motif.name for motif in again] == ["m0", "m1", "m2"]
    assert again[0].matrix_id == "a second name"
    for one, other in zip(motifs, again, strict=True):
        assert one.alphabet == other.alphabet
        np.testing.assert_allclose(
            probability_matrix(other), probability_matrix(one), rtol=0, atol=1e-9
        )
        np.testing.assert_allclose(
            count_matrix(other), count_matrix(one), rtol=1e-6, atol=1e-9 * count_matrix(one).max()
        )
        if file_format == "jaspar":
            np.testing.assert_array_equal(count_matrix(other), count_matrix(one))


@pytest.mark.parametrize(("file_format", "name"), [("meme", "minimal"), ("jaspar", "jaspar")])
def test_biopython_reads_what_is_written(tmp_path, file_format, name):
    motifs = random_motifs()[:2]
    write_motifs(motifs, tmp_path / "motifs", file_format)
    with (tmp_path / "motifs").open() as stream:
        read = list(bio_motifs.parse(stream, name))
    assert [motif.length for motif in read] == [1, 6]
    atol = 0.1 if name == "minimal" else 1e-9  # it rounds probabilities times sites
    np.testing.assert_allclose(
        probability_matrix(read[1]), probability_matrix(motifs[1]), atol=atol
    )


def test_real_files_in_both_formats_agree(real_data):
    folder = "motif/motifs_handful"
    meme, jaspar = (read_motifs(real_data(f"{folder}.{kind}")) for kind in ("meme", "jaspar"))
    assert len(meme) == len(jaspar) == 10
    for one, other in zip(meme, jaspar, strict=True):
        assert (one.name, one.matrix_id) == (other.name, other.matrix_id)
        np.testing.assert_allclose(probability_matrix(one), probability_matrix(other), atol=1.5e-6)


def test_rows_of_jaspar_in_any_order_and_without_brackets():
    [motif] = read_motifs(io.StringIO(">x\nT 1 2\na 3 4\n\nC 5 6\nG 7 8\n"))
    assert motif.counts["A"] == [3, 4]
    assert motif.counts["T"] == [1, 2]


refusals = [
    ("hello", "expected motifs in a format of MEME's"),
    ("", "expected motifs"),
    (">x\nA 1\nC 1\nG 1\n", "line 1: .*rows 'ACG'"),
    (">x\nA 1\nC 1 2\nG 1\nT 1\n", r"\[1, 2, 1, 1\] numbers"),
    (">x\nA 1\nC one\nG 1\nT 1\n", "line 3: expected numbers, found 'one'"),
    ("> \nA 1\nC 1\nG 1\nT 1\n", "line 1: the motif has no name"),
    ("MEME version 4\n", "no motif with a matrix"),
    (
        "MEME version 4\nMOTIF x\nletter-probability matrix: w= 2\n.25 .25 .25 .25\n",
        "line 3: expected 2 rows of 4 probabilities, found 1",
    ),
    (
        "MEME version 4\nMOTIF x\nletter-probability matrix: w= 1\n.5 .5 .5 .5\n",
        "line 4: the probabilities add up to 2",
    ),
    ("MEME version 4\nletter-probability matrix: w= 1\n1 0 0 0\n", "without a line MOTIF"),
    (
        "MEME version 4\nMOTIF x\nMOTIF y\nletter-probability matrix: w= 1\n1 0 0 0\n",
        "line 2: 'MOTIF x' is without a letter-probability matrix",
    ),
    (
        "MEME version 4\nMOTIF x\nletter-probability matrix: w= 1\n1 0 0 0\nMOTIF y\n",
        "line 5: 'MOTIF y' is without",
    ),
    ("MEME version 4\nMOTIF x\nletter-probability matrix: w= one\n1 0 0 0\n", "w is 'one'; give"),
    (
        "MEME version 4\nALPHABET= ACGT\nBackground letter frequencies\nA .5 C .5\nMOTIF x\n",
        "line 3: the background is 'A .5 C .5'; give",
    ),
    (
        "MEME version 4\nBackground letter frequencies\nA 1 C 1 G 1 T 1\nMOTIF x\n",
        "line 2: the background is",
    ),
    ("<?xml version='1.0'?>\n<MEME>\n", "in a format of MEME's"),
    ("VV TRANSFAC\nXX\n//\n", "the file has no motif with a matrix"),
    (
        "MEME version 4\nMOTIF x\nletter-probability matrix: alength= 20\n1 0 0 0\n",
        r"line 3: expected some rows of 4 probabilities, found 1 rows of \[4\] and alength= 20",
    ),
    ("AC x\nXX\n//\n", "line 1: the motif 'x' has no matrix"),
    ("AC x\n01 1 2 3 4\n//\n", "line 2: a row before the line 'P0'"),
    ("AC x\nP0 A C G T\n01 1 2 3\n//\n", "line 3: expected a number for each of ACGT, found 3"),
    ("AC x\nP0 A C G T\n01 1 2 3 -4\n//\n", "line 3: a number is -4"),
    ("AC x\nP0 A C G T\n01 1 2 3 4\n03 1 2 3 4\n//\n", "line 4: expected row 2 .* found '03'"),
    ("AC x\nP0 A C G N\n01 1 2 3 4\n//\n", "line 1: .*rows 'ACGN'"),
    ("AC x\nP0 A C G T\n01 0 0 0 0\n//\n", "line 1: column 1 of the motif 'x' has no counts"),
    ("P0 A C G T\n01 1 2 3 4\n//\n", "line 1: the motif has no name"),
    ("AC x\nP0 A C G T\n01 1 2 3 4\nP0 A C G T\n01 1 2 3 4\n", "line 4: a second matrix in one"),
    (2 * "ID x\nP0 A C G T\n01 1 2 3 4\n//\n", "line 5: a motif above has the name 'x'"),
    (">x\nA 1\nC -2\nG 1\nT 1\n", "line 3: a number is -2; give numbers of 0 or more"),
    (">x y\nA 1 0\nC 1 0\nG 1 0\nT 1 0\n", "line 1: column 2 of the motif 'x' has no counts"),
    (">x\nA 1\nC 1\nA 2\nG 1\nT 1\n", "line 1: .*rows 'ACAGT'"),
    (">x\n10 0\n0 0\n0 9\n0 1\n", "line 2: expected a letter and its counts, .* found '10 0'"),
    (">GA x 6.1 0 T:9\n0.1\t0.1\t0.7\t0.1\n", "line 2: expected a letter .* a row for each place"),
    (2 * ">x\nA 1\nC 1\nG 1\nT 1\n", "line 6: a motif above has the name 'x', too"),
    (
        "MEME version 4\n" + 2 * "MOTIF x\nletter-probability matrix: w= 1\n1 0 0 0\n",
        "line 5: a motif above has the name 'x', too",
    ),
    *(
        (
            f"MEME version 4\nMOTIF x\nletter-probability matrix: w= 1 nsites= {n}\n1 0 0 0\n",
            f"line 3: nsites is {n}; give the number of sites, or leave nsites out",
        )
        for n in (0, -5)
    ),
]


@pytest.mark.parametrize(("text", "message"), refusals)
def test_broken_files_are_refused(text, message):
    with pytest.raises(SequenceFormatError, match=message):
        read_motifs(io.StringIO(text))


def test_names_that_would_not_come_back_are_refused(tmp_path):
    one, other = random_motifs()[:2]
    other.name = one.name
    with pytest.raises(ParameterError, match="several motifs are named 'm0'"):
        write_motifs([one, other], tmp_path / "x")
    other.name = "two words"
    with pytest.raises(ParameterError, match="a single word"):
        write_motifs(other, tmp_path / "x")
    with pytest.raises(ParameterError, match="several alphabets"):
        write_motifs([one, make_motif(np.ones((4, 1)), "r", "rna")], tmp_path / "x")
    with pytest.raises(ParameterError, match="choose meme or jaspar"):
        write_motifs(one, tmp_path / "x", "pfm")
    assert not (tmp_path / "x").exists()


def test_tables_of_hits(tmp_path):
    motif = make_motif(50 * np.eye(4)[[3, 2, 0, 1, 1]].T, "a=b")
    hits = scan(motif, ["AATGACCAAGGTCATT"], threshold=0.001)
    for kind in ("tsv", "bed", "gff3"):
        write_hits(hits, tmp_path / kind, kind)
    head, first, _ = (tmp_path / "tsv").read_text().splitlines()
    assert head.split("\t")[:10] == [
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
    ]
    assert first.split("\t")[:8] == ["a=b", "", "sequence1", "3", "7", "+", "9.90", "0.000976562"]
    bed = (tmp_path / "bed").read_text().splitlines()
    assert bed[1].split("\t") == ["sequence1", "9", "14", "a=b", "301", "-"]
    gff = (tmp_path / "gff3").read_text().splitlines()
    assert gff[0] == "##gff-version 3"
    assert gff[2].split("\t")[3:8] == ["10", "14", "3.0103", "-", "."]
    assert "Name=a%3Db;" in gff[1]
    with pytest.raises(ParameterError, match="choose one of tsv"):
        write_hits(hits, tmp_path / "x", "csv")


def test_tables_of_hits_have_the_second_name_of_a_motif(tmp_path):
    text = ">MA1 a;b \t c\nA 9 0\nC 0 9\nG 0 0\nT 0 0\n>MA2\nA 0 0\nC 0 0\nG 9 0\nT 0 9\n"
    hits = scan(read_motifs(io.StringIO(text)), ["ACCGT"], threshold=0.1, strands="one")
    assert [(hit.motif, hit.motif_alt) for hit in hits] == [("MA1", "a;b c"), ("MA2", "")]
    for kind in ("tsv", "bed", "gff3"):
        write_hits(hits, tmp_path / kind, kind)
    first, second = (tmp_path / "tsv").read_text().splitlines()[1:]
    assert first.split("\t")[:3] == ["MA1", "a;b c", "sequence1"]
    assert second.split("\t")[:3] == ["MA2", "", "sequence1"]
    first, second = (tmp_path / "gff3").read_text().splitlines()[1:]
    assert "\tName=MA1;Alias=a%3Bb c;pvalue=" in first
    assert "\tName=MA2;pvalue=" in second
    assert [line.split("\t")[3] for line in (tmp_path / "bed").read_text().splitlines()] == [
        "MA1",
        "MA2",
    ]


NAMES = [
    "#c",
    ">x",
    "track",
    "browser1",
    "a%b",
    "a;b",
    "a=b",
    "a&b",
    "a,b",
    'a"b',
    '"a',
    "é€",
    "a|b",
]
ODD = ["a b", "a\tb", "a\nb", " a "]  # which no reader of ours gives


@pytest.mark.parametrize("name", NAMES + ODD)
def test_hits_of_any_name_come_back_or_are_refused(tmp_path, name):
    one = Hit(
        motif=name, sequence=name, start=0, stop=4, strand="+", score=1.5, pvalue=0.01,
        qvalue=0.1, qvalue_all=0.2, matched="ACGT", motif_alt=name,
    )  # fmt: skip
    write_hits([one], tmp_path / "x.tsv", "tsv")
    with (tmp_path / "x.tsv").open(newline="", encoding="utf-8") as stream:
        [row] = csv.DictReader(stream, dialect="excel-tab")
    assert [row[key] for key in ("motif_id", "motif_alt_id", "sequence_name")] == [name] * 3
    write_hits([one], tmp_path / "x.gff3", "gff3")
    [_, line] = (tmp_path / "x.gff3").read_text(encoding="utf-8").splitlines()
    cells = line.split("\t")
    assert re.fullmatch(r"[a-zA-Z0-9.:^*$@!+_?|%-]+", cells[0])
    attributes = dict(pair.split("=") for pair in cells[8].split(";"))
    assert [unquote(text) for text in (cells[0], attributes["Name"], attributes["Alias"])] == (
        [name] * 3
    )
    if name in ODD or name.startswith(("#", "track", "browser")):
        with pytest.raises(
            ParameterError, match=f"bed cannot hold the names {re.escape(repr(name))} and"
        ):
            write_hits([one], tmp_path / "x.bed", "bed")
        assert not (tmp_path / "x.bed").exists()
    else:
        write_hits([one], tmp_path / "x.bed", "bed")
        cells = (tmp_path / "x.bed").read_text(encoding="utf-8").rstrip("\n").split("\t")
        assert (cells[0], cells[3], len(cells)) == (name, name, 6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file_format", ["meme", "jaspar"])
def test_motifs_of_any_name_come_back_from_biopython_too(tmp_path, name, file_format):
    motif = make_motif([[3, 0], [0, 1], [0, 1], [0, 1]], name)
    motif.matrix_id = f"{name} ; # second"
    write_motifs([motif, make_motif([[1], [1], [1], [1]], "other")], tmp_path / "x", file_format)
    ours = read_motifs(tmp_path / "x")
    assert [each.name for each in ours] == [name, "other"]
    assert ours[0].matrix_id == motif.matrix_id
    with (tmp_path / "x").open(encoding="utf-8") as stream:
        theirs = bio_motifs.parse(stream, {"meme": "minimal", "jaspar": "jaspar"}[file_format])
    key = {"meme": "name", "jaspar": "matrix_id"}[file_format]
    assert [getattr(each, key).split()[0] for each in theirs] == [name, "other"]
