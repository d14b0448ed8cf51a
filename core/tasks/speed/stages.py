"""A training step stage by stage, each beside its floor: the longer of its products and its bytes at measured rates."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median

import torch
from torch import nn

from core.cohort.modality import Modality
from core.models.biofact.model import BioFact
from core.models.hdmoe.model import HDMoE
from core.models.mice.encoders import AttentionPool
from core.models.mice.model import MICE
from core.tasks.bench import BenchRow
from core.tasks.speed.cases import DECAY, MODELS, RATE, Case, CaseSizes, make_case
from core.tasks.speed.counts import Place, forward_counts, watched
from core.tasks.speed.machine import Rates, wait_for

STATE_WORDS = 7
"""Numbers Adam moves a parameter: weight, gradient and two moments read; weight and two moments written."""


def stages_of(network: nn.Module) -> Mapping[str, Sequence[Place]]:
    """The stages of the forward pass of one of the three models."""
    if isinstance(network, HDMoE):
        return _hdmoe(network)
    if isinstance(network, MICE):
        return _mice(network)
    assert isinstance(network, BioFact)  # noqa: S101  there are three
    return _biofact(network)


def _hdmoe(model: HDMoE) -> Mapping[str, Sequence[Place]]:
    levels = [*model.experts1.values(), model.experts2]
    encoders = [model.encoders[m.value] for m in model.modalities]
    reducing = [part for e in encoders for name, part in e.named_children() if name in ("reduce", "families")]
    return {
        "projection": [Place(part) for part in reducing],
        "routing": [Place(level, "_routes", ()) for level in levels],
        "experts": [Place(level) for level in levels],
        "attention": [Place(part) for e in encoders for name, part in e.named_children() if name == "encoder"],
        "fusion": [
            Place(model, "_second_tokens", ()),
            Place(model, "_auxiliary", (model.align_routed, model.align_shared)),
        ],
        "head": [Place(model, "_head", (model.head,))],
    }


def _mice(model: MICE) -> Mapping[str, Sequence[Place]]:
    return {
        **_pooled(model.encoders),
        "routing": [Place(model.router)],
        "experts": [
            Place(model.overlapping),
            Place(model.specialised, "class_tokens"),
            Place(model.consensual, "class_tokens"),
        ],
        "fusion": [
            *(Place(part) for part in model.synthesis.values()),
            Place(model.fusion),
            Place(model.join, "class_tokens"),
        ],
        "head": [Place(model.head)],
    }


def _biofact(model: BioFact) -> Mapping[str, Sequence[Place]]:
    taught = Modality.REPORTS in model.modalities
    return {
        **_pooled(model.encoders),
        "routing": [Place(model.factors.gate)],
        "experts": [Place(model.factors)],
        "fusion": [Place(model.join), Place(model.norm)],
        "head": [Place(model.head)],
        **({"reports": [Place(model, "_contrast", (model.reports, model.project))]} if taught else {}),
    }


def _pooled(encoders: nn.ModuleDict) -> Mapping[str, Sequence[Place]]:
    pools = [e for e in encoders.values() if isinstance(e, AttentionPool)]
    others = [e for e in encoders.values() if not isinstance(e, AttentionPool)]
    return {
        "projection": [Place(part) for part in (*(p.reduce for p in pools), *others)],
        "attention": [Place(pool, "forward", (pool.score,)) for pool in pools],
    }


def stage_rows(
    patches: Sequence[int], rates: Rates, sizes: CaseSizes, rounds: int, progress: Callable[[float, str], None],
    bfloat16: bool = False, device: str = "cpu",
) -> list[BenchRow]:  # fmt: skip
    """Every stage of every model's step of one patient (three for BioFact-MoE, whose losses compare patients)."""
    rows = []
    planned = [(name, each) for name in MODELS for each in patches]
    for i, (name, each) in enumerate(planned):
        progress(i / len(planned), f"stages of a step: {name}, {each:,} patches")
        patients = 3 if name == "biofact" else 1
        case = make_case(name, each, patients, 1, sizes, device)
        rows += case_rows(f"stage:{name}:{each:,} patches", case, rates, rounds, bfloat16, device)
    return rows


def case_rows(
    words: str, case: Case, rates: Rates, rounds: int, bfloat16: bool = False, device: str = "cpu"
) -> list[BenchRow]:
    """Milliseconds a step, the floor as reference, and the share of the floor's speed that is reached."""
    taken, floors = _taken(case, rounds, bfloat16, device), _floors(case, rates, bfloat16, device)
    precision = "bf16" if bfloat16 else "fp32"
    rows = []
    for name in [*(n for n in floors if n != "whole step"), "whole step"]:
        value, floor = 1000 * taken[name], 1000 * floors[name]
        rows.append(BenchRow(f"{words}, {precision}:{name} (reference: floor)", value, "ms", floor, floor / value))
    rest = taken["whole step"] - sum(t for name, t in taken.items() if name != "whole step")
    return [*rows, BenchRow(f"{words}, {precision}:rest", 1000 * max(rest, 0.0), "ms")]


def _taken(case: Case, rounds: int, bfloat16: bool, device: str) -> dict[str, float]:
    """Median seconds of each stage, of the backward pass, the optimiser and the whole step."""
    network, stages = case.network.train(), stages_of(case.network)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE, weight_decay=DECAY, fused=True)
    batch = case.batch()
    found: dict[str, list[float]] = {}
    for turn in range(rounds + 1):
        stamps = [_now(device)]
        with (
            watched(stages, count=False, device=device) as inside,
            torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=bfloat16),
        ):
            output = network(batch)
        loss = case.loss(output)
        optimiser.zero_grad(set_to_none=True)
        stamps.append(_now(device))
        torch.autograd.backward(loss)
        stamps.append(_now(device))
        optimiser.step()
        stamps.append(_now(device))
        if turn:
            seconds = {name: stage.seconds for name, stage in inside.stages.items()}
            seconds |= {"backward": stamps[2] - stamps[1], "optimiser": stamps[3] - stamps[2]}
            for name, each in {**seconds, "whole step": stamps[3] - stamps[0]}.items():
                found.setdefault(name, []).append(each)
    return {name: median(each) for name, each in found.items()}


def _floors(case: Case, rates: Rates, bfloat16: bool, device: str) -> dict[str, float]:
    """Seconds below which no implementation of these products gets, stage by stage; the whole is their sum."""
    counted, _ = forward_counts(case.network.train(), case.batch(), stages_of(case.network))
    stages, half = counted.stages, 0.5 if bfloat16 else 1.0
    floors = {name: rates.floor(s.flops, half * s.moved, bfloat16) for name, s in stages.items()}
    flops = sum(2 * s.flops - s.unneeded for s in stages.values())
    moved = 2 * sum(s.moved for s in stages.values())  # what crossed a stage is read again, and its gradient written
    parameters = sum(p.numel() for p in case.network.parameters() if p.requires_grad)
    floors["backward"] = rates.floor(flops, half * moved, bfloat16)
    floors["optimiser"] = rates.floor(0.0, 4.0 * STATE_WORDS * parameters)
    floors["whole step"] = sum(floors.values())
    return floors


def step_floor(case: Case, rates: Rates, bfloat16: bool, device: str = "cpu") -> float:
    """Seconds of the whole step's floor."""
    return _floors(case, rates, bfloat16, device)["whole step"]


def _now(device: str) -> float:
    wait_for(device)
    return time.perf_counter()
