"""What one trained model makes of one patient's patches: attention, and gradients of its estimate.

A slide reaches the answer by one vector v, the slide encoder's. So whatever is asked of the rest of the network is
answered at v, and only then carried back to the patches: one pass through the encoder, one pass back for each
question.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.arrays import BoolArray, Float32Array
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.explain.handed import bag_encoder, handed, shortened
from core.explain.survival_at import survival_at
from core.features.batch import Batch
from core.models.layers.attention_weights import AttentionWeights
from core.models.layers.paths import Through
from core.models.output import SurvivalOutput, Trace
from core.training.neural import FittedNeural

PERCENT = 100.0
_NOBODY = -1
_ROWS = 16_384


@dataclass(frozen=True, eq=False)
class PatchEvidence:
    """Numbers of ``n`` patches, in the order of the bag.

    Parameters
    ----------
    attention : (n,) or None
        The class token's weights, 1 in all; None where the model has none over patches.
    on_patches : float
        How much of the weight lay on patches at all; the rest lies on the class token and on padding.
    gradient_attention : (n,) or None
        Σ over heads of weight × ∂S/∂weight, percentage points of S(month): what each patch adds through the average.
    relevance : (n,)
        Σ over features of ∂S/∂x × (x − baseline), percentage points, through the whole model.
    through : mapping of (level, expert) to (n,)
        The same through one expert alone; at one level they add up to ``relevance`` but for what passes beside.
    used : mapping of level to (experts + 1,) bool
        Experts that at least one of the patient's tokens was sent to; the shared expert last.
    """

    attention: Float32Array | None
    on_patches: float
    gradient_attention: Float32Array | None
    relevance: Float32Array
    through: Mapping[Through, Float32Array]
    used: Mapping[str, BoolArray]


def patch_evidence(
    fitted: FittedNeural,
    batch: Batch,
    month: float,
    levels: Collection[str] | None = None,
    modality: Modality = Modality.SLIDES,
) -> PatchEvidence:
    """Ask one model about the slides of a batch of one patient, or about the rows of another bag.

    ``levels`` whose experts are followed one by one, None for all. The baseline is the average patch of the training
    patients, which is 0 once bags are on a common scale; without a scale it is the mean of the patient's own patches.

    Raises
    ------
    PrognoscopeError
        For a model that does not read the bag's rows, or a patient without them.
    """
    network = fitted.network.eval().requires_grad_(False)
    encoder = _encoder(network, batch, modality)
    bag = batch.bags[modality].detach().requires_grad_(True)
    with _weights_of(encoder) as passed:
        output = encoder(replace(batch, bags={**batch.bags, modality: bag}))
    vector: Tensor = output[0] if isinstance(output, tuple) else output
    rest = _Rest(fitted, modality, vector.detach(), output, batch, month)
    paths: dict[Through | None, Tensor] = {None: rest.gradient(None)}
    used = rest.used()
    for level, there in used.items():
        if levels is None or level in levels:
            paths |= {(level, int(k)): rest.gradient((level, int(k))) for k in np.flatnonzero(there)}
    scaled = modality in fitted.preparation.bags
    shift = bag.detach()[0] if scaled else bag.detach()[0] - bag.detach()[0].mean(dim=0)
    found: dict[Through | None, Float32Array] = {}
    by_weight: Float32Array | None = None
    for left, (path, gradient) in zip(reversed(range(len(paths))), paths.items(), strict=True):
        asked = [bag, *passed] if path is None else [bag]
        # what the encoder remembers of a large bag is freed on the last way back, not behind it
        back = torch.autograd.grad(vector, asked, gradient, retain_graph=left > 0, allow_unused=True)
        found[path] = _array(_products(_present(back[0], bag)[0], shift))
        if path is None and passed:
            weighed = (passed[-1] * _present(back[-1], passed[-1])).detach()[0]
            by_place = _array(weighed.reshape(-1, weighed.shape[-1]).sum(dim=0))
            by_weight = fold_repeats(by_place, bag.shape[1], modality is Modality.SLIDES)
    attention, share = _attention(output)
    whole = found.pop(None)
    return PatchEvidence(attention, share, by_weight, whole, {k: v for k, v in found.items() if k is not None}, used)


def fold_repeats(values: Float32Array, patches: int, squared: bool = True) -> Float32Array:
    """(t,) numbers of an encoder's places → (n,) of the patches.

    The places end with the n patches, or with the ⌈√n⌉² of the squared bag, in which the first patches stand again
    behind the last; what stands before them (padding, class token) is no patch. An attention pool has n places alone.
    """
    if len(values) == patches or not squared:
        return values[-patches:]
    square = int(np.ceil(np.sqrt(patches))) ** 2
    grid = values[len(values) - square :]
    folded = grid[:patches].copy()
    folded[: square - patches] += grid[patches:]
    return folded


@dataclass(frozen=True, eq=False)
class _Rest:
    """The network behind the bag's encoder, as a function of the vector v it is handed."""

    fitted: FittedNeural
    modality: Modality
    vector: Tensor
    output: Any
    batch: Batch
    month: float

    def gradient(self, through: Through | None) -> Tensor:
        """(1, w) ∂S(month)/∂v in percentage points, through one expert alone where asked."""
        vector = self.vector.clone().requires_grad_(True)
        asked = {} if through is None else {"through": through}
        with torch.enable_grad():
            survival = survival_at(self.fitted, self._run(vector, **asked).logits, self.month)
        if not survival.requires_grad:
            return torch.zeros_like(vector)
        found = torch.autograd.grad(PERCENT * survival.sum(), vector, allow_unused=True)[0]
        return torch.zeros_like(vector) if found is None else found

    def used(self) -> dict[str, BoolArray]:
        """Level → which of its experts the patient's tokens are sent to; only levels that slides must pass: those
        behind which nothing depends on v once no expert of theirs hands on a gradient."""
        with torch.no_grad():
            routing = self._run(self.vector, trace=Trace.ROUTING).routing
        levels = {} if routing is None else routing.levels
        return {
            name: np.append((trace.assigned[0] > 0).any(axis=0), trace.output_norm[0, -1] > 0)
            for name, trace in levels.items()
            if not bool(self.gradient((name, _NOBODY)).any())
        }

    def _run(self, vector: Tensor, **asked: Any) -> SurvivalOutput:
        answer = (vector, *self.output[1:]) if isinstance(self.output, tuple) else vector
        with handed(self.fitted.network, {self.modality: answer}):
            found: SurvivalOutput = self.fitted.network(shortened(self.batch, (self.modality,)), **asked)
        return found


def _encoder(network: nn.Module, batch: Batch, modality: Modality) -> nn.Module:
    encoder = bag_encoder(network, modality)
    if encoder is None:
        rows = "patches" if modality is Modality.SLIDES else f"the {modality.value}"
        raise PrognoscopeError(
            f"a model that does not read {rows} one by one", "the explanation", f"choose a run that uses {modality}"
        )
    if batch.size != 1 or not bool(batch.present[modality].all()):
        raise PrognoscopeError(f"no {modality.value} of this patient", "the explanation", "choose another patient")
    return encoder


@contextmanager
def _weights_of(encoder: nn.Module) -> Iterator[list[Tensor]]:
    """The attention weights that are used within, in the order of their use."""
    passed: list[Tensor] = []
    places = [m for m in encoder.modules() if isinstance(m, AttentionWeights)]
    handles = [m.register_forward_hook(lambda module, given, made: passed.append(made)) for m in places]
    try:
        yield passed
    finally:
        for handle in handles:
            handle.remove()


def _products(left: Tensor, right: Tensor) -> Tensor:
    """(n,) sum over the columns of left × right, some rows at a time: the product is as large as the bag itself."""
    parts = zip(torch.split(left, _ROWS), torch.split(right, _ROWS), strict=True)
    return torch.cat([(a * b).sum(dim=1) for a, b in parts])


def _present(gradient: Tensor | None, like: Tensor) -> Tensor:
    return torch.zeros_like(like) if gradient is None else gradient


def _attention(output: Any) -> tuple[Float32Array | None, float]:
    """The weights as shares of what lies on patches; none where they cancel out (Nyström's can be negative)."""
    if not isinstance(output, tuple) or output[1] is None:
        return None, 0.0
    weights = _array(output[1][0])
    total = float(weights.sum())
    return (weights / np.float32(total), total) if total > 1e-6 else (None, total)


def _array(x: Tensor) -> Float32Array:
    return np.asarray(x.detach().float().cpu().numpy(), dtype=np.float32)
