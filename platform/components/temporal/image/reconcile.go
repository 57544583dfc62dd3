package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gpuaas.parity/platform/components/temporal/image/namespaces"
)

// patience is what one look at the server may take.
const patience = 10 * time.Second

func declared() (map[string]namespaces.Wanted, error) {
	text, err := os.ReadFile(filepath.Join(configDirectory, "namespaces.yaml"))
	if err != nil {
		return nil, err
	}
	return namespaces.Parse(text)
}

func checkNamespaces(ctx context.Context) error {
	wanted, err := declared()
	if err != nil {
		return err
	}
	connection, err := asClient()
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	found, err := namespaces.Differences(ctx, connection, wanted)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("%s", strings.Join(found, "\n"))
	}
	fmt.Println("namespaces are as declared")
	return nil
}

func healNamespaces(ctx context.Context) error {
	wanted, err := declared()
	if err != nil {
		return err
	}
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
