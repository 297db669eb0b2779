package train

import (
	"context"
	"fmt"
	"strings"

	"locbench/kapture"
	"locbench/retrieval/imgio"
	"locbench/retrieval/nets"
	"locbench/retrieval/weights"
)

// start is the network that a training starts from.
type start struct {
	network nets.Config
	tensors nets.Tensors
}

// startFrom opens what the settings say the training starts from. sample gives
// images to measure where something is drawn at random. The settings get what
// the checkpoint decides.
func (m *Model) startFrom(ctx context.Context, seed uint64, sample func() ([]*imgio.Image, error)) (*start, error) {
	if m.From == "" {
		return m.fromScratch(ctx, seed, sample)
	}
	c, err := weights.Open(m.From)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return m.fromCheckpoint(ctx, c, seed, sample)
}

func (m *Model) fromScratch(ctx context.Context, seed uint64, sample func() ([]*imgio.Image, error)) (*start, error) {
	if m.Pooling == "" {
		m.Pooling = "gem"
	}
	if m.GemP == 0 {
		m.GemP = 3
	}
	s := &start{network: m.config(nets.ImageNetMean(), nets.ImageNetStd())}
	images, err := sample()
	if err != nil {
		return nil, err
	}
	drawn, err := nets.Scratch(ctx, s.network, seed, images)
	if err != nil {
		return nil, err
	}
	s.tensors = lookup(drawn)
	return s, nil
}

func (m *Model) fromCheckpoint(ctx context.Context, c *weights.Checkpoint, seed uint64, sample func() ([]*imgio.Image, error)) (*start, error) {
	differences, err := c.Check()
	if err != nil {
		return nil, err
	}
	if err := differences.Err(m.From); err != nil {
		return nil, err
	}
	if m.Arch != "" && trunk(m.Arch) != trunk(c.Arch) {
		return nil, &kapture.InputError{Path: m.From, Msg: fmt.Sprintf("want the weights of %s, as model.arch says, found %s", m.Arch, c.Arch)}
	}
	m.Arch = c.Arch
	if m.Pooling == "" {
		if m.Pooling = c.Pooling; m.Pooling != "max" {
			m.Pooling = "gem"
		}
	}
	if m.GemP == 0 {
		if m.GemP = c.GemP; m.GemP == 0 {
			m.GemP = 3
		}
	}
	list, err := readTensors(c)
	if err != nil {
		return nil, err
	}
	all := lookup(list)
	have := 0
	if fc, ok := c.Tensor("fc.weight"); ok && !c.WithoutFC {
		have = fc.Shape[0]
		m.NormFeatures = m.NormFeatures || c.NormFeatures
	}
	if m.OutDim == 0 {
		m.OutDim = have
	}
	s := &start{network: m.config(c.Mean, c.Std), tensors: all}
	if !m.WithoutFC && (have == 0 || m.OutDim != have) {
		images, err := sample()
		if err != nil {
			return nil, err
		}
		drawn, err := nets.WithLinear(ctx, s.network, all, seed, images)
		if err != nil {
			return nil, err
		}
		s.tensors = lookup(drawn)
	}
	return s, nil
}

func (m *Model) config(mean, std [3]float64) nets.Config {
	return nets.Config{Arch: m.Arch, Pooling: m.Pooling, GemP: m.GemP, OutDim: m.OutDim, WithoutFC: m.WithoutFC,
		NormFeatures: m.NormFeatures, Mean: mean, Std: std}
}

// trunk is an architecture's name without what the retrieval checkpoints add.
func trunk(arch string) string {
	arch, _, _ = strings.Cut(strings.ToLower(arch), "_rmac")
	return arch
}

// lookup gives tensors by their names.
func lookup(list []nets.Tensor) nets.Tensors {
	byName := make(map[string]nets.Tensor, len(list))
	for _, t := range list {
		byName[t.Name] = t
	}
	return func(name string) ([]int, []float32, bool) {
		t, ok := byName[name]
		return t.Shape, t.Data, ok
	}
}
