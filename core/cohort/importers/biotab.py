"""TCGA clinical "biotab" files: patients, laboratory markers, and survival completed from the follow-up files.

Three header lines: names, CDE names, CDE numbers. Only the first is believed: the second calls the patients'
bilirubin ``bilirubin_upper_limit``. Survival needs the follow-up files: the patient file alone misses deaths
that were reported later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from core.arrays import FloatArray
from core.cohort.cohort import Role
from core.cohort.endpoint import Endpoint
from core.cohort.importers.clinical_words import grade, sex, stage
from core.cohort.importers.draft import ClinicalTable, Draft
from core.cohort.importers.narrow_table import NarrowTable, read_narrow
from core.cohort.importers.tcga_slides import Columns, make_endpoint, number_column
from core.cohort.importers.values import numbers, outcome_codes, words
from core.cohort.liver_scores import UMOL_PER_MG_BILIRUBIN, albi, albi_grade, log10_afp
from core.cohort.units import ALBUMIN, BILIRUBIN, CREATININE, INR, PLATELETS, PROTHROMBIN, Analyte, harmonise
from core.cohort.wording import plural
from core.errors import PrognoscopeError

FORMAT = "biotab"
DAYS_PER_MONTH = 30.44
VITAL = {"Alive": "censored", "LIVING": "censored", "Dead": "event", "DECEASED": "event"}
_ID = "bcr_patient_barcode"
_INR_COLUMNS = (
    "prothrombin_time_INR_at_procurement", "prothrom_time_INR_norm_range_lower", "prothrombin_time_norm_range_upper",
)  # fmt: skip
_LABORATORY: tuple[tuple[Analyte, tuple[str, str, str]], ...] = (
    (ALBUMIN, ("serum_albumin_preresection", "serum_albumin_norm_range_lower", "serum_albumin_norm_range_upper")),
    (BILIRUBIN, ("bilirubin_total", "bilirubin_total_norm_range_lower", "bilirubin_total_norm_range_upper")),
    (INR, _INR_COLUMNS),
    (PROTHROMBIN, _INR_COLUMNS),
    (PLATELETS, ("platelet_count_preresection", "platelet_norm_range_lower", "platelet_norm_range_upper")),
    (CREATININE, ("creatinine_level_preresection", "creatinine_norm_range_lower", "creatinine_norm_range_upper")),
)
_WORDS: Mapping[str, tuple[str, Role]] = {
    "child_pugh_classification": ("child_pugh", Role.MARKER),
    "vascular_invasion": ("vascular_invasion", Role.MARKER),
    "ishak_fibrosis_score": ("ishak_fibrosis", Role.MARKER),
    "hepatic_inflammation_adj_tissue": ("hepatic_inflammation", Role.MARKER),
    "ecog_score": ("ecog", Role.MARKER),
    "residual_tumor": ("residual_tumour", Role.MARKER),
    "race": ("race", Role.DESCRIPTION),
    "ethnicity": ("ethnicity", Role.DESCRIPTION),
    "histologic_diagnosis": ("histology", Role.DESCRIPTION),
    "history_hepato_carcinoma_risk_factors": ("risk_factors", Role.DESCRIPTION),
    "definitive_surgical_procedure": ("procedure", Role.DESCRIPTION),
    "history_neoadjuvant_treatment": ("neoadjuvant_treatment", Role.DESCRIPTION),
}
_LOWER = ("vascular_invasion", "hepatic_inflammation")
_NUMBERS: Mapping[str, tuple[str, str]] = {
    "height_cm_at_diagnosis": ("height", "cm"),
    "weight_kg_at_diagnosis": ("weight", "kg"),
}
LABELS = {
    "afp": "AFP", "log10_afp": "log10 AFP", "albi": "ALBI score", "albi_grade": "ALBI grade", "inr": "INR",
    "child_pugh": "Child-Pugh class", "ecog": "ECOG performance status", "ishak_fibrosis": "Ishak fibrosis score",
}  # fmt: skip


def read_biotab_file(path: Path) -> NarrowTable:
    """One biotab file without its second and third header line."""
    table = read_narrow(path)
    ids = table[_ID]
    return table.keep([r for r, i in enumerate(ids) if i != _ID and not i.startswith("CDE_ID")])


def find_files(path: Path) -> tuple[Path, tuple[Path, ...]]:
    """The patient file of a folder (or ``path`` itself) and the follow-up files beside it, oldest version first."""
    folder = path if path.is_dir() else path.parent
    patients = [path] if path.is_file() else sorted(folder.glob("*clinical_patient*.txt"))
    if len(patients) != 1:
        raise PrognoscopeError(
            f"{len(patients)} patient files instead of one", path.name, "give a folder with one clinical_patient file"
        )
    follow_up = sorted(p for p in folder.glob("*clinical_follow_up*.txt") if "_nte_" not in p.name)
    return patients[0], tuple(follow_up)


def read_biotab_clinical(
    path: Path,
    events: Mapping[str, str] | None = None,
    follow_up: bool = True,
    only: Collection[str] | None = None,
) -> ClinicalTable:
    """Clinical table, laboratory markers and overall survival of a biotab folder.

    Parameters
    ----------
    path : Path
        Folder or patient file.
    events : mapping, optional
        Meaning of each ``vital_status``; Alive = censored and Dead = event when it is not given.
    follow_up : bool
        Whether the follow-up files complete the survival (the patient file alone is out of date).
    only : collection of case ids, optional
        Other patients are not looked at, so that every count is about these.
    """
    patient_file, later_files = find_files(path)
    patients = read_biotab_file(patient_file)
    if only is not None:
        patients = patients.keep([r for r, i in enumerate(patients[_ID]) if i.strip() in only])
    ids = [i.strip() for i in patients[_ID]]
    if len(set(ids)) != len(ids):
        raise PrognoscopeError(
            f"{plural(len(ids) - len(set(ids)), 'patient')} with two lines", patient_file.name, "keep one line each"
        )
    later = [read_biotab_file(p) for p in later_files] if follow_up else []
    columns = _columns(patients)
    warnings = [*patients.warnings, *(w for t in later for w in t.warnings), *columns.warnings]
    endpoint = _survival(ids, [patients, *later], events or VITAL, warnings)
    if not later:
        warnings.append("No follow-up file: survival comes from the patient file alone and misses later deaths.")
    frame = pd.DataFrame(columns.frame)
    frame.index = pd.Index(ids, dtype=object)
    files = (patient_file, *(later_files if follow_up else ()))
    return ClinicalTable(frame, columns.roles, {"OS": endpoint}, columns.units, LABELS, files, tuple(warnings))


def read_biotab(path: Path, events: Mapping[str, str] | None = None) -> Draft:
    """A biotab folder as a cohort of its own."""
    table = read_biotab_clinical(path, events)
    return Draft(
        format=FORMAT,
        title="TCGA clinical data",
        ids=tuple(table.frame.index),
        patients=table.frame.reset_index(drop=True),
        roles=table.roles,
        endpoints=table.endpoints,
        units=table.units,
        labels=table.labels,
        files=table.files,
        warnings=table.warnings,
    )


def _survival(ids: list[str], tables: list[NarrowTable], events: Mapping[str, str], warnings: list[str]) -> Endpoint:
    """Death as soon as one record tells of it; otherwise the latest contact of all records."""
    row = {i: r for r, i in enumerate(ids)}
    death = np.full(len(ids), np.nan)
    contact = np.full(len(ids), np.nan)
    died = np.zeros(len(ids), dtype=bool)
    for table in tables:
        codes, unknown = outcome_codes(table["vital_status"], events, "vital_status", table.name)
        until_death = _days(table, "death_days_to")
        until_contact = _days(table, "last_contact_days_to")
        for k, original in enumerate(table[_ID]):
            r = row.get(original.strip())
            if r is None:
                continue
            if until_contact[k] < 0:  # of several records about one patient; the others may still say when
                warnings.append(f"1 last contact before diagnosis in {table.name}: ignored.")
            else:
                contact[r] = np.fmax(contact[r], until_contact[k])
            if codes[k] == 1 and not unknown[k]:
                died[r] = True
                death[r] = np.fmax(death[r], until_death[k])
    days = np.where(died, death, contact)
    if (days < 0).any():
        count = plural(int((days < 0).sum()), "patient")
        raise PrognoscopeError(f"{count} who died before diagnosis", tables[0].name, "correct the file")
    return make_endpoint("OS", "Overall survival", days / DAYS_PER_MONTH, died.astype(np.int64))


def _days(table: NarrowTable, column: str) -> FloatArray:
    """Days from diagnosis, NaN where missing; raises for text."""
    values, unreadable = numbers(table[column])
    if unreadable.any():
        raise PrognoscopeError(
            f"{plural(int(unreadable.sum()), 'time')} in column {column!r} not a number", table.name, "correct the file"
        )
    return values


def _columns(table: NarrowTable) -> Columns:
    found = Columns()
    found.add("age", number_column(table.get("age_at_diagnosis"), "age", found.warnings), Role.INPUT, "years")
    found.add("sex", sex(table.get("gender")), Role.INPUT)
    found.add("stage", stage(table.get("ajcc_pathologic_tumor_stage")), Role.INPUT)
    found.add("grade", grade(table.get("tumor_grade")), Role.INPUT)
    _add_laboratory(table, found)
    for source, (name, role) in _WORDS.items():
        if source in table:
            cells = table[source]
            found.add(name, words([c.lower() for c in cells] if name in _LOWER else cells), role)
    for source, (name, unit) in _NUMBERS.items():
        if source in table:
            found.add(name, number_column(table[source], name, found.warnings), Role.MARKER, unit)
    if "tissue_source_site" in table:
        found.add("site", words(table["tissue_source_site"]), Role.SITE)
    for empty in [c for c, v in found.frame.items() if v.isna().all()]:
        del found.frame[empty], found.roles[empty]
    return found


def _add_laboratory(table: NarrowTable, found: Columns) -> None:
    for analyte, (value, low, high) in _LABORATORY:
        if value not in table:
            continue
        # the prothrombin time stands in the same column as INR, whose warnings say it all
        warnings: list[str] = [] if analyte is PROTHROMBIN else found.warnings
        printed = number_column(table[value], analyte.name, warnings).to_numpy(dtype=float)
        result = harmonise(analyte, printed, *(numbers(table.get(c))[0] for c in (low, high)))
        found.add(analyte.name, pd.Series(result.values), Role.MARKER, analyte.unit)
        warnings.extend(result.warnings)
    if "alpha_fetoprotien_at_procurement" in table:
        afp = number_column(table["alpha_fetoprotien_at_procurement"], "afp", found.warnings)
        found.add("afp", afp, Role.MARKER, "ng/mL")
        found.add("log10_afp", pd.Series(log10_afp(afp.to_numpy(dtype=float))), Role.MARKER, "log10 ng/mL")
    if "bilirubin" in found.frame and "albumin" in found.frame:
        score = albi(
            found.frame["bilirubin"].to_numpy() * UMOL_PER_MG_BILIRUBIN, found.frame["albumin"].to_numpy() * 10
        )
        found.add("albi", pd.Series(score), Role.MARKER)
        found.add("albi_grade", albi_grade(score), Role.MARKER)
