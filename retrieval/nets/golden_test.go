package nets

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"locbench/kapture/kapturetest"
	"locbench/retrieval"
	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
)

// tolerance is what README.md of the reference data asks of each network.
type tolerance struct {
	desc, gem, jpeg float64 // entries, entries, cosine
	outDim          int
}

func tolerances() map[string]tolerance {
	return map[string]tolerance{
		"resnet18_rmac":  {2e-6, 2e-5, 0.9999, 512},
		"resnet50_rmac":  {2e-6, 2e-5, 0.9999, 2048},
		"resnet101_rmac": {2e-5, 4e-4, 0.999, 2048},
	}
}

// goldenNetwork is the procedural network of an architecture, and the same
// without fc and L2.
func goldenNetwork(t testing.TB, arch string) *Network {
	t.Helper()
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Arch: arch, Pooling: "gem", GemP: 3, Mean: ImageNetMean(), Std: ImageNetStd()}
	n, err := New(b, cfg, proceduralTensors(arch, tolerances()[arch].outDim))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestGoldenWeights holds the procedural tensors against the reference's.
func TestGoldenWeights(t *testing.T) {
	for arch, tol := range tolerances() {
		if arch != "resnet18_rmac" && testing.Short() {
			continue
		}
		var ref struct {
			Keys []struct {
				Key           string
				Shape         []int
				First4, Last2 []float64
				Sum           float64 `json:"sum_float64"`
			}
		}
		kapturetest.SharedJSON(t, &ref, "golden", "descriptors", "weights_"+arch+".json")
		tensors := proceduralTensors(arch, tol.outDim)
		for _, k := range ref.Keys {
			if filepath.Ext(k.Key) == ".num_batches_tracked" {
				continue
			}
			shape, x, ok := tensors(k.Key)
			if !ok || fmt.Sprint(shape) != fmt.Sprint(k.Shape) {
				t.Errorf("%s %s: want shape %v, found %v", arch, k.Key, k.Shape, shape)
				continue
			}
			var sum float64
			for _, v := range x {
				sum += float64(v)
			}
			same := math.Abs(sum-k.Sum) < 1e-9*float64(len(x)) // order of summation
			for i, v := range k.First4 {
				same = same && float64(x[i]) == v
			}
			for i, v := range k.Last2 {
				same = same && float64(x[len(x)-len(k.Last2)+i]) == v
			}
			if !same {
				t.Errorf("%s %s: differs from the reference", arch, k.Key)
			}
		}
	}
}

func TestGoldenInputs(t *testing.T) {
	for _, c := range []struct {
		name string
		h, w int
	}{{"in0", 224, 224}, {"in1", 161, 203}} {
		var ref struct {
			SHA string `json:"sha256_float32_le"`
		}
		kapturetest.SharedJSON(t, &ref, "golden", "descriptors", fmt.Sprintf("input_%s_%dx%d.json", c.name, c.h, c.w))
		var raw []byte
		for _, v := range proceduralPixels(c.name, c.h, c.w) {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
		if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != ref.SHA {
			t.Errorf("%s differs from the reference", c.name)
		}
	}
}

// readNPY reads a float32 vector.
func readNPY(t *testing.T, path string) []float32 {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw = raw[10+int(binary.LittleEndian.Uint16(raw[8:])):]
	x := make([]float32, len(raw)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return x
}

func maxDifference(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	var d float64
	for i := range a {
		d = max(d, math.Abs(float64(a[i])-float64(b[i])))
	}
	return d
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

// goldenCases are the images of the reference by case.
func goldenCases(t *testing.T, n *Network) map[string]input {
	t.Helper()
	cases := map[string]input{
		"in0_224x224": planarInput(proceduralPixels("in0", 224, 224), 224, 224),
		"in1_161x203": planarInput(proceduralPixels("in1", 161, 203), 161, 203),
	}
	files := map[string]string{"image0_0.7071": "image0_scale0.7071.png", "image0_0.5": "image0_scale0.5.png"}
	for i := range 4 {
		files["image"+strconv.Itoa(i)] = fmt.Sprintf("image%d_decoded.png", i)
	}
	for name, file := range files {
		m, err := imgio.Open(kapturetest.Shared(t, "golden", "descriptors", file))
		if err != nil {
			t.Fatal(err)
		}
		cases[name] = n.input(m)
	}
	return cases
}

// inGolden says which images are described by default; LOCBENCH_SLOW=1 takes
// all photographs with all networks, which needs half a minute.
func inGolden(arch, name string, in input) bool {
	switch {
	case os.Getenv("LOCBENCH_SLOW") != "":
		return true
	case arch == "resnet101_rmac" || testing.Short():
		return in.h*in.w < 300*300
	case arch == "resnet50_rmac":
		return in.h*in.w < 600*1000
	}
	return in.h*in.w < 1920*1080 || name == "image0" // and its smaller scales
}

// TestGolden compares descriptors, and the pooled vectors before the fc, with
// the reference's.
func TestGolden(t *testing.T) {
	for _, arch := range []string{"resnet18_rmac", "resnet50_rmac", "resnet101_rmac"} {
		t.Run(arch, func(t *testing.T) {
			if arch != "resnet18_rmac" && testing.Short() {
				t.Skip("a large network")
			}
			tol := tolerances()[arch]
			n := goldenNetwork(t, arch)
			bare := *n.head
			bare.fc = linear{}
			dir := kapturetest.Shared(t, "golden", "descriptors")
			descs := map[string][]float32{}
			for name, in := range goldenCases(t, n) {
				if !inGolden(arch, name, in) {
					continue
				}
				last, err := n.trunk.run(t.Context(), &arena{}, in, 2)
				if err != nil {
					t.Fatal(err)
				}
				gem := readNPY(t, filepath.Join(dir, "gem_"+arch+"_"+name+".npy"))
				gemOff := maxDifference(bare.pool(&last), gem)
				desc := make([]float32, n.Dim())
				n.head.describe(desc, &last)
				descs[name] = desc
				want := readNPY(t, filepath.Join(dir, "desc_"+arch+"_"+name+".npy"))
				off, cos := maxDifference(desc, want), cosine(desc, want)
				t.Logf("%s: descriptor off by %.2g, gem by %.2g, cosine 1 - %.2g", name, off, gemOff, 1-cos)
				if off > tol.desc || gemOff > tol.gem || cos < 1-1e-7 {
					t.Errorf("%s: descriptor off by %g, want %g; gem by %g, want %g; cosine %.9f", name, off, tol.desc, gemOff, tol.gem, cos)
				}
			}
			checkMultiscale(t, arch, dir, descs)
		})
	}
}

// checkMultiscale pools the descriptors of image0 at three scales.
func checkMultiscale(t *testing.T, arch, dir string, descs map[string][]float32) {
	t.Helper()
	scales := [][]float32{descs["image0"], descs["image0_0.7071"], descs["image0_0.5"]}
	if scales[0] == nil {
		return
	}
	for name, pooled := range map[string][]float64{"gem": retrieval.PoolGeM(scales, 3), "mean": retrieval.PoolMean(scales)} {
		retrieval.Normalize(pooled)
		got := make([]float32, len(pooled))
		for i, v := range pooled {
			got[i] = float32(v)
		}
		want := readNPY(t, filepath.Join(dir, "desc_"+arch+"_image0_multiscale_"+name+".npy"))
		if off := maxDifference(got, want); off > tolerances()[arch].desc {
			t.Errorf("multi-scale %s: want entries within %g, found %g", name, tolerances()[arch].desc, off)
		}
	}
}

// TestGoldenStages compares the values inside ResNet-18.
func TestGoldenStages(t *testing.T) {
	type stage struct {
		Shape    []int     `json:"shape_nchw"`
		First    []float64 `json:"first16_nchw"`
		Last     []float64 `json:"last4_nchw"`
		Channels []float64 `json:"per_channel_mean_first16"`
	}
	var ref map[string]map[string]stage
	kapturetest.SharedJSON(t, &ref, "golden", "descriptors", "stages_resnet18_rmac.json")
	b, _ := backend.Open("go")
	a, _ := findArch("resnet18")
	layers := map[string]int{"maxpool": 2, "layer1": 6, "layer2": 11, "layer3": 16, "layer4": 21}
	const tol = 5e-5
	for name, stages := range ref {
		h, w := 224, 224
		if name == "in1_161x203" {
			h, w = 161, 203
		}
		in := planarInput(proceduralPixels(name[:3], h, w), h, w)
		for s, count := range layers {
			e := newEmbedded(b, a.layers()[:count], &loader{tensors: proceduralTensors("resnet18", 512)})
			x, err := e.run(t.Context(), &arena{}, in, 2)
			if err != nil {
				t.Fatal(err)
			}
			want := stages[s]
			if x.c != want.Shape[1] || x.h != want.Shape[2] || x.w != want.Shape[3] {
				t.Errorf("%s %s: want shape %v, found %d %d %d", name, s, want.Shape, x.c, x.h, x.w)
				continue
			}
			for i, v := range want.First {
				if got := x.data[x.at(i/x.w, i%x.w)]; math.Abs(float64(got)-v) > tol {
					t.Errorf("%s %s: value %d: want %g, found %g", name, s, i, v, got)
				}
			}
			for i, v := range want.Last {
				if got := x.data[x.at(x.h-1-(3-i)/x.w, x.w-1-(3-i)%x.w)+x.c-1]; math.Abs(float64(got)-v) > tol {
					t.Errorf("%s %s: value %d of the last: want %g, found %g", name, s, i, v, got)
				}
			}
			mean := average64(&x)
			for c, v := range want.Channels {
				if math.Abs(float64(mean[c])-v) > tol {
					t.Errorf("%s %s: mean of channel %d: want %g, found %g", name, s, c, v, mean[c])
				}
			}
		}
	}
}

// TestGoldenJPEG describes the JPEG files themselves: the decoder's pixels are
// the reference's.
func TestGoldenJPEG(t *testing.T) {
	if testing.Short() {
		t.Skip("a large image")
	}
	var ref []struct {
		Name string
		Path string `json:"path_in_sample"`
	}
	kapturetest.SharedJSON(t, &ref, "golden", "descriptors", "images.json")
	dir := kapturetest.Shared(t, "golden", "descriptors")
	for arch, tol := range tolerances() {
		if arch != "resnet18_rmac" && os.Getenv("LOCBENCH_SLOW") == "" {
			continue
		}
		n := goldenNetwork(t, arch)
		for _, r := range ref {
			if r.Path == "" || r.Name != "image0" && os.Getenv("LOCBENCH_SLOW") == "" {
				continue
			}
			m, err := imgio.Open(kapturetest.Shared(t, "data", "virtual_gallery_tutorial", r.Path))
			if err != nil {
				t.Fatal(err)
			}
			got, err := n.Describe(t.Context(), []*imgio.Image{m})
			if err != nil {
				t.Fatal(err)
			}
			cos := cosine(got, readNPY(t, filepath.Join(dir, "desc_"+arch+"_"+r.Name+".npy")))
			t.Logf("%s %s: cosine %.7f", arch, r.Name, cos)
			if cos < tol.jpeg {
				t.Errorf("%s %s: want a cosine of %g, found %g", arch, r.Name, tol.jpeg, cos)
			}
		}
	}
}
