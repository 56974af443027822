package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth/authprovider"
	"github.com/moby/buildkit/session/filesync"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/session/sshforward/sshprovider"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"
	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/compose"
)

// sessions are what BuildKit asks back through while it builds: folders,
// logins, secrets and keys. Builds of one context with equal secrets and keys
// have one together, so that the context is sent once: BuildKit knows it by one
// name alone.
type sessions struct {
	all []*shared
	// of is each image's, in their order.
	of []*session.Session
	// ended takes the ends of all.
	ended chan error
}

type shared struct {
	session *session.Session
	context string
	secrets map[string][]byte
	ssh     map[string]string
	folders filesync.StaticDirSource
}

// openSessions opens what the builds of images need. It is closed when they
// have ended.
func (b *Builder) openSessions(ctx context.Context, images []Image, logins LoginFunc) (*sessions, error) {
	open := &sessions{ended: make(chan error, len(images))}
	for _, one := range images {
		member, err := open.join(ctx, one)
		if err == nil {
			err = member.offer(one.Build, &b.sent)
		}
		if err != nil {
			return nil, fmt.Errorf("build %q: %w", one.Build.Service, err)
		}
		open.of = append(open.of, member.session)
	}
	for _, one := range open.all {
		if err := one.allow(logins); err != nil {
			return nil, err
		}
	}
	for _, one := range open.all {
		// A build that is cancelled still has something to ask.
		go func() { open.ended <- one.session.Run(context.WithoutCancel(ctx), b.dialSession()) }()
	}
	return open, nil
}

func (b *Builder) dialSession() session.Dialer {
	if b.hijack != nil {
		return b.hijack
	}
	return b.buildkit.Dialer()
}

// join finds the session of a build, or begins one.
func (s *sessions) join(ctx context.Context, one Image) (*shared, error) {
	secrets := maps.Clone(one.Build.Secrets)
	if secrets == nil {
		secrets = map[string][]byte{}
	}
	maps.Copy(secrets, one.Secrets)
	for _, other := range s.all {
		if one.Build.Context == other.context && maps.EqualFunc(secrets, other.secrets, bytes.Equal) && maps.Equal(one.Build.SSH, other.ssh) {
			return other, nil
		}
	}
	// The key lets a later build of the folder send only what changed since.
	begun, err := session.NewSession(context.WithoutCancel(ctx), short(one.Repository+"\n"+one.Build.Context))
	if err != nil {
		return nil, err
	}
	s.all = append(s.all, &shared{begun, one.Build.Context, secrets, one.Build.SSH, filesync.StaticDirSource{}})
	return s.all[len(s.all)-1], nil
}

// close ends the sessions and waits for that, but not for an engine that no
// longer answers.
func (s *sessions) close() error {
	closed := make(chan error, 1)
	go func() { closed <- s.closeAll() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(cleanupTime):
		return nil // the build has told what is wrong
	}
}

// closeAll closes side by side, since each waits for the engine.
func (s *sessions) closeAll() error {
	var group errgroup.Group
	for _, one := range s.all {
		group.Go(one.session.Close)
	}
	problems := []error{group.Wait()}
	for range s.all {
		problems = append(problems, <-s.ended)
	}
	return errors.Join(problems...)
}

// allow lets BuildKit ask for all that the session has.
func (s *shared) allow(logins LoginFunc) error {
	s.session.Allow(filesync.NewFSSyncProvider(s.folders))
	s.session.Allow(authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{AuthConfigProvider: logins.provide}))
	s.session.Allow(secretsprovider.FromMap(s.secrets))
	if len(s.ssh) == 0 {
		return nil
	}
	var keys []sshprovider.AgentConfig
	for _, id := range slices.Sorted(maps.Keys(s.ssh)) {
		keys = append(keys, sshprovider.AgentConfig{ID: id, Paths: []string{s.ssh[id]}})
	}
	provider, err := sshprovider.NewSSHAgentProvider(keys)
	if err != nil {
		return fmt.Errorf("build.ssh: %w", err)
	}
	s.session.Allow(provider)
	return nil
}

// offer adds the folders that BuildKit reads for a build. An address it fetches
// by itself.
func (s *shared) offer(build compose.Build, sent *atomic.Int64) error {
	all := map[string]fsutil.FS{}
	folders := map[string]string{}
	if !build.Remote() {
		folders[mainContext] = build.Context
	}
	switch {
	case build.Inline != "":
		all[dockerfileName(build)] = inline(build.Inline)
	case !build.Remote():
		folders[dockerfileName(build)] = filepath.Dir(build.Dockerfile)
	}
	for _, from := range build.Contexts {
		if filepath.IsAbs(from) {
			folders[contextName(from)] = from
		}
	}
	for name, folder := range folders {
		opened, err := fsutil.NewFS(folder)
		if err != nil {
			return fmt.Errorf("folder %s: %w", folder, err)
		}
		all[name] = opened
	}
	for name, folder := range all {
		owned, err := fsutil.NewFilterFS(folder, &fsutil.FilterOpt{Map: ownedByRoot})
		if err != nil {
			return err
		}
		s.folders[name] = counted{owned, sent}
	}
	return nil
}

// ownedByRoot makes an image the same whoever checked its source out, as
// BuildKit's client does. Source: moby/buildkit, client/solve.go.
func ownedByRoot(_ string, stat *fstypes.Stat) fsutil.MapResult {
	stat.Uid, stat.Gid = 0, 0
	return fsutil.MapResultKeep
}

// mainContext is what BuildKit knows the context of a build by. Source:
// moby/buildkit, frontend/dockerui/context.go.
const mainContext = "context"

// contextName is what BuildKit knows a further context by. It is the same in
// every run, so that what was sent before is not sent again.
func contextName(folder string) string { return "context-" + short(folder) }

// dockerfileName is what BuildKit knows a build's Dockerfile's folder by.
func dockerfileName(build compose.Build) string {
	if build.Inline != "" {
		return "dockerfile-" + short(build.Inline)
	}
	return "dockerfile-" + short(filepath.Dir(build.Dockerfile))
}

func short(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
