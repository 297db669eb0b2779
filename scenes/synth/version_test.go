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
	2: {"148e2505628aa00a2843b3d3917a3755d44430d798d578eb073995b300bda118", "5c32ea0bda25bc5bd9e95e5c625edc417963724f76d36ebaf5782f3f8c928190"},
}

// TestVersion wants the bytes that this version of the generator has always
// made: scenes that are named alike are alike.
func TestVersion(t *testing.T) {
	if fused(1+0x1p-30, -1-0x1p-29) {
		t.Skip("this processor fuses products and sums, which changes the last bits: skipped")
	}
	o := Options{Mapping: 16, Queries: 10, Width: 96, Height: 72, Seed: 1, LocalFeatures: 60, Jobs: 2}
	if got, want := fingerprint(t, generate(t, o)), fingerprints[Version]; got != want {
		t.Errorf("version %d: want the fingerprints %q, found %q", Version, want, got)
	}
}

// landmarkFingerprints are of the landmarks that TestLandmarkVersion generates,
// for [LandmarkVersion].
var landmarkFingerprints = map[int][2]string{
	1: {"3bd03a07fd667281f8fd6b98db2d7867e53219e8ab4408bb3b0440b3bca01572", "59df49e1c30b7d1442f5da944f7f1f2d66777be240192774f49a35972e8bf551"},
}

func TestLandmarkVersion(t *testing.T) {
	if fused(1+0x1p-30, -1-0x1p-29) {
		t.Skip("this processor fuses products and sums, which changes the last bits: skipped")
	}
	o := LandmarkOptions{Classes: 32, Views: 3, Size: 40, Seed: 2, Jobs: 2} // fronts, a column, a church
	if got, want := fingerprint(t, generateLandmarks(t, o)), landmarkFingerprints[LandmarkVersion]; got != want {
		t.Errorf("version %d: want the fingerprints %q, found %q", LandmarkVersion, want, got)
	}
}

// fingerprint returns the hashes of the pixels of all images below a folder, and
// of everything else.
func fingerprint(t *testing.T, dir string) [2]string {
	t.Helper()
	all := files(t, dir)
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
	return [2]string{fmt.Sprintf("%x", pixels.Sum(nil)), fmt.Sprintf("%x", rest.Sum(nil))}
}

// fused reports whether x·x+y is computed without rounding the product: for
// x = 1+2⁻³⁰ and y = -1-2⁻²⁹ that gives 2⁻⁶⁰ in place of 0.
//
//go:noinline
func fused(x, y float64) bool { return x*x+y != 0 }
