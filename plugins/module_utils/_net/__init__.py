# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""How host-side Python reaches the platform: loopback only, verified TLS, no ambient proxy."""
