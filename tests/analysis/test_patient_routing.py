"""A patient's gates in words: the mean of the models that never saw them, and silence where experts do not match."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from core.analysis.patient_routing import routing_of_patient
from core.results.routing_record import LevelRecord


def level(**changes: Any) -> LevelRecord:
    mass = np.zeros((2, 3, 2), dtype=np.float32)
    mass[:, 1] = [[0.7, 0.3], [0.9, 0.1]]
    empty = np.zeros((2, 3, 2), dtype=np.float32)
    found = LevelRecord(
        "level 2", ("tumour", "liver"), True, 4, False, np.array([True, True, False]), mass, empty, empty, empty, empty,
        np.zeros((1, 2, 3, 2), dtype=np.float32), np.zeros((1, 2, 2), dtype=np.int64), np.ones(2), np.ones(2),
    )  # fmt: skip
    return replace(found, **changes)


def record(found: LevelRecord) -> Any:
    return SimpleNamespace(ids=("A", "B", "C"), levels={found.name: found})


def test_the_expert_with_most_weight_and_how_the_models_differ() -> None:
    assert routing_of_patient(record(level()), "B") == (
        "Level 2: most weight on tumour (80 %; 70 to 90 % in the 2 models that never saw this patient).",
    )


def test_no_expert_is_named_where_models_do_not_match_or_nothing_was_routed() -> None:
    apart = level(named=False, between=np.array([1.0, 0.2]))
    assert "do not match each other" in routing_of_patient(record(apart), "B")[0]
    assert "passed over" in routing_of_patient(record(level()), "C")[0]
    assert routing_of_patient(record(level()), "nobody") == ()
