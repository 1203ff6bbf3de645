"""What a model must offer to be fitted and tested, and what it may offer besides.

A model is any object with a `layout` and the three methods of `Model`; it inherits from nothing.
More is optional: what a model adds (`curvature`, `boundary`, ... listed under `Model`) is found by
name through the functions of this module, which stand in with a default where it is missing.

Here is a whole model: two Poisson counts, each over its own length of time, and the question
whether their rates are one. Its coordinates are the logarithms of the rates, so that any real
number is allowed; -inf is a rate of exactly 0, the estimate where nothing was counted.

>>> import numpy as np
>>> from scipy.special import gammaln, xlogy
>>> from seqbio.core import Layout, equal, fit, untied
>>> class EventCounts:
...     layout = Layout({"log_rate": (2,)})
...     boundary = np.array([True, True])
...
...     def start(self, data):
...         return np.zeros(2)
...
...     def log_likelihood(self, full, data):
...         counts, times = data
...         expected = times * np.exp(full)
...         return xlogy(counts, expected) - expected - gammaln(counts + 1)
...
...     def log_likelihood_and_gradient(self, full, data):
...         counts, times = data
...         gradient = counts - times * np.exp(full)
...         return self.log_likelihood(full, data).sum(), gradient
...
...     def curvature(self, full, data):
...         counts, times = data
...         return times * np.exp(full)
>>> data = np.array([10, 30]), np.array([4.0, 5.0])
>>> tied = fit(EventCounts(), equal(2, [0, 1]), data)
>>> free = fit(EventCounts(), untied(2), data)
>>> np.exp(tied.full).round(3), np.exp(free.full).round(3)
(array([4.444, 4.444]), array([2.5, 6. ]))
>>> print(f"likelihood ratio {2 * (free.log_likelihood - tied.log_likelihood):.3f}")
likelihood ratio 6.499
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.core._checks import checked
from seqbio.core.layout import Layout
from seqbio.core.numerics import FloatArray
from seqbio.core.parallel import spawn_generators
from seqbio.core.tying import Tying
from seqbio.errors import ParameterError, TyingError

BoolArray = NDArray[np.bool_]

NEAR_COPIES = "near copies"  # of that items are nearly the same
COPIES = "copies"  # what a finding is about that says that items occur more than once
FEWEST_EVENTS = 5.0  # expected on either side, below which the chi-squared law is not used
FEW_EVENTS = 20.0  # below which it is used with a warning
_SEVERITIES = "invalid", "warning", "note"
_CONCERNS = "data", "fit", "law", "method"


class Model(Protocol):
    """What `fit` asks of a model.

    Parameters are one flat vector of real numbers, in coordinates without constraints (logarithms
    of rates, logits of probabilities); `layout` names its parts. Data are whatever the model
    understands; the package hands them through, and names them by `fingerprint`.

    A model may also have any of the following.

    ``curvature(full, data)`` -> (n_full,)
        Rough positive diagonal of minus the Hessian. It sets the optimiser's first steps and the
        units of its stopping rule, so it saves many evaluations.
    ``boundary`` : bool (n_full,)
        Where -inf is a meaningful value, such as the logit of a probability of exactly 0.
    ``apart`` : bool (n_full,)
        Coordinates of which the estimates are all but independent of those of the others.
    ``given`` : bool (n_full,)
        Coordinates of what `simulate` takes from the data, such as lengths, and does not draw.
    ``identified(full, data)`` -> vector
        Quantities that fix the distribution, for counting the parameters that can be told apart.
    ``regular`` : bool, ``irregular_reason`` : str
        False where likelihood theory does not hold (networks), and why.
    ``checks(full, data, tying)`` -> list of Check
        Reasons to doubt a test, found in the fitted parameters and the data.
    ``dependence(data)`` -> list of Check
        Reasons to doubt that the items are independent of each other.
    ``event_totals(full, data)`` -> dict of str to (n_full,)
        What parameters are estimated from, in words, such as "gap openings", and how many are
        expected behind each; nan where a parameter has no part in them. A test asks for enough
        behind every parameter that the alternative tells apart and the null does not.
    ``mean_ratio(null, alternative, full, data)`` -> float or None
        Mean of the likelihood ratio of two tyings if the parameters `full` of the null are true,
        where it is known in formulas; chi-squared is corrected by it (Bartlett).
    ``simulate(full, data, generator)`` -> data
        New data of the same design, drawn from the model.
    ``subset(data, indices)`` -> data
        Some items of the data; not needed where the data have a method ``subset(indices)`` or are
        an array whose first axis counts the items.
    ``join(parts)`` -> data
        One data set out of several, one after the other; not needed where the data have a method
        ``joined(others)`` or are such an array.
    ``clusters(data)`` -> labels, (n_items,)
        The same label for items that are not independent of each other.
    ``copies(data)`` -> numbers, (n_items,)
        The same number for items that are copies of one another, and not merely equal by chance;
        not needed where the data have a method ``copies()``.
    ``near_copies()`` of the data -> numbers, (n_items,)
        The same number for items that are nearly the same, which are not independent.
    ``symmetries`` : tuple of Symmetry
        Transformations of an item, such as the exchange of the two sequences of a pair, and what
        they do to the parameters; see `seqbio.core.symmetry`.
    ``learned_symmetry(null, alternative, data)`` -> LearnedSymmetry or None
        For a model that is not regular: what it finds in items, as far as a symmetry that the null
        claims acts on it; see `seqbio.core.symmetry`.
    ``sample_size(data)`` -> int, str
        How many of what carries information, such as letters, for information criteria; not needed
        where the data have a method ``sample_size()``, or where items are what counts.
    ``scores(full, data)`` -> (n_items, n_full)
        The gradient of the log-likelihood of every item.
    ``begin(full, data, free)`` -> (n_full,)
        A better place to climb from than `full`, for a model whose parameters can lose their
        meaning there, such as a mixture with a share of 0; `free` says which may change.
    ``standard(full)`` -> (n_full,)
        The same distribution with exchangeable parts in their usual order.
    ``maximise(tying, data, start, n_starts, seed)`` -> Fit
        The model's own way to be fitted, where `fit` is not the way (networks).
    ``learn(tying, data, start, n_starts, seed)`` -> Fit
        A fit that is to predict other items, where the maximum does that badly (networks).
    ``effects(full)`` -> dict of str to Effect
        Scalars worth reporting with an interval.
    ``comparable(full)`` -> dict of str to Effect
        Single parameters, on a scale on which groups of items can be compared.
    ``estimates(full)`` -> dict of str to float
        The parameters under their natural names and in their natural units.
    """

    @property
    def layout(self) -> Layout:
        """Names and shapes of the full parameters, n_full numbers in all."""
        ...

    def start(self, data: Any) -> FloatArray:
        """Give a sensible start for a fit, (n_full,)."""
        ...

    def log_likelihood(self, full: FloatArray, data: Any) -> FloatArray:
        """Give the log-likelihood of every item of the data, (n_items,), in nats."""
        ...

    def log_likelihood_and_gradient(self, full: FloatArray, data: Any) -> tuple[float, FloatArray]:
        """Give the log-likelihood of all items together, and its gradient, (n_full,)."""
        ...


_NEEDED = ("layout", "start", "log_likelihood", "log_likelihood_and_gradient")


@dataclass(frozen=True)
class Check:
    """One finding about whether a test is valid for a model and its data.

    Parameters
    ----------
    message : str
        What was found and what it means, in a sentence.
    severity : {"note", "warning", "invalid"}
        "invalid" means that no chi-squared p-value may be given.
    code : str
        A short name for programs, such as ``few_events``. With ``dependent_items`` an "invalid"
        finding is answered by no method but those that work by clusters.
    about : str, optional
        What the finding is about, such as ``gap openings``; of several with the same code about
        the same thing only the gravest counts.
    concerns : {"data", "fit", "law", "method"}, default "law"
        Whether the data are the wrong ones for the question, a fit is not at its optimum, the
        ratio has no known law, or a method cannot be used. Of findings as grave as each other
        those about the data lead, since nothing that is said of the rest counts before them.
    """

    message: str
    severity: Literal["note", "warning", "invalid"]
    code: str
    about: str = ""
    concerns: Literal["data", "fit", "law", "method"] = "law"

    @property
    def rank(self) -> tuple[int, int]:
        """Place among findings: the gravest first, and of these what concerns the data."""
        return _SEVERITIES.index(self.severity), _CONCERNS.index(self.concerns)


@dataclass(frozen=True, eq=False)
class Effect:
    """A scalar function of the parameters, with its gradient for an interval.

    Parameters
    ----------
    name : str
        What it is, in words.
    value : float
        On the scale on which the interval is symmetric; the natural logarithm of the quantity
        where `log_scale` is set.
    gradient : ndarray of float64, (n_full,)
        Derivatives of `value` with respect to the full parameters.
    log_scale : bool, default False
        Report ``exp(value)``.
    """

    name: str
    value: float
    gradient: FloatArray
    log_scale: bool = False


@checked
@dataclass(frozen=True)
class Hypothesis:
    """A model and what is believed about its parameters.

    Parameters
    ----------
    model : Model
        What can be said about the data.
    tying : Tying
        Which of its parameters are one.
    name : str, optional
        For tables.

    Raises
    ------
    TyingError
        The tying is made for another number of parameters than the model has.
    """

    model: Model
    tying: Tying
    name: str = ""

    def __post_init__(self) -> None:
        check_tying(self.model, self.tying)


@runtime_checkable
class SupportsHypothesis(Protocol):
    """An estimator that can say which hypothesis it stands for."""

    def hypothesis(self, data: Any) -> tuple[Hypothesis, Any]:
        """Give the hypothesis, and the data in the form that its model takes."""
        ...


def as_hypothesis(source: Hypothesis | SupportsHypothesis, data: Any) -> tuple[Hypothesis, Any]:
    """Get the hypothesis that an object stands for, and data in the form that its model takes.

    Parameters
    ----------
    source : Hypothesis or object with a method ``hypothesis(data)``
        Estimators have the method.
    data : object
        In the form that `source` takes.

    Returns
    -------
    hypothesis : Hypothesis
        A model with its tying.
    prepared : object
        `data` itself when `source` is a hypothesis.

    Raises
    ------
    ParameterError
        `source` is neither, or its model lacks what every model needs.
    """
    if isinstance(source, Hypothesis):
        check_model(source.model)
        return source, data
    if isinstance(source, SupportsHypothesis) and not isinstance(source, type):
        return source.hypothesis(data)
    raise ParameterError(
        f"{source!r} is no hypothesis; give a Hypothesis(model, tying), or an estimator that has "
        "a method hypothesis(data)"
    )


def check_model(model: object) -> None:
    """Refuse what cannot be fitted.

    Parameters
    ----------
    model : object
        Perhaps a model.

    Raises
    ------
    ParameterError
        It lacks what every model needs; the message names all of that.
    """
    missing = [name for name in _NEEDED if not hasattr(model, name)]
    if missing:
        raise ParameterError(
            f"{type(model).__name__} has no {', no '.join(missing)}, which every model needs; "
            "help(seqbio.core.Model) says what they are"
        )


def check_tying(model: Model, tying: Tying) -> None:
    """Refuse a tying that was made for another number of parameters than the model has.

    Parameters
    ----------
    model : Model
        Its layout counts.
    tying : Tying
        What is to fit it.

    Raises
    ------
    TyingError
        The numbers differ.
    """
    if tying.n_full != model.layout.size:
        raise TyingError(
            f"the tying is for {tying.n_full} full parameters and the model has "
            f"{model.layout.size}; make the tying from the model's own layout"
        )


def check_full(model: Model, full: FloatArray) -> None:
    """Refuse parameters of another number than the model has.

    Parameters
    ----------
    model : Model
        Its layout counts.
    full : ndarray of float64
        Should be (n_full,).

    Raises
    ------
    ParameterError
        The shape is another.
    """
    if np.shape(full) != (model.layout.size,):
        raise ParameterError(
            f"full has the shape {np.shape(full)}; it must be ({model.layout.size},), a number for "
            "each parameter of the model"
        )


@checked
def curvature_of(model: Model, full: FloatArray, data: Any) -> FloatArray | None:
    """Get the rough diagonal of minus the Hessian.

    Parameters
    ----------
    model : Model
        May have a method ``curvature``.
    full : ndarray of float64, (n_full,)
        Where.
    data : object
        In the form that the model takes.

    Returns
    -------
    ndarray of float64, (n_full,), or None
        None from a model that does not say.
    """
    method = getattr(model, "curvature", None)
    return None if method is None else np.asarray(method(full, data), dtype=np.float64)


@checked
def boundary_of(model: Model) -> BoolArray:
    """Get the coordinates for which -inf is a meaningful value.

    Parameters
    ----------
    model : Model
        May have an attribute ``boundary``.

    Returns
    -------
    ndarray of bool, (n_full,)
        Nowhere true for a model that does not say.

    Raises
    ------
    ParameterError
        The attribute is not of the model's size.
    """
    return _mask_of(model, "boundary")


@checked
def apart_of(model: Model) -> BoolArray:
    """Get the coordinates of which the estimates are all but independent of the others.

    Parameters
    ----------
    model : Model
        May have an attribute ``apart``.

    Returns
    -------
    ndarray of bool, (n_full,)
        Nowhere true for a model that does not say.

    Raises
    ------
    ParameterError
        The attribute is not of the model's size.
    """
    return _mask_of(model, "apart")


@checked
def given_of(model: Model) -> BoolArray:
    """Get the coordinates of what drawn data take from the data they stand for, such as lengths.

    Parameters
    ----------
    model : Model
        May have an attribute ``given``.

    Returns
    -------
    ndarray of bool, (n_full,)
        Nowhere true for a model that does not say.

    Raises
    ------
    ParameterError
        The attribute is not of the model's size.
    """
    return _mask_of(model, "given")


def _mask_of(model: Model, name: str) -> BoolArray:
    size = model.layout.size
    mask = np.asarray(getattr(model, name, np.zeros(size, dtype=bool)), dtype=bool)
    if mask.shape != (size,):
        raise ParameterError(
            f"{name} of {type(model).__name__} has shape {mask.shape}; make it ({size},)"
        )
    return mask


@checked
def identified_of(model: Model, full: FloatArray, data: Any) -> FloatArray:
    """Get the quantities that fix the distribution.

    Parameters
    ----------
    model : Model
        May have a method ``identified``.
    full : ndarray of float64, (n_full,)
        Where.
    data : object
        In the form that the model takes.

    Returns
    -------
    ndarray of float64, (n_quantities,)
        The parameters themselves for a model that does not say.
    """
    method = getattr(model, "identified", None)
    return np.ravel(np.asarray(full if method is None else method(full, data), dtype=np.float64))


@checked
def is_regular(model: Model) -> bool:
    """Tell whether likelihood theory holds for a model, so that a chi-squared test can be right.

    Parameters
    ----------
    model : Model
        May have an attribute ``regular``.

    Returns
    -------
    bool
        True for a model that does not say.
    """
    return bool(getattr(model, "regular", True))


@checked
def irregular_reason(model: Model) -> str:
    """Get the sentence that says why likelihood theory does not hold for a model.

    Parameters
    ----------
    model : Model
        May have an attribute ``irregular_reason``.

    Returns
    -------
    str
        Empty for a regular model.
    """
    if is_regular(model):
        return ""
    default = f"{type(model).__name__} is not a regular model"
    return str(getattr(model, "irregular_reason", "") or default)


@checked
def checks_of(model: Model, full: FloatArray, data: Any, tying: Tying) -> list[Check]:
    """Get what the model itself has to say against a test.

    Parameters
    ----------
    model : Model
        May have a method ``checks``.
    full : ndarray of float64, (n_full,)
        Fitted parameters.
    data : object
        In the form that the model takes.
    tying : Tying
        With which it was fitted.

    Returns
    -------
    list of Check
        Empty for a model that does not say.
    """
    method = getattr(model, "checks", None)
    return [] if method is None else list(method(full, data, tying))


@checked
def dependence_of(model: Model, data: Any) -> list[Check]:
    """Get what speaks against the independence of the items.

    Parameters
    ----------
    model : Model
        May have a method ``dependence``.
    data : object
        In the form that the model takes.

    Returns
    -------
    list of Check
        Empty for a model that does not say.
    """
    method = getattr(model, "dependence", None)
    return [] if method is None else list(method(data))


@checked
def event_totals_of(model: Model, full: FloatArray, data: Any) -> dict[str, FloatArray]:
    """Get the numbers of events that parameters are estimated from.

    Parameters
    ----------
    model : Model
        May have a method ``event_totals``.
    full : ndarray of float64, (n_full,)
        Parameters under which events are expected.
    data : object
        In the form that the model takes.

    Returns
    -------
    dict of str to ndarray of float64, (n_full,)
        Empty for a model that does not say.
    """
    method = getattr(model, "event_totals", None)
    return {} if method is None else dict(method(full, data))


@checked
def few_events(found: str, expected: float, about: str) -> list[Check]:
    """Judge whether a chi-squared law can hold with so few events behind a parameter.

    Parameters
    ----------
    found : str
        What was found, the beginning of a sentence.
    expected : float
        Expected number of events on the side that has fewest.
    about : str
        What events they are.

    Returns
    -------
    list of Check
        One that rules the law out, or a warning, or none.

    Examples
    --------
    >>> [check.severity for n in (2.0, 12.0, 80.0) for check in few_events("found", n, "gaps")]
    ['invalid', 'warning']
    """
    if expected < FEWEST_EVENTS:
        consequence = "too few for the chi-squared law, which needs some 5 on each side"
        return [Check(f"{found}: {consequence}", "invalid", "few_events", about)]
    if expected < FEW_EVENTS:
        consequence = "few enough that the chi-squared p-value is only approximate"
        return [Check(f"{found}: {consequence}", "warning", "few_events", about)]
    return []


def begin_of(model: Model, full: ArrayLike, data: Any, tying: Tying) -> FloatArray:
    """Get where a climb begins: a start, or what the model makes of it.

    Parameters
    ----------
    model : Model
        May have a method ``begin``.
    full : array_like of float, (n_full,)
        The start.
    data : object
        In the form that the model takes.
    tying : Tying
        What is free.

    Returns
    -------
    ndarray of float64, (n_full,)
        The start itself for a model that does not say.
    """
    start = np.asarray(full, dtype=np.float64)
    method = getattr(model, "begin", None)
    if method is None or start.shape != (tying.n_full,):
        return start
    better: FloatArray = method(start, data, tying.group >= 0)
    return better


def standard_of(model: Model, free: FloatArray, tying: Tying) -> FloatArray:
    """Bring free parameters into the model's usual order of parts that can be exchanged.

    Parameters
    ----------
    model : Model
        May have a method ``standard``.
    free : ndarray of float64, (n_free,)
        Fitted parameters.
    tying : Tying
        With which they were fitted.

    Returns
    -------
    ndarray of float64, (n_free,)
        As given where the ties forbid the exchange, or the model does not say.
    """
    method = getattr(model, "standard", None)
    if method is None:
        return free
    full = method(tying.expand(free))
    return tying.project(full) if tying.contains(full) else free


@checked
def can_simulate(model: Model) -> bool:
    """Tell whether data can be drawn from a model.

    Parameters
    ----------
    model : Model
        May have a method ``simulate``.

    Returns
    -------
    bool
        Whether it does.
    """
    return callable(getattr(model, "simulate", None))


@checked
def simulate_from(model: Model, full: FloatArray, data: Any, generator: np.random.Generator) -> Any:
    """Draw data of the same design from a model.

    Parameters
    ----------
    model : Model
        Must have a method ``simulate``.
    full : ndarray of float64, (n_full,)
        The parameters to draw with.
    data : object
        Gives the design: how many items, of what size.
    generator : numpy.random.Generator
        The source of chance.

    Returns
    -------
    object
        In the form that the model takes.

    Raises
    ------
    ParameterError
        The model cannot.
    """
    if not can_simulate(model):
        raise ParameterError(
            f"{type(model).__name__} cannot draw data; add a method simulate(full, data, "
            "generator), or choose a test that does not need it"
        )
    check_full(model, full)
    return getattr(model, "simulate")(full, data, generator)  # noqa: B009 (not in the protocol)


@checked
def effects_of(model: Model, full: FloatArray) -> dict[str, Effect]:
    """Get the scalars that are worth reporting with an interval.

    Parameters
    ----------
    model : Model
        May have a method ``effects``.
    full : ndarray of float64, (n_full,)
        Fitted parameters.

    Returns
    -------
    dict of str to Effect
        Empty for a model that does not say.
    """
    check_full(model, full)
    method = getattr(model, "effects", None)
    return {} if method is None else dict(method(full))


@checked
def estimates_of(model: Model, full: FloatArray) -> dict[str, float]:
    """Get the parameters under their natural names and in their natural units.

    Parameters
    ----------
    model : Model
        May have a method ``estimates``.
    full : ndarray of float64, (n_full,)
        Fitted parameters.

    Returns
    -------
    dict of str to float
        For a model that does not say: the coordinates, under the names of the layout.
    """
    check_full(model, full)
    method = getattr(model, "estimates", None)
    if method is None:
        return dict(zip(model.layout.entry_names, map(float, full), strict=True))
    return dict(method(full))


@checked
def identifiable_rank(
    model: Model,
    tying: Tying,
    data: Any,
    *,
    full: ArrayLike | None = None,
    seed: int | np.random.Generator | None = None,
) -> int:
    """Count the free parameters that the distribution can tell apart.

    That is the rank of the derivative of the identified quantities with respect to the free
    parameters, at a point where it is as large as it gets nearly everywhere. A point of interest
    such as an optimum can be special, so the derivative is taken at random points around it
    (normal, standard deviation 0.3 in every free coordinate, which should therefore be of order
    one) and the largest rank of three counts. Differences of fourth order are right to about
    twelve digits; once rows and columns are scaled to length 1, singular values below
    1e-7 of the largest count as zero.

    Parameters
    ----------
    model : Model
        When it has no method ``identified``, or one that gives back its parameters, these are all
        taken to be identified.
    tying : Tying
        Gives the free parameters.
    data : object
        In the form that the model takes.
    full : ndarray of float64, (n_full,), optional
        The point of interest; by default the model's start. Infinite coordinates that are free
        are taken to be 0.
    seed : int, numpy.random.Generator or None
        For the random points.

    Returns
    -------
    int
        From 0 to ``tying.n_free``: the number that counts for degrees of freedom.

    Raises
    ------
    ParameterError
        The identified quantities are not finite at a random point.

    Examples
    --------
    A distribution that knows only the sum of its two parameters:

    >>> from seqbio.core import Layout, equal, untied
    >>> class SumOfTwo:
    ...     layout = Layout({"part": (2,)})
    ...     def identified(self, full, data):
    ...         return np.array([full.sum()])
    >>> identifiable_rank(SumOfTwo(), untied(2), None, full=np.zeros(2), seed=0)
    1
    """
    check_tying(model, tying)
    identified = getattr(model, "identified", None)
    if identified is None:
        return tying.n_free
    start = np.asarray(model.start(data) if full is None else full, dtype=np.float64)
    centre = tying.project(np.nan_to_num(start, nan=np.nan, posinf=0.0, neginf=0.0))
    generator = spawn_generators(seed, 1)[0]
    points = centre + 0.3 * generator.standard_normal((3, tying.n_free))
    anywhere = tying.expand(points[0])
    if identified(anywhere, data) is anywhere:
        return tying.n_free
    rank = 0
    for free in points:
        rank = max(rank, _rank(_identified_jacobian(model, tying, data, free)))
        if rank == tying.n_free:
            break
    return rank


def _identified_jacobian(model: Model, tying: Tying, data: Any, free: FloatArray) -> FloatArray:
    """Differentiate the identified quantities, (n_quantities, n_free).

    Rows are scaled to length about 1, so that a quantity counts whatever its units, and what may
    be rounding alone is 0.
    """
    step = 1e-3  # truncation, of order step**4, and rounding, 1e-16 / step, are both about 1e-12
    columns, size = [], np.zeros(1)
    for j in range(free.size):
        moved = free + step * np.outer([-2, -1, 1, 2], np.arange(free.size) == j)
        values = np.stack([identified_of(model, tying.expand(point), data) for point in moved])
        # Quantities held at infinity, such as the logarithm of a probability fixed at 0, are
        # constant too; inf - inf would be nan.
        values = np.where((values == values[0]).all(axis=0), 0.0, values)
        if not np.isfinite(values).all():
            i = int((~np.isfinite(values)).any(axis=0).argmax())
            raise ParameterError(
                f"identified of {type(model).__name__} is not finite in entry {i} near "
                f"{tying.expand(free)}; it must be a number at all finite parameters"
            )
        columns.append(np.array([1, -8, 8, -1]) @ values / (12 * step))
        size = np.maximum(size, np.abs(values).max(axis=0))
    if not columns:
        return np.zeros((0, 0))
    jacobian = np.stack(columns, axis=1)
    jacobian[np.abs(jacobian) <= 1e-11 * size[:, None]] = 0.0
    scale = np.maximum(np.linalg.norm(jacobian, axis=1), 1e-4 * size)
    return jacobian / np.where(scale > 0, scale, 1.0)[:, None]


def _rank(jacobian: FloatArray) -> int:
    if not jacobian.size:
        return 0
    length = np.linalg.norm(jacobian, axis=0)
    singular = np.linalg.svd(jacobian / np.where(length > 0, length, 1.0), compute_uv=False)
    return int((singular > 1e-7 * singular[0]).sum())
