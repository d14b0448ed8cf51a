"""How far the follow-up of a set of patients reaches."""

from __future__ import annotations

import numpy as np

from core.errors import PrognoscopeError
from core.features.inputs import Outcome

MINIMUM_AT_RISK = 20


def last_estimable(outcome: Outcome, minimum: int = MINIMUM_AT_RISK) -> float:
    """The last observed month at which at least ``minimum`` patients are under observation."""
    months = np.unique(outcome.time)
    started = np.searchsorted(np.sort(outcome.entry), months, side="left")
    started[months == 0] = int((outcome.entry <= 0).sum())
    gone = np.searchsorted(np.sort(outcome.time), months, side="left")
    enough = months[(started - gone >= minimum) & (months > 0)]
    if not len(enough):
        raise PrognoscopeError(
            f"never {minimum} patients under observation at once",
            "the training patients",
            "use more patients or fewer folds",
        )
    return float(enough[-1])
