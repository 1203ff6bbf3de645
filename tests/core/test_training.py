import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqbio.core import Layout, Tying, equal, untied
from seqbio.core.optimizers import Adam, clip_by_norm
from seqbio.core.training import (
    TrainingSettings,
    grouped_split,
    index_batches,
    mean_loss,
    race,
    train,
)
from seqbio.core.training_state import TrainingState
from seqbio.errors import (
    ConvergenceError,
    DataMismatchError,
    ParameterError,
    TooFewItemsError,
    TyingError,
)


class Regression:
    """Least squares with noise on the gradient, as dropout would make it."""

    layout = Layout({"weights": (3,)})

    def random_start(self, generator):
        return generator.standard_normal(3)

    def batches(self, data, items, batch_size, generator):
        return index_batches(items, batch_size, generator)

    def batch_loss(self, full, data, batch):
        x, y = data
        return ((y[batch] - x[batch] @ full) ** 2).sum() / 2, len(batch)

    def batch_loss_and_gradient(self, full, data, batch, generator):
        x, y = data
        noise = 0.01 * generator.standard_normal(3)
        gradient = -x[batch].T @ (y[batch] - x[batch] @ full) + noise
        return *self.batch_loss(full, data, batch), gradient


@pytest.fixture
def data():
    generator = np.random.default_rng(5)
    x = generator.standard_normal((60, 3))
    return x, x @ np.array([1.0, 1.0, -2.0]) + 0.1 * generator.standard_normal(60)


ITEMS, HELD_OUT = np.arange(50), np.arange(50, 60)


def plain_adam(x, gradients, rate, decay):
    """Algorithm 1 of Kingma and Ba, a number at a time, with decoupled decay."""
    first, second, path = [0.0] * len(x), [0.0] * len(x), []
    for t, gradient in enumerate(gradients, start=1):
        x = list(x)
        for i, slope in enumerate(gradient):
            first[i] = 0.9 * first[i] + 0.1 * slope
            second[i] = 0.999 * second[i] + 0.001 * slope**2
            mean, square = first[i] / (1 - 0.9**t), second[i] / (1 - 0.999**t)
            x[i] = x[i] - rate * decay * x[i] - rate * mean / (square**0.5 + 1e-8)
        path.append(x)
    return path


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_adam_against_the_formula(decay):
    gradients = np.random.default_rng(1).standard_normal((20, 4))
    adam, x = Adam(4, weight_decay=decay), np.arange(4.0)
    for gradient, expected in zip(
        gradients, plain_adam(np.arange(4.0), gradients, 0.1, decay), strict=True
    ):
        x = adam.step(x, gradient, learning_rate=0.1)
        np.testing.assert_allclose(x, expected, rtol=1e-10, atol=1e-12)


def test_adam_goes_on_from_its_state_bit_for_bit():
    gradients = np.random.default_rng(1).standard_normal((9, 4))
    adam, x = Adam(4), np.ones(4)
    for index, gradient in enumerate(gradients):
        if index == 4:
            other, y = Adam(4), x
            other.set_state(adam.state())
        if index >= 4:
            y = other.step(y, gradient, learning_rate=0.1)
        x = adam.step(x, gradient, learning_rate=0.1)
    np.testing.assert_array_equal(x, y)
    with pytest.raises(ParameterError, match="4 parameters and this optimiser of 5"):
        Adam(5).set_state(adam.state())


@pytest.mark.parametrize(
    "wrong", [{"weight_decay": -1.0}, {"decay_first": 1.0}, {"epsilon": 0.0}], ids=str
)
def test_adam_refuses_numbers_out_of_range(wrong):
    with pytest.raises(ParameterError, match="give n and weight_decay"):
        Adam(2, **wrong)


def test_clipping_keeps_the_direction_and_leaves_short_gradients_alone():
    gradient = np.array([3.0, 4.0])
    short, norm = clip_by_norm(gradient, 5.0)
    assert short is gradient
    assert norm == 5.0
    clipped, norm = clip_by_norm(gradient, 0.5)
    np.testing.assert_allclose(clipped, [0.3, 0.4])
    assert norm == 5.0
    with pytest.raises(ConvergenceError, match="epoch 2, batch 7: the norm of the gradient is inf"):
        clip_by_norm(np.array([np.inf, 0]), 1.0, where="epoch 2, batch 7")


def test_training_reaches_the_least_squares_solution_through_the_tying(data):
    settings = TrainingSettings(n_epochs=60, batch_size=10, learning_rate=0.1, schedule="cosine")
    result = train(Regression(), equal(3, [0, 1]), data, settings, items=ITEMS, seed=1)
    x, y = data[0][:50], data[1][:50]
    tied = np.linalg.lstsq(np.stack([x[:, 0] + x[:, 1], x[:, 2]], axis=1), y, rcond=None)[0]
    np.testing.assert_allclose(result.free, tied, atol=0.01)
    np.testing.assert_array_equal(result.full, result.free[[0, 0, 1]])
    assert result.n_evaluations == 60 * 5
    assert [record.epoch for record in result.history] == list(range(1, 61))
    assert result.loss == result.history[-1].loss
    assert result.history[0].learning_rate == pytest.approx(0.1, rel=1e-3)
    assert 0 < result.history[-1].learning_rate < 1e-3


def test_same_seed_same_numbers_and_another_seed_others(data):
    runs = [
        train(Regression(), untied(3), data, TrainingSettings(n_epochs=2), items=ITEMS, seed=seed)
        for seed in (3, 3, 4)
    ]
    np.testing.assert_array_equal(runs[0].free, runs[1].free)
    assert not np.array_equal(runs[0].free, runs[2].free)


@pytest.mark.parametrize("after", [1, 4, 7, 8, 12])
def test_a_resumed_training_continues_bit_for_bit(data, after):
    settings = TrainingSettings(
        n_epochs=5, batch_size=7, learning_rate=0.2, schedule="cosine", weight_decay=0.01, clip=3.0
    )
    saved = []

    def save(state):
        file = io.BytesIO()
        np.savez(file, **state.arrays())
        saved.append(file)

    def run(**options):
        return train(
            Regression(),
            untied(3),
            data,
            settings,
            items=ITEMS,
            validation=HELD_OUT,
            n_starts=3,
            seed=2,
            **options,
        )

    whole = run(callbacks=[save])
    saved[after - 1].seek(0)
    with np.load(saved[after - 1], allow_pickle=False) as file:
        state = TrainingState.from_arrays(file)
    resumed = run(resume=state)
    np.testing.assert_array_equal(whole.free, resumed.free)
    assert whole.history == resumed.history
    assert (whole.loss, whole.start, whole.epoch) == (resumed.loss, resumed.start, resumed.epoch)
    assert whole.n_evaluations == resumed.n_evaluations == 3 * 5 * 8


def test_a_state_that_a_callback_kept_can_be_gone_on_from_twice(data):
    settings = TrainingSettings(n_epochs=6, batch_size=7, learning_rate=0.5)
    kept = []

    def stop(state):
        kept.append(state)
        return state.epoch == 2

    def run(**options):
        return train(Regression(), untied(3), data, settings, items=ITEMS, seed=2, **options)

    whole = run()
    run(callbacks=[stop])
    for _ in range(2):
        resumed = run(resume=kept[-1])
        np.testing.assert_array_equal(whole.free, resumed.free)
        assert whole.history == resumed.history
        assert (whole.loss, whole.epoch) == (resumed.loss, resumed.epoch) == (whole.loss, 6)


def test_other_data_settings_items_or_seeds_do_not_go_on(data):
    settings = TrainingSettings(n_epochs=2, batch_size=7)
    kept = []

    free = untied(3)

    def run(data=data, settings=settings, tying=free, items=ITEMS, **options):
        return train(Regression(), tying, data, settings, items=items, **{"seed": 2} | options)

    run(callbacks=[kept.append])
    for changed, name in (
        ({"data": (data[0], data[1] + 1)}, "data"),
        ({"settings": replace(settings, learning_rate=0.5)}, "learning_rate is 0.01 there and 0.5"),
        ({"items": ITEMS[1:]}, "items to train on"),
        ({"validation": HELD_OUT}, "items to validate on"),
        ({"tying": equal(3, [0, 1])}, "tying"),
        ({"start": np.zeros(3)}, "weights to begin from"),
        ({"n_starts": 2}, "n_starts is 1 there and 2 now"),
        ({"seed": np.random.default_rng(2)}, "seed is 2 there and"),
        ({"identity": {"dropout": 0.5}}, "dropout is not a setting there and 0.5 now"),
    ):
        with pytest.raises(DataMismatchError, match=name):
            run(resume=kept[-1], **changed)
    assert run(resume=kept[-1], settings=replace(settings, n_epochs=4)).epoch == 4


def test_a_race_ends_as_the_best_of_all_starts_would(data):
    settings = TrainingSettings(n_epochs=8, batch_size=10, learning_rate=0.05)
    starts = [np.full(3, value) for value in (5.0, -4.0, 0.2, 3.0, -2.0)]
    ended = race(Regression(), untied(3), data, settings, items=ITEMS, starts=starts, seed=3)
    assert [len(each.history) for each in ended] == [8, 8]
    seeds = [int(child.integers(2**63)) for child in np.random.default_rng(3).spawn(5)]
    alone = [
        train(Regression(), untied(3), data, settings, items=ITEMS, start=start, seed=seed)
        for start, seed in zip(starts, seeds, strict=True)
    ]
    alone.sort(key=lambda each: each.history[1].loss)
    for found, expected in zip(ended, alone[:2], strict=True):
        np.testing.assert_array_equal(found.free, expected.free)
        assert found.history == expected.history


def test_the_parameters_with_the_lowest_validation_loss_come_back(data):
    settings = TrainingSettings(n_epochs=30, batch_size=5, learning_rate=0.5, patience=4)
    states = []
    result = train(
        Regression(),
        untied(3),
        data,
        settings,
        items=ITEMS,
        validation=HELD_OUT,
        seed=0,
        callbacks=[lambda state: states.append(state.free)],
    )
    losses = [record.validation_loss for record in result.history]
    assert result.loss == min(losses)
    assert result.epoch == 1 + int(np.argmin(losses))
    np.testing.assert_array_equal(result.free, states[result.epoch - 1])
    assert mean_loss(Regression(), result.full, data, HELD_OUT) == pytest.approx(result.loss)
    assert len(losses) == result.epoch + 4 < 30
    assert result.message == "no better validation loss in 4 epochs"


def test_the_best_of_several_starts_wins(data):
    result = train(
        Regression(),
        untied(3),
        data,
        TrainingSettings(n_epochs=1),
        items=ITEMS,
        validation=HELD_OUT,
        n_starts=4,
        seed=0,
    )
    losses = [record.validation_loss for record in result.history]
    assert result.start == int(np.argmin(losses))
    assert result.loss == min(losses)


def test_a_tied_start_is_the_draw_of_the_first_copy(data):
    tying = Tying([0, 1, 0], sign=[-1, 1, 1], offset=[0.5, 0, 0])
    result = train(Regression(), tying, data, TrainingSettings(n_epochs=0), items=ITEMS, seed=1)
    same = train(Regression(), untied(3), data, TrainingSettings(n_epochs=0), items=ITEMS, seed=1)
    np.testing.assert_allclose(result.full[:2], same.full[:2])
    assert tying.contains(result.full)


def test_a_callback_ends_the_training_and_the_progress_hook_counts(data):
    seen = []
    result = train(
        Regression(),
        untied(3),
        data,
        TrainingSettings(n_epochs=9, batch_size=25),
        items=ITEMS,
        n_starts=2,
        start=np.ones(3),
        seed=0,
        callbacks=[lambda state: state.epoch == 2],
        on_batch=lambda *numbers: seen.append(numbers[:3]),
    )
    assert result.message == "a callback ended the training"
    assert seen == [(1, 1, 2), (1, 2, 2), (2, 1, 2), (2, 2, 2)]


def test_no_epochs_give_the_start(data):
    result = train(
        Regression(), untied(3), data, TrainingSettings(n_epochs=0), items=ITEMS, start=np.ones(3)
    )
    np.testing.assert_array_equal(result.full, 1)


def test_a_loss_that_is_not_finite_names_the_batch(data):
    data[1][49] = np.nan
    with pytest.raises(ConvergenceError, match=r"epoch 1, batch [1-5] of 5: the loss is nan"):
        train(Regression(), untied(3), data, TrainingSettings(batch_size=10), items=ITEMS, seed=0)


def test_wrong_arguments_are_refused(data):
    with pytest.raises(ParameterError, match="patience needs validation"):
        train(Regression(), untied(3), data, TrainingSettings(patience=3), items=ITEMS)
    with pytest.raises(ParameterError, match="both trained on and validated on"):
        train(Regression(), untied(3), data, items=ITEMS, validation=[3])
    with pytest.raises(ParameterError, match="at least one item"):
        train(Regression(), untied(3), data, items=[])
    with pytest.raises(TyingError, match="for 4 full parameters and the model has 3"):
        train(Regression(), untied(4), data, items=ITEMS)
    with pytest.raises(ParameterError, match="n_starts is 0"):
        train(Regression(), untied(3), data, items=ITEMS, n_starts=0)
    with pytest.raises(ParameterError, match="batch_size is 0"):
        TrainingSettings(batch_size=0)
    with pytest.raises(ParameterError, match="choose constant or cosine"):
        TrainingSettings(schedule="step")
    with pytest.raises(ParameterError, match="no array 'start'"):
        TrainingState.from_arrays({})


@given(st.lists(st.integers(0, 12), min_size=2, max_size=60), st.floats(0.01, 0.99), st.integers(0))
def test_a_split_keeps_groups_whole_and_loses_nothing(groups, fraction, seed):
    groups = [*groups, 13]
    if len(set(groups)) < 2:
        return
    first, second = grouped_split(groups, fraction, seed)
    assert first.size > 0 < second.size
    np.testing.assert_array_equal(np.sort(np.concatenate([first, second])), np.arange(len(groups)))
    labels = np.array(groups)
    assert not set(labels[first]) & set(labels[second])


def test_a_split_of_single_items_has_the_size_asked_for():
    first, second = grouped_split(np.arange(100), 0.2, seed=1)
    assert (first.size, second.size) == (80, 20)
    with pytest.raises(TooFewItemsError, match="too few items for a validation split: the 2"):
        grouped_split([1, 1], 0.5, seed=1)
    with pytest.raises(ParameterError, match="between 0 and 1"):
        grouped_split([1, 2], 1.0, seed=1)


def test_batches_cover_the_items_once_in_even_sizes():
    batches = index_batches(np.arange(10, 33), 5, np.random.default_rng(0))
    assert {len(batch) for batch in batches} == {4, 5}
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(10, 33))
