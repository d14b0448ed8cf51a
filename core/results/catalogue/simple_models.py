"""The simpler models: no epochs, no experts, and often hard to beat."""

from __future__ import annotations

from core.results.catalogue.networks import EVERY_MODALITY, SNN_SETTINGS
from core.results.catalogue.records import ModelEntry, Preset, Setting
from core.results.catalogue.training import QUICK, RECOMMENDED, SMALL, TRAINING

_DEFAULTS = (Preset("recommended", "Recommended", "The defaults."),)

SIMPLE = (
    ModelEntry(
        "cox-clinical", "Cox, clinical inputs", "Age, sex, stage and grade, where the cohort has them.", ("clinical",),
        False, (Setting("ridge", "Ridge", 0.01, "A small pull to zero that keeps the fit defined in a small fold."),),
        _DEFAULTS,
    ),
    ModelEntry(
        "cox-penalised", "Penalised Cox",
        "Elastic-net Cox on all inputs, slides, scans and reports averaged; its penalty comes from inner folds.",
        EVERY_MODALITY, False,
        (
            Setting("l1_ratio", "Share of lasso", 0.1, "0 shrinks all coefficients evenly, 1 leaves few of them."),
            Setting("inner_folds", "Inner folds", 3, "Folds of the training patients that choose the penalty."),
            Setting("path", "Penalties tried", 20, "Length of the path of penalties."),
        ),
        _DEFAULTS,
    ),
    ModelEntry(
        "forest", "Survival forest", "Random survival forest on all inputs, slides, scans and reports averaged.",
        EVERY_MODALITY, False,
        (
            Setting("trees", "Trees", 200, "More trees: steadier and slower."),
            Setting("leaf", "Patients a leaf", 10, "Fewest patients at the end of a branch."),
        ),
        _DEFAULTS,
    ),
    ModelEntry(
        "late-fusion", "Late fusion", "One plain network a modality, their risks averaged.", EVERY_MODALITY, True,
        (*SNN_SETTINGS, *TRAINING), (RECOMMENDED, SMALL, QUICK),
    ),
    ModelEntry(
        "kaplan-meier", "Kaplan-Meier null", "Knows nothing of the patient: the curve of all training patients.",
        EVERY_MODALITY, False, (), _DEFAULTS,
    ),
)  # fmt: skip
