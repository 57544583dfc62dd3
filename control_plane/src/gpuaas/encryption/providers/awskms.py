"""A root key in AWS KMS, or in what speaks its API: wrapped and unwrapped there, with the context as EncryptionContext.

The alias names the key that wraps now. A rotation makes a key and has the alias lead to it; a wrapped key names the
one that it needs, so it opens until that one is deleted. AWS's own yearly rotation of key material goes on underneath.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from gpuaas.encryption.providers.provider import Context, Root
from gpuaas.encryption.providers.url import Place
from gpuaas.encryption.providers.wrapped import Wrapped, canonical, checked_key
from gpuaas.encryption.refusal import Reason, RefusedError

_NEXT = "-next"


class AwsKmsKeyProvider:
    """Connects when first asked. Who we are is boto3's matter: a web identity token or a file, never a setting of ours."""

    scheme = "awskms"

    def __init__(self, place: Place, ca_file: Path | None = None) -> None:
        """``ca_file`` verifies an endpoint that is not AWS's own."""
        self._place = place
        self._ca_file = ca_file
        self._client: Any = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"AwsKmsKeyProvider({self._place!r})"

    def wrap(self, key: bytes, context: Context) -> bytes:
        """Raises RefusedError: every ``kms_`` reason, ``wrapped_key_size``, ``wrapped_key_context``."""
        said = self._asked(
            "encrypt", KeyId=self._place.alias, Plaintext=checked_key(key), EncryptionContext=_sent(context)
        )
        return self._wrapped(said)

    def unwrap(self, wrapped: bytes, context: Context) -> bytes:
        """Raises RefusedError: also ``wrapped_key_malformed``, ``wrapped_key_refused``, ``root_another``."""
        one, sent = self._ours(wrapped), _sent(context)
        said = self._asked("decrypt", KeyId=one.version, CiphertextBlob=one.body, EncryptionContext=sent)
        key: bytes = _field(said, "Plaintext")
        return key

    def rewrap(self, wrapped: bytes, context: Context) -> bytes:
        """Inside the KMS: the key does not come here. Raises RefusedError as ``unwrap`` does."""
        one, sent = self._ours(wrapped), _sent(context)
        said = self._asked(
            "re_encrypt",
            CiphertextBlob=one.body,
            SourceKeyId=one.version,
            SourceEncryptionContext=sent,
            DestinationKeyId=self._place.alias,
            DestinationEncryptionContext=sent,
        )
        return wrapped if _field(said, "KeyId") == one.version else self._wrapped(said)

    def public(self) -> Root:
        """Raises RefusedError: every ``kms_`` reason."""
        return Root(self.scheme, self._key_of(self._place.alias), ())

    def rotate(self) -> Root:
        """A key under an alias of its own first, ``<alias>-next``, then the alias leads to it.

        Whoever comes after an interruption, or at the same time, finds that alias and goes on with its key.
        Raises RefusedError: every ``kms_`` reason.
        """
        alias, following = self._place.alias, self._place.alias + _NEXT
        # A name with a mistake in it is no reason for a key.
        self._key_of(alias)
        if self._ask("describe_key", unless="NotFoundException", KeyId=following) is None:
            key = self._asked("create_key", Description=f"root key of {alias}")
            target = _field(key, "KeyMetadata", "KeyId")
            self._ask("create_alias", unless="AlreadyExistsException", AliasName=following, TargetKeyId=target)
        made = self._ask("describe_key", unless="NotFoundException", KeyId=following)
        if made is not None:  # else somebody else has just brought it to its end
            self._asked("update_alias", AliasName=alias, TargetKeyId=_field(made, "KeyMetadata", "KeyId"))
            self._ask("delete_alias", unless="NotFoundException", AliasName=following)
        return self.public()

    def _wrapped(self, said: dict[str, Any]) -> bytes:
        return Wrapped(self.scheme, self._place.alias, _field(said, "KeyId"), _field(said, "CiphertextBlob")).encode()

    def _ours(self, wrapped: bytes) -> Wrapped:
        one = Wrapped.decode(wrapped)
        if (one.scheme, one.root) != (self.scheme, self._place.alias):
            raise RefusedError(
                Reason.ROOT_ANOTHER, f"wrapped by {one.scheme} {one.root}, this one is {self._place.alias}"
            )
        return one

    def _key_of(self, alias: str) -> str:
        key: str = _field(self._asked("describe_key", KeyId=alias), "KeyMetadata", "Arn")
        return key

    def _asked(self, operation: str, **given: Any) -> dict[str, Any]:
        return self._ask(operation, **given) or {}

    def _ask(self, operation: str, unless: str = "", **given: Any) -> dict[str, Any] | None:
        # Tens of megabytes that only this provider may cost.
        from gpuaas.encryption.providers import kms_client

        with self._lock:
            if self._client is None:
                self._client = kms_client.connect(self._place.region, self._place.endpoint, self._ca_file)
        return kms_client.ask(self._client, operation, self._place.alias, unless, given)


def _sent(context: Context) -> dict[str, str]:
    canonical(context)
    return dict(context)


def _field(answer: dict[str, Any], *path: str) -> Any:
    """What stands in an answer. Raises RefusedError ``kms_failed`` where it does not."""
    found: Any = answer
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    if not found:
        raise RefusedError(Reason.KMS_FAILED, f"the KMS answers without {'.'.join(path)}")
    return found
