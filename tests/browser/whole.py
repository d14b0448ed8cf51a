"""One workspace in which every page has everything to show: a run with its explanations, media, an audit, a board."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.board.bundle import freeze
from core.board.sources import read_sources
from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.cohort.sample import save_sample
from core.results.audit import save_audit
from core.results.board_store import add_patients, new_board
from core.results.cohort_explanation import save_cohort_explanation
from core.results.explanation import save_explanation
from core.results.own_support import OwnSupport, write_own_support
from core.results.report_evidence import save_report_evidence
from core.results.routing_record import save_routing
from core.results.run_store import save_run
from core.results.views import save_view
from core.results.workspace import Workspace
from pages.widgets.state import PageState
from tests.browser.conftest import Served, application
from tests.pages.audits import biofact_run, make_audit
from tests.pages.builders import make_predictions, make_run
from tests.pages.explanations import make_cohort_explanation, make_explanation
from tests.pages.reports import TEXT, make_evidence
from tests.pages.routings import make_routing
from tests.serving import scan_patient
from tests.serving.slide_places import corners_of, maps_of, store_maps, write_slide

RUN, AUDITED, PATIENT = "hdmoe-whole", "biofact-sample-2", "SYN-0001"
SIDE, WIDE, HIGH = 224, 2240, 1568


@dataclass(frozen=True)
class Whole:
    """The application, and page states to open it in: of the patient, of the audited run, of a patient with a scan."""

    served: Served
    patient: str
    audited: str
    scanned: str


@contextmanager
def whole_app(folder: Path) -> Iterator[Whole]:
    """The running application."""
    workspace = Workspace(folder / "workspace")
    cohort = save_sample(workspace)
    _run(workspace, folder)
    predictions = make_predictions(cohort)
    audited = replace(biofact_run(cohort, predictions), created_at="2020-01-01T00:00:00")
    save_run(audited, predictions, workspace)
    save_audit(make_audit(AUDITED), workspace)
    scan_patient.make_scan_workspace(workspace, folder / "scans")
    board = new_board("Liver board", "IRB 2026-17", "sample", RUN, 36.0, workspace)
    board = add_patients(board.id, (PATIENT, "SYN-0002"), workspace)
    freeze(board, read_sources(RUN, "sample", workspace))
    states = (
        PageState(cohort="sample", run=RUN, patient=PATIENT, board=board.id),
        PageState(cohort="sample", run=AUDITED),
        PageState(cohort=scan_patient.COHORT, run=scan_patient.RUN, patient=scan_patient.FULL),
    )
    with application(workspace, folder / "server.log") as running:
        yield Whole(running, *(save_view(state.as_json(), workspace) for state in states))


def _run(workspace: Workspace, folder: Path) -> None:
    """A run of ten seeds that knows its support and reads everything but scans, with all it can be asked."""
    cohort = save_sample(workspace)
    predictions = make_predictions(cohort, seeds=tuple(range(10)))
    run = replace(make_run(cohort, predictions, RUN), modalities=("slides", "genomics", "reports", "clinical"))
    table = pd.DataFrame({"id": cohort.ids, "supported": True, "reason": "", "distance": 0.4})
    save_run(run, predictions, workspace, lambda target: write_own_support(OwnSupport(table), target))
    save_explanation(make_explanation(RUN, PATIENT), workspace)
    save_cohort_explanation(make_cohort_explanation(cohort, RUN), workspace)
    save_routing(make_routing(cohort, predictions, RUN), workspace)
    save_report_evidence(replace(make_evidence(), run=RUN), workspace)
    corners = corners_of(WIDE, HIGH, SIDE)
    store_maps(maps_of(RUN, PATIENT, corners, SIDE), workspace)
    slide, report = write_slide(folder / "slide.tif", _tissue(corners), 0.5, (1, 4)), folder / "report.txt"
    report.write_text(TEXT, encoding="utf-8")
    files = (
        MediaFile(PATIENT, Modality.SLIDES, MediaKind.SLIDE, str(slide)),
        MediaFile(PATIENT, Modality.REPORTS, MediaKind.REPORT, str(report), "radiology"),
    )
    save_media("sample", MediaIndex(files), workspace)


def _tissue(corners: np.ndarray) -> np.ndarray:
    """A pink slide, each patch a little darker than the one before."""
    image = np.full((HIGH, WIDE, 3), 240, dtype=np.uint8)
    for i, (x, y) in enumerate(corners):
        image[y : y + SIDE, x : x + SIDE] = (220 - i, 150 - i, 190 - i)
    return image
