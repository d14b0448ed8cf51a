"""A cluster of two nodes on this machine: the same numbers bit for bit, and a lost worker is nobody's loss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, save_media
from core.cohort.modality import Modality
from core.cohort.storage import save_cohort
from core.errors import PrognoscopeError
from core.features.encoded import load_features
from core.features.store import FeatureStore
from core.results.run_store import load_predictions
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode
from core.tasks.explain_cohort import ExplainCohortRequest, explain_run
from core.tasks.train import TrainRequest, train
from core.workers.cluster import current_cluster, on_cluster
from core.workers.pool import unordered
from tests.tasks.scoring_cohort import make_cohort
from tests.workers import pieces

pytest.importorskip("ray")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Two nodes of one CPU each."""
    import os

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    node: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 80 * 1024**2, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    cluster.add_node(num_cpus=1, object_store_memory=80 * 1024**2)
    cluster.wait_for_nodes()
    yield cluster.address
    cluster.shutdown()


def test_both_nodes_work_and_a_lost_worker_is_replaced(address: str, tmp_path: Path) -> None:
    with on_cluster(address):
        assert dict(unordered(pieces.square, 1, range(5), 1)) == {i: i * i + 1 for i in range(5)}
        assert len({node for _, node in unordered(pieces.where, None, [1.0, 1.1, 1.2, 1.3], 1)}) == 2
        assert dict(unordered(pieces.dies_once, tmp_path, [1, 2], 1)) == {1: 1, 2: 2}
        assert dict(unordered(pieces.dies, tmp_path, [2, 3], 1, lost=lambda item: -item)) == {2: -2, 3: 3}
        with pytest.raises(PrognoscopeError, match="item 7 in the test: nothing"):
            dict(unordered(pieces.refuses, None, [7], 1))
    assert current_cluster() is None


def test_training_encoding_and_explaining_give_the_same_bits(address: str, tmp_path: Path) -> None:
    found = {}
    for place in ("here", "cluster"):
        workspace = Workspace(tmp_path / place)
        cohort = make_cohort(60, "small", 0)
        availability = cohort.availability.copy()
        availability["reports"] = True
        ordered = [m.value for m in Modality if m.value in availability]
        save_cohort(replace(cohort, availability=availability[ordered]), None, workspace)
        files = []
        for number, patient in enumerate(cohort.ids):
            path = tmp_path / f"{number}.txt"
            path.write_text(
                f"Liver: nodular, {number} mm. Tumour: {number % 7} lesions, no invasion.", encoding="utf-8"
            )
            files.append(MediaFile(patient, Modality.REPORTS, MediaKind.REPORT, str(path)))
        save_media("small", MediaIndex(tuple(files)), workspace)
        request = TrainRequest(
            "small", "snn", (Modality.GENOMICS, Modality.CLINICAL, Modality.REPORTS), folds="2", seeds=2, processes=2,
            references=False, settings={"training.epochs": 2, "width": 16, "family_hidden": 16}, horizons=(6.0,),
        )  # fmt: skip
        with on_cluster(address if place == "cluster" else ""):
            encode(EncodeRequest("small", (Modality.REPORTS,)), workspace)
            run = train(request, workspace)
            explained = explain_run(ExplainCohortRequest(run.id, month=6.0, patients=20), workspace)
        keys = load_features("small", workspace).of(Modality.REPORTS).keys
        store = FeatureStore(workspace)
        rows = np.concatenate([store.read(key).features for _, key in sorted(keys.items())])
        predictions = load_predictions(run.id, workspace)
        found[place] = (rows, predictions.table["risk"].to_numpy(), predictions.survival, explained.contributions)
    for here, there in zip(found["here"], found["cluster"], strict=True):
        assert np.array_equal(here, there, equal_nan=True)
