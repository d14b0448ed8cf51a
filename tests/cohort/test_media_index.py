"""The index of media: what is stored is what is read, only its owner can read it, and it goes with its cohort."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.cohort.media_index import MediaFile, MediaIndex, MediaKind, load_media, report_folder, save_media
from core.cohort.modality import Modality
from core.cohort.sample import make_sample_cohort
from core.cohort.storage import delete_cohort, save_cohort
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

INDEX = MediaIndex(
    (
        MediaFile("P-1", Modality.SLIDES, MediaKind.SLIDE, "/data/a.svs"),
        MediaFile("P-1", Modality.VOLUMES, MediaKind.VOLUME, "/data/t2.nii.gz", "t2"),
        MediaFile("P-1", Modality.VOLUMES, MediaKind.MASK, "/data/liver.nii.gz", "liver"),
        MediaFile("P-2", Modality.VOLUMES, MediaKind.MASK, "/data/b.nii.gz", "liver"),
        MediaFile("P-2", Modality.SLIDES, MediaKind.SLIDE_FEATURES, "/data/ü b.h5"),
    )
)


def test_an_index_returns_as_it_was_and_only_its_owner_reads_it(workspace: Workspace) -> None:
    save_media("study", INDEX, workspace)
    assert load_media("study", workspace) == INDEX
    files = list(workspace.protected.iterdir())
    assert [(p.name, p.stat().st_mode & 0o777) for p in files] == [("study-media.parquet", 0o600)]
    assert load_media("other", workspace) == MediaIndex()
    save_media("study", MediaIndex(), workspace)
    assert list(workspace.protected.iterdir()) == []


def test_media_are_found_by_patient_modality_and_kind() -> None:
    assert [f.label for f in INDEX.of("P-1", Modality.VOLUMES)] == ["t2", "liver"]
    assert [f.label for f in INDEX.of("P-1", kind=MediaKind.MASK)] == ["liver"]
    assert INDEX.of("P-9") == ()
    assert INDEX.patients(Modality.SLIDES) == {"P-1", "P-2"}
    assert INDEX.patients(Modality.VOLUMES) == {"P-1"}  # a mask alone is no scan


def test_a_damaged_index_is_refused(workspace: Workspace) -> None:
    save_media("study", INDEX, workspace)
    (workspace.protected / "study-media.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(PrognoscopeError, match="unreadable index"):
        load_media("study", workspace)


def test_a_cohort_takes_its_media_with_it_but_not_the_users_files(workspace: Workspace, tmp_path: Path) -> None:
    cohort = replace(make_sample_cohort()[0], name="study")
    save_cohort(cohort, None, workspace)
    slide = tmp_path / "a.svs"
    slide.write_bytes(b"slide")
    index = MediaIndex((MediaFile(cohort.ids[0], Modality.SLIDES, MediaKind.SLIDE, str(slide)),))
    save_media("study", index, workspace)
    for folder in (report_folder("study", workspace), workspace.media_of("study")):
        folder.mkdir(parents=True)
        (folder / "x.txt").write_text("text")
    delete_cohort("study", workspace)
    assert load_media("study", workspace) == MediaIndex()
    assert not report_folder("study", workspace).exists()
    assert not workspace.media_of("study").exists()
    assert slide.is_file()
