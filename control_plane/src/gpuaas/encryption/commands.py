"""``gpuaas member``, ``epoch``, ``seal`` and ``open``: a member's device on the command line.

The strong path: unlike a page, this program does not come from the server that it must not believe. It speaks to
nobody; what the API says of a project's epochs (``GET /v1/epochs``) is a file, and what is sealed is standard input or output.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from gpuaas.encryption import instance, strict, tenant
from gpuaas.encryption.binding import Binding, DataClass
from gpuaas.encryption.epoch import Chain, Pin
from gpuaas.encryption.member import Member, MemberKey
from gpuaas.encryption.reader import Reader
from gpuaas.encryption.refusal import Kind, Reason, RefusedError

EX_DATAERR = 65  # sysexits.h
_VERSION = 1
_LONGEST_FILE = 64 * 1024 * 1024


def run(given: argparse.Namespace) -> int:
    """Do what is asked; returns the exit status."""
    try:
        match given.command:
            case "member":
                _member(given)
            case "epoch":
                _epoch(given)
            case "seal":
                _seal(given)
            case "open":
                _open(given)
    except RefusedError as refused:
        print(f"gpuaas {given.command}: {refused}", file=sys.stderr)
        return EX_DATAERR
    except FileExistsError as error:
        print(
            f"gpuaas {given.command}: {error.filename2 or error.filename} is there already, and is kept",
            file=sys.stderr,
        )
        return EX_DATAERR
    return 0


def _member(given: argparse.Namespace) -> None:
    Binding(
        given.environment, DataClass.TENANT, given.name, str(uuid.uuid4()), "member", _VERSION
    )  # The names are good.
    key = MemberKey.generate(given.environment, given.name)
    key.save(given.key)
    print(json.dumps(key.public.members()))


def _epoch(given: argparse.Namespace) -> None:
    key = MemberKey.load(given.key, given.environment)
    others = [Member.of(strict.read(_file(path), Kind.EPOCH)) for path in given.member]
    if given.epochs is None:
        chain = Chain.begin(key, given.project, others)
        _keep(given.pin, chain.current.pin, new=True)
    else:
        before = _reader(given, key).learn(_records(given.epochs))
        chain = before.rotated(key, [key.public, *others], None, before.unlock(key.agree))
    print(chain.current.record)


def _seal(given: argparse.Namespace) -> None:
    key = MemberKey.load(given.key, given.environment)
    reader = _reader(given, key)
    chain = reader.learn(_records(given.epochs))
    instance_id = uuid.uuid4()
    plaintext = sys.stdin.buffer.read(tenant.LONGEST_PLAINTEXT + 1)
    envelope = tenant.seal(plaintext, _binding(given, instance_id), key, chain.current)
    _keep(given.pin, reader.pin)
    print(json.dumps({"instance_id": str(instance_id), "envelope": envelope}))


def _open(given: argparse.Namespace) -> None:
    key = MemberKey.load(given.key, given.environment)
    reader = _reader(given, key)
    sealed = strict.read(sys.stdin.buffer.read(tenant.LONGEST_ENVELOPE + 1024), Kind.ENVELOPE)
    envelope = sealed.get("envelope")
    if not isinstance(envelope, str):
        raise RefusedError(Reason.ENVELOPE_MALFORMED, "standard input is not an object with an envelope")
    # Of the instance that is asked for, not of what the server says that this one is.
    expected = tenant.Expected(_binding(given, given.instance), given.author, given.oldest_epoch)
    plaintext = reader.open(envelope, expected, _records(given.epochs))
    _keep(given.pin, reader.pin)
    sys.stdout.buffer.write(plaintext)
    sys.stdout.buffer.flush()


def _binding(given: argparse.Namespace, instance_id: uuid.UUID) -> Binding:
    return instance.binding(given.environment, given.project, instance_id, given.name)


def _reader(given: argparse.Namespace, key: MemberKey) -> Reader:
    pin = strict.read(_file(given.pin), Kind.EPOCH)
    number, digest = pin.get("number"), pin.get("digest")
    if not isinstance(number, int) or number < 1 or not isinstance(digest, str):
        raise RefusedError(Reason.EPOCH_PIN, f"{given.pin} is not an object with number and digest")
    return Reader(key, given.project, Pin(number, digest))


def _records(path: Path) -> Sequence[str]:
    records = strict.read(_file(path), Kind.EPOCH).get("records")
    if not isinstance(records, list) or not all(isinstance(record, str) for record in records):
        raise RefusedError(Reason.EPOCH_MALFORMED, f"{path} is not what GET /v1/epochs says")
    return records


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_FILE)
    except OSError as error:
        raise RefusedError(Reason.EPOCH_MALFORMED, f"{path}: {error.strerror}") from None


def _keep(path: Path, pin: Pin, new: bool = False) -> None:
    """Remember what was seen: the whole of it or what was there before."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps({"number": pin.number, "digest": pin.digest}) + "\n")
    try:
        if new:
            os.link(unfinished, path)
        else:
            unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
