# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""One look at the platform: what stands, where it is reached, who may log in."""
