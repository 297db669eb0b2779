package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"locbench/kapture"
)

// structureCase is a scene with pairs, verified matches and a map, to be spoilt.
type structureCase struct {
	scene, pairs, matches, mapDir string
	rematch                       bool // do not say where matches are: they are made
}

func (c structureCase) copy(t *testing.T) structureCase {
	t.Helper()
	dir := t.TempDir()
	out := structureCase{filepath.Join(dir, "town"), filepath.Join(dir, "pairs.txt"), filepath.Join(dir, "matches"), filepath.Join(dir, "map"), false}
	for from, to := range map[string]string{c.scene: out.scene, c.matches: out.matches, c.mapDir: out.mapDir} {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, "pairs.txt", readText(t, c.pairs))
	return out
}

// localize runs a method and returns its rows by query: status, error in metres,
// reason.
func (c structureCase) localize(t *testing.T, method string) (rows map[string][3]string, stderr string, code int) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "poses")
	args := []string{"localize", "--scene", c.scene, "--pairs", c.pairs, "--map", c.mapDir, "--method", method, "--out", out}
	if !c.rematch {
		args = append(args, "--matches", c.matches)
	}
	_, stderr, code = locbench(t, args...)
	if code != exitDone {
		return nil, stderr, code
	}
	rows = map[string][3]string{}
	for line := range strings.Lines(readText(t, filepath.Join(out, "queries.csv"))) {
		if cells := strings.Split(strings.TrimSpace(line), ","); cells[0] != "scene" {
			rows[cells[2]] = [3]string{cells[6], cells[7], strings.Join(cells[11:], ",")}
		}
	}
	return rows, stderr, code
}

// allMatches rewrites the matches of every pair.
func (c structureCase) allMatches(t *testing.T, change func([]kapture.Match) []kapture.Match) {
	t.Helper()
	m, err := kapture.OpenMatches(c.matches)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	all := map[kapture.ImagePair][]kapture.Match{}
	for _, p := range m.Pairs() {
		if all[p], err = m.Read(p.Image1, p.Image2); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(c.matches); err != nil {
		t.Fatal(err)
	}
	w, err := kapture.CreateMatches(c.matches)
	if err != nil {
		t.Fatal(err)
	}
	for p, list := range all {
		if err := w.Write(p.Image1, p.Image2, change(list)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// points rewrites the points of the map.
func (c structureCase) points(t *testing.T, change func(i int, xyz [3]float64) [3]float64) {
	t.Helper()
	path := filepath.Join(c.mapDir, "reconstruction", "points3d.txt")
	var b strings.Builder
	b.WriteString("# kapture format: 1.1\n")
	i := 0
	for line := range strings.Lines(readText(t, path)) {
		cells := strings.Split(strings.TrimSpace(line), ",")
		if strings.HasPrefix(line, "#") || len(cells) < 3 {
			continue
		}
		var x [3]float64
		for k := range x {
			v, err := strconv.ParseFloat(strings.TrimSpace(cells[k]), 64)
			if err != nil {
				t.Fatal(err)
			}
			x[k] = v
		}
		x = change(i, x)
		fmt.Fprintf(&b, "%g, %g, %g\n", x[0], x[1], x[2])
		i++
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// files returns those below the scene with a suffix.
func (c structureCase) files(t *testing.T, below, suffix string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(filepath.Join(c.scene, below), func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, suffix) {
			out = append(out, path)
		}
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("want files %s below %s, found %v, %v", suffix, below, out, err)
	}
	return out
}

func rewrite(t *testing.T, path string, change func(string) string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(change(readText(t, path))), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestBadStructure spoils what localization from local features reads, a thing at
// a time: a query fails with a reason, or an error names the file. Never is there
// a wrong pose in silence.
func TestBadStructure(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds: skipped with -short")
	}
	dir := t.TempDir()
	whole := structureCase{town(t, dir), filepath.Join(dir, "pairs.txt"), filepath.Join(dir, "matches"), filepath.Join(dir, "map"), false}
	mustRun(t, "pairs", "--scene", whole.scene, "--topk", "10", "--out", whole.pairs, "--quiet")
	mustRun(t, "pairs", "--scene", whole.scene, "--by", "distance", "--topk", "8", "--out", filepath.Join(dir, "near.txt"), "--quiet")
	for _, pairs := range []string{whole.pairs, filepath.Join(dir, "near.txt")} {
		mustRun(t, "match", "--scene", whole.scene, "--pairs", pairs, "--out", whole.matches, "--verify", "--quiet")
	}
	mustRun(t, "map", "--scene", whole.scene, "--matches", whole.matches, "--out", whole.mapDir, "--quiet")
	good, stderr, code := whole.localize(t, "global-map")
	localized := 0
	for _, row := range good {
		if row[0] == "localized" {
			localized++
		}
	}
	if code != exitDone || localized < 2 {
		t.Fatalf("want the whole scene localized, found %v, exit code %d\n%s", good, code, stderr)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for name, c := range map[string]struct {
		spoil  func(t *testing.T, c *structureCase)
		method string
		code   int
		want   string // of the error, or of the reason of every query
	}{
		"no matches": {func(t *testing.T, c *structureCase) {
			c.allMatches(t, func([]kapture.Match) []kapture.Match { return nil })
		}, "global-map", exitDone, "0 correspondences"},
		"all outliers": {func(t *testing.T, c *structureCase) {
			c.allMatches(t, func(ms []kapture.Match) []kapture.Match {
				for i, j := range rng.Perm(len(ms)) {
					ms[i].Keypoint2, ms[j].Keypoint2 = ms[j].Keypoint2, ms[i].Keypoint2
				}
				return ms
			})
		}, "global-map", exitDone, ""},
		"three matches": {func(t *testing.T, c *structureCase) {
			rewrite(t, c.pairs, func(text string) string { return firstOfEach(text) })
			c.allMatches(t, func(ms []kapture.Match) []kapture.Match { return ms[:min(3, len(ms))] })
		}, "global-map", exitDone, "correspondences"},
		"collinear points": {func(t *testing.T, c *structureCase) {
			c.points(t, func(i int, _ [3]float64) [3]float64 { return [3]float64{float64(i), 2 * float64(i), 0.5 * float64(i)} })
		}, "global-map", exitDone, ""},
		"one point": {func(t *testing.T, c *structureCase) {
			c.points(t, func(int, [3]float64) [3]float64 { return [3]float64{1, 2, 3} })
		}, "global-map", exitDone, ""},
		"points anywhere": {func(t *testing.T, c *structureCase) {
			c.points(t, func(int, [3]float64) [3]float64 {
				return [3]float64{100 * rng.NormFloat64(), 100 * rng.NormFloat64(), 100 * rng.NormFloat64()}
			})
		}, "global-map", exitDone, ""},
		"NaN keypoints": {func(t *testing.T, c *structureCase) {
			for _, path := range c.files(t, "local_features", ".kpt") {
				if strings.Contains(path, "query_") {
					text := []byte(readText(t, path))
					for i := 0; i+4 <= len(text); i += 4 {
						binary.LittleEndian.PutUint32(text[i:], math.Float32bits(float32(math.NaN())))
					}
					if err := os.WriteFile(path, text, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		}, "global-map", exitDone, "correspondences"},
		"a keypoint past the end": {func(t *testing.T, c *structureCase) {
			c.allMatches(t, func(ms []kapture.Match) []kapture.Match {
				if len(ms) > 0 {
					ms[0].Keypoint1, ms[0].Keypoint2 = 99_999, 99_999
				}
				return ms
			})
		}, "local-sfm+", exitInvalid, "want keypoint 99999, which is matched with"},
		"a match file cut short": {func(t *testing.T, c *structureCase) {
			m, err := filepath.Glob(filepath.Join(c.matches, "*", "*", "*.overlapping", "*", "*", "*.matches"))
			if err != nil || len(m) == 0 {
				t.Fatalf("want match files, found %v, %v", m, err)
			}
			for _, path := range m {
				if info, err := os.Stat(path); err == nil && info.Size() > 24 {
					if err := os.Truncate(path, info.Size()-5); err != nil {
						t.Fatal(err)
					}
				}
			}
		}, "local-sfm", exitInvalid, ".matches: "},
		"no camera": {func(t *testing.T, c *structureCase) {
			for _, q := range []string{"query_day", "query_night"} {
				path := filepath.Join(c.scene, q, "sensors", "sensors.txt")
				if _, err := os.Stat(path); err == nil {
					rewrite(t, path, func(text string) string { return "# kapture format: 1.1\n" + unknownCameras(text) })
				}
			}
		}, "global-map", exitDone, "-"},
		"a camera without parameters": {func(t *testing.T, c *structureCase) {
			rewrite(t, filepath.Join(c.scene, "query_day", "sensors", "sensors.txt"), func(text string) string {
				return strings.Replace(text, unknownSize(text), "160, 120", 1)
			})
		}, "global-map", exitInvalid, "sensors.txt:"},
		"mapping images without poses": {func(t *testing.T, c *structureCase) {
			if err := os.Remove(filepath.Join(c.scene, "mapping", "sensors", "trajectories.txt")); err != nil {
				t.Fatal(err)
			}
		}, "global-map", exitInvalid, "want mapping images with known poses"},
		"descriptors of other keypoints": {func(t *testing.T, c *structureCase) {
			c.rematch = true
			for _, path := range c.files(t, "local_features", "descriptors.txt") {
				rewrite(t, path, func(text string) string {
					return strings.Replace(strings.Replace(text, "simulated", "other", 1), "simulated", "others", 1)
				})
			}
		}, "global-map", exitUsage, "no descriptors of the keypoints simulated"},
		"observations of a point that is not there": {func(t *testing.T, c *structureCase) {
			rewrite(t, filepath.Join(c.mapDir, "reconstruction", "observations.txt"), func(text string) string {
				return text + "999999, simulated, mapping/left/00000.jpg, 0\n"
			})
		}, "global-map", exitInvalid, "found point 999999"},
		"no map": {func(t *testing.T, c *structureCase) {
			if err := os.RemoveAll(c.mapDir); err != nil {
				t.Fatal(err)
			}
		}, "global-map", exitUsage, "points3d.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spoilt := whole.copy(t)
			c.spoil(t, &spoilt)
			rows, stderr, code := spoilt.localize(t, c.method)
			if code != c.code || code != exitDone && !strings.Contains(stderr, c.want) {
				t.Fatalf("want exit code %d and %q, found %d\n%s", c.code, c.want, code, stderr)
			}
			for query, row := range rows {
				t.Logf("%s: %v", query, row)
				if row[0] == "localized" {
					if far, err := strconv.ParseFloat(row[1], 64); err != nil || far > 1 || c.want != "-" {
						t.Errorf("%s: a pose, %s m from the truth", query, row[1])
					}
				} else if c.want != "-" && !strings.Contains(row[2], c.want) || row[2] == "" {
					t.Errorf("%s: want a reason with %q, found %q", query, c.want, row[2])
				}
			}
		})
	}
}

// firstOfEach keeps the first pair of every query.
func firstOfEach(pairs string) string {
	seen := map[string]bool{}
	var b strings.Builder
	for line := range strings.Lines(pairs) {
		query, _, _ := strings.Cut(line, ",")
		if strings.HasPrefix(line, "#") || !seen[query] {
			b.WriteString(line)
		}
		seen[query] = true
	}
	return b.String()
}

// unknownCameras replaces every camera by one of which only the size is known.
func unknownCameras(sensors string) string {
	var b strings.Builder
	for line := range strings.Lines(sensors) {
		if cells := strings.Split(strings.TrimSpace(line), ","); !strings.HasPrefix(line, "#") && len(cells) > 6 {
			fmt.Fprintf(&b, "%s, , camera, UNKNOWN_CAMERA,%s,%s\n", cells[0], cells[4], cells[5])
		}
	}
	return b.String()
}

// unknownSize returns what follows the model of the first camera.
func unknownSize(sensors string) string {
	for line := range strings.Lines(sensors) {
		if cells := strings.SplitN(strings.TrimSpace(line), ", ", 5); !strings.HasPrefix(line, "#") && len(cells) == 5 {
			return cells[4]
		}
	}
	return ""
}
