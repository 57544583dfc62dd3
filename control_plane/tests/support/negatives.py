"""What a server that lies, or a member who does, can serve; each with the one name that it is refused by."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gpuaas.encryption import epoch, jwe, keys, strict, tenant
from gpuaas.encryption.epoch import Chain
from gpuaas.encryption.refusal import Kind, Reason
from support.envelopes import (
    BINDING,
    OTHERS,
    PLAINTEXT,
    PROJECT,
    Served,
    World,
    bound,
    forged,
    other,
    parts,
    protected,
    signed,
)

type Case = tuple[Served, Reason]


def cases(world: World) -> dict[str, Case]:
    """All of them, by what was done."""
    return {**_envelopes(world), **_members(world), **_shapes(world), **_records(world)}


def _envelope(world: World, text: str, reason: Reason, **changes: Any) -> Case:
    return replace(world.served, envelope=text, **changes), reason


def _envelopes(world: World) -> dict[str, Case]:
    """Swapped, replayed under another name, or rewritten by somebody who may write."""
    alice, served = world.alice, world.served
    found: dict[str, Case] = {}
    for name in OTHERS:
        reason = Reason(f"envelope_{name}")
        # A good one, served in place of another.
        found[f"another {name} is asked for"] = (replace(served, binding=other(name)), reason)
        # Its header rewritten to what is asked for, by its author: the AEAD has the header as associated data.
        text = forged(world.envelope, alice, bound(**{name: other(name).members()[name]}))
        found[f"{name} is rewritten"] = _envelope(world, text, Reason.ENVELOPE_DECRYPTION, binding=other(name))
        found[f"{name} is rewritten and not signed"] = _envelope(
            world,
            _unsigned(world.envelope, bound(**{name: other(name).members()[name]})),
            Reason.ENVELOPE_SIGNATURE,
            binding=other(name),
        )
        found[f"{name} is left out"] = _envelope(
            world,
            forged(world.envelope, alice, protected(_without(name))),
            Reason.ENVELOPE_MALFORMED,
        )
    found["schema_version is text"] = _envelope(
        world, forged(world.envelope, alice, bound(schema_version="1")), Reason.ENVELOPE_SCHEMA_VERSION
    )
    for name in ("schema_version", "version", "epoch"):
        true = forged(world.envelope, alice, bound(**{name: True}))
        found[f"{name} is true"] = _envelope(world, true, Reason.ENVELOPE_MALFORMED)
    found["more is bound"] = _envelope(world, forged(world.envelope, alice, bound(more=1)), Reason.ENVELOPE_MALFORMED)
    return found


def _members(world: World) -> dict[str, Case]:
    """Who wrote it, for whom, under which epoch."""
    alice, bob, carol, mallory = world.alice, world.bob, world.carol, world.mallory
    old, new = world.chain.epochs
    own = keys.generate()
    return {
        "an author who never was a member": _envelope(world, world.seal(by=mallory), Reason.ENVELOPE_AUTHOR),
        "a removed member under the new epoch": _envelope(world, world.seal(by=bob), Reason.ENVELOPE_AUTHOR),
        "a removed member under the old epoch": _envelope(
            world, world.seal(by=bob, under=1), Reason.ENVELOPE_EPOCH_STALE
        ),
        "an old epoch": _envelope(world, world.seal(under=1), Reason.ENVELOPE_EPOCH_STALE),
        "who joined later, under the old epoch": _envelope(
            world, world.seal(by=carol, under=1), Reason.ENVELOPE_AUTHOR, oldest_epoch=1
        ),
        "another author than the one that is asked for": (
            replace(world.served, author=carol.kid),
            Reason.ENVELOPE_AUTHOR,
        ),
        "another member signs what was not theirs": _envelope(
            world,
            forged(world.envelope, carol, header=lambda header: header.update(kid=carol.kid)),
            Reason.ENVELOPE_AUTHOR,
        ),
        "another member signs it in the author's name": _envelope(
            world, forged(world.envelope, carol), Reason.ENVELOPE_SIGNATURE
        ),
        "an epoch that is not there": _envelope(
            world, forged(world.envelope, alice, bound(epoch=3)), Reason.ENVELOPE_EPOCH_UNKNOWN
        ),
        "epoch nought": _envelope(world, forged(world.envelope, alice, bound(epoch=0)), Reason.ENVELOPE_EPOCH_UNKNOWN),
        "an epoch that is text": _envelope(
            world, forged(world.envelope, alice, bound(epoch="2")), Reason.ENVELOPE_EPOCH_UNKNOWN
        ),
        "the old epoch's key under the new number": _envelope(
            world, forged(world.envelope, alice, bound(key=old.kid)), Reason.ENVELOPE_EPOCH_KEY
        ),
        "sealed to a key of the server's": _envelope(
            world,
            tenant.seal(PLAINTEXT, BINDING, alice, replace(new, key=own)),
            Reason.ENVELOPE_EPOCH_KEY,
        ),
        "sealed to a key of the server's under the epoch's name": _envelope(
            world, _for(world, [own]), Reason.ENVELOPE_RECIPIENT
        ),
        "sealed to the old epoch's key": _envelope(world, _for(world, [old.key]), Reason.ENVELOPE_RECIPIENT),
        "sealed to too many": _envelope(
            world, _for(world, [new.key, *(keys.generate() for _one in range(16))]), Reason.ENVELOPE_RECIPIENT
        ),
        "another key under the epoch's thumbprint": _envelope(world, _misnamed(world), Reason.ENVELOPE_DECRYPTION),
        "read by who was removed": (replace(world.served, key=bob.agree), Reason.EPOCH_RECIPIENT),
        "read by who never was a member": (replace(world.served, key=mallory.agree), Reason.EPOCH_RECIPIENT),
        "read with the key to sign": (replace(world.served, key=alice.sign), Reason.EPOCH_RECIPIENT),
    }


def _shapes(world: World) -> dict[str, Case]:
    """What is wrong with it before anybody asks what it is."""
    alice, text = world.alice, world.envelope
    header, payload, signature = text.split(".")
    its_header, document = parts(text)
    recipient = document["recipients"][0]
    inner = strict.decode(document["protected"], Kind.ENVELOPE)

    def made(reason: Reason, **changes: Any) -> Case:
        """With parts of the JWE replaced; None takes one out."""
        changed = {name: value for name, value in {**document, **changes}.items() if value is not None}
        return _envelope(world, signed(strict.canonical(changed), its_header, alice.sign), reason)

    def headed(reason: Reason, change: Callable[[dict[str, Any]], object]) -> Case:
        return _envelope(world, forged(text, alice, protected(change)), reason)

    def outer(reason: Reason, change: Callable[[dict[str, Any]], object]) -> Case:
        return _envelope(world, forged(text, alice, header=change), reason)

    def raw(reason: Reason, its: bytes) -> Case:
        """With these bytes as the JWE's protected header."""
        return made(reason, protected=strict.encode(its))

    def to(reason: Reason, **changes: Any) -> Case:
        return made(reason, recipients=[{**recipient, **changes}])

    longer = {**its_header, "typ": "gpuaas-envelope.2"}
    malformed, unprotected = Reason.ENVELOPE_MALFORMED, Reason.ENVELOPE_UNPROTECTED
    algorithm, base64url = Reason.ENVELOPE_ALGORITHM, Reason.ENVELOPE_BASE64URL
    epk = recipient["header"]["epk"]
    return {
        # The outer layer.
        "too long": _envelope(
            world, f"{header}.{payload}{'A' * tenant.LONGEST_ENVELOPE}.{signature}", Reason.ENVELOPE_OVERSIZE
        ),
        "empty": _envelope(world, "", malformed),
        "two parts": _envelope(world, f"{header}.{payload}", malformed),
        "four parts": _envelope(world, f"{text}.", malformed),
        "no signature": _envelope(world, f"{header}.{payload}.", Reason.ENVELOPE_SIGNATURE),
        "half a signature": _envelope(
            world, f"{header}.{payload}.{strict.encode(bytes(32))}", Reason.ENVELOPE_SIGNATURE
        ),
        "a signature of nought": _envelope(
            world, f"{header}.{payload}.{strict.encode(bytes(64))}", Reason.ENVELOPE_SIGNATURE
        ),
        "padded": _envelope(world, f"{header}.{payload}.{signature}==", base64url),
        "a line break": _envelope(world, f"{text}\n", base64url),
        "a space": _envelope(world, f" {text}", base64url),
        "the other alphabet": _envelope(world, f"{header}.{payload}+.{signature}", base64url),
        "a last digit with bits that count for nothing": _envelope(world, _not_canonical(text), base64url),
        "algorithm none": _envelope(
            world, f"{strict.encode(strict.canonical({**its_header, 'alg': 'none'}))}.{payload}.", algorithm
        ),
        "signed with HMAC by the public key": outer(algorithm, lambda h: h.update(alg="HS256")),
        "algorithm ES384": outer(algorithm, lambda h: h.update(alg="ES384")),
        "another version": _envelope(
            world, signed(strict.canonical(document), longer, alice.sign), Reason.ENVELOPE_VERSION
        ),
        "a record in place of an envelope": _envelope(world, world.records()[1], Reason.ENVELOPE_VERSION),
        "the key brought along": outer(malformed, lambda h: h.update(jwk=keys.public(world.mallory.sign))),
        "unencoded payload": outer(malformed, lambda h: h.update(b64=False, crit=["b64"])),
        "a signer that is a number": outer(malformed, lambda h: h.update(kid=1)),
        "no signer": outer(malformed, lambda h: h.pop("kid")),
        "a name twice in the outer header": _envelope(
            world,
            signed(strict.canonical(document), strict.canonical(its_header)[:-1] + b',"alg":"ES256"}', alice.sign),
            Reason.ENVELOPE_DUPLICATE_NAME,
        ),
        "spaces in the outer header": _envelope(
            world, signed(strict.canonical(document), json.dumps(its_header).encode(), alice.sign), malformed
        ),
        "an outer header that is not JSON": _envelope(
            world, signed(strict.canonical(document), b"{", alice.sign), malformed
        ),
        # The payload.
        "a payload that is not JSON": _envelope(world, signed(b"{", its_header, alice.sign), malformed),
        "a payload that is a list": _envelope(world, signed(b"[]", its_header, alice.sign), malformed),
        "a payload that nests too deep": _envelope(world, signed(b"[" * 60000, its_header, alice.sign), malformed),
        "a payload that is not UTF-8": _envelope(world, signed(b'{"a":"\xff"}', its_header, alice.sign), malformed),
        "a number that is not a whole one": _envelope(world, signed(b'{"a":1e0}', its_header, alice.sign), malformed),
        "not a number": _envelope(world, signed(b'{"a":NaN}', its_header, alice.sign), malformed),
        "a name twice": _envelope(
            world,
            signed(strict.canonical(document)[:-1] + b',"tag":"AAAA"}', its_header, alice.sign),
            Reason.ENVELOPE_DUPLICATE_NAME,
        ),
        "a shared unprotected header": made(unprotected, unprotected={"enc": "A128GCM"}),
        "additional authenticated data": made(unprotected, aad="AAAA"),
        "a header as in the flattened form": made(unprotected, header={"alg": "dir"}),
        **{f"without {part}": made(malformed, **{part: None}) for part in document},
        "a short nonce": made(malformed, iv=strict.encode(bytes(8))),
        "a short tag": made(malformed, tag=strict.encode(strict.decode(document["tag"], Kind.ENVELOPE)[:4])),
        "another tag": made(Reason.ENVELOPE_DECRYPTION, tag=strict.encode(bytes(16))),
        "another nonce": made(Reason.ENVELOPE_DECRYPTION, iv=strict.encode(bytes(12))),
        "half the ciphertext": made(Reason.ENVELOPE_DECRYPTION, ciphertext=document["ciphertext"][:24]),
        "no ciphertext": made(Reason.ENVELOPE_DECRYPTION, ciphertext=""),
        "ciphertext that is not base64url": made(base64url, ciphertext="AA="),
        "a tag that is a number": made(base64url, tag=1),
        # The protected header.
        **{f"content by {enc}": headed(algorithm, _with(enc=enc)) for enc in ("A128GCM", "A256CBC-HS512", "none")},
        **{
            f"key by {alg}": headed(algorithm, _with(alg=alg))
            for alg in ("ECDH-ES", "ECDH-ES+A128KW", "dir", "A256KW", "PBES2-HS512+A256KW", "RSA1_5")
        },
        "compressed": headed(algorithm, lambda h: h.update(zip="DEF")),
        "nothing critical": headed(malformed, lambda h: h.pop("crit")),
        "another thing critical": headed(malformed, lambda h: h.update(crit=["gpuaas", "exp"])),
        "bound to nothing": headed(malformed, lambda h: h.pop("gpuaas")),
        "bound to text": headed(malformed, lambda h: h.update(gpuaas="x")),
        "a stranger in the protected header": headed(malformed, lambda h: h.update(jku="https://example.com")),
        "version 0": headed(Reason.ENVELOPE_VERSION, lambda h: h["gpuaas"].update(version=0)),
        "version 2": headed(Reason.ENVELOPE_VERSION, lambda h: h["gpuaas"].update(version=2)),
        "no version": headed(Reason.ENVELOPE_VERSION, lambda h: h["gpuaas"].pop("version")),
        "a name twice in the protected header": raw(Reason.ENVELOPE_DUPLICATE_NAME, inner[:-1] + b',"enc":"A256GCM"}'),
        "a bound name twice": raw(
            Reason.ENVELOPE_DUPLICATE_NAME, inner.replace(b'"gpuaas":{', b'"gpuaas":{"project":"borealis",')
        ),
        "spaces in the protected header": raw(malformed, inner.replace(b",", b", ", 1)),
        "an escape in the protected header": raw(malformed, inner.replace(b"atlas", b"\\u0061tlas")),
        # Recipients.
        "no recipients": made(malformed, recipients=[]),
        "recipients that are none": made(malformed, recipients={}),
        "too many recipients": made(malformed, recipients=[recipient] * (jwe.MOST_RECIPIENTS + 1)),
        "a recipient twice": made(malformed, recipients=[recipient, recipient]),
        "a recipient that is text": made(malformed, recipients=["x"]),
        "a recipient without a key": made(malformed, recipients=[{"header": recipient["header"]}]),
        "a recipient with more": to(malformed, more=1),
        "a recipient without a header": to(malformed, header="x"),
        "a recipient without a name": to(malformed, header={"epk": epk}),
        "a recipient of which the name is a number": to(malformed, header={"epk": epk, "kid": 1}),
        "a recipient without an ephemeral key": to(malformed, header={"kid": recipient["header"]["kid"]}),
        "a recipient's own algorithm": to(unprotected, header={**recipient["header"], "alg": "dir"}),
        "a recipient's PartyUInfo": to(unprotected, header={**recipient["header"], "apu": "AAAA"}),
        "a wrapped key that is not base64url": to(base64url, encrypted_key="*"),
        "a wrapped key that is cut": to(Reason.ENVELOPE_DECRYPTION, encrypted_key=recipient["encrypted_key"][:32]),
        "no wrapped key": to(Reason.ENVELOPE_DECRYPTION, encrypted_key=""),
        "an ephemeral key that is not on the curve": to(
            malformed, header={**recipient["header"], "epk": {**epk, "y": epk["x"]}}
        ),
        "an ephemeral key on another curve": to(
            malformed, header={**recipient["header"], "epk": {**epk, "crv": "P-384"}}
        ),
        "an ephemeral key of another type": to(malformed, header={**recipient["header"], "epk": {**epk, "kty": "OKP"}}),
        "an ephemeral key with its private half": to(
            malformed, header={**recipient["header"], "epk": keys.private(keys.generate())}
        ),
        "an ephemeral key that is text": to(malformed, header={**recipient["header"], "epk": "x"}),
        "a short coordinate": to(malformed, header={**recipient["header"], "epk": {**epk, "x": "AAAA"}}),
        "a coordinate with a nought before it": to(
            malformed,
            header={
                **recipient["header"],
                "epk": {**epk, "x": strict.encode(b"\0" + strict.decode(epk["x"], Kind.ENVELOPE))},
            },
        ),
        "another ephemeral key": to(
            Reason.ENVELOPE_DECRYPTION, header={**recipient["header"], "epk": keys.public(keys.generate())}
        ),
        "the ephemeral key in both headers": headed(unprotected, lambda h: h.update(epk=epk)),
    }


def _records(world: World) -> dict[str, Case]:
    """Old, swapped and forged epochs, and keys of others."""
    alice, bob, carol, mallory = world.alice, world.bob, world.carol, world.mallory
    first, second = world.records()
    pinned = replace(world.served, pin=world.pin(2))
    theirs = Chain.begin(mallory, PROJECT, [alice.public, carol.public])
    elsewhere = Chain.begin(replace(alice, environment="staging"), PROJECT)
    borealis = Chain.begin(alice, "borealis")
    forked = world.first.rotated(bob, [bob.public, mallory.public], None, world.held)

    def chained(reason: Reason, *records: str) -> Case:
        return replace(world.served, records=records), reason

    def record(reason: Reason, change: Callable[[dict[str, Any]], object], by: Any = alice) -> Case:
        """The second one changed and signed."""
        return chained(reason, first, forged(second, by, change, lambda header: header.update(kid=by.kid)))

    malformed = Reason.EPOCH_MALFORMED
    its_header, document = parts(second)
    return {
        "no epochs": chained(Reason.EPOCH_ROLLED_BACK),
        "the newest epoch kept back": (replace(pinned, records=(first,)), Reason.EPOCH_ROLLED_BACK),
        "another project's founder": chained(Reason.EPOCH_PIN, theirs.current.record),
        "a fork by who was removed later": (
            replace(pinned, records=(first, forked.current.record)),
            Reason.EPOCH_PIN,
        ),
        "records in another order": chained(Reason.EPOCH_CHAIN, second, first),
        "a record twice": chained(Reason.EPOCH_CHAIN, first, first),
        "another environment's record": chained(Reason.EPOCH_ENVIRONMENT, elsewhere.current.record),
        "another project's record": chained(Reason.EPOCH_PROJECT, borealis.current.record),
        "an epoch on top by a stranger": record(Reason.EPOCH_SIGNER, lambda _d: None, mallory),
        "an epoch that its own new member signed": record(Reason.EPOCH_SIGNER, lambda _d: None, carol),
        "an epoch signed by a stranger in a member's name": chained(
            Reason.EPOCH_SIGNATURE, first, forged(second, mallory)
        ),
        "an epoch that is changed": chained(
            Reason.EPOCH_SIGNATURE,
            first,
            _unsigned(second, lambda d: (d["members"].pop(), d["private"]["recipients"].pop(1))),
        ),
        "a founder who is not a member": chained(
            Reason.EPOCH_SIGNER, forged(first, mallory, header=lambda header: header.update(kid=mallory.kid))
        ),
        "a number left out": record(Reason.EPOCH_CHAIN, lambda d: d.update(number=3)),
        "a number that is true": chained(Reason.EPOCH_MALFORMED, forged(first, alice, lambda d: d.update(number=True))),
        "the hash of another record": record(Reason.EPOCH_CHAIN, lambda d: d.update(previous=epoch.digest(second))),
        "the epoch's key replaced": record(Reason.EPOCH_RECIPIENT, lambda d: d.update(key=keys.public(mallory.agree))),
        "the first epoch's key again": record(
            Reason.EPOCH_KEY, lambda d: d.update(key=keys.public(world.first.current.key))
        ),
        "a member's own key as the epoch's": record(Reason.EPOCH_KEY, lambda d: d.update(key=keys.public(carol.agree))),
        "a private key that is not the epoch's": record(Reason.EPOCH_KEY, _another_private(world)),
        "a private key of an epoch elsewhere": record(
            Reason.EPOCH_KEY, lambda d: bound(project="borealis")(d["private"])
        ),
        "the key before bound elsewhere": record(Reason.EPOCH_KEY, lambda d: bound(epoch=2)(d["before"])),
        "a member's key replaced": record(
            Reason.EPOCH_RECIPIENT, lambda d: d["members"][1].update(agree=keys.public(mallory.agree))
        ),
        "a reader who is no member": record(
            Reason.EPOCH_RECIPIENT, lambda d: d["private"]["recipients"].append(_recipient(mallory.agree))
        ),
        "a member who cannot read": record(Reason.EPOCH_RECIPIENT, lambda d: d["private"]["recipients"].pop(1)),
        "the key before for somebody else": record(
            Reason.EPOCH_RECIPIENT, lambda d: d["before"]["recipients"][0]["header"].update(kid=mallory.kid)
        ),
        "a recovery key replaced": record(
            Reason.EPOCH_RECIPIENT, lambda d: d.update(recovery=keys.public(mallory.agree))
        ),
        "the first epoch with a key before": chained(
            malformed, forged(first, alice, lambda d: d.update(before=document["before"]))
        ),
        "a member twice": record(malformed, lambda d: d["members"].append(d["members"][0])),
        "no key before": record(malformed, lambda d: d.update(before=None)),
        "no members": record(malformed, lambda d: d.update(members=[])),
        "members that are none": record(malformed, lambda d: d.update(members="x")),
        "too many members": record(malformed, lambda d: d.update(members=d["members"] * 64)),
        "a member that is text": record(malformed, lambda d: d.update(members=["x"])),
        "a member without a name": record(malformed, lambda d: d["members"][1].update(name="")),
        "a member with more": record(malformed, lambda d: d["members"][1].update(more=1)),
        "one key for two uses": record(malformed, lambda d: d["members"][1].update(agree=d["members"][1]["sign"])),
        "a private key that is open": record(malformed, lambda d: d.update(private="x")),
        "a record with more": record(malformed, lambda d: d.update(more=1)),
        "a record that lacks a member": record(malformed, lambda d: d.pop("recovery")),
        "a key with its private half": record(malformed, lambda d: d.update(key=keys.private(keys.generate()))),
        "a record that is too long": chained(Reason.EPOCH_OVERSIZE, first + "A" * epoch.LONGEST_RECORD),
        "a record that is cut": chained(malformed, first[: first.rindex(".")]),
        "a record of another version": chained(
            Reason.EPOCH_VERSION, forged(first, alice, header=lambda header: header.update(typ="gpuaas-epoch.2"))
        ),
        "an envelope in place of a record": chained(Reason.EPOCH_VERSION, world.envelope),
        "a record by another algorithm": chained(
            Reason.EPOCH_ALGORITHM, forged(first, alice, header=lambda header: header.update(alg="none"))
        ),
        "a private key by another algorithm": record(
            Reason.EPOCH_ALGORITHM, lambda d: protected(lambda header: header.update(enc="A128GCM"))(d["private"])
        ),
        "a private key with an unprotected header": record(
            Reason.EPOCH_UNPROTECTED, lambda d: d["private"].update(unprotected={})
        ),
        "a private key that was changed": record(
            Reason.EPOCH_DECRYPTION, lambda d: d["private"].update(tag=strict.encode(bytes(16)))
        ),
        "a record that is not base64url": chained(Reason.EPOCH_BASE64URL, first + "="),
        "a record with a name twice": chained(
            Reason.EPOCH_DUPLICATE_NAME,
            first,
            signed(strict.canonical(document)[:-1] + b',"number":2}', its_header, alice.sign),
        ),
    }


def _with(**members: object) -> Callable[[dict[str, Any]], object]:
    return lambda header: header.update(members)


def _without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda header: header["gpuaas"].pop(name)


def _unsigned(text: str, change: Callable[[dict[str, Any]], object]) -> str:
    """Changed, with the signature that it had."""
    header, _payload, signature = text.split(".")
    _its_header, document = parts(text)
    change(document)
    return f"{header}.{strict.encode(strict.canonical(document))}.{signature}"


def _for(world: World, readers: list[Any]) -> str:
    """Bound to the newest epoch, and sealed for others."""
    header, document = parts(world.envelope)
    its = json.loads(strict.decode(document["protected"], Kind.ENVELOPE))["gpuaas"]
    return signed(strict.canonical(jwe.seal(PLAINTEXT, its, readers)), header, world.alice.sign)


def _misnamed(world: World) -> str:
    def rename(document: dict[str, Any]) -> None:
        document["recipients"][0]["header"]["kid"] = world.chain.current.kid

    header, document = parts(_for(world, [keys.generate()]))
    rename(document)
    return signed(strict.canonical(document), header, world.alice.sign)


def _another_private(world: World) -> Callable[[dict[str, Any]], None]:
    """A signer who lies about the private half: nobody could open what is sealed to the public one."""

    def change(document: dict[str, Any]) -> None:
        its = json.loads(strict.decode(document["private"]["protected"], Kind.EPOCH))["gpuaas"]
        readers = [world.alice.agree, world.carol.agree, world.recovery]
        document["private"] = jwe.seal(strict.canonical(keys.private(keys.generate())), its, readers)

    return change


def _recipient(key: Any) -> dict[str, object]:
    return {"header": {"kid": keys.kid(key), "epk": keys.public(keys.generate())}, "encrypted_key": "AAAA"}


def _not_canonical(text: str) -> str:
    """The last digit of the signature's 64 bytes has four bits that stand for nothing."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + digits[digits.index(text[-1]) | 1]
