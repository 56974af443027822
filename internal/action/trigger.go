package action

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Trigger is what is known about the commit and the run. What is unknown is
// zero.
type Trigger struct {
	// Event is the workflow's event, as "push" or "pull_request".
	Event string
	// Repository is owner/name; URL is its page.
	Repository, URL string
	// SHA is the commit's 40 hex digits, for pull_request_target the pull
	// request's: GitHub's own is the base branch's there, whose images a pull
	// request must not replace.
	SHA string
	// Subject is the first line of the commit's message.
	Subject string
	// Date is the commit's.
	Date time.Time
	// Branch is the branch that was pushed, or a pull request's head. It is
	// empty for a tag.
	Branch string
	// DefaultBranch is the repository's.
	DefaultBranch string
	// Tag is the git tag that was pushed.
	Tag string
	// PullRequest is its number, 0 elsewhere.
	PullRequest int
	// RunNumber counts the workflow's runs from 1; RunID, Attempt, Job and Step
	// name this step of this run.
	RunNumber, RunID, Attempt, Job, Step string
}

// CommitInputs are inputs whose defaults in action.yml are expressions of the
// github context: act gives an empty event file but fills the context.
type CommitInputs struct {
	CommitMessage string `env:"COMMIT-MESSAGE"`
	CommitDate    string `env:"COMMIT-DATE"`
	DefaultBranch string `env:"DEFAULT-BRANCH"`
}

// event is the part of GITHUB_EVENT_PATH that is read here. Source:
// https://docs.github.com/en/webhooks/webhook-events-and-payloads
type event struct {
	HeadCommit struct {
		ID        string `json:"id"`
		Message   string `json:"message"`
		Timestamp string `json:"timestamp"`
	} `json:"head_commit"`
	Repository struct {
		DefaultBranch string `json:"default_branch"`
	} `json:"repository"`
	PullRequest struct {
		Number int `json:"number"`
		Head   struct {
			SHA string `json:"sha"`
		} `json:"head"`
	} `json:"pull_request"`
}

// Trigger gathers the facts from GITHUB_* and the event file, then from the
// inputs, then from the workspace's .git.
func (r *Runner) Trigger(inputs CommitInputs) (Trigger, error) {
	payload, err := r.event()
	if err != nil {
		return Trigger{}, err
	}
	t := Trigger{
		Event: r.Getenv("GITHUB_EVENT_NAME"), Repository: r.Getenv("GITHUB_REPOSITORY"), SHA: r.Getenv("GITHUB_SHA"),
		Subject:       subject(first(payload.HeadCommit.Message, inputs.CommitMessage)),
		Date:          date(first(payload.HeadCommit.Timestamp, inputs.CommitDate)),
		DefaultBranch: first(payload.Repository.DefaultBranch, inputs.DefaultBranch),
		RunNumber:     r.Getenv("GITHUB_RUN_NUMBER"), RunID: r.Getenv("GITHUB_RUN_ID"), Attempt: r.Getenv("GITHUB_RUN_ATTEMPT"),
		Job: r.Getenv("GITHUB_JOB"), Step: r.Getenv("GITHUB_ACTION"),
	}
	if head := payload.PullRequest.Head.SHA; head != "" && t.Event == "pull_request_target" {
		t.SHA = head
	}
	if server := r.Getenv("GITHUB_SERVER_URL"); server != "" && t.Repository != "" {
		t.URL = server + "/" + t.Repository
	}
	t.readRef(r.Getenv("GITHUB_REF"), r.Getenv("GITHUB_HEAD_REF"), payload.PullRequest.Number)
	if t.DefaultBranch == "" && t.Event == "schedule" {
		t.DefaultBranch = t.Branch // it runs nowhere else, and its event does not name it
	}
	if id := payload.HeadCommit.ID; id != "" && id != t.SHA {
		t.Subject, t.Date = subject(inputs.CommitMessage), date(inputs.CommitDate)
	}
	return r.fromGit(t)
}

func (t *Trigger) readRef(ref, head string, pullRequest int) {
	switch {
	case strings.HasPrefix(ref, "refs/heads/"):
		t.Branch = strings.TrimPrefix(ref, "refs/heads/")
	case strings.HasPrefix(ref, "refs/tags/"):
		t.Tag = strings.TrimPrefix(ref, "refs/tags/")
	case strings.HasPrefix(ref, "refs/pull/"):
		number, _, _ := strings.Cut(strings.TrimPrefix(ref, "refs/pull/"), "/")
		t.PullRequest, _ = strconv.Atoi(number)
	}
	if pullRequest > 0 {
		t.PullRequest = pullRequest
	}
	if head != "" {
		t.Branch = head
	}
}

// IsPullRequest tells a run for a pull request, from a fork or not.
func (t Trigger) IsPullRequest() bool {
	return t.PullRequest > 0 || strings.HasPrefix(t.Event, "pull_request")
}

func (r *Runner) event() (event, error) {
	var payload event
	path := r.Getenv("GITHUB_EVENT_PATH")
	text, err := os.ReadFile(path)
	if path == "" || os.IsNotExist(err) || len(strings.TrimSpace(string(text))) == 0 && err == nil {
		return payload, nil
	}
	if err != nil {
		return payload, fmt.Errorf("GITHUB_EVENT_PATH: %w", err)
	}
	if err := json.Unmarshal(text, &payload); err != nil {
		return payload, fmt.Errorf("GITHUB_EVENT_PATH %s is not the JSON of an event: %w", path, err)
	}
	return payload, nil
}

func (r *Runner) fromGit(t Trigger) (Trigger, error) {
	if t.SHA != "" && t.Subject != "" && !t.Date.IsZero() {
		return t, nil
	}
	workspace, err := r.Workspace()
	if err != nil {
		return t, err
	}
	commit := gitCommit(workspace, t.SHA)
	if t.SHA == "" {
		t.SHA = commit.sha
	}
	if t.Subject == "" {
		t.Subject = subject(commit.message)
	}
	if t.Date.IsZero() {
		t.Date = commit.date
	}
	return t, nil
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

func subject(message string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	return strings.TrimSpace(line)
}

func date(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}
