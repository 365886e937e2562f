// SPDX-License-Identifier: BSD-3-Clause

// Package soak holds the whole program to what must be true in the end, over
// random histories: people upload, amend, stack, abandon and comment in one or two
// projects and vote at their gates, runs end in every way, servers lose answers,
// mirrors refuse what they are given and hold refs that somebody forged, passes are
// killed, two dispatchers work at once; and then it is quiet. What must be true then
// is worked out by an oracle that knows the events and what the servers hold, and
// shares no code with the packages that decide (plan, verdict, report, reconcile).
//
// It has tests only, and does not look at single messages or at the transfer of
// objects: the stories of internal/app and the tests of internal/relay do.
package soak
