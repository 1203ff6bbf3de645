"""Kernels against plain loops, PyTorch's numbers, and the symmetries that they must have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.neural import filters, pooling
from seqbio.neural.filters import Letters
from seqbio.sequences import DNA, RNA
from tests.reference import motif as reference

# Made with torch.nn.functional.conv1d of PyTorch 2.13.0 in float64; gradients are those of
# sum(output * w), w = linspace(-1, 1, output.size) in the shape of output.
PYTORCH = Path(__file__).resolve().parent.parent / "reference" / "torch_conv1d_float64.npz"

sizes = st.tuples(
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from([1, 2, 3, 5, 12]),
    st.integers(0, 6),
    st.integers(1, 4),
)


def example(sizes, seed, n_places=None):
    """Random filters and shares of letters: n, filters, width, further windows, letters."""
    n, n_filters, width, more, n_letters = sizes
    generator = np.random.default_rng(seed)
    places = more + 1 if n_places is None else n_places
    weights = generator.normal(size=(places, n_filters, n_letters, width))
    bias = generator.normal(size=(places, n_filters))
    sequences = generator.normal(size=(n, width + more, n_letters))
    return weights, bias, sequences, generator


def coded(sequences):
    """Write shares of letters (N, L, A) as the kernels take them: a code for every place."""
    n, length, n_letters = sequences.shape
    codes = np.arange(n * length, dtype=np.uint8).reshape(n, length)
    return Letters(codes, sequences.reshape(-1, n_letters))


@pytest.mark.parametrize("n_places", [1, None], ids=["tied", "untied"])
@given(sizes=sizes, seed=st.integers(0, 99))
def test_scores_are_those_of_plain_loops(n_places, sizes, seed):
    weights, bias, sequences, _ = example(sizes, seed, n_places)
    expected = [reference.all_scores(weights, bias, letters) for letters in sequences]
    scores = filters.window_scores(weights, bias, coded(sequences))
    np.testing.assert_allclose(scores, expected, atol=1e-12)


@given(sizes=sizes, seed=st.integers(0, 99))
def test_the_convolution_is_the_locally_connected_kernel_on_repeated_filters(sizes, seed):
    weights, bias, shares, generator = example(sizes, seed, n_places=1)
    n_positions, sequences = sizes[3] + 1, coded(shares)
    copies, bias_copies = np.repeat(weights, n_positions, 0), np.repeat(bias, n_positions, 0)
    scores = filters.window_scores(weights, bias, sequences)
    np.testing.assert_allclose(
        filters.window_scores(copies, bias_copies, sequences), scores, atol=1e-12
    )
    slope = generator.normal(size=scores.shape)
    fast = filters.filter_gradient(weights.shape, sequences, slope)
    slow = filters.filter_gradient(copies.shape, sequences, slope)
    for one, other in zip(fast, slow, strict=True):
        np.testing.assert_allclose(other.sum(axis=0), one[0], atol=1e-11)

    n_windows = np.full(len(shares), n_positions)
    best, position = filters.best_windows(weights, bias, sequences, n_windows)
    again, position_again = filters.best_windows(copies, bias_copies, sequences, n_windows)
    np.testing.assert_allclose(again, best, atol=1e-12)
    np.testing.assert_array_equal(position_again, position)
    slope = generator.normal(size=best.shape)
    fast = filters.best_windows_gradient(weights.shape, sequences, position, slope)
    slow = filters.best_windows_gradient(copies.shape, sequences, position, slope)
    for one, other in zip(fast, slow, strict=True):
        np.testing.assert_allclose(other.sum(axis=0), one[0], atol=1e-12)


@given(sizes=sizes, seed=st.integers(0, 99))
def test_best_windows_and_their_gradient_are_those_of_all_scores(sizes, seed):
    weights, bias, shares, generator = example(sizes, seed)
    n_positions, sequences = sizes[3] + 1, coded(shares)
    n_windows = generator.integers(1, n_positions + 1, len(shares))
    best, position = filters.best_windows(weights, bias, sequences, n_windows)
    scores = filters.window_scores(weights, bias, sequences)
    places = np.arange(n_positions)
    visible = np.where(places < n_windows[:, None, None], scores, -np.inf)
    np.testing.assert_array_equal(best, visible.max(axis=2))
    np.testing.assert_array_equal(position, visible.argmax(axis=2))
    slope = generator.normal(size=best.shape)
    dense = slope[:, :, None] * (places == position[:, :, None])
    sparse = filters.best_windows_gradient(weights.shape, sequences, position, slope)
    for one, other in zip(
        sparse, filters.filter_gradient(weights.shape, sequences, dense), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-12)


@given(sizes=sizes, seed=st.integers(0, 99))
def test_the_gradient_is_the_adjoint_of_the_scores(sizes, seed):
    """Scores are linear in the filters, so one inner product checks all entries."""
    weights, bias, shares, generator = example(sizes, seed)
    scores = filters.window_scores(weights, bias, coded(shares))
    slope = generator.normal(size=scores.shape)
    into_weights, into_bias = filters.filter_gradient(weights.shape, coded(shares), slope)
    product = (into_weights * weights).sum() + (into_bias * bias).sum()
    np.testing.assert_allclose(product, (slope * scores).sum(), atol=1e-9)


@given(sizes=sizes, seed=st.integers(0, 99), n_scores=st.sampled_from([1, 2]))
def test_log_mean_exp_over_windows_and_strands(sizes, seed, n_scores):
    weights, bias, shares, generator = example(sizes, seed)
    scores = filters.window_scores(weights, bias, coded(shares))
    scores = np.concatenate([scores] * n_scores, axis=1) * 30
    n_windows = generator.integers(1, scores.shape[2] + 1, len(shares))
    pooled, share = pooling.pool_log_mean_exp(scores, n_windows, n_scores)
    for item, count in enumerate(n_windows):
        for motif in range(pooled.shape[1]):
            rows = scores[item, motif * n_scores : (motif + 1) * n_scores, :count]
            np.testing.assert_allclose(
                pooled[item, motif], reference.pool(list(rows.ravel()), "logsumexp"), rtol=1e-12
            )
    np.testing.assert_allclose(share.sum(axis=(1, 2)), pooled.shape[1])
    assert not share[:, :, -1][n_windows < scores.shape[2]].any()


@pytest.mark.parametrize("name", ["k1.w1.l6", "k2.w6.l6", "k3.w5.l17"])
def test_values_and_gradients_are_pytorchs(name):
    numbers = np.load(PYTORCH)
    weights = numbers[f"{name}.weight"][None]
    sequences = coded(np.ascontiguousarray(numbers[f"{name}.input"].transpose(0, 2, 1)))
    scores = filters.window_scores(weights, numbers[f"{name}.bias"][None], sequences)
    output = numbers[f"{name}.output"]
    np.testing.assert_allclose(scores, output, rtol=0, atol=1e-14)
    slope = np.linspace(-1, 1, output.size).reshape(output.shape)
    into = filters.filter_gradient(weights.shape, sequences, slope)
    np.testing.assert_allclose(into[0][0], numbers[f"{name}.grad.weight"], rtol=0, atol=1e-13)
    np.testing.assert_allclose(into[1][0], numbers[f"{name}.grad.bias"], rtol=0, atol=1e-13)


@given(sizes=sizes, seed=st.integers(0, 99), shift=st.integers(1, 5))
def test_shifted_letters_have_shifted_scores(sizes, seed, shift):
    weights, bias, sequences, generator = example(sizes, seed, n_places=1)
    before = generator.normal(size=(len(sequences), shift, sequences.shape[2]))
    shifted = np.concatenate([before, sequences], axis=1)
    np.testing.assert_allclose(
        filters.window_scores(weights, bias, coded(shifted))[:, :, shift:],
        filters.window_scores(weights, bias, coded(sequences)),
        atol=1e-12,
    )


@pytest.mark.parametrize("alphabet", [DNA, RNA], ids=["dna", "rna"])
@given(
    codes=st.lists(st.integers(0, 14), min_size=5, max_size=20),
    seed=st.integers(0, 99),
    width=st.integers(1, 5),
)
def test_the_other_strand_has_flipped_scores(alphabet, codes, seed, width):
    codes = np.array(codes, dtype=np.uint8)
    weights = np.random.default_rng(seed).normal(size=(1, 3, 4, width))
    other = weights[:, :, alphabet.complement[:4], ::-1]
    bias = np.zeros((1, 3))
    forward = filters.window_scores(weights, bias, Letters(codes[None], alphabet.membership))
    turned = Letters(alphabet.reverse_complement(codes)[None], alphabet.membership)
    backward = filters.window_scores(other, bias, turned)
    np.testing.assert_allclose(backward[:, :, ::-1], forward, rtol=0, atol=1e-12)
