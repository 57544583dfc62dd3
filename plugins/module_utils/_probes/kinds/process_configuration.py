# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running process says it was configured with is what the contract says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.kinds.configuration import difference
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.users import bearer, user_token


@dataclass(frozen=True)
class ProcessConfiguration:
    """``url`` tells an operator the names and SHA-256 digests of the process's settings, and those it does not read.

    The names are the contract's, each digest is that of the contract's value, and nothing is unread.
    """

    component: str
    url: str
    user: str = "alice"

    def run(self, context: Context) -> Observation:
        try:
            answer = context.http.get(self.url, headers=bearer(user_token(context, self.user)))
            document = answer.json() if answer.status_code == 200 else None
            told = {str(key): str(value["sha256"]) for key, value in document["settings"].items()} if document else None
            unread = list(document["unread"]) if document else []
        except httpx.TransportError as error:
            return failed("HTTP_UNREACHABLE", f"{self.url}: {type(error).__name__}: {error}")
        except (ValueError, KeyError, TypeError, AttributeError):
            told = None
        if told is None:
            return failed("CONFIGURATION_DRIFT", f"{self.url}: {answer.status_code}, not a list of settings")
        wanted = {
            key: hashlib.sha256(str(value).encode()).hexdigest() for key, value in context.service(self.component)["settings"].items()
        }
        wrong = difference(set(told), set(wanted))
        if wrong:
            return failed("CONFIGURATION_DRIFT", f"the process of {self.component} {wrong}")
        changed = [key for key in sorted(wanted) if told[key] != wanted[key]]
        if changed or unread:
            seen = f"differs in {', '.join(changed)}" if changed else f"does not read {', '.join(map(str, unread))}"
            return failed("CONFIGURATION_DRIFT", f"the process of {self.component} {seen}")
        return passed(f"the process of {self.component} runs with the contract's {len(wanted)} settings")
