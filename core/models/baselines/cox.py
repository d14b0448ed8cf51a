"""Cox baselines: on the clinical columns alone, and penalised on all inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from numpy.typing import NDArray
from sksurv.linear_model import CoxnetSurvivalAnalysis
from sksurv.util import Surv

from core.arrays import FloatArray
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.follow_up import last_estimable
from core.features.inputs import Inputs, Outcome
from core.features.preparation import Preparation
from core.models.estimator import Estimates, State, estimable
from core.statistics.breslow import BreslowBaseline, breslow_baseline
from core.statistics.discrimination import harrell_c


@dataclass(frozen=True, eq=False)
class FittedCox:
    """Linear log-hazard with the training fold's Breslow baseline."""

    preparation: Preparation
    coefficients: FloatArray
    baseline: BreslowBaseline
    limit: float

    def predict(self, inputs: Inputs, times: FloatArray) -> Estimates:
        """Log-hazard as risk, S(t) from the Breslow baseline."""
        log_hazard = design(self.preparation, inputs) @ self.coefficients
        return Estimates(log_hazard, estimable(self.baseline.survival(log_hazard, times), times, self.limit))

    def state(self) -> State:
        arrays = {
            **self.preparation.arrays(),
            "coefficients": self.coefficients,
            "baseline.times": self.baseline.times,
            "baseline.cumulative_hazard": self.baseline.cumulative_hazard,
        }
        return State({"preparation": self.preparation.as_json(), "limit": self.limit}, arrays)


def restore_cox(state: State) -> FittedCox:
    """Rebuild a fitted Cox model from its stored form."""
    baseline = BreslowBaseline(state.arrays["baseline.times"], state.arrays["baseline.cumulative_hazard"])
    preparation = Preparation.restore(state.settings["preparation"], state.arrays)
    return FittedCox(preparation, state.arrays["coefficients"], baseline, float(state.settings["limit"]))


def design(preparation: Preparation, inputs: Inputs) -> FloatArray:
    """(n, p) scaled genes, encoded clinical columns, bags averaged; a missing modality is zero, its training mean."""
    parts: list[NDArray[np.float32]] = []
    vectors = (preparation.scaled_genes(inputs), preparation.encoded_clinical(inputs), preparation.pooled_bags(inputs))
    parts.extend(v for v in vectors if v is not None)
    return np.concatenate(parts, axis=1).astype(np.float64)


def _with_baseline(preparation: Preparation, coefficients: FloatArray, inputs: Inputs, outcome: Outcome) -> FittedCox:
    log_hazard = design(preparation, inputs) @ coefficients
    baseline = breslow_baseline(outcome.time, outcome.event, log_hazard, outcome.entry)
    return FittedCox(preparation, coefficients, baseline, last_estimable(outcome))


@dataclass(frozen=True)
class ClinicalCox:
    """Cox on the cohort's clinical inputs: age, sex and, where it has them, stage and grade (lifelines, Efron ties).

    A tiny ridge keeps the fit defined when a small fold lacks a stage's events.
    """

    name: str = "cox-clinical"
    ridge: float = 0.01

    def fit(self, inputs: Inputs, outcome: Outcome, horizons: tuple[float, ...], seed: int) -> FittedCox:
        """Fit on the clinical columns; raises when the cohort has none."""
        if Modality.CLINICAL not in inputs.modalities:
            raise PrognoscopeError("no clinical input", "the chosen modalities", "add clinical to the modalities")
        clinical = inputs.only(Modality.CLINICAL)
        preparation = Preparation.fit(clinical)
        names = list(preparation.clinical.names) if preparation.clinical else []
        frame = pd.DataFrame(design(preparation, clinical), columns=names)
        # an event at the very moment of entry has no interval to live in: lifelines wants time > entry
        frame["time"], frame["event"] = np.maximum(outcome.time, outcome.entry + 1e-4), outcome.event
        delayed = bool((outcome.entry > 0).any())
        if delayed:
            frame["entry"] = outcome.entry
        fitter = CoxPHFitter(penalizer=self.ridge)
        fitter.fit(frame, "time", "event", entry_col="entry" if delayed else None)
        return _with_baseline(preparation, fitter.params_[names].to_numpy(dtype=float), clinical, outcome)

    def restore(self, state: State) -> FittedCox:
        return restore_cox(state)


@dataclass(frozen=True)
class PenalisedCox:
    """Elastic-net Cox on all inputs (scikit-survival's Coxnet); the penalty by inner folds of the training patients.

    Coxnet knows no delayed entry: it orders patients by their exit alone, the baseline then by the true risk sets.
    ``l1_ratio`` 0.1 is mostly ridge. The inner folds score each penalty of one path by Harrell's C.
    """

    name: str = "cox-penalised"
    l1_ratio: float = 0.1
    inner_folds: int = 3
    path: int = 20

    def fit(self, inputs: Inputs, outcome: Outcome, horizons: tuple[float, ...], seed: int) -> FittedCox:
        """Fit the whole path once, choose the penalty on inner folds, keep its coefficients."""
        preparation = Preparation.fit(inputs)
        x, y = design(preparation, inputs), _structured(outcome)
        whole = self._path(x, y)
        score = np.zeros(len(whole.alphas_))
        fold = np.random.default_rng(seed).permutation(len(outcome)) % self.inner_folds
        for k in range(self.inner_folds):
            train, test = fold != k, fold == k
            model = self._path(x[train], y[train], whole.alphas_)
            for i in range(len(model.alphas_)):
                c = harrell_c(outcome.time[test], outcome.event[test], x[test] @ model.coef_[:, i])
                score[i] += 0.5 if np.isnan(c) else c  # an inner fold without a comparable pair favours no penalty
            score[len(model.alphas_) :] = -np.inf  # a path that stopped early says nothing of weaker penalties
        best = int(np.argmax(score[: whole.coef_.shape[1]]))
        return _with_baseline(preparation, whole.coef_[:, best].copy(), inputs, outcome)

    def _path(self, x: FloatArray, y: NDArray[np.void], alphas: FloatArray | None = None) -> CoxnetSurvivalAnalysis:
        model = CoxnetSurvivalAnalysis(
            l1_ratio=self.l1_ratio, n_alphas=self.path, alphas=alphas, alpha_min_ratio=0.05, max_iter=10_000
        )
        return model.fit(x, y)

    def restore(self, state: State) -> FittedCox:
        return restore_cox(state)


def _structured(outcome: Outcome) -> NDArray[np.void]:
    """scikit-survival's structured array; a time of 0 is moved by a hair because Coxnet wants positive times."""
    structured: NDArray[np.void] = Surv.from_arrays(outcome.event, np.maximum(outcome.time, 1e-4))
    return structured
