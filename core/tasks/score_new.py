"""A new patient through the same raw-file pipeline as everybody: read, encode as the run's were, score, check."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from core.cohort.cohort import Cohort
from core.cohort.importing import save_imported, told_of_erased
from core.cohort.media_index import load_media
from core.cohort.modality import Modality
from core.cohort.new_patient import read_new_patient
from core.cohort.pseudonyms import workspace_secret
from core.cohort.storage import delete_cohort, load_cohort
from core.cohort.uploads import is_upload, opened, remove_upload
from core.errors import PrognoscopeError
from core.features.encoders import encoder_class
from core.results.prediction_set import PredictionSet, list_prediction_sets
from core.results.run import Run
from core.results.run_store import load_run
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode
from core.tasks.predict import PredictRequest, predict
from core.tasks.train import Progress, silent


@dataclass(frozen=True)
class ScoreNewRequest:
    """Who is scored by which run.

    ``path`` a folder or zip with the patient's table and files; an upload is used up · ``name`` and ``title`` of the
    small cohort it becomes · ``gene_units`` kind → unit, where they are not the run's.
    """

    run: str
    path: str
    name: str
    title: str = ""
    gene_units: Mapping[str, str] = field(default_factory=dict)


def score_new(request: ScoreNewRequest, workspace: Workspace, progress: Progress = silent) -> PredictionSet:
    """Store the patient as a small cohort and score it; when anything fails, nothing of the patient is left.

    Raises
    ------
    PrognoscopeError
        When the folder cannot be read, a file cannot be encoded as the run's were, or the run cannot score.
    """
    given = Path(request.path)
    stored_before = workspace.cohort(request.name).exists()  # by an attempt that was stopped, when its upload is gone
    if stored_before and given.exists():
        raise PrognoscopeError(f"a cohort named {request.name!r} exists", "the workspace", "choose another name")
    progress(0.02, "reading the patient's table and files")
    try:
        run = load_run(request.run, workspace)
        base = load_cohort(run.cohort, workspace)
        cohort = load_cohort(request.name, workspace) if stored_before else _stored(request, base, given, workspace)
        _encoded(run, cohort, workspace, lambda s, m: progress(0.1 + 0.6 * s, m))
        progress(0.7, "asking the models")
        found = predict(PredictRequest(run.id, cohort.name), workspace, lambda s, m: progress(0.7 + 0.3 * s, m))
    except BaseException:
        _forget(request.name, workspace)
        raise
    finally:
        remove_upload(given, workspace)
    return found


def _stored(request: ScoreNewRequest, base: Cohort, given: Path, workspace: Workspace) -> Cohort:
    """The patient in the workspace. An upload's slides and scans move into the cohort's own folder of media."""
    folder = opened(given, workspace)
    uploaded = is_upload(folder, workspace)
    if uploaded:
        home = workspace.media_of(request.name)
        home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.move(folder, home)
        folder = home
    imported = read_new_patient(
        folder, base, request.name, request.title or "New patient", workspace_secret(workspace), request.gene_units
    )
    _check_once(request.run, imported.cohort, base, workspace)
    save_imported(told_of_erased(imported, workspace), workspace)
    if uploaded:
        for read in imported.read_whole:  # tables and texts are kept under pseudonyms alone
            read.unlink(missing_ok=True)
    return imported.cohort


def _check_once(run: str, cohort: Cohort, base: Cohort, workspace: Workspace) -> None:
    """Refuse a patient whom this run has estimated from other files: explanations are kept under run and pseudonym, and
    maps of one slide must never lie on another."""
    new = set(cohort.ids) - set(base.ids)
    for found in list_prediction_sets(None, workspace):
        if found.run != run or found.cohort in (cohort.name, base.name) or not workspace.cohort(found.cohort).is_dir():
            continue
        if new & set(load_cohort(found.cohort, workspace, verify=False).ids):
            raise PrognoscopeError(
                "a patient whom this run has estimated before", f"cohort {found.cohort!r}",
                "look at the patient there; for another estimate delete that one first, or give the patient another id",
            )  # fmt: skip


def _encoded(run: Run, cohort: Cohort, workspace: Workspace, progress: Progress) -> None:
    """Encode the files of each modality the run reads as the run's were; one the patient lacks is passed over."""
    index = load_media(cohort.name, workspace)
    wanted = {Modality(m): how for m, how in dict(run.config.get("encoders", {})).items()}
    having = [m for m in wanted if index.patients(m)]
    for place, modality in enumerate(having):
        how = wanted[modality]
        name, version = str(how["name"]), int(how["version"])
        if encoder_class(name).version != version:
            raise PrognoscopeError(
                f"{modality.value} encoded by version {version} of {name}", f"run {run.id}", "train the run again"
            )
        settings = {name: dict(how.get("settings", {}))}
        progress(place / len(having), f"encoding the {modality.value}")
        request = EncodeRequest(cohort.name, (modality,), {modality: name}, settings, processes=1)
        encode(request, workspace, lambda s, m, at=place: progress((at + s) / len(having), m))  # type: ignore[misc]


def _forget(name: str, workspace: Workspace) -> None:
    """Nothing of a patient who could not be scored stays."""
    if workspace.cohort(name).is_dir():
        delete_cohort(name, workspace)
    shutil.rmtree(workspace.media_of(name), ignore_errors=True)
