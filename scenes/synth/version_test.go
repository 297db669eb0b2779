package synth

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/jpeg"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"testing"
)

// fingerprints are of the scene that TestVersion generates: of the pixels of
// its images and of everything else. Whoever changes what is generated changes
// [Version] and these.
var fingerprints = map[int][2]string{
	1: {"148e2505628aa00a2843b3d3917a3755d44430d798d578eb073995b300bda118", "72c12ee3f8ed7c39cae5b099b40358a81fca61ebacc91bd3600d816e1b224789"},
}

// TestVersion wants the bytes that this version of the generator has always
// made: scenes that are named alike are alike.
func TestVersion(t *testing.T) {
	if fused(1+0x1p-30, -1-0x1p-29) {
		t.Skip("this processor fuses products and sums, which changes the last bits: skipped")
	}
	o := Options{Mapping: 16, Queries: 10, Width: 96, Height: 72, Seed: 1, LocalFeatures: 60, Jobs: 2}
	all := files(t, generate(t, o))
	pixels, rest := sha256.New(), sha256.New()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if filepath.Ext(name) != ".jpg" {
			fmt.Fprintf(rest, "%s %d\n%s", filepath.ToSlash(name), len(all[name]), all[name])
			continue
		}
		m, err := jpeg.Decode(bytes.NewReader(all[name]))
		if err != nil {
			t.Fatal(err)
		}
		ycc := m.(*image.YCbCr)
		fmt.Fprintf(pixels, "%s %v %s %s %s", path.Base(filepath.ToSlash(name)), ycc.Rect, ycc.Y, ycc.Cb, ycc.Cr)
	}
	got := [2]string{fmt.Sprintf("%x", pixels.Sum(nil)), fmt.Sprintf("%x", rest.Sum(nil))}
	if want := fingerprints[Version]; got != want {
		t.Errorf("version %d: want the fingerprints %q, found %q", Version, want, got)
	}
}

// fused reports whether x·x+y is computed without rounding the product: for
// x = 1+2⁻³⁰ and y = -1-2⁻²⁹ that gives 2⁻⁶⁰ in place of 0.
//
//go:noinline
func fused(x, y float64) bool { return x*x+y != 0 }
