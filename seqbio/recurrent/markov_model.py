"""A Markov chain as a model of `seqbio.core`: regular, with a fit in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core import Fit, Layout, Tying
from seqbio.core.fit import fit, fit_at
from seqbio.core.memory import check_parameters
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.errors import ParameterError
from seqbio.recurrent.markov_kernels import log_probabilities, mean_deviance, n_start_rows
from seqbio.sequences.sequence_data import SequenceData

_NEVER = -1000.0  # log of what the reference outcome counts where it never happened: exp is 0
_LONGEST = 1_000_000
FEWER_STEPS = (
    "tie time, or take windows of fewer letters (max_length; --window in the shell) out of several "
    "sequences, or pieces of them"
)


class MarkovChainModel:
    """Probabilities of letters given the letters before, one table or one for each step.

    Parameters
    ----------
    letters : str
        The K letters, in the order of their codes.
    order : int
        How many letters before count.
    ends : bool
        Whether the end is an outcome, so that sequences of all lengths have probabilities that
        add up to 1; else lengths are taken as given.
    steps : int or None
        How many tables for complete contexts there are; None for one that is used at every step.
    reference : int
        The outcome against which coordinates are log odds.
    """

    def __init__(
        self, letters: str, order: int, *, ends: bool, steps: int | None, reference: int
    ) -> None:
        self.letters, self.order, self.ends = letters, order, ends
        self.n_letters = n_letters = len(letters)
        self.steps, self.reference = steps, reference
        self.n_outcomes = n_letters + ends
        width = self.n_outcomes - 1
        shapes: dict[str, tuple[int, ...]] = {}
        if order:
            shapes["start"] = (n_start_rows(n_letters, order), width)
        # The axis of the letter furthest back comes first among those of the context.
        shapes["next"] = (steps or 1, *(n_letters,) * order, width)
        self.layout = Layout(shapes)
        if steps is not None:
            what = f"a chain with a table for each of {steps} steps"
            check_parameters(self.layout.size, 900, what, FEWER_STEPS)
        self.boundary = np.ones(self.layout.size, dtype=bool)
        self.key = {
            "letters": letters,
            "order": order,
            "ends": ends,
            "steps": steps,
            "reference": reference,
        }

    @property
    def longest(self) -> int | None:
        """Letters of the longest sequence that there are tables for; None for any."""
        return None if self.steps is None else self.steps + self.order - self.ends

    def start(self, data: SequenceData) -> FloatArray:  # noqa: ARG002 (the same for all data)
        """Make all outcomes equally probable."""
        return np.zeros(self.layout.size)

    def log_likelihood(self, full: FloatArray, data: SequenceData) -> FloatArray:
        """Log-likelihood of each sequence, (n_items,) nats."""
        cells, item = self.cells(data)
        value = self._logs(full).ravel()[cells]
        return np.asarray(np.bincount(item, weights=value, minlength=len(data)), dtype=np.float64)

    def log_likelihood_and_gradient(
        self, full: FloatArray, data: SequenceData
    ) -> tuple[float, FloatArray]:
        """Log-likelihood of all sequences together and its gradient."""
        counts = self.counts(data)
        logs = self._logs(full)
        with np.errstate(invalid="ignore"):  # 0 times -inf
            total = float(np.where(counts > 0, counts * logs, 0.0).sum())
        gradient = counts - counts.sum(axis=1, keepdims=True) * np.exp(logs)
        return total, np.delete(gradient, self.reference, axis=1).ravel()

    def curvature(self, full: FloatArray, data: SequenceData) -> FloatArray:
        """Diagonal of minus the Hessian."""
        logs = self._logs(full)
        p = np.exp(logs)
        diagonal = self.counts(data).sum(axis=1, keepdims=True) * p * (1 - p)
        return np.delete(diagonal, self.reference, axis=1).ravel()

    def scores(self, full: FloatArray, data: SequenceData) -> FloatArray:
        """Gradient of the log-likelihood of each sequence, (n_items, n_full)."""
        logs = self._logs(full)
        cells, item = self.cells(data)
        happened = np.bincount(item * logs.size + cells, minlength=len(data) * logs.size)
        happened = happened.reshape(len(data), *logs.shape)
        slopes = happened - happened.sum(axis=2, keepdims=True) * np.exp(logs)
        return np.delete(slopes, self.reference, axis=2).reshape(len(data), -1)

    def estimates(self, full: FloatArray) -> dict[str, float]:
        """Probabilities by name: ``P(C|A)`` of C after A, ``P(C|A) at 3`` at the third place."""
        outcomes = [*self.letters, *(["end"] if self.ends else [])]
        start, following = (np.exp(table) for table in self.tables(full))
        named: dict[str, float] = {}
        if self.order:
            for length in range(self.order):
                first = n_start_rows(self.n_letters, length)
                for index, context in enumerate(product(self.letters, repeat=length)):
                    row, words = start[first + index], "".join(context)
                    named |= _named(outcomes, words, row, f" at {length + 1}")
        for step, table in enumerate(following):
            place = f" at {step + self.order + 1}" if self.steps else ""
            for row, context in zip(table, product(self.letters, repeat=self.order), strict=True):
                named |= _named(outcomes, "".join(context), row, place)
        return named

    def maximise(
        self,
        tying: Tying,
        data: SequenceData,
        *,
        start: ArrayLike | None = None,
        n_starts: int = 1,
        seed: int | np.random.Generator | None = None,
    ) -> Fit:
        """Fit in closed form: probabilities are shares of the counts of the rows that are tied.

        A tying that joins anything but whole rows is fitted by `seqbio.core.fit`.
        """
        if not self._ties_rows(tying):
            return fit(self, tying, data, start=start, n_starts=n_starts, seed=seed)
        full = tying.expand(self._shares(tying, data, pseudocount=0.0))
        message = "the closed form of a Markov chain"
        return fit_at(self, tying, data, full, converged=True, message=message)

    def smoothed(self, tying: Tying, data: SequenceData, pseudocount: float) -> Fit:
        """Fit in closed form with an extra count for every outcome of every row.

        Nothing then has probability 0, as predictions need; it is no maximum of the likelihood.
        """
        if not self._ties_rows(tying):
            raise ParameterError("pseudocounts need a tying of whole rows; set pseudocount to 0")
        full = tying.expand(self._shares(tying, data, pseudocount))
        message = f"shares of counts with a pseudocount of {pseudocount}"
        return fit_at(self, tying, data, full, converged=False, message=message)

    def _shares(self, tying: Tying, data: SequenceData, pseudocount: float) -> FloatArray:
        counts = self.counts(data)
        others = np.delete(counts, self.reference, axis=1)
        reference = np.broadcast_to(counts[:, [self.reference]], others.shape)
        happened = tying.pull_back(others.ravel()) + pseudocount
        against = tying.pull_back(reference.ravel()) + pseudocount
        with np.errstate(divide="ignore"):
            free: FloatArray = np.log(happened) - np.maximum(np.log(against), _NEVER)
        # Rows without an event can have any probabilities: equal ones.
        events = np.broadcast_to(counts.sum(axis=1, keepdims=True), others.shape)
        free[tying.pull_back(events.ravel()) == 0] = 0.0
        return free

    def _ties_rows(self, tying: Tying) -> bool:
        if (tying.group < 0).any() or (tying.sign != 1).any() or tying.offset.any():
            return False
        groups = tying.group.reshape(-1, self.n_outcomes - 1)
        first = np.unique(groups[:, 0], return_inverse=True)[1].reshape(-1)
        lowest = np.full((first.max() + 1, groups.shape[1]), tying.n_free)
        np.minimum.at(lowest, first, groups)
        same = np.array_equal(groups, lowest[first])
        return same and np.unique(lowest).size == lowest.size

    def mean_ratio(
        self, null: Tying, alternative: Tying, full: FloatArray, data: SequenceData
    ) -> float | None:
        """Expect the likelihood ratio of two closed-form fits if the null is true.

        Twice the log-likelihood that a table of counts gains by being fitted is the deviance of its
        cells less that of its rows, as of Poisson counts; its mean is a sum over both
        (`seqbio.recurrent.markov_kernels.mean_deviance`).
        """
        if not (self._ties_rows(null) and self._ties_rows(alternative)):
            return None
        expected = self.counts(data).sum(axis=1, keepdims=True) * np.exp(self._logs(full))
        gains = []
        for tying in (null, alternative):
            rows = np.unique(
                tying.group.reshape(-1, self.n_outcomes - 1)[:, 0], return_inverse=True
            )[1].reshape(-1)
            pooled = np.zeros((int(rows.max()) + 1, self.n_outcomes))
            np.add.at(pooled, rows, expected)
            gains.append(mean_deviance(pooled).sum() - mean_deviance(pooled.sum(axis=1)).sum())
        return float(gains[1] - gains[0])

    def simulate(
        self, full: FloatArray, data: SequenceData, generator: np.random.Generator
    ) -> SequenceData:
        """Draw as many sequences; of the same lengths unless the model says when they end."""
        lengths = None if self.ends else data.lengths
        return SequenceData(data.alphabet, self.draw(full, len(data), lengths, generator))

    def draw(
        self,
        full: FloatArray,
        n: int,
        lengths: ArrayLike | None,
        generator: np.random.Generator,
    ) -> list[np.ndarray]:
        """Draw n sequences of at least one letter; ends are drawn where no lengths are given.

        Where there are tables for so many steps, sequences are drawn given that they end by then.
        """
        from seqbio.recurrent.markov_loops import draw_letters

        start, following = (np.exp(table) for table in self.tables(full))
        if lengths is not None and self.ends:  # given that the sequence goes on
            start, following = start.copy(), following.copy()
            for table in (start, following):
                table[..., -1] = 0
        longest = np.full(n, _LONGEST) if lengths is None else np.broadcast_to(lengths, (n,))
        must_end = self.steps is not None and lengths is None
        if must_end:
            longest = np.full(n, self.longest)
        first = (start if self.order else following[0])[0].copy()
        first[self.n_letters :] = 0  # no record is empty
        letters, n_drawn = draw_letters(
            first.cumsum(),
            start.cumsum(axis=-1),
            following.cumsum(axis=-1),
            self.order,
            self.n_letters,
            longest.astype(np.intp),
            must_end,
            generator,
        )
        drawn = np.split(letters, n_drawn.cumsum()[:-1])
        short = np.flatnonzero(n_drawn < (1 if must_end else longest * (lengths is not None)))
        if short.size and must_end:
            raise ParameterError(
                f"of 1000 sequences none ended within the {self.longest} letters that there are "
                "tables for; ask for a length"
            )
        if short.size:
            before = drawn[short[0]][-max(self.order, 1) :]
            raise ParameterError(
                f"no letter follows {''.join(self.letters[code] for code in before)!r}: the "
                "sequence ends there in all data; leave the length to the model, or fit with a "
                "pseudocount"
            )
        return drawn

    def tables(self, full: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Log-probabilities: (n_start_rows, n_outcomes), and (1 or steps, n_rows, n_outcomes)."""
        blocks = self.layout.unflatten(np.asarray(full, dtype=np.float64))
        width = self.n_outcomes - 1
        start = blocks["start"] if self.order else np.zeros((0, width))
        following = blocks["next"].reshape(self.steps or 1, -1, width)
        return (
            log_probabilities(start, self.reference),
            log_probabilities(following, self.reference),
        )

    def _logs(self, full: FloatArray) -> FloatArray:
        """Log-probabilities of all tables one below the other, (n_rows of all, n_outcomes)."""
        return np.concatenate([table.reshape(-1, self.n_outcomes) for table in self.tables(full)])

    def counts(self, data: SequenceData) -> FloatArray:
        """How often each outcome followed each context, (n_rows, n_outcomes); kept with data."""

        def count() -> FloatArray:
            n_rows = n_start_rows(self.n_letters, self.order)
            n_rows += (self.steps or 1) * self.n_letters**self.order
            counted = np.bincount(self.cells(data)[0], minlength=n_rows * self.n_outcomes)
            table = counted.reshape(n_rows, self.n_outcomes).astype(np.float64)
            table.setflags(write=False)
            return table

        return data.derived(("counts", self.order, self.ends, self.steps), count)

    def cells(self, data: SequenceData) -> tuple[IntArray, IntArray]:
        """Find the cell of `counts` and the sequence of every outcome; kept with the data."""
        from seqbio.recurrent.markov_loops import find_cells

        data.check_lengths(self.longest)
        if data.alphabet.size != self.n_letters:
            raise ParameterError(
                f"the data have {data.alphabet.size} letters and the model {self.n_letters}"
            )

        def find() -> tuple[IntArray, IntArray]:
            codes = np.concatenate([np.zeros(0, dtype=np.uint8), *data.codes], dtype=np.uint8)
            cells, n_cells = find_cells(
                codes, data.lengths, self.order, self.n_letters, self.ends, self.steps or 1
            )
            return cells, np.repeat(np.arange(len(data)), n_cells)

        return data.derived(("cells", self.order, self.ends, self.steps), find)


def _named(
    outcomes: Sequence[str], context: str, probabilities: FloatArray, place: str
) -> dict[str, float]:
    given = f"|{context}" if context else ""
    return {
        f"P({outcome}{given}){place}": float(value)
        for outcome, value in zip(outcomes, probabilities, strict=True)
    }
