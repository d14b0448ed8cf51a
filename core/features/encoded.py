"""The encoded modalities of a cohort, as the models' inputs read them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import Encoded
from core.features.store import FeatureStore
from core.results.feature_records import EncodedModality, FeatureRecord, load_record
from core.results.workspace import Workspace


@dataclass(frozen=True, eq=False)
class EncodedCohort:
    """What is encoded of one cohort; features are read from the store when they are asked for."""

    record: FeatureRecord
    store: FeatureStore

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """Modalities with features of at least one patient, in the order of :class:`Modality`."""
        return tuple(m for m in Modality if m.value in self.record.modalities and self.record.modalities[m.value].keys)

    def of(self, modality: Modality) -> EncodedModality:
        """How a modality was encoded, and for whom."""
        if modality.value not in self.record.modalities:
            raise PrognoscopeError(
                f"the {modality.value} of cohort {self.record.cohort!r} are not encoded",
                "the stored features",
                f"run ./run cli encode {self.record.cohort} --modalities {modality.value}",
            )
        return self.record.modalities[modality.value]

    def read(self, patient: str, modality: Modality) -> Encoded | None:
        """The features of a patient, or None where there are none."""
        key = self.of(modality).keys.get(patient)
        return None if key is None else self.store.read(key)

    def encoders(self, modalities: tuple[Modality, ...]) -> Mapping[str, Mapping[str, Any]]:
        """Modality → name, version, settings and width, for a run's record."""
        return {m.value: self.of(m).how for m in modalities if m.value in self.record.modalities}

    def fingerprint(self, modalities: tuple[Modality, ...]) -> str:
        """A hash of the very features of these modalities; empty when none of them is encoded."""
        used = {
            m.value: dict(self.record.modalities[m.value].keys) for m in modalities if m.value in self.record.modalities
        }
        return hashlib.sha256(json.dumps(used, sort_keys=True).encode()).hexdigest() if used else ""


def load_features(
    cohort: str, workspace: Workspace, encoders: Mapping[str, Mapping[str, Any]] | None = None
) -> EncodedCohort:
    """The encoded modalities of a cohort; none when nothing has been encoded yet.

    ``encoders`` (a run's ``config["encoders"]``) asks for the features that a run was trained on, where the cohort was
    encoded in another way since.
    """
    return EncodedCohort(load_record(cohort, workspace).encoded_as(encoders or {}), FeatureStore(workspace))
