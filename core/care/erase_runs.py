"""A patient's rows taken out of everything runs have made: predictions, estimates, explanations, cached cells."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from core.care.person import Person
from core.errors import PrognoscopeError
from core.results.cohort_explanation import load_cohort_explanation, save_cohort_explanation
from core.results.erasures import flagged
from core.results.explained import forget_explanations
from core.results.files import MANIFEST, changed_folder, read_json, write_json
from core.results.own_support import FILE as SUPPORT
from core.results.prediction_set import delete_prediction_set, list_prediction_sets
from core.results.routing_record import ModalityOff, PatientMap, RoutingRecord, load_routing, save_routing
from core.results.run import Run
from core.results.workspace import Workspace

PREDICTIONS, ESTIMATES = "predictions.parquet", "estimates.parquet"


def trained_with(person: Person, workspace: Workspace) -> tuple[str, ...]:
    """Runs among whose predictions the person is: every one of them trained models with them in other folds."""
    return tuple(
        name for name in workspace.names(workspace.runs)
        if (workspace.run(name) / PREDICTIONS).is_file()
        and _of(workspace.run(name), workspace, person)
        and _holds(workspace.run(name) / PREDICTIONS, person.pseudonyms)
    )  # fmt: skip


def erase_from_runs(person: Person, day: str, workspace: Workspace) -> tuple[str, ...]:
    """Take the rows out and flag the runs; their ids."""
    found = trained_with(person, workspace)
    for name in found:
        with changed_folder(workspace.run(name)) as folder:
            for table in (PREDICTIONS, SUPPORT):
                if (folder / table).is_file():
                    _drop(folder / table, person.pseudonyms)
            run = Run.from_json(read_json(folder / "run.json"))
            write_json(folder / "run.json", flagged(run, day).as_json())
    for name in workspace.names(workspace.explanations):
        if _run_of_another(name, person, workspace):
            continue
        for pseudonym in person.pseudonyms:
            forget_explanations(name, pseudonym, workspace)
            _from_cohort_explanations(name, pseudonym, workspace)
            _from_routing(name, pseudonym, workspace)
    return found


def erase_from_estimates(person: Person, workspace: Workspace) -> None:
    """Take the rows out of every set of estimates; a set of nobody else goes."""
    for found in list_prediction_sets(None, workspace):
        table = workspace.prediction(found.id) / ESTIMATES
        if found.cohort in person.apart or not _holds(table, person.pseudonyms):
            continue
        if len(pd.read_parquet(table, columns=["id"])) == 1:
            delete_prediction_set(found.id, workspace)
            continue
        with changed_folder(workspace.prediction(found.id)) as folder:
            _drop(folder / ESTIMATES, person.pseudonyms)


def erase_from_cells(person: Person, workspace: Workspace) -> None:
    """Take the rows out of cached benchmark cells; what else a cache says of the person goes as a whole."""
    if not workspace.cells.is_dir():
        return
    for folder in sorted(p for p in workspace.cells.iterdir() if p.is_dir()):
        tables = [t for t in sorted(folder.rglob("*.parquet")) if _holds(t, person.pseudonyms)]
        if tables and (folder / MANIFEST).is_file():
            with changed_folder(folder) as changed:
                for table in tables:
                    _drop(changed / table.relative_to(folder), person.pseudonyms)
        elif tables:
            shutil.rmtree(folder)


def _of(folder: Path, workspace: Workspace, person: Person) -> bool:
    return not _run_of_another(folder.name, person, workspace)


def _run_of_another(run: str, person: Person, workspace: Workspace) -> bool:
    """Whether a run speaks of a cohort in which the pseudonym is somebody else."""
    path = workspace.run(run) / "run.json"
    return bool(person.apart) and path.is_file() and read_json(path)["cohort"] in person.apart


def _holds(table: Path, ids: Collection[str]) -> bool:
    try:
        return bool(pd.read_parquet(table, columns=["id"])["id"].astype(str).isin(ids).any())
    except (OSError, ValueError, KeyError):  # no column of that name, or no table: the search at the end says so
        return False


def _drop(table: Path, ids: Collection[str]) -> None:
    """Write a table anew without these rows; its folder's other name for the old one stays as it was."""
    values = pd.read_parquet(table)
    kept = values[~values["id"].astype(str).isin(ids)].reset_index(drop=True)
    temporary = table.with_name(f".{uuid.uuid4().hex}.tmp")
    kept.to_parquet(temporary)
    temporary.replace(table)


def _from_cohort_explanations(run: str, pseudonym: str, workspace: Workspace) -> None:
    for folder in (workspace.explanations / run).glob("cohort-m*"):
        try:
            month = float(read_json(folder / "cohort.json")["month"])
            found = load_cohort_explanation(run, month, workspace)
        except PrognoscopeError:  # damaged: it can be made again, and must not stay
            shutil.rmtree(folder)
            continue
        if pseudonym in found.patients:
            keep = np.array([p != pseudonym for p in found.patients])
            save_cohort_explanation(
                replace(
                    found, patients=tuple(p for p in found.patients if p != pseudonym),
                    contributions=found.contributions[keep], values=found.values[keep],
                ),
                workspace,
            )  # fmt: skip


def _from_routing(run: str, pseudonym: str, workspace: Workspace) -> None:
    folder = workspace.explanations / run / "routing"
    if not (folder / MANIFEST).is_file():
        return
    try:
        found = load_routing(run, workspace)
    except PrognoscopeError:
        shutil.rmtree(folder)
        return
    if pseudonym in found.ids:
        save_routing(_without(found, pseudonym), workspace)


def _without(record: RoutingRecord, pseudonym: str) -> RoutingRecord:
    keep = np.array([i != pseudonym for i in record.ids])
    levels = {
        name: replace(
            level, present=level.present[keep],
            **{k: getattr(level, k)[:, keep] for k in ("mass", "load", "norm", "survival", "risk")},
            everyone=level.everyone[:, :, keep],
        )
        for name, level in record.levels.items()
    }  # fmt: skip
    modalities = {
        name: ModalityOff(off.survival[:, keep], off.risk[:, keep], {k: v[:, keep] for k, v in off.moved.items()})
        for name, off in record.modalities.items()
    }
    maps = {name: PatientMap(m.points[keep], m.axes, m.note) for name, m in record.maps.items()}
    return replace(
        record, ids=tuple(i for i in record.ids if i != pseudonym), fold=record.fold[keep],
        estimate=record.estimate[..., keep], places=record.places[:, keep], levels=levels, modalities=modalities,
        maps=maps,
    )  # fmt: skip
