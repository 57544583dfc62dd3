"""The HTTP client that talks to the identity provider."""

from __future__ import annotations

import ssl

import httpx

TIMEOUT = httpx.Timeout(5.0, connect=2.0)


def create(tls: ssl.SSLContext) -> httpx.AsyncClient:
    """Verifies with our CA alone, follows no redirect and reads no proxy from the environment."""
    return httpx.AsyncClient(verify=tls, timeout=TIMEOUT, follow_redirects=False, trust_env=False)
