"""``python -m gpuaas``."""

from __future__ import annotations

import sys

from gpuaas.cli import main

sys.exit(main())
