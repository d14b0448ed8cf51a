"""A run: everything needed to believe, question and repeat a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Metric:
    """One number with its uncertainty.

    ``mean`` is the value of the seed ensemble, ``low``/``high`` its 95 % bootstrap interval over patients;
    ``std`` is the standard deviation and ``seed_fold_mean`` the mean over every single seed and fold.
    A value that cannot be estimated is None, with the reason in ``note``.
    """

    mean: float | None
    std: float | None = None
    low: float | None = None
    high: float | None = None
    seed_fold_mean: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Metrics:
    """The metrics of one set of out-of-fold predictions; AUC and calibration are keyed by month (``"12"``)."""

    harrell_c: Metric
    uno_c: Metric
    ibs: Metric
    ibs_kaplan_meier: Metric
    auc: Mapping[str, Metric] = field(default_factory=dict)
    auc_naive: Mapping[str, Metric] = field(default_factory=dict)
    d_calibration_p: Metric = Metric(None)
    calibration_slope: Mapping[str, Metric] = field(default_factory=dict)
    ici: Mapping[str, Metric] = field(default_factory=dict)
    tau: float | None = None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Metrics:
        """Rebuild from :meth:`as_json`."""
        single = ("harrell_c", "uno_c", "ibs", "ibs_kaplan_meier", "d_calibration_p")
        keyed = ("auc", "auc_naive", "calibration_slope", "ici")
        fields: dict[str, Any] = {k: Metric(**value[k]) for k in single}
        fields |= {k: {t: Metric(**m) for t, m in value[k].items()} for k in keyed}
        return cls(**fields, tau=value["tau"])

    def as_json(self) -> dict[str, Any]:
        """Plain dictionaries, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Reference:
    """A row a run has to be read against: a simpler model on the same folds, or the run with an input permuted."""

    name: str
    metrics: Metrics


@dataclass(frozen=True)
class Run:
    """The record of one cross-validated training. Immutable; predictions and checkpoints lie beside it.

    ``thresholds`` holds for each outer fold the risk at the tertiles and the median of its *training* patients
    (ensemble over seeds): ``{"0": {"median": .., "low_tertile": .., "high_tertile": ..}}``.
    ``protocol`` is ``"upstream"`` when the epoch was chosen on the test fold: optimistic, and said wherever it shows.
    """

    id: str
    cohort: str
    cohort_hash: str
    synthetic: bool
    model: str
    config: Mapping[str, Any]
    modalities: tuple[str, ...]
    endpoint: str
    protocol: str
    folds: str
    n_folds: int
    seeds: tuple[int, ...]
    horizons: tuple[float, ...]
    patients: int
    events: int
    excluded: tuple[tuple[str, int], ...]
    code_version: str
    created_at: str
    seconds: float
    machine: str
    command: str
    metrics: Metrics
    thresholds: Mapping[str, Mapping[str, float]]
    references: tuple[Reference, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists, for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Run:
        """Rebuild from :meth:`as_json`."""
        data = dict(value)
        data["metrics"] = Metrics.from_json(data["metrics"])
        data["references"] = tuple(Reference(r["name"], Metrics.from_json(r["metrics"])) for r in data["references"])
        for key in ("modalities", "seeds", "horizons", "warnings"):
            data[key] = tuple(data[key])
        data["excluded"] = tuple((r, int(c)) for r, c in data["excluded"])
        return cls(**data)
