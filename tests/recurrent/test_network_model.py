from itertools import product

import numpy as np
import pytest

from seqbio.core import check_gradient, untied
from seqbio.core.training import TrainingSettings, train
from seqbio.errors import ParameterError
from seqbio.recurrent.network import Architecture
from seqbio.recurrent.network_model import Batch, NetworkModel
from seqbio.sequences import CharacterAlphabet
from seqbio.sequences.sequence_data import SequenceData

CELLS = ["rnn", "lstm", "gru"]
AB = CharacterAlphabet("ab")


def make_model(cell="lstm", n_letters=2, **options):
    shape = {
        name: options.pop(name)
        for name in ("n_layers", "steps", "embedding_size", "task", "bidirectional")
        if name in options
    }
    n_outputs = options.pop("n_outputs", n_letters + 1)
    architecture = Architecture(cell, n_letters + 1, n_outputs, 3, **shape)
    options = {"precision": "double"} | options
    return NetworkModel(architecture, np.eye(n_letters + 1), **options)


def draw(generator, lengths, n_letters=2, labels=None):
    codes = [generator.integers(n_letters, size=n).astype(np.uint8) for n in lengths]
    return SequenceData(CharacterAlphabet("abcdefgh"[:n_letters]), codes, labels)


@pytest.fixture
def generator():
    return np.random.default_rng(4)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("steps", [None, 5])
def test_probabilities_of_all_sequences_sum_to_one(cell, steps, generator):
    """All sequences of up to 4 letters, and all of 5 that have not ended yet."""
    model = make_model(cell, steps=steps)
    full = generator.standard_normal(model.layout.size)
    every = [
        np.array(letters, dtype=np.uint8) for n in range(5) for letters in product((0, 1), repeat=n)
    ]
    ended = np.exp(model.log_likelihood(full, SequenceData(AB, every))).sum()
    # What is left is the probability of four letters without an end: those of the sequences of
    # four letters, each divided by the probability that it ends there.
    longest = [codes for codes in every if len(codes) == 4]
    open_ = 0.0
    for codes in longest:
        data = SequenceData(AB, [codes])
        inputs, lengths, targets = model.assemble(data, Batch(np.array([0])))
        logits, _ = model._forward(model.blocks(full), inputs, lengths)
        log_probability, _ = model._cross_entropy(logits, targets, lengths)
        before_end = np.exp(log_probability[:4, 0].sum())
        open_ += before_end * (1 - np.exp(log_probability[4, 0]))
    assert ended + open_ == pytest.approx(1, abs=1e-12)
    assert 0.01 < ended < 0.999


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "options",
    [
        {"n_layers": 2, "embedding_size": 2},
        {"steps": 7},
        {"task": "class", "bidirectional": True, "n_outputs": 2},
    ],
    ids=["stacked", "untied", "class"],
)
def test_the_gradient_of_the_model(cell, options, generator):
    model = make_model(cell, **options)
    labels = np.array([0, 1, 1, 0]) if "task" in options else None
    data = draw(generator, [6, 1, 3, 3], labels=labels)
    full = 0.5 * generator.standard_normal(model.layout.size)
    assert check_gradient(model, full, data, seed=0, n_directions=20).passed
    total, _ = model.log_likelihood_and_gradient(full, data)
    assert total == pytest.approx(model.log_likelihood(full, data).sum(), rel=1e-12)


def test_evaluation_in_stretches_and_batches_is_that_of_each_alone(generator, monkeypatch):
    model = make_model("lstm", n_layers=2)
    full = generator.standard_normal(model.layout.size)
    data = draw(generator, [9, 30, 1, 12, 30, 7])
    alone = [model.log_likelihood(full, data.subset(np.array([i])))[0] for i in range(len(data))]
    monkeypatch.setattr("seqbio.recurrent.network_model._EVALUATED_STEPS", 4)
    monkeypatch.setattr("seqbio.recurrent.network_model._EVALUATED_CELLS", 20)
    np.testing.assert_allclose(model.log_likelihood(full, data), alone, rtol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("steps", [None, 4])
def test_without_ends_probabilities_of_each_length_sum_to_one(cell, steps, generator):
    model = make_model(cell, n_outputs=2, steps=steps)
    full = generator.standard_normal(model.layout.size)
    for n in (1, 4):
        every = [np.array(letters, dtype=np.uint8) for letters in product((0, 1), repeat=n)]
        total = np.exp(model.log_likelihood(full, SequenceData(AB, every))).sum()
        assert total == pytest.approx(1, abs=1e-12)
    data = draw(generator, [4, 1, 3])
    assert check_gradient(model, full, data, seed=0, n_directions=20).passed


def test_single_precision_is_close_to_double(generator):
    single, double = make_model("gru", precision="single"), make_model("gru")
    full = generator.standard_normal(double.layout.size)
    data = draw(generator, [20, 40])
    np.testing.assert_allclose(
        single.log_likelihood(full, data), double.log_likelihood(full, data), rtol=1e-5
    )


def test_stretches_cover_every_symbol_once_and_carry_the_state(generator):
    model = make_model("lstm", truncate=4)
    full = generator.standard_normal(model.layout.size)
    data = draw(generator, [9, 12, 3])
    batches = model.batches(data, np.arange(3), 3, np.random.default_rng(0))
    assert [(batch.first, batch.stop) for batch in batches] == [(0, 4), (4, 8), (8, 12), (12, 13)]
    parts = [model.batch_loss_and_gradient(full, data, batch, None) for batch in batches]
    assert sum(part[1] for part in parts) == data.lengths.sum() + 3
    whole = -model.log_likelihood(full, data).sum()
    assert sum(part[0] for part in parts) == pytest.approx(whole, rel=1e-12)


def test_a_truncated_gradient_is_the_whole_one_where_nothing_is_cut(generator):
    data = draw(generator, [9, 12, 3])
    whole, cut = make_model("gru"), make_model("gru", truncate=13)
    full = generator.standard_normal(whole.layout.size)
    [batch] = cut.batches(data, np.arange(3), 3, np.random.default_rng(0))
    loss, _, gradient = cut.batch_loss_and_gradient(full, data, batch, None)
    total, expected = whole.log_likelihood_and_gradient(full, data)
    assert loss == pytest.approx(-total)
    np.testing.assert_allclose(gradient, -expected, rtol=1e-10, atol=1e-12)


def test_batches_hold_every_item_once_in_an_order_of_the_seed(generator):
    model = make_model("rnn")
    data = draw(generator, generator.integers(1, 30, size=50))
    runs = [
        model.batches(data, np.arange(50), 8, np.random.default_rng(seed)) for seed in (1, 1, 2)
    ]
    items = [[batch.items.tolist() for batch in batches] for batches in runs]
    assert items[0] == items[1] != items[2]
    for batches in items:
        assert sorted(item for batch in batches for item in batch) == list(range(50))


def test_class_probabilities_sum_to_one_and_belong_to_the_labels(generator):
    model = make_model("lstm", task="class", n_outputs=3)
    full = generator.standard_normal(model.layout.size)
    labels = np.array([2, 0, 1, 1])
    data = draw(generator, [5, 1, 3, 3], labels=labels)
    table = model.class_log_probabilities(full, data)
    np.testing.assert_allclose(np.exp(table).sum(axis=1), 1)
    np.testing.assert_allclose(table[np.arange(4), labels], model.log_likelihood(full, data))


def test_sequences_that_are_too_long_are_refused_by_name(generator):
    model = make_model("rnn", steps=4)
    data = draw(generator, [2, 5])
    data.names = ("the sequence at index 0 ('a')", "the sequence at index 1 ('b')")
    with pytest.raises(ParameterError, match=r"index 1 \('b'\) has 5 letters .* weights for 3;"):
        model.log_likelihood(np.zeros(model.layout.size), data)


def test_single_precision_never_says_that_it_has_converged(generator):
    settings = TrainingSettings(n_epochs=3, learning_rate=0.05)
    model = make_model("rnn", settings=settings, precision="single")
    data = draw(generator, [6] * 10)
    fitted = model.maximise(untied(model.layout.size), data, seed=0)
    assert fitted.log_likelihood == pytest.approx(model.log_likelihood(fitted.full, data).sum())
    assert not fitted.converged
    assert "near an optimum" in fitted.message


def test_double_precision_goes_on_to_the_optimum(generator, monkeypatch):
    monkeypatch.setattr("seqbio.recurrent.network_model._POLISHING_STEPS", 60)
    model = make_model("rnn", settings=TrainingSettings(n_epochs=3, learning_rate=0.05))
    data = draw(generator, [4] * 60)
    tying = untied(model.layout.size)
    fitted = model.maximise(tying, data, seed=0)
    near = train(model, tying, data, model.settings, items=np.arange(60), seed=0)
    assert fitted.log_likelihood > model.log_likelihood(near.full, data).sum() + 0.1


def test_every_start_is_climbed_from_and_a_given_one_is_not_trained_first(generator, monkeypatch):
    monkeypatch.setattr("seqbio.recurrent.network_model._POLISHING_STEPS", 40)
    model = make_model("rnn", settings=TrainingSettings(n_epochs=3, learning_rate=0.05))
    data = draw(generator, [4] * 60)
    tying = untied(model.layout.size)
    known = model.maximise(tying, data, seed=0)
    again = model.maximise(tying, data, start=known.full, n_starts=2, seed=1)
    assert len(again.optima) == len(again.optima_converged) == 2
    assert again.optima[0] >= again.optima[1]
    assert again.log_likelihood == again.optima[0] >= known.log_likelihood - 1e-9


def test_wrong_settings_are_refused():
    with pytest.raises(ParameterError, match="choose 'single' or 'double'"):
        make_model(precision="half")
    with pytest.raises(ParameterError, match=r"dropout is 1\.0"):
        make_model(dropout=1.0)
    with pytest.raises(ParameterError, match="a class is known at the end alone"):
        make_model(task="class", truncate=5)


def test_weights_beyond_memory_are_refused_before_there_are_any(monkeypatch):
    monkeypatch.setattr("seqbio.core.memory._memory", lambda: 10**6)
    architecture = Architecture("gru", 5, 5, 8, steps=100)
    with pytest.raises(ParameterError, match=r"38,900 parameters.*tie time.*--window"):
        NetworkModel(architecture, np.eye(5))
    with pytest.raises(ParameterError, match="fewer units or layers"):
        NetworkModel(Architecture("gru", 5, 5, 80), np.eye(5))
