# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The types of secrets. A type is defined here and nowhere else: its shape, how a value is made, renewed and judged."""
