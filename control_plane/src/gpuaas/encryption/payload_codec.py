"""Seals what a client or worker hands to Temporal, and opens what comes back: inputs, results, heartbeats and failures.

Search attributes, headers, and the names of workflows, activities and errors do not come through here: Temporal shows them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from temporalio.exceptions import ApplicationError

from gpuaas.encryption.payloads import PayloadKeys, Place
from gpuaas.encryption.refusal import Reason, RefusedError

# As Temporal's own samples of encryption name it.
ENCODING = b"binary/encrypted"
_MOST_REMEMBERED = 100


@dataclass(frozen=True)
class Codec(PayloadCodec, WithSerializationContext):
    """The SDK makes one for each workflow by ``with_context``; ``refused`` is shared by all of them."""

    keys: PayloadKeys
    place: Place | None = None
    refused: dict[str, Reason] = field(default_factory=dict)

    def with_context(self, context: SerializationContext) -> Codec:
        """The codec of a workflow and of its activities."""
        match context:
            case WorkflowSerializationContext(namespace, str() as workflow):
                return replace(self, place=Place(namespace, workflow))
            case ActivitySerializationContext(namespace=namespace, workflow_id=str() as workflow):
                return replace(self, place=Place(namespace, workflow))
        return replace(self, place=None)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each of them sealed, with its metadata."""
        place = self._place()
        return [
            Payload(
                metadata={"encoding": ENCODING},
                data=self.keys.seal(payload.SerializeToString(), place).encode("ascii"),
            )
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each of them opened; what is not sealed is of a workflow that was begun before there was this codec."""
        return [
            self._opened(payload) if payload.metadata.get("encoding") == ENCODING else payload for payload in payloads
        ]

    def fault(self) -> str | None:
        """Which workflows wait for a key, or None."""
        if not self.refused:
            return None
        workflow, reason = next(iter(self.refused.items()))
        return f"refused ({reason} for workflow {workflow}, of {len(self.refused)} that wait)"

    def _opened(self, payload: Payload) -> Payload:
        """A refusal must not end a workflow: its task, or its step, is failed and tried again."""
        place = self._place()
        try:
            opened = self.keys.open_sealed(payload.data.decode("ascii", "replace"), place)
        except RefusedError as refused:
            if len(self.refused) < _MOST_REMEMBERED:
                self.refused[place.workflow] = refused.reason
            raise ApplicationError(str(refused), type=refused.reason) from None
        self.refused.pop(place.workflow, None)
        return Payload.FromString(opened)

    def _place(self) -> Place:
        if self.place is None:
            raise ApplicationError("a payload is of no workflow", type=Reason.PAYLOAD_CONTEXT)
        return self.place


def converter(codec: Codec) -> DataConverter:
    """How values go to Temporal. What an error says, and where it was raised, is sealed with it."""
    return DataConverter(payload_codec=codec, failure_converter_class=DefaultFailureConverterWithEncodedAttributes)
