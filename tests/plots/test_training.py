"""Figures of networks show their history and their gradients."""

from __future__ import annotations

import numpy as np
import pytest

import seqbio
from seqbio import plots
from seqbio.errors import ParameterError
from seqbio.recurrent.gradient_flow import GradientFlow
from tests.plots.artists import labelled, xy

RECORDS = ["ACGACGACGACG", "ACGACGACG", "ACGACG", "ACGACGACGACGACG"] * 3


def test_the_loss_of_each_pass_of_the_start_that_was_kept():
    model = seqbio.RecurrentModel(
        cell="rnn",
        hidden_size=4,
        n_epochs=5,
        learning_rate=0.1,
        n_starts=2,
        validation_fraction=0.3,
        seed=1,
    ).fit([f"{record}{'ACGT'[i % 4]}" for i, record in enumerate(RECORDS)])
    axes = plots.training_curves(model)
    training = model.training_
    kept = [each for each in training.history if each.start == training.start]
    epochs, losses = xy(labelled(axes, "training"))
    assert epochs.tolist() == [1, 2, 3, 4, 5]
    assert losses.tolist() == [each.loss for each in kept]
    held_out = xy(labelled(axes, "validation"))[1]
    assert held_out.tolist() == [each.validation_loss for each in kept]
    epoch, loss = xy(labelled(axes, "parameters kept"))
    assert (epoch[0], loss[0]) == (training.epoch, training.loss)
    assert axes.get_ylabel() == "Loss (nats per symbol)"


def test_without_validation_the_last_pass_is_kept():
    generator = np.random.default_rng(1)
    sequences = ["".join(generator.choice(list("ACGT"), 20)) for _ in range(20)]
    detector = seqbio.MotifDetector(n_motifs=1, width=4, n_epochs=3, validation_fraction=0, seed=1)
    axes = plots.training_curves(detector.fit(sequences, [0, 1] * 10))
    assert xy(labelled(axes, "parameters kept"))[0].tolist() == [3]
    assert axes.get_legend_handles_labels()[1] == ["training, as met", "parameters kept"]
    assert axes.get_ylabel() == "Loss (nats per sequence)"


def test_a_model_without_history_is_refused():
    with pytest.raises(ParameterError, match="no history"):
        plots.training_curves(seqbio.MotifDetector())


def test_gradients_are_medians_relative_to_lag_0_with_half_of_the_places():
    norms = np.array([[4.0, 2.0, 1.0], [2.0, 0.5, 0.1], [3.0, 1.5, 0.6], [3.5, 1.0, 0.2]])
    flow = GradientFlow(np.arange(3), norms)
    axes = plots.gradient_flow({"gru": flow, "lstm": GradientFlow(np.arange(3), 2 * norms)})
    for name in ("gru", "lstm"):
        lags, heights = xy(labelled(axes, name))
        assert lags.tolist() == [0, 1, 2]
        assert heights == pytest.approx(flow.median / flow.median[0])
    band = axes.collections[0].get_paths()[0].vertices
    at_last = band[band[:, 0] == 2, 1]
    expected = np.quantile(norms[:, 2], [0.25, 0.75]) / flow.median[0]
    assert [at_last.min(), at_last.max()] == pytest.approx(expected)
    assert axes.get_yscale() == "log"
    assert axes.get_legend() is not None
    assert plots.gradient_flow(flow).get_legend() is None


def test_more_flows_than_styles_are_refused():
    flow = GradientFlow(np.arange(2), np.ones((1, 2)))
    with pytest.raises(ParameterError, match="give 1 to 5"):
        plots.gradient_flow({str(number): flow for number in range(6)})
