package extract

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"locbench/kapture"
	"locbench/retrieval"
	"locbench/retrieval/backend"
	"locbench/retrieval/nets"
	"locbench/retrieval/weights"
)

// Extractor computes descriptors of images. It is safe for concurrent use.
type Extractor struct {
	meta   Metadata
	net    *nets.Network
	whiten *retrieval.Whitener // nil: none
}

// Inspect checks that the checkpoint in a file can be used with the settings,
// and returns what will be written beside the features. It reads no weights,
// but for their hash. A choice that the checkpoint cannot meet is an
// [*OptionError], a broken checkpoint or one of another architecture a
// [*weights.FormatError] that names the tensors.
func Inspect(path string, s Settings) (*Metadata, error) {
	c, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	meta, _, err := inspect(c, path, s)
	return meta, err
}

func inspect(c *weights.Checkpoint, path string, s Settings) (*Metadata, *retrieval.Whitener, error) {
	if err := s.Check(); err != nil {
		return nil, nil, err
	}
	differences, err := c.Check()
	if err != nil {
		return nil, nil, err
	}
	if err := differences.Err(path); err != nil {
		return nil, nil, err
	}
	dim := trunkDim(c)
	if fc, ok := c.Tensor("fc.weight"); ok && !c.WithoutFC {
		dim = fc.Shape[0]
	}
	whiten, err := whitener(c, s, dim)
	if err != nil {
		return nil, nil, err
	}
	if whiten != nil {
		dim = whiten.Out()
	}
	sum, err := hashFile(path)
	return &Metadata{Format: metadataFormat, Model: Model{File: filepath.Base(path), SHA256: sum, Arch: c.Arch}, Dim: dim, Settings: s}, whiten, err
}

// trunkDim is the number of features of a checkpoint's last convolution.
func trunkDim(c *weights.Checkpoint) int {
	dim := 0
	for _, t := range c.Tensors {
		if strings.HasPrefix(t.Name, "layer4.") && len(t.Shape) == 4 {
			dim = max(dim, t.Shape[0])
		}
	}
	return dim
}

// whitener prepares the PCA set that the settings name.
func whitener(c *weights.Checkpoint, s Settings, dim int) (*retrieval.Whitener, error) {
	if s.Whiten == "" {
		if s.WhitenDim > 0 {
			return nil, optionf("want a PCA set to reduce to %d dimensions, found none", s.WhitenDim)
		}
		return nil, nil
	}
	p, ok := c.PCA[s.Whiten]
	if !ok {
		have := "none"
		if len(c.PCA) > 0 {
			have = strings.Join(slices.Sorted(maps.Keys(c.PCA)), ", ")
		}
		return nil, optionf("unknown PCA set %q: %s has %s", s.Whiten, c.Path, have)
	}
	if len(p.Mean) != dim {
		return nil, &kapture.InputError{Path: c.Path, Msg: fmt.Sprintf("want a PCA set %s of %d values, as the descriptors have, found %d", s.Whiten, dim, len(p.Mean))}
	}
	pca := &retrieval.PCA{Mean: p.Mean, Components: p.Components, Variance: p.Variance, Whiten: p.Whiten}
	w, err := pca.Whitener(retrieval.Whitening{Dim: s.WhitenDim, Power: s.WhitenPower, Mult: s.WhitenMult})
	if err != nil {
		return nil, optionf("PCA set %s of %s: %v", s.Whiten, c.Path, err)
	}
	return w, nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Open builds the network of the checkpoint in a file. Its errors are those of
// [Inspect].
func Open(path string, b *backend.Backend, s Settings) (*Extractor, error) {
	c, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	meta, whiten, err := inspect(c, path, s)
	if err != nil {
		return nil, err
	}
	var unread error // the network asks for tensors one by one
	tensors := func(name string) ([]int, []float32, bool) {
		t, ok := c.Tensor(name)
		if !ok {
			return nil, nil, false
		}
		data, err := t.Float32()
		if err != nil && unread == nil {
			unread = err
		}
		return t.Shape, data, err == nil
	}
	net, err := nets.New(b, nets.Config{
		Arch: c.Arch, Pooling: c.Pooling, GemP: c.GemP, OutDim: c.OutDim, WithoutFC: c.WithoutFC,
		NormFeatures: c.NormFeatures, CenterBias: c.CenterBias, Mean: c.Mean, Std: c.Std,
	}, tensors)
	if unread != nil {
		return nil, unread
	}
	if err != nil {
		return nil, &kapture.InputError{Path: path, Msg: err.Error()}
	}
	return &Extractor{meta: *meta, net: net, whiten: whiten}, nil
}

// Metadata says which model it is, and the settings.
func (e *Extractor) Metadata() *Metadata { return &e.meta }

// Dim is the number of values of a descriptor.
func (e *Extractor) Dim() int { return e.meta.Dim }
