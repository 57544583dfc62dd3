# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events of a run: made by its steps, kept in its directory, shown by a terminal or as JSON lines."""
