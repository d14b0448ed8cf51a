"""The three models on the same generated patients, each with the plain implementation of the same mathematics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.cohort.modality import Modality
from core.features.batch import Batch, Tensors
from core.features.preparation import InputShape
from core.models.biofact.config import BioFactConfig
from core.models.biofact.model import BioFact
from core.models.biofact.reports import FLAGS
from core.models.hdmoe.config import PUBLISHED, HDMoEConfig
from core.models.hdmoe.model import HDMoE
from core.models.layers.contrastive import multi_positive_loss
from core.models.mice.config import RELEASED_SIZES, MICEConfig
from core.models.mice.model import MICE
from core.models.network import SurvivalNetwork
from core.models.output import SurvivalOutput
from core.tasks.bench_reference import PlainHDMoE
from core.tasks.bench_training import BLCA_FAMILIES
from core.tasks.mice_reference import PlainMICE
from core.tasks.speed.plain_biofact import PlainBioFact, plain_cox
from core.training.losses import HazardTarget, hazard_nll
from core.training.objectives import CoxLikelihood

MODELS = ("hdmoe", "biofact", "mice")
S, G, R = Modality.SLIDES, Modality.GENOMICS, Modality.REPORTS
RATE, DECAY = 5e-4, 1e-5
Step = Callable[[], None]


@dataclass(frozen=True)
class CaseSizes:
    """Widths of the inputs and sizes of the models; the defaults are TCGA-BLCA's and the published models'."""

    patch_width: int = 1024
    families: tuple[int, ...] = BLCA_FAMILIES
    sentences: int = 24
    sentence_width: int = 256
    cancers: int = 11
    bins: int = 4
    hdmoe: Mapping[str, Any] = field(default_factory=lambda: dict(PUBLISHED))
    biofact: Mapping[str, Any] = field(default_factory=dict)
    mice: Mapping[str, Any] = field(default_factory=lambda: {**RELEASED_SIZES, "alpha": 0.1})


@dataclass(frozen=True, eq=False)
class Case:
    """One model with the patients of a step.

    ``loss`` the whole training loss of an output · ``plain`` the step of the plain implementation on the first
    ``plain_patients`` of them.
    """

    name: str
    network: SurvivalNetwork
    tensors: Tensors
    patients: int
    loss: Callable[[SurvivalOutput], Tensor]
    plain: Step
    plain_patients: int

    def batch(self) -> Batch:
        """All patients of the step, on the network's device."""
        return self.tensors.batch(np.arange(self.patients)).to(_device(self.network))


def make_case(name: str, patches: int, patients: int, plain: int, sizes: CaseSizes, device: str = "cpu") -> Case:
    """The model ``name`` on ``patients`` of ``patches`` patches; the plain step takes ``plain`` of them."""
    shape, tensors = make_inputs(name, patches, patients, sizes)
    torch.manual_seed(1)
    make = {"hdmoe": _hdmoe, "biofact": _biofact, "mice": _mice}[name]
    return make(shape, tensors, patients, plain, sizes, torch.device(device))


def make_inputs(name: str, patches: int, patients: int, sizes: CaseSizes) -> tuple[InputShape, Tensors]:
    """Random inputs; patch features are not negative, like those of a ResNet. Only BioFact-MoE is given reports."""
    random = np.random.default_rng(2)
    ends = np.cumsum(sizes.families)
    columns = tuple(tuple(range(e - s, e)) for s, e in zip(sizes.families, ends.tolist(), strict=True))
    genes = int(ends[-1])
    widths = {S: sizes.patch_width} | ({R: len(FLAGS) + sizes.sentence_width} if name == "biofact" else {})
    rows = {S: patches, R: sizes.sentences}
    bags = {
        m: [np.abs(random.standard_normal((rows[m], w), dtype=np.float32)) for _ in range(patients)]
        for m, w in widths.items()
    }
    for report in bags.get(R, []):  # a sentence is of the liver, of the tumour or of neither, in turn
        report[:, : len(FLAGS)] = np.eye(3, len(FLAGS), dtype=np.float32)[np.arange(len(report)) % 3]
        report[::2, len(FLAGS) - 1] = 1.0
    groups = tuple(f"c{i:02d}" for i in range(sizes.cancers)) if name == "mice" else ()
    tensors = Tensors(
        {m: torch.ones(patients, dtype=torch.bool) for m in (G, *widths)},
        torch.from_numpy(random.standard_normal((patients, genes), dtype=np.float32)),
        None,
        bags,
        widths,
        torch.from_numpy(random.integers(0, sizes.cancers, patients)) if groups else None,
    )
    return InputShape(columns, genes, 0, widths, groups), tensors


def fast_step(case: Case, network: Callable[[Batch], SurvivalOutput] | None = None, bfloat16: bool = False) -> Step:
    """One step over all patients: forward, loss, backward, optimiser; ``network`` stands in for the case's own."""
    model = network or case.network
    device = _device(case.network)
    case.network.train()
    optimiser = torch.optim.Adam(case.network.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
    batch = case.batch()

    def step() -> None:
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
            output = model(batch)
        loss = case.loss(output)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()

    return step


def _device(network: torch.nn.Module) -> torch.device:
    return next(network.parameters()).device


def _hdmoe(
    shape: InputShape, tensors: Tensors, patients: int, plain: int, sizes: CaseSizes, device: torch.device
) -> Case:
    model = HDMoE(shape, (S, G), sizes.bins, HDMoEConfig(**sizes.hdmoe))
    reference = PlainHDMoE(model, shape).to(device).train()
    target = _target(patients, sizes.bins, device)
    optimiser = torch.optim.Adam(reference.parameters(), lr=RATE, weight_decay=DECAY)
    random = np.random.default_rng(4)

    def step() -> None:  # an optimiser step a patient, as the released code does
        with torch.device(device):
            for i in range(plain):
                patient = tensors.batch(np.array([i])).to(device)
                segments = int(random.choice(reference.segments1)), int(random.choice(reference.segments2))
                optimiser.zero_grad()
                torch.autograd.backward(reference.loss([patient], [(i % sizes.bins, i % 3 != 0)], [segments]))
                optimiser.step()

    def loss(output: SurvivalOutput) -> Tensor:
        return hazard_nll(output.logits, target) + sum(output.auxiliary.values())

    return Case("hdmoe", model.to(device), tensors, patients, loss, step, plain)


def _mice(
    shape: InputShape, tensors: Tensors, patients: int, plain: int, sizes: CaseSizes, device: torch.device
) -> Case:
    model = MICE(shape, (S, G), sizes.bins, MICEConfig(**sizes.mice))
    reference = PlainMICE(model).to(device).train()
    target, few = _target(patients, sizes.bins, device), _target(plain, sizes.bins, device)
    optimiser = torch.optim.Adam(reference.parameters(), lr=RATE, weight_decay=DECAY)
    present = torch.ones(plain, 2, dtype=torch.bool, device=device)

    def step() -> None:
        with torch.device(device):
            logits, real = reference.patients([tensors.batch(np.array([i])).to(device) for i in range(plain)])
            contrast = multi_positive_loss(real, present, reference.config.temperature)
            optimiser.zero_grad()
            torch.autograd.backward(hazard_nll(logits, few) + reference.config.alpha * contrast)
            optimiser.step()

    def loss(output: SurvivalOutput) -> Tensor:
        return hazard_nll(output.logits, target) + sum(output.auxiliary.values())

    return Case("mice", model.to(device), tensors, patients, loss, step, plain)


def _biofact(
    shape: InputShape, tensors: Tensors, patients: int, plain: int, sizes: CaseSizes, device: torch.device
) -> Case:
    model = BioFact(shape, (S, G, R), sizes.bins, BioFactConfig(**sizes.biofact))
    reference = PlainBioFact(model).to(device).train()
    time, event = (x.to(device) for x in _times(patients))
    objective = CoxLikelihood(event, time, torch.zeros_like(time))
    optimiser = torch.optim.Adam(reference.parameters(), lr=RATE, weight_decay=DECAY)

    def step() -> None:
        with torch.device(device):
            answers = reference.patients([tensors.batch(np.array([i])).to(device) for i in range(plain)])
            log_hazard = torch.stack([a.logits[0] for a in answers])
            optimiser.zero_grad()
            survival = plain_cox(log_hazard, time[:plain], event[:plain])
            torch.autograd.backward(survival + reference.auxiliary(answers))
            optimiser.step()

    def loss(output: SurvivalOutput) -> Tensor:
        return objective.loss(output.logits, np.arange(patients)) + sum(output.auxiliary.values())

    return Case("biofact", model.to(device), tensors, patients, loss, step, plain)


def _times(patients: int) -> tuple[Tensor, Tensor]:
    """Months without ties, and two events in three."""
    return torch.arange(patients, 0, -1).float(), torch.arange(patients) % 3 != 1


def _target(patients: int, bins: int, device: torch.device) -> HazardTarget:
    """An outcome for every patient, that of the plain HDMoE's: bin i mod bins, two events in three."""
    survived, died = torch.zeros(patients, bins), torch.zeros(patients, bins)
    for i in range(patients):
        bin_of, event = i % bins, i % 3 != 0
        survived[i, : bin_of if event else bin_of + 1] = 1.0
        died[i, bin_of] = float(event)
    return HazardTarget(survived, died).to(device)
