"""The commands of the motif detector, from files to files."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from seqbio import MotifDetector, read_fasta
from seqbio.motif import make_motif, read_motifs, write_motifs

SITE = "TGACTCATGC"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("motif")
    generator = np.random.default_rng(0)
    letters = generator.choice(list("ACGT"), (120, 30))
    for row in letters[:60]:
        at = generator.integers(20)
        row[at : at + 10] = list(SITE)
    for name, rows in (("positive.fa", letters[:60]), ("negative.fa", letters[60:])):
        text = "".join(f">{name[:3]}{i}\n{''.join(row)}\n" for i, row in enumerate(rows))
        (folder / name).write_text(text)
    write_motifs(make_motif(50 * np.eye(4)[[3, 2, 0, 1, 3, 1, 0]].T, "site"), folder / "m.meme")
    return folder


def test_train_writes_report_motifs_and_detector(run, files, tmp_path):
    arguments = ("--motifs", 2, "--width", 10, "--epochs", 40, "--seed", 1, "--validation", 0)
    targets = ("--save", tmp_path / "d.json", "--write-motifs", tmp_path / "found.meme")
    result = run(
        *("motif", "train", files / "positive.fa", "--negatives", files / "negative.fa"),
        *(*arguments, *targets, "--known", files / "m.meme"),
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("The detector learned motif1 ")
    # The names of the files are long, so that the line may be cut at any blank.
    assert result.stdout.partition("Training\n  classes ")[2].split()[:2] == ["0", "="]
    assert "site (p = " in result.stdout
    motifs = read_motifs(tmp_path / "found.meme")
    assert [motif.name for motif in motifs] == ["motif1", "motif2"]
    detector = MotifDetector.load(tmp_path / "d.json")
    positive = read_fasta(files / "positive.fa")
    assert detector.predict(positive).mean() > 0.9


def test_a_saved_detector_predicts_and_scans(run, fails, files, tmp_path):
    saved, found, positive = tmp_path / "d.json", tmp_path / "found.meme", files / "positive.fa"
    options = ("--motifs", 1, "--width", 10, "--epochs", 30, "--seed", 1, "--validation", 0)
    run("motif", "train", positive, *options, "--save", saved, "--write-motifs", found)
    detector = MotifDetector.load(saved)
    header, *lines = run("motif", "predict", positive, "--model", saved).stdout.splitlines()
    assert header.split("\t") == ["id", "length", "predicted", "P(0)", "P(1)"]
    expected = detector.predict_proba(read_fasta(positive))
    cells = [line.split("\t") for line in lines]
    assert [row[:2] for row in cells] == [[f"pos{i}", "30"] for i in range(60)]
    assert [row[2] for row in cells] == [str(label) for label in expected.argmax(axis=1)]
    assert np.allclose([[float(p) for p in row[3:]] for row in cells], expected, rtol=1e-5)

    hits = run("motif", "scan", "--model", saved, positive, "--threshold", "1e-5").stdout
    assert hits.count("\n") > 40
    # MEME's format keeps probabilities to six digits, so scores may differ in the last.
    of_file = run("motif", "scan", found, positive, "--threshold", "1e-5").stdout
    places = [[line.split("\t")[:6] for line in text.splitlines()] for text in (hits, of_file)]
    assert places[0] == places[1]

    assert "leave out" in fails(2, "motif", "scan", found, positive, "--model", saved)
    assert "a file of sequences" in fails(2, "motif", "scan", found)
    assert "no such file" in fails(1, "motif", "predict", positive, "--model", tmp_path / "no")
    assert "not a saved motif detector" in fails(1, "motif", "predict", positive, "--model", found)


def test_the_former_name_of_an_option_is_taken_with_a_note(run, files):
    line = ("motif", "train", files / "positive.fa", "--width", 4, "--epochs", 1, "--starts", 2)
    results = [run(*line, name, 1) for name in ("--jobs", "--workers")]
    assert results[0].stdout == results[1].stdout
    assert results[0].stderr == (
        "note: --jobs is called --workers now; the former name will be gone in the next release\n"
    )
    assert results[1].stderr == ""
    assert run(*line, "--jobs=1", "--quiet").stderr == ""
    assert "--jobs" not in run("motif", "train", "--help").stdout
    assert run("motif", "scan", files / "m.meme", files / "positive.fa", "--jobs", 1).exit_code == 2


def test_train_with_a_file_for_each_class_as_json(run, files):
    result = run(
        *("motif", "train", files / "negative.fa", files / "positive.fa", "--pooling", "sum"),
        *("--width", 3, "--json"),
    )
    content = json.loads(result.stdout)
    assert content["command"] == "motif train"
    assert content["n_sequences"] == 120
    assert content["classes"] == [str(files / "negative.fa"), str(files / "positive.fa")]
    [motif] = content["motifs"]
    assert len(motif["consensus"]) == 3
    assert content["settings"]["pooling"] == "sum"


@pytest.mark.parametrize("file_format", ["tsv", "bed", "gff3"])
def test_scan(run, files, file_format):
    result = run(
        *("motif", "scan", files / "m.meme", files / "positive.fa", "--threshold", 1e-4),
        *("--format", file_format, "--background", "sequences"),
    )
    assert result.exit_code == 0, result.output
    lines = [line for line in result.stdout.splitlines() if line.startswith("pos")]
    if file_format == "tsv":
        lines = result.stdout.splitlines()[1:]
    assert len(lines) >= 60


def test_scan_reads_standard_input_and_writes_json(run, files):
    text = (files / "positive.fa").read_bytes()
    result = run("motif", "scan", files / "m.meme", "-", "--json", "--strands", "one", stdin=text)
    content = json.loads(result.stdout)
    assert content["n_windows"] == {"site": 60 * 24}
    assert {hit["strand"] for hit in content["hits"]} == {"+"}
    assert content["background"] == [0.25] * 4


@pytest.mark.parametrize("name", ["motifs_meme", "motifs_jaspar", "jaspar2024"])
def test_motifs_of_a_data_set(run, real_data, files, name):
    real_data("motif/jaspar2024_core.transfac.gz")
    scanned = run("motif", "scan", f"dataset:{name}", files / "positive.fa", "--threshold", 1e-3)
    assert scanned.exit_code == 0, scanned.output
    assert scanned.stdout.count("\n") > 1
    arguments = ("--width", 10, "--epochs", 20, "--motifs", 1, "--seed", 1)
    named = run("motif", "train", files / "positive.fa", *arguments, "--known", f"dataset:{name}")
    assert named.exit_code == 0, named.output


def test_scan_gives_the_second_name_of_a_motif(run, write, files):
    known = write("two.jaspar", ">M1 JUN\nA 0 0 9\nC 0 0 0\nG 0 9 0\nT 9 0 0\n")
    arguments = ("motif", "scan", known, files / "positive.fa", "--threshold", 0.05)
    assert run(*arguments).stdout.splitlines()[1].startswith("M1\tJUN\tpos")
    hits = json.loads(run(*arguments, "--json").stdout)["hits"]
    assert {(hit["motif"], hit["motif_alt"]) for hit in hits} == {("M1", "JUN")}


def test_scan_warns_of_ids_that_repeat(run, write, files):
    text = f">x\n{SITE}\n>y\n{SITE}\n>x\n{SITE}\n"
    result = run("motif", "scan", files / "m.meme", write("x.fa", text))
    assert result.stdout.count("\tx\t") == 2
    [line] = result.stderr.splitlines()
    assert line.startswith("warning: ")
    assert "x.fa: these ids belong to several records each: 'x'; give every record" in line


def test_without_validation_there_is_no_validation_loss(run, files):
    arguments = ("motif", "train", files / "positive.fa", "--width", 3, "--epochs", 2)
    assert ", validation loss " in run(*arguments).stdout
    text = run(*arguments, "--validation", 0).stdout
    assert "  epochs                 2: training loss " in text
    assert "validation" not in text
    assert "nan" not in text


def test_shuffle(run, files):
    result = run("motif", "shuffle", files / "positive.fa", "--copies", 2, "--seed", 1)
    assert result.exit_code == 0
    assert result.stdout.count(">") == 120
    assert result.stdout.startswith(">pos0_shuffled1\n")
    again = run("motif", "shuffle", files / "positive.fa", "--copies", 2, "--seed", 1, "--json")
    content = json.loads(again.stdout)
    assert content["sequences"][0]["sequence"] in result.stdout.replace("\n", "")
    unseeded = run("motif", "shuffle", files / "positive.fa")
    assert "repeat this run with --seed" in unseeded.stderr


def test_the_seed_of_what_failed_is_of_no_use(fails, write):
    assert "is a gap" in fails(1, "motif", "shuffle", write("x.fa", ">x\nAC-T\n"))


def test_what_two_fits_warn_of_is_told_once(run, write):
    letters = "".join(f">x{i}\n{'ACGTTGCATCAGG'[i:]}{'ACGTTGCATCAGG'[:i]}\n" for i in range(12))
    result = run("motif", "test", write("x.fa", f"{letters}>y\n{13 * 'A'}\n"), "--splits", 1)
    assert result.stderr.count("only one arrangement has the dinucleotides of 'y'") == 1


def test_test_as_table_and_json(run, files):
    arguments = (
        *("motif", "test", files / "positive.fa", "--negatives", files / "negative.fa"),
        *("--null", "position,strand", "--alternative", "position", "--width", 2),
    )
    table = run(*arguments)
    assert table.exit_code == 0, table.output
    content = json.loads(run(*arguments, "--json").stdout)
    assert " ".join(table.stdout.split()).startswith(content["conclusion"])
    assert "Settings\n  classes  0 = " in table.stdout
    assert "cut around a feature" in " ".join(table.stdout.split())
    assert content["command"] == "motif test"
    assert content["settings"]["readout"] == "unit"
    assert content["df"] > 0


def test_a_test_with_too_many_parameters_is_split(run):
    result = run(
        *("motif", "test", "dataset:simulated_fixed_motif", "--null", "position"),
        *("--alternative", "none", "--width", 1, "--splits", 1, "--json"),
    )
    content = json.loads(result.stdout)
    assert content["calibration"] == "split"
    assert content["pvalue"] < 1e-10
    assert "(p <= " in content["conclusion"]
    assert re.search(r"Used because .*coefficients for .* sequences", content["null_law"])


def test_against_shuffles_a_test_pools_in_a_way_that_can_find_something(run, files):
    arguments = ("motif", "test", files / "positive.fa", "--width", 4, "--splits", 1)
    table = run(*arguments)
    assert table.exit_code == 0, table.output
    assert "pooling  logsumexp" in table.stdout
    content = json.loads(run(*arguments, "--json").stdout)
    assert content["settings"]["pooling"] == "logsumexp"
    assert content["calibration"] == "turn"
    ties = ("--null", "position", "--alternative", "none")
    content = json.loads(run(*arguments, *ties, "--json").stdout)
    assert content["settings"]["pooling"] == "sum"


refusals = [
    (2, ("--null", "position", "--alternative", "position"), "it must tie all"),
    (2, ("--pooling", "mean"), "--pooling: 'mean' is unknown"),
    (2, ("--null", "strnd"), "did you mean 'strand'"),
    (2, ("--calibration", "magic"), "--calibration"),
    (2, ("--pooling", "sum"), "the composition counts, which the shuffles share"),
]


@pytest.mark.parametrize(("status", "arguments", "message"), refusals)
def test_refusals_of_test(fails, files, status, arguments, message):
    assert message in fails(status, "motif", "test", files / "positive.fa", *arguments)


def test_a_test_of_position_needs_one_length(fails, write):
    uneven = write("uneven.fa", ">a\nACGTTGCATA\n>b\nACGGATTACAT\n")
    ties = ("--null", "position", "--alternative", "none")
    line = fails(2, "motif", "test", uneven, "--width", 3, *ties)
    assert "the sequence at index 1 has 11 letters and the first has 10" in line


def test_refusals_name_file_and_place(fails, files, tmp_path):
    (tmp_path / "bad.fa").write_text(">x\nACGJ\n")
    line = fails(1, "motif", "scan", files / "m.meme", tmp_path / "bad.fa")
    assert "bad.fa, record 'x', line 2: position 4 is 'J'" in line
    line = fails(1, "motif", "scan", tmp_path / "bad.fa", files / "positive.fa")
    assert "bad.fa" in line
    line = fails(1, "motif", "train", files / "positive.fa", "--width", 31)
    assert "fewer than the width of 31" in line
    line = fails(2, "motif", "train", files / "positive.fa", "--logo", tmp_path / "x.bmp")
    assert "does not end in .png, .pdf, .svg" in line
    (tmp_path / "one.fa").write_text(">x\nACGTTGCATCAGGATACC\n")
    one = tmp_path / "one.fa"
    line = fails(1, "motif", "train", one, "--negatives", one, "--width", 2)
    assert "too few items for a validation split" in line
    for text, message in (
        (">x\nA 1\nC -2\nG 1\nT 1\n", "line 3: a number is -2"),
        ("MEME version 4\nMOTIF x\nletter-probability matrix: nsites= 0\n1 0 0 0\n", "line 3"),
    ):
        (tmp_path / "m.txt").write_text(text)
        line = fails(1, "motif", "scan", tmp_path / "m.txt", files / "positive.fa")
        assert f"m.txt, {message}" in line
    for number in ("inf", "nan", "-1"):
        arguments = (files / "m.meme", files / "positive.fa", "--pseudocount", number)
        line = fails(2, "motif", "scan", *arguments)
        assert "give a finite number of 0 or more" in line
    two = (files / "positive.fa", files / "negative.fa")
    assert "--negatives" in fails(2, "motif", "train", *two, "--negatives", two[0])


def test_letters_of_another_alphabet_are_told(run, files):
    options = ("--alphabet", "protein", "--width", "3", "--motifs", "1", "--epochs", "2", "--quiet")
    result = run("motif", "train", files / "positive.fa", *options)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("the letters are those of DNA; if that is what they are") == 1
