"""Alignments in all formats, read back by Biopython."""

import csv
import io
import re

import numpy as np
import pytest
from Bio import Align, AlignIO
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord

import seqbio
from seqbio import PairHMM
from seqbio.cli.alignment_files import ALIGNMENT_FORMATS, write_alignments
from seqbio.errors import SeqbioError
from seqbio.pairhmm.accuracy import Confidence
from seqbio.pairhmm.alignments import annotate

WITH_LETTERS = ["a2m", "clustal", "fasta", "maf", "nexus", "phylip", "stockholm"]
WITHOUT_LETTERS = ["exonerate"]  # which tells where both sequences begin
BLOCKS = ["bed", "chain", "psl", "sam"]


def written(alignments, file_format, alphabet="dna"):
    stream = io.StringIO()
    write_alignments(alignments, stream, file_format, alphabet)
    return stream.getvalue()


def aligned(x, y, ids=("x", "y")):
    """Return an alignment of two rows with gaps."""
    sequences, coordinates = Align.Alignment.parse_printed_alignment([x.encode(), y.encode()])
    records = [SeqRecord(Seq(s), id=i, description=i) for s, i in zip(sequences, ids, strict=True)]
    alignment = Align.Alignment(records, coordinates)
    alignment.score = -10.5
    annotate(alignment, Confidence(np.linspace(0.5, 1.0, len(x)), 0.7564))
    return alignment


@pytest.fixture(scope="module")
def alignments():
    hmm = PairHMM(switch="untied").set_parameters(
        {"open_x": 0.1, "open_y": 0.1, "extend_x": 0.6, "extend_y": 0.5, "switch_x": 0.3}
        | {"switch_y": 0.3, "end": 0.02, "distance": 0.1, "kappa": 2.0}
    )
    return hmm.assess(hmm.align(hmm.simulate(20, columns=80, seed=5)))


def test_all_formats_are_tested_here():
    of_biopython = sorted(WITH_LETTERS + WITHOUT_LETTERS + BLOCKS)
    assert sorted(ALIGNMENT_FORMATS) == sorted([*of_biopython, "tsv"])
    assert set(of_biopython) <= set(Align.formats)


@pytest.mark.parametrize("file_format", WITH_LETTERS)
def test_rows_come_back(alignments, file_format):
    for alignment in alignments:
        back = next(Align.parse(io.StringIO(written([alignment], file_format)), file_format))
        assert [str(row) for row in back] == [str(row) for row in alignment]
        assert [record.id for record in back.sequences] == [
            record.id for record in alignment.sequences
        ]


@pytest.mark.parametrize("file_format", WITHOUT_LETTERS)
def test_coordinates_come_back(alignments, file_format):
    back = list(Align.parse(io.StringIO(written(alignments, file_format)), file_format))
    assert len(back) == len(alignments)
    for one, other in zip(back, alignments, strict=True):
        assert one.coordinates.tolist() == other.coordinates.tolist()


@pytest.mark.parametrize("file_format", BLOCKS)
def test_aligned_blocks_come_back(alignments, file_format):
    def blocks(alignment):
        return [] if file_format == "bed" else alignment.aligned.tolist()

    back = list(Align.parse(io.StringIO(written(alignments, file_format)), file_format))
    assert len(back) == len(alignments)
    for one, other in zip(back, alignments, strict=True):
        assert one.target.id == other.target.id
        assert one.aligned[0].tolist() == other.aligned[0].tolist()
        assert blocks(one) == blocks(other)


@pytest.mark.parametrize(
    ("file_format", "lines"),
    [
        ("bed", ["x\t2\t4\ty\t756\t+\t2\t4\t0\t1\t2,\t0,"]),
        ("chain", ["chain -10.5 x 5 + 2 4 y 2 + 0 2", "2", "", ""]),
    ],
)
def test_blocks_begin_where_letters_are_aligned(file_format, lines):
    assert written([aligned("ACGTA", "--GT-")], file_format).split("\n")[: len(lines)] == lines


@pytest.mark.parametrize("file_format", ["clustal", "maf", "phylip", "stockholm"])
def test_several_alignments_come_back(alignments, file_format):
    text = written(alignments, file_format)
    back = list(AlignIO.parse(io.StringIO(text), file_format))
    assert [[str(record.seq) for record in each] for each in back] == [
        [str(row) for row in alignment] for alignment in alignments
    ]


def test_clustal_is_known_by_the_first_word_of_its_header(alignments):
    text = written(alignments[:2], "clustal")
    header = f"CLUSTAL by seqbio {seqbio.__version__} multiple sequence alignment"
    lines = text.split("\n")
    assert lines[:3] == [header, "", ""]
    assert lines.count(header) == 2
    parsed = Align.parse(io.StringIO(text), "clustal")
    assert parsed.metadata == {"Program": "CLUSTAL", "Version": seqbio.__version__}


def test_stockholm_has_the_confidence_of_columns(alignments):
    text = written(alignments, "stockholm")
    for one, other in zip(Align.parse(io.StringIO(text), "stockholm"), alignments, strict=True):
        line = one.column_annotations["consensus posterior probability"]
        assert len(line) == other.shape[1]
        for character, probability in zip(line, other.confidence, strict=True):
            low = 0.95 if character == "*" else max(int(character) / 10 - 0.05, 0)
            high = 1.0 if character == "*" else int(character) / 10 + 0.05
            assert low - 1e-12 <= probability <= high + 1e-12
        assert one.annotations == {"comment": f"expected accuracy {other.expected_accuracy:.4f}"}
    again = AlignIO.parse(io.StringIO(text), "stockholm")
    for one, other in zip(again, alignments, strict=True):
        assert (
            one.column_annotations["posterior_probability"]
            == other.column_annotations["consensus posterior probability"]
        )


def test_tsv_has_a_line_for_each_column():
    text = written([aligned("AC-T", "A-GT"), aligned("A", "A", ids=("u", "v"))], "tsv")
    assert [line.split("\t") for line in text.splitlines()] == [
        ["alignment", "x", "y", "x_position", "x_letter", "y_position", "y_letter", "confidence"],
        ["1", "x", "y", "1", "A", "1", "A", "0.5"],
        ["1", "x", "y", "2", "C", "", "-", "0.666667"],
        ["1", "x", "y", "", "-", "2", "G", "0.833333"],
        ["1", "x", "y", "3", "T", "3", "T", "1"],
        ["2", "u", "v", "1", "A", "1", "A", "0.5"],
    ]


def test_bed_scores_are_whole_numbers_of_at_most_1000(alignments):
    lines = written(alignments, "bed").splitlines()
    scores = [int(line.split("\t")[4]) for line in lines]
    assert scores == [round(1000 * alignment.expected_accuracy) for alignment in alignments]


def test_fasta_is_one_record_after_the_other():
    assert written([aligned("AC-T", "ACGT"), aligned("A", "A")], "fasta") == (
        ">x\nAC-T\n>y\nACGT\n>x\nA\n>y\nA\n"
    )


def test_descriptions_do_not_repeat_the_id():
    alignment = aligned("ACT", "ACT")
    alignment.sequences[0].description = "x of Human"
    assert written([alignment], "fasta") == ">x of Human\nACT\n>y\nACT\n"


def test_a2m_has_insertions_into_x_in_lower_case():
    assert written([aligned("AC-TT", "ACGT-")], "a2m") == ">x\nAC.TT\n>y\nACgT-\n"


def test_sam_names_every_reference_once():
    alignments = [aligned("AC-TT", "ACGTT"), aligned("ACTT", "AC-T", ids=("x", "z"))]
    lines = written(alignments, "sam").splitlines()
    assert lines[:2] == ["@HD\tVN:1.6", "@SQ\tSN:x\tLN:4"]
    assert [line.split("\t")[5] for line in lines[2:]] == ["2M1I2M", "2M1D1M"]


@pytest.mark.parametrize(
    ("x", "y", "position", "cigar"),
    [
        ("ACGTT", "--GTT", "3", "3M"),
        ("ACGTT", "ACG--", "1", "3M"),
        ("--GTT", "ACGTT", "1", "2S3M"),
        ("ACG--", "ACGTT", "1", "3M2S"),
        ("AC--GTAA-", "--GGG-AAT", "3", "2S1M1D2M1S"),
    ],
)
def test_sam_has_no_gaps_at_the_ends(x, y, position, cigar):
    fields = written([aligned(x, y)], "sam").splitlines()[-1].split("\t")
    assert (fields[3], fields[5], fields[9]) == (position, cigar, y.replace("-", ""))


def test_sam_refuses_two_references_of_one_name():
    with pytest.raises(SeqbioError, match="different sequences x have the id 'x'"):
        written([aligned("AC", "AC"), aligned("AT", "AC")], "sam")


@pytest.mark.parametrize("file_format", ["a2m", "nexus"])
def test_formats_of_one_alignment_refuse_several(file_format):
    with pytest.raises(SeqbioError, match=r"holds one alignment and there are 2; .*--pair.*maf"):
        written([aligned("AC", "AC")] * 2, file_format)


NAMES = [
    *("#c", ">x", "track", "browser", "a%b", "a;b", "a=b", "a&b", "a,b", 'a"b', '"ab', "a'b", "é€"),
    *(
        "//",
        "@HD",
        "*",
        "=x",
        "a|b",
        "[ab]",
        "(a)",
        "a:b",
        "a/1-4",
        "#=GC",
        "a\\b",
        "CLUSTAL",
        "NA",
    ),
    "x" * 47,
]
REFUSED = {
    "bed": {"#c", "track", "browser", "#=GC"},
    "clustal": {"CLUSTAL"},
    "phylip": {"a;b", "a,b", "[ab]", "(a)", "a:b", "x" * 47},
    "sam": {">x", "a,b", 'a"b', '"ab', "a'b", "é€", "@HD", "*", "=x", "[ab]", "(a)", "a\\b"},
    "stockholm": {"#c", "//", "#=GC"},
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("file_format", ALIGNMENT_FORMATS)
def test_names_come_back_whole_or_are_refused(file_format, name):
    alignment = aligned("AC-GTACC", "ACTGTA-C", ids=(name, "other"))
    if name in REFUSED.get(file_format, ()):
        message = f"{file_format} cannot hold the id {re.escape(repr(name))}: .* another format: "
        with pytest.raises(SeqbioError, match=message):
            written([alignment], file_format)
        return
    stream = io.StringIO(written([alignment], file_format))
    if file_format == "tsv":
        _, *rows = csv.reader(stream, "excel-tab")
        assert [row[1:3] for row in rows] == [[name, "other"]] * 8
        return
    [back] = Align.parse(stream, file_format)
    assert (back.target.id, back.query.id) == (name, "other")


@pytest.mark.parametrize("file_format", REFUSED)
def test_names_are_refused_before_the_work(fails, write, file_format):
    name = min(REFUSED[file_format])
    file = write("names.fa", f">{name}\nACGTA\n>other\nACGTT\n")
    message = fails(1, "pairhmm", "align", file, "--model", write("m.json", ""), "--format", "tsv")
    assert "m.json is not a saved pair HMM" in message  # which comes first
    message = fails(1, "pairhmm", "align", file, "--format", file_format, "--gap-lengths", "2")
    assert f"{file_format} cannot hold the id {name!r}" in message


def test_the_default_format_has_whole_ids(run, write, model_file):
    ids = ["x" * 47 + end for end in "ab"]
    file = write("long.fa", "".join(f">{name}\nACGTACGT\n" for name in ids))
    result = run("pairhmm", "align", file, "--model", model_file)
    assert [line.split() for line in result.stdout.splitlines()[3:5]] == [
        [name, "ACGTACGT"] for name in ids
    ]


def test_two_rows_of_one_name_are_refused_where_names_tell_rows_apart():
    alignment = aligned("AC", "AC", ids=("x", "x"))
    for file_format in ("nexus", "phylip", "stockholm"):
        with pytest.raises(SeqbioError, match=r"both records of a pair are called 'x'.*clustal"):
            written([alignment], file_format)
    back = next(Align.parse(io.StringIO(written([alignment], "clustal")), "clustal"))
    assert [str(row) for row in back] == ["AC", "AC"]


@pytest.mark.parametrize("file_format", BLOCKS)
def test_formats_of_blocks_refuse_an_alignment_without_any(file_format):
    with pytest.raises(SeqbioError, match=r"'x' and 'y' no letters stand opposite each other"):
        written([aligned("AC--", "--AC")], file_format)


@pytest.mark.parametrize(("alphabet", "letters"), [("rna", "ACGU"), ("protein", "MKVL")])
@pytest.mark.parametrize("file_format", ALIGNMENT_FORMATS)
def test_every_format_takes_every_alphabet(file_format, alphabet, letters):
    text = written([aligned(letters, letters)], file_format, alphabet)
    assert (alphabet in text) is (file_format == "nexus")
