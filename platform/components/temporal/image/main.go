// Temporal's server as this platform runs it, from Temporal's own modules: who may do what is decided by client certificates,
// namespaces are kept as declared, and the schema is migrated by another role than the one that runs.
//
//	gpuaas-temporal migrate              brings both databases to the schema of this server, as their owners, and ends
//	gpuaas-temporal serve                runs the server
//	gpuaas-temporal namespaces           says where the namespaces are not as declared, as a client of the Service
//	gpuaas-temporal namespaces --heal    makes them what is declared, from inside this container
//	gpuaas-temporal refusals             tries what must be refused, as a client of the Service
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

var commands = map[string]func(context.Context) error{
	"migrate":           migrate,
	"serve":             serve,
	"namespaces":        checkNamespaces,
	"namespaces --heal": healNamespaces,
	"refusals":          checkRefusals,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	name := ""
	for _, word := range os.Args[1:] {
		name += " " + word
	}
	command, known := commands[name[min(1, len(name)):]]
	if !known {
		names := []string{}
		for name := range commands {
			names = append(names, name)
		}
		slices.Sort(names)
		fmt.Fprintf(os.Stderr, "no command%s; there are %q\n", name, names)
		os.Exit(64)
	}
	if err := command(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
