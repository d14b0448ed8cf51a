"""A plain study folder: each file goes to its patient, what does not fit is counted, no original id is in sight."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from core.cohort.importing import import_cohort, import_into
from core.cohort.media_index import MediaKind, load_media, report_folder
from core.cohort.modality import Modality
from core.cohort.storage import delete_cohort, load_cohort, load_original_ids
from core.errors import PrognoscopeError
from core.results.feature_records import EncodedModality, FeatureRecord, load_record, save_record
from core.results.workspace import Workspace
from tests.cohort.studies import IDS, dicom_head, put, put_features, write_patients

SECRET = b"7" * 32


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Both layouts at once, a stranger, files of no kind, and a patient (the last) without any."""
    folder = write_patients(tmp_path / "liver")
    put(folder, "HOSP-0001/slides/a.svs", b"slide a")
    put(folder, "HOSP-0001/volumes/arterial.nii.gz", b"volume")
    put(folder, "HOSP-0001/volumes/T2/001.dcm", dicom_head())
    put(folder, "HOSP-0001/volumes/T2/002", dicom_head())
    put(folder, "HOSP-0001/masks/liver.nii.gz")
    put(folder, "HOSP-0001/masks/Tumor.nii.gz")
    put(folder, "HOSP-0001/reports/radiology.txt", b"Patient HOSP-0001: liver with one lesion.")
    put(folder, "HOSP-0001/slides/thumbs.db")
    put(folder, "HOSP-0001/slides/notes.docx")
    put(folder, "slides/HOSP-0002_x.mrxs")
    put(folder, "slides/HOSP-00021.tif")
    put(folder, "slides/HOSP-9999.svs")
    put(folder, "volumes/HOSP-0002_portal venous.nii")
    put(folder, "volumes/HOSP-0002_portal venous_mask_liver.nii")
    put(folder, "volumes/HOSP-00021/01", dicom_head())
    put(folder, "reports/HOSP-0002-2019-03-04.txt", b"Compared with HOSP-00021. Unremarkable.")
    put(folder, "STRANGER/volumes/t1.nii.gz")
    put(folder, "readme.txt")
    return folder


def test_every_file_goes_to_its_patient(study: Path, workspace: Workspace) -> None:
    cohort = import_into(workspace, study, "liver")
    names = {o: p for p, o in load_original_ids("liver", workspace).items()}
    index = load_media("liver", workspace)
    found = {original: sorted((str(f.kind), f.label) for f in index.of(names[original])) for original in IDS}
    assert found == {
        "HOSP-0001": [
            ("mask", "liver"), ("mask", "tumour"), ("report", "radiology"), ("slide", ""), ("volume", "arterial"),
            ("volume", "t2"),
        ],
        "HOSP-0002": [("mask", "liver"), ("report", ""), ("slide", ""), ("volume", "portal-venous")],
        "HOSP-00021": [("slide", ""), ("volume", "")],
        "HOSP-0003": [],
    }  # fmt: skip
    assert cohort.provenance.format == "folder"
    assert list(cohort.availability.columns) == ["slides", "volumes", "reports", "clinical"]
    assert cohort.availability.loc[[names[i] for i in IDS], "slides"].tolist() == [True, True, True, False]
    assert cohort.availability.loc[[names[i] for i in IDS], "reports"].tolist() == [True, True, False, False]
    series = next(f for f in index.of(names["HOSP-0001"], Modality.VOLUMES) if f.label == "t2")
    assert Path(series.path) == study / "HOSP-0001" / "volumes" / "T2"
    assert "2 files of patients who are not in the table: left out." in cohort.warnings
    assert "1 file that is no slide, scan, mask or report: left out." in cohort.warnings
    assert "1 patient without any slide, scan or report." in cohort.warnings


def test_no_original_id_is_left_where_anybody_may_look(study: Path, workspace: Workspace) -> None:
    cohort = import_into(workspace, study, "liver")
    names = {o: p for p, o in load_original_ids("liver", workspace).items()}
    texts = {p.name: p.read_text() for p in report_folder("liver", workspace).iterdir()}
    assert texts == {
        f"{names['HOSP-0001']}-1.txt": f"Patient {names['HOSP-0001']}: liver with one lesion.",
        f"{names['HOSP-0002']}-1.txt": f"Compared with {names['HOSP-00021']}. Unremarkable.",
    }
    assert any(w.startswith("2 original ids in 2 reports: replaced") for w in cohort.warnings)
    stored = [p.read_bytes() for p in workspace.cohort("liver").rglob("*") if p.is_file()]
    assert not any(b"HOSP" in content for content in stored)
    assert set(cohort.provenance.files) == {"patients.csv", "3 slides", "4 volumes", "3 masks", "2 report files"}
    private = [p for p in workspace.protected.rglob("*") if p.is_file()]
    assert {p.stat().st_mode & 0o777 for p in private} == {0o600}


def test_the_content_hash_knows_no_path_but_the_provenance_knows_the_bytes(study: Path, tmp_path: Path) -> None:
    first = import_cohort(study, "liver", secret=SECRET).cohort
    moved = tmp_path / "elsewhere" / "liver"
    shutil.copytree(study, moved)
    (moved / "HOSP-0001" / "slides" / "a.svs").rename(moved / "HOSP-0001" / "slides" / "b.svs")
    second = import_cohort(moved, "liver", secret=SECRET).cohort
    assert first.content_hash == second.content_hash
    assert first.provenance.files == second.provenance.files
    put(moved, "HOSP-0001/slides/b.svs", b"slide c")
    third = import_cohort(moved, "liver", secret=SECRET).cohort
    differing = {k for k in first.provenance.files if first.provenance.files[k] != third.provenance.files[k]}
    assert differing == {"3 slides"}


def test_importing_again_replaces_and_deleting_removes_media_but_no_file_of_the_user(
    study: Path, workspace: Workspace
) -> None:
    import_into(workspace, study, "liver")
    encoded = EncodedModality("lexicon", 1, {}, 3, (), {"P-1": "key"})
    save_record(FeatureRecord("liver", {"reports": encoded}), workspace)
    shutil.rmtree(study / "reports")
    shutil.rmtree(study / "volumes")
    import_into(workspace, study, "liver")
    assert len(list(report_folder("liver", workspace).iterdir())) == 1
    assert len(load_media("liver", workspace)) == 8
    assert not load_record("liver", workspace).modalities  # features of media that are gone would train a model
    delete_cohort("liver", workspace)
    assert sorted(p.name for p in workspace.protected.iterdir()) == ["pseudonym.key"]
    assert (study / "HOSP-0001" / "slides" / "a.svs").read_bytes() == b"slide a"


def test_a_list_of_files_names_them_and_cannot_lead_out(study: Path, workspace: Workspace) -> None:
    (study / "files.csv").write_text(
        "id,path,modality,kind,label\n"
        "HOSP-0001,HOSP-0001/slides/a.svs,slides,,\n"
        "HOSP-0002,readme.txt,reports,,Pathology\n"
        "HOSP-0003,HOSP-0001/masks/liver.nii.gz,volumes,mask,liver\n"
        "HOSP-0003,gone.svs,slides,,\n"
        "NOBODY,readme.txt,reports,,\n"
    )
    cohort = import_into(workspace, study, "liver")
    index = load_media("liver", workspace)
    assert [(str(f.kind), f.label) for f in index.files] == [
        ("slide", ""), ("mask", "liver"), ("report", "pathology"),
    ]  # fmt: skip
    assert cohort.modalities == (Modality.SLIDES, Modality.REPORTS, Modality.CLINICAL)
    assert "1 file named in files.csv that is not there: left out." in cohort.warnings
    assert "1 file of a patient who is not in the table: left out." in cohort.warnings
    for escape in ("../secret.txt", "/etc/passwd"):
        (study / "files.csv").write_text(f"id,path,modality\nHOSP-0001,{escape},reports\n")
        with pytest.raises(PrognoscopeError, match="leads out of the study folder"):
            import_into(workspace, study, "liver")
    (study / "files.csv").write_text("id,path,modality\nHOSP-0001,readme.txt,blood\n")
    with pytest.raises(PrognoscopeError, match="the modality 'blood'"):
        import_into(workspace, study, "liver")
    assert load_cohort("liver", workspace).content_hash == cohort.content_hash


def test_links_and_longer_folder_names_lead_to_the_patient(tmp_path: Path) -> None:
    """A linked series is read, a link back up is not walked for ever, and ``P1`` is not the beginning of ``P10``."""
    folder = write_patients(tmp_path / "s", ids=("P1", "P10", "TCGA-AA-0001"))
    series = put(tmp_path / "store", "ct/1.dcm").parent
    put(folder, "TCGA-AA-0001-01A/slides/x.ndpi")
    put(folder, "P10/volumes/P10_1st phase.nii.gz")
    (folder / "P10" / "volumes" / "delayed").symlink_to(series)
    (folder / "P10" / "volumes" / "again").symlink_to(folder / "P10" / "volumes")
    put(folder, "volumes/P1.nii.gz")
    put(folder, "volumes/P100.nii.gz")
    found = import_cohort(folder, "s", secret=SECRET)
    originals = found.original_ids
    media = sorted((originals[f.patient], f.label, Path(f.path).name) for f in found.media.files)
    assert media == [
        ("P1", "", "P1.nii.gz"), ("P10", "1st-phase", "P10_1st phase.nii.gz"), ("P10", "delayed", "delayed"),
        ("TCGA-AA-0001", "", "x.ndpi"),
    ]  # fmt: skip
    assert "1 file of a patient who is not in the table: left out." in found.cohort.warnings


def test_columns_of_the_table_follow_the_rules_of_a_table(tmp_path: Path) -> None:
    folder = write_patients(tmp_path / "s", header="pid,days,died,age")
    with pytest.raises(PrognoscopeError, match="no known study format"):
        import_cohort(folder, "s", secret=SECRET)
    columns = {"id": "pid", "time": "days", "event": "died", "time_unit": "days", "competing_label": "transplant"}
    events = {"0": "competing", "1": "event"}
    endpoint = import_cohort(folder, "s", columns=columns, events=events, secret=SECRET).cohort.endpoint()
    assert endpoint.time[0] == pytest.approx(10 / 30.4375)
    assert endpoint.competing_label == "transplant"
    alone = import_cohort(write_patients(tmp_path / "t"), "t", secret=SECRET).cohort
    assert "No slide, scan or report of a patient was found in the folder." in alone.warnings


def test_features_of_clam_are_looked_into(tmp_path: Path, shared_data: Path, workspace: Workspace) -> None:
    folder = write_patients(tmp_path / "s")
    rng = np.random.default_rng(0)
    features, coords = rng.normal(size=(30, 8)).astype(np.float32), rng.integers(0, 9, (30, 2))
    put_features(folder, "features/HOSP-0001.h5", features, coords)
    shutil.copy(shared_data / "features" / "prov_normal_000_1.pt", folder / "features" / "HOSP-0001.pt")
    shutil.copy(shared_data / "features" / "prov_normal_000_1.pt", folder / "features" / "HOSP-0002.pt")
    (folder / "HOSP-00021" / "slides").mkdir(parents=True)
    shutil.copy(
        shared_data / "features" / "DERIVED_clam_cmu-1-small-region.h5", folder / "HOSP-00021" / "slides" / "x.h5"
    )
    put_features(folder, "features/HOSP-0003_a.h5", features, coords[:-1])
    features[29, 7] = np.inf
    put_features(folder, "features/HOSP-0003_b.h5", features, coords)
    put_features(
        folder, "features/HOSP-0003_c.h5", features[None, :29], coords[None, :29]
    )  # TRIDENT keeps a 1 in front
    put(folder, "features/HOSP-0003_d.h5", b"\x89HDF\r\n\x1a\n cut off")
    put(folder, "features/HOSP-0003_e.pt", b"version https://git-lfs.github.com/spec/v1")
    cohort = import_into(workspace, folder, "s")
    index = load_media("s", workspace)
    assert {f.kind for f in index.files} == {MediaKind.SLIDE_FEATURES}
    assert sorted(Path(f.path).name for f in index.files) == ["HOSP-0001.h5", "HOSP-0002.pt", "HOSP-0003_c.h5", "x.h5"]
    assert int(cohort.availability["slides"].sum()) == 4
    assert any(w.startswith("4 feature files without features and coords of one length") for w in cohort.warnings)
    assert "1 feature file beside another of the same slide: left out." in cohort.warnings


@pytest.mark.parametrize("make", ["legacy", "bare pickle", "other code"])
def test_a_feature_file_that_could_run_code_ends_the_import(make: str, tmp_path: Path, workspace: Workspace) -> None:
    import os
    import pickle

    torch = pytest.importorskip("torch")
    folder = write_patients(tmp_path / "s")
    path = put(folder, "features/HOSP-0001.pt")
    marker = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(marker),)

    if make == "legacy":
        torch.save(torch.zeros(3, 4), path, _use_new_zipfile_serialization=False)
    elif make == "bare pickle":
        path.write_bytes(pickle.dumps(Bomb()))
    else:
        torch.save({"features": Bomb()}, path)
    with pytest.raises(PrognoscopeError) as caught:
        import_into(workspace, folder, "s")
    assert caught.value.found == "1 feature file that is a pickle, which can run code when it is read"
    assert "HOSP" not in str(caught.value)
    assert not marker.exists()
    assert not [p for p in workspace.root.rglob("*") if p.is_file()]
