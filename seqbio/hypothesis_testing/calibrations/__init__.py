"""The ways from a likelihood ratio to a p-value, a file each.

Each file declares a `Calibration`: what it needs, which findings against the chi-squared law it
makes up for, how it is gone, and what its p-value takes for granted, on a page at its head. To add
one, write a file and name it here.
"""

from seqbio.hypothesis_testing.calibrations.bootstrap import BARTLETT, BOOTSTRAP
from seqbio.hypothesis_testing.calibrations.boundary import BOUNDARY
from seqbio.hypothesis_testing.calibrations.chi_squared import CHI_SQUARED
from seqbio.hypothesis_testing.calibrations.cluster_bootstrap import CLUSTER_BOOTSTRAP
from seqbio.hypothesis_testing.calibrations.declaration import Calibration
from seqbio.hypothesis_testing.calibrations.exchange import EXCHANGE
from seqbio.hypothesis_testing.calibrations.flip import FLIP
from seqbio.hypothesis_testing.calibrations.held_out import HELD_OUT
from seqbio.hypothesis_testing.calibrations.relabel import RELABEL
from seqbio.hypothesis_testing.calibrations.robust import ROBUST
from seqbio.hypothesis_testing.calibrations.rotate import ROTATE
from seqbio.hypothesis_testing.calibrations.split import SPLIT
from seqbio.hypothesis_testing.calibrations.turn import TURN

AUTOMATIC = (
    TURN,
    ROTATE,
    RELABEL,
    FLIP,
    ROBUST,
    CHI_SQUARED,
    BOUNDARY,
    CLUSTER_BOOTSTRAP,
    BOOTSTRAP,
    SPLIT,
    HELD_OUT,
)
"""The ways in the order in which "auto" tries them."""

CALIBRATIONS = {
    each.name: each
    for each in (
        FLIP,
        EXCHANGE,
        RELABEL,
        TURN,
        ROTATE,
        CHI_SQUARED,
        BOUNDARY,
        BOOTSTRAP,
        BARTLETT,
        SPLIT,
        HELD_OUT,
        ROBUST,
        CLUSTER_BOOTSTRAP,
    )
}
"""All ways by name."""

__all__ = ["AUTOMATIC", "CALIBRATIONS", "Calibration"]
