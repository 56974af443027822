package migrate

import (
	"testing"

	"github.com/guk0/travois/internal/travis"
)

// Shell tests as GitHub's conditions; "" is one that only a shell can check.
func TestShellConditions(t *testing.T) {
	for shell, want := range map[string]string{
		`[ "$TRAVIS_BRANCH" = "master" ]`:                                         `(github.base_ref || github.ref_name) == 'master'`,
		`[ "$TRAVIS_BRANCH" == master -a "$TRAVIS_PULL_REQUEST" = false ]`:        `github.ref == 'refs/heads/master'`,
		`[[ $TRAVIS_BRANCH = master && $TRAVIS_PULL_REQUEST == "false" ]]`:        `github.ref == 'refs/heads/master'`,
		`[[ $TRAVIS_BRANCH = a || $TRAVIS_BRANCH = b ]] && test -z "$TRAVIS_TAG"`: `((github.base_ref || github.ref_name) == 'a' || (github.base_ref || github.ref_name) == 'b') && github.ref_type != 'tag'`,
		`[ -n "$TRAVIS_TAG" ]`:                               `github.ref_type == 'tag'`,
		`[ "$TRAVIS_PULL_REQUEST" != "false" ]`:              `github.event_name == 'pull_request'`,
		`[ "$TRAVIS_EVENT_TYPE" = cron ]`:                    `github.event_name == 'schedule'`,
		`[[ $TRAVIS_COMMIT_MESSAGE != *"skip deploy"* ]]`:    `!contains(github.event.head_commit.message, 'skip deploy')`,
		`[[ "$TRAVIS_BRANCH" =~ ^release/.*$ ]]`:             `startsWith((github.base_ref || github.ref_name), 'release/')`,
		`[[ "$TRAVIS_TAG" =~ ^v[0-9]+ ]]`:                    ``,
		`[ "$STAGE" = prod ]`:                                `vars.STAGE == 'prod'`,
		`[ "$API_TOKEN" = x ]`:                               ``,
		`[ -f Dockerfile ]`:                                  ``,
		`[ "$(cat VERSION)" = 1 ]`:                           ``,
		`[ ! "$TRAVIS_BRANCH" = master ]`:                    `!((github.base_ref || github.ref_name) == 'master')`,
		`[ "$TRAVIS_REPO_SLUG" = 'a/it''s' ]`:                `github.repository == 'a/its'`,
		`[ "$KIND" = web ] && [ "$TRAVIS_TEST_RESULT" = 0 ]`: `'web' == 'web'`,
	} {
		s := newScope(newTodo())
		s.values["KIND"] = literal("web")
		l := parseLine("script", travis.Text{Value: shell + " && docker push x"})
		if len(l.commands) != 1 {
			t.Errorf("%s: %d commands, want the push alone", shell, len(l.commands))
			continue
		}
		terms, ok := s.conditionsOf(l.commands[0])
		got := conjunction(terms)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", shell, got, want)
		}
	}
}

func TestTravisConditions(t *testing.T) {
	env := func(name string) (string, bool) { return "'x'", name == "KNOWN" }
	for text, want := range map[string]string{
		`branch = master`:                                             `(github.base_ref || github.ref_name) == 'master'`,
		`branch = master AND type = push`:                             `github.ref == 'refs/heads/master' && github.event_name == 'push'`,
		`type IN (cron, api)`:                                         `github.event_name == 'schedule' || github.event_name == 'workflow_dispatch'`,
		`type NOT IN (pull_request)`:                                  `!(github.event_name == 'pull_request')`,
		`tag IS present`:                                              `github.ref_type == 'tag'`,
		`tag is blank or not fork = true`:                             `github.ref_type != 'tag' || !(github.event.pull_request.head.repo.fork)`,
		`NOT branch =~ ^wip- AND repo = "a/b"`:                        `!(startsWith((github.base_ref || github.ref_name), 'wip-')) && github.repository == 'a/b'`,
		`branch =~ /^(main|next)$/`:                                   `(github.base_ref || github.ref_name) == 'main' || (github.base_ref || github.ref_name) == 'next'`,
		`(branch = a OR branch = b) AND env(KNOWN) = "x"`:             `((github.base_ref || github.ref_name) == 'a' || (github.base_ref || github.ref_name) == 'b') && 'x' == 'x'`,
		`commit_message !~ /\[skip\]/ && sender != robot`:             `!(contains(github.event.head_commit.message, '[skip]')) && github.actor != 'robot'`,
		`type != pull_request AND (branch = a OR repo = x/y)`:         `github.event_name != 'pull_request' && (github.ref == 'refs/heads/a' || github.repository == 'x/y')`,
		`(branch = a OR commit_message =~ /go/) AND type = push`:      `(github.ref == 'refs/heads/a' || contains(github.event.head_commit.message, 'go')) && github.event_name == 'push'`,
		`type != pull_request AND (branch = a OR tag IS present)`:     `github.ref == 'refs/heads/a' || github.ref_type == 'tag'`,
		`(branch = a OR branch = b) AND type != pull_request`:         `github.ref == 'refs/heads/a' || github.ref == 'refs/heads/b'`,
		`commit_message =~ /\(a \|\|/ AND (branch = a OR branch = b)`: `contains(github.event.head_commit.message, '(a ||') && ((github.base_ref || github.ref_name) == 'a' || (github.base_ref || github.ref_name) == 'b')`,
		`head_branch = "${{ secrets.X }}"`:                            `github.head_ref == format('{0}{{{{ secrets.X }}}}', '$')`,
		`NOT fork AND branch = a`:                                     `!(github.event.pull_request.head.repo.fork) && (github.base_ref || github.ref_name) == 'a'`,
		`(fork OR tag IS present)`:                                    `github.event.pull_request.head.repo.fork || github.ref_type == 'tag'`,
		`env(SECRET) = x`:                                             `error: env(SECRET) is not known before the job runs`,
		`branch =~ ^v\d{2}`:                                           `error: the regular expression ^v\d{2} has no counterpart`,
		`concat(branch, "x") = y`:                                     `error: "concat" is not understood`,
		`branch = a AND`:                                              `error: "" is not understood`,
		`branch IN (a`:                                                `error: the list after IN is not closed`,
		`(branch = a`:                                                 `error: a parenthesis is not closed`,
	} {
		got, err := travisCondition(text, env)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}
