# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images: built from packages or pulled by digest, keyed by content, baked into the node."""
