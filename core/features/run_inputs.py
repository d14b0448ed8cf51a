"""What a run's inputs were, kept beside its checkpoints, so that new patients can be brought into the same form.

Described from all patients of the run: it serves alignment alone (names, units, scales, known categories). What a
model learned from its inputs stays in its own checkpoint, learned on its training fold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from core.cohort.cancer import cancer_codes
from core.cohort.cohort import Cohort
from core.cohort.endpoint import Endpoint
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.gene_units import GeneScales, KindScale
from core.features.inputs import Dataset

VERSION = 1


@dataclass(frozen=True)
class ClinicalColumn:
    """A clinical input: its unit where known, whether it is a number, and the categories that occurred."""

    name: str
    unit: str = ""
    numeric: bool = True
    levels: tuple[str, ...] = ()


@dataclass(frozen=True)
class EndpointWords:
    """What the run predicts: name, words, the moment months count from, and what the event is."""

    name: str
    label: str
    time_zero: str
    event_label: str

    @classmethod
    def of(cls, endpoint: Endpoint) -> EndpointWords:
        return cls(endpoint.name, endpoint.label, endpoint.time_zero, endpoint.event_label)


@dataclass(frozen=True, eq=False)
class RunInputs:
    """Everything alignment needs.

    ``families`` name → column numbers within ``columns`` · ``genes`` scales of these columns, None without genomics ·
    ``clinical`` columns in the order the models know · ``bag_width`` features a patch · ``encoders``
    modality → how the bags were made · ``groups`` cancers a model may have experts for · ``cancers`` of the training
    cohort · ``content_hash`` of that cohort.
    """

    modalities: tuple[Modality, ...]
    endpoint: EndpointWords
    columns: tuple[str, ...] = ()
    families: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    genes: GeneScales | None = None
    clinical: tuple[ClinicalColumn, ...] = ()
    bag_width: Mapping[Modality, int] = field(default_factory=dict)
    encoders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    cancers: tuple[str, ...] = ()
    title: str = ""
    content_hash: str = ""

    @classmethod
    def describe(cls, cohort: Cohort, dataset: Dataset, endpoint: Endpoint) -> RunInputs:
        """From the cohort a run is trained on and the inputs it is given."""
        inputs = dataset.inputs
        units = cohort.genomics.units if cohort.genomics is not None else {}
        frame = inputs.clinical if inputs.clinical is not None else pd.DataFrame()
        return cls(
            inputs.modalities,
            EndpointWords.of(endpoint),
            inputs.columns,
            dict(inputs.families),
            None if inputs.genes is None else GeneScales.of(inputs.genes, inputs.columns, units),
            tuple(_column(frame[c], cohort.units.get(str(c), "")) for c in frame.columns),
            {m: next((b.shape[1] for b in bags if b is not None), 1) for m, bags in inputs.bags.items()},
            dict(dataset.encoders),
            tuple(sorted(set(inputs.groups))),
            tuple(sorted(cancer_codes(cohort))),
            cohort.title,
            cohort.content_hash,
        )

    def as_json(self) -> dict[str, Any]:
        """The part without arrays."""
        return {
            "version": VERSION,
            "modalities": [m.value for m in self.modalities],
            "endpoint": asdict(self.endpoint),
            "columns": list(self.columns),
            "families": [[name, list(numbers)] for name, numbers in self.families.items()],
            "kinds": {k: s.as_json() for k, s in self.genes.kinds.items()} if self.genes else None,
            "clinical": [asdict(c) for c in self.clinical],
            "bag_width": {m.value: w for m, w in self.bag_width.items()},
            "encoders": {m: dict(how) for m, how in self.encoders.items()},
            "groups": list(self.groups),
            "cancers": list(self.cancers),
            "title": self.title,
            "content_hash": self.content_hash,
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The scales of the gene columns."""
        return {"genes.median": self.genes.median, "genes.spread": self.genes.spread} if self.genes else {}

    @classmethod
    def restore(cls, value: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> RunInputs:
        """Rebuild from :meth:`as_json` and :meth:`arrays`; raises for another version's."""
        if value.get("version") != VERSION:
            raise PrognoscopeError("a description of inputs of another version", "the run", "train the run again")
        columns, genes = tuple(value["columns"]), None
        if value["kinds"] is not None:
            kinds = {k: KindScale(**s) for k, s in value["kinds"].items()}
            genes = GeneScales(columns, kinds, arrays["genes.median"], arrays["genes.spread"])
        return cls(
            tuple(Modality(m) for m in value["modalities"]),
            EndpointWords(**value["endpoint"]),
            columns,
            {name: tuple(numbers) for name, numbers in value["families"]},
            genes,
            tuple(ClinicalColumn(c["name"], c["unit"], c["numeric"], tuple(c["levels"])) for c in value["clinical"]),
            {Modality(m): int(w) for m, w in value["bag_width"].items()},
            value["encoders"],
            tuple(value["groups"]),
            tuple(value["cancers"]),
            value["title"],
            value["content_hash"],
        )


def _column(values: pd.Series, unit: str) -> ClinicalColumn:
    """As :class:`~core.features.clinical.ClinicalEncoder` reads it: booleans are categories."""
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return ClinicalColumn(str(values.name), unit)
    levels = tuple(sorted(str(v) for v in values.astype("string").dropna().unique()))
    return ClinicalColumn(str(values.name), unit, False, levels)
