package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var verbs = map[string]func(string) error{
	"print": func(text string) error { return write(os.Stdout, text+"\n") },
	"warn":  func(text string) error { return write(os.Stderr, text+"\n") },
	"env":   func(name string) error { return write(os.Stdout, os.Getenv(name)+"\n") },
	"wait":  wait, "serve": serve, "probe": probe, "ask": ask, "file": file, "read": read, "stat": stat, "await": await, "link": link,
	"scan": scan, "alloc": alloc, "flood": flood, "raw": raw, "signal": signal, "exit": exit, "child": child,
	"lookup": func(name string) error {
		_, err := net.LookupHost(name)
		return err
	},
}

func write(to io.Writer, text string) error {
	_, err := io.WriteString(to, text)
	return err
}

func wait(text string) error {
	d, err := time.ParseDuration(text)
	time.Sleep(d)
	return err
}

func serve(text string) error {
	return http.ListenAndServe(":80", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = write(w, text+"\n")
	}))
}

func probe(address string) error {
	answer, err := http.Get("http://" + address)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", answer.Status)
	}
	return nil
}

// ask finds the gateway as the kernel has it: hexadecimal, the first byte
// last (proc(5)).
func ask(port string) error {
	table, err := os.ReadFile("/proc/net/route")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(table)) {
		field := strings.Fields(line)
		if len(field) < 3 || field[1] != "00000000" {
			continue
		}
		number, err := strconv.ParseUint(field[2], 16, 32)
		if err != nil {
			return err
		}
		gateway := net.IPv4(byte(number), byte(number>>8), byte(number>>16), byte(number>>24))
		return probe(net.JoinHostPort(gateway.String(), port))
	}
	return fmt.Errorf("no gateway in:\n%s", table)
}

func file(value string) error {
	name, text, _ := strings.Cut(value, ":")
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o644)
}

func read(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return write(os.Stdout, string(text)+"\n")
}

func stat(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	return write(os.Stdout, fmt.Sprintf("%s is %v of %d\n", name, info.Mode(), owner.Uid))
}

func await(name string) error {
	for {
		if _, err := os.Stat(name); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func link(value string) error {
	name, target, _ := strings.Cut(value, ":")
	return os.Symlink(target, name)
}

// scan is BuildKit's protocol for what lists an image's packages: it leaves
// SPDX in in-toto statements without a subject, in the folder that it is told
// (docs/attestations/sbom-protocol.md).
func scan(packageName string) error {
	type spdx struct {
		ID       string              `json:"SPDXID"`
		Version  string              `json:"spdxVersion"`
		Packages []map[string]string `json:"packages"`
	}
	statement, err := json.Marshal(map[string]any{
		"_type":         "https://in-toto.io/Statement/v0.1",
		"predicateType": "https://spdx.dev/Document",
		"predicate": spdx{
			ID: "SPDXRef-DOCUMENT", Version: "SPDX-2.3",
			Packages: []map[string]string{{"SPDXID": "SPDXRef-Package", "name": packageName}},
		},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(os.Getenv("BUILDKIT_SCAN_DESTINATION"), "stand-in.spdx.json"), statement, 0o644)
}

var kept [][]byte

func alloc(text string) error {
	count, err := strconv.Atoi(text)
	for range count {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 1024 {
			block[i] = 1
		}
		kept = append(kept, block)
	}
	return err
}

func flood(text string) error {
	size, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(os.Stdout, 32<<10)
	line := strings.Repeat("x", 79) + "\n"
	for range size / len(line) {
		if err := write(out, line); err != nil {
			return err
		}
	}
	return out.Flush()
}

func raw(text string) error {
	plain, err := strconv.Unquote(text)
	if err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	return write(os.Stdout, plain)
}

func signal(text string) error {
	number, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	if err := syscall.Kill(os.Getpid(), syscall.Signal(number)); err != nil {
		return err
	}
	select {}
}

// child outlives the process that it begins by a while, in which the engine
// hears how that ended, and then ends as a shell would.
func child(argument string) error {
	err := exec.Command(os.Args[0], argument).Run()
	time.Sleep(time.Second)
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return err
	}
	if status, ok := ended.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		os.Exit(128 + int(status.Signal()))
	}
	os.Exit(ended.ExitCode())
	return nil
}

func exit(text string) error {
	code, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	os.Exit(code)
	return nil
}
