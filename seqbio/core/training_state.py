"""Where a training stands between two epochs, and of what data and settings it is.

A state can be written to a file and gone on from, but only by a training of the same data and
settings: their identity stands in it, by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from math import inf, isnan
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from seqbio.core.numerics import FloatArray
from seqbio.errors import DataMismatchError, ParameterError

MAY_CHANGE = ("n_epochs", "patience")
"""Settings that a training that is gone on with may change, where it has one start."""


@dataclass(frozen=True)
class EpochRecord:
    """What one pass over the data did.

    Parameters
    ----------
    start : int
        From which start, counted from 0.
    epoch : int
        Counted from 1.
    loss : float
        Of the batches as they were met, each before its step, nats per unit.
    validation_loss : float
        After the epoch, nats per unit; nan without validation items.
    learning_rate : float
        At the last batch.
    gradient_norm : float
        The longest before clipping.
    """

    start: int
    epoch: int
    loss: float
    validation_loss: float
    learning_rate: float
    gradient_norm: float

    @property
    def judged_loss(self) -> float:
        """The loss that epochs are compared by: of the validation items, if there are any."""
        return self.loss if isnan(self.validation_loss) else self.validation_loss


_RECORD_NAMES = tuple(each.name for each in fields(EpochRecord))


@dataclass(eq=False)
class TrainingState:
    """Where a training stands between two epochs: all that the rest of it depends on.

    Parameters
    ----------
    start, epoch : int
        Which start, from 0, and how many epochs of it are done.
    free : ndarray of float64, (n_free,)
        Where this start is.
    adam : dict of str to ndarray
        See `Adam.state`.
    generators : list of str
        States of the random generators of all starts, as JSON.
    best_free, best_loss, best_epoch : ndarray, float, int
        The parameters of this start with the lowest validation loss; without validation items
        the latest, with the training loss.
    winner_free, winner_loss, winner_start, winner_epoch
        The same for the starts that are over; the loss is inf when there are none.
    history : list of EpochRecord
        Of all starts.
    n_evaluations : int
        Batches whose gradient was computed.
    identity : dict of str to object
        The data, as fingerprints, and the settings, by name, as JSON has them.
    name : str
        What messages call the state, such as the name of its file.
    """

    start: int
    epoch: int
    free: FloatArray
    adam: dict[str, NDArray[Any]]
    generators: list[str]
    best_free: FloatArray
    best_loss: float
    best_epoch: int
    winner_free: FloatArray
    winner_loss: float
    winner_start: int
    winner_epoch: int
    history: list[EpochRecord]
    n_evaluations: int
    identity: dict[str, Any]
    name: str = field(default="the training to go on with", repr=False)

    def copy(self) -> Self:
        """Copy what a training changes in place."""
        return replace(self, generators=[*self.generators], history=[*self.history])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Write the state as named arrays without objects, as ``numpy.savez`` takes them.

        Returns
        -------
        dict of str to ndarray
            `from_arrays` reads it; nothing is rounded.
        """
        arrays = {f"adam.{name}": array for name, array in self.adam.items()}
        records = [list(asdict(record).values()) for record in self.history]
        arrays["history"] = np.array(records, dtype=np.float64).reshape(-1, len(_RECORD_NAMES))
        arrays["generators"] = np.array(self.generators)
        arrays["identity"] = np.array(json.dumps(self.identity))
        for each in fields(self):
            if each.name not in ("adam", "history", "generators", "identity", "name"):
                arrays[each.name] = np.asarray(getattr(self, each.name))
        return arrays

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, NDArray[Any]], name: str = "the training to go on with"
    ) -> Self:
        """Read what `arrays` wrote.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            Copied.
        name : str, optional
            What messages call it.

        Raises
        ------
        ParameterError
            An array is missing, of another shape than the others or of another type, a parameter
            is not finite, or what is said of the epochs is not what the history says.
        """
        if "identity" not in arrays and "history" in arrays:
            raise ParameterError(
                "it was written before checkpoints said of what data and settings they are, so "
                "that nothing shows whether it is of these"
            )
        try:
            values: dict[str, Any] = {
                each.name: np.array(arrays[each.name])
                for each in fields(cls)
                if each.name not in ("adam", "name")
            }
            values["adam"] = {
                part: np.array(arrays[f"adam.{part}"]) for part in ("first", "second", "n_steps")
            }
        except KeyError as error:
            raise ParameterError(
                f"the saved training has no array {error}; give what a checkpoint wrote"
            ) from error
        vectors = {part: values[part] for part in ("free", "best_free", "winner_free")}
        vectors |= {part: values["adam"][part] for part in ("first", "second")}
        for part, vector in vectors.items():
            if vector.shape != values["free"].shape or not np.isfinite(vector).all():
                raise ParameterError(
                    f"the array {part!r} of the saved training has the shape {vector.shape} or "
                    "numbers that are not finite; give what a checkpoint wrote"
                )
        try:
            values["generators"] = [str(text) for text in values["generators"]]
            for text in values["generators"]:
                read_generator(text)
            values["history"] = [
                EpochRecord(int(start), int(epoch), *numbers)
                for start, epoch, *numbers in values["history"].tolist()
            ]
            for part in ("start", "epoch", "best_epoch", "winner_start", "winner_epoch"):
                values[part] = int(values[part])
            for part in ("best_loss", "winner_loss"):
                values[part] = float(values[part])
            values["n_evaluations"] = int(values["n_evaluations"])
            values["identity"] = dict(json.loads(str(values["identity"])))
            state = cls(**values, name=name)
            state._check_history()
        except (KeyError, TypeError, ValueError) as error:
            raise ParameterError(
                f"the saved training is broken ({error}); give what a checkpoint wrote"
            ) from error
        return state

    def _check_history(self) -> None:
        """Compare what is said twice: the epochs that are done, and the losses of the best."""
        places = [(record.start, record.epoch) for record in self.history]
        n_done = [sum(start == each for start, _ in places) for each in range(self.start + 1)]
        expected = [(start, epoch + 1) for start, n in enumerate(n_done) for epoch in range(n)]
        if places != expected or n_done[-1:] != [self.epoch] or self.start >= len(self.generators):
            raise ValueError("its history is not of the epochs that are done")
        losses = {(each.start, each.epoch): each.judged_loss for each in self.history}
        best, winner = (self.start, self.best_epoch), (self.winner_start, self.winner_epoch)
        if self.best_loss != losses.get(best, inf) or self.winner_loss not in (
            inf,
            losses.get(winner),
        ):
            raise ValueError("a loss of its best epochs is not the one in the history")

    def check(self, identity: Mapping[str, Any], n_epochs: int, n_free: int) -> None:
        """Refuse to be gone on with by another training.

        Parameters
        ----------
        identity : mapping
            Of the training that is to go on; its number of starts is among the settings.
        n_epochs, n_free : int
            Its epochs and free parameters.

        Raises
        ------
        DataMismatchError
            Data or settings are others than those of the state; the message names each with both
            values.
        ParameterError
            They are the same, but not the numbers of parameters and starts.
        """
        n_starts = identity["n_starts"]
        changed = [
            f"{name} is {_value(self.identity, name)} there and {_value(identity, name)} now"
            for name in dict.fromkeys([*self.identity, *identity])
            if self.identity.get(name) != identity.get(name)
            and not (name in MAY_CHANGE and n_starts == 1)
        ]
        if n_epochs < self.epoch:
            changed.append(f"{self.epoch} epochs are done there and n_epochs is {n_epochs} now")
        if changed:
            free = f"; {' and '.join(MAY_CHANGE)} may change" if n_starts == 1 else ""
            raise DataMismatchError(
                f"{self.name} is of another training: {'; '.join(changed)}. Give it the data and "
                f"settings that it was made with{free}, or begin without it"
            )
        if (self.free.size, len(self.generators)) != (n_free, n_starts):
            raise ParameterError(
                f"{self.name} is broken: it has {self.free.size} free parameters and "
                f"{len(self.generators)} starts, and the training it says it is of {n_free} and "
                f"{n_starts}; begin without it"
            )


def _value(identity: Mapping[str, Any], name: str) -> str:
    return json.dumps(identity[name]) if name in identity else "not a setting"


def written_generator(generator: np.random.Generator) -> str:
    """Write the state of a generator as JSON."""
    return json.dumps(generator.bit_generator.state)


def read_generator(text: str) -> np.random.Generator:
    """Make a generator of the state that `written_generator` wrote."""
    generator = np.random.default_rng(0)
    generator.bit_generator.state = json.loads(text)
    return generator
