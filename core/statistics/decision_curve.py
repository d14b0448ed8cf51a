"""Decision curves: the net benefit of acting on a predicted probability, with the event seen through censoring.

Net benefit at threshold p of the patients whose predicted probability of the event by ``month`` is at least p:
NB(p) = TP − FP · p / (1 − p), both as shares of all patients (Vickers and Elkin, Med Decis Making 2006, 26:565). Under
censoring TP = F · x and FP = (1 − F) · x with x the share flagged and F the Kaplan-Meier probability of the event by
``month`` among them (Vickers et al., BMC Med Inform Decis Mak 2008, 8:53).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.arrays import ArrayLike, BoolArray, FloatArray, IntArray
from core.errors import PrognoscopeError
from core.statistics.comparison import bootstrap_weights
from core.statistics.kaplan_meier import at_risk_at, kaplan_meier
from core.statistics.risk_sets import checked

FEWEST_EVENTS, FEWEST_AT_RISK = 5, 20
_BLOCK = 4_000_000
"""Numbers held at once while patients are re-weighted."""


_Sampled = tuple[FloatArray, FloatArray, FloatArray]


@dataclass(frozen=True, eq=False)
class NetBenefit:
    """One rule's (t,) net benefit at each threshold with its percentile bootstrap interval.

    NaN where nothing can be said: those flagged were not followed to the month. ``flagged`` (t,) share of patients.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    flagged: FloatArray


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit of several rules at one month.

    Parameters
    ----------
    month : float
    thresholds : (t,) float array
        Probabilities of the event by ``month`` at which one would act.
    rules : dict of name to NetBenefit
        As given to :func:`decision_curve`.
    everybody : NetBenefit
        Acting on all; acting on nobody has net benefit 0.
    lead : NetBenefit
        The first rule minus the best of the others (at each threshold: another rule, all, nobody), paired.
    n, events : int
        Patients, and events by ``month``.
    """

    month: float
    thresholds: FloatArray
    rules: dict[str, NetBenefit]
    everybody: NetBenefit
    lead: NetBenefit
    n: int
    events: int


def net_benefit(
    time: ArrayLike, event: ArrayLike, probability: ArrayLike, month: float, thresholds: ArrayLike
) -> FloatArray:
    """(t,) net benefit of acting where the predicted probability of the event by ``month`` reaches each threshold.

    Parameters
    ----------
    time, event : (n,) arrays
        Exit in months and whether it was the event.
    probability : (n,) array
        Predicted 1 − S(month), 0..1.
    thresholds : (t,) array in [0, 1)

    Notes
    -----
    Equals dcurves 1.1.7 (and R's) with ``time`` given. NaN where the last of those flagged leaves before ``month``
    without the event, and 0 where nobody is flagged.
    """
    times, events, _ = checked(time, event)
    order, flags, levels = _flags(times, np.asarray(probability, dtype=np.float64), np.asarray(thresholds, dtype=float))
    weight = np.ones((1, len(times)))
    value: FloatArray = _benefit(times[order], events[order], flags[:, order], month, levels, weight)[0][0]
    return value


def decision_curve(
    time: ArrayLike,
    event: ArrayLike,
    rules: dict[str, ArrayLike],
    month: float,
    thresholds: ArrayLike,
    repeats: int = 200,
    seed: int = 0,
) -> DecisionCurve:
    """Net benefit of several rules, of acting on all, each with an interval from the same bootstrap samples.

    Parameters
    ----------
    rules : dict of name to (n,) array
        Predicted probability of the event by ``month``.

    Raises
    ------
    PrognoscopeError
        With fewer than 5 events by ``month`` or fewer than 20 patients followed to it.
    """
    times, events, _ = checked(time, event)
    happened, left = int((events & (times <= month)).sum()), at_risk_at(kaplan_meier(times, events), month)
    if happened < FEWEST_EVENTS or left < FEWEST_AT_RISK:
        raise PrognoscopeError(
            f"{happened} events by month {month:g} and {left} patients followed to it",
            "the decision curve",
            f"choose a month with at least {FEWEST_EVENTS} events and {FEWEST_AT_RISK} patients",
        )
    levels = np.asarray(thresholds, dtype=np.float64)
    weights = bootstrap_weights(len(times), repeats, seed)
    drawn = {name: _sampled(times, events, p, month, levels, weights) for name, p in rules.items()}
    everybody = _sampled(times, events, np.ones(len(times)), month, levels, weights)
    first, *others = drawn.values()
    return DecisionCurve(
        month, levels, {name: _interval(*d) for name, d in drawn.items()}, _interval(*everybody),
        _lead(first, [*others, everybody]), len(times), happened,
    )  # fmt: skip


def _lead(first: _Sampled, others: list[_Sampled]) -> NetBenefit:
    """The first rule minus whichever other one is the best at the threshold; nobody, with 0, is one of them."""
    nothing = np.zeros_like(first[0])
    values = np.stack([nothing, *(o[0] for o in others)])
    best = np.argmax(np.where(np.isnan(values), -np.inf, values), axis=0)
    samples = np.stack([np.zeros_like(first[1]), *(o[1] for o in others)])
    place = np.arange(len(best))
    return _interval(first[0] - values[best, place], first[1] - samples[best, :, place].T, first[2])


def _sampled(
    times: FloatArray, events: BoolArray, probability: ArrayLike, month: float, levels: FloatArray, weights: IntArray
) -> _Sampled:
    """(t,) value, (r, t) bootstrap samples, (t,) share flagged."""
    order, flags, _ = _flags(times, np.asarray(probability, dtype=np.float64), levels)
    ordered = times[order], events[order], flags[:, order]
    value, flagged = _benefit(*ordered, month, levels, np.ones((1, len(times))))
    parts, step = [], max(1, _BLOCK // max(1, flags.size))
    for begin in range(0, len(weights), step):
        parts.append(_benefit(*ordered, month, levels, weights[begin : begin + step, order].astype(float))[0])
    return value[0], np.concatenate(parts), flagged[0]


def _interval(value: FloatArray, samples: FloatArray, flagged: FloatArray) -> NetBenefit:
    """Percentile interval where at least nine of ten samples gave a number."""
    known = np.isfinite(samples).mean(axis=0) >= 0.9
    low, high = np.full(len(value), np.nan), np.full(len(value), np.nan)
    if known.any():
        low[known], high[known] = np.nanquantile(samples[:, known], [0.025, 0.975], axis=0)
    low, high = (np.where(np.isnan(value), np.nan, limit) for limit in (low, high))
    return NetBenefit(value, low, high, flagged)


def _flags(times: FloatArray, probability: FloatArray, levels: FloatArray) -> tuple[IntArray, BoolArray, FloatArray]:
    """Order by time, (t, n) who is flagged, the thresholds."""
    if len(probability) != len(times):
        raise ValueError(f"{len(probability)} probabilities for {len(times)} times")
    if not np.isfinite(probability).all() or ((levels < 0) | (levels >= 1)).any():
        raise ValueError("probabilities must be finite and thresholds lie in [0, 1)")
    return np.argsort(times, kind="stable"), probability[None, :] >= levels[:, None], levels


def _benefit(
    times: FloatArray, events: BoolArray, flags: BoolArray, month: float, levels: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(r, t) net benefit and share flagged; ``times`` ascending, (t, n) ``flags``, (r, n) ``weights``.

    Ties of time are one factor of the product: its events and those at risk are taken over the whole tie.
    """
    first = np.searchsorted(times, times, side="left")
    starts = np.unique(first)
    weighed = weights[:, None, :] * flags[None, :, :]
    at_risk = np.flip(np.cumsum(np.flip(weighed, axis=2), axis=2), axis=2)[:, :, starts]
    deaths = np.add.reduceat(weighed * events, starts, axis=2)
    inside = times[starts] <= month
    with np.errstate(invalid="ignore", divide="ignore"):
        factors = np.where((at_risk > 0) & inside, 1 - deaths / at_risk, 1.0)
    survival = np.prod(factors, axis=2)
    flagged = weighed.sum(axis=2)
    later = (weighed * (times >= month)).sum(axis=2)
    survival = np.where((later > 0) | (survival <= 0) | (flagged == 0), survival, np.nan)
    share = flagged / weights.sum(axis=1)[:, None]
    benefit = (1 - survival) * share - survival * share * (levels / (1 - levels))[None, :]
    return np.where(flagged == 0, 0.0, benefit), share
