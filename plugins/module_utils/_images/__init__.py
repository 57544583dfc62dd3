# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""Images: built from packages or pulled by digest, keyed by content, baked into the node."""
