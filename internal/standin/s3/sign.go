// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxSkew is how far the clocks may be apart.
const maxSkew = 15 * time.Minute

const amzTime = "20060102T150405Z"

// check verifies the signature of a request.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
func (s *Server) check(r *http.Request) *refusal {
	fields, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return &refusal{Status: http.StatusForbidden, Code: "AccessDenied", Message: "Access Denied"}
	}
	sent := map[string]string{}
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		sent[name] = value
	}
	key, scope, _ := strings.Cut(sent["Credential"], "/")
	parts := strings.Split(scope, "/")
	at, err := time.Parse(amzTime, r.Header.Get("X-Amz-Date"))
	switch {
	case err != nil || len(parts) != 4 || parts[0] != at.Format("20060102") || parts[2] != "s3" || parts[3] != "aws4_request":
		return &refusal{Status: http.StatusBadRequest, Code: "AuthorizationHeaderMalformed", Message: "The authorization header is malformed"}
	case key != s.o.Key:
		return &refusal{Status: http.StatusForbidden, Code: "InvalidAccessKeyId", Message: "The AWS Access Key Id you provided does not exist in our records."}
	case parts[1] != s.o.Region:
		return &refusal{
			Status: http.StatusBadRequest, Code: "AuthorizationHeaderMalformed", Region: s.o.Region,
			Message: fmt.Sprintf("The authorization header is malformed; the region '%s' is wrong; expecting '%s'", parts[1], s.o.Region),
		}
	}
	if now := s.o.Now().UTC(); now.Sub(at).Abs() > maxSkew {
		return &refusal{
			Status: http.StatusForbidden, Code: "RequestTimeTooSkewed",
			Message:     "The difference between the request time and the current time is too large.",
			RequestTime: at.Format(amzTime), ServerTime: now.Format(time.RFC3339),
		}
	}
	names := strings.Split(sent["SignedHeaders"], ";")
	text := strings.Join([]string{"AWS4-HMAC-SHA256", at.Format(amzTime), scope, hash(canonical(r, names))}, "\n")
	if !signsAll(r, names) || !hmac.Equal([]byte(sent["Signature"]), []byte(hex.EncodeToString(sum(signingKey(s.o.Secret, parts), text)))) {
		return &refusal{
			Status: http.StatusForbidden, Code: "SignatureDoesNotMatch",
			Message: "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
		}
	}
	return nil
}

// Sign signs a request with a body, whose hash it adds if there is none, for tests
// that set up a server by its API.
func Sign(r *http.Request, key, secret, region, body string, now time.Time) {
	now = now.UTC()
	r.Host = r.URL.Host
	r.Header.Set("X-Amz-Date", now.Format(amzTime))
	if r.Header.Get("X-Amz-Content-Sha256") == "" {
		r.Header.Set("X-Amz-Content-Sha256", hash(body))
	}
	names := []string{"host"}
	for name := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	scope := []string{now.Format("20060102"), region, "s3", "aws4_request"}
	text := strings.Join([]string{"AWS4-HMAC-SHA256", now.Format(amzTime), strings.Join(scope, "/"), hash(canonical(r, names))}, "\n")
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		key, strings.Join(scope, "/"), strings.Join(names, ";"), hex.EncodeToString(sum(signingKey(secret, scope), text))))
}

// signsAll reports whether the headers that must be signed are.
func signsAll(r *http.Request, names []string) bool {
	for name := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !slices.Contains(names, name) {
			return false
		}
	}
	return slices.Contains(names, "host") && slices.IsSorted(names)
}

func signingKey(secret string, scope []string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range scope {
		key = sum(key, part)
	}
	return key
}

// canonical is the text of a request that is signed.
func canonical(r *http.Request, names []string) string {
	var query []string
	for name, values := range r.URL.Query() {
		for _, value := range values {
			query = append(query, escape(name, false)+"="+escape(value, false))
		}
	}
	slices.Sort(query)
	var headers strings.Builder
	for _, name := range names {
		value := strings.Join(r.Header.Values(name), ",")
		if name == "host" {
			value = r.Host
		}
		headers.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	return strings.Join([]string{
		r.Method, escape(r.URL.Path, true), strings.Join(query, "&"), headers.String(),
		strings.Join(names, ";"), r.Header.Get("X-Amz-Content-Sha256"),
	}, "\n")
}

// escape is Amazon's UriEncode: all but the unreserved characters of RFC 3986.
func escape(s string, isPath bool) string {
	s = strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	if isPath {
		s = strings.ReplaceAll(s, "%2F", "/")
	}
	return s
}

func sum(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hash(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}
