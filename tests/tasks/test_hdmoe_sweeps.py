"""HDMoE's own studies: every row is a model that can be built, a small study runs, is taken up again and is printed."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from core.cli.__main__ import main
from core.cohort.cohort import Cohort
from core.cohort.modality import Modality
from core.cohort.sample import save_sample
from core.features.preparation import InputShape
from core.models.hdmoe.config import HDMoEConfig
from core.models.hdmoe.model import HDMoE
from core.results.workspace import Workspace
from core.tasks import bench_hdmoe_sweeps, cells, hdmoe_sweeps
from core.tasks.hdmoe_sweeps import PROTOCOLS, SWEEPS, Sweep, Variant
from core.training.config import TrainingConfig
from core.training.estimators import make_estimator

TINY = {"width": 32, "token_dim": 8, "family_hidden": 16, "expert_hidden": 16}
SMALL_STUDY = Sweep(
    "hdmoe-distance",
    "A small study",
    "cosine",
    (Variant("cosine", TINY, 0.5), Variant("l1", {**TINY, "distance": "l1"})),
)


@pytest.mark.parametrize("sweep", SWEEPS.values(), ids=lambda s: s.name)
def test_every_row_is_a_model_that_can_be_built_and_no_two_are_the_same(sweep: Sweep) -> None:
    assert sweep.base in [v.label for v in sweep.rows(full=False)]
    assert len(sweep.rows(full=True)) == len(sweep.variants) >= len(sweep.rows(full=False)) >= 4
    modalities = (Modality.GENOMICS, Modality.CLINICAL)
    shape = InputShape(((0, 1), (2, 3)), 4, 2)
    seen = []
    for variant in sweep.variants:
        for protocol in PROTOCOLS:
            spec = variant.spec(protocol, full=False)
            assert spec.estimator.training.protocol == protocol
            make_estimator(spec.estimator)
            assert (spec.seeds, spec.tested) == (1, 2)
            assert (variant.spec(protocol, full=True).seeds, variant.spec(protocol, full=True).tested) == (3, 0)
        HDMoE(shape, modalities, 4, HDMoEConfig(**variant.settings()))
        seen.append(tuple(variant.settings().items()))
    assert len(set(seen)) == len(seen)


def test_the_base_row_is_the_default_model_wherever_the_study_varies_one_setting() -> None:
    for sweep in SWEEPS.values():
        base = next(v for v in sweep.variants if v.label == sweep.base)
        assert base.settings() == Variant("default").settings(), sweep.name


@pytest.fixture
def cohort(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cohort:
    """The sample cohort in the place of BLCA, two epochs, one process, EVIDENCE.md elsewhere."""
    sample = save_sample(workspace)
    monkeypatch.setattr(hdmoe_sweeps, "FOLDS", "site")
    honest, upstream = TrainingConfig(epochs=1), TrainingConfig(epochs=2, protocol="upstream")
    monkeypatch.setattr(hdmoe_sweeps, "TRAINING", {"honest": honest, "upstream": upstream})
    monkeypatch.setattr(bench_hdmoe_sweeps, "PROCESSES", 1)
    monkeypatch.setattr(bench_hdmoe_sweeps, "EVIDENCE", tmp_path / "EVIDENCE.md")
    monkeypatch.setattr(bench_hdmoe_sweeps, "write_svg", lambda figures, folder: [folder / name for name in figures])
    monkeypatch.setattr(bench_hdmoe_sweeps, "evidence_cohort", lambda name, workspace: sample)
    monkeypatch.setattr(bench_hdmoe_sweeps, "bench_distance", partial(bench_hdmoe_sweeps.run_sweep, SMALL_STUDY))
    return sample


def test_a_study_runs_is_taken_up_again_and_prints_the_rows_of_the_contract(
    cohort: Cohort,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    compute, computed = cells._compute, []

    def count(*arguments: object) -> None:
        computed.append(arguments[0])
        if len(computed) == 4:
            raise KeyboardInterrupt
        compute(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(cells, "_compute", count)
    with pytest.raises(KeyboardInterrupt):
        bench_hdmoe_sweeps.sweep_cells(SMALL_STUDY, cohort, workspace, False, lambda share, message: None)
    assert main(["bench", "hdmoe-distance", "--json"]) == 0
    assert len(computed) == 5  # three before the interruption, the interrupted one twice
    answer = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert answer["bench"] == "hdmoe-distance"
    assert [set(row) for row in answer["rows"]] == [{"name", "value", "unit", "reference", "ratio"}] * 4
    assert [row["reference"] for row in answer["rows"]] == [0.5, 0.5, None, None]
    assert answer["rows"][0]["ratio"] == pytest.approx(answer["rows"][0]["value"] / 0.5, abs=1e-3)
    assert "optimistic" in answer["rows"][1]["name"]
    assert [Path(file).name for file in answer["figures"]] == ["hdmoe-distance"]
    text = (tmp_path / "EVIDENCE.md").read_text()
    assert "made by a command" in text
    assert text.count(f"{answer['rows'][0]['value']:.3f} ±") >= 1


def test_only_the_first_folds_are_tested_with_full_training_sets(cohort: Cohort, workspace: Workspace) -> None:
    spec = SMALL_STUDY.variants[0].spec("honest", full=False)
    cell = cells.run_cell(spec, cohort, workspace, 1, lambda share, message: None)
    assert cell.predictions.folds == (0, 1)
    assert set(cell.thresholds) == {"0", "1"}
    assert len(cell.predictions) < len(cohort) / 2
