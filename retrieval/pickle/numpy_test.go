package pickle_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"locbench/retrieval/pickle"
)

const (
	reconstruct = "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR"
	float32s    = "cnumpy\ndtype\nU\x02f4\x89\x88\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
	shorts      = "cnumpy\ndtype\nU\x02i2\x89\x88\x87R(K\x03U\x01>NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
)

func TestAsArray(t *testing.T) {
	tests := map[string]struct {
		in    string
		shape []int
		want  []float64
	}{
		"row-major":    {reconstruct + "(K\x01K\x02K\x01\x86" + float32s + "\x89C\x08\x00\x00\x80\x3f\x00\x00\x00\x40tb.", []int{2, 1}, []float64{1, 2}},
		"Python 2":     {reconstruct + "(K\x01K\x02\x85" + float32s + "\x89U\x08\x00\x00\x80\x3f\x00\x00\x00\x40tb.", []int{2}, []float64{1, 2}},
		"column-major": {reconstruct + "(K\x01K\x02K\x03\x86" + shorts + "\x88C\x0c\x00\x01\x00\x02\x00\x03\x00\x04\x00\x05\xff\xfftb.", []int{2, 3}, []float64{1, 3, 5, 2, 4, -1}},
		"empty":        {reconstruct + "(K\x01K\x00K\x05\x86" + shorts + "\x88C\x00tb.", []int{0, 5}, []float64{}},
		"scalar":       {"cnumpy._core.multiarray\nscalar\n" + float32s + "C\x04\x00\x00\x80\x3f\x86R.", nil, []float64{1}},
		"_frombuffer":  {"cnumpy._core.numeric\n_frombuffer\n(\x96\x04\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x02" + shorts + "K\x02\x85U\x01CtR.", []int{2}, []float64{1, 2}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v, err := pickle.Read([]byte(test.in), pickle.Options{Allow: pickle.Numpy})
			if err != nil {
				t.Fatal(err)
			}
			a, err := pickle.AsArray(v)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.shape, a.Shape) + cmp.Diff(test.want, a.Float64s()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAsArrayErrors(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"number":      {"K\x01.", "want a numpy array, found a int"},
		"no state":    {reconstruct + ".", "want a numpy array"},
		"short":       {reconstruct + "(K\x01K\x03\x85" + float32s + "\x89C\x08\x00\x00\x80\x3f\x00\x00\x00\x40tb.", "want 3 elements of 4 bytes"},
		"huge":        {reconstruct + "(K\x01J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87" + float32s + "\x89C\x00tb.", "want a size of an array"},
		"negative":    {reconstruct + "(K\x01J\xff\xff\xff\xff\x85" + float32s + "\x89C\x00tb.", "want a size of an array, found -1"},
		"of objects":  {reconstruct + "(K\x01K\x01\x85cnumpy\ndtype\nU\x02O8\x85R\x89C\x00tb.", `want an array of numbers, found dtype "O8"`},
		"no dtype":    {reconstruct + "(K\x01K\x01\x85K\x01\x89C\x00tb.", "want a numpy dtype, found a int"},
		"no data":     {reconstruct + "(K\x01K\x01\x85" + float32s + "\x89Ntb.", "want the data of an array as bytes"},
		"wide floats": {reconstruct + "(K\x01K\x01\x85cnumpy\ndtype\nU\x03f16\x85R\x89C\x00tb.", "up to 8 bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			v, err := pickle.Read([]byte(test.in), pickle.Options{Allow: pickle.Numpy})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := pickle.AsArray(v); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want an error with %q, found %v", test.want, err)
			}
		})
	}
}
