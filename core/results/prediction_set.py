"""What a run says of the patients of another cohort: estimates with the model's spread, and who gets none and why."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.arrays import FloatArray
from core.errors import PrognoscopeError
from core.results.files import MANIFEST, new_folder, read_json, verify_folder, write_json
from core.results.run import Metrics
from core.results.workspace import Workspace

COLUMNS = ("id", "supported", "reason", "overlap", "members", "risk", "distance")
FILE = "prediction_set.json"


class Kind(StrEnum):
    """What the metrics of a prediction set may be called."""

    VALIDATION = "external validation"
    TRANSFER = "transfer to another cancer"
    UNSTATED = "evaluation, cancer not stated"


@dataclass(frozen=True)
class Agreement:
    """Metrics of the new patients with a known outcome; ``who`` says which of them, ``metrics`` None with a reason."""

    who: str
    patients: int
    events: int
    metrics: Metrics | None
    reason: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Agreement:
        metrics = None if value["metrics"] is None else Metrics.from_json(value["metrics"])
        return cls(value["who"], value["patients"], value["events"], metrics, value["reason"])

    def as_json(self) -> dict[str, Any]:
        metrics = None if self.metrics is None else self.metrics.as_json()
        return {
            "who": self.who, "patients": self.patients, "events": self.events,
            "metrics": metrics, "reason": self.reason,
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class PredictionSet:
    """Estimates of the n patients of a cohort by all members of a run.

    Parameters
    ----------
    table : DataFrame of n rows
        ``id`` pseudonym · ``supported`` · ``reason`` why there is no number, or "" · ``overlap`` True where the run was
        trained on the patient, who is then judged by the members that were not · ``members`` how many judged ·
        ``risk`` share of the first ``tau`` months expected lost, NaN without support · ``distance`` the farthest of
        the patient's inputs as a multiple of the distance allowed.
    times : (t,) months
    survival, low, high : (n, t) float arrays
        Mean S(t) over the members and their quantiles ``spread``: the spread of the model, no confidence interval.
        NaN without support and where not estimable.
    kind : Kind
        What ``agreement`` may be called.
    masked, notes : modality → reason, and (words, count) of everything else that did not match the training cohort
    agreement : with all new patients of known outcome, and with the supported ones alone; empty with ``no_agreement``
    """

    id: str
    run: str
    model: str
    cohort: str
    cohort_hash: str
    endpoint: str
    synthetic: bool
    kind: Kind
    horizons: tuple[float, ...]
    tau: float | None
    members: int
    spread: tuple[float, float]
    table: pd.DataFrame
    times: FloatArray
    survival: FloatArray
    low: FloatArray
    high: FloatArray
    masked: Mapping[str, str]
    notes: tuple[tuple[str, int], ...]
    agreement: tuple[Agreement, ...]
    no_agreement: str
    warnings: tuple[str, ...]
    code_version: str
    created_at: str
    seconds: float

    def __len__(self) -> int:
        return len(self.table)

    @property
    def unsupported(self) -> int:
        """Patients without a number."""
        return int((~self.table["supported"]).sum())

    @property
    def overlap(self) -> int:
        """Patients the run was trained on."""
        return int(self.table["overlap"].sum())

    def at(self, month: float) -> pd.DataFrame:
        """(n, 3) ``survival``, ``low``, ``high`` at a month of ``times``; raises for any other month."""
        place = np.flatnonzero(np.isclose(self.times, month))
        if not len(place):
            raise PrognoscopeError(f"no estimate at month {month:g}", "the set of estimates", "use one of its horizons")
        column = int(place[0])
        values = {"survival": self.survival, "low": self.low, "high": self.high}
        return pd.DataFrame({k: v[:, column] for k, v in values.items()}, index=self.table.index)

    def patients_json(self) -> list[dict[str, Any]]:
        """One object a patient: id, risk, survival, low and high by month, supported, reason. None = no number."""
        at = {f"{h:g}": self.at(h) for h in self.horizons}
        found = []
        for i, row in enumerate(self.table.to_dict("records")):
            spread = {k: {m: _number(f[k].iloc[i]) for m, f in at.items()} for k in ("survival", "low", "high")}
            words = {"supported": bool(row["supported"]), "reason": row["reason"]}
            more = {
                "members": int(row["members"]), "overlap": bool(row["overlap"]), "distance": _number(row["distance"]),
            }  # fmt: skip
            found.append({"id": row["id"], "risk": _number(row["risk"]), **spread, **words, **more})
        return found

    def estimates_table(self) -> pd.DataFrame:
        """One row a patient, with S, low and high at each horizon as columns, for a page or a CSV."""
        table = self.table[["id", "supported", "reason", "risk"]].copy()
        for month in self.horizons:
            at = self.at(month)
            table[f"S({month:g})"] = at["survival"]
            table[f"low({month:g})"], table[f"high({month:g})"] = at["low"], at["high"]
        for column in ("members", "overlap", "distance"):
            table[column] = self.table[column]
        return table


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def save_prediction_set(found: PredictionSet, workspace: Workspace) -> None:
    """Store a set, whole or not at all."""
    facts = {
        k: v
        for k, v in vars(found).items()
        if k not in ("table", "times", "survival", "low", "high", "agreement", "kind")
    }
    facts |= {"kind": found.kind.value, "agreement": [a.as_json() for a in found.agreement]}
    with new_folder(workspace.prediction(found.id)) as folder:
        write_json(folder / FILE, facts)
        months = [f"{t:g}" for t in found.times]
        curves = {"S": found.survival, "low": found.low, "high": found.high}
        columns = {f"{k}({m})": v[:, i] for k, v in curves.items() for i, m in enumerate(months)}
        pd.concat([found.table[list(COLUMNS)], pd.DataFrame(columns)], axis=1).to_parquet(folder / "estimates.parquet")


def load_prediction_set(set_id: str, workspace: Workspace) -> PredictionSet:
    """One set; its files are checked against their hashes first."""
    folder = workspace.prediction(set_id)
    if not folder.is_dir():
        raise PrognoscopeError("no such set of estimates", "the workspace", "score the patients again")
    verify_folder(folder)
    facts = read_json(folder / FILE)
    stored = pd.read_parquet(folder / "estimates.parquet")
    months = [c[2:-1] for c in stored.columns if c.startswith("S(")]
    curves = {k: stored[[f"{k}({m})" for m in months]].to_numpy(dtype=float) for k in ("S", "low", "high")}
    return PredictionSet(
        **{k: v for k, v in facts.items() if k not in ("horizons", "spread", "notes", "agreement", "kind", "warnings")},
        kind=Kind(facts["kind"]),
        horizons=tuple(facts["horizons"]),
        spread=(facts["spread"][0], facts["spread"][1]),
        notes=tuple((words, int(count)) for words, count in facts["notes"]),
        agreement=tuple(Agreement.from_json(a) for a in facts["agreement"]),
        warnings=tuple(facts["warnings"]),
        table=stored[list(COLUMNS)],
        times=np.array([float(m) for m in months]),
        survival=curves["S"],
        low=curves["low"],
        high=curves["high"],
    )


@dataclass(frozen=True)
class PredictionSetSummary:
    """What a list shows, read without the estimates."""

    id: str
    run: str
    cohort: str
    cohort_hash: str
    created_at: str


def delete_prediction_set(set_id: str, workspace: Workspace) -> None:
    """Remove a set, also a damaged one; nothing happens where it is gone already."""
    folder = workspace.prediction(set_id)
    if folder.is_dir():
        # moved aside first: a removal that is stopped half way leaves no half of a set behind
        aside = folder.with_name(f".{folder.name}.old")
        folder.replace(aside)
        shutil.rmtree(aside)


def list_prediction_sets(cohort: str | None, workspace: Workspace) -> tuple[PredictionSetSummary, ...]:
    """The sets of a cohort, or with None of every cohort, the newest first."""
    found = []
    for path in _finished(workspace):
        facts = read_json(path / FILE)
        if cohort is None or facts["cohort"] == cohort:
            fields = ("id", "run", "cohort", "cohort_hash", "created_at")
            found.append(PredictionSetSummary(*(facts[k] for k in fields)))
    return tuple(sorted(found, key=lambda s: s.created_at, reverse=True))


def _finished(workspace: Workspace) -> list[Path]:
    names = workspace.names(workspace.predictions)
    return [workspace.predictions / n for n in names if (workspace.predictions / n / MANIFEST).is_file()]
