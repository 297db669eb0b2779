package record_test

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"locbench/bench/record"
)

func TestViewsRoundTrip(t *testing.T) {
	dir := t.TempDir()
	nan := math.NaN()
	cameras := []record.Camera{
		{Image: `m/"a", b.jpg`, Role: record.MappingRole, File: "mapping/sensors/records_data/m/a.jpg", Width: 640, Height: 480, Pose: [7]float64{1, 0, 0, 0, 0.5, -2, 1e6}},
		{Image: "q/<b>.jpg", Role: record.QueryRole, File: "/elsewhere/b.jpg", Pose: [7]float64{nan, nan, nan, nan, nan, nan, nan}},
	}
	matches := []record.ViewMatch{{Query: "q/<b>.jpg", Image: `m/"a", b.jpg`, Matches: 120, Lines: [][4]int{{1, 2, 3, 4}, {50, 60, -1, 0}}}, {Query: "q/<b>.jpg", Image: "c"}}
	check(t, filepath.Join(dir, "cameras.csv"), cameras, record.WriteCameras, record.ReadCameras)
	check(t, filepath.Join(dir, "matches.csv"), matches, record.WriteViewMatches, record.ReadViewMatches)
	if !cameras[0].HasPose() || cameras[1].HasPose() {
		t.Error("HasPose does not say which pose is known")
	}
}

// check writes rows and reads them again.
func check[T any](t *testing.T, path string, rows []T, write func(string, []T) error, read func(r io.Reader, path string) ([]T, error)) {
	t.Helper()
	if err := write(path, rows); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := read(f, path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(rows, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("%s (-written +read):\n%s", filepath.Base(path), diff)
	}
}

func TestReadViewsErrors(t *testing.T) {
	const cameras, matches = "image,role,file,width,height,qw,qx,qy,qz,tx,ty,tz\n", "query,image,matches,lines\n"
	for text, want := range map[string]string{
		cameras + "a,other,f,1,1,,,,,,,\n":        `views.csv:2: want mapping or query for role, found "other"`,
		cameras + "a,query,f,1,1,1,0,0,,,,\n":     "views.csv:2: want seven numbers of a pose or none, found 3",
		cameras + "a,query,f,-3,1,,,,,,,\n":       `views.csv:2: want a count or nothing for width, found "-3"`,
		cameras + "a,query,f,1,1,x,0,0,0,0,0,0\n": `views.csv:2: want a number or nothing for qw, found "x"`,
		matches + "q,a,3,1 2 3 4;1 2 3\n":         `views.csv:2: want four whole numbers a line for lines, found "1 2 3"`,
		matches + "q,a,3,1 2 3 4.5\n":             `views.csv:2: want four whole numbers a line for lines, found "1 2 3 4.5"`,
	} {
		var err error
		if strings.HasPrefix(text, cameras) {
			_, err = record.ReadCameras(strings.NewReader(text), "views.csv")
		} else {
			_, err = record.ReadViewMatches(strings.NewReader(text), "views.csv")
		}
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
