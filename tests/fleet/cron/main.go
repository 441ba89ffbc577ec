// Runs recipes as jobs, and prints what became of each.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"example.com/fleet/checks"
	"github.com/xraph/dispatch"
	"github.com/xraph/dispatch/backoff"
	"github.com/xraph/dispatch/engine"
	"github.com/xraph/dispatch/job"
	"github.com/xraph/dispatch/store/memory"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	ctx := context.Background()
	store := memory.New()
	d := must(dispatch.New(dispatch.WithStore(store), dispatch.WithQueues([]string{"checks"})))
	eng := must(engine.Build(
		d,
		engine.WithMiddleware(checks.Final),
		engine.WithBackoff(backoff.NewConstant(100*time.Millisecond)),
	))
	must(0, checks.Register(ctx, eng))
	for _, entry := range must(eng.CronStore().ListCrons(ctx)) {
		fmt.Println(entry.Name, entry.NextRunAt.UTC().Format("15:04"))
	}
	must(0, eng.Start(ctx))
	for _, recipe := range os.Args[1:] {
		check := checks.Check{Recipes: []string{recipe}}
		limits := []job.Option{job.WithQueue("checks"), job.WithTimeout(10 * time.Second)}
		one := must(engine.Enqueue(ctx, eng, "check", check, limits...))
		for one.State != job.StateCompleted && one.State != job.StateFailed {
			time.Sleep(50 * time.Millisecond)
			one = must(store.GetJob(ctx, one.ID))
		}
		fmt.Printf("%s %s %d %q\n", recipe, one.State, one.RetryCount, one.LastError)
	}
	must(0, eng.Stop(ctx))
}
