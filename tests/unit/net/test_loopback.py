"""The loopback client: who is reached, as whom, and who is refused."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._net.loopback import (
    client,
    is_loopback_name,
    loopback_address,
)
from ansible_collections.gpuaas.parity.tests.unit.net.local_server import Asked, Authority, Reply, serve


@pytest.mark.parametrize("name", ["localhost", "api.gpuaas.localhost", "API.GPUAAS.LOCALHOST.", "a.localhost"])
def test_names_under_localhost_are_loopback(name: str) -> None:
    assert is_loopback_name(name)
    assert loopback_address(name) == "127.0.0.1"


@pytest.mark.parametrize("name", ["", "example.com", "localhost.example.com", "notlocalhost", "10.0.0.1", "0.0.0.0"])
def test_everything_else_is_refused(name: str) -> None:
    assert not is_loopback_name(name)
    with pytest.raises(ValueError, match="not a loopback"):
        loopback_address(name)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "[::1]"])
def test_loopback_addresses_are_themselves(address: str) -> None:
    assert loopback_address(address) == address.strip("[]")


def test_a_name_is_reached_without_a_resolver_and_keeps_host_and_server_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "gpuaas.localhost")
    contexts = {name: authority.context(name) for name in ("web.gpuaas.localhost", "api.gpuaas.localhost")}
    with serve(lambda asked: Reply(body=asked.host), contexts) as server, client(authority.ca_file) as http:
        for name in contexts:
            answer = http.get(f"https://{name}:{server.port}/")
            assert answer.text == f"{name}:{server.port}"
            assert answer.request.url.host == name


def test_a_connection_verified_for_one_name_is_not_used_for_another(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "gpuaas.localhost")
    contexts = {"web.gpuaas.localhost": authority.context("web.gpuaas.localhost")}
    with serve(lambda _: Reply(), contexts) as server, client(authority.ca_file) as http:
        assert http.get(f"https://web.gpuaas.localhost:{server.port}/").status_code == 200
        with pytest.raises(httpx.ConnectError, match="Hostname mismatch"):
            http.get(f"https://api.gpuaas.localhost:{server.port}/")


def test_another_ca_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    ours, theirs = Authority(tmp_path / "ours", "gpuaas.localhost"), Authority(tmp_path / "theirs", "gpuaas.localhost")
    contexts = {"web.gpuaas.localhost": theirs.context("web.gpuaas.localhost")}
    with serve(lambda _: Reply(), contexts) as server:
        for ca_file in (ours.ca_file, None):
            with client(ca_file) as http, pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                http.get(f"https://web.gpuaas.localhost:{server.port}/")


def test_a_host_off_this_machine_is_refused_before_a_connection() -> None:
    with client(None) as http, pytest.raises(httpx.ConnectError, match=r"refused: example\.com"):
        http.get("http://example.com/")


def test_a_redirect_off_this_machine_is_refused() -> None:
    with (
        serve(lambda _: Reply(302, headers={"Location": "http://example.com/"})) as server,
        client(None, follow_redirects=True) as http,
        pytest.raises(httpx.ConnectError, match="refused"),
    ):
        http.get(f"http://web.localhost:{server.port}/")


def test_the_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serve(lambda _: Reply(body="direct")) as server, client(None) as http:
        assert http.get(f"http://web.localhost:{server.port}/").text == "direct"


def test_bodies_and_headers_arrive() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(body=f"{asked.method} {asked.body} {asked.headers['x-test']}")

    with serve(answer) as server, client(None, base_url=f"http://web.localhost:{server.port}") as http:
        assert http.post("/x", content="body", headers={"X-Test": "1"}).text == "POST body 1"


def test_a_ca_file_that_is_missing_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        client(tmp_path / "ca.crt")


def test_a_redirect_is_followed_only_where_that_is_asked_for() -> None:
    with client(None) as plain, client(None, follow_redirects=True) as following:
        assert (plain.follow_redirects, following.follow_redirects) == (False, True)
