package namespaces

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// A step is one difference and what ends it.
type step struct {
	says string
	heal func(context.Context) error
}

// Differences says where the namespaces are not as wanted, and changes nothing.
func Differences(ctx context.Context, connection grpc.ClientConnInterface, wanted map[string]Wanted) ([]string, error) {
	steps, err := plan(ctx, connection, wanted)
	says := make([]string, 0, len(steps))
	for _, step := range steps {
		says = append(says, step.says)
	}
	return says, err
}

// Reconcile makes the namespaces what is wanted, and says what it changed. Whatever is right is left alone, so it can be called
// again at any time, and by several at once.
func Reconcile(ctx context.Context, connection grpc.ClientConnInterface, wanted map[string]Wanted) ([]string, error) {
	var changed []string
	for {
		steps, err := plan(ctx, connection, wanted)
		if err != nil || len(steps) == 0 {
			return changed, err
		}
		if slices.Contains(changed, steps[0].says) {
			return changed, fmt.Errorf("%s, although that was put right", steps[0].says)
		}
		// One at a time: what is missing of a namespace is known once there is one, and an attribute of another type has to go first.
		if err := steps[0].heal(ctx); err != nil {
			return changed, fmt.Errorf("%s: %w", steps[0].says, err)
		}
		changed = append(changed, steps[0].says)
	}
}

func plan(ctx context.Context, connection grpc.ClientConnInterface, wanted map[string]Wanted) ([]step, error) {
	var steps []step
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		of, err := planOne(ctx, connection, name, wanted[name])
		if err != nil {
			return nil, fmt.Errorf("namespace %s: %w", name, err)
		}
		steps = append(steps, of...)
	}
	return steps, nil
}

func planOne(ctx context.Context, connection grpc.ClientConnInterface, name string, wanted Wanted) ([]step, error) {
	workflows, operator := workflowservice.NewWorkflowServiceClient(connection), operatorservice.NewOperatorServiceClient(connection)
	namespace, err := workflows.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: name})
	if status.Code(err) == codes.NotFound {
		return []step{{"namespace " + name + " is missing", func(ctx context.Context) error {
			return register(ctx, workflows, name, wanted.Retention)
		}}}, nil
	}
	if err != nil {
		return nil, err
	}
	var steps []step
	if retention := namespace.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration(); retention != wanted.Retention {
		steps = append(steps, step{fmt.Sprintf("namespace %s: retention is %s, not %s", name, retention, wanted.Retention), func(ctx context.Context) error {
			_, err := workflows.UpdateNamespace(ctx, &workflowservice.UpdateNamespaceRequest{
				Namespace: name,
				Config:    &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(wanted.Retention)},
			})
			return err
		}})
	}
	listed, err := operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: name})
	if err != nil {
		return nil, err
	}
	return append(steps, attributes(operator, name, wanted.Attributes, listed.GetCustomAttributes())...), nil
}

func attributes(operator operatorservice.OperatorServiceClient, namespace string, wanted, found map[string]enumspb.IndexedValueType) []step {
	var steps []step
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if kind, known := wanted[name]; !known || kind != found[name] {
			says := fmt.Sprintf("namespace %s: search attribute %s of type %s is not declared", namespace, name, found[name])
			steps = append(steps, step{says, func(ctx context.Context) error {
				_, err := operator.RemoveSearchAttributes(ctx, &operatorservice.RemoveSearchAttributesRequest{
					Namespace: namespace, SearchAttributes: []string{name},
				})
				return err
			}})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if _, there := found[name]; !there {
			says := fmt.Sprintf("namespace %s: search attribute %s of type %s is missing", namespace, name, wanted[name])
			steps = append(steps, step{says, func(ctx context.Context) error {
				_, err := operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
					Namespace: namespace, SearchAttributes: map[string]enumspb.IndexedValueType{name: wanted[name]},
				})
				return err
			}})
		}
	}
	return steps
}

func register(ctx context.Context, workflows workflowservice.WorkflowServiceClient, name string, retention time.Duration) error {
	_, err := workflows.RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: name, WorkflowExecutionRetentionPeriod: durationpb.New(retention),
	})
	if status.Code(err) == codes.AlreadyExists {
		return nil
	}
	return err
}
