package weights_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/kapture/kapturetest"
	"locbench/retrieval/pickle"
	"locbench/retrieval/weights"
)

// expected is golden/checkpoint/expected.json: what PyTorch wrote.
type expected struct {
	Scalars   map[string]any             `json:"checkpoint_scalars"`
	Keys      []string                   `json:"state_dict_after_prefix_strip"`
	StateDict map[string]expectedTensor  `json:"state_dict"`
	Extra     map[string]expectedTensor  `json:"extra_state_dict"`
	ExtraKeys []string                   `json:"extra_key_order"`
	PCA       map[string]json1DAndMatrix `json:"pca"`
}

type expectedTensor struct {
	DType  string `json:"dtype"`
	Shape  []int  `json:"shape"`
	Values []any  `json:"values_row_major"`
}

type json1DAndMatrix struct {
	Whiten     bool        `json:"whiten"`
	Mean       []float64   `json:"mean_"`
	DType      string      `json:"components_dtype"`
	Components [][]float64 `json:"components_"`
	Variance   []float64   `json:"explained_variance_"`
}

func goldenExpected(t *testing.T) expected {
	t.Helper()
	var e expected
	kapturetest.SharedJSON(t, &e, "golden", "checkpoint", "expected.json")
	return e
}

func golden(t testing.TB, name string) string {
	t.Helper()
	return kapturetest.Shared(t, "golden", "checkpoint", name)
}

func open(t testing.TB, path string) *weights.Checkpoint {
	t.Helper()
	c, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// compareTensors holds a checkpoint's tensors against the expected ones, bit by bit.
func compareTensors(t *testing.T, c *weights.Checkpoint, keys []string, want func(key string) expectedTensor) {
	t.Helper()
	var names []string
	for _, tensor := range c.Tensors {
		names = append(names, tensor.Name)
	}
	if diff := cmp.Diff(keys, names); diff != "" {
		t.Errorf("names: %s", diff)
	}
	for _, key := range keys {
		tensor, ok := c.Tensor(key)
		if !ok {
			continue
		}
		w := want(key)
		got, err := tensor.Float64()
		if err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		if string(tensor.DType) != w.DType || fmt.Sprint(tensor.Shape) != fmt.Sprint(w.Shape) || len(got) != len(w.Values) {
			t.Errorf("%s: want %s %v, found %s %v", key, w.DType, w.Shape, tensor.DType, tensor.Shape)
			continue
		}
		single, err := tensor.Float32()
		if err != nil {
			t.Errorf("%s: %v", key, err)
		}
		for i, v := range w.Values {
			f := jsonNumber(t, v)
			if math.Float64bits(got[i]) != math.Float64bits(f) || math.Float32bits(single[i]) != math.Float32bits(float32(f)) {
				t.Errorf("%s[%d]: want %v, found %v and %v", key, i, f, got[i], single[i])
			}
		}
	}
}

func jsonNumber(t *testing.T, v any) float64 {
	t.Helper()
	switch v := v.(type) {
	case float64:
		return v
	case string:
		sign := 1
		if v == "-inf" {
			sign = -1
		}
		return math.Inf(sign)
	}
	t.Fatalf("want a number, found %v", v)
	return 0
}

func compareDirtorch(t *testing.T, c *weights.Checkpoint, e expected) {
	t.Helper()
	compareTensors(t, c, e.Keys, func(key string) expectedTensor { return e.StateDict["module."+key] })
	head := fmt.Sprintln(c.Arch, c.OutDim, c.Pooling, c.GemP, c.WithoutFC, c.NormFeatures, c.CenterBias, c.Mean, c.Std, c.InputSize)
	if want := "resnet18_rmac 5 gem 3 false false 0 [0.485 0.456 0.406] [0.229 0.224 0.225] 224\n"; head != want {
		t.Errorf("want network %q, found %q", want, head)
	}
	if diff := cmp.Diff(map[string]any{"arch": "resnet18_rmac", "out_dim": int64(5), "pooling": "gem", "gemp": int64(3)}, c.Options); diff != "" {
		t.Error(diff)
	}
	notes := map[string]string{"epoch": "17", "iter": "1234", "best_score": "0.8765", "note_unicode": "café ✓", "neg": "-5"}
	if diff := cmp.Diff(notes, c.Notes); diff != "" {
		t.Error(diff)
	}
	if len(c.PCA) != len(e.PCA) {
		t.Errorf("want %d PCA sets, found %d", len(e.PCA), len(c.PCA))
	}
	for name, w := range e.PCA {
		var components []float64
		for _, row := range w.Components {
			components = append(components, row...)
		}
		want := &weights.PCA{Mean: w.Mean, Components: components, Variance: w.Variance, Whiten: w.Whiten, DType: weights.DType(w.DType)}
		if diff := cmp.Diff(want, c.PCA[name]); diff != "" {
			t.Errorf("PCA %s: %s", name, diff)
		}
	}
}

// dirtorchFiles are the golden files that hold the same checkpoint.
func dirtorchFiles() map[string]weights.Format {
	return map[string]weights.Format{
		"ckpt_zip.pt": weights.TorchZip, "ckpt_legacy.pt": weights.TorchLegacy, "ckpt_cuda_zip.pt": weights.TorchZip, "ckpt_cuda_legacy.pt": weights.TorchLegacy,
		"ckpt_oldsklearn_zip.pt": weights.TorchZip, "ckpt_oldsklearn_legacy.pt": weights.TorchLegacy,
		"ckpt_zip_protocol4.pt": weights.TorchZip, "ckpt_legacy_protocol4.pt": weights.TorchLegacy,
	}
}

func TestGoldenCheckpoints(t *testing.T) {
	e := goldenExpected(t)
	for name, format := range dirtorchFiles() {
		t.Run(name, func(t *testing.T) {
			c := open(t, golden(t, name))
			if c.Format != format {
				t.Errorf("want a %s file, found %s", format, c.Format)
			}
			compareDirtorch(t, c, e)
		})
	}
}

// TestGoldenConvert checks that nothing is lost on the way to safetensors, and
// that the bytes are the same from every container.
func TestGoldenConvert(t *testing.T) {
	e := goldenExpected(t)
	dir := t.TempDir()
	var first []byte
	for name := range dirtorchFiles() {
		out := filepath.Join(dir, name+".safetensors")
		again := filepath.Join(dir, name+".again")
		if err := weights.WriteSafetensors(out, open(t, golden(t, name))); err != nil {
			t.Fatal(err)
		}
		c := open(t, out)
		if err := weights.WriteSafetensors(again, c); err != nil {
			t.Fatal(err)
		}
		sorted := e
		sorted.Keys = nil
		for _, tensor := range c.Tensors { // the order of the file is by width and name
			sorted.Keys = append(sorted.Keys, tensor.Name)
		}
		if len(sorted.Keys) != len(e.Keys) {
			t.Errorf("want %d tensors, found %d", len(e.Keys), len(sorted.Keys))
		}
		compareDirtorch(t, c, sorted)
		for _, path := range []string{out, again} {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = data
			}
			if !bytes.Equal(first, data) {
				t.Errorf("%s: want the same bytes from every container", path)
			}
		}
	}
}

func TestGoldenExtra(t *testing.T) {
	e := goldenExpected(t)
	for _, name := range []string{"extra_zip.pt", "extra_legacy.pt"} {
		t.Run(name, func(t *testing.T) {
			c := open(t, golden(t, name))
			want := func(key string) expectedTensor { return e.Extra[key] }
			compareTensors(t, c, e.ExtraKeys, want)
			out := filepath.Join(t.TempDir(), "extra.safetensors")
			if err := weights.WriteSafetensors(out, c); err != nil {
				t.Fatal(err)
			}
			back := open(t, out)
			var keys []string
			for _, tensor := range back.Tensors {
				keys = append(keys, tensor.Name)
			}
			compareTensors(t, back, keys, want)
			if len(keys) != len(e.ExtraKeys) {
				t.Errorf("want %d tensors, found %d", len(e.ExtraKeys), len(keys))
			}
		})
	}
}

func TestGoldenStateDict(t *testing.T) {
	e := goldenExpected(t)
	c := open(t, golden(t, "state_dict_only_zip.pt"))
	var keys []string
	for _, tensor := range c.Tensors {
		keys = append(keys, tensor.Name)
	}
	if len(keys) == 0 {
		t.Fatal("want tensors")
	}
	compareTensors(t, c, keys, func(key string) expectedTensor {
		if w, ok := e.StateDict["module."+key]; ok {
			return w
		}
		return e.StateDict[key]
	})
}

// TestGoldenRefused checks that files which ask for code are refused by name,
// and cut ones with an error.
func TestGoldenRefused(t *testing.T) {
	tests := map[string]string{
		"malicious_zip.pt": `"posix.system"`, "malicious_legacy.pt": `"posix.system"`,
		"malicious_eval_zip.pt": `"__builtin__.eval"`, "malicious_eval_legacy.pt": `"__builtin__.eval"`,
		"broken_truncated_zip.pt": "cut short", "broken_truncated_legacy.pt": "end of the file",
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			path := golden(t, name)
			_, err := weights.Open(path)
			var e *weights.FormatError
			if !errors.As(err, &e) || !strings.Contains(err.Error(), want) || e.Byte <= 0 || e.Path != path {
				t.Errorf("want an error with %s and its byte, found %v", want, err)
			}
			t.Log(err)
		})
	}
	if _, err := os.Stat("/tmp/pwned"); err == nil {
		t.Error("/tmp/pwned is there: code in a checkpoint was run")
	}
}

// TestGoldenTruncated cuts the golden files at every length.
func TestGoldenTruncated(t *testing.T) {
	for _, name := range []string{"ckpt_zip.pt", "ckpt_legacy.pt"} {
		data, err := os.ReadFile(golden(t, name))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name)
		for n := 0; n < len(data); n += 7 {
			if err := os.WriteFile(path, data[:n], 0o666); err != nil {
				t.Fatal(err)
			}
			_, err := weights.Open(path)
			if e := (*weights.FormatError)(nil); !errors.As(err, &e) {
				t.Fatalf("%s cut to %d bytes: want a format error, found %v", name, n, err)
			}
		}
	}
}

// TestGoldenEntries reads the whole object of a checkpoint, of which Open keeps
// only a part.
func TestGoldenEntries(t *testing.T) {
	e := goldenExpected(t)
	z, err := zip.OpenReader(golden(t, "ckpt_zip.pt"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open("ckpt_zip/data.pkl")
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	v, err := pickle.Read(data, pickle.Options{
		Allow:      func(string, string) bool { return true },
		Persistent: func(id any) (any, error) { return id, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range e.Scalars {
		if key == "optimizer" { // holds a tensor
			continue
		}
		got, ok := v.(*pickle.Dict).Get(key)
		if !ok {
			t.Errorf("%s is missing", key)
		}
		if diff := cmp.Diff(want, asJSON(got)); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
}

// asJSON turns a value of a pickle into what encoding/json would read.
func asJSON(v any) any {
	list := func(items []any) any {
		out := []any{}
		for _, e := range items {
			out = append(out, asJSON(e))
		}
		return out
	}
	switch v := v.(type) {
	case int64:
		return float64(v)
	case pickle.Tuple:
		return list(v)
	case *pickle.List:
		return list(v.Items)
	case *pickle.Set:
		return list(v.Items)
	case *pickle.Dict:
		out := map[string]any{}
		for k, e := range v.All() {
			out[fmt.Sprint(k)] = asJSON(e)
		}
		return out
	case fmt.Stringer: // a large integer
		return v.String()
	}
	return v
}
