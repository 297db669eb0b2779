package weights

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"locbench/retrieval/pickle"
)

// fill takes a checkpoint from what a PyTorch file holds: the dict of the Deep
// Image Retrieval code, or a state dict alone.
func (c *Checkpoint) fill(v any) error {
	root, ok := v.(*pickle.Dict)
	if !ok {
		return bad(c.Path, "want a dict with a state_dict, or a state dict, found a %s", typeName(v))
	}
	state := root
	if inner, ok := root.Get("state_dict"); ok {
		if state, ok = inner.(*pickle.Dict); !ok {
			return bad(c.Path, "want a dict as state_dict, found a %s", typeName(inner))
		}
		if err := c.fillEntries(root); err != nil {
			return err
		}
	}
	for name, value := range state.All() {
		if err := c.addTensor(name, value); err != nil {
			return err
		}
	}
	return c.complete()
}

func (c *Checkpoint) addTensor(name, value any) error {
	text, ok := name.(string)
	if !ok {
		return bad(c.Path, "want names of tensors in the state dict, found a %s", typeName(name))
	}
	t, ok, err := tensorOf(value)
	if err != nil {
		return bad(c.Path, "tensor %s: %v", clip(text), err)
	}
	if !ok {
		return bad(c.Path, "want a tensor for %q in the state dict, found a %s", clip(text), typeName(value))
	}
	t.Name = strings.TrimPrefix(text, "module.")
	c.Tensors = append(c.Tensors, t)
	return nil
}

// fillEntries reads what surrounds the state dict.
func (c *Checkpoint) fillEntries(root *pickle.Dict) error {
	for key, v := range root.All() {
		name, _ := key.(string)
		d, isDict := v.(*pickle.Dict)
		var err error
		switch {
		case name == "model_options" && isDict:
			c.Options, err = options(d)
		case name == "preprocess" && isDict:
			err = c.fillPreprocess(d)
		case name == "pca" && isDict:
			err = c.fillPCA(d)
		default:
			if text, ok := note(v); ok && name != "" {
				c.note(name, text)
			}
		}
		if err != nil {
			return bad(c.Path, "%s: %v", name, err)
		}
	}
	return c.fillOptions()
}

func (c *Checkpoint) note(name, text string) {
	if c.Notes == nil {
		c.Notes = map[string]string{}
	}
	c.Notes[name] = text
}

// note prints an entry that is a number or text.
func note(v any) (string, bool) {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case string:
		return v, true
	}
	return "", false
}

// options keeps the model options that are numbers, text, bools or None.
func options(d *pickle.Dict) (map[string]any, error) {
	out := make(map[string]any, d.Len())
	for key, v := range d.All() {
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("want names of options, found a %s", typeName(key))
		}
		switch v := v.(type) {
		case nil, bool, int64, float64, string:
			out[name] = v
		}
	}
	return out, nil
}

// fillOptions sets what the model options say about the network.
func (c *Checkpoint) fillOptions() error {
	for _, name := range slices.Sorted(maps.Keys(c.Options)) {
		v, ok := c.Options[name], true
		switch name {
		case "arch":
			c.Arch, ok = v.(string)
		case "pooling":
			c.Pooling, ok = v.(string)
		case "out_dim":
			var n float64
			n, ok = numberOf(v)
			c.OutDim = int(n)
			ok = ok && n > 0 && float64(c.OutDim) == n
		case "gemp":
			c.GemP, ok = numberOf(v)
		case "center_bias":
			c.CenterBias, ok = numberOf(v)
		case "without_fc":
			c.WithoutFC, ok = boolOf(v)
		case "norm_features":
			c.NormFeatures, ok = boolOf(v)
		}
		if !ok && v != nil {
			return bad(c.Path, "want another value of the model option %s, found %v", clip(name), v)
		}
	}
	return nil
}

func numberOf(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func boolOf(v any) (bool, bool) {
	if b, ok := v.(bool); ok {
		return b, true
	}
	n, ok := numberOf(v)
	return n != 0, ok
}

// fillPreprocess reads {mean, std, input_size}.
func (c *Checkpoint) fillPreprocess(d *pickle.Dict) error {
	for name, into := range map[string]*[3]float64{"mean": &c.Mean, "std": &c.Std} {
		v, ok := d.Get(name)
		if !ok || v == nil {
			continue
		}
		list, ok := floatsOf(v)
		if !ok || len(list) != len(into) {
			return fmt.Errorf("want three numbers as %s", name)
		}
		copy(into[:], list)
	}
	if v, ok := d.Get("input_size"); ok {
		n, _ := numberOf(v)
		c.InputSize = int(n)
	}
	return nil
}

// floatsOf reads a list, tuple or numpy array of numbers.
func floatsOf(v any) ([]float64, bool) {
	if items, ok := itemsOf(v); ok {
		out := make([]float64, len(items))
		for i, e := range items {
			if out[i], ok = numberOf(e); !ok {
				return nil, false
			}
		}
		return out, true
	}
	a, err := pickle.AsArray(v)
	if err != nil {
		return nil, false
	}
	return a.Float64s(), true
}

// complete works out what the file leaves open, from the tensors, and checks
// that names are unique.
func (c *Checkpoint) complete() error {
	byName := slices.SortedFunc(slices.Values(c.Tensors), func(a, b *Tensor) int { return cmp.Compare(a.Name, b.Name) })
	for i, t := range byName {
		if i > 0 && t.Name == byName[i-1].Name {
			return bad(c.Path, "want every tensor once, found two named %s", clip(t.Name))
		}
	}
	if len(byName) == 0 {
		return bad(c.Path, "want a state dict with tensors, found none")
	}
	plain := c.Arch == ""
	if plain {
		c.Arch = guessArch(c)
	}
	if c.Std == ([3]float64{}) {
		c.Mean, c.Std = [3]float64{0.485, 0.456, 0.406}, [3]float64{0.229, 0.224, 0.225} // ImageNet's
	}
	c.Pooling = cmp.Or(c.Pooling, "gem")
	c.GemP = cmp.Or(c.GemP, 3)
	if err := c.learnedP(); err != nil {
		return err
	}
	c.completeFC(plain)
	return nil
}

// learnedP takes GeM's exponent from the tensors.
func (c *Checkpoint) learnedP() error {
	t, ok := c.Tensor("adpool.p")
	if !ok || t.Len() != 1 {
		return nil
	}
	p, err := t.Float64()
	if err != nil {
		return err
	}
	c.GemP = p[0]
	return nil
}

// imageNetClasses is the length of torchvision's classifiers.
const imageNetClasses = 1000

func (c *Checkpoint) completeFC(plain bool) {
	fc, ok := c.Tensor("fc.weight")
	_, retrieval := c.Tensor("adpool.p")
	isMatrix := ok && len(fc.Shape) == 2
	if plain && (!ok || isMatrix && fc.Shape[0] == imageNetClasses && !retrieval) {
		c.WithoutFC = true
	}
	if c.OutDim == 0 && !c.WithoutFC && isMatrix {
		c.OutDim = fc.Shape[0]
	}
	if c.OutDim == 0 || c.WithoutFC {
		if r, err := findResnet(c.Arch); err == nil {
			c.OutDim = r.channels()
		}
	}
}

// typeName names a value from a pickle for messages.
func typeName(v any) string {
	switch v := v.(type) {
	case *pickle.Dict:
		return "dict"
	case *pickle.List:
		return "list"
	case *pickle.Object:
		return clip(v.Class.String())
	case nil:
		return "None"
	case string:
		return "text"
	case bool, int64, float64:
		return "number"
	case *storage:
		return "storage"
	}
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", v), "pickle."))
}
