import numpy as np
import pytest

from seqbio.errors import ParameterError
from seqbio.neural.cells import CELLS, get_cell
from seqbio.neural.recurrence import (
    CellWeights,
    reversal,
    reverse,
    run_backward,
    run_forward,
    state_at,
)
from seqbio.neural.recurrence_kernels import tanh
from seqbio.neural.workspace import Workspace
from tests.reference import recurrent as plain

each_cell = pytest.mark.parametrize("cell", [get_cell(name) for name in CELLS], ids=CELLS)
STEPS, FEATURES, HIDDEN, BATCH = 5, 3, 4, 6


def draw_weights(cell, generator, lengths=(1, 1, 1), features=FEATURES, hidden=HIDDEN):
    rows = len(cell.gates) * hidden
    return CellWeights(
        generator.standard_normal((lengths[0], rows, features)),
        generator.standard_normal((lengths[1], rows, hidden)),
        generator.standard_normal((lengths[2], cell.n_biases * hidden)),
    )


def whole(weights, steps=STEPS):
    """Repeat every part to the full length of its time axis."""
    return CellWeights(*(np.broadcast_to(w, (steps, *w.shape[1:])).copy() for w in weights))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tanh_is_right_to_a_few_units_in_the_last_place(dtype):
    limits = np.finfo(dtype)
    x = np.concatenate([np.geomspace(1e3 * limits.tiny, 100, 5000), [0, np.inf, limits.max]])
    x = np.concatenate([x, -x]).astype(dtype)
    values = np.array([tanh(number) for number in x])
    np.testing.assert_allclose(values, np.tanh(x.astype(float)), rtol=4 * limits.eps, atol=0)
    np.testing.assert_array_equal(values[: len(x) // 2], -values[len(x) // 2 :])
    assert np.isnan(tanh(dtype(np.nan)))


@pytest.fixture
def generator():
    return np.random.default_rng(3)


@each_cell
@pytest.mark.parametrize("lengths", [(1, 1, 1), (STEPS, 1, 1), (1, STEPS, 1), (STEPS,) * 3])
def test_values_of_the_plain_loop(cell, lengths, generator):
    weights = draw_weights(cell, generator, lengths)
    inputs = generator.standard_normal((STEPS, FEATURES, BATCH))
    initial = generator.standard_normal((len(cell.states), HIDDEN, BATCH))
    outputs, tape = run_forward(cell, weights, inputs, initial)
    by_step = list(zip(*whole(weights), strict=True))
    for column in range(BATCH):
        states = plain.run(cell.name, by_step, inputs[:, :, column], initial[:, :, column])
        np.testing.assert_allclose(outputs[:, :, column], [s[0] for s in states], rtol=1e-12)
        np.testing.assert_allclose(
            state_at(tape, np.full(BATCH, STEPS))[:, :, column], states[-1], rtol=1e-12
        )


@each_cell
@pytest.mark.parametrize("lengths", [(1, 1, 1), (1, STEPS, 1), (STEPS,) * 3])
def test_every_gradient_against_differences(cell, lengths, generator):
    parts = [*draw_weights(cell, generator, lengths)]
    parts.append(generator.standard_normal((STEPS, FEATURES, BATCH)))
    parts.append(generator.standard_normal((len(cell.states), HIDDEN, BATCH)))
    d_outputs = generator.standard_normal((STEPS, HIDDEN, BATCH))
    d_final = generator.standard_normal((len(cell.states), HIDDEN, BATCH))

    def scalar(parts):
        outputs, tape = run_forward(cell, CellWeights(*parts[:3]), parts[3], parts[4])
        final = state_at(tape, np.full(BATCH, STEPS))
        return (outputs * d_outputs).sum() + (final * d_final).sum()

    _, tape = run_forward(cell, CellWeights(*parts[:3]), parts[3], parts[4])
    gradient, d_inputs, d_initial = run_backward(tape, d_outputs, d_final)
    for index, slope in enumerate([*gradient, d_inputs, d_initial]):
        assert slope.shape == parts[index].shape
        direction = generator.standard_normal(slope.shape)
        ends = []
        for sign in (1, -1):
            moved = [part.copy() for part in parts]
            moved[index] += sign * 1e-6 * direction
            ends.append(scalar(moved))
        assert (slope * direction).sum() == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=2e-6)


@each_cell
def test_the_tied_time_axis_is_the_untied_one_on_equal_weights(cell, generator):
    weights = draw_weights(cell, generator)
    inputs = generator.standard_normal((STEPS, FEATURES, BATCH))
    d_outputs = generator.standard_normal((STEPS, HIDDEN, BATCH))
    outputs, tape = run_forward(cell, weights, inputs)
    long_outputs, long_tape = run_forward(cell, whole(weights), inputs)
    np.testing.assert_allclose(outputs, long_outputs, rtol=1e-13)
    gradient, d_inputs, _ = run_backward(tape, d_outputs)
    long_gradient, long_d_inputs, _ = run_backward(long_tape, d_outputs)
    np.testing.assert_allclose(d_inputs, long_d_inputs, rtol=1e-11, atol=1e-13)
    for part, long_part in zip(gradient, long_gradient, strict=True):
        assert long_part.shape[0] == STEPS
        np.testing.assert_allclose(part[0], long_part.sum(axis=0), rtol=1e-11, atol=1e-13)


@each_cell
def test_pieces_with_carried_state_are_the_whole(cell, generator):
    weights = draw_weights(cell, generator)
    inputs = generator.standard_normal((STEPS, FEATURES, BATCH))
    outputs, _ = run_forward(cell, weights, inputs)
    workspace = Workspace()
    outputs = outputs.copy()
    first, tape = run_forward(cell, weights, inputs[:2], workspace=workspace)
    first, carried = first.copy(), state_at(tape, np.full(BATCH, 2))
    second, _ = run_forward(cell, weights, inputs[2:], carried, workspace=workspace)
    np.testing.assert_allclose(np.concatenate([first, second]), outputs, rtol=1e-12)


@each_cell
def test_codes_are_one_hot_columns(cell, generator):
    weights = draw_weights(cell, generator)
    codes = generator.integers(FEATURES, size=(STEPS, BATCH))
    one_hot = np.eye(FEATURES)[codes].transpose(0, 2, 1)
    np.testing.assert_array_equal(
        run_forward(cell, weights, codes)[0], run_forward(cell, weights, one_hot)[0]
    )


@each_cell
def test_the_type_follows_the_weights(cell, generator):
    weights = draw_weights(cell, generator)
    single = CellWeights(*(part.astype(np.float32) for part in weights))
    inputs = generator.standard_normal((STEPS, FEATURES, BATCH))
    d_outputs = np.ones((STEPS, HIDDEN, BATCH))
    outputs, tape = run_forward(cell, single, inputs)
    gradient, d_inputs, d_initial = run_backward(tape, d_outputs.astype(np.float32))
    assert {a.dtype for a in (outputs, d_inputs, d_initial, *gradient)} == {np.dtype(np.float32)}
    np.testing.assert_allclose(outputs, run_forward(cell, weights, inputs)[0], atol=1e-5)


@each_cell
def test_recorded_states_are_derivatives_by_the_state_before_each_step(cell, generator):
    weights = draw_weights(cell, generator)
    inputs = generator.standard_normal((STEPS, FEATURES, BATCH))
    d_outputs = np.zeros((STEPS, HIDDEN, BATCH))
    d_outputs[-1] = 1
    _, tape = run_forward(cell, weights, inputs)
    recorded = run_backward(tape, d_outputs, record=True)[2]
    for step in range(STEPS):
        _, tape = run_forward(cell, weights, inputs)
        before = state_at(tape, np.full(BATCH, step))
        _, tape = run_forward(cell, weights, inputs[step:], before)
        np.testing.assert_allclose(recorded[step], run_backward(tape, d_outputs[step:])[2])


def test_a_reversal_is_its_own_inverse_and_leaves_the_padding(generator):
    lengths = np.array([5, 1, 3])
    values = generator.standard_normal((5, 2, 3))
    index = reversal(lengths, 5)
    once = reverse(values, index)
    np.testing.assert_array_equal(once[:, :, 2], values[[2, 1, 0, 3, 4], :, 2])
    np.testing.assert_array_equal(reverse(once, index), values)


def test_shapes_that_do_not_fit_are_refused(generator):
    lstm = get_cell("lstm")
    weights = draw_weights(lstm, generator, (4, 1, 1))
    inputs = generator.standard_normal((STEPS, FEATURES, BATCH))
    with pytest.raises(ParameterError, match=r"input weights of the lstm have shape \(4, 16, 3\)"):
        run_forward(lstm, weights, inputs)
    with pytest.raises(ParameterError, match=r"initial state has shape .*make it \(2, 4, 6\)"):
        run_forward(
            get_cell("lstm"), draw_weights(get_cell("lstm"), generator), inputs, np.zeros((1, 4, 6))
        )
