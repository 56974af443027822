package eblocal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// retryLock is the pause between two attempts at a lock.
const retryLock = 100 * time.Millisecond

// errInUse is a lock that another process holds.
var errInUse = errors.New("it is in use by another eb-local: stop that one, or name another directory")

// lockState keeps a second process from serving the same state. The lock goes
// with the file, so also when the process dies.
func lockState(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock state: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("state directory %s: %w", dir, errInUse), f.Close())
	}
	return f, nil
}

// awaitUnlocked waits for a server that is about to end, for as long as it may
// take to clean up.
func awaitUnlocked(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, cleanupTimeout)
	defer cancel()
	tick := time.NewTicker(retryLock)
	defer tick.Stop()
	for {
		f, err := lockState(dir)
		if err == nil {
			return f.Close()
		}
		if !errors.Is(err, errInUse) {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}
