"""A cBioPortal study folder, read by its meta files: clinical data, expression, copy number, mutations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.cohort.cohort import Role
from core.cohort.endpoint import Endpoint
from core.cohort.importers.cbioportal_genes import read_genes
from core.cohort.importers.clinical_words import grade, sex, stage
from core.cohort.importers.draft import Draft, Progress, silent
from core.cohort.importers.narrow_table import NarrowTable, read_narrow
from core.cohort.importers.reading import leaves_folder
from core.cohort.importers.tcga_slides import CASE, Columns, make_endpoint
from core.cohort.importers.values import as_objects, is_missing, numbers, outcome_codes, times, words
from core.cohort.wording import plural
from core.errors import PrognoscopeError

FORMAT = "cbioportal"
STATUS = {
    "0:LIVING": "censored", "1:DECEASED": "event", "LIVING": "censored", "DECEASED": "event",
    "0:ALIVE": "censored", "0:DiseaseFree": "censored", "1:Recurred/Progressed": "event",
    "DiseaseFree": "censored", "Recurred/Progressed": "event", "Recurred": "event", "Progressed": "event",
    "0:CENSORED": "censored", "1:PROGRESSION": "event", "CENSORED": "censored", "PROGRESSION": "event",
    "0:ALIVE OR DEAD TUMOR FREE": "censored", "1:DEAD WITH TUMOR": "event",
}  # fmt: skip
LABELS = {
    "OS": "Overall survival", "DSS": "Disease-specific survival", "PFS": "Progression-free survival",
    "DFS": "Disease-free survival", "RFS": "Recurrence-free survival", "EFS": "Event-free survival",
}  # fmt: skip
_INPUTS = {
    "AGE": "age", "AGE_AT_DIAGNOSIS": "age", "SEX": "sex", "GENDER": "sex", "GRADE": "grade", "TUMOR_GRADE": "grade",
    "STAGE": "stage", "TUMOR_STAGE": "stage", "AJCC_PATHOLOGIC_TUMOR_STAGE": "stage",
}  # fmt: skip
_PARSERS: Mapping[str, Callable[[list[str]], pd.Series]] = {
    "sex": sex,
    "stage": stage,
    "grade": grade,
    "age": lambda cells: pd.Series(numbers(cells)[0]),
}
_NOT_COLUMNS = ("PATIENT_ID", "SAMPLE_ID", "OTHER_PATIENT_ID", "OTHER_SAMPLE_ID")


@dataclass(frozen=True)
class Meta:
    """One meta file: its key: value lines, and the data file it names."""

    facts: Mapping[str, str]
    data: Path


def read_meta(path: Path) -> dict[str, str]:
    """``key: value`` lines of a meta or case-list file."""
    text = path.read_text(encoding="utf-8", errors="replace")
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def read_metas(folder: Path) -> list[Meta]:
    """Meta files of a study that name a data file inside the study's folder."""
    found = []
    for path in sorted(folder.glob("meta_*.txt")):
        facts = read_meta(path)
        name = facts.get("data_filename")
        if not name:
            continue
        if leaves_folder(name):
            raise PrognoscopeError("a data file outside the study (../)", path.name, "correct data_filename")
        if (folder / name).is_file():
            found.append(Meta(facts, folder / name))
    return found


def read_cbioportal(path: Path, events: Mapping[str, str] | None = None, progress: Progress = silent) -> Draft:
    """Read a study folder (or the folder of the ``meta_study.txt`` given).

    Parameters
    ----------
    events : mapping, optional
        Meaning of each status; the words of cBioPortal's own format when it is not given.
    """
    folder = path if path.is_dir() else path.parent
    if not (folder / "meta_study.txt").is_file():
        raise PrognoscopeError("no meta_study.txt", folder.name, "give the folder of a cBioPortal study")
    study = read_meta(folder / "meta_study.txt")
    metas = read_metas(folder)
    clinical = {m.facts.get("datatype"): m.data for m in metas if m.facts.get("genetic_alteration_type") == "CLINICAL"}
    patient_file, sample_file = (_one_of(clinical, d, folder) for d in ("PATIENT_ATTRIBUTES", "SAMPLE_ATTRIBUTES"))
    patients, samples = read_narrow(patient_file, comment="#"), read_narrow(sample_file, comment="#")
    warnings = [*patients.warnings, *samples.warnings]
    ids = _distinct_ids(patients)
    endpoints = _endpoints(patients, events or STATUS, warnings)
    owner = _first_samples(samples, set(ids), warnings)
    columns = _columns(patients, samples, ids, owner)
    progress(0.3, "reading genes")
    genes, gene_files, gene_warnings = read_genes(folder, [(m.facts, m.data) for m in metas], ids, owner)
    return Draft(
        format=FORMAT,
        title=study.get("name", folder.name),
        ids=tuple(ids),
        patients=pd.DataFrame(columns.frame, index=range(len(ids))),
        roles=columns.roles,
        endpoints=endpoints,
        genes=genes,
        units=columns.units,
        files=(folder / "meta_study.txt", patient_file, sample_file, *gene_files),
        warnings=(*warnings, *columns.warnings, *gene_warnings),
        notes=tuple(f"{k}: {study[k]}" for k in ("cancer_study_identifier", "citation", "pmid") if k in study),
    )


def _one_of(clinical: Mapping[str | None, Path], datatype: str, folder: Path) -> Path:
    if datatype not in clinical:
        raise PrognoscopeError(f"no clinical file of type {datatype}", folder.name, "add its meta file and data file")
    return clinical[datatype]


def _distinct_ids(table: NarrowTable) -> list[str]:
    ids = [i.strip() for i in table["PATIENT_ID"]]
    if len(set(ids)) < len(ids):
        raise PrognoscopeError(
            f"{plural(len(ids) - len(set(ids)), 'patient')} with two lines", table.name, "keep one line a patient"
        )
    return ids


def _endpoints(table: NarrowTable, events: Mapping[str, str], warnings: list[str]) -> dict[str, Endpoint]:
    """One endpoint for each pair of ``X_STATUS`` and ``X_MONTHS`` in which some patient has both."""
    names = [c.removesuffix("_STATUS") for c in table.columns if c.endswith("_STATUS")]
    names = sorted((n for n in names if f"{n}_MONTHS" in table), key=lambda n: n != "OS")
    found = {}
    for name in names:
        months = times(table[f"{name}_MONTHS"], f"{name}_MONTHS", table.name)
        codes, unknown = outcome_codes(table[f"{name}_STATUS"], events, f"{name}_STATUS", table.name)
        timeless = int((~unknown & np.isnan(months)).sum())
        if timeless:
            warnings.append(f"{plural(timeless, 'patient')} with a {name} status but no time: outcome unknown.")
        endpoint = make_endpoint(name, LABELS.get(name, name), np.where(unknown, np.nan, months), codes)
        if endpoint.event.any():
            found[name] = endpoint
        else:
            warnings.append(f"{name} has no event with a time: left out.")
    if not found:
        raise PrognoscopeError("no outcome (a _STATUS and a _MONTHS column)", table.name, "add OS_STATUS and OS_MONTHS")
    return found


def _first_samples(samples: NarrowTable, patients: set[str], warnings: list[str]) -> dict[str, str]:
    """Sample → patient for the first sample of each patient, the others counted."""
    first: dict[str, str] = {}
    more = strangers = 0
    for patient, sample in zip(samples["PATIENT_ID"], samples["SAMPLE_ID"], strict=True):
        if patient.strip() not in patients:
            strangers += 1
        elif patient.strip() in first:
            more += 1
        else:
            first[patient.strip()] = sample.strip()
    if more:
        warnings.append(f"{plural(more, 'further sample')} of a patient: the first sample was kept.")
    if strangers:
        warnings.append(f"{plural(strangers, 'sample')} of patients not in the patient file: left out.")
    return {sample: patient for patient, sample in first.items()}


def _columns(patients: NarrowTable, samples: NarrowTable, ids: list[str], owner: Mapping[str, str]) -> Columns:
    found = Columns()
    row = {i.strip(): r for r, i in enumerate(patients["PATIENT_ID"])}
    _add(patients, [row[i] for i in ids], found)
    at = {owner[s.strip()]: r for r, s in enumerate(samples["SAMPLE_ID"]) if s.strip() in owner}
    _add(samples, [at.get(i, -1) for i in ids], found)
    if "site" not in found.frame and sum(bool(CASE.match(i)) for i in ids) > len(ids) / 2:
        found.add("site", as_objects([m["site"] if (m := CASE.match(i)) else None for i in ids]), Role.SITE)
    return found


def _add(table: NarrowTable, rows: list[int], found: Columns) -> None:
    """Columns of one clinical file for the given rows (-1: the patient has none)."""
    for source in table.columns:
        name = _INPUTS.get(source, source.lower())
        if source in _NOT_COLUMNS or source.endswith(("_STATUS", "_MONTHS")) or name in found.frame:
            continue
        cells = [table[source][r] if r >= 0 else "" for r in rows]
        if all(is_missing(c) for c in cells):
            continue
        if source in _INPUTS:
            found.add(name, _PARSERS[name](cells), Role.INPUT, "years" if name == "age" else "")
            continue
        values, unreadable = numbers(cells)
        is_number = not unreadable.any()
        found.add(
            name, pd.Series(values) if is_number else words(cells), Role.MARKER if is_number else Role.DESCRIPTION
        )
