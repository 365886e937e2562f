// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The account and the time of the examples in Amazon's documentation.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
func docServer(t *testing.T) *Server {
	return New(t.TempDir(), Options{
		Key: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		Domain: "s3.amazonaws.com", Buckets: []string{"examplebucket"},
		Now: func() time.Time { return time.Date(2013, 5, 24, 0, 1, 0, 0, time.UTC) },
	})
}

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func docRequest(method, target, signed, signature string, header ...string) *http.Request {
	r := httptest.NewRequest(method, "http://examplebucket.s3.amazonaws.com"+target, nil)
	r.Header.Set("X-Amz-Date", "20130524T000000Z")
	r.Header.Set("X-Amz-Content-Sha256", emptyHash)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders="+signed+",Signature="+signature)
	return r
}

// TestDocumentedSignatures: what Amazon's documentation signs is accepted.
func TestDocumentedSignatures(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*http.Request{
		"get": docRequest("GET", "/test.txt", "host;range;x-amz-content-sha256;x-amz-date",
			"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", "Range", "bytes=0-9"),
		"put": docRequest("PUT", "/test$file.text", "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
			"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
			"Date", "Fri, 24 May 2013 00:00:00 GMT", "X-Amz-Storage-Class", "REDUCED_REDUNDANCY",
			"X-Amz-Content-Sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
		"list": docRequest("GET", "/?max-keys=2&prefix=J", "host;x-amz-content-sha256;x-amz-date",
			"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
	} {
		if bad := docServer(t).check(r); bad != nil {
			t.Errorf("%s: got %s, want no refusal", name, bad.Code)
		}
	}
}

func TestRefusedSignatures(t *testing.T) {
	t.Parallel()
	request := func(change func(*http.Request)) *http.Request {
		r := docRequest("GET", "/test.txt", "host;x-amz-content-sha256;x-amz-date", "0000")
		change(r)
		return r
	}
	replace := func(old, with string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
		}
	}
	for want, r := range map[string]*http.Request{
		"AccessDenied":                 request(func(r *http.Request) { r.Header.Del("Authorization") }),
		"SignatureDoesNotMatch":        request(func(*http.Request) {}),
		"InvalidAccessKeyId":           request(replace("AKIA", "AKIB")),
		"AuthorizationHeaderMalformed": request(replace("us-east-1", "eu-west-1")),
		"RequestTimeTooSkewed":         request(func(r *http.Request) { r.Header.Set("X-Amz-Date", "20130524T001700Z") }),
	} {
		if bad := docServer(t).check(r); bad == nil || bad.Code != want {
			t.Errorf("got %+v, want %s", bad, want)
		}
	}
	unsigned := docRequest("GET", "/test.txt", "host;range;x-amz-content-sha256;x-amz-date",
		"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", "Range", "bytes=0-9", "X-Amz-Acl", "public-read")
	if bad := docServer(t).check(unsigned); bad == nil || bad.Code != "SignatureDoesNotMatch" {
		t.Errorf("a header that is not signed: got %+v, want SignatureDoesNotMatch", bad)
	}
}
