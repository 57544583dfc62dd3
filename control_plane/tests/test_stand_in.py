"""The platform's stand-in for Infisical, asked by the provider that production asks with: who is let in, and to what."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from gpuaas import cli, waiting
from gpuaas.secrets import SecretError, SourceUnavailableError, Used
from gpuaas.secrets.infisical import Folder, InfisicalSecretsProvider
from support import infisical as fake
from support import stand_in
from support.infisical import Infisical
from support.ports import free_port
from support.processes import wait_for
from support.serving import served
from support.stand_in import Issuer
from support.tls import Authority

FOLDERS = {
    "api": {"database_password": "hunter2-of-api", "redis_password": "hunter2-redis"},
    "web": {"redis_password": "hunter2-of-web"},
}

type Ask = Callable[..., InfisicalSecretsProvider]


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = stand_in.module().read_folders(stand_in.mounted(tmp_path / "files", FOLDERS))
    return found


@pytest.fixture(params=["oidc", "universal"])
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(method: str, folders: dict[str, Any], issuer: Issuer, authority: Authority) -> Iterator[str]:
    cluster = stand_in.cluster(issuer) if method == "oidc" else None
    standing = stand_in.module().StandIn(folders, stand_in.PROJECT, stand_in.ENVIRONMENT, cluster)
    with served(standing.app(), certificate=authority.certificate) as url:
        yield url


@pytest.fixture
def ask(method: str, server: str, folders: dict[str, Any], issuer: Issuer, authority: Authority, tmp_path: Path) -> Ask:
    """A provider of ``component``, with what that is given to log in; keywords replace files, ``folder`` the folder."""

    def asking(component: str = "api", folder: str = "", **files: str) -> InfisicalSecretsProvider:
        identity = tmp_path / f"identity-{component}"
        identity.mkdir()
        given = (
            {"identity_id": folders[component].identity_id, "token": issuer.token(component)}
            if method == "oidc"
            else {"client_id": folders[component].identity_id, "client_secret": f"secret-of-{component}"}
        )
        for name, text in (given | files).items():
            (identity / name).write_text(text)
        where = Folder(server, stand_in.PROJECT, stand_in.ENVIRONMENT, folder or f"/{component}")
        return InfisicalSecretsProvider(where, authority.ca_file, identity)

    return asking


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.ca_file)


def refused(provider: InfisicalSecretsProvider, name: str = "redis_password") -> str:
    with pytest.raises(SecretError) as caught:
        provider.get(name)
    assert "hunter2" not in str(caught.value)
    return str(caught.value)


def test_each_reads_its_own_folder(ask: Ask, server: str, method: str) -> None:
    api, web = ask("api"), ask("web")
    assert (api.get("redis_password"), api.get("database_password")) == ("hunter2-redis", "hunter2-of-api")
    assert web.get("redis_password") == "hunter2-of-web"
    assert api.used() == Used("infisical", ("database_password", "redis_password"), server, "/api", method)


def test_nobody_reads_the_folder_of_another(ask: Ask) -> None:
    assert refused(ask("web", folder="/api")) == "secret redis_password is not for this machine identity (403)"


def test_what_an_identity_logs_in_with_is_no_secret_of_its_folder(ask: Ask) -> None:
    assert refused(ask(), "client_secret") == "secret client_secret is missing from GPUAAS_SECRETS_SOURCE"


def test_a_secret_that_is_missing(ask: Ask) -> None:
    assert refused(ask("web"), "session_key") == "secret session_key is missing from GPUAAS_SECRETS_SOURCE"


def test_nothing_was_used_that_was_not_read(ask: Ask, server: str) -> None:
    provider = ask("web", folder="/elsewhere")
    assert provider.used() == Used("infisical", (), server, "/elsewhere", "")
    refused(provider)
    assert provider.used().read == ()


def test_the_id_of_an_identity_of_other_values_is_refused(ask: Ask, method: str) -> None:
    """So after a rotation: a process of before it, or a server, gives and gets nothing."""
    other = stand_in.module().identity_id("secret-of-api", FOLDERS["api"] | {"redis_password": "hunter3"})
    provider = ask(**{"identity_id" if method == "oidc" else "client_id": other})
    assert "refuses our machine identity (401)" in refused(provider)


@pytest.mark.parametrize("method", ["universal"], indirect=True)
def test_a_client_secret_of_another(ask: Ask) -> None:
    error = refused(ask(client_secret="secret-of-web"))
    assert "refuses our machine identity (401)" in error


@pytest.mark.parametrize("method", ["oidc"], indirect=True)
@pytest.mark.parametrize(
    "changes",
    [
        {"component": "web"},
        {"component": "postgres"},
        {"namespace": "kube-system"},
        {"sub": "system:node:x"},
        {"sub": None},
        {"aud": ["https://kubernetes.default.svc.cluster.local"]},
        {"aud": None},
        {"iss": "https://elsewhere"},
        {"exp": 1},
        {"exp": None},
        {"nbf": 4102444800},
    ],
    ids=str,
)
def test_a_token_that_is_not_that_of_the_identity(ask: Ask, issuer: Issuer, changes: dict[str, Any]) -> None:
    assert "refuses our machine identity (401)" in refused(ask(token=issuer.token(**changes)))


@pytest.mark.parametrize("method", ["oidc"], indirect=True)
def test_a_token_of_another_cluster(ask: Ask) -> None:
    assert "refuses our machine identity (401)" in refused(ask(token=Issuer().token()))


@pytest.mark.parametrize("method", ["oidc"], indirect=True)
@pytest.mark.parametrize(
    "token", ["x", "x.y.z", "e30.e30.", "eyJhbGciOiJub25lIn0.e30.", f"{'W1tb' * 2000}.e30.x", "\ud7ff.x.y"]
)
def test_a_token_that_is_none(ask: Ask, token: str) -> None:
    assert "refuses our machine identity (401)" in refused(ask(token=token))


def test_there_is_one_way_in(
    server: str, method: str, folders: dict[str, Any], issuer: Issuer, authority: Authority
) -> None:
    own = folders["api"].identity_id
    given = {"identityId": own, "jwt": issuer.token(), "clientId": own, "clientSecret": "secret-of-api"}
    answers = {
        way: httpx.post(f"{server}/api/v1/auth/{way}-auth/login", json=given, verify=trusting(authority)).status_code
        for way in ("oidc", "universal")
    }
    assert answers == {"oidc": 401, "universal": 401, method: 200}


@pytest.mark.parametrize("method", ["oidc"], indirect=True)
def test_a_cluster_that_does_not_tell_its_keys(ask: Ask, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuer, "fault", OSError("away"))
    error = refused(ask())
    assert "GPUAAS_SECRETS_SOURCE refuses our machine identity (503)" in error


@pytest.mark.parametrize("method", ["oidc"], indirect=True)
def test_who_makes_tokens_up_does_not_make_us_ask_for_keys(ask: Ask, issuer: Issuer) -> None:
    before = issuer.asked
    provider = ask(token=Issuer().token())
    for _round in range(5):
        refused(provider)
    assert issuer.asked - before <= 2


def test_a_server_with_a_certificate_of_another_ca(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    provider = ask()
    vars(provider)["_ca_file"] = Authority(tmp_path / "other").ca_file
    error = refused(provider)
    assert "does not answer (SSLError)" in error


def test_no_value_and_no_token_is_printed(ask: Ask, capfd: pytest.CaptureFixture[str]) -> None:
    ask().get("database_password")
    refused(ask("web", folder="/api"))
    shown = "".join(capfd.readouterr())
    assert '"identity": "api"' in shown
    assert '"cause": "not a folder of this identity"' in shown
    for hidden in ("hunter2", "secret-of-", "eyJ", "Bearer"):
        assert hidden not in shown


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"identityId": 1, "jwt": 2}', 422),
        (b'{"identityId": "\\ud800", "jwt": "x"}', 422),
        (b"[" * 10_000, 422),
        (b"x" * 20_000, 413),
    ],
)
@pytest.mark.parametrize("method", ["oidc"], indirect=True)
def test_a_body_that_is_no_log_in(server: str, authority: Authority, body: bytes, status: int) -> None:
    answer = httpx.post(f"{server}/api/v1/auth/oidc-auth/login", content=body, verify=trusting(authority))
    assert (answer.status_code, answer.json()["statusCode"]) == (status, status)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic x"])
def test_without_an_access_token(server: str, authority: Authority, header: str) -> None:
    query = {"workspaceSlug": stand_in.PROJECT, "environment": stand_in.ENVIRONMENT, "secretPath": "/api"}
    answer = httpx.get(
        f"{server}/api/v3/secrets/raw/redis_password",
        params=query,
        headers={"Authorization": header},
        verify=trusting(authority),
    )
    assert answer.status_code == 401
    assert "hunter2" not in answer.text


def test_an_access_token_ends(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in.module(), "TOKEN_SECONDS", 0)
    provider = ask()
    assert "GPUAAS_SECRETS_SOURCE has forgotten our log-in (401)" in refused(provider)
    monkeypatch.setattr(stand_in.module(), "TOKEN_SECONDS", 60)
    assert provider.get("redis_password") == "hunter2-redis"


# -- its start --------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "nobody to serve"),
        ({"api.redis_password": "hunter2"}, "api has no client_secret"),
        ({"api.client_secret": "", "api.redis_password": "hunter2"}, "api has no client_secret"),
        ({"redis_password": "hunter2"}, "its name is not <component>.<key>"),
    ],
)
def test_files_that_it_does_not_start_with(tmp_path: Path, files: dict[str, str], says: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(stand_in.module().ConfigurationError, match=says) as caught:
        stand_in.module().read_folders(tmp_path)
    assert "hunter2" not in str(caught.value)


def test_kubernetes_hides_where_the_files_are(tmp_path: Path) -> None:
    stand_in.mounted(tmp_path, FOLDERS)
    (tmp_path / "..data").mkdir()
    assert sorted(stand_in.module().read_folders(tmp_path)) == ["api", "web"]


SETTINGS = {
    "STAND_IN_HOST": "127.0.0.1",
    "STAND_IN_PORT": "8443",
    "STAND_IN_URL": stand_in.AUDIENCE,
    "STAND_IN_PROJECT": stand_in.PROJECT,
    "STAND_IN_ENVIRONMENT": stand_in.ENVIRONMENT,
    "STAND_IN_ISSUER": stand_in.ISSUER,
    "STAND_IN_NAMESPACES": stand_in.NAMESPACE,
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_that_is_missing(tmp_path: Path, name: str) -> None:
    files = stand_in.mounted(tmp_path / "files", FOLDERS)
    with pytest.raises(stand_in.module().ConfigurationError, match=name):
        stand_in.module().configured({**SETTINGS, name: ""}, files, tmp_path)


def test_the_id_is_the_one_that_is_delivered() -> None:
    """The same vector as in the tests of the collection, which delivers it."""
    values = {"database_password": "correct horse", "redis_password": "bättery"}
    assert stand_in.module().identity_id("staple", values) == "0ab16828-cc52-0277-236a-5290616f3d5a"


def test_unreachable_is_said_as_such(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "client_id").write_text("x")
    (tmp_path / "client_secret").write_text("x")
    provider = InfisicalSecretsProvider(
        Folder(f"https://127.0.0.1:{free_port()}", "p", "e", "/api"), authority.ca_file, tmp_path
    )
    with pytest.raises(SourceUnavailableError, match=r"does not answer \(ConnectionError\)"):
        provider.get("redis_password")
    assert provider.used().method == ""


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


_PROGRAM = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
import stand_in
stand_in.FILES, stand_in.CERTIFICATE, stand_in.ACCOUNT = map(pathlib.Path, sys.argv[2:])
sys.exit(stand_in.main())
"""


def test_the_program_as_it_runs(authority: Authority, tmp_path: Path) -> None:
    """TLS 1.3 with its certificate, and an end when it is told to."""
    files = stand_in.mounted(tmp_path / "files", FOLDERS)
    certificate, port = authority.issue("infisical-stand-in", tmp_path / "certificate"), free_port()
    directories = (stand_in.FILE.parent, files, certificate, tmp_path / "no-account")
    process = subprocess.Popen(
        [sys.executable, "-IBc", _PROGRAM, *map(str, directories)], env={**SETTINGS, "STAND_IN_PORT": str(port)}
    )
    try:
        wait_for(lambda: listens(port) or process.poll() is not None, "the stand-in")
        (tmp_path / "client_id").write_text(stand_in.module().identity_id("secret-of-api", FOLDERS["api"]))
        (tmp_path / "client_secret").write_text("secret-of-api")
        folder = Folder(f"https://127.0.0.1:{port}", stand_in.PROJECT, stand_in.ENVIRONMENT, "/api")
        assert InfisicalSecretsProvider(folder, authority.ca_file, tmp_path).get("redis_password") == "hunter2-redis"
        older = trusting(authority)
        older.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(httpx.ConnectError, match="SSL"):
            httpx.get(folder.server, verify=older)
    finally:
        process.terminate()
        ended = process.wait(timeout=10)
    assert ended == 0


def test_the_program_without_what_it_needs(tmp_path: Path) -> None:
    directories = (stand_in.FILE.parent, tmp_path, tmp_path, tmp_path)
    done = subprocess.run(
        [sys.executable, "-IBc", _PROGRAM, *map(str, directories)],
        env=SETTINGS,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 78
    assert done.stderr.startswith("infisical-stand-in: configuration: ")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def logged_in(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine identity where processes look for theirs."""
    for name, text in (("client_id", fake.CLIENT_ID), ("client_secret", fake.CLIENT_SECRET)):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(InfisicalSecretsProvider.__init__, "__defaults__", (tmp_path,))
    return tmp_path


def test_a_command_gives_up_and_says_why(
    logged_in: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With status 69: who runs it starts it again. The reason is in its last line, and is told to a kubelet."""
    monkeypatch.setattr(waiting, "DEADLINE_SECONDS", 0)
    told = logged_in / "termination-log"
    told.touch()
    monkeypatch.setattr(cli, "TERMINATION_LOG", told)
    held = Infisical(fault="503")
    with served(held.app(), certificate=authority.certificate) as url:
        settings = {
            "LOG_LEVEL": "info",
            "SECRETS_SOURCE": f"infisical+{url}/{fake.PROJECT}/{fake.ENVIRONMENT}/api-migrate",
            "CA_FILE": str(authority.ca_file),
            "DATABASE_HOST": "127.0.0.1",
            "DATABASE_PORT": "1",
            "DATABASE_NAME": "gpuaas",
            "DATABASE_USER": "gpuaas_owner",
        }
        for name, value in settings.items():
            monkeypatch.setenv(f"GPUAAS_{name}", value)
        assert cli.main(["migrate"]) == 69
    assert held.asked == ["universal"] * 3
    line = (
        "gpuaas migrate: configuration: secret database_password cannot be read: "
        "GPUAAS_SECRETS_SOURCE refuses our machine identity (503)"
    )
    assert capsys.readouterr().err == f"{line}\n"
    assert told.read_text() == line


def test_keys_that_were_rolled_are_fetched(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stand_in.module(), "KEYS_EVERY_SECONDS", 0.0)
    cluster = stand_in.cluster(issuer)
    assert cluster.component_of(issuer.token()) == "api"
    monkeypatch.setattr(issuer, "key", Issuer().key)
    assert cluster.component_of(issuer.token("web")) == "web"


@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_keys_of_either_type(kind: str) -> None:
    issuer = Issuer(kind)
    assert stand_in.cluster(issuer).component_of(issuer.token("web")) == "web"
