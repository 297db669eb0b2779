package localize

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
	"locbench/kapture/kapturetest"
)

// read returns a file of the shared reference data.
func read(t testing.TB, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(kapturetest.Shared(t, elem...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// poseOf makes a pose of qw, qx, qy, qz, tx, ty, tz.
func poseOf(v []float64) geom.Pose {
	q, _ := geom.Normalize(quat.Number{Real: v[0], Imag: v[1], Jmag: v[2], Kmag: v[3]})
	return geom.Pose{R: q, T: r3.Vec{X: v[4], Y: v[5], Z: v[6]}}
}

// gallery is the virtual gallery scene: 4 queries, 12 mapping images.
type gallery struct {
	queries     []string
	mapping     []string
	descriptors map[string][]float32
	poses       map[string]geom.Pose
}

func loadGallery(t testing.TB) *gallery {
	t.Helper()
	var names struct {
		Query   []string `json:"query_images"`
		Mapping []string `json:"mapping_images"`
	}
	kapturetest.SharedJSON(t, &names, "golden", "virtual_gallery", "similarity.json")
	var poses map[string]struct {
		Q []float64 `json:"q_wxyz_world_to_cam"`
		T []float64 `json:"t_world_to_cam"`
	}
	kapturetest.SharedJSON(t, &poses, "golden", "virtual_gallery", "mapping_camera_poses.json")
	g := &gallery{queries: names.Query, mapping: names.Mapping, descriptors: map[string][]float32{}, poses: map[string]geom.Pose{}}
	for name, p := range poses {
		g.poses[name] = poseOf(append(p.Q, p.T...))
	}
	for _, name := range append(g.queries, g.mapping...) {
		raw := read(t, "data", "virtual_gallery_tutorial", "global_features", "AP-GeM-LM18", "global_features", name+".gfeat")
		g.descriptors[name] = unitFloat32(raw)
	}
	return g
}

// unitFloat32 decodes little-endian float32 and divides by the norm in float32.
func unitFloat32(raw []byte) []float32 {
	d := make([]float32, len(raw)/4)
	sum := 0.0
	for i := range d {
		d[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		sum += float64(d[i]) * float64(d[i])
	}
	norm := float32(math.Sqrt(sum))
	for i := range d {
		d[i] /= norm
	}
	return d
}

// query returns the named query with its k best neighbours by cosine.
func (g *gallery) query(name string, k int) Query {
	q := Query{Name: name, Descriptor: g.descriptors[name]}
	for _, m := range g.mapping {
		score := 0.0
		for i, x := range q.Descriptor {
			score += float64(x) * float64(g.descriptors[m][i])
		}
		q.Neighbors = append(q.Neighbors, Neighbor{Name: m, Pose: g.poses[m], Score: score, Descriptor: g.descriptors[m]})
	}
	sort.SliceStable(q.Neighbors, func(i, j int) bool { return q.Neighbors[i].Score > q.Neighbors[j].Score })
	q.Neighbors = q.Neighbors[:k]
	return q
}

// trajectory reads poses of a kapture trajectories.txt by frame number, which
// is both the timestamp and the last number of the image's name.
func trajectory(t testing.TB, name string) map[string]geom.Pose {
	t.Helper()
	poses := map[string]geom.Pose{}
	for line := range strings.Lines(string(read(t, name))) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, ",")
		var v []float64
		for _, f := range fields[2:] {
			x, err := strconv.ParseFloat(strings.TrimSpace(f), 64)
			if err != nil {
				t.Fatal(err)
			}
			v = append(v, x)
		}
		poses["rgb_00"+strings.TrimSpace(fields[0])+".jpg"] = poseOf(v)
	}
	return poses
}

func TestGoldenPoseApproximation(t *testing.T) {
	const dir = "golden/virtual_gallery/pose_approximation/"
	var cases map[string]struct {
		TopK   int `json:"topk"`
		Alpha  *float64
		Images []goldenImage
	}
	kapturetest.SharedJSON(t, &cases, dir, "results.json")
	g := loadGallery(t)
	truth := trajectory(t, "data/virtual_gallery_tutorial/query/sensors/trajectories.txt")
	if len(cases) != 9 {
		t.Fatalf("want 9 cases, found %d", len(cases))
	}
	for name, c := range cases {
		var l Localizer = EWB{}
		switch {
		case strings.HasPrefix(name, "BDI"):
			l = BDI{}
		case strings.HasPrefix(name, "CSI"):
			l = CSI{Alpha: *c.Alpha}
		}
		want := trajectory(t, dir+name+"/trajectories.txt")
		for _, image := range c.Images {
			base := filepath.Base(image.Image)
			t.Run(fmt.Sprintf("%s/%s", name, base), func(t *testing.T) {
				q := g.query(image.Image, c.TopK)
				r, err := l.Localize(context.Background(), q)
				if err != nil || !r.OK {
					t.Fatalf("%v, %s", err, r.Why)
				}
				image.check(t, q, r, truth[base])
				if d := quat.Abs(quat.Sub(r.Pose.R, geom.Canonical(want[base].R))); d > 1e-6 {
					t.Errorf("rotation off by %g", d)
				}
				if d := r3.Norm(r3.Sub(r.Pose.T, want[base].T)); d > 1e-6 {
					t.Errorf("translation off by %g", d)
				}
			})
		}
	}
}

type goldenImage struct {
	Image   string
	Meters  float64   `json:"translation_error_m"`
	Degrees float64   `json:"rotation_error_deg"`
	Weights [][2]any  // image, weight
	Center  []float64 `json:"cam_center"`
}

func (g *goldenImage) check(t *testing.T, q Query, r Result, truth geom.Pose) {
	t.Helper()
	for i, w := range g.Weights {
		if q.Neighbors[i].Name != w[0].(string) {
			t.Fatalf("neighbour %d is %s, want %s", i, q.Neighbors[i].Name, w[0])
		}
		if d := math.Abs(r.Weights[i] - w[1].(float64)); d > 1e-6 {
			t.Errorf("weight %d off by %g", i, d)
		}
	}
	if d := r3.Norm(r3.Sub(r.Pose.Center(), r3.Vec{X: g.Center[0], Y: g.Center[1], Z: g.Center[2]})); d > 1e-6 {
		t.Errorf("centre off by %g m", d)
	}
	e := geom.Error(r.Pose, truth)
	if math.Abs(e.Meters-g.Meters) > 1e-5 || math.Abs(e.Degrees-g.Degrees) > 1e-4 {
		t.Errorf("error %v, want %v m, %v°", e, g.Meters, g.Degrees)
	}
}
