"""Substitution models: the probabilities of aligned letters, with exact gradients.

A substitution model gives the joint probability p(a, b) of a letter of x aligned with a letter of
y, and the probability pi(a) of a letter against a gap, as functions of a few unconstrained
coordinates. p is symmetric and pi are its marginals, so it does not matter which sequence is
called x, nor where on the path between the two their ancestor stands.

All reversible models are one. A letter a turns into b at the rate

    Q(a, b) = r(a, b) pi(b) / sum over c != d of pi(c) r(c, d) pi(d),

in which r is symmetric and the denominator makes a site change once per unit of distance. After
the distance d, p(a, b) = pi(a) exp(Q d)(a, b). The models differ in what is tied:

=================  ==========================================  ========================
model              exchangeabilities r                         frequencies pi
=================  ==========================================  ========================
jc69               all equal                                   equal
k80                transitions (AG, CT) against transversions  equal
f81                all equal                                   empirical
hky85              transitions against transversions           empirical
tn93               AG and CT against transversions             empirical
gtr                five free, against GT                       empirical
wag, lg, jtt       as published                                as published (``"model"``)
=================  ==========================================  ========================

The frequencies in the table are the default; whatever does not say equal may have others. BLOSUM62
is no such process: it has one table of joint probabilities, and no coordinates.

The exponential comes from the eigenvectors of the symmetric matrix D^(1/2) Q D^(-1/2), D the
diagonal matrix of pi, and its derivative from their divided differences [1]_, which are good for
equal eigenvalues too.

References
----------
.. [1] Daleckii & Krein's theorem: Higham, *Functions of Matrices* (2008), theorem 3.11.
.. [2] Yang, *Computational Molecular Evolution* (2006), chapters 1 and 2, for all of the models.
.. [3] jc69: Jukes & Cantor (1969), in Munro, *Mammalian Protein Metabolism* III, 21-132. k80:
   Kimura, J. Mol. Evol. 16 (1980), 111-120. f81: Felsenstein, J. Mol. Evol. 17 (1981), 368-376.
   hky85: Hasegawa, Kishino & Yano, J. Mol. Evol. 22 (1985), 160-174. tn93: Tamura & Nei, Mol.
   Biol. Evol. 10 (1993), 512-526. gtr: Tavaré, Lect. Math. Life Sci. 17 (1986), 57-86. wag, lg
   and jtt: see `seqbio.pairhmm.protein_rates`.
.. [4] blosum62: Henikoff & Henikoff, PNAS 89 (1992), 10915-10919, and see `ScoreModel`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core.layout import Layout
from seqbio.core.numerics import FloatArray, softmax
from seqbio.core.tying import Tying
from seqbio.errors import ParameterError, did_you_mean
from seqbio.pairhmm import protein_rates

DNA_LETTERS = "ACGT"
PROTEIN_LETTERS = "ACDEFGHIKLMNPQRSTVWY"

# AC, AG, AT, CG, CT, GT: rows and columns of the pairs, and which are transitions.
_PAIRS = np.triu_indices(4, 1)
RATE_NAMES = ("AC", "AG", "AT", "CG", "CT", "GT")
"""The pairs of letters in the order of exchangeabilities; T stands for U, too."""
_TRANSITION = np.array([0, 1, 0, 0, 1, 0])

_EQUAL = ("equal",)
_ANY = ("empirical", "estimated", "equal")
_DNA_GROUPS: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "jc69": ((-1, -1, -1, -1, -1, -1), _EQUAL),
    "k80": ((-1, 0, -1, -1, 0, -1), _EQUAL),
    "f81": ((-1, -1, -1, -1, -1, -1), _ANY),
    "hky85": ((-1, 0, -1, -1, 0, -1), _ANY),
    "tn93": ((-1, 0, -1, -1, 1, -1), _ANY),
    "gtr": ((0, 1, 2, 3, 4, -1), _ANY),
}
_PROTEIN_TABLES = {"wag": protein_rates.WAG, "lg": protein_rates.LG, "jtt": protein_rates.JTT}
SUBSTITUTION_MODELS: tuple[str, ...] = (*_DNA_GROUPS, *_PROTEIN_TABLES, "blosum62")

# Past this distance x and y are taken to be at it: they are independent for any rates that data
# could show, and rounding errors grow with the distance.
_LARGEST_DISTANCE = 1e4

# Distances and flows below this are taken to be 0, so that nothing divided by them overflows.
_NEGLIGIBLE = 1e-290

# Log odds of the others against a reference letter that never occurs: exp(-1000) is exactly 0 in
# floating point, and the ratios among the others are kept, as they would not be at infinity.
_REFERENCE_ABSENT = 1000.0


@dataclass(frozen=True)
class SubstitutionModel(ABC):
    """Probabilities of aligned letters, as functions of named coordinates.

    Models are constants, equal when their names are; `substitution_model` hands them out.

    Attributes
    ----------
    name : str
        Such as ``"hky85"``.
    alphabet : str
        ``"dna"`` or ``"protein"``. The DNA models serve RNA as well, U standing for T.
    letters : str
        Concrete letters, in the order of all arrays.
    frequency_modes : tuple of str
        What `tying` and `start` take for `frequencies`, the default first.
    layout : Layout
        Names and shapes of the coordinates, among ``exchangeability``: (6,), log exchangeabilities
        AC, AG, AT, CG, CT, GT; ``frequency``: (n_letters - 1,), log odds of each letter against
        the last; and ``distance``: (), log of the expected substitutions per site between x and y.
    """

    name: str
    alphabet: str = field(compare=False)
    letters: str = field(compare=False)
    frequency_modes: tuple[str, ...] = field(compare=False)

    @property
    def n_letters(self) -> int:
        """Number of concrete letters."""
        return len(self.letters)

    @property
    @abstractmethod
    def layout(self) -> Layout:
        """Names and shapes of the coordinates."""

    @abstractmethod
    def tying(
        self,
        frequencies: str | ArrayLike | None = None,
        letter_counts: ArrayLike | None = None,
    ) -> Tying:
        """Tie the coordinates as this model does.

        Parameters
        ----------
        frequencies : str or array_like of float, (n_letters,), optional
            ``"equal"``; ``"empirical"``, the proportions of `letter_counts`; ``"model"``, as
            published; ``"estimated"``, which leaves them free; or the frequencies themselves.
            Default: the first of `frequency_modes`.
        letter_counts : array_like of float, (n_letters,), optional
            How often each letter occurs in the data; needed for ``"empirical"``.

        Returns
        -------
        Tying
            Over the entries of `layout`. Among the models of an alphabet these are nested as the
            models are: jc69 in k80 in hky85 in tn93 in gtr, given suitable frequencies.

        Raises
        ------
        ParameterError
            The model does not take such frequencies, or they are malformed.
        """

    @abstractmethod
    def start(
        self,
        frequencies: str | ArrayLike | None = None,
        letter_counts: ArrayLike | None = None,
        distance: float = 0.1,
    ) -> dict[str, FloatArray]:
        """Give sensible coordinates to start a fit from.

        Transitions, where the model tells them from transversions, are twice as fast.

        Parameters
        ----------
        frequencies, letter_counts
            As in `tying`. Estimated frequencies start at the proportions of ``letter_counts + 1``
            if given.
        distance : float, default 0.1
            Expected substitutions per site, above 0.

        Returns
        -------
        dict of str to ndarray of float64
            Arrays of the names and shapes of `layout`; what `tying` makes of the same arguments
            can produce them.

        Raises
        ------
        ParameterError
            As `tying`, or the distance is not above 0.
        """

    @abstractmethod
    def joint(self, parameters: Mapping[str, ArrayLike]) -> tuple[FloatArray, FloatArray]:
        """Compute the probabilities of pairs of letters and of letters against a gap.

        Parameters
        ----------
        parameters : mapping of str to array_like
            Coordinates by name, as in `layout`; -inf stands for an exchangeability, a frequency
            or a distance of exactly 0. Other names are not looked at.

        Returns
        -------
        joint : ndarray of float64, (n_letters, n_letters)
            Probability of each pair: symmetric, never negative, with sum 1.
        frequencies : ndarray of float64, (n_letters,)
            Probability of each letter: the marginals of `joint`, up to rounding.

        Raises
        ------
        ParameterError
            A coordinate is missing, has another shape, or is nan or +inf.
        """

    @abstractmethod
    def pull_back(
        self,
        parameters: Mapping[str, ArrayLike],
        match_counts: ArrayLike,
        gap_counts: ArrayLike,
    ) -> dict[str, FloatArray]:
        """Turn expected counts of letters into the gradient with respect to the coordinates.

        The gradient is that of ``sum(match_counts * log(joint)) + sum(gap_counts *
        log(frequencies))`` at constant counts, in which what has no counts adds nothing, be its
        probability 0 or not. With the posterior counts of a pair HMM this is the gradient of its
        log-likelihood (Fisher's identity).

        Parameters
        ----------
        parameters : mapping of str to array_like
            As for `joint`.
        match_counts : array_like of float, (n_letters, n_letters)
            Expected number of times that each pair of letters is aligned; not negative.
        gap_counts : array_like of float, (n_letters,)
            Expected number of times that each letter stands against a gap; not negative.

        Returns
        -------
        dict of str to ndarray of float64
            Derivatives with respect to every coordinate, tied or not: names and shapes as in
            `layout`. Those at coordinates of -inf are 0.

        Raises
        ------
        ParameterError
            A coordinate is malformed, or there are counts of what has the probability 0.
        """


@dataclass(frozen=True)
class ReversibleModel(SubstitutionModel):
    """A reversible Markov process along the path from x to y.

    Attributes
    ----------
    exchangeability_groups : tuple of int
        Which exchangeabilities are free and equal, as in `Tying`; empty where they are published.
    rates : ndarray of float64, (n_letters, n_letters) or None
        Published exchangeabilities, symmetric with a diagonal of 0.
    published_frequencies : ndarray of float64, (n_letters,) or None
        What the frequency mode ``"model"`` means.

    Examples
    --------
    Kimura's model, at the distance 0.3 and with transitions 4 times as fast as transversions:

    >>> import numpy as np
    >>> model = substitution_model("k80")
    >>> tying = model.tying()
    >>> tying.describe(model.layout)[1]
    'rate_AG = rate_CT'
    >>> full = tying.expand(np.log([4.0, 0.3]))
    >>> joint, frequencies = model.joint(model.layout.unflatten(full))
    >>> (joint / frequencies[:, None]).round(4)  # the transition probabilities from A, C, G, T
    array([[0.7579, 0.0453, 0.1514, 0.0453],
           [0.0453, 0.7579, 0.0453, 0.1514],
           [0.1514, 0.0453, 0.7579, 0.0453],
           [0.0453, 0.1514, 0.0453, 0.7579]])
    """

    exchangeability_groups: tuple[int, ...] = field(compare=False, default=(), repr=False)
    rates: FloatArray | None = field(compare=False, default=None, repr=False)
    published_frequencies: FloatArray | None = field(compare=False, default=None, repr=False)

    @cached_property
    def layout(self) -> Layout:
        """Names and shapes of the coordinates."""
        shapes: dict[str, tuple[int, ...]] = {"frequency": (self.n_letters - 1,), "distance": ()}
        labels = {"frequency": tuple(f"frequency_{letter}" for letter in self.letters[:-1])}
        if self.rates is None:
            shapes = {"exchangeability": (len(self.exchangeability_groups),), **shapes}
            labels["exchangeability"] = tuple(f"rate_{pair}" for pair in RATE_NAMES)
        return Layout(shapes, labels)

    def tying(
        self,
        frequencies: str | ArrayLike | None = None,
        letter_counts: ArrayLike | None = None,
    ) -> Tying:
        """Tie the coordinates as this model does; see `SubstitutionModel.tying`."""
        held = self._held_frequencies(frequencies, letter_counts)
        size = self.layout.size  # above every number in `exchangeability_groups`
        group, offset = np.arange(size) + size, np.zeros(size)
        if self.rates is None:
            group[self.layout.slice("exchangeability")] = self.exchangeability_groups
        if held is not None:
            group[self.layout.slice("frequency")] = -1
            offset[self.layout.slice("frequency")] = log_odds(held)
        return Tying(group, offset=offset)

    def start(
        self,
        frequencies: str | ArrayLike | None = None,
        letter_counts: ArrayLike | None = None,
        distance: float = 0.1,
    ) -> dict[str, FloatArray]:
        """Give sensible coordinates to start a fit from; see `SubstitutionModel.start`."""
        if not 0 < distance < np.inf:
            raise ParameterError(f"a fit cannot start at the distance {distance}; give one above 0")
        proportions = self._held_frequencies(frequencies, letter_counts)
        if proportions is None and letter_counts is not None:
            proportions = _proportions(self._checked_counts(letter_counts) + 1.0)
        elif proportions is None:
            proportions = self._standard_frequencies()
        blocks = {"frequency": log_odds(proportions), "distance": np.log(distance)}
        if self.rates is None:
            free = np.array(self.exchangeability_groups) >= 0
            blocks["exchangeability"] = np.where(free, _TRANSITION * np.log(2.0), 0.0)
        return {name: np.asarray(blocks[name]) for name in self.layout.names}

    def joint(self, parameters: Mapping[str, ArrayLike]) -> tuple[FloatArray, FloatArray]:
        """Compute the probabilities of pairs and of letters; see `SubstitutionModel.joint`."""
        process = self._process(parameters)
        return process.joint, process.frequencies

    def pull_back(
        self,
        parameters: Mapping[str, ArrayLike],
        match_counts: ArrayLike,
        gap_counts: ArrayLike,
    ) -> dict[str, FloatArray]:
        """Turn expected counts into a gradient; see `SubstitutionModel.pull_back`."""
        process = self._process(parameters)
        matches, gaps = _checked_possible(
            match_counts, gap_counts, process.joint, process.frequencies, self.letters
        )
        matches = (matches + matches.T) / 2

        # With E = exp(S), S = `change`: d log p(a, b) = d log E(a, b) + d log(pi_a pi_b) / 2, and
        # `sensitivity` is the gradient with respect to S.
        to_exponential = np.divide(
            matches, process.exponential, out=np.zeros_like(matches), where=matches > 0
        )
        values, vectors = process.eigenvalues, process.eigenvectors
        in_eigenbasis = vectors.T @ to_exponential @ vectors
        sensitivity = vectors @ (_divided_differences(values) * in_eigenbasis) @ vectors.T

        # S is proportional to the distance and inverse to the flow, so one derivative is both.
        by_distance = (sensitivity * process.change).sum()
        # The rate of each ordered pair acts on S twice: between a and b, and by what leaves a.
        between = process.change.copy()
        np.fill_diagonal(between, 0.0)
        by_rate = between * sensitivity - sensitivity.diagonal()[:, None] * process.leaving
        by_rate -= by_distance * process.flow
        by_log_frequency = (
            by_rate.sum(axis=0)
            - by_distance * process.flow.sum(axis=0)
            + matches.sum(axis=0)
            + gaps
        )
        by_log_odds = by_log_frequency - process.frequencies * by_log_frequency.sum()

        blocks = {"frequency": by_log_odds[:-1], "distance": np.asarray(by_distance)}
        if self.rates is None:
            blocks["exchangeability"] = (by_rate + by_rate.T)[_PAIRS]
        return {name: blocks[name] for name in self.layout.names}

    def _process(self, parameters: Mapping[str, ArrayLike]) -> _Process:
        """Do what `joint` and `pull_back` share."""
        blocks = {name: self._checked_block(parameters, name) for name in self.layout.names}
        frequencies = softmax(np.append(blocks["frequency"], 0.0))
        exchangeabilities = self._exchangeabilities(blocks)
        # A log distance may be too large for its exponential, hence the minimum before it.
        distance = np.exp(np.minimum(blocks["distance"], np.log(_LARGEST_DISTANCE)))
        flow = frequencies[:, None] * exchangeabilities * frequencies
        total = flow.sum()
        # Nothing flows when the distance is 0, or when one letter is all there is.
        if min(distance, total) < _NEGLIGIBLE:
            scale, share = 0.0, np.zeros_like(flow)
        else:
            scale, share = distance / total, flow / total

        root = np.sqrt(frequencies)
        leaving = scale * exchangeabilities * frequencies
        change = scale * root[:, None] * exchangeabilities * root
        np.fill_diagonal(change, -leaving.sum(axis=1))
        values, vectors = np.linalg.eigh(change)
        values = np.minimum(values, 0.0)
        values[-1] = 0.0  # of the stationary distribution, for all rates
        # exp(v) - 1 keeps the small probabilities at small distances, which exp(v) would lose.
        exponential = np.eye(root.size) + (vectors * np.expm1(values)) @ vectors.T
        # One change alone, or none, is at least this likely; rounding must not hide rare pairs.
        at_least = change * np.exp(change.diagonal().min())
        np.fill_diagonal(at_least, np.exp(change.diagonal()))
        exponential = np.maximum((exponential + exponential.T) / 2, at_least)
        return _Process(
            frequencies=frequencies,
            flow=share,
            leaving=leaving,
            change=change,
            eigenvalues=values,
            eigenvectors=vectors,
            exponential=exponential,
            joint=root[:, None] * root * exponential,
        )

    def _exchangeabilities(self, blocks: Mapping[str, FloatArray]) -> FloatArray:
        """Symmetric exchangeabilities with a diagonal of 0, up to a factor."""
        if self.rates is not None:
            return self.rates
        logs = blocks["exchangeability"]
        symmetric = np.zeros((self.n_letters, self.n_letters))
        symmetric[_PAIRS] = np.exp(logs - max(logs.max(), 0.0))
        return symmetric + symmetric.T

    def _standard_frequencies(self) -> FloatArray:
        """Frequencies that do not depend on the data: the published or else equal ones."""
        if self.published_frequencies is None:
            return np.full(self.n_letters, 1.0 / self.n_letters)
        return self.published_frequencies

    def _held_frequencies(
        self, frequencies: str | ArrayLike | None, letter_counts: ArrayLike | None
    ) -> FloatArray | None:
        """Frequencies that are not to be estimated; None where they are."""
        if frequencies is None:
            frequencies = self.frequency_modes[0]
        if not isinstance(frequencies, str):
            return self._given_frequencies(frequencies)
        if frequencies not in self.frequency_modes:
            raise ParameterError(
                f"{self.name} has no frequencies {frequencies!r}; choose "
                + " or ".join(repr(mode) for mode in self.frequency_modes)
            )
        if frequencies == "estimated":
            return None
        if frequencies == "equal":
            return np.full(self.n_letters, 1.0 / self.n_letters)
        if frequencies == "model":
            return self._standard_frequencies()
        if letter_counts is None:
            raise ParameterError("empirical frequencies need letter_counts; count the letters")
        return _proportions(self._checked_counts(letter_counts))

    def _given_frequencies(self, frequencies: ArrayLike) -> FloatArray:
        if "empirical" not in self.frequency_modes:
            raise ParameterError(
                f"{self.name} has frequencies of its own, {self.frequency_modes[0]!r}; leave "
                "them out or choose another model"
            )
        given = self._checked_counts(frequencies)
        if abs(given.sum() - 1.0) > 1e-3:
            raise ParameterError(f"the frequencies sum to {given.sum():g}; they must sum to 1")
        return _proportions(given)

    def _checked_counts(self, values: ArrayLike) -> FloatArray:
        counts = np.asarray(values, dtype=np.float64)
        if counts.shape != (self.n_letters,):
            raise ParameterError(
                f"frequencies or letter counts have the shape {counts.shape}; give one number for "
                f"each letter of {self.letters}"
            )
        if not (np.isfinite(counts).all() and (counts >= 0).all() and counts.sum() > 0):
            raise ParameterError(
                f"frequencies or letter counts are {counts}; they must not be negative or nan, "
                "nor all 0"
            )
        return counts

    def _checked_block(self, parameters: Mapping[str, ArrayLike], name: str) -> FloatArray:
        if name not in parameters:
            raise ParameterError(f"{self.name} needs the parameter {name!r}, which is missing")
        block = np.asarray(parameters[name], dtype=np.float64)
        shape = self.layout.shapes[name]
        if block.shape != shape:
            raise ParameterError(f"{name} has the shape {block.shape}; {self.name} needs {shape}")
        if not (block < np.inf).all():
            raise ParameterError(f"{name} is {block}; give finite coordinates, or -inf for 0")
        return block


class _Process(NamedTuple):
    """The numbers behind the joint probabilities, for a pair of letters (row, column) each."""

    frequencies: FloatArray
    flow: FloatArray  # share of all substitutions that each ordered pair has
    leaving: FloatArray  # Q d, with a diagonal of 0
    change: FloatArray  # D^(1/2) Q D^(-1/2) d, which is symmetric
    eigenvalues: FloatArray  # of `change`
    eigenvectors: FloatArray
    exponential: FloatArray  # of `change`
    joint: FloatArray


@dataclass(frozen=True)
class ScoreModel(SubstitutionModel):
    """The joint probabilities that a published matrix of scores implies; no coordinates.

    The scores s are taken as log odds in some unit: p(a, b) = q(a) q(b) exp(scale s(a, b)). Of all
    backgrounds q and scales, one pair alone makes q the marginals of p: with M = exp(scale s), the
    condition sum over b of M(a, b) q(b) = 1 gives q, and sum over a of q(a) = 1 gives the scale
    [1]_. These are used, so that log odds of p against its own marginals are the scores themselves
    times the scale, and the letters against gaps have the same marginals.

    For the BLOSUM62 scores the scale is 0.3240 per unit. The 0.3176 of BLAST statistics holds for
    another background (Robinson & Robinson's), with which p would have other marginals than q.

    References
    ----------
    .. [1] Yu, Wootton & Altschul, PNAS 100 (2003), 15688-15693.

    Examples
    --------
    >>> joint, frequencies = substitution_model("blosum62").joint({})
    >>> odds = joint / (frequencies[:, None] * frequencies)
    >>> (np.log(odds[0, :5]) / 0.32403).round(3) + 0.0  # the scores of A with A, C, D, E, F
    array([ 4.,  0., -2., -1., -2.])
    """

    @property
    def layout(self) -> Layout:
        """Names and shapes of the coordinates: none."""
        return Layout({})

    def tying(
        self,
        frequencies: str | ArrayLike | None = None,
        letter_counts: ArrayLike | None = None,  # noqa: ARG002 (of one form with the others)
    ) -> Tying:
        """Tie no coordinates; see `SubstitutionModel.tying`."""
        self._check_frequencies(frequencies)
        return Tying([])

    def start(
        self,
        frequencies: str | ArrayLike | None = None,
        letter_counts: ArrayLike | None = None,  # noqa: ARG002
        distance: float = 0.1,  # noqa: ARG002
    ) -> dict[str, FloatArray]:
        """Give no coordinates; see `SubstitutionModel.start`."""
        self._check_frequencies(frequencies)
        return {}

    def joint(
        self,
        parameters: Mapping[str, ArrayLike],  # noqa: ARG002
    ) -> tuple[FloatArray, FloatArray]:
        """Look the probabilities up; see `SubstitutionModel.joint`."""
        return _implied_probabilities(self.name, self.letters)

    def pull_back(
        self,
        parameters: Mapping[str, ArrayLike],
        match_counts: ArrayLike,
        gap_counts: ArrayLike,
    ) -> dict[str, FloatArray]:
        """Give the gradient with respect to nothing; see `SubstitutionModel.pull_back`."""
        _checked_possible(match_counts, gap_counts, *self.joint(parameters), self.letters)
        return {}

    def _check_frequencies(self, frequencies: str | ArrayLike | None) -> None:
        if frequencies is not None and not (
            isinstance(frequencies, str) and frequencies in self.frequency_modes
        ):
            raise ParameterError(
                f"{self.name} has frequencies of its own, {self.frequency_modes[0]!r}; leave them "
                "out or choose another model"
            )


def log_odds(frequencies: ArrayLike) -> FloatArray:
    """Turn frequencies into the coordinates ``frequency``; `softmax` turns them back.

    Parameters
    ----------
    frequencies : array_like of float, (n_letters,)
        Not negative; the sum does not matter. A letter may be absent, the last one too.

    Returns
    -------
    ndarray of float64, (n_letters - 1,)
        Log odds against the last letter. An absent letter has -inf. If the last letter is absent
        the others keep their ratios and stand so high (1000) that its probability is exactly 0.

    Examples
    --------
    >>> log_odds([0.5, 0.0, 0.25, 0.25]).round(4)
    array([0.6931,   -inf, 0.    ])
    >>> softmax(np.append(log_odds([0.75, 0.25, 0.0, 0.0]), 0.0)).round(4)
    array([0.75, 0.25, 0.  , 0.  ])
    """
    with np.errstate(divide="ignore"):
        logs = np.log(np.asarray(frequencies, dtype=np.float64))
    return logs[:-1] - (logs[-1] if logs[-1] > -np.inf else -_REFERENCE_ABSENT)


@cache
def substitution_model(name: str) -> SubstitutionModel:
    """Look up a substitution model.

    Parameters
    ----------
    name : str
        One of `SUBSTITUTION_MODELS`.

    Returns
    -------
    SubstitutionModel
        A constant, the same object each time.

    Raises
    ------
    ParameterError
        There is no such model.

    Examples
    --------
    >>> substitution_model("gtr").layout.shapes
    {'exchangeability': (6,), 'frequency': (3,), 'distance': ()}
    >>> substitution_model("wag").tying().n_free  # the distance
    1
    """
    if name in _DNA_GROUPS:
        groups, modes = _DNA_GROUPS[name]
        return ReversibleModel(name, "dna", DNA_LETTERS, modes, exchangeability_groups=groups)
    if name in _PROTEIN_TABLES:
        rates, frequencies = _published(_PROTEIN_TABLES[name])
        modes = ("model", "empirical", "estimated", "equal")
        return ReversibleModel(
            name,
            "protein",
            PROTEIN_LETTERS,
            modes,
            rates=rates,
            published_frequencies=frequencies,
        )
    if name == "blosum62":
        return ScoreModel(name, "protein", PROTEIN_LETTERS, ("model",))
    raise ParameterError(
        f"there is no substitution model {name!r}{did_you_mean(str(name), SUBSTITUTION_MODELS)}; "
        f"choose one of {', '.join(SUBSTITUTION_MODELS)}"
    )


def _published(table: str) -> tuple[FloatArray, FloatArray]:
    """Read exchangeabilities and frequencies of amino acids, in the order of our letters."""
    numbers = np.array(table.split(), dtype=np.float64)
    n_letters = len(PROTEIN_LETTERS)
    order = [protein_rates.ORDER.index(letter) for letter in PROTEIN_LETTERS]
    lower = np.zeros((n_letters, n_letters))
    lower[np.tril_indices(n_letters, -1)] = numbers[:-n_letters]
    rates = (lower + lower.T)[np.ix_(order, order)]
    frequencies = _proportions(numbers[-n_letters:][order])
    return _read_only(rates), _read_only(frequencies)


@cache
def _implied_probabilities(name: str, letters: str) -> tuple[FloatArray, FloatArray]:
    """Joint probabilities and their marginals that a score matrix of Biopython implies."""
    from Bio.Align import substitution_matrices
    from scipy.optimize import brentq

    matrix = substitution_matrices.load(name.upper())
    scores = np.array([[matrix[a, b] for b in letters] for a in letters])

    def background(scale: float) -> FloatArray:
        solution = np.linalg.solve(np.exp(scale * scores), np.ones(len(letters)))
        return np.asarray(solution, dtype=np.float64)

    # The scores are half bits, up to their rounding.
    half_bit = np.log(2.0) / 2
    scale = brentq(
        lambda scale: background(scale).sum() - 1.0, half_bit / 2, half_bit * 2, xtol=1e-15
    )
    frequencies = background(scale)
    joint = frequencies[:, None] * frequencies * np.exp(scale * scores)
    return _read_only(joint), _read_only(frequencies)


def _divided_differences(values: FloatArray) -> FloatArray:
    """(exp(u) - exp(v)) / (u - v) for all pairs, and exp(u) where u = v; none of it above 0."""
    below = -np.abs(values[:, None] - values)
    ratio = np.divide(np.expm1(below), below, out=np.ones_like(below), where=below < 0)
    return np.exp(np.maximum(values[:, None], values)) * ratio


def _checked_possible(
    match_counts: ArrayLike,
    gap_counts: ArrayLike,
    joint: FloatArray,
    frequencies: FloatArray,
    letters: str,
) -> tuple[FloatArray, FloatArray]:
    """Make arrays of counts, and check that what they count has a probability above 0."""
    matches = np.asarray(match_counts, dtype=np.float64)
    gaps = np.asarray(gap_counts, dtype=np.float64)
    if matches.shape != joint.shape or gaps.shape != frequencies.shape:
        raise ParameterError(
            f"counts of matches and of gaps have the shapes {matches.shape} and {gaps.shape}; "
            f"they need {joint.shape} and {frequencies.shape}"
        )
    pairs = np.argwhere((matches > 0) & (joint == 0))
    if pairs.size:
        a, b = (letters[i] for i in pairs[0])
        raise ParameterError(
            f"{a} aligned with {b} is counted, but has the probability 0; "
            "no gradient leads away from there"
        )
    absent = np.flatnonzero((gaps > 0) & (frequencies == 0))
    if absent.size:
        raise ParameterError(
            f"{letters[absent[0]]} against a gap is counted, but has the probability 0; "
            "no gradient leads away from there"
        )
    return matches, gaps


def _proportions(counts: FloatArray) -> FloatArray:
    return counts / counts.sum()


def _read_only(array: FloatArray) -> FloatArray:
    array.setflags(write=False)
    return array
