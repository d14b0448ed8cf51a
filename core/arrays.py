"""Names for the array types used everywhere in core."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
StrArray = NDArray[Any]

__all__ = ["ArrayLike", "BoolArray", "Float32Array", "FloatArray", "IntArray", "StrArray"]
