import io
import json
import re
import zipfile

import numpy as np
import pytest
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord

import seqbio
from seqbio.core import Tying, untied
from seqbio.core.training_state import MAY_CHANGE
from seqbio.errors import (
    AlphabetError,
    ConvergenceError,
    DataMismatchError,
    ModelFileError,
    NestingError,
    NotFittedError,
    ParameterError,
    TyingError,
)
from seqbio.recurrent import CharacterAlphabet, RecurrentModel, read_text

SMALL = {"hidden_size": 5, "n_epochs": 2, "seed": 1}


@pytest.fixture(scope="module")
def records():
    generator = np.random.default_rng(0)
    return ["".join(generator.choice(list("ACGT"), size=n)) for n in generator.integers(3, 15, 30)]


@pytest.fixture(scope="module")
def fitted(records):
    return RecurrentModel(cell="gru", **SMALL).fit(records)


def test_training_learns_a_repeat():
    records = ["ACGT" * n for n in (2, 3, 4, 5)] * 4
    model = RecurrentModel(hidden_size=8, n_epochs=90, learning_rate=0.03, seed=0).fit(records)
    assert model.bits_per_symbol(records) < 0.6
    [sample] = model.simulate(1, length=12, temperature=0.1, seed=0)
    assert str(sample.seq) == "ACGTACGTACGT"
    assert model.training_.history[-1].loss < model.training_.history[0].loss
    assert model.log_likelihood_ == pytest.approx(model.log_likelihood(records).sum())


def test_bits_per_symbol_are_the_log_likelihood_counted_with_ends(fitted, records):
    n_symbols = sum(map(len, records)) + len(records)
    bits = -fitted.log_likelihood(records).sum() / n_symbols / np.log(2)
    assert fitted.bits_per_symbol(records) == pytest.approx(bits)
    assert fitted.score(records) == pytest.approx(fitted.log_likelihood(records).mean())


def test_same_seed_same_weights(fitted, records):
    again = RecurrentModel(cell="gru", **SMALL).fit(records)
    other = RecurrentModel(cell="gru", **(SMALL | {"seed": 2})).fit(records)
    np.testing.assert_array_equal(fitted.full_, again.full_)
    assert not np.array_equal(fitted.full_, other.full_)


def test_ambiguity_codes_have_the_average_probability_of_their_letters(fitted):
    probability = np.exp(fitted.log_likelihood(["A", "G"]))
    # The end follows an input that is the average of A and G, so compare without it.
    model, full = fitted._fitted()
    first = {}
    for letter in "AGR":
        data = fitted._prepare([letter], None)
        blocks = model.blocks(full)
        from seqbio.recurrent.network_model import Batch

        codes, lengths, targets = model.assemble(data, Batch(np.array([0])))
        logits, _ = model._forward(blocks, codes, lengths)
        first[letter] = np.exp(model._cross_entropy(logits, targets, lengths)[0][0, 0])
    assert first["R"] == pytest.approx((first["A"] + first["G"]) / 2, rel=1e-5)
    assert (probability < [first["A"], first["G"]]).all()


TIED = {
    "time.input": {"max_length": 14},
    "time.recurrent": {"max_length": 14},
    "time.readout": {"max_length": 14},
    "gates.input": {},
    "gates.recurrent": {},
    "embedding": {"embedding_size": 5},
    "layers": {"embedding_size": 5, "n_layers": 2},
}


@pytest.mark.parametrize("name", TIED)
def test_every_tie_holds_after_training_and_counts(name, records):
    settings = SMALL | TIED[name]
    ties = () if name.startswith("time") else ("time",)
    free = RecurrentModel(tie=ties, **settings).fit(records)
    tied = RecurrentModel(tie=(*ties, name), **settings).fit(records)
    weights = tied.weights_
    h, steps, a = 5, 15, 5
    if name == "time.input":
        saved = (steps - 1) * (4 * h * a + 4 * h)
        copies = list(weights["layer0.forward.input"])
    elif name == "time.recurrent":
        saved = (steps - 1) * 4 * h * h
        copies = list(weights["layer0.forward.recurrent"])
    elif name == "time.readout":
        saved = (steps - 1) * (a * h + a)
        copies = list(weights["readout.weight"])
    elif name.startswith("gates"):
        kind = name.removeprefix("gates.")
        saved = 3 * h * h
        copies = list(weights[f"layer0.forward.{kind}"][0].reshape(4, h, h))
    elif name == "embedding":
        saved = a * h
        copies = [weights["embedding"], weights["readout.weight"][0]]
    else:
        saved = 4 * h * (h + h + 1)
        copies = [weights["layer0.forward.input"][0], weights["layer1.forward.input"][0]]
    assert free.n_free_parameters_ - tied.n_free_parameters_ == saved
    for copy in copies[1:]:
        np.testing.assert_array_equal(copy, copies[0])
    assert np.unique(copies[0]).size > 1


def test_the_model_tied_over_time_is_the_one_with_an_axis_of_equal_steps(records):
    tied = RecurrentModel(tie=("time",), max_length=14, precision="double", **SMALL)
    hypothesis, data = tied.hypothesis(records)
    assert hypothesis.model.layout.shapes["readout.weight"] == (15, 5, 5)
    tied.fit(records)
    assert tied.weights_["readout.weight"].shape == (1, 5, 5)
    assert hypothesis.tying.n_free == tied.n_free_parameters_
    long = hypothesis.model.layout.flatten(
        {
            name: np.broadcast_to(tied.weights_[name], shape)
            for name, shape in hypothesis.model.layout.shapes.items()
        }
    )
    assert hypothesis.tying.contains(long)
    np.testing.assert_allclose(
        hypothesis.model.log_likelihood(long, data), tied.log_likelihood(records), rtol=1e-12
    )


def test_names_of_parts_together_are_time():
    parts = RecurrentModel(tie=("time.input", "time.recurrent", "time.readout"))
    whole = RecurrentModel(tie=("time",))
    assert parts.hypothesis(["ACG"])[0].tying == whole.hypothesis(["ACG"])[0].tying


def test_without_ends_lengths_are_given(records):
    model = RecurrentModel(ends=False, embedding_size=5, tie=("time", "embedding"), **SMALL)
    model.fit(records)
    n_symbols = sum(map(len, records))
    bits = -model.log_likelihood(records).sum() / n_symbols / np.log(2)
    assert model.bits_per_symbol(records) == pytest.approx(bits)
    np.testing.assert_array_equal(
        model.weights_["embedding"][:4], model.weights_["readout.weight"][0]
    )
    assert len(model.simulate(1, length=9, seed=0)[0]) == 9
    with pytest.raises(ParameterError, match="does not say when a sequence ends"):
        model.simulate(1)


def test_wrong_ties_are_refused_with_the_list():
    cases = {
        ("tide",): r"no tie 'tide' \(did you mean 'time'\?\); a recurrent model has 'time': the",
        "time": "give a tuple of names",
        ("time", "layers"): "needs two or more layers",
        ("time", "embedding"): "as many numbers as the hidden state has: --embedding",
    }
    for tie, message in cases.items():
        with pytest.raises(TyingError, match=message):
            RecurrentModel(tie=tie).hypothesis(["ACG"])
    with pytest.raises(TyingError, match="rnn has none"):
        RecurrentModel(cell="rnn", tie=("time", "gates.input")).hypothesis(["ACG"])
    with pytest.raises(TyingError, match="the task is 'next' and the embedding has 7"):
        RecurrentModel(tie=("time", "embedding"), embedding_size=7).hypothesis(["ACG"])
    with pytest.raises(ParameterError, match="set --max-length"):
        RecurrentModel(tie=()).fit(["ACG"])


def test_a_model_untied_over_time_refuses_longer_records_by_name(records):
    model = RecurrentModel(tie=(), max_length=14, **SMALL).fit(records)
    long = SeqRecord(Seq("A" * 15), id="long")
    with pytest.raises(ParameterError, match=r"\('long'\) has 15 letters .* weights for 14"):
        model.log_likelihood(["ACG", long])
    assert len(model.simulate(1, length=14, seed=0)[0]) == 14
    with pytest.raises(ParameterError, match="length is 15 and the model has weights for 14"):
        model.simulate(1, length=15)


def test_a_tying_of_ones_own(records):
    size = RecurrentModel(**SMALL).hypothesis(records)[0].model.layout.size
    own = RecurrentModel(tie=Tying([0, 0, *range(1, size - 1)]), **SMALL).fit(records)
    assert own.full_[0] == own.full_[1]
    assert own.n_free_parameters_ == size - 1
    whole = RecurrentModel(tie=untied(size), **SMALL).fit(records)
    np.testing.assert_array_equal(whole.full_, RecurrentModel(**SMALL).fit(records).full_)
    with pytest.raises(ParameterError, match="tying of your own cannot be saved"):
        own.save("unused.npz")


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize(
    "shape", [{}, {"n_layers": 2, "embedding_size": 3}, {"task": "class", "bidirectional": True}]
)
def test_weights_go_out_under_pytorchs_names_and_come_back(cell, shape, records):
    labels = [len(record) % 2 for record in records] if "task" in shape else None
    settings = SMALL | shape | {"cell": cell, "precision": "double"}
    model = RecurrentModel(**settings).fit(records, labels)
    state = model.state_dict()
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[cell]
    assert state["weight_hh_l0"].shape == (gates * 5, 5)
    assert state["bias_ih_l0"].shape == state["bias_hh_l0"].shape == (gates * 5,)
    other = RecurrentModel(**settings).load_state_dict(state)
    np.testing.assert_allclose(
        other.log_likelihood(records, labels), model.log_likelihood(records, labels), rtol=1e-12
    )


def test_the_two_biases_of_pytorch_are_added(fitted, records):
    state = fitted.state_dict()
    state["bias_hh_l0"][:10] += 0.25
    state["bias_ih_l0"][:10] -= 0.25
    other = RecurrentModel(cell="gru", **SMALL).load_state_dict(state)
    np.testing.assert_allclose(
        other.log_likelihood(records), fitted.log_likelihood(records), rtol=1e-6
    )


def test_wrong_state_dicts_are_refused(fitted):
    state = fitted.state_dict()
    model = RecurrentModel(cell="gru", **SMALL)
    with pytest.raises(ParameterError, match=r"missing arrays: \['weight_ih_l0'\]"):
        model.load_state_dict({k: v for k, v in state.items() if k != "weight_ih_l0"})
    with pytest.raises(ParameterError, match=r"readout.bias has shape \(4,\)"):
        model.load_state_dict(state | {"readout.bias": np.zeros(4)})
    with pytest.raises(ParameterError, match="do not obey the ties"):
        RecurrentModel(cell="gru", tie=("time", "gates.input"), **SMALL).load_state_dict(state)
    untied = RecurrentModel(tie=(), max_length=4, **SMALL).fit(["ACG"])
    with pytest.raises(ParameterError, match="differ between steps"):
        untied.state_dict()


def test_saved_models_are_the_same_and_hold_no_objects(tmp_path, fitted, records):
    fitted.save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        assert set(file) == {"header", "full", "checksum"}
    loaded = RecurrentModel.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(loaded.log_likelihood(records), fitted.log_likelihood(records))
    assert loaded.get_params() == fitted.get_params()


def damaged(content):
    """Give contents of a file that is empty, another, cut short or has a byte changed."""
    middle = len(content) // 2
    first = content.index(b"\n", content.index(b"NUMPY")) + 1  # of the numbers of an array
    changed = content[:first] + bytes([content[first] ^ 1]) + content[first + 1 :]
    return [b"", b"no archive", b"\x80", content[:100], content[:middle], content[:-1], changed]


def test_damaged_files_are_refused(tmp_path, fitted):
    fitted.save(tmp_path / "model.npz")
    for number, content in enumerate(damaged((tmp_path / "model.npz").read_bytes())):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(ModelFileError, match=r"bad.npz is not a saved.*or it is damaged"):
            pytest.fail(f"{number}: {RecurrentModel.load(tmp_path / 'bad.npz')}")


def test_contents_that_are_no_model_are_refused(tmp_path, fitted):
    fitted.save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        arrays = dict(file)
    header = str(arrays["header"])

    def refusal(**changed):
        np.savez(tmp_path / "bad.npz", **{k: v for k, v in (arrays | changed).items() if v.size})
        with pytest.raises(ModelFileError) as caught:
            RecurrentModel.load(tmp_path / "bad.npz")
        return str(caught.value)

    for value in (np.nan, np.inf, -np.inf):
        weights = arrays["full"].copy()
        weights[1] = value
        assert f"number 2 of the weights is {value}" in refusal(full=weights)
    assert "imply" in refusal(full=arrays["full"][:-1])
    assert "changed after it was saved" in refusal(full=2 * arrays["full"])
    assert "has no 'full'" in refusal(full=np.zeros(0))
    assert "could not convert" in refusal(full=np.array(["a", "b"]))
    assert "weights are complex numbers" in refusal(full=arrays["full"] + 0j)
    assert "says it is 'seqbio" in refusal(header=np.array(header.replace("version 1", "2")))
    assert "has no 'settings'" in refusal(header=np.array(header.replace("settings", "x")))
    assert "hidden_size is -3" in refusal(header=np.array(header.replace('size": 5', 'size": -3')))


def test_packed_archives_and_arrays_that_claim_to_be_larger_are_refused(tmp_path, fitted):
    fitted.save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as file:
        arrays = dict(file)
    np.savez_compressed(tmp_path / "bad.npz", **arrays, zeros=np.zeros(10**6))
    with pytest.raises(ModelFileError, match="damaged"):
        RecurrentModel.load(tmp_path / "bad.npz")
    whole = (tmp_path / "model.npz").read_bytes()
    shape = str(arrays["full"].shape).encode()
    claim = b"(" + b"9" * (len(shape) - 3) + b",)"
    with (
        zipfile.ZipFile(io.BytesIO(whole)) as old,
        zipfile.ZipFile(tmp_path / "bad.npz", "w") as new,
    ):
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(shape, claim))
    with pytest.raises(ModelFileError, match="damaged"):
        RecurrentModel.load(tmp_path / "bad.npz")


def test_damaged_checkpoints_are_refused(tmp_path, records):
    path = tmp_path / "checkpoint.npz"
    RecurrentModel(**SMALL).fit(records, checkpoint=path)
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    contents = damaged(path.read_bytes())
    for changed in (
        {"free": np.full_like(arrays["free"], np.nan)},
        {"best_free": arrays["best_free"][1:]},
        {"generators": np.array(["{}"])},
        {"history": np.zeros((1, 2))},
        {"history": arrays["history"][1:]},
        {"start": np.array(1)},
        {"best_loss": arrays["best_loss"] + 1e-9},
        {"winner_loss": np.array(0.1)},
        {"identity": np.array("[1]")},
    ):
        stream = io.BytesIO()
        np.savez(stream, **(arrays | changed))
        contents.append(stream.getvalue())
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(ModelFileError, match=r"is not a checkpoint of a training.*resume"):
            RecurrentModel(**SMALL).fit(records, checkpoint=path, resume=True)


def test_an_interrupted_training_resumes_bit_for_bit(tmp_path, records):
    settings = {**SMALL, "n_epochs": 6, "n_layers": 2, "dropout": 0.3, "validation_fraction": 0.2}
    whole = RecurrentModel(**settings).fit(records)

    class Interrupted(Exception):
        pass

    def interrupt(epoch, n_done, n_batches, loss):
        if epoch == 4:
            raise Interrupted

    path = tmp_path / "checkpoint.npz"
    with pytest.raises(Interrupted):
        RecurrentModel(**settings).fit(records, checkpoint=path, on_batch=interrupt)
    resumed = RecurrentModel(**settings).fit(records, checkpoint=path, resume=True)
    np.testing.assert_array_equal(whole.full_, resumed.full_)
    assert whole.training_.history == resumed.training_.history


RESUMED = {"hidden_size": 3, "n_epochs": 3, "batch_size": 8, "schedule": "constant", "seed": 1}
SHARED = {"validation_fraction": 0.3}
CHANGES = {
    "cell": ("lstm", "gru"),
    "hidden_size": (3, 4),
    "n_layers": (1, 2),
    "alphabet": ("dna", "rna"),
    "embedding_size": (None, 2),
    "ends": (True, False),
    "max_length": (None, 20),
    "dropout": (0.0, 0.5),
    "batch_size": (8, 9),
    "learning_rate": (0.005, 0.006),
    "schedule": ("constant", "cosine"),
    "weight_decay": (0.0, 0.1),
    "clip": (5.0, 4.0),
    "truncate": (None, 5),
    "validation_fraction": (0.0, 0.2),
    "n_starts": (1, 2),
    "precision": ("single", "double"),
    "seed": (1, 2),
    "tie": (["time"], ["gates.input", "time"]),
}


@pytest.fixture
def interrupted(tmp_path, records):
    """A checkpoint of three epochs."""
    path = tmp_path / "checkpoint.npz"
    RecurrentModel(**RESUMED).fit(records, checkpoint=path)
    return path


@pytest.mark.parametrize("name", CHANGES)
def test_a_checkpoint_of_other_settings_is_refused_with_both_values(interrupted, records, name):
    before, after = CHANGES[name]
    changed = RESUMED | {name: tuple(after) if isinstance(after, list) else after}
    records = [each.replace("T", "A") for each in records] if name == "alphabet" else records
    said = f"{name} is {json.dumps(before)} there and {json.dumps(after)} now"
    says = r"checkpoint\.npz is of another training: .*" + re.escape(said)
    with pytest.raises(DataMismatchError, match=says):
        RecurrentModel(**changed).fit(records, checkpoint=interrupted, resume=True)


def test_every_setting_is_in_the_identity_of_a_training():
    names = set(RecurrentModel().get_params())
    # A class cannot be next to these: its own test is below.
    assert names == set(CHANGES) | set(MAY_CHANGE) | {"task", "bidirectional"}


def test_a_checkpoint_of_other_data_is_refused_and_says_which_part(interrupted, records):
    def refusal(records, **options):
        with pytest.raises(DataMismatchError) as error:
            RecurrentModel(**RESUMED).fit(records, checkpoint=interrupted, resume=True, **options)
        return str(error.value)

    text = refusal([*records[:-1], "ACGT"])
    assert re.search(r'sequences is "30 of \d+ letters, \w+" there and "30 of \d+ letters', text)
    text = refusal(records[::-1])
    assert "order of the sequences is" in text
    assert not re.search("[;:] sequences is", text)
    assert "sequences is" in refusal(records, validation=["ACGT"])
    assert "items to validate on is" in refusal(records[:-1], validation=records[-1:])


def test_a_checkpoint_of_other_labels_or_classes_is_refused(tmp_path, records):
    path = tmp_path / "checkpoint.npz"
    settings = RESUMED | {"task": "class"}
    labels = ["a", "b", "b"] * 10
    RecurrentModel(**settings).fit(records, labels, checkpoint=path)

    def refusal(labels, **changed):
        model = RecurrentModel(**settings | changed)
        with pytest.raises(DataMismatchError) as error:
            model.fit(records, labels, checkpoint=path, resume=True)
        return str(error.value)

    assert "labels is" in refusal(["b", "a", "b"] * 10)
    assert 'classes is ["a", "b"] there and ["c", "d"] now' in refusal(["c", "d", "d"] * 10)
    assert "bidirectional is false there and true now" in refusal(labels, bidirectional=True)
    with pytest.raises(DataMismatchError, match='task is "class" there and "next" now'):
        RecurrentModel(**RESUMED).fit(records, checkpoint=path, resume=True)


def test_more_epochs_and_another_patience_go_on_as_if_they_had_been_asked_for(tmp_path, records):
    path = tmp_path / "checkpoint.npz"
    settings = RESUMED | SHARED | {"learning_rate": 0.1}
    RecurrentModel(**settings).fit(records, checkpoint=path)
    longer = settings | {"n_epochs": 12, "patience": 4}
    whole = RecurrentModel(**longer).fit(records)
    lower = [SeqRecord(Seq(text.lower()), id=f"other{i}") for i, text in enumerate(records)]
    resumed = RecurrentModel(**longer).fit(lower, checkpoint=path, resume=True)
    np.testing.assert_array_equal(whole.full_, resumed.full_)
    assert whole.training_.history == resumed.training_.history
    with pytest.raises(DataMismatchError, match="epochs are done there and n_epochs is 2 now"):
        RecurrentModel(**settings | {"n_epochs": 2}).fit(records, checkpoint=path, resume=True)


def test_starts_that_are_over_get_no_further_epochs(tmp_path, records):
    path = tmp_path / "checkpoint.npz"
    settings = RESUMED | {"n_starts": 2}
    RecurrentModel(**settings).fit(records, checkpoint=path)
    with pytest.raises(DataMismatchError, match=r"n_epochs is 3 there and 4 now\. Give it"):
        RecurrentModel(**settings | {"n_epochs": 4}).fit(records, checkpoint=path, resume=True)


def test_a_generator_as_seed_is_known_by_what_it_spawns(tmp_path, records):
    path = tmp_path / "checkpoint.npz"
    settings = RESUMED | SHARED
    seed = np.random.default_rng(5)
    whole = RecurrentModel(**settings | {"seed": seed}).fit(records, checkpoint=path)
    again = RecurrentModel(**settings | {"seed": np.random.default_rng(5)})
    again.fit(records, checkpoint=path, resume=True)
    np.testing.assert_array_equal(whole.full_, again.full_)
    with pytest.raises(DataMismatchError, match="seed is"):  # it has spawned since
        RecurrentModel(**settings | {"seed": seed}).fit(records, checkpoint=path, resume=True)


def test_what_cannot_be_gone_on_with_is_refused_at_once(tmp_path, records):
    with pytest.raises(ParameterError, match="name its file"):
        RecurrentModel(**RESUMED).fit(records, resume=True)
    model = RecurrentModel(**RESUMED | SHARED | {"seed": None})
    with pytest.raises(ParameterError, match="seed is None, so that other sequences"):
        model.fit(records, checkpoint=tmp_path / "x.npz", resume=True)


def test_a_checkpoint_without_identity_is_refused_with_advice(interrupted, records):
    with np.load(interrupted, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files if name != "identity"}
    np.savez(interrupted, **arrays)
    with pytest.raises(ModelFileError, match=r"written before checkpoints said.*begin without"):
        RecurrentModel(**RESUMED).fit(records, checkpoint=interrupted, resume=True)


def test_a_training_goes_on_from_the_weights_there_are(fitted, records):
    settings = {**SMALL, "n_epochs": 0}
    same = RecurrentModel(cell="gru", **settings).load_state_dict(fitted.state_dict())
    np.testing.assert_array_equal(same.fit(records[:3], go_on=True).full_, fitted.full_)
    assert same.training_.history == ()
    with pytest.raises(NotFittedError):
        RecurrentModel().fit(records, go_on=True)


def test_a_validation_set_chooses_the_epoch(records):
    model = RecurrentModel(hidden_size=20, n_epochs=30, learning_rate=0.05, patience=3, seed=0)
    model.fit(records[:15], validation=records[15:])
    assert model.training_.message == "no better validation loss in 3 epochs"
    held_out = -model.log_likelihood(records[15:]).sum()
    n_symbols = sum(len(record) + 1 for record in records[15:])
    assert model.training_.loss == pytest.approx(held_out / n_symbols, rel=1e-6)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_classes_are_learned(bidirectional):
    generator = np.random.default_rng(0)
    records, labels = [], []
    for _ in range(80):
        letters = generator.choice(list("ACGT"), size=generator.integers(8, 13))
        labels.append("with" if generator.random() < 0.5 else "without")
        letters[letters == "G"] = "A"
        if labels[-1] == "with":
            letters[generator.integers(len(letters))] = "G"
        records.append("".join(letters))
    model = RecurrentModel(
        hidden_size=10,
        task="class",
        bidirectional=bidirectional,
        n_epochs=40,
        learning_rate=0.02,
        seed=0,
    ).fit(records, labels)
    assert model.classes_.tolist() == ["with", "without"]
    assert model.score(records, labels) > 0.95
    np.testing.assert_allclose(model.predict_proba(records).sum(axis=1), 1)
    with pytest.raises(ParameterError, match="for task='next'"):
        model.simulate(1)
    with pytest.raises(ParameterError, match="label 1 is 'else'; the classes are with, without"):
        model.log_likelihood(records[:2], ["with", "else"])


def test_samples_end_when_the_model_says_so_and_begin_with_the_prime(fitted, records):
    samples = fitted.simulate(200, seed=3)
    assert [str(s.seq) for s in samples] == [str(s.seq) for s in fitted.simulate(200, seed=3)]
    assert len({len(sample) for sample in samples}) > 5
    assert all(str(s.seq).startswith("GAT") for s in fitted.simulate(5, prime="GAT", seed=0))
    assert {len(s) for s in fitted.simulate(5, length=9, prime="GAT", seed=0)} == {9}
    with pytest.raises(ParameterError, match="the prime has 3 letters"):
        fitted.simulate(1, length=2, prime="GAT")


def test_samples_have_the_models_frequencies(fitted):
    first = [str(sample.seq)[0] for sample in fitted.simulate(4000, length=1, seed=0)]
    table = {}
    model, full = fitted._fitted()
    from seqbio.recurrent.network import forward

    logits, _ = forward(
        model.architecture,
        model.blocks(full),
        np.array([[4]]),
        np.array([1]),
        membership=model.membership,
    )
    probability = np.exp(logits[0, :4, 0])
    table = dict(zip("ACGT", probability / probability.sum(), strict=True))
    for letter, expected in table.items():
        assert first.count(letter) / 4000 == pytest.approx(expected, abs=0.03)


def test_text_with_an_alphabet_of_its_own(tmp_path):
    pieces = ["Ever the same, ever the same. ", "ever the same—and the same again"]
    model = RecurrentModel(alphabet="text", truncate=8, **SMALL).fit(pieces)
    assert "—" in model.letters_
    [sample] = model.simulate(1, length=20, prime="ever", seed=0)
    assert isinstance(sample, str)
    assert sample.startswith("ever")
    model.save(tmp_path / "text.npz")
    loaded = RecurrentModel.load(tmp_path / "text.npz")
    np.testing.assert_array_equal(loaded.log_likelihood(pieces), model.log_likelihood(pieces))
    with pytest.raises(AlphabetError, match=r"position 3 is 'Q', which does not occur"):
        model.log_likelihood(["evQ"])
    again = RecurrentModel(alphabet="text", **SMALL).load_state_dict(
        model.state_dict(), letters=model.letters_
    )
    np.testing.assert_allclose(again.log_likelihood(pieces), model.log_likelihood(pieces))


def test_read_text_cuts_without_losing_anything(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("öne line\r\nand another\n".encode())
    pieces = read_text(path, n_pieces=4)
    assert "".join(pieces) == "öne line\nand another\n"
    assert {len(piece) for piece in pieces} <= {5, 6}
    with pytest.raises(ParameterError, match="n_pieces is 0"):
        read_text(path, n_pieces=0)
    with pytest.raises(ParameterError, match="each once"):
        CharacterAlphabet("aba")


def test_what_is_missing_is_said(records):
    model = RecurrentModel()
    with pytest.raises(NotFittedError, match="no weights yet"):
        model.log_likelihood(records)
    with pytest.raises(ParameterError, match="there are no sequences"):
        model.fit([])
    with pytest.raises(ParameterError, match="no labels; give one label for each"):
        RecurrentModel(task="class").fit(records)
    with pytest.raises(ParameterError, match="at least two classes"):
        RecurrentModel(task="class").fit(records, [1] * len(records))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_exploding_training_is_refused_with_its_batch(records):
    model = RecurrentModel(**SMALL | {"learning_rate": 1e300, "clip": None})
    with pytest.raises(ConvergenceError, match=r"epoch \d, batch \d of \d"):
        model.fit(records * 4)


@pytest.mark.parametrize(
    ("null", "alternative", "settings"),
    [
        (("time",), ("time.input", "time.recurrent"), {"max_length": 14}),
        (("time", "gates.input"), ("time",), {}),
        (("time", "gates.recurrent"), ("time",), {}),
        (("time", "layers"), ("time",), {"n_layers": 2, "embedding_size": 2}),
        (("time", "embedding"), ("time",), {"embedding_size": 2}),
    ],
    ids=["time.readout", "gates.input", "gates.recurrent", "layers", "embedding"],
)
def test_networks_are_compared_without_chi_squared(null, alternative, settings, records):
    common = {"cell": "gru", "hidden_size": 2, "n_epochs": 1, "seed": 0} | settings
    result = seqbio.compare(
        RecurrentModel(tie=null, **common),
        RecurrentModel(tie=alternative, **common),
        records,
        seed=0,
        n_folds=2,
    )
    assert result.calibration == "held-out"
    free, tied = (
        RecurrentModel(tie=tie, **common).fit(records).n_free_parameters_
        for tie in (alternative, null)
    )
    assert result.df == free - tied
    with pytest.raises(NestingError, match="wrong way round"):
        seqbio.compare(
            RecurrentModel(tie=alternative, **common), RecurrentModel(tie=null, **common), records
        )
