"""How a training went, epoch by epoch: shown to a person, and choosing nothing.

Each line of ``curves.jsonl`` is one epoch of one fit. Held-out numbers stand in it to be looked at; no epoch, setting
or threshold is taken from them (DESIGN.md, honesty rule 1).
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from core.results.files import verify_folder
from core.results.workspace import Workspace

FILE = "curves.jsonl"
ENTROPY_FLOOR, LARGEST_SHARE, COLLAPSE_EPOCHS = 0.25, 0.9, 3
"""A level has collapsed when for three epochs in a row its normalised entropy of load, or of gate mass, lies below
0.25, or one expert takes more than 90 % of either (with eight experts the two say the same). The load of a router that
keeps several experts a token can never fall so low: there the gate mass tells."""


@dataclass(frozen=True)
class LevelLoad:
    """How one router spread its tokens over E experts, over the patients looked at.

    ``load`` (E,) share of the tokens sent to each expert (hard) · ``gate`` (E,) mean weight of each (soft) ·
    ``entropy`` of the load, divided by log E: 1 = all alike, 0 = one expert takes all.
    """

    load: tuple[float, ...]
    gate: tuple[float, ...]
    entropy: float

    @property
    def gate_entropy(self) -> float:
        """As ``entropy``, of the gate mass."""
        return normalised_entropy(self.gate)

    @property
    def largest(self) -> float:
        """Largest share of load or of gate mass that one expert takes."""
        return max(*self.load, *self.gate)

    @classmethod
    def of(cls, load: Sequence[float], gate: Sequence[float]) -> LevelLoad:
        """From the two rows; both are made to sum to 1."""
        total, mass = sum(load), sum(gate)
        shares = tuple(float(x / total) for x in load)
        return cls(shares, tuple(float(x / mass) for x in gate), normalised_entropy(shares))


@dataclass(frozen=True)
class CurvePoint:
    """One epoch of one fit (``fold``, ``seed``).

    ``loss`` mean survival loss of the training patients during the epoch, ``held_out_loss`` of the held-out ones after
    it · ``c_train``, ``c_held_out`` Harrell's C · ``ibs_held_out`` integrated Brier score; None where not estimable ·
    ``levels`` router → load over training patients. ``c_train`` and ``levels`` are those of a fixed random part of the
    training patients (:data:`core.training.watch.MOST_PATIENTS`). Of the same patients, within cancers:
    ``embedding_spread`` the embeddings' variance as a share of their mean square, ``risk_spread`` the standard
    deviation of risk; ``drift`` modality → distance of the stand-ins' centre from the real ones', in the real ones'
    spread.
    """

    fold: int
    seed: int
    epoch: int
    loss: float
    held_out_loss: float | None
    c_train: float | None
    c_held_out: float | None
    ibs_held_out: float | None
    auxiliary: Mapping[str, float] = field(default_factory=dict)
    levels: Mapping[str, LevelLoad] = field(default_factory=dict)
    embedding_spread: float | None = None
    risk_spread: float | None = None
    drift: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> CurvePoint:
        """Rebuild from a line."""
        levels = {
            name: LevelLoad(tuple(x["load"]), tuple(x["gate"]), float(x["entropy"]))
            for name, x in value["levels"].items()
        }
        return cls(**{**value, "levels": levels})


@dataclass(frozen=True)
class Collapse:
    """A level that has collapsed in ``fits`` of ``of`` fits; ``share`` is the largest any expert takes in them."""

    level: str
    fits: int
    of: int
    share: float

    def words(self) -> str:
        """A sentence for a page."""
        return (
            f"{self.level}: in {self.fits} of {self.of} fits the router sends nearly everything to few experts "
            f"(up to {100 * self.share:.0f} % to one), for at least {COLLAPSE_EPOCHS} epochs."
        )


def normalised_entropy(shares: Sequence[float]) -> float:
    """−Σ p·log p / log E of shares that sum to 1; 1 for a single expert, which has nothing to choose."""
    if len(shares) < 2:
        return 1.0
    return -sum(p * math.log(p) for p in shares if p > 0) / math.log(len(shares))


def append_point(path: Path, point: CurvePoint) -> None:
    """Add a line in one system call, so that fits in several processes may write to one file."""
    line = json.dumps(asdict(point), ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def read_curves(path: Path) -> tuple[CurvePoint, ...]:
    """The points of a file by fold, seed and epoch; none where there is no file.

    A fit that was taken up again after a crash writes its epochs a second time: the later line counts. A line that a
    crash cut off is left out: its fit is repeated.
    """
    if not path.is_file():
        return ()
    found: dict[tuple[int, int, int], CurvePoint] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            point = CurvePoint.from_json(json.loads(line))
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
            continue
        found[point.fold, point.seed, point.epoch] = point
    return tuple(found[key] for key in sorted(found))


def write_curves(path: Path, points: Iterable[CurvePoint]) -> None:
    """A whole file of points."""
    lines = (json.dumps(asdict(p), ensure_ascii=False, sort_keys=True, allow_nan=False) for p in points)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def load_curves(run_id: str, workspace: Workspace) -> tuple[CurvePoint, ...]:
    """The curves kept with a run, checked against their hash; none when it was trained without them."""
    path = workspace.run(run_id) / FILE
    if not path.is_file():
        return ()
    verify_folder(workspace.run(run_id), (FILE,))
    return read_curves(path)


def collapsed(epochs: Sequence[LevelLoad]) -> bool:
    """Whether a level has collapsed by its last epochs (one fit, in order): see :data:`ENTROPY_FLOOR`."""
    last = epochs[-COLLAPSE_EPOCHS:]
    if len(last) < COLLAPSE_EPOCHS or len(last[0].load) < 2:
        return False
    low = all(min(level.entropy, level.gate_entropy) < ENTROPY_FLOOR for level in last)
    return low or all(level.largest > LARGEST_SHARE for level in last)


def collapses(points: Sequence[CurvePoint]) -> tuple[Collapse, ...]:
    """The alarm: every level that has collapsed in at least one fit, by its state at the end of what is known."""
    fits: dict[str, dict[tuple[int, int], list[LevelLoad]]] = {}
    for point in sorted(points, key=lambda p: p.epoch):
        for name, level in point.levels.items():
            fits.setdefault(name, {}).setdefault((point.fold, point.seed), []).append(level)
    found = []
    for name, of_level in fits.items():
        shares = [epochs[-1].largest for epochs in of_level.values() if collapsed(epochs)]
        if shares:
            found.append(Collapse(name, len(shares), len(of_level), max(shares)))
    return tuple(found)
