"""Against values that PyTorch computed in float64, and against differences."""

from pathlib import Path

import numpy as np
import pytest

from seqbio.errors import ParameterError
from seqbio.neural.cells import get_cell
from seqbio.neural.cross_entropy import cross_entropy
from seqbio.neural.recurrence import (
    CellWeights,
    reversal,
    reverse,
    run_backward,
    run_forward,
)
from seqbio.recurrent.network import (
    Architecture,
    backward,
    final_states,
    forward,
    start_blocks,
)

CELLS = ["rnn", "lstm", "gru"]


VARIANTS = {
    "plain": {},
    "stacked": {"n_layers": 2},
    "embedded": {"embedding_size": 3},
    "untied": {"steps": 9, "n_layers": 2, "embedding_size": 3},
    "class": {"task": "class", "n_outputs": 3},
    "bidirectional": {"task": "class", "n_outputs": 2, "n_layers": 2, "bidirectional": True},
}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_gradient_of_the_loss_against_differences(cell, variant):
    generator = np.random.default_rng(8)
    architecture = Architecture(
        **{"cell": cell, "n_symbols": 5, "n_outputs": 5, "hidden_size": 4} | VARIANTS[variant]
    )
    blocks = {
        name: generator.standard_normal(shape) / 2
        for name, shape in architecture.layout().shapes.items()
    }
    lengths = np.array([6, 2, 4])
    membership = np.vstack([np.eye(5), [[0.5, 0.5, 0, 0, 0]]])
    codes = generator.integers(6, size=(6, 3))
    targets = generator.integers(6, size=(6, 3))
    readings = membership
    if architecture.task == "class":
        readings = np.eye(architecture.n_outputs)
        targets = generator.integers(architecture.n_outputs, size=(1, 3))

    def loss(blocks):
        logits, tape = forward(architecture, blocks, codes, lengths, membership=membership)
        valid = np.arange(6)[:, None] < lengths if architecture.task == "next" else None
        value, slopes = cross_entropy(logits, targets, readings, valid)
        return -value.sum(), slopes, tape

    _, slopes, tape = loss(blocks)
    gradient = backward(architecture, blocks, tape, slopes)
    assert list(gradient) == list(blocks)
    for name, part in gradient.items():
        direction = generator.standard_normal(part.shape)
        ends = [
            loss(blocks | {name: blocks[name] + sign * 1e-5 * direction})[0] for sign in (1, -1)
        ]
        expected = (ends[0] - ends[1]) / 2e-5
        assert (part * direction).sum() == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("cell", CELLS)
def test_padding_and_order_of_the_batch_change_nothing(cell):
    generator = np.random.default_rng(2)
    architecture = Architecture(cell, 5, 5, 4, n_layers=2)
    blocks = start_blocks(architecture, generator)
    codes, lengths = generator.integers(5, size=(7, 4)), np.array([7, 3, 5, 1])
    membership = np.eye(5)
    logits, _ = forward(architecture, blocks, codes, lengths, membership=membership)
    for column, length in enumerate(lengths):
        alone, _ = forward(
            architecture,
            blocks,
            codes[:length, [column]],
            lengths[[column]],
            membership=membership,
        )
        np.testing.assert_allclose(logits[:length, :, column], alone[:, :, 0], atol=1e-13)


@pytest.mark.parametrize("cell", CELLS)
def test_pieces_with_carried_states_and_steps_of_their_own_are_the_whole(cell):
    generator = np.random.default_rng(2)
    architecture = Architecture(cell, 5, 5, 4, n_layers=2, steps=6)
    blocks = {
        name: generator.standard_normal(shape)
        for name, shape in architecture.layout().shapes.items()
    }
    codes, lengths, membership = generator.integers(5, size=(6, 3)), np.full(3, 6), np.eye(5)
    whole, _ = forward(architecture, blocks, codes, lengths, membership=membership)
    first, tape = forward(architecture, blocks, codes[:4], lengths, membership=membership)
    second, _ = forward(
        architecture,
        blocks,
        codes[4:],
        lengths - 4,
        membership=membership,
        initial=final_states(tape, 4),
        first_step=4,
    )
    np.testing.assert_allclose(np.concatenate([first, second]), whole, atol=1e-13)
    with pytest.raises(ParameterError, match="weights for 6 steps and is asked for step 7"):
        forward(architecture, blocks, codes[:1], lengths, membership=membership, first_step=6)


def test_dropout_scales_what_it_leaves_and_repeats_with_the_seed():
    architecture = Architecture("gru", 4, 4, 50, n_layers=2)
    blocks = start_blocks(architecture, np.random.default_rng(0))
    codes, lengths = np.zeros((3, 40), dtype=int), np.full(40, 3)
    options = {"membership": np.eye(4), "dropout": 0.4}
    run = [
        forward(architecture, blocks, codes, lengths, generator=np.random.default_rng(1), **options)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(run[0][0], run[1][0])
    [mask] = run[0][1].dropped
    assert set(np.unique(mask)) == {0.0, 1 / 0.6}
    assert mask.mean() == pytest.approx(1, abs=0.03)
    without, _ = forward(architecture, blocks, codes, lengths, **options)
    assert not np.array_equal(without, run[0][0])


def test_ambiguous_targets_have_the_average_probability():
    generator = np.random.default_rng(0)
    logits = generator.standard_normal((2, 4, 3))
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    membership = np.vstack([np.eye(4), [[0.5, 0, 0.5, 0]]])
    targets = np.array([[0, 4, 3], [4, 2, 1]])
    found, _ = cross_entropy(logits.copy(), targets, membership, None)
    for step in range(2):
        for column in range(3):
            expected = membership[targets[step, column]] @ probability[step, :, column]
            assert found[step, column] == pytest.approx(np.log(expected))


def test_starts_have_orthogonal_gates_and_an_open_forget_gate():
    architecture = Architecture("lstm", 5, 5, 6, steps=3)
    blocks = start_blocks(architecture, np.random.default_rng(0))
    recurrent = blocks["layer0.forward.recurrent"]
    for gate in recurrent[2].reshape(4, 6, 6):
        np.testing.assert_allclose(gate @ gate.T, np.eye(6), atol=1e-12)
    np.testing.assert_array_equal(recurrent[0], recurrent[2])
    np.testing.assert_array_equal(blocks["layer0.forward.bias"][1], [0] * 6 + [1] * 6 + [0] * 12)


def test_wrong_architectures_are_refused():
    with pytest.raises(ParameterError, match="sees the next symbol"):
        Architecture("lstm", 5, 5, 4, bidirectional=True)
    with pytest.raises(ParameterError, match="choose one of gru, lstm, rnn"):
        Architecture("elman", 5, 5, 4)
    with pytest.raises(ParameterError, match="hidden_size is 0"):
        Architecture("gru", 5, 5, 0)


# -- PyTorch --------------------------------------------------------------------------------

REFERENCE = Path(__file__).parent / "torch_recurrent_float64.npz"


@pytest.fixture(scope="module")
def torch_values():
    with np.load(REFERENCE, allow_pickle=False) as file:
        return dict(file)


def one_bias(cell, state, suffix):
    """PyTorch's two biases of a cell as the one that matters."""
    by_input, by_recurrent = state[f"bias_ih_{suffix}"], state[f"bias_hh_{suffix}"]
    if cell != "gru":
        return by_input + by_recurrent
    n = 2 * len(by_input) // 3
    both = by_input[:n] + by_recurrent[:n]
    return np.concatenate([both, by_input[n:], by_recurrent[n:]])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("n_layers", "both"), [(1, 0), (2, 0), (2, 1)])
@pytest.mark.parametrize("kind", ["full", "ragged"])
def test_outputs_and_every_gradient_of_pytorch(torch_values, cell, n_layers, both, kind):
    prefix = f"{cell}.layers{n_layers}.bi{both}."
    given = {k.removeprefix(prefix): v for k, v in torch_values.items() if k.startswith(prefix)}
    state = {k.removeprefix("state."): v for k, v in given.items() if k.startswith("state.")}
    inputs = torch_values["input"].transpose(0, 2, 1)
    steps, _, batch = inputs.shape
    lengths = torch_values["lengths"] if kind == "ragged" else np.full(batch, steps)
    valid = (np.arange(steps)[:, None] < lengths)[:, None]
    turn = reversal(lengths, steps)
    suffixes = ["", "_reverse"] if both else [""]
    tapes = {}
    for layer in range(n_layers):
        streams = []
        for suffix in suffixes:
            name = f"l{layer}{suffix}"
            weights = CellWeights(
                state[f"weight_ih_{name}"][None],
                state[f"weight_hh_{name}"][None],
                one_bias(cell, state, name)[None],
            )
            read = reverse(inputs, turn) if suffix else inputs
            outputs, tapes[name] = run_forward(get_cell(cell), weights, read)
            streams.append(reverse(outputs, turn) if suffix else outputs)
        inputs = np.concatenate(streams, axis=1)
    outputs = (inputs * valid).transpose(0, 2, 1)
    close = {"rtol": 0, "atol": 1e-10}
    np.testing.assert_allclose(outputs, given[f"{kind}.output"], **close)

    slopes = np.linspace(-1, 1, outputs.size).reshape(outputs.shape).transpose(0, 2, 1) * valid
    hidden = slopes.shape[1] // len(suffixes)
    for layer in range(n_layers - 1, -1, -1):
        below = 0
        for index, suffix in enumerate(suffixes):
            name = f"l{layer}{suffix}"
            stream = slopes[:, index * hidden : (index + 1) * hidden]
            gradient, d_inputs, _ = run_backward(
                tapes[name], reverse(stream, turn) if suffix else stream
            )
            below = below + (reverse(d_inputs, turn) if suffix else d_inputs)
            wanted = f"{kind}.grad."
            np.testing.assert_allclose(
                gradient.input[0], given[f"{wanted}weight_ih_{name}"], **close
            )
            np.testing.assert_allclose(
                gradient.recurrent[0], given[f"{wanted}weight_hh_{name}"], **close
            )
            by_input, by_recurrent = (given[f"{wanted}bias_{part}_{name}"] for part in ("ih", "hh"))
            bias = gradient.bias[0]
            np.testing.assert_allclose(bias[: by_input.size], by_input, **close)
            if cell == "gru":
                np.testing.assert_allclose(
                    bias[by_input.size :], by_recurrent[2 * hidden :], **close
                )
        slopes = below
    np.testing.assert_allclose(slopes.transpose(0, 2, 1), given[f"{kind}.grad.input"], **close)
