import numpy as np
import pytest

from seqbio.errors import ParameterError
from seqbio.neural.cells import get_cell
from seqbio.neural.recurrence import run_forward, state_at
from seqbio.recurrent import RecurrentModel
from seqbio.recurrent.gradient_flow import step_jacobian
from tests.neural.test_recurrence import draw_weights

CELLS = ["rnn", "lstm", "gru"]


@pytest.mark.parametrize("cell", CELLS)
def test_the_step_jacobian_against_differences(cell):
    generator = np.random.default_rng(0)
    weights = draw_weights(get_cell(cell), generator)
    states = 2 if cell == "lstm" else 1
    inputs, before = generator.standard_normal((3, 1)), generator.standard_normal((states, 4, 1))

    def after(before):
        _, tape = run_forward(get_cell(cell), weights, inputs[None], before)
        return state_at(tape, np.array([1])).ravel()

    jacobian = step_jacobian(get_cell(cell), weights, inputs, before)
    for column in range(4 * states):
        move = 1e-6 * (np.arange(4 * states) == column).reshape(before.shape)
        difference = (after(before + move) - after(before - move)) / 2e-6
        np.testing.assert_allclose(jacobian[:, column], difference, atol=1e-8)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("task", ["next", "class"])
def test_the_flow_is_the_product_of_step_jacobians(cell, task):
    """For one sequence of which one place alone is far enough from the start."""
    model = RecurrentModel(cell=cell, hidden_size=3, task=task, precision="double", seed=2)
    labels = ["a", "b"] if task == "class" else None
    model.initialise(["ACGTA", "ACC"], labels)
    lag = 5 if task == "next" else 4
    flow = model.gradient_flow(
        ["ACGTA"], labels[:1] if labels else None, longest_lag=lag, n_places=2, seed=0
    )
    network, full = model._fitted()
    blocks = network.blocks(full)
    from seqbio.neural.recurrence import CellWeights

    weights = CellWeights(*(blocks[f"layer0.forward.{part}"] for part in CellWeights._fields))
    codes = np.array([4, 0, 1, 2, 3, 0]) if task == "next" else np.array([0, 1, 2, 3, 0])
    target = 4 if task == "next" else 0
    outputs, tape = run_forward(get_cell(cell), weights, codes[:, None])
    last = outputs[-1, :, 0]
    scores = blocks["readout.weight"][0] @ last + blocks["readout.bias"][0]
    slopes = np.exp(scores) / np.exp(scores).sum() - (np.arange(scores.size) == target)
    states = 2 if cell == "lstm" else 1
    row = np.zeros(3 * states)
    row[:3] = slopes @ blocks["readout.weight"][0]
    expected = [np.linalg.norm(row)]
    for step in range(len(codes) - 1, 0, -1):
        one_hot = np.eye(5)[:, [codes[step]]]
        before = state_at(tape, np.array([step]))
        row = row @ step_jacobian(get_cell(cell), weights, one_hot, before)
        expected.append(np.linalg.norm(row))
    np.testing.assert_allclose(flow.norms, [expected[: lag + 1]] * 2, rtol=1e-10)
    np.testing.assert_array_equal(flow.median, flow.norms[0])
    assert "d state(t - lag) at 2 places" in str(flow)


def test_singular_values_are_those_of_drawn_places():
    model = RecurrentModel(cell="gru", hidden_size=4, seed=0).initialise(["ACGT"])
    values = model.step_singular_values(["ACGTACGT", "AAA"], n_places=5, seed=0)
    assert values.shape == (5, 4)
    assert (np.diff(values, axis=1) <= 0).all()
    assert (values > 0).all()


def test_what_cannot_be_measured_is_refused():
    model = RecurrentModel(hidden_size=3, seed=0).initialise(["ACGT"])
    with pytest.raises(ParameterError, match=r"with 50 steps before it \(the longest has 4\)"):
        model.gradient_flow(["ACGT"])
    both = RecurrentModel(hidden_size=3, task="class", bidirectional=True, seed=0)
    both.initialise(["ACGT", "AC"], [0, 1])
    with pytest.raises(ParameterError, match="bidirectional"):
        both.gradient_flow(["ACGT"], [0], longest_lag=2)
