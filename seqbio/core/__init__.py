"""Arrays in, arrays out: parameters, ties and fits, without any biology.

A `Layout` names the parts of one flat parameter vector, a `Tying` says which of its entries are
the same number, and a `Constraint` turns free coordinates into positive numbers or probabilities.
"""

from seqbio.core.constraints import Constraint, Positive, Probability, Simplex
from seqbio.core.estimator import Estimator
from seqbio.core.fingerprint import fingerprint
from seqbio.core.fit import (
    Fit,
    covariance,
    fit,
    fit_at,
    information,
    learn,
    maximise,
    wald_interval,
)
from seqbio.core.gradient_check import GradientCheck, check_gradient
from seqbio.core.grouped import GroupedData, GroupedModel
from seqbio.core.items import (
    as_labels,
    can_subset,
    clusters_of,
    copies_of,
    declares_clusters,
    joined_of,
    near_copies_of,
    sample_size_of,
    scores_of,
    subset_of,
)
from seqbio.core.layout import Layout
from seqbio.core.model import (
    Check,
    Effect,
    Hypothesis,
    Model,
    SupportsHypothesis,
    apart_of,
    as_hypothesis,
    boundary_of,
    can_simulate,
    checks_of,
    curvature_of,
    dependence_of,
    effects_of,
    estimates_of,
    event_totals_of,
    few_events,
    identifiable_rank,
    identified_of,
    irregular_reason,
    is_regular,
    simulate_from,
)
from seqbio.core.parallel import as_generator, map_pieces, spawn_generators
from seqbio.core.profile import profile_interval, profile_likelihood
from seqbio.core.sandwich import robust_covariance, variance_of_sum
from seqbio.core.symmetry import (
    LearnedSymmetry,
    Reading,
    Symmetry,
    learned_symmetry,
    symmetries_of,
)
from seqbio.core.tie_patterns import (
    equal,
    fixed,
    hashed,
    joined,
    permuted,
    repeated,
    toeplitz,
    transposed,
    untied,
)
from seqbio.core.training import Training, TrainingSettings
from seqbio.core.training_state import TrainingState
from seqbio.core.tying import Tying

__all__ = [
    "Check",
    "Constraint",
    "Effect",
    "Estimator",
    "Fit",
    "GradientCheck",
    "GroupedData",
    "GroupedModel",
    "Hypothesis",
    "Layout",
    "LearnedSymmetry",
    "Model",
    "Positive",
    "Probability",
    "Reading",
    "Simplex",
    "SupportsHypothesis",
    "Symmetry",
    "Training",
    "TrainingSettings",
    "TrainingState",
    "Tying",
    "apart_of",
    "as_generator",
    "as_hypothesis",
    "as_labels",
    "boundary_of",
    "can_simulate",
    "can_subset",
    "check_gradient",
    "checks_of",
    "clusters_of",
    "copies_of",
    "covariance",
    "curvature_of",
    "declares_clusters",
    "dependence_of",
    "effects_of",
    "equal",
    "estimates_of",
    "event_totals_of",
    "few_events",
    "fingerprint",
    "fit",
    "fit_at",
    "fixed",
    "hashed",
    "identifiable_rank",
    "identified_of",
    "information",
    "irregular_reason",
    "is_regular",
    "joined",
    "joined_of",
    "learn",
    "learned_symmetry",
    "map_pieces",
    "maximise",
    "near_copies_of",
    "permuted",
    "profile_interval",
    "profile_likelihood",
    "repeated",
    "robust_covariance",
    "sample_size_of",
    "scores_of",
    "simulate_from",
    "spawn_generators",
    "subset_of",
    "symmetries_of",
    "toeplitz",
    "transposed",
    "untied",
    "variance_of_sum",
    "wald_interval",
]
