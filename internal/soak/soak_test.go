// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain keeps a developer's own GitHub token out of the play: with CI set no
// key store is asked, and gh's settings are looked for where there are none.
func TestMain(m *testing.M) {
	os.Setenv("CI", "true")
	os.Setenv("GH_CONFIG_DIR", filepath.Join(os.TempDir(), "no-such-folder"))
	for _, name := range []string{"GITHUB_TOKEN", "GH_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"} {
		os.Unsetenv(name)
	}
	os.Exit(m.Run())
}

// setting reads a number from the environment.
func setting(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s=%q is no number", name, text)
	}
	return n
}

// TestSoak plays random histories: SOAK_HISTORIES of them (50), from the seed
// SOAK_SEED on (1), for no longer than SOAK_SECONDS. A seed is one history for
// as long as generate stays as it is; what it found is kept as text.
func TestSoak(t *testing.T) {
	t.Parallel()
	count, first := setting(t, "SOAK_HISTORIES", 50), setting(t, "SOAK_SEED", 1)
	end := time.Now().Add(time.Duration(setting(t, "SOAK_SECONDS", 24*3600)) * time.Second)
	if testing.Short() {
		count = min(count, 10)
	}
	s := newScore(t)
	for seed := first; seed < first+count; seed++ {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			if time.Now().After(end) {
				t.Skip("SOAK_SECONDS are over")
			}
			s.judge(t, generate(uint64(seed)))
		})
	}
}

// TestSeeds plays the seeds that failed once.
func TestSeeds(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := newScore(t)
	for line := range strings.Lines(string(text)) {
		word, _, _ := strings.Cut(line, " ")
		if word = strings.TrimSpace(word); word == "" || word == "#" {
			continue
		}
		seed, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			t.Fatalf("testdata/seeds.txt: %q does not begin with a seed", line)
		}
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			s.judge(t, generate(seed))
		})
	}
}

// TestHistories plays the histories that were kept: short ones that broke a rule
// once, each with a remark that says what it found.
func TestHistories(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/histories/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no histories", err)
	}
	s := newScore(t)
	t.Cleanup(func() {
		for rule := range pending {
			if s.broken[rule] == 0 && s.played == len(files) {
				t.Errorf("%s is pending, and no history here breaks it any more: take it off the table", rule)
			}
		}
	})
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			h, err := parse(string(text))
			if err != nil {
				t.Fatal(err)
			}
			s.judge(t, h)
		})
	}
}

// TestSameAgain plays some seeds twice and compares all that is seen of them: a
// failure that cannot be had again is worth little.
func TestSameAgain(t *testing.T) {
	t.Parallel()
	port := regexp.MustCompile(`127\.0\.0\.1:[0-9]+`)
	for seed := uint64(1000); seed < 1002; seed++ {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			seen := func() string {
				var b strings.Builder
				if _, err := play(generate(seed), nil, func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }); err != nil {
					t.Fatal(err)
				}
				return port.ReplaceAllString(b.String(), "HOST")
			}
			if diff := cmp.Diff(seen(), seen()); diff != "" {
				t.Errorf("the second time was another one (-first +second):\n%s", diff)
			}
		})
	}
}

// TestHistory plays the history in the file SOAK_HISTORY, or that of
// SOAK_TRACE as a seed, and shows all that happens.
func TestHistory(t *testing.T) {
	file, seed := os.Getenv("SOAK_HISTORY"), os.Getenv("SOAK_TRACE")
	if file == "" && seed == "" {
		t.Skip("SOAK_HISTORY names no file, and SOAK_TRACE is no seed")
	}
	n, _ := strconv.ParseUint(seed, 10, 64)
	h := generate(n)
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if h, err = parse(string(text)); err != nil {
			t.Fatal(err)
		}
	}
	t.Log("\n" + h.String())
	broken, err := play(h, nil, func(format string, args ...any) { t.Logf(format, args...) })
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range broken {
		t.Error(v)
	}
}

// score counts which rules were broken how often.
type score struct {
	mu     sync.Mutex
	played int
	broken map[string]int
	shrunk map[string]int
	strict bool
}

// newScore makes one that is shown at the end of a test. With SOAK_STRICT set,
// rules that are pending count as well; with SOAK_RULES only those do that are
// named.
func newScore(t *testing.T) *score {
	s := &score{broken: map[string]int{}, shrunk: map[string]int{}, strict: os.Getenv("SOAK_STRICT") != ""}
	t.Cleanup(func() {
		t.Logf("%d histories were played", s.played)
		for _, rule := range slices.Sorted(maps.Keys(s.broken)) {
			t.Logf("%s was broken in %d of them%s", rule, s.broken[rule], map[bool]string{true: " (pending: " + pending[rule] + ")"}[pending[rule] != ""])
		}
	})
	return s
}

// quietly drops what happens.
func quietly(string, ...any) {}

// judge plays a history, and prints a shorter one for each rule that it breaks.
func (s *score) judge(t *testing.T, h history) {
	t.Helper()
	broken, err := play(h, nil, quietly)
	if err != nil {
		t.Fatalf("%v\n%s", err, lines(h.String()))
	}
	s.mu.Lock()
	s.played++
	s.mu.Unlock()
	seen := map[string]bool{}
	for _, v := range broken {
		if seen[v.rule] {
			continue
		}
		seen[v.rule] = true
		s.mu.Lock()
		s.broken[v.rule]++
		s.mu.Unlock()
		if only := os.Getenv("SOAK_RULES"); only != "" && !slices.Contains(strings.Split(only, ","), v.rule) || pending[v.rule] != "" && !s.strict {
			continue
		}
		t.Errorf("%s\n  because %s\n%s", v, rules[v.rule], s.shorter(h, v))
	}
}

// shorter returns a history that breaks the rule in the same way, as text. Only
// the first two of each way are worth the time.
func (s *score) shorter(h history, found violation) string {
	s.mu.Lock()
	s.shrunk[found.shape()]++
	n := s.shrunk[found.shape()]
	s.mu.Unlock()
	if n > 2 {
		return fmt.Sprintf("  seed %d, not shortened", h.seed)
	}
	last := found
	h = shrink(h, 200, func(h history) bool {
		broken, err := play(h, nil, quietly)
		i := slices.IndexFunc(broken, func(v violation) bool { return v.shape() == found.shape() })
		if err != nil || i < 0 {
			return false
		}
		last = broken[i]
		return true
	})
	return fmt.Sprintf("  shortened:\n%s\n  %s", lines(h.String()), last)
}
