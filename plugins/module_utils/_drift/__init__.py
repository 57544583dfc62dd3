# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the live objects of a cluster are not what the rendering says."""
