"""How well risks order patients: Harrell's C, Uno's C and the time-dependent area under the ROC curve.

Every index pools pairs **within** strata: risks of different folds come from different models and are not compared.
NaN means that there is no comparable pair (or, for IPCW, that a weight is infinite).
"""

from __future__ import annotations

import numpy as np

from core.arrays import ArrayLike, BoolArray, FloatArray
from core.statistics.censoring import censoring_of
from core.statistics.pairs import concordance_sums, strata_of
from core.statistics.risk_sets import checked

TIED_TOLERANCE = 1e-8


def harrell_c(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    stratum: ArrayLike | None = None,
    tied_tol: float = TIED_TOLERANCE,
    weights: ArrayLike | None = None,
    entry: ArrayLike | None = None,
) -> float:
    """Harrell's concordance index over the comparable pairs within strata.

    Parameters
    ----------
    time, event : (n,) arrays
    risk : (n,) array
        Higher = earlier event.
    stratum : (n,) array, optional
        E.g. the fold; pairs across strata are not looked at.
    tied_tol : float
        Risks no further apart count one half.
    weights : (n,) int array, optional
        How often each patient is counted: the C of a bootstrap sample is that of its counts.
    entry : (n,) array, optional
        Late entry: a patient is compared only with events after it.

    Notes
    -----
    Equals ``sksurv.metrics.concordance_index_censored`` within one stratum. Harrell et al., JAMA 1982, 247:2543.
    """
    counts = None if weights is None else np.asarray(weights, dtype=np.float64)[None, :]
    return float(_harrell(time, event, risk, stratum, tied_tol, counts, entry)[0])


def harrell_c_repeats(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    weights: ArrayLike,
    stratum: ArrayLike | None = None,
    tied_tol: float = TIED_TOLERANCE,
) -> FloatArray:
    """(r,) Harrell's C for each row of ``weights`` (r, n): each pair is looked at once for all repeats."""
    return _harrell(time, event, risk, stratum, tied_tol, np.asarray(weights, dtype=np.float64), None)


def uno_c(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    tau: float,
    stratum: ArrayLike | None = None,
    censoring_time: ArrayLike | None = None,
    censoring_event: ArrayLike | None = None,
    tied_tol: float = TIED_TOLERANCE,
) -> float:
    """Uno's concordance index up to ``tau`` months: pairs weighted by 1/G(event time)².

    Parameters
    ----------
    time, event, risk, stratum : (n,) arrays
        As in :func:`harrell_c`.
    tau : float
        Events at or after it are not counted; state it with the number.
    censoring_time, censoring_event : (m,) arrays, optional
        Outcomes from which G is estimated (the training patients); default: the evaluated ones.

    Notes
    -----
    Equals ``sksurv.metrics.concordance_index_ipcw``. Uno et al., Stat Med 2011, 30:1105.
    """
    times, events, _ = checked(time, event)
    weight = censoring_of(times, events, censoring_time, censoring_event).weight(times) ** 2
    weight = np.where(events & (times < tau), weight, 0.0)
    if not np.isfinite(weight).all():
        return float("nan")
    risks = _risks(risk, times)
    strata = strata_of(stratum, len(times))
    return float(_ratio(*concordance_sums(times, events, risks, weight, strata, tied_tol))[0])


def auc_ipcw(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    month: float,
    stratum: ArrayLike | None = None,
    censoring_time: ArrayLike | None = None,
    censoring_event: ArrayLike | None = None,
    tied_tol: float = TIED_TOLERANCE,
) -> float:
    """Cumulative/dynamic AUC at ``month``: events by then, weighted by 1/G(event time), against those event-free after.

    Parameters as in :func:`uno_c`.

    Notes
    -----
    Equals ``sksurv.metrics.cumulative_dynamic_auc`` within one stratum. Uno et al., JASA 2007, 102:527.
    """
    times, events, _ = checked(time, event)
    weight = censoring_of(times, events, censoring_time, censoring_event).weight(times)
    return _auc(times, events, _risks(risk, times), month, weight, stratum, tied_tol)


def auc_naive(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    month: float,
    stratum: ArrayLike | None = None,
    tied_tol: float = TIED_TOLERANCE,
) -> float:
    """AUC at ``month`` that leaves out everybody censored before it: biased, given for comparison with papers."""
    times, events, _ = checked(time, event)
    return _auc(times, events, _risks(risk, times), month, np.ones(len(times)), stratum, tied_tol)


def follow_up_tau(time: ArrayLike, event: ArrayLike, quantile: float = 0.8) -> float:
    """The month up to which Uno's C is taken: this quantile of the observed times, whether event or censored.

    ``event`` must hold at least one event before it, or ValueError is raised: no pair could be counted.
    """
    times, events, _ = checked(time, event)
    tau = float(np.quantile(times, quantile))
    if not (times[events] < tau).any():
        raise ValueError(f"no event lies before the {quantile:g} quantile of follow-up, {tau:g} months")
    return tau


def _harrell(
    time: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    stratum: ArrayLike | None,
    tied_tol: float,
    counts: FloatArray | None,
    entry: ArrayLike | None,
) -> FloatArray:
    times, events, entries = checked(time, event, entry)
    strata = strata_of(stratum, len(times))
    return _ratio(
        *concordance_sums(times, events, _risks(risk, times), np.ones(len(times)), strata, tied_tol, entries, counts)
    )


def _risks(risk: ArrayLike, times: FloatArray) -> FloatArray:
    risks = np.asarray(risk, dtype=np.float64)
    if risks.shape != times.shape or not np.isfinite(risks).all():
        raise ValueError(f"risk must be finite and have {len(times)} rows, got {risks.shape}")
    return risks


def _ratio(concordant: FloatArray, comparable: FloatArray) -> FloatArray:
    return np.where(comparable > 0, concordant / np.where(comparable > 0, comparable, 1.0), np.nan)


def _auc(
    times: FloatArray,
    events: BoolArray,
    risks: FloatArray,
    month: float,
    weight: FloatArray,
    stratum: ArrayLike | None,
    tied_tol: float,
) -> float:
    won = total = 0.0
    for rows in strata_of(stratum, len(times)):
        case = rows[events[rows] & (times[rows] <= month)]
        control = np.sort(risks[rows[times[rows] > month]])
        if not np.isfinite(weight[case]).all():
            return float("nan")
        below = np.searchsorted(control, risks[case] - tied_tol, side="left")
        upto = np.searchsorted(control, risks[case] + tied_tol, side="right")
        won += float(weight[case] @ (below + 0.5 * (upto - below)))
        total += float(weight[case].sum() * len(control))
    return won / total if total > 0 else float("nan")
