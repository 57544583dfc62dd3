"""The small parts: tokens, DNS messages, login forms, what a run left on disk."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.cluster.dns_message import answer, question
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.session import Site, open_context
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.state import read_contract, read_realm, secret_reader
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.forms import describe, login_form
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import bare, claims
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.tokens import Tokens
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.tests.unit.checks.conftest import Clock
from ansible_collections.gpuaas.parity.tests.unit.checks.platform import contract, jwt


def test_a_token_is_kept_until_shortly_before_its_end(clock: Clock) -> None:
    tokens, fetched = Tokens(clock), []

    def fetch() -> tuple[str, float]:
        fetched.append(clock())
        return f"t{len(fetched)}", 60.0

    assert [tokens.get("alice", "web", fetch), tokens.get("alice", "web", fetch), tokens.get("bob", "web", fetch)] == ["t1", "t1", "t2"]
    assert tokens.get("alice", "other", fetch) == "t3"
    clock.sleep(51)
    assert tokens.get("alice", "web", fetch) == "t4"


def test_logins_of_one_user_do_not_overlap(clock: Clock) -> None:
    tokens, order = Tokens(clock), []

    def fetch() -> tuple[str, float]:
        order.append("token")
        return "t", 60.0

    with ThreadPoolExecutor(1) as pool:
        with tokens.alone("alice"):
            waiting = pool.submit(tokens.get, "alice", "web", fetch)
            assert tokens.get("bob", "web", lambda: ("b", 60.0)) == "b"
            order.append("web")
        assert waiting.result(timeout=10) == "t"
    assert order == ["web", "token"]


def test_a_login_that_failed_is_tried_again(clock: Clock) -> None:
    tokens = Tokens(clock)

    def fail() -> tuple[str, float]:
        raise ParityError("LOGIN_FAILED", "no")

    with pytest.raises(ParityError):
        tokens.get("alice", "web", fail)
    assert tokens.get("alice", "web", lambda: ("t", 60.0)) == "t"


def test_a_dns_question_on_the_wire() -> None:
    wire = question("api.localhost.")
    assert wire[:2] == len(wire[2:]).to_bytes(2, "big")
    assert wire[14:] == b"\3api\11localhost\0\0\1\0\1"
    for name in ("", "a..b", "x" * 64, "ü.localhost"):
        with pytest.raises(ValueError, match="not a DNS name"):
            question(name)


@pytest.mark.parametrize("message", [b"", b"\0" * 5, question("a.b")[2:-3]])
def test_a_dns_answer_that_is_cut_short(message: bytes) -> None:
    with pytest.raises(ValueError, match="cut short"):
        answer(message)


def test_forms() -> None:
    page = "<title>Sign\n in</title><form action='/q'><input name=q></form><form action='?a=1&amp;b=2'><input name=password value=x>"
    form = login_form(page, "https://auth.localhost/login")
    assert form is not None
    assert (form.action, form.method, form.fields) == ("https://auth.localhost/login?a=1&b=2", "GET", {"password": "x"})
    assert login_form("<form><input name=q></form>", "https://x") is None
    assert describe(page, "https://x") == "Sign in"
    assert describe("<p>", "https://x") == "a page without a title"


@pytest.mark.parametrize("token", ["", "a.b", "a.%%%.c", "a.WzFd.c"])
def test_tokens_that_are_none(token: str) -> None:
    with pytest.raises(ParityError, match="LOGIN_FAILED"):
        claims(token)
    assert claims(jwt(a=1)) == {"a": 1}


def test_urls_in_messages_carry_no_codes() -> None:
    assert bare("https://web.localhost/cb?code=secret#x") == "https://web.localhost/cb"


def test_the_rendered_documents(tmp_path: Path) -> None:
    folder = tmp_path / "rendered"
    for read in (read_contract, read_realm):
        with pytest.raises(ParityError, match="CONTRACT_NOT_RENDERED"):
            read(tmp_path)
    folder.mkdir()
    for text in ("{", "[]"):
        (folder / "contract.json").write_text(text)
        (folder / "realm.json").write_text(text)
        for read in (read_contract, read_realm):
            with pytest.raises(ParityError, match="CONTRACT_NOT_RENDERED"):
                read(tmp_path)
    (folder / "contract.json").write_text(json.dumps(contract(1)))
    (folder / "realm.json").write_text('{"realm": "gpuaas"}')
    assert read_contract(tmp_path) == contract(1)
    assert read_realm(tmp_path) == {"realm": "gpuaas"}


def _secrets(root: Path, text: str) -> Path:
    file = root / "secrets" / "secrets.yml"
    file.parent.mkdir(exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(text)
    return file


def test_secrets_are_read_once_and_never_shown(tmp_path: Path) -> None:
    file = _secrets(tmp_path, "a: one\nempty: ''\n")
    secret = secret_reader(tmp_path)
    assert secret("a") == "one"
    file.write_text("a: two\n")
    assert secret("a") == "one"
    for name in ("empty", "none"):
        with pytest.raises(KeyError):
            secret(name)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "SECRETS_EXPOSED"),
        ("- hush", "SECRETS_CORRUPT"),
        ("hush: [", "SECRETS_CORRUPT"),
        ("a: hush\na: hush", "SECRETS_CORRUPT"),
        ("a: [hush]", "SECRETS_INVALID"),
    ],
)
def test_secrets_that_cannot_be_read(tmp_path: Path, text: str | None, reason: str) -> None:
    if text is not None:
        _secrets(tmp_path, text)
    with pytest.raises(ParityError) as caught:
        secret_reader(tmp_path)("a")
    assert caught.value.reason == reason
    assert "hush" not in str(caught.value)


def test_secrets_that_others_could_read(tmp_path: Path) -> None:
    _secrets(tmp_path, "a: one\n").chmod(0o644)
    with pytest.raises(ParityError, match="SECRETS_PERMISSIONS"):
        secret_reader(tmp_path)("a")


def test_a_run_without_a_ca_or_a_cluster_says_so(state_dir: Path) -> None:
    site = Site(contract(1), state_dir, state_dir / "kubeconfig", "node")
    with pytest.raises(ParityError, match="CLUSTER_ABSENT"), open_context(site):
        pass
    (state_dir / "tls" / "ca.crt").unlink()
    with pytest.raises(ParityError, match="TLS_INVALID"), open_context(site):
        pass


def test_a_project_is_opened_without_a_kubeconfig_and_a_cluster_is_not(state_dir: Path) -> None:
    (state_dir / "rendered").mkdir()
    (state_dir / "rendered" / "realm.json").write_text("{}")
    document = {**contract(1), "target": "compose", "project": "gpuaas-local"}
    with open_context(Site(document, state_dir)) as context:
        assert (context.target, context.project.name) == ("compose", "gpuaas-local")
        with pytest.raises(ParityError, match="CLUSTER_ABSENT"):
            context.renew().all("pods")
    with pytest.raises(ParityError, match="KUBECONFIG_INVALID"), open_context(Site(contract(1), state_dir)):
        pass
