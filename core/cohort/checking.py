"""The result of reading a study without storing it: what the import would give, or the one reason why it cannot."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.cohort.cohort import Cohort, Exclusion, Role
from core.cohort.coverage import exclusions
from core.cohort.endpoint import Endpoint
from core.cohort.importers.draft import Progress, silent
from core.cohort.importing import import_cohort
from core.cohort.report_findings import NOTHING_FOUND, TOLD, Identifying, ReportFindings

_NAME = "check"


@dataclass(frozen=True)
class EndpointCheck:
    """One endpoint in numbers: patients with a usable outcome, and what happened to them; times in months."""

    name: str
    label: str
    patients: int
    events: int
    event_label: str
    competing: int
    competing_label: str
    censored: int
    unknown: int
    longest: float


@dataclass(frozen=True)
class Checked:
    """What an import would store.

    ``modalities`` counts the patients with each · ``columns`` the columns of each role · ``exclusions`` the patients
    left out at import, then those kept who have no usable outcome or lack a modality · ``identifying`` what in the
    reports may tell who a patient is, masked.
    """

    format: str
    title: str
    patients: int
    endpoints: tuple[EndpointCheck, ...]
    modalities: Mapping[str, int]
    columns: Mapping[str, int]
    exclusions: tuple[Exclusion, ...]
    incomplete: tuple[Exclusion, ...]
    warnings: tuple[str, ...]
    identifying: ReportFindings = NOTHING_FOUND

    def as_json(self) -> dict[str, Any]:
        """Plain values: the result of a job."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Checked:
        """Rebuild from :meth:`as_json`."""
        data = dict(value)
        data["endpoints"] = tuple(EndpointCheck(**e) for e in data["endpoints"])
        for key in ("exclusions", "incomplete"):
            data[key] = tuple(Exclusion(e["reason"], e["count"]) for e in data[key])
        data["warnings"] = tuple(data["warnings"])
        data["identifying"] = ReportFindings.from_json(data["identifying"])
        return cls(**data)


def check_import(path: Path, *, progress: Progress = silent, **options: Any) -> Checked:
    """Read a study as the import would, under pseudonyms that are thrown away; nothing is written.

    Parameters
    ----------
    **options
        The keyword arguments of :func:`core.cohort.importing.import_cohort`.

    Raises
    ------
    PrognoscopeError
        For input that the import would refuse.
    """
    looked = {**options, "identifying": Identifying.KEEP}  # what is decided about the reports comes after the look
    imported = import_cohort(path, _NAME, secret=secrets.token_bytes(32), progress=progress, **looked)
    undecided = tuple(w for w in imported.cohort.warnings if not w.startswith(TOLD))
    return replace(summarised(imported.cohort), warnings=undecided, identifying=imported.found)


def summarised(cohort: Cohort) -> Checked:
    """A cohort in the numbers that are looked at before it is stored."""
    roles = [cohort.roles[c] for c in cohort.patients.columns]
    return Checked(
        format=cohort.provenance.format,
        title=cohort.title,
        patients=len(cohort),
        endpoints=tuple(_endpoint(e) for e in cohort.endpoints.values()),
        modalities={str(m): int(cohort.availability[str(m)].sum()) for m in cohort.modalities},
        columns={str(role): roles.count(role) for role in Role if role in roles},
        exclusions=cohort.exclusions,
        incomplete=exclusions(cohort, None, cohort.modalities),
        warnings=cohort.warnings,
    )


def _endpoint(endpoint: Endpoint) -> EndpointCheck:
    known = endpoint.known
    events, competing = int((endpoint.event & known).sum()), int((endpoint.competing & known).sum())
    return EndpointCheck(
        name=endpoint.name,
        label=endpoint.label,
        patients=int(known.sum()),
        events=events,
        event_label=endpoint.event_label,
        competing=competing,
        competing_label=endpoint.competing_label,
        censored=int(known.sum()) - events - competing,
        unknown=int((~known).sum()),
        longest=float(np.nanmax(np.where(known, endpoint.time, np.nan), initial=0.0)),
    )
