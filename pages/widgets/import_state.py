"""The import wizard's state: one immutable record in the session, and the upload that goes when the wizard is left."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import streamlit as st

from core.cohort.beside import Beside, Join
from core.cohort.checking import Checked
from core.cohort.import_request import ImportRequest, is_large
from core.cohort.importers.folder import FORMAT as FOLDER
from core.cohort.preview import Preview, preview
from core.cohort.table_mapping import EndpointMapping, TableMapping
from core.cohort.uploads import is_upload, opened, sweep_uploads
from core.errors import PrognoscopeError
from core.jobs.supervise import cancel_job
from core.results.workspace import Workspace
from pages.widgets.import_upload import give_up_upload, hold_upload

KEY = "import_wizard"


class Step(StrEnum):
    """Where the wizard is."""

    CHOOSE = "choose"
    CHECK = "check"
    STORE = "store"
    STORED = "stored"


@dataclass(frozen=True)
class Wizard:
    """Everything the wizard knows.

    ``source`` is what was uploaded or named, ``path`` what is looked into: the unpacked folder of a packed study ·
    ``problem`` is the one reason why the study cannot be read as it stands · ``checked`` the result of reading it, made
    for the question ``asked`` · ``beside`` files joined to the study, ``beside_problem`` why one was not · ``agreed``:
    the user confirmed what each event code means · ``job`` the id of the job that reads or stores a large study ·
    ``cohort`` the name under which it was stored · ``identifying`` what becomes of reports that
    may tell who a patient is.
    """

    step: Step = Step.CHOOSE
    path: Path | None = None
    source: Path | None = None
    large: bool = False
    forced: str = ""
    preview: Preview | None = None
    mapping: TableMapping = field(default_factory=TableMapping)
    problem: PrognoscopeError | None = None
    checked: Checked | None = None
    asked: str = ""
    agreed: bool = False
    name: str = ""
    title: str = ""
    job: str = ""
    cohort: str = ""
    uploads: int = 0
    beside: tuple[Beside, ...] = ()
    beside_problem: PrognoscopeError | None = None
    identifying: str = ""

    @property
    def open_questions(self) -> tuple[str, ...]:
        """What the user has yet to answer; nothing for a format that brings its own meaning."""
        if self.preview is None or self.preview.mapping is None:
            return ()
        return self.mapping.open_questions(self.preview.codes)

    def request(self, to_store: bool = False) -> ImportRequest:
        """The import the wizard describes: of the unpacked study to check it, of a packed one to store it.

        An archive with patients' files is unpacked once more by the import, into the place where they stay.
        """
        mapped = self.preview is not None and self.preview.mapping is not None
        packed = to_store and self.preview is not None and self.preview.format == FOLDER
        return ImportRequest(
            path=str(self.source if packed else self.path), name=self.name or "study", title=self.title,
            format=self.forced,
            columns=self.mapping.columns() if mapped else {}, events=self.mapping.events() if mapped else {},
            families=next(iter(self._paths(Join.FAMILIES)), ""), clinical=self._paths(Join.CLINICAL),
            reports=self._paths(Join.REPORTS), media=self._paths(Join.MEDIA),
            identifying=self.identifying,
        )  # fmt: skip

    @property
    def undecided(self) -> bool:
        """Whether something in the reports may identify and nobody said what becomes of it."""
        return self.checked is not None and bool(self.checked.identifying.kinds) and not self.identifying

    def _paths(self, join: Join) -> tuple[str, ...]:
        return tuple(str(b.path) for b in self.beside if b.join is join)

    @property
    def question(self) -> str:
        """What the check depends on, so that it is made again only when that changed."""
        request = self.request()
        named = (request.families, request.clinical, request.reports, request.media)
        mapped = (sorted(request.columns.items()), sorted(request.events.items()))
        return repr((request.path, request.format, *mapped, *named))


def current() -> Wizard | None:
    """The open wizard, or None."""
    found = st.session_state.get(KEY)
    return found if isinstance(found, Wizard) else None


def change(**changes: Any) -> None:
    """Change the open wizard."""
    st.session_state[KEY] = replace(current() or Wizard(), **changes)


def change_mapping(**changes: Any) -> None:
    """Change the mapping; what was confirmed has to be confirmed again when codes may have changed."""
    wizard = current() or Wizard()
    change(mapping=replace(wizard.mapping, **changes), agreed=wizard.agreed and "endpoints" not in changes)


def change_endpoint(number: int, **changes: Any) -> None:
    """Change one endpoint of the mapping."""
    endpoints = list((current() or Wizard()).mapping.endpoints)
    endpoints[number] = replace(endpoints[number], **changes)
    words_only = set(changes) <= {"event_label", "competing_label"}
    agreed = (current() or Wizard()).agreed
    change_mapping(endpoints=tuple(endpoints))
    change(agreed=agreed and words_only)


def add_endpoint() -> None:
    """One more endpoint, still without columns."""
    endpoints = (current() or Wizard()).mapping.endpoints
    free = next((n for n in ("OS", "RFS", "DFS", "PFS", "DSS") if n not in {e.name for e in endpoints}), "EVENT")
    change_mapping(endpoints=(*endpoints, EndpointMapping(free)))


def drop_endpoint(number: int) -> None:
    """Take an endpoint away."""
    endpoints = (current() or Wizard()).mapping.endpoints
    change_mapping(endpoints=endpoints[:number] + endpoints[number + 1 :])


def open_wizard() -> None:
    """Begin: uploads that others left behind long ago are removed on the way."""
    sweep_uploads(Workspace.default())
    st.session_state[KEY] = Wizard()


def close_wizard() -> None:
    """Leave: the upload is removed, and a job that only reads it is stopped."""
    _stop_reading()
    give_up_upload()
    st.session_state.pop(KEY, None)


def start_again() -> None:
    """Back to the choice of a study; the upload is removed."""
    _stop_reading()
    give_up_upload()
    st.session_state[KEY] = Wizard(uploads=(current() or Wizard()).uploads + 1)


def lost_upload() -> bool:
    """True when the chosen study is gone; the wizard then begins again and says so."""
    wizard = current()
    if wizard is None or wizard.path is None or wizard.path.exists() or wizard.job:
        return False
    start_again()
    change(problem=PrognoscopeError("the study is no longer there", "this page", "choose it again"))
    return True


def _stop_reading() -> None:
    wizard = current()
    if wizard is not None and wizard.job and wizard.step is Step.CHECK:
        cancel_job(Workspace.default(), wizard.job)


def look_at(source: Path, workspace: Workspace) -> None:
    """Preview an upload or a study on this machine; one that cannot be read stays at the choice, with the reason."""
    try:
        path = opened(source, workspace)
        if is_upload(path, workspace):
            hold_upload(path)
        found = preview(path)
    except PrognoscopeError as error:
        change(problem=error)
        give_up_upload()
        return
    _previewed(found, path)
    change(step=Step.CHECK, source=source, title=source.name.partition(".")[0], name="")


def read_as(kind: str) -> None:
    """Preview the same study as another format; the recognised one is ``""``."""
    wizard = current()
    if wizard is None or wizard.path is None:
        return
    try:
        _previewed(preview(wizard.path, kind or None), wizard.path, kind)
    except PrognoscopeError as error:
        change(forced=kind, preview=None, checked=None, problem=error)
        change(asked=(current() or wizard).question)


def _previewed(found: Preview, path: Path, forced: str = "") -> None:
    change(
        path=path, large=is_large(path, found.format), forced=forced, preview=found,
        mapping=found.mapping or TableMapping(), problem=None, checked=None, asked="", agreed=False,
        identifying="",
    )  # fmt: skip
