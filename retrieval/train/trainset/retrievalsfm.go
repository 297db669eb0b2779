package trainset

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"locbench/kapture"
	"locbench/retrieval/pickle"
)

// openRetrieval reads the pickle of cnnimageretrieval (Radenović et al., TPAMI
// 2019): a dict of train and val, each a dict of cids, the images' names;
// cluster, the 3D model that each is of; and qidxs and pidxs, the positive
// pairs. Other entries do not matter. Image abcdef is ef/cd/ab/abcdef in the
// folder of images, which is ims beside the pickle if none is said. The pickle
// is read as data: nothing in it is executed.
func openRetrieval(ctx context.Context, s Source) (*Set, error) {
	part, err := readPart(s.Path, s.Split)
	if err != nil {
		return nil, err
	}
	at := s.below(filepath.Join(filepath.Dir(s.Path), "ims"))
	g := newGathering(s, s.Path, func(cid string) string {
		n := len(cid)
		return at(filepath.Join(cid[n-2:], cid[n-4:n-2], cid[n-6:n-4], cid))
	})
	for i, cid := range part.cids {
		if len(cid) < 6 || filepath.Base(cid) != cid || !filepath.IsLocal(cid) {
			g.fail(0, "want in %s.cids names of at least six letters, found %q", s.Split, cid)
			continue
		}
		g.add(cid, part.cluster[i], 0)
	}
	if err := g.faults.err(); err != nil {
		return nil, err
	}
	list := make([][2]int32, 0, len(part.queries))
	for i, q := range part.queries {
		p := part.positives[i]
		switch {
		case part.cluster[q] != part.cluster[p]:
			g.fail(0, "want pairs of one cluster in %s, found pair %d of the clusters %s and %s", s.Split, i, part.cluster[q], part.cluster[p])
		case q != p:
			list = append(list, [2]int32{int32(q), int32(p)})
		}
	}
	g.positives = newPairs(len(g.names), list)
	return g.set(ctx)
}

// part is train or val of such a pickle.
type part struct {
	cids, cluster      []string
	queries, positives []int
}

// maxPickle bounds the file: that of retrieval-SfM-120k has 12 MB.
const maxPickle = 1 << 30

func readPart(path, split string) (*part, error) {
	if err := kapture.CheckFile(path); err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err != nil || info.Size() > maxPickle {
		return nil, errors.Join(err, &kapture.InputError{Path: path, Msg: "want a pickle of at most 1 GB"})
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	v, err := pickle.Read(data, pickle.Options{Allow: pickle.Numpy})
	if err != nil {
		bad := &kapture.InputError{Path: path, Msg: err.Error()}
		if p, ok := errors.AsType[*pickle.Error](err); ok {
			bad.Byte, bad.HasByte, bad.Msg = p.Byte, true, p.Msg
		}
		return nil, bad
	}
	p := &part{}
	if err := p.fill(v, split); err != nil {
		return nil, &kapture.InputError{Path: path, Msg: err.Error()}
	}
	return p, nil
}

// fill takes what the pickle holds.
func (p *part) fill(v any, split string) error {
	parts, ok := v.(*pickle.Dict)
	if !ok {
		return fmt.Errorf("want a dict of train and val, found %T", v)
	}
	value, _ := parts.Get(split)
	dict, ok := value.(*pickle.Dict)
	if !ok {
		return fmt.Errorf("want a dict of cids, cluster, qidxs and pidxs as %s, found %T", split, value)
	}
	var errs [4]error
	p.cids, errs[0] = entry(dict, "cids", text)
	p.cluster, errs[1] = entry(dict, "cluster", label)
	p.queries, errs[2] = entry(dict, "qidxs", whole)
	p.positives, errs[3] = entry(dict, "pidxs", whole)
	if err := errors.Join(errs[:]...); err != nil {
		return fmt.Errorf("%s: %w", split, err)
	}
	if len(p.cids) != len(p.cluster) || len(p.queries) != len(p.positives) {
		return fmt.Errorf("%s: want as many cids as clusters and as many qidxs as pidxs, found %d, %d, %d and %d",
			split, len(p.cids), len(p.cluster), len(p.queries), len(p.positives))
	}
	for _, list := range [][]int{p.queries, p.positives} {
		for i, image := range list {
			if image < 0 || image >= len(p.cids) {
				return fmt.Errorf("%s: want images from 0 to %d in qidxs and pidxs, found %d as pair %d", split, len(p.cids)-1, image, i)
			}
		}
	}
	return nil
}

// entry reads a list, a tuple or a NumPy array of a dict.
func entry[T any](dict *pickle.Dict, key string, convert func(any) (T, error)) ([]T, error) {
	value, _ := dict.Get(key)
	items, err := elements(value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	out := make([]T, len(items))
	for i, item := range items {
		if out[i], err = convert(item); err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", key, i, err)
		}
	}
	return out, nil
}

func elements(v any) ([]any, error) {
	switch l := v.(type) {
	case *pickle.List:
		return l.Items, nil
	case pickle.Tuple:
		return l, nil
	}
	array, err := pickle.AsArray(v)
	if err != nil {
		return nil, fmt.Errorf("want a list, found %T", v)
	}
	var items []any
	for _, f := range array.Float64s() {
		items = append(items, f)
	}
	return items, nil
}

func text(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("want a name, found %T", v)
	}
	return s, nil
}

// label takes the name or the number of a cluster.
func label(v any) (string, error) {
	if s, ok := v.(string); ok && s != "" {
		return s, nil
	}
	n, err := whole(v)
	return strconv.Itoa(n), err
}

// whole takes an integer; NumPy arrays and scalars give those as float64.
func whole(v any) (int, error) {
	const most = 1 << 31
	f, ok := v.(float64)
	if n, isInt := v.(int64); isInt {
		f, ok = float64(n), true
	}
	if o, isObject := v.(*pickle.Object); isObject { // a NumPy scalar
		if a, err := pickle.AsArray(o); err == nil && len(a.Float64s()) == 1 {
			f, ok = a.Float64s()[0], true
		}
	}
	if !ok || f != float64(int(f)) || f < -most || f >= most {
		return 0, fmt.Errorf("want a whole number, found %v", v)
	}
	return int(f), nil
}
