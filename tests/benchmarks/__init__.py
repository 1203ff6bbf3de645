"""How fast the package is beside its peers, and how much memory it needs.

Each module is one family and is run by hand, from the top folder of the source tree:

    python -m tests.benchmarks.pairhmm

pytest runs none of this, and nothing here fails for being slow: the numbers depend on the machine
and on what else it does. They are made to be comparable all the same. All runs have one thread.
Ours and a peer's take turns in one process, so that both meet the same disturbances, and the
ratio shown is the median over the turns, with its quartiles. Peers get their input prepared, as
we do; what preparing ours costs is a row of its own.

The peers come with ``pip install seqbio[bench]``; the larger real data are found through
``SEQBIO_DATA``. A row whose peer or data is missing says so.
"""

import os
import sys

# The numerical libraries look at these when they are loaded, and never again.
if "numpy" not in sys.modules:
    for _name in ("OPENBLAS", "OMP", "MKL", "NUMBA"):
        os.environ[f"{_name}_NUM_THREADS"] = "1"
