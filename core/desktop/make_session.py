"""A session for one patient of a run, from what the workspace holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.cohort.media_index import MediaIndex, MediaKind, load_media
from core.cohort.modality import Modality
from core.desktop.session import Looking, MapEntry, ScanEntry, Session, SlideEntry
from core.errors import PrognoscopeError
from core.media.geojson import Area
from core.media.heat_scale import Over, Shown
from core.media.scan_names import scan_names
from core.media.slides import open_slide
from core.results.explained import Kind, has_explanation
from core.results.run import Run
from core.results.run_store import load_run
from core.results.scan_maps import load_scan_maps
from core.results.slide_maps import LayerKind, load_slide_maps
from core.results.workspace import Workspace

OPACITY = 0.75
"""Of a layer of maps that nobody chose another one for; that of the browser's viewer at its start."""


def make_session(
    run_id: str,
    patient: str,
    workspace: Workspace,
    looking: Looking | None = None,
    annotations: Mapping[int, tuple[Area, ...]] | None = None,
    cohort: str = "",
    shown: Shown = Shown.PERCENTILE,
    over: Over = Over.SLIDE,
) -> Session:
    """What can be shown of a patient (pseudonym) under a run; what is missing stands in the notes.

    ``annotations`` slide number → areas · ``cohort`` the patient's, where the run was trained on another one ·
    ``shown``, ``over`` how the maps are coloured; both begin as they do in the browser.

    Raises
    ------
    PrognoscopeError
        When the patient has neither a slide nor a scan that can be opened, or not the slide to begin with.
    """
    run = load_run(run_id, workspace)
    cohort = cohort or run.cohort
    index = load_media(cohort, workspace)
    notes: list[str] = []
    slides = _slides(index, patient, notes)
    scans = _scans(index, patient)
    if not slides and not scans:
        raise PrognoscopeError(
            "a patient without slides and scans" + "".join(f"; {n}" for n in notes), f"run {run.id}",
            "choose a patient who has a slide or a scan",
        )  # fmt: skip
    session = Session(str(workspace.root), cohort, run.id, patient, run.synthetic, slides, scans=scans)
    begin = looking or Looking(slide=slides[0].number if slides else 0)
    if slides and begin.slide not in {s.number for s in slides}:
        raise PrognoscopeError(
            f"slide {begin.slide + 1}, which is not there or cannot be read", f"run {run.id}", "choose another slide"
        )
    maps = _maps(run, patient, begin, workspace, notes) if slides else ()
    return replace(
        session,
        maps=tuple(replace(m, shown=shown, over=over) for m in maps),
        scan_maps=bool(scans) and _has_scan_maps(run, patient, workspace, notes),
        annotations=dict(annotations or {}),
        looking=begin,
        notes=tuple(notes),
    )


def _slides(index: MediaIndex, patient: str, notes: list[str]) -> tuple[SlideEntry, ...]:
    found = []
    for number, file in enumerate(index.of(patient, Modality.SLIDES, MediaKind.SLIDE)):
        try:
            with open_slide(file.path) as slide:
                found.append(SlideEntry(number, file.path, slide.mpp, slide.mpp_source))
        except PrognoscopeError as error:
            notes.append(f"slide {number + 1}: {error.found}")
    return tuple(found)


def _scans(index: MediaIndex, patient: str) -> tuple[ScanEntry, ...]:
    files = index.of(patient, Modality.VOLUMES)
    volumes = [f for f in files if f.kind is MediaKind.VOLUME]
    if not volumes:
        return ()
    named = zip(volumes, scan_names([f.label for f in volumes]), strict=True)
    masks = (ScanEntry(f.path, f.label or "region", mask=True) for f in files if f.kind is MediaKind.MASK)
    return (*(ScanEntry(f.path, name) for f, name in named), *masks)


def _maps(run: Run, patient: str, looking: Looking, workspace: Workspace, notes: list[str]) -> tuple[MapEntry, ...]:
    if not has_explanation(Kind.SLIDE, run.id, patient, None, workspace):
        notes.append("no maps over the slide were made yet (./run cli explain)")
        return ()
    layers = load_slide_maps(run.id, patient, workspace).layers
    notes += [f"{x.title}: {x.absent}" for x in layers if x.absent]
    there = [x for x in layers if not x.absent]
    first = next((x.key for x in there if x.kind is LayerKind.ATTENTION), there[0].key if there else "")
    shown = dict(looking.opacities) or {first: OPACITY}
    return tuple(
        MapEntry(x.key, x.title, opacity=float(shown.get(x.key, OPACITY)), visible=x.key in shown) for x in there
    )


def _has_scan_maps(run: Run, patient: str, workspace: Workspace, notes: list[str]) -> bool:
    if not has_explanation(Kind.SCAN, run.id, patient, None, workspace):
        notes.append("no maps over the scan were made yet (./run cli explain)")
        return False
    layers = load_scan_maps(run.id, patient, workspace).layers
    notes += [f"{x.title}: {x.absent}" for x in layers if x.absent]
    return any(not x.absent for x in layers)
