"""Encode a cohort's slides, scans and reports. What is finished is kept; an unreadable file is reported and skipped."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.cohort.media_index import MediaIndex, MediaKind, load_media
from core.cohort.modality import ENCODED_MODALITIES, Modality
from core.cohort.storage import load_cohort
from core.cohort.wording import plural
from core.errors import PrognoscopeError
from core.features.contents import ContentHashes
from core.features.encoders import DEFAULTS, Encoder, all_settings, make_encoder, settings_of
from core.features.image_means import image_means, named_means
from core.features.store import FeatureStore, feature_key
from core.results.feature_records import EncodedModality, load_record, save_record
from core.results.image_means import NAMED, save_image_means
from core.results.workspace import Workspace
from core.tasks.encode_patients import PatientWork, encode_patients

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class EncodeRequest:
    """What the user asked for: all modalities with files, and the default encoders, when left out.

    ``encoders`` modality → name · ``settings`` encoder's name → its settings · ``processes`` patients at a time.
    """

    cohort: str
    modalities: tuple[Modality, ...] = ()
    encoders: Mapping[Modality, str] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    processes: int = 2


@dataclass(frozen=True)
class EncodeReport:
    """What happened: patients encoded now, found in the cache, and skipped as (pseudonym, modality, reason)."""

    cohort: str
    encoded: Mapping[str, int]
    cached: Mapping[str, int]
    skipped: tuple[tuple[str, str, str], ...]
    warnings: tuple[str, ...]
    encoders: Mapping[str, str]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists, for JSON."""
        skipped = [{"patient": p, "modality": m, "reason": r} for p, m, r in self.skipped]
        return {
            "cohort": self.cohort,
            "encoders": dict(self.encoders),
            "encoded": dict(self.encoded),
            "cached": dict(self.cached),
            "skipped": skipped,
            "warnings": list(self.warnings),
            "seconds": round(self.seconds, 1),
        }


def encode(request: EncodeRequest, workspace: Workspace, progress: Progress | None = None) -> EncodeReport:
    """Encode, modality by modality, and keep the cohort's record.

    Raises
    ------
    PrognoscopeError
        When the cohort has no files of a modality that was asked for, an encoder is unknown, or the features of one
        modality differ in width between patients (two encoders were mixed).
    """
    started = time.perf_counter()
    load_cohort(request.cohort, workspace, verify=False)
    index = load_media(request.cohort, workspace)
    modalities = _modalities(request, index)
    chosen = {m: _encoder(request, index, m) for m in modalities}
    encoded, cached, skipped, warnings = Counter[str](), Counter[str](), list[tuple[str, str, str]](), list[str]()
    for i, (modality, encoder) in enumerate(chosen.items()):

        def tell(share: float, text: str, start: int = i) -> None:
            if progress is not None:
                progress((start + share) / len(chosen), text)

        made, found, record = _one_modality(request, workspace, index, modality, encoder, tell)
        if modality.value in NAMED and record.keys and record.columns:
            rows = ((p, named_means(FeatureStore(workspace).read(k))) for p, k in sorted(record.keys.items()))
            means = image_means(request.cohort, modality.value, record.encoder, rows)
            save_image_means(means, record, workspace)
        encoded[modality.value], cached[modality.value] = made, found
        skipped += [(patient, modality.value, reason) for patient, reason in record.skipped]
        warnings += _counted(modality, record)
    if progress is not None:
        progress(1.0, "encoded")
    names = {m.value: e.name for m, e in chosen.items()}
    seconds = time.perf_counter() - started
    return EncodeReport(request.cohort, encoded, cached, tuple(skipped), tuple(warnings), names, seconds)


def _modalities(request: EncodeRequest, index: MediaIndex) -> tuple[Modality, ...]:
    there = tuple(m for m in ENCODED_MODALITIES if index.patients(m))
    for modality in request.modalities:
        if modality not in there:
            raise PrognoscopeError(
                f"no files of {modality.value}",
                f"cohort {request.cohort!r}",
                f"choose from {', '.join(there)}" if there else "import slides, scans or reports with the cohort",
            )
    if not there:
        raise PrognoscopeError(
            "no slides, scans or reports", f"cohort {request.cohort!r}", "import a folder that holds them"
        )
    return tuple(m for m in there if not request.modalities or m in request.modalities)


def _encoder(request: EncodeRequest, index: MediaIndex, modality: Modality) -> Encoder:
    """The encoder asked for; else the default, or ``imported`` for slides of which only features are there."""
    name = request.encoders.get(modality, DEFAULTS[modality])
    kinds = {f.kind for f in index.files if f.modality is modality}
    if modality not in request.encoders and MediaKind.SLIDE_FEATURES in kinds and MediaKind.SLIDE not in kinds:
        name = "imported"
    encoder = make_encoder(name, request.settings.get(name))
    if encoder.modality is not modality:
        raise PrognoscopeError(
            f"encoder {name!r} is for {encoder.modality.value}", f"the {modality.value}", "choose another encoder"
        )
    return encoder


def _one_modality(
    request: EncodeRequest,
    workspace: Workspace,
    index: MediaIndex,
    modality: Modality,
    encoder: Encoder,
    progress: Progress,
) -> tuple[int, int, EncodedModality]:
    """Encode every patient with files; returns how many were made, how many were found, and the record."""
    store, hashes = FeatureStore(workspace), ContentHashes(workspace)
    keys: dict[str, str] = {}
    skipped: dict[str, str] = {}
    work: list[PatientWork] = []
    for patient in sorted(index.patients(modality)):
        files = tuple(f for f in index.of(patient, modality) if f.kind in encoder.reads)
        if not any(f.kind is not MediaKind.MASK for f in files):
            skipped[patient] = f"no file that the encoder {encoder.name} reads"
            continue
        try:
            contents = tuple((f.kind.value, f.label, hashes.of(f.path)) for f in files)
        except PrognoscopeError as error:
            skipped[patient] = error.found
            continue
        keys[patient] = feature_key(contents, encoder)
        if not store.holds(keys[patient]):
            work.append(PatientWork(patient, keys[patient], encoder.name, all_settings(encoder), files))
    hashes.save()
    for count, done in enumerate(encode_patients(work, workspace, request.processes), 1):
        if done.reason:
            skipped[done.patient] = done.reason
        progress(count / len(work), f"{modality.value}: {count} of {len(work)} patients")
    keys = {patient: key for patient, key in keys.items() if patient not in skipped}
    record = _record(encoder, keys, skipped, store)
    save_record(load_record(request.cohort, workspace).with_modality(modality.value, record), workspace)
    made = sum(w.patient not in skipped for w in work)
    return made, len(keys) - made, record


def _record(
    encoder: Encoder, keys: Mapping[str, str], skipped: Mapping[str, str], store: FeatureStore
) -> EncodedModality:
    widths: Counter[int] = Counter()
    columns: tuple[str, ...] = ()
    warnings = []
    for patient, key in keys.items():
        encoded = store.read(key)
        widths[encoded.features.shape[1]] += 1
        columns = encoded.columns
        warnings += [(patient, w) for w in encoded.warnings]
    if len(widths) > 1:
        counted = ", ".join(f"{plural(n, 'patient')} with {w}" for w, n in widths.most_common())
        raise PrognoscopeError(
            f"features of different widths ({counted})",
            f"the {encoder.modality.value}",
            "encode all of them with one encoder",
        )
    width = next(iter(widths), 0)
    failed = tuple(sorted(skipped.items()))
    return EncodedModality(
        encoder.name, encoder.version, settings_of(encoder), width, columns, keys, failed, tuple(warnings)
    )


def _counted(modality: Modality, record: EncodedModality) -> list[str]:
    """Each different warning once, with the number of patients it is about."""
    counts = Counter(text for _, text in record.warnings)
    return [f"{modality.value}, {plural(n, 'patient')}: {text}" for text, n in counts.most_common()]
