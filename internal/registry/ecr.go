package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"github.com/guk0/travois/internal/image"
)

// ecrHost is a private registry of Amazon ECR: ACCOUNT.dkr.ecr.REGION.amazonaws.com
// or, for IPv4 and IPv6, ACCOUNT.dkr-ecr.REGION.on.aws, with -fips and in the
// other partitions. Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html
// and awslabs/amazon-ecr-credential-helper.
var ecrHost = regexp.MustCompile(`^\d{12}\.dkr([.-])ecr(-fips)?\.([a-z0-9-]+)\.(amazonaws\.(com(\.cn)?|eu)|on\.(aws|amazonwebservices\.(com\.cn|eu))|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$`)

// publicECR are the hosts of Amazon ECR Public. One region logs in to it.
var publicECR = []string{"public.ecr.aws", "ecr-public.aws.com"}

const publicRegion = "us-east-1"

func isPublicECR(host string) bool { return slices.Contains(publicECR, host) }

// ecrEndpoint is the part of ECR that gives a registry's logins.
type ecrEndpoint struct {
	region                  string
	public, fips, dualStack bool
}

// parseECR tells whether a host is one of Amazon ECR's, and who logs in to it.
func parseECR(host string) (ecrEndpoint, bool) {
	if isPublicECR(host) {
		return ecrEndpoint{region: publicRegion, public: true, dualStack: host != publicECR[0]}, true
	}
	found := ecrHost.FindStringSubmatch(host)
	if found == nil {
		return ecrEndpoint{}, false
	}
	return ecrEndpoint{region: found[3], fips: found[2] != "", dualStack: found[1] == "-"}, true
}

// ECRRepository is the ARN of an image's repository where that is a private one
// of Amazon ECR.
func ECRRepository(of image.Reference) (arn string, ok bool) {
	at, ok := parseECR(of.Registry)
	if !ok || at.public {
		return "", false
	}
	partition := "aws"
	switch {
	case strings.HasPrefix(at.region, "cn-"):
		partition = "aws-cn"
	case strings.HasPrefix(at.region, "us-gov-"):
		partition = "aws-us-gov"
	}
	return fmt.Sprintf("arn:%s:ecr:%s:%s:repository/%s", partition, at.region, of.Registry[:12], of.Repository), true
}

// key names the endpoint among others and among hosts.
func (e ecrEndpoint) key() string {
	return fmt.Sprintf("%s, fips %t, dual stack %t", e, e.fips, e.dualStack)
}

func (e ecrEndpoint) String() string {
	if e.public {
		return "ECR Public"
	}
	return "ECR in " + e.region
}

// ecrWithin bounds a login to ECR. Where there are no AWS credentials, those of
// an EC2 instance are looked for.
const ecrWithin = 30 * time.Second

// login asks for a token that lasts 12 hours and opens every registry of the
// region that the credentials may use; nil are those of the SDK's default chain.
func (e ecrEndpoint) login(ctx context.Context, with aws.CredentialsProvider) (Login, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, ecrWithin)
	defer cancel()
	cfg, err := awsconfig.LoadDefaultConfig(ctx, append(e.options(), awsconfig.WithCredentialsProvider(with))...)
	if err != nil {
		return Login{}, time.Time{}, fmt.Errorf("log in to %s: read the AWS configuration: %w", e, err)
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return Login{}, time.Time{}, fmt.Errorf("log in to %s: no AWS credentials: %w; before this step, use aws-actions/configure-aws-credentials with role-to-assume "+
			"(and give the job `permissions: id-token: write`), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the step's env", e, err)
	}
	token, until, err := e.token(ctx, cfg)
	if err != nil {
		return Login{}, time.Time{}, fmt.Errorf("log in to %s: %w", e, e.explain(err))
	}
	decoded, err := base64.StdEncoding.DecodeString(token)
	username, password, ok := strings.Cut(string(decoded), ":")
	if err != nil || !ok || username == "" || password == "" {
		return Login{}, time.Time{}, fmt.Errorf("log in to %s: its token is no base64 of user:password", e)
	}
	return Login{username, password}, until, nil
}

// options are how AWS is reached. The SDK prints nothing.
func (e ecrEndpoint) options() []func(*awsconfig.LoadOptions) error {
	all := []func(*awsconfig.LoadOptions) error{awsconfig.WithRegion(e.region), awsconfig.WithLogger(logging.Nop{}), awsconfig.WithClientLogMode(0)}
	if e.fips {
		all = append(all, awsconfig.WithUseFIPSEndpoint(aws.FIPSEndpointStateEnabled))
	}
	if e.dualStack {
		all = append(all, awsconfig.WithUseDualStackEndpoint(aws.DualStackEndpointStateEnabled))
	}
	return all
}

var errNoToken = errors.New("the answer holds no token")

// token asks the service. Sources:
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html and
// https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_GetAuthorizationToken.html
func (e ecrEndpoint) token(ctx context.Context, cfg aws.Config) (string, time.Time, error) {
	if e.public {
		answer, err := ecrpublic.NewFromConfig(cfg).GetAuthorizationToken(ctx, &ecrpublic.GetAuthorizationTokenInput{})
		if err != nil {
			return "", time.Time{}, err
		}
		if answer.AuthorizationData == nil {
			return "", time.Time{}, errNoToken
		}
		return aws.ToString(answer.AuthorizationData.AuthorizationToken), aws.ToTime(answer.AuthorizationData.ExpiresAt), nil
	}
	answer, err := ecr.NewFromConfig(cfg).GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return "", time.Time{}, err
	}
	if len(answer.AuthorizationData) == 0 {
		return "", time.Time{}, errNoToken
	}
	data := answer.AuthorizationData[0]
	return aws.ToString(data.AuthorizationToken), aws.ToTime(data.ExpiresAt), nil
}

// explain says what to do about an answer of AWS.
func (e ecrEndpoint) explain(err error) error {
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.ErrorCode() {
	case "AccessDeniedException", "AccessDenied":
		permission := "ecr:GetAuthorizationToken"
		if e.public {
			permission = "ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken"
		}
		return fmt.Errorf("%s: give the role or user of the step %s", refused.ErrorMessage(), permission)
	case "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", "InvalidClientTokenId":
		return fmt.Errorf("AWS refuses the credentials (%s: %s); they are wrong, expired or of another partition than region %s", refused.ErrorCode(), refused.ErrorMessage(), e.region)
	}
	return err
}

// create is the command that makes a repository, which a push does not.
func (e ecrEndpoint) create(repository string) string {
	if e.public {
		_, repository, _ = strings.Cut(repository, "/") // after the registry's alias
		return fmt.Sprintf("aws ecr-public create-repository --region %s --repository-name %s", e.region, repository)
	}
	return fmt.Sprintf("aws ecr create-repository --region %s --repository-name %s", e.region, repository)
}
