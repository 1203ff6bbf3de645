"""Dense layers, embeddings, dropout and first weights: values and gradients."""

from __future__ import annotations

import numpy as np
import pytest

from seqbio.errors import ParameterError
from seqbio.neural.cells import CELLS, get_cell
from seqbio.neural.dense import dense, dense_gradient
from seqbio.neural.dropout import dropout_mask
from seqbio.neural.embedding import embed, embedding_gradient
from seqbio.neural.initial_weights import glorot, orthogonal


@pytest.fixture
def generator():
    return np.random.default_rng(6)


@pytest.mark.parametrize("lengths", [(1, 1), (1, 4), (4, 1), (4, 4)])
def test_a_dense_layer_at_every_step(lengths, generator):
    """Outputs are linear in each part, so one inner product checks all of its derivatives."""
    weight = generator.normal(size=(lengths[0], 2, 3))
    bias = generator.normal(size=(lengths[1], 2))
    inputs, slope = generator.normal(size=(4, 3, 5)), generator.normal(size=(4, 2, 5))
    outputs = dense(weight, bias, inputs)
    for step in range(4):
        expected = weight[step % len(weight)] @ inputs[step] + bias[step % len(bias)][:, None]
        np.testing.assert_allclose(outputs[step], expected, atol=1e-14)
    by_weight, by_bias, by_inputs = dense_gradient(weight, bias, inputs, slope)
    assert (by_weight.shape, by_bias.shape) == (weight.shape, bias.shape)
    of_weight = (slope * dense(weight, 0 * bias, inputs)).sum()
    assert (by_weight * weight).sum() == pytest.approx(of_weight)
    assert (by_inputs * inputs).sum() == pytest.approx(of_weight)
    assert (by_bias * bias).sum() == pytest.approx((slope * outputs).sum() - of_weight)


def test_an_embedding_and_its_gradient(generator):
    membership = np.vstack([np.eye(3), [[0.5, 0.5, 0.0]]])
    table, codes = generator.normal(size=(3, 2)), generator.integers(4, size=(6, 5))
    vectors = embed(codes, membership, table)
    both = (table[0] + table[1]) / 2
    for step, column in np.ndindex(codes.shape):
        expected = both if codes[step, column] == 3 else table[codes[step, column]]
        np.testing.assert_allclose(vectors[step, :, column], expected)
    slope = generator.normal(size=vectors.shape)
    gradient = embedding_gradient(codes, membership, slope)
    assert (gradient * table).sum() == pytest.approx((slope * vectors).sum())


def test_dropout_keeps_means(generator):
    mask = dropout_mask((200, 100), 0.25, generator, np.dtype(np.float32))
    assert mask.dtype == np.float32
    np.testing.assert_allclose(np.unique(mask), [0, 4 / 3], rtol=1e-6)
    assert mask.mean() == pytest.approx(1, abs=0.02)
    assert dropout_mask((2, 2), 0.0, generator, np.dtype(float)) is None
    assert dropout_mask((2, 2), 0.5, None, np.dtype(float)) is None


def test_first_weights(generator):
    weights = glorot(generator, (300, 100), 300)
    assert weights.var() == pytest.approx(2 / 400, rel=0.05)
    for matrix in orthogonal(generator, 3, 5):
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(5), atol=1e-14)
    np.testing.assert_array_equal(get_cell("lstm").start_bias(2), [0, 0, 1, 1, 0, 0, 0, 0])
    assert get_cell("gru").start_bias(2).tolist() == [0.0] * 8


def test_a_cell_goes_by_the_name_of_its_module():
    assert {name: get_cell(name).name for name in CELLS} == {name: name for name in CELLS}
    with pytest.raises(ParameterError, match=r"no cell 'lsm' .did you mean 'lstm'.*gru, lstm, rnn"):
        get_cell("lsm")
