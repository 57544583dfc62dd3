"""The journal in a table of the DynamoDB API: of AWS, or of a server that speaks it.

A put has the condition that there is no item of its key, and every read is consistent: so one of two writers is told that
the other was first (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html).
"""

from __future__ import annotations

import ssl
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
from botocore.config import Config

from gpuaas.journal.chain import Entry, Record
from gpuaas.journal.journal import PAGE
from gpuaas.journal.reasons import JournalError, Reason

CONNECT_SECONDS = 1.0
READ_SECONDS = 2.0
ATTEMPTS = 2
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html: 400 KB with the names of attributes.
MAX_ITEM_BYTES = 400 * 1024
_OTHER_ATTRIBUTES = 2048
_DENIED = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
}
_THROTTLED = {
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
}
_UNTIL_ACTIVE = {"Delay": 0.25, "MaxAttempts": 120}
_KEYS = {"project": "S", "number": "N"}


class DynamoDBJournal:
    """A table of one endpoint; ``endpoint`` None is AWS's own of the region, which is verified with the usual authorities."""

    def __init__(
        self,
        region: str,
        table: str,
        key: tuple[str, str],
        endpoint: str | None = None,
        ca_file: Path | None = None,
        certificate: Path | None = None,
    ) -> None:
        """``key`` is id and secret. ``certificate`` is a directory with tls.crt and tls.key, for a server that asks for it.

        Raises OSError for files that cannot be used.
        """
        if certificate:
            tls = ssl.create_default_context(cafile=ca_file)
            tls.load_cert_chain(certificate / "tls.crt", certificate / "tls.key")
        client_cert = (str(certificate / "tls.crt"), str(certificate / "tls.key")) if certificate else None
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            # Nothing is taken from the environment: no proxy, no endpoint.
            proxies={},
            ignore_configured_endpoint_urls=True,
            client_cert=client_cert,
        )
        session = boto3.session.Session(aws_access_key_id=key[0], aws_secret_access_key=key[1], region_name=region)
        self._client = session.client(
            "dynamodb", endpoint_url=endpoint, verify=str(ca_file) if ca_file else None, config=config
        )
        self._table = table

    def prepare(self) -> None:
        # It may be there by now, or somebody else may be making it.
        with suppress(self._client.exceptions.ResourceInUseException):
            self._ask(
                "create_table",
                KeySchema=[
                    {"AttributeName": name, "KeyType": kind}
                    for name, kind in zip(_KEYS, ("HASH", "RANGE"), strict=True)
                ],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in _KEYS.items()],
                BillingMode="PAY_PER_REQUEST",
            )
        try:
            self._client.get_waiter("table_exists").wait(TableName=self._table, WaiterConfig=_UNTIL_ACTIVE)
        except botocore.exceptions.BotoCoreError as error:
            raise JournalError(
                Reason.UNREACHABLE, f"table {self._table} is not active yet: {type(error).__name__}"
            ) from None

    def append(self, entry: Entry) -> bool:
        if len(entry.record.payload) + _OTHER_ATTRIBUTES > MAX_ITEM_BYTES:
            its = entry.record
            seen = f"event {its.event_id} of project {its.project} has {len(its.payload)} bytes"
            raise JournalError(Reason.TOO_LARGE, seen)
        try:
            self._ask(
                "put_item",
                Item=_item(entry),
                ConditionExpression="attribute_not_exists(#number)",
                ExpressionAttributeNames={"#number": "number"},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            # It may be this very one: an attempt before was carried out, and its answer lost.
            return False
        return True

    def page(self, project: str, after: int, limit: int = PAGE) -> list[Entry]:
        return self._query(project, after, limit, forward=True)

    def head(self, project: str) -> Entry | None:
        newest = self._query(project, -1, 1, forward=False)
        return newest[0] if newest else None

    def close(self) -> None:
        self._client.close()

    def _query(self, project: str, after: int, limit: int, *, forward: bool) -> list[Entry]:
        # An answer of 1 MB ends early; without a filter it is never empty while there are items.
        answer = self._ask(
            "query",
            KeyConditionExpression="#project = :project AND #number > :after",
            ExpressionAttributeNames={"#project": "project", "#number": "number"},
            ExpressionAttributeValues={":project": {"S": project}, ":after": {"N": str(after)}},
            ConsistentRead=True,
            ScanIndexForward=forward,
            Limit=limit,
        )
        return [_entry(item) for item in answer["Items"]]

    def _ask(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """Raises JournalError, and what the client raises where it is an answer."""
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(TableName=self._table, **arguments)
        except botocore.exceptions.ClientError as error:
            raise self._named(error, operation) from None
        except (botocore.exceptions.BotoCoreError, OSError) as error:
            raise JournalError(
                Reason.UNREACHABLE, f"{operation} of table {self._table}: {type(error).__name__}"
            ) from None
        return answer

    def _named(self, error: Any, operation: str) -> Any:
        code = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
        seen = f"{operation} of table {self._table} answers {code}"
        if code in ("ConditionalCheckFailedException", "ResourceInUseException"):
            return error
        if code == "ResourceNotFoundException":
            return JournalError(Reason.TABLE_MISSING, f"there is no table {self._table}")
        if code in _DENIED:
            return JournalError(Reason.DENIED, seen)
        if code in _THROTTLED:
            return JournalError(Reason.THROTTLED, seen)
        return JournalError(Reason.UNREACHABLE if status >= 500 else Reason.REFUSED, seen)


def _item(entry: Entry) -> dict[str, dict[str, Any]]:
    record = entry.record
    return {
        "project": {"S": record.project},
        "number": {"N": str(entry.number)},
        "event_id": {"S": str(record.event_id)},
        "type": {"S": record.type},
        "schema_version": {"N": str(record.schema_version)},
        "time": {"S": record.time},
        "payload": {"B": record.payload},
        "previous": {"B": entry.previous},
        "digest": {"B": entry.digest},
    }


def _entry(item: dict[str, dict[str, Any]]) -> Entry:
    try:
        record = Record(
            project=item["project"]["S"],
            event_id=uuid.UUID(item["event_id"]["S"]),
            type=item["type"]["S"],
            schema_version=int(item["schema_version"]["N"]),
            time=item["time"]["S"],
            payload=bytes(item["payload"]["B"]),
        )
        return Entry(record, int(item["number"]["N"]), bytes(item["previous"]["B"]), bytes(item["digest"]["B"]))
    except (KeyError, ValueError, TypeError):
        place = f"{item.get('project', {}).get('S')}, {item.get('number', {}).get('N')}"
        raise JournalError(Reason.CHANGED, f"the item at {place} is no entry") from None
