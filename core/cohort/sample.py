"""The sample cohort "Synthetic HCC": generated patients with a planted truth, the same every time.

The specification is ``sample_data/synthetic_hcc.json``; its README says what is planted and why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.arrays import BoolArray, FloatArray, IntArray
from core.cohort.cohort import Cohort, Provenance, Role
from core.cohort.endpoint import Endpoint
from core.cohort.genomics import Genomics
from core.cohort.modality import Modality
from core.cohort.sample_clinic import LABELS, ROLES, UNITS, clinical_table
from core.cohort.sample_genes import make_genes
from core.cohort.sample_media import media_availability, media_findings
from core.cohort.storage import save_cohort
from core.results.files import sha256_of, write_json
from core.results.workspace import Workspace

SPECIFICATION = Path(__file__).resolve().parents[2] / "sample_data" / "synthetic_hcc.json"
NAME = "sample"


@dataclass(frozen=True, eq=False)
class SampleTruth:
    """What was planted; read by tests only.

    Parameters
    ----------
    ids : tuple of n str
    latents : mapping of name to (n,) float array
        ``liver_reserve`` and ``tumour_burden``, standard normal.
    coefficients : mapping of name to float
        Log-hazard of each latent (per SD), of age (per decade), of the second arm, and of its product with
        tumour burden (``arm_by_tumour_burden``).
    planted : mapping of gene column to latent
    log_hazard : (n,) float array
        The linear predictor that drew the survival times.
    findings : DataFrame of n rows
        What slides, scans and reports show of each patient (:mod:`core.cohort.sample_media`).
    """

    ids: tuple[str, ...]
    latents: Mapping[str, FloatArray]
    coefficients: Mapping[str, float]
    planted: Mapping[str, str]
    log_hazard: FloatArray
    findings: pd.DataFrame

    def as_json(self) -> dict[str, Any]:
        """Plain lists and dictionaries."""
        plain = asdict(self)
        plain["ids"] = list(self.ids)
        plain["latents"] = {k: [float(x) for x in v] for k, v in self.latents.items()}
        plain["log_hazard"] = [float(x) for x in self.log_hazard]
        plain["findings"] = {c: self.findings[c].tolist() for c in self.findings}
        return plain


def make_sample_cohort(
    patients: int | None = None, seed: int | None = None, name: str = NAME
) -> tuple[Cohort, SampleTruth]:
    """Generate the sample cohort and its truth.

    Parameters
    ----------
    patients, seed : int, optional
        Those of the specification when not given.
    name : str
        Key in the workspace.
    """
    spec = json.loads(SPECIFICATION.read_text(encoding="utf-8"))
    n = patients or int(spec["patients"])
    used_seed = int(spec["seed"]) if seed is None else seed
    # One stream a part, so that a change to one part does not reshuffle the others.
    clinic, genes, outcome, holes = (np.random.default_rng([used_seed, part]) for part in range(4))
    ids = tuple(f"SYN-{i:04d}" for i in range(1, n + 1))
    index = pd.Index(ids, name="patient", dtype=object)
    latents = {latent: clinic.standard_normal(n) for latent in spec["latents"]}
    table = clinical_table(spec, latents, clinic)
    genomics, planted = make_genes(spec, latents, table["site"].to_numpy(), genes)
    arm = (table[spec["treatment"]["column"]] == spec["treatment"]["arms"][1]).to_numpy(dtype=float)
    coefficients = _coefficients(spec)
    log_hazard = _log_hazard(coefficients, latents, table["age"].to_numpy(dtype=float), arm)
    luck = outcome.exponential(size=n)
    endpoints = _endpoints(spec, log_hazard, luck, table["stage"].to_numpy(), outcome)
    media = media_availability(spec, n, used_seed)
    findings = media_findings(spec, latents, luck, table, media[Modality.SLIDES.value], used_seed)
    findings.index = index
    table, genomics = _with_holes(spec, table, genomics, holes)
    table.index = index
    cohort = Cohort(
        name=name,
        title=spec["title"],
        patients=table,
        roles={c: ROLES[c] for c in table.columns},
        endpoints=endpoints,
        availability=_availability(table, genomics, media),
        provenance=Provenance(
            "sample", {SPECIFICATION.name: sha256_of(SPECIFICATION)}, "", "1", (f"{n} patients, seed {used_seed}",)
        ),
        genomics=genomics,
        units={c: u for c, u in UNITS.items() if c in table},
        labels={c: u for c, u in LABELS.items() if c in table},
        warnings=("These patients are generated: no number here says anything about real people.",),
        synthetic=True,
    )
    return cohort, SampleTruth(ids, latents, coefficients, planted, log_hazard, findings)


def save_sample(workspace: Workspace, name: str = NAME, patients: int | None = None, seed: int | None = None) -> Cohort:
    """Generate the sample cohort into the workspace, its truth beside it as ``<name>.truth.json``."""
    cohort, truth = make_sample_cohort(patients, seed, name)
    save_cohort(cohort, None, workspace)
    write_json(truth_path(workspace, name), truth.as_json())
    return cohort


def truth_path(workspace: Workspace, name: str = NAME) -> Path:
    """Where the truth of a sample cohort lies."""
    return workspace.cohorts / f"{name}.truth.json"


def _coefficients(spec: Mapping[str, Any]) -> dict[str, float]:
    arm = spec["treatment"]
    return {
        **{latent: float(value["log_hazard"]) for latent, value in spec["latents"].items()},
        "age_per_decade": float(spec["age"]["log_hazard_per_decade"]),
        "arm": float(arm["log_hazard"]),
        "arm_by_tumour_burden": float(arm["log_hazard_by_tumour_burden"]),
    }


def _log_hazard(
    coefficients: Mapping[str, float], latents: Mapping[str, FloatArray], age: FloatArray, arm: FloatArray
) -> FloatArray:
    value = coefficients["age_per_decade"] * (age - age.mean()) / 10
    for latent, values in latents.items():
        value = value + coefficients[latent] * values
    value = value + arm * (coefficients["arm"] + coefficients["arm_by_tumour_burden"] * latents["tumour_burden"])
    return np.asarray(value, dtype=float)


def _endpoints(
    spec: Mapping[str, Any],
    log_hazard: FloatArray,
    luck: FloatArray,
    stage: np.ndarray[Any, Any],
    rng: np.random.Generator,
) -> dict[str, Endpoint]:
    """Death, progression and transplant on one time axis; the three endpoints are three readings of it.

    ``luck`` (n,) unit exponential: what the log hazard leaves unexplained of the time to death.
    """
    law = spec["survival"]
    n, shape = len(log_hazard), float(law["shape"])
    scale = float(law["median_months"]) / np.log(2) ** (1 / shape)
    death = scale * (luck * np.exp(-log_hazard)) ** (1 / shape)
    faster = law["progression_hazard_ratio"] * np.exp(log_hazard)
    progression = scale * (rng.exponential(size=n) / faster) ** (1 / shape)
    transplant = _transplants(law["transplant"], stage, rng)
    first = transplant < death
    remaining = rng.exponential(law["transplant"]["remaining_median_months"] / np.log(2), n)
    final = np.where(first, transplant + remaining, death)
    low, high = law["censoring_months"]
    end = rng.uniform(low, high, n)
    lost = rng.random(n) < law["loss_to_follow_up_share"]
    end = np.where(lost, end * rng.random(n), end)
    decimals = int(law["decimals"])
    return {
        "OS": _endpoint("OS", "Overall survival", "death", final, end, decimals),
        "PFS": _endpoint(
            "PFS", "Progression-free survival", "progression or death", np.minimum(final, progression), end, decimals
        ),
        "DWT": _endpoint(
            "DWT", "Death without transplant", "death without transplant", death, end, decimals, transplant
        ),
    }


def _transplants(law: Mapping[str, Any], stage: np.ndarray[Any, Any], rng: np.random.Generator) -> FloatArray:
    eligible = np.isin(stage, ("0", "A", "B")) & (rng.random(len(stage)) < law["share_of_eligible"])
    wait = rng.exponential(law["mean_wait_months"], len(stage))
    return np.where(eligible, wait, np.inf)


def _endpoint(
    name: str,
    label: str,
    event_label: str,
    event_at: FloatArray,
    end: FloatArray,
    decimals: int,
    competing_at: FloatArray | None = None,
) -> Endpoint:
    other = np.full(len(end), np.inf) if competing_at is None else competing_at
    time = np.minimum(np.minimum(event_at, other), end)
    return Endpoint(
        name=name,
        label=label,
        time_zero="diagnosis",
        entry=np.zeros(len(end)),
        time=np.maximum(np.round(time, decimals), 10.0**-decimals),
        event=(event_at <= end) & (event_at <= other),
        competing=(other < event_at) & (other <= end),
        event_label=event_label,
        competing_label="liver transplant" if competing_at is not None else "",
    )


def _with_holes(
    spec: Mapping[str, Any], table: pd.DataFrame, genomics: Genomics, rng: np.random.Generator
) -> tuple[pd.DataFrame, Genomics]:
    """Take data away: whole modalities from disjoint groups of patients, single markers at random."""
    n = len(table)
    count = round(spec["modality_missing_share"] * n)
    order = rng.permutation(n)
    no_genes, no_clinic = order[:count], order[count : 2 * count]
    values = genomics.values.copy()
    values[no_genes] = np.nan
    table = table.copy()
    for column in table.columns:
        if ROLES[column] is Role.INPUT:
            table.loc[no_clinic, column] = _missing_like(table[column])
    for column in spec["markers"]:
        holes: IntArray = np.flatnonzero(rng.random(n) < spec["marker_missing_share"])
        table.loc[holes, [c for c in _blanked_with(column) if c in table]] = np.nan
    for grade, score in (("albi_grade", "albi"), ("child_pugh", "albi")):
        table.loc[table[score].isna(), grade] = None
    return table, Genomics(values, genomics.columns, genomics.units, genomics.families)


def _missing_like(column: pd.Series) -> float | None:
    return None if column.dtype == object else float("nan")


def _blanked_with(marker: str) -> tuple[str, ...]:
    """A marker and what is computed from it."""
    derived = {"bilirubin": ("albi",), "albumin": ("albi",), "afp": ("log10_afp",)}
    return (marker, *derived.get(marker, ()))


def _availability(table: pd.DataFrame, genomics: Genomics, media: Mapping[str, BoolArray]) -> pd.DataFrame:
    inputs = [c for c in table.columns if ROLES[c] is Role.INPUT]
    clinical = table[inputs].notna().any(axis=1).to_numpy(dtype=bool)
    have = {**media, str(Modality.GENOMICS): genomics.present, str(Modality.CLINICAL): clinical}
    return pd.DataFrame({m.value: have[m.value] for m in Modality}, index=table.index)
