"""The benchmark's plain MICE computes the same function, and the same gradients, as the batched one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from core.cohort.modality import Modality
from core.features.batch import Batch
from core.features.preparation import InputShape
from core.models.mice.config import PUBLISHED, MICEConfig
from core.models.mice.model import MICE
from core.tasks.bench_mice_training import step_rows
from core.tasks.mice_reference import PlainMICE

SHAPE = InputShape(((0, 1, 2), (2, 3, 4, 5)), 6, 3, None, ("a", "b", "c"))
SMALL = {"width": 32, "gene_hidden": 16, "clinical_hidden": 16, "rank": 8, "overlapping": 7, "keep": 4}
G, C = Modality.GENOMICS, Modality.CLINICAL


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def batches(n: int = 7) -> tuple[Batch, list[Batch]]:
    draw = torch.Generator().manual_seed(0)
    genes = torch.arange(n) % 3 != 0
    present = {G: genes, C: ~genes | (torch.arange(n) % 2 == 0)}
    x, y = torch.randn(n, 6, generator=draw), torch.randn(n, 3, generator=draw)
    group = torch.arange(n) % 3
    alone = [Batch({m: p[[i]] for m, p in present.items()}, x[[i]], y[[i]], groups=group[[i]]) for i in range(n)]
    return Batch(present, x, y, groups=group), alone


@pytest.mark.parametrize(
    "settings",
    [{}, {"synthesis": "reconstruction"}, {"hazards": "shared", "skip": False, "renormalise": False}, dict(PUBLISHED)],
    ids=["defaults", "reconstruction", "no additions", "published"],
)
def test_logits_and_gradients_are_the_same(settings: dict[str, object]) -> None:
    torch.manual_seed(2)
    model = MICE(SHAPE, (G, C), 4, MICEConfig(**{**SMALL, **settings})).eval()  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in model.parameters():  # also where it starts at zero or one, but not beyond the ranks
            parameter.add_(0.05 * torch.randn_like(parameter) * (parameter != 0))
    plain = PlainMICE(model)
    batch, alone = batches()
    fast, slow = model(batch).logits, plain.patients(alone)[0]
    assert slow.detach().numpy() == pytest.approx(fast.detach().numpy(), abs=2e-5)
    weight = torch.randn(fast.shape, generator=torch.Generator().manual_seed(1))
    torch.autograd.backward((fast * weight).sum())
    torch.autograd.backward((slow * weight).sum())
    for ours, theirs in ((model.cancer_token, plain.cancer_token), (model.head.weight, plain.head.weight)):
        assert ours.grad is not None
        assert theirs.grad is not None
        assert np.abs(ours.grad.numpy() - theirs.grad.numpy()).max() < 1e-4


def test_the_rows_say_how_much_faster() -> None:
    small = MICEConfig(**{**SMALL, "rank": 4, "overlapping": 3, "keep": 2})  # type: ignore[arg-type]
    difference, *times = step_rows(1, small, cancers=3)
    assert difference.value < 1e-4
    assert all(row.ratio is not None and row.reference is not None and row.target == 5.0 for row in times)
