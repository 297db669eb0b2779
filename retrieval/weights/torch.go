package weights

import (
	"errors"
	"fmt"
	"math"

	"locbench/retrieval/pickle"
)

// torchReader makes storages of the persistent ids in a PyTorch pickle.
type torchReader struct {
	path string
	// blob finds a storage and its length in bytes; nil in legacy files, where
	// they come last.
	blob  func(key string) (blob, int64, error)
	blobs map[string]placed
	roots map[string]*storage // legacy: by key, until they are placed
}

// placed is a storage in a zip file, and its length in bytes.
type placed struct {
	blob
	length int64
}

func (r *torchReader) options() pickle.Options {
	r.blobs, r.roots = map[string]placed{}, map[string]*storage{}
	return pickle.Options{Allow: allowed, Persistent: r.storage}
}

// allowed is what checkpoints hold besides plain data. Each is read as a
// record of its arguments; none is called.
func allowed(module, name string) bool {
	switch module {
	case "torch", "torch.cuda", "torch.storage":
		if name == "Size" || name == "device" || name == "UntypedStorage" || name == "TypedStorage" {
			return true
		}
		_, ok := typeBy(func(t typeNames) bool { return t.storage == name || string(t.dtype) == name })
		return ok
	case "torch._utils":
		return name == "_rebuild_tensor" || name == "_rebuild_tensor_v2" || name == "_rebuild_tensor_v3" ||
			name == "_rebuild_parameter" || name == "_rebuild_parameter_with_state"
	case "sklearn.decomposition._pca", "sklearn.decomposition.pca":
		return name == "PCA"
	case "argparse":
		return name == "Namespace"
	case "utils.watcher", "dirtorch.utils.watcher": // the Deep Image Retrieval code's running means
		return name == "AverageMeter" || name == "Watch"
	}
	return pickle.Numpy(module, name)
}

// storage reads the id ("storage", class, key, device, elements), in legacy
// files with a sixth part, None or (key, offset, elements) of a view of it. The
// device does not matter: values are read into memory.
func (r *torchReader) storage(id any) (any, error) {
	parts, ok := id.(pickle.Tuple)
	if !ok || len(parts) < 5 || parts[0] != "storage" {
		return nil, errors.New("want the id of a storage, found another one")
	}
	class, _ := parts[1].(pickle.Global)
	key, isKey := parts[2].(string)
	count, isCount := parts[4].(int64)
	if !isKey || !isCount || count < 0 || count > math.MaxInt64/8 {
		return nil, errors.New("want the key of a storage and its number of elements")
	}
	s := &storage{path: r.path, dtype: Uint8, count: count}
	if t, ok := typeBy(func(t typeNames) bool { return t.storage == class.Name }); ok {
		s.dtype = t.dtype
	} else if class.Name != "UntypedStorage" {
		return nil, fmt.Errorf("want a class of storages, found %q", clip(class.String()))
	}
	if r.blob == nil {
		return r.legacyStorage(s, key, parts)
	}
	p, seen := r.blobs[key]
	if !seen {
		b, length, err := r.blob(key)
		if err != nil {
			return nil, err
		}
		p = placed{b, length}
		r.blobs[key] = p
	}
	if have := p.length / int64(s.dtype.Size()); count > have {
		return nil, fmt.Errorf("want %d elements in storage %q, found %d", count, clip(key), have)
	}
	s.blob = p.blob
	return s, nil
}

// legacyStorage notes a storage, to be found when the object is read.
func (r *torchReader) legacyStorage(s *storage, key string, parts pickle.Tuple) (any, error) {
	root, seen := r.roots[key]
	if !seen {
		root = &storage{path: r.path, dtype: s.dtype, count: s.count, blob: &fileBlob{}}
		r.roots[key] = root
	}
	if root.dtype != s.dtype || root.count != s.count {
		return nil, fmt.Errorf("want storage %q with %d elements of %s again, found %d of %s", clip(key), root.count, root.dtype, s.count, s.dtype)
	}
	s.blob = root.blob
	if len(parts) < 6 || parts[5] == nil {
		return s, nil
	}
	view, _ := parts[5].(pickle.Tuple)
	if len(view) != 3 {
		return nil, errors.New("want the view of a storage as key, offset and elements")
	}
	shift, isShift := view[1].(int64)
	count, isCount := view[2].(int64)
	if !isShift || !isCount || shift < 0 || count < 0 || shift > root.count || count > root.count-shift {
		return nil, fmt.Errorf("want a view inside storage %q", clip(key))
	}
	s.shift, s.count = shift, count
	return s, nil
}

// tensorOf reads the record of a tensor: _rebuild_tensor_v2(storage, offset,
// size, stride, …), or a parameter that holds one; ok is false for anything else.
func tensorOf(v any) (t *Tensor, ok bool, err error) {
	o, isObject := v.(*pickle.Object)
	if isObject && o.Class.Module == "torch._utils" && len(o.Args) > 0 &&
		(o.Class.Name == "_rebuild_parameter" || o.Class.Name == "_rebuild_parameter_with_state") {
		o, isObject = o.Args[0].(*pickle.Object)
	}
	if !isObject || o.Class.Module != "torch._utils" || len(o.Args) < 4 {
		return nil, false, nil
	}
	s, isStorage := o.Args[0].(*storage)
	offset, isOffset := o.Args[1].(int64)
	size, isSize := int64s(o.Args[2])
	stride, isStride := int64s(o.Args[3])
	if !isStorage || !isOffset || !isSize || !isStride {
		return nil, true, errors.New("want a tensor's storage, offset, sizes and strides")
	}
	if o.Class.Name == "_rebuild_tensor_v3" {
		if s, err = retyped(s, o.Args); err != nil {
			return nil, true, err
		}
	}
	shape := make([]int, len(size))
	for i, n := range size {
		shape[i] = int(n)
	}
	t, err = newTensor(s, offset, shape, stride)
	return t, true, err
}

// retyped reads a storage of bytes as one of the type that the seventh
// argument of _rebuild_tensor_v3 names.
func retyped(s *storage, args pickle.Tuple) (*storage, error) {
	var name pickle.Global
	if len(args) > 6 {
		name, _ = args[6].(pickle.Global)
	}
	t, ok := typeBy(func(t typeNames) bool { return string(t.dtype) == name.Name })
	if !ok || s.dtype != Uint8 {
		return nil, fmt.Errorf("want the type of a tensor, found %q", clip(name.String()))
	}
	typed := *s
	typed.dtype, typed.count = t.dtype, s.count/int64(t.dtype.Size())
	return &typed, nil
}

// int64s reads a tuple of integers, or a torch.Size of one.
func int64s(v any) ([]int64, bool) {
	if o, ok := v.(*pickle.Object); ok && o.Class.Name == "Size" && len(o.Args) == 1 {
		v = o.Args[0]
	}
	items, ok := itemsOf(v)
	if !ok || len(items) > maxDims {
		return nil, false
	}
	out := make([]int64, len(items))
	for i, e := range items {
		if out[i], ok = e.(int64); !ok {
			return nil, false
		}
	}
	return out, true
}

func itemsOf(v any) ([]any, bool) {
	switch v := v.(type) {
	case pickle.Tuple:
		return v, true
	case *pickle.List:
		return v.Items, true
	}
	return nil, false
}
