package localize

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture"
	"locbench/kapture/geom"
)

func TestWriteSubmission(t *testing.T) {
	half := geom.Pose{R: quat.Number{Kmag: 1}, T: r3.Vec{X: 0.1, Y: 2, Z: -3e-7}} // 180° about z
	identity := geom.Pose{R: quat.Number{Real: 1}, T: r3.Vec{X: 1}}
	tests := []struct {
		style Style
		names [2]string
		want  string
	}{
		{StyleDefault, [2]string{"query/night/b.jpg", "query/day/a.jpg"}, "a.jpg 1 0 0 0 1 0 0\nb.jpg 0 0 0 1 0.1 2 -3e-07\n"},
		{StyleRobotCar, [2]string{"rain/rear/2.jpg", "sun/rear/1.jpg"}, "rear/1.jpg 1 0 0 0 1 0 0\nrear/2.jpg 0 0 0 1 0.1 2 -3e-07\n"},
		{StyleFullPath, [2]string{"b/c.jpg", "a/c.jpg"}, "a/c.jpg 1 0 0 0 1 0 0\nb/c.jpg 0 0 0 1 0.1 2 -3e-07\n"},
		{StyleRIO10, [2]string{"seq/f2.color.jpg", "seq/f1.color.jpg"}, "seq/f1 1 0 0 0 -1 0 0\nseq/f2 0 0 0 -1 0.1 2 3e-07\n"},
	}
	for _, tt := range tests {
		t.Run(string(tt.style), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "submission.txt")
			if err := WriteSubmission(file, tt.style, []NamedPose{{tt.names[0], half}, {tt.names[1], identity}}); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func TestWriteSubmissionRefuses(t *testing.T) {
	ok := geom.Identity()
	bad := geom.Pose{R: ok.R, T: r3.Vec{Y: math.NaN()}}
	tests := []struct {
		name  string
		style Style
		poses []NamedPose
		want  []string
	}{
		{"collision", StyleDefault, []NamedPose{{"day/a.jpg", ok}, {"night/a.jpg", ok}}, []string{"day/a.jpg and night/a.jpg", `"a.jpg"`}},
		{"NaN", StyleDefault, []NamedPose{{"a.jpg", bad}}, []string{"a.jpg", "NaN"}},
		{"blank", StyleFullPath, []NamedPose{{"a b.jpg", ok}}, []string{"a b.jpg"}},
		{"no camera", StyleRobotCar, []NamedPose{{"a.jpg", ok}}, []string{"want camera/file"}},
		{"no name", StyleDefault, []NamedPose{{"", ok}}, []string{"want a name without blanks"}},
		{"nothing before the dot", StyleRIO10, []NamedPose{{".jpg", ok}}, []string{"want a name without blanks", ".jpg"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "submission.txt")
			err := WriteSubmission(file, tt.style, tt.poses)
			if _, ok := errors.AsType[*kapture.InputError](err); !ok {
				t.Fatalf("got %v, want an input error", err)
			}
			for _, want := range append(tt.want, file) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not name %q", err, want)
				}
			}
			if _, err := os.Stat(file); !os.IsNotExist(err) {
				t.Errorf("the file exists: %v", err)
			}
		})
	}
}

func TestWriteSubmissionListsTen(t *testing.T) {
	for images, end := range map[int]string{11: "(style default)", 14: "and 3 more"} { // one image alone is fine
		poses := slices.Repeat([]NamedPose{{Name: "a.jpg", Pose: geom.Identity()}}, images)
		err := WriteSubmission(filepath.Join(t.TempDir(), "s.txt"), StyleDefault, poses)
		if err == nil || !strings.HasSuffix(err.Error(), end) {
			t.Errorf("%d images: want an end of %q, found %v", images, end, err)
		}
	}
}

func TestWriteSubmissionFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "none", "s.txt")
	if err := WriteSubmission(file, StyleDefault, nil); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("no such folder: %v", err)
	}
	file = filepath.Join(t.TempDir(), "s.txt")
	if err := WriteSubmission(file, "aachen", nil); err == nil {
		t.Error("unknown style: want an error")
	}
}

func TestParseStyle(t *testing.T) {
	for _, s := range []string{"default", "robotcar", "full-path", "rio10"} {
		if got, err := ParseStyle(s); err != nil || string(got) != s {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	if _, err := ParseStyle("aachen"); err == nil || !strings.Contains(err.Error(), "robotcar") {
		t.Errorf("aachen: %v", err)
	}
}
