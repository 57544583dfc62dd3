# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0
"""One file for each kind of object: what a realm should hold against what it holds."""
