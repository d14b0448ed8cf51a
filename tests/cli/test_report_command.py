"""``report`` and ``card``: files of the same bytes, the hash said, wrong use in one sentence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from core.board.sources import read_sources
from core.cli.__main__ import main
from core.results.workspace import Workspace
from tests.pages.builders import save_sample_run

PATIENT = "SYN-0001"


@pytest.fixture
def with_run(workspace: Workspace) -> Workspace:
    save_sample_run(workspace)
    return workspace


def answer(words: list[str], capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    main([*words, "--json"])
    value: dict[str, object] = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    return value


@pytest.mark.parametrize("kind", ["pdf", "html"])
def test_a_report_is_written_with_its_hash_and_the_same_twice(
    kind: str, with_run: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / f"a.{kind}", tmp_path / f"b.{kind}"
    found = answer(["report", "hdmoe-1", PATIENT, "--to", str(first), "--protocol", "IRB 7"], capsys)
    assert found["sha256"] == hashlib.sha256(first.read_bytes()).hexdigest()
    again = answer(["report", "hdmoe-1", PATIENT, "--to", str(second), "--protocol", "IRB 7"], capsys)
    assert again["sha256"] == found["sha256"]
    sources = read_sources("hdmoe-1", None, with_run)
    estimate = sources.estimate(sources.person(PATIENT))
    assert estimate is not None
    number = estimate.at(36.0)
    assert number is not None
    assert found["estimate"] == number.value
    if kind == "html":
        assert "IRB 7" in first.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["md", "html", "json"])
def test_a_card_is_written(kind: str, with_run: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / f"card.{kind}"
    found = answer(["card", "hdmoe-1", "--to", str(target)], capsys)
    assert found["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert "of 27 TRIPOD+AI items" in str(found["tripod_ai"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report", "hdmoe-1", "SYN-9999", "--to", "x.pdf"], "no such patient"),
        (["report", "hdmoe-1", PATIENT, "--to", "x.docx"], "ends in .docx"),
        (["report", "hdmoe-1", PATIENT, "--to", "x.pdf", "--month", "17"], "month 17"),
        (["report", "hdmoe-1", PATIENT, "--to", "nowhere/x.pdf"], "does not exist"),
        (["card", "hdmoe-9", "--to", "x.md"], "no run named"),
    ],
)
def test_wrong_use_is_told_and_nothing_is_left(
    words: list[str], said: str, with_run: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("PROGNOSCOPE_CALLER_DIR", str(tmp_path))
    before = sorted(tmp_path.rglob("x*"))
    assert main([*words, "--json"]) == 1
    printed = capsys.readouterr()
    assert said in json.loads(printed.out.strip().splitlines()[-1])["error"]
    assert sorted(tmp_path.rglob("x*")) == before
