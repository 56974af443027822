package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/guk0/travois/internal/bundle"
)

// benchDeploy holds the bundling of eb-deploy against zip, and measures its
// memory while it uploads.
func benchDeploy(ctx context.Context, b *bench) error {
	if err := exec.CommandContext(ctx, "scripts/tools", "zip").Run(); err != nil {
		return fmt.Errorf("scripts/tools zip: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, tree := range [][2]string{{"many", "500 MB in 50,000 files"}, {"large", "ten files of 50 MB"}} {
		kind, name := tree[0], tree[1]
		// In a process of its own: Linux counts the memory of the one that
		// starts a program to the program's peak, so this one must stay small.
		dir := filepath.Join(b.dir, kind)
		if _, err := measure(ctx, ".", nil, self, treeCommand, kind, dir); err != nil {
			return err
		}
		if err := b.bundling(ctx, self, name, dir); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	return nil
}

// treeCommand makes this program make a tree, and end.
const treeCommand = "tree-into"

func treeInto(ctx context.Context, kind, dir string) error {
	m, err := newMaterial(ctx)
	if err != nil {
		return err
	}
	if kind == "many" {
		return m.manyFiles(dir)
	}
	return m.largeFiles(dir)
}

func (b *bench) bundling(ctx context.Context, self, name, dir string) error {
	ours, peers := filepath.Join(b.dir, "ours.zip"), filepath.Join(b.dir, "peers.zip")
	took, err := median(func() (sample, error) { return measure(ctx, dir, nil, self, bundleCommand, dir, ours) })
	if err != nil {
		return err
	}
	peer, err := median(func() (sample, error) {
		if err := os.RemoveAll(peers); err != nil {
			return sample{}, err
		}
		return measure(ctx, dir, nil, "zip", "-q", "-r", peers, ".")
	})
	if err != nil {
		return err
	}
	oursSize, err := sizeOf(ours)
	if err != nil {
		return err
	}
	peersSize, err := sizeOf(peers)
	if err != nil {
		return err
	}
	memory, err := b.uploading(ctx, dir)
	if err != nil {
		return err
	}
	b.figures = append(b.figures,
		figure{name: "eb-deploy: bundling " + name + ", over zip -r", unit: "s", ours: took.Seconds(), peer: peer.Seconds(), bound: 0.333},
		figure{name: "eb-deploy: size of the bundle, over zip -r", unit: "MB", ours: oursSize, peer: peersSize, bound: 1.05},
		figure{name: "eb-deploy: peak memory while uploading", unit: "MB", ours: memory, bound: 100},
	)
	return errors.Join(os.Remove(ours), os.Remove(peers))
}

func sizeOf(file string) (float64, error) {
	info, err := os.Stat(file)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()) / 1e6, nil
}

// bundleCommand makes this program bundle a tree into a file, and end.
const bundleCommand = "bundle-into"

// bundleInto does what eb-deploy does with `bundle: source`, up to the upload:
// it goes through the tree, hashes and packs it.
func bundleInto(ctx context.Context, dir, file string) (err error) {
	rendered, err := bundle.RenderCompose("docker-compose.yml", []byte(composeFile), nil)
	if err != nil {
		return err
	}
	tree := bundle.Tree{Dir: dir, File: "docker-compose.yml", Name: "docker-compose.yml"}
	made, err := bundle.Source(ctx, tree, rendered)
	if err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return made.WriteZip(ctx, out)
}

// uploading is the most memory, in MB, that the action takes which uploads a
// tree to another process.
func (b *bench) uploading(ctx context.Context, dir string) (float64, error) {
	action, local := filepath.Join(b.dir, "eb-deploy"), filepath.Join(b.dir, "eb-local")
	if err := errors.Join(goBuild(ctx, action, "./cmd/travois"), goBuild(ctx, local, "./cmd/eb-local")); err != nil {
		return 0, err
	}
	environ, end, err := startLocal(ctx, local, filepath.Join(b.dir, "state"))
	if err != nil {
		return 0, err
	}
	got, err := measure(ctx, dir, append(environ,
		"GITHUB_WORKSPACE="+dir, "INPUT_REGION=ap-northeast-2", "INPUT_APP=bench", "INPUT_BUNDLE=source",
		`INPUT_TAGS={"web":"1"}`, "INPUT_VERSION-LABEL=bench", "INPUT_COMMIT-MESSAGE=bench",
	), action)
	return float64(got.memory) / 1e6, errors.Join(err, end())
}

// startLocal starts an Elastic Beanstalk of its own, and gives the variables
// that point a client there.
func startLocal(ctx context.Context, program, state string) (environ []string, end func() error, err error) {
	command := exec.CommandContext(ctx, program, "--app", "bench", "--env", "bench-env", "--region", "ap-northeast-2", "--listen", "127.0.0.1:0", "--state", state)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := command.Start(); err != nil {
		return nil, nil, err
	}
	end = func() error {
		err := command.Process.Signal(os.Interrupt)
		return errors.Join(err, command.Wait(), os.RemoveAll(state))
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "AWS_") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return environ, end, nil
		}
		environ = append(environ, lines.Text())
	}
	return nil, nil, errors.Join(errors.New("eb-local does not start"), command.Wait())
}
