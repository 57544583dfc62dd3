# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secrets of a run: where their values come from, how they are kept, and how one is replaced."""
