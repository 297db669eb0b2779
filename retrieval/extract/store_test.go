package extract

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"locbench/kapture"
	"locbench/retrieval/npy"
)

// contents returns all files below a folder by their path.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func same(t *testing.T, want, got map[string]string) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for name, text := range want {
		if got[name] != text {
			t.Errorf("%s differs", name)
		}
	}
}

// stopper ends an extraction after some images.
type stopper struct {
	left   int
	cancel context.CancelFunc
	total  int
}

func (s *stopper) Start(_ string, total int) { s.total = total }
func (s *stopper) Done()                     {}
func (s *stopper) Add(n int) {
	if s.left -= n; s.left <= 0 {
		s.cancel()
	}
}

// store is one of the two ways to keep descriptors.
type store func(e *Extractor, ctx context.Context, images []Image, dir string, o RunOptions) (*Result, error)

func stores() map[string]store {
	return map[string]store{
		"features": func(e *Extractor, ctx context.Context, images []Image, dir string, o RunOptions) (*Result, error) {
			return e.ToFeatures(ctx, images, filepath.Join(dir, "f"), "toy", o)
		},
		"matrix": func(e *Extractor, ctx context.Context, images []Image, dir string, o RunOptions) (*Result, error) {
			return e.ToMatrix(ctx, images, filepath.Join(dir, "f.npy"), o)
		},
	}
}

// TestResume: an extraction that was interrupted and went on gives the same
// bytes as one that was not; a third call does nothing.
func TestResume(t *testing.T) {
	images := drawn(t, 6)
	e := tiny(t, Defaults())
	for name, write := range stores() {
		t.Run(name, func(t *testing.T) {
			whole, dir := t.TempDir(), t.TempDir()
			if _, err := write(e, t.Context(), images, whole, RunOptions{}); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			if _, err := write(e, ctx, images, dir, RunOptions{Batch: 1, Progress: &stopper{left: 2, cancel: cancel}}); !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v", err)
			}
			if _, err := os.Stat(filepath.Join(dir, "f.npy")); err == nil {
				t.Error("a matrix of some images is there")
			}
			p := &stopper{left: 100}
			result, err := write(e, t.Context(), images, dir, RunOptions{Jobs: 3, Progress: p})
			if err != nil || result.Kept < 2 || result.Kept+result.Extracted != 6 || p.total != result.Extracted {
				t.Errorf("got %+v, %v, progress of %d", result, err, p.total)
			}
			same(t, contents(t, whole), contents(t, dir))
			result, err = write(e, t.Context(), images, dir, RunOptions{})
			if err != nil || result.Kept != 6 || result.Extracted != 0 {
				t.Errorf("got %+v, %v", result, err)
			}
		})
	}
}

// TestOtherSettings: what was made otherwise is neither mixed nor replaced.
func TestOtherSettings(t *testing.T) {
	images := drawn(t, 2)
	for name, write := range stores() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := write(tiny(t, Defaults()), t.Context(), images, dir, RunOptions{}); err != nil {
				t.Fatal(err)
			}
			before := contents(t, dir)
			preset, err := Preset(ProtocolKapture) // does the same as the defaults
			if err != nil {
				t.Fatal(err)
			}
			if result, err := write(tiny(t, preset), t.Context(), images, dir, RunOptions{}); err != nil || result.Kept != 2 {
				t.Errorf("got %+v, %v", result, err)
			}
			preset.MaxSize = 32
			_, err = write(tiny(t, preset), t.Context(), images, dir, RunOptions{})
			if _, ok := errors.AsType[*OptionError](err); !ok || !strings.Contains(err.Error(), "protocol kapture (changed): longer side at most 32 px") {
				t.Errorf("got %v", err)
			}
			same(t, before, contents(t, dir))
		})
	}
}

// TestForeignFeatures: features of other programs stay as they are.
func TestForeignFeatures(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"f/global_features.txt", "f.txt"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, "f"), 0o755), os.WriteFile(filepath.Join(dir, name), []byte("# kapture format: 1.1\nx, float32, 4, L2\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for name, write := range stores() {
		_, err := write(tiny(t, Defaults()), t.Context(), drawn(t, 1), dir, RunOptions{})
		if _, ok := errors.AsType[*OptionError](err); !ok || !strings.Contains(err.Error(), "not made by locbench extract") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestMatrixGrows: an image more, another order, one twice.
func TestMatrixGrows(t *testing.T) {
	images := drawn(t, 4)
	e, path := tiny(t, Defaults()), filepath.Join(t.TempDir(), "d.npy")
	want := rows(t, e, images, RunOptions{})
	spoil(t, images[3])
	for _, order := range [][]int{{0, 1}, {2, 1, 0, 1}, {1}, {0, 3, 2}} {
		list, names, values := []Image{}, "", []float32{}
		for _, i := range order {
			list = append(list, images[i])
			if i != 3 { // the broken one has no row
				names += images[i].Name + "\n"
				values = append(values, want[i]...)
			}
		}
		if _, err := e.ToMatrix(t.Context(), list, path, RunOptions{}); err != nil {
			t.Fatal(err)
		}
		_, _, got, err := npy.ReadAll[float32](path)
		if err != nil || !slices.Equal(got, values) {
			t.Errorf("%v: %d values, want %d, %v", order, len(got), len(values), err)
		}
		if text, _ := os.ReadFile(strings.TrimSuffix(path, "npy") + "txt"); string(text) != names {
			t.Errorf("%v: the list is %q, want %q", order, text, names)
		}
		if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 3 {
			t.Errorf("%v: %v", order, entries)
		}
	}
}

// TestMissingFiles: all are named, before anything is written.
func TestMissingFiles(t *testing.T) {
	images := drawn(t, 14)
	for _, im := range images[1:13] {
		if err := os.Remove(im.File); err != nil {
			t.Fatal(err)
		}
	}
	for name, write := range stores() {
		dir := t.TempDir()
		_, err := write(tiny(t, Defaults()), t.Context(), images, dir, RunOptions{})
		if _, ok := errors.AsType[*kapture.InputError](err); !ok || strings.Count(err.Error(), "found no such file") != 12 {
			t.Errorf("%s: got %v", name, err)
		}
		if files := contents(t, dir); len(files) > 0 {
			t.Errorf("%s: wrote %v", name, files)
		}
	}
}
