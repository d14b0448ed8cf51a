"""What a model names as the place its answer is read from: only the linear head stands between it and the logits."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.features.preparation import InputShape
from core.models.network import SurvivalNetwork
from core.models.registry import MODELS, make_config, model_spec
from tests.models.patients import CLINICAL, COLUMNS, FAMILIES, GENES, GENOMICS, PATCH, SLIDES, make_batch, small_model

SMALL: dict[str, dict[str, Any]] = {
    "hdmoe": {"width": 32, "token_dim": 8, "family_hidden": 16, "expert_hidden": 12, "reorganise_rate": 0.0},
    "snn": {"width": 16, "family_hidden": 16},
    "biofact": {"width": 16, "hidden": 16},
    "mice": {"width": 32, "gene_hidden": 16, "clinical_hidden": 16, "rank": 8, "overlapping": 4, "keep": 2},
}


@pytest.mark.parametrize("name", MODELS)
def test_the_head_of_the_embedding_is_the_answer(name: str) -> None:
    spec = model_spec(name)
    torch.manual_seed(0)
    shape = InputShape(FAMILIES, GENES, COLUMNS, {SLIDES: PATCH})
    network: SurvivalNetwork = spec.build(shape, (SLIDES, GENOMICS, CLINICAL), 4, make_config(spec, SMALL[name])).eval()
    batch = make_batch([3, None, 7, 2], absent=0.3)
    with torch.no_grad():
        embedding, logits = network.embedding(batch), network(batch).logits
        assert embedding.shape[0] == 4
        head = network.head
        assert isinstance(head, torch.nn.Linear)
        torch.testing.assert_close(head(embedding), logits, rtol=1e-4, atol=1e-5)


def test_reorganised_rows_are_averaged_as_the_logits_are() -> None:
    model = small_model(reorganise_rate=0.4, reorganise2=False)
    batch = make_batch([3, 5, None])
    with torch.no_grad():
        torch.testing.assert_close(model.head(model.embedding(batch)), model(batch).logits, rtol=1e-4, atol=1e-5)
