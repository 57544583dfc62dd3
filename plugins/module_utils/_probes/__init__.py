# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks that the platform stands: their format, their kinds, and the engine that runs them."""
