package camera

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/spatial/r3"
	"pgregory.net/rapid"

	"locbench/kapture/kapturetest"
)

// golden is camera_models.json of the shared reference data.
type golden struct {
	Points [][3]float64 `json:"points_camera_frame"`
	Edges  [][3]float64 `json:"edge_points"`
	Models map[string]struct {
		Params      []float64
		Projections []*[2]float64
		Edges       []*[2]float64 `json:"edge_projections"`
	}
	SmallOmega []struct {
		Params      []float64
		Projections []*[2]float64 `json:"projections_first5"`
	} `json:"fov_small_omega"`
}

// checkProjections compares with the reference to 1e-9 px, and to a few last
// digits where a value is so large that they are more than that.
func checkProjections(t *testing.T, c Camera, points [][3]float64, want []*[2]float64) {
	t.Helper()
	for i, w := range want {
		p := points[i]
		u, v, ok := c.Project(r3.Vec{X: p[0], Y: p[1], Z: p[2]})
		if ok != (w != nil) {
			t.Errorf("point %v: visible %v, want %v", p, ok, w != nil)
			continue
		}
		if ok && (math.Abs(u-w[0]) > 1e-9+1e-14*math.Abs(w[0]) || math.Abs(v-w[1]) > 1e-9+1e-14*math.Abs(w[1])) {
			t.Errorf("point %v: (%v, %v), want %v", p, u, v, *w)
		}
	}
}

func TestProjectGolden(t *testing.T) {
	var g golden
	kapturetest.SharedJSON(t, &g, "golden", "camera", "camera_models.json")
	if len(g.Models) != len(models) {
		t.Errorf("reference has %d models, the package %d", len(g.Models), len(models))
	}
	for name, m := range g.Models {
		t.Run(name, func(t *testing.T) {
			c, err := New(name, m.Params)
			if err != nil {
				t.Fatal(err)
			}
			checkProjections(t, c, g.Points, m.Projections)
			checkProjections(t, c, g.Edges, m.Edges)
		})
	}
	for _, m := range g.SmallOmega {
		c, err := New("FOV", m.Params)
		if err != nil {
			t.Fatal(err)
		}
		checkProjections(t, c, g.Points, m.Projections)
	}
}

// lenses has parameters of real lenses for a 1920×1080 image, one set a model
// and, for FOV, one in each of its branches.
var lenses = []struct {
	model  string
	params []float64
	reach  float64 // largest tan of the ray's angle to the axis to test
}{
	{"SIMPLE_PINHOLE", []float64{1371.022, 959.5, 539.5}, 3},
	{"PINHOLE", []float64{1371.022, 1365.5, 959.5, 539.5}, 3},
	{"SIMPLE_RADIAL", []float64{1371.022, 959.5, 539.5, -0.0431}, 1.5},
	{"SIMPLE_RADIAL", []float64{1371.022, 959.5, 539.5, 0.12}, 1.5},
	{"RADIAL", []float64{1371.022, 959.5, 539.5, -0.1123, 0.0217}, 1.2},
	{"OPENCV", []float64{1371.022, 1365.5, 962.25, 533.75, -0.2011, 0.0613, 0.00051, -0.00037}, 0.9},
	{"FULL_OPENCV", []float64{1371.022, 1365.5, 962.25, 533.75, 0.1811, -0.0713, 0.00051, -0.00037, 0.0123, 0.4017, -0.0211, 0.0049}, 1},
	{"OPENCV_FISHEYE", []float64{571.022, 570.5, 962.25, 533.75, -0.0121, 0.0313, -0.0151, 0.0021}, 6},
	{"SIMPLE_RADIAL_FISHEYE", []float64{571.022, 962.25, 533.75, -0.0221}, 6},
	{"RADIAL_FISHEYE", []float64{571.022, 962.25, 533.75, -0.0221, 0.0053}, 6},
	{"THIN_PRISM_FISHEYE", []float64{571.022, 570.5, 962.25, 533.75, -0.0121, 0.0113, 0.00061, -0.00043, -0.0051, 0.0009, 0.00031, -0.00027}, 6},
	{"FOV", []float64{871.022, 869.5, 962.25, 533.75, 0.9231}, 6},
	{"FOV", []float64{871.022, 869.5, 962.25, 533.75, 0.005}, 3},
	{"FOV", []float64{871.022, 869.5, 962.25, 533.75, 0}, 3},
}

func TestUnprojectUndoesProject(t *testing.T) {
	for _, l := range lenses {
		c, err := New(l.model, l.params)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			// Half of the rays near the axis, where the models change branch.
			r := rapid.Float64Range(0, l.reach).Draw(t, "r")
			if rapid.Bool().Draw(t, "near") {
				r *= 0.01
			}
			a := rapid.Float64Range(0, 2*math.Pi).Draw(t, "angle")
			z := rapid.Float64Range(0.01, 100).Draw(t, "depth")
			x, y := r*math.Cos(a), r*math.Sin(a)
			u, v, ok := c.Project(r3.Vec{X: x * z, Y: y * z, Z: z})
			if !ok {
				t.Fatalf("%s %v: (%v, %v) not projected", l.model, l.params, x, y)
			}
			gx, gy, ok := c.Unproject(u, v)
			// FOV's two branches meet with a step of some 1e-9.
			if tol := 1e-8 * (1 + r); !ok || math.Abs(gx-x) > tol || math.Abs(gy-y) > tol {
				t.Fatalf("%s %v: (%v, %v) → (%v, %v) → (%v, %v, %v)", l.model, l.params, x, y, u, v, gx, gy, ok)
			}
			// At 871 pixels a unit, FOV's step is 2e-8 pixels.
			if u2, v2, _ := c.Project(r3.Vec{X: gx, Y: gy, Z: 1}); math.Abs(u2-u)+math.Abs(v2-v) > 5e-8 {
				t.Fatalf("%s %v: pixel (%v, %v) came back as (%v, %v)", l.model, l.params, u, v, u2, v2)
			}
		})
	}
}

// TestUnprojectBetweenFOVBranches takes a pixel that rounding puts where the
// series near the axis has ended and the closed form has not begun.
func TestUnprojectBetweenFOVBranches(t *testing.T) {
	c, err := New("FOV", []float64{871.022, 869.5, 962.25, 533.75, 0.9231})
	if err != nil {
		t.Fatal(err)
	}
	for k := -2000; k <= 2000; k++ {
		x := 0.01 * (1 + float64(k)*1e-11)
		u, v, _ := c.Project(r3.Vec{X: x, Z: 1})
		if gx, gy, ok := c.Unproject(u, v); !ok || math.Abs(gx-x) > 1e-8 || gy != 0 {
			t.Fatalf("ray %v → (%v, %v, %v)", x, gx, gy, ok)
		}
	}
}

// TestJacobian compares with central differences, whose own error at a step of
// 1e-6 of the depth is some 1e-6 of the focal length.
func TestJacobian(t *testing.T) {
	for _, l := range lenses {
		c, err := New(l.model, l.params)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			r := rapid.Float64Range(0, l.reach).Draw(t, "r")
			if rapid.Bool().Draw(t, "near") {
				r *= 0.001
			}
			if math.Abs(r-0.01) < 1e-4 {
				return // FOV changes its branch here, with a step
			}
			a := rapid.Float64Range(0, 2*math.Pi).Draw(t, "angle")
			z := rapid.Float64Range(0.1, 100).Draw(t, "depth")
			x := r3.Vec{X: r * math.Cos(a) * z, Y: r * math.Sin(a) * z, Z: z}
			u, v, j, ok := c.ProjectJacobian(x)
			if pu, pv, _ := c.Project(x); !ok || math.Abs(pu-u)+math.Abs(pv-v) > 1e-10*(1+math.Abs(u)+math.Abs(v)) {
				t.Fatalf("%s: (%v, %v, %v), Project (%v, %v)", l.model, u, v, ok, pu, pv)
			}
			h := 1e-6 * z
			for k, e := range []r3.Vec{{X: h}, {Y: h}, {Z: h}} {
				u1, v1, _ := c.Project(r3.Add(x, e))
				u0, v0, _ := c.Project(r3.Sub(x, e))
				du, dv := (u1-u0)/(2*h), (v1-v0)/(2*h)
				if tol := 2e-3 * (1 + r*r*r) / z; math.Abs(du-j[k]) > tol || math.Abs(dv-j[3+k]) > tol {
					t.Fatalf("%s at %v: column %d (%v, %v), differences (%v, %v)", l.model, x, k, j[k], j[3+k], du, dv)
				}
			}
		})
	}
	if _, _, _, ok := (Camera{}).ProjectJacobian(r3.Vec{Z: 1}); ok {
		t.Error("the zero Camera projects")
	}
}

func TestUnprojectOutOfRange(t *testing.T) {
	tests := []struct {
		name   string
		model  string
		params []float64
		u, v   float64
	}{
		{"beyond the fold of a barrel", "SIMPLE_RADIAL", []float64{100, 0, 0, -0.3}, 200, 0},
		{"fisheye at 90 degrees", "SIMPLE_RADIAL_FISHEYE", []float64{100, 0, 0, 0}, 158, 0},
		{"FOV at 90 degrees", "FOV", []float64{100, 100, 0, 0, 1}, 160, 0},
		{"not a number", "RADIAL", []float64{100, 0, 0, 0.1, 0}, math.NaN(), 0},
		{"infinite", "PINHOLE", []float64{100, 100, 0, 0}, math.Inf(1), 0},
	}
	for _, tt := range tests {
		c, err := New(tt.model, tt.params)
		if err != nil {
			t.Fatal(err)
		}
		if x, y, ok := c.Unproject(tt.u, tt.v); ok {
			t.Errorf("%s: ray (%v, %v), want none", tt.name, x, y)
		}
	}
}

func TestNewErrors(t *testing.T) {
	tests := []struct {
		model  string
		params []float64
		want   string
	}{
		{"PINHOLE", []float64{1, 2, 3}, "want 4 parameters of camera model PINHOLE (fx, fy, cx, cy), found 3"},
		{"FOV", nil, "want 5 parameters of camera model FOV (fx, fy, cx, cy, omega), found 0"},
		{"UNKNOWN_CAMERA", nil, `want a camera model of FOV, FULL_OPENCV, OPENCV,`},
		{"pinhole", []float64{1, 2, 3, 4}, `found "pinhole"`},
		{"SIMPLE_PINHOLE", []float64{0, 2, 3}, "want positive focal lengths of camera model SIMPLE_PINHOLE, found 0, 0"},
		{"PINHOLE", []float64{1, -2, 3, 4}, "found 1, -2"},
		{"PINHOLE", []float64{0, 1, 2, 3}, "want positive focal lengths of camera model PINHOLE, found 0, 1"},
		{"PINHOLE", []float64{1, 0, 2, 3}, "want positive focal lengths of camera model PINHOLE, found 1, 0"},
		{"PINHOLE", []float64{1, -1, 2, 3}, "want positive focal lengths of camera model PINHOLE, found 1, -1"},
		{"SIMPLE_RADIAL", []float64{1, 2, 3, math.NaN()}, "want a finite parameter k of camera model SIMPLE_RADIAL, found NaN"},
	}
	for _, tt := range tests {
		if _, err := New(tt.model, tt.params); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New(%q, %v): error %v, want %q", tt.model, tt.params, err, tt.want)
		}
	}
	if _, _, ok := (Camera{}).Project(r3.Vec{Z: 1}); ok {
		t.Error("the zero Camera projects")
	}
	if _, _, ok := (Camera{}).Unproject(0, 0); ok {
		t.Error("the zero Camera unprojects")
	}
}

func TestNoAllocation(t *testing.T) {
	for _, l := range lenses {
		c, err := New(l.model, l.params)
		if err != nil {
			t.Fatal(err)
		}
		n := testing.AllocsPerRun(10, func() {
			u, v, _ := c.Project(r3.Vec{X: 0.2, Y: 0.1, Z: 1})
			c.Unproject(u, v)
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", l.model, n)
		}
	}
}

func BenchmarkProject(b *testing.B) {
	for _, l := range lenses {
		c, _ := New(l.model, l.params)
		b.Run(l.model, func(b *testing.B) {
			for b.Loop() {
				c.Project(r3.Vec{X: 0.2, Y: 0.1, Z: 1})
			}
		})
	}
}

func BenchmarkUnproject(b *testing.B) {
	for _, l := range lenses {
		c, _ := New(l.model, l.params)
		u, v, _ := c.Project(r3.Vec{X: 0.4, Y: 0.3, Z: 1})
		b.Run(l.model, func(b *testing.B) {
			for b.Loop() {
				c.Unproject(u, v)
			}
		})
	}
}
