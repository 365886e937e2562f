// SPDX-License-Identifier: BSD-3-Clause

package soak

// pending are the rules that the program does not keep yet, and why. They are
// looked at and counted, and fail nothing. It is to be empty.
var pending = map[string]string{
	"R1":  "a run that was cancelled, dropped or lost counts as done (histories/restored.txt, ready-again.txt, forged-carried.txt)",
	"R2":  "a refused vote is not set later, red is not carried (forbidden.txt, carried-red.txt, red-and-cancel.txt, passed-and-draft.txt)",
	"R3":  "jobs that passed count in a run that GitHub calls cancelled (liar.txt)",
	"R4":  "cancel and recheck in one pass: the new run starts first (cancel-and-recheck.txt)",
	"R5":  "recheck or false positive, then cancel: the -1 is gone (erased-minus-one.txt, erased-false-positive.txt)",
	"R8":  "a result is not carried over a patchset that no pass has seen, a retry ignores filters (carried-twice.txt, moved-and-lost.txt)",
	"R9":  "run records are not checked against the run (forged-run.txt)",
	"R10": "a red result waits for the other workflows (red-waits.txt)",
	"R11": "a vote that may not be set is not mentioned (forbidden.txt)",
	"R12": "private changes, those out of the branch list, and runs that no pass has noted are not cancelled (public-again.txt, moved-back.txt, killed-and-abandoned.txt)",
	"R14": "a given up run counts as up to date (gone.txt)",
	"R15": "retries have a number, and no schedule (gone.txt)",
	"R13": "refs of changes that cannot be seen stay (public-again.txt)",
}
