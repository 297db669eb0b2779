package landmarks

import (
	"errors"
	"fmt"
	"math"

	"locbench/kapture"
	"locbench/retrieval/pickle"
)

func readPickle(path string, data []byte) (*truth, error) {
	v, err := pickle.Read(data, pickle.Options{Allow: pickle.Numpy})
	if err != nil {
		bad := &kapture.InputError{Path: path, Msg: err.Error()}
		if p, ok := errors.AsType[*pickle.Error](err); ok {
			bad.Byte, bad.HasByte, bad.Msg = p.Byte, true, p.Msg
		}
		return nil, bad
	}
	t := &truth{}
	if err := t.fill(v); err != nil {
		return nil, &kapture.InputError{Path: path, Msg: err.Error()}
	}
	return t, nil
}

// fill takes what the pickle of a ground truth holds.
func (t *truth) fill(v any) (err error) {
	if t.Imlist, err = texts(v, "imlist"); err != nil {
		return err
	}
	if t.Qimlist, err = texts(v, "qimlist"); err != nil {
		return err
	}
	entries, err := list(v, "gnd")
	if err != nil {
		return err
	}
	for i, entry := range entries {
		var q truthQuery
		if err := q.fill(entry); err != nil {
			return fmt.Errorf("gnd[%d]: %w", i, err)
		}
		t.Gnd = append(t.Gnd, q)
	}
	return nil
}

func (g *truthQuery) fill(v any) error {
	dict, ok := v.(*pickle.Dict)
	if !ok {
		return fmt.Errorf("want a dict, found %T", v)
	}
	if box, ok := dict.Get("bbx"); ok && box != nil {
		values, err := numbers(box)
		if err != nil {
			return fmt.Errorf("bbx: %w", err)
		}
		g.Box = values
	}
	for _, grade := range []Grade{OK, Easy, Hard, Junk} {
		value, ok := dict.Get(string(grade))
		if !ok {
			continue
		}
		images, err := indices(value)
		if err != nil {
			return fmt.Errorf("%s: %w", grade, err)
		}
		*g.list(grade) = &images
	}
	return nil
}

// indices takes a list or a NumPy array of whole numbers.
func indices(v any) ([]int, error) {
	values, err := numbers(v)
	if err != nil {
		return nil, err
	}
	images := make([]int, len(values))
	for i, f := range values {
		if f != math.Trunc(f) || math.Abs(f) > math.MaxInt32 {
			return nil, fmt.Errorf("want image numbers, found %v", f)
		}
		images[i] = int(f)
	}
	return images, nil
}

// list returns the entries of a list in a dict.
func list(v any, key string) ([]any, error) {
	dict, ok := v.(*pickle.Dict)
	if !ok {
		return nil, fmt.Errorf("want a dict of imlist, qimlist and gnd, found %T", v)
	}
	value, _ := dict.Get(key)
	switch items := value.(type) {
	case *pickle.List:
		return items.Items, nil
	case pickle.Tuple:
		return items, nil
	}
	return nil, fmt.Errorf("%s: want a list, found %T", key, value)
}

func texts(v any, key string) ([]string, error) {
	items, err := list(v, key)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(items))
	for i, item := range items {
		text, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("%s[%d]: want a name, found %T", key, i, item)
		}
		out[i] = text
	}
	return out, nil
}

// numbers takes a list or a NumPy array of numbers.
func numbers(v any) ([]float64, error) {
	var items []any
	switch l := v.(type) {
	case *pickle.List:
		items = l.Items
	case pickle.Tuple:
		items = l
	default:
		array, err := pickle.AsArray(v)
		if err != nil {
			return nil, fmt.Errorf("want a list of numbers: %w", err)
		}
		return array.Float64s(), nil
	}
	out := make([]float64, len(items))
	for i, item := range items {
		switch n := item.(type) {
		case int64:
			out[i] = float64(n)
		case float64:
			out[i] = n
		default:
			return nil, fmt.Errorf("want numbers, found %T", item)
		}
	}
	return out, nil
}
