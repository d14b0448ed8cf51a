"""Does a covariate's effect change over time? The score test on Schoenfeld residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from core.arrays import BoolArray, FloatArray
from core.statistics.kaplan_meier import kaplan_meier
from core.statistics.partial_likelihood import RiskSetMoments


@dataclass(frozen=True, eq=False)
class ProportionalHazardsTest:
    """Test of ``p`` covariates one by one and of all together.

    Parameters
    ----------
    statistic, p : (p,) float arrays
        Chi-squared with one degree of freedom and its p-value; NaN where it cannot be computed.
    global_statistic, global_p : float
        The same for all covariates, p degrees of freedom.
    """

    statistic: FloatArray
    p: FloatArray
    global_statistic: float
    global_p: float


def proportional_hazards_test(
    moments: RiskSetMoments, time: FloatArray, event: BoolArray, entry: FloatArray | None
) -> ProportionalHazardsTest:
    """Score test for adding g(t)·x to the model, g being one minus the Kaplan-Meier curve just before t.

    Parameters
    ----------
    moments : RiskSetMoments
        At the fitted coefficients.
    time, event, entry : (n,) arrays
        The patients the model was fitted on.

    Notes
    -----
    The test of R ``cox.zph`` since survival 3.0 (``transform = "km"``); lifelines' ``proportional_hazard_test`` is the
    older approximation of Grambsch and Therneau (Biometrika 1994, 81:515), which takes one average variance.
    """
    curve = kaplan_meier(time, event, entry)
    before = np.searchsorted(curve.time, moments.time, side="left")
    g = 1 - np.concatenate([[1.0], curve.survival])[before]
    g = g - g.mean()
    score = (g[:, None] * (moments.observed - moments.mean)).sum(axis=0)
    plain = moments.information
    mixed, squared = (np.tensordot(w, moments.covariance, axes=1) for w in (g, g * g))
    try:
        rest = squared - mixed @ np.linalg.solve(plain, mixed)
        total = float(score @ np.linalg.solve(rest, score))
    except np.linalg.LinAlgError:
        nothing = np.full(len(score), np.nan)
        return ProportionalHazardsTest(nothing, nothing, np.nan, np.nan)
    variance = np.diag(rest)
    single = np.where(variance > 0, score**2 / np.where(variance > 0, variance, 1.0), np.nan)
    return ProportionalHazardsTest(
        single, np.asarray(chdtrc(1, single)), total, float(chdtrc(len(score), max(total, 0.0)))
    )
