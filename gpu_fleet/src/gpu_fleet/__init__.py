"""A simulated GPU fleet. What it serves as a fleet is in ``api``; that it is simulated is in ``simulation``."""

from __future__ import annotations

__version__ = "0.1.0"
