# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0

"""The secrets of a run: generated once, checked each time."""
