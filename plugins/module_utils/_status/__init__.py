# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at the platform: what stands, where it is reached, who may log in."""
