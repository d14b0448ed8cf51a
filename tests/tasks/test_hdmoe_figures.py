"""``bench hdmoe-figures``: from trained models to tables and drawings that hold the same numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.cohort.modality import Modality
from core.cohort.sample import save_sample
from core.results.workspace import Workspace
from core.tasks import bench_hdmoe_figures, bench_hdmoe_rfr, figure_files
from core.tasks.bench_hdmoe_figures import bench_figures
from core.tasks.bench_hdmoe_rfr import bench_rfr
from core.tasks.cells import CellSpec
from core.tasks.hdmoe_sweeps import Variant
from core.tasks.train import silent
from core.training.config import TrainingConfig
from core.training.estimators import EstimatorSpec

TINY = {"width": 32, "token_dim": 8, "family_hidden": 16, "n_experts": 4}
BOTH = (Modality.GENOMICS, Modality.CLINICAL)


def tiny_spec(name: str, full: bool, epochs: int) -> CellSpec:
    estimator = EstimatorSpec("hdmoe", TINY, TrainingConfig(epochs=min(epochs, 2)))
    return CellSpec(f"HDMoE, {epochs}", name, "site", estimator, BOTH, 1, tested=2, models=True)


@pytest.fixture
def place(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The sample cohort in the place of the public ones; EVIDENCE.md elsewhere; no process pool."""
    sample = save_sample(workspace)
    for module in (bench_hdmoe_figures, bench_hdmoe_rfr):
        monkeypatch.setattr(module, "evidence_cohort", lambda name, workspace: sample)
        monkeypatch.setattr(module, "PROCESSES", 1)
    return tmp_path / "EVIDENCE.md"


def test_tables_and_drawings_come_from_the_same_models(
    place: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench_hdmoe_figures, "figure_spec", tiny_spec)
    drawn = {}
    monkeypatch.setattr(bench_hdmoe_figures, "write_svg", lambda figures, folder: drawn.update(figures) or [])
    result = bench_figures(workspace, False, silent, place, ("sample",))
    assert set(drawn) == {"tokens-sample", "risk-groups-sample", "allocation", "risk-by-status"}
    text = place.read_text()
    bars = [trace for trace in drawn["allocation"].data if trace.type == "bar"]
    assert len(bars) == 3
    for bar in bars:
        assert sum(bar.y) == pytest.approx(1)
        assert " ".join(f"{100 * v:.0f}" for v in bar.y) in text
    rows = {row.name: row for row in result.rows}
    after = rows["sample, level 1 · genomics: |correlation| of tokens after the shared expert (reference: before)"]
    heat = np.array(drawn["tokens-sample"].data[0].z)
    assert heat.shape == (4, 4)
    np.testing.assert_allclose(np.diag(heat), 1)
    assert f"{after.value:.3f}" in text
    assert f"{after.reference:.3f}" in text
    assert "synthetic" in drawn["allocation"].layout.title.subtitle.text
    assert "died by it" in text


def test_repeats_are_listed_with_the_papers(place: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def spec(self: Variant, protocol: str, full: bool, models: bool = False) -> CellSpec:
        estimator = EstimatorSpec("hdmoe", {**TINY, **self.changes}, TrainingConfig(epochs=1))
        return CellSpec(self.label, "sample", "site", estimator, BOTH, 1, tested=2, models=models)

    monkeypatch.setattr(Variant, "spec", spec)
    monkeypatch.setattr(bench_hdmoe_rfr, "REPEATS", 10)
    result = bench_rfr(workspace, False, silent, place)
    draws = [row for row in result.rows if "draw " in row.name]
    assert [row.reference for row in draws[:5]] == [0.688, 0.697, 0.693, 0.691, 0.689]
    best = [row for row in result.rows if "best of five" in row.name]
    assert len(best) == 4
    assert all(row.reference is not None and row.value >= row.reference - 1e-9 for row in best)


def test_without_chromium_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(figure_files, "browser", lambda: None)
    assert figure_files.write_svg({"a": None}, tmp_path / "figures") == []
    monkeypatch.setattr(figure_files, "browser", lambda: "chromium")
    monkeypatch.setattr(figure_files, "image", lambda figure, kind: f"<{kind}>".encode())
    files = figure_files.write_svg({"a": None}, tmp_path / "figures")
    assert [path.read_bytes() for path in files] == [b"<svg>"]
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["a.svg"]
