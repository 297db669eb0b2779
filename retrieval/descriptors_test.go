package retrieval

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/kapture"
)

// table is a Source in memory.
type table struct {
	dim  int
	rows map[string][]float32
}

func (t table) Header() kapture.FeatureHeader {
	return kapture.FeatureHeader{Name: "toy", DType: "float32", DSize: t.dim}
}

func (t table) Has(image string) bool { return t.rows[image] != nil }

func (t table) Path(image string) string { return "features/" + image }

func (t table) Float32(image string, dst []float32) ([]float32, error) {
	if len(t.rows[image]) == 0 {
		return nil, &kapture.InputError{Path: image + ".gfeat", Msg: "want 8 bytes, found 0"}
	}
	return append(dst[:0], t.rows[image]...), nil
}

func TestLoad(t *testing.T) {
	src := table{2, map[string][]float32{"b": {3, 4}, "a": {0, -2}, "c": {1e-20, 0}, "big": {3e38, 0}, "unused": {0, 0}}}
	for _, jobs := range []int{0, 1, 8} {
		d, missing, err := Load(t.Context(), src, []string{"c", "z", "b", "a", "y", "b", "big"}, jobs)
		if err != nil {
			t.Fatal(err)
		}
		want := &Descriptors{Names: []string{"a", "b", "big", "c"}, Dim: 2, Data: []float32{0, -1, 0.6, 0.8, 1, 0, 1, 0}}
		if diff := cmp.Diff(want, d); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"y", "z"}, missing); diff != "" {
			t.Error(diff)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for name, c := range map[string]struct {
		row  []float32
		want string
	}{
		"NaN":          {[]float32{1, nan, 0}, "features/img.jpg: feature toy of img.jpg: want finite values, found NaN as value 2 of 3"},
		"infinite":     {[]float32{1, 2, inf}, "features/img.jpg: feature toy of img.jpg: want finite values, found -Inf as value 3 of 3"},
		"zero":         {[]float32{0, 0, 0}, "features/img.jpg: feature toy of img.jpg: want a descriptor that can be scaled to length 1, found the length 0"},
		"too large":    {[]float32{3e38, 3e38, 3e38}, "found the length +Inf"},
		"too short":    {[]float32{1, 2}, "features/img.jpg: feature toy of img.jpg: want 3 values, found 2"},
		"too long":     {[]float32{1, 2, 3, 4}, "features/img.jpg: feature toy of img.jpg: want 3 values, found 4"},
		"broken file":  {[]float32{}, "load feature toy of img.jpg: img.jpg.gfeat: want 8 bytes, found 0"},
		"not a number": {[]float32{nan, nan, nan}, "as value 1 of 3"},
	} {
		t.Run(name, func(t *testing.T) {
			src := table{3, map[string][]float32{"img.jpg": c.row, "other.jpg": {1, 1, 1}}}
			d, _, err := Load(t.Context(), src, []string{"other.jpg", "img.jpg"}, 2)
			if d != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want %q, found %v", c.want, err)
			}
			if _, ok := errors.AsType[*kapture.InputError](err); !ok {
				t.Errorf("want an InputError, found %T", err)
			}
		})
	}
}

// A descriptor that is too long must not run into its neighbour's row.
func TestLoadKeepsNeighbours(t *testing.T) {
	d := Descriptors{Names: []string{"a", "b"}, Dim: 2, Data: make([]float32, 4)}
	load(table{2, map[string][]float32{"a": {1, 2, 3, 4}}}, "a", "toy", d.Row(0))
	if !slices.Equal(d.Row(1), []float32{0, 0}) {
		t.Errorf("the neighbour became %v", d.Row(1))
	}
}

func TestLoadListsTen(t *testing.T) {
	src := table{1, map[string][]float32{}}
	var images []string
	for i := range 13 {
		name := fmt.Sprintf("img%02d", i)
		images = append(images, name)
		src.rows[name] = []float32{0}
	}
	_, _, err := Load(t.Context(), src, images, 3)
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 11 || !strings.HasPrefix(lines[0], "features/img00: ") || lines[10] != "and 3 more" {
		t.Errorf("found %q", lines)
	}
}
