package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

const between = 200 * time.Millisecond

// until tries again until it succeeds, for as long as it takes, and prints why not whenever that changes.
func until(ctx context.Context, what string, try func(context.Context) error) error {
	return untilTold(ctx, what, func(string) {}, try)
}

// untilTold is until for whoever wants to hear why not as well.
func untilTold(ctx context.Context, what string, tell func(string), try func(context.Context) error) error {
	said := ""
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if says := fmt.Sprintf("waiting for %s: %s", what, err); says != said {
			fmt.Fprintln(os.Stderr, says)
			tell(says)
			said = says
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(between):
		}
	}
}
