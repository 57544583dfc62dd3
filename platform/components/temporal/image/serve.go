package main

import (
	"context"
	"fmt"
	"net"
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
	"gpuaas.parity/platform/components/temporal/image/namespaces"
)

// serve runs all services of Temporal in this process until it is told to end. What is missing at the start is waited for.
func serve(ctx context.Context) error {
	server, logger, err := newConfig()
	if err != nil {
		return err
	}
	wanted, err := declared()
	if err != nil {
		return err
	}
	options, err := options(server, logger)
	if err != nil {
		return err
	}
	state := &state{}
	if err := listenForProbes(state); err != nil {
		return err
	}
	// The server gives up where its schema is not there yet, and a restart would wait in back-off.
	err = untilTold(ctx, "the schema", state.waits, func(context.Context) error {
		return persistence.VerifyCompatibleVersion(server.Persistence, resolver.NewNoopResolver(), log.NewNoopLogger())
	})
	if err != nil {
		return nil //nolint:nilerr // told to end
	}
	running, err := temporal.NewServer(options...)
	if err != nil {
		return err
	}
	if err := running.Start(); err != nil {
		return err
	}
	state.started.Store(true)
	if untilTold(ctx, "the namespaces", state.waits, func(ctx context.Context) error { return reconcile(ctx, wanted) }) == nil {
		state.reconciled.Store(true)
		<-ctx.Done()
	}
	return running.Stop()
}

func reconcile(ctx context.Context, wanted map[string]namespaces.Wanted) error {
	connection, err := asAdministrator()
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	changed, err := namespaces.Reconcile(ctx, connection, wanted)
	for _, says := range changed {
		fmt.Fprintf(os.Stderr, "put right: %s\n", says)
	}
	return err
}

// newConfig is Temporal's own configuration, with the passwords of the databases from their files.
func newConfig() (*config.Config, log.Logger, error) {
	server, err := config.Load(config.WithConfigFile(filepath.Join(configDirectory, "server.yaml")))
	if err != nil {
		return nil, nil, err
	}
	for name, store := range server.Persistence.DataStores {
		if store.SQL.Password, err = secret(name + "_password"); err != nil {
			return nil, nil, err
		}
	}
	return server, log.NewZapLogger(log.BuildZapLogger(server.Log)), nil
}

func options(server *config.Config, logger log.Logger) ([]temporal.ServerOption, error) {
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
	port, err := setting("TEMPORAL_PORT")
	if err != nil {
		return nil, err
	}
	return []temporal.ServerOption{
		temporal.WithConfig(server),
		temporal.WithLogger(logger),
		temporal.ForServices(temporal.Services),
		temporal.WithAuthorizer(authorization.NewDefaultAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return mapper }),
		temporal.WithTLSConfigFactory(frontend),
		// One process: nobody has to be found, so no membership protocol listens anywhere.
		temporal.WithStaticHosts(map[primitives.ServiceName]static.Hosts{
			primitives.FrontendService:         static.SingleLocalHost(net.JoinHostPort("127.0.0.1", port)),
			primitives.InternalFrontendService: static.SingleLocalHost(loopback(internalFrontendPort)),
			primitives.HistoryService:          static.SingleLocalHost(loopback(historyPort)),
			primitives.MatchingService:         static.SingleLocalHost(loopback(matchingPort)),
			primitives.WorkerService:           static.SingleLocalHost(loopback(workerPort)),
		}),
	}, nil
}
