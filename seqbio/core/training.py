"""Minibatch training: for models and data too large for whole-batch maximum likelihood.

One loop for every model whose parameters are expanded through a tying::

    free --expand--> full --model--> loss of a batch and its gradient --pull back--> free

The loss is minus the log-likelihood, in nats, per unit: a unit is whatever the model counts, such
as a symbol or a labelled record. All chance comes from one generator per start, so the same seed
gives the same numbers, and a run that goes on from a `TrainingState` gives, bit for bit, what the
run that was not interrupted gives.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import cos, inf, isfinite, nan, pi
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core._checks import checked
from seqbio.core.fingerprint import fingerprint
from seqbio.core.layout import Layout
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.core.optimizers import Adam, clip_by_norm
from seqbio.core.parallel import spawn_generators
from seqbio.core.tie_patterns import untied
from seqbio.core.training_state import (
    EpochRecord,
    TrainingState,
    read_generator,
    written_generator,
)
from seqbio.core.tying import Tying
from seqbio.errors import ConvergenceError, ParameterError, TooFewItemsError, TyingError

Callback = Callable[["TrainingState"], object]
"""Called after every epoch; a true result ends the training."""


class BatchModel(Protocol):
    """What `train` asks of a model.

    A batch is whatever `batches` makes and the two loss functions understand: often just the
    indices of its items.
    """

    @property
    def layout(self) -> Layout:
        """Names and shapes of the full parameters, n_full numbers in all."""
        ...

    def random_start(self, generator: np.random.Generator) -> FloatArray:
        """Draw full parameters to start from, (n_full,).

        Of copies that a tying joins, the first one counts.
        """
        ...

    def batches(
        self, data: Any, items: IntArray, batch_size: int, generator: np.random.Generator | None
    ) -> Sequence[Any]:
        """Cut some items of the data into the batches of one epoch.

        The generator shuffles; without one the order is fixed, for evaluation.
        """
        ...

    def batch_loss_and_gradient(
        self, full: FloatArray, data: Any, batch: Any, generator: np.random.Generator
    ) -> tuple[float, float, FloatArray]:
        """Give the loss of a batch in nats, its number of units, and the gradient, (n_full,).

        Loss and gradient are sums over the batch; the generator is for dropout and the like.
        """
        ...

    def batch_loss(self, full: FloatArray, data: Any, batch: Any) -> tuple[float, float]:
        """Give the loss of a batch in nats and its number of units, for evaluation."""
        ...


@checked
@dataclass(frozen=True)
class TrainingSettings:
    """How to train.

    Parameters
    ----------
    n_epochs : int, default 10
        Passes over the data.
    batch_size : int, default 32
        Items in a batch.
    learning_rate : float, default 0.01
        Of Adam, at the start.
    schedule : {"constant", "cosine"}
        Cosine: from the learning rate at the first batch down to 0 after the last.
    weight_decay : float, default 0
        See `Adam`.
    clip : float, default inf
        Longest gradient norm (of the loss per unit).
    patience : int, optional
        Epochs without a better validation loss after which training ends.

    Raises
    ------
    ParameterError
        A value is out of its range.
    """

    n_epochs: int = 10
    batch_size: int = 32
    learning_rate: float = 0.01
    schedule: Literal["constant", "cosine"] = "constant"
    weight_decay: float = 0.0
    clip: float = inf
    patience: int | None = None

    def __post_init__(self) -> None:
        for name, lowest in (("n_epochs", 0), ("batch_size", 1), ("patience", 1)):
            value = getattr(self, name)
            if value is None and name == "patience":
                continue
            if not isinstance(value, (int, np.integer)) or value < lowest:
                raise ParameterError(f"{name} is {value!r}; give an integer of {lowest} or more")
        if not (isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ParameterError(
                f"learning_rate is {self.learning_rate}; give a finite number above 0"
            )
        if not self.clip > 0:
            raise ParameterError(f"clip is {self.clip}; give a number above 0")
        if self.schedule not in ("constant", "cosine"):
            raise ParameterError(f"schedule is {self.schedule!r}; choose constant or cosine")

    def rate(self, progress: float) -> float:
        """Give the learning rate after a part of the training, from 0 to 1."""
        if self.schedule == "cosine":
            return self.learning_rate * (1 + cos(pi * progress)) / 2
        return self.learning_rate


@dataclass(frozen=True, eq=False)
class Training:
    """Trained parameters and how they came about.

    Parameters
    ----------
    free, full : ndarray of float64, (n_free,) and (n_full,)
        Of the start and epoch with the lowest validation loss; without validation items, of the
        last epoch of the start with the lowest training loss.
    loss : float
        That loss, nats per unit.
    start, epoch : int
        Where it was met.
    history : tuple of EpochRecord
        Of all epochs of all starts.
    n_evaluations : int
        Batches whose gradient was computed.
    message : str
        Why it ended.
    """

    free: FloatArray
    full: FloatArray
    loss: float
    start: int
    epoch: int
    history: tuple[EpochRecord, ...]
    n_evaluations: int
    message: str


def train(
    model: BatchModel,
    tying: Tying,
    data: Any,
    settings: TrainingSettings | None = None,
    *,
    items: ArrayLike,
    validation: ArrayLike | None = None,
    start: ArrayLike | None = None,
    n_starts: int = 1,
    seed: int | np.random.Generator | None = None,
    callbacks: Sequence[Callback] = (),
    on_batch: Callable[[int, int, int, float], object] | None = None,
    resume: TrainingState | None = None,
    identity: Mapping[str, Any] | None = None,
) -> Training:
    """Minimise the loss per unit with Adam over minibatches.

    Parameters
    ----------
    model : BatchModel
        Gives batches, losses and gradients.
    tying : Tying
        Which of its parameters are one.
    data : object
        In the form that the model takes.
    settings : TrainingSettings, optional
        How.
    items : array_like of int
        Indices of the items to train on.
    validation : array_like of int, optional
        Indices of items kept apart; the parameters with the lowest loss on them are returned.
        Records that are alike belong on one side: see `grouped_split`.
    start : array_like of float, (n_full,), optional
        Where the first start begins; by default the model draws it, as for the others.
    n_starts : int, default 1
        The best of several is returned.
    seed : int, numpy.random.Generator or None
        For starts, order and dropout.
    callbacks : sequence of callable, optional
        Each is given the `TrainingState` after every epoch, to show, save or stop.
    on_batch : callable, optional
        Called as ``on_batch(epoch, n_done, n_batches, loss per unit)``; for progress.
    resume : TrainingState, optional
        Goes on from there. With one start, `n_epochs` and `patience` may be others than they were
        (on a cosine schedule the learning rate is then that of the new number of epochs);
        everything else must be as it was.
    identity : mapping of str to object, optional
        Further settings that the model depends on, by name, as JSON has them. With those given
        here and the fingerprint of the data (or what ``data.identity()`` names, where there is
        such a method) they tell one training from another.

    Returns
    -------
    Training
        Parameters, history and counts.

    Raises
    ------
    ConvergenceError
        The loss or the norm of a gradient is not finite; the message names the batch.
    DataMismatchError
        The training to go on with is of other data or settings; the message names them.
    ParameterError, TyingError
        An argument has a wrong value.

    Examples
    --------
    >>> from seqbio.core import equal
    >>> class NormalMeans:
    ...     layout = Layout({"mean": (2,)})
    ...     def random_start(self, generator):
    ...         return generator.standard_normal(2)
    ...     def batches(self, data, items, batch_size, generator):
    ...         return index_batches(items, batch_size, generator)
    ...     def batch_loss(self, full, data, batch):
    ...         return ((data[batch] - full) ** 2).sum() / 2, len(batch)
    ...     def batch_loss_and_gradient(self, full, data, batch, generator):
    ...         return *self.batch_loss(full, data, batch), (full - data[batch]).sum(axis=0)
    >>> data = np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 5.0]])
    >>> settings = TrainingSettings(n_epochs=200, learning_rate=0.1, schedule="cosine")
    >>> result = train(NormalMeans(), equal(2, [0, 1]), data, settings, items=range(4), seed=0)
    >>> result.full.round(1)
    array([3., 3.])
    """
    run = _Run(model, tying, data, settings or TrainingSettings(), items, validation, on_batch)
    names: dict[str, Any] = {}
    if resume is not None or len(callbacks):  # nobody else sees them
        names = run.identity(start, n_starts, seed, identity or {})
    if resume is None:
        state = run.begin(start, n_starts, seed)
    else:
        resume.check(names, run.settings.n_epochs, tying.n_free)
        state = resume.copy()
    state.identity = names
    message = run.epochs(state, callbacks)
    state = state.copy()  # a callback may have kept it, to go on from
    run.settle(state)
    while state.start + 1 < n_starts and message != _STOPPED:
        run.next_start(state)
        message = run.epochs(state, callbacks)
        run.settle(state)
    return Training(
        free=state.winner_free,
        full=tying.expand(state.winner_free),
        loss=state.winner_loss,
        start=state.winner_start,
        epoch=state.winner_epoch,
        history=tuple(state.history),
        n_evaluations=state.n_evaluations,
        message=message,
    )


def race(
    model: BatchModel,
    tying: Tying,
    data: Any,
    settings: TrainingSettings,
    *,
    items: ArrayLike,
    starts: Sequence[ArrayLike],
    seed: int | np.random.Generator | None = None,
) -> list[Training]:
    """Train from several starts a quarter of the way, and from the best third of them to the end.

    How well a start does shows early, so that half of the work of training from all is saved.

    Parameters
    ----------
    model, tying, data, settings, items
        As in `train`.
    starts : sequence of array_like of float, (n_full,)
        Where to begin.
    seed : int, numpy.random.Generator or None
        One child of it for each start.

    Returns
    -------
    list of Training
        Those that went to the end, each as `train` alone would have ended.
    """
    pause = max(1, settings.n_epochs // 4)
    seeds = [int(child.integers(2**63)) for child in spawn_generators(seed, len(starts))]
    runs = [
        partial(train, model, tying, data, settings, items=items, start=start, seed=own)
        for start, own in zip(starts, seeds, strict=True)
    ]
    paused = [(_paused(run, pause), run) for run in runs]
    paused.sort(key=lambda pair: pair[0].history[-1].loss)
    return [run(resume=state) for state, run in paused[: -(-len(starts) // 3)]]


def _paused(run: Callable[..., Training], n_epochs: int) -> TrainingState:
    states: list[TrainingState] = []

    def stop(state: TrainingState) -> bool:
        states[:] = [state]
        return state.epoch >= n_epochs

    run(callbacks=[stop])
    return states[0]


_STOPPED = "a callback ended the training"


class _Run:
    """The unchanging part of a training, and its steps."""

    def __init__(
        self,
        model: BatchModel,
        tying: Tying,
        data: Any,
        settings: TrainingSettings,
        items: ArrayLike,
        validation: ArrayLike | None,
        on_batch: Callable[[int, int, int, float], object] | None,
    ) -> None:
        if tying.n_full != model.layout.size:
            raise TyingError(
                f"the tying is for {tying.n_full} full parameters and the model has "
                f"{model.layout.size}; make the tying from the model's own layout"
            )
        self.model, self.tying, self.data, self.settings = model, tying, data, settings
        self.is_untied = tying == untied(tying.n_full)  # where copying back and forth is a waste
        self.items = _checked_items(items, "items")
        self.validation = None if validation is None else _checked_items(validation, "validation")
        if self.validation is None and settings.patience is not None:
            raise ParameterError(
                "patience needs validation items, on which the loss is seen to stop falling; "
                "give a validation_fraction (items for validation), or no patience"
            )
        if self.validation is not None and np.intersect1d(self.items, self.validation).size:
            raise ParameterError("an item is both trained on and validated on; split the items")
        self.on_batch = on_batch

    def begin(
        self, start: ArrayLike | None, n_starts: int, seed: int | np.random.Generator | None
    ) -> TrainingState:
        if n_starts < 1:
            raise ParameterError(f"n_starts is {n_starts}; give at least one")
        # Of one known kind, so that their state can be written down and read back.
        generators = [
            np.random.default_rng(generator.integers(2**63, size=4))
            for generator in spawn_generators(seed, n_starts)
        ]
        if start is None:
            free = self._random_start(generators[0])
        else:
            free = self.tying.project(start)
        return TrainingState(
            start=0,
            epoch=0,
            free=free,
            adam=self._adam().state(),
            generators=[written_generator(generator) for generator in generators],
            best_free=free,
            best_loss=inf,
            best_epoch=0,
            winner_free=free,
            winner_loss=inf,
            winner_start=0,
            winner_epoch=0,
            history=[],
            n_evaluations=0,
            identity={},
        )

    def identity(
        self,
        start: ArrayLike | None,
        n_starts: int,
        seed: int | np.random.Generator | None,
        more: Mapping[str, Any],
    ) -> dict[str, Any]:
        """Name what the numbers depend on, large things by their fingerprints."""
        tying, own = self.tying, getattr(self.data, "identity", None)
        names = {
            **(own() if own else {"data": fingerprint(self.data)}),
            "items to train on": fingerprint(self.items),
            "items to validate on": fingerprint(self.validation),
            "tying": fingerprint([tying.group, tying.sign, tying.offset]),
            "weights to begin from": fingerprint(None if start is None else np.asarray(start)),
            "n_starts": n_starts,
            "seed": _seed_name(seed),
            **asdict(self.settings),
            **more,
        }
        # As JSON gives them back: tuples are lists, and numbers of NumPy those of Python.
        plain: dict[str, Any] = json.loads(json.dumps(names, default=np.generic.item))
        return plain

    def next_start(self, state: TrainingState) -> None:
        state.start += 1
        generator = read_generator(state.generators[state.start])
        state.free = self._random_start(generator)
        state.generators[state.start] = written_generator(generator)
        state.adam = self._adam().state()
        state.epoch = state.best_epoch = 0
        state.best_free, state.best_loss = state.free, inf

    def _random_start(self, generator: np.random.Generator) -> FloatArray:
        """Take what the first copy of each parameter draws.

        The mean of independent draws, which projecting would take, is closer to 0 than a draw.
        """
        tying = self.tying
        groups, first = np.unique(tying.group, return_index=True)
        first = first[groups >= 0]
        drawn = np.asarray(self.model.random_start(generator), dtype=np.float64)
        return np.asarray(tying.sign[first] * (drawn[first] - tying.offset[first]))

    def settle(self, state: TrainingState) -> None:
        """Let the start that is over compete with those before it."""
        if state.best_loss < state.winner_loss:
            state.winner_free, state.winner_loss = state.best_free, state.best_loss
            state.winner_start, state.winner_epoch = state.start, state.best_epoch

    def epochs(self, state: TrainingState, callbacks: Sequence[Callback]) -> str:
        """Go through the epochs that are left of one start; say why it ended."""
        patience = self.settings.patience or inf
        while state.epoch < self.settings.n_epochs:
            if state.epoch - state.best_epoch >= patience:
                return f"no better validation loss in {patience} epochs"
            self._epoch(state)
            # A list, so that all callbacks see the epoch in which one of them ends the training.
            answers = [callback(state) for callback in callbacks]
            if any(answers):
                return _STOPPED
        return f"{self.settings.n_epochs} epochs are done"

    def _epoch(self, state: TrainingState) -> None:
        settings, generator = self.settings, read_generator(state.generators[state.start])
        adam = self._adam()
        adam.set_state(state.adam)
        batches = self.model.batches(self.data, self.items, settings.batch_size, generator)
        total = units = longest = 0.0
        rate = settings.learning_rate
        free = state.free
        for index, batch in enumerate(batches):
            where = f"epoch {state.epoch + 1}, batch {index + 1} of {len(batches)}"
            full = free if self.is_untied else self.tying.expand(free)
            loss, weight, gradient = self.model.batch_loss_and_gradient(
                full, self.data, batch, generator
            )
            if not isfinite(loss):
                raise ConvergenceError(
                    f"{where}: the loss is {loss}; lower the learning rate, clip at a smaller "
                    "norm, or look at the items of this batch"
                )
            slope = gradient if self.is_untied else self.tying.pull_back(gradient)
            step, norm = clip_by_norm(slope / weight, settings.clip, where=where)
            rate = settings.rate((state.epoch + index / len(batches)) / settings.n_epochs)
            free = adam.step(free, step, learning_rate=rate)
            total, units, longest = total + loss, units + weight, max(longest, norm)
            state.n_evaluations += 1
            if self.on_batch is not None:
                self.on_batch(state.epoch + 1, index + 1, len(batches), loss / weight)
        state.epoch += 1
        state.free, state.adam = free, adam.state()
        state.generators[state.start] = written_generator(generator)
        held_out = nan
        if self.validation is not None:
            held_out = mean_loss(
                self.model,
                self.tying.expand(free),
                self.data,
                self.validation,
                batch_size=settings.batch_size,
            )
        state.history.append(
            EpochRecord(state.start, state.epoch, total / units, held_out, rate, longest)
        )
        if self.validation is None:
            state.best_free, state.best_loss, state.best_epoch = free, total / units, state.epoch
        elif held_out < state.best_loss:
            state.best_free, state.best_loss, state.best_epoch = free, held_out, state.epoch

    def _adam(self) -> Adam:
        return Adam(self.tying.n_free, weight_decay=self.settings.weight_decay)


def mean_loss(
    model: BatchModel, full: FloatArray, data: Any, items: ArrayLike, *, batch_size: int = 32
) -> float:
    """Evaluate the loss per unit, without dropout.

    Parameters
    ----------
    model : BatchModel
        Gives batches and losses.
    full : ndarray of float64, (n_full,)
        Parameters.
    data : object
        In the form that the model takes.
    items : array_like of int
        Which items of the data.
    batch_size : int, default 32
        Items at a time.

    Returns
    -------
    float
        Nats per unit.
    """
    total = units = 0.0
    for batch in model.batches(data, _checked_items(items, "items"), batch_size, None):
        loss, weight = model.batch_loss(full, data, batch)
        total, units = total + loss, units + weight
    return total / units


def index_batches(
    items: IntArray, batch_size: int, generator: np.random.Generator | None
) -> list[IntArray]:
    """Cut items into batches of about equal size, shuffled when there is a generator.

    Parameters
    ----------
    items : ndarray of int, (n,)
        At least one.
    batch_size : int
        Largest size of a batch.
    generator : numpy.random.Generator or None
        None keeps the order.

    Returns
    -------
    list of ndarray of int
        Sizes differ by one at most, so that no batch is a noisy remainder.

    Examples
    --------
    >>> index_batches(np.arange(5), 2, None)
    [array([0, 1]), array([2, 3]), array([4])]
    """
    order = items if generator is None else generator.permutation(items)
    return list(np.array_split(order, -(-len(order) // batch_size)))


def grouped_split(
    groups: ArrayLike, fraction: float, seed: int | np.random.Generator | None
) -> tuple[IntArray, IntArray]:
    """Split items at random in two, keeping each group whole.

    Groups join what must not stand on both sides, such as copies of one sequence. They go to the
    second part, in random order, as long as that brings its size nearer to what is asked.

    Parameters
    ----------
    groups : array_like, (n,)
        The group of each item, of any type that sorts.
    fraction : float
        Share of the items for the second part, between 0 and 1.
    seed : int, numpy.random.Generator or None
        For the order.

    Returns
    -------
    first, second : ndarray of int
        Indices of the items, sorted; neither is empty.

    Raises
    ------
    ParameterError
        The fraction is not between 0 and 1.
    TooFewItemsError
        There are fewer than two groups.

    Examples
    --------
    >>> first, second = grouped_split(["a", "a", "b", "c", "b", "d"], 1 / 3, seed=0)
    >>> first, second
    (array([0, 1, 3, 5]), array([2, 4]))
    """
    labels = np.asarray(groups)
    if not 0 < fraction < 1:
        raise ParameterError(f"fraction is {fraction}; give a number between 0 and 1")
    _, group, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if sizes.size < 2:
        raise TooFewItemsError(
            f"too few items for a validation split: the {labels.size} that there are belong "
            "together, as copies of one sequence do; give more, or a share of 0 for validation"
        )
    order = spawn_generators(seed, 1)[0].permutation(sizes.size)
    wanted, taken = fraction * labels.size, 0
    chosen = np.zeros(sizes.size, dtype=bool)
    for index in order[:-1]:
        if abs(taken + sizes[index] - wanted) < abs(taken - wanted):
            chosen[index] = True
            taken += sizes[index]
    if not chosen.any():
        chosen[order[np.argmin(sizes[order])]] = True
    second = chosen[group.reshape(labels.shape)]
    return np.flatnonzero(~second), np.flatnonzero(second)


def _seed_name(seed: int | np.random.Generator | None) -> object:
    """Name a seed; what a generator spawns depends on its seed sequence alone."""
    if not isinstance(seed, np.random.Generator):
        return seed
    return fingerprint(seed.bit_generator.seed_seq.state)  # type: ignore[attr-defined]


def _checked_items(items: ArrayLike, name: str) -> IntArray:
    indices = np.asarray(items)
    if indices.ndim != 1 or not indices.size or not np.issubdtype(indices.dtype, np.integer):
        raise ParameterError(
            f"{name} is of shape {indices.shape} and type {indices.dtype}; give the indices of "
            "at least one item"
        )
    return indices.astype(np.intp)
