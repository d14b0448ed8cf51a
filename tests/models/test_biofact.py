"""BioFact-MoE: experts against their formula, sentences against their parts, controls that do what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.batch import Batch
from core.features.preparation import InputShape
from core.models.biofact.config import FACTORS, BioFactConfig
from core.models.biofact.factors import FactorExperts
from core.models.biofact.model import LEVEL, BioFact
from core.models.biofact.reports import ReportEncoder, _shuffled
from core.models.layers.contrastive import linear_cka
from core.models.output import Trace
from core.training.objectives import late_entry_nll

FEATURES = 7
SHAPE = InputShape(((0, 1), (2, 3)), 4, 3, {Modality.REPORTS: 4 + FEATURES})
ALL = (Modality.GENOMICS, Modality.REPORTS, Modality.CLINICAL)


def config(**settings: object) -> BioFactConfig:
    return BioFactConfig(**{"width": 16, "hidden": 8, "rank": 4, "dropout": 0.0, **settings})  # type: ignore[arg-type]


def model(**settings: object) -> BioFact:
    torch.manual_seed(1)
    return BioFact(SHAPE, ALL, 4, config(**settings))


def batch(n: int = 6) -> Batch:
    """Five sentences: two on the liver, of which the first states disease, one on the tumour that does, two on others.

    Patient 0 has no report, patient 1 has the first three sentences alone.
    """
    draw = torch.Generator().manual_seed(0)
    bag = torch.randn(n, 5, 4 + FEATURES, generator=draw)
    bag[..., :4] = 0.0
    bag[:, [0, 2], 3] = 1.0
    for place, part in enumerate((0, 0, 1, 2, 2)):
        bag[:, place, part] = 1.0
    mask = torch.ones(n, 5, dtype=torch.bool)
    mask[1, 3:] = False
    everybody = torch.ones(n, dtype=torch.bool)
    present = {m: everybody.clone() for m in ALL}
    present[Modality.REPORTS][0] = False
    return Batch(
        present,
        torch.randn(n, 4, generator=draw),
        torch.randn(n, 3, generator=draw),
        {Modality.REPORTS: bag},
        {Modality.REPORTS: mask},
    )


def test_experts_are_low_rank_and_added_with_their_gate() -> None:
    torch.manual_seed(0)
    experts, h = FactorExperts(config()), torch.randn(5, 16)
    out = experts(h)
    for k in range(2):
        matrix = (experts.down[k] @ experts.up[k]).detach()
        assert int(torch.linalg.matrix_rank(matrix)) == 4
        value = h @ matrix
        normed = (value - value.mean(1, keepdim=True)) / (value.var(1, unbiased=False, keepdim=True) + 1e-5).sqrt()
        assert torch.allclose(out.experts[:, k], normed, atol=1e-4)
    assert torch.allclose(out.gate.sum(dim=1), torch.ones(5))
    assert torch.allclose(out.joined, h + (out.gate[..., None] * out.experts).sum(dim=1), atol=1e-6)


def test_a_muted_expert_adds_nothing_and_a_trace_changes_nothing() -> None:
    network, patients = model().eval(), batch()
    plain = network(patients).logits
    assert network(patients, Trace.ROUTING).logits.equal(plain)
    muted = network(patients, Trace.ROUTING, {LEVEL: (1,)})
    assert not muted.logits.equal(plain)


def test_report_vectors_are_of_their_own_sentences() -> None:
    torch.manual_seed(0)
    encoder, patients = ReportEncoder(4 + FEATURES, config()), batch()
    text = encoder(patients)
    assert text.has[0].tolist() == [False, False]
    assert text.has[2].tolist() == [True, True]
    features = patients.bags[Modality.REPORTS][2, :, 4:]
    assert torch.allclose(text.parts[2, 0], encoder.projections[1](features[:2].mean(dim=0)), atol=1e-6)
    assert torch.allclose(text.parts[2, 1], encoder.projections[2](features[2]), atol=1e-6)
    short = patients.bags[Modality.REPORTS][1, :3, 4:].mean(dim=0)
    assert torch.allclose(text.whole[1], encoder.projections[0](short), atol=1e-6)


def test_shuffling_keeps_how_many_sentences_each_part_has_and_touches_no_padding() -> None:
    patients = batch()
    real = patients.masks[Modality.REPORTS]
    belongs = (patients.bags[Modality.REPORTS][..., :3] > 0.5) & real[..., None]
    torch.manual_seed(4)
    dealt = _shuffled(belongs, real)
    assert dealt.sum(dim=1).equal(belongs.sum(dim=1))
    assert not dealt[~real].any()
    assert (dealt.sum(dim=2) == real).all()
    assert not dealt.equal(belongs)


def test_the_pretraining_loss_is_that_of_chance_before_training_and_falls_with_it() -> None:
    network, patients = model(), batch(32)
    start = float(network.pretraining_loss(patients).detach())
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(200):
        optimizer.zero_grad()
        loss = network.pretraining_loss(patients)
        loss.backward()
        optimizer.step()
    assert start > 2.0 * math.log(31)  # three terms, each about log of the number of pairs or more
    assert float(loss.detach()) < 0.5 * start


def test_without_supervision_only_the_whole_report_teaches() -> None:
    patients = batch()
    taught, untaught = model().train(), model(supervision="none").train()
    names = {"report", "gate", *(f"{part} {what}" for part in FACTORS for what in ("sentences", "apart"))}
    assert set(taught(patients).auxiliary) == names
    assert set(untaught(patients).auxiliary) == {"report"}
    untaught.pretraining_loss(patients).backward()
    assert untaught.factors.up.grad is None


def test_the_gate_is_taught_the_share_of_findings_and_experts_are_kept_apart() -> None:
    encoder, patients = ReportEncoder(4 + FEATURES, config()), batch()
    # (findings + ½) / (sentences + 1): one of two on the liver, one of one on the tumour
    assert encoder(patients).share[2].tolist() == pytest.approx([0.5 / 1.25, 0.75 / 1.25])
    patients.bags[Modality.REPORTS][2, 0, 3] = 0.0
    liver = 0.5 / 3
    assert encoder(patients).share[2].tolist() == pytest.approx([liver / (liver + 0.75), 0.75 / (liver + 0.75)])
    x = torch.randn(50, 3)
    turned = x @ torch.linalg.qr(torch.randn(3, 3))[0]
    assert float(linear_cka(x, 5 * turned + 2)) == pytest.approx(1.0, abs=1e-5)
    centred = x - x.mean(dim=0)
    left, right = centred[:, :1], centred[:, 1:2]
    correlation = float((left * right).sum() / (left.norm() * right.norm()))
    assert float(linear_cka(left, right)) == pytest.approx(correlation**2, abs=1e-5)


def test_swapped_supervision_gives_each_expert_the_others_sentences() -> None:
    torch.manual_seed(0)
    plain, patients = ReportEncoder(4 + FEATURES, config()), batch()
    torch.manual_seed(0)
    swapped = ReportEncoder(4 + FEATURES, config(supervision="swapped"))
    features = patients.bags[Modality.REPORTS][2, :, 4:]
    assert torch.allclose(swapped(patients).parts[2, 0], plain.projections[1](features[2]), atol=1e-6)
    assert torch.allclose(swapped(patients).parts[2, 1], plain.projections[2](features[:2].mean(dim=0)), atol=1e-6)


def test_reports_of_another_encoder_are_refused() -> None:
    with pytest.raises(PrognoscopeError, match="report-parts"):
        ReportEncoder(4, config())


def test_random_weights_repeat_for_a_patient_and_follow_nothing() -> None:
    torch.manual_seed(0)
    experts, h = FactorExperts(config(router="random")), torch.randn(4000, 16)
    gate = experts(h).gate
    assert gate.equal(experts(h).gate)
    assert gate[:1].equal(experts(h[:1]).gate)
    correlations = [abs(np.corrcoef(gate[:, 0].detach().numpy(), h[:, i].numpy())[0, 1]) for i in range(16)]
    assert max(correlations) < 0.06
    assert gate[:, 0].std() > 0.1


def test_reports_alone_are_their_own_image_side() -> None:
    network = BioFact(SHAPE, (Modality.REPORTS,), 4, config())
    assert network.anchors == (Modality.REPORTS,)
    assert network(batch()).logits.shape == (6, 1)


def test_efron_with_late_entry_equals_its_definition() -> None:
    rng = np.random.default_rng(0)
    n = 40
    eta, time = rng.normal(size=n), rng.integers(3, 12, n).astype(float)
    entry, event = rng.integers(0, 4, n) * (rng.random(n) < 0.5).astype(float), rng.random(n) < 0.6
    entry = np.minimum(entry, time - 1)
    expected = 0.0
    for t in np.unique(time[event]):
        dead = np.flatnonzero(event & (time == t))
        risk = np.exp(eta[(time >= t) & (entry < t)]).sum()
        for i in range(len(dead)):
            expected -= eta[dead[i]] - np.log(risk - i / len(dead) * np.exp(eta[dead]).sum())
    values = (torch.from_numpy(a) for a in (eta, event, time, entry))
    assert float(late_entry_nll(*values)) == pytest.approx(expected / event.sum())
