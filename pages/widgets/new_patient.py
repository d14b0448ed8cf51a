"""A new patient: a form or a folder, scored by the chosen run as a job, then shown like any other."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from core.cohort.import_roots import INCOMING, VARIABLE, import_roots, offered, path_inside_roots
from core.cohort.modality import Modality
from core.cohort.new_patient_form import Field, GivenFile, form_fields, stage_form
from core.cohort.uploads import keep_upload, remove_upload
from core.errors import PrognoscopeError
from core.jobs.supervise import submit_job
from core.results.naming import model_words, run_words
from core.results.run import Run
from core.results.workspace import Workspace
from pages.widgets.data import View, read_cohort
from pages.widgets.frame import show_error
from pages.widgets.html import note
from pages.widgets.new_patient_job import TASK, waiting_panel, watch

OPEN = "new_patient_open"
FORM, FOLDER = "Fill in a form", "Give a folder or a zip"
COLUMNS = 4
UNKNOWN = "not known"
OTHER_UNITS = ("TPM", "log2(TPM + 1)", "FPKM", "counts", "z-score")


def open_new_patient() -> None:
    """Show the panel instead of a patient, from the next run of the page on."""
    st.session_state[OPEN] = True


def is_open() -> bool:
    """Whether the panel stands where the patient would."""
    return bool(st.session_state.get(OPEN))


def _close() -> None:
    st.session_state.pop(OPEN, None)


def new_patient_panel(view: View, run: Run) -> None:
    """Two ways to hand a patient in; while the job runs, its progress; at its end the patient's own page."""
    left, right = st.columns([6, 1], vertical_alignment="center")
    with left:
        st.header("New patient")
    with right:
        st.button("Back", key="new_back", on_click=_close, width="stretch")
    if waiting_panel(view.workspace, _close):
        return
    note(f"Scored by {run_words(run)}. Kept in this workspace as a small cohort under a pseudonym; it can be deleted "
         "at any time. Do not enter names, birth dates or numbers of a hospital.")  # fmt: skip
    if run.synthetic:
        note("This run was trained on generated patients: its estimate says nothing of a real person.", warn=True)
    st.session_state.setdefault("new_way", FORM)
    way = st.segmented_control("How", (FORM, FOLDER), key="new_way", label_visibility="collapsed")
    if way == FOLDER:
        _folder(view.workspace, run)
    else:
        _form(view, run)


def _form(view: View, run: Run) -> None:
    base = view.cohort if view.cohort.name == run.cohort else read_cohort(run.cohort, view.workspace)
    fields = form_fields(base, run.modalities)
    with st.form("new_patient", border=False):
        used = [f for f in fields if f.used]
        answers: dict[str, object] = {}
        if used:
            st.subheader("What the run reads")
            answers |= _grid(used)
        files = _files(run, dict(base.genomics.units) if base.genomics is not None else {})
        rest = [f for f in fields if not f.used]
        if rest:
            with st.expander("Shown beside the estimate, not used by the model"):
                answers |= _grid(rest)
        sent = st.form_submit_button("Estimate", type="primary")
    if sent:
        try:
            folder = stage_form(
                answers, fields, view.workspace, files.slides, files.scans, files.report, files.genes
            )  # fmt: skip
        except PrognoscopeError as error:
            show_error(error)
            return
        _submit(view.workspace, run, folder, files.units)


def _grid(fields: list[Field]) -> dict[str, object]:
    answers: dict[str, object] = {}
    columns = st.columns(COLUMNS)
    for place, field in enumerate(fields):
        with columns[place % COLUMNS]:
            answers[field.column] = _ask(field)
    return answers


def _ask(field: Field) -> object:
    key = f"new_{field.column}"
    if field.numeric:
        return st.number_input(
            field.words, min_value=field.least, max_value=field.most, value=None, key=key,
            placeholder=field.range_words or UNKNOWN, help=field.range_words or None,
        )  # fmt: skip
    return st.selectbox(field.words, field.levels, index=None, key=key, placeholder=UNKNOWN)


class _Files:
    """What was handed in beside the values."""

    def __init__(self) -> None:
        self.slides: list[GivenFile] = []
        self.scans: list[GivenFile] = []
        self.report: str = ""
        self.genes: GivenFile | None = None
        self.units: dict[str, str] = {}


def _files(run: Run, units: Mapping[str, str]) -> _Files:
    """Only what the run reads is asked for."""
    found = _Files()
    asks: dict[Modality, Callable[[_Files], None]] = {
        Modality.GENOMICS: lambda f: _genes(f, units), Modality.SLIDES: _slides, Modality.VOLUMES: _scans,
        Modality.REPORTS: _report,
    }  # fmt: skip
    wanted = [m for m in asks if m.value in run.modalities]
    if not wanted:
        return found
    for column, modality in zip(st.columns(len(wanted)), wanted, strict=True):
        with column:
            asks[modality](found)
    note("Files up to 50 MB; larger slides and scans lie in a folder on this machine (the other way above).")
    return found


def _genes(found: _Files, units: Mapping[str, str]) -> None:
    words = ", ".join(f"{kind} in {unit}" for kind, unit in units.items()) or "as in the run's cohort"
    explained = f"One header with a column a gene, such as TP53_rnaseq. The run reads {words}."
    given = st.file_uploader("Genes (CSV, one line)", type=["csv", "tsv"], key="new_genes", help=explained)
    found.genes = _given(given)
    for kind, unit in units.items():
        if kind == "rnaseq":
            offered_units = [unit, *(u for u in OTHER_UNITS if u != unit)]
            chosen = st.selectbox("Unit of the expression values", offered_units, key="new_unit",
                                  help="Another unit than the run's is masked, with the reason.")  # fmt: skip
            found.units = {kind: str(chosen)}


def _slides(found: _Files) -> None:
    given = st.file_uploader("Slides", accept_multiple_files=True, key="new_slides")
    found.slides = [g for g in map(_given, given or ()) if g is not None]


def _scans(found: _Files) -> None:
    given = st.file_uploader("Scans (NIfTI)", accept_multiple_files=True, key="new_scans")
    found.scans = [g for g in map(_given, given or ()) if g is not None]


def _report(found: _Files) -> None:
    found.report = (
        st.text_area(
            "Report, without names and dates",
            key="new_report",
            height=120,
            help="What looks like a name, a date or a number of a person is replaced before the text is stored.",
        )
        or ""
    )


def _given(uploaded: object) -> GivenFile | None:
    if uploaded is None:
        return None
    return GivenFile(str(uploaded.name), bytes(uploaded.getvalue()))  # type: ignore[attr-defined]


def _folder(workspace: Workspace, run: Run) -> None:
    """A zip from the user's machine, or a folder on this one."""
    note(
        "A folder with patients.csv (a column id, then the clinical values by name, a unit in brackets where it "
        "differs, genes as TP53_rnaseq …) and, where there are any, slides/<id>…, volumes/<id>…, reports/<id>.txt."
    )
    left, right = st.columns(2, gap="large")
    with left:
        given = st.file_uploader("A zip of such a folder", type=["zip"], key="new_zip")
        if st.button("Estimate", key="new_zip_go", type="primary", disabled=given is None) and given is not None:
            _submit(workspace, run, keep_upload("patient.zip", given.getbuffer(), workspace), {})
    with right:
        found = offered(workspace)
        chosen = st.selectbox(
            "Or a folder on this machine", found, index=None, key="new_path", accept_new_options=True,
            format_func=lambda p: Path(p).name if p in found else p,
        )  # fmt: skip
        roots = ", ".join(str(r) for r in import_roots(workspace)) or f"none yet: make {workspace.root / INCOMING}"
        note(f"Import folders: {roots}. The setting {VARIABLE} names more.")
        if st.button("Estimate", key="new_path_go", type="primary", disabled=not chosen) and chosen:
            try:
                _submit(workspace, run, path_inside_roots(chosen, workspace), {})
            except PrognoscopeError as error:
                show_error(error)


def _submit(workspace: Workspace, run: Run, path: Path, units: Mapping[str, str]) -> None:
    """Hand the patient to the worker and watch it."""
    now = datetime.now(UTC)
    arguments = {
        "run": run.id, "path": str(path), "name": f"new-{secrets.token_hex(4)}",
        "title": f"New patient of {now:%Y-%m-%d %H:%M} UTC", "gene_units": dict(units),
    }  # fmt: skip
    try:
        job = submit_job(workspace, TASK, arguments, f"Estimating a new patient with {model_words(run.model)}")
    except PrognoscopeError:
        remove_upload(path, workspace)
        raise
    watch(job)
    st.rerun()
