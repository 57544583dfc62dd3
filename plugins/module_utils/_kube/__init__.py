# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read-only access to the Kubernetes API of the cluster on this machine."""
