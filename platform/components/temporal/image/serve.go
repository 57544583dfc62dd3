package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	persistence "go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/common/resolver"
	"go.temporal.io/server/temporal"

	"gpuaas.parity/platform/components/temporal/image/access"
)

// serve runs all services of Temporal in this process until it is told to end. What is missing at the start is waited for.
func serve(ctx context.Context) error {
	server, err := newConfig()
	if err != nil {
		return err
	}
	if _, err := declared(); err != nil {
		return err
	}
	state := &state{}
	if err := listenForProbes(state); err != nil {
		return err
	}
	// The server gives up where its schema is not there yet, and a restart would wait in back-off.
	if untilTold(ctx, "the schema", state.waits, func(context.Context) error {
		return persistence.VerifyCompatibleVersion(server.Persistence, resolver.NewNoopResolver(), log.NewNoopLogger())
	}) != nil {
		return nil // told to end
	}
	running, err := newServer(server)
	if err != nil {
		return err
	}
	if err := running.Start(); err != nil {
		return err
	}
	state.started.Store(true)
	if untilTold(ctx, "the namespaces", state.waits, healNamespaces) == nil {
		state.reconciled.Store(true)
		<-ctx.Done()
	}
	return running.Stop()
}

// newConfig is Temporal's own configuration, with the passwords of the databases from their files, and with what listens where.
func newConfig() (*config.Config, error) {
	server, err := config.Load(config.WithConfigFile(filepath.Join(configDirectory, "server.yaml")))
	if err != nil {
		return nil, err
	}
	for name, store := range server.Persistence.DataStores {
		if store.SQL.Password, err = secret(name + "_password"); err != nil {
			return nil, err
		}
	}
	port, err := frontendPort()
	if err != nil {
		return nil, err
	}
	server.Services = map[string]config.Service{
		string(primitives.FrontendService): {RPC: config.RPC{GRPCPort: port, BindOnIP: "0.0.0.0"}},
	}
	for name, port := range internal {
		server.Services[string(name)] = config.Service{RPC: config.RPC{GRPCPort: port, BindOnLocalHost: true}}
	}
	return server, nil
}

func newServer(server *config.Config) (temporal.Server, error) {
	text, err := os.ReadFile(filepath.Join(configDirectory, "access.yaml"))
	if err != nil {
		return nil, err
	}
	mapper, err := access.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("access.yaml: %w", err)
	}
	host, err := setting("TEMPORAL_HOST")
	if err != nil {
		return nil, err
	}
	frontend, err := newFrontendTLS(host)
	if err != nil {
		return nil, err
	}
	// One process: nobody has to be found, so no membership protocol listens anywhere.
	hosts := map[primitives.ServiceName]static.Hosts{}
	for name, service := range server.Services {
		hosts[primitives.ServiceName(name)] = static.SingleLocalHost(loopback(service.RPC.GRPCPort))
	}
	return temporal.NewServer(
		temporal.WithConfig(server),
		temporal.WithLogger(log.NewZapLogger(log.BuildZapLogger(server.Log))),
		temporal.ForServices(temporal.Services),
		temporal.WithStaticHosts(hosts),
		temporal.WithTLSConfigFactory(frontend),
		temporal.WithAuthorizer(authorization.NewDefaultAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return mapper }),
	)
}
