// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// reply answers with JSON, or without a body if v is nil.
func reply(w http.ResponseWriter, status int, v any) {
	if v == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

// fail answers with an error in GitHub's form.
func fail(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]string{
		"message":           message,
		"documentation_url": "https://docs.github.com/rest",
		"status":            strconv.Itoa(status),
	})
}
