"""The clinical half of the sample cohort: demographics, laboratory markers and tumour findings from two latents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from core.arrays import FloatArray, IntArray, StrArray
from core.cohort.cohort import Role
from core.cohort.liver_scores import UMOL_PER_MG_BILIRUBIN, albi, albi_grade, log10_afp

ROLES: Mapping[str, Role] = {
    **dict.fromkeys(("age", "sex", "stage", "grade"), Role.INPUT),
    **dict.fromkeys(
        (
            "bilirubin", "albumin", "inr", "platelets", "creatinine", "afp", "log10_afp", "albi", "albi_grade",
            "child_pugh", "tumour_size", "tumour_number", "vascular_invasion",
        ),
        Role.MARKER,
    ),
    "treatment_arm": Role.DESCRIPTION,
    "site": Role.SITE,
}  # fmt: skip
UNITS: Mapping[str, str] = {
    "age": "years", "bilirubin": "mg/dL", "albumin": "g/dL", "inr": "ratio", "platelets": "10^9/L",
    "creatinine": "mg/dL", "afp": "ng/mL", "log10_afp": "log10 ng/mL", "tumour_size": "cm", "tumour_number": "count",
}  # fmt: skip
LABELS: Mapping[str, str] = {
    "inr": "INR", "afp": "AFP", "log10_afp": "log10 AFP", "albi": "ALBI score", "albi_grade": "ALBI grade",
    "child_pugh": "Child-Pugh class", "stage": "stage (BCLC-like)", "tumour_size": "largest tumour",
    "tumour_number": "number of tumours",
}  # fmt: skip


def clinical_table(
    spec: Mapping[str, Any], latents: Mapping[str, FloatArray], rng: np.random.Generator
) -> pd.DataFrame:
    """Everything a clinic would note about ``n`` patients, complete; the row index is plain."""
    reserve, burden = latents["liver_reserve"], latents["tumour_burden"]
    n = len(reserve)
    age = spec["age"]
    years = np.clip(rng.normal(age["mean"], age["sd"], n), age["low"], age["high"]).round()
    sex = np.where(rng.random(n) < spec["male_share"], "male", "female")
    markers = {name: _marker(law, reserve, burden, rng) for name, law in spec["markers"].items()}
    number = _number(spec["tumour_number"], burden, rng)
    invasion = _steps(burden, spec["vascular_invasion"], ("none", "micro", "macro"), ("micro_from", "macro_from"), rng)
    grade = _steps(burden, spec["grade"], ("G1", "G2", "G3"), ("g2_from", "g3_from"), rng)
    child = child_pugh(markers["bilirubin"], markers["albumin"], markers["inr"])
    score = albi(markers["bilirubin"] * UMOL_PER_MG_BILIRUBIN, markers["albumin"] * 10).round(2)
    arms = spec["treatment"]
    second = rng.random(n) < arms["share_of_second"]
    return pd.DataFrame(
        {
            "age": years,
            "sex": sex.astype(object),
            "stage": stage_like_bclc(markers["tumour_size"], number, invasion, child),
            "grade": grade,
            **{k: v for k, v in markers.items() if k != "tumour_size"},
            "log10_afp": log10_afp(markers["afp"]).round(3),
            "albi": score,
            "albi_grade": albi_grade(score).to_numpy(),
            "child_pugh": child,
            "tumour_size": markers["tumour_size"],
            "tumour_number": number.astype(float),
            "vascular_invasion": invasion,
            arms["column"]: np.where(second, arms["arms"][1], arms["arms"][0]).astype(object),
            "site": rng.choice(list(spec["sites"]), size=n, p=_shares(spec["sites"])).astype(object),
        }
    )


def _shares(sites: Mapping[str, float]) -> FloatArray:
    values = np.array(list(sites.values()), dtype=float)
    return np.asarray(values / values.sum())


def _marker(law: Mapping[str, Any], reserve: FloatArray, burden: FloatArray, rng: np.random.Generator) -> FloatArray:
    shift = (
        law["liver_reserve"] * reserve
        + law["tumour_burden"] * burden
        + law["noise"] * rng.standard_normal(len(reserve))
    )
    raw = law["base"] * np.exp(shift) if law["scale"] == "log" else law["base"] + shift
    return np.asarray(np.maximum(np.round(raw, law["decimals"]), law["floor"]))


def _number(law: Mapping[str, Any], burden: FloatArray, rng: np.random.Generator) -> IntArray:
    mean = np.exp(law["log_mean"] + law["tumour_burden"] * burden)
    return np.asarray(np.minimum(1 + rng.poisson(mean), law["highest"]), dtype=np.int64)


def _steps(
    latent: FloatArray,
    law: Mapping[str, float],
    words: tuple[str, str, str],
    cuts: tuple[str, str],
    rng: np.random.Generator,
) -> StrArray:
    seen = latent + law["noise"] * rng.standard_normal(len(latent))
    return np.where(seen < law[cuts[0]], words[0], np.where(seen < law[cuts[1]], words[1], words[2])).astype(object)


def child_pugh(bilirubin_mg_dl: FloatArray, albumin_g_dl: FloatArray, inr: FloatArray) -> StrArray:
    """Child-Pugh class from the three laboratory items; ascites and encephalopathy are taken as absent."""
    points = 2 + _points(bilirubin_mg_dl, 2, 3) + _points(-albumin_g_dl, -3.5, -2.8) + _points(inr, 1.7, 2.3)
    return np.where(points <= 6, "A", np.where(points <= 9, "B", "C")).astype(object)


def _points(value: FloatArray, second: float, third: float) -> IntArray:
    return 1 + (value > second).astype(np.int64) + (value > third).astype(np.int64)


def stage_like_bclc(size_cm: FloatArray, number: IntArray, invasion: StrArray, child: StrArray) -> StrArray:
    """Stages in the manner of BCLC: D by liver function, C by macrovascular invasion, 0/A/B by size and number."""
    within_milan = ((number == 1) & (size_cm <= 5)) | ((number <= 3) & (size_cm <= 3))
    early = np.where((number == 1) & (size_cm <= 2), "0", np.where(within_milan | (number == 1), "A", "B"))
    return np.where(child == "C", "D", np.where(invasion == "macro", "C", early)).astype(object)
