"""Stages of a training step: their time, their products (FLOPs) and the bytes that must cross them, from the shapes.

A stage is some functions of a network's parts. While it is watched, the time inside them is its own, less that of
stages within. Its bytes are those of its arguments, its answer and its parameters, each moved once: what no
implementation can avoid. Its FLOPs are those of the products that torch dispatches inside it, by their shapes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.hooks import RemovableHandle

from core.features.batch import Batch
from core.models.output import SurvivalOutput
from core.tasks.speed.machine import wait_for


@dataclass(frozen=True, eq=False)
class Place:
    """A function of a network's part; ``holds`` the parts whose parameters it reads, the module's own where None."""

    module: nn.Module
    method: str = "forward"
    holds: tuple[nn.Module, ...] | None = None

    def parameter_bytes(self) -> int:
        """Bytes of the parameters that are read."""
        held = (self.module,) if self.holds is None else self.holds
        return sum(p.nbytes for part in held for p in part.parameters())


@dataclass
class Stage:
    """What one stage cost in a forward pass: ``seconds``, ``flops``, and ``unneeded`` FLOPs of the gradients of inputs
    that nobody asks for; ``moved`` bytes."""

    seconds: float = 0.0
    flops: float = 0.0
    moved: float = 0.0
    unneeded: float = 0.0


@dataclass
class Watched:
    """Stages by name, and the FLOPs of the whole forward pass."""

    stages: dict[str, Stage] = field(default_factory=dict)
    flops: float = 0.0

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages.values())


class _Watch:
    """Stands in for the stages' functions; a stack knows which stage lies within which."""

    def __init__(self, stages: Mapping[str, Sequence[Place]], count: bool, device: str) -> None:
        self.found = Watched({name: Stage() for name in stages})
        self.places = [(place, name) for name, each in stages.items() for place in each]
        self.counter = FlopCounterMode(display=False, custom_mapping=_MISSING) if count else None
        self.device = device
        self._inner: list[list[float]] = []

    def start(self) -> list[RemovableHandle]:
        """Put the watching functions in place; the handles of hooks to be removed."""
        inside = {part: name for place, name in reversed(self.places) for part in place.module.modules()}
        for place, name in self.places:
            setattr(place.module, place.method, self._watching(getattr(place.module, place.method), name, place))
        if self.counter is None:
            return []
        return [
            part.register_forward_pre_hook(self._unneeded(part, name))
            for part, name in inside.items()
            if isinstance(part, nn.Linear)
        ]

    def stop(self) -> None:
        """The methods of the classes again."""
        for place, _ in self.places:
            delattr(place.module, place.method)

    @property
    def flops(self) -> float:
        """Products counted until now."""
        return 0.0 if self.counter is None else float(self.counter.get_total_flops())

    def _watching(self, method: Callable[..., Any], name: str, place: Place) -> Callable[..., Any]:
        stage = self.found.stages[name]

        def call(*args: Any, **more: Any) -> Any:
            before = self.flops
            self._inner.append([0.0, 0.0])
            wait_for(self.device)
            started = time.perf_counter()
            answer = method(*args, **more)
            wait_for(self.device)
            taken, flops = time.perf_counter() - started, self.flops - before
            within, within_flops = self._inner.pop()
            stage.seconds += taken - within
            stage.flops += flops - within_flops
            if self.counter is not None:
                stage.moved += size_of((args, more, answer)) + place.parameter_bytes()
            if self._inner:
                self._inner[-1][0] += taken
                self._inner[-1][1] += flops
            return answer

        return call

    def _unneeded(self, layer: nn.Linear, name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def hook(_: nn.Module, given: tuple[Any, ...]) -> None:
            if not given[0].requires_grad:
                self.found.stages[name].unneeded += 2 * given[0].numel() * layer.out_features

        return hook


@contextmanager
def watched(stages: Mapping[str, Sequence[Place]], count: bool, device: str = "cpu") -> Iterator[Watched]:
    """Watch the stages' functions within the block; ``count`` also counts FLOPs and bytes, which slows everything."""
    watch = _Watch(stages, count, device)
    handles = watch.start()
    try:
        with watch.counter or nullcontext():
            yield watch.found
        watch.found.flops = watch.flops
    finally:
        for handle in handles:
            handle.remove()
        watch.stop()


def size_of(value: Any) -> int:
    """Bytes of all tensors in nested arguments and records; a tensor that stands there twice counts once."""
    seen: dict[int, int] = {}
    _collect(value, seen)
    return sum(seen.values())


def _collect(value: Any, seen: dict[int, int]) -> None:
    if isinstance(value, Tensor):
        seen[id(value)] = value.nbytes
    elif isinstance(value, Mapping):
        for each in value.values():
            _collect(each, seen)
    elif isinstance(value, tuple | list):
        for each in value:
            _collect(each, seen)
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            _collect(getattr(value, each.name), seen)


def _attention_flops(query: Any, key: Any, value: Any, *args: Any, out_shape: Any = None, **more: Any) -> int:
    """Two products: queries by keys and their softmax by values, from (b, h, n, d) shapes."""
    b, h, n, d = query
    m, wide = key[-2], value[-1]
    return 2 * int(b) * int(h) * int(n) * int(m) * (int(d) + int(wide))


_MISSING: dict[Any, Any] = {torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flops}


def forward_counts(
    network: nn.Module, batch: Batch, stages: Mapping[str, Sequence[Place]]
) -> tuple[Watched, SurvivalOutput]:
    """FLOPs and bytes of one forward pass."""
    with watched(stages, count=True) as found:
        output: SurvivalOutput = network(batch)
    return found, output
