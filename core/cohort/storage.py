"""Cohorts in the workspace: Parquet, JSON and one matrix, written whole, checked by hash when read.

Original ids lie apart, in ``protected/<name>-ids.parquet``, readable by the owner only.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.access.actor import actor, require
from core.access.roles import Permission
from core.cohort.cohort import Cohort, Exclusion, Provenance, Role
from core.cohort.endpoint import Endpoint
from core.cohort.folds import Folds
from core.cohort.genomics import Genomics
from core.cohort.media_index import delete_media
from core.cohort.own_folds import forget_folds
from core.cohort.private_files import staged_private_table
from core.cohort.pseudonyms import protected_folder
from core.errors import PrognoscopeError
from core.results.feature_records import forget_features
from core.results.files import Staged, read_json, staged_folder, verify_folder, write_json
from core.results.image_means import forget_image_means
from core.results.workspace import Workspace, checked_name

_ENDPOINT_WORDS = ("label", "time_zero", "event_label", "competing_label")
_ENDPOINT_ARRAYS = ("entry", "time", "event", "competing")


@dataclass(frozen=True)
class CohortSummary:
    """What a list of cohorts shows; ``events`` are those of the default endpoint, ``content_hash`` as stored."""

    name: str
    title: str
    patients: int
    events: int
    modalities: tuple[str, ...]
    synthetic: bool
    content_hash: str = ""


def save_cohort(cohort: Cohort, original_ids: Mapping[str, str] | None, workspace: Workspace) -> None:
    """Write a cohort into the workspace; one of the same name is replaced.

    Parameters
    ----------
    original_ids : mapping of pseudonym to original id, or None
        None for generated patients.
    """
    with staged_cohort(cohort, original_ids, workspace):
        pass


@contextmanager
def staged_cohort(cohort: Cohort, original_ids: Mapping[str, str] | None, workspace: Workspace) -> Iterator[Staged]:
    """Write a cohort aside; it takes the place of one of the same name, last of all, when the block ends well.

    A block that brings media into their place calls ``make_room`` first, so that no patients ever stand beside the
    media of others.
    """
    with staged_folder(workspace.cohort(cohort.name), lambda folder: _write(cohort, folder)) as staged:
        if original_ids is None:
            yield staged
            _ids_path(cohort.name, workspace).unlink(missing_ok=True)
            return
        table = pd.DataFrame({"pseudonym": list(original_ids), "original": list(original_ids.values())}, dtype="string")
        with staged_private_table(table, _ids_path(cohort.name, workspace)):
            yield staged


def _write(cohort: Cohort, folder: Path) -> None:
    cohort.patients.to_parquet(folder / "patients.parquet")
    cohort.availability.to_parquet(folder / "availability.parquet")
    _endpoint_table(cohort).to_parquet(folder / "endpoints.parquet")
    folds = {k: f.test_fold for k, f in cohort.folds.items()}
    pd.DataFrame(folds, index=cohort.patients.index).to_parquet(folder / "folds.parquet")
    if cohort.genomics is not None:
        np.save(folder / "genomics.npy", np.ascontiguousarray(cohort.genomics.values), allow_pickle=False)
        write_json(folder / "genes.json", _genes_json(cohort.genomics))
    write_json(folder / "cohort.json", _cohort_json(cohort))


def _endpoint_table(cohort: Cohort) -> pd.DataFrame:
    columns = {f"{name}.{a}": getattr(e, a) for name, e in cohort.endpoints.items() for a in _ENDPOINT_ARRAYS}
    return pd.DataFrame(columns, index=cohort.patients.index)


def _genes_json(genomics: Genomics) -> dict[str, Any]:
    families = [[name, list(numbers)] for name, numbers in genomics.families.items()]
    return {"columns": list(genomics.columns), "units": dict(genomics.units), "families": families}


def _cohort_json(cohort: Cohort) -> dict[str, Any]:
    default = cohort.endpoint()
    return {
        "name": cohort.name,
        "title": cohort.title,
        "roles": {c: str(cohort.roles[c]) for c in cohort.patients.columns},
        "units": dict(cohort.units),
        "labels": dict(cohort.labels),
        "endpoints": [[k, {w: getattr(e, w) for w in _ENDPOINT_WORDS}] for k, e in cohort.endpoints.items()],
        "folds": {k: f.name for k, f in cohort.folds.items()},
        "provenance": asdict(cohort.provenance) | {"files": dict(cohort.provenance.files)},
        "exclusions": [[e.reason, e.count] for e in cohort.exclusions],
        "warnings": list(cohort.warnings),
        "synthetic": cohort.synthetic,
        "content_hash": cohort.content_hash,
        "summary": {
            "patients": len(cohort),
            "events": int(default.event.sum()),
            "modalities": [str(m) for m in cohort.modalities],
        },
    }


def _ids_path(name: str, workspace: Workspace) -> Path:
    return protected_folder(workspace) / f"{checked_name(name, 'cohort name')}-ids.parquet"


def load_original_ids(name: str, workspace: Workspace) -> dict[str, str]:
    """Pseudonym → original id; empty for a cohort without a map. For matching files and ids a user types only."""
    path = _ids_path(name, workspace)
    if not path.is_file():
        return {}
    table = pd.read_parquet(path)
    return dict(zip(table["pseudonym"].astype(str), table["original"].astype(str), strict=True))


def load_cohort(name: str, workspace: Workspace, verify: bool = True) -> Cohort:
    """Read a cohort; its genes stay on disk as a read-only memory map.

    Raises
    ------
    PrognoscopeError
        When there is none of that name, whoever is acting may not see it, or a file of it was altered (checked when
        ``verify``).
    """
    require(Permission.READ, (name,))
    folder = workspace.cohort(name)
    if not folder.is_dir():
        known = ", ".join(workspace.names(workspace.cohorts)) or "none yet"
        raise PrognoscopeError(f"no cohort named {name!r}", "the workspace", f"import it first (there are: {known})")
    if verify:
        verify_folder(folder)
    facts = read_json(folder / "cohort.json")
    folds = pd.read_parquet(folder / "folds.parquet")
    provenance = facts["provenance"]
    return Cohort(
        name=facts["name"],
        title=facts["title"],
        patients=pd.read_parquet(folder / "patients.parquet"),
        roles={c: Role(r) for c, r in facts["roles"].items()},
        endpoints=_endpoints(folder, facts["endpoints"]),
        availability=pd.read_parquet(folder / "availability.parquet"),
        provenance=Provenance(**(provenance | {"notes": tuple(provenance["notes"])})),
        genomics=_genomics(folder),
        folds={k: Folds(n, folds[k].to_numpy(dtype=np.int64)) for k, n in facts["folds"].items()},
        units=facts["units"],
        labels=facts["labels"],
        exclusions=tuple(Exclusion(r, c) for r, c in facts["exclusions"]),
        warnings=tuple(facts["warnings"]),
        synthetic=facts["synthetic"],
    )


def _endpoints(folder: Path, described: list[Any]) -> dict[str, Endpoint]:
    table = pd.read_parquet(folder / "endpoints.parquet")
    found = {}
    for name, described_as in described:
        entry, time = (table[f"{name}.{a}"].to_numpy(dtype=float) for a in ("entry", "time"))
        event, competing = (table[f"{name}.{a}"].to_numpy(dtype=bool) for a in ("event", "competing"))
        found[name] = Endpoint(name=name, entry=entry, time=time, event=event, competing=competing, **described_as)
    return found


def _genomics(folder: Path) -> Genomics | None:
    if not (folder / "genomics.npy").is_file():
        return None
    facts = read_json(folder / "genes.json")
    values = np.load(folder / "genomics.npy", mmap_mode="r", allow_pickle=False)
    families = {name: tuple(numbers) for name, numbers in facts["families"]}
    return Genomics(values, tuple(facts["columns"]), facts["units"], families)


def delete_cohort(name: str, workspace: Workspace) -> None:
    """Remove a cohort, its map of original ids, its index of media, its report texts and the folds brought for it.

    Runs trained on it stay.
    """
    folder = workspace.cohort(name)
    if not folder.is_dir():
        raise PrognoscopeError(f"no cohort named {name!r}", "the workspace", "see 'cohorts' for the names")
    # moved aside first: a removal that is stopped half way leaves no half of a cohort behind
    aside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.old")
    folder.replace(aside)
    shutil.rmtree(aside)
    _ids_path(name, workspace).unlink(missing_ok=True)
    delete_media(name, workspace)
    forget_features(name, workspace)
    forget_image_means(name, workspace)
    forget_folds(name, workspace)
    (workspace.cohorts / f"{name}.truth.json").unlink(missing_ok=True)


def list_cohorts(workspace: Workspace) -> tuple[CohortSummary, ...]:
    """Every cohort that whoever is acting may see, oldest first, without reading their tables."""
    found, who = [], actor()
    for name in workspace.names(workspace.cohorts):
        path = workspace.cohorts / name / "cohort.json"
        if not path.is_file() or not who.may_see(name):
            continue
        facts = read_json(path)
        summary = facts["summary"]
        modalities = tuple(summary["modalities"])
        counts = summary["patients"], summary["events"]
        found.append(
            CohortSummary(name, facts["title"], *counts, modalities, facts["synthetic"], facts.get("content_hash", ""))
        )
    return tuple(found)
