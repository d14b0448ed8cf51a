"""The real application behind a real login: a provider on this machine, people in three roles, every kind of route."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from core.access.audit_check import verify
from core.access.audit_entry import Outcome
from core.access.audit_search import Wanted, entries, latest
from core.access.grants import Grant, set_grant
from core.access.roles import Role
from core.cohort.storage import save_cohort
from core.results.workspace import Workspace
from pages.widgets.inert_markdown import inert
from tests.access.oidc import Provider, provider, secrets_toml
from tests.pages.builders import make_large_cohort, save_sample_run

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Dashboard:
    """A running application with login."""

    url: str
    workspace: Workspace
    provider: Provider
    log: Path


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    folder = tmp_path_factory.mktemp("login")
    workspace = Workspace(folder / "workspace")
    cohort = save_sample_run(workspace)
    save_cohort(make_large_cohort(60), None, workspace)
    set_grant("ada@x.org", Grant(Role.ADMIN), workspace)
    set_grant("rea@x.org", Grant(Role.RESEARCHER), workspace)
    set_grant("vic@x.org", Grant(Role.VIEWER, frozenset({cohort.name})), workspace)
    with socket.socket() as free, provider() as known:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        file = folder / "secrets.toml"
        access = 'idle_minutes = 20\nrole_claim = "groups"\nroles = { pathology = "viewer" }'
        file.write_text(secrets_toml(known, port, access))
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
        environment = {**os.environ, "PROGNOSCOPE_WORKSPACE": str(workspace.root)}
        log = folder / "server.log"
        with log.open("w") as stream:
            process = subprocess.Popen([*command, "--secrets.files", str(file)], cwd=ROOT, env=environment,
                                       stdout=stream, stderr=subprocess.STDOUT)  # fmt: skip
            try:
                url = f"http://127.0.0.1:{port}"
                _wait(url, process)
                yield Dashboard(url, workspace, known, log)
            finally:
                process.terminate()
                process.wait(timeout=10)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{url}/_stcore/health").status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise AssertionError("the application did not start")


def log_in(dashboard: Dashboard, user: str | None, **claims: object) -> httpx.Client:
    """A browser in which somebody went all the way through the login."""
    dashboard.provider.person = None if user is None else {"sub": user, "email": user, **claims}
    client = httpx.Client(base_url=dashboard.url, follow_redirects=True, headers={"accept": "text/html"})
    client.get("/")
    client.get("/login", params={"with": "default"})
    return client


def xsrf_of(client: httpx.Client) -> str:
    return next((str(c.value) for c in client.cookies.jar if c.name == "_streamlit_xsrf"), "")


class Page:
    """A page's socket, opened as Streamlit's own browser code opens it."""

    def __init__(self, dashboard: Dashboard, client: httpx.Client, session: str = "") -> None:
        if not xsrf_of(client):
            client.get("/_stcore/health")  # brings the token against requests of other sites
        xsrf = xsrf_of(client)
        words = ["streamlit", xsrf, *([session] if session else [])]
        cookies = "; ".join(f"{c.name}={c.value}" for c in client.cookies.jar)
        self.socket: ClientConnection = connect(
            dashboard.url.replace("http", "ws") + "/_stcore/stream", subprotocols=[Subprotocol(w) for w in words],
            additional_headers={"Cookie": cookies}, origin=dashboard.url, max_size=None, proxy=None, legacy=True,
        )  # fmt: skip
        self.session = ""
        self.buttons: dict[str, str] = {}

    def run(self, page: str = "", seconds: float = 60) -> bytes:
        """Run a page; all that was sent for it."""
        wanted = BackMsg()
        wanted.rerun_script.page_name = page
        self.socket.send(wanted.SerializeToString())
        end, got = time.monotonic() + seconds, b""
        while time.monotonic() < end:
            frame = self.socket.recv(timeout=seconds)
            assert isinstance(frame, bytes)
            got += frame
            message = ForwardMsg.FromString(frame)
            button = message.delta.new_element.download_button
            if button.label:
                self.buttons[button.label] = button.deferred_file_id
            if message.HasField("new_session"):
                self.session = message.new_session.initialize.session_id or self.session
            if message.WhichOneof("type") == "script_finished":
                return got
        raise AssertionError("the page did not end")

    def fetch(self, button: str) -> str:
        """The address of a file that is made when its button is pressed."""
        wanted = BackMsg()
        wanted.backend_operation_request.request_id = "r"
        wanted.backend_operation_request.session_id = self.session
        wanted.backend_operation_request.deferred_file.file_id = self.buttons[button]
        self.socket.send(wanted.SerializeToString())
        message = ForwardMsg()
        while message.WhichOneof("type") != "backend_operation_response":
            message = ForwardMsg.FromString(self.socket.recv(timeout=60))  # type: ignore[arg-type]
        answer = message.backend_operation_response
        assert not answer.error_msg
        return answer.deferred_file.url


def test_nothing_is_answered_without_a_login(dashboard: Dashboard) -> None:
    nobody = httpx.Client(base_url=dashboard.url)
    for path in ("/", "/patient", "/static/js/index.js", "/media/0a1b2c3d4e.png", "/component/a/b.js", "/metrics",
                 "/_stcore/metrics", "/_stcore/bidi-components/x/y.js", "/_stcore/upload_file/a/b", "/_stcore/stream",
                 "/export/predictions/hdmoe-1.csv", "/library/niivue.umd.js", "/slide/0.dzi",
                 "/_stcore/script-health-check", "/app/static/x"):  # fmt: skip
        answer = nobody.get(path)
        assert answer.status_code == 401, path
        assert nobody.put(path).status_code == 401, path
    with pytest.raises(InvalidStatus) as refused:
        Page(dashboard, nobody)
    assert refused.value.response.status_code == 403
    nobody.cookies.set("_streamlit_user", "eyJzdWIiOiAiYWRhIn0.forged.cookie")
    with pytest.raises(InvalidStatus):
        Page(dashboard, nobody)
    assert nobody.get("/").status_code == 401


def test_three_roles_see_what_is_theirs(dashboard: Dashboard) -> None:
    viewer, admin = log_in(dashboard, "vic@x.org"), log_in(dashboard, "ADA@x.org", email_verified=True)
    seen, seen_by_admin = Page(dashboard, viewer).run(), Page(dashboard, admin).run()
    assert inert("vic@x.org").encode() in seen  # shown as it is, and no link
    assert b"viewer" in seen
    for words in (b"Add a cohort", b"Delete this cohort"):
        assert words not in seen
        assert words in seen_by_admin
    large = make_large_cohort(60).title.encode()
    assert large in seen_by_admin  # two cohorts are there; the viewer was granted one
    assert large not in seen
    assert b"Trainings are started by researchers" in Page(dashboard, viewer).run("train")
    opened = [(e.who, e.cohort) for e in entries(dashboard.workspace, Wanted(action="cohort-opened"))]
    assert ("vic@x.org", "sample") in opened
    assert ("ada@x.org", "sample") in opened


def test_a_file_and_a_page_session_belong_to_one_login(dashboard: Dashboard) -> None:
    admin, other = log_in(dashboard, "ada@x.org"), log_in(dashboard, "rea@x.org")
    page = Page(dashboard, admin)
    page.run("evidence")
    address = page.fetch("Card as HTML")
    assert httpx.get(dashboard.url + address).status_code == 401
    assert other.get(address).status_code == 403
    card = admin.get(address)
    assert (card.status_code, card.headers["content-disposition"][:10]) == (200, "attachment")
    assert card.headers["cache-control"] == "private, no-store"
    taken = latest(dashboard.workspace, Wanted(action="export"))[0]
    assert (taken.who, taken.detail, taken.cohort, taken.run) == ("ada@x.org", "html", "sample", "hdmoe-1")
    upload = f"/_stcore/upload_file/{page.session}/some-file"
    xsrf = {"X-Xsrftoken": xsrf_of(other)}
    assert other.put(upload, files={"file": b"x"}, headers=xsrf).status_code == 403
    assert httpx.put(dashboard.url + upload, files={"file": b"x"}).status_code == 401
    wanted = BackMsg()
    wanted.file_urls_request.request_id = "r"
    wanted.file_urls_request.file_names.append("a.csv")
    wanted.file_urls_request.session_id = page.session
    page.socket.send(wanted.SerializeToString())
    message = ForwardMsg()
    while message.WhichOneof("type") != "file_urls_response":
        message = ForwardMsg.FromString(page.socket.recv(timeout=20))  # type: ignore[arg-type]
    mine = message.file_urls_response.file_urls[0].upload_url
    xsrf = {"X-Xsrftoken": xsrf_of(admin)}
    assert admin.put(mine, files={"file": b"a,b"}, headers=xsrf).status_code == 204
    assert admin.put(mine, files={"file": bytes(52 << 20)}, headers=xsrf).status_code == 413  # 50 MB is the most

    def without_length() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
        yield from (bytes(1 << 20) for _ in range(60))

    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    assert admin.put(mine, content=without_length(), headers=xsrf | kind).status_code == 413
    assert other.delete(mine, headers=xsrf).status_code == 403
    page.socket.close()
    thief = Page(dashboard, other, page.session)  # asks to go on with the page session of another person
    assert thief.run() != b""
    assert thief.session != page.session


def test_a_role_by_claim_and_a_person_without_one(dashboard: Dashboard) -> None:
    pathologist = log_in(dashboard, "pat@x.org", groups=["pathology", "canteen"])
    assert b"No cohort for you yet" in Page(dashboard, pathologist).run()
    stranger = log_in(dashboard, "str@x.org", groups=["canteen"])
    assert "have no access here" in stranger.get("/").text
    unverified = log_in(dashboard, "ada@x.org", email_verified=False)
    assert unverified.get("/").url.path == "/login"
    assert log_in(dashboard, None).get("/").url.path == "/login"
    ended = {(e.who, e.outcome) for e in entries(dashboard.workspace, Wanted(action="login"))}
    assert {("pat@x.org", Outcome.DONE), ("str@x.org", Outcome.REFUSED), ("unknown", Outcome.REFUSED),
            ("unknown", Outcome.FAILED)} <= ended  # fmt: skip


def test_logging_out_ends_the_cookie_and_every_open_page(dashboard: Dashboard) -> None:
    client = log_in(dashboard, "rea@x.org")
    page = Page(dashboard, client)
    page.run()
    stolen = httpx.Client(base_url=dashboard.url, cookies=dict(client.cookies))
    assert stolen.get("/").status_code == 200
    before = dashboard.provider.logouts
    client.get("/auth/logout")
    assert dashboard.provider.logouts == before + 1
    assert stolen.get("/").status_code == 401
    _sent_away(page, "logged-out")
    with pytest.raises(ConnectionClosed):  # a new socket with the old cookie is told to go to the login, and closed
        Page(dashboard, stolen).run()
    assert latest(dashboard.workspace, Wanted(action="logout"))[0].who == "rea@x.org"


def _sent_away(page: Page, why: str) -> None:
    """The page is told to go to the login, and its socket closes."""
    told = ""
    try:
        while True:
            frame = page.socket.recv(timeout=30)
            assert isinstance(frame, bytes)
            told = ForwardMsg.FromString(frame).auth_redirect.url or told
    except ConnectionClosed:
        pass
    assert told == f"/login?ended={why}"


def test_neither_the_log_nor_a_cookie_says_too_much(dashboard: Dashboard) -> None:
    """Runs last: the server's log holds no token and no secret, and the audit log is whole."""
    text = dashboard.log.read_text()
    for word in ("Traceback", "client-secret", "?t=", "code=", "eyJ"):
        assert word not in text
    assert verify(dashboard.workspace).good
    kept = (dashboard.workspace.protected / "sessions.sqlite").read_bytes()
    assert b"eyJ" not in kept  # hashes of cookies, no cookie
    for path in (dashboard.workspace.protected / "grants.json", dashboard.workspace.protected / "sessions.sqlite"):
        assert path.stat().st_mode & 0o077 == 0
    assert json.loads((dashboard.workspace.protected / "grants.json").read_text())["users"]["vic@x.org"]
