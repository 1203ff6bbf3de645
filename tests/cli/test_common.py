"""Reading, writing and the values of options."""

import errno
import json
import os

import pytest

from seqbio import datasets
from seqbio.cli import common
from seqbio.errors import ParameterError, SeqbioError

READING = {"alphabet": None, "pairing": None, "pair": None, "strip_gaps": False}
TWO = ">a\nACGT\n>b\nACG\n"


def ids(file, second=None, **options):
    pairs, _ = common.read_pairs(str(file), second and str(second), **(READING | options))
    return [(x.id, y.id) for x, y in pairs]


def test_names_are_matched_without_case_and_explained():
    assert common.chosen("--format", "SAM", ["sam", "psl"]) == "sam"
    with pytest.raises(ParameterError, match=r"'sma' is unknown \(did you mean 'sam'\?\); choose"):
        common.chosen("--format", "sma", ["sam", "psl"])
    with pytest.raises(ParameterError, match="'vcf' is unknown; choose from sam, psl"):
        common.chosen("--format", "vcf", ["sam", "psl"])


def test_tie_names_that_are_like_none_are_left_to_the_model():
    ties = ["open", "extend"]
    assert common.tie_names("--tie", " open, Extend", ties) == ("open", "extend")
    assert common.tie_names("--tie", "None", ties) == ()
    assert common.tie_names("--tie", "zzz", ties) == ("zzz",)
    with pytest.raises(ParameterError, match="did you mean 'extend'"):
        common.tie_names("--tie", "open,extnd", ties)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["open_x"], "'open_x' is no assignment; write NAME=NUMBER"),
        (["=1"], "'=1' is no assignment"),
        (["open_x=a"], "'a' is no number"),
        (["open_x=1", "open_x=1"], "'open_x' is given twice"),
    ],
)
def test_assignments_that_are_none(values, message):
    with pytest.raises(ParameterError, match=f"--set: {message}"):
        common.assignments("--set", values)


def test_the_pairing_follows_the_options(write):
    file = write("four.fa", TWO + ">c\nAC\n>d\nA\n")
    assert ids(file) == [("a", "b"), ("c", "d")]
    assert ids(file, pairing="first-vs-rest") == [("a", "b"), ("a", "c"), ("a", "d")]
    assert ids(file, pair=["d,a", " b , a "]) == [("d", "a"), ("b", "a")]
    second = write("other.fa.gz", ">b\nA\n>c\nA\n>d\nA\n>a\nA\n")
    assert ids(file, second)[0] == ("a", "b")
    assert ids(file, second, pairing="by-id")[0] == ("a", "a")


@pytest.mark.parametrize(
    ("second", "options", "message"),
    [
        (None, {"pair": ["a"]}, "'a' is no pair; write two ids with a comma between"),
        (None, {"pair": ["a,"]}, "is no pair"),
        (None, {"pair": ["a,b"], "pairing": "consecutive"}, "leave out --pairing, or --pair"),
        ("x", {"pair": ["a,b"]}, "leave out a second file, or --pair"),
        (
            None,
            {"pairing": "by-id"},
            "with one file choose consecutive or first-vs-rest, not by-id",
        ),
        ("x", {"pairing": "consecutive"}, "with two files choose by-order or by-id"),
        (None, {"pairing": "by-idd"}, "did you mean 'by-id'"),
        (None, {"alphabet": "dnaa"}, r"--alphabet: 'dnaa' is unknown \(did you mean 'dna'"),
    ],
)
def test_options_that_do_not_go_together(write, second, options, message):
    with pytest.raises(ParameterError, match=message):
        ids(write("two.fa", TWO), second, **options)


def test_a_data_set_stands_for_its_file():
    assert ids("dataset:brca1", pair=["Human,Mouse"]) == [("Human", "Mouse")]


def test_a_data_set_of_relatives_needs_a_choice():
    with pytest.raises(ParameterError, match="choose with --pair FlyingFox,DogFaced"):
        ids("dataset:brca1")


def test_an_unknown_data_set_suggests_the_nearest():
    with pytest.raises(SeqbioError, match="nearest names are 'brca1'"):
        ids("dataset:brac1")


def test_a_data_set_that_is_like_no_other_lists_those_at_hand():
    with pytest.raises(SeqbioError, match=r"'nope'; at hand are brca1, .*simulated_reads"):
        ids("dataset:nope")


def test_a_data_set_named_like_a_file_is_pointed_out(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SeqbioError, match="the data set of that name is dataset:brca1"):
        ids("brca1")
    (tmp_path / "brca1").write_text(TWO)
    assert ids("brca1") == [("a", "b")]


def test_a_data_set_brings_its_alphabet_and_pairing(monkeypatch, write):
    file = write("proteins.fa", ">a\nMKV\n>b\nMKL\n>c\nMWL\n")
    about = datasets.Dataset(
        "known", "f", "0", "d", "l", "s", alphabet="protein", pairing="first-vs-rest"
    )
    monkeypatch.setattr(datasets, "describe", lambda name: about)
    monkeypatch.setattr(datasets, "path", lambda name: file)
    pairs, alphabet = common.read_pairs("dataset:known", None, **READING)
    assert alphabet == "protein"
    assert [(x.id, y.id) for x, y in pairs] == [("a", "b"), ("a", "c")]
    assert ids("dataset:known", pair=["b,c"]) == [("b", "c")]
    with pytest.raises(SeqbioError, match="not in the dna alphabet"):
        ids("dataset:known", alphabet="dna")


def test_json_has_no_number_that_json_has_not():
    text = common.as_json("x y", {"a": float("nan"), "b": (1.5, float("-inf")), "c": {"d": 0.1}})
    content = json.loads(text, parse_constant=pytest.fail)
    assert list(content)[2:] == ["command", "a", "b", "c"]
    assert (content["a"], content["b"], content["c"]) == (None, [1.5, None], {"d": 0.1})


def test_text_goes_out_with_one_line_end(tmp_path, capsys):
    common.write_text("one", "-")
    common.write_text("two\n", "-")
    assert capsys.readouterr().out == "one\ntwo\n"
    common.write_text("three", str(tmp_path / "x"))
    assert (tmp_path / "x").read_text() == "three\n"


def test_what_cannot_be_written_is_refused_early(tmp_path):
    common.check_files([], {"output": "-", "save": None, "report": str(tmp_path / "new.txt")})
    with pytest.raises(SeqbioError, match="nowhere; create it first"):
        common.check_files([], {"output": str(tmp_path / "nowhere" / "x")})
    with pytest.raises(IsADirectoryError):
        common.check_files([], {"output": str(tmp_path)})


def test_a_protected_folder_is_refused_early(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(PermissionError) as caught:
        common.check_files([], {"output": str(tmp_path / "x")})
    assert (caught.value.errno, caught.value.filename) == (errno.EACCES, str(tmp_path / "x"))


@pytest.fixture
def names(tmp_path, monkeypatch):
    """Go to a folder with a file and other names of it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.fa").write_text(TWO)
    (tmp_path / "link").symlink_to("x.fa")
    (tmp_path / "same").hardlink_to("x.fa")
    (tmp_path / "folder").symlink_to(".")
    return tmp_path


@pytest.mark.parametrize("other", ["x.fa", "./x.fa", "link", "same", "folder/x.fa"])
def test_two_names_of_one_file_are_refused(names, other):
    with pytest.raises(ParameterError, match=rf"^--save: {other} is read, too; name another file"):
        common.check_files(["x.fa", None], {"output": "-", "save": other})
    written = {"output": "x.fa", "write_motifs": other}
    with pytest.raises(ParameterError, match=f"--write-motifs: {other} is written for --output"):
        common.check_files(["y.fa"], written)


def test_names_of_one_file_that_is_not_there_yet_are_refused(names):
    with pytest.raises(ParameterError, match="--save: folder/new is written for --output, too"):
        common.check_files([], {"output": "new", "save": "folder/new"})
    common.check_files([], {"output": "new", "save": "newer"})


def test_standard_output_takes_one_result(names):
    for save in ("-", "/dev/stdout", "/dev/fd/1"):
        with pytest.raises(ParameterError, match=f"--save: {save} is written for --output, too"):
            common.check_files(["-"], {"output": "-", "save": save})


def test_what_forgets_takes_any_number(names):
    common.check_files(["/dev/null"], dict.fromkeys(["output", "save", "report"], "/dev/null"))


def test_a_new_seed_is_reported_after_the_work_unless_quiet(capsys):
    with common.seeded(None, quiet=False) as seed:
        assert capsys.readouterr().err == ""
    said = f"note: the seed is {seed}; repeat this run with --seed {seed}\n"
    assert capsys.readouterr().err == said
    with common.seeded(None, quiet=True) as other, common.seeded(7, quiet=False) as given:
        assert (given, other != seed) == (7, True)
    with pytest.raises(ParameterError), common.seeded(None, quiet=False):
        raise ParameterError("no")
    assert capsys.readouterr().err == ""
