"""A run in words for a person: what the model is called, what it read, and how its predictions came about."""

from __future__ import annotations

from core.results.run import Run

_MODELS = {
    "hdmoe": "HDMoE",
    "biofact": "BioFact-MoE",
    "mice": "MICE",
    "snn": "SNN",
    "kaplan-meier": "Kaplan-Meier null",
    "cox-clinical": "Cox, clinical inputs",
    "cox-penalised": "penalised Cox",
    "forest": "survival forest",
    "late-fusion": "late fusion",
}
OUT_OF_FOLD, OPTIMISTIC, IN_SAMPLE = "out-of-fold", "optimistic", "in-sample"


def model_words(name: str) -> str:
    """``"HDMoE"`` for ``"hdmoe"``; a model without words keeps its name."""
    return _MODELS.get(name, name)


def run_words(run: Run) -> str:
    """``"HDMoE · genomics + clinical · OS · 5-fold · 3 seeds · 2026-01-02 03:04 · 79dbb8c8"``."""
    seeds = f"{len(run.seeds)} seed{'' if len(run.seeds) == 1 else 's'}"
    parts = [model_words(run.model), " + ".join(run.modalities), run.endpoint, run.folds, seeds]
    if run.protocol == "upstream":
        parts.insert(1, "upstream protocol, optimistic")
    return " · ".join([*parts, run.created_at[:16].replace("T", " "), run.id.rpartition("-")[2]])


def badge(protocol: str, in_sample: bool) -> str:
    """What a curve or number made from predictions has to be called.

    ``"out-of-fold"`` · ``"optimistic"``: the upstream protocol chose the epoch on these very patients ·
    ``"in-sample"``: the models had trained on them.
    """
    if in_sample:
        return IN_SAMPLE
    return OPTIMISTIC if protocol == "upstream" else OUT_OF_FOLD
