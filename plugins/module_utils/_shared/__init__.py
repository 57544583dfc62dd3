# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of a shared mode through its public endpoints, which read and do nothing else."""
