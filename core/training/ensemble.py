"""All folds and seeds of a run as one model for patients none of them, or only some of them, has seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.arrays import BoolArray, FloatArray, IntArray
from core.cohort.modality import Modality
from core.features.inputs import Inputs
from core.models.estimator import Estimator
from core.training.scoring_files import read_support
from core.training.state_files import read_state

LOW, HIGH = 0.1, 0.9
"""Quantiles over the members that are given as the model's spread. They are no confidence interval."""
NEVER_SEEN = -1

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Member:
    """One trained model of a run: its fold, its seed, its file."""

    fold: int
    seed: int
    path: Path


@dataclass(frozen=True, eq=False)
class EnsembleEstimates:
    """Estimates of n patients, NaN for a patient no member may judge.

    ``risk`` (n,) see :func:`lost_share` · ``survival``, ``low``, ``high`` (n, t) mean and spread over members ·
    ``members`` (n,) how many judged the patient · ``tau`` the month up to which risk is taken.
    """

    risk: FloatArray
    survival: FloatArray
    low: FloatArray
    high: FloatArray
    members: IntArray
    tau: float


@dataclass(frozen=True, eq=False)
class EnsembleSupport:
    """What the folds together say of n patients.

    ``supported`` (n,) · ``ratio`` modality → (n,) median over folds of the distance as a multiple of the threshold ·
    ``folds_outside`` modality → (n,) folds for which it is beyond · ``untrained`` modality → (n,) · ``folds`` (n,)
    folds that were asked.
    """

    supported: BoolArray
    ratio: Mapping[Modality, FloatArray]
    folds_outside: Mapping[Modality, IntArray]
    untrained: Mapping[Modality, BoolArray]
    folds: IntArray


def members_in(folder: Path, folds: int, seeds: tuple[int, ...]) -> tuple[Member, ...]:
    """The members of a run by fold and seed."""
    return tuple(Member(f, s, folder / f"fold{f}-seed{s}.safetensors") for f in range(folds) for s in seeds)


def eligible(seen: IntArray, fold: int) -> BoolArray:
    """(n,) patients that the members of ``fold`` may judge.

    ``seen`` (n,) holds for a patient that the run was trained on the one fold that tested it, whose members never saw
    it, and :data:`NEVER_SEEN` for everybody else.
    """
    return np.asarray((seen == NEVER_SEEN) | (seen == fold), dtype=bool)


def predict_ensemble(
    members: tuple[Member, ...],
    estimator: Estimator,
    inputs: Inputs,
    seen: IntArray,
    times: FloatArray,
    progress: Progress,
) -> EnsembleEstimates:
    """Mean and spread of S(t) over the members that may judge each patient.

    A month that one of them cannot estimate is not estimable, as in the run's own predictions.
    """
    n = len(inputs)
    curves = np.full((len(members), n, len(times)), np.nan)
    judged = np.zeros((len(members), n), dtype=bool)
    for i, member in enumerate(members):
        rows = np.flatnonzero(eligible(seen, member.fold))
        if len(rows):
            fitted = estimator.restore(read_state(member.path))
            curves[i, rows] = fitted.predict(inputs.take(rows), times).survival
            judged[i, rows] = True
        progress((i + 1) / len(members), f"fold {member.fold + 1}, seed {member.seed}")
    known = judged[:, :, None] & np.isfinite(curves)
    count = judged.sum(axis=0)
    complete = (known.sum(axis=0) == count[:, None]) & (count[:, None] > 0)
    survival = np.where(complete, np.where(known, curves, 0.0).sum(axis=0) / np.maximum(count, 1)[:, None], np.nan)
    low, high = np.full_like(survival, np.nan), np.full_like(survival, np.nan)
    for group in np.unique(judged, axis=1).T:
        rows = np.flatnonzero((judged == group[:, None]).all(axis=0))
        if group.any():
            low[rows], high[rows] = np.quantile(curves[group][:, rows], [LOW, HIGH], axis=0)
    risk, tau = lost_share(survival, times)
    spread = complete & (count > 1)[:, None]
    return EnsembleEstimates(
        risk, survival, np.where(spread, low, np.nan), np.where(spread, high, np.nan), count.astype(np.int64), tau
    )


def lost_share(survival: FloatArray, times: FloatArray) -> tuple[FloatArray, float]:
    """Risk that can be compared between members, patients and runs: the share of the first τ months expected lost.

    (n,) 1 − (1/τ)∫₀^τ S(t) dt by trapezoids, in 0..1, and τ, the last month estimable for every patient that has any
    estimate. It is one minus the restricted mean survival time over τ; members' own risks (a log-hazard, a sum over
    bins of their own) have no common scale, S(t) has.
    """
    known = np.isfinite(survival).any(axis=1)
    common = np.isfinite(survival[known]).all(axis=0)
    last = int(np.argmin(common)) if not common.all() else len(times)
    if not known.any() or not last:
        return np.full(len(survival), np.nan), float("nan")
    grid = np.concatenate([[0.0], times[:last]])
    curves = np.concatenate([np.ones((len(survival), 1)), survival[:, :last]], axis=1)
    tau = float(grid[-1])
    return np.asarray(1 - np.trapezoid(curves, grid, axis=1) / tau), tau


def judge_support(
    folder: Path, folds: int, inputs: Inputs, seen: IntArray, any_modality: bool = False
) -> EnsembleSupport:
    """Ask every fold that may judge a patient; most of them decide.

    ``any_modality`` is for estimators that need no training patient with the same missing modalities.
    """
    n = len(inputs)
    asked = np.zeros(n, dtype=np.int64)
    outside = {m: np.zeros(n, dtype=np.int64) for m in inputs.modalities}
    strange = {m: np.zeros(n, dtype=np.int64) for m in inputs.modalities}
    ratios = {m: np.full((folds, n), np.nan) for m in inputs.modalities}
    for fold in range(folds):
        rows = np.flatnonzero(eligible(seen, fold))
        if not len(rows):
            continue
        judgement = read_support(folder, fold).judge(inputs.take(rows))
        asked[rows] += 1
        for m in inputs.modalities:
            ratios[m][fold, rows] = judgement.ratio[m]
            outside[m][rows] += np.nan_to_num(judgement.ratio[m], nan=0.0) > 1
            strange[m][rows] += judgement.untrained[m] & (inputs.present[m][rows] | (not any_modality))
    untrained = {m: strange[m] > asked / 2 for m in inputs.modalities}
    supported = asked > 0
    for m in inputs.modalities:
        supported &= ~(outside[m] > asked / 2) & ~untrained[m]
    medians = {m: _median(ratios[m]) for m in inputs.modalities}
    return EnsembleSupport(np.asarray(supported), medians, outside, untrained, asked)


def _median(ratios: FloatArray) -> FloatArray:
    """(n,) median over the folds that were asked; NaN where none was."""
    known = np.isfinite(ratios)
    result = np.full(ratios.shape[1], np.nan)
    some = known.any(axis=0)
    result[some] = np.nanmedian(ratios[:, some], axis=0)
    return result
