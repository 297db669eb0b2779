package scenes

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"locbench/kapture"
	"locbench/kapture/kapturetest"
)

func TestFeatures(t *testing.T) {
	dir := tinyScene(t)
	inside := filepath.Join(dir, "query_night/reconstruction/global_features/gf")
	features(t, inside, kapture.GlobalFeatures, kapture.FeatureHeader{Name: "gf", DType: "float32", DSize: 2, Metric: "L2"},
		map[string][]float32{"n/0.jpg": {7, 8}})
	s := mustOpen(t, dir, Options{})
	for kind, want := range map[kapture.FeatureKind]string{kapture.GlobalFeatures: "gf", kapture.Keypoints: "kp", kapture.Descriptors: "kp"} {
		if got := s.FeatureTypes(kind); !slices.Equal(got, []string{want}) {
			t.Errorf("types of %s: %v", kind, got)
		}
	}
	src, err := s.Features(kapture.GlobalFeatures, "gf")
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if h := src.Header(); h.DSize != 2 || h.DType != "float32" {
		t.Errorf("header %+v", h)
	}
	if !src.Has("m/0.jpg") || src.Has("m/9.jpg") || len(src.Images()) != 6 {
		t.Errorf("images %v", src.Images())
	}
	for image, want := range map[string][]float32{"m/2.jpg": {1, 2}, "n/0.jpg": {7, 8}} { // the dataset's own before the orphan
		got, err := src.Float32(image, nil)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", image, got, err, want)
		}
	}
	if _, err := src.Float32("m/9.jpg", nil); err == nil || !strings.Contains(err.Error(), "m/9.jpg") {
		t.Errorf("a feature that is not there: %v", err)
	}
	files, err := s.FeatureFiles(kapture.GlobalFeatures, "gf")
	if err != nil || len(files) != 9 || !slices.IsSorted(files) || !slices.Contains(files, filepath.Join(inside, "global_features.txt")) {
		t.Errorf("files %v, %v", files, err)
	}
}

func TestFeaturesErrors(t *testing.T) {
	dir := tinyScene(t)
	s := mustOpen(t, dir, Options{})
	_, err := s.Features(kapture.GlobalFeatures, "fg")
	if _, ok := errors.AsType[*kapture.InputError](err); !ok || !strings.Contains(err.Error(), "want global_features of type fg, found none: it has gf; did you mean gf?") {
		t.Errorf("%v", err)
	}
	other := filepath.Join(dir, "mapping/reconstruction/global_features/gf")
	features(t, other, kapture.GlobalFeatures, kapture.FeatureHeader{Name: "gf", DType: "float64", DSize: 2, Metric: "L2"}, map[string][]float32{"m/0.jpg": {1, 2}})
	_, err = mustOpen(t, dir, Options{}).Features(kapture.GlobalFeatures, "gf")
	if _, ok := errors.AsType[*kapture.InputError](err); !ok ||
		!strings.Contains(err.Error(), filepath.Join(globalDir(dir), "global_features.txt")) || !strings.Contains(err.Error(), filepath.Join(other, "global_features.txt")) {
		t.Errorf("both files are named: %v", err)
	}
}

func TestVirtualGallery(t *testing.T) {
	dir := kapturetest.Shared(t, "data", "virtual_gallery_tutorial")
	for _, s := range []*Scene{mustOpen(t, dir, Options{}), mustOpen(t, "virtual_gallery_tutorial", Options{DataRoot: filepath.Dir(dir)})} {
		if s.Name != "virtual_gallery_tutorial" || len(s.Mapping()) != 12 || len(s.Queries()) != 4 || !strings.Contains(s.Licence, "Creative Commons") {
			t.Errorf("%s: %d mapping, %d queries, licence %.40q", s.Name, len(s.Mapping()), len(s.Queries()), s.Licence)
		}
		for _, im := range slices.Concat(s.Mapping(), s.Queries()) {
			if !im.HasPose {
				t.Errorf("%s has no pose", im.Name)
			}
		}
		src, err := s.Features(kapture.GlobalFeatures, "AP-GeM-LM18")
		if err != nil {
			t.Fatal(err)
		}
		values, err := src.Float32(s.Queries()[0].Name, nil)
		if err != nil || len(values) != 2048 || len(src.Images()) != 16 {
			t.Errorf("%d values, %v, %d images", len(values), err, len(src.Images()))
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
		files, err := s.FeatureFiles(kapture.GlobalFeatures, "AP-GeM-LM18")
		if err != nil || len(files) != 17 {
			t.Errorf("%d files, %v", len(files), err)
		}
	}
}
