# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Compose project of a checkout: what it is made of here, which checkout made it, its data, its end."""
