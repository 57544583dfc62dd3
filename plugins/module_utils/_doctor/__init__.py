# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would stop which mode on this machine and in this checkout. Everything is read and nothing is changed."""
