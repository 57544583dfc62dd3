# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that the platform stands: their format, their types, and the engine that runs them."""
