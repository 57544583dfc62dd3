"""A root key in a KMS: each way in which it fails has a name, and a rotation that is interrupted ends whole."""

from __future__ import annotations

import base64
import logging
from pathlib import Path
from typing import Any

import pytest

from gpuaas.encryption.providers import KeyProvider, kms_client, parse, provider_of
from gpuaas.encryption.providers.wrapped import Wrapped
from gpuaas.encryption.refusal import Reason, RefusedError
from support.kms import KEY_ID, REGION, SECRET_KEY, Failing, Kms, failing
from support.ports import free_port
from support.roots import ENVIRONMENT
from support.tls import Authority

KEY = bytes(range(32))


def _at(url: str, alias: str = "alias/gpuaas") -> KeyProvider:
    return provider_of(parse(f"awskms:{alias}?region={REGION}&endpoint={url}"), ENVIRONMENT)


def _of(kms: Kms, alias: str) -> KeyProvider:
    return provider_of(parse(kms.setting(alias)), ENVIRONMENT)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AccessDeniedException", Reason.KMS_DENIED),
        ("UnrecognizedClientException", Reason.KMS_CREDENTIALS),
        ("ExpiredTokenException", Reason.KMS_CREDENTIALS),
        ("DisabledException", Reason.KMS_KEY_DISABLED),
        ("KMSInvalidStateException", Reason.KMS_KEY_DELETED),
        ("NotFoundException", Reason.KMS_KEY_MISSING),
        ("IncorrectKeyException", Reason.WRAPPED_KEY_REFUSED),
        ("InvalidCiphertextException", Reason.WRAPPED_KEY_REFUSED),
        ("SomethingNewException", Reason.KMS_FAILED),
    ],
)
def test_what_it_answers_has_a_name(failing_kms: Failing, code: str, reason: Reason) -> None:
    failing_kms.code = code
    provider = _at(failing_kms.url)
    wrapped = Wrapped("awskms", "alias/gpuaas", "arn:aws:kms:x:1:key/y", b"body").encode()
    for call in (
        provider.public,
        provider.rotate,
        lambda: provider.wrap(KEY, {}),
        lambda: provider.unwrap(wrapped, {}),
        lambda: provider.rewrap(wrapped, {}),
    ):
        with pytest.raises(RefusedError) as caught:
            call()
        assert caught.value.reason is reason
        assert code in caught.value.seen
        assert "who asked" not in str(caught.value)


@pytest.mark.parametrize("body", ["{}", "[]", "<html>", '{"KeyId": null}', '{"KeyMetadata": []}'])
def test_what_is_no_answer_of_a_kms(failing_kms: Failing, body: str) -> None:
    failing_kms.body = body
    provider = _at(failing_kms.url)
    wrapped = Wrapped("awskms", "alias/gpuaas", "arn:aws:kms:x:1:key/y", b"body").encode()
    for call in (
        provider.public,
        provider.rotate,
        lambda: provider.wrap(KEY, {}),
        lambda: provider.unwrap(wrapped, {}),
    ):
        with pytest.raises(RefusedError) as caught:
            call()
        assert caught.value.reason is Reason.KMS_FAILED


def test_no_key_is_wrapped_that_could_not_be_read_again(failing_kms: Failing) -> None:
    failing_kms.body = '{"KeyId": "a key.with dots", "CiphertextBlob": "Ym9keQ=="}'
    with pytest.raises(RefusedError) as caught:
        _at(failing_kms.url).wrap(KEY, {})
    assert caught.value.reason is Reason.WRAPPED_KEY_MALFORMED


def test_throttled(failing_kms: Failing, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked again, a bounded number of times; the waits between are botocore's matter."""
    failing_kms.code = "ThrottlingException"
    waited: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", waited.append)
    with pytest.raises(RefusedError) as caught:
        _at(failing_kms.url).wrap(KEY, {})
    assert caught.value.reason is Reason.KMS_THROTTLED
    assert failing_kms.asked == ["TrentService.Encrypt"] * kms_client.ATTEMPTS
    assert len(waited) == kms_client.ATTEMPTS - 1


def test_timed_out(failing_kms: Failing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kms_client, "READ_SECONDS", 0.05)
    monkeypatch.setattr(kms_client, "ATTEMPTS", 1)
    with pytest.raises(RefusedError) as caught:
        _at(failing_kms.url).wrap(KEY, {})
    assert caught.value.reason is Reason.KMS_TIMEOUT


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kms_client, "ATTEMPTS", 1)
    with pytest.raises(RefusedError) as caught:
        _at(f"http://127.0.0.1:{free_port()}").wrap(KEY, {})
    assert caught.value.reason is Reason.KMS_UNREACHABLE


def test_without_an_identity(failing_kms: Failing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(RefusedError) as caught:
        _at(failing_kms.url).wrap(KEY, {})
    assert caught.value.reason is Reason.KMS_CREDENTIALS
    assert failing_kms.asked == []


def test_where_it_is_asked_the_setting_says(kms: Kms, alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of AWS's leads it elsewhere."""
    elsewhere = f"http://127.0.0.1:{free_port()}"
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, elsewhere)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    provider = _of(kms, alias)
    assert provider.unwrap(provider.wrap(KEY, {}), {}) == KEY


def test_awss_own_address_is_the_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1")
    client = kms_client.connect("eu-central-1", "", None)
    assert client.meta.endpoint_url == "https://kms.eu-central-1.amazonaws.com"


def test_another_address_is_verified_with_our_ca(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kms_client, "ATTEMPTS", 1)
    with failing(authority.certificate) as kms:
        kms.code = "AccessDeniedException"
        url = parse(f"awskms:alias/gpuaas?region={REGION}&endpoint={kms.url}")
        for ca_file, reason in ((authority.ca_file, Reason.KMS_DENIED), (None, Reason.KMS_UNREACHABLE)):
            with pytest.raises(RefusedError) as caught:
                provider_of(url, ENVIRONMENT, ca_file).wrap(KEY, {})
            assert caught.value.reason is reason
        assert kms.asked == ["TrentService.Encrypt"]


def test_an_alias_that_is_not_there(kms: Kms) -> None:
    """No rotation makes a key for it."""
    before = kms.client.list_keys()["Keys"]
    provider = _of(kms, "alias/gpuaas/misspelt")
    for call in (provider.public, provider.rotate, lambda: provider.wrap(KEY, {})):
        with pytest.raises(RefusedError) as caught:
            call()
        assert caught.value.reason is Reason.KMS_KEY_MISSING
    assert kms.client.list_keys()["Keys"] == before


class Killed(BaseException):
    """As if the process had ended there."""


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("number", range(1, 8))
def test_a_rotation_that_was_interrupted(
    kms: Kms, alias: str, number: int, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each request to the KMS: what was wrapped opens, wrapping goes on, and the next rotation ends whole."""
    old = _of(kms, alias).wrap(KEY, {"a": "b"})
    first = Wrapped.decode(old).version
    asked, ask = [], kms_client.ask

    def killed(client: Any, operation: str, *rest: Any) -> Any:
        asked.append(operation)
        if before and len(asked) == number:
            raise Killed
        answer = ask(client, operation, *rest)
        if len(asked) == number:
            raise Killed
        return answer

    keys = len(kms.client.list_keys(Limit=1000)["Keys"])
    with monkeypatch.context() as patch:
        patch.setattr(kms_client, "ask", killed)
        with pytest.raises(Killed):
            _of(kms, alias).rotate()
    provider = _of(kms, alias)
    assert provider.unwrap(old, {"a": "b"}) == KEY
    between = provider.wrap(KEY, {})
    second = provider.rotate()
    assert second.primary not in (first, "")
    assert alias + "-next" not in kms.aliases()
    for wrapped, context in ((old, {"a": "b"}), (between, {})):
        assert provider.unwrap(wrapped, context) == KEY
        assert Wrapped.decode(provider.rewrap(wrapped, context)).version == second.primary
    # One key that nothing leads to, at most, where it was killed between making a key and naming it.
    assert len(kms.client.list_keys(Limit=1000)["Keys"]) - keys <= 2


def test_the_interruptions_are_all(kms: Kms, alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, ask = [], kms_client.ask

    def counted(client: Any, operation: str, *rest: Any) -> Any:
        asked.append(operation)
        return ask(client, operation, *rest)

    monkeypatch.setattr(kms_client, "ask", counted)
    _of(kms, alias).rotate()
    assert asked == [
        "describe_key",
        "describe_key",
        "create_key",
        "create_alias",
        "describe_key",
        "update_alias",
        "delete_alias",
        "describe_key",
    ]


def test_nothing_is_told(kms: Kms, alias: str, caplog: pytest.LogCaptureFixture) -> None:
    """Neither keys nor credentials, at level debug."""
    caplog.set_level(logging.DEBUG)
    provider = _of(kms, alias)
    wrapped = provider.wrap(KEY, {"a": "b"})
    provider.unwrap(wrapped, {"a": "b"})
    with pytest.raises(RefusedError) as caught:
        provider.unwrap(wrapped, {})
    told = caplog.text + repr(provider) + repr(provider.public()) + str(caught.value)
    for secret in (KEY_ID, SECRET_KEY, base64.b64encode(KEY).decode(), KEY.hex(), repr(KEY)[2:-1]):
        assert secret not in told
