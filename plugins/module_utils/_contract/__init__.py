# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0

"""The contract: what the platform is, and its rendering for a mode."""
