package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"

	"go.temporal.io/api/workflowservice/v1"
)

// frontendService is the name under which Temporal's frontend reports its health.
const frontendService = "temporal.api.workflowservice.v1.WorkflowService"

// probePatience is shorter than the node's own, so that the node hears the reason.
const probePatience = 3 * time.Second

// state is how far the start has come, and what it waits for.
type state struct {
	started, reconciled atomic.Bool
	waitsFor            atomic.Value
}

func (s *state) waits(says string) { s.waitsFor.Store(says) }

// listenForProbes answers the node, without TLS, at a port that no Service leads to.
func listenForProbes(state *state) error {
	port, err := setting("TEMPORAL_PROBE_PORT")
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("", port))
	if err != nil {
		return err
	}
	answers := http.NewServeMux()
	answers.HandleFunc("GET /healthz/live", answer(state.alive))
	answers.HandleFunc("GET /healthz/ready", answer(state.ready))
	server := &http.Server{Handler: answers, ReadHeaderTimeout: probePatience}
	go func() {
		fmt.Fprintln(os.Stderr, server.Serve(listener))
		os.Exit(1)
	}()
	return nil
}

func answer(try func(context.Context) error) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		ctx, cancel := context.WithTimeout(request.Context(), probePatience)
		defer cancel()
		if err := try(ctx); err != nil {
			http.Error(response, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(response, "ok")
	}
}

// alive: the frontend answers, once it was started. Its databases are no part of this: a restart would not bring them back.
func (s *state) alive(ctx context.Context) error {
	if !s.started.Load() {
		return nil
	}
	connection, err := asAdministrator()
	if err != nil {
		return err
	}
	defer connection.Close()
	says, err := grpc_health_v1.NewHealthClient(connection).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: frontendService})
	if err == nil && says.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		return fmt.Errorf("the frontend says %s", says.GetStatus())
	}
	return err
}

// ready: a new connection to the frontend with a client's certificate reads every declared namespace, from the database.
func (s *state) ready(ctx context.Context) error {
	if !s.reconciled.Load() {
		if says, ok := s.waitsFor.Load().(string); ok {
			return errors.New(says)
		}
		return errors.New("the server is starting")
	}
	wanted, err := declared()
	if err != nil {
		return err
	}
	connection, err := asLocalClient()
	if err != nil {
		return err
	}
	defer connection.Close()
	for name := range wanted {
		if _, err := workflowservice.NewWorkflowServiceClient(connection).DescribeNamespace(
			ctx, &workflowservice.DescribeNamespaceRequest{Namespace: name}); err != nil {
			return fmt.Errorf("namespace %s: %w", name, err)
		}
	}
	return nil
}

// asLocalClient is asClient without the way through the Service, which leads to whatever is ready.
func asLocalClient() (*grpc.ClientConn, error) {
	certificate, authority, err := certificates()
	if err != nil {
		return nil, err
	}
	host, err := setting("TEMPORAL_HOST")
	if err != nil {
		return nil, err
	}
	port, err := frontendPort()
	if err != nil {
		return nil, err
	}
	return grpc.NewClient(loopback(port), grpc.WithTransportCredentials(
		credentials.NewTLS(clientTLS(host, &certificate, authority))))
}
