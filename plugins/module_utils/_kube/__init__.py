# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""Read-only access to the Kubernetes API of the cluster on this machine."""
