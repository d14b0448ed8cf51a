"""What the slides, scans and reports of the sample cohort will show, and who has them.

Everything here is a few numbers a patient, drawn when the tables are made, so that the cohort's content hash is final
before the first picture is painted. Every part has a stream of its own: no table changes when a picture does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from core.arrays import BoolArray, FloatArray
from core.cohort.modality import Modality

MEDIA = (Modality.SLIDES, Modality.VOLUMES, Modality.REPORTS)
_HOLES, _IMMUNE, _SLIDES, _VOLUMES, _REPORTS = range(4, 9)  # streams 0 to 3 made the tables


def media_availability(spec: Mapping[str, Any], n: int, seed: int) -> dict[str, BoolArray]:
    """Modality → (n,) bool; ``modality_missing_share`` of the patients lack each, independently of one another."""
    rng = np.random.default_rng([seed, _HOLES])
    missing = round(spec["modality_missing_share"] * n)
    have = {}
    for modality in MEDIA:
        have[modality.value] = np.ones(n, dtype=bool)
        have[modality.value][rng.permutation(n)[:missing]] = False
    return have


def media_findings(
    spec: Mapping[str, Any],
    latents: Mapping[str, FloatArray],
    luck: FloatArray,
    clinic: pd.DataFrame,
    slides: BoolArray,
    seed: int,
) -> pd.DataFrame:
    """One row a patient: how much of everything will be painted, measured and written.

    Parameters
    ----------
    latents : mapping of name to (n,) standard normal array
    luck : (n,) float array
        The unit-exponential draw behind each survival time: what latents, age and arm leave unexplained. The immune
        response, a cause that only slides show, is drawn from it, after the times, so that no table had to change.
    clinic : DataFrame
        The complete clinical table; tumour size, number and invasion in scans and reports are those of the table.
    slides : (n,) bool
        Who has a slide.
    """
    media, n = spec["media"], len(luck)
    immune = _immune_response(media["immune_response"]["with_unexplained_survival"], luck, seed)
    causes = {**latents, "immune_response": immune}
    table: dict[str, Any] = {"immune_response": immune}
    for part, stream in (("slides", _SLIDES), ("volumes", _VOLUMES), ("reports", _REPORTS)):
        rng = np.random.default_rng([seed, stream])
        laws = {k: v for k, v in media[part].items() if isinstance(v, dict) and "lowest" in v}
        table |= {name: _amount(law, causes, rng) for name, law in laws.items()}
        if part == "slides":
            table |= _slide_formats(media[part], slides, rng)
    table |= {c: clinic[c].to_numpy() for c in ("tumour_size", "tumour_number", "vascular_invasion", "site")}
    table["number"] = np.arange(n)
    return pd.DataFrame(table)


def _immune_response(share: float, luck: FloatArray, seed: int) -> FloatArray:
    """(n,) standard normal, correlated by ``share`` with the normal score of ``luck`` (long survival: strong)."""
    score = norm.ppf(np.clip(-np.expm1(-luck), 1e-6, 1 - 1e-6))
    rest = np.random.default_rng([seed, _IMMUNE]).standard_normal(len(luck))
    return np.asarray(share * score + np.sqrt(1 - share**2) * rest)


def _amount(law: Mapping[str, float], causes: Mapping[str, FloatArray], rng: np.random.Generator) -> FloatArray:
    """(n,) amount between ``lowest`` and ``highest``: loadings on the causes, the rest of the variance is noise."""
    loadings = {cause: float(law[cause]) for cause in causes if cause in law}
    n = len(next(iter(causes.values())))
    score = np.sqrt(1 - sum(v**2 for v in loadings.values())) * rng.standard_normal(n)
    for cause, loading in loadings.items():
        score = score + loading * causes[cause]
    return np.asarray(law["lowest"] + (law["highest"] - law["lowest"]) * norm.cdf(score))


def _slide_formats(law: Mapping[str, Any], slides: BoolArray, rng: np.random.Generator) -> dict[str, Any]:
    """Width, height in px, and who bears a pen mark; a few of those with a slide get a wide one."""
    n, wide = len(slides), law["wide"]
    size = rng.integers(law["shortest_side"] // 64, law["longest_side"] // 64, (2, n), endpoint=True) * 64
    marked = rng.random(n) < law["pen_share"]
    few = rng.permutation(np.flatnonzero(slides))[: wide["count"]]
    size[0, few], size[1, few] = wide["width"], wide["height"]
    return {"slide_width": size[0], "slide_height": size[1], "pen_mark": marked}
