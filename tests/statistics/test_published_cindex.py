"""Harrell's C from MCAT's released predictions equals every published value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.statistics.discrimination import harrell_c


@pytest.mark.realdata
def test_all_275_published_values(shared_data: Path) -> None:
    keys = ["cohort", "model", "fold"]
    table = pd.read_csv(shared_data / "tcga" / "published_predictions_mcat.csv.gz")
    published = pd.read_csv(shared_data / "tcga" / "published_cindex.csv").set_index(keys)["cindex"]
    found = {
        key: harrell_c(rows["survival_months"], rows["censorship"] == 0, rows["risk"])
        for key, rows in table.groupby(keys)
    }
    ours = pd.Series(found).reindex(published.index)
    assert len(ours) == 275
    np.testing.assert_allclose(ours.to_numpy(), published.to_numpy(), rtol=0, atol=1e-9)
