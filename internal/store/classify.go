// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// ErrNotFound says that there is no object of that name.
var ErrNotFound = errors.New("there is no such object")

// explain classifies a failed call and says what to do about it.
func (s *Store) explain(q call, rec *record, err error, late bool) error {
	if rec.answer == nil && rec.err != nil {
		err = rec.err
	}
	if fault.KindOf(err) != fault.Unknown { // ours, such as a digest that differs
		return fault.New(fault.KindOf(err), "failed to %s: %w", q.doing, err)
	}
	if rec.answer == nil && rec.err == nil {
		// Amazon may say 200 first and only then that it failed.
		if e := minio.ToErrorResponse(err); e.Code != "" {
			rec.answer = &answerError{Status: http.StatusOK, Code: printable(e.Code, 80), Message: printable(e.Message, 300)}
		}
	}
	switch {
	case rec.answer != nil:
		return s.explainAnswer(q, rec)
	case late:
		return fault.New(fault.Transient, "failed to %s: the storage at %s did not finish within %v", q.doing, s.at.Host, q.limit)
	}
	return s.explainNetwork(q, err)
}

// explainAnswer is for answers that say no.
func (s *Store) explainAnswer(q call, rec *record) error {
	e := rec.answer
	switch {
	case e.Code == "RequestTimeTooSkewed" || e.Status == http.StatusForbidden && s.skew(rec).Abs() > maxSkew:
		return s.explainSkew(q, rec)
	case e.Status == http.StatusNotFound && q.mayMiss && (e.Code == "" || e.Code == "NoSuchKey"):
		return fault.New(fault.Permanent, "failed to %s: %w", q.doing, ErrNotFound)
	}
	f := fault.New(fault.Transient, "failed to %s: %w", q.doing, e)
	f.Kind, f.Hint = s.judge(q, e)
	if f.Kind == fault.Transient {
		f.After = retryAfter(rec.header)
	}
	return f
}

// judge says whose failure an answer is. The codes are Amazon's and those that
// MinIO, Backblaze and Ceph have beside them.
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
func (s *Store) judge(q call, e *answerError) (fault.Kind, string) {
	switch e.Code {
	case "SignatureDoesNotMatch":
		return fault.Configuration, "S3_SECRET does not belong to S3_KEY, or a proxy in front of " + s.at.Host + " changes the requests"
	case "InvalidAccessKeyId", "InvalidToken", "ExpiredToken", "XAdminUserNotFound": // the last one is versitygw's
		return fault.Configuration, "S3_KEY is not known at " + s.at.Host + ", or it was revoked: check S3_KEY and S3_ENDPOINT_URL"
	case "NoSuchBucket":
		return fault.Configuration, fmt.Sprintf("create the bucket %s at %s, or correct S3_BUCKET and S3_ENDPOINT_URL", s.o.Bucket, s.at.Host)
	case "InvalidBucketName":
		return fault.Configuration, "correct S3_BUCKET"
	case "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientStorage", "AccountProblem":
		return fault.Configuration, "make room in the storage, or raise its limit"
	case "BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "IncompleteBody":
		return fault.Transient, "something between here and " + s.at.Host + " changes what is sent"
	case "InvalidPart", "ConditionalRequestConflict", "RequestTimeout", "SlowDown", "InternalError", "ServiceUnavailable", "OperationAborted", "RequestLimitExceeded":
		return fault.Transient, ""
	}
	if wrongRegion(e) {
		if e.Region != "" {
			return fault.Configuration, "set S3_REGION to " + e.Region
		}
		return fault.Configuration, "set S3_REGION to the bucket's region, and S3_ENDPOINT_URL to the endpoint of that region"
	}
	return s.judgeStatus(q, e)
}

func (s *Store) judgeStatus(q call, e *answerError) (fault.Kind, string) {
	const clientGaveUp, full = 499, 507
	switch {
	case e.page && e.Status < 500:
		return fault.Configuration, "check S3_ENDPOINT_URL: a web site or a login page answers at " + s.at.String()
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		return fault.Configuration, fmt.Sprintf("give the key S3_KEY the right to %s in the bucket %s", q.needs, s.o.Bucket)
	case e.Status == http.StatusNotFound:
		return fault.Configuration, "check S3_ENDPOINT_URL and S3_BUCKET"
	case e.Status == http.StatusNotImplemented, e.Status == http.StatusMethodNotAllowed:
		return fault.Configuration, "the server at S3_ENDPOINT_URL does not offer this part of S3, or is no S3 server"
	case e.Status == full:
		return fault.Configuration, "make room in the storage"
	case e.Status >= 500, e.Status < 300, e.Status == http.StatusRequestTimeout, e.Status == http.StatusTooManyRequests, e.Status == clientGaveUp:
		return fault.Transient, ""
	}
	return fault.Permanent, ""
}

// wrongRegion reports whether the request went to the wrong region.
func wrongRegion(e *answerError) bool {
	switch e.Code {
	case "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect", "TemporaryRedirect", "IllegalLocationConstraintException":
		return true
	}
	// The answer to a HEAD has no body.
	return e.Code == "" && e.Region != "" && (e.Status == http.StatusMovedPermanently || e.Status == http.StatusBadRequest)
}

// skew is how far the server's clock is ahead of ours, as its answer tells.
func (s *Store) skew(rec *record) time.Duration {
	at, err := http.ParseTime(rec.header.Get("Date"))
	if err != nil {
		return 0
	}
	return at.Sub(s.o.Now())
}

func (s *Store) explainSkew(q call, rec *record) error {
	clocks := "the clocks differ"
	if at, err := http.ParseTime(rec.header.Get("Date")); err == nil {
		clocks = fmt.Sprintf("this host's clock says %s, the storage's says %s",
			s.o.Now().UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339))
	}
	return fault.New(fault.Ours, "failed to %s: %s: %w", q.doing, clocks, rec.answer).
		WithHint("set this host's clock (NTP); S3 allows %v of difference", maxSkew)
}

// retryAfter reads the header of RFC 9110, section 10.2.3, in seconds.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxWait)
}

// explainNetwork is for requests without an answer.
func (s *Store) explainNetwork(q call, err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // without the address, which says nothing more
	}
	f := fault.New(fault.Transient, "failed to %s: the connection to %s broke: %w", q.doing, s.at.Host, err)
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		f.Kind = fault.Configuration
		f.Hint = "check the host in S3_ENDPOINT_URL"
		if s.o.PathStyle != Path {
			f.Hint += "; a server without a host name for each bucket needs the path style"
		}
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		f.Kind = fault.Configuration
		f.Hint = "if the certificate of " + s.at.Host + " comes from a private authority, give that authority's PEM file"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		f.Kind = fault.Configuration
		f.Hint = s.at.Host + " does not speak TLS there: check the scheme and port in S3_ENDPOINT_URL"
	}
	return f
}

var regionName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

const preconditionFailed = http.StatusPreconditionFailed

// answerStatus is the HTTP status of the answer that an error is about, or 0.
func answerStatus(err error) int {
	if e, ok := errors.AsType[*answerError](err); ok {
		return e.Status
	}
	return 0
}

// answerCode is S3's code in the answer that an error is about, or empty.
func answerCode(err error) string {
	if e, ok := errors.AsType[*answerError](err); ok {
		return e.Code
	}
	return ""
}
