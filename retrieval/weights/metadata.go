package weights

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// pcaInfo is what the metadata say about a PCA set beside its tensors.
type pcaInfo struct {
	Whiten bool `json:"whiten"`
}

// metadata returns what rebuilds the network, as texts.
func (c *Checkpoint) metadata() (map[string]string, error) {
	m := map[string]string{
		versionKey:      version,
		"arch":          c.Arch,
		"out_dim":       strconv.Itoa(c.OutDim),
		"pooling":       c.Pooling,
		"gemp":          number(c.GemP),
		"without_fc":    strconv.FormatBool(c.WithoutFC),
		"norm_features": strconv.FormatBool(c.NormFeatures),
		"center_bias":   number(c.CenterBias),
		"mean":          numbers(c.Mean),
		"std":           numbers(c.Std),
		"input_size":    strconv.Itoa(c.InputSize),
	}
	for k, v := range c.Notes {
		m[notePrefix+k] = v
	}
	options := map[string]any{}
	for k, v := range c.Options {
		if f, ok := v.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			v = number(f) // JSON has none
		}
		options[k] = v
	}
	sets := map[string]pcaInfo{}
	for k, p := range c.PCA {
		sets[k] = pcaInfo{p.Whiten}
	}
	for key, v := range map[string]any{"options": options, "pca": sets} {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		m[key] = string(text)
	}
	return m, nil
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

func numbers(v [3]float64) string { return number(v[0]) + " " + number(v[1]) + " " + number(v[2]) }

// fillMetadata sets what metadata say.
func (c *Checkpoint) fillMetadata(m map[string]string, sets map[string]*pcaTensors) error {
	c.Arch, c.Pooling = m["arch"], m["pooling"]
	r := metadataReader{m: m}
	c.OutDim, c.InputSize = r.int("out_dim"), r.int("input_size")
	c.GemP, c.CenterBias = r.float(m["gemp"], "gemp"), r.float(m["center_bias"], "center_bias")
	c.WithoutFC, c.NormFeatures = r.bool("without_fc"), r.bool("norm_features")
	c.Mean, c.Std = r.three("mean"), r.three("std")
	c.Options = r.options()
	infos := map[string]pcaInfo{}
	r.json("pca", &infos)
	if r.err != nil {
		return badAt(c.Path, lengthBytes, "%v", r.err)
	}
	for k, v := range m {
		if name, ok := strings.CutPrefix(k, notePrefix); ok {
			c.note(name, v)
		}
	}
	return c.setPCASets(infos, sets)
}

// metadataReader reads texts and keeps the first error.
type metadataReader struct {
	m   map[string]string
	err error
}

func (r *metadataReader) fail(key, want string) {
	if r.err == nil {
		r.err = fmt.Errorf("want %s as %s in the metadata, found %q", want, key, clip(r.m[key]))
	}
}

func (r *metadataReader) int(key string) int {
	n, err := strconv.Atoi(r.m[key])
	if err != nil || n < 0 {
		r.fail(key, "a number")
	}
	return n
}

func (r *metadataReader) float(text, key string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		r.fail(key, "a number")
	}
	return v
}

func (r *metadataReader) bool(key string) bool {
	v, err := strconv.ParseBool(r.m[key])
	if err != nil {
		r.fail(key, "true or false")
	}
	return v
}

func (r *metadataReader) three(key string) (v [3]float64) {
	parts := strings.Fields(r.m[key])
	if len(parts) != len(v) {
		r.fail(key, "three numbers")
		return v
	}
	for i, p := range parts {
		v[i] = r.float(p, key)
	}
	return v
}

func (r *metadataReader) json(key string, into any) {
	d := json.NewDecoder(strings.NewReader(r.m[key]))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		r.fail(key, "a JSON object")
	}
}

// options reads model options with their numbers as integers where they are.
func (r *metadataReader) options() map[string]any {
	var out map[string]any
	r.json("options", &out)
	for k, v := range out {
		n, isNumber := v.(json.Number)
		if !isNumber {
			continue
		}
		if i, err := n.Int64(); err == nil {
			out[k] = i
		} else if f, err := n.Float64(); err == nil {
			out[k] = f
		}
	}
	return out
}

// pcaTensors are the tensors of a PCA set by their part.
type pcaTensors struct{ mean, components, variance *Tensor }

// addPCATensor sorts in a tensor pca.<set>.<part>; others are left out.
func addPCATensor(sets map[string]*pcaTensors, t *Tensor) {
	name := strings.TrimPrefix(t.Name, pcaPrefix)
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return
	}
	set, part := name[:dot], name[dot+1:]
	if sets[set] == nil {
		sets[set] = &pcaTensors{}
	}
	switch part {
	case "mean":
		sets[set].mean = t
	case "components":
		sets[set].components = t
	case "variance":
		sets[set].variance = t
	}
}

// pcaTensorsOf returns the tensors of a PCA set, for writing.
func pcaTensorsOf(name string, p *PCA) []*Tensor {
	tensor := func(part string, shape []int, values []float64) *Tensor {
		s := &storage{path: "memory", dtype: p.DType, count: int64(len(values)), blob: &doubles{values, p.DType}}
		return &Tensor{Name: pcaPrefix + name + "." + part, Shape: shape, DType: p.DType, values: s, stride: rowMajor(shape)}
	}
	dim, n := len(p.Mean), len(p.Variance)
	return []*Tensor{tensor("components", []int{n, dim}, p.Components), tensor("mean", []int{dim}, p.Mean), tensor("variance", []int{n}, p.Variance)}
}

// setPCASets reads the sets that the metadata name.
func (c *Checkpoint) setPCASets(infos map[string]pcaInfo, sets map[string]*pcaTensors) error {
	for _, name := range slices.Sorted(maps.Keys(infos)) {
		s := sets[name]
		if s == nil || s.mean == nil || s.components == nil || s.variance == nil {
			return bad(c.Path, "want tensors mean, components and variance of PCA set %q, found none or some", clip(name))
		}
		p, err := s.read()
		if err != nil {
			return bad(c.Path, "PCA set %q: %v", clip(name), err)
		}
		p.Whiten = infos[name].Whiten
		c.setPCA(name, p)
	}
	return nil
}

func (s *pcaTensors) read() (*PCA, error) {
	p := &PCA{DType: s.components.DType}
	if p.DType != Float32 && p.DType != Float64 {
		return nil, fmt.Errorf("want components of float32 or float64, found %s", p.DType)
	}
	for into, t := range map[*[]float64]*Tensor{&p.Mean: s.mean, &p.Components: s.components, &p.Variance: s.variance} {
		values, err := t.Float64()
		if err != nil {
			return nil, err
		}
		*into = values
	}
	return p, p.check(s.components.Shape)
}
