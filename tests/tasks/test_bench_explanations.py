"""bench explanations: the half that is scored chooses nothing; rows and words follow the numbers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core.explain.faithfulness import Curves
from core.explain.map_truth import MapScore, halves
from core.tasks.bench import BENCHES
from core.tasks.bench_explanations import SlideTruth, gene_rows, slide_rows
from core.tasks.explanation_genes import GeneTruth, recall
from core.tasks.explanation_section import explanation_section
from core.tasks.explanation_slides import Sanity, ScoredRun, choose

PATIENTS = tuple(f"P{i:02d}" for i in range(20))
FIRST, SECOND = halves(PATIENTS)
GENES = GeneTruth(0.5, 1.0, 12, 346, 48, 0.1, -0.05, 1e-12, 0.02, 4)


def run(words: str, **aurocs: tuple[float, float]) -> ScoredRun:
    """Layer → AUROC on the choosing and on the scoring half."""
    scores = [
        MapScore(p, layer.replace("_", "-"), here if p in FIRST else there, p in SECOND, 0.4)
        for layer, (here, there) in aurocs.items()
        for p in PATIENTS
    ]
    return ScoredRun(words, words, 2, tuple(scores))


def truth(*scored: ScoredRun) -> SlideTruth:
    flat = np.full(5, 40.0)
    curves = Curves(38.0, flat + 6, flat - 9, np.tile(flat, (5, 1)), np.tile(flat, (5, 1)))
    best: Any = SimpleNamespace(words=scored[choose(scored).run].words)
    return SlideTruth(scored, choose(scored), best, Sanity(0.52, 0.05, 0.3, 10), Sanity(0.48, -0.1, 0.3, 10), (curves,))


def test_model_and_layer_are_chosen_on_one_half_and_scored_on_the_other() -> None:
    tempting = run("tempting", attention=(0.7, 0.99), relevance=(0.75, 0.95))
    good = run("good", attention=(0.5, 0.5), relevance=(0.9, 0.81))
    chosen = choose([tempting, good])
    assert (chosen.run, chosen.layer, chosen.chosen_on) == (1, "relevance", 10)
    assert chosen.on_choosing == pytest.approx(0.9)
    assert {s.patient for s in chosen.held_out} == SECOND
    assert np.mean([s.auroc for s in chosen.held_out]) == pytest.approx(0.81)


def test_rows_say_what_was_asked_for() -> None:
    rows = {r.name: r for r in (*slide_rows(truth(run("good", relevance=(0.9, 0.72)))), *gene_rows(GENES))}
    assert rows["attention_auroc_heldout"].value == pytest.approx(0.72)
    assert rows["attention_auroc_heldout"].ratio == pytest.approx(0.9)
    assert rows["attention_auroc_untrained"].value == pytest.approx(0.52)
    assert rows["pointing_game"].value == 1.0
    assert rows["deletion_gain"].value == pytest.approx(6.0)
    assert rows["insertion_gain"].value == pytest.approx(9.0)
    assert rows["planted_gene_recall30"].ratio == pytest.approx(0.5 / 0.6)
    assert "explanations" in BENCHES


def test_the_section_says_what_falls_short() -> None:
    text = "\n".join(explanation_section(truth(run("good", attention=(0.6, 0.6), relevance=(0.9, 0.72))), GENES, "cmd"))
    assert "does not reach .80" in text
    assert "Attention alone is no map of risk" in text
    assert "falls short of .60" in text
    assert "**0.900 / 0.720**" in text
    better = "\n".join(explanation_section(truth(run("good", relevance=(0.9, 0.85))), GENES, "cmd"))
    assert "it reaches .80" in better
    assert "Attention alone" not in better


def test_recall_counts_the_planted_among_the_first() -> None:
    importance = pd.Series(np.arange(40.0, 0, -1), index=[f"G{i}" for i in range(40)])
    assert recall(importance, ("G0", "G29", "G30", "G39")) == 0.5
    assert recall(importance, ("G0", "G1"), top=1) == 0.5
