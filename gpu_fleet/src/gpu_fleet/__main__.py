"""``python -m gpu_fleet``."""

from __future__ import annotations

import sys

from gpu_fleet.cli import main

sys.exit(main())
