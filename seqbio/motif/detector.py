"""The motif detector as an estimator: records and labels in, motifs and predictions out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from seqbio.core import Hypothesis, Tying, fit, map_pieces, spawn_generators
from seqbio.core._checks import checked_labels
from seqbio.core.estimator import Estimator, Ties, described, numbered, share_right
from seqbio.core.numerics import Labels
from seqbio.core.renaming import takes_former
from seqbio.core.tables import Table
from seqbio.core.training import (
    Callback,
    Training,
    TrainingSettings,
    grouped_split,
    train,
)
from seqbio.core.training_state import EpochRecord
from seqbio.errors import (
    ModelFileError,
    NotFittedError,
    ParameterError,
    SequenceFormatError,
    did_you_mean,
)
from seqbio.motif import windows
from seqbio.motif.motif_model import MotifModel, Pooling
from seqbio.motif.motifs import (
    checked_background,
    filter_probabilities,
    make_motif,
    reverse_complement,
)
from seqbio.motif.summary import summed_up
from seqbio.motif.ties import TIES
from seqbio.sequences import SequenceLike, as_records, get_alphabet
from seqbio.sequences.model_files import (
    check_ties,
    model_file,
    model_numbers,
    read_model_text,
    write_model_text,
)
from seqbio.sequences.sequence_data import SequenceData
from seqbio.sequences.shuffle import shuffle_dinucleotides

if TYPE_CHECKING:
    from Bio.motifs import Motif
    from Bio.SeqRecord import SeqRecord

Floats = NDArray[np.float64]
Records = Iterable[SequenceLike]

_STRANDS = {"dna": "both", "rna": "one", "protein": "one"}
_POOLINGS = ("max", "logsumexp", "sum", "none")
_SITES = 100.0  # that a motif read off a filter is said to have been seen in
_FORMAT = "seqbio motif detector, version 1"


class MotifDetector(Estimator):
    """Learn motifs that tell classes of sequences apart, with position and strand as ties.

    Filters score every window of a sequence, one weight for each letter in each column; the scores
    of a motif are pooled over windows and strands, weighed and added up to the log odds of
    the classes. Tied over position, a filter is the same everywhere (a convolution); untied, there
    is one for each place, and all sequences must be of one length.

    Parameters
    ----------
    n_motifs : int
        How many. With sum pooling, one for each class but the first.
    width : int
        Columns of a motif.
    pooling : {"max", "logsumexp", "sum", "none"}
        ``max``: the best window counts. ``logsumexp``: the mean of the likelihood ratios, exact
        when one window holds the motif. ``sum``: a generalised linear model, with one optimum.
        ``none``: a weight for the motif at each position.
    tie : tuple of str, or Tying
        Symmetries that are believed, from `ties`; or a tying of your own over the model's layout.
    alphabet : {"dna", "rna", "protein"}
        What the sequences are made of.
    strands : {"both", "one"}, optional
        Whether motifs may stand on the other strand; by default they may in DNA.
    readout : {"free", "unit"}
        Whether motifs are weighed, or motif k adds its pooled score to class k as it is. With
        ``logsumexp`` and ``unit`` the score is the log odds of one occurrence against none, a
        smooth model with fewer optima, which the split test needs; one motif for each class but
        the first.
    optimizer : {"adam", "lbfgs"}, optional
        Minibatches, or the whole data at once (the default with sum pooling, which has one
        optimum). The settings that follow, but for `n_starts`, are for minibatches.
    learning_rate, weight_decay : float
        Of Adam.
    batch_size, n_epochs : int
        Sequences of a step, and the most passes over the data.
    validation_fraction : float
        Share of the data that is kept apart to see when to stop, copies of a sequence together;
        0 trains on all, to the end.
    patience : int
        Passes without a better validation loss after which training stops.
    n_starts : int
        Fits from more than one start; the one with the lowest (validation) loss is kept.
    workers : int
        Processes to share the starts between.
    seed : int, numpy.random.Generator or None
        For starts, order and shuffles.

    Attributes
    ----------
    classes_ : ndarray
        The labels, sorted; the first is the reference.
    motifs_ : list of Bio.motifs.Motif
        Letters of the best windows in the data.
    weights_, bias_, readout_, intercept_ : ndarray
        Filters in the order of PyTorch's Conv1d, (n_motifs, n_letters, width), with an axis of
        positions in front where untied; and the rest.
    log_likelihood_ : float
        Of the labels of all data that `fit` was given, nats.
    n_free_parameters_ : int
        Numbers that were estimated.
    history_ : tuple of EpochRecord
        Losses of each pass.
    converged_ : bool
        L-BFGS: at an optimum. Adam: stopped because the validation loss no longer fell.

    Examples
    --------
    >>> import numpy as np
    >>> letters = np.random.default_rng(1).choice(list("ACGT"), (120, 30))
    >>> letters[:60, 10:16] = list("TGACTC")
    >>> sequences = ["".join(row) for row in letters]
    >>> detector = MotifDetector(n_motifs=2, width=8, n_epochs=40, validation_fraction=0, seed=1)
    >>> labels = [1] * 60 + [0] * 60
    >>> detector.fit(sequences, labels).score(sequences, labels) > 0.9
    True
    >>> detector.weights_.shape, detector.n_free_parameters_
    ((2, 4, 8), 69)
    """

    _is_classifier = True
    _ties = TIES

    @takes_former(validation="validation_fraction", n_jobs="workers")
    def __init__(
        self,
        n_motifs: int = 8,
        width: int = 12,
        pooling: Pooling = "max",
        tie: Ties = ("position", "strand"),
        alphabet: str = "dna",
        strands: Literal["both", "one"] | None = None,
        readout: Literal["free", "unit"] = "free",
        optimizer: Literal["adam", "lbfgs"] | None = None,
        learning_rate: float = 0.02,
        weight_decay: float = 0.02,
        batch_size: int = 32,
        n_epochs: int = 100,
        validation_fraction: float = 0.15,
        patience: int = 15,
        n_starts: int = 1,
        workers: int = 1,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        self.n_motifs = n_motifs
        self.width = width
        self.pooling = pooling
        self.tie = tie
        self.alphabet = alphabet
        self.strands = strands
        self.readout = readout
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.n_epochs = n_epochs
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.n_starts = n_starts
        self.workers = workers
        self.seed = seed

    # -- settings to model -------------------------------------------------------------------

    def hypothesis(self, data: tuple[Records, Labels | None]) -> tuple[Hypothesis, SequenceData]:
        """State the hypothesis that these settings make about labelled sequences.

        Where all sequences are of one length, filters have one copy for each position whatever the
        ties, so that hypotheses with and without the tie are about one model.

        Parameters
        ----------
        data : tuple
            Sequences, and their labels (None: all positive, with shuffles as negatives).

        Returns
        -------
        hypothesis : Hypothesis
            Model and tying.
        data : SequenceData
            The sequences as the model takes them.
        """
        if not isinstance(data, tuple) or len(data) != 2:
            raise ParameterError(
                "the data of a motif detector are a tuple (sequences, labels); labels may be None"
            )
        prepared, classes = self._prepare(*data)
        if not isinstance(self.tie, Tying) and "position" not in self.tie:
            self._one_length(prepared)
        n_places = 1
        if prepared.common_length is not None:
            n_places = prepared.common_length - self.width + 1
        model = self._model(prepared, len(classes), n_places)
        return Hypothesis(model, self._tying(model), described(self.tie)), prepared

    def _model(
        self, data: SequenceData, n_classes: int, n_places: int, single: bool = False
    ) -> MotifModel:
        alphabet = get_alphabet(self.alphabet)
        n_readouts = 0 if self.readout == "unit" else 1
        if self.pooling == "none":
            n_readouts = self._one_length(data) - self.width + 1
        unweighed = self.pooling == "sum" or self.readout == "unit"
        if unweighed and self.n_motifs != n_classes - 1:
            raise ParameterError(
                f"--motifs (n_motifs) is {self.n_motifs}; with sum pooling, or readout='unit', "
                f"there is one for each class but the first, {n_classes - 1} here"
            )
        return MotifModel(
            alphabet,
            n_classes,
            self.n_motifs,
            self.width,
            self.pooling,
            n_places,
            self._n_strands(),
            n_readouts,
            single,
        )

    def _n_strands(self) -> int:
        return 2 if (self.strands or _STRANDS[get_alphabet(self.alphabet).name]) == "both" else 1

    def _one_length(self, data: SequenceData) -> int:
        if data.common_length is None:
            first, other = data.lengths[0], int(np.flatnonzero(data.lengths != data.lengths[0])[0])
            raise ParameterError(
                f"the sequence at index {other} has {data.lengths[other]} letters and the first "
                f"has {first}; filters or readouts for each position need sequences of one length: "
                "cut them, or tie 'position' and pool"
            )
        return data.common_length

    def _tying(self, model: MotifModel) -> Tying:
        return self._tied(model, model.layout.size)

    def _check_settings(self) -> None:
        for name, value, choices in (
            ("pooling", self.pooling, _POOLINGS),
            ("strands", self.strands, ("both", "one", None)),
            ("readout", self.readout, ("free", "unit")),
            ("optimizer", self.optimizer, ("adam", "lbfgs", None)),
        ):
            if value not in choices:
                listed = ", ".join(str(choice) for choice in choices if choice)
                meant = did_you_mean(str(value), map(str, choices))
                raise ParameterError(f"{name} is {value!r}{meant}; choose one of {listed}")
        if self.readout == "unit" and self.pooling == "none":
            raise ParameterError(
                "pooling 'none' has a readout for each position; set readout='free'"
            )
        for name in ("n_motifs", "width", "n_starts", "workers"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < 1:
                raise ParameterError(f"{name} is {value!r}; give a whole number of 1 or more")
        if not 0 <= self.validation_fraction < 1:
            raise ParameterError(
                f"validation_fraction is {self.validation_fraction}; give a share from 0 to below 1"
            )
        alphabet = get_alphabet(self.alphabet)
        if self.strands == "both" and alphabet.complement is None:
            raise ParameterError(
                f"the {alphabet.name} alphabet has one strand: --strands one (strands='one')"
            )
        self._tie_names()

    def _prepare(
        self, records: Records, labels: Labels | None, classes: NDArray[Any] | None = None
    ) -> tuple[SequenceData, NDArray[Any]]:
        """Check and encode sequences and labels; without labels, shuffles are class 0."""
        checked, labels = self._labelled(records, labels)
        values = checked_labels(labels, len(checked))
        known = np.unique(values) if classes is None else classes
        if len(known) < 2:
            raise ParameterError(
                f"all labels are {known.tolist()}; give sequences of two classes or more, or no "
                "labels for shuffled sequences as the other class"
            )
        return self._encoded(checked, numbered(values, len(checked), known)), known

    def _labelled(self, records: Records, labels: Labels | None) -> tuple[list[SeqRecord], Labels]:
        """Check sequences; without labels, add shuffles of them as class 0."""
        self._check_settings()
        checked = as_records(records, get_alphabet(self.alphabet))
        if labels is not None:
            return checked, labels
        # Not the generator of the starts, so that they do not depend on this.
        shuffles = spawn_generators(self.seed, 2)[1]
        shuffled = shuffle_dinucleotides(checked, seed=shuffles)
        return checked + shuffled, [1] * len(checked) + [0] * len(shuffled)

    def _encoded(self, records: Records, index: NDArray[Any] | None = None) -> SequenceData:
        data = SequenceData.of(records, get_alphabet(self.alphabet), index)
        if data.lengths.min() < self.width:
            number = int(np.argmax(data.lengths < self.width))
            raise SequenceFormatError(
                f"{data.name(number)} has {data.lengths[number]} letters, fewer than the width of "
                f"{self.width}; leave it out or set a smaller width"
            )
        return data

    # -- learning ----------------------------------------------------------------------------

    def fit(
        self,
        records: Records,
        labels: Labels | None = None,
        *,
        callbacks: Sequence[Callback] = (),
        on_batch: Callable[[int, int, int, float], object] | None = None,
    ) -> Self:
        """Learn from labelled sequences.

        Parameters
        ----------
        records
            Sequences: SeqRecord, Seq or str.
        labels : array_like, optional
            The class of each, of any type that sorts. Without labels, the sequences are class 1
            and dinucleotide shuffles of them class 0.
        callbacks : sequence of callable
            Each is given the `seqbio.core.training.TrainingState` after each pass; a true result
            stops. Not with several processes.
        on_batch : callable, optional
            Called as ``on_batch(epoch, n_done, n_batches, loss)``. Not with several processes.

        Returns
        -------
        MotifDetector
            The estimator itself.
        """
        data, classes = self._prepare(records, labels)
        tied = not isinstance(self.tie, Tying) and "position" in self.tie
        n_places = 1 if tied else self._one_length(data) - self.width + 1
        optimizer = self.optimizer or ("lbfgs" if self.pooling == "sum" else "adam")
        self.model_ = self._model(data, len(classes), n_places, single=optimizer == "adam")
        self.classes_ = classes
        tying = self._tying(self.model_)
        self.n_free_parameters_ = tying.n_free
        if optimizer == "lbfgs":
            fitted = fit(self.model_, tying, data, n_starts=self.n_starts, seed=self.seed)
            self.fit_, self.full_, self.converged_ = fitted, fitted.full, fitted.converged
            self.history_: tuple[EpochRecord, ...] = ()
        else:
            best = self._train(tying, data, callbacks, on_batch)
            self.full_, self.history_ = best.full, best.history
            self.converged_ = best.message.startswith("no better")
        self.log_likelihood_ = float(self.model_.log_likelihood(self.full_, data).sum())
        letters = data.letter_counts + 0.5
        self.background_ = letters / letters.sum()
        self._counts = self._count_windows(data) if self._has_best_windows() else None
        return self

    def _train(
        self,
        tying: Tying,
        data: SequenceData,
        callbacks: Sequence[Callback],
        on_batch: Callable[[int, int, int, float], object] | None,
    ) -> Training:
        generators = spawn_generators(self.seed, 2 + self.n_starts)
        items, validation = np.arange(len(data)), None
        if self.validation_fraction:
            items, validation = grouped_split(
                windows.by_content(data), self.validation_fraction, generators[0]
            )
        settings = TrainingSettings(
            n_epochs=self.n_epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            schedule="cosine",
            weight_decay=self.weight_decay,
            patience=self.patience if self.validation_fraction else None,
        )
        one = partial(_train_once, self.model_, tying, data, settings, items, validation)
        if self.workers == 1:
            one = partial(one, callbacks=tuple(callbacks), on_batch=on_batch)
            trained = map_pieces(one, generators[2:])
        else:
            with ProcessPoolExecutor(self.workers) as executor:
                trained = map_pieces(one, generators[2:], executor=executor)
        return min(trained, key=lambda training: training.loss)

    # -- using -------------------------------------------------------------------------------

    def decision_function(self, records: Records) -> Floats:
        """Log odds against the first class, nats: (n,) for two classes, else (n, n_classes).

        With more than two classes, columns are in the order of `classes_` and the first is 0.
        """
        model = self._model_fitted()
        logits = model.logits(self.full_, self._unlabelled(records))
        return logits[:, 0] if logits.shape[1] == 1 else np.insert(logits, 0, 0.0, axis=1)

    def predict_proba(self, records: Records) -> Floats:
        """Probability of each class, (n, n_classes) in the order of `classes_`."""
        model = self._model_fitted()
        return np.exp(model.log_probabilities(self.full_, self._unlabelled(records)))

    def predict(self, records: Records) -> NDArray[Any]:
        """Most probable class of each sequence."""
        best = self.predict_proba(records).argmax(axis=1)
        return self.classes_[best]

    def log_likelihood(self, records: Records, labels: Labels | None = None) -> Floats:
        """Log-probability of the label of each sequence, (n,) nats; without labels, see `fit`."""
        model = self._model_fitted()
        data, _ = self._prepare(records, labels, self.classes_)
        self._check_length(data)
        return model.log_likelihood(self.full_, data)

    def score(self, records: Records, labels: Labels | None = None) -> float:
        """Share of the sequences whose most probable class is their label.

        Without labels, as in `fit`, all are class 1 and shuffles of them class 0.
        """
        self._model_fitted()
        checked, labels = self._labelled(records, labels)
        return share_right(self.predict(checked), labels)

    def _unlabelled(self, records: Records) -> SequenceData:
        data = self._encoded(records)
        self._check_length(data)
        return data

    def _check_length(self, data: SequenceData) -> None:
        model = self._model_fitted()
        places = max(model.n_places, model.n_readouts)
        expected = places + self.width - 1
        if places > 1 and (data.lengths != expected).any():
            index = int(np.flatnonzero(data.lengths != expected)[0])
            raise ParameterError(
                f"the sequence at index {index} has {data.lengths[index]} letters; this detector "
                f"was trained on positions of sequences of {expected}"
            )

    def _model_fitted(self) -> MotifModel:
        if not hasattr(self, "full_"):
            raise NotFittedError(
                "this motif detector has not learned yet; call fit(records, labels)"
            )
        return self.model_

    # -- what it learned ---------------------------------------------------------------------

    def _block(self, name: str) -> Floats:
        return self._model_fitted().layout.unflatten(self.full_)[name]

    def _strands_tied(self) -> bool:
        return not isinstance(self.tie, Tying) and "strand" in self.tie

    @property
    def weights_(self) -> Floats:
        """Filters, (n_motifs, n_letters, width); untied over position (positions, n_motifs, ...).

        Untied strands count as filters of their own, those of one motif side by side.
        """
        block = self._block("weights")
        if self._strands_tied() or block.shape[1] == 1:
            filters = block[:, 0]
        else:
            filters = block.swapaxes(1, 2).reshape(len(block), -1, *block.shape[3:])
        return filters[0] if len(filters) == 1 else filters

    @property
    def bias_(self) -> Floats:
        """Added to the scores of each filter, in the order of `weights_`."""
        block = self._block("bias")
        by_filter = block.swapaxes(1, 2).reshape(len(block), -1)
        if self._strands_tied():
            by_filter = block[:, 0]
        return by_filter[0] if len(by_filter) == 1 else by_filter

    @property
    def readout_(self) -> Floats:
        """Weight of each motif in each logit, (n_logits, n_motifs), or (positions, ...)."""
        if not self._model_fitted().has_readout:
            return np.eye(self._model_fitted().n_logits)
        block = self._block("readout")
        return block[0] if len(block) == 1 else block

    @property
    def intercept_(self) -> Floats:
        """Log odds of the classes where all scores are 0, (n_logits,)."""
        return self._block("intercept")

    @property
    def motifs_(self) -> list[Motif]:
        """Motifs: counts of the best windows, or filters where there are none."""
        return self.motifs("windows" if self._has_best_windows() else "filter")

    def motifs(self, method: Literal["windows", "filter"] = "windows") -> list[Motif]:
        """Turn the filters into motifs.

        Parameters
        ----------
        method : {"windows", "filter"}
            ``windows``: letters of the best windows of the data given to `fit`, in the classes
            that the motif speaks for, as far as they score more than half of the best (scores
            counted from their mean under the background). ``filter``: the probabilities whose log
            odds the filter holds, times its readout; exact where the classes are motif and
            background.

        Returns
        -------
        list of Bio.motifs.Motif
            ``motif1``, ...; with untied strands ``motif1+``, ``motif1-``, ... Those that rest on no
            window, because their readout is 0, are left out.
        """
        model = self._model_fitted()
        if model.n_places > 1:
            raise ParameterError(
                "the filters are untied over position, so that there is one at each position; look "
                "at weights_, or tie 'position' for motifs"
            )
        if method == "filter":
            return self._filter_motifs()
        if method != "windows":
            raise ParameterError(f"method is {method!r}; choose windows or filter")
        if self._counts is None:
            raise ParameterError(
                f"pooling {self.pooling!r} has no best windows; use method='filter'"
            )
        return [
            make_motif(counts, name, self.alphabet)
            for name, counts in zip(self._motif_names(), self._counts, strict=True)
            if counts.any()
        ]

    def _motif_names(self) -> list[str]:
        numbers = range(1, self.n_motifs + 1)
        if self._strands_tied() or self._model_fitted().n_strands == 1:
            return [f"motif{number}" for number in numbers]
        return [f"motif{number}{strand}" for number in numbers for strand in "+-"]

    def _filter_motifs(self) -> list[Motif]:
        weights = self.weights_
        scale = np.ones(self.n_motifs)
        if self.readout_.ndim == 2:
            strongest = np.abs(self.readout_).argmax(axis=0)
            scale = np.abs(self.readout_)[strongest, np.arange(self.n_motifs)]
        scale = np.repeat(scale, len(weights) // self.n_motifs)
        found = filter_probabilities(scale[:, None, None] * weights, self.background_)
        return [
            make_motif(_SITES * probability, name, self.alphabet)
            for name, probability in zip(self._motif_names(), found, strict=True)
        ]

    def _has_best_windows(self) -> bool:
        return self.pooling in ("max", "logsumexp") and self._model_fitted().n_places == 1

    def _count_windows(self, data: SequenceData) -> Floats:
        """Count letters of best windows, (n_filters, n_letters, width)."""
        from seqbio.neural.filters import best_windows

        model = self.model_
        n_windows = data.lengths - self.width + 1
        filters = self._block("weights")[0].swapaxes(0, 1)  # (motifs, strands, ...)
        filters = filters.reshape(1, -1, *filters.shape[2:])
        centre = np.einsum("pfcj,c->f", filters, self.background_)
        shares = windows.shares(data, slice(None))
        best, position = best_windows(
            filters, -centre[None], windows.letters(data, slice(None)), n_windows
        )  # counted from the mean under the background
        labels = data.classes
        counts = np.zeros((self.n_motifs, model.n_strands, *filters.shape[2:]))
        readout = np.vstack([np.zeros(self.n_motifs), self.readout_])
        for motif in range(self.n_motifs):
            spoken = readout[:, motif] > (readout[:, motif].max() + readout[:, motif].min()) / 2
            rows = np.flatnonzero(spoken[labels])
            columns = slice(motif * model.n_strands, (motif + 1) * model.n_strands)
            chosen = best[rows, columns].argmax(axis=1)
            score = best[rows, columns].max(axis=1)
            for row, strand in zip(rows, chosen, strict=True):
                if best[row, columns][strand] > score.max() / 2:
                    place = position[row, columns][strand]
                    counts[motif, strand] += shares[row, place : place + self.width].T
        if model.n_strands == 2 and self._strands_tied():
            other = reverse_complement(counts[:, 1], model.alphabet)
            return counts[:, 0] + other
        return counts.reshape(-1, *counts.shape[2:])

    # -- keeping -----------------------------------------------------------------------------

    def _summary(self) -> tuple[str, Sequence[Table]]:
        return summed_up(self) if hasattr(self, "full_") else super()._summary()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write settings and parameters to a JSON file, whole or not at all.

        The numbers are exact; data and the history of training are not kept.
        """
        model = self._model_fitted()
        content = {
            "format": _FORMAT,
            "settings": self._settings_to_save(),
            "classes": self.classes_.tolist(),
            "places": [model.n_places, model.n_readouts],
            "single": model.single,
            "parameters": self.full_.tolist(),
            "background": self.background_.tolist(),
            "counts": None if self._counts is None else self._counts.tolist(),
        }
        write_model_text(path, content)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote; the detector is ready for use.

        Raises
        ------
        ModelFileError
            The file is damaged or something else, or a number in it is not finite.
        """
        kind = "a saved motif detector"
        name, content = read_model_text(path, kind)
        with model_file(name, kind, content=content):
            if content["format"] != _FORMAT:
                raise ModelFileError(
                    f"{name} says it is {content['format']!r}; this version reads {_FORMAT!r}"
                )
            detector = cls._of_saved(content["settings"])
            detector.classes_ = np.array(content["classes"])
            n_places, n_readouts = content["places"]
            detector.model_ = MotifModel(
                get_alphabet(detector.alphabet),
                len(detector.classes_),
                detector.n_motifs,
                detector.width,
                detector.pooling,
                n_places,
                detector._n_strands(),
                n_readouts,
                content["single"],
            )
            detector.full_ = model_numbers(content["parameters"], "parameters")
            if detector.full_.shape != (detector.model_.layout.size,):
                raise ModelFileError(
                    f"{name} has {detector.full_.size} parameters and its model "
                    f"{detector.model_.layout.size}"
                )
            detector.background_ = checked_background(
                model_numbers(content["background"], "background"), detector.model_.alphabet.letters
            )
            counts = content["counts"]
            detector._counts = None if counts is None else model_numbers(counts, "counts")
            tying = detector._tying(detector.model_)
            check_ties(name, tying, detector.full_)
            detector.n_free_parameters_ = tying.n_free
        return detector


def _train_once(
    model: MotifModel,
    tying: Tying,
    data: SequenceData,
    settings: TrainingSettings,
    items: NDArray[np.int64],
    validation: NDArray[np.int64] | None,
    generator: np.random.Generator,
    callbacks: Sequence[Callback] = (),
    on_batch: Callable[[int, int, int, float], object] | None = None,
) -> Training:
    """Train from one start, around windows of the items trained on."""
    start = model.motif_start(data.subset(items), generator)
    return train(
        model,
        tying,
        data,
        settings,
        items=items,
        validation=validation,
        start=start,
        seed=generator,
        callbacks=callbacks,
        on_batch=on_batch,
    )
