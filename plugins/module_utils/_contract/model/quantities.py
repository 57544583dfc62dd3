# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubernetes quantities as numbers (kubernetes.io, "Resource units in Kubernetes")."""

from __future__ import annotations

import re
from fractions import Fraction

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_UNITS = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    **{unit: Fraction(1000**power) for power, unit in enumerate("kMGT", 1)},
    **{f"{unit}i": Fraction(1024**power) for power, unit in enumerate("KMGT", 1)},
}


def quantity(value: object) -> Fraction | None:
    """``512Mi`` in bytes, ``250m`` in CPUs; None for what is no quantity."""
    found = _QUANTITY.fullmatch(str(value))
    return Fraction(found[1]) * _UNITS[found[2] or ""] if found else None
