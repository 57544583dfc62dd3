package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	configDirectory      = "/etc/temporal"
	secretsDirectory     = "/run/secrets/gpuaas"
	certificateDirectory = "/run/certificates"
)

// setting is a variable of the environment that must be there.
func setting(name string) (string, error) {
	value := os.Getenv(name)
	if value == "" {
		return "", fmt.Errorf("setting %s is missing", name)
	}
	return value, nil
}

// address joins two settings: a host and a port.
func address(host, port string) (string, error) {
	name, err := setting(host)
	if err != nil {
		return "", err
	}
	number, err := setting(port)
	return net.JoinHostPort(name, number), err
}

// frontendPort is the port that clients connect to.
func frontendPort() (int, error) {
	value, err := setting("TEMPORAL_PORT")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(value)
}

// secret is what the file of a mounted secret holds.
func secret(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(secretsDirectory, name))
	if err != nil {
		return "", err
	}
	value := strings.TrimRight(string(text), "\n")
	if value == "" {
		return "", fmt.Errorf("secret %s is empty", name)
	}
	return value, nil
}
