"""A slide as levels that are read when they are looked at, in the browser's colours and on its pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.media.deep_zoom import DeepZoom

CHUNK = 512
SMALLEST = 1024
"""The last level is at most so long: it is held on the screen's first look."""


def lazy_levels(pyramid: DeepZoom) -> list[Any]:
    """Dask arrays (rows, columns, 3) uint8, level ``k`` the slide at exactly 2^-k.

    All levels end where the last one does, up to a pixel of the last one beyond the slide (white): their sizes are
    then whole multiples of each other, and what a viewer makes of their ratio is exact.
    """
    width, height = pyramid.slide.dimensions
    count = max(0, int(np.ceil(np.log2(max(width, height) / SMALLEST))))
    step = 1 << count
    columns, rows = (-(-n // step) * step for n in (width, height))
    return [_level(pyramid, rows >> k, columns >> k, 1 << k) for k in range(count + 1)]


def _level(pyramid: DeepZoom, rows: int, columns: int, step: int) -> Any:
    import dask.array

    def block(block_info: Any = None) -> NDArray[np.uint8]:
        (top, bottom), (left, right), _ = block_info[None]["array-location"]
        square = pyramid.patch(left * step, top * step, CHUNK * step, CHUNK)
        return np.asarray(square)[: bottom - top, : right - left]

    chunks = (*(tuple(min(CHUNK, n - at) for at in range(0, n, CHUNK)) for n in (rows, columns)), (3,))
    whole: Any = dask.array.map_blocks  # it has no types
    return whole(block, chunks=chunks, dtype=np.uint8, meta=np.empty((0, 0, 0), dtype=np.uint8))
