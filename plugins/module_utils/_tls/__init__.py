# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: Apache-2.0

"""The local certificate authority and the certificates of the endpoints."""
