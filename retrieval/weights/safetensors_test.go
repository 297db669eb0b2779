package weights_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/retrieval/weights"
)

func tiny() *weights.Checkpoint {
	return &weights.Checkpoint{
		Arch: "resnet18_rmac", OutDim: 2, Pooling: "gem", GemP: 2.5, NormFeatures: true, CenterBias: 0.25,
		Mean: [3]float64{0.1, 0.2, 0.3}, Std: [3]float64{1, 2, 3}, InputSize: 224,
		Options: map[string]any{"arch": "resnet18_rmac", "gemp": int64(3), "dropout_p": nil, "x": 0.5, "b": true},
		Notes:   map[string]string{"epoch": "7"},
		PCA: map[string]*weights.PCA{
			"a.b":   {Mean: []float64{1, 2}, Components: []float64{0.1, 0.2, 0.3, 0.4}, Variance: []float64{5, 6}, Whiten: true, DType: weights.Float64},
			"small": {Mean: []float64{1, 2}, Components: []float64{0.5, 0.25}, Variance: []float64{5}, DType: weights.Float32},
		},
		Tensors: []*weights.Tensor{
			weights.NewTensor("fc.weight", []int{2, 3}, []float32{1, 2, 3, 4, 5, float32(math.Inf(-1))}),
			weights.NewTensor("adpool.p", []int{1}, []float32{2.5}),
		},
	}
}

func writeTiny(tb testing.TB) (path string, data []byte) {
	tb.Helper()
	path = filepath.Join(tb.TempDir(), "tiny.safetensors")
	if err := weights.WriteSafetensors(path, tiny()); err != nil {
		tb.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return path, data
}

// TestRoundTrip checks that everything in a checkpoint comes back.
func TestRoundTrip(t *testing.T) {
	path, data := writeTiny(t)
	c := open(t, path)
	want, found := tiny(), *c
	want.Path, want.Format = path, weights.Safetensors
	if diff := cmp.Diff(want, &found, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Tensors" || p.String() == "file" }, cmp.Ignore())); diff != "" {
		t.Error(diff)
	}
	fc, _ := c.Tensor("fc.weight")
	values, err := fc.Float32()
	if diff := cmp.Diff([]float32{1, 2, 3, 4, 5, float32(math.Inf(-1))}, values); diff != "" || err != nil {
		t.Error(diff, err)
	}
	// Over the file that it was read from.
	if err := weights.WriteSafetensors(path, c); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(data, again) {
		t.Errorf("want the same bytes again, %v", err)
	}
	if n := binary.LittleEndian.Uint64(data); n%8 != 0 || data[8] != '{' {
		t.Errorf("want a header of a multiple of eight bytes, found %d", n)
	}
}

func TestWriteErrors(t *testing.T) {
	twice := tiny()
	twice.Tensors = append(twice.Tensors, weights.NewTensor("adpool.p", []int{1}, []float32{1}))
	clash := tiny()
	clash.Tensors = append(clash.Tensors, weights.NewTensor("pca.x.mean", []int{1}, []float32{1}))
	for want, c := range map[string]*weights.Checkpoint{"two named": twice, "those of PCA sets": clash} {
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := weights.WriteSafetensors(path, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, found %v", want, err)
		}
		if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
			t.Errorf("want no file left, found %v", left)
		}
	}
}

// safetensors makes a file of a header and data.
func safetensors(header string, data int) string {
	return string(binary.LittleEndian.AppendUint64(nil, uint64(len(header)))) + header + strings.Repeat("\x00", data)
}

func TestSafetensorsErrors(t *testing.T) {
	native := func(metadata string) string {
		return safetensors(`{"__metadata__":{"locbench":"1",`+metadata+`},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4)
	}
	const sound = `"arch":"x","out_dim":"0","pooling":"gem","gemp":"3","without_fc":"false","norm_features":"false","center_bias":"0","mean":"0 0 0","std":"1 1 1","input_size":"0","options":"{}"`
	tests := map[string]struct{ in, want string }{
		"long header":  {"\xff\xff\x00\x00\x00\x00\x00\x00{}", "byte 0: want a header that ends in the file of 10 bytes, found one of 65535 bytes"},
		"huge header":  {"\xff\xff\xff\xff\xff\xff\xff\xff{}", "byte 0: want a checkpoint"},
		"no JSON":      {safetensors("{a}", 0), "byte 9: want a header in JSON"},
		"cut JSON":     {safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`, 4), "want a header in JSON"},
		"tail":         {safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}x`, 4), "byte 62: want blanks"},
		"no offsets":   {safetensors(`{"a":{"dtype":"F32","shape":[1]}}`, 4), `byte 9: want dtype, shape and data_offsets of tensor "a"`},
		"no tensors":   {safetensors(`{}`, 0), "want a state dict with tensors, found none"},
		"dtype":        {safetensors(`{"a":{"dtype":"F8","shape":[4],"data_offsets":[0,4]}}`, 4), `tensor a: want a known type of values, found "F8"`},
		"shape":        {safetensors(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4), "tensor a: want a tensor inside its storage"},
		"more bytes":   {safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}`, 8), "tensor a: want as many bytes as the shape takes"},
		"negative":     {safetensors(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), "tensor a: want sizes"},
		"overflow":     {safetensors(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`, 4), "tensor a: want sizes"},
		"gap":          {safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), `want tensor "a" to start where the last one ends`},
		"overlap":      {safetensors(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), `want tensor "b" to start`},
		"cut data":     {safetensors(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 4), "cut short?"},
		"data behind":  {safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 5), "byte 66: want the end of the file"},
		"twice":        {safetensors(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"module.a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "found two named a"},
		"version":      {safetensors(`{"__metadata__":{"locbench":"2"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), `byte 8: want version 1 of locbench's metadata, found "2"`},
		"no metadata":  {native(`"arch":"x"`), "want a number as out_dim in the metadata"},
		"no PCA":       {native(sound), "want a JSON object as pca in the metadata"},
		"PCA tensors":  {native(sound + `,"pca":"{\"s\":{\"whiten\":true}}"`), `PCA set "s", found none`},
		"empty":        {"", "byte 0: want a checkpoint"},
		"another file": {"\x89PNG\r\n\x1a\n\x00\x00\x00", "byte 0: want a checkpoint (PyTorch zip or legacy, safetensors)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.safetensors")
			if err := os.WriteFile(path, []byte(test.in), 0o666); err != nil {
				t.Fatal(err)
			}
			_, err := weights.Open(path)
			if e := (*weights.FormatError)(nil); !errors.As(err, &e) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want an error with %q, found %v", test.want, err)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := weights.Open(filepath.Join(t.TempDir(), "none.pt")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("want a missing file, found %v", err)
	}
	if _, err := weights.Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "found a folder") {
		t.Errorf("want a folder refused, found %v", err)
	}
}
