# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running process is in the security mode that the contract says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import bearer, user_token
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx


@dataclass(frozen=True)
class SecurityMode:
    """``url`` tells ``user``, who logged in through ``client``, in which security mode the process runs, and what it holds of keys.

    What it holds is its own matter: it would not have started with what the mode refuses.
    """

    targets: ClassVar[frozenset[str]] = HERE
    component: str
    url: str
    user: str
    client: str

    def run(self, context: Context) -> Observation:
        try:
            answer = context.http.get(self.url, headers=bearer(user_token(context, self.user, self.client)))
        except httpx.TransportError as error:
            return failed("HTTP_UNREACHABLE", f"{self.url}: {type(error).__name__}: {error}")
        try:
            told = answer.json()["security"] if answer.status_code == 200 else {}
            mode, root, members = str(told["mode"]), str(told["root_key"]["scheme"]), str(told["member_keys"])
        except (ValueError, KeyError, TypeError):
            return failed("SECURITY_MODE_DRIFT", f"{self.url}: {answer.status_code}, and no word of a security mode")
        wanted = context.contract.get("security", "none")
        if mode != wanted:
            return failed("SECURITY_MODE_DRIFT", f"the process of {self.component} runs in {mode}, the contract says {wanted}")
        return passed(f"the process of {self.component} runs in {mode}: root key {root}, members' keys {members}")
