# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mode deploys: Kustomize overlays or a Compose project, as file contents."""
