"""Which cancer the patients of a cohort have, as far as the cohort says it."""

from __future__ import annotations

import re

from core.cohort.cohort import Cohort, Role

COLUMNS = (
    "oncotree_code", "oncotree", "cancer_type_detailed", "cancer_type", "cancer", "tumor_type", "tumour_type",
    "disease",
)  # fmt: skip
"""Columns that name the cancer, the more exact one first; their names are compared without case, spaces and dashes."""

_STUDY = re.compile(r"tcga[-_ ]([a-z]{2,8})", re.IGNORECASE)


def cancer_codes(cohort: Cohort) -> frozenset[str]:
    """Lower-case names of the cancers of a cohort; empty when nothing says which they are.

    The study's code where the title or the cohort's name holds one (``TCGA-BLCA`` → ``blca``), and the values of the
    column whose role or name says that it holds the cancer. A study is listed beside its subtypes, so that a cohort
    that names only the subtype still shares a name with it.
    """
    study = _STUDY.search(cohort.title) or _STUDY.search(cohort.name)
    codes = {study.group(1).lower()} if study else set()
    column = _column(cohort)
    if column is not None:
        codes |= {plain_cancer(v) for v in cohort.patients[column].dropna().unique()}
    return frozenset(codes - {""})


def cancers_of(cohort: Cohort) -> dict[str, str]:
    """Pseudonym → cancer, for a cohort of several cancers; empty where a column says one or none."""
    columns = cohort.columns(Role.CANCER)
    if not columns:
        return {}
    named = cohort.patients[columns[0]].dropna().astype(str)
    found = {str(i): str(c) for i, c in zip(named.index, named, strict=True)}
    return found if len(set(found.values())) > 1 else {}


def plain_cancer(value: object) -> str:
    """A name of a cancer in lower case, a TCGA study without its prefix."""
    text = str(value).strip().lower()
    study = _STUDY.fullmatch(text)
    return study.group(1) if study else text


def _column(cohort: Cohort) -> str | None:
    named = cohort.columns(Role.CANCER)
    if named:
        return named[0]
    plain = {re.sub(r"[\s\-.]+", "_", str(c).lower()): str(c) for c in cohort.patients.columns}
    return next((plain[c] for c in COLUMNS if c in plain), None)
