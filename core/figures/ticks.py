"""Ticks of shares, written as everywhere else: ``80 %``."""

from __future__ import annotations

import math
from typing import Any

STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
MOST = 6


def percent_ticks(axis: dict[str, Any]) -> None:
    """Give an axis whose ``tickformat`` is whole percent and whose range is known its ticks with their words."""
    if axis.get("tickformat") != ".0%" or "range" not in axis or "tickvals" in axis:
        return
    low, high = sorted(float(v) for v in axis["range"])
    most = int(axis.get("nticks", MOST))
    step = axis.get("dtick") or next((s for s in STEPS if (high - low) / s <= most), STEPS[-1])
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    axis["tickvals"] = [round(step * i, 6) for i in range(first, last + 1)]
    axis["ticktext"] = [f"{100 * v:.0f} %" for v in axis["tickvals"]]
    for name in ("dtick", "nticks"):
        axis.pop(name, None)
