"""Keys are there when they are needed: while the provider hangs, and while somebody makes key ids up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from gpuaas.oidc import provider
from gpuaas.oidc.provider import (
    FETCH_SECONDS,
    FRESH_SECONDS,
    INTERVAL_SECONDS,
    TRUSTED_SECONDS,
    Provider,
    ProviderUnavailableError,
    UnknownKeyError,
)
from support import skipping

ISSUER = "http://issuer.test/realms/gpuaas"


class Keycloak:
    """Publishes keys by id, and counts who asks; ``hangs`` for ever when it is said to."""

    def __init__(self) -> None:
        self.kids = ["a"]
        self.hangs = False
        self.asked = 0

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("openid-configuration"):
            names = ("jwks_uri", "authorization_endpoint", "token_endpoint")
            return httpx.Response(200, json={"issuer": ISSUER, **{name: f"{ISSUER}/{name}" for name in names}})
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        return httpx.Response(200, json={"keys": [{**KEY, "kid": kid} for kid in self.kids]})

    def provider(self) -> Provider:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return Provider(ISSUER, http, asyncio.get_running_loop().time)


KEY = ECKey.generate_key("P-256", {"use": "sig"}).as_dict(private=False)


def run(test: Callable[[Keycloak, Provider], Awaitable[Any]]) -> None:
    async def all_of_it() -> None:
        keycloak = Keycloak()
        await test(keycloak, keycloak.provider())

    skipping.run(all_of_it())


async def at_once[T](awaitable: Awaitable[T]) -> T:
    """What is there without a wait for anybody: the event loop turns, no time passes."""
    task = asyncio.ensure_future(awaitable)
    for _turn in range(3):
        await asyncio.sleep(0)
    assert task.done()
    return await task


def test_old_keys_are_served_while_the_provider_hangs_and_renewed_when_it_answers() -> None:
    async def test(keycloak: Keycloak, its: Provider) -> None:
        await its.key("a")
        await asyncio.sleep(FRESH_SECONDS)
        keycloak.hangs = True
        for _round in range(20):
            await at_once(its.key("a"))
        await asyncio.sleep(FETCH_SECONDS)
        await at_once(its.key("a"))
        assert keycloak.asked == 2
        keycloak.hangs, keycloak.kids = False, ["b"]
        await asyncio.sleep(INTERVAL_SECONDS)
        await at_once(its.key("a"))
        await asyncio.sleep(0.001)
        assert keycloak.asked == 3
        await at_once(its.key("b"))
        with pytest.raises(UnknownKeyError):
            await its.key("a")

    run(test)


def test_keys_are_not_trusted_for_ever() -> None:
    async def test(keycloak: Keycloak, its: Provider) -> None:
        await its.key("a")
        keycloak.hangs = True
        await asyncio.sleep(TRUSTED_SECONDS - 10)
        await at_once(its.key("a"))
        await asyncio.sleep(10)
        with pytest.raises(ProviderUnavailableError):
            await its.key("a")

    run(test)


def test_whoever_waits_for_a_provider_that_hangs_delays_nobody() -> None:
    async def test(keycloak: Keycloak, its: Provider) -> None:
        await its.key("a")
        keycloak.hangs = True
        forged = asyncio.create_task(its.key("made up"))
        # The fetch began an interval after the first one.
        await asyncio.sleep(INTERVAL_SECONDS + FETCH_SECONDS - 0.001)
        assert not forged.done()
        await at_once(its.key("a"))
        with pytest.raises(ProviderUnavailableError, match="no answer within"):
            await forged

    run(test)


def test_a_first_fetch_that_fails_is_not_repeated_for_each_request() -> None:
    async def test(keycloak: Keycloak, its: Provider) -> None:
        keycloak.hangs = True
        answers = await asyncio.gather(*(its.key("a") for _round in range(20)), return_exceptions=True)
        assert {answer.__class__ for answer in answers} == {ProviderUnavailableError}
        with pytest.raises(ProviderUnavailableError):
            await at_once(its.key("a"))
        assert keycloak.asked == 1
        keycloak.hangs = False
        await asyncio.sleep(INTERVAL_SECONDS)
        await its.key("a")

    run(test)


def test_a_rotated_key_is_found_although_somebody_makes_key_ids_up() -> None:
    async def test(keycloak: Keycloak, its: Provider) -> None:
        await its.key("a")
        with pytest.raises(UnknownKeyError):
            await its.key("made up")
        keycloak.kids = ["a", "rotated"]
        await its.key("rotated")

    run(test)


def test_made_up_key_ids_share_a_fetch_and_each_has_one() -> None:
    async def test(keycloak: Keycloak, its: Provider) -> None:
        await its.key("a")
        for _round in range(3):
            made_up = (its.key(f"made-up-{number}") for number in range(50))
            answers = await asyncio.gather(*made_up, return_exceptions=True)
            assert {answer.__class__ for answer in answers} == {UnknownKeyError}
        assert keycloak.asked == 2

    run(test)


def test_no_number_of_made_up_key_ids_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "MAX_UNKNOWN", 2)

    async def test(keycloak: Keycloak, its: Provider) -> None:
        await its.key("a")
        await asyncio.gather(*(its.key(kid) for kid in "xyz"), return_exceptions=True)
        for kid in "yz":
            with pytest.raises(UnknownKeyError):
                await at_once(its.key(kid))
        assert keycloak.asked == 2
        with pytest.raises(UnknownKeyError):
            await its.key("x")
        assert keycloak.asked == 3

    run(test)
