"""The stand-in for Infisical of the platform, as it lies in the component's folder, and a cluster that issues tokens."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters, KeySet, RSAKey

FILE = Path(__file__).parents[3] / "platform/components/infisical-stand-in/kubernetes/stand_in.py"
ISSUER, AUDIENCE, NAMESPACE = (
    "https://kubernetes.default.svc.cluster.local",
    "https://stand-in.test:8443",
    "gpuaas-control-plane",
)
PROJECT, ENVIRONMENT = "gpuaas", "local"


def module() -> ModuleType:
    """The program. It is no package: in a container it is one file."""
    if "stand_in" not in sys.modules:
        found = importlib.util.spec_from_file_location("stand_in", FILE)
        assert found
        assert found.loader
        sys.modules["stand_in"] = importlib.util.module_from_spec(found)
        found.loader.exec_module(sys.modules["stand_in"])
    return sys.modules["stand_in"]


def mounted(directory: Path, folders: Mapping[str, Mapping[str, str]]) -> Path:
    """The files of some folders, as they are mounted for it."""
    directory.mkdir(exist_ok=True)
    for component, values in folders.items():
        for key, value in {"client_secret": f"secret-of-{component}", **values}.items():
            (directory / f"{component}.{key}").write_text(value)
    return directory


class Issuer:
    """A cluster: its key, the tokens that its kubelet mounts, and how often it was asked for keys.

    The platform has kubeadm make ECDSA-P256 (decision 0012); its own choice is RSA.
    """

    def __init__(self, kind: str = "EC") -> None:
        about: KeyParameters = {"kid": "cluster-1", "use": "sig", "alg": "ES256" if kind == "EC" else "RS256"}
        self.key: ECKey | RSAKey
        if kind == "EC":
            self.key = ECKey.generate_key("P-256", parameters=about, private=True)
        else:
            self.key = RSAKey.generate_key(2048, parameters=about, private=True)
        self.asked = 0
        self.fault: Exception | None = None

    def keys(self) -> Any:
        """What /openid/v1/jwks answers."""
        self.asked += 1
        if self.fault:
            raise self.fault
        return KeySet([self.key]).as_dict(private=False)

    def token(self, component: str = "api", namespace: str = NAMESPACE, **changes: Any) -> str:
        """A projected service-account token; ``changes`` replace claims, or with None remove them."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": [AUDIENCE],
            "sub": f"system:serviceaccount:{namespace}:{component}",
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
        }
        algorithm = str(self.key.alg)
        header = {"alg": algorithm, "kid": "cluster-1"}
        said = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(header, said, self.key, algorithms=[algorithm])


def cluster(issuer: Issuer) -> Any:
    """What verifies the tokens of ``issuer``."""
    return module().Cluster(ISSUER, AUDIENCE, frozenset({NAMESPACE}), issuer.keys)
