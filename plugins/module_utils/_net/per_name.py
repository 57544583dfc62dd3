# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection pool for each name, where many names share an address."""

from __future__ import annotations

import ssl
import threading

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx


class TransportPerName:
    """A pooled connection whose certificate was verified for one name must not serve another. Safe to use from several threads."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._by_name: dict[str, httpx.HTTPTransport] = {}

    def of(self, name: str) -> httpx.HTTPTransport:
        """The transport of ``name``, made when it is first asked for."""
        with self._lock:
            if name not in self._by_name:
                self._by_name[name] = httpx.HTTPTransport(verify=self._context, trust_env=False)
            return self._by_name[name]

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for transport in self._by_name.values():
                transport.close()
            self._by_name.clear()
