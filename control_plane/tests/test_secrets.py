"""One contract for every provider of secrets; then what each has of its own."""

from __future__ import annotations

import logging
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from gpuaas.secrets import SecretError, SecretsProvider, SourceUnavailableError, parse
from gpuaas.secrets.infisical import Folder, InfisicalSecretsProvider
from gpuaas.secrets.local import LocalSecretsProvider
from support import infisical as fake
from support.infisical import Infisical
from support.ports import free_port
from support.serving import served
from support.tls import Authority

VALUE = "hunter2-correct-horse"


@dataclass
class Case:
    """A provider, and ways to change what it has: ``put`` a value (of any type), ``close`` one to us, ``stop`` it."""

    provider: SecretsProvider
    put: Callable[[str, Any], None]
    close: Callable[[str], None]
    stop: Callable[[], None]


@pytest.fixture
def infisical() -> Infisical:
    return Infisical()


@pytest.fixture
def identity(tmp_path: Path) -> Path:
    """A machine identity by service-account token, as a pod has it."""
    directory = tmp_path / "identity"
    directory.mkdir()
    (directory / "identity_id").write_text(f"{fake.IDENTITY_ID}\n")
    (directory / "token").write_text(fake.SERVICE_ACCOUNT_TOKEN)
    return directory


@pytest.fixture
def server(infisical: Infisical, authority: Authority) -> Iterator[str]:
    with served(infisical.app(), certificate=authority.certificate) as url:
        yield url


def _infisical(server: str, authority: Authority, identity: Path, project: str = fake.PROJECT) -> SecretsProvider:
    return InfisicalSecretsProvider(Folder(server, project, fake.ENVIRONMENT, fake.FOLDER), authority.ca_file, identity)


def _directory(tmp_path: Path) -> Case:
    directory = tmp_path / "mounted"
    directory.mkdir()

    def put(name: str, value: Any) -> None:
        (directory / name).write_bytes(value if isinstance(value, bytes) else str(value).encode())

    def close(name: str) -> None:
        # Root may read any file, so it is made one that nobody can: that is the same branch.
        (directory / name).unlink()
        (directory / name).mkdir()

    def stop() -> None:
        directory.rename(tmp_path / "gone")

    return Case(LocalSecretsProvider(directory), put, close, stop)


def _file(tmp_path: Path) -> Case:
    path, values = tmp_path / "secrets.yml", dict[str, Any]()

    def put(name: str, value: Any) -> None:
        values[name] = value
        path.write_text(yaml.safe_dump(values))
        path.chmod(0o600)

    return Case(LocalSecretsProvider(path), put, lambda _: path.chmod(0o640), path.unlink)


@pytest.fixture(params=["directory", "file", "infisical"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    if request.param != "infisical":
        return _directory(tmp_path) if request.param == "directory" else _file(tmp_path)
    held: Infisical = request.getfixturevalue("infisical")
    provider = _infisical(
        request.getfixturevalue("server"), request.getfixturevalue("authority"), request.getfixturevalue("identity")
    )

    def stop() -> None:
        held.fault = "503"

    return Case(provider, held.secrets.__setitem__, held.forbidden.add, stop)


# -- the contract -----------------------------------------------------------


def refused(case: Case, name: str = "redis_password") -> SecretError:
    """The error of a secret, which names it in one line and holds no value, also as a traceback shows it."""
    with pytest.raises(SecretError) as caught:
        case.provider.get(name)
    error = caught.value
    assert error.name == name
    assert str(error).startswith(f"secret {name} ")
    for text in (str(error), repr(error), "".join(traceback.format_exception(error, chain=True))):
        assert VALUE not in text
    assert "\n" not in str(error)
    return error


def test_a_value(case: Case) -> None:
    case.put("redis_password", VALUE)
    case.put("database_password", "ünïcode: {with} #signs ")
    assert case.provider.get("redis_password") == VALUE
    assert case.provider.get("database_password") == "ünïcode: {with} #signs "
    assert case.provider.get("redis_password") == VALUE


def test_one_newline_at_the_end_is_not_part_of_it(case: Case) -> None:
    case.put("redis_password", f"{VALUE}\n")
    assert case.provider.get("redis_password") == VALUE


def test_missing(case: Case) -> None:
    case.put("session_key", VALUE)
    assert str(refused(case)) == "secret redis_password is missing from GPUAAS_SECRETS_SOURCE"


@pytest.mark.parametrize("value", ["", "\n"])
def test_empty(case: Case, value: str) -> None:
    case.put("redis_password", value)
    assert str(refused(case)) == "secret redis_password is empty"


@pytest.mark.parametrize("value", [f"{VALUE}\nmore", f"{VALUE}\n\n", f"{VALUE}\0", f"{VALUE}\r"])
def test_more_than_a_line(case: Case, value: str) -> None:
    case.put("redis_password", value)
    assert str(refused(case)) == "secret redis_password is not a single line"


def test_forbidden(case: Case) -> None:
    case.put("redis_password", VALUE)
    case.close("redis_password")
    refused(case)


def test_down(case: Case) -> None:
    case.put("redis_password", VALUE)
    case.stop()
    started = time.monotonic()
    refused(case)
    assert time.monotonic() - started < 30


def test_nothing_shows_a_value(case: Case, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    case.put("redis_password", VALUE)
    assert case.provider.get("redis_password") == VALUE
    seen = capfd.readouterr()
    for text in (repr(case.provider), str(vars(case.provider)), caplog.text, seen.out, seen.err):
        assert VALUE not in text
        assert fake.ACCESS_TOKEN not in text
        assert fake.SERVICE_ACCOUNT_TOKEN not in text


# -- files ------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o602])
def test_a_file_that_others_can_use(tmp_path: Path, mode: int) -> None:
    case = _file(tmp_path)
    case.put("redis_password", VALUE)
    (tmp_path / "secrets.yml").chmod(mode)
    error = refused(case)
    assert isinstance(error, SourceUnavailableError)
    assert "others can read" in str(error)


@pytest.mark.parametrize("content", [f"a: [{VALUE}", f"- {VALUE}\n", VALUE, "", f"{VALUE}\xff"])
def test_a_file_of_something_else(tmp_path: Path, content: str) -> None:
    case = _file(tmp_path)
    (tmp_path / "secrets.yml").write_bytes(content.encode("latin-1"))
    (tmp_path / "secrets.yml").chmod(0o600)
    assert isinstance(refused(case), SourceUnavailableError)


@pytest.mark.parametrize("value", [12, None, True, ["x"], {"x": "y"}])
def test_a_value_that_is_no_text(tmp_path: Path, value: object) -> None:
    case = _file(tmp_path)
    case.put("redis_password", value)
    assert str(refused(case)) == "secret redis_password is not text"


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    case = _directory(tmp_path)
    case.put("redis_password", b"\xff\xfe")
    assert str(refused(case)) == "secret redis_password is not text"


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    case = _directory(tmp_path)
    # As a permission that is missing, but for root too.
    (tmp_path / "mounted" / "redis_password").symlink_to("redis_password")
    assert str(refused(case)) == "secret redis_password is unreadable (Too many levels of symbolic links)"


# -- Infisical --------------------------------------------------------------


@pytest.fixture
def remote(infisical: Infisical, server: str, authority: Authority, identity: Path) -> Case:
    infisical.secrets["redis_password"] = VALUE
    provider = _infisical(server, authority, identity)
    return Case(provider, infisical.secrets.__setitem__, infisical.forbidden.add, lambda: None)


def test_it_logs_in_once_with_the_service_account_token(remote: Case, infisical: Infisical) -> None:
    remote.put("session_key", "k")
    remote.provider.get("redis_password")
    remote.provider.get("session_key")
    assert infisical.asked == ["oidc", "redis_password", "session_key"]


def test_it_logs_in_with_a_client_where_there_is_no_such_token(
    remote: Case, infisical: Infisical, identity: Path
) -> None:
    (identity / "token").unlink()
    (identity / "client_id").write_text(fake.CLIENT_ID)
    (identity / "client_secret").write_text(f"{fake.CLIENT_SECRET}\n")
    assert remote.provider.get("redis_password") == VALUE
    assert infisical.asked[0] == "universal"


def test_the_project_may_be_an_id(remote: Case, server: str, authority: Authority, identity: Path) -> None:
    assert _infisical(server, authority, identity, fake.PROJECT_ID).get("redis_password") == VALUE


@pytest.mark.parametrize("lacks", ["identity_id", "client_id"])
def test_without_a_machine_identity(remote: Case, infisical: Infisical, identity: Path, lacks: str) -> None:
    (identity / ("token" if lacks == "client_id" else "identity_id")).unlink()
    error = refused(remote)
    assert isinstance(error, SourceUnavailableError)
    assert f"{identity}: {lacks}" in str(error)
    assert infisical.asked == []


def test_an_identity_that_is_refused(remote: Case, identity: Path) -> None:
    (identity / "token").write_text(VALUE)
    error = refused(remote)
    assert isinstance(error, SourceUnavailableError)
    assert "refuses our machine identity (401)" in str(error)


def test_a_secret_that_is_not_for_us(remote: Case) -> None:
    remote.close("redis_password")
    assert str(refused(remote)) == "secret redis_password is not for this machine identity (403)"


def test_a_placeholder_is_no_value(remote: Case, infisical: Infisical) -> None:
    infisical.hidden.add("redis_password")
    assert str(refused(remote)) == "secret redis_password is not for this machine identity (hidden)"


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("500", "answers 500"),
        ("429", "answers 429"),
        ("503", "answers 503"),
        ("not json", "does not answer as Infisical does"),
        ("other json", "does not answer as Infisical does"),
        ("redirect", "does not answer as Infisical does"),
    ],
)
@pytest.mark.parametrize("logged_in", [True, False])
def test_a_server_that_is_out_of_order(
    remote: Case, infisical: Infisical, fault: str, says: str, logged_in: bool
) -> None:
    if logged_in:
        remote.provider.get("redis_password")
    infisical.fault = fault
    error = refused(remote)
    assert isinstance(error, SourceUnavailableError)
    assert says in str(error) or f"refuses our machine identity ({fault})" in str(error)
    assert "elsewhere" not in infisical.asked


def test_a_server_that_is_not_there(authority: Authority, identity: Path) -> None:
    provider = _infisical(f"https://127.0.0.1:{free_port()}", authority, identity)
    started = time.monotonic()
    error = refused(Case(provider, dict[str, Any]().__setitem__, lambda _: None, lambda: None))
    assert isinstance(error, SourceUnavailableError)
    assert "does not answer (ConnectionError)" in str(error)
    assert time.monotonic() - started < 10


def test_a_server_that_says_nothing(
    authority: Authority, identity: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # The handshake counts as connecting.
    monkeypatch.setattr("gpuaas.secrets.infisical_http.CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        provider = _infisical(f"https://127.0.0.1:{silent.getsockname()[1]}", authority, identity)
        started = time.monotonic()
        error = refused(Case(provider, dict[str, Any]().__setitem__, lambda _: None, lambda: None))
    assert isinstance(error, SourceUnavailableError)
    assert "does not answer" in str(error)
    assert time.monotonic() - started < 10
    assert capfd.readouterr().err == ""


def test_a_server_of_another_authority(server: str, infisical: Infisical, identity: Path, tmp_path: Path) -> None:
    provider = _infisical(server, Authority(tmp_path), identity)
    error = refused(Case(provider, infisical.secrets.__setitem__, lambda _: None, lambda: None))
    assert "does not answer (SSLError)" in str(error)
    assert infisical.asked == []


def test_the_environment_changes_nothing(remote: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(Authority(tmp_path).ca_file))
    assert remote.provider.get("redis_password") == VALUE


# -- the source -------------------------------------------------------------


def test_a_url_says_who_is_asked(tmp_path: Path) -> None:
    assert isinstance(parse(tmp_path.as_uri()).provider(tmp_path), LocalSecretsProvider)
    url = "infisical+https://secrets.example:8443/gpuaas/production/control-plane/api"
    provider = parse(url).provider(tmp_path)
    assert isinstance(provider, InfisicalSecretsProvider)
    folder = Folder("https://secrets.example:8443", "gpuaas", "production", "/control-plane/api")
    assert vars(provider)["_folder"] == folder


def test_the_whole_way_of_a_url(infisical: Infisical, server: str, authority: Authority, identity: Path) -> None:
    infisical.secrets["redis_password"] = VALUE
    source = f"infisical+{server}/{fake.PROJECT}/{fake.ENVIRONMENT}{fake.FOLDER}"
    provider = parse(source).provider(authority.ca_file)
    vars(provider)["_identity"] = identity
    assert provider.get("redis_password") == VALUE


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/run/secrets",
        "file:",
        "file://run/secrets",
        "file:///run/../secrets",
        "file:///run/secrets/",
        "file:///run/secrets?x=1",
        "vault://host/secret",
        "openbao+https://host/secret",
        "infisical+http://host/project/production",
        "infisical://host/project/production",
        "infisical+https://host",
        "infisical+https://host/project",
        "infisical+https://host/project/production/",
        "infisical+https://host/project//api",
        "infisical+https://host/project/production/..",
        "infisical+https://host:0/project/production",
        "infisical+https://host:port/project/production",
        "infisical+https:///project/production",
        "infisical+https://user:hunter2@host/project/production",
        "infisical+https://host/project/production?token=hunter2",
        "infisical+https://host/project/production#x",
    ],
)
def test_a_url_that_is_no_source(url: str) -> None:
    with pytest.raises(ValueError, match=r"^"):
        parse(url)
