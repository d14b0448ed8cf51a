"""Which modalities a training reads: how many patients have each, and what has to be encoded first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.cohort.media_index import load_media
from core.cohort.sample import NAME as SAMPLE
from core.errors import PrognoscopeError
from core.jobs.queue import JobQueue
from core.jobs.supervise import submit_job
from core.results.feature_records import load_record
from core.results.workspace import Workspace
from pages.widgets import state as page
from pages.widgets.data import View
from pages.widgets.frame import show_error
from pages.widgets.html import note

TABLES = ("genomics", "clinical")
SAMPLE_TASKS = ("complete-sample", "prepare-sample")
"""The jobs that make the sample cohort's files."""
PROBLEM, NEEDED = "train_encode_problem", "train_modality_needed"


@dataclass(frozen=True)
class Offered:
    """A modality of the cohort: how many patients have it, how many of them can be read now, and by this model.

    ``files`` whether its files are in this workspace.
    """

    name: str
    patients: int
    ready: int
    readable: bool
    files: bool = True

    @property
    def usable(self) -> bool:
        return self.readable and self.ready > 0


def offered(view: View) -> tuple[Offered, ...]:
    """The cohort's modalities in their order."""
    record = load_record(view.cohort.name, view.workspace)
    media = load_media(view.cohort.name, view.workspace)
    found = []
    for modality in view.cohort.modalities:
        patients = int(view.cohort.availability[modality.value].sum())
        encoded = record.modalities.get(modality.value)
        ready = patients if modality.value in TABLES else len(encoded.keys) if encoded is not None else 0
        readable = modality.value in page.current().training.entry.modalities
        files = modality.value in TABLES or bool(media.patients(modality))
        found.append(Offered(modality.value, patients, ready, readable, files))
    return tuple(found)


def usual_modalities(view: View) -> tuple[str, ...]:
    """What a training reads when nothing was chosen: all that the model can read now."""
    return tuple(o.name for o in offered(view) if o.usable)


def modalities_choice(view: View) -> tuple[str, ...]:
    """A box a modality with its patients; returns those a training would use."""
    found = offered(view)
    usual = tuple(o.name for o in found if o.usable)
    asked = page.current().training.modalities
    used = tuple(m for m in usual if m in asked) if asked else usual
    st.html('<p class="field">Modalities</p>')
    for item in found:
        key = f"train_modality_{item.name}"
        st.session_state[key] = item.name in used
        st.checkbox(
            f"{item.name} · {item.patients:,} patients", key=key, disabled=not item.usable,
            on_change=_toggle, args=(item.name, used, usual), help=_help(item),
        )  # fmt: skip
    _encode(view, tuple(o for o in found if o.readable and o.ready == 0))
    if st.session_state.pop(NEEDED, False):
        note("At least one modality is needed.", warn=True)
    return used


def _help(item: Offered) -> str:
    if not item.readable:
        return f"{page.current().training.entry.title} cannot read {item.name}."
    if not item.ready:
        return "Has to be encoded first: turned from files into numbers a model can read."
    if item.ready < item.patients:
        return f"{item.patients - item.ready:,} of these patients have a file that could not be read."
    return "A patient without it still takes part when another chosen modality is there."


def _toggle(name: str, used: tuple[str, ...], usual: tuple[str, ...]) -> None:
    wanted = tuple(m for m in usual if (m in used) != (m == name))
    if wanted:
        page.train_with(modalities=wanted)
    else:
        st.session_state[NEEDED] = True


def _being_made(workspace: Workspace) -> bool:
    """Whether a job that makes the sample's files waits or runs."""
    return any(job.task in SAMPLE_TASKS for job in JobQueue(workspace).unfinished())


def _encode(view: View, missing: tuple[Offered, ...]) -> None:
    """Offer as a job what has to happen before a training can read a modality."""
    there, absent = tuple(o.name for o in missing if o.files), tuple(o.name for o in missing if not o.files)
    if there:
        words = _listed(there)
        note(f"{words[:1].upper()}{words[1:]} cannot be read yet: encode first.")
        st.button(
            f"Encode {words}", key="train_encode", on_click=_start,
            args=(view.workspace, "encode", {"cohort": view.cohort.name, "modalities": list(there)},
                  f"Encode {words} of {view.cohort.title}"),
            help="A job turns the files into numbers; the result is kept and used by every later training.",
        )  # fmt: skip
    if absent and view.cohort.name == SAMPLE and _being_made(view.workspace):
        note(f"The {_listed(absent)} of the sample are being made now: see the jobs at the top.")
    elif absent and view.cohort.name == SAMPLE:
        note(f"The {_listed(absent)} of the sample are made on request, which takes a few minutes.")
        st.button(
            "Make them", key="train_complete", on_click=_start,
            args=(view.workspace, "complete-sample", {}, f"Files of {view.cohort.title}"),
        )  # fmt: skip
    elif absent:
        note(f"No file of the {_listed(absent)} is known here: import them first.")
    problem = st.session_state.pop(PROBLEM, None)
    if isinstance(problem, PrognoscopeError):
        show_error(problem)


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _start(workspace: Workspace, task: str, arguments: dict[str, Any], title: str) -> None:
    try:
        job = submit_job(workspace, task, arguments, title)
    except PrognoscopeError as error:
        st.session_state[PROBLEM] = error
        return
    page.watch_job(job.id)
