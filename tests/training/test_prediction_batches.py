"""Batches of patients with bags of very different length: every patient once, little padding, the same numbers."""

from __future__ import annotations

import numpy as np
import torch

from core.cohort.modality import Modality
from core.features.batch import Tensors
from core.training.prediction_batches import MOST_PATCHES, prediction_batches


def test_every_patient_once_and_long_bags_apart() -> None:
    rng = np.random.default_rng(0)
    lengths = rng.integers(30, 160, 200)
    lengths[[3, 50, 120]] = 2500
    bags = tuple(None if i == 7 else np.zeros((k, 2), dtype=np.float32) for i, k in enumerate(lengths))
    tensors = Tensors({Modality.SLIDES: torch.ones(200, dtype=torch.bool)}, bags={Modality.SLIDES: bags})
    batches = prediction_batches(tensors, 200, 64)
    assert sorted(np.concatenate(batches)) == list(range(200))
    assert all(len(b) <= 64 and len(b) * lengths[b].max() <= MOST_PATCHES for b in batches)
    padded = sum(len(b) * lengths[b].max() for b in batches)
    assert padded < 2.2 * lengths.sum()


def test_without_bags_patients_stay_in_order() -> None:
    tensors = Tensors({Modality.GENOMICS: torch.ones(5, dtype=torch.bool)}, genes=torch.zeros(5, 3))
    assert [b.tolist() for b in prediction_batches(tensors, 5, 2)] == [[0, 1], [2, 3], [4]]


def test_a_slide_longer_than_a_batch_stands_alone() -> None:
    bags = (np.zeros((MOST_PATCHES + 5, 1), dtype=np.float32), np.zeros((4, 1), dtype=np.float32))
    tensors = Tensors({Modality.SLIDES: torch.ones(2, dtype=torch.bool)}, bags={Modality.SLIDES: bags})
    assert [b.tolist() for b in prediction_batches(tensors, 2, 64)] == [[1], [0]]
