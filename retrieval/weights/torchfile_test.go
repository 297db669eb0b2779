package weights_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"locbench/retrieval/weights"
)

// torchFile describes a PyTorch file to be written for a test: float32 tensors,
// each with its own storage, whose values are those of value.
type torchFile struct {
	specs   []weights.Spec
	options map[string]string // model_options; nil: a state dict alone
	method  uint16            // of the zip entries
	pca     int               // dimensions of a whitening PCA set "Landmarks_clean" beside the options; 0: none
}

// value is the i-th element of the k-th tensor.
func value(k, i int) float32 { return float32((k*31+i*7)%1000)/500 - 1 }

func count(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

func unicode(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func integer(n int) string {
	return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n)))
}

func ints(list []int) string {
	out := "("
	for _, n := range list {
		out += integer(n)
	}
	return out + "t"
}

// tensorPickle is the record of a contiguous tensor; extra comes last in the
// id of its storage.
func tensorPickle(key string, shape []int, extra string) string {
	stride := make([]int, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		stride[i] = step
		step *= shape[i]
	}
	return "ctorch._utils\n_rebuild_tensor_v2\n((" + unicode("storage") + "ctorch\nFloatStorage\n" + unicode(key) + unicode("cpu") +
		integer(count(shape)) + extra + "tQK\x00" + ints(shape) + ints(stride) + "\x89ccollections\nOrderedDict\n)RtR"
}

// object is the pickle of the file's object.
func (f torchFile) object(legacy bool) string {
	extra := ""
	if legacy {
		extra = "N"
	}
	state := "ccollections\nOrderedDict\n)R("
	for k, s := range f.specs {
		state += unicode("module."+s.Name) + tensorPickle(fmt.Sprint(k), s.Shape, extra)
	}
	state += "u"
	if f.options == nil {
		return "\x80\x02" + state + "."
	}
	options := "}("
	for key, v := range f.options {
		options += unicode(key) + v
	}
	if f.pca > 0 {
		state += unicode("pca") + "}(" + unicode("Landmarks_clean") + pcaPickle(f.pca) + "u"
	}
	return "\x80\x02}(" + unicode("model_options") + options + "u" + unicode("state_dict") + state + "u."
}

// pcaPickle is a scikit-learn PCA of n components of n values, float64, whose
// component i is the unit vector i times 1.7; protocol 2 has bytes as text.
func pcaPickle(n int) string {
	array := func(shape []int, at func(i int) float64) string {
		runes := make([]rune, 0, 8*count(shape))
		for i := range count(shape) {
			for _, b := range binary.LittleEndian.AppendUint64(nil, math.Float64bits(at(i))) {
				runes = append(runes, rune(b))
			}
		}
		return "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85U\x01btR(K\x01" + ints(shape) +
			"cnumpy\ndtype\nU\x02f8\x89\x88\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89c_codecs\nencode\n" +
			unicode(string(runes)) + "U\x06latin1\x86Rtb"
	}
	components := array([]int{n, n}, func(i int) float64 {
		if i%(n+1) == 0 {
			return 1.7
		}
		return 0
	})
	attribute := func(i int) float64 { return float64(i) + 0.5 }
	return "csklearn.decomposition.pca\nPCA\n)\x81}(" + unicode("components_") + components + unicode("mean_") + array([]int{n}, attribute) +
		unicode("explained_variance_") + array([]int{n}, attribute) + unicode("whiten") + "\x88ub"
}

// data writes the values of the k-th tensor.
func (f torchFile) data(w io.Writer, k int) error {
	n := count(f.specs[k].Shape)
	buf := make([]byte, 0, 1<<16)
	for i := range n {
		buf, _ = binary.Append(buf, binary.LittleEndian, value(k, i))
		if len(buf) == cap(buf) || i == n-1 {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	return nil
}

func (f torchFile) writeZip(tb testing.TB, path string) {
	tb.Helper()
	file, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	z := zip.NewWriter(file)
	entry := func(name string, write func(io.Writer) error) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: f.method})
		if err == nil {
			err = write(w)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	text := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	entry("data.pkl", text(f.object(false)))
	entry("byteorder", text("little"))
	for k := range f.specs {
		entry(fmt.Sprintf("data/%d", k), func(w io.Writer) error { return f.data(w, k) })
	}
	entry("version", text("3\n"))
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
}

const legacyHead = "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + "\x80\x02M\xe9\x03."

func (f torchFile) writeLegacy(tb testing.TB, path string) {
	tb.Helper()
	var head bytes.Buffer
	head.WriteString(legacyHead + "\x80\x02}" + unicode("little_endian") + "\x88s." + f.object(true) + "\x80\x02](")
	for k := range f.specs {
		head.WriteString(unicode(fmt.Sprint(k)))
	}
	head.WriteString("e.")
	file, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(head.Bytes()); err != nil {
		tb.Fatal(err)
	}
	for k, s := range f.specs {
		if _, err := file.Write(binary.LittleEndian.AppendUint64(nil, uint64(count(s.Shape)))); err != nil {
			tb.Fatal(err)
		}
		if err := f.data(file, k); err != nil {
			tb.Fatal(err)
		}
	}
}

// checkValues reads every tensor of a file and compares it.
func (f torchFile) checkValues(tb testing.TB, c *weights.Checkpoint) {
	tb.Helper()
	for k, s := range f.specs {
		t, ok := c.Tensor(s.Name)
		if !ok {
			tb.Fatalf("want a tensor %s", s.Name)
		}
		got, err := t.Float32()
		if err != nil {
			tb.Fatal(err)
		}
		if len(got) != count(s.Shape) {
			tb.Fatalf("%s: want %d values, found %d", s.Name, count(s.Shape), len(got))
		}
		for i, v := range got {
			if v != value(k, i) {
				tb.Fatalf("%s[%d]: want %v, found %v", s.Name, i, value(k, i), v)
			}
		}
	}
}

func smallFile() torchFile {
	return torchFile{specs: []weights.Spec{{Name: "conv1.weight", Shape: []int{4, 3, 2, 2}}, {Name: "fc.weight", Shape: []int{7, 300}}, {Name: "fc.bias", Shape: []int{7}}, {Name: "one", Shape: []int{}}}}
}

// TestContainers reads what the writers above make: stored, deflated, legacy.
func TestContainers(t *testing.T) {
	f := smallFile()
	dir := t.TempDir()
	f.writeZip(t, filepath.Join(dir, "stored.pt"))
	f.writeLegacy(t, filepath.Join(dir, "legacy.pt"))
	f.method = zip.Deflate
	f.writeZip(t, filepath.Join(dir, "deflated.pt"))
	for _, name := range []string{"stored.pt", "legacy.pt", "deflated.pt"} {
		t.Run(name, func(t *testing.T) {
			f.checkValues(t, open(t, filepath.Join(dir, name)))
		})
	}
}
