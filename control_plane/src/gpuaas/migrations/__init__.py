"""Numbered SQL files, one transaction each; applied by ``gpuaas migrate``."""
