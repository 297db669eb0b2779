package robust

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/camera"
	"locbench/kapture/geom"
	"locbench/kapture/kapturetest"
)

// blob reads the little-endian problem files of the reference data.
type blob struct {
	t    testing.TB
	data []byte
}

func openBlob(t testing.TB, name, magic string) *blob {
	t.Helper()
	data, err := os.ReadFile(kapturetest.Shared(t, "golden", "peers", name))
	if err != nil {
		t.Fatal(err)
	}
	if len(data) < 12 || string(data[:8]) != magic {
		t.Fatalf("%s: want %s, found %q", name, magic, data[:min(8, len(data))])
	}
	return &blob{t, data[8:]}
}

func (b *blob) take(n int) []byte {
	if n > len(b.data) {
		b.t.Fatal("problem file cut short")
	}
	head := b.data[:n]
	b.data = b.data[n:]
	return head
}

func (b *blob) u32() int     { return int(binary.LittleEndian.Uint32(b.take(4))) }
func (b *blob) f64() float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b.take(8))) }
func (b *blob) vec() r3.Vec  { return r3.Vec{X: b.f64(), Y: b.f64(), Z: b.f64()} }

func (b *blob) pose() geom.Pose {
	q, _ := geom.Normalize(quat.Number{Real: b.f64(), Imag: b.f64(), Jmag: b.f64(), Kmag: b.f64()})
	return geom.Pose{R: q, T: b.vec()}
}

func (b *blob) flags(n int) []bool {
	flags := make([]bool, n)
	for i, f := range b.take(n) {
		flags[i] = f != 0
	}
	return flags
}

func (b *blob) camera(model int) camera.Camera {
	params := []float64{b.f64(), b.f64(), b.f64(), b.f64()}
	c, err := camera.New(map[int]string{1: "PINHOLE", 2: "SIMPLE_RADIAL"}[model], params)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

type pnpProblem struct {
	AbsoluteProblem
	id     int
	truth  geom.Pose
	ratio  float64
	inlier []bool
}

func readPnP(t testing.TB) []pnpProblem {
	b := openBlob(t, "pnp.bin", "PNPB0001")
	problems := make([]pnpProblem, b.u32())
	for i := range problems {
		p := &problems[i]
		p.id = b.u32()
		model := b.u32()
		b.take(12) // width, height, 4
		n := b.u32()
		b.u32()
		p.Camera = b.camera(model)
		p.truth = b.pose()
		b.f64()
		p.ratio = b.f64()
		for range n {
			p.Pixels = append(p.Pixels, [2]float64{b.f64(), b.f64()})
		}
		for range n {
			p.Points = append(p.Points, b.vec())
		}
		p.inlier = b.flags(n)
	}
	return problems
}

// figures are columns of a table of peers.
type figures struct{ ms, meters, degrees []float64 }

func (f *figures) add(d time.Duration, meters, degrees float64) {
	f.ms = append(f.ms, float64(d.Nanoseconds())/1e6)
	f.meters = append(f.meters, meters)
	f.degrees = append(f.degrees, degrees)
}

// within returns the share of results, in percent, within both bounds.
func (f *figures) within(meters, degrees float64) float64 {
	n := 0
	for i := range f.meters {
		if f.meters[i] <= meters && f.degrees[i] <= degrees {
			n++
		}
	}
	return 100 * float64(n) / float64(len(f.meters))
}

// quantile is linear between the values, as NumPy's, with which the peers'
// figures were computed.
func quantile(x []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(x))
	at := q * float64(len(s)-1)
	i := int(at)
	if i+1 == len(s) || s[i] == s[i+1] {
		return s[i]
	}
	return s[i] + (at-float64(i))*(s[i+1]-s[i])
}

func (f *figures) String() string {
	return fmt.Sprintf("%4d | %.2f | %.1f | %.0f | %.4f / %.4f | %.4f / %.4f | %.1f / %.1f", len(f.ms),
		quantile(f.ms, 0.5), mean(f.ms), quantile(f.ms, 0.95), quantile(f.meters, 0.5), quantile(f.meters, 0.9),
		quantile(f.degrees, 0.5), quantile(f.degrees, 0.9), f.within(0.25, 2), f.within(0.05, 0.5))
}

// seeds of the tables of peers: 5 with LOCBENCH_SLOW, as their figures are
// means over runs.
func seeds() uint64 {
	if os.Getenv("LOCBENCH_SLOW") != "" {
		return 5
	}
	return 1
}

// TestPeersAbsolute prints our line of the table of absolute poses, on the
// problems that the peers' lines were measured on, and holds us to the best of
// them in success and accuracy.
func TestPeersAbsolute(t *testing.T) {
	runtime.LockOSThread()
	problems := readPnP(t)
	var all figures
	groups := map[string]*figures{}
	for seed := range seeds() {
		for i := range problems {
			p := &problems[i]
			o := AbsoluteDefaults()
			o.Seed = seed
			start := threadTime()
			a, reason := EstimateAbsolute(p.AbsoluteProblem, o)
			d := threadTime() - start
			e := geom.Failed()
			if reason == "" {
				e = geom.Error(a.Pose, p.truth)
			}
			if e.Meters > 0.25 {
				t.Logf("problem %d, seed %d: %.3f m, %.3f°, %s, %d of %d inliers, %d true", p.id, seed, e.Meters, e.Degrees, reason, a.NumInliers, len(p.Pixels), count(p.inlier))
			}
			all.add(d, e.Meters, e.Degrees)
			name := "ratio < 0.2"
			if p.ratio >= 0.195 {
				name = "ratio ≥ 0.2"
			}
			for _, name := range []string{name, fmt.Sprintf("ratio %.2f", p.ratio)} {
				if groups[name] == nil {
					groups[name] = &figures{}
				}
				groups[name].add(d, e.Meters, e.Degrees)
			}
		}
	}
	t.Log("             | n | ms median | mean | 95 % | t err m median / 90 % | r err ° median / 90 % | success")
	t.Logf("all          | %v", &all)
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for k := range groups {
			if !yield(k) {
				return
			}
		}
	}) {
		t.Logf("%-12s | %v", name, groups[name])
	}
	if s := all.within(0.25, 2); s < 99.8 {
		t.Errorf("%.1f %% within 0.25 m and 2°, want 99.8", s)
	}
	if s := all.within(0.05, 0.5); s < 96.5 {
		t.Errorf("%.1f %% within 0.05 m and 0.5°, want 96.5", s)
	}
	if m := quantile(all.meters, 0.5); m > 0.0022 {
		t.Errorf("median error %.4f m, want at most 0.0022", m)
	}
}

func count(flags []bool) int {
	n := 0
	for _, f := range flags {
		if f {
			n++
		}
	}
	return n
}

type relProblem struct {
	RelativeProblem
	id     int
	truth  geom.Pose
	inlier []bool
}

func readRel(t testing.TB) []relProblem {
	b := openBlob(t, "rel.bin", "RELB0001")
	problems := make([]relProblem, b.u32())
	for i := range problems {
		p := &problems[i]
		p.id = b.u32()
		model1, model2 := b.u32(), b.u32()
		b.take(8) // width, height
		n := b.u32()
		b.u32()
		c1 := b.camera(model1)
		c2 := b.camera(model2)
		p.Camera1, p.Camera2 = &c1, &c2
		p.truth = b.pose()
		b.take(16) // sigma, ratio
		for range n {
			p.Pixels1 = append(p.Pixels1, [2]float64{b.f64(), b.f64()})
			p.Pixels2 = append(p.Pixels2, [2]float64{b.f64(), b.f64()})
		}
		p.inlier = b.flags(n)
	}
	return problems
}

// directionError is the angle between two translations, degrees.
func directionError(a, b r3.Vec) float64 {
	return math.Atan2(r3.Norm(r3.Cross(a, b)), r3.Dot(a, b)) * 180 / math.Pi
}

// TestPeersRelative prints our line of the table of relative poses.
func TestPeersRelative(t *testing.T) {
	runtime.LockOSThread()
	problems := readRel(t)
	var ms, rotation, direction, worst, recall, precision []float64
	kinds := map[string]int{}
	for seed := range seeds() {
		for i := range problems {
			p := &problems[i]
			o := RelativeDefaults()
			o.MinInlierRatio, o.MinIterations, o.MaxIterations, o.Confidence = 0.01, 1000, 100000, 0.9999
			o.Seed = seed
			start := threadTime()
			r, reason := EstimateRelative(p.RelativeProblem, o)
			ms = append(ms, float64((threadTime()-start).Nanoseconds())/1e6)
			re, de := 180., 180.
			if reason == "" {
				re = geom.Error(r.Pose, p.truth).Degrees
				de = directionError(r.Pose.T, p.truth.T)
				both := 0
				for k, f := range r.Inliers {
					if f && p.inlier[k] {
						both++
					}
				}
				recall = append(recall, float64(both)/float64(count(p.inlier)))
				precision = append(precision, float64(both)/float64(r.NumInliers))
			}
			kinds[r.Kind]++
			if max(re, de) > 5 {
				t.Logf("problem %d, seed %d: %.2f°, %.2f°, %s, %s, %d inliers, %d of %d true", p.id, seed, re, de, r.Kind, reason, r.NumInliers, count(p.inlier), len(p.inlier))
			}
			rotation, direction, worst = append(rotation, re), append(direction, de), append(worst, max(re, de))
		}
	}
	within := func(d float64) float64 {
		n := 0
		for _, e := range worst {
			if e < d {
				n++
			}
		}
		return 100 * float64(n) / float64(len(worst))
	}
	t.Log("n | ms median | mean | rotation / direction ° median | % < 1° / 5° / 10° | recall / precision")
	t.Logf("%d | %.2f | %.1f | %.3f / %.3f | %.1f / %.1f / %.1f | %.3f / %.3f | kinds %v", len(ms), quantile(ms, 0.5), mean(ms),
		quantile(rotation, 0.5), quantile(direction, 0.5), within(1), within(5), within(10), mean(recall), mean(precision), kinds)
	if r, d := quantile(rotation, 0.5), quantile(direction, 0.5); r > 0.053 || d > 0.261 {
		t.Errorf("median errors %.3f°, %.3f°, want at most 0.053°, 0.261°", r, d)
	}
	if within(1) < 77.3 || within(5) < 91.3 || within(10) < 98 {
		t.Errorf("%.1f, %.1f, %.1f %% within 1°, 5°, 10°, want 77.3, 91.3, 98.0", within(1), within(5), within(10))
	}
}

type triProblem struct {
	views    []TrackView
	truth    r3.Vec
	sigma    float64
	parallax float64
}

func readTri(t testing.TB) []triProblem {
	b := openBlob(t, "tri.bin", "TRIB0001")
	problems := make([]triProblem, b.u32())
	for i := range problems {
		p := &problems[i]
		b.u32()
		n := b.u32()
		p.truth = b.vec()
		p.sigma, p.parallax = b.f64(), b.f64()
		for range n {
			model := b.u32()
			b.u32()
			c := b.camera(model)
			p.views = append(p.views, TrackView{Camera: &c, Pose: b.pose(), Pixel: [2]float64{b.f64(), b.f64()}})
		}
	}
	return problems
}

// TestPeersTriangulation prints our line of the table of triangulations.
func TestPeersTriangulation(t *testing.T) {
	runtime.LockOSThread()
	problems := readTri(t)
	var errs, wide, narrow []float64
	start := threadTime()
	for i := range problems {
		p := &problems[i]
		x, ok := Triangulate(p.views, TriangulateOptions{MaxErrorPx: 8, MinViews: 2})
		e := math.Inf(1)
		if ok {
			e = r3.Norm(r3.Sub(x.X, p.truth))
		}
		errs = append(errs, e)
		if p.parallax >= 3 {
			wide = append(wide, e)
		} else {
			narrow = append(narrow, e)
		}
	}
	d := threadTime() - start
	t.Logf("%d tracks in %v: median %.4f m, 90 %% %.3f m; parallax ≥ 3°: %.4f, %.3f; below: %.3f, %.3f", len(errs), d,
		quantile(errs, 0.5), quantile(errs, 0.9), quantile(wide, 0.5), quantile(wide, 0.9), quantile(narrow, 0.5), quantile(narrow, 0.9))
	// The bound, maximum likelihood on the true inliers, is 0.0218 and 0.284.
	if m, q := quantile(errs, 0.5), quantile(errs, 0.9); m > 0.0219 || q > 0.285 {
		t.Errorf("median %.4f m, 90 %% %.3f m, want at most 0.0219, 0.285", m, q)
	}
}
