"""Features in the form that a model, or a stored run, was made for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.cohort.media_index import load_media
from core.cohort.modality import Modality
from core.errors import PrognoscopeError
from core.features.encoders import encoder_class, make_encoder, settings_of
from core.models.registry import MODELS
from core.results.feature_records import EncodedModality, load_record
from core.results.run import Run
from core.results.workspace import Workspace
from core.tasks.encode import EncodeRequest, encode

PARTS = "report-parts"


def encode_for_model(
    cohort: str, model: str, modalities: tuple[Modality, ...], redact: bool, workspace: Workspace
) -> tuple[Modality, ...]:
    """Encode again what the model cannot read as it is (another encoder, or marker mentions kept that were to go).

    Everything is kept by content, so going back costs nothing. Only modalities that the run uses are looked at, and
    whose files the cohort has. Returns those that were encoded.

    Raises
    ------
    PrognoscopeError
        When mentions are to be removed from reports that the run does not use.
    """
    record, index = load_record(cohort, workspace), load_media(cohort, workspace)
    needs = dict(MODELS[model].encoders) if model in MODELS else {}
    if redact:
        needs[Modality.REPORTS] = PARTS
    used = modalities or tuple(m for m in Modality if m.value in record.modalities)
    if redact and Modality.REPORTS not in used:
        raise PrognoscopeError("a run without reports", "--redact-markers", "add reports to --modalities")
    again = []
    for modality, name in needs.items():
        if modality not in used or not index.patients(modality):
            continue
        now = record.modalities.get(modality.value)
        wanted = dict(now.settings) if now is not None and now.encoder == name else settings_of(make_encoder(name))
        if "redact" in wanted:
            wanted["redact"] = redact
        if not _same(now, name, encoder_class(name).version, wanted):
            encode(EncodeRequest(cohort, (modality,), {modality: name}, {name: wanted}), workspace)
            again.append(modality)
    return tuple(again)


def encode_as_run(run: Run, workspace: Workspace) -> None:
    """Bring a cohort's features into the form a stored run was trained on; nothing is done where they are."""
    record = load_record(run.cohort, workspace)
    for modality, how in dict(run.config.get("encoders", {})).items():
        name, settings = str(how["name"]), dict(how.get("settings", {}))
        if _same(record.modalities.get(modality), name, int(how["version"]), settings):
            continue
        if encoder_class(name).version != int(how["version"]):
            raise PrognoscopeError(
                f"{modality} encoded by version {how['version']} of {name}", f"run {run.id}", "train the run again"
            )
        kind = Modality(modality)
        encode(EncodeRequest(run.cohort, (kind,), {kind: name}, {name: settings}), workspace)


def _same(now: EncodedModality | None, name: str, version: int, settings: Mapping[str, Any]) -> bool:
    return now is not None and (now.encoder, now.version, dict(now.settings)) == (name, version, dict(settings))
