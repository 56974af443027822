package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// hashKey is the object metadata that holds the bundle's content hash.
const hashKey = "travois-content-sha256"

// MaxBundle is the largest source bundle that Elastic Beanstalk takes
// (applications-sourcebundle.html).
const MaxBundle = 500 << 20

// Bundle is a source bundle to be stored as an application version.
type Bundle struct {
	App, Label, Description string
	// Bucket and Folder are where the zip goes; see Key.
	Bucket, Folder string
	// at is where a version has its bundle already, which can't be changed.
	at Stored
	// Hash is the hex sha256 of the content, 64 digits.
	Hash string
	// Write writes the zip, the same bytes each time.
	Write func(context.Context, io.Writer) error
}

// Key is where in its bucket the bundle of a version is kept. A label that does
// not name the content, as a given one, is joined by 8 digits of the content's
// hash: the same label may stand for other content in another application, or
// in a run at the same time, and no bundle may replace another's.
func Key(folder, label, hash string) string {
	if !namesContent(label, hash) {
		label += "-" + hash[:min(len(hash), LabelDigits)]
	}
	return path.Join(folder, label+".zip")
}

func (b Bundle) place() Stored {
	if b.at.Bucket != "" {
		return b.at
	}
	return Stored{Bucket: b.Bucket, Key: Key(b.Folder, b.Label, b.Hash)}
}

// Stored is an application version that is there.
type Stored struct {
	// Bucket and Key are where its bundle is.
	Bucket, Key string
	// Created and Uploaded tell what was not there before.
	Created, Uploaded bool
	// Gone tells that the bundle is not there any more.
	Gone bool
}

// URI is the s3:// address of the bundle.
func (s Stored) URI() string {
	if s.Bucket == "" {
		return ""
	}
	return "s3://" + s.Bucket + "/" + s.Key
}

// ConflictError is a version label that stands for other content already, or
// for content that can't be known.
type ConflictError struct {
	Label string
	// Have is the hash of the stored content, empty when it can't be known;
	// Unknown then says why.
	Have, Want, Unknown string
}

func (e ConflictError) Error() string {
	found := fmt.Sprintf("with other content: stored sha256 %s, this bundle %s", e.Have, e.Want)
	if e.Have == "" {
		found = fmt.Sprintf("and its content can't be compared with this bundle (sha256 %s): %s", e.Want, e.Unknown)
	}
	return fmt.Sprintf("application version %q exists %s; "+
		"a version can't be replaced: give another version-label, or leave it empty for one made of commit and content", e.Label, found)
}

// Version looks up an application version; it is nil when there is none.
func (c *Client) Version(ctx context.Context, app, label string) (*Stored, error) {
	v, err := c.version(ctx, app, label)
	if err != nil || v == nil {
		return nil, err
	}
	stored := location(v)
	return &stored, nil
}

func (c *Client) version(ctx context.Context, app, label string) (*types.ApplicationVersionDescription, error) {
	out, err := c.eb.DescribeApplicationVersions(ctx, &elasticbeanstalk.DescribeApplicationVersionsInput{
		ApplicationName: &app, VersionLabels: []string{label},
	})
	if err != nil {
		return nil, failed(err, "look up application version %q", label)
	}
	if len(out.ApplicationVersions) == 0 {
		return nil, nil
	}
	return &out.ApplicationVersions[0], nil
}

func location(v *types.ApplicationVersionDescription) Stored {
	if v.SourceBundle == nil {
		return Stored{}
	}
	return Stored{Bucket: aws.ToString(v.SourceBundle.S3Bucket), Key: aws.ToString(v.SourceBundle.S3Key)}
}

// Holds tells whether the version that the label names exists with this
// content (stored is nil when it does not exist). Other content, or content
// that can't be known, is a ConflictError.
func (c *Client) Holds(ctx context.Context, app, label, hash string) (*Stored, error) {
	v, err := c.version(ctx, app, label)
	if err != nil || v == nil {
		return nil, err
	}
	if strings.EqualFold(string(v.Status), string(types.ApplicationVersionStatusFailed)) {
		return nil, fmt.Errorf("application version %q exists, but Elastic Beanstalk could not process it; delete it or give another version-label", label)
	}
	stored := location(v)
	have, unknown, err := c.objectHash(ctx, stored)
	if err != nil {
		return nil, err
	}
	stored.Gone = unknown == goneBundle(stored)
	if have == hash || have == "" && (namesContent(label, hash) || namesContent(keyLabel(stored.Key), hash)) {
		return &stored, nil
	}
	return nil, ConflictError{Label: label, Have: have, Want: hash, Unknown: unknown}
}

// LabelDigits is how many digits of the content hash end a default label.
const LabelDigits = 8

// namesContent tells whether a label ends with the content's hash, as the
// labels do that are made by default: "<commit>-<hash>", or the hash alone.
func namesContent(label, hash string) bool {
	end := label[strings.LastIndex(label, "-")+1:]
	return len(end) >= LabelDigits && strings.HasPrefix(hash, end)
}

// keyLabel is the label in the key of a bundle; see Key.
func keyLabel(key string) string { return strings.TrimSuffix(path.Base(key), ".zip") }

func goneBundle(at Stored) string { return "its bundle " + at.URI() + " is gone" }

// objectHash is the content hash kept with an object. It is empty when there is
// no object, no hash, or no permission to look; unknown then says which.
func (c *Client) objectHash(ctx context.Context, at Stored) (hash, unknown string, err error) {
	if at.Bucket == "" {
		return "", "it has no bundle in S3", nil
	}
	out, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &at.Bucket, Key: &at.Key})
	switch {
	case err == nil:
		return out.Metadata[hashKey], "its bundle " + at.URI() + " carries no hash", nil
	case status(err) == http.StatusNotFound:
		return "", goneBundle(at), nil
	case status(err) == http.StatusForbidden:
		return "", fmt.Sprintf("access to its bundle is denied: allow s3:GetObject on %s (and s3:ListBucket on the bucket, without which one that is gone is denied too)", at.URI()), nil
	}
	return "", "", failed(err, "look up the bundle %s", at.URI())
}

// EnsureVersion makes the application version of a bundle, uploading it if the
// same content is not there yet. A version of that label with the same content
// is used as it is; with other content it is a ConflictError.
func (c *Client) EnsureVersion(ctx context.Context, b Bundle) (Stored, error) {
	stored, err := c.Holds(ctx, b.App, b.Label, b.Hash)
	if err != nil {
		return Stored{}, err
	}
	if stored != nil && stored.Gone {
		return c.repair(ctx, b, *stored)
	}
	if stored != nil {
		return *stored, nil
	}
	uploaded, err := c.upload(ctx, b)
	if err != nil {
		return Stored{}, err
	}
	err = c.createVersion(ctx, b)
	if invalid(err, "already exists") {
		return c.raced(ctx, b)
	}
	if err != nil {
		return Stored{}, failed(err, "create application version %q", b.Label)
	}
	made := b.place()
	made.Created, made.Uploaded = true, uploaded
	return made, nil
}

// repair uploads the bundle of a version that has lost it, to where it was.
func (c *Client) repair(ctx context.Context, b Bundle, at Stored) (Stored, error) {
	if at.Bucket == "" {
		return Stored{}, fmt.Errorf("application version %q has no bundle in S3; delete it or give another version-label", b.Label)
	}
	b.at = Stored{Bucket: at.Bucket, Key: at.Key}
	if _, err := c.upload(ctx, b); err != nil {
		return Stored{}, err
	}
	repaired := b.at
	repaired.Uploaded = true
	return repaired, nil
}

// raced is for a version that another run made since we looked.
func (c *Client) raced(ctx context.Context, b Bundle) (Stored, error) {
	stored, err := c.Holds(ctx, b.App, b.Label, b.Hash)
	if err != nil {
		return Stored{}, err
	}
	if stored == nil {
		return Stored{}, fmt.Errorf("create application version %q: it was there and is gone again; run the deployment again", b.Label)
	}
	if stored.Gone {
		return c.repair(ctx, b, *stored)
	}
	return *stored, nil
}

func (c *Client) createVersion(ctx context.Context, b Bundle) error {
	at := b.place()
	in := &elasticbeanstalk.CreateApplicationVersionInput{
		ApplicationName: &b.App, VersionLabel: &b.Label,
		SourceBundle: &types.S3Location{S3Bucket: &at.Bucket, S3Key: &at.Key},
	}
	if d := Description(b.Description); d != "" {
		in.Description = &d
	}
	_, err := c.eb.CreateApplicationVersion(ctx, in)
	return err
}

// upload streams the zip to S3 unless the same content is there. It tells
// whether anything was sent.
func (c *Client) upload(ctx context.Context, b Bundle) (bool, error) {
	at := b.place()
	have, _, err := c.objectHash(ctx, at)
	if err != nil {
		return false, err
	}
	switch have {
	case b.Hash:
		c.dropLeftovers(ctx, at)
		return false, nil
	case "":
		return c.sendOnce(ctx, at, b)
	}
	return false, fmt.Errorf("upload the bundle: %s holds other content (sha256 %s), which may be a version's; give another version-label or bucket-path", at.URI(), have)
}

// sendOnce takes an upload for done that fails where another run has brought the
// same content meanwhile, and dropped what was left of ours.
func (c *Client) sendOnce(ctx context.Context, at Stored, b Bundle) (bool, error) {
	size, err := c.send(ctx, at, b)
	if err != nil {
		if have, _, lookErr := c.objectHash(ctx, at); lookErr == nil && have == b.Hash {
			return false, nil
		}
		return false, failed(err, "upload the bundle to %s", at.URI())
	}
	if size > partSize {
		c.dropLeftovers(ctx, at)
	}
	return true, nil
}

// send writes the bundle at one end while S3 reads at the other. An upload that
// fails leaves nothing there. It gives the size in bytes.
func (c *Client) send(ctx context.Context, at Stored, b Bundle) (int64, error) {
	reader, writer := io.Pipe()
	written := make(chan struct{})
	sink := &limited{w: writer, left: MaxBundle}
	go func() {
		defer close(written)
		writer.CloseWithError(b.Write(ctx, sink))
	}()
	_, err := c.uploads.UploadObject(ctx, &transfermanager.UploadObjectInput{
		Bucket: &at.Bucket, Key: &at.Key, Body: reader,
		ContentType: aws.String("application/zip"),
		Metadata:    map[string]string{hashKey: b.Hash},
	})
	// Closing the reading end also ends the writer of an upload that failed.
	err = errors.Join(err, reader.Close())
	<-written
	return MaxBundle - sink.left, err
}

var errTooLarge = errors.New("the bundle is larger than the 500 MB that Elastic Beanstalk takes; leave files out of it")

// limited fails once more than the bytes left are written.
type limited struct {
	w    io.Writer
	left int64
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, errTooLarge
	}
	return l.w.Write(p)
}
