"""The commands of the pair HMM, on small files and on the data that come with the package."""

import json
from io import StringIO

import pytest
from Bio import AlignIO

from seqbio import PairHMM, compare, read_fasta, read_pairs
from seqbio.cli import pairhmm as commands
from seqbio.core import spawn_generators
from seqbio.errors import ConvergenceError
from seqbio.pairhmm.cost import Cost

SETTINGS = [f"--set={name}={value}" for name, value in (
    ("open_x", 0.03), ("open_y", 0.05), ("extend_x", 0.4), ("extend_y", 0.5), ("end", 0.01)
)]  # fmt: skip


def content_of(result):
    assert result.exit_code == 0, result.output
    content = json.loads(result.stdout, parse_constant=pytest.fail)
    assert list(content)[:3] == ["seqbio_version", "schema_version", "command"]
    return content


# -- fit ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fitted(pairs_file):
    return PairHMM(tie=()).fit(read_pairs(pairs_file))


def test_fit_gives_what_the_library_gives(run, pairs_file, fitted):
    content = content_of(run("pairhmm", "fit", pairs_file, "--tie", "none", "--json"))
    assert content["command"] == "pairhmm fit"
    assert content["files"] == [str(pairs_file)]
    assert content["n_pairs"] == 4
    assert content["log_likelihood"] == fitted.log_likelihood_
    assert content["n_free_parameters"] == fitted.n_free_parameters_
    assert content["converged"] is True
    assert content["settings"]["tie"] == []
    assert content["seed"] == 0
    intervals = fitted.confidence_intervals()
    assert content["interval_method"] == "wald"
    for name, value in fitted.parameters_.items():
        lower, upper = intervals.get(name, (None, None))
        assert content["parameters"][name] == {"estimate": value, "lower": lower, "upper": upper}


def test_fit_prints_a_table(run, pairs_file, fitted):
    result = run("pairhmm", "fit", pairs_file, "--tie", "none")
    assert result.stderr == ""
    rows = {line[2:].split("  ")[0]: line.split() for line in result.stdout.splitlines()}
    assert rows["log-likelihood (nats)"][-1] == f"{fitted.log_likelihood_:.6f}"
    assert rows["ties"][-1] == "none"
    lower, upper = fitted.confidence_intervals()["open_x"]
    value = fitted.parameters_["open_x"]
    assert rows["open_x"] == ["open_x", f"{value:.4g}", f"{lower:.4g}", f"{upper:.4g}"]
    assert rows["frequency_A"][-2:] == ["not", "estimated"]
    assert "95 % Wald intervals" in result.stdout


def test_fit_takes_all_model_options(run, pairs_file, tmp_path):
    result = run(
        *("pairhmm", "fit", pairs_file, "--tie", "open", "--substitution", "JC69"),
        *("--switch", "tied", "--end", "untied", "--starts", 2, "--seed", 5),
        *("--gap-lengths", "2", "--ends", "free_x"),
        *("--intervals", "none", "--json", "--output", tmp_path / "fit.json"),
    )
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    content = json.loads((tmp_path / "fit.json").read_text())
    assert content["settings"] == {
        "alphabet": "dna",
        "substitution": "jc69",
        "frequencies": None,
        "tie": ["open"],
        "switch": "tied",
        "end": "untied",
        "gap_lengths": 2,
        "ends": "free_x",
        "reference": None,
        "n_starts": 2,
    }
    assert content["seed"] == 5
    assert len(content["optima"]) == 2
    assert content["interval_method"] is None
    assert content["parameters"]["open_x"]["lower"] is None


def test_fit_without_intervals_prints_estimates_alone(run, pairs_file):
    text = run("pairhmm", "fit", pairs_file, "--intervals", "none", "--starts", 2).stdout
    assert "Parameters\n" in text
    assert "best of 2 starts" in " ".join(text.split())
    assert " from " not in text


def test_fit_takes_given_frequencies_and_saves_them(run, pairs_file, tmp_path):
    saved = tmp_path / "model.json"
    options = ("--frequencies", "0.3,0.2,0.2,0.3", "--intervals", "none", "--save", saved)
    content = content_of(run("pairhmm", "fit", pairs_file, *options, "--json"))
    hmm = PairHMM.load(saved)
    assert hmm.parameters_["frequency_A"] == pytest.approx(0.3)
    assert hmm.parameters_ == {name: row["estimate"] for name, row in content["parameters"].items()}


def test_fit_says_what_is_at_its_boundary(run, write):
    gapless = write("gapless.fa", ">a\nACGTACGTAA\n>b\nACCTACGTTA\n")
    text = run("pairhmm", "fit", gapless, "--intervals", "none").stdout
    assert "estimated as 0" in text


def test_fit_warns_where_there_are_no_intervals(run, pairs_file, monkeypatch):
    def refuse(*_, **__):
        raise ConvergenceError("the matrix is flat")

    monkeypatch.setattr(PairHMM, "confidence_intervals", refuse)
    result = run("pairhmm", "fit", pairs_file)
    assert result.exit_code == 0
    assert result.stderr == "warning: there are no intervals: the matrix is flat\n"
    assert "open_x" in result.stdout


def test_fit_warns_when_it_did_not_converge(run, pairs_file, monkeypatch):
    monkeypatch.setattr(PairHMM, "converged_", False)
    result = run("pairhmm", "fit", pairs_file, "--intervals", "none")
    assert result.exit_code == 0
    assert result.stderr.startswith("warning: the fit did not converge: ")


def test_profile_intervals_are_those_of_the_library(run, pairs_file, monkeypatch):
    def intervals(self, *, level, method, on_done):
        assert (level, method) == (0.95, "profile")
        on_done(0, 1)
        return {"open_x": (0.001, float("inf"))}

    monkeypatch.setattr(PairHMM, "confidence_intervals", intervals)
    options = ("pairhmm", "fit", pairs_file, "--intervals", "profile")
    assert "95 % profile likelihood intervals" in run(*options).stdout
    row = content_of(run(*options, "--json"))["parameters"]["open_x"]
    assert (row["lower"], row["upper"]) == (0.001, None)


def test_standard_input_and_gzip_are_read_alike(run, pairs_file, write):
    options = ("--intervals", "none", "--json")
    from_file = content_of(run("pairhmm", "fit", pairs_file, *options))
    data = pairs_file.read_bytes()
    piped = content_of(run("pairhmm", "fit", "-", *options, stdin=data))
    packed = content_of(run("pairhmm", "fit", write("pairs.fa.gz", data), *options))
    assert from_file["parameters"] == piped["parameters"] == packed["parameters"]


# -- align -------------------------------------------------------------------------------------


def rows_of(alignments):
    return [[str(row) for row in alignment] for alignment in alignments]


def test_align_writes_what_the_library_aligns(run, pairs_file, model_file, model):
    expected = rows_of(model.align(read_pairs(pairs_file)))
    result = run("pairhmm", "align", pairs_file, "--model", model_file)
    assert (result.exit_code, result.stderr) == (0, "")
    back = AlignIO.parse(StringIO(result.stdout), "clustal")
    assert [[str(record.seq) for record in alignment] for alignment in back] == expected
    content = content_of(run("pairhmm", "align", pairs_file, "--model", model_file, "--json"))
    assert [
        [each["x"]["aligned"], each["y"]["aligned"]] for each in content["alignments"]
    ] == expected
    assert [each["x"]["id"] for each in content["alignments"]] == [
        f"pair{n}/x" for n in range(1, 5)
    ]
    assert [each["score"] for each in content["alignments"]] == [
        alignment.score for alignment in model.align(read_pairs(pairs_file))
    ]
    assert content["parameters"] == model.parameters_


@pytest.mark.parametrize("gap_factor", [None, 0.0])
def test_align_writes_the_most_accurate_alignments(run, pairs_file, model_file, model, gap_factor):
    options = [] if gap_factor is None else ["--gap-factor", gap_factor]
    options += ["--model", model_file, "--method", "mea"]
    factor = 1.0 if gap_factor is None else gap_factor
    expected = model.align(read_pairs(pairs_file), method="mea", gap_factor=factor)
    result = run("pairhmm", "align", pairs_file, *options)
    back = AlignIO.parse(StringIO(result.stdout), "clustal")
    assert [[str(record.seq) for record in each] for each in back] == rows_of(expected)
    values = [each.expected_accuracy for each in expected]
    worst = 1 + values.index(min(values))
    assert result.stderr == (
        f"note: expected accuracy {sum(values) / 4:.4f} on average, lowest {min(values):.4f} "
        f"(pair{worst}/x, pair{worst}/y)\n"
    )
    content = content_of(run("pairhmm", "align", pairs_file, *options, "--json"))
    assert [content[key] for key in ("method", "gap_factor", "samples")] == ["mea", factor, None]
    for found, alignment in zip(content["alignments"], expected, strict=True):
        assert found["x"]["aligned"] == alignment[0]
        assert found["score"] == alignment.score
        assert found["expected_accuracy"] == alignment.expected_accuracy
        assert found["confidence"] == alignment.confidence.tolist()


def test_align_says_how_far_the_most_probable_alignments_are_trusted(
    run, pairs_file, model_file, model
):
    expected = model.assess(model.align(read_pairs(pairs_file)))
    options = ("pairhmm", "align", pairs_file, "--model", model_file)
    content = content_of(run(*options, "--json"))
    assert [each["expected_accuracy"] for each in content["alignments"]] == [
        alignment.expected_accuracy for alignment in expected
    ]
    text = run(*options, "--format", "stockholm", "--quiet").stdout
    [first, *_] = AlignIO.parse(StringIO(text), "stockholm")
    line = expected[0].column_annotations["consensus posterior probability"]
    assert first.column_annotations["posterior_probability"] == line


def test_align_draws_alignments(run, pairs_file, model_file, model):
    options = ("--model", model_file, "--samples", 3, "--seed", 8)
    result = run("pairhmm", "align", pairs_file, *options)
    assert (result.exit_code, result.stderr) == (0, "")
    found = [
        [str(record.seq) for record in each]
        for each in AlignIO.parse(StringIO(result.stdout), "clustal")
    ]
    generators = spawn_generators(8, 4)
    expected = [
        model.sample_alignments(*pair, 3, seed=generator)
        for pair, generator in zip(read_pairs(pairs_file), generators, strict=True)
    ]
    assert found == [rows for each in expected for rows in rows_of(each)]
    content = content_of(run("pairhmm", "align", pairs_file, *options, "--json"))
    assert [content[key] for key in ("method", "samples", "seed")] == ["sample", 3, 8]
    assert [each["score"] for each in content["alignments"]] == [
        alignment.score for each in expected for alignment in each
    ]


def test_align_fits_first_without_a_model(run, pairs_file, fitted, tmp_path):
    output = tmp_path / "pairs.maf"
    options = ("--tie", "none", "--format", "maf", "--output", output)
    assert run("pairhmm", "align", pairs_file, *options).exit_code == 0
    expected = rows_of(fitted.align(read_pairs(pairs_file)))
    with output.open() as file:
        assert [[str(r.seq) for r in each] for each in AlignIO.parse(file, "maf")] == expected


def test_aligned_fasta_can_be_read_again(run, pairs_file, model_file, tmp_path):
    output = tmp_path / "aligned.fa.gz"
    options = ("--model", model_file, "--format", "fasta", "--output", output)
    assert run("pairhmm", "align", pairs_file, *options).exit_code == 0
    original = [(r.id, str(r.seq)) for r in read_fasta(pairs_file)]
    assert [(r.id, str(r.seq)) for r in read_fasta(output, strip_gaps=True)] == original
    assert run("pairhmm", "align", output, "--model", model_file, "--strip-gaps").exit_code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tie=open", "--starts=2"], "it brings its own settings; leave out --tie, --starts"),
        (["--alphabet", "protein"], "--alphabet: the model is one of dna and not of protein"),
        (["--format", "clustl"], "--format: 'clustl' is unknown (did you mean 'clustal'"),
        (["--format", "emboss"], "'emboss' is unknown; choose from a2m, bed, chain, clustal"),
        (["--method", "me"], "--method: 'me' is unknown (did you mean 'mea'"),
        (["--samples=2", "--method=mea"], "--samples: drawn alignments are not the best"),
        (["--gap-factor=0"], "--gap-factor: it is an option of --method mea"),
        (["--gap-factor=inf", "--method=mea"], "--gap-factor is inf; give a number of 0 or more"),
        (["--gap-factor=-1", "--method=mea"], "'--gap-factor': Input should be greater than or"),
        (["--json", "--format", "sam"], "--format: JSON is a format of its own"),
    ],
)  # fmt: skip
def test_align_refuses_options_that_do_not_go_together(
    fails, pairs_file, model_file, options, message
):
    assert message in fails(2, "pairhmm", "align", pairs_file, "--model", model_file, *options)


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"format": "other"}', "\x1f\x8b", "", b"\x80"]
)
def test_a_file_that_is_no_model_is_at_fault(fails, pairs_file, write, content):
    file = write("model.json", content)
    assert str(file) in fails(1, "pairhmm", "align", pairs_file, "--model", file)


# -- simulate ----------------------------------------------------------------------------------


def test_simulate_writes_pairs_that_the_others_read(run, model_file, model, tmp_path):
    options = ("--pairs", 3, "--columns", 40, "--seed", 7)
    result = run("pairhmm", "simulate", "--model", model_file, *options)
    assert (result.exit_code, result.stderr) == (0, "")
    expected = [
        (record.id, str(record.seq))
        for pair in model.simulate(3, columns=40, seed=7)
        for record in pair
    ]
    output = tmp_path / "pairs.fa"
    output.write_text(result.stdout)
    assert [(r.id, str(r.seq)) for r in read_fasta(output)] == expected
    again = tmp_path / "again.fa"
    run("pairhmm", "simulate", "--model", model_file, *options, "--output", again)
    assert again.read_text() == result.stdout
    content = content_of(run("pairhmm", "simulate", "--model", model_file, *options, "--json"))
    assert [
        (r["id"], r["sequence"]) for pair in content["pairs"] for r in pair.values()
    ] == expected
    assert (content["seed"], content["n_pairs"]) == (7, 3)


def test_simulate_takes_parameters_by_name(run):
    nucleotides = content_of(
        run("pairhmm", "simulate", *SETTINGS, "--set=distance=0.2", "--set=kappa=3", "--json", "-q")
    )
    assert nucleotides["parameters"]["kappa"] == pytest.approx(3)
    assert nucleotides["parameters"]["extend_y"] == pytest.approx(0.5)
    proteins = content_of(
        run(
            *("pairhmm", "simulate", *SETTINGS, "--set=switch_x=0.1", "--set=switch_y=0.2"),
            *("--alphabet", "protein", "--substitution", "blosum62", "--seed", 1, "--json"),
        )
    )
    assert proteins["parameters"]["switch_y"] == pytest.approx(0.2)
    assert proteins["settings"]["substitution"] == "blosum62"


def test_simulate_reports_a_seed_with_which_it_repeats(run, model_file):
    first = run("pairhmm", "simulate", "--model", model_file)
    seed = first.stderr.split()[-1]
    assert first.stderr == f"note: the seed is {seed}; repeat this run with --seed {seed}\n"
    assert run("pairhmm", "simulate", "--model", model_file, "--seed", seed).stdout == first.stdout
    assert run("pairhmm", "simulate", "--model", model_file, "--quiet").stderr == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--model: give a model, or else all parameters by --set, and not both"),
        (SETTINGS, "distance is missing"),
        ([*SETTINGS, "--set", "distance=0.1", "--set", "colour=1"], "no parameter 'colour'"),
        ([*SETTINGS[1:], "--set", "open_x=2", "--set", "distance=1"], "open_x is 2.0"),
        (["--set", "open_x"], "--set: 'open_x' is no assignment"),
        ([*SETTINGS, "--alphabet", "dnaa"], "did you mean 'dna'"),
        ([*SETTINGS, "--substitution", "hky"], "did you mean 'hky85'"),
    ],
)
def test_simulate_explains_what_is_missing(fails, options, message):
    assert message in fails(2, "pairhmm", "simulate", *options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--pairs", 10**12], "1000000000000 pairs with alignments of about 100 columns"),
        (["--pairs", 10**12, "--columns", 5], "alignments of about 5 columns are more than can be"),
        (["--columns", 10**12], "1 pairs with alignments of about 1000000000000 columns"),
        (["--columns", 10**30], "draw at most 10000000 pairs and 1000000000 columns in all"),
    ],
)
def test_simulate_refuses_what_cannot_be_held(fails, model_file, options, message):
    line = fails(2, "pairhmm", "simulate", "--model", model_file, "--seed", 1, *options)
    assert message in line


def test_simulate_takes_a_model_or_settings_and_not_both(fails, model_file):
    command = ("pairhmm", "simulate", "--model", model_file)
    assert "and not both" in fails(2, *command, "--set", "open_x=0.1")
    assert "leave out --alphabet and --substitution" in fails(2, *command, "--alphabet", "dna")


# -- test --------------------------------------------------------------------------------------


def test_test_gives_what_the_library_gives(run, pairs_file):
    expected = compare(PairHMM(), PairHMM(tie=()), read_pairs(pairs_file), seed=0).to_dict()
    content = content_of(run("pairhmm", "test", pairs_file, "--json"))
    extra = {"seqbio_version", "schema_version", "command", "files", "n_pairs", "settings", "seed"}
    assert {name: value for name, value in content.items() if name not in extra} == expected
    assert content["command"] == "pairhmm test"
    assert "tie" not in content["settings"]


def test_test_prints_the_table_of_the_library(run, pairs_file, tmp_path):
    null, alternative = PairHMM(tie=("extend", "open")), PairHMM(tie=("extend",))
    expected = compare(null, alternative, read_pairs(pairs_file), seed=0)
    options = ("--null", "extend,open", "--alternative", "extend")
    result = run("pairhmm", "test", pairs_file, *options)
    assert (result.exit_code, result.stderr) == (0, "")
    conclusion, sides, tables = result.stdout.split("\n\n", 2)
    assert conclusion.replace("\n", " ") == expected.conclusion
    assert f"{conclusion}\n\n{tables}" == f"{expected}\n"
    assert sides.startswith("Sequences\n  x and y           first and second sequence of each of ")
    assert "  open_x, extend_x  letters of x against a gap in y (deletions" in sides


def test_pairs_that_share_a_sequence_take_its_word_to_be_the_reference(run, pairs_file, write):
    ancestor = "".join(str(record.seq) for record in read_fasta(pairs_file))[:300]
    changed = [ancestor[: 9 * k] + "AC" + ancestor[9 * k + 2 :] for k in range(1, 17)]
    lost = [text[: 30 * k] + text[30 * k + k :] for k, text in enumerate(changed[:8], start=1)]
    won = [text[: 20 * k] + text[-k:] + text[20 * k :] for k, text in enumerate(changed[8:], 1)]
    records = enumerate([ancestor, *lost, *won])
    star = write("star.fa", "".join(f">{number}\n{text}\n" for number, text in records))
    command = ("pairhmm", "test", star, "--pairing", "first-vs-rest", "--json")
    refused = content_of(run(*command))
    assert (refused["pvalue"], refused["calibration"]) == (None, "none")
    reasons = [each["message"] for each in refused["warnings"] if each["severity"] == "invalid"]
    assert any("--reference x (reference='x')" in reason for reason in reasons)
    declared = content_of(run(*command, "--reference", "x"))
    assert 0.0 < declared["pvalue"] <= 1.0
    assert declared["settings"]["reference"] == "x"
    assert "reference" in [warning["code"] for warning in declared["warnings"]]
    for name in ("chi2", "bootstrap", "robust", "bartlett"):
        assert content_of(run(*command, f"--calibration={name}"))["pvalue"] is None


@pytest.fixture
def half_turned(pairs_file, write):
    """Return a file in which y of the second and the fourth pair are on the other strand."""
    records = read_fasta(pairs_file)
    for place in (3, 7):
        records[place].seq = records[place].seq.reverse_complement()
    return write("half.fa", "".join(f">{record.id}\n{record.seq}\n" for record in records))


def test_pairs_of_different_strands_are_named_and_turned_round(
    run, pairs_file, half_turned, model_file
):
    told = (
        "warning: 2 of 4 pairs (pair2/x and pair2/y; pair4/x and pair4/y) fit far better with the"
    )
    fitted = run("pairhmm", "fit", half_turned, "--intervals", "none", "--quiet")
    assert fitted.stderr.startswith(told)
    assert fitted.stderr.count("\n") == 1
    refused = content_of(run("pairhmm", "test", half_turned, "--json", "--quiet"))
    assert refused["pvalue"] is None
    for command in (
        ("fit",),
        ("align", "--format", "fasta"),
        ("test",),
        ("align", "--model", model_file),
    ):
        command = ("pairhmm", command[0], half_turned, "--orient", *command[1:])
        result = run(*command, *(["--json"] if "fasta" not in command else []))
        assert result.exit_code == 0
        assert "turned round, with _rc behind the id: 'pair2/y_rc', 'pair4/y_rc'" in result.stderr
        assert "far better" not in result.stderr
    oriented, plain = (
        content_of(run("pairhmm", "fit", file, "--orient", "--json"))
        for file in (half_turned, pairs_file)
    )
    assert oriented["log_likelihood"] == plain["log_likelihood"]


def test_long_work_is_told_before_it_begins(run, pairs_file, model_file, monkeypatch):
    monkeypatch.setattr("seqbio.pairhmm.cost.cost_of", lambda *_: Cost(3e9, 10.0))
    for what, evaluations, *command in (
        ("fitting", 25, "fit"),
        ("aligning", 13, "align"),
        ("testing", 70, "test"),
    ):
        result = run("pairhmm", *command, pairs_file)
        minutes = round(evaluations * 10 / 60)
        assert result.stderr.startswith(
            f"note: {what} 4 pairs, with 3e+09 cells of letters by letters, takes about {minutes} "
            "min; fewer pairs take less"
        )
        assert run("pairhmm", *command, pairs_file, "--quiet").stderr == ""
    assert "takes about" not in run("pairhmm", "align", pairs_file, "--model", model_file).stderr


def test_what_memory_cannot_hold_is_refused_in_a_line(fails, pairs_file, monkeypatch):
    monkeypatch.setattr("seqbio.core.memory._memory", lambda: 10_000)
    for command in ("fit", "align", "test"):
        message = fails(2, "pairhmm", command, pairs_file)
        assert "cut the longer one to the part that the other is from" in message
        assert "--ends free_x" in message


def test_letters_of_another_alphabet_are_told(run, pairs_file, tmp_path):
    told = "the alphabet is protein, and 100% of the letters are those of DNA"
    model = tmp_path / "protein.json"
    parameters = {"open_x": 0.02, "open_y": 0.02, "extend_x": 0.4, "extend_y": 0.4, "end": 0.01}
    PairHMM(alphabet="protein").set_parameters({**parameters, "distance": 0.5}).save(model)
    for command in (
        ("fit", "--alphabet", "protein", "--intervals", "none"),
        ("align", "--alphabet", "protein"),
        ("align", "--model", model),
    ):
        result = run("pairhmm", command[0], pairs_file, *command[1:], "--quiet")
        assert result.exit_code == 0
        assert result.stderr.count(told) == 1


@pytest.mark.parametrize(
    ("null", "alternative", "message"),
    [
        ("open", "open", "--null: it must tie all that the alternative does, and more"),
        ("none", "open", "none is no more than open"),
        ("open", "extend", "open is no more than extend"),
        ("opn", "none", "--null: 'opn' is unknown (did you mean 'open'?); choose from"),
        ("open", "nones", "there is no tie 'nones'"),
        ("open,close", "open", "closing a gap is not a parameter of its own"),
    ],
)
def test_test_refuses_hypotheses_that_are_not_nested(fails, pairs_file, null, alternative, message):
    options = ("--null", null, "--alternative", alternative)
    assert message in fails(2, "pairhmm", "test", pairs_file, *options)


# -- input that cannot be read -----------------------------------------------------------------


@pytest.mark.parametrize("command", ["fit", "align", "test"])
@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.fa", "", "the file is empty"),
        ("text.fa", "hello\n", "line 1: not FASTA"),
        ("gaps.fa", ">a\nAC-T\n>b\nACT\n", "record 'a', line 2: position 3 is '-'"),
        ("odd.fa", ">a\nA\n>b\nA\n>c\nA\n", "the last one, 'c', has no partner"),
        ("rna.fa", ">a\nACU\n>b\nACT\n", "position 3 is 'U', which belongs to RNA"),
        ("protein.fa", ">a\nMKL\n>b\nMKV\n", "not in the dna alphabet"),
        ("bytes.fa", b">a\nAC\n>\xff\nAC\n", "byte 0xff is not UTF-8"),
        ("nothing.fa", ">a\n>b\nAC\n", "record 'a', line 1: the record has no sequence"),
    ],
)
def test_bad_files_are_named_with_the_place_and_status_1(
    fails, write, command, name, content, message
):
    file = write(name, content)
    line = fails(1, "pairhmm", command, file)
    assert line.startswith(str(file))
    assert message in line


def test_broken_gzip_data(fails, write):
    whole = write("x.fa.gz", ">a\nACGT\n>b\nACGT\n")
    broken = write("broken.fa", whole.read_bytes()[:-9])
    assert "the gzip data are broken" in fails(1, "pairhmm", "fit", broken)


def test_files_that_are_not_there(fails, tmp_path):
    missing = tmp_path / "missing.fa"
    assert (
        fails(1, "pairhmm", "fit", missing)
        == f"{missing}: no such file or directory; check the name"
    )
    assert fails(1, "pairhmm", "fit", tmp_path) == f"{tmp_path}: is a directory; name a file"
    assert "the file is empty" in fails(1, "pairhmm", "fit", "-", stdin="")
    assert "cannot be read twice" in fails(2, "pairhmm", "fit", "-", "-", stdin="")


def test_ids_that_are_not_there(fails):
    line = fails(1, "pairhmm", "fit", "dataset:brca1", "--pair", "Humn,Mouse")
    assert "no record has the id 'Humn'; the nearest ids are 'Human'" in line


def test_results_that_cannot_be_written_are_refused_before_the_work(fails, pairs_file, tmp_path):
    nowhere = tmp_path / "nowhere" / "x"
    for command in ("fit", "align", "test"):
        line = fails(1, "pairhmm", command, pairs_file, "--output", nowhere)
        assert "there is no folder" in line
    assert "there is no folder" in fails(1, "pairhmm", "fit", pairs_file, "--save", nowhere)
    assert "is a directory" in fails(1, "pairhmm", "simulate", *SETTINGS, "-o", tmp_path)


def test_duplicate_ids_are_a_warning(run, write, model_file):
    file = write("twice.fa", ">a\nACGT\n>a\nACT\n")
    result = run("pairhmm", "align", file, "--model", model_file)
    assert result.exit_code == 0
    assert result.stderr.startswith(
        f"warning: {file}: these ids belong to several records each: 'a'"
    )
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tie", "opn"], "--tie: 'opn' is unknown (did you mean 'open'?)"),
        (["--tie", "close"], "Tie 'extend'"),
        (["--tie", "switch"], "needs --switch tied"),
        (["--substitution", "hky"], "--substitution: 'hky' is unknown (did you mean 'hky85'?)"),
        (["--substitution", "lg"], "lg is a substitution model for protein"),
        (["--frequencies", "equl"], "--frequencies: 'equl' is unknown (did you mean 'equal'?)"),
        (["--frequencies", "0.5,0.5"], "one number for each letter of ACGT"),
        (["--frequencies", "0.5,x"], "--frequencies: 'x' is no number"),
        (["--switch", "on"], "--switch: 'on' is unknown"),
        (["--end", "tide"], "--end: 'tide' is unknown (did you mean 'tied'?)"),
        (["--intervals", "wold"], "--intervals: 'wold' is unknown (did you mean 'wald'?)"),
        (["--alphabet", "protien"], "--alphabet: 'protien' is unknown (did you mean 'protein'?)"),
    ],
)
def test_model_options_are_explained(fails, pairs_file, options, message):
    assert message in fails(2, "pairhmm", "fit", pairs_file, *options)


# -- the data that come with the package -------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("command", ["fit", "align", "test"])
def test_examples_of_the_help_work(run, command):
    result = run("pairhmm", command, "dataset:brca1", "--pair", "Human,Mouse")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout


def test_commands_of_the_group_are_those_of_the_design():
    names = [
        command.name or command.callback.__name__ for command in commands.app.registered_commands
    ]
    assert names == ["fit", "align", "simulate", "test"]


def test_a_bootstrap_is_the_same_for_two_workers_as_for_one(run, pairs_file):
    options = ("--calibration", "bootstrap", "--replicates", 6, "--seed", 3, "--json")
    alone = content_of(run("pairhmm", "test", pairs_file, *options))
    together = content_of(run("pairhmm", "test", pairs_file, *options, "--workers", 2))
    assert alone["calibration"] == "bootstrap"
    assert alone["evidence"]["n_replicates"] == 6
    assert together == alone


def test_an_unknown_calibration_is_wrong_usage(fails, pairs_file):
    message = fails(2, "pairhmm", "test", pairs_file, "--calibration", "bootstap")
    assert "--calibration: 'bootstap' is unknown (did you mean 'bootstrap'" in message


# -- groups of pairs ---------------------------------------------------------------------------


@pytest.fixture
def two_files(write, pairs_file):
    lines = pairs_file.read_text().splitlines()
    third = next(i for i, line in enumerate(lines) if line.startswith(">pair3/x"))
    return (
        write("near.fa", "\n".join(lines[:third]) + "\n"),
        write("far.fa", "\n".join(lines[third:]) + "\n"),
    )


LABELS = "# pair\tgroup\n1\tnear\npair2/x,pair2/y\tnear\n\n4\tfar\n3\tfar\n"
JC69 = ("--substitution", "jc69")


def test_fit_takes_a_file_for_each_group_or_labels(run, two_files, pairs_file, write):
    near, far = two_files
    tie = ("--tie", "open,extend,group.open", *JC69)
    content = content_of(run("pairhmm", "fit", near, "--group-file", far, *tie, "--json"))
    assert content["groups"] == {"near": 2, "far": 2}
    assert content["files"] == [str(near), str(far)]
    labels = write("labels.tsv", LABELS)
    same = content_of(run("pairhmm", "fit", pairs_file, "--groups", labels, *tie, "--json"))
    assert same["files"] == [str(pairs_file), str(labels)]
    assert same["parameters"] == content["parameters"]
    pairs = read_pairs(pairs_file)
    hmm = PairHMM("dna", "jc69", tie=("open", "extend", "group.open"))
    hmm.fit(pairs, groups=["near", "near", "far", "far"])
    assert {
        name: value["estimate"] for name, value in same["parameters"].items()
    } == hmm.parameters_
    table = run("pairhmm", "fit", near, "--group-file", far, *tie, "--intervals", "none").stdout
    assert "  near                 2" in table
    assert "open_x[far]" in table


def test_test_takes_groups(run, two_files):
    near, far = two_files
    ties = ("--null", "open,extend,group", "--alternative", "open,extend,group.extend")
    options = ("--group-file", far, *JC69, "--calibration", "chi2")
    result = run("pairhmm", "test", near, *ties, *options)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "  group near        2 pairs\n  group far         2 pairs\n" in result.stdout
    assert "open_x[far] / open_x[near]" in result.stdout


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("1\ta\n2\ta\n3\tb\n", "1 of 4 pairs have no group, the first is number 4 (pair4/x"),
        ("1\ta\n1\tb\n", "labels.tsv, line 2: the pair '1' has a group already"),
        ("1 a\n", "line 1: '1 a' is not a pair and its group, with a tab between"),
        ("1\t\n", "is not a pair and its group"),
        ("5\ta\n", "line 1: there is no pair '5'; give numbers from 1 to 4, or ids as ID,ID"),
        ("pair1/x,pair1/z\ta\n", "no pair 'pair1/x,pair1/z' (did you mean 'pair1/x,pair1/y'?)"),
        ("", "4 of 4 pairs have no group"),
    ],
)  # fmt: skip
def test_wrong_labels_are_refused(fails, pairs_file, write, labels, message):
    file = write("labels.tsv", labels)
    assert message in fails(1, "pairhmm", "fit", pairs_file, "--groups", file)


def test_groups_that_do_not_go_together_are_refused(fails, two_files, write):
    near, far = two_files
    labels = write("labels.tsv", LABELS)
    fit = ("pairhmm", "fit", near)
    assert "omit --group-file" in fails(2, *fit, "--group-file", far, "--groups", labels)
    assert "two groups are called 'near'" in fails(2, *fit, "--group-file", near)
    assert "leave out SECOND_FILE and --pair" in fails(2, *fit, far, "--group-file", far)
    assert "these pairs have none" in fails(2, *fit, "--tie", "group.open")
    assert "absent.fa" in fails(1, *fit, "--group-file", "absent.fa")
    one = write("one.tsv", "1\ta\n2\ta\n")
    line = fails(2, *fit, "--groups", one, "--tie", "group.open")
    assert "all pairs are of one group, 'a'" in line


def test_a_model_of_groups_says_how_to_take_one(run, fails, two_files, tmp_path):
    near, far = two_files
    file = tmp_path / "model.json"
    options = ("--group-file", far, *JC69, "--intervals", "none", "--save", file)
    assert run("pairhmm", "fit", near, *options).exit_code == 0
    line = fails(1, "pairhmm", "align", near, "--model", file)
    assert "has parameters for the groups near, far" in line
    assert PairHMM.load(file).groups_ == ("near", "far")
