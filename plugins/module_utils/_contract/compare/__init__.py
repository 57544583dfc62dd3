# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two modes side by side: what differs, and whether it differs in meaning."""
