# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file for each kind of object: what a realm should hold against what it holds."""
