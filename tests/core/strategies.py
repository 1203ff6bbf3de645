"""Random tyings, and random pairs of them that are often, but not always, nested.

All draws go through a `random.Random`: a plain one with a seed is fast enough for thousands of
pairs, and that of hypothesis finds small counterexamples.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from seqbio.core import Tying

GROUP_NUMBERS = [-1, 0, 2, 3, 7]  # with gaps: 1, 4, 5 and 6 are used by no entry
OFFSETS = [0.0, 0.0, 0.0, 0.5, -1.0, 0.1]


def tyings(n_full=None, **options):
    """Strategy of `random_tying`."""
    return st.randoms(use_true_random=False).map(
        lambda generator: random_tying(generator, n_full, **options)
    )


def random_tying(generator, n_full=None, offsets=OFFSETS, fixed_offsets=None):
    n = generator.randint(0, 7) if n_full is None else n_full
    group = np.array(generator.choices(GROUP_NUMBERS, k=n), dtype=int)
    offset = np.array(generator.choices(offsets, k=n), dtype=float)
    if fixed_offsets:
        offset = np.where(group == -1, generator.choices(fixed_offsets, k=n), offset)
    return Tying(group, generator.choices([1, 1, -1], k=n), offset)


def composed(outer, inner):
    """Expand by `inner` and then by `outer`: everything this produces, `outer` produces."""
    free = outer.group >= 0
    at = outer.group[free]
    group = np.full(outer.n_full, -1)
    sign = np.zeros(outer.n_full)
    offset = outer.offset.copy()
    group[free] = inner.group[at]
    sign[free] = outer.sign[free] * inner.sign[at]
    offset[free] += outer.sign[free] * inner.offset[at]
    return Tying(group, sign, offset)


def rewritten(generator, tying):
    """Return the same set of vectors with other free parameters, ``flip * new + shift``."""
    n = tying.n_free
    other = np.arange(n), generator.choices([1, -1], k=n), generator.choices(OFFSETS, k=n)
    return composed(tying, Tying(*other))


def random_pair(generator):
    """Draw two tyings: the first one independent, or nested in the other, or nearly so."""
    n = generator.randint(1, 6)
    second = random_tying(generator, n)
    kind = generator.choice(["independent", "nested", "nearly nested"])
    if kind == "independent":
        return random_tying(generator, n), second
    first = composed(second, random_tying(generator, second.n_free))
    if kind == "nearly nested":
        first = _altered(generator, first)
    return rewritten(generator, first), second


def _altered(generator, tying):
    """Change one entry, or what it is tied to, or nothing."""
    i = generator.randrange(tying.n_full)
    group, sign, offset = tying.group.copy(), tying.sign.copy(), tying.offset.copy()
    group[i] = generator.choice([-1, tying.n_free, *tying.group])
    sign[i] = generator.choice([1, -1])
    offset[i] += generator.choice([0.0, 1.0])
    return Tying(group, sign, offset)
