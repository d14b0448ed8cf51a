"""A patient taken out of a cohort: its tables, original ids, media, report texts, features and brought folds."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.analysis.deletion import remove_cohort
from core.cohort.media_index import MediaFile, MediaIndex, load_media, report_folder, save_media
from core.cohort.own_folds import folds_folder
from core.cohort.pseudonyms import protected_folder
from core.cohort.storage import load_cohort, load_original_ids, save_cohort
from core.errors import PrognoscopeError
from core.results.feature_records import EncodedModality, FeatureRecord, load_record, save_record, used_keys
from core.results.files import read_json, write_bytes, write_json
from core.results.image_means import ImageMeans, forget_image_means, load_image_means, save_image_means
from core.results.workspace import Workspace

HASHES = "media-hashes.json"


def erase_from_cohort(name: str, pseudonym: str, workspace: Workspace) -> None:
    """Take one patient out. A cohort of nobody else goes as a whole; its runs stay."""
    cohort = load_cohort(name, workspace, verify=False)
    _erase_media(name, pseudonym, workspace)
    if len(cohort) == 1:
        remove_cohort(name, workspace)
        return
    _erase_features(name, pseudonym, workspace)
    _erase_folds(name, pseudonym, workspace)
    _erase_truth(name, pseudonym, workspace)
    keep = cohort.patients.index != pseudonym
    left = cohort.take(np.flatnonzero(keep))
    originals = load_original_ids(name, workspace)
    had_ids = bool(originals) or (workspace.protected / f"{name}-ids.parquet").is_file()
    save_cohort(left, {p: o for p, o in originals.items() if p != pseudonym} if had_ids else None, workspace)


def outside_files(name: str, pseudonym: str, workspace: Workspace) -> int:
    """Files of the patient that lie outside the workspace: they are only referred to, and stay."""
    return sum(not _is_inside(f.path, workspace) for f in load_media(name, workspace).of(pseudonym))


def _is_inside(path: str, workspace: Workspace) -> bool:
    return Path(path).resolve().is_relative_to(workspace.root.resolve())


def _erase_media(name: str, pseudonym: str, workspace: Workspace) -> None:
    """Index, copies inside the workspace, folders of the patient's own, and the remembered hashes of the files."""
    index = load_media(name, workspace)
    gone = index.of(pseudonym)
    shared = {f.path for f in index.files if f.patient != pseudonym}
    _forget_hashes(gone, workspace)
    for file in gone:
        if file.path not in shared and _is_inside(file.path, workspace):
            _remove(Path(file.path), workspace.media_of(name))
    home = workspace.media_of(name)
    for folder in (home / pseudonym, *home.glob(f".*/{pseudonym}")):
        if folder.is_dir():
            shutil.rmtree(folder)
    for text in report_folder(name, workspace).glob(f"{pseudonym}-*.txt"):
        text.unlink()
    if gone:
        save_media(name, MediaIndex(tuple(f for f in index.files if f.patient != pseudonym)), workspace)


def _remove(path: Path, home: Path) -> None:
    """A medium, and the folders above it that it leaves empty, up to those of the cohort."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == home or home not in folder.parents or any(folder.iterdir()):
            return
        folder.rmdir()


def _forget_hashes(files: Sequence[MediaFile], workspace: Workspace) -> None:
    path = protected_folder(workspace) / HASHES
    if not files or not path.is_file():
        return
    names = {
        hashlib.sha256(str(p).encode()).hexdigest()
        for f in files
        for p in (Path(f.path), *(Path(f.path).rglob("*") if Path(f.path).is_dir() else ()))
    }
    write_json(path, {k: v for k, v in read_json(path).items() if k not in names})
    path.chmod(0o600)


def _erase_features(name: str, pseudonym: str, workspace: Workspace) -> None:
    """The patient's line in the record, and the stored features that nobody else has."""
    record = load_record(name, workspace)
    forms = [*record.modalities.values(), *(f for forms in record.earlier.values() for f in forms)]
    keys = {form.keys[pseudonym] for form in forms if pseudonym in form.keys}
    mentioned = any(pseudonym == p for form in forms for p, _ in (*form.skipped, *form.warnings))
    if not keys and not mentioned:
        return
    changed = FeatureRecord(
        name,
        {m: _without(e, pseudonym) for m, e in record.modalities.items()},
        {m: tuple(_without(e, pseudonym) for e in forms) for m, forms in record.earlier.items()},
    )
    means = _kept_means(record, pseudonym, workspace)
    forget_image_means(name, workspace)
    save_record(changed, workspace)
    for found, encoded in means:
        save_image_means(found, encoded, workspace)
    for key in keys - used_keys(workspace):
        (workspace.features / f"{key}.safetensors").unlink(missing_ok=True)


def _kept_means(
    record: FeatureRecord, pseudonym: str, workspace: Workspace
) -> list[tuple[ImageMeans, EncodedModality]]:
    """The other patients' rows of the means of features, each with the form it is kept under from now on."""
    forms = list(record.modalities.items())
    forms += [(m, e) for m, earlier in record.earlier.items() for e in earlier]
    kept = []
    for modality, encoded in forms:
        try:
            found = load_image_means(record.cohort, modality, encoded, workspace)
        except PrognoscopeError:  # altered: they are made again from the features
            continue
        if found is not None:
            rows = np.array([i != pseudonym for i in found.ids])
            ids = tuple(i for i in found.ids if i != pseudonym)
            kept.append((replace(found, ids=ids, values=found.values[rows]), _without(encoded, pseudonym)))
    return kept


def _without(encoded: EncodedModality, pseudonym: str) -> EncodedModality:
    return replace(
        encoded, keys={p: k for p, k in encoded.keys.items() if p != pseudonym},
        skipped=tuple(x for x in encoded.skipped if x[0] != pseudonym),
        warnings=tuple(x for x in encoded.warnings if x[0] != pseudonym),
    )  # fmt: skip


def _erase_folds(name: str, pseudonym: str, workspace: Workspace) -> None:
    for path in folds_folder(name, workspace).glob("*.csv"):
        table = pd.read_csv(path, dtype={"id": str})
        if (table["id"] == pseudonym).any():
            write_bytes(path, table[table["id"] != pseudonym].to_csv(index=False).encode())


def _erase_truth(name: str, pseudonym: str, workspace: Workspace) -> None:
    """What was planted into a generated patient."""
    path = workspace.cohorts / f"{name}.truth.json"
    if path.is_file():
        truth = read_json(path)
        ids = list(truth["ids"])
        if pseudonym in ids:
            write_json(path, _dropped(truth, ids.index(pseudonym), len(ids)))


def _dropped(value: Any, place: int, length: int) -> Any:
    """The value with one place taken out of every list of that length."""
    if isinstance(value, dict):
        return {k: _dropped(v, place, length) for k, v in value.items()}
    if isinstance(value, list) and len(value) == length:
        return [v for i, v in enumerate(value) if i != place]
    return value
