"""What the environment of each command has of its own: as whom it comes to the stores."""

from __future__ import annotations

USERS = {
    "web": {"GPUAAS_REDIS_USER": "web"},
    "migrate": {"GPUAAS_DATABASE_USER": "gpuaas_owner"},
}
