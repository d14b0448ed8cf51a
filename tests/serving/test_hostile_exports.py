"""What leaves of texts that try to be more: HTML, PDF and CSV files, and addresses that lead elsewhere."""

from __future__ import annotations

import csv
import io
import re
import zlib
from base64 import a85decode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from core.analysis.model_card import model_card
from core.board.bundle import freeze
from core.board.model_card_export import card_html
from core.board.opinions_export import opinions_csv
from core.board.report_content import report_content
from core.board.report_html import report_html
from core.board.report_pdf import report_pdf
from core.board.sources import read_sources
from core.cohort.storage import save_cohort
from core.results.board_store import Verdict, add_patients, new_board, note_opinion, opinions_of
from core.results.explanation import save_explanation
from core.results.run_store import save_run
from core.results.spreadsheet import inert, inert_csv
from core.results.workspace import Workspace
from core.serving.exports import estimates_resource, predictions_resource
from core.serving.heat_maps import map_resource
from core.serving.routes import routes
from core.serving.slide_tiles import slide_resource
from core.serving.tokens import sign
from core.serving.visitor import COOKIE, VisitorCookie
from core.serving.volumes import scans_resource
from tests.browser.hostile import TRICK, hostile_cohort
from tests.pages.builders import make_predictions, make_run
from tests.pages.explanations import make_explanation

PATIENT = "SYN-0001"


class Tags(HTMLParser):
    """What a browser would make of a page: addresses of links and pictures, handlers, scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.alive: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            text = value or ""
            if name in ("href", "src", "action", "xlink:href") and ("evil" in text or text == "x"):
                self.alive.append(f"{tag} {name}={text}")
            if name.startswith("on") or "javascript:" in text:
                self.alive.append(f"{tag} {name}")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and "hacked" in data:
            self.alive.append("script")


def alive(page: str) -> list[str]:
    parser = Tags()
    parser.feed(page)
    return parser.alive


@pytest.fixture
def hostile(workspace: Workspace) -> Workspace:
    cohort = hostile_cohort()
    save_cohort(cohort, None, workspace)
    predictions = make_predictions(cohort)
    save_run(make_run(cohort, predictions), predictions, workspace)
    save_explanation(make_explanation(), workspace)
    return workspace


def test_html_files_hold_signs_and_nothing_that_acts(hostile: Workspace) -> None:
    sources = read_sources("hdmoe-1", None, hostile)
    report = report_html(report_content(sources, PATIENT, 36.0, f"Protocol {TRICK}"))
    board = new_board(f"Board {TRICK}"[:80], f"Protocol {TRICK}"[:80], "sample", "hdmoe-1", 36.0, hostile)
    board = add_patients(board.id, (PATIENT,), hostile)
    note_opinion(board.id, PATIENT, Verdict.AGREE, f"{TRICK}", hostile)
    freeze(board, sources)
    frozen = [p.read_text(encoding="utf-8") for p in hostile.boards.rglob("*.html")]
    card = card_html(model_card(sources.card, repeats=10))
    for page in (report, card, *frozen):
        assert alive(page) == []
    assert "evil.example" in report
    assert "evil.example" in card
    assert frozen


def test_a_pdf_has_no_link_and_reads_no_file(hostile: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    trick = f'{TRICK} <img src="file://{tmp_path}/secret.txt"/> <a href="http://evil.example">x</a> <para> &amp;'
    sources = read_sources("hdmoe-1", None, hostile)
    content = replace(report_content(sources, PATIENT, 36.0, trick), cohort_title=trick)
    pdf = report_pdf(content)
    text = b""
    for body in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            text += zlib.decompress(a85decode(body.strip().removesuffix(b"~>")))
        except (ValueError, zlib.error):
            continue
    assert b"/URI" not in pdf
    assert b"/JavaScript" not in pdf
    assert b"evil.example" in text  # as words
    assert b"(secret)" not in text


STARTS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1+1", "＝1", "|cmd", "%0A=1")


@pytest.mark.parametrize("start", STARTS)
def test_no_cell_is_a_formula(start: str, hostile: Workspace) -> None:
    table = pd.DataFrame({start: [start, "plain", None], "number": [-1.5, 2.0, 3.0], "text": ["-2.5", "+", start]})
    rows = list(csv.reader(io.StringIO(inert_csv(table))))
    kept = f"'{start}".replace("\r", "\n")
    assert rows[0][0] == rows[1][0] == kept
    assert [r[1] for r in rows[1:]] == ["-1.5", "2.0", "3.0"]  # numbers stay numbers
    assert [r[2] for r in rows[1:]] == ["-2.5", "+", kept]
    assert inert(-1) == -1
    board = new_board("b", "p", "sample", "hdmoe-1", 36.0, hostile)
    board = add_patients(board.id, (PATIENT,), hostile)
    note_opinion(board.id, PATIENT, Verdict.AGREE, f"{start}x", hostile)
    cells = [c for row in csv.reader(io.StringIO(opinions_csv(board, opinions_of(board.id, hostile)))) for c in row]
    assert not any(c.lstrip()[:1] in ("=", "+", "@") for c in cells)


ELSEWHERE = ("../../protected/pseudonym", "..%2f..%2fprotected", "/etc/passwd", "....//....//x", "sample/../../x",
             "%00", "a\\..\\b", "~root", ".", "")  # fmt: skip


@pytest.mark.parametrize("name", ELSEWHERE)
def test_no_address_leads_out_even_with_a_right_token(name: str, hostile: Workspace) -> None:
    secret = hostile.root / "protected" / "pseudonym.csv"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text("secret")
    app = Starlette(routes=routes(), middleware=[Middleware(VisitorCookie)])
    client = TestClient(app, raise_server_exceptions=False)
    client.get("/")
    mine, part = client.cookies[COOKIE], quote(name, safe="%")
    asked = {
        f"/export/predictions/{part}.csv": predictions_resource(name),
        f"/export/estimates/{part}.csv": estimates_resource(name),
        f"/slide/{part}.dzi": slide_resource(name),
        f"/slide/{part}_files/0/0_0.jpeg": slide_resource(name),
        f"/map/{part}/{part}/patches.json": map_resource(name, name),
        f"/map/hdmoe-1/{part}/{part}.png": map_resource("hdmoe-1", name),
        f"/scan/{part}/{part}/0.nii.gz": scans_resource(name, name),
        f"/scan/sample/{part}/{part}/0.nii.gz": scans_resource("sample", name),
        f"/library/{part}": "",
    }
    for address, resource in asked.items():
        answer = client.get(address, params={"t": sign(mine, resource)} if resource else {})
        assert answer.status_code in (400, 403, 404), (address, answer.status_code)
        assert "secret" not in answer.text
        assert str(hostile.root) not in answer.text
