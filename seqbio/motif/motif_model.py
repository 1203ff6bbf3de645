"""The motif detector as a model: from one flat vector to likelihoods and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seqbio.core import (
    Fit,
    Layout,
    LearnedSymmetry,
    Tying,
    fit,
    fit_at,
    spawn_generators,
    untied,
)
from seqbio.core.fit import best_of
from seqbio.core.memory import check_parameters
from seqbio.core.model import Check
from seqbio.core.numerics import log_softmax
from seqbio.core.training import TrainingSettings, grouped_split, index_batches, race, train
from seqbio.motif import windows
from seqbio.motif.ties import TIES, other_strand
from seqbio.sequences import Alphabet
from seqbio.sequences.sequence_data import SequenceData

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Pooling = Literal["max", "logsumexp", "sum", "none"]

_STEPS = 1000  # of the optimiser for a network
_LEARNING_STEPS = 400  # of minibatches, for a network that is to predict
_CHEAP_STARTS = 6  # of such a training, for each that is asked for
_CANDIDATES = 200  # windows, of which the most telling one is begun with
_SETTLED = 1e-3  # scaled gradient norm, square roots of nats
_NOTICEABLE, _TOO_MUCH = 0.1, 0.3  # excess of a likelihood ratio, standard deviations
_CHUNK = 1024  # sequences that are written as letter shares at a time


@dataclass(frozen=True)
class MotifModel:
    """Filters, pooling and a softmax over classes.

    Blocks of the layout, with S strands and one logit less than there are classes, the first
    class being the reference:

    - ``weights`` (places, S, n_motifs, n_letters, width) and ``bias`` (places, S, n_motifs), with
      1 place (the same filters everywhere) or one for each position of a window;
    - ``readout`` (readout places, n_logits, n_motifs), or none: then motif k adds to logit k alone,
      as always with sum pooling, so that the model is a generalised linear one;
    - ``intercept`` (n_logits,).

    Parameters
    ----------
    alphabet : Alphabet
        Of the sequences.
    n_classes, n_motifs, width : int
        Sizes.
    pooling : {"max", "logsumexp", "sum", "none"}
        How the scores of all windows and strands become one number.
    n_places : int
        1, or the number of windows of every sequence.
    n_strands : int
        1, or 2 where the other strand is read too.
    n_readouts : int
        Readouts for each motif and logit: 1, or the number of windows when nothing is pooled, or 0
        when motif k adds to logit k as it is.
    single : bool, default False
        Compute in single precision, which is enough for training.
    """

    alphabet: Alphabet
    n_classes: int
    n_motifs: int
    width: int
    pooling: Pooling
    n_places: int = 1
    n_strands: int = 1
    n_readouts: int = 1
    single: bool = False

    # -- what it is --------------------------------------------------------------------------

    @property
    def key(self) -> dict[str, Any]:
        """What two hypotheses must share to be about the same model."""
        return {"alphabet": self.alphabet.name, "pooling": self.pooling, "strands": self.n_strands}

    @property
    def n_logits(self) -> int:
        """Classes that have a logit: all but the first."""
        return self.n_classes - 1

    @property
    def has_readout(self) -> bool:
        """Whether motifs are weighed, or motif k adds to logit k as it is."""
        return self.n_readouts > 0 and self.pooling != "sum"

    @property
    def regular(self) -> bool:
        """Whether likelihood theory holds: for sum pooling, a generalised linear model."""
        return self.pooling == "sum"

    @property
    def irregular_reason(self) -> str:
        """Why it does not hold otherwise."""
        if self.regular:
            return ""
        if not self.has_readout:
            return (
                "a filter that is 0 could be of either strand or place, and there are many optima"
            )
        if self.pooling == "max":
            return (
                "with max pooling the likelihood has kinks and many optima, and a motif with "
                "readout 0 can be any motif"
            )
        return "a motif with readout 0 can be any motif, so its filter is not identified there"

    def __post_init__(self) -> None:
        check_parameters(
            self.layout.size,
            400,
            "the motif detector",
            "take fewer or narrower motifs"
            if self.n_places == 1
            else "where all sequences are of one length a test has filters for each position, so "
            "cut the sequences shorter, or take fewer or narrower motifs",
        )

    @cached_property
    def layout(self) -> Layout:
        """Names and shapes of the full parameters."""
        filters = (self.n_places, self.n_strands, self.n_motifs)
        shapes: dict[str, tuple[int, ...]] = {
            "weights": (*filters, self.alphabet.size, self.width),
            "bias": filters,
        }
        if self.has_readout:
            shapes["readout"] = (self.n_readouts, self.n_logits, self.n_motifs)
        return Layout(shapes | {"intercept": (self.n_logits,)})

    def tying(self, names: Sequence[str]) -> Tying:
        """Tie by name: ``position``, ``strand``, ``readout``.

        Examples
        --------
        >>> from seqbio.sequences import DNA
        >>> model = MotifModel(DNA, 2, 3, 5, "max", n_strands=2)
        >>> model.tying(("position", "strand")).n_free  # 3 * (4 * 5 + 1) + 3 + 1
        67
        """
        return TIES.tying(names, self, untied(self.layout.size))

    # -- starts ------------------------------------------------------------------------------

    def start(self, data: SequenceData) -> Floats:
        """Start from random filters that are the same every time, or from 0 with sum pooling."""
        return self.motif_start(data, np.random.default_rng(0))

    def random_start(self, generator: np.random.Generator) -> Floats:
        """Draw small filters; readouts alternate in sign, and class frequencies are left open."""
        blocks = {
            name: np.zeros(shape, dtype=np.float64) for name, shape in self.layout.shapes.items()
        }
        if self.pooling == "sum":
            return self.layout.flatten(blocks)
        shape = blocks["weights"].shape
        blocks["weights"] = np.broadcast_to(
            generator.normal(0.0, 0.5 / np.sqrt(self.width), (1, 1, *shape[2:])), shape
        ).copy()
        if self.n_strands == 2:
            other = other_strand(blocks["weights"], self.alphabet)
            blocks["weights"][:, 1] = other[:, 1]
        if not self.has_readout:
            return self.layout.flatten(blocks)
        sign = np.where(np.arange(self.n_motifs) % 4 == 3, -1.0, 1.0)
        blocks["readout"][:] = sign * 0.5 / np.sqrt(self.n_motifs)
        if self.n_logits > 1:
            blocks["readout"] += generator.normal(0.0, 0.2, blocks["readout"].shape)
        return self.layout.flatten(blocks)

    def motif_start(
        self, data: SequenceData, generator: np.random.Generator, n_candidates: int = 1
    ) -> Floats:
        """Draw filters around windows of the data, and fit the class frequencies.

        A filter that begins near a window that occurs finds relatives of it from the first step.
        Of several candidates the one is taken whose best matches differ most between the last
        class and the others.
        """
        full = self.random_start(generator)
        blocks = self.layout.unflatten(full)
        if self.pooling in ("max", "logsumexp"):
            last = np.flatnonzero(data.classes == self.n_classes - 1)
            for motif in range(self.n_motifs):
                candidates = []
                for _ in range(n_candidates):
                    item = int(generator.choice(last if last.size else len(data)))
                    place = int(generator.integers(data.lengths[item] - self.width + 1))
                    window = windows.shares(data, slice(item, item + 1))[
                        0, place : place + self.width
                    ].T
                    candidates.append(window - window.mean(axis=0))
                chosen = (
                    candidates[0] if n_candidates == 1 else self._most_telling(candidates, data)
                )
                blocks["weights"][:, 0, motif] += 0.5 * chosen
            if self.n_strands == 2:
                blocks["weights"][:, 1] = other_strand(blocks["weights"], self.alphabet)[:, 1]
        counts = np.bincount(data.classes, minlength=self.n_classes) + 0.5
        blocks["intercept"][:] = np.log(counts[1:] / counts[0])
        if self.pooling in ("max", "logsumexp"):
            some = data.subset(np.arange(0, len(data), max(1, len(data) // 256)))
            blocks["intercept"] -= (self.logits(full, some) - blocks["intercept"]).mean(axis=0)
        return full

    def _most_telling(self, candidates: list[Floats], data: SequenceData) -> Floats:
        """Take the window whose best matches differ most between the last class and the others."""
        from seqbio.neural.filters import best_windows

        some = np.arange(0, len(data), max(1, len(data) // 1024))
        width = self.width
        matches, _ = best_windows(
            np.stack(candidates)[None].astype(np.float32),
            np.zeros((1, len(candidates)), dtype=np.float32),
            windows.letters(data, some, np.float32),
            data.lengths[some] - width + 1,
        )
        is_last = data.classes[some] == self.n_classes - 1
        apart = matches[is_last].mean(axis=0) - matches[~is_last].mean(axis=0)
        spread = np.sqrt(matches[is_last].var(axis=0) + matches[~is_last].var(axis=0))
        return candidates[int(np.argmax(apart / (spread + 1e-9)))]

    # -- likelihood --------------------------------------------------------------------------

    def logits(self, full: Floats, data: SequenceData) -> Floats:
        """Log odds of each class but the first against the first, (n_items, n_logits)."""
        chunks = [
            self._forward(full, data, slice(at, at + _CHUNK))[0]
            for at in range(0, len(data), _CHUNK)
        ]
        return np.concatenate(chunks).astype(np.float64)

    def log_probabilities(self, full: Floats, data: SequenceData) -> Floats:
        """Log-probability of each class for every sequence, (n_items, n_classes)."""
        return _log_probabilities(self.logits(full, data))

    def log_likelihood(self, full: Floats, data: SequenceData) -> Floats:
        """Log-probability of the class that each sequence has, (n_items,) nats."""
        labels = data.classes
        return self.log_probabilities(full, data)[np.arange(len(data)), labels]

    def log_likelihood_and_gradient(self, full: Floats, data: SequenceData) -> tuple[float, Floats]:
        """Log-likelihood of all sequences together and its gradient, (n_full,)."""
        total, gradient = 0.0, np.zeros(self.layout.size)
        for at in range(0, len(data), _CHUNK):
            value, slope = self._value_and_gradient(full, data, slice(at, at + _CHUNK))
            total, gradient = total + value, gradient + slope
        return total, gradient

    def _value_and_gradient(
        self, full: Floats, data: SequenceData, items: slice | Integers
    ) -> tuple[float, Floats]:
        logits, memory = self._forward(full, data, items)
        log_p = _log_probabilities(logits.astype(np.float64))
        labels = data.classes[items]
        rows = np.arange(len(labels))
        residual = -np.exp(log_p)
        residual[rows, labels] += 1.0
        gradient = self._backward(residual[:, 1:].astype(logits.dtype), memory, data, items)
        return float(log_p[rows, labels].sum()), gradient

    # -- minibatches -------------------------------------------------------------------------

    def batches(
        self,
        data: SequenceData,  # noqa: ARG002 (items of all lengths may share a batch)
        items: Integers,
        batch_size: int,
        generator: np.random.Generator | None,
    ) -> list[Integers]:
        """Cut items into batches of about equal size."""
        return index_batches(items, batch_size, generator)

    def batch_loss_and_gradient(
        self,
        full: Floats,
        data: SequenceData,
        batch: Integers,
        generator: np.random.Generator,  # noqa: ARG002 (nothing is drawn)
    ) -> tuple[float, float, Floats]:
        """Minus the log-likelihood of a batch, its size, and the gradient."""
        value, gradient = self._value_and_gradient(full, data, batch)
        return -value, float(len(batch)), -gradient

    def batch_loss(self, full: Floats, data: SequenceData, batch: Integers) -> tuple[float, float]:
        """Minus the log-likelihood of a batch, and its size."""
        return -float(self.log_likelihood(full, data.subset(batch)).sum()), float(len(batch))

    # -- forwards and backwards --------------------------------------------------------------

    def _forward(
        self, full: Floats, data: SequenceData, items: slice | Integers
    ) -> tuple[Floats, dict[str, Any]]:
        """Give the logits of some items, and what the way back needs."""
        from seqbio.neural import filters, pooling

        blocks = self.layout.unflatten(full)
        if self.pooling == "sum":
            return self._linear_forward(blocks, data, items), {}
        dtype = np.float32 if self.single else np.float64
        weights, bias = (by_filter(blocks[name]).astype(dtype) for name in ("weights", "bias"))
        readout = np.eye(self.n_motifs)[None].astype(dtype)
        if self.has_readout:
            readout = blocks["readout"].astype(dtype)
        sequences = windows.letters(data, items, dtype)
        n_windows = data.lengths[items] - self.width + 1
        memory: dict[str, Any] = {"sequences": sequences, "shape": weights.shape}
        memory["readout"] = readout
        if self.pooling == "max":
            best, position = filters.best_windows(weights, bias, sequences, n_windows)
            by_strand = best.reshape(len(best), self.n_motifs, self.n_strands)
            strand = by_strand.argmax(axis=2)
            pooled = np.take_along_axis(by_strand, strand[:, :, None], axis=2)[:, :, 0]
            memory |= {"position": position, "strand": strand, "pooled": pooled}
        else:
            scores = filters.window_scores(weights, bias, sequences)
            if self.pooling == "logsumexp":
                pooled, share = pooling.pool_log_mean_exp(scores, n_windows, self.n_strands)
                memory |= {"share": share, "pooled": pooled}
            else:
                shape = (len(scores), self.n_motifs, self.n_strands, scores.shape[2])
                pooled = scores.reshape(shape).sum(axis=2)  # (n, n_motifs, P)
                memory["pooled"] = pooled
        if self.pooling == "none":
            wide = np.broadcast_to(readout, (pooled.shape[2], *readout.shape[1:]))
            logits = np.einsum("nkp,plk->nl", pooled, wide, optimize=True)
        else:
            logits = pooled @ readout[0].T
        return logits + blocks["intercept"].astype(dtype), memory

    def _backward(
        self, slope: Floats, memory: dict[str, Any], data: SequenceData, items: slice | Integers
    ) -> Floats:
        """Take derivatives by the logits, (n, n_logits), back to the full parameters."""
        from seqbio.neural import filters

        blocks: dict[str, Any] = {"intercept": slope.sum(axis=0)}
        if self.pooling == "sum":
            weights_slope, bias_slope = self._linear_backward(slope, data, items)
            return self.layout.flatten(blocks | {"weights": weights_slope, "bias": bias_slope})
        readout, shape, sequences = memory["readout"], memory["shape"], memory["sequences"]
        pooled = memory["pooled"]
        if self.pooling == "none":
            wide = np.broadcast_to(readout, (pooled.shape[2], *readout.shape[1:]))
            by_place = np.einsum("nl,nkp->plk", slope, pooled, optimize=True)
            blocks["readout"] = by_place if len(readout) > 1 else by_place.sum(axis=0)[None]
            into_motifs = np.einsum("nl,plk->nkp", slope, wide, optimize=True)
            into_scores = np.repeat(into_motifs, self.n_strands, axis=1)
            found = filters.filter_gradient(shape, sequences, into_scores)
        else:
            blocks["readout"] = (slope.T @ pooled)[None]
            into_pooled = slope @ readout[0]
            if self.pooling == "max":
                chosen = memory["strand"][:, :, None] == np.arange(self.n_strands)
                into_best = (into_pooled[:, :, None] * chosen).reshape(len(slope), -1)
                found = filters.best_windows_gradient(
                    shape, sequences, memory["position"], into_best
                )
            else:
                into_scores = (
                    np.repeat(into_pooled, self.n_strands, axis=1)[:, :, None] * memory["share"]
                )
                found = filters.filter_gradient(shape, sequences, into_scores)
        for name, gradient in zip(("weights", "bias"), found, strict=True):
            blocks[name] = self._by_strand(gradient)
        return self.layout.flatten({name: blocks[name] for name in self.layout.names})

    def _by_strand(self, by_filter: Floats) -> Floats:
        """Undo `by_filter`: (places, filters, ...) to (places, strands, motifs, ...)."""
        places, _, *rest = by_filter.shape
        split = by_filter.reshape(places, self.n_motifs, self.n_strands, *rest)
        return split.swapaxes(1, 2)

    # -- sum pooling: a generalised linear model ---------------------------------------------

    def _coefficients(self, blocks: dict[str, Floats]) -> Floats:
        """Give the weights of the columns of ``data.design``, (n_features, n_logits)."""
        weights = blocks["weights"].sum(axis=1)  # (places, n_logits, letters, width)
        bias = blocks["bias"].sum(axis=1)
        if self.n_places == 1:
            features = weights[0].transpose(2, 1, 0).reshape(-1, self.n_logits)
            return np.vstack([features, bias])
        length = self.n_places + self.width - 1
        features = np.zeros((length, self.alphabet.size, self.n_logits))
        for column in range(self.width):
            features[column : column + self.n_places] += weights[..., column].transpose(0, 2, 1)
        # The number of windows is the number of places, and the bias of each counts once.
        return np.vstack([features.reshape(-1, self.n_logits), bias.mean(axis=0)])

    def _linear_forward(
        self, blocks: dict[str, Floats], data: SequenceData, items: slice | Integers
    ) -> Floats:
        design = windows.design(data, self.width, self.n_places > 1)[items]
        return design @ self._coefficients(blocks) + blocks["intercept"]

    def _linear_backward(
        self, slope: Floats, data: SequenceData, items: slice | Integers
    ) -> tuple[Floats, Floats]:
        by_feature = windows.design(data, self.width, self.n_places > 1)[items].T @ slope
        features, bias = by_feature[:-1], by_feature[-1]
        shapes = self.layout.shapes
        if self.n_places == 1:
            shape = (self.width, self.alphabet.size, self.n_logits)
            weights = features.reshape(shape).transpose(2, 1, 0)[None]
        else:
            at_place = features.reshape(-1, self.alphabet.size, self.n_logits)
            at_windows = np.lib.stride_tricks.sliding_window_view(at_place, self.width, axis=0)
            weights = at_windows.transpose(0, 2, 1, 3)  # (places, n_logits, letters, width)
            bias = np.broadcast_to(bias / self.n_places, (self.n_places, self.n_logits))
        return (
            np.broadcast_to(weights[:, None], shapes["weights"]),
            np.broadcast_to(np.reshape(bias, (-1, 1, self.n_logits)), shapes["bias"]),
        )

    def has_too_many_parameters(self, tying: Tying, data: SequenceData) -> bool:
        """Tell whether there are too few sequences for the maximum to be of use."""
        if self.regular:
            return _excess(tying.n_free, self, data)[1] > _TOO_MUCH
        return tying.n_free / self.n_strands > len(data) / 5

    def _stopped_early(
        self,
        tying: Tying,
        data: SequenceData,
        start: Floats | None,
        seed: int | np.random.Generator | None,
    ) -> Fit:
        for_split, for_training = spawn_generators(seed, 2)
        items, validation = grouped_split(windows.by_content(data), 0.2, for_split)
        trained = train(
            self,
            tying,
            data,
            TrainingSettings(n_epochs=100, learning_rate=0.02, patience=10),
            items=items,
            validation=validation,
            start=self.start(data) if start is None else start,
            seed=for_training,
        )
        return fit_at(
            self,
            tying,
            data,
            trained.full,
            converged=False,
            message="stopped where it predicts a fifth of the sequences best, not at the maximum",
            n_iterations=len(trained.history),
            n_evaluations=trained.n_evaluations,
        )

    # -- for tests ---------------------------------------------------------------------------

    def maximise(
        self,
        tying: Tying,
        data: SequenceData,
        *,
        start: Floats | None = None,
        n_starts: int = 1,
        seed: int | np.random.Generator | None = None,
    ) -> Fit:
        """Climb to the maximum; where there can be several, from windows of the data.

        A network's last nats are won slowly, so it is given more steps, and counts as settled when
        less than a millionth of a nat is left to gain. With too many parameters for the
        sequences (with sum pooling as many as rule out chi-squared, else one for every fifth) the
        maximum is of no use, it often lies at infinity: the fit is stopped where it predicts
        a fifth of the sequences best, and does not count as converged. A split test asks no more of
        its alternative.
        """
        if self.has_too_many_parameters(tying, data):
            return self._stopped_early(tying, data, start, seed)
        if self.regular:
            return fit(self, tying, data, start=start, n_starts=n_starts, seed=seed)
        model, shared, kept = self._at_one_place(tying)
        starts = [model.start(data)]
        if start is not None:
            starts = [tying.expand(tying.project(start))[kept]]
        starts += [
            model.motif_start(data, generator, _CANDIDATES)
            for generator in spawn_generators(seed, n_starts - 1)
        ]
        best = best_of(
            [
                fit(model, shared, data, start=each, max_iterations=_STEPS, tolerance=_SETTLED)
                for each in starts
            ]
        )
        full = tying.expand(best.free)
        full.setflags(write=False)
        return replace(best, model=self, tying=tying, full=full)

    def learn(
        self,
        tying: Tying,
        data: SequenceData,
        *,
        start: Floats | None = None,
        n_starts: int = 1,
        seed: int | np.random.Generator | None = None,
    ) -> Fit:
        """Fit so as to predict other sequences: a network well before its maximum.

        At the maximum a filter forbids letters that the data happen not to have, which costs other
        sequences dearly. A few hundred steps of Adam from telling windows, slower towards the end,
        find the motif and stop short of that. They cost little, so six are begun for each start
        that is asked for, of which those that are best after a quarter of the steps go on, and the
        one that fits best is taken.
        """
        if self.regular or self.has_too_many_parameters(tying, data):
            return self.maximise(tying, data, start=start, n_starts=n_starts, seed=seed)
        model, shared, kept = self._at_one_place(tying)
        model = replace(model, single=True)
        batch_size = min(64, len(data))
        settings = TrainingSettings(
            n_epochs=-(-_LEARNING_STEPS * batch_size // len(data)),
            batch_size=batch_size,
            learning_rate=0.05,
            schedule="cosine",
        )
        for_race, *generators = spawn_generators(seed, 1 + _CHEAP_STARTS * n_starts)
        starts = [model.motif_start(data, generator, _CANDIDATES) for generator in generators]
        if start is not None:
            starts[0] = tying.expand(tying.project(start))[kept]
        trained = race(
            model, shared, data, settings, items=np.arange(len(data)), starts=starts, seed=for_race
        )
        best = min(trained, key=lambda training: training.loss)
        return fit_at(
            self,
            tying,
            data,
            tying.expand(best.free),
            converged=False,
            message=f"stopped after {_LEARNING_STEPS} minibatches, to predict rather than to fit",
            n_iterations=sum(len(training.history) for training in trained),
            n_evaluations=sum(training.n_evaluations for training in trained),
        )

    def _at_one_place(self, tying: Tying) -> tuple[MotifModel, Tying, Integers]:
        """Write filters that are tied over position once; nothing changes but the time it takes.

        Given back are model, tying and the full parameters that are kept, in their order; the free
        parameters stay as they are. A tying of another kind stays as it is, too.
        """
        kept = []
        for name in self.layout.names:
            indices = self.layout.indices(name)
            if name in ("weights", "bias"):
                for array in (tying.group, tying.sign, tying.offset):
                    if (array[indices] != array[indices[:1]]).any():
                        return self, tying, np.arange(self.layout.size)
                indices = indices[:1]
            kept.append(indices.ravel())
        entries = np.concatenate(kept)
        shared = Tying(tying.group[entries], tying.sign[entries], tying.offset[entries])
        return replace(self, n_places=1), shared, entries

    def at_one_place(self, tying: Tying, full: Floats) -> tuple[MotifModel, Floats]:
        """Give the model, and its parameters, that has filters tied over position once."""
        model, _, kept = self._at_one_place(tying)
        return model, full[kept]

    def curvature(self, full: Floats, data: SequenceData) -> Floats:  # noqa: ARG002
        """Rough diagonal of minus the Hessian: a quarter for each time that a letter is met."""
        n_items = float(len(data))
        n_windows = float(data.lengths.mean()) - self.width + 1
        blocks = {}
        for name, shape in self.layout.shapes.items():
            met = 1.0
            if name in ("weights", "bias") and self.pooling in ("sum", "none"):
                met = n_windows / self.n_places
            if name == "weights":
                met /= self.alphabet.size
            blocks[name] = np.full(shape, 0.25 * n_items * met)
        return self.layout.flatten(blocks)

    def identified(self, full: Floats, data: SequenceData) -> Floats:
        """Give what the data can tell: with sum pooling, the linear predictor.

        The columns of the design, and the intercept, are dependent (the letters of a place add up
        to 1), so the predictor is written in an orthogonal basis of what they span.
        """
        if self.pooling != "sum":
            return full
        blocks = self.layout.unflatten(full)
        by_place = self.n_places > 1

        def make() -> Floats:
            design = windows.design(data, self.width, by_place)
            design = np.column_stack([design, np.ones(len(design))])
            _, singular, rows = np.linalg.svd(design, full_matrices=False)
            kept = singular > 1e-9 * singular[0]
            return np.asarray(singular[kept, None] * rows[kept] / np.sqrt(len(design)))

        coefficients = np.vstack([self._coefficients(blocks), blocks["intercept"]])
        return data.derived(("predictor", self.width, by_place), make) @ coefficients

    def simulate(
        self, full: Floats, data: SequenceData, generator: np.random.Generator
    ) -> SequenceData:
        """Draw new labels for the same sequences."""
        cumulated = np.exp(self.log_probabilities(full, data)).cumsum(axis=1)
        draws = generator.random(len(data))
        return data.with_labels((draws[:, None] > cumulated[:, :-1]).sum(axis=1))

    def learned_symmetry(
        self, null: Tying, alternative: Tying, data: SequenceData
    ) -> LearnedSymmetry | None:
        """Say which symmetry of sequences, as motifs see it, two hypotheses differ in.

        It is that of the strands, or that of the places, where the alternative with just that tie
        is the null. A sequence that is turned round has its sites at other places, so positions
        must be tied for the strands. A sum over windows, and readouts by place, find no sites.
        """
        from seqbio.motif.symmetry import read_places, read_strands

        if self.pooling not in ("max", "logsumexp"):
            return None
        anywhere = null.is_nested_in(self.tying(("position",)))
        if self.n_strands == 2 and anywhere and self._adds_tie("strand", null, alternative):
            words = "sequences are replaced by their reverse complements"
            read = partial(read_strands, self, null, data)
            return LearnedSymmetry("signs", words, "on the + strand", read)
        if self.n_places > 1 and self._adds_tie("position", null, alternative):
            words = "sites stand at other places"
            return LearnedSymmetry("places", words, "", partial(read_places, self, null, data))
        return None

    def _adds_tie(self, name: str, null: Tying, alternative: Tying) -> bool:
        """Tell whether the null is the alternative with one tie more."""
        tied = self.tying((name,))
        both = alternative.intersect(tied)
        return (
            not alternative.is_nested_in(tied)
            and both.is_nested_in(null)
            and null.is_nested_in(both)
        )

    def estimates(self, full: Floats) -> dict[str, float]:
        """Give readouts and intercepts by name; filters are better looked at as motifs."""
        blocks = self.layout.unflatten(full)
        names = dict(zip(self.layout.entry_names, full.tolist(), strict=True))
        kept = [
            name for name in ("readout", "intercept") if name in blocks and len(blocks[name]) < 9
        ]
        return {name: value for name, value in names.items() if name.split("[")[0] in kept}

    def checks(self, full: Floats, data: SequenceData, tying: Tying) -> list[Check]:
        """Say what makes a test of these ties doubtful."""
        found = []
        if self.regular:
            found += _many_parameters(tying.n_free, self, data)
            largest = float(np.abs(self.logits(full, data)).max())
            if largest > 20:
                found.append(
                    Check(
                        f"a sequence has log odds of {largest:.0f}: a letter or a combination "
                        "separates the classes completely, so that estimates run to infinity",
                        "invalid",
                        "separation",
                        concerns="fit",
                    )
                )
        if self.n_places > 1 and _same_everywhere(full, self):
            found.append(
                Check(
                    "windows cut around a feature (the summit of a peak, a start site) are not "
                    "free of position, even if the motif is: jitter or crop them before a test "
                    "of position",
                    "note",
                    "centred_windows",
                )
            )
        return found


def _excess(n_free: int, model: MotifModel, data: SequenceData) -> tuple[int, float]:
    """Say how many coefficients there are about, and how far that is from few.

    The mean of the likelihood ratio exceeds its degrees of freedom by a factor of about
    1 + 1.2 coefficients / sequences; given is that excess in standard deviations of the
    chi-squared law, which are few if coefficients**1.5 is small against sequences.
    """
    columns = windows.design(data, model.width, model.n_places > 1).shape[1] * model.n_logits
    # One letter of each column is redundant, and so are strands, which are added up.
    rank = round((1 - 1 / model.alphabet.size) * min(n_free / model.n_strands, columns))
    fewest = _fewest(model, data)
    return rank, float(1.2 * rank / (4 * max(fewest, 1)) * np.sqrt(rank / 2))


def _fewest(model: MotifModel, data: SequenceData) -> int:
    return int(np.bincount(data.classes, minlength=model.n_classes).min())


def _many_parameters(n_free: int, model: MotifModel, data: SequenceData) -> list[Check]:
    rank, excess = _excess(n_free, model, data)
    if excess < _NOTICEABLE:
        return []
    return [
        Check(
            f"about {rank} coefficients for {len(data)} sequences, {_fewest(model, data)} in the "
            "smallest class: the likelihood ratio is larger than chi-squared by about "
            f"{excess:.1f} standard deviations, so small p-values come too often; "
            "the split test (--calibration split; calibration='split') has no such condition",
            "invalid" if excess > _TOO_MUCH else "warning",
            "many_parameters",
        )
    ]


def _same_everywhere(full: Floats, model: MotifModel) -> bool:
    weights = model.layout.unflatten(full)["weights"]
    return bool((weights == weights[:1]).all())


def _log_probabilities(logits: Floats) -> Floats:
    reference = np.zeros((len(logits), 1), dtype=logits.dtype)
    return log_softmax(np.concatenate([reference, logits], axis=1), axis=1)


def by_filter(block: Floats) -> Floats:
    """Put the strands of a motif side by side: (places, strands, motifs, ...) to filters."""
    places, strands, motifs, *rest = block.shape
    return block.swapaxes(1, 2).reshape(places, motifs * strands, *rest)
