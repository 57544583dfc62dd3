package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

const between = 200 * time.Millisecond

// until tries again until it succeeds, for as long as it takes, and says why not whenever that changes.
func until(ctx context.Context, what string, try func(context.Context) error) error {
	said := ""
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if says := err.Error(); says != said {
			fmt.Fprintf(os.Stderr, "waiting for %s: %s\n", what, says)
			said = says
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(between):
		}
	}
}
