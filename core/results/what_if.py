"""What a run's models would estimate had some of a patient's inputs been different: their sensitivity, no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from core.arrays import FloatArray

TITLE = "Model sensitivity, not the effect of a treatment"


@dataclass(frozen=True)
class Changeable:
    """A clinical column that may be changed.

    ``current`` the patient's value, None where not recorded · ``low``, ``high`` observed range of a number among the
    patients the models were trained on · ``levels`` the observed levels of a category.
    """

    name: str
    current: float | str | None
    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class WhatIfOptions:
    """What may be changed of one patient under one run.

    ``clinical`` columns · ``modalities`` that the patient has, each may be switched off · ``families`` gene families
    (or pathways) that may be set to the training patients' median · ``limit`` last month of the curves.
    """

    run: str
    patient: str
    clinical: tuple[Changeable, ...]
    modalities: tuple[str, ...]
    families: tuple[str, ...]
    limit: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> WhatIfOptions:
        """Rebuild from :meth:`as_json`."""
        clinical = tuple(Changeable(**{**c, "levels": tuple(c["levels"])}) for c in value["clinical"])
        lists = {k: tuple(value[k]) for k in ("modalities", "families")}
        return cls(value["run"], value["patient"], clinical, **lists, limit=value["limit"])


@dataclass(frozen=True)
class WhatIfChange:
    """What to change: ``clinical`` column → value · ``off`` modalities · ``families`` set to the median."""

    clinical: Mapping[str, float | str] = field(default_factory=dict)
    off: tuple[str, ...] = ()
    families: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"clinical": dict(self.clinical), "off": list(self.off), "families": list(self.families)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> WhatIfChange:
        """Rebuild from :meth:`as_json`."""
        return cls(dict(value.get("clinical", {})), tuple(value.get("off", ())), tuple(value.get("families", ())))


@dataclass(frozen=True, eq=False)
class WhatIfCurve:
    """``survival`` (t,) mean S(t) in 0..1 over the models · ``low``, ``high`` (t,) lowest and highest of them."""

    survival: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, eq=False)
class WhatIf:
    """Curves before and after a change, at ``times`` (t,) months, by the ``models`` that never saw the patient.

    ``changed`` the changes in words · ``notes`` sentences to show beside the curves.
    """

    run: str
    patient: str
    times: FloatArray
    before: WhatIfCurve
    after: WhatIfCurve
    changed: tuple[str, ...]
    models: int
    synthetic: bool
    notes: tuple[str, ...] = ()

    def at(self, month: float) -> tuple[float, float]:
        """S(month) before and after; the nearest of ``times``."""
        place = int(np.argmin(np.abs(self.times - month)))
        return float(self.before.survival[place]), float(self.after.survival[place])

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        plain = {k: v for k, v in vars(self).items() if k not in ("times", "before", "after")}
        plain |= {k: list(v) for k, v in plain.items() if isinstance(v, tuple)}
        curves = {k: {n: [float(x) for x in a] for n, a in vars(getattr(self, k)).items()} for k in ("before", "after")}
        return {**plain, "times": [float(t) for t in self.times], **curves}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> WhatIf:
        """Rebuild from :meth:`as_json`."""
        given = dict(value)
        given["times"] = np.array(given["times"])
        for name in ("before", "after"):
            given[name] = WhatIfCurve(**{k: np.array(v) for k, v in given[name].items()})
        for name in ("changed", "notes"):
            given[name] = tuple(given[name])
        return cls(**given)
