// SPDX-License-Identifier: BSD-3-Clause

package change

// The words by which the ledger remembers why a mirror does not take something.
// They stand for a definite verdict, never for trouble of the mirror's own.
const (
	LargeFile    = "large-file"
	TooLarge     = "too-large"
	Secret       = "secret"
	PrivateEmail = "private-email"
	MissingLFS   = "lfs"
	Malformed    = "malformed"
	BrokenRule   = "rule"
	Protected    = "protected"
	OtherReason  = "other" // of a branch: in words that are not known
)

var refusalTexts = map[string]string{
	LargeFile:    "a file is over its size limit",
	TooLarge:     "the patchset is over its size limit for one push",
	Secret:       "it holds a secret",
	PrivateEmail: "it would publish a private email address",
	MissingLFS:   "it points at Git LFS objects that are not there",
	Malformed:    "an object is malformed",
	BrokenRule:   "it breaks a rule of the mirror",
	Protected:    "the branch is protected",
}

// RefusalText says in words what a word of a refusal means.
func RefusalText(word string) string {
	if text := refusalTexts[word]; text != "" {
		return text
	}
	return "in words that are not known"
}
