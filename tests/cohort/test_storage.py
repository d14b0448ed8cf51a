"""A cohort comes back from the workspace exactly, and an altered one never as good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.cohort.importing import import_into
from core.cohort.sample import make_sample_cohort
from core.cohort.storage import (
    CohortSummary,
    delete_cohort,
    list_cohorts,
    load_cohort,
    load_original_ids,
    save_cohort,
)
from core.errors import PrognoscopeError
from core.results.workspace import Workspace


def test_everything_a_result_depends_on_comes_back(workspace: Workspace) -> None:
    cohort, _ = make_sample_cohort()
    save_cohort(cohort, None, workspace)
    back = load_cohort("sample", workspace)
    assert back.content_hash == cohort.content_hash
    assert back.patients.equals(cohort.patients)
    assert back.availability.equals(cohort.availability)
    for attribute in ("name", "title", "roles", "units", "labels", "exclusions", "warnings", "synthetic"):
        assert getattr(back, attribute) == getattr(cohort, attribute), attribute
    assert back.provenance == cohort.provenance
    assert list(back.endpoints) == list(cohort.endpoints)
    for name, endpoint in cohort.endpoints.items():
        assert back.endpoint(name).event_label == endpoint.event_label
        assert back.endpoint(name).competing_label == endpoint.competing_label
        assert back.endpoint(name).time_zero == endpoint.time_zero
    assert back.genomics is not None
    assert cohort.genomics is not None
    assert list(back.genomics.families.items()) == list(cohort.genomics.families.items())


def test_genes_are_a_read_only_memory_map(workspace: Workspace) -> None:
    save_cohort(make_sample_cohort()[0], None, workspace)
    genes = load_cohort("sample", workspace).genomics
    assert genes is not None
    assert isinstance(genes.values, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        genes.values[0, 0] = 1


@pytest.mark.parametrize("name", ["patients.parquet", "genomics.npy", "cohort.json", "folds.parquet"])
def test_an_altered_or_missing_file_is_named(workspace: Workspace, name: str) -> None:
    save_cohort(make_sample_cohort()[0], None, workspace)
    path = workspace.cohort("sample") / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(PrognoscopeError, match=f"{name} was altered"):
        load_cohort("sample", workspace)
    path.unlink()
    with pytest.raises(PrognoscopeError, match=f"{name} is missing"):
        load_cohort("sample", workspace)


def test_original_ids_lie_apart_and_are_readable_by_their_owner_only(
    workspace: Workspace, write_study: Callable[..., Path]
) -> None:
    cohort = import_into(workspace, write_study(), "study")
    ids = load_original_ids("study", workspace)
    assert set(ids) == set(cohort.ids)
    assert "TCGA-02-0000" in ids.values()
    path = workspace.protected / "study-ids.parquet"
    assert path.stat().st_mode & 0o777 == 0o600
    for stored in workspace.cohort("study").rglob("*"):
        assert b"TCGA-02" not in stored.read_bytes(), stored.name


def test_list_and_delete(workspace: Workspace, write_study: Callable[..., Path]) -> None:
    assert list_cohorts(workspace) == ()
    import_into(workspace, write_study(), "study")
    stored = load_cohort("study", workspace).content_hash
    assert list_cohorts(workspace) == (
        CohortSummary("study", "TCGA-TEST", 12, 6, ("genomics", "clinical"), False, stored),
    )  # fmt: skip
    delete_cohort("study", workspace)
    assert list_cohorts(workspace) == ()
    assert not (workspace.protected / "study-ids.parquet").exists()
    with pytest.raises(PrognoscopeError, match="no cohort named 'study'"):
        load_cohort("study", workspace)
    with pytest.raises(PrognoscopeError, match="no cohort named 'study'"):
        delete_cohort("study", workspace)


def test_a_second_import_replaces_the_first_and_keeps_the_pseudonyms(
    workspace: Workspace, write_study: Callable[..., Path], make_patient: Callable[..., dict]
) -> None:
    first = import_into(workspace, write_study(), "study")
    second = import_into(workspace, write_study([make_patient(i) for i in range(20)]), "study")
    assert set(first.ids) < set(second.ids)
    assert len(load_cohort("study", workspace)) == 20


@pytest.mark.parametrize("name", ["../evil", "Upper", "", "a b"])
def test_a_name_that_is_no_folder_name_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(PrognoscopeError, match="cannot be used"):
        load_cohort(name, workspace)
