"""What the server opens in which security mode, and what a dashboard is shown."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest
from pydantic import ValidationError

from gpuaas.api.caller import Caller
from gpuaas.encryption import dashboard, tenant
from gpuaas.encryption.dashboard import ADAPTER, PlainEnvelope, SealedEnvelope
from gpuaas.encryption.decryption import ROLE, DecryptionContext, Envelope, Opening, Plain, Sealed
from gpuaas.encryption.epoch import Chain, Pin
from gpuaas.encryption.escrow import Escrowed
from gpuaas.encryption.member import MemberKey
from gpuaas.encryption.refusal import Reason, RefusedError
from gpuaas.encryption.security import SecurityMode
from support.envelopes import BINDING, OTHERS, PLAINTEXT, PROJECT, World

WORLD = World()
ENVELOPE = Envelope(WORLD.envelope, tenant.Expected(BINDING), WORLD.chain)
MEMBER = Caller("s-1", "alice", frozenset({"viewer"}), (PROJECT,), 0.0)
DECRYPTOR = replace(MEMBER, roles=frozenset({"viewer", ROLE}))
STRANGER = replace(DECRYPTOR, projects=("borealis",))
PURPOSE = "support case 4711"


@dataclass
class Kept:
    """A context, and the audit events that it left."""

    context: DecryptionContext
    audited: list[Opening]

    def open(self, envelope: Envelope = ENVELOPE, caller: Caller = MEMBER, purpose: str = PURPOSE) -> Plain | Sealed:
        return asyncio.run(self.context.open(envelope, caller, purpose))


def _kept(
    mode: SecurityMode, key: MemberKey | None = WORLD.carol, audited: bool = True, pin: Pin = WORLD.first.current.pin
) -> Kept:
    events: list[Opening] = []

    async def held_of(chain: Chain) -> Escrowed | None:
        assert mode is not SecurityMode.PROD, "no key is looked for"
        assert chain is WORLD.chain
        return Escrowed(key, pin) if key else None

    async def audit(opening: Opening) -> None:
        if not audited:
            raise ConnectionError("the journal is not there")
        events.append(opening)

    return Kept(DecryptionContext(mode, held_of, audit), events)


def test_local_opens_for_a_member_who_is_logged_in() -> None:
    local = _kept(SecurityMode.LOCAL)
    assert local.open(purpose="") == Plain(PLAINTEXT, SecurityMode.LOCAL)
    assert local.open(caller=STRANGER) == Sealed(Reason.PLAINTEXT_NOT_A_MEMBER)


def test_staging_opens_for_the_role_and_a_purpose_and_says_so() -> None:
    staging = _kept(SecurityMode.STAGING)
    assert staging.open(caller=MEMBER) == Sealed(Reason.PLAINTEXT_ROLE)
    assert staging.open(caller=STRANGER) == Sealed(Reason.PLAINTEXT_NOT_A_MEMBER)
    for purpose in ("", "  ", "x" * 201):
        assert staging.open(caller=DECRYPTOR, purpose=purpose) == Sealed(Reason.PLAINTEXT_PURPOSE)
    assert staging.audited == []
    assert staging.open(caller=DECRYPTOR) == Plain(PLAINTEXT, SecurityMode.STAGING)
    assert staging.audited == [Opening("s-1", PROJECT, BINDING.event_id, BINDING.type, PURPOSE)]


def test_what_cannot_be_audited_is_not_opened() -> None:
    with pytest.raises(ConnectionError):
        _kept(SecurityMode.STAGING, audited=False).open(caller=DECRYPTOR)


@pytest.mark.parametrize(
    "caller", [MEMBER, DECRYPTOR, STRANGER, replace(MEMBER, roles=frozenset({"platform", "operator"}))]
)
def test_prod_opens_for_nobody_and_looks_for_no_key(caller: Caller) -> None:
    assert _kept(SecurityMode.PROD).open(caller=caller) == Sealed(Reason.PLAINTEXT_NOT_HERE)


def test_without_a_key_it_stays_sealed() -> None:
    assert _kept(SecurityMode.LOCAL, None).open() == Sealed(Reason.PLAINTEXT_NO_KEY)
    assert _kept(SecurityMode.LOCAL, WORLD.bob).open() == Sealed(Reason.EPOCH_RECIPIENT)


def test_epochs_that_the_member_does_not_trust_open_nothing() -> None:
    """Whoever writes to the database, and has no root key, makes a chain of their own."""
    staging = _kept(SecurityMode.STAGING, pin=Pin(1, WORLD.chain.current.pin.digest))
    assert staging.open(caller=DECRYPTOR) == Sealed(Reason.EPOCH_PIN)
    assert staging.audited == []


@pytest.mark.parametrize("name", sorted(set(OTHERS) - {"project"}))
def test_what_is_not_as_expected_stays_sealed(name: str) -> None:
    other = replace(ENVELOPE, expected=tenant.Expected(replace(BINDING, **{name: OTHERS[name]})))
    staging = _kept(SecurityMode.STAGING)
    assert staging.open(other, DECRYPTOR) == Sealed(Reason(f"envelope_{name}"))
    assert staging.audited == []


def test_a_dashboard_is_shown_one_or_the_other() -> None:
    opened = _kept(SecurityMode.LOCAL).open()
    plain = dashboard.shown(ENVELOPE, opened, SecurityMode.LOCAL)
    assert isinstance(plain, PlainEnvelope)
    assert plain.content == PLAINTEXT.decode()
    assert plain.content not in repr(plain)
    sealed = dashboard.shown(ENVELOPE, _kept(SecurityMode.PROD).open(), SecurityMode.PROD)
    assert isinstance(sealed, SealedEnvelope)
    assert sealed.envelope == WORLD.envelope
    for shown in (plain, sealed):
        assert ADAPTER.validate_json(ADAPTER.dump_json(shown)) == shown
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({**plain.model_dump(), "envelope": WORLD.envelope})
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({**sealed.model_dump(), "content": "x"})
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({**plain.model_dump(), "kind": "open"})


def test_in_prod_there_is_no_plain() -> None:
    with pytest.raises(RefusedError):
        Plain(PLAINTEXT, SecurityMode.PROD)
    plain = dashboard.shown(ENVELOPE, Plain(PLAINTEXT, SecurityMode.LOCAL), SecurityMode.LOCAL)
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({**plain.model_dump(), "security_mode": SecurityMode.PROD})
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({**plain.model_dump(), "security_mode": "PROD"})


def test_plaintext_does_not_show_in_what_is_logged() -> None:
    opened = _kept(SecurityMode.LOCAL).open()
    assert PLAINTEXT.decode() not in f"{opened!r} {opened}"
    assert str(PLAINTEXT) not in f"{opened!r} {opened}"
