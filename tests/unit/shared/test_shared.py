# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shared mode is read and never changed. A stub platform on loopback stands in for it and records every request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.catalog import collect
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import Result
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.verdict import verdict
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.model.platform import load_platform
from ansible_collections.gpuaas.parity.plugins.module_utils._contract.render.render import render_mode
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._shared.look import Shared, look
from ansible_collections.gpuaas.parity.plugins.module_utils._shared.reading import Address, parse_address, reading_client, trust
from ansible_collections.gpuaas.parity.tests.unit.net.local_server import Asked, Authority, Reply, Server, as_json, serve

ROOT = Path(__file__).parents[3]
MODES = ("vm-105", "platform_control")
REFERENCE = load_platform(ROOT / "platform")
LANES = list(REFERENCE.contract.lanes)


def contract_of(mode: str, lane: str) -> dict[str, Any]:
    return render_mode(REFERENCE, REFERENCE.mode(mode), lane).contract


CONTRACTS = {(mode, lane): contract_of(mode, lane) for mode in MODES for lane in LANES}
Answer = Callable[[Asked], Reply | None]
# What the public name refuses.
ADMIN = ("/admin/master/console/", "/realms/master/.well-known/openid-configuration")
# What a stranger is refused by a web UI behind a log-in, where the lane has it: by endpoint, with its component.
CLOSED = {"temporal": ("temporal-ui", "/api/v1/namespaces"), "traces": ("traces", "/zipkin/api/v2/services")}


def discovery(issuer: str) -> Reply:
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint")
    return as_json({"issuer": issuer, **{name: f"{issuer}/{name}" for name in names}})


class Platform:
    """Answers as the platform does; anything but the reads that are allowed is kept as a trespass."""

    def __init__(self, contract: dict[str, Any], folder: Path) -> None:
        self.contract = contract
        self.authority = Authority(folder, contract["domain"])
        self.issuer = contract["services"]["api"]["settings"]["GPUAAS_OIDC_ISSUER"]
        self.trespasses: list[str] = []
        self.instead: Answer = lambda _asked: None
        self.hosts = {name: endpoint["host"] for name, endpoint in contract["endpoints"].items()}

    @property
    def allowed(self) -> set[tuple[str, str]]:
        # Administrators' own name may be closed to whoever looks.
        healths = {(endpoint["host"], endpoint["health"]) for name, endpoint in self.contract["endpoints"].items() if name != "auth-admin"}
        closed = {(self.hosts[name], path) for name, (_component, path) in CLOSED.items() if name in self.hosts}
        return healths | closed | {(self.hosts["auth"], path) for path in ADMIN} | {(self.hosts["api"], "/v1/instances")}

    def answer(self, asked: Asked) -> Reply:
        secret = {"authorization", "cookie"} & set(asked.headers)
        if asked.method not in ("GET", "HEAD") or (asked.host, asked.path) not in self.allowed or asked.body or secret:
            self.trespasses.append(f"{asked.method} {asked.host}{asked.path}")
        instead = self.instead(asked)
        if instead is not None:
            return instead
        if asked.path in ADMIN:
            return Reply(404)
        if asked.path in {path for _component, path in CLOSED.values()}:
            return Reply(401)
        if asked.path.endswith("openid-configuration"):
            return discovery(self.issuer)
        if asked.path == "/v1/instances":
            return as_json({"code": "token_missing"}, 401, WWW_Authenticate="Bearer")
        return as_json({"status": "ok"})

    @contextmanager
    def up(self) -> Iterator[Server]:
        contexts = {host: self.authority.context(host) for host in self.hosts.values()}
        with serve(self.answer, contexts) as server:
            yield server


@pytest.fixture(params=CONTRACTS, ids="-".join)
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    folder = tmp_path / "authority"
    folder.mkdir()
    made = Platform(CONTRACTS[request.param], folder)
    yield made
    assert made.trespasses == []


def looked(platform: Platform, server: Server, tmp_path: Path, **changes: str) -> list[Result]:
    given = {"address": f"127.0.0.1:{server.port}", "ca_file": str(platform.authority.ca_file), **changes}
    return look(Shared(platform.contract, **given), collect(REFERENCE, platform.contract), tmp_path)


def failures(results: list[Result]) -> dict[str, str]:
    return {result.check.id: result.reason for result in results if not result.ok}


def test_a_platform_that_is_well_holds_every_check(platform: Platform, tmp_path: Path) -> None:
    with platform.up() as server:
        results = looked(platform, server, tmp_path)
    assert failures(results) == {}
    assert verdict(results, "validate") is None
    certificates = {f"{name}-certificate" for name in ("web", "api", "auth")}
    healths = {"web-entry", "api-entry", "keycloak-realm"}
    closed = [component for name, (component, _path) in CLOSED.items() if name in platform.hosts]
    closed_checks = {f"{component}-{check}" for component in closed for check in ("certificate", "entry", "refuses-strangers")}
    assert {result.check.id for result in results} == certificates | healths | closed_checks | {
        "keycloak-issuer", "api-refuses-no-token", "auth-refuses-admin", "auth-refuses-master",
    }  # fmt: skip
    # Under the mode's own names, whatever the address, and every one of them read.
    assert {(asked.host, asked.path) for asked in server.asked} == platform.allowed
    assert {asked.method for asked in server.asked} == {"GET"}


UNHEALTHY = {"api-entry": "HTTP_UNEXPECTED", "web-entry": "HTTP_UNEXPECTED"}


def at(path: str, reply: Reply) -> Answer:
    return lambda asked: reply if asked.path == path else None


def at_healths(reply: Reply) -> Answer:
    """Where the API and the console say that they are well."""
    return lambda asked: reply if asked.path in ("/openapi.json", "/") else None


@pytest.mark.parametrize(
    ("instead", "expected"),
    [
        (at("/v1/instances", as_json([])), {"api-refuses-no-token": "TOKEN_NOT_REFUSED"}),
        (at("/v1/instances", as_json({"code": "token_missing"}, 401)), {"api-refuses-no-token": "TOKEN_NOT_REFUSED"}),
        (
            at("/realms/gpuaas/.well-known/openid-configuration", discovery("https://elsewhere.example/realms/gpuaas")),
            {"keycloak-issuer": "ISSUER_MISMATCH"},
        ),
        (at_healths(Reply(503)), UNHEALTHY),
        # A redirect is an answer that was not expected; it is not followed, to wherever it leads.
        (at_healths(Reply(302, headers={"Location": "/admin"})), UNHEALTHY),
    ],
)
def test_what_does_not_hold_is_said(platform: Platform, tmp_path: Path, instead: Answer, expected: dict[str, str]) -> None:
    platform.instead = instead
    with platform.up() as server:
        results = looked(platform, server, tmp_path)
    assert failures(results) == expected
    failure = verdict(results, "validate")
    assert failure is not None and "nothing was changed" in failure.do and "make" not in failure.do


def test_a_certificate_of_another_ca_is_not_trusted_and_nothing_is_asked(platform: Platform, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    foreign = Authority(other, platform.contract["domain"])
    with platform.up() as server:
        results = looked(platform, server, tmp_path, ca_file=str(foreign.ca_file))
    assert len(failures(results)) == len(results)
    assert failures(results)["web-certificate"] == "TLS_INVALID"
    assert server.asked == []


def test_without_a_ca_file_the_systems_cas_decide(platform: Platform, tmp_path: Path) -> None:
    with platform.up() as server:
        results = looked(platform, server, tmp_path, ca_file="")
    assert failures(results)["api-certificate"] == "TLS_INVALID"
    failure = verdict(results, "validate")
    assert failure is not None and "parity_ca_file (not given" in failure.do
    assert server.asked == []


def test_nobody_there(platform: Platform, tmp_path: Path) -> None:
    with pytest.raises(ParityError) as caught:
        look(Shared(platform.contract, "127.0.0.1:1", str(platform.authority.ca_file)), collect(REFERENCE, platform.contract), tmp_path)
    assert caught.value.reason == "HTTP_UNREACHABLE" and "127.0.0.1:1" in caught.value.seen
    assert "parity_address" in caught.value.do


def test_a_ca_file_that_is_not_there_is_said_before_anything_is_sent(platform: Platform, tmp_path: Path) -> None:
    with platform.up() as server, pytest.raises(ParityError, match="parity_ca_file"):
        looked(platform, server, tmp_path, ca_file=str(tmp_path / "none"))
    assert server.asked == []


def test_a_platform_without_endpoints_or_checks_proves_nothing(platform: Platform, tmp_path: Path) -> None:
    ca_file, checks = str(platform.authority.ca_file), collect(REFERENCE, platform.contract)
    for contract, given in (({**platform.contract, "endpoints": {}}, checks), (platform.contract, [])):
        with pytest.raises(ParityError) as caught:
            look(Shared(contract, "127.0.0.1:1", ca_file), given, tmp_path)
        assert caught.value.reason == "CHECK_MISSING"


def test_a_mode_of_this_machine_is_not_a_shared_one(tmp_path: Path) -> None:
    with pytest.raises(ParityError, match="MODE_TARGET_REFUSED"):
        look(Shared(contract_of("compose", LANES[0]), "127.0.0.1:1"), [], tmp_path)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_no_request_that_writes_can_leave(platform: Platform, method: str) -> None:
    hosts = set(platform.hosts.values())
    with platform.up() as server:
        address = Address("127.0.0.1", server.port)
        with (
            reading_client(address, hosts, trust(platform.authority.ca_file)) as http,
            pytest.raises(httpx.ConnectError, match=f"{method} is not a request that only reads"),
        ):
            http.request(method, f"https://{platform.hosts['api']}/v1/instances")
    assert server.asked == []


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("https://elsewhere.example/", {}),
        ("http://{api}/openapi.json", {}),
        ("https://{api}/v1/instances", {"headers": {"Authorization": "Bearer x"}}),
        ("https://{api}/v1/instances", {"headers": {"Cookie": "session=x"}}),
    ],
)
def test_no_other_host_and_no_credentials(platform: Platform, url: str, options: dict[str, Any]) -> None:
    hosts = set(platform.hosts.values())
    with platform.up() as server:
        address = Address("127.0.0.1", server.port)
        with (
            reading_client(address, hosts, trust(platform.authority.ca_file)) as http,
            pytest.raises(httpx.ConnectError, match="refused before it was sent"),
        ):
            http.get(url.format(**platform.hosts), **options)
    assert server.asked == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7:8443", Address("192.0.2.7", 8443)),
        ("192.0.2.7", Address("192.0.2.7", 443)),
        (" ingress.vm-105.internal:443\n", Address("ingress.vm-105.internal", 443)),
        ("ingress", Address("ingress", 443)),
        ("[2001:db8::7]:8443", Address("2001:db8::7", 8443)),
        ("[2001:db8::7]", Address("2001:db8::7", 443)),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text, "vm-105") == address
    assert parse_address(str(address), "vm-105") == address


@pytest.mark.parametrize(
    "text", ["", "  ", "https://a.b", "a.b:", "a.b:0", "a.b:x", "a.b:70000", "2001:db8::7:x", "[a.b]:1", "-a:1", "a/b"]
)
def test_no_address_says_what_to_type(text: str) -> None:
    with pytest.raises(ParityError) as caught:
        parse_address(text, "vm-105")
    assert caught.value.reason == "MODE_NO_ENDPOINT"
    assert "-i inventories/vm-105 -e parity_address=" in caught.value.do


def play(state: Path, *options: str) -> tuple[int, str]:
    """The task file that validate takes for such modes, through Ansible itself, with the inventory's own values."""
    tasks = ROOT / "playbooks/tasks/gitops/validate.yml"
    run = {"hosts": "localhost", "gather_facts": False, "vars_files": [str(ROOT / "playbooks/vars/run.yml")]}
    plays = [{"name": "Validate", **run, "tasks": [{"ansible.builtin.include_tasks": str(tasks)}]}]
    (state / "play.yml").write_text(yaml.safe_dump(plays))
    command = [
        Path(sys.executable).with_name("ansible-playbook"),
        "-i",
        "localhost,",
        "-c",
        "local",
        state / "play.yml",
        "-e",
        "mode=vm-105",
    ]
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "HOME": str(state)}
    given = ["-e", f"parity_state_dir={state}", *options]
    done = subprocess.run([*command, *given], capture_output=True, text=True, env=environment, cwd=state, check=False)
    return done.returncode, done.stdout + done.stderr


def test_validate_reports_what_it_saw_and_without_an_address_what_to_type(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "rendered").mkdir(parents=True)
    (state / "rendered" / "contract.json").write_text(json.dumps(CONTRACTS["vm-105", LANES[0]]))
    status, shown = play(state)
    assert status != 0 and "MODE_NO_ENDPOINT" in shown and "-e parity_address=" in shown
    platform = Platform(CONTRACTS["vm-105", LANES[0]], tmp_path)
    with platform.up() as server:
        options = ("-e", f"parity_address=127.0.0.1:{server.port}", "-e", f"parity_ca_file={platform.authority.ca_file}")
        status, shown = play(state, *options)
    assert status == 0, shown
    assert "checks  ingress, security" in shown and "report" in shown
    report = json.loads((state / "reports" / "validate.json").read_text())
    assert report["ok"] is True and report["mode"] == "vm-105" and report["tests"] == 10
    assert platform.trespasses == []
