"""boto3's client of KMS with bounds, and its failures by our names."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from gpuaas.encryption.refusal import Reason, RefusedError

CONNECT_SECONDS = 2.0
READ_SECONDS = 3.0
ATTEMPTS = 3

# https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors, CommonErrors.html
_REASONS = {
    "AccessDenied": Reason.KMS_DENIED,
    "AccessDeniedException": Reason.KMS_DENIED,
    "NotAuthorized": Reason.KMS_DENIED,
    "ExpiredTokenException": Reason.KMS_CREDENTIALS,
    "IncompleteSignature": Reason.KMS_CREDENTIALS,
    "InvalidClientTokenId": Reason.KMS_CREDENTIALS,
    "InvalidSignatureException": Reason.KMS_CREDENTIALS,
    "MissingAuthenticationToken": Reason.KMS_CREDENTIALS,
    "UnrecognizedClientException": Reason.KMS_CREDENTIALS,
    "LimitExceededException": Reason.KMS_THROTTLED,
    "Throttling": Reason.KMS_THROTTLED,
    "ThrottlingException": Reason.KMS_THROTTLED,
    "DependencyTimeoutException": Reason.KMS_TIMEOUT,
    "DisabledException": Reason.KMS_KEY_DISABLED,
    # A key that waits for its deletion, for one.
    "KMSInvalidStateException": Reason.KMS_KEY_DELETED,
    "NotFoundException": Reason.KMS_KEY_MISSING,
    "IncorrectKeyException": Reason.WRAPPED_KEY_REFUSED,
    "InvalidCiphertextException": Reason.WRAPPED_KEY_REFUSED,
}
_CREDENTIALS = (NoCredentialsError, PartialCredentialsError)
# The last of them are what botocore stumbles over when an answer is not what it expects.
_FAILURES = (BotoCoreError, ResponseParserError, AttributeError, KeyError, TypeError, ValueError)
_UNREACHABLE = (EndpointConnectionError, SSLError)
_TIMEOUTS = (ConnectTimeoutError, ReadTimeoutError)


def connect(region: str, endpoint: str, ca_file: Path | None) -> Any:
    """A client that asks nothing yet; who we are it finds out by itself, from where boto3 looks.

    Its libraries are kept from telling what they send and get: at level debug that is keys and credentials.
    """
    for name in ("botocore", "boto3", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return boto3.session.Session().client(
        "kms",
        region_name=region,
        endpoint_url=endpoint or None,
        verify=os.fspath(ca_file) if endpoint and ca_file else None,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # The setting says where the key is, not the environment.
            proxies={},
            ignore_configured_endpoint_urls=True,
        ),
    )


def ask(client: Any, operation: str, alias: str, unless: str, given: dict[str, Any]) -> dict[str, Any] | None:
    """The answer; None where the KMS answers with the code ``unless``.

    Raises RefusedError. What the KMS says beyond the code is not repeated: it may name who asked.
    """
    try:
        answer: dict[str, Any] = getattr(client, operation)(**given)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == unless:
            return None
        raise RefusedError(_REASONS.get(code, Reason.KMS_FAILED), f"{alias}: {operation} answers {code}") from None
    except _CREDENTIALS:
        raise RefusedError(Reason.KMS_CREDENTIALS, f"{alias}: {operation} without an identity") from None
    except _TIMEOUTS:
        raise RefusedError(Reason.KMS_TIMEOUT, f"{alias}: {operation} was not answered in time") from None
    except _UNREACHABLE:
        raise RefusedError(Reason.KMS_UNREACHABLE, f"{alias}: nobody who is trusted answers to {operation}") from None
    except _FAILURES as error:
        raise RefusedError(Reason.KMS_FAILED, f"{alias}: {operation}: {type(error).__name__}") from None
    return answer
