# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract: what the platform is, and its rendering for a mode."""
