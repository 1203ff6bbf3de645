"""Markov chains as an estimator: the baseline to try before any network."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from math import log
from typing import Self

import numpy as np
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from numpy.typing import NDArray

from seqbio.core import Fit, Hypothesis, Tying, as_generator
from seqbio.core.estimator import Estimator, Ties, described
from seqbio.core.renaming import formerly
from seqbio.core.tables import Table
from seqbio.core.ties import Tie, TieTable, along
from seqbio.errors import ModelFileError, NotFittedError, ParameterError
from seqbio.recurrent.markov_model import FEWER_STEPS, MarkovChainModel
from seqbio.recurrent.summary import chain_summed_up
from seqbio.sequences import SequenceLike, get_alphabet
from seqbio.sequences.model_files import (
    check_ties,
    model_file,
    read_coordinates,
    read_model_text,
    write_model_text,
    written_coordinates,
)
from seqbio.sequences.sequence_data import SequenceData

Floats = NDArray[np.float64]

_FORMAT = "seqbio Markov model, version 1"
_MOST_PER_LETTER = 100  # parameters, beyond which a fit is a waste of time


def _same_along(axis: int) -> Callable[[MarkovChainModel, Tying], Tying]:
    return lambda model, tying: tying.with_equal(along(model.layout, "next", axis))


TIES = TieTable[MarkovChainModel](
    "a Markov model",
    [
        Tie(
            "time",
            "the same rules hold all along the sequence: one table of probabilities for every "
            "step whose context is complete",
            _same_along(0),
        ),
        Tie(
            "lag",
            "the letter furthest back does not matter: the chain is of the next lower order",
            _same_along(1),
            lambda model: "" if model.order else "an order of 1 or more; it is 0",
        ),
    ],
)


class MarkovModel(Estimator):
    """Markov chain: each letter depends on the `order` letters before it.

    The fit is in closed form (shares of counts), and the model is regular, so that likelihood
    ratio tests have a chi-squared law, corrected by the mean of the ratio where events are few: of
    the order (with the tie ``lag``), and of whether the same rules hold all along (with the tie
    ``time``). The first
    `order` letters, whose context is incomplete, have probabilities of their own under every
    hypothesis. A letter that is an ambiguity code, or has one in its context, is left out.

    Parameters
    ----------
    order : int
        0 for letters that are independent of each other.
    tie : tuple of str, or Tying
        Symmetries that are believed, from `ties`, or a tying of your own over the coordinates of
        ``hypothesis(records)[0].model.layout``.
    alphabet : {"dna", "rna", "protein"}
        What the sequences are made of.
    ends : bool
        Whether the end of a sequence is an outcome like the letters. Without ends, probabilities
        are those of the letters given the length, which is right for windows cut to one length.
    max_length : int, optional
        Longest sequence, in letters, for a model that is not tied over time; give the same to the
        tied model that it is compared with.
    pseudocount : float
        Added to the count of every outcome of every context by `fit`, so that nothing has
        probability 0 in other sequences. Tests are of maximum likelihood and have none.

    Attributes
    ----------
    fit_ : seqbio.core.Fit
        The fit.
    log_likelihood_ : float
        Of the data that the model was fitted to, nats.
    n_free_parameters_ : int
        Numbers that were estimated.

    Examples
    --------
    >>> model = MarkovModel(order=1, ends=False).fit(["ACACACGT", "ACACAC"])
    >>> model.probabilities("A")
    {'A': 0.0, 'C': 1.0, 'G': 0.0, 'T': 0.0}
    >>> model.probabilities("C")
    {'A': 0.8, 'C': 0.0, 'G': 0.2, 'T': 0.0}
    """

    fit_: Fit
    _ties = TIES

    def __init__(
        self,
        order: int = 1,
        tie: Ties = ("time",),
        alphabet: str = "dna",
        ends: bool = True,
        max_length: int | None = None,
        pseudocount: float = 0.0,
    ) -> None:
        self.order = order
        self.tie = tie
        self.alphabet = alphabet
        self.ends = ends
        self.max_length = max_length
        self.pseudocount = pseudocount

    # -- settings to hypothesis --------------------------------------------------------------

    def hypothesis(self, records: Iterable[SequenceLike]) -> tuple[Hypothesis, SequenceData]:
        """State the hypothesis that these settings make about some sequences.

        Returns
        -------
        hypothesis : Hypothesis
            Model and tying. Coordinates are log odds against the most frequent letter.
        data : SequenceData
            The sequences as the model takes them.
        """
        data = SequenceData.of(records, get_alphabet(self.alphabet))
        model = self._model(data)
        return Hypothesis(model, self._tying(model), described(self.tie)), data

    def _n_contexts(self, n_letters: int) -> int:
        if self.order < 0:
            raise ParameterError(f"order is {self.order!r}; give an integer of 0 or more")
        if self.order * np.log10(n_letters) > 6:
            raise ParameterError(
                f"order {self.order} with {n_letters} letters has more than a million contexts; "
                "lower the order"
            )
        return n_letters ** int(self.order)

    def _model(self, data: SequenceData) -> MarkovChainModel:
        k = data.alphabet.size
        size = self._n_contexts(k)
        steps = None
        if self.max_length is not None:
            steps = self.max_length - self.order + bool(self.ends)
            if steps < 1:
                raise ParameterError(
                    f"max_length is {self.max_length} and the order {self.order}; no letter has "
                    "a complete context"
                )
        elif not isinstance(self.tie, Tying) and "time" not in self._tie_names():
            raise ParameterError(
                f"with tie={self.tie!r} there is a table for each step; set max_length to the "
                "length of the longest sequence, or tie time"
            )
        if len(data) == 1 and not isinstance(self.tie, Tying) and "time" not in self._tie_names():
            raise ParameterError(
                f"{data.name(0)} is the only sequence, so that a chain with tie={self.tie!r}, "
                f"which has a table for each step, sees every table used once; {FEWER_STEPS}"
            )
        n_parameters = (steps or 1) * size * (k - 1 + bool(self.ends))
        n_letters = int(data.lengths.sum())
        if steps is not None and n_parameters > _MOST_PER_LETTER * n_letters:
            raise ParameterError(
                f"{n_parameters:,} probabilities of {steps} steps cannot be learned from "
                f"{n_letters:,} letters; lower the order, {FEWER_STEPS}"
            )
        letters = np.bincount(np.concatenate(data.codes), minlength=k)
        return self._chain(steps, int(letters[:k].argmax()))

    def _chain(self, steps: int | None, reference: int) -> MarkovChainModel:
        return MarkovChainModel(
            get_alphabet(self.alphabet).letters,
            int(self.order),
            ends=bool(self.ends),
            steps=steps,
            reference=reference,
        )

    def _tying(self, model: MarkovChainModel) -> Tying:
        return self._tied(model, model.layout.size)

    # -- learning and using ------------------------------------------------------------------

    def fit(self, records: Iterable[SequenceLike], labels: None = None) -> Self:  # noqa: ARG002
        """Count, and take shares of the counts.

        Parameters
        ----------
        records
            SeqRecord, Seq or str.
        labels
            Not used; scikit-learn passes it.

        Returns
        -------
        MarkovModel
            The estimator itself.
        """
        if not 0 <= self.pseudocount < np.inf:
            raise ParameterError(
                f"pseudocount is {self.pseudocount}; give a finite number of 0 or more"
            )
        hypothesis, data = self.hypothesis(records)
        self.model_: MarkovChainModel = hypothesis.model  # type: ignore[assignment]
        if self.pseudocount:
            self.fit_ = self.model_.smoothed(hypothesis.tying, data, self.pseudocount)
        else:
            self.fit_ = self.model_.maximise(hypothesis.tying, data)
        self.full_ = self.fit_.full
        return self

    def _fitted(self) -> tuple[MarkovChainModel, Floats]:
        if not hasattr(self, "full_"):
            raise NotFittedError(
                "this Markov model has no probabilities yet; call fit(records), or load"
            )
        return self.model_, self.full_

    @property
    def log_likelihood_(self) -> float:
        """Log-likelihood of the data that the model was fitted to, nats."""
        if not hasattr(self, "fit_"):
            raise NotFittedError("this Markov model was not fitted to data; call fit(records)")
        return self.fit_.log_likelihood

    @property
    def n_free_parameters_(self) -> int:
        """How many numbers were estimated."""
        return self._tying(self._fitted()[0]).n_free

    def log_likelihood(self, records: Iterable[SequenceLike]) -> Floats:
        """Log-likelihood of each sequence, (n_records,) nats; -inf for what was never seen."""
        model, full = self._fitted()
        return model.log_likelihood(full, SequenceData.of(records, get_alphabet(self.alphabet)))

    def bits_per_symbol(self, records: Iterable[SequenceLike]) -> float:
        """Mean of minus the binary logarithm of the probability of a letter (or end)."""
        model, full = self._fitted()
        data = SequenceData.of(records, get_alphabet(self.alphabet))
        n_symbols = model.cells(data)[0].size
        return -float(model.log_likelihood(full, data).sum()) / n_symbols / log(2)

    def score(self, records: Iterable[SequenceLike], labels: None = None) -> float:  # noqa: ARG002
        """Mean log-likelihood of a sequence, nats."""
        return float(self.log_likelihood(records).mean())

    def probabilities(self, context: str, *, step: int = 0) -> dict[str, float]:
        """Probability of each letter after a context of `order` letters.

        Parameters
        ----------
        context : str
            The letters before, the nearest last.
        step : int
            Which complete context of the sequence, from 0, for models not tied over time.

        Returns
        -------
        dict of str to float
            By letter, and ``"end"`` where ends are modelled.
        """
        model, full = self._fitted()
        alphabet = get_alphabet(self.alphabet)
        codes = alphabet.encode(context).astype(np.intp)
        if codes.size != self.order or (codes >= alphabet.size).any():
            raise ParameterError(
                f"the context is {context!r}; give {self.order} letters of {alphabet.letters}"
            )
        _, following = model.tables(full)
        row = int((codes[::-1] * alphabet.size ** np.arange(self.order)).sum())
        values = np.exp(following[min(step, len(following) - 1), row])
        names = [*alphabet.letters, "end"][: values.size]
        return dict(zip(names, values.round(9).tolist(), strict=True))

    def simulate(
        self,
        n: int,
        *,
        length: int | None = None,
        seed: int | np.random.Generator | None = None,
    ) -> list[SeqRecord]:
        """Draw sequences.

        Parameters
        ----------
        n : int
            How many.
        length : int, optional
            Letters of each; needed by a model without ends.
        seed : int, numpy.random.Generator or None
            The source of chance.
        """
        model, full = self._fitted()
        if n < 1 or (length is None and not model.ends) or (length is not None and length < 1):
            raise ParameterError(
                f"n is {n} and length {length}; give 1 or more of each (a length, too, for a "
                "model without ends)"
            )
        if model.longest is not None and length is not None and length > model.longest:
            raise ParameterError(f"length is {length} and the model has tables for {model.longest}")
        alphabet, generator = get_alphabet(self.alphabet), as_generator(seed)
        drawn = model.draw(full, n, length, generator)
        return [
            SeqRecord(Seq(alphabet.decode(codes)), id=f"sample{number}", description="")
            for number, codes in enumerate(drawn, start=1)
        ]

    sample = formerly("sample", simulate)

    def _summary(self) -> tuple[str, Sequence[Table]]:
        return chain_summed_up(self) if hasattr(self, "full_") else super()._summary()

    # -- keeping -----------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write settings and probabilities to a JSON file, whole or not at all.

        The numbers are exact; data and the evidence of convergence are not kept.
        """
        model, full = self._fitted()
        content = {
            "format": _FORMAT,
            "settings": self._settings_to_save(),
            "steps": model.steps,
            "reference": model.reference,
            "coordinates": written_coordinates(full),
        }
        write_model_text(path, content)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote; the model is ready for use, not fitted.

        Raises
        ------
        ModelFileError
            The file is damaged or something else, or a coordinate in it is no number.
        """
        kind = "a saved Markov model"
        name, content = read_model_text(path, kind)
        with model_file(name, kind, content=content):
            if content["format"] != _FORMAT:
                raise ModelFileError(
                    f"{name} says it is {content['format']!r}; this version reads {_FORMAT!r}"
                )
            markov = cls._of_saved(content["settings"])
            reference = content["reference"]
            n_letters = get_alphabet(markov.alphabet).size
            markov._n_contexts(n_letters)
            if reference not in range(n_letters):
                raise ModelFileError(f"{name} has the reference {reference!r}, which is no letter")
            markov.model_ = markov._chain(content["steps"], reference)
            markov.full_ = read_coordinates(content["coordinates"])
            size = markov.model_.layout.size
            if len(markov.full_) != size:
                raise ModelFileError(
                    f"{name} has {len(markov.full_)} coordinates and its model {size}"
                )
            check_ties(name, markov._tying(markov.model_), markov.full_)
        return markov
