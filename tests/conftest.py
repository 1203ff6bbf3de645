"""What all tests share: reproducible properties, real data, and a guard on the random state."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest

# The same examples in every run, so that a failure is a failure for everybody; for new examples:
# pytest --hypothesis-profile=explore
_shared = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("same", derandomize=True, max_examples=50, **_shared)
hypothesis.settings.register_profile("explore", max_examples=500, **_shared)
hypothesis.settings.load_profile("same")


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Return a function from a path under $SEQBIO_DATA to the file; skips without the variable."""

    def find(relative: str) -> Path:
        folder = os.environ.get("SEQBIO_DATA")
        if not folder:
            pytest.skip(f"needs {relative}: set SEQBIO_DATA to the folder of real data")
        file = Path(folder) / relative
        if not file.is_file():
            pytest.fail(f"SEQBIO_DATA is {folder}, which has no {relative}")
        return file

    return find


def _global_random_state() -> tuple[object, ...]:
    _, keys, *rest = np.random.get_state()  # noqa: NPY002
    return random.getstate(), keys.tobytes(), *rest


@pytest.fixture(autouse=True)
def global_random_state_untouched() -> Iterator[None]:
    """Fail a test in which anything has drawn from a global random generator."""
    before = _global_random_state()
    yield
    untouched = _global_random_state() == before
    assert untouched, "a global random generator was used; pass a seed or a Generator"
