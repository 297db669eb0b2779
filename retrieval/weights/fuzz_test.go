package weights_test

import (
	"archive/zip"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"locbench/retrieval/weights"
)

// The memory that an input may take: a fixed part for buffers, and what a byte
// can stand for, deflated (1032 bytes of values) or as an operation of a pickle.
const (
	fixedBytes   = 8 << 20
	bytesPerByte = 40_000
)

// FuzzRead checks that no input makes the reader panic, give an error of
// another type, or take memory out of proportion; the three containers tell
// each other apart by their first bytes.
func FuzzRead(f *testing.F) {
	small := torchFile{specs: []weights.Spec{{Name: "a", Shape: []int{2, 3}}, {Name: "fc.bias", Shape: []int{}}},
		options: map[string]string{"arch": unicode("resnet18_rmac")}, pca: 2}
	path := filepath.Join(f.TempDir(), "seed")
	add := func(write func()) {
		write()
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	add(func() { small.writeZip(f, path) })
	add(func() { small.writeLegacy(f, path) })
	small.method = zip.Deflate
	add(func() { small.writeZip(f, path) })
	_, native := writeTiny(f)
	f.Add(native)
	f.Add([]byte(safetensors(`{"a":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}`, 8)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := readEverything(data)
		runtime.ReadMemStats(&after)
		if limit := uint64(fixedBytes + bytesPerByte*len(data)); after.TotalAlloc-before.TotalAlloc > limit {
			t.Errorf("%d bytes of input took %d bytes of memory", len(data), after.TotalAlloc-before.TotalAlloc)
		}
		if e := (*weights.FormatError)(nil); err != nil && !errors.As(err, &e) {
			t.Errorf("want a format error, found %v", err)
		}
	})
}

func readEverything(data []byte) error {
	c, err := weights.ReadBytes(data)
	if err != nil {
		return err
	}
	for _, t := range c.Tensors {
		if _, err := t.Float32(); err != nil {
			return err
		}
	}
	if _, err := c.Check(); err != nil {
		return err
	}
	return nil
}
