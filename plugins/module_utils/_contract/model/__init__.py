# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract as it is written: read, checked and resolved to plain values."""
