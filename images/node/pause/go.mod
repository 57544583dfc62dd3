module gpuaas.parity/images/node/pause

go 1.26.0
