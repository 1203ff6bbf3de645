"""A recurrent network as a model of `seqbio.core`: parameters in one vector, data in batches."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core import Fit, Layout, Tying, spawn_generators
from seqbio.core.fit import best_of, fit, fit_at
from seqbio.core.memory import check_parameters
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.core.training import TrainingSettings, index_batches, train
from seqbio.errors import ParameterError
from seqbio.neural.cross_entropy import cross_entropy
from seqbio.neural.workspace import Array, Workspace
from seqbio.recurrent.encoding import symbols
from seqbio.recurrent.network import (
    Architecture,
    Blocks,
    Codes,
    NetworkTape,
    backward,
    final_states,
    forward,
    start_blocks,
)
from seqbio.sequences.sequence_data import SequenceData

_POLISHING_STEPS = 1000  # of L-BFGS
_EVALUATED_STEPS = 256  # steps at a time where no gradient is asked for, so that memory is bounded
_EVALUATED_CELLS = 1 << 15  # steps times sequences at a time


@dataclass(eq=False)
class Batch:
    """Some sequences, or the same stretch of all of them.

    Parameters
    ----------
    items : ndarray of int
        Which sequences.
    first, stop : int
        The stretch of steps; the whole when `stop` is None.
    carried : dict
        Shared by the stretches of the same sequences: the states where the last one ended.
    """

    items: IntArray
    first: int = 0
    stop: int | None = None
    carried: dict[str, list[Array]] = field(default_factory=dict, repr=False)


class NetworkModel:
    """Likelihood of sequences, or of their classes, under a recurrent network.

    Next symbol: P(x) is the product over the letters of their probabilities given those before,
    times that of the end after the last, so that it is a distribution over sequences of all
    lengths; or, where the network has no output for the end, that of the letters given the length.
    Classes: the probability of the label given the sequence.

    Parameters
    ----------
    architecture : Architecture
        The network.
    membership : ndarray, (n_codes, n_symbols)
        What each code stands for.
    precision : {"single", "double"}
        Type of the network's arithmetic; parameters are float64 outside.
    dropout : float
        See `forward`.
    truncate : int, optional
        Steps that a gradient reaches back in training: longer sequences are learned a stretch at
        a time, and the state is carried from one to the next.
    settings : TrainingSettings
        For `maximise`.
    """

    regular = False
    irregular_reason = (
        "a recurrent network has many equivalent and many local optima, and parameters that "
        "vanish from it when others are 0, so its likelihood ratio follows no chi-squared law"
    )

    def __init__(
        self,
        architecture: Architecture,
        membership: Array,
        *,
        precision: str = "single",
        dropout: float = 0.0,
        truncate: int | None = None,
        settings: TrainingSettings | None = None,
    ) -> None:
        if precision not in ("single", "double"):
            raise ParameterError(f"precision is {precision!r}; choose 'single' or 'double'")
        if not 0 <= dropout < 1:
            raise ParameterError(f"dropout is {dropout}; give a number from 0 to below 1")
        if truncate is not None and (truncate < 1 or architecture.task == "class"):
            raise ParameterError(
                f"truncate is {truncate} with task {architecture.task!r}; give 1 or more steps, "
                "and only for the next symbol: a class is known at the end alone"
            )
        self.architecture = architecture
        self.membership = membership
        self.dtype: Any = np.dtype(np.float32 if precision == "single" else np.float64)
        self.dropout = dropout
        self.truncate = truncate
        self.settings = settings or TrainingSettings()
        self.layout: Layout = architecture.layout()
        check_parameters(
            self.layout.size,
            300,
            "the network",
            "take fewer units or layers"
            if architecture.steps is None
            else "it has weights for each step, so tie time, or take windows of fewer letters "
            "(max_length; --window of 'seqbio recurrent test'), or fewer units",
        )
        self.key = {"architecture": repr(architecture), "membership": membership}
        self._local = threading.local()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_local"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._local = threading.local()

    @property
    def readings(self) -> Array:
        """Share of each output of the next symbol in each code, (n_codes, n_outputs)."""
        return self.membership[:, : self.architecture.n_outputs]

    # -- parameters ---------------------------------------------------------------------------

    def blocks(self, full: FloatArray) -> Blocks:
        """Cut the parameters into weights of the network's own type."""
        return self.layout.unflatten(np.asarray(full).astype(self.dtype))

    def start(self, data: SequenceData) -> FloatArray:  # noqa: ARG002 (the same for all data)
        """Give the same random start every time."""
        return self.random_start(np.random.default_rng(0))

    def random_start(self, generator: np.random.Generator) -> FloatArray:
        """Draw weights, see `start_blocks`."""
        return self.layout.flatten(start_blocks(self.architecture, generator))

    # -- likelihood ---------------------------------------------------------------------------

    def log_likelihood(self, full: FloatArray, data: SequenceData) -> FloatArray:
        """Log-likelihood of each sequence (of its label, for classes), (n_items,) nats."""
        self._check(data)
        blocks, result = self.blocks(full), np.empty(len(data))
        for batch in self._evaluation_batches(data, np.arange(len(data))):
            result[batch.items] = self._evaluate(blocks, data, batch)
        return result

    def log_likelihood_and_gradient(
        self, full: FloatArray, data: SequenceData
    ) -> tuple[float, FloatArray]:
        """Log-likelihood of all sequences together and its gradient, back to their first steps."""
        self._check(data)
        total, gradient = 0.0, np.zeros(self.layout.size)
        for items in self._by_length(data, np.arange(len(data)), 32):
            loss, _, slope = self.batch_loss_and_gradient(full, data, Batch(items), None)
            total -= loss
            gradient -= slope
        return total, gradient

    def class_log_probabilities(self, full: FloatArray, data: SequenceData) -> FloatArray:
        """Log-probability of every class for every sequence, (n_items, n_classes) nats."""
        blocks, result = self.blocks(full), np.empty((len(data), self.architecture.n_outputs))
        for batch in self._evaluation_batches(data, np.arange(len(data))):
            codes, lengths, _ = self.assemble(data, batch, with_targets=False)
            logits, _ = self._forward(blocks, codes, lengths)
            result[batch.items] = logits[0].T
        result -= result.max(axis=1, keepdims=True)
        normed: FloatArray = result - np.log(np.exp(result).sum(axis=1, keepdims=True))
        return normed

    def learn(
        self,
        tying: Tying,
        data: SequenceData,
        *,
        start: ArrayLike | None = None,
        n_starts: int = 1,
        seed: int | np.random.Generator | None = None,
    ) -> Fit:
        """Train on all of the data in minibatches, which lead close to an optimum, not into it."""
        training = train(
            self,
            tying,
            data,
            self.settings,
            items=np.arange(len(data)),
            start=start,
            n_starts=n_starts,
            seed=seed,
        )
        return fit_at(
            self,
            tying,
            data,
            training.full,
            converged=False,
            message=f"{training.message}, in minibatches, which end near an optimum but not at it",
            n_iterations=training.n_evaluations,
            n_evaluations=training.n_evaluations,
        )

    def maximise(
        self,
        tying: Tying,
        data: SequenceData,
        *,
        start: ArrayLike | None = None,
        n_starts: int = 1,
        seed: int | np.random.Generator | None = None,
    ) -> Fit:
        """Train, and in double precision climb on to the optimum.

        See `seqbio.core.fit.maximise`. Each start is climbed from; one that is given is taken to
        be near an optimum and is not trained first. L-BFGS may say that it has converged; in
        single precision nothing can.
        """
        if self.dtype != np.float64:
            return self.learn(tying, data, start=start, n_starts=n_starts, seed=seed)
        begins = [] if start is None else [np.asarray(start)]
        begins += [
            self.learn(tying, data, seed=generator).full
            for generator in spawn_generators(seed, n_starts - len(begins))
        ]
        return best_of(
            [fit(self, tying, data, start=each, max_iterations=_POLISHING_STEPS) for each in begins]
        )

    # -- batches ------------------------------------------------------------------------------

    def batches(
        self,
        data: SequenceData,
        items: IntArray,
        batch_size: int,
        generator: np.random.Generator | None,
    ) -> Sequence[Batch]:
        """Cut sequences into batches of similar length, and these into stretches."""
        if generator is None:
            return self._evaluation_batches(data, items)
        self._check(data)
        # Sorted within large pools, so that batches differ from epoch to epoch.
        groups = []
        for pool in index_batches(items, 64 * batch_size, generator):
            groups += self._by_length(data, pool, batch_size)
        order = generator.permutation(len(groups))
        return [batch for index in order for batch in self._stretches(data, groups[index])]

    def batch_loss_and_gradient(
        self,
        full: FloatArray,
        data: SequenceData,
        batch: Batch,
        generator: np.random.Generator | None,
    ) -> tuple[float, float, FloatArray]:
        """Minus the log-likelihood of a batch, its symbols (or labels), and the gradient."""
        blocks = self.blocks(full)
        codes, lengths, targets = self.assemble(data, batch)
        logits, tape = self._forward(blocks, codes, lengths, batch, generator)
        log_probability, slopes = self._cross_entropy(logits, targets, lengths)
        self._carry(batch, tape)
        gradient = backward(self.architecture, blocks, tape, slopes, first_step=batch.first)
        loss = -float(log_probability.sum(dtype=np.float64))
        return loss, self._n_units(lengths), self.layout.flatten(gradient)

    def batch_loss(self, full: FloatArray, data: SequenceData, batch: Batch) -> tuple[float, float]:
        """Minus the log-likelihood of a batch in nats, and its symbols (or labels)."""
        values = self._evaluate(self.blocks(full), data, batch)
        units = self._n_units(data.lengths[batch.items] + self.architecture.n_ends)
        return -float(values.sum()), units

    # -- inside -------------------------------------------------------------------------------

    def _check(self, data: SequenceData) -> None:
        steps = self.architecture.steps
        if steps is not None:
            data.check_lengths(steps - self.architecture.n_ends)

    def _by_length(self, data: SequenceData, items: IntArray, size: int) -> list[IntArray]:
        ordered = items[np.argsort(data.lengths[items], kind="stable")]
        return index_batches(ordered, size, None)

    def _evaluation_batches(self, data: SequenceData, items: IntArray) -> list[Batch]:
        """Batches of similar length that bound the memory of a forward pass."""
        self._check(data)
        ordered = items[np.argsort(data.lengths[items], kind="stable")]
        limit = np.inf if self.architecture.task == "class" else _EVALUATED_STEPS
        batches, first = [], 0
        while first < len(ordered):
            stop = first + 1
            while stop < len(ordered):
                steps = min(data.lengths[ordered[stop]] + self.architecture.n_ends, limit)
                if steps * (stop + 1 - first) > _EVALUATED_CELLS or stop - first == 128:
                    break
                stop += 1
            batches.append(Batch(ordered[first:stop]))
            first = stop
        return batches

    def _stretches(self, data: SequenceData, items: IntArray) -> list[Batch]:
        if self.truncate is None:
            return [Batch(items)]
        steps = int(data.lengths[items].max()) + self.architecture.n_ends
        carried: dict[str, list[Array]] = {}
        return [
            Batch(items, first, min(first + self.truncate, steps), carried)
            for first in range(0, steps, self.truncate)
        ]

    def assemble(
        self, data: SequenceData, batch: Batch, *, with_targets: bool = True
    ) -> tuple[Codes, IntArray, Codes]:
        """Pad a batch.

        Parameters
        ----------
        data : SequenceData
            The sequences.
        batch : Batch
            Which, and which stretch of them.
        with_targets : bool, default True
            For classes: whether labels are needed.

        Returns
        -------
        codes : ndarray of int, (steps, batch)
            What goes in.
        lengths : ndarray of int, (batch,)
            How many of the steps count.
        targets : ndarray of int, (steps, batch) or (1, batch)
            What is to be predicted.
        """
        every = symbols(data)
        chosen = [every[item] for item in batch.items]
        lengths = data.lengths[batch.items]
        boundary, n_ends = data.alphabet.size, self.architecture.n_ends
        steps = int(lengths.max()) + n_ends
        dtype = np.uint8 if len(self.membership) <= 256 else np.uint16
        padded = np.full((len(chosen), int(lengths.max()) + 2), boundary, dtype=dtype)
        for row, codes in zip(padded, chosen, strict=True):
            row[1 : len(codes) + 1] = codes
        if self.architecture.task == "class":
            targets = data.classes[batch.items][None] if with_targets else np.zeros((1, 0), np.intp)
            return np.ascontiguousarray(padded[:, 1 : steps + 1].T), lengths, targets
        stretch = slice(batch.first, steps if batch.stop is None else batch.stop)
        inputs = np.ascontiguousarray(padded[:, :steps].T[stretch])
        targets = np.ascontiguousarray(padded[:, 1 : steps + 1].T[stretch])
        if not n_ends:
            targets[targets == boundary] = 0  # past the end; it has no output of its own
        return inputs, np.clip(lengths + n_ends - batch.first, 0, len(inputs)), targets

    def _forward(
        self,
        blocks: Blocks,
        codes: Codes,
        lengths: IntArray,
        batch: Batch | None = None,
        generator: np.random.Generator | None = None,
    ) -> tuple[Array, NetworkTape]:
        workspace = getattr(self._local, "workspace", None)
        if workspace is None:
            workspace = self._local.workspace = Workspace()
        going_on = batch is not None and batch.first > 0
        return forward(
            self.architecture,
            blocks,
            codes,
            lengths,
            membership=self.membership,
            initial=batch.carried["states"] if batch is not None and going_on else None,
            first_step=batch.first if batch is not None else 0,
            dropout=self.dropout,
            generator=generator,
            workspace=workspace,
        )

    def _carry(self, batch: Batch, tape: NetworkTape) -> None:
        if batch.stop is not None:
            batch.carried["states"] = final_states(tape, len(tape.codes))

    def _cross_entropy(
        self, logits: Array, targets: Codes, lengths: IntArray
    ) -> tuple[Array, Array]:
        if self.architecture.task == "class":
            return cross_entropy(logits, targets, np.eye(self.architecture.n_outputs), None)
        steps = len(targets)
        valid = None
        if lengths.min() < steps:
            valid = np.arange(steps)[:, None] < lengths
        return cross_entropy(logits, targets, self.readings, valid)

    def _n_units(self, lengths: IntArray) -> float:
        return float(lengths.sum() if self.architecture.task == "next" else lengths.size)

    def _evaluate(self, blocks: Blocks, data: SequenceData, batch: Batch) -> FloatArray:
        """Log-likelihood of each sequence of a batch, in stretches of bounded memory."""
        if self.architecture.task == "class":
            codes, lengths, targets = self.assemble(data, batch)
            logits, _ = self._forward(blocks, codes, lengths)
            return self._cross_entropy(logits, targets, lengths)[0][0].astype(np.float64)
        total = np.zeros(len(batch.items))
        steps = int(data.lengths[batch.items].max()) + self.architecture.n_ends
        part = Batch(batch.items)
        for first in range(0, steps, _EVALUATED_STEPS):
            part.first, part.stop = first, min(first + _EVALUATED_STEPS, steps)
            codes, lengths, targets = self.assemble(data, part)
            logits, tape = self._forward(blocks, codes, lengths, part)
            self._carry(part, tape)
            log_probability, _ = self._cross_entropy(logits, targets, lengths)
            total += log_probability.sum(axis=0, dtype=np.float64)
        return total
