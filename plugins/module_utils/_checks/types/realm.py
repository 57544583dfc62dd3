# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The realm of the identity provider is what the contract says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.realm import rows_of
from ansible_collections.gpuaas.parity.plugins.module_utils._drift.rows import summary
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.bootstrap import Request, bootstrap

# Seconds that a provider which does not answer is asked again: whoever validates wants to know that it does not.
_PATIENCE = 3.0


@dataclass(frozen=True)
class Realm:
    """The realm needs no change to be as it was rendered, and nothing is there besides but users and groups that somebody made.

    Nor is anybody in the realm of administrators besides who belongs there.

    ``client`` is the temporary administrator that the provider starts with, and ``secret`` the name of its secret.
    """

    targets: ClassVar[frozenset[str]] = HERE
    client: str
    secret: str

    def run(self, context: Context) -> Observation:
        request = Request(
            document=context.realm,
            ca_file=str(context.ca_file),
            secrets_file=str(context.state_dir / "secrets" / "secrets.yml"),
            bootstrap_client_id=self.client,
            bootstrap_secret=self.secret,
            check=True,
            patience=_PATIENCE,
        )
        outcome = bootstrap(request)
        rows = rows_of(outcome)
        if rows:
            return failed("REALM_DRIFTED", summary(rows), rows=[row.as_dict() for row in rows])
        beside = f", beside {', '.join(outcome.kept)} that somebody made" if outcome.kept else ""
        return passed(f"realm {context.realm['realm']} is as it was rendered{beside}")
