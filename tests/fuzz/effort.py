"""How many inputs are tried, and how many were: counted where they are tried, never assumed.

A few hundred by default, the same ones each time. ``PROGNOSCOPE_FUZZ=20000`` spreads so many over the areas, drawn
anew::

    PROGNOSCOPE_FUZZ=20000 .venv/bin/python -m pytest tests/fuzz -q -p no:cacheprovider

The last lines say how many inputs each area was really given.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings

VARIABLE = "PROGNOSCOPE_FUZZ"
ASKED = int(os.environ.get(VARIABLE, "0"))
TRIED: Counter[str] = Counter()
"""Area → inputs that were given to the program in this process."""


def tries(share: float, default: int) -> Callable[[Any], Any]:
    """Settings of a test that has ``share`` of all inputs, or ``default`` of them where no number was asked for."""
    examples = max(1, round(1.02 * share * ASKED)) if ASKED else default
    return settings(
        max_examples=examples, deadline=None, database=None, derandomize=not ASKED, print_blob=False,
        suppress_health_check=list(HealthCheck),
        # without a number asked for a failing input is only shown, not made small: that takes minutes
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if ASKED else [])],
    )  # fmt: skip


def tried(area: str) -> None:
    """One more input."""
    TRIED[area] += 1
