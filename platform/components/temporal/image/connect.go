package main

import (
	"crypto/tls"
	"net"
	"strconv"

	"go.temporal.io/server/common/primitives"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// internal are the services that this process alone talks to, on loopback, which nobody else shares. The internal frontend takes
// whoever reaches it for the administrator.
var internal = map[primitives.ServiceName]int{
	primitives.HistoryService:          7234,
	primitives.MatchingService:         7235,
	primitives.InternalFrontendService: 7236,
	primitives.WorkerService:           7239,
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// asAdministrator connects from inside this container.
func asAdministrator() (*grpc.ClientConn, error) {
	return grpc.NewClient(loopback(internal[primitives.InternalFrontendService]), grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// asClient makes a new connection to the Service, as any other client does: by its name, with this component's certificate.
func asClient() (*grpc.ClientConn, error) {
	certificate, authority, err := certificates()
	if err != nil {
		return nil, err
	}
	host, err := setting("TEMPORAL_HOST")
	if err != nil {
		return nil, err
	}
	return connect(clientTLS(host, &certificate, authority))
}

func connect(client *tls.Config) (*grpc.ClientConn, error) {
	at, err := address("TEMPORAL_HOST", "TEMPORAL_PORT")
	if err != nil {
		return nil, err
	}
	return grpc.NewClient("passthrough:///"+at, grpc.WithTransportCredentials(credentials.NewTLS(client)))
}
