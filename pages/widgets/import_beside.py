"""Files that are joined to the study in the wizard: gene families, clinical tables, reports, and an index of media."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from core.cohort.beside import Beside, Join, look_beside
from core.cohort.import_roots import offered, path_inside_roots
from core.cohort.uploads import keep_upload, opened
from core.errors import PrognoscopeError
from core.results.workspace import Workspace
from pages.widgets import import_state as wizard
from pages.widgets import import_upload as upload
from pages.widgets.frame import show_error
from pages.widgets.html import note
from pages.widgets.import_state import Wizard

TITLE = "Join more files: gene families, clinical tables, reports, media"
EXPLAINED: Mapping[Join, str] = {
    Join.FAMILIES: "A CSV with a column a family, or a GMT file. Without it all genes are one family.",
    Join.CLINICAL: "A GDC clinical.tsv, or a biotab folder (as a zip, or on this machine), joined by case id.",
    Join.REPORTS: "A table with a column of case ids (case_id …) and one of texts (text …), and where wanted a label.",
    Join.MEDIA: "A table with the columns id, path and modality (slides, volumes, reports), and where wanted kind and "
    "label. It lies in an import folder of this machine, beside or above the files that it names.",
}
ENDINGS: Mapping[Join, list[str]] = {
    Join.FAMILIES: ["csv", "gmt"],
    Join.CLINICAL: ["tsv", "txt", "zip"],
    Join.REPORTS: ["csv", "tsv", "txt", "gz", "zip"],
}


def beside_panel(state: Wizard, workspace: Workspace) -> None:
    """Folded away; what is joined already stands below it with what is in it."""
    with st.expander(TITLE):
        st.session_state.setdefault("import_join", Join.FAMILIES.value)
        chosen = st.segmented_control(
            "What it is", [j.value for j in Join], key="import_join", required=True, label_visibility="collapsed",
            format_func=lambda j: f"{j[:1].upper()}{j[1:]}",
        )  # fmt: skip
        join = Join(chosen or Join.FAMILIES.value)
        note(EXPLAINED[join])
        _from_the_user(state, join, workspace)
        _from_this_machine(join, workspace)
        if state.beside_problem is not None:
            show_error(state.beside_problem)
    for place, found in enumerate(state.beside):
        with st.container(border=True, key=f"import_beside_{place}", horizontal=True, vertical_alignment="center"):
            with st.container():
                st.text(f"{found.join.value[:1].upper()}{found.join.value[1:]}: {found.name}")
                note(found.words)
            st.button("Remove", key=f"import_beside_drop_{place}", on_click=_drop, args=(found,))


def _from_the_user(state: Wizard, join: Join, workspace: Workspace) -> None:
    if join not in ENDINGS:
        return
    given = st.file_uploader("Upload it", type=ENDINGS[join], key=f"import_beside_{join.name}_{state.uploads}")
    if given is None:
        return
    path = keep_upload(given.name, given.getbuffer(), workspace)
    upload.hold_beside(path)
    wizard.change(uploads=state.uploads + 1)  # a new key: the copy in memory is dropped
    if not _add(join, path, given.name, workspace):
        upload.give_up_beside(path)
    st.rerun()


def _from_this_machine(join: Join, workspace: Workspace) -> None:
    found = offered(workspace)
    left, right = st.columns([5, 1], vertical_alignment="bottom")
    with left:
        named = st.selectbox(
            "Or one on this machine", found, index=None, key=f"import_beside_path_{join.name}",
            accept_new_options=True, placeholder="Choose, or type a path below an import folder",
            format_func=lambda path: Path(path).name if path in found else path,
        )  # fmt: skip
    with right:
        pressed = st.button("Join it", key="import_beside_add", disabled=not named, width="stretch")
    if pressed and named:
        try:
            path = path_inside_roots(named, workspace)
        except PrognoscopeError as error:
            wizard.change(beside_problem=error)
        else:
            _add(join, path, path.name, workspace)
        st.rerun()


def _add(join: Join, path: Path, name: str, workspace: Workspace) -> bool:
    """Look into it and join it; what cannot be that is told in one sentence and not joined."""
    state = wizard.current() or Wizard()
    try:
        unpacked = opened(path, workspace) if join is Join.CLINICAL and path.is_file() else path
        found = look_beside(join, unpacked, name)
    except PrognoscopeError as error:
        wizard.change(beside_problem=error)
        return False
    held = [b for b in state.beside if b.path != found.path]
    for earlier in [b for b in held if join is Join.FAMILIES and b.join is join]:  # there is one set of families
        held.remove(earlier)
        upload.give_up_beside(earlier.path)
    wizard.change(beside=(*held, found), beside_problem=None)
    return True


def _drop(found: Beside) -> None:
    state = wizard.current() or Wizard()
    upload.give_up_beside(found.path)
    wizard.change(beside=tuple(b for b in state.beside if b is not found), beside_problem=None)
