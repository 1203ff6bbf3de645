"""Whether two hypotheses can be compared at all: one model, one data set, one inside the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seqbio.core import Fit, Hypothesis, Model, Tying, fingerprint, identifiable_rank
from seqbio.core.tables import shortened
from seqbio.errors import DataMismatchError, NestingError
from seqbio.hypothesis_testing.wording import name_of, ties_in_words

_MOST_NAMES = 5
# Settings that say nothing about the data.
_NO_BELIEFS = ("tie", "seed", "n_starts", "n_jobs")


def check_same_model(null: Model, alternative: Model, settings: Sequence[str] = ()) -> None:
    """Refuse hypotheses about different models.

    Models are the same when their class, their layout and what they say of themselves agree. A
    model whose distribution depends on more than its class, layout and parameters says so in an
    attribute ``key``: a mapping from the names of its settings to their values (or any other
    value that `seqbio.core.fingerprint` can name).

    Parameters
    ----------
    null, alternative : Model
        Of the two hypotheses.
    settings : sequence of str, optional
        In which settings their estimators differ, which say more than what the models are made of.

    Raises
    ------
    NestingError
        They differ; the message says in what.
    """
    one, other = _identity(null), _identity(alternative)
    different = [
        _difference(name, one.get(name), other.get(name))
        for name in one | other
        if fingerprint(one.get(name)) != fingerprint(other.get(name))
    ]
    if different:
        raise NestingError(
            "the null and the alternative are about different models, which differ in "
            f"{', '.join(settings or different)}; compare two tyings of the same model"
        )


def _identity(model: Model) -> dict[str, Any]:
    kind = type(model)
    key = getattr(model, "key", {})
    return {
        "class": f"{kind.__module__}.{kind.__qualname__}",
        "layout": list(model.layout.shapes.items()),
        **(key if isinstance(key, Mapping) else {"key": key}),
    }


def check_same_likelihood(null_fit: Fit, alternative: Model, data: Any) -> None:
    """Refuse models that say different things about the same data with the same parameters.

    This finds settings that a model does not declare, at the price of one evaluation.

    Parameters
    ----------
    null_fit : Fit
        Its estimates are possible under both hypotheses.
    alternative : Model
        Of the other hypothesis; nothing is evaluated when it is the same object.
    data : object
        In the form that both models take.

    Raises
    ------
    NestingError
        The log-likelihoods differ by more than rounding.
    """
    if alternative is null_fit.model:
        return
    expected = null_fit.log_likelihood
    found = float(np.sum(alternative.log_likelihood(null_fit.full, data)))
    if not np.isclose(found, expected, rtol=1e-8, atol=1e-8):
        raise NestingError(
            f"with the null's estimates the model of the null has log-likelihood {expected!r} and "
            f"that of the alternative {found!r}, so they are not the same model; compare two "
            "tyings of one model with the same settings"
        )


def check_same_data(null: str, alternative: str, settings: Sequence[str] = ()) -> None:
    """Refuse hypotheses that look at different data.

    Parameters
    ----------
    null, alternative : str
        Fingerprints of the data of each.
    settings : sequence of str, optional
        In which settings their estimators differ, which may be the reason.

    Raises
    ------
    DataMismatchError
        They differ.
    """
    if null != alternative:
        reason = f", perhaps because of their settings {', '.join(settings)}" if settings else ""
        raise DataMismatchError(
            f"the null and the alternative see different data (fingerprints {null} and "
            f"{alternative}){reason}; give both the same items, prepared in the same way"
        )


def differing_settings(null: object, alternative: object) -> list[str]:
    """Say which settings of two estimators differ, apart from their ties.

    Parameters
    ----------
    null, alternative : object
        With the method ``get_params`` of scikit-learn, or else nothing can be said.

    Returns
    -------
    list of str
        Each with both values.
    """
    one, other = (_settings(source) for source in (null, alternative))
    return [_difference(name, one[name], other[name]) for name in _different(one, other)]


def check_alike(null: object, alternative: object) -> None:
    """Refuse estimators of which one says that it cannot be compared with the other.

    Parameters
    ----------
    null, alternative : object
        The null may have a method ``unlike(other)`` that says why, or nothing.

    Raises
    ------
    NestingError
        With what it says.
    """
    method = getattr(null, "unlike", None)
    if callable(method) and (reason := method(alternative)):
        raise NestingError(str(reason))


def names_of(
    null: object, alternative: object, hypotheses: tuple[Hypothesis, Hypothesis]
) -> tuple[str, str]:
    """Name two hypotheses by all that tells them apart: their ties, and settings that differ.

    Parameters
    ----------
    null, alternative : object
        Estimators, or what else the hypotheses come from.
    hypotheses : tuple of Hypothesis
        Of both.

    Returns
    -------
    tuple of str
        Never the same twice.
    """
    one, other = (_settings(source) for source in (null, alternative))
    different = _different(one, other)
    names = [
        ", ".join([name_of(hypothesis), *(_in_words(name, own[name]) for name in different)])
        for hypothesis, own in zip(hypotheses, (one, other), strict=True)
    ]
    if names[0] == names[1]:
        names = [
            f"{name} ({ties_in_words(hypothesis)})"
            for name, hypothesis in zip(names, hypotheses, strict=True)
        ]
    return names[0], names[1]


def _different(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Name the settings that both have, that differ, and that say something about the data."""
    shared = [name for name in one if name in other and name not in _NO_BELIEFS]
    return [name for name in shared if repr(one[name]) != repr(other[name])]


def _in_words(setting: str, value: object) -> str:
    words = setting.replace("_", " ")
    if value is None:
        return f"usual {words}"
    return f"{words} {value if isinstance(value, str) else _shortened(repr(value))}"


def _settings(source: object) -> dict[str, Any]:
    return dict(getattr(source, "get_params", dict)())


def _difference(name: str, one: object, other: object) -> str:
    return f"{name} ({' and '.join(_shortened(repr(value)) for value in (one, other))})"


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def identifiable_ranks(
    null: Hypothesis, alternative: Hypothesis, data: Any, names: tuple[str, str] | None = None
) -> tuple[int, int]:
    """Count the identifiable parameters of a null and of an alternative in which it is nested.

    Parameters
    ----------
    null, alternative : Hypothesis
        About the same model.
    data : object
        In the form that the model takes.
    names : tuple of str, optional
        Of both, from `names_of`; by default what the hypotheses are called.

    Returns
    -------
    null_rank, alternative_rank : int
        Their difference, the degrees of freedom, is at least 1.

    Raises
    ------
    NestingError
        The null is no special case of the alternative, or both describe the same distributions.
    """
    _check_nested(null, alternative, names or names_of(null, alternative, (null, alternative)))
    null_rank, alternative_rank = (
        identifiable_rank(hypothesis.model, hypothesis.tying, data, seed=0)
        for hypothesis in (null, alternative)
    )
    if alternative_rank <= null_rank:
        raise NestingError(
            "the null and the alternative describe the same distributions: "
            f"{null.tying.n_free} and {alternative.tying.n_free} free parameters, of which "
            f"{null_rank} and {alternative_rank} can be told apart; free a parameter that matters"
        )
    return null_rank, alternative_rank


def _check_nested(null: Hypothesis, alternative: Hypothesis, names: tuple[str, str]) -> None:
    forwards = null.tying.is_nested_in(alternative.tying)
    backwards = alternative.tying.is_nested_in(null.tying)
    narrow, wide = names
    if forwards and backwards:
        raise NestingError(
            f"the null and the alternative tie the same ({name_of(null)}); "
            "leave something free in the alternative that the null ties"
        )
    if backwards:
        raise NestingError(
            f"the hypotheses are the wrong way round: the alternative ({wide}) is a special case "
            f"of the null ({narrow}); exchange them"
        )
    if not forwards:
        raise NestingError(
            f"the null ({narrow}) is no special case of the alternative ({wide}), which "
            f"{_only_in(alternative, null.tying)}; the null must do so, too"
        )


def _only_in(hypothesis: Hypothesis, other: Tying) -> str:
    """Say what a hypothesis ties or fixes and another tying does not."""
    tying, names = hypothesis.tying, hypothesis.model.layout.entry_names
    broken = np.flatnonzero(other.breaks(tying))
    fixes = [names[i] for i in broken if tying.group[i] < 0]
    first = [int(np.argmax(tying.group == tying.group[i])) for i in broken]
    ties = [
        f"{names[i]} to {names[j]}"
        for i, j in zip(broken, first, strict=True)
        if tying.group[i] >= 0
    ]
    return " and ".join(
        f"{verb} {', '.join(shortened(listed, _MOST_NAMES))}"
        for verb, listed in (("fixes", fixes), ("ties", ties))
        if listed
    )
