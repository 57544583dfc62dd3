package namespaces

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	namespacepb "go.temporal.io/api/namespace/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	keyword = enumspb.INDEXED_VALUE_TYPE_KEYWORD
	text    = enumspb.INDEXED_VALUE_TYPE_TEXT
)

// A server is a Temporal with one namespace, or none. It counts what changed it.
type server struct {
	there      bool
	retention  time.Duration
	attributes map[string]enumspb.IndexedValueType
	changes    int
}

func (s *server) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	panic("nothing is streamed")
}

func (s *server) Invoke(_ context.Context, _ string, request, response any, _ ...grpc.CallOption) error {
	switch asked := request.(type) {
	case *workflowservice.DescribeNamespaceRequest:
		if !s.there {
			return status.Error(codes.NotFound, asked.GetNamespace())
		}
		proto.Merge(response.(proto.Message), &workflowservice.DescribeNamespaceResponse{
			Config: &namespacepb.NamespaceConfig{WorkflowExecutionRetentionTtl: durationpb.New(s.retention)},
		})
		return nil
	case *operatorservice.ListSearchAttributesRequest:
		proto.Merge(response.(proto.Message), &operatorservice.ListSearchAttributesResponse{CustomAttributes: s.attributes})
		return nil
	case *workflowservice.RegisterNamespaceRequest:
		s.there, s.retention = true, asked.GetWorkflowExecutionRetentionPeriod().AsDuration()
	case *workflowservice.UpdateNamespaceRequest:
		s.retention = asked.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration()
	case *operatorservice.AddSearchAttributesRequest:
		for name, kind := range asked.GetSearchAttributes() {
			// As Temporal: who is there already stays as it is.
			if _, known := s.attributes[name]; !known {
				s.attributes[name] = kind
			}
		}
	case *operatorservice.RemoveSearchAttributesRequest:
		for _, name := range asked.GetSearchAttributes() {
			delete(s.attributes, name)
		}
	default:
		return fmt.Errorf("%T is not understood", request)
	}
	s.changes++
	return nil
}

func declared(t *testing.T) map[string]Wanted {
	t.Helper()
	wanted, err := Parse([]byte(`jobs: {retention: 168h, search_attributes: {Id: Keyword, Project: Keyword}}`))
	if err != nil {
		t.Fatal(err)
	}
	return wanted
}

type kinds = map[string]enumspb.IndexedValueType

func TestWhateverDiffersIsSaidAndPutRight(t *testing.T) {
	for name, given := range map[string]struct {
		server server
		says   []string
	}{
		"nothing is there": {
			server{attributes: kinds{}},
			[]string{"namespace jobs is missing"},
		},
		"another retention": {
			server{there: true, retention: time.Hour, attributes: kinds{"Id": keyword, "Project": keyword}},
			[]string{"namespace jobs: retention is 1h0m0s, not 168h0m0s"},
		},
		"attributes": {
			server{there: true, retention: 168 * time.Hour, attributes: kinds{"Project": text, "Other": keyword}},
			[]string{
				"namespace jobs: search attribute Other of type Keyword is not declared",
				"namespace jobs: search attribute Project of type Text is not declared",
				"namespace jobs: search attribute Id of type Keyword is missing",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, wanted, ctx := given.server, declared(t), context.Background()
			says, err := Differences(ctx, &server, wanted)
			if err != nil || !slices.Equal(says, given.says) {
				t.Fatalf("differences: %q, %v", says, err)
			}
			if server.changes != 0 {
				t.Fatal("looking changed something")
			}
			if _, err := Reconcile(ctx, &server, wanted); err != nil {
				t.Fatal(err)
			}
			if says, err := Differences(ctx, &server, wanted); err != nil || len(says) != 0 {
				t.Fatalf("left: %q, %v", says, err)
			}
			before := server.changes
			if changed, err := Reconcile(ctx, &server, wanted); err != nil || len(changed) != 0 || server.changes != before {
				t.Fatalf("what is right was changed: %q, %v", changed, err)
			}
		})
	}
}

func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	for _, said := range []string{
		`jobs: {retention: 1m}`,
		`jobs: {}`,
		`jobs: {retention: 168h, search_attributes: {Id: Word}}`,
		`jobs: {retention: 168h, attributes: {Id: Keyword}}`,
		``,
	} {
		if _, err := Parse([]byte(said)); err == nil {
			t.Errorf("%q is taken", said)
		}
	}
}
