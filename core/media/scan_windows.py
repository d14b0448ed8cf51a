"""Which grey values are shown black and white: presets of a scan, in the units of its scanner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.media.volumes import Volume

_CT_WINDOWS = (("Liver", 30.0, 150.0), ("Soft tissue", 40.0, 400.0), ("Lung", -600.0, 1500.0), ("Bone", 400.0, 1800.0))
"""Name, level and width in Hounsfield units as radiology departments set them."""

_PERCENTILES = (("1–99 %", 1.0, 99.0), ("5–95 %", 5.0, 95.0), ("Full range", 0.0, 100.0))
_AIR = (-1100.0, -850.0)
_SAMPLE = 200_000


@dataclass(frozen=True)
class Window:
    """Grey values from ``low`` (black) to ``high`` (white), in the units of the scan."""

    name: str
    low: float
    high: float


def in_hounsfield(volume: Volume) -> bool:
    """Whether the values are Hounsfield units: the file says CT, or the lowest values are those of air.

    A NIfTI file does not name its scanner. Magnetic resonance has no large body of voxels near −1000 beside others
    above 0; a CT that was shifted so that air is 0 is not recognised and gets percentiles.
    """
    if volume.scanner:
        return volume.scanner.upper() == "CT"
    low, middle, high = np.percentile(_some(volume), [2, 50, 99])
    return bool(_AIR[0] * 3 <= low <= _AIR[1] and high > 0 and middle < high)


def windows_of(volume: Volume) -> tuple[Window, ...]:
    """Presets, the first is the one to begin with: "Auto", then those of CT or percentiles of the scan's own values."""
    values = _some(volume)
    shares = tuple(Window(name, *_apart(values, low, high)) for name, low, high in _PERCENTILES)
    if in_hounsfield(volume):
        named = tuple(Window(name, level - width / 2, level + width / 2) for name, level, width in _CT_WINDOWS)
        return (Window("Auto", named[1].low, named[1].high), *named, shares[-1])
    # air is most of a scan of the body: percentiles of what is brighter than the darkest values
    body = values[values > np.percentile(values, 20)]
    return (Window("Auto", *_apart(body if len(body) else values, 1, 99.5)), *shares)


def _some(volume: Volume) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """At most 200 000 voxels, evenly spread: percentiles need no more."""
    flat = volume.array.reshape(-1)
    return flat[:: max(1, len(flat) // _SAMPLE)]


def _apart(values: np.ndarray[tuple[int], np.dtype[np.float32]], low: float, high: float) -> tuple[float, float]:
    bottom, top = (float(v) for v in np.percentile(values, [low, high]))
    return bottom, top if top > bottom else bottom + 1.0
