"""Benchmark cells: computed once, taken up again, never believed when altered; the section of EVIDENCE.md they fill."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.cohort.cohort import Cohort
from core.cohort.modality import Modality
from core.cohort.sample import save_sample
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from core.tasks import cells
from core.tasks.cells import Cell, CellSpec, run_cell
from core.tasks.evidence_tables import EvidenceTables, write_section
from core.tasks.train import silent
from core.training.config import TrainingConfig
from core.training.estimators import EstimatorSpec

BOTH = (Modality.GENOMICS, Modality.CLINICAL)
SMALL = {"width": 32, "token_dim": 8, "family_hidden": 16}


def spec(
    label: str, estimator: EstimatorSpec, folds: str = "site", modalities: tuple[Modality, ...] = BOTH
) -> CellSpec:
    return CellSpec(label, "sample", folds, estimator, modalities, 1)


@pytest.fixture
def cohort(workspace: Workspace) -> Cohort:
    return save_sample(workspace)


def test_a_finished_cell_is_not_computed_again(
    cohort: Cohort, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = spec("Cox", EstimatorSpec("cox-clinical"), modalities=(Modality.CLINICAL,))
    first = run_cell(wanted, cohort, workspace, 1, silent)

    def refuse(*_: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr(cells, "_compute", refuse)
    again = run_cell(wanted, cohort, workspace, 1, silent)
    assert again.metrics == first.metrics
    assert again.predictions.table.equals(first.predictions.table)
    with pytest.raises(AssertionError, match="computed again"):
        run_cell(spec("Cox", EstimatorSpec("cox-clinical", {"ridge": 0.5})), cohort, workspace, 1, silent)


def test_an_interrupted_cell_leaves_nothing(
    cohort: Cohort, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cells, "evaluate", stop)
    with pytest.raises(KeyboardInterrupt):
        run_cell(spec("null", EstimatorSpec("kaplan-meier")), cohort, workspace, 1, silent)
    assert not workspace.cells.exists() or not list(workspace.cells.iterdir())


def test_an_altered_cell_is_refused(cohort: Cohort, workspace: Workspace) -> None:
    wanted = spec("null", EstimatorSpec("kaplan-meier"))
    run_cell(wanted, cohort, workspace, 1, silent)
    stored = workspace.cells / wanted.key(cohort) / "cell.json"
    stored.write_text(stored.read_text().replace("0.5", "0.9", 1))
    with pytest.raises(PrognoscopeError, match="altered"):
        run_cell(wanted, cohort, workspace, 1, silent)


@pytest.fixture
def finished(cohort: Cohort, workspace: Workspace) -> list[Cell]:
    """One small row of each kind the tables need; the sample stands for a cohort with both fold families."""
    training = TrainingConfig(epochs=1)
    wanted = [
        spec("Kaplan-Meier null", EstimatorSpec("kaplan-meier")),
        spec("Cox, age + sex", EstimatorSpec("cox-clinical"), modalities=(Modality.CLINICAL,)),
        spec("HDMoE", EstimatorSpec("hdmoe", SMALL, training)),
    ]
    return [run_cell(w, cohort, workspace, 1, silent) for w in wanted]


def test_tables_hold_the_numbers_of_the_cells(finished: list[Cell], cohort: Cohort) -> None:
    text = "\n".join(EvidenceTables(finished, {"sample": cohort}, families=("site",)).markdown())
    for cell in finished:
        assert cell.spec.label in text
        assert f"{cell.metrics.harrell_c.mean:.3f}" in text
    assert "genomics permuted" in text
    assert f"{finished[2].permuted['genomics'].mean:.3f}" in text
    assert "optimistic" not in text.lower()  # no upstream cell, so no such table


def test_a_section_is_replaced_and_the_rest_kept(tmp_path: Path) -> None:
    path = tmp_path / "EVIDENCE.md"
    path.write_text("# Evidence\n\nWritten by hand.\n")
    write_section(path, "four-cohorts", ["one"])
    write_section(path, "other", ["two"])
    write_section(path, "four-cohorts", ["three"])
    text = path.read_text()
    assert "Written by hand." in text
    assert "one" not in text
    assert text.index("three") < text.index("two")
