"""Pseudonyms: stable, distinct, silent about the patient, and different in another workspace."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cohort.pseudonyms import KEY_FILE, pseudonyms, workspace_secret
from core.errors import PrognoscopeError
from core.results.workspace import Workspace

SECRET = bytes(range(32))


def test_same_patient_same_workspace_same_pseudonym_in_whatever_company() -> None:
    alone = pseudonyms(["TCGA-02-0047"], SECRET)
    among = pseudonyms([f"TCGA-02-{i:04d}" for i in range(2000)], SECRET)
    assert among["TCGA-02-0047"] == alone["TCGA-02-0047"]
    assert len(set(among.values())) == 2000
    assert re.fullmatch(r"P-[0-9A-HJKMNP-TV-Z]{8}", alone["TCGA-02-0047"])
    assert pseudonyms(["TCGA-02-0047"], b"x" * 32) != alone


@given(st.sets(st.text(min_size=1, max_size=12), max_size=60), st.randoms())
def test_distinct_whatever_collides_and_in_whatever_order(ids: set[str], random) -> None:
    ordered = sorted(ids)
    shuffled = ordered.copy()
    random.shuffle(shuffled)
    short = pseudonyms(ordered, SECRET, length=1)  # at most 32 of this length: collisions are certain
    assert len(set(short.values())) == len(ids)
    assert short == pseudonyms(shuffled, SECRET, length=1)


def test_the_secret_is_made_once_and_only_its_owner_reads_it(workspace: Workspace) -> None:
    first = workspace_secret(workspace)
    assert workspace_secret(workspace) == first
    assert len(first) == 32
    assert (workspace.protected / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert workspace.protected.stat().st_mode & 0o777 == 0o700


def test_another_workspace_has_another_secret_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    one, two = Workspace(tmp_path / "one"), Workspace(tmp_path / "two")
    assert workspace_secret(one) != workspace_secret(two)
    (one.protected / KEY_FILE).write_bytes(b"short")
    with pytest.raises(PrognoscopeError, match="damaged pseudonym secret"):
        workspace_secret(one)


def test_a_secret_that_could_not_be_written_leaves_no_half_of_one(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of no bytes under the key's name would be refused as damaged for ever."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("core.cohort.pseudonyms.os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            workspace_secret(workspace)
    assert list(workspace.protected.iterdir()) == []
    assert len(workspace_secret(workspace)) == 32
