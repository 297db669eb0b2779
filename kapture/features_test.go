package kapture

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/floats"

	"locbench/kapture/kapturetest"
)

func TestFeatureWriter(t *testing.T) {
	for _, kind := range []FeatureKind{Keypoints, Descriptors, GlobalFeatures} {
		for _, dtype := range []DType{Float16, Float32, Float64, Int8, Int16, Int32, Int64, Uint8, Uint16, Uint32, Uint64} {
			for _, inTar := range []bool{false, true} {
				dir := filepath.Join(t.TempDir(), "f")
				h := FeatureHeader{Name: "test", DType: dtype, DSize: 3}
				if kind != Keypoints {
					h.Metric = "L2"
				}
				create := CreateFeatures
				if inTar {
					create = CreateFeaturesTar
				}
				w, err := create(dir, kind, h)
				if err != nil {
					t.Fatal(err)
				}
				rows := map[string][]float32{"b/2.jpg": {1, 2, 3}, "a/1.jpg": {4, 5, 127}}
				for _, image := range []string{"b/2.jpg", "a/1.jpg"} {
					if err := w.Write(image, rows[image]); err != nil {
						t.Fatal(err)
					}
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				checkWritten(t, dir, kind, h, rows)
			}
		}
	}
}

func checkWritten(t *testing.T, dir string, kind FeatureKind, h FeatureHeader, rows map[string][]float32) {
	t.Helper()
	f, err := OpenFeatures(dir, kind)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Header() != h {
		t.Errorf("got %+v, want %+v", f.Header(), h)
	}
	if got := f.Images(); !slices.Equal(got, []string{"a/1.jpg", "b/2.jpg"}) {
		t.Errorf("got images %v", got)
	}
	if f.Has("a") || !f.Has("a/1.jpg") {
		t.Error("Has is wrong")
	}
	for image, want := range rows {
		got, err := f.Float32(image, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s %s: got %v, want %v", h.DType, image, got, want)
		}
	}
}

func TestTarIsDeterministic(t *testing.T) {
	var files [2]map[string]string
	for i := range files {
		dir := t.TempDir()
		w, err := CreateFeaturesTar(dir, Keypoints, FeatureHeader{Name: "x", DType: "float32", DSize: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Discard()
		if err := w.Write("a.jpg", []float32{1, 2}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Errorf("got %v before Close, want the temporary file", entries)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		files[i] = contents(t, dir)
	}
	if diff := cmp.Diff(files[0], files[1]); diff != "" || len(files[0]) != 2 {
		t.Errorf("%d files, differences %s", len(files[0]), diff)
	}
}

func TestFeatureWriterRefuses(t *testing.T) {
	dir := t.TempDir()
	h := FeatureHeader{Name: "x", DType: "uint8", DSize: 2}
	w, err := CreateFeatures(dir, Keypoints, h)
	if err != nil {
		t.Fatal(err)
	}
	for image, rows := range map[string][]float32{"../a": {1, 2}, "a": {1, 2, 3}, "b": {1, 256}, "c": {1, -1}, "d": {1, 0.5}, "e/../../f": nil} {
		if err := w.Write(image, rows); err == nil {
			t.Errorf("%s %v was accepted", image, rows)
		}
	}
	other := h
	other.DSize = 3
	if _, err := CreateFeatures(dir, Keypoints, other); err == nil {
		t.Error("features of two dimensions were accepted")
	}
	if _, err := CreateFeatures(dir, Keypoints, FeatureHeader{Name: "x", DType: "complex", DSize: 1}); err == nil {
		t.Error("an unknown dtype was accepted")
	}
	inTar, err := CreateFeaturesTar(dir, Keypoints, h)
	if err != nil {
		t.Fatal(err)
	}
	if err := inTar.Close(); err != nil {
		t.Fatal(err)
	}
	if err := inTar.Write("a.jpg", []float32{1, 2}); err == nil {
		t.Error("writing to a closed tar was accepted")
	}
	if _, err := CreateFeatures(dir, Keypoints, h); err == nil {
		t.Error("files beside a tar were accepted")
	}
}

// TestFeaturesConcurrently writes and reads a tar from several goroutines.
func TestFeaturesConcurrently(t *testing.T) {
	dir := t.TempDir()
	w, err := CreateFeaturesTar(dir, GlobalFeatures, FeatureHeader{Name: "x", DType: "float32", DSize: 64, Metric: "L2"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Discard()
	var group errgroup.Group
	row := func(i int) []float32 { return slices.Repeat([]float32{float32(i)}, 64) }
	for i := range 50 {
		group.Go(func() error { return w.Write(fmt.Sprintf("%d.jpg", i), row(i)) })
	}
	if err := errors.Join(group.Wait(), w.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFeatures(dir, GlobalFeatures)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range 50 {
		group.Go(func() error {
			v, err := f.Float32(fmt.Sprintf("%d.jpg", i), nil)
			if err == nil && !slices.Equal(v, row(i)) {
				err = fmt.Errorf("image %d: got %v", i, v)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// TestFollowsLinks reads features through a symbolic link to a folder, as in
// proxies of datasets, and refuses a circle.
func TestFollowsLinks(t *testing.T) {
	real, proxy := t.TempDir(), t.TempDir()
	w, err := CreateFeatures(real, Keypoints, FeatureHeader{Name: "x", DType: "uint8", DSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write("sub/a.jpg", []float32{1, 2}); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(real, "sub"), filepath.Join(proxy, "sub")); err != nil {
		t.Skip("no symbolic links: skipped")
	}
	if err := os.Symlink(filepath.Join(real, "keypoints.txt"), filepath.Join(proxy, "keypoints.txt")); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFeatures(proxy, Keypoints)
	if err != nil || !f.Has("sub/a.jpg") {
		t.Errorf("got %v", err)
	}
	if err := os.Symlink(proxy, filepath.Join(real, "sub", "back")); err != nil {
		t.Fatal(err)
	}
	_, err = OpenFeatures(proxy, Keypoints)
	checkInputError(t, err, "want at most 32 folders in each other, found more")
}

// TestOrphanFeatures reads the features that the tutorial keeps beside its
// datasets, and holds the cosines of the global ones against the reference's.
func TestOrphanFeatures(t *testing.T) {
	root := kapturetest.Shared(t, "data", "virtual_gallery_tutorial")
	var want struct {
		Queries []string    `json:"query_images"`
		Mapping []string    `json:"mapping_images"`
		Cosines [][]float64 `json:"similarity_float64"`
	}
	kapturetest.SharedJSON(t, &want, "golden", "virtual_gallery", "similarity.json")
	global := openOrphan(t, filepath.Join(root, "global_features", "AP-GeM-LM18", "global_features"), GlobalFeatures, 2048)
	images := slices.Concat(want.Queries, want.Mapping)
	slices.Sort(images)
	if !slices.Equal(global.Images(), images) {
		t.Errorf("got images %v, want %v", global.Images(), images)
	}
	row := func(image string) []float64 {
		v, err := global.Float64(image, nil)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for i, q := range want.Queries {
		for j, m := range want.Mapping {
			a, b := row(q), row(m)
			got := floats.Dot(a, b) / (floats.Norm(a, 2) * floats.Norm(b, 2))
			if math.Abs(got-want.Cosines[i][j]) > 1e-6 {
				t.Errorf("%s, %s: got %v, want %v", q, m, got, want.Cosines[i][j])
			}
		}
	}
	local := filepath.Join(root, "local_features", "r2d2_500")
	keypoints := openOrphan(t, filepath.Join(local, "keypoints"), Keypoints, 3)
	descriptors := openOrphan(t, filepath.Join(local, "descriptors"), Descriptors, 128)
	for _, image := range images {
		k, err := keypoints.Float32(image, nil)
		if err != nil {
			t.Fatal(err)
		}
		d, err := descriptors.Float32(image, nil)
		if err != nil || len(k)/3 != len(d)/128 || len(k) == 0 {
			t.Errorf("%s: %d values of keypoints, %d of descriptors, %v", image, len(k), len(d), err)
		}
	}
}

func openOrphan(t *testing.T, dir string, k FeatureKind, dsize int) *Features {
	t.Helper()
	f, err := OpenFeatures(dir, k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if h := f.Header(); h.DType != Float32 || h.DSize != dsize {
		t.Errorf("%s: got %+v", dir, h)
	}
	return f
}
