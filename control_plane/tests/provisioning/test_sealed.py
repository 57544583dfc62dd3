"""What Temporal keeps of a workflow cannot be read there, whatever becomes of keys meanwhile; and what was begun before goes on."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import uuid
from collections.abc import Iterator
from typing import Any

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHistory
from temporalio.converter import DataConverter

from gpuaas.api.models import GpuType
from gpuaas.encryption.payload_codec import ENCODING, Codec, converter
from gpuaas.encryption.payloads import PayloadKeys
from gpuaas.encryption.providers.keyring import Keyring
from gpuaas.encryption.refusal import Reason
from gpuaas.provisioning.starter import workflow_id
from support.payloads import BEFORE, ROTATED
from support.provisioning import Run, Site

SEARCHED = "searchAttributes"  # what workflows are found by
HEADER = "header"  # the ids of a trace
# The mark of a patch and the flags of the SDK, which it writes itself.
MARKER = "markerRecordedEventAttributes"


def _as(site: Site, given: DataConverter) -> Site:
    """The same site, with another way of writing to Temporal."""
    its = site.client
    client = Client(its.service_client, namespace=its.namespace, data_converter=given)
    return dataclasses.replace(site, client=client)


def _payloads(thing: Any) -> Iterator[dict[str, Any]]:
    """Every payload of a history but those that are meant to be read."""
    if isinstance(thing, dict):
        if "metadata" in thing and "encoding" in thing["metadata"]:
            yield thing
        for name, value in thing.items():
            if name not in (SEARCHED, HEADER, MARKER):
                yield from _payloads(value)
    elif isinstance(thing, list):
        for each in thing:
            yield from _payloads(each)


def _encodings(history: WorkflowHistory) -> set[bytes]:
    return {base64.b64decode(its["metadata"]["encoding"]) for its in _payloads(json.loads(history.to_json()))}


async def _history(site: Site, instance: uuid.UUID, what: str = "provision") -> WorkflowHistory:
    return await site.client.get_workflow_handle(workflow_id(what, str(instance), 0)).fetch_history()


def test_nothing_is_readable_that_a_workflow_hands_on(run: Run) -> None:
    """Not its input, results and errors, nor where in the source an error was raised."""

    async def story(site: Site) -> None:
        both = [await site.ask(GpuType.A100), await site.ask(GpuType.A100)]
        async with site.working():
            await site.relay()
            ends = {await site.end("provision", each): each for each in both}
        fails = ends["failed"]
        history = await _history(site, fails)
        assert _encodings(history) == {ENCODING}
        text = history.to_json()
        # The errors are there, and say by name alone what they are.
        assert '"no_capacity"' in text
        assert all(word not in text for word in ("site-packages", "activities.py", "trainer"))
        messages = [_message(event) for event in json.loads(text)["events"]]
        assert {each for each in messages if each} == {"Encoded failure"}

    run(story)


def _message(event: dict[str, Any]) -> str | None:
    return event.get("activityTaskFailedEventAttributes", {}).get("failure", {}).get("message")  # type: ignore[no-any-return]


def test_what_was_begun_before_goes_on_and_is_sealed_from_then(run: Run) -> None:
    async def story(site: Site) -> None:
        before = _as(site, DataConverter.default)
        site.slow()
        instance = await site.ask()
        async with before.working():
            await before.relay()
            await site.until_held(instance, "reserved")
        plain = _encodings(await _history(site, instance))
        assert ENCODING not in plain
        assert b"json/plain" in plain
        async with site.working():
            assert await site.end("provision", instance) == "running"
        assert _encodings(await _history(site, instance)) >= plain | {ENCODING}

    run(story)


def test_the_keyring_is_rotated_while_a_workflow_runs(run: Run) -> None:
    async def story(site: Site) -> None:
        before = _as(site, converter(Codec(BEFORE)))
        site.slow()
        instance = await site.ask()
        async with before.working():
            await before.relay()
            await site.until_held(instance, "reserved")
        async with site.working():
            assert await site.end("provision", instance) == "running"
        history = await _history(site, instance)
        assert {_kid(each) for each in _payloads(json.loads(history.to_json()))} == {BEFORE.primary, ROTATED.primary}
        await site.keep("provision", instance, "comes-up-while-keys-are-rotated")

    run(story)


def _kid(payload: dict[str, Any]) -> str:
    header = base64.b64decode(payload["data"]).split(b".")[0]
    kid: str = json.loads(base64.urlsafe_b64decode(header + b"=" * (-len(header) % 4)))["kid"]
    return kid


def test_without_its_key_a_workflow_waits_and_then_goes_on(run: Run) -> None:
    async def story(site: Site) -> None:
        codec = Codec(PayloadKeys.of(Keyring.first("")))
        instance = await site.ask()
        await site.relay()
        handle = site.client.get_workflow_handle(workflow_id("provision", str(instance), 0))
        async with _as(site, converter(codec)).working(), asyncio.timeout(30):
            while codec.fault() is None or not await _task_failed(site, instance):
                await asyncio.sleep(0.05)
        assert Reason.PAYLOAD_KEY_UNKNOWN in str(codec.fault())
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
        async with site.working():
            assert await site.end("provision", instance) == "running"

    run(story)


async def _task_failed(site: Site, instance: uuid.UUID) -> bool:
    """Whether Temporal shows for what the workflow waits: the error's name is not sealed."""
    text = (await _history(site, instance)).to_json()
    return Reason.PAYLOAD_KEY_UNKNOWN in text
