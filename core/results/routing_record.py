"""How a run routed its patients: gates, loads, what each expert and modality is worth, and a map of the patients.

Everything shown is out of fold: patient ``i`` stands in the arrays under the models of ``fold[i]``, one a seed, which
never saw the patient. Experts without names are not the same in two models: expert 3 of one has nothing to do with
expert 3 of another. They are matched by how alike their gates are over the tokens of all patients (no outcome is looked
at), in two steps: the folds of a seed among each other, which began at the same weights and usually agree, and then the
seeds, which usually do not. ``LevelRecord.within`` and ``between`` say how well that worked; where seeds do not match,
a page shows one seed at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from core.arrays import BoolArray, Float32Array, FloatArray, IntArray
from core.errors import PrognoscopeError
from core.results.files import MANIFEST, new_folder, read_json, verify_folder, write_json
from core.results.workspace import Workspace, checked_name
from core.statistics.self_correlation import SelfCorrelation

ENOUGH_AGREEMENT = 0.5
"""Mean correlation of matched experts below which a mean over models says nothing."""


@dataclass(frozen=True, eq=False)
class LevelRecord:
    """One router: ``e`` experts, ``s`` seeds, ``f`` folds, ``n`` patients.

    Parameters
    ----------
    name : str
    experts : e words
    named : bool
        Whether the experts mean the same in every model; otherwise they were matched.
    tokens : int
        Tokens of a patient at this level.
    shared : bool
        Whether the level has a shared expert: then it is the last column of ``survival``, ``risk`` and ``norm``.
    present : (n,) bool
        Patients that have what the level routes.
    mass : (s, n, e) gate weight, mean over tokens; each patient's sums to 1
    load : (s, n, e) share of the assignments (top-k), mean over tokens; each patient's sums to 1
    norm : (s, n, e + shared) Euclidean norm of what each expert added
    survival, risk : (s, n, e + shared)
        What switching the expert off changes: percentage points of S(month), and the risk.
    everyone : (f, s, n, e)
        Gate weight by every model, also of patients it was trained on: for the agreement of models alone.
    order : (f, s, e) the model's own number of each expert
    within : (s,) mean correlation of the matched experts of a seed's models; 1 for named ones and a single fold
    between : (s,) the same of each seed with the reference seed; 1 for that one
    before, after : SelfCorrelation or None
        Of the tokens before and after the shared expert; None where a patient has one token.
    """

    name: str
    experts: tuple[str, ...]
    named: bool
    tokens: int
    shared: bool
    present: BoolArray
    mass: Float32Array
    load: Float32Array
    norm: Float32Array
    survival: Float32Array
    risk: Float32Array
    everyone: Float32Array
    order: IntArray
    within: FloatArray
    between: FloatArray
    before: SelfCorrelation | None = None
    after: SelfCorrelation | None = None

    @property
    def switched(self) -> tuple[str, ...]:
        """Names of what can be switched off: the experts, and the shared one last."""
        return (*self.experts, "shared") if self.shared else self.experts

    def matched_within(self, seed: int) -> bool:
        """Whether the folds of the ``seed``-th seed have the same experts, so that their patients can be compared."""
        return self.named or bool(self.within[seed] >= ENOUGH_AGREEMENT)

    @property
    def comparable(self) -> bool:
        """Whether a mean over all models may be shown: experts are named, or match between folds and seeds."""
        return self.named or bool(min(self.within.min(), self.between.min()) >= ENOUGH_AGREEMENT)


@dataclass(frozen=True, eq=False)
class ModalityOff:
    """What changes when one modality is taken away, (s, n) each, NaN for patients who lack it or have nothing else:
    percentage points of S(month), the risk, and level → share of gate weight that moves to other experts."""

    survival: Float32Array
    risk: Float32Array
    moved: Mapping[str, Float32Array]


@dataclass(frozen=True, eq=False)
class PatientMap:
    """``points`` (n, 2) of one method · ``axes`` words for the two · ``note`` what distances mean."""

    points: Float32Array
    axes: tuple[str, str]
    note: str


@dataclass(frozen=True, eq=False)
class RoutingRecord:
    """Everything the Experts page shows of a run's routing.

    ``places`` (s, n, a) each patient on the first principal axes of the models' common space, by the model of each seed
    that never saw them · ``space`` what that space is, in words ·
    ``aligned`` (f, s) share of the reference's variation that each model's
    representation reproduces once turned onto it · ``reference`` fold and seed of the model the others are matched to ·
    ``extra`` ``difference`` largest change of a logit by reading the gates, ``overhead`` share of time it adds.
    """

    run: str
    cohort: str
    model: str
    month: float
    ids: tuple[str, ...]
    fold: IntArray
    seeds: tuple[int, ...]
    synthetic: bool
    estimate: Float32Array
    levels: Mapping[str, LevelRecord]
    modalities: Mapping[str, ModalityOff]
    maps: Mapping[str, PatientMap]
    places: Float32Array
    space: str
    aligned: FloatArray
    reference: tuple[int, int]
    code_version: str
    seconds: float
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


_LEVEL_ARRAYS = ("present", "mass", "load", "norm", "survival", "risk", "everyone", "order", "within",
                 "between")  # fmt: skip
_LEVEL_FACTS = ("name", "experts", "named", "tokens", "shared")
_FACTS = ("run", "cohort", "model", "month", "ids", "seeds", "synthetic", "space", "reference", "code_version",
          "seconds", "notes", "extra")  # fmt: skip


def _folder(run: str, workspace: Workspace) -> Path:
    return workspace.explanations / checked_name(run, "run id") / "routing"


def has_routing(run: str, workspace: Workspace) -> bool:
    """Whether the routing of a run was read, by its manifest alone."""
    return (_folder(run, workspace) / MANIFEST).is_file()


def routing_stamp(run: str, workspace: Workspace) -> int:
    """A number that changes when the record is made again; 0 where there is none."""
    path = _folder(run, workspace) / MANIFEST
    return path.stat().st_mtime_ns if path.is_file() else 0


def save_routing(record: RoutingRecord, workspace: Workspace) -> None:
    """Store it; an earlier one of the same run is replaced."""
    arrays: dict[str, Any] = {
        "fold": record.fold,
        "aligned": record.aligned,
        "places": record.places,
        "estimate": record.estimate,
    }
    facts: dict[str, Any] = {k: getattr(record, k) for k in _FACTS}
    facts["levels"] = []
    for i, level in enumerate(record.levels.values()):
        facts["levels"].append({k: getattr(level, k) for k in _LEVEL_FACTS})
        arrays |= {f"level.{i}.{k}": getattr(level, k) for k in _LEVEL_ARRAYS}
        for when, found in (("before", level.before), ("after", level.after)):
            if found is not None:
                arrays |= {f"level.{i}.{when}.mean": found.mean, f"level.{i}.{when}.absolute": found.absolute}
                facts["levels"][-1][when] = found.undefined
    facts["modalities"] = {m: list(off.moved) for m, off in record.modalities.items()}
    for name, off in record.modalities.items():
        arrays |= {f"off.{name}.survival": off.survival, f"off.{name}.risk": off.risk}
        arrays |= {f"off.{name}.moved.{j}": v for j, v in enumerate(off.moved.values())}
    facts["maps"] = {name: {"axes": m.axes, "note": m.note} for name, m in record.maps.items()}
    arrays |= {f"map.{name}": m.points for name, m in record.maps.items()}
    with new_folder(_folder(record.run, workspace)) as folder:
        write_json(folder / "routing.json", facts)
        save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / "routing.safetensors")


def load_routing(run: str, workspace: Workspace) -> RoutingRecord:
    """The stored record, each file checked against its hash.

    Raises
    ------
    PrognoscopeError
        When it was not made yet, was altered, or is of another version.
    """
    folder = _folder(run, workspace)
    if not has_routing(run, workspace):
        raise PrognoscopeError("no routing read yet", f"run {run}", f"./run cli routing {run}")
    verify_folder(folder)
    facts, arrays = read_json(folder / "routing.json"), load_file(folder / "routing.safetensors")
    try:
        return _rebuilt(facts, arrays)
    except (KeyError, TypeError) as error:
        raise PrognoscopeError(
            "a routing record this version cannot read", f"run {run}", f"./run cli routing {run}"
        ) from error


def _rebuilt(facts: Mapping[str, Any], arrays: Mapping[str, Any]) -> RoutingRecord:
    levels = {}
    for i, fact in enumerate(facts["levels"]):
        ends: dict[str, SelfCorrelation] = {}
        for when in ("before", "after"):
            if when in fact:
                mean, absolute = (arrays[f"level.{i}.{when}.{k}"] for k in ("mean", "absolute"))
                ends[when] = SelfCorrelation(mean, absolute, float(fact[when]))
        own = {k: fact[k] for k in _LEVEL_FACTS} | {"experts": tuple(fact["experts"])}
        parts: dict[str, Any] = own | {k: arrays[f"level.{i}.{k}"] for k in _LEVEL_ARRAYS} | ends
        levels[str(fact["name"])] = LevelRecord(**parts)
    modalities = {
        name: ModalityOff(
            arrays[f"off.{name}.survival"], arrays[f"off.{name}.risk"],
            {level: arrays[f"off.{name}.moved.{j}"] for j, level in enumerate(moved)},
        )
        for name, moved in facts["modalities"].items()
    }  # fmt: skip
    maps = {
        name: PatientMap(arrays[f"map.{name}"], (m["axes"][0], m["axes"][1]), m["note"])
        for name, m in facts["maps"].items()
    }
    own = {k: facts[k] for k in _FACTS}
    own |= {k: tuple(facts[k]) for k in ("ids", "seeds", "reference", "notes")}
    return RoutingRecord(
        **own, fold=arrays["fold"], aligned=arrays["aligned"], estimate=arrays["estimate"], levels=levels,
        modalities=modalities, maps=maps, places=arrays["places"],
    )  # fmt: skip
