"""How far the values of a run may be trusted, from every explanation of its patients that is stored."""

from __future__ import annotations

import numpy as np

from core.results.explained import Kind
from core.results.explanation import Explanation, load_explanation
from core.results.explanation_trust import ExplanationTrust, TrustNumber, load_trust, save_trust
from core.results.files import read_json
from core.results.workspace import Workspace, checked_name
from core.tasks.provenance import code_version

GOOD_SUM, GOOD_RESIDUAL, GOOD_AGREEMENT = 1e-6, 0.5, 0.5
MOST = 60


def keep_values_trust(run: str, workspace: Workspace) -> None:
    """Measure and store; what a benchmark measured against planted truth says more and stays."""
    known = load_trust(run, Kind.VALUES, workspace)
    folder = workspace.explanations / checked_name(run, "run id")
    stored = sorted(folder.glob(f"{Kind.VALUES.value}-*"))[:MOST]
    if (known is None or not known.planted) and stored:
        facts = [read_json(f / "explanation.json") for f in stored]
        found = tuple(load_explanation(run, str(f["patient"]), float(f["month"]), workspace) for f in facts)
        save_trust(values_trust(found), workspace)


def values_trust(found: tuple[Explanation, ...]) -> ExplanationTrust:
    """The sum, the residual, and whether models and methods agree, over these explanations of one run."""
    first = found[0]
    sums = [abs(e.baseline + float(e.features["value"].sum()) + e.residual - e.prediction) for e in found]
    numbers = (
        TrustNumber("the sum adds up", max(sums), GOOD_SUM, False, None,
                    "largest difference between baseline + values + residual and the estimate, percentage points."),
        TrustNumber("the residual is small", max(abs(e.residual) for e in found), GOOD_RESIDUAL, False, None,
                    "largest part that no value explains, percentage points."),
        TrustNumber("the models agree", _mean([e.rank_agreement for e in found]), GOOD_AGREEMENT, True, 0.0,
                    "rank correlation between the models' sizes of the values."),
        TrustNumber("a second method agrees", _mean([e.agreement for e in found]), GOOD_AGREEMENT, True, 0.0,
                    "rank correlation with the cross-check."),
    )  # fmt: skip
    patients = len({e.patient for e in found})
    return ExplanationTrust(
        first.run, Kind.VALUES, patients, first.models, first.synthetic, False, numbers,
        f"./run cli explain {first.run}", code_version(),
    )  # fmt: skip


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None
