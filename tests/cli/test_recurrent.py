"""The commands of the recurrent models, on small files."""

import json
import re

import numpy as np
import pytest

from seqbio import MarkovModel, RecurrentModel, compare, read_fasta, write_fasta


@pytest.fixture(scope="module")
def records_file(tmp_path_factory):
    generator = np.random.default_rng(0)
    truth = MarkovModel(order=1, ends=False).fit(["ACGTTGCAACCAGGATTACGCGTATCTGACAGTCTTGGC"])
    records = truth.simulate(60, length=12, seed=1)
    for record in records:
        record.description = f"{record.id} kind={'late' if generator.random() < 0.5 else 'early'}"
    file = tmp_path_factory.mktemp("records") / "records.fa"
    write_fasta(records, file)
    return file


@pytest.fixture(scope="module")
def model_file(records_file, tmp_path_factory):
    file = tmp_path_factory.mktemp("model") / "model.npz"
    model = RecurrentModel(hidden_size=4, n_epochs=2, seed=5)
    model.fit(read_fasta(records_file)).save(file)
    return file


def content_of(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout, parse_constant=pytest.fail)


SMALL = ("--hidden", "4", "--epochs", "2", "--seed", "5")


def test_train_keeps_what_the_library_learns(run, records_file, model_file, tmp_path):
    target = tmp_path / "kept.npz"
    content = content_of(
        run("recurrent", "train", records_file, "--save", target, *SMALL, "--json")
    )
    kept, expected = RecurrentModel.load(target), RecurrentModel.load(model_file)
    np.testing.assert_array_equal(kept.full_, expected.full_)
    records = read_fasta(records_file)
    assert content["command"] == "recurrent train"
    assert content["n_records"] == 60
    assert [row["epoch"] for row in content["history"]] == [1, 2]
    assert content["bits_per_symbol"] == pytest.approx(kept.bits_per_symbol(records))
    assert content["settings"]["hidden_size"] == 4
    result = run("recurrent", "train", records_file, "--save", target, *SMALL)
    assert "free parameters" in result.stdout
    assert f"{content['bits_per_symbol']:.4f}" in result.stdout


def test_train_learns_classes_from_headers_and_score_tells_them(run, records_file, tmp_path):
    target = tmp_path / "classes.npz"
    content = content_of(
        run("recurrent", "train", records_file, "--label", "kind", "--bidirectional", "--save",
            target, *SMALL, "--validation", "0.2", "--json")
    )  # fmt: skip
    assert 0 <= content["accuracy"] <= 1
    assert content["history"][0]["validation_loss"] is not None
    result = run("recurrent", "score", target, records_file)
    header, first, *_ = result.stdout.splitlines()
    assert header.split("\t") == ["id", "length", "predicted", "P(early)", "P(late)"]
    assert sum(map(float, first.split("\t")[3:])) == pytest.approx(1, abs=1e-5)


def test_an_interrupted_training_goes_on(run, records_file, tmp_path):
    checkpoint, whole, resumed = (tmp_path / name for name in ("check.npz", "a.npz", "b.npz"))
    base = ("recurrent", "train", records_file, *SMALL)
    assert run(*base, "--save", whole, "--checkpoint", checkpoint).exit_code == 0
    assert run(*base, "--save", resumed, "--checkpoint", checkpoint, "--resume").exit_code == 0
    np.testing.assert_array_equal(
        RecurrentModel.load(whole).full_, RecurrentModel.load(resumed).full_
    )


def test_a_training_goes_on_with_its_own_data_and_settings_alone(
    run, fails, records_file, tmp_path
):
    checkpoint, kept = tmp_path / "check.npz", tmp_path / "kept.npz"
    options = ("--checkpoint", checkpoint, "--save", kept)
    small = ("--hidden", "4", "--epochs")
    train = ("recurrent", "train", records_file, *small)
    assert run(*train, "2", "--seed", "5", *options).exit_code == 0
    text = fails(1, *train, "2", "--seed", "7", "--learning-rate", "0.02", *options, "--resume")
    assert f"the checkpoint {checkpoint} is of another training" in text
    assert "seed is 5 there and 7 now" in text
    assert "--learning-rate is 0.005 there and 0.02 now" in text
    assert "--epochs and patience may change" in text
    other = tmp_path / "other.fa"
    other.write_text(records_file.read_text().replace("A", "C"))
    text = fails(1, "recurrent", "train", other, *small, "2", "--seed", "5", *options, "--resume")
    assert "sequences is" in text
    # The same letters in small type, and more epochs.
    content = records_file.read_text()
    other.write_text(re.sub("^[A-Z]+", lambda found: found[0].lower(), content, flags=re.M))
    command = ("recurrent", "train", other, *small, "4", "--seed", "5", *options, "--resume")
    assert [row["epoch"] for row in content_of(run(*command, "--json"))["history"]] == [1, 2, 3, 4]


def test_score_writes_a_row_for_each_record(run, records_file, model_file):
    values = RecurrentModel.load(model_file).log_likelihood(read_fasta(records_file))
    lines = run("recurrent", "score", model_file, records_file).stdout.splitlines()
    assert lines[0].split("\t") == ["id", "length", "log_likelihood", "bits_per_symbol"]
    assert len(lines) == 61
    assert float(lines[1].split("\t")[2]) == pytest.approx(values[0], rel=1e-5)
    content = content_of(run("recurrent", "score", model_file, records_file, "--json"))
    assert content["records"][1]["log_likelihood"] == pytest.approx(values[1])
    assert content["bits_per_symbol"] == pytest.approx(
        RecurrentModel.load(model_file).bits_per_symbol(read_fasta(records_file))
    )


def test_sample_repeats_with_its_seed_and_is_read_back(run, model_file, tmp_path):
    arguments = ("recurrent", "simulate", model_file, "--records", "3", "--length", "20")
    first = run(*arguments, "--seed", "4", "--prime", "ACG")
    assert first.stdout == run(*arguments, "--seed", "4", "--prime", "ACG").stdout
    file = tmp_path / "samples.fa"
    file.write_text(first.stdout)
    records = read_fasta(file)
    assert [len(record) for record in records] == [20] * 3
    assert all(str(record.seq).startswith("ACG") for record in records)
    unseeded = run(*arguments)
    assert "repeat this run with --seed" in unseeded.stderr


def test_text_goes_in_and_comes_out(run, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("the same again and " * 20)
    target = tmp_path / "text.npz"
    result = run("recurrent", "train", text, "--alphabet", "text", "--pieces", "4", "--truncate",
                 "16", "--save", target, *SMALL)  # fmt: skip
    assert result.exit_code == 0, result.output
    drawn = run("recurrent", "simulate", target, "--length", "30", "--prime", "the", "--seed", "1")
    assert drawn.stdout.startswith("the")
    assert len(drawn.stdout.rstrip("\n")) <= 30


def test_test_gives_what_compare_gives(run, records_file):
    content = content_of(run("recurrent", "test", records_file, "--order", "0", "--json"))
    settings = {"order": 0, "ends": False, "max_length": 12}
    expected = compare(
        MarkovModel(tie=("time",), **settings),
        MarkovModel(tie=(), **settings),
        read_fasta(records_file),
        seed=0,
    )
    assert content["statistic"] == expected.statistic
    assert content["df"] == 11 * 3
    assert content["pvalue"] == expected.pvalue
    assert content["settings"]["order"] == 0


def test_windows_are_cut_from_the_start_or_the_middle(run, records_file):
    for window, size in (("2-7", 6), ("middle:5", 5)):
        content = content_of(
            run("recurrent", "test", records_file, "--order", "0", "--window", window, "--json")
        )
        assert content["df"] == (size - 1) * 3


def test_networks_are_compared_by_their_predictions(run, records_file):
    content = content_of(
        run("recurrent", "test", records_file, "--model", "gru", "--hidden", "2", "--epochs", "1",
            "--window", "1-4", "--json")
    )  # fmt: skip
    assert content["calibration"] == "held-out"
    assert content["settings"]["max_length"] == 4


def test_what_is_wrong_is_said_in_one_line(fails, records_file, model_file, tmp_path):
    text = fails(1, "recurrent", "score", tmp_path / "none.npz", records_file)
    assert "no such file; give a model from 'seqbio recurrent train'" in text
    text = fails(1, "recurrent", "score", records_file, records_file)
    assert "is not a saved recurrent model" in text
    (tmp_path / "cut.npz").write_bytes(model_file.read_bytes()[:-9])
    for command in (
        ("score", tmp_path / "cut.npz", records_file),
        ("simulate", tmp_path / "cut.npz"),
    ):
        assert "or it is damaged or cut short" in fails(1, "recurrent", *command)
    options = ("--checkpoint", tmp_path / "cut.npz", "--resume", "--save", tmp_path / "x.npz")
    text = fails(1, "recurrent", "train", records_file, *options)
    assert "cut.npz is not a checkpoint of a training" in text
    text = fails(1, "recurrent", "train", records_file, "--label", "class", "--save", "x.npz")
    assert "record 'sample1' has 0 words class=... in its header" in text
    text = fails(2, "recurrent", "train", records_file, "--tie", "tide", "--save", "x.npz")
    assert "did you mean 'time'" in text
    text = fails(2, "recurrent", "train", records_file, "--tie", "none", "--save", "x.npz")
    assert "set --max-length to" in text
    text = fails(2, "recurrent", "train", records_file, "--resume", "--save", "x.npz")
    assert "--checkpoint" in text
    text = fails(2, "recurrent", "test", records_file, "--window", "7")
    assert "'7' is no window; write FIRST-LAST" in text
    one = tmp_path / "one.fa"
    one.write_text(">genome\n" + "ACGT" * 30)
    text = fails(2, "recurrent", "test", one, "--order", "2", "--null", "lag")
    assert "('genome') is the only sequence" in text
    assert "--window" in text
    text = fails(1, "recurrent", "test", one, "--model", "gru")
    assert "'genome' is the only record" in text
    text = fails(1, "recurrent", "test", records_file, "--window", "1-13")
    assert "no sequence is long enough" in text


@pytest.mark.parametrize("command", ["train", "score", "simulate", "test"])
def test_help_says_how_and_lists_the_ties(run, command):
    result = run("recurrent", command, "--help")
    assert result.exit_code == 0
    assert f"seqbio recurrent {command}" in result.stdout
    assert "Keys of --json" in result.stdout
    if command in ("train", "test"):
        assert "time.recurrent" in result.stdout


def test_sample_is_the_former_name_of_simulate(run, model_file):
    options = (model_file, "--records", "3", "--length", "20", "--seed", "1")
    today, former = (run("recurrent", name, *options) for name in ("simulate", "sample"))
    assert today.stdout == former.stdout
    assert today.stderr == ""
    assert former.stderr == (
        "note: sample is called simulate now; the former name will be gone in the next release\n"
    )
    assert run("recurrent", "sample", *options, "--quiet").stderr == ""
    assert " sample " not in run("recurrent", "--help").stdout


def test_letters_of_another_alphabet_are_told(run, records_file, tmp_path):
    told = "the alphabet is protein, and 100% of the letters are those of DNA"
    model = tmp_path / "protein.npz"
    protein = ("--alphabet", "protein")
    for command in (
        ("train", records_file, *protein, "--save", model, *SMALL),
        ("score", model, records_file),
        ("test", records_file, *protein, "--order", "0"),
    ):
        result = run("recurrent", *command, "--quiet")
        assert result.exit_code == 0, result.output
        assert result.stderr.count(told) == 1
        assert "choose alphabet 'dna', or a model of DNA" in result.stderr
