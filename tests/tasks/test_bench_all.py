"""bench all and bench gpu in miniature: rows, units, counts from shapes, fitted exponents, the plain BioFact-MoE."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from core.models.biofact.model import BioFact
from core.results.workspace import Workspace
from core.tasks.bench import BenchResult, BenchRow
from core.tasks.bench_all import AllSizes, bench_all
from core.tasks.bench_gpu import GpuSizes, bench_gpu, no_gpu
from core.tasks.speed.cases import MODELS, CaseSizes, fast_step, make_case
from core.tasks.speed.counts import Place, forward_counts, size_of
from core.tasks.speed.estimate import Fleet, PanCancer, estimate_rows, pan_cancer_hours
from core.tasks.speed.genes import explanation_growth
from core.tasks.speed.growth import Growth, exponent
from core.tasks.speed.machine import Rates, bf16_instructions, cpu_facts
from core.tasks.speed.plain_biofact import PlainBioFact, plain_cox
from core.tasks.speed.stages import case_rows, stages_of
from core.tasks.speed.steps import StepSizes

TINY = CaseSizes(
    patch_width=12, families=(5, 7), sentences=6, sentence_width=8, cancers=3,
    hdmoe={"width": 16, "token_dim": 8, "family_hidden": 8, "expert_hidden": 8, "n_experts": 3},
    biofact={"width": 16, "hidden": 16, "rank": 2},
    mice={"width": 16, "overlapping": 3, "keep": 2, "rank": 8, "gene_hidden": 8, "alpha": 0.1},
)  # fmt: skip
SMALL = AllSizes(
    benches=(), steps=StepSizes({20: (4, 3, 1.0, None)}, 1, TINY), stages=(20,),
    patients=(60, 120), patches=(50, 200), genes=(20, 40), width=8, large=300, square=64,
    server=False, threads=1, own_process=False,
)  # fmt: skip
UNITS = {
    "patient:": "ms/patient", "epoch:": "s/epoch of 298 patients", "stage:": "ms", "start:": "s",
    "estimate:pan_cancer_hours": "h", "machine:fp32": "GFLOP/s", "machine:memory": "GB/s",
    "filter p95:": "s", "Kaplan-Meier + log-rank:": "s", "figures of a page:": "s", "import of a table:": "s",
    "forward of a slide (HDMoE):": "s", "drawing a heat map:": "s", "reading features:": "s",
    "import of 100 patients:": "s", "slide of 300 patches:scored": "s", "slide of 300 patches:peak memory": "GB",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def silent(share: float, message: str) -> None:
    assert 0 <= share <= 1
    assert message


@pytest.mark.slow
def test_every_part_gives_its_rows_with_units_and_exponents(workspace: Workspace) -> None:
    result = bench_all(workspace, False, silent, SMALL)
    names = [row.name for row in result.rows]
    assert len(set(names)) == len(names)
    for begin, unit in UNITS.items():
        found = [r for r in result.rows if r.name.startswith(begin) and "exponent" not in r.name]
        assert found, begin
        assert {r.unit for r in found} == {unit}, begin
        assert all(np.isfinite(r.value) and r.value >= 0 for r in found), begin
    exponents = {r.name for r in result.rows if r.unit == "power"}
    assert exponents == {
        *(f"{x}: exponent over patients" for x in
          ("filter p95", "Kaplan-Meier + log-rank", "figures of a page", "import of a table")),
        *(f"{x}: exponent over patches" for x in
          ("forward of a slide (HDMoE)", "drawing a heat map", "reading features")),
        "import of 100 patients: exponent over genes",
    }  # fmt: skip
    for model in MODELS:
        for stage in ("projection", "routing", "experts", "attention", "fusion", "head", "backward", "optimiser"):
            assert f"stage:{model}:20 patches, fp32:{stage} (reference: floor)" in names
    asked = {r.name: r.target for r in result.rows if r.name.startswith("patient:") and r.target is not None}
    assert asked == {"patient:hdmoe:20 patches, fp32": 1.0}
    assert "Machine: " in result.lines[0]
    assert result.extra["machine"]["cores"] >= 1
    if not torch.cuda.is_available():
        assert no_gpu() in result.extra["left_out"]


@pytest.mark.parametrize("planted", [0.0, 1.0, 1.7])
def test_the_exponent_of_a_planted_growth_is_found(planted: float) -> None:
    sizes = (100, 1_000, 10_000, 100_000)
    seconds = tuple(3e-6 * s**planted for s in sizes)
    assert exponent(sizes, seconds) == pytest.approx(planted, abs=1e-9)
    rows = Growth("import", "patients", sizes, seconds, ((100_000, 1.0),)).rows()
    assert [r.name for r in rows] == [
        *(f"import:{s:,} patients" for s in sizes), "import: exponent over patients"
    ]  # fmt: skip
    assert rows[-1].value == pytest.approx(planted, abs=1e-9)
    assert rows[3].ratio == pytest.approx(1 / seconds[3])
    with pytest.raises(ValueError, match="different sizes"):
        exponent((10, 10), (1.0, 2.0))


def test_growth_of_explanations_is_read_from_their_own_bench() -> None:
    rows = [BenchRow(f"{g:,} genes, expected gradients alone", 2e-3 * g**0.5, "s") for g in (4_000, 1_000, 16_000)]
    rows += [BenchRow("1,000 genes, with cross-check", 9.0, "s")]
    found = explanation_growth(BenchResult(tuple(rows)))
    assert [r.name.split(":")[1] for r in found] == [
        "1,000 genes",
        "4,000 genes",
        "16,000 genes",
        " exponent over genes",
    ]
    assert found[-1].value == pytest.approx(0.5)


def test_the_plain_biofact_computes_the_same_loss_and_gradients() -> None:
    case = make_case("biofact", 9, 6, 6, TINY)
    model = case.network
    assert isinstance(model, BioFact)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    plain = PlainBioFact(model)
    for module in (*model.modules(), *plain.modules()):
        if isinstance(module, nn.Dropout | nn.AlphaDropout):
            module.p = 0.0
    output = model.train()(case.batch())
    answers = plain.train().patients([case.tensors.batch(np.array([i])) for i in range(6)])
    logits = torch.stack([a.logits for a in answers])
    assert (output.logits - logits).abs().max() < 1e-4
    expected = plain.auxiliary(answers)
    ours_together = float(torch.stack(list(output.auxiliary.values())).sum().detach())
    assert ours_together == pytest.approx(float(expected.detach()), rel=1e-4)
    time, event = torch.arange(6, 0, -1).float(), torch.arange(6) % 3 != 1
    whole = plain_cox(logits[:, 0], time, event) + expected
    torch.autograd.backward(case.loss(output))
    torch.autograd.backward(whole)
    assert model.factors.down.grad is not None
    pairs = ((model.join.weight.grad, plain.join.weight.grad),
             (model.factors.down.grad[1].t(), plain.factors[1].down.weight.grad))  # fmt: skip
    for ours, theirs in pairs:
        assert (ours - theirs).abs().max() < 1e-3 * theirs.abs().max() + 1e-6


def test_products_and_bytes_are_counted_from_the_shapes() -> None:
    first, last = nn.Linear(5, 7), nn.Linear(7, 3)
    network = nn.Sequential(first, last)
    stages = {"one": [Place(first)], "two": [Place(last)]}
    counted, _ = forward_counts(network, torch.ones(4, 5), stages)  # type: ignore[arg-type]
    one, two = counted.stages["one"], counted.stages["two"]
    assert (one.flops, two.flops, counted.flops) == (2 * 4 * 5 * 7, 2 * 4 * 7 * 3, 2 * 4 * (5 * 7 + 7 * 3))
    assert (one.unneeded, two.unneeded) == (one.flops, 0.0)  # nobody asks for the gradient of the features
    assert one.moved == 4 * (4 * 5 + 4 * 7 + 5 * 7 + 7)
    assert "forward" not in vars(first)
    same = torch.ones(3)
    assert size_of(((same, {"again": same}), torch.ones(2))) == 12 + 8


@pytest.mark.parametrize("name", MODELS)
def test_stages_cover_the_forward_pass_and_leave_the_model_as_it_was(name: str) -> None:
    case = make_case(name, 20, 4, 3, TINY)
    counted, _ = forward_counts(case.network.train(), case.batch(), stages_of(case.network))
    inside = sum(stage.flops for stage in counted.stages.values())
    assert inside > 0.95 * counted.flops
    rows = case_rows("x", case, Rates(1e9, 2e9, 1e9), 1)
    whole, parts = rows[-2], rows[:-2]
    assert whole.reference == pytest.approx(sum(r.reference or 0.0 for r in parts))
    assert sum(r.value for r in parts) <= whole.value * 1.001
    before = [p.detach().clone() for p in case.network.parameters()]
    fast_step(case)()
    assert any(not torch.equal(a, b) for a, b in zip(before, case.network.parameters(), strict=True))


def test_the_estimate_counts_whole_trainings() -> None:
    work = PanCancer(patients=1000, folds=5, seeds=1, epochs=10, models=1)
    assert work.patient_epochs == 40_000
    assert pan_cancer_hours(0.09, Fleet("one", 1), work) == pytest.approx(1.0)
    assert pan_cancer_hours(0.09, Fleet("four", 4), work) == pytest.approx(0.4)  # five trainings take two rounds
    hours, cost = estimate_rows(0.09, "x", (Fleet("four", 4, 2.0),), work)
    assert hours.name == "estimate:pan_cancer_hours, x, four"
    assert cost.value == pytest.approx(0.8)


def test_what_the_processor_has_is_read_from_its_flags() -> None:
    facts = cpu_facts(
        "processor\t: 0\nmodel name\t: Some CPU\nflags\t\t: sse2 avx512_bf16 amx_bf16\n\nprocessor\t: 1\n"
    )
    assert facts["model name"] == "Some CPU"
    assert bf16_instructions(facts["flags"]) == "amx_bf16"
    assert bf16_instructions("sse2 avx2") == ""
    assert cpu_facts("") == {}


@pytest.mark.slow
def test_the_bench_of_the_card_runs_small_on_a_cpu_and_is_absent_without_one(workspace: Workspace) -> None:
    sizes = GpuSizes(
        patients=60, patches=20, folds=2, epochs=2, batch=16, looped=2, rounds=2, square=64, compile=False,
        families=TINY.families, case=TINY,
    )  # fmt: skip
    result = bench_gpu(workspace, False, silent, sizes, "cpu")
    rows = {r.name: r for r in result.rows}
    step = "gpu:step, bf16, as it is, 20 patches, 16 patients"
    assert rows[f"{step} (reference: loop)"].target == 15.0
    assert rows[f"{step} (reference: floor)"].target == 0.2
    whole = rows["gpu:2 folds of 60 × 20 × 12, 2 epochs"]
    assert (whole.unit, whole.reference) == ("s", 300.0)
    assert np.isfinite(result.extra["last_loss"])
    if not torch.cuda.is_available():
        absent = bench_gpu(workspace, False, silent)
        assert absent.rows == ()
        assert absent.lines == (no_gpu(),)
