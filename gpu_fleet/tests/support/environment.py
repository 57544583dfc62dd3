"""Settings, as the contract names them."""

from __future__ import annotations

from pathlib import Path

TOKEN = "controller-test-token"


def environ(directory: Path) -> dict[str, str]:
    """Those of a fleet that keeps what it has in a directory; time passes as on the wall."""
    credentials, data = directory / "credentials", directory / "data"
    credentials.mkdir()
    data.mkdir()
    (credentials / "controller_token").write_text(f"{TOKEN}\n")
    return {
        "GPU_FLEET_LOG_LEVEL": "info",
        "GPU_FLEET_HOST": "127.0.0.1",
        "GPU_FLEET_LISTEN_PORT": "8443",
        "GPU_FLEET_PROBE_PORT": "9000",
        "GPU_FLEET_SIMULATION_PORT": "8089",
        "GPU_FLEET_CA_FILE": str(directory / "certificate" / "ca.crt"),
        "GPU_FLEET_CERTIFICATE": str(directory / "certificate"),
        "GPU_FLEET_CREDENTIALS": str(credentials),
        "GPU_FLEET_DATA": str(data),
        "GPU_FLEET_FAULTS_FILE": str(data / "faults.json"),
        "GPU_FLEET_NODES": "8xH100,8xH100,8xA100,4xL40S",
        "GPU_FLEET_SEED": "test",
        "GPU_FLEET_SPEED": "1",
        "GPU_FLEET_ATTACH_TIME": "8s",
        "GPU_FLEET_START_TIME": "40s",
        "GPU_FLEET_VERIFY_TIME": "20s",
        "GPU_FLEET_DEPLOY_TIME": "20s",
        "GPU_FLEET_REMOVE_TIME": "6s",
        "GPU_FLEET_STOP_TIME": "10s",
        "GPU_FLEET_RELEASE_TIME": "4s",
    }
