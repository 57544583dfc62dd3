# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How host-side Python reaches the platform: loopback only, verified TLS, no ambient proxy."""
