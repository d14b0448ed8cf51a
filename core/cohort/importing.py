"""From a path to a cohort in the workspace: recognise, read, check, assemble, save. Each step is a function."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from core.cohort.assembling import Imported, assemble, check_reports, match_genes, read_folds
from core.cohort.cohort import Cohort
from core.cohort.identifying import without_identifying
from core.cohort.importers.draft import Draft, Progress, silent
from core.cohort.importers.folder import join_media
from core.cohort.importers.joining import join, read_clinical
from core.cohort.importers.readers import READERS, ReadOptions
from core.cohort.importers.recognise import FORMATS, recognise
from core.cohort.importers.report_tables import join_reports, read_reports
from core.cohort.media_index import MediaIndex, staged_media
from core.cohort.pseudonyms import known_secret, workspace_secret
from core.cohort.report_findings import Identifying
from core.cohort.report_texts import staged_reports
from core.cohort.storage import staged_cohort
from core.cohort.tombstones import erased_before
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.results.feature_records import forget_record
from core.results.workspace import Workspace, checked_name

__all__ = ["Imported", "check_draft", "import_cohort", "import_into", "read_draft", "save_imported"]

MAPPED = ("table", "folder")
"""Formats whose columns the user may name; every other one knows its own."""


def import_cohort(
    path: Path,
    name: str,
    *,
    format: str | None = None,
    families: Path | None = None,
    clinical: Sequence[Path] = (),
    reports: Sequence[Path] = (),
    media: Sequence[Path] = (),
    events: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    time_zero: str | None = None,
    title: str | None = None,
    secret: bytes | Workspace | None = None,
    unpack_to: Path | None = None,
    identifying: Identifying | None = None,
    progress: Progress = silent,
) -> Imported:
    """Read a study; nothing is written but, on first use, the workspace's pseudonym secret.

    Parameters
    ----------
    path : Path
        A table, a study folder, or a zip of either.
    name : str
        Key of the cohort in the workspace.
    format : str, optional
        One of ``FORMATS``; recognised by itself when not given.
    families : Path, optional
        CSV or GMT of gene families; one family of all genes without it.
    clinical : sequence of Path
        GDC ``clinical.tsv`` or biotab folders to join by case id.
    reports : sequence of Path
        Tables of report texts to join by case id.
    media : sequence of Path
        Tables that name slides, scans and reports of the patients by paths below their own folder.
    events : mapping of str to str, optional
        The user's meaning of each outcome code: ``censored``, ``event`` or ``competing``.
    columns : mapping, optional
        For the ``table`` and ``folder`` formats: ``id``, ``time``, ``event`` and, where they exist, ``entry``,
        ``time_unit``, ``competing_label`` …
    time_zero : str, optional
        The moment months are counted from, where the user knows better than the format.
    title : str, optional
        Words for a page, where the file's name will not do.
    secret : bytes or Workspace, optional
        Key of the pseudonyms, or the workspace that has it; the default workspace when not given. A key is made
        last, so that a study that is refused leaves a new workspace without one.
    unpack_to : Path, optional
        New folder for the contents of a zipped study folder, which is refused without it.
    identifying : Identifying, optional
        What becomes of reports that may tell who a patient is; without it a study with such a report is refused, and
        the refusal says what was found.

    Raises
    ------
    PrognoscopeError
        For input that cannot be trusted; one sentence, never with an original id.
    """
    checked_name(name, "cohort name")
    path = Path(path).absolute()
    draft = read_draft(path, format, ReadOptions(events, columns or {}, progress, unpack_to), clinical, reports, media)
    check_draft(draft, path.name)
    draft = without_identifying(draft)
    if time_zero:
        moved = {k: replace(e, time_zero=time_zero) for k, e in draft.endpoints.items()}
        draft = replace(draft, endpoints=moved)
    if title:
        draft = replace(draft, title=title)
    progress(0.85, "assigning pseudonyms and gene families")
    genes = match_genes(draft, families)
    owner = secret if isinstance(secret, Workspace) else Workspace.default()
    key = secret if isinstance(secret, bytes) else known_secret(owner)
    folds = read_folds(draft, key)
    if key is None and identifying is None:
        check_reports(draft)
    return assemble(draft, name, genes, folds, workspace_secret(owner) if key is None else key, identifying)


def import_into(workspace: Workspace, path: Path, name: str, **options: object) -> Cohort:
    """Import and save. When anything fails, the workspace holds what it held before.

    Parameters
    ----------
    **options
        The keyword arguments of :func:`import_cohort`.
    """
    with _room_to_unpack(name, workspace) as room:
        imported = import_cohort(path, name, secret=workspace, unpack_to=room, **options)  # type: ignore[arg-type]
        imported = told_of_erased(imported, workspace)
        save_imported(imported, workspace)
        for read in imported.read_whole:
            if read.is_relative_to(room):  # tables and texts of an archive are kept under pseudonyms alone
                read.unlink(missing_ok=True)
    return imported.cohort


def told_of_erased(imported: Imported, workspace: Workspace) -> Imported:
    """With a warning that patients are among these who were erased from this workspace; nobody is named."""
    days = sorted(erased_before(imported.original_ids.values(), workspace).values())
    if not days:
        return imported
    words = (
        f"{plural(len(days), 'patient')} of this import {'was' if len(days) == 1 else 'were'} erased here on "
        f"{' and '.join(dict.fromkeys(days))} on withdrawal of consent: make sure that a new consent is at hand, or "
        "erase again."
    )
    cohort = replace(imported.cohort, warnings=(words, *imported.cohort.warnings))
    return replace(imported, cohort=cohort)


def read_draft(
    path: Path,
    format: str | None,
    options: ReadOptions,
    clinical: Sequence[Path] = (),
    reports: Sequence[Path] = (),
    media: Sequence[Path] = (),
) -> Draft:
    """Read a study as what it is, or as ``format``, and join the clinical tables, reports and files given with it."""
    draft = READERS[_format(path, format, options.columns)](path, options)
    for table in clinical:
        draft = join(draft, read_clinical(Path(table), set(draft.ids)))
    for texts in reports:
        draft = join_reports(draft, read_reports(Path(texts)))
    for table in media:
        draft = join_media(draft, Path(table))
    return draft


def check_draft(draft: Draft, where: str) -> None:
    """Refuse a study nothing could be learned from."""
    if len(draft.ids) < 2:
        raise PrognoscopeError(plural(len(draft.ids), "patient"), where, "import a cohort of at least two patients")
    if not draft.endpoints:
        raise PrognoscopeError("no outcome", where, "give a table with a time and an event for each patient")
    if not any(e.event.any() for e in draft.endpoints.values()):
        raise PrognoscopeError("no patient with an event", where, "check which code means event")


def save_imported(imported: Imported, workspace: Workspace) -> None:
    """Store a cohort with its media and reports; all of it takes the place of an earlier one, or none.

    What was encoded of an earlier cohort of the name no longer counts; encoding again finds what stayed the same.
    """
    cohort = imported.cohort
    with (
        staged_cohort(cohort, imported.original_ids, workspace) as staged,
        staged_reports(cohort.name, imported.reports, workspace) as texts,
        staged_media(cohort.name, MediaIndex((*imported.media.files, *texts)), workspace),
    ):
        # all is written: what follows are renames, the cohort's own the last, so that one is never there without its
        # media, beside those of an earlier one, or with what was encoded of them
        staged.make_room()
        forget_record(cohort.name, workspace)


@contextmanager
def _room_to_unpack(name: str, workspace: Workspace) -> Iterator[Path]:
    """A folder of the cohort's own that does not exist yet. On failure it is removed, otherwise what was beside it."""
    home = workspace.media_of(name)
    room = home / uuid.uuid4().hex[:12]
    new = () if workspace.root.exists() else (workspace.root,)
    workspace.media.mkdir(parents=True, exist_ok=True)
    workspace.media.chmod(0o700)  # files as they were brought: their names and headers may name people
    try:
        yield room
        earlier = [p for p in home.iterdir() if p != room] if home.is_dir() else []
        for old in earlier:
            shutil.rmtree(old)
    except BaseException:
        if room.exists():
            shutil.rmtree(room)
        raise
    finally:
        for folder in (home, workspace.media, *new):
            with suppress(OSError):  # not there, or not empty
                folder.rmdir()


def _format(path: Path, forced: str | None, columns: Mapping[str, str]) -> str:
    """The format asked for, or the one the path is in; a choice that would be ignored is refused."""
    if not path.exists():
        raise PrognoscopeError("no such file or folder", path.name, "check the path")
    kind = forced or recognise(path)
    if kind not in FORMATS:
        raise PrognoscopeError(f"no format named {kind!r}", "--format", f"use one of {', '.join(FORMATS)}")
    if columns and kind not in MAPPED:
        raise PrognoscopeError(
            f"columns named for the format {kind}, which knows its own", path.name, "leave them out or force table"
        )
    return kind
