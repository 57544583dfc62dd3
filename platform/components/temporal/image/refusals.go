package main

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// checkRefusals tries what must be refused: a client without a certificate; one with a certificate that may only read, this
// component's own; and the services that answer to nobody but this process.
func checkRefusals(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, try := range []func(context.Context) error{refusesNobody, refusesWrites, refusesToBeReached} {
		if err := try(ctx); err != nil {
			return err
		}
	}
	fmt.Println("everybody else is refused")
	return nil
}

func refusesNobody(ctx context.Context) error {
	_, authority, err := certificates()
	if err != nil {
		return err
	}
	host, err := setting("TEMPORAL_HOST")
	if err != nil {
		return err
	}
	stranger, err := connect(clientTLS(host, nil, authority))
	if err != nil {
		return err
	}
	defer stranger.Close()
	// What everybody may ask who gets in.
	_, err = workflowservice.NewWorkflowServiceClient(stranger).GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	if status.Code(err) != codes.Unavailable {
		return fmt.Errorf("a client without a certificate is let in: %v", err)
	}
	// Unavailable is also what nobody listens for: whoever has a certificate does get in.
	known, err := asClient()
	if err != nil {
		return err
	}
	defer known.Close()
	_, err = workflowservice.NewWorkflowServiceClient(known).GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	return err
}

func refusesWrites(ctx context.Context) error {
	wanted, err := declared()
	if err != nil {
		return err
	}
	connection, err := asClient()
	if err != nil {
		return err
	}
	defer connection.Close()
	workflows := workflowservice.NewWorkflowServiceClient(connection)
	for name := range wanted {
		for what, try := range writes(workflows, name) {
			if err := try(ctx); status.Code(err) != codes.PermissionDenied {
				return fmt.Errorf("whoever may only read can %s in namespace %s: %v", what, name, err)
			}
		}
	}
	return nil
}

// writes would change nothing if they were allowed either: they lack what they are about.
func writes(workflows workflowservice.WorkflowServiceClient, namespace string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"start a workflow": func(ctx context.Context) error {
			_, err := workflows.StartWorkflowExecution(ctx, &workflowservice.StartWorkflowExecutionRequest{Namespace: namespace})
			return err
		},
		"terminate one": func(ctx context.Context) error {
			_, err := workflows.TerminateWorkflowExecution(ctx, &workflowservice.TerminateWorkflowExecutionRequest{Namespace: namespace})
			return err
		},
		"change the namespace": func(ctx context.Context) error {
			_, err := workflows.UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{Namespace: namespace})
			return err
		},
	}
}

func refusesToBeReached(ctx context.Context) error {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return err
	}
	var dialer net.Dialer
	for _, each := range addresses {
		network, ok := each.(*net.IPNet)
		if !ok || network.IP.IsLoopback() {
			continue
		}
		for service, port := range internal {
			at := net.JoinHostPort(network.IP.String(), strconv.Itoa(port))
			if connection, err := dialer.DialContext(ctx, "tcp", at); err == nil {
				connection.Close()
				return fmt.Errorf("%s is reached at %s", service, at)
			}
		}
	}
	return nil
}
