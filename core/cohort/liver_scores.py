"""Scores derived from laboratory values: ALBI and its grade, log10 AFP."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.arrays import FloatArray

UMOL_PER_MG_BILIRUBIN = 17.104  # µmol/L in 1 mg/dL (molar mass 584.66 g/mol)
ALBI_CUTS = (-2.60, -1.39)


def albi(bilirubin_umol_l: FloatArray, albumin_g_l: FloatArray) -> FloatArray:
    """ALBI score = 0.66 · log10(bilirubin µmol/L) - 0.085 · albumin g/L (Johnson et al., J Clin Oncol 2015).

    NaN where either is missing or bilirubin is not positive.
    """
    positive = np.where(np.asarray(bilirubin_umol_l) > 0, bilirubin_umol_l, np.nan)
    return np.asarray(0.66 * np.log10(positive) - 0.085 * np.asarray(albumin_g_l), dtype=float)


def albi_grade(score: FloatArray) -> pd.Series:
    """Grade ``"1"`` (≤ -2.60), ``"2"`` (≤ -1.39) or ``"3"``; None where the score is missing."""
    grade = np.where(score <= ALBI_CUTS[0], "1", np.where(score <= ALBI_CUTS[1], "2", "3")).astype(object)
    grade[~np.isfinite(score)] = None
    return pd.Series(grade, dtype=object)


def log10_afp(afp_ng_ml: FloatArray) -> FloatArray:
    """log10 of AFP in ng/mL; NaN where AFP is missing, 0 or negative (a logarithm does not exist there)."""
    return np.asarray(np.log10(np.where(np.asarray(afp_ng_ml) > 0, afp_ng_ml, np.nan)), dtype=float)
