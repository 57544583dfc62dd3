"""A user with an access token, who logs in again as a browser does before it ends."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.session import open_context
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.oidc import claims
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import user_token
from ansible_collections.gpuaas.parity.plugins.module_utils._errors import ParityError
from ansible_collections.gpuaas.parity.plugins.module_utils._run.lock import RunLock

from .site import site_of

NAME, CLIENT = "alice", "gpuaas-web"
# Seconds. A token is not used in its last ones, and who was refused waits: ten wrong passwords lock a user out.
MARGIN, PATIENCE = 10.0, 5.0


@dataclass
class User:
    """The operator of the demo users. Thread-safe."""

    state_dir: Path
    logins: int = 0
    _token: str = field(default="", repr=False)
    _until: float = 0.0
    _early: float = 0.0
    _refused: ParityError | None = None
    _again_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def token(self) -> str:
        """A token that lives. Raises ParityError while nobody can log in."""
        with self._lock:
            now = time.time()
            if now < self._early or (now < self._until and RunLock(self.state_dir).holder() is not None):
                # A check of a run may be logging in, and Keycloak refuses two logins of one user at once.
                return self._token
            if self._refused and now < self._again_at:
                raise self._refused
            try:
                self._log_in()
            except ParityError as error:
                self._refused, self._again_at = error, time.time() + PATIENCE
                if now < self._until:
                    return self._token
                raise
            return self._token

    def forget(self) -> None:
        """The token was refused before its time."""
        with self._lock:
            self._until = self._early = 0.0

    def _log_in(self) -> None:
        with open_context(site_of(self.state_dir)) as context:
            self._token = user_token(context, NAME, CLIENT)
        began, ends = time.time(), float(claims(self._token)["exp"])
        self.logins += 1
        self._refused = None
        self._until, self._early = ends - MARGIN, began + (ends - began) / 2
