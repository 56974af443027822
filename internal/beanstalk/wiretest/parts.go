package wiretest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// upload is an object that comes in parts.
type upload struct {
	bucket, key string
	object      Object
	parts       map[int]part
}

type part struct {
	body []byte
	sum  string
}

// Uploads counts the uploads in parts that have neither ended nor been aborted.
func (a *AWS) Uploads() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.uploads)
}

// servePart answers for uploads in parts, which need a SHA-256 for each.
func (a *AWS) servePart(w http.ResponseWriter, r *http.Request, name, bucket, key string) error {
	if a.Buckets[bucket] == nil {
		w.WriteHeader(http.StatusNotFound)
		return nil
	}
	id := r.URL.Query().Get("uploadId")
	switch name {
	case "ListMultipartUploads":
		return a.listUploads(w, bucket, r.URL.Query().Get("prefix"))
	case "CreateMultipartUpload":
		if got := r.Header.Get("X-Amz-Checksum-Algorithm"); got != "SHA256" {
			return fmt.Errorf("the checksums are announced as %q", got)
		}
		id = "upload-" + a.requestID()
		a.uploads[id] = &upload{bucket, key, Object{Meta: metaOf(r)}, map[int]part{}}
		_, err := fmt.Fprintf(w, "<InitiateMultipartUploadResult><UploadId>%s</UploadId></InitiateMultipartUploadResult>", id)
		return err
	case "UploadPart":
		return a.uploadPart(w, r, a.uploads[id])
	case "CompleteMultipartUpload":
		return a.completeUpload(w, r, id, bucket, key)
	case "AbortMultipartUpload":
		delete(a.uploads, id)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	panic("the wire does not know " + r.Method + " " + r.URL.String())
}

func (a *AWS) listUploads(w io.Writer, bucket, prefix string) error {
	text := "<ListMultipartUploadsResult>"
	for _, id := range slices.Sorted(maps.Keys(a.uploads)) {
		if u := a.uploads[id]; u.bucket == bucket && strings.HasPrefix(u.key, prefix) {
			text += fmt.Sprintf("<Upload><Key>%s</Key><UploadId>%s</UploadId></Upload>", u.key, id)
		}
	}
	_, err := io.WriteString(w, text+"</ListMultipartUploadsResult>")
	return err
}

func (a *AWS) uploadPart(w http.ResponseWriter, r *http.Request, u *upload) error {
	body, err := checkedBody(r)
	if err != nil {
		return err
	}
	number, err := strconv.Atoi(r.URL.Query().Get("partNumber"))
	if err != nil || u == nil {
		return fmt.Errorf("no such part or upload: %s", r.URL)
	}
	sum := r.Header.Get(sumHeader)
	u.parts[number] = part{body, sum}
	w.Header().Set("ETag", fmt.Sprintf("%q", strconv.Itoa(number)))
	w.Header().Set(sumHeader, sum)
	return nil
}

const sumHeader = "X-Amz-Checksum-Sha256"

// checkedBody reads a body and holds it against its checksum.
func checkedBody(r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	if want, got := base64.StdEncoding.EncodeToString(sum[:]), r.Header.Get(sumHeader); got != want {
		return nil, fmt.Errorf("the body has the SHA-256 %s; announced is %q", want, got)
	}
	return body, nil
}

// listedPart is what the end of an upload says about a part.
type listedPart struct {
	PartNumber     int
	ChecksumSHA256 string
}

func byNumber(a, b listedPart) int { return a.PartNumber - b.PartNumber }

// completeUpload wants the parts that were uploaded, in order, by their sums.
func (a *AWS) completeUpload(w http.ResponseWriter, r *http.Request, id, bucket, key string) error {
	var list struct{ Part []listedPart }
	if err := xml.NewDecoder(r.Body).Decode(&list); err != nil {
		return err
	}
	u := a.uploads[id]
	if u == nil || len(list.Part) != len(u.parts) || !slices.IsSortedFunc(list.Part, byNumber) {
		return fmt.Errorf("upload %q does not consist of %+v", id, list.Part)
	}
	for _, one := range list.Part {
		if got := u.parts[one.PartNumber]; got.sum != one.ChecksumSHA256 {
			return fmt.Errorf("part %d has the sum %s, not %s", one.PartNumber, got.sum, one.ChecksumSHA256)
		}
		u.object.Body = append(u.object.Body, u.parts[one.PartNumber].body...)
	}
	delete(a.uploads, id)
	a.Buckets[bucket][key] = &u.object
	_, err := io.WriteString(w, `<CompleteMultipartUploadResult><ETag>"0"</ETag></CompleteMultipartUploadResult>`)
	return err
}
