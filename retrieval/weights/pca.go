package weights

import (
	"fmt"

	"locbench/retrieval/pickle"
)

// pcaReader reads PCA sets; an array that several share is decoded once.
type pcaReader map[*pickle.Object]*decoded

type decoded struct {
	*pickle.Array
	values []float64
}

// fillPCA reads the sets {name: scikit-learn PCA}.
func (c *Checkpoint) fillPCA(sets *pickle.Dict) error {
	r := pcaReader{}
	for key, v := range sets.All() {
		name, ok := key.(string)
		if !ok {
			return fmt.Errorf("want names of sets, found a %s", typeName(key))
		}
		o, ok := v.(*pickle.Object)
		if !ok || o.Class.Name != "PCA" {
			return fmt.Errorf("want a scikit-learn PCA for set %q, found a %s", clip(name), typeName(v))
		}
		p, err := r.read(o)
		if err != nil {
			return fmt.Errorf("set %q: %w", clip(name), err)
		}
		c.setPCA(name, p)
	}
	return nil
}

func (c *Checkpoint) setPCA(name string, p *PCA) {
	if c.PCA == nil {
		c.PCA = map[string]*PCA{}
	}
	c.PCA[name] = p
}

// read takes the attributes of a fitted PCA that projecting needs.
func (r pcaReader) read(o *pickle.Object) (*PCA, error) {
	components, err := r.array(o, "components_")
	if err != nil {
		return nil, err
	}
	variance, err := r.array(o, "explained_variance_")
	if err != nil {
		return nil, err
	}
	p := &PCA{Components: components.values, Variance: variance.values, DType: Float64}
	if components.Type == "f4" {
		p.DType = Float32
	}
	if mean, _ := o.Attr("mean_"); mean != nil {
		a, err := r.array(o, "mean_")
		if err != nil {
			return nil, err
		}
		p.Mean = a.values
	} else if len(components.Shape) == 2 && len(components.values) > 0 { // not centred
		p.Mean = make([]float64, components.Shape[1])
	}
	whiten, _ := o.Attr("whiten")
	if a, err := pickle.AsArray(whiten); err == nil && a.Len() == 1 {
		whiten = a.Float64s()[0]
	}
	p.Whiten, _ = boolOf(whiten)
	return p, p.check(components.Shape)
}

func (r pcaReader) array(o *pickle.Object, name string) (*decoded, error) {
	v, _ := o.Attr(name)
	key, ok := v.(*pickle.Object)
	if !ok {
		return nil, fmt.Errorf("want an array %s of a fitted PCA, found none", name)
	}
	if d, seen := r[key]; seen {
		return d, nil
	}
	a, err := pickle.AsArray(v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if a.Type != "f4" && a.Type != "f8" {
		return nil, fmt.Errorf("want %s as float32 or float64, found %s", name, clip(a.Type))
	}
	r[key] = &decoded{a, a.Float64s()}
	return r[key], nil
}

// check compares the parts of a set, and the shape of its matrix.
func (p *PCA) check(shape []int) error {
	rows, cols := len(p.Variance), len(p.Mean)
	if len(shape) != 2 || rows == 0 || cols == 0 || shape[0] != rows || shape[1] != cols || len(p.Components) != rows*cols {
		return fmt.Errorf("want a matrix of %d components of %d values, as variance and mean have it, found shape %v", rows, cols, shape)
	}
	return nil
}
