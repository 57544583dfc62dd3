"""The reference GPU-as-a-service control plane: API, web console, migrations."""

from __future__ import annotations

__version__ = "0.1.0"
