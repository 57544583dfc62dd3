# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""Server-side apply of Kustomize bases."""
