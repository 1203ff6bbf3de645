"""The pair HMM as an estimator: records in, fitted parameters and alignments out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from numpy.typing import NDArray

from seqbio.core import (
    GroupedData,
    GroupedModel,
    Layout,
    Tying,
    as_generator,
    estimates_of,
    fixed,
    joined,
    untied,
)
from seqbio.core.estimator import Estimator, Ties, described
from seqbio.core.fit import Fit, covariance, fit, wald_interval
from seqbio.core.items import clusters_of
from seqbio.core.model import Effect, Hypothesis, begin_of
from seqbio.core.numerics import Labels
from seqbio.core.profile import profile_interval
from seqbio.core.sandwich import FEWEST_CLUSTERS, robust_covariance
from seqbio.core.tables import Table
from seqbio.errors import (
    ModelFileError,
    NotFittedError,
    PairingWarning,
    ParameterError,
    TyingError,
    did_you_mean,
    warn,
)
from seqbio.pairhmm import dp, relation, ties
from seqbio.pairhmm.accuracy import (
    confidence,
    most_accurate_matches,
    path_of_matches,
)
from seqbio.pairhmm.alignments import (
    alignment_of_columns,
    annotate,
    columns_of_alignment,
    columns_of_states,
)
from seqbio.pairhmm.gap_lengths import GapLengths, gap_lengths
from seqbio.pairhmm.groups import GroupedPairs, by_groups, split_name
from seqbio.pairhmm.pair_data import PairData
from seqbio.pairhmm.pair_model import PairModel
from seqbio.pairhmm.parameters import coordinates, unconstrained
from seqbio.pairhmm.substitution import substitution_model
from seqbio.pairhmm.summary import summed_up
from seqbio.pairhmm.transitions import TRANSITION_NAMES
from seqbio.sequences import (
    Alphabet,
    Pair,
    SequenceLike,
    as_pairs,
    encode_pairs,
    get_alphabet,
    numbers_by_letter,
)
from seqbio.sequences.alphabet import ByLetter
from seqbio.sequences.model_files import (
    model_file,
    model_numbers,
    read_coordinates,
    read_model_text,
    write_model_text,
    written_coordinates,
)
from seqbio.sequences.records import has_id

if TYPE_CHECKING:
    from Bio.Align import Alignment

Floats = NDArray[np.float64]
Pairs = Iterable[Sequence[SequenceLike]]
Data = PairData | GroupedData

_MOST_PAIRS, _MOST_COLUMNS = 10**7, 10**9  # that are drawn at once
_ENDS = ("aligned", "free", "free_x", "free_y")
_DEFAULT_SUBSTITUTION = {"dna": "hky85", "rna": "hky85", "protein": "lg"}
_FORMAT = "seqbio pair HMM, version 4"
# How many coordinates of moves older files have. What they do not have is 0, but the overhangs of
# version 3, which were the same at either end.
_FORMER_FORMATS = {f"seqbio pair HMM, version {k}": n for k, n in ((1, 9), (2, 17), (3, 21))}


class PairHMM(Estimator):
    """Pair hidden Markov model of two related sequences, with gap symmetries as ties.

    An alignment is a path through states: M (a letter of each sequence), X (a letter of x
    against a gap) and Y (a letter of y against a gap). All alignments are summed over (the forward
    algorithm), so no alignment is needed or trusted. Each parameter is a probability with a name:
    ``open_x`` is the chance that after two aligned letters a letter of x stands against a gap,
    ``extend_x`` that the gap goes on, ``end`` that the sequences end.

    Gaps in y are where x has additional letters. With x the ancestor or the reference, a letter
    of x against a gap is a deletion and a letter of y against a gap an insertion; when neither
    is, the two cannot be told apart, and neither can the branch lengths to x and to y.

    Parameters
    ----------
    alphabet : {"dna", "rna", "protein"}
        What the sequences are made of.
    substitution : str, optional
        Probabilities of aligned letters: ``jc69``, ``k80``, ``f81``, ``hky85`` (the default),
        ``tn93``, ``gtr`` for nucleotides; ``lg`` (the default), ``wag``, ``jtt``, ``blosum62`` for
        proteins.
    frequencies : str, array of float or dict, optional
        Of the letters: ``"equal"``, ``"empirical"`` (counted in the data, so the same under any
        hypothesis), ``"estimated"``, ``"model"`` (as published with a protein model), or numbers
        by letter or in the order of the letters.
        By default what is usual for the substitution model.
    tie : tuple of str, or Tying
        Symmetries that are believed, from `ties`, those over groups of pairs included; or a tying
        of your own over the coordinates of the hypothesis' model (``PairHMM(...).model.layout``
        without groups), joined to what the other settings imply.
    switch : {"off", "tied", "untied"}
        Whether an insertion may stand directly next to a deletion. It is rarely seen in data, and
        when both directions are free hardly to be told from other parameters.
    end : {"tied", "untied"}
        Whether the chance to end is one, or one for each state.
    gap_lengths : {1, 2, "frame"}
        The law of gap lengths: geometric, or a mixture. With 2 there are short and long gaps:
        ``open`` is the chance of any gap, ``long`` the share of the gaps that are long, and
        ``extend`` and ``extend_long`` say how long each kind is. With ``"frame"``, for coding
        sequences, a share ``frame`` of the gaps is of 3, 6, 9 ... letters, and ``extend_frame``
        is the chance that three more follow; other gaps are of any length. A mixture of which
        the share is 0 is the geometric law, so that `compare` can test 1 against either.
    ends : {"aligned", "free", "free_x", "free_y"}
        Whether letters of one sequence may stand alone before the rest of the alignment and behind
        it, as an overhang that is no gap: where sequences were trimmed, or are parts of longer
        ones. ``overhang_begin_x`` is the chance that the beginning has an overhang of x, and
        ``extend_overhang_begin_x`` that it goes on; ``overhang_end_x`` and
        ``extend_overhang_end_x`` are for the end. At one end x or y may have an overhang, not
        both. Next to an overhang of x two letters are aligned or a letter of y stands against a
        gap, which the cut may have shortened. With ``"free_x"`` only x has overhangs.
    reference : {"x", "y"}, optional
        The side of the ancestors or references, such as a genome that reads are from: given
        these, pairs are independent. Without it pairs that share a sequence are not, because what
        happened to it counts in all of them; `compare` then takes them for one item.
    n_starts : int
        Fits from more than one start show whether there are other optima.
    seed : int, numpy.random.Generator or None
        For the fresh starts.

    Attributes
    ----------
    fit_ : seqbio.core.Fit
        The optimum and the evidence that it is one.
    log_likelihood_ : float
        Natural logarithm, of all pairs together.
    n_free_parameters_ : int
        Numbers that were estimated, empirical frequencies not counted.
    parameters_ : dict of str to float
        All parameters under their names.
    converged_ : bool
        Whether the fit is at an optimum.
    groups_ : tuple of str
        Names of the groups of pairs that have parameters of their own; none without groups.
    data_ : PairData or GroupedData
        The pairs as the model takes them, kept for intervals and tests.

    References
    ----------
    Durbin, Eddy, Krogh & Mitchison, *Biological Sequence Analysis* (1998), chapter 4.

    Examples
    --------
    >>> import seqbio
    >>> hmm = seqbio.PairHMM().set_parameters(
    ...     {"open_x": 0.02, "open_y": 0.06, "extend_x": 0.3, "extend_y": 0.3, "end": 0.002,
    ...      "distance": 0.1, "kappa": 2.0})
    >>> pairs = hmm.simulate(20, columns=300, seed=1)
    >>> tied = seqbio.PairHMM(tie=("open", "extend")).fit(pairs)
    >>> free = seqbio.PairHMM(tie=()).fit(pairs)
    >>> free.n_free_parameters_ - tied.n_free_parameters_
    2
    >>> free.parameters_["open_y"] > 2 * free.parameters_["open_x"]
    True
    """

    _ties = ties.TIES

    fit_: Fit
    groups_: tuple[str, ...] = ()

    def __init__(
        self,
        alphabet: str = "dna",
        substitution: str | None = None,
        frequencies: str | ByLetter | None = None,
        tie: Ties = ("open", "extend"),
        switch: Literal["off", "tied", "untied"] = "off",
        end: Literal["tied", "untied"] = "tied",
        gap_lengths: Literal[1, 2, "frame"] = 1,
        ends: Literal["aligned", "free", "free_x", "free_y"] = "aligned",
        reference: Literal["x", "y"] | None = None,
        n_starts: int = 1,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        self.alphabet = alphabet
        self.substitution = substitution
        self.frequencies = frequencies
        self.tie = tie
        self.switch = switch
        self.end = end
        self.gap_lengths = gap_lengths
        self.ends = ends
        self.reference = reference
        self.n_starts = n_starts
        self.seed = seed

    # -- settings to hypothesis --------------------------------------------------------------

    @property
    def model(self) -> PairModel:
        """The model in coordinates, before any tying."""
        alphabet, substitution = self._settings_checked()
        family = "gtr" if alphabet.name != "protein" else substitution
        return PairModel(family, rna=alphabet.name == "rna")

    def hypothesis(self, pairs: Pairs | GroupedPairs) -> tuple[Hypothesis, Data]:
        """State the hypothesis that these settings make about some pairs.

        Parameters
        ----------
        pairs
            Tuples of two sequences, or `GroupedPairs`.

        Returns
        -------
        hypothesis : Hypothesis
            Model and tying; empirical frequencies are counted in the pairs.
        data : PairData or GroupedData
            The pairs as the model takes them.
        """
        groups = pairs.names if isinstance(pairs, GroupedPairs) else ()
        data = self._encode(pairs, groups)
        return self.hypothesis_of(data), data

    def hypothesis_of(self, data: Data) -> Hypothesis:
        """State the hypothesis about pairs that are in the form that the model takes."""
        model = self._model(data.names if isinstance(data, GroupedData) else ())
        return Hypothesis(model, self._tying(model, data), described(self.tie))

    def unlike(self, other: object) -> str:
        """Say why two pair HMMs cannot be compared whatever their ties; empty where they can.

        Frequencies that are counted in the data cost no parameter, and those that are estimated
        do, though both are the most likely ones, or nearly.
        """
        if not isinstance(other, PairHMM):
            return ""
        own, others = self._frequency_mode(), other._frequency_mode()
        if own == others or "empirical" not in (own, others):
            return ""
        return (
            f"frequencies are {own!r} in the null and {others!r} in the alternative; empirical "
            "ones are counted in the data, and yet not among the parameters, so that degrees of "
            "freedom would be wrong. Give both hypotheses the same frequencies, or 'equal' or "
            "'estimated' ones"
        )

    def _frequency_mode(self) -> str:
        _, name = self._settings_checked()
        if self.frequencies is None:
            return substitution_model(name).frequency_modes[0]
        return self.frequencies if isinstance(self.frequencies, str) else "given"

    def _settings_checked(self) -> tuple[Alphabet, str]:
        alphabet = get_alphabet(self.alphabet)
        name = self.substitution or _DEFAULT_SUBSTITUTION[alphabet.name]
        kind = "protein" if alphabet.name == "protein" else "dna"
        if substitution_model(name).alphabet != kind:
            raise ParameterError(
                f"{name} is a substitution model for {substitution_model(name).alphabet} and the "
                f"alphabet is {alphabet.name}; leave --substitution (substitution) out for the "
                f"default of {alphabet.name}"
            )
        for setting, value, choices in (
            ("switch", self.switch, ("off", "tied", "untied")),
            ("end", self.end, ("tied", "untied")),
            ("gap_lengths", self.gap_lengths, (1, 2, "frame")),
            ("ends", self.ends, _ENDS),
            ("reference", self.reference, (None, "x", "y")),
        ):
            if value not in choices:
                listed = [str(choice) for choice in choices]
                meant = did_you_mean(str(value), listed)
                raise ParameterError(
                    f"{setting} is {value!r}{meant}; choose one of {', '.join(listed)}"
                )
        if not isinstance(self.tie, Tying):
            self._check_tie_names(self.tie)
        return alphabet, name

    def _check_tie_names(self, names: object) -> None:
        if isinstance(names, tuple | list) and "close" in names:
            raise TyingError(
                "closing a gap is not a parameter of its own: it is what is left when a gap "
                "neither goes on nor switches. Tie 'extend' (and 'switch' where it is on)"
            )
        within = [name for name in ties.TIES.checked(names) if not ties.is_over_groups(name)]
        ties.TIES.check_needs(within, ties.Subject(self, None))

    def _without(self, name: str) -> str:
        """Sides that lack something that the settings do not allow on both."""
        if name != "overhang":
            return "xy"
        return {"aligned": "xy", "free_x": "y", "free_y": "x"}[self.ends]

    def _tying(self, model: PairModel | GroupedModel, data: Data) -> Tying:
        # Empirical frequencies are those of each group, the same under any hypothesis.
        tying = joined(*(self._tying_of_pairs(part) for part in self._parts(data)))
        over_groups = [name for name in self._tie_names() if ties.is_over_groups(name)]
        tying = ties.TIES.tying(over_groups, ties.Subject(self, model), tying)
        return tying.intersect(self.tie) if isinstance(self.tie, Tying) else tying

    def _parts(self, data: Data) -> list[PairData]:
        """Divide data by group; without groups all is one."""
        if isinstance(data, PairData):
            return [data]
        return [data.part(self.model, group) for group in range(data.labels.max() + 1)]

    def _tying_of_pairs(self, data: PairData) -> Tying:
        """Tie what the settings tie in pairs of one group."""
        _, name = self._settings_checked()
        layout = Layout(dict.fromkeys(TRANSITION_NAMES, ()))
        moves = untied(layout.size)
        for optional in ties.SETTINGS:
            if not ties.has(self, optional):
                held = ties.held_without(optional, self._without(optional))
                entries = [int(layout.indices(block)) for block in held]
                moves = moves.intersect(fixed(moves.n_full, entries, list(held.values())))
        within = {name for name in self._tie_names() if not ties.is_over_groups(name)}
        within |= {
            name for name, how in (("switch", self.switch), ("end", self.end)) if how == "tied"
        }
        letters = substitution_model(name).tying(self._given_frequencies(), data.letter_counts)
        subject = ties.Subject(self, self.model)
        return ties.TIES.tying(sorted(within), subject, joined(moves, letters))

    def _given_frequencies(self) -> str | Floats | None:
        """Put the numbers of letters in the order of the alphabet."""
        if self.frequencies is None or isinstance(self.frequencies, str):
            return self.frequencies
        letters = get_alphabet(self.alphabet).letters
        return numbers_by_letter(self.frequencies, letters, "frequencies")

    def _model(self, groups: tuple[str, ...]) -> PairModel | GroupedModel:
        return GroupedModel(self.model, groups) if groups else self.model

    def _encode(self, pairs: Pairs | GroupedPairs, groups: tuple[str, ...]) -> Data:
        """Turn pairs into the data of a model of some groups, or of none."""
        if isinstance(pairs, GroupedPairs):
            return GroupedData(self._encoded(pairs.pairs), pairs.numbers(groups), groups)
        if groups:
            raise ParameterError(
                f"the parameters are those of the groups {', '.join(groups)}; give "
                "GroupedPairs(pairs, labels), or take one group by of_group(name)"
            )
        return self._encoded(pairs)

    def _encoded(self, pairs: Pairs) -> PairData:
        alphabet, _ = self._settings_checked()
        x, y, names = encode_pairs(pairs, alphabet)
        if not x:
            raise ParameterError("there are no pairs; give at least one")
        return PairData(alphabet, x, y, self.reference, names)

    # -- learning ----------------------------------------------------------------------------

    def fit(
        self,
        pairs: Pairs | GroupedPairs,
        labels: None = None,  # noqa: ARG002 (scikit-learn's y)
        *,
        groups: Labels | None = None,
    ) -> Self:
        """Maximise the likelihood of sequence pairs, summed over all their alignments.

        Parameters
        ----------
        pairs
            Tuples of two sequences: SeqRecord, Seq or str; or `GroupedPairs`.
        labels
            Not used; scikit-learn passes it.
        groups : array_like of str or int, (n_pairs,), optional
            The group of each pair, short for ``GroupedPairs(pairs, groups)``: every group has
            parameters of its own, named such as ``open_x[rodents]``, but for those that a tie over
            groups makes one.

        Returns
        -------
        PairHMM
            The estimator itself, with the attributes that end in ``_``.

        Warns
        -----
        PairingWarning
            Pairs are unrelated, or fit far better with the reverse complement of y (`orient`).
        """
        if groups is not None:
            if isinstance(pairs, GroupedPairs):
                raise ParameterError("the pairs have groups already; leave out groups")
            pairs = GroupedPairs(pairs, groups)
        hypothesis, data = self.hypothesis(pairs)
        fitted = fit(
            hypothesis.model, hypothesis.tying, data, n_starts=self.n_starts, seed=self.seed
        )
        self.accept(fitted, data)
        fulls = fitted.full.reshape(max(len(self.groups_), 1), -1)
        for full, part, group in zip(fulls, self._parts(data), self.groups_ or ("",), strict=True):
            self._warn_of_strangers(full, part, where=f"group {group}: " if group else "")
        return self

    def _warn_of_strangers(
        self, full: Floats, data: PairData, known: Floats | None = None, where: str = ""
    ) -> None:
        for check in self.model.relation_checks(full, data, known):
            warn(where + check.message, PairingWarning)

    def accept(self, fitted: Fit, data: Data) -> Self:
        """Take over a fit of this estimator's hypothesis that was made elsewhere."""
        self.fit_, self.data_ = fitted, data
        self.groups_ = fitted.model.groups if isinstance(fitted.model, GroupedModel) else ()
        self.full_ = fitted.full
        return self

    @property
    def log_likelihood_(self) -> float:
        """Log-likelihood of the data that the model was fitted to, nats."""
        return self._fitted().log_likelihood

    @property
    def n_free_parameters_(self) -> int:
        """How many numbers were estimated."""
        return self._fitted().n_free

    @property
    def converged_(self) -> bool:
        """Whether the fit is at an optimum."""
        return self._fitted().converged

    @property
    def name_(self) -> str:
        """The hypothesis in words, for tables."""
        return described(self.tie)

    @property
    def parameters_(self) -> dict[str, float]:
        """All parameters under their names, as `set_parameters` takes them."""
        named = estimates_of(self._model(self.groups_), self._full())
        possible = [
            f"{kind}_{side}{suffix}"
            for name in ties.SETTINGS
            for kind in ties.kinds(name)
            for side in "xy"
            if ties.has(self, name) or side not in self._without(name)
            for suffix in self._suffixes
        ]
        return named | {name: 0.0 for name in possible if name not in named}

    @property
    def _suffixes(self) -> tuple[str, ...]:
        """What stands after the name of a parameter, for each group."""
        return tuple(f"[{group}]" for group in self.groups_) or ("",)

    def _fitted(self) -> Fit:
        if not hasattr(self, "fit_"):
            raise NotFittedError("this pair HMM was not fitted to data; call fit(pairs) first")
        return self.fit_

    def _full(self) -> Floats:
        if not hasattr(self, "full_"):
            raise NotFittedError(
                "this pair HMM has no parameters yet; call fit(pairs) or set_parameters({...})"
            )
        return self.full_

    def _of_all_pairs(self) -> Floats:
        """Get the parameters where they must be those of any pair."""
        full = self._full()
        if self.groups_:
            raise ParameterError(
                f"the parameters are those of the groups {', '.join(self.groups_)}; take one group "
                "by of_group(name)"
            )
        return full

    def set_parameters(self, parameters: Mapping[str, float]) -> Self:
        """Give all parameters, instead of estimating them.

        Parameters
        ----------
        parameters
            The names of `parameters_`: ``open_x``, ``open_y``, ``extend_x``, ``extend_y``,
            ``end`` (or ``end_m``, ``end_x``, ``end_y``), ``distance`` in substitutions per site,
            where the substitution model has them ``kappa`` (or ``kappa_AG`` and ``kappa_CT``, or
            ``rate_AC`` ... ``rate_CT`` against G-T), ``switch_x`` and ``switch_y`` where switch is
            on, ``long_x``, ``extend_long_x`` and so on as `gap_lengths` says,
            ``overhang_begin_x``, ``extend_overhang_begin_x`` ... with free `ends`, and
            ``frequency_A`` ...; by default as the setting `frequencies` says, or equal, or the
            protein model's own. With groups of pairs all of these for each, as
            ``open_x[rodents]``.

        Returns
        -------
        PairHMM
            The estimator itself.

        Raises
        ------
        ParameterError
            A name is missing or unknown, or a value is out of range.
        """
        by_group = by_groups(parameters)
        self.full_ = np.concatenate([self._coordinates(given) for given in by_group.values()])
        self.groups_ = tuple(by_group) if list(by_group) != [""] else ()
        for name in ("fit_", "data_"):
            self.__dict__.pop(name, None)
        return self

    def _coordinates(self, given: Mapping[str, float]) -> Floats:
        """Turn the parameters of one group, or of all pairs, into coordinates."""
        model = self.model
        self._check_named(given)
        full = coordinates(model.layout, model.substitution, given, self._given_frequencies())
        self._check_substitution(full)
        return full

    def of_group(self, name: str) -> Self:
        """Take the parameters of one group of pairs, to align or draw pairs with.

        Parameters
        ----------
        name : str
            One of `groups_`.

        Returns
        -------
        PairHMM
            With these parameters, not fitted, and without ties over groups.

        Raises
        ------
        ParameterError
            There is no such group.
        """
        full = self._full()
        if name not in self.groups_:
            known = ", ".join(self.groups_) or "none"
            raise ParameterError(f"there is no group {name!r}; this pair HMM has {known}")
        alone = type(self)(**self.get_params())
        if not isinstance(self.tie, Tying):
            alone.tie = tuple(tie for tie in self.tie if not ties.is_over_groups(tie))
        place = self.groups_.index(name)
        alone.full_ = full.reshape(len(self.groups_), -1)[place].copy()
        return alone

    def _check_named(self, named: Mapping[str, float]) -> None:
        """Refuse parameters that the settings exclude."""
        if self.switch == "off" and (named.get("switch_x") or named.get("switch_y")):
            raise ParameterError("switch is off in this pair HMM; set switch='tied' or 'untied'")
        for name, (setting, value) in ties.SETTINGS.items():
            if ties.has(self, name):
                continue
            excluded = [f"{k}_{side}" for k in ties.kinds(name) for side in self._without(name)]
            if any(named.get(each) for each in excluded):
                raise ParameterError(
                    f"{setting} is {getattr(self, setting)!r} in this pair HMM, with which there "
                    f"is no {' or '.join(excluded)}; set {setting}={value!r}"
                )

    def _check_substitution(self, full: Floats) -> None:
        """Refuse rates and frequencies that the substitution model in use cannot have."""
        _, name = self._settings_checked()
        substitution = substitution_model(name)
        free = "estimated" if "estimated" in substitution.frequency_modes else None
        if not substitution.tying(free).contains(full[len(TRANSITION_NAMES) :]):
            raise ParameterError(
                f"{name} cannot have these rates or frequencies; leave them out, or choose a "
                "substitution model that has them free"
            )

    # -- using -------------------------------------------------------------------------------

    def log_likelihood(self, pairs: Pairs | GroupedPairs) -> Floats:
        """Log-likelihood of each pair, summed over all alignments, (n_pairs,) nats."""
        full = self._full()
        data: Any = self._encode(pairs, self.groups_)
        return self._model(self.groups_).log_likelihood(full, data)

    def score(self, pairs: Pairs | GroupedPairs, labels: None = None) -> float:  # noqa: ARG002
        """Mean log-likelihood of a pair, nats (for scikit-learn's model selection)."""
        return float(self.log_likelihood(pairs).mean())

    def align(
        self,
        pairs: Pairs,
        *,
        method: Literal["viterbi", "mea"] = "viterbi",
        gap_factor: float = 1.0,
    ) -> list[Alignment]:
        """Best alignment of each pair.

        Parameters
        ----------
        pairs
            Tuples of two sequences: SeqRecord, Seq or str.
        method : {"viterbi", "mea"}
            ``"viterbi"``: that of the most probable path through the states, which is the most
            probable alignment where gaps are of one kind. ``"mea"``: the alignment of the
            maximum expected accuracy, which weighs every aligned pair of letters by its posterior
            probability, from all alignments; it need not be one that the model itself can make.
        gap_factor : float
            For ``"mea"``: how much a letter that rightly stands against a gap counts beside one
            that is rightly aligned. With 1 `expected_accuracy` is as large as it can be. With 0
            only aligned letters count, so that more of the true pairs are found and more are
            wrong.

        Returns
        -------
        list of Bio.Align.Alignment
            x is the target and y the query. ``score`` is the log-probability of the pair together
            with the path, in nats, or with ``"mea"`` the expected number of letters of both
            sequences that are rightly aligned or rightly left against a gap; then the
            alignments also have what `assess` gives.

        Raises
        ------
        ParameterError
            A pair cannot be made under these parameters, or an option is out of range.

        Warns
        -----
        PairingWarning
            Pairs are unrelated, or fit far better with the reverse complement of y.

        Notes
        -----
        With several kinds of gaps a path also says of which kind each gap is, and an alignment is
        as probable as all its paths together, so that another than that of the best path can be
        the more probable one.

        Equally probable alignments differ in where gaps stand: in a run of one letter a gap stands
        at its start. For ``"mea"`` probabilities below ``min(n, m)`` times 1e-7 are left out (2e-3
        for two sequences of 20 kb), so that the expected accuracy may miss its maximum by that,
        and memory stays below 1 GB for a pair of any length.

        References
        ----------
        Durbin, Eddy, Krogh & Mitchison (1998), section 4.2; Schwartz, Myers & Pachter,
        arXiv q-bio/0510052 (2005), for the expected accuracy and the gap factor.
        """
        if method not in ("viterbi", "mea"):
            raise ParameterError(f"method is {method!r}; choose viterbi or mea")
        if not 0.0 <= gap_factor < np.inf:
            raise ParameterError(f"gap_factor is {gap_factor}; give a number of 0 or more")
        full, model = self._of_all_pairs(), self.model
        records = as_pairs(pairs, get_alphabet(self.alphabet))
        data = self._encoded(records)
        machine, _ = model.machine(full, data)
        best = model.best_path_score(full, data)
        self._warn_of_strangers(full, data, best)
        if method == "mea":
            return _most_accurate(machine, records, data, gap_factor)
        scores, alignments = best.tolist(), []
        paths = dp.best_paths(machine, data.coded)
        for index, (pair, path, score) in enumerate(zip(records, paths, scores, strict=True)):
            if path is None:
                raise _impossible(pair, index)
            columns = columns_of_states(path, machine.kinds)
            alignments.append(alignment_of_columns(pair, columns, score))
        return alignments

    def orient(self, pairs: Pairs | GroupedPairs) -> list[Pair] | GroupedPairs:
        """Turn y of a pair round where its reverse complement fits far better.

        Sequences that are no relatives on either strand are left as they are. Nothing needs to be
        fitted before.

        Parameters
        ----------
        pairs
            Tuples of two sequences: SeqRecord, Seq or str; or `GroupedPairs`. DNA or RNA.

        Returns
        -------
        list of (Bio.SeqRecord.SeqRecord, Bio.SeqRecord.SeqRecord), or GroupedPairs
            Where y was turned it is a new record, with ``_rc`` behind its id.

        Raises
        ------
        AlphabetError
            Proteins have one strand.

        Examples
        --------
        >>> x, y = "ACGGTTACCATTGCAGGACT", "ACGGTTACCTTGCAGGACT"
        >>> [(_, turned)] = PairHMM().orient([(x, Seq(y).reverse_complement())])
        >>> str(turned.seq)
        'ACGGTTACCTTGCAGGACT'
        """
        if isinstance(pairs, GroupedPairs):
            return GroupedPairs(self.orient(pairs.pairs), pairs.groups)
        alphabet, model = get_alphabet(self.alphabet), self.model
        records = as_pairs(pairs, alphabet)
        data = self._encoded(records)
        turned = data.turned()
        full = begin_of(model, model.start(data), data, self._tying_of_pairs(data))
        for index in relation.find(model, data, full).turned:
            x, y = records[index]
            letters = Seq(alphabet.decode(turned.y[index]))
            named = {"id": f"{y.id}_rc", "description": y.description} if has_id(y) else {}
            records[index] = x, SeqRecord(letters, **named)
        return records

    def assess(self, alignments: Iterable[Alignment]) -> list[Alignment]:
        """Say how far alignments can be trusted, whoever made them.

        The posterior probability of a column is the probability, over all alignments under this
        model, that its two letters are aligned, or that its letter stands against a gap
        (wherever the gap is).

        Parameters
        ----------
        alignments
            Global alignments of two sequences, x as the target.

        Returns
        -------
        list of Bio.Align.Alignment
            The same ones, with three more attributes: ``confidence``, the posterior probability
            of every column; ``expected_accuracy``, its mean over the letters of both sequences;
            and in ``column_annotations`` the line ``#=GC PP_cons`` of a Stockholm file, with
            HMMER's characters: ``0`` is less than 0.05, ``9`` from 0.85 to less than 0.95, ``*``
            0.95 or more.

        Raises
        ------
        ParameterError
            An alignment leaves letters out, or its pair cannot be made under these parameters.

        Examples
        --------
        >>> hmm = PairHMM().set_parameters(
        ...     {"open_x": 0.02, "open_y": 0.02, "extend_x": 0.3, "extend_y": 0.3, "end": 0.01,
        ...      "distance": 0.1, "kappa": 2.0})
        >>> [alignment] = hmm.assess(hmm.align([("ACGTTTTGACT", "ACGTTTGACT")]))
        >>> print(f"{alignment[0]} {alignment[1]}")
        ACGTTTTGACT ACG-TTTGACT
        >>> alignment.column_annotations["consensus posterior probability"]
        '***2357****'
        >>> round(alignment.expected_accuracy, 3)
        0.82
        """
        alignments = list(alignments)
        columns = [columns_of_alignment(each, index) for index, each in enumerate(alignments)]
        records = as_pairs(
            [tuple(alignment.sequences) for alignment in alignments], get_alphabet(self.alphabet)
        )
        same: dict[tuple[str, str], list[int]] = {}
        for index, (x, y) in enumerate(records):
            same.setdefault((str(x.seq), str(y.seq)), []).append(index)
        members = list(same.values())
        data = self._encoded(records[indices[0]] for indices in members)
        machine, _ = self.model.machine(self._of_all_pairs(), data)
        for pair, posterior in dp.match_posteriors(machine, data.coded):
            for index in members[pair]:
                if posterior is None:
                    raise _impossible(records[index], index)
                annotate(alignments[index], confidence(posterior, columns[index]))
        return alignments

    def gap_length_fit(self, pairs: Pairs, *, longest: int = 20) -> GapLengths:
        """Count gaps by their length in the data, beside what the fitted law says.

        Gaps are counted over all alignments by their posterior probability, so no alignment is
        chosen. It takes about as long as ``2 * longest`` sums over all alignments of the pairs.

        Parameters
        ----------
        pairs
            Tuples of two sequences: SeqRecord, Seq or str.
        longest : int
            Longer gaps are counted together.

        Returns
        -------
        GapLengths
            Numbers of gaps of 1, 2 ... letters in x and in y, posterior and fitted.

        Raises
        ------
        ParameterError
            `longest` is less than 1.

        Examples
        --------
        >>> hmm = PairHMM().set_parameters(
        ...     {"open_x": 0.02, "open_y": 0.02, "extend_x": 0.3, "extend_y": 0.3, "end": 0.01,
        ...      "distance": 0.1, "kappa": 2.0})
        >>> gaps = hmm.gap_length_fit([("ACGTTTTGACT", "ACGTTGACT")], longest=3)
        >>> gaps.lengths, gaps.posterior_x.round(2)
        (array([1, 2, 3]), array([0.1 , 0.95, 0.  ]))
        """
        if longest < 1:
            raise ParameterError(f"longest is {longest}; tell apart at least gaps of one letter")
        full = self._of_all_pairs()
        data = self._encoded(pairs)
        machine, _ = self.model.machine(full, data)
        return gap_lengths(machine, data, longest)

    def sample_alignments(
        self,
        x: SequenceLike,
        y: SequenceLike,
        n: int,
        *,
        seed: int | np.random.Generator | None = None,
    ) -> list[Alignment]:
        """Draw alignments of a pair from their posterior distribution (stochastic traceback).

        They show how far an alignment is uncertain: a statement that holds in 90 of 100 samples
        has a posterior probability of about 0.9, whatever the statement is about.

        Parameters
        ----------
        x, y
            The pair.
        n : int
            How many alignments; they are independent, so the same one may come again.
        seed : int, numpy.random.Generator or None
            The source of chance; the same seed draws the same alignments.

        Returns
        -------
        list of Bio.Align.Alignment
            As `align` gives them; ``score`` is the log-probability of the pair together with the
            path through the states that was drawn, in nats.

        Raises
        ------
        ParameterError
            The pair cannot be made under these parameters, or `n` is less than 1.

        References
        ----------
        Durbin, Eddy, Krogh & Mitchison (1998), section 4.3.
        """
        if n < 1:
            raise ParameterError(f"n is {n}; draw at least one alignment")
        full, generator = self._of_all_pairs(), as_generator(seed)
        records = as_pairs([(x, y)], get_alphabet(self.alphabet))
        data = self._encoded(records)
        machine, _ = self.model.machine(full, data)
        sampled = dp.sample_paths(machine, data.coded, n, generator)
        if sampled is None:
            raise _impossible(records[0], 0)
        scores = sampled[1] + self.model.log_likelihood(full, data)
        return [
            alignment_of_columns(records[0], columns_of_states(path, machine.kinds), score)
            for path, score in zip(sampled[0], scores.tolist(), strict=True)
        ]

    def posterior(self, x: SequenceLike, y: SequenceLike) -> Floats:
        """Probability that letter i of x is aligned with letter j of y, (len(x), len(y)).

        Raises
        ------
        ParameterError
            The pair cannot be made under these parameters.
        """
        records = as_pairs([(x, y)], get_alphabet(self.alphabet))
        data = self._encoded(records)
        machine, _ = self.model.machine(self._of_all_pairs(), data)
        posterior = dp.match_posterior(machine, data.coded)
        if posterior is None:
            raise _impossible(records[0], 0)
        return posterior

    def simulate(
        self,
        n_pairs: int,
        *,
        columns: int | Sequence[int] | None = None,
        seed: int | np.random.Generator | None = None,
    ) -> list[tuple[SeqRecord, SeqRecord]]:
        """Draw pairs of sequences from the model.

        Parameters
        ----------
        n_pairs : int
            How many.
        columns : int or sequence of int, optional
            Number of columns of every alignment, or of each, without overhangs; the pair is then
            drawn given that length. By default the parameter ``end`` decides.
        seed : int, numpy.random.Generator or None
            The source of chance; the same seed draws the same pairs.

        Returns
        -------
        list of (SeqRecord, SeqRecord)
            With the ids ``pair1/x``, ``pair1/y`` and so on. Pairs with an empty sequence are drawn
            again.

        Raises
        ------
        ParameterError
            A number is less than 1, or more is asked for than can be held.
        """
        if n_pairs < 1:
            raise ParameterError(f"n_pairs is {n_pairs}; draw at least one pair")
        lengths = None
        if columns is None:
            ends = [value for name, value in self.parameters_.items() if name.startswith("end")]
            _check_size(n_pairs, np.rint(1 / max(ends)) if any(ends) else np.inf)
        else:
            lengths = np.atleast_1d(np.asarray(columns))
            if len(lengths) not in (1, n_pairs):
                raise ParameterError(
                    f"there are {len(lengths)} numbers of columns for {n_pairs} pairs; give one, "
                    "or one for each pair"
                )
            if lengths.min() < 1:
                raise ParameterError(f"an alignment cannot have {lengths.min()} columns")
            _check_size(n_pairs, lengths.max())
            lengths = np.broadcast_to(lengths.astype(np.int64), (n_pairs,))
        alphabet = get_alphabet(self.alphabet)
        generator = as_generator(seed)
        data = self.model.draw(self._of_all_pairs(), alphabet, n_pairs, lengths, generator)
        return [
            (
                SeqRecord(Seq(alphabet.decode(x)), id=f"pair{number}/x", description=""),
                SeqRecord(Seq(alphabet.decode(y)), id=f"pair{number}/y", description=""),
            )
            for number, (x, y) in enumerate(zip(data.x, data.y, strict=True), start=1)
        ]

    @property
    def interval_method_(self) -> Literal["wald", "robust"]:
        """What `confidence_intervals` does by default.

        Robust with 20 independent pairs or more, which then tell themselves how much pairs differ;
        with fewer the curvature tells it better.
        """
        self._fitted()
        return "robust" if int(self._clusters().max()) + 1 >= FEWEST_CLUSTERS else "wald"

    def _clusters(self) -> NDArray[np.int64]:
        return clusters_of(self.fit_.model, self.data_, len(self.data_))

    def confidence_intervals(
        self,
        *,
        level: float = 0.95,
        method: Literal["wald", "robust", "profile"] | None = None,
        on_done: Callable[[int, int], object] | None = None,
    ) -> dict[str, tuple[float, float]]:
        """Intervals of the estimated parameters.

        Parameters
        ----------
        level : float
            Coverage, between 0 and 1.
        method : {"wald", "robust", "profile"}, optional
            ``"wald"``: symmetric on the scale of log odds (probabilities) or logarithms
            (distance, rates), from the curvature at the optimum; right if all pairs obey the same
            parameters. ``"robust"``: the same with errors from how much the pairs differ (the
            sandwich), pairs that share a sequence counting as one. ``"profile"``: where the
            likelihood, maximised over all other parameters, has dropped by the quantile of the
            chi-squared law; slower, better where the likelihood is not a parabola, and the one
            that limits an estimate of 0. By default what `interval_method_` says.
        on_done : callable, optional
            Called as ``on_done(n_done, n_parameters)`` before each profile interval; for progress
            bars.

        Returns
        -------
        dict of str to (float, float)
            By names of `parameters_`; those that were not estimated are left out, and with all
            but ``"profile"`` those at a boundary.
        """
        fitted = self._fitted()
        method = self.interval_method_ if method is None else method
        if method not in ("wald", "robust", "profile"):
            raise ParameterError(f"method is {method!r}; choose wald, robust or profile")
        spread = None if method == "profile" else covariance(fitted, self.data_)
        n_clusters = None
        if spread is not None and method == "robust":
            clusters = self._clusters()
            n_clusters = int(clusters.max()) + 1
            if n_clusters < 2:
                raise ParameterError(
                    "robust intervals need pairs that are independent of each other, and all "
                    "belong to one cluster; choose wald or profile"
                )
            spread = robust_covariance(fitted, self.data_, clusters, naive=spread)
        intervals, parameters = {}, self.parameters_
        for n_done, (name, value) in enumerate(parameters.items()):
            if on_done is not None and spread is None:
                on_done(n_done, len(parameters))
            if value == 0.0 and spread is not None:
                continue
            effect, back = self._on_scale(fitted.full, name)
            if not np.any(fitted.tying.pull_back(effect.gradient)):
                continue
            if spread is not None:
                ends = wald_interval(fitted, effect, spread, level=level, n_clusters=n_clusters)
            else:

                def function(full: Floats, name: str = name) -> Effect:
                    return self._on_scale(full, name)[0]

                ends = profile_interval(fitted, self.data_, function, level=level)
            intervals[name] = (back(ends[0]), back(ends[1]))
        return intervals

    def _on_scale(self, full: Floats, name: str) -> tuple[Effect, Callable[[float], float]]:
        """Put one of `parameters_` on an unbounded scale."""
        base, model = self.model, self._model(self.groups_)
        if isinstance(model, PairModel):
            return unconstrained(base.layout, base.substitution, full, name)
        parameter, group = split_name(name)
        place = self.groups_.index(group)
        own = model.of_group(full, place)
        effect, back = unconstrained(base.layout, base.substitution, own, parameter)
        return model.embedded(effect, place), back

    def _summary(self) -> tuple[str, Sequence[Table]]:
        return summed_up(self) if hasattr(self, "full_") else super()._summary()

    # -- keeping -----------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write settings and parameters to a JSON file, whole or not at all.

        The numbers are exact; data and the evidence of convergence are not kept.
        """
        content = {
            "format": _FORMAT,
            "settings": self._settings_to_save(),
            "coordinates": written_coordinates(self._full()),
            "parameters": self.parameters_,
        }
        if self.groups_:
            content["groups"] = list(self.groups_)
        write_model_text(path, content)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote; the model is ready for use, not fitted.

        Raises
        ------
        ModelFileError
            The file is damaged or something else, or a parameter in it is no finite number.
        """
        kind = "a saved pair HMM"
        file, content = read_model_text(path, kind)
        with model_file(file, kind, content=content), np.errstate(all="ignore"):
            saved_as = content["format"]
            hmm = cls._of_saved(content["settings"])
            full = read_coordinates(content["coordinates"])
            model_numbers(np.exp(full), "exponentials of the coordinates")
            groups = tuple(map(str, content.get("groups", ())))
            if saved_as in _FORMER_FORMATS:
                place = _FORMER_FORMATS[saved_as]
                names = TRANSITION_NAMES[place:]
                missing = np.array(
                    [0.0 if name.startswith("extend") else -np.inf for name in names]
                )
                by_group = full.reshape(max(len(groups), 1), -1)
                if place == 21:
                    missing = by_group[:, 17:21]
                full = np.insert(by_group, [place] * len(names), missing, axis=1).ravel()
            elif saved_as != _FORMAT:
                raise ModelFileError(
                    f"{file} says it is {saved_as!r}; this version reads {_FORMAT!r}"
                )
            size = hmm._model(groups).layout.size
            if len(full) != size:
                raise ModelFileError(f"{file} has {len(full)} coordinates and its model {size}")
            hmm.full_, hmm.groups_ = full, groups
            model_numbers(list(hmm.parameters_.values()), "parameters")
        return hmm


def _check_size(n_pairs: int, columns: float) -> None:
    """Refuse to draw more than memory holds, before hours are spent on it."""
    if n_pairs > _MOST_PAIRS or n_pairs * columns > _MOST_COLUMNS:
        about = f"{columns}".removesuffix(".0")
        raise ParameterError(
            f"{n_pairs} pairs with alignments of about {about} columns are more than can be held; "
            f"draw at most {_MOST_PAIRS} pairs and {_MOST_COLUMNS} columns in all at once, "
            "and more with another seed"
        )


def _most_accurate(
    machine: dp.Machine, records: list[Pair], data: PairData, gap_factor: float
) -> list[Alignment]:
    found: dict[int, Alignment] = {}
    for index, posterior in dp.match_posteriors(machine, data.coded):
        if posterior is None:
            raise _impossible(records[index], index)
        matches = most_accurate_matches(posterior, gap_factor)
        columns = path_of_matches(matches, data.lengths[index])
        trust = confidence(posterior, columns)
        right = trust.expected_accuracy * float(data.lengths[index].sum())
        found[index] = alignment_of_columns(records[index], columns, right)
        annotate(found[index], trust)
    return [found[index] for index in range(len(records))]


def _impossible(pair: Pair, index: int) -> ParameterError:
    x, y = pair
    return ParameterError(
        f"the pair at index {index} ({x.id}, {y.id}) has no alignment of probability above 0 under "
        "these parameters; fit them, or give gaps a chance"
    )
