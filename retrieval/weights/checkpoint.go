package weights

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// Format names the container of a checkpoint.
type Format string

// The containers that are read.
const (
	TorchZip    Format = "PyTorch zip"
	TorchLegacy Format = "PyTorch legacy"
	Safetensors Format = "safetensors"
)

// Checkpoint is a file with the weights of a network, and what it says about
// the network.
type Checkpoint struct {
	Path   string
	Format Format

	// Arch names the trunk as the file does (resnet101_rmac), or as its tensors
	// show (resnet101) where the file is a plain state dict; empty if unknown.
	Arch string
	// OutDim is the length of a descriptor; 0 if unknown.
	OutDim  int
	Pooling string // "gem", "max", "avg", "rmac"
	// GemP is GeM's exponent: the learned one of the tensor adpool.p, else that
	// of the options.
	GemP float64
	// WithoutFC says that no linear layer follows the pooling. A classifier of
	// ImageNet's 1000 classes, as in torchvision's files, counts as none.
	WithoutFC    bool
	NormFeatures bool
	CenterBias   float64
	// Mean and Std normalize pixels in [0, 1], by channel: ImageNet's where the
	// file names none.
	Mean, Std [3]float64
	InputSize int // pixels, of training; 0 if unknown

	Options map[string]any    // model_options as in the file: bool, int64, float64, string, nil
	Notes   map[string]string // other entries of the file that are numbers or text
	PCA     map[string]*PCA   // by the name of the set
	Tensors []*Tensor         // in the order of the file; names without the prefix "module."

	file io.Closer
}

// PCA is a projection learned from descriptors, scikit-learn's.
type PCA struct {
	Mean       []float64
	Components []float64 // len(Variance) rows of len(Mean)
	Variance   []float64 // explained by each component
	Whiten     bool      // divide by a power of the variance
	DType      DType     // float32 or float64: what the file holds
}

// Open reads what a checkpoint holds, but for the values of its tensors. Errors
// in the file are of type *[FormatError]. The checkpoint must be closed.
func Open(path string) (*Checkpoint, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	c, err := open(f, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	c.file = f
	return c, nil
}

func open(f *os.File, path string) (*Checkpoint, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, bad(path, "want a file, found a %s", kindOf(info.Mode()))
	}
	return read(f, info.Size(), path)
}

func kindOf(m os.FileMode) string {
	if m.IsDir() {
		return "folder"
	}
	return "device"
}

// read finds out what container a file is, and reads it.
func read(f io.ReaderAt, size int64, path string) (*Checkpoint, error) {
	var head [9]byte
	n, err := f.ReadAt(head[:], 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var c *Checkpoint
	switch start := head[:n]; {
	case n >= 4 && string(start[:4]) == "PK\x03\x04":
		c, err = readZip(f, size, path)
	case n >= 2 && start[0] == 0x80:
		c, err = readLegacy(f, size, path)
	case n == 9 && start[8] == '{' && binary.LittleEndian.Uint64(start) <= maxHeader:
		c, err = readSafetensors(f, size, path)
	default:
		return nil, badAt(path, 0, "want a checkpoint (PyTorch zip or legacy, safetensors), found %q", start)
	}
	if err != nil {
		return nil, err
	}
	return c, c.bound(size)
}

// bound refuses a file whose tensors would take many times what is in it: a
// few bytes can ask for the same element over and over.
func (c *Checkpoint) bound(size int64) error {
	const times = 16
	storages := map[blob]int64{}
	for _, t := range c.Tensors {
		storages[t.values.blob] = max(storages[t.values.blob], (t.values.shift+t.values.count)*int64(t.DType.Size()))
	}
	for _, n := range storages {
		size += n
	}
	total := int64(0)
	for _, t := range c.Tensors {
		if total += t.bytes(); total > times*size {
			return bad(c.Path, "want tensors of about the size of the storages, %d bytes, found views of them that take more than %d", size, times*size)
		}
	}
	return nil
}

// Close closes the file: its tensors cannot be read any more.
func (c *Checkpoint) Close() error {
	if c.file == nil {
		return nil
	}
	return c.file.Close()
}

// Tensor returns the tensor of a name, without the prefix "module.".
func (c *Checkpoint) Tensor(name string) (*Tensor, bool) {
	for _, t := range c.Tensors {
		if t.Name == name {
			return t, true
		}
	}
	return nil, false
}
