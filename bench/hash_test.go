package bench

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestDigestTellsPartsApart(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"ab", "c"}, {"a", "bc"}, {"abc"}} {
		d := newDigest(parts...)
		if other, ok := seen[d.sum()]; ok {
			t.Errorf("%q and %q have one hash", parts, other)
		}
		seen[d.sum()] = parts
	}
}

// TestFileHashesRemember wants a hash taken from memory only where the file
// cannot have changed: same size, same time, and that time well past.
func TestFileHashesRemember(t *testing.T) {
	const sumOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, B.1
	long := time.Now().Add(-time.Hour)
	for _, tt := range []struct {
		name, text string
		at         time.Time
		remembered bool
	}{
		{"unchanged", "abc", long, true},
		{"as the memory says, whatever it holds", "abd", long, true},
		{"other size", "abcd", long, false},
		{"other time", "abd", long.Add(time.Second), false},
	} {
		dir := t.TempDir()
		file, memory := filepath.Join(dir, "a"), filepath.Join(dir, "hashes.json")
		write := func(text string, at time.Time) {
			put(t, dir, "a", text)
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
		}
		write("abc", long)
		h := openFileHashes(memory)
		if sum, err := h.file(file); err != nil || sum != sumOfAbc {
			t.Fatalf("found %s, %v", sum, err)
		}
		if err := h.save(); err != nil {
			t.Fatal(err)
		}
		write(tt.text, tt.at)
		sum, err := openFileHashes(memory).file(file)
		if err != nil || (sum == sumOfAbc) != tt.remembered {
			t.Errorf("%s: found %s, %v", tt.name, sum, err)
		}
	}
}

// TestFreshFileIsHashedAgain changes a file within the grain of the clock: same
// size and time, other contents.
func TestFreshFileIsHashedAgain(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	now := time.Now()
	h := openFileHashes(filepath.Join(dir, "hashes.json"))
	var sums [2]string
	for i, text := range []string{"abc", "abd"} {
		put(t, dir, "a", text)
		if err := os.Chtimes(file, now, now); err != nil {
			t.Fatal(err)
		}
		var err error
		if sums[i], err = h.file(file); err != nil {
			t.Fatal(err)
		}
	}
	if sums[0] == sums[1] {
		t.Error("the change is not seen")
	}
}

func TestDamagedMemoryIsEmpty(t *testing.T) {
	for _, text := range []string{"", "{", "null", `{"a": 1}`, "[]"} {
		dir := t.TempDir()
		put(t, dir, "hashes.json", text)
		put(t, dir, "a", "abc")
		h := openFileHashes(filepath.Join(dir, "hashes.json"))
		if _, err := h.file(filepath.Join(dir, "a")); err != nil || len(h.seen) != 1 {
			t.Errorf("%q: %v, remembers %v", text, err, h.seen)
		}
	}
}
