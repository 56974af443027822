package registry

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/image"
)

func TestParseECR(t *testing.T) {
	for host, want := range map[string]string{
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com":                "ECR in eu-west-1, fips false, dual stack false",
		"123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com":       "ECR in us-gov-west-1, fips true, dual stack false",
		"123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn":            "ECR in cn-north-1, fips false, dual stack false",
		"123456789012.dkr-ecr.us-east-2.on.aws":                       "ECR in us-east-2, fips false, dual stack true",
		"123456789012.dkr-ecr-fips.us-east-2.on.aws":                  "ECR in us-east-2, fips true, dual stack true",
		"123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn": "ECR in cn-north-1, fips false, dual stack true",
		"123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu":            "ECR in eusc-de-east-1, fips false, dual stack false",
		"public.ecr.aws":                        "ECR Public, fips false, dual stack false",
		"ecr-public.aws.com":                    "ECR Public, fips false, dual stack true",
		"docker.io":                             "",
		"ghcr.io":                               "",
		"12345.dkr.ecr.eu-west-1.amazonaws.com": "",
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.org": "",
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com:5000":     "",
		"xpublic.ecr.aws": "",
	} {
		got := ""
		if endpoint, is := parseECR(host); is {
			got = endpoint.key()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", host, got, want)
		}
	}
}

// fakeAWS answers GetAuthorizationToken of both services with one password, or
// with an error of AWS.
type fakeAWS struct {
	password, failure string

	mu sync.Mutex
	// asked are "Target region".
	asked []string
}

func (f *fakeAWS) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	scope := strings.Split(request.Header.Get("Authorization"), "/")
	f.mu.Lock()
	f.asked = append(f.asked, request.Header.Get("X-Amz-Target")+" "+scope[min(2, len(scope)-1)])
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if f.failure != "" {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": f.failure, "message": "the reason of AWS"})
		return
	}
	data := map[string]any{"authorizationToken": base64.StdEncoding.EncodeToString([]byte("AWS:" + f.password)), "expiresAt": time.Now().Add(12 * time.Hour).Unix()}
	if strings.HasPrefix(request.Header.Get("X-Amz-Target"), "SpencerFrontendService") {
		_ = json.NewEncoder(w).Encode(map[string]any{"authorizationData": data})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"authorizationData": []any{data}})
}

// awsEnv points the SDK at a fake, with or without credentials, and keeps it
// from what the machine has.
func awsEnv(t *testing.T, fake *fakeAWS, withCredentials bool) {
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	home := t.TempDir()
	for key, value := range map[string]string{
		"AWS_ENDPOINT_URL_ECR": server.URL, "AWS_ENDPOINT_URL_ECR_PUBLIC": server.URL, "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": filepath.Join(home, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(home, "credentials"),
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "", "AWS_ROLE_ARN": "",
		"AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "",
	} {
		t.Setenv(key, value)
	}
	if withCredentials {
		t.Setenv("AWS_ACCESS_KEY_ID", "an id")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "a key")
	}
}

// given are the credentials of an action with some inputs.
func given(t *testing.T, inputs LoginInputs, env ...string) (Credentials, *action.Runner) {
	t.Helper()
	r := action.NewRunner(env, io.Discard)
	if inputs.Registry == "" {
		inputs.Registry = "docker.io"
	}
	credentials, err := inputs.Credentials(r)
	if err != nil {
		t.Fatal(err)
	}
	return credentials, r
}

const (
	ireland      = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
	otherAccount = "210987654321.dkr.ecr.eu-west-1.amazonaws.com"
	frankfurt    = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
)

// TestECRLoginAs shows that credentials which an action was given go before
// those of the step's environment.
func TestECRLoginAs(t *testing.T) {
	fake := &fakeAWS{password: "a.token"}
	awsEnv(t, fake, false)
	credentials, _ := given(t, LoginInputs{})
	as := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "an id", SecretAccessKey: "a key"}, nil
	})
	if _, password, err := credentials.WithAWS(as).Lookup(t.Context(), ireland); err != nil || password != "a.token" {
		t.Errorf("password %q, %v", password, err)
	}
	none, _ := given(t, LoginInputs{})
	refuses := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("the role is not assumed")
	})
	if _, _, err := none.WithAWS(refuses).Lookup(t.Context(), ireland); err == nil || !strings.Contains(err.Error(), "the role is not assumed") {
		t.Errorf("without the role: %v", err)
	}
}

// TestECRLogin shows that registries of one region share one token, that many
// ask for at once, and that it is masked before anybody has it.
func TestECRLogin(t *testing.T) {
	fake := &fakeAWS{password: "a.token:with-colons=="}
	awsEnv(t, fake, true)
	credentials, r := given(t, LoginInputs{})
	if len(fake.asked) != 0 {
		t.Errorf("asked before there was a need: %v", fake.asked)
	}
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			username, password, err := credentials.Lookup(t.Context(), []string{ireland, otherAccount}[i%2])
			if err != nil || username != "AWS" || password != fake.password {
				t.Errorf("got %q, %t, %v", username, password == fake.password, err)
			}
			if !r.Log.Masked(fake.password) || !r.Log.Masked(base64.StdEncoding.EncodeToString([]byte("AWS:"+fake.password))) {
				t.Error("the token is not masked")
			}
		})
	}
	group.Wait()
	for _, host := range []string{frankfurt, "public.ecr.aws"} {
		if login, err := credentials.Login(t.Context(), host); err != nil || login.Username != "AWS" {
			t.Errorf("%s: %v", host, err)
		}
	}
	want := []string{
		"AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken eu-west-1",
		"AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken eu-central-1",
		"SpencerFrontendService.GetAuthorizationToken us-east-1",
	}
	if diff := cmp.Diff(want, fake.asked); diff != "" {
		t.Errorf("asked of AWS (-want +got):\n%s", diff)
	}
	if login, err := credentials.Login(t.Context(), "docker.io"); err != nil || login != (Login{}) {
		t.Errorf("another registry has a login: %v", err)
	}
}

// TestECRGiven shows that a login that was given is taken.
func TestECRGiven(t *testing.T) {
	fake := &fakeAWS{password: "another one"}
	awsEnv(t, fake, true)
	credentials, _ := given(t, LoginInputs{Registry: ireland, Username: "AWS", Password: "given before"})
	login, err := credentials.Login(t.Context(), ireland)
	if err != nil || login != (Login{"AWS", "given before"}) || len(fake.asked) != 0 {
		t.Errorf("%v, asked %v", err, fake.asked)
	}
}

func TestECRRefusals(t *testing.T) {
	for _, c := range []struct {
		name, failure, host, want string
		credentials               bool
	}{
		{"no credentials", "", ireland, "log in to ECR in eu-west-1: no AWS credentials: ", false},
		{"no permission", "AccessDeniedException", ireland, "log in to ECR in eu-west-1: the reason of AWS: give the role or user of the step ecr:GetAuthorizationToken", true},
		{"expired", "ExpiredTokenException", ireland, "log in to ECR in eu-west-1: AWS refuses the credentials (ExpiredTokenException: the reason of AWS); they are wrong, expired or of another partition than region eu-west-1", true},
		{"of nobody", "UnrecognizedClientException", ireland, "AWS refuses the credentials", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := &fakeAWS{failure: c.failure}
			awsEnv(t, fake, c.credentials)
			credentials, _ := given(t, LoginInputs{})
			for range 2 {
				_, _, err := credentials.Lookup(t.Context(), c.host)
				if err == nil || !strings.HasPrefix(err.Error(), c.want) && (c.name != "of nobody" || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("got %v\nwant %s", err, c.want)
				}
				if !c.credentials && !strings.HasSuffix(err.Error(), "use aws-actions/configure-aws-credentials with role-to-assume (and give the job `permissions: id-token: write`), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the step's env") {
					t.Errorf("does not say what to do: %v", err)
				}
			}
			if c.credentials && len(fake.asked) != 1 {
				t.Errorf("a refusal was asked for %d times", len(fake.asked))
			}
			if err := credentials.CheckPush(t.Context(), []image.Reference{{Registry: c.host, Repository: "app"}}); err == nil || !strings.HasPrefix(err.Error(), "registry "+c.host+": log in to ECR in eu-west-1: ") {
				t.Errorf("the preflight says %v", err)
			}
		})
	}
}

// served is a transport that reaches a server under every name.
func served(t *testing.T, server *httptest.Server) *http.Transport {
	wire := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	t.Cleanup(wire.CloseIdleConnections)
	return wire
}

// TestECRPublic shows that anybody pulls from ECR Public, and that a push tells
// why there is no login.
func TestECRPublic(t *testing.T) {
	awsEnv(t, &fakeAWS{}, false)
	credentials, _ := given(t, LoginInputs{})
	if username, _, err := credentials.Lookup(t.Context(), "public.ecr.aws"); err != nil || username != "" {
		t.Errorf("got %q, %v", username, err)
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="ecr"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	credentials.wire = served(t, server)
	err := credentials.CheckPush(t.Context(), []image.Reference{{Registry: "public.ecr.aws", Repository: "guk0/app"}})
	if want := "registry public.ecr.aws asks for a login to push: log in to ECR Public: no AWS credentials: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestECRPushRefused shows what ECR's answers to a push come to.
func TestECRPushRefused(t *testing.T) {
	awsEnv(t, &fakeAWS{password: "a token"}, true)
	var header []string
	status, code := 0, ""
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if username, password, _ := request.BasicAuth(); username == "AWS" && password == "a token" {
			header = append(header, request.Method)
		}
		if request.Method == http.MethodGet {
			w.Header().Set("WWW-Authenticate", `Basic realm="https://`+request.Host+`/",service="ecr.amazonaws.com"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"errors":[{"code":%q,"message":"the registry's reason"}]}`, code)
	}))
	defer server.Close()
	for _, c := range []struct {
		host, repository, code string
		status                 int
		want                   string
	}{
		{ireland, "team/app", "NAME_UNKNOWN", 404, "registry " + ireland + " has no repository team/app, and a push to ECR makes none: create it first, `aws ecr create-repository --region eu-west-1 --repository-name team/app`"},
		{"public.ecr.aws", "guk0/team/app", "NAME_UNKNOWN", 404, "registry public.ecr.aws has no repository guk0/team/app, and a push to ECR makes none: create it first, `aws ecr-public create-repository --region us-east-1 --repository-name team/app`"},
		{ireland, "app", "DENIED", 403, "registry " + ireland + " does not let the step's AWS credentials push to app: give them ecr:InitiateLayerUpload, ecr:UploadLayerPart, ecr:CompleteLayerUpload, ecr:BatchCheckLayerAvailability and ecr:PutImage there (the registry's reason)"},
	} {
		status, code, header = c.status, c.code, nil
		credentials, _ := given(t, LoginInputs{})
		credentials.wire = served(t, server)
		err := credentials.CheckPush(t.Context(), []image.Reference{{Registry: c.host, Repository: c.repository}})
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
		if !slices.Contains(header, http.MethodPost) {
			t.Errorf("%s: the push did not come with the login: %v", c.host, header)
		}
	}
}
