"""Names and sentences that would hurt a page are shown as what they are."""

from __future__ import annotations

import httpx
import psycopg
import pytest
from markupsafe import escape
from psycopg.types.json import Jsonb

from support.browser import Browser
from support.issuer import Issuer
from test_api_timeline import create

HURTS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "a\u202egnp.exe",
    "x" * 5_000,
]


@pytest.mark.parametrize("name", HURTS, ids=range(len(HURTS)))
def test_a_name_that_the_api_would_not_take_does_no_harm_where_it_is_there(
    browser: Browser, api: httpx.Client, issuer: Issuer, database: psycopg.Connection, name: str
) -> None:
    instance = create(api, issuer)
    database.execute("UPDATE instances SET name = %s", [name])
    database.execute(
        "WITH taken AS (UPDATE timeline_position SET last = last + 1 RETURNING last)"
        " INSERT INTO timeline SELECT last, gen_random_uuid(), %s, 'alpha', 'instance.started', now(), 'alice', %s, %s"
        " FROM taken",
        [instance, name[:300], Jsonb({})],
    )
    for page in (browser.get("/auth/login"), browser.get(f"/instances/{instance}")):
        assert page.status_code == 200
        shown = page.text
        assert escape(name) in shown
        if escape(name) != name:
            assert name not in shown
