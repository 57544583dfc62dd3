"""The browser's WebCrypto: a page of ours in headless Chromium, with ``jose`` as npm has it."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gpuaas.web import files
from support import npm

PATIENCE_SECONDS = 120.0
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_PAGE = Path(__file__).parents[1] / "encryption" / "browser"
_STATIC = Path(files.__file__).parent / "static"
# Its hash, for the image and for us.
LOCK = Path(__file__).parents[2] / "browser" / "package-lock.json"
_TYPES = {".html": "text/html", ".js": "text/javascript"}
QUIET = (
    "--headless=new",
    "--no-sandbox",  # As Playwright starts it: what it loads is ours.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
)


def jose() -> Path:
    """The JOSE library of browsers, as the console's image has it."""
    return npm.installed(LOCK) / "jose" / "dist" / "webapi"


def program() -> str:
    """The browser. Fails the test where there is none."""
    found = os.environ.get("PARITY_CHROMIUM") or next(filter(None, map(shutil.which, _PROGRAMS)), None)
    return found or pytest.fail("no Chromium: sudo apt-get install chromium, or name one with PARITY_CHROMIUM")


def environment(home: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}


def run(begin: Callable[[Any], Any], directory: Path) -> Any:
    """What the page reports; ``begin`` is given what the page says first, and returns what it is to do."""
    reports: queue.Queue[Any] = queue.Queue()
    with _Server(begin, reports) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        home = directory / "chromium"
        home.mkdir()
        process = subprocess.Popen(
            [program(), *QUIET, f"--user-data-dir={home}", f"http://127.0.0.1:{server.server_port}/page.html"],
            env=environment(home),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            report = reports.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            pytest.fail(f"the page reported nothing in {PATIENCE_SECONDS:.0f} s; Chromium ended with {process.poll()}")
        finally:
            process.terminate()
            process.wait()
            server.shutdown()
    if "failed" in report:
        pytest.fail(report["failed"])
    return report


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, begin: Callable[[Any], Any], reports: queue.Queue[Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.jose = jose()
        self.begin = begin
        self.reports = reports


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        path = self.path.lstrip("/")
        places = {"static/jose/": self.server.jose, "static/": _STATIC, "": _PAGE}
        below, root = next((below, root) for below, root in places.items() if path.startswith(below))
        file = root / path.removeprefix(below)
        if not file.resolve().is_relative_to(root.resolve()) or not file.is_file():
            self.send_error(404)
            return
        self._answer(file.read_bytes(), _TYPES[file.suffix])

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/report":
            self.server.reports.put(said)
            self._answer(b"{}", "application/json")
        else:
            self._answer(json.dumps(self.server.begin(said)).encode(), "application/json")

    def _answer(self, content: bytes, media_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *_arguments: object) -> None:
        """Not into the tests' output."""
