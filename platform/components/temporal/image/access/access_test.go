package access

import (
	"context"
	"crypto/x509/pkix"
	"testing"

	"go.temporal.io/server/common/authorization"
)

const clients = `
clients:
  worker: {jobs: write}
  reader: {"*": read}
`

const service = "/temporal.api.workflowservice.v1.WorkflowService/"

// decide asks Temporal's own authorizer, as the server does.
func decide(t *testing.T, subject *pkix.Name, api, namespace string) bool {
	t.Helper()
	mapper, err := Parse([]byte(clients))
	if err != nil {
		t.Fatal(err)
	}
	claims, err := mapper.GetClaims(&authorization.AuthInfo{TLSSubject: subject, AuthToken: "Bearer of.no.matter"})
	if err != nil {
		t.Fatal(err)
	}
	result, err := authorization.NewDefaultAuthorizer().Authorize(
		context.Background(), claims, &authorization.CallTarget{APIName: service + api, Namespace: namespace})
	if err != nil {
		t.Fatal(err)
	}
	return result.Decision == authorization.DecisionAllow
}

func TestRights(t *testing.T) {
	named := func(name string) *pkix.Name { return &pkix.Name{CommonName: name} }
	for _, given := range []struct {
		who            *pkix.Name
		api, namespace string
		allowed        bool
	}{
		{named("worker"), "StartWorkflowExecution", "jobs", true},
		{named("worker"), "PollWorkflowTaskQueue", "jobs", true},
		{named("worker"), "StartWorkflowExecution", "others", false},
		{named("worker"), "DescribeNamespace", "others", false},
		{named("worker"), "UpdateNamespace", "jobs", false},
		{named("worker"), "RegisterNamespace", "jobs", false},
		{named("worker"), "ListNamespaces", "", false},
		{named("reader"), "ListNamespaces", "", true},
		{named("reader"), "DescribeNamespace", "jobs", true},
		{named("reader"), "StartWorkflowExecution", "jobs", false},
		{named("reader"), "TerminateWorkflowExecution", "jobs", false},
		{named("stranger"), "DescribeNamespace", "jobs", false},
		{named(""), "DescribeNamespace", "jobs", false},
		{&pkix.Name{Organization: []string{"worker"}}, "DescribeNamespace", "jobs", false},
		{nil, "DescribeNamespace", "jobs", false},
	} {
		if decide(t, given.who, given.api, given.namespace) != given.allowed {
			t.Errorf("%v, %s in %q: not %v", given.who, given.api, given.namespace, given.allowed)
		}
	}
}

func TestWhatIsNotUnderstoodIsRefused(t *testing.T) {
	for _, text := range []string{
		`clients: {worker: {jobs: admin}}`,
		`clients: {worker: {jobs: Write}}`,
		`clients: {worker: write}`,
		`client: {worker: {jobs: write}}`,
		``,
	} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
