package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/server/common/rpc/encryption"
)

// frontendTLS has the listener that others reach speak TLS 1.3 with clients that show a certificate of the platform's CA.
// Temporal's own configuration would take 1.2 as well. The other services listen on loopback, without TLS.
type frontendTLS struct {
	server, client *tls.Config
}

func (f frontendTLS) GetInternodeServerConfig() (*tls.Config, error) { return nil, nil }
func (f frontendTLS) GetInternodeClientConfig() (*tls.Config, error) { return nil, nil }
func (f frontendTLS) GetFrontendServerConfig() (*tls.Config, error)  { return f.server, nil }
func (f frontendTLS) GetFrontendClientConfig() (*tls.Config, error)  { return f.client, nil }

func (f frontendTLS) GetRemoteClusterClientConfig(host string) (*tls.Config, error) {
	return nil, fmt.Errorf("there is no other cluster, but %s was asked for", host)
}

// GetExpiringCerts is for certificates that the server reads again; a new one comes with a new pod here.
func (f frontendTLS) GetExpiringCerts(time.Duration) (encryption.CertExpirationMap, encryption.CertExpirationMap, error) {
	return nil, nil, nil
}

func newFrontendTLS(host string) (frontendTLS, error) {
	certificate, authority, err := certificates()
	if err != nil {
		return frontendTLS{}, err
	}
	return frontendTLS{
		server: &tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{certificate},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authority,
		},
		client: clientTLS(host, &certificate, authority),
	}, nil
}

// clientTLS is how a client reaches the frontend by its name, with a certificate or with none.
func clientTLS(host string, certificate *tls.Certificate, authority *x509.CertPool) *tls.Config {
	client := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: host, RootCAs: authority}
	if certificate != nil {
		client.Certificates = []tls.Certificate{*certificate}
	}
	return client
}

// certificates are this component's own, and the CA of the platform.
func certificates() (tls.Certificate, *x509.CertPool, error) {
	file := func(name string) string { return filepath.Join(certificateDirectory, name) }
	certificate, err := tls.LoadX509KeyPair(file("tls.crt"), file("tls.key"))
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	text, err := os.ReadFile(file("ca.crt"))
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	authority := x509.NewCertPool()
	if !authority.AppendCertsFromPEM(text) {
		return tls.Certificate{}, nil, fmt.Errorf("%s holds no certificate", file("ca.crt"))
	}
	return certificate, authority, nil
}
