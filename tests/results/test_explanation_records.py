"""Explanations come back from disk as they were, and a stored one that was altered is never read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import PrognoscopeError
from core.results.explained import Kind, explained_folder, has_explanation
from core.results.explanation import FEATURE_COLUMNS, Explanation, load_explanation, save_explanation
from core.results.report_evidence import ReportEvidence, Sentence, load_report_evidence, save_report_evidence
from core.results.scan_maps import ScanLayer, ScanMaps, load_scan_maps, save_scan_maps
from core.results.slide_maps import LayerKind, MapLayer, SlideMaps, load_slide_maps, save_slide_maps
from core.results.workspace import Workspace


def test_values(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    rows = [("TP53", "genomics", "a", -3.0, 0.5, 1.0, "high", -2.9), ("age", "clinical", "", 1.0, 0.2, 0.9, "61", 1.1)]
    features = pd.DataFrame(rows, columns=list(FEATURE_COLUMNS))
    found = Explanation(
        "run-1", "P1", 36.0, "percentage points of survival at month 36", 60.0, 62.1, -0.1, features,
        "expected gradients", "GradientExplainer", 0.9, 3, 50, True, 0.8, True, "1", 1.5, ("a note",),
    )  # fmt: skip
    save_explanation(found, workspace)
    back = load_explanation("run-1", "P1", 36.0, workspace)
    pd.testing.assert_frame_equal(back.features, features)
    assert {k: v for k, v in vars(back).items() if k != "features"} == {
        k: v for k, v in vars(found).items() if k != "features"
    }
    assert list(back.by_group()["group"]) == ["genomics", "clinical"]
    folder = explained_folder(Kind.VALUES, "run-1", "P1", 36.0, workspace)
    assert "P1" not in folder.name
    (folder / "explanation.json").write_text("{}")
    with pytest.raises(PrognoscopeError, match="altered"):
        load_explanation("run-1", "P1", 36.0, workspace)


def test_maps_and_sentences(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    layer = MapLayer("attention", "attention", LayerKind.ATTENTION, np.array([0.25, 0.75], np.float32), False, "share")
    maps = SlideMaps(
        "run-1", "P1", 36.0, 3, np.array([0, 1]), np.array([[0, 0], [224, 0]]), {0: 224.0, 1: 448.0}, (layer,), True,
        "e", "1", 0.5, cohort_quantiles={"attention": (0.0, 1.0)},
    )  # fmt: skip
    save_slide_maps(maps, workspace)
    back = load_slide_maps("run-1", "P1", workspace)
    assert back.sides == maps.sides
    assert back.cohort_quantiles == maps.cohort_quantiles
    found = back.layer("attention")
    assert found is not None
    assert found.kind is LayerKind.ATTENTION
    assert found.values.tolist() == [0.25, 0.75]
    volume = ScanLayer("a", "arterial", "t", "u", True, np.ones((2, 3, 4), np.float32), np.eye(4))
    save_scan_maps(ScanMaps("run-1", "P1", 36.0, 3, "m", "e", (volume,), True, "1", 0.1), workspace)
    assert load_scan_maps("run-1", "P1", workspace).layers[0].values.shape == (2, 3, 4)
    sentence = Sentence(0, 0, 9, "liver", "liver", None, -1.0, 0.1, 1.0)
    evidence = ReportEvidence("run-1", "P1", 36.0, 3, 60.0, 2.0, (sentence,), "m", "e", True, "1", 0.1)
    save_report_evidence(evidence, workspace)
    assert load_report_evidence("run-1", "P1", workspace) == evidence
    assert has_explanation(Kind.REPORT, "run-1", "P1", None, workspace)
    with pytest.raises(PrognoscopeError, match="no explanation"):
        load_report_evidence("run-1", "P2", workspace)
