"""The recurrent network as an estimator: records in; probabilities, samples and weights out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf, log
from typing import Any, Literal, Self

import numpy as np
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from numpy.typing import NDArray

from seqbio.core import Hypothesis, Tying, as_generator
from seqbio.core._checks import array_of, checked_labels
from seqbio.core.estimator import Estimator, Ties, described, numbered, share_right
from seqbio.core.numerics import Labels
from seqbio.core.renaming import formerly
from seqbio.core.tables import Table
from seqbio.core.training import (
    Training,
    TrainingSettings,
    grouped_split,
    train,
)
from seqbio.core.training_state import TrainingState
from seqbio.errors import ModelFileError, NotFittedError, ParameterError
from seqbio.recurrent.encoding import membership, with_boundary
from seqbio.recurrent.exchange import from_state_dict, to_state_dict
from seqbio.recurrent.gradient_flow import GradientFlow, gradient_flow, step_singular_values
from seqbio.recurrent.network import Architecture, Blocks, Task
from seqbio.recurrent.network_model import NetworkModel
from seqbio.recurrent.sampling import draw_sequences
from seqbio.recurrent.summary import network_summed_up
from seqbio.recurrent.ties import TIES, ties_all_time
from seqbio.sequences import CharacterAlphabet, SequenceLike, get_alphabet
from seqbio.sequences.model_files import (
    check_ties,
    model_file,
    model_numbers,
    read_model_arrays,
    write_model_arrays,
)
from seqbio.sequences.records import several
from seqbio.sequences.sequence_data import SequenceData
from seqbio.sequences.text import AnyAlphabet, as_texts

Floats = NDArray[np.float64]
_FORMAT = "seqbio recurrent model, version 1"


class RecurrentModel(Estimator):
    """Recurrent network over the letters of sequences, with its symmetries as ties.

    With ``task="next"`` it is a language model: it predicts each letter from those before it, and
    the end from the last, so its probabilities of sequences of all lengths sum to one. With
    ``task="class"`` it predicts a label from the state after the last letter (and, when it is
    bidirectional, from the state after reading backwards).

    It is trained by Adam in minibatches. A network has many optima, so what comes out depends on
    the seed, and its likelihood ratio follows no chi-squared law: `seqbio.compare` knows.

    Parameters
    ----------
    cell : str
        What the layers are made of: "lstm", "gru" or "rnn", or another of `seqbio.neural.cells`.
    hidden_size, n_layers : int
        Units of each layer, and layers.
    tie : tuple of str, or Tying
        Symmetries that are believed, from `ties`, or a tying of your own over ``model.layout``.
    alphabet : {"dna", "rna", "protein", "text"}, or CharacterAlphabet
        What the sequences are made of; "text" learns the characters from the sequences that are
        given to `fit`.
    task : {"next", "class"}
        What is predicted.
    embedding_size : int, optional
        Turn letters into vectors of this size first.
    bidirectional : bool
        Read each sequence backwards as well; for classes.
    ends : bool
        Whether the end of a sequence is predicted like the letters. Without ends, probabilities
        are those of the letters given the length, which is right for windows cut to one length.
    max_length : int, optional
        Longest sequence, in letters, for a model that is not tied over time; it refuses longer
        ones. A model that is tied over time needs none, but states the same hypothesis space as
        an untied one when it has the same.
    dropout : float
        Share of features dropped between layers in training.
    n_epochs, batch_size, learning_rate, schedule, weight_decay, clip, patience
        How to train, see `seqbio.core.training.TrainingSettings`.
    truncate : int, optional
        Steps that a gradient reaches back; longer sequences are learned in stretches, with the
        state carried on.
    validation_fraction : float
        Share of the sequences, copies of one kept together, on which the epoch to stop at is
        chosen; 0 for none.
    n_starts : int
        The best of several starts, by validation loss if there is validation.
    precision : {"single", "double"}
        Type of the network's arithmetic.
    seed : int, numpy.random.Generator or None
        For starts, order, dropout and the validation split.

    Notes
    -----
    Most of the time goes into NumPy's matrix products. On AMD Zen 4 and 5 the OpenBLAS library in
    NumPy's wheels picks kernels for AVX2; with ``OPENBLAS_CORETYPE=SkylakeX`` in the environment,
    set before Python starts, training is up to 1.6 times as fast there.

    Attributes
    ----------
    training_ : seqbio.core.training.Training
        History of losses and how it ended.
    log_likelihood_ : float
        Of all the data that were given to `fit`, nats.
    n_free_parameters_ : int
        Numbers that were learned.
    classes_ : ndarray
        The labels, in the order of `predict_proba`.
    letters_ : str
        What a text alphabet learned.

    Examples
    --------
    >>> records = ["ACGACGACGACG", "ACGACGACG", "ACGACG", "ACGACGACGACGACG"]
    >>> model = RecurrentModel(cell="gru", hidden_size=8, n_epochs=60, learning_rate=0.02, seed=1)
    >>> model = model.fit(records)
    >>> bool(model.bits_per_symbol(records) < 0.6)
    True
    >>> model.n_free_parameters_
    389
    """

    training_: Training
    _ties = TIES

    def __init__(
        self,
        cell: str = "lstm",
        hidden_size: int = 64,
        n_layers: int = 1,
        tie: Ties = ("time",),
        alphabet: str | CharacterAlphabet = "dna",
        task: Task = "next",
        embedding_size: int | None = None,
        bidirectional: bool = False,
        ends: bool = True,
        max_length: int | None = None,
        dropout: float = 0.0,
        n_epochs: int = 10,
        batch_size: int = 32,
        learning_rate: float = 0.005,
        schedule: Literal["constant", "cosine"] = "cosine",
        weight_decay: float = 0.0,
        clip: float | None = 5.0,
        patience: int | None = None,
        truncate: int | None = None,
        validation_fraction: float = 0.0,
        n_starts: int = 1,
        precision: Literal["single", "double"] = "single",
        seed: int | np.random.Generator | None = None,
    ) -> None:
        self.cell = cell
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.tie = tie
        self.alphabet = alphabet
        self.task = task
        self.embedding_size = embedding_size
        self.bidirectional = bidirectional
        self.ends = ends
        self.max_length = max_length
        self.dropout = dropout
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.weight_decay = weight_decay
        self.clip = clip
        self.patience = patience
        self.truncate = truncate
        self.validation_fraction = validation_fraction
        self.n_starts = n_starts
        self.precision = precision
        self.seed = seed

    @property
    def _is_classifier(self) -> bool:  # type: ignore[override]
        return self.task == "class"

    # -- settings to hypothesis --------------------------------------------------------------

    def hypothesis(
        self, records: Iterable[SequenceLike], labels: Labels | None = None
    ) -> tuple[Hypothesis, SequenceData]:
        """State the hypothesis that these settings make about some sequences.

        With `max_length` the weights have an axis over time whether or not they are tied along
        it, so that tied and untied models can be compared.

        Parameters
        ----------
        records
            SeqRecord, Seq or str; or pairs of a sequence and its label when there are classes and
            `labels` is left out.
        labels
            One for each sequence, for classes.

        Returns
        -------
        hypothesis : Hypothesis
            Model and tying.
        data : SequenceData
            The sequences as the model takes them.
        """
        alphabet, data, classes = self._encode_new(records, labels)
        model = self._model(alphabet, len(classes), compact=False)
        return Hypothesis(model, self._tying(model), described(self.tie)), data

    def _model(self, alphabet: AnyAlphabet, n_classes: int, *, compact: bool) -> NetworkModel:
        """Make the model; a compact one has no axis over time that its ties make constant."""
        n_symbols = alphabet.size + 1
        steps = None
        if not (ties_all_time(self._tie_names()) and (compact or self.max_length is None)):
            if self.max_length is None:
                if not isinstance(self.tie, Tying):
                    raise ParameterError(
                        f"with tie={self.tie!r} weights differ between steps; set --max-length "
                        "(max_length) to the length of the longest sequence, or tie time"
                    )
            else:
                steps = self.max_length + (self.task == "next" and self.ends)
        architecture = Architecture(
            cell=self.cell,
            n_symbols=n_symbols,
            n_outputs=n_symbols - (not self.ends) if self.task == "next" else n_classes,
            hidden_size=self.hidden_size,
            n_layers=self.n_layers,
            task=self.task,
            bidirectional=self.bidirectional,
            embedding_size=self.embedding_size,
            steps=steps,
        )
        return NetworkModel(
            architecture,
            membership(alphabet),
            precision=self.precision,
            dropout=self.dropout,
            truncate=self.truncate,
            settings=TrainingSettings(
                n_epochs=self.n_epochs,
                batch_size=self.batch_size,
                learning_rate=self.learning_rate,
                schedule=self.schedule,
                weight_decay=self.weight_decay,
                clip=inf if self.clip is None else self.clip,
                patience=self.patience,
            ),
        )

    def _tying(self, model: NetworkModel) -> Tying:
        return self._tied(model.architecture, model.layout.size)

    # -- learning ----------------------------------------------------------------------------

    def fit(
        self,
        records: Iterable[SequenceLike],
        labels: Labels | None = None,
        *,
        validation: Iterable[SequenceLike] | None = None,
        validation_labels: Labels | None = None,
        callbacks: Sequence[Callable[[TrainingState], object]] = (),
        on_batch: Callable[[int, int, int, float], object] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
        go_on: bool = False,
    ) -> Self:
        """Train on sequences, and their labels for classes.

        Parameters
        ----------
        records
            SeqRecord, Seq or str.
        labels
            One for each sequence, for classes.
        validation, validation_labels
            Sequences kept apart to choose the epoch, instead of `validation_fraction`.
        callbacks
            Each is given the `TrainingState` after every epoch; a true result ends the training.
        on_batch
            Called as ``on_batch(epoch, n_done, n_batches, nats per symbol)``.
        checkpoint
            A file that is written after every epoch, whole or not at all.
        resume
            Go on from the checkpoint, if it is there. The result is, bit for bit, that of
            a training that was not interrupted. What may differ from the training that wrote it:
            names and letter case of the records, and with one start `n_epochs` (not below the
            epochs that are done; a cosine schedule then goes on with the rate of the new number)
            and `patience`. Other sequences, labels or settings, or another order of
            the sequences, are refused.
        go_on
            Begin from the weights that the model has, such as those that `load_state_dict` took;
            alphabet and classes stay as they are.

        Returns
        -------
        RecurrentModel
            The estimator itself.

        Raises
        ------
        DataMismatchError
            The checkpoint is of other data or settings; the message names them with both values.
        ModelFileError
            It is no checkpoint, is damaged, or was written by a version that did not note data
            and settings.
        """
        if resume and checkpoint is None:
            raise ParameterError("resume needs a checkpoint to go on from; name its file")
        if resume and self.seed is None and self.validation_fraction and validation is None:
            raise ParameterError(
                "seed is None, so that other sequences are drawn for validation each time, and a "
                "training cannot be gone on with; give a seed"
            )
        if not 0 <= self.validation_fraction < 1:
            raise ParameterError(
                f"validation_fraction is {self.validation_fraction}; give a share from 0 to below 1"
            )
        start = None
        if go_on:
            start, alphabet = self._fitted()[1], self._alphabet
            classes = getattr(self, "classes_", np.zeros(0))
            data = self._encode(records, labels, alphabet, classes)
        else:
            alphabet, data, classes = self._encode_new(records, labels)
        model = self._model(alphabet, len(classes), compact=True)
        items: NDArray[Any] = np.arange(len(data))
        held_out = None
        if validation is not None:
            extra = self._encode(validation, validation_labels, alphabet, classes)
            held_out = len(data) + np.arange(len(extra))
            data_for_training = data.with_more(extra)
        else:
            data_for_training = data
            if self.validation_fraction:
                items, held_out = grouped_split(
                    data.clusters(), self.validation_fraction, self.seed
                )
        state = None
        if resume and checkpoint is not None and os.path.exists(checkpoint):  # noqa: PTH110
            state = _read_checkpoint(checkpoint)
        if checkpoint is not None:
            callbacks = [*callbacks, lambda state: write_model_arrays(checkpoint, state.arrays())]
        self.training_ = train(
            model,
            self._tying(model),
            data_for_training,
            model.settings,
            items=items,
            validation=held_out,
            start=start,
            n_starts=self.n_starts,
            seed=self.seed,
            callbacks=callbacks,
            on_batch=on_batch,
            resume=state,
            identity=self._identity(alphabet, classes),
        )
        self._take(alphabet, classes, model, self.training_.full)
        self._data = data
        return self

    def _identity(self, alphabet: AnyAlphabet, classes: NDArray[Any]) -> dict[str, Any]:
        """Name the settings that `train` is not given, and what was learned of the data."""
        names: dict[str, Any] = {
            name: value
            for name, value in self.get_params().items()
            if isinstance(value, str | int | float | np.generic | None) and name != "seed"
        }
        tie = "of your own" if isinstance(self.tie, Tying) else sorted(self.tie)
        clip = inf if self.clip is None else self.clip
        names |= {"alphabet": alphabet.name, "tie": tie, "clip": clip, "classes": classes.tolist()}
        if isinstance(alphabet, CharacterAlphabet):
            names["letters"] = alphabet.letters
        return names

    def initialise(self, records: Iterable[SequenceLike], labels: Labels | None = None) -> Self:
        """Take the random weights of a model that has learned nothing but its alphabet."""
        alphabet, data, classes = self._encode_new(records, labels)
        model = self._model(alphabet, len(classes), compact=True)
        nothing = TrainingSettings(n_epochs=0)
        training = train(
            model, self._tying(model), data, nothing, items=np.arange(len(data)), seed=self.seed
        )
        self._take(alphabet, classes, model, training.full)
        return self

    def _take(
        self,
        alphabet: AnyAlphabet,
        classes: NDArray[Any],
        model: NetworkModel,
        full: Floats,
    ) -> None:
        self.full_, self.model_, self._alphabet = full, model, alphabet
        if self.task == "class":
            self.classes_ = classes
        if isinstance(alphabet, CharacterAlphabet):
            self.letters_ = alphabet.letters

    def _fitted(self) -> tuple[NetworkModel, Floats]:
        if not hasattr(self, "full_"):
            raise NotFittedError(
                "this recurrent model has no weights yet; call fit(records), load or "
                "load_state_dict"
            )
        return self.model_, self.full_

    @property
    def weights_(self) -> Blocks:
        """The weights by name; the first axis is time, of length 1 where they are tied along it."""
        model, full = self._fitted()
        return model.layout.unflatten(full)

    @property
    def n_free_parameters_(self) -> int:
        """How many numbers were learned."""
        return self._tying(self._fitted()[0]).n_free

    @property
    def log_likelihood_(self) -> float:
        """Log-likelihood of the data that were given to `fit`, nats."""
        model, full = self._fitted()
        if not hasattr(self, "_data"):
            raise NotFittedError("this model was not fitted to data; call fit(records) first")
        return float(model.log_likelihood(full, self._data).sum())

    # -- using -------------------------------------------------------------------------------

    def log_likelihood(
        self, records: Iterable[SequenceLike], labels: Labels | None = None
    ) -> Floats:
        """Log-likelihood of each sequence, or of its label, (n_records,) nats."""
        model, full = self._fitted()
        return model.log_likelihood(full, self._prepare(records, labels))

    def bits_per_symbol(self, records: Iterable[SequenceLike]) -> float:
        """Mean of minus the binary logarithm of the probability of a symbol, ends included."""
        model, full = self._fitted()
        self._only_for("next")
        data = self._prepare(records, None)
        n_symbols = int(data.lengths.sum()) + len(data) * model.architecture.n_ends
        return -float(model.log_likelihood(full, data).sum()) / n_symbols / log(2)

    def score(self, records: Iterable[SequenceLike], labels: Labels | None = None) -> float:
        """Mean log-likelihood of a sequence, or share of labels that are predicted right."""
        if self.task == "next":
            return float(self.log_likelihood(records).mean())
        return share_right(self.predict(records), labels)

    def predict_proba(self, records: Iterable[SequenceLike]) -> Floats:
        """Probability of each of `classes_` for each sequence, (n_records, n_classes)."""
        model, full = self._fitted()
        self._only_for("class")
        return np.exp(model.class_log_probabilities(full, self._prepare(records, None)))

    def predict(self, records: Iterable[SequenceLike]) -> NDArray[Any]:
        """Most probable class of each sequence, (n_records,)."""
        best = self.predict_proba(records).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def simulate(
        self,
        n: int,
        *,
        length: int | None = None,
        temperature: float = 1.0,
        prime: str = "",
        seed: int | np.random.Generator | None = None,
    ) -> list[SeqRecord] | list[str]:
        """Draw sequences from a language model.

        Parameters
        ----------
        n : int
            How many.
        length : int, optional
            Letters of each, the prime included: the end is then not drawn. By default sequences
            end when the model says so, after 100,000 letters at the latest.
        temperature : float
            Log-probabilities are divided by it: below 1 for more probable letters.
        prime : str
            Letters that every sequence begins with.
        seed : int, numpy.random.Generator or None
            The source of chance.

        Returns
        -------
        list of SeqRecord, or of str for text
            Sequences that end before the first letter are drawn again.
        """
        model, full = self._fitted()
        self._only_for("next")
        codes = draw_sequences(
            model,
            full,
            n,
            prime=with_boundary(np.asarray(self._alphabet.encode(prime)), self._alphabet.size),
            length=length,
            temperature=temperature,
            generator=as_generator(seed),
        )
        texts = [self._alphabet.decode(each) for each in codes]
        if isinstance(self._alphabet, CharacterAlphabet):
            return texts
        return [
            SeqRecord(Seq(text), id=f"sample{number}", description="")
            for number, text in enumerate(texts, start=1)
        ]

    sample = formerly("sample", simulate)

    def gradient_flow(
        self,
        records: Iterable[SequenceLike],
        labels: Labels | None = None,
        *,
        longest_lag: int = 50,
        n_places: int = 100,
        seed: int | np.random.Generator | None = None,
    ) -> GradientFlow:
        """Measure how far back the gradient reaches: |d loss(t) / d state(t - lag)| per lag.

        Parameters
        ----------
        records
            Sequences, some of them longer than the longest lag.
        labels
            For classes.
        longest_lag : int
            Lags from 0 to this are measured.
        n_places : int
            Places (sequence and step t) that are drawn; their spread is part of the result.
        seed : int, numpy.random.Generator or None
            For the places.

        Returns
        -------
        GradientFlow
            Its ``median`` and ``quantiles`` by lag; printed, a table.
        """
        model, full = self._fitted()
        return gradient_flow(
            model,
            full,
            self._prepare(records, labels),
            longest_lag=longest_lag,
            n_places=n_places,
            generator=as_generator(seed),
        )

    def step_singular_values(
        self,
        records: Iterable[SequenceLike],
        *,
        n_places: int = 20,
        seed: int | np.random.Generator | None = None,
    ) -> Floats:
        """Singular values of d state(t) / d state(t - 1) of the first layer, largest first.

        Parameters
        ----------
        records
            Sequences that lead to the states.
        n_places : int
            Places that are drawn.
        seed : int, numpy.random.Generator or None
            For the places.

        Returns
        -------
        ndarray of float64, (n_places, n_state)
            The state of an LSTM is h and c together.
        """
        model, full = self._fitted()
        return step_singular_values(
            model,
            full,
            self._prepare(records, None),
            n_places=n_places,
            generator=as_generator(seed),
        )

    def _only_for(self, task: str, what: str = "this is") -> None:
        if self.task != task:
            raise ParameterError(f"{what} for task={task!r} and the task is {self.task!r}")

    # -- data in -----------------------------------------------------------------------------

    def _encode_new(
        self, records: Iterable[SequenceLike], labels: Labels | None
    ) -> tuple[AnyAlphabet, SequenceData, NDArray[Any]]:
        """Encode sequences that decide about the alphabet and the classes."""
        records = several(records)
        if not records:
            raise ParameterError("there are no sequences; give at least one")
        if self.alphabet == "text":
            alphabet: AnyAlphabet = CharacterAlphabet.of(as_texts(records))
        elif isinstance(self.alphabet, CharacterAlphabet):
            alphabet = self.alphabet
        else:
            alphabet = get_alphabet(self.alphabet)
        if self.task == "class":
            classes = np.unique(checked_labels(labels, len(records)))
            if classes.size < 2:
                raise ParameterError(f"all labels are {classes}; give at least two classes")
        else:
            classes = np.zeros(0)
        return alphabet, self._encode(records, labels, alphabet, classes), classes

    def _prepare(self, records: Iterable[SequenceLike], labels: Labels | None) -> SequenceData:
        classes = getattr(self, "classes_", np.zeros(0))
        return self._encode(records, labels, self._alphabet, classes)

    def _encode(
        self,
        records: Iterable[SequenceLike],
        labels: Labels | None,
        alphabet: AnyAlphabet,
        classes: NDArray[Any],
    ) -> SequenceData:
        data = SequenceData.of(records, alphabet)
        if labels is None:
            return data
        self._only_for("class", "labels are")
        return data.with_labels(numbered(labels, len(data), classes))

    # -- keeping -----------------------------------------------------------------------------

    def state_dict(self) -> dict[str, NDArray[Any]]:
        """Give the weights under PyTorch's names, in its shapes and order of gates.

        ``weight_ih_l0``, ``weight_hh_l0``, ``bias_ih_l0``, ``bias_hh_l0`` and so on are those of
        ``torch.nn.RNN``, ``LSTM`` or ``GRU``; ``embedding.weight``, ``readout.weight`` and
        ``readout.bias`` those of an ``Embedding`` and a ``Linear``. Symbols are the letters in the
        order of the alphabet, then the boundary. One bias per gate is enough here, so the second
        is written as zeros, except for n of the GRU.

        Raises
        ------
        ParameterError
            The weights differ between steps, which PyTorch's layers cannot.
        """
        model, full = self._fitted()
        return to_state_dict(model.architecture, model.layout.unflatten(full))

    def load_state_dict(
        self, state: Mapping[str, Any], *, letters: str | None = None, classes: Labels | None = None
    ) -> Self:
        """Take weights from a dictionary of arrays under PyTorch's names.

        Parameters
        ----------
        state : mapping of str to array
            As `state_dict` gives; the two biases of a gate are added.
        letters : str, optional
            The characters of a text alphabet, in the order of the symbols.
        classes : sequence, optional
            The labels, in the order of the outputs.

        Returns
        -------
        RecurrentModel
            The estimator itself, ready for use.

        Raises
        ------
        ParameterError
            An array is missing, unknown or of another shape than the settings imply, or the
            weights break a tie.
        """
        if self.alphabet == "text" and letters is None:
            raise ParameterError("the alphabet is a text's; give its letters")
        if self.alphabet == "text":
            alphabet: AnyAlphabet = CharacterAlphabet(letters or "")
        elif isinstance(self.alphabet, CharacterAlphabet):
            alphabet = self.alphabet
        else:
            alphabet = get_alphabet(self.alphabet)
        names = np.zeros(0) if classes is None else array_of(classes, "classes")
        if self.task == "class" and not names.size:
            names = np.arange(len(np.asarray(state["readout.bias"])))
        model = self._model(alphabet, len(names), compact=True)
        full = model.layout.flatten(from_state_dict(model.architecture, state))
        tying = self._tying(model)
        if not tying.contains(full, 1e-6):
            raise ParameterError(f"the weights do not obey the ties {self.tie!r}")
        self._take(alphabet, names, model, tying.expand(tying.project(full)))
        self.__dict__.pop("training_", None)
        self.__dict__.pop("_data", None)
        return self

    def _summary(self) -> tuple[str, Sequence[Table]]:
        return network_summed_up(self) if hasattr(self, "full_") else super()._summary()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write settings and weights to a NumPy archive without pickle, whole or not at all."""
        _, full = self._fitted()
        settings = self._settings_to_save()
        if isinstance(self.alphabet, CharacterAlphabet):
            settings["alphabet"] = "text"
        header = {
            "format": _FORMAT,
            "settings": settings,
            "letters": getattr(self, "letters_", None),
        }
        arrays: dict[str, Any] = {"header": np.array(json.dumps(header)), "full": full}
        if self.task == "class":
            arrays["classes"] = self.classes_
        write_model_arrays(path, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote; the model is ready for use.

        Raises
        ------
        ModelFileError
            The file is damaged or something else, or a weight in it is not finite.
        """
        kind = "a saved recurrent model"
        arrays = read_model_arrays(path, kind)
        with model_file(os.fspath(path), kind, content=arrays):
            header = json.loads(str(arrays["header"]))
            if header["format"] != _FORMAT:
                raise ModelFileError(
                    f"{path} says it is {header['format']!r}; this version reads {_FORMAT!r}"
                )
            letters = header["letters"]
            model = cls._of_saved(header["settings"])
            alphabet: AnyAlphabet
            alphabet = CharacterAlphabet(letters) if letters else get_alphabet(str(model.alphabet))
            classes = arrays["classes"] if model.task == "class" else np.zeros(0)
            network = model._model(alphabet, len(classes), compact=True)
            full = model_numbers(arrays["full"], "weights")
            if full.shape != (network.layout.size,):
                raise ModelFileError(
                    f"{path} has {full.size} weights and its settings imply {network.layout.size}"
                )
            check_ties(os.fspath(path), model._tying(network), full)
        model._take(alphabet, classes, network, full)
        return model


def _read_checkpoint(path: str | os.PathLike[str]) -> TrainingState:
    kind, advice = "a checkpoint of a training", "begin without resume, or remove the file"
    arrays = read_model_arrays(path, kind, advice)
    with model_file(os.fspath(path), kind, advice, content=arrays):
        return TrainingState.from_arrays(arrays, name=f"the checkpoint {os.fspath(path)}")
