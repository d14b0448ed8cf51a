"""The Scan tab in its states: no scan, unreadable, no attribution yet, a run that reads no scans, all there."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.results.explained import Kind, explained_folder
from core.results.views import save_view
from core.results.workspace import Workspace
from core.serving.scan_view import read_scans, viewer_data
from pages.widgets import patient_scan
from pages.widgets.state import PageState
from tests.serving.scan_patient import BROKEN, COHORT, FULL, NONE, OTHER_RUN, RUN, make_map, make_scan_workspace

VISITOR = "a" * 32


@pytest.fixture
def opened(
    workspace: Workspace, tmp_path: Path, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[AppTest, list[dict[str, Any]]]]:
    """Open the tab for a patient and run; also what the viewer was given."""
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(patient_scan, "visitor_of", lambda cookies: VISITOR)
    monkeypatch.setattr(patient_scan, "has_library", lambda name: True)
    monkeypatch.setattr(patient_scan, "scan_viewer", lambda data, key: given.append(data))

    def run(patient: str, run_id: str = RUN, with_map: bool = True, month: float = 36.0) -> Any:
        make_scan_workspace(workspace, tmp_path / "files", with_map)
        state = PageState(cohort=COHORT, run=run_id, patient=patient, month=month)
        test = open_page("patient", view=save_view(state.as_json(), workspace))
        test.session_state["patient_tab"] = "Scan"
        given.clear()
        return test.run(), given

    return run


def html(test: AppTest) -> str:
    return " ".join(str(e.value) for e in [*test.get("html"), *test.markdown])


def test_all_there(opened: Callable[..., Any]) -> None:
    test, given = opened(FULL)
    assert not test.exception
    text = html(test)
    assert "Blue regions raise the estimate" in text
    assert "2 models that never saw this patient" in text
    assert "explain_scan" not in {b.key for b in test.button}
    assert [p["label"] for p in given[-1]["phases"]] == ["t1", "arterial"]
    assert [m["label"] for m in given[-1]["masks"]] == ["liver", "tumour"]
    assert given[-1]["maps"][0]["limit"] == pytest.approx(1.2)
    assert given[-1]["first"] == 1
    assert "2 × 2.5 × 3 mm" in text
    assert "nifti" in text.lower()


def test_what_the_browser_is_given_names_nobody(opened: Callable[..., Any]) -> None:
    _, given = opened(FULL)
    text = json.dumps(given[-1])
    assert FULL not in text
    assert "/files/" not in text
    assert ".nii.gz?" not in text  # the token is apart from the addresses


def test_no_attribution_yet_offers_the_job(opened: Callable[..., Any]) -> None:
    test, given = opened(FULL, with_map=False)
    assert "Where the model looked in the scans is not computed yet" in html(test)
    assert "explain_scan" in {b.key for b in test.button}
    assert given[-1]["maps"] == []


def test_a_run_that_reads_no_scans_shows_the_scan_alone(opened: Callable[..., Any]) -> None:
    test, given = opened(FULL, run_id=OTHER_RUN)
    assert "reads no scans" in html(test) or "read no scans" in html(test)
    assert given[-1]["maps"] == []
    assert "explain_scan" not in {b.key for b in test.button}


def test_another_month_says_so_and_offers_it(opened: Callable[..., Any]) -> None:
    test, given = opened(FULL, month=12.0)
    assert "The colours speak of month 36, the page of month 12" in html(test)
    assert "explain_scan" in {b.key for b in test.button}
    assert given[-1]["maps"]


def test_an_unreadable_scan_says_why(opened: Callable[..., Any]) -> None:
    test, given = opened(BROKEN)
    assert not test.exception
    assert "arterial cannot be shown: a volume that cannot be read (damaged or cut off)" in html(test)
    assert "None of this patient&#x27;s scans can be read" in html(test)
    assert "broken" not in html(test)
    assert not given


def test_an_altered_map_is_told_and_the_scan_still_shown(opened: Callable[..., Any], workspace: Workspace) -> None:
    test, given = opened(FULL)
    path = explained_folder(Kind.SCAN, RUN, FULL, None, workspace) / "maps.json"
    path.write_text(path.read_text().replace("Shapley", "Oracle"))
    (path.parent / "manifest.json").touch()
    test.run()
    assert not test.exception
    assert "Oracle" not in html(test)
    assert given[-1]["phases"]
    assert given[-1]["maps"] == []


def test_a_patient_without_scans_has_a_reason(opened: Callable[..., Any]) -> None:
    test, given = opened(NONE)
    assert "this patient has no volumes" in html(test)
    assert not given


def test_phases_of_a_map_share_one_colour_scale(workspace: Workspace, tmp_path: Path) -> None:
    make_scan_workspace(workspace, tmp_path / "files")
    maps, (layer,) = make_map(), make_map().layers
    faint = replace(layer, key="faint", phase="t1", values=layer.values / 10)
    strong = replace(layer, key="strong", phase="arterial")
    other = replace(layer, key="other", title="Another map", values=np.zeros_like(layer.values))
    missing = replace(
        layer, key="missing", title="A third", absent="not computed", values=np.zeros((0, 0, 0), "float32")
    )
    data = viewer_data(
        read_scans(COHORT, FULL, workspace), replace(maps, layers=(faint, strong, other, missing)), VISITOR
    )
    assert [m["limit"] for m in data["maps"]] == pytest.approx([1.2, 1.2, 1.0, 1.0])
    assert [m["absent"] for m in data["maps"]] == ["", "", "", "not computed"]


def test_the_viewer_begins_in_the_tumour(workspace: Workspace, tmp_path: Path) -> None:
    make_scan_workspace(workspace, tmp_path / "files")
    found = read_scans(COHORT, FULL, workspace)
    data = viewer_data(found, None, VISITOR)
    mask = next(m for _, label, m in found.masks if label == "tumour")
    voxel = np.rint(np.linalg.inv(mask.affine) @ np.array([*data["start"], 1.0]))[:3].astype(int)
    assert mask.array[tuple(voxel)] == 1
