package nets

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"locbench/kapture/kapturetest"
	"locbench/retrieval/backend"
	"locbench/retrieval/imgio"
)

// interpreter runs graphs without a device. Its products do not pass the
// pointer checks that come with the race detector.
func interpreter(t *testing.T) compute.Backend {
	t.Helper()
	if raceDetector {
		t.Skip("GoMLX does not run under the race detector")
	}
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	device, err := b.Device()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return device
}

// photo is a procedural image in bytes.
func photo(name string, h, w int) *imgio.Image {
	m := imgio.New(w, h)
	x := proceduralPixels(name, h, w)
	for i := range h * w {
		for c := range 3 {
			m.Pix[3*i+c] = uint8(127 + 60*x[c*h*w+i])
		}
	}
	return m
}

// headCases are configurations that cover every head.
func headCases() map[string]Config {
	cases := map[string]Config{
		"gem":              {Pooling: "gem"},
		"gem, center bias": {Pooling: "gem", CenterBias: 0.7},
		"max, no fc":       {Pooling: "max", WithoutFC: true},
		"avg, norm":        {Pooling: "avg", NormFeatures: true},
		"rmac":             {Pooling: "rmac"},
	}
	for name, c := range cases {
		c.Arch, c.Mean, c.Std = "resnet18_rmac", ImageNetMean(), ImageNetStd()
		cases[name] = c
	}
	return cases
}

// mixed are images of several sizes and few padded shapes, one of a padded
// shape's very size and one of a single pixel.
func mixed() []*imgio.Image {
	return []*imgio.Image{
		photo("a", 64, 96), photo("b", 61, 67), photo("c", 40, 90), photo("d", 64, 96), photo("e", 33, 65), photo("f", 1, 1),
	}
}

// TestGraphAgrees compares padded batches on GoMLX with one image at a time on
// the embedded kernels.
func TestGraphAgrees(t *testing.T) {
	images := mixed()
	device := interpreter(t)
	all := proceduralTensors("resnet18", 48)
	for name, cfg := range headCases() {
		n, err := New(open(t), cfg, all)
		if err != nil {
			t.Fatal(err)
		}
		load := &loader{tensors: all}
		c, err := newCompiled(device, false, cfg, mustArch(t, cfg.Arch).layers(), n.head, load)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.describe(t.Context(), images)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range images {
			want, err := n.Describe(t.Context(), []*imgio.Image{m})
			if err != nil {
				t.Fatal(err)
			}
			row := got[i*n.Dim():][:n.Dim()]
			if cos := cosine(row, want); cos < 1-1e-9 {
				t.Errorf("%s: image %d of %d×%d: want a cosine of 1, found 1 - %g", name, i, m.W, m.H, 1-cos)
			}
		}
	}
}

func open(t testing.TB) *backend.Backend {
	t.Helper()
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustArch(t testing.TB, name string) arch {
	t.Helper()
	a, err := findArch(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestGraphNative compares the device's convolutions with the lowered ones, in
// a trunk that ends early: GoMLX's interpreter is slow at them.
func TestGraphNative(t *testing.T) {
	if testing.Short() {
		t.Skip("slow on the interpreter")
	}
	device := interpreter(t)
	all := proceduralTensors("resnet50", 32)
	layers := mustArch(t, "resnet50").layers()
	layers = layers[:slices.IndexFunc(layers, func(l layer) bool { return l.conv == "layer2.0.conv3" })+1]
	cfg := Config{Arch: "resnet50", Pooling: "gem", GemP: 2.5, Mean: ImageNetMean(), Std: ImageNetStd()}
	var rows [2][]float32
	for i, native := range []bool{false, true} {
		h := &head{pooling: gem, p: 2.5, channels: 512}
		c, err := newCompiled(device, native, cfg, layers, h, &loader{tensors: all})
		if err != nil {
			t.Fatal(err)
		}
		if rows[i], err = c.describe(t.Context(), []*imgio.Image{photo("a", 37, 50), photo("b", 64, 64)}); err != nil {
			t.Fatal(err)
		}
	}
	if d := maxDifference(rows[0], rows[1]); d > 1e-6 {
		t.Errorf("native convolutions differ by %g", d)
	}
}

// TestGoldenFirstConvolution compares the stem before its batch normalization,
// which only the graph computes apart.
func TestGoldenFirstConvolution(t *testing.T) {
	var ref map[string]map[string]struct {
		First []float64 `json:"first16_nchw"`
	}
	kapturetest.SharedJSON(t, &ref, "golden", "descriptors", "stages_resnet18_rmac.json")
	const h, w = 224, 224
	in := planarInput(proceduralPixels("in0", h, w), h, w)
	pixels := make([]float32, 3*h*w)
	for y := range h {
		in.fill(y, pixels[3*w*y:][:3*w])
	}
	_, weights, _ := proceduralTensors("resnet18", 512)("conv1.weight")
	b := builder{}
	exec, err := graph.NewExec(interpreter(t), func(x, weights *graph.Node) *graph.Node {
		return b.convolve(layer{size: 7, stride: 2, from: 3, to: 64}, x, weights)
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Call(tensors.FromFlatDataAndDimensions(pixels, 1, h, w, 3), tensors.FromFlatDataAndDimensions(weights, 64, 3, 7, 7))
	if err != nil {
		t.Fatal(err)
	}
	got, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range ref["in0_224x224"]["conv1"].First {
		if math.Abs(float64(got[i*64])-v) > 5e-5 {
			t.Errorf("value %d: want %g, found %g", i, v, got[i*64])
		}
	}
}

// TestGraphGradient differentiates the network with batch normalization apart,
// as training does, with respect to GeM's exponent, a bias and a weight of the
// stem, and compares with central differences.
func TestGraphGradient(t *testing.T) {
	all := proceduralTensors("resnet18", 8)
	learned := []string{"adpool.p", "fc.bias", "conv1.weight"}
	loss := frozenLoss(t, all, learned)
	device := interpreter(t)
	value, err := graph.NewExec(device, loss)
	if err != nil {
		t.Fatal(err)
	}
	gradient, err := graph.NewExec(device, func(in []*graph.Node) []*graph.Node {
		return graph.Gradient(loss(in), in[1:]...)
	})
	if err != nil {
		t.Fatal(err)
	}
	inputs := gradientInputs(all, learned)
	grads, err := gradient.Call(inputs.args()...)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range learned {
		g, err := tensors.CopyFlatData[float32](grads[i])
		if err != nil {
			t.Fatal(err)
		}
		want := centralDifference(t, value, inputs, 1+i)
		if math.Abs(want-float64(g[0])) > 0.02*math.Abs(want)+2e-3 { // float32 differences
			t.Errorf("%s: want a gradient of %g, found %g", name, want, g[0])
		}
	}
}

// frozenLoss is a sum of the descriptors of two images, weighted so that unit
// length does not make it constant, after the first residual blocks of
// ResNet-18. Its inputs are the pixels and the learned tensors.
func frozenLoss(t *testing.T, all Tensors, learned []string) func(in []*graph.Node) *graph.Node {
	layers := mustArch(t, "resnet18").layers()[:6]
	h := &head{pooling: gem, p: 3, channels: 64, fc: linear{outputs: 8}}
	return func(in []*graph.Node) *graph.Node {
		g := in[0].Graph()
		b := builder{layers: layers, head: h, frozen: true, param: func(name string) *graph.Node {
			if i := slices.Index(learned, name); i >= 0 {
				return in[1+i]
			}
			shape, data, _ := all(name)
			if name == "fc.weight" { // of the whole network: 512 channels
				shape, data = []int{8, 64}, data[:8*64]
			}
			return graph.Const(g, tensors.FromFlatDataAndDimensions(data, shape...))
		}}
		d := b.descriptors(batch{pixels: in[0], sizes: graph.Const(g, [][]int32{{24, 20}, {17, 32}})})
		weights := graph.AddScalar(graph.Iota(g, d.Shape(), 1), 1)
		return graph.ReduceAllSum(graph.Mul(d, weights))
	}
}

// centralDifference is the slope along the first value of an input.
func centralDifference(t *testing.T, value *graph.Exec, inputs tensorList, input int) float64 {
	t.Helper()
	const step = 1e-2
	var sides [2]float64
	for i, sign := range []float32{-1, 1} {
		moved := inputs.clone()
		moved[input].data[0] += sign * step
		out, err := value.Call(moved.args()...)
		if err != nil {
			t.Fatal(err)
		}
		sides[i] = float64(tensors.ToScalar[float32](out[0]))
	}
	return (sides[1] - sides[0]) / (2 * step)
}

// tensorList are inputs of a graph.
type tensorList []named

func gradientInputs(all Tensors, learned []string) tensorList {
	const h, w = 32, 32
	pixels := make([]float32, 2*3*h*w)
	for i, size := range []shape{{24, 20}, {17, 32}} {
		in := planarInput(proceduralPixels("in0", size.h, size.w), size.h, size.w)
		for y := range size.h {
			in.fill(y, pixels[3*w*(h*i+y):][:3*size.w])
		}
	}
	list := tensorList{{[]int{2, h, w, 3}, pixels}}
	for _, name := range learned {
		shape, data, _ := all(name)
		list = append(list, named{shape, slices.Clone(data)})
	}
	return list
}

func (l tensorList) clone() tensorList {
	out := slices.Clone(l)
	for i := range out {
		out[i].data = slices.Clone(out[i].data)
	}
	return out
}

func (l tensorList) args() []any {
	var args []any
	for _, n := range l {
		args = append(args, tensors.FromFlatDataAndDimensions(n.data, n.shape...))
	}
	return args
}

// TestGraphErrors: what GoMLX panics with comes back as an error.
func TestGraphErrors(t *testing.T) {
	cfg := headCases()["gem"]
	layers := mustArch(t, "resnet18").layers()
	h := &head{pooling: gem, p: 3, channels: 100} // not what the trunk gives
	h.fc = linear{outputs: 3, weights: make([]float32, 300), bias: make([]float32, 3)}
	c, err := newCompiled(interpreter(t), false, cfg, layers, h, &loader{tensors: proceduralTensors("resnet18", 3)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.describe(t.Context(), []*imgio.Image{photo("a", 32, 32)})
	if err == nil || !strings.Contains(err.Error(), "describe 1 images") {
		t.Errorf("want an error that says what was described, found %v", err)
	}
}

func TestPaddedSide(t *testing.T) {
	for n, want := range map[int]int{1: 32, 32: 32, 33: 64, 480: 480, 500: 512, 768: 768, 1000: 1024, 1025: 1152, 1080: 1152, 1920: 1920} {
		if got := paddedSide(n); got != want {
			t.Errorf("%d: want %d, found %d", n, want, got)
		}
	}
	for n := 32; n < 5000; n++ {
		if got := paddedSide(n); got < n || float64(got) > float64(n)*1.125+31 {
			t.Errorf("%d is padded to %d", n, got)
		}
	}
}
