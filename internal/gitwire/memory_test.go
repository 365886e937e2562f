// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"io"
	"net/http"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
)

// servers starts a source that sends a pack of size bytes and a mirror that
// takes anything, both with constant memory. peak is the most bytes in heap
// objects that the mirror saw while it read.
func servers(tb testing.TB, size int) (source, mirror *Remote, peak *uint64) {
	block := []byte(packets("\x01" + string(noise(60_000))))
	source = open(tb, serve(tb, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		io.WriteString(w, packets("packfile\n"))
		for sent := 0; sent < size; sent += 60_000 {
			w.Write(block)
		}
		io.WriteString(w, "0000")
	}), Options{})
	peak = new(uint64)
	buf := make([]byte, 32<<10)
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	mirror = open(tb, serve(tb, func(w http.ResponseWriter, r *http.Request) {
		read := 0
		for step := 0; ; {
			n, err := r.Body.Read(buf)
			if read += n; read>>20 > step {
				step = read >> 20
				metrics.Read(sample)
				*peak = max(*peak, sample[0].Value.Uint64())
			}
			if err != nil {
				break
			}
		}
		if read < size {
			tb.Errorf("the mirror got %d bytes, want at least %d", read, size)
		}
		w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
		io.WriteString(w, packets("unpack ok\n", "ok refs/heads/x\n")+"0000")
	}), Options{})
	return source, mirror, peak
}

// relay moves a pack from source to mirror.
func relay(tb testing.TB, source, mirror *Remote) {
	pack, err := source.Fetch(tb.Context(), FetchRequest{Wants: []string{strings.Repeat("a", 40)}})
	if err != nil {
		tb.Fatal(err)
	}
	report, err := mirror.Push(tb.Context(), PushRequest{Commands: createX(), Pack: pack})
	if err != nil || report.Results[0].Reason != "" {
		tb.Fatalf("got report %+v, %v", report, err)
	}
}

// TestMemoryDoesNotGrowWithThePack is not parallel, so that only its own
// allocations count: those of the two servers, too.
func TestMemoryDoesNotGrowWithThePack(t *testing.T) {
	source, mirror, _ := servers(t, 32<<20)
	relay(t, source, mirror) // opens the connections
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	relay(t, source, mirror)
	runtime.ReadMemStats(&after)
	const limit = 8 << 20
	if got := after.TotalAlloc - before.TotalAlloc; got > limit {
		t.Errorf("a pack of 32 MiB made %d bytes of allocations, want at most %d", got, limit)
	}
}

// BenchmarkRelay moves a pack of 64 MB through. B/op holds the allocations of
// both servers; peak-B is the most that was in use at a time.
func BenchmarkRelay(b *testing.B) {
	const size = 64_000_000
	source, mirror, peak := servers(b, size)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		relay(b, source, mirror)
	}
	b.ReportMetric(float64(*peak), "peak-B")
}
