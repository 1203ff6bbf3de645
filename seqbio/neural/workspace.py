"""Memory that is used again and again, since asking for it costs as much as filling it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""Of float32 or float64."""


@dataclass
class Workspace:
    """Arrays by name. One workspace serves one call after another, never two at a time.

    Examples
    --------
    >>> workspace = Workspace()
    >>> workspace.array("gates", (2, 3), np.float64).shape
    (2, 3)
    """

    _buffers: dict[str, Array] = field(default_factory=dict)

    def array(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """Get an array, with anything in it; the last one of that name is no longer valid."""
        size = int(np.prod(shape))
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size or buffer.dtype != dtype:
            buffer = self._buffers[name] = np.empty(size, dtype)
        return buffer[:size].reshape(shape)
