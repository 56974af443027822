// Command bench measures the actions against what people use today, both in
// one run on one machine, and prints a line a figure. It fails if one falls
// short of its bound.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"text/tabwriter"
)

// benches are what can be measured, by the action's name.
var benches = map[string]func(context.Context, *bench) error{
	"build-push": benchBuildPush,
	"eb-deploy":  benchDeploys,
	"test":       benchTest,
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string) error {
	if len(names) == 3 && names[0] == bundleCommand {
		return bundleInto(ctx, names[1], names[2])
	}
	if len(names) == 3 && names[0] == treeCommand {
		return treeInto(ctx, names[1], names[2])
	}
	if len(names) == 2 && names[0] == registryCommand {
		return serveRegistry(ctx, names[1])
	}
	if len(names) == 0 {
		names = known()
	}
	dir, err := os.MkdirTemp("", "travois-bench-")
	if err != nil {
		return err
	}
	b := &bench{dir: dir}
	defer func() { _ = os.RemoveAll(dir) }()
	for _, name := range names {
		measure, ok := benches[name]
		if !ok {
			return fmt.Errorf("there is no %q; there are: %s", name, strings.Join(known(), ", "))
		}
		if err := measure(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return b.report()
}

func known() []string {
	var names []string
	for name := range benches {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// bench gathers figures.
type bench struct {
	dir     string
	figures []figure
}

// figure is one measurement. A ratio is ours through the peer's and must not
// pass the bound; without a peer ours itself must not, or must reach it.
type figure struct {
	name, unit string
	ours, peer float64
	bound      float64
	// atLeast turns the bound round.
	atLeast bool
}

func (f figure) value() float64 {
	if f.peer == 0 {
		return f.ours
	}
	return f.ours / f.peer
}

func (f figure) ok() bool {
	if f.atLeast {
		return f.value() >= f.bound
	}
	return f.value() <= f.bound
}

func (f figure) cells() string {
	peer, ratio, sign, verdict := "–", "–", "≤", "ok"
	if f.peer != 0 {
		peer, ratio = fmt.Sprintf("%.2f %s", f.peer, f.unit), fmt.Sprintf("%.2f", f.value())
	}
	if f.atLeast {
		sign = "≥"
	}
	if !f.ok() {
		verdict = "FALLS SHORT"
	}
	return fmt.Sprintf("%s\t%.2f %s\t%s\t%s\t%s %g\t%s", f.name, f.ours, f.unit, peer, ratio, sign, f.bound, verdict)
}

func (b *bench) report() error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	short := 0
	for _, one := range b.figures {
		_, _ = fmt.Fprintln(table, one.cells())
		if !one.ok() {
			short++
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if short > 0 {
		return errors.New(fmt.Sprint(short, " of ", len(b.figures), " figures fall short"))
	}
	return nil
}

// benchDeploys measures the bundle and the deployment of it.
func benchDeploys(ctx context.Context, b *bench) error {
	return errors.Join(benchDeploy(ctx, b), benchDeployCalls(ctx, b))
}
