package action

import (
	"path/filepath"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

type commit struct {
	sha, message string
	date         time.Time
}

// gitCommit reads a commit, HEAD when no sha is given, out of a workspace. It
// is empty where there is none to read: no repository, a shallow one, a linked
// work tree. git itself would refuse, since the workspace belongs to another
// user than the container's.
func gitCommit(workspace, sha string) commit {
	storage := filesystem.NewStorage(osfs.New(filepath.Join(workspace, ".git")), cache.NewObjectLRUDefault())
	hash := plumbing.NewHash(sha)
	if sha == "" {
		hash = head(storage)
	}
	found, err := object.GetCommit(storage, hash)
	if err != nil {
		return commit{}
	}
	return commit{sha: found.Hash.String(), message: found.Message, date: found.Committer.When.UTC()}
}

func head(storage *filesystem.Storage) plumbing.Hash {
	reference, err := storage.Reference(plumbing.HEAD)
	if err == nil && reference.Type() == plumbing.SymbolicReference {
		reference, err = storage.Reference(reference.Target())
	}
	if err != nil {
		return plumbing.ZeroHash
	}
	return reference.Hash()
}
