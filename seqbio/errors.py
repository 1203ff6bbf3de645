"""Every exception and warning that seqbio raises, and how messages name what was meant.

All exceptions derive from :class:`SeqbioError`, so one ``except`` clause catches what the package
reports about its input; each also derives from the built-in class that fits it best.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable

_PACKAGE = f"{__name__.partition('.')[0]}."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Ask whether one of the known names was meant, in brackets to go into a message.

    Parameters
    ----------
    name
        What was given.
    known
        The names there are.

    Returns
    -------
    str
        With a space before it; empty if none of the names is like the one given.

    Examples
    --------
    >>> "no tie is called 'opne'" + did_you_mean("opne", ["extend", "open"])
    "no tie is called 'opne' (did you mean 'open'?)"
    >>> did_you_mean("xyz", ["extend", "open"])
    ''
    """
    from difflib import get_close_matches  # errors are imported often and raised rarely

    nearest = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {nearest[0]!r}?)" if nearest else ""


def warn(message: str, category: type[Warning]) -> None:
    """Warn of what the user did, at the line outside the package that led to it.

    So the same warning of several parts of the package is shown once.

    Parameters
    ----------
    message
        What was found and what to do.
    category
        One of the classes below.
    """
    frame, depth = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        frame, depth = frame.f_back, depth + 1
    warnings.warn(message, category, stacklevel=depth + 1)


class SeqbioError(Exception):
    """Base class of every error that seqbio raises on purpose."""


class SequenceFormatError(SeqbioError, ValueError):
    """A sequence file or record cannot be read as what it is said to be."""


class AlphabetError(SequenceFormatError):
    """A letter stands in a sequence that its alphabet does not have."""


class PairingError(SequenceFormatError):
    """Records cannot be arranged in pairs as asked."""


class ModelFileError(SeqbioError, ValueError):
    """A file cannot be read as the saved model, or the checkpoint, that it is said to be."""


class ParameterError(SeqbioError, ValueError):
    """An argument or a parameter has a value that it cannot have."""


class ArgumentTypeError(ParameterError, TypeError):
    """An argument is of a type that it cannot be."""


class TyingError(ParameterError):
    """A tying is malformed, unknown or contradicts another."""


class TooFewItemsError(SeqbioError, ValueError):
    """The data have fewer independent items than are needed for what is asked."""


class NestingError(SeqbioError, ValueError):
    """The null hypothesis is not a special case of the alternative."""


class DataMismatchError(SeqbioError, ValueError):
    """Fits to compare, or a checkpoint to go on from, are of other data or settings."""


class NotFittedError(SeqbioError, ValueError, AttributeError):
    """A model is asked for something that it has only after `fit` or `set_parameters`."""


class ConvergenceError(SeqbioError, RuntimeError):
    """An optimisation could not start or could not go on."""


class DatasetError(SeqbioError, FileNotFoundError):
    """A named data set is unknown, absent or does not have the expected content."""


class MissingDependencyError(SeqbioError, ImportError):
    """An optional dependency is needed for this and is not installed."""


class SeqbioWarning(UserWarning):
    """Base class of every warning that seqbio gives."""


class DuplicateIdWarning(SeqbioWarning):
    """Several records of a file carry the same identifier."""


class AlphabetWarning(SeqbioWarning):
    """Letters are in the alphabet as asked, and fit another alphabet better."""


class PairingWarning(SeqbioWarning):
    """Records are paired as asked, and that looks like a mistake."""


class ConvergenceWarning(SeqbioWarning):
    """A fit did not reach its optimum, or could not show that it did."""


class InformationWarning(SeqbioWarning):
    """A motif says too little for what is asked of it."""
