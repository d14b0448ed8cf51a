"""Columns that could tell who a patient is are left out of a cohort when it is read, and that is said.

Names, numbers of records, addresses and full dates identify; so does a text that nearly everybody has another one of.
None of them is needed to estimate survival. A site or a cancer is kept as what it is: an institution groups patients.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pandas as pd

from core.cohort.cohort import Role
from core.cohort.importers.draft import Draft
from core.cohort.wording import plural

KEPT = (Role.SITE, Role.CANCER)
FEWEST, SHARE, DATES = 10, 0.5, 0.8
"""A text is one's own when at least 10 patients have one and more than half of them another one; a column is of dates
when 8 in 10 of its values are."""
_NAMES = frozenset((
    "name", "patientname", "fullname", "surname", "lastname", "firstname", "givenname", "familyname", "maidenname",
    "initials", "mrn", "recordnumber", "medicalrecordnumber", "hospitalnumber", "ssn", "socialsecuritynumber",
    "nhsnumber", "nationalid", "insurancenumber", "phone", "phonenumber", "telephone", "fax", "email",
    "emailaddress", "mail", "address", "street", "streetaddress", "zip", "zipcode", "postcode", "postalcode",
    "birthdate", "dateofbirth", "dob", "birthday", "dateofdeath", "deathdate", "accession", "accessionnumber",
    "photo", "url", "ipaddress",
))  # fmt: skip
_DATE = re.compile(r"\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})(?:[T ].*)?\s*")


def identifying(table: pd.DataFrame, roles: Mapping[str, Role]) -> tuple[str, ...]:
    """Names of the columns that could tell who somebody is, in their order."""
    return tuple(str(c) for c in table.columns if roles.get(c) not in KEPT and _tells(str(c), table[c]))


def _tells(name: str, values: pd.Series) -> bool:
    if re.sub(r"[^a-z]", "", name.lower()) in _NAMES or pd.api.types.is_datetime64_any_dtype(values):
        return True
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return False
    present = values.dropna().astype(str)
    present = present[present.str.strip() != ""]
    if not len(present):
        return False
    if present.map(lambda text: bool(_DATE.fullmatch(text))).mean() >= DATES:
        return True
    if pd.to_numeric(present, errors="coerce").notna().all():
        return False
    return len(present) >= FEWEST and present.nunique() > SHARE * len(present)


def without_identifying(draft: Draft) -> Draft:
    """The draft without these columns; how many, and which, stands among its warnings."""
    found = identifying(draft.patients, draft.roles)
    if not found:
        return draft
    words = (
        f"{plural(len(found), 'column')} left out that could tell who a patient is: {', '.join(found)}. Names, "
        "numbers of records, full dates, and texts that differ from patient to patient are not kept."
    )

    return replace(
        draft,
        patients=draft.patients.drop(columns=list(found)),
        roles={c: role for c, role in draft.roles.items() if c not in found},
        units={c: unit for c, unit in draft.units.items() if c not in found},
        labels={c: label for c, label in draft.labels.items() if c not in found},
        warnings=(*draft.warnings, words),
    )
