"""The factorisation audit of a run: do the experts mean what they are called, or is it a label?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.errors import PrognoscopeError
from core.results.files import read_json, write_json
from core.results.workspace import Workspace, checked_name


@dataclass(frozen=True)
class MarkerRow:
    """One marker: out-of-fold R² from its own and from the other expert, p of the difference, and p corrected over
    all markers (Benjamini-Hochberg)."""

    marker: str
    block: str
    patients: int
    own: float
    other: float
    p: float
    p_corrected: float


@dataclass(frozen=True)
class Selectivity:
    """Mean over a block's markers of own − other R².

    ``p`` is the larger of ``p_patients`` (patients permuted) and ``p_names`` (what the experts hold together split at
    random, as it would be if names meant nothing) · ``p_swapped`` that of the opposite sign: the block's markers stand
    in the other expert.
    """

    value: float
    p: float
    markers: int
    p_patients: float | None = None
    p_names: float | None = None
    p_swapped: float | None = None


@dataclass(frozen=True)
class GateBin:
    """Patients of one fifth of the measured dominance: mean tumour weight and its standard error."""

    patients: int
    weight: float
    error: float


@dataclass(frozen=True)
class Association:
    """Spearman correlation of the gate's tumour weight with the measured dominance of tumour over liver findings.

    ``bins`` from the fifth of patients with most liver disease to that with most tumour.
    """

    correlation: float
    p: float
    patients: int
    bins: tuple[GateBin, ...] = ()


@dataclass(frozen=True)
class Difference:
    """The run minus a control over all folds and seeds: corrected t interval, p, and p corrected (Holm)."""

    mean: float
    low: float
    high: float
    p: float
    p_corrected: float


@dataclass(frozen=True)
class ControlResult:
    """A control trained with the same experts, gating, folds, seeds and budget."""

    name: str
    title: str
    selectivity: Mapping[str, Selectivity]
    gate: Association | None
    differences: Mapping[str, Difference]


@dataclass(frozen=True)
class Stability:
    """Agreement between seeds on the same test patients: rank correlation of the gate, adjusted Rand index of the
    groups cut at one half; mean and the range that holds 95 % of the pairs of seeds and folds."""

    rank_correlation: float
    rank_low: float
    rank_high: float
    rand_index: float
    rand_low: float
    rand_high: float
    pairs: int


@dataclass(frozen=True)
class TreatmentTerm:
    """One term of the Cox model: hazard ratio with its interval and p."""

    term: str
    hazard_ratio: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Treatment:
    """Descriptive, never causal. ``reason`` says why nothing was fitted, else it is empty; ``landmark`` in months."""

    column: str
    arms: tuple[str, ...]
    time_zero: str
    patients: int
    events: int
    without_arm: int
    without_arm_p: float | None
    terms: tuple[TreatmentTerm, ...] = ()
    reason: str = ""
    landmark: float = 0.0


@dataclass(frozen=True)
class AuditReport:
    """Everything the audit found. ``leaked`` marker → why it is left out; ``mixed`` are markers of both blocks."""

    run: str
    cohort: str
    synthetic: bool
    factors: tuple[str, ...]
    selectivity: Mapping[str, Selectivity]
    markers: tuple[MarkerRow, ...]
    leaked: Mapping[str, str]
    skipped: Mapping[str, str]
    redacted: bool
    gate: Association | None
    stability: Stability | None
    controls: tuple[ControlResult, ...] = ()
    treatment: Treatment | None = None
    permutations: int = 0
    seeds: int = 0
    folds: int = 0
    created_at: str = ""
    code_version: str = ""
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def labels(self) -> str:
        """What the experts' names are worth: ``"as named"``, ``"swapped"`` or ``"not shown"``."""
        return labels_of(self.selectivity)

    def as_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> AuditReport:
        """Rebuild from :meth:`as_json`."""
        data = dict(value)
        data["selectivity"] = {k: Selectivity(**s) for k, s in data["selectivity"].items()}
        data["markers"] = tuple(MarkerRow(**m) for m in data["markers"])
        data["gate"] = _association(data["gate"])
        data["stability"] = Stability(**data["stability"]) if data["stability"] else None
        data["controls"] = tuple(_control(c) for c in data["controls"])
        if data["treatment"]:
            treatment = dict(data["treatment"])
            treatment["terms"] = tuple(TreatmentTerm(**t) for t in treatment["terms"])
            treatment["arms"] = tuple(treatment["arms"])
            data["treatment"] = Treatment(**treatment)
        data["factors"], data["notes"] = tuple(data["factors"]), tuple(data["notes"])
        return cls(**data)


def _association(value: Mapping[str, Any] | None) -> Association | None:
    if not value:
        return None
    return Association(**{**value, "bins": tuple(GateBin(**b) for b in value.get("bins", ()))})


def labels_of(selected: Mapping[str, Selectivity], level: float = 0.05) -> str:
    """``"as named"`` where every block that could be tested is selective for its own expert, ``"swapped"`` where every
    one is for the other expert, else ``"not shown"``; ``level`` is that of each test."""
    if selected and all(s.value > 0 and s.p < level for s in selected.values()):
        return "as named"
    if selected and all(s.value < 0 and s.p_swapped is not None and s.p_swapped < level for s in selected.values()):
        return "swapped"
    return "not shown"


def _control(value: Mapping[str, Any]) -> ControlResult:
    return ControlResult(
        value["name"],
        value["title"],
        {k: Selectivity(**s) for k, s in value["selectivity"].items()},
        _association(value["gate"]),
        {k: Difference(**d) for k, d in value["differences"].items()},
    )


def save_audit(report: AuditReport, workspace: Workspace) -> None:
    """Keep the latest audit of a run; it is written whole or not at all."""
    workspace.audits.mkdir(parents=True, exist_ok=True)
    write_json(workspace.audits / f"{checked_name(report.run, 'run id')}.json", report.as_json())


def load_audit(run: str, workspace: Workspace) -> AuditReport | None:
    """The audit of a run, or None when it was not audited."""
    path = workspace.audits / f"{checked_name(run, 'run id')}.json"
    if not path.is_file():
        return None
    try:
        return AuditReport.from_json(read_json(path))
    except (KeyError, TypeError) as error:
        raise PrognoscopeError(
            "an audit this version cannot read", f"run {run}", f"run ./run cli audit {run}"
        ) from error
