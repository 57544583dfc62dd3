# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the changes of one run share: the API, both states, and what came up on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.actual import Actual
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.api import Api
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.desired import Desired
from ansible_collections.gpuaas.parity.plugins.module_utils._keycloak.ownership import Ownership, PasswordMark


@dataclass
class Work:
    """One reconciliation. ``actual`` learns the ids of what is created while the work goes on.

    ``passwords_set`` collects the marks of the passwords that this run set; ``kept_groups`` the owned groups
    that the document dropped but that cannot go yet; ``beside`` the users and groups that somebody made.
    """

    api: Api
    desired: Desired
    actual: Actual
    passwords_set: dict[str, PasswordMark] = field(default_factory=dict)
    kept_groups: set[str] = field(default_factory=set)
    beside: set[str] = field(default_factory=set)

    @property
    def realm(self) -> str:
        return self.desired.realm

    @property
    def new_realm(self) -> bool:
        """Whether the realm is still to be made; roles, groups and users then come with it in one request."""
        return self.actual.settings is None

    @property
    def ownership(self) -> Ownership:
        return self.actual.ownership or Ownership()

    def dropped(self, kind: str, wanted: Iterable[str]) -> list[str]:
        """Owned names that are not ``wanted`` any more."""
        return sorted(self.ownership.of(kind) - set(wanted))
