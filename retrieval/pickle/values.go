package pickle

import (
	"fmt"
	"iter"
	"math"
	"math/big"
	"strings"
)

// Global is the name of a Python class or function. It is never looked up.
type Global struct{ Module, Name string }

// String returns the dotted name, as "posix.system".
func (g Global) String() string { return g.Module + "." + g.Name }

// Bytes is a Python bytes or bytearray.
type Bytes string

// Tuple is a Python tuple.
type Tuple []any

// List is a Python list.
type List struct{ Items []any }

// Object is what a pickle says about an object: the call that makes it, and
// what is then put into it. Nothing was called.
type Object struct {
	Class Global // the class, or the function that would be called
	Args  Tuple
	Named *Dict // keyword arguments, nil if none
	State any   // what the object would be given by __setstate__, nil if nothing
	Items []any // what would be appended to it
	Dict  *Dict // what would be set by key, nil if nothing
}

// Attr returns an attribute of an object whose state is a dict, as that of most
// Python objects is, or (dict, slots).
func (o *Object) Attr(name string) (any, bool) {
	state := o.State
	if pair, ok := state.(Tuple); ok && len(pair) == 2 {
		state = pair[0]
	}
	d, ok := state.(*Dict)
	if !ok {
		return nil, false
	}
	return d.Get(name)
}

// Dict is a Python dict or OrderedDict in the order of insertion.
type Dict struct {
	keys, values []any
	index        map[any]int
	State        any // attributes of an OrderedDict, as torch's _metadata
}

// Len returns the number of entries; a nil Dict has none.
func (d *Dict) Len() int {
	if d == nil {
		return 0
	}
	return len(d.keys)
}

// Get returns the value of a key: a string, a number, or any other value of
// this package that may be a key.
func (d *Dict) Get(key any) (any, bool) {
	k, err := hashable(key)
	if d == nil || err != nil {
		return nil, false
	}
	i, ok := d.index[k]
	if !ok {
		return nil, false
	}
	return d.values[i], true
}

// All yields the entries in the order of insertion.
func (d *Dict) All() iter.Seq2[any, any] {
	return func(yield func(k, v any) bool) {
		for i := range d.Len() {
			if !yield(d.keys[i], d.values[i]) {
				return
			}
		}
	}
}

func (d *Dict) set(key, value any) error {
	k, err := hashable(key)
	if err != nil {
		return err
	}
	if i, ok := d.index[k]; ok {
		d.values[i] = value
		return nil
	}
	if d.index == nil {
		d.index = map[any]int{}
	}
	d.index[k] = len(d.keys)
	d.keys = append(d.keys, key)
	d.values = append(d.values, value)
	return nil
}

// Set is a Python set or frozenset in the order of insertion.
type Set struct {
	Items []any
	index map[any]struct{}
}

func (s *Set) add(items []any) error {
	for _, v := range items {
		k, err := hashable(v)
		if err != nil {
			return err
		}
		if _, ok := s.index[k]; ok {
			continue
		}
		if s.index == nil {
			s.index = map[any]struct{}{}
		}
		s.index[k] = struct{}{}
		s.Items = append(s.Items, v)
	}
	return nil
}

// Keys are hashed every time they are used, and a pickle can use the same one
// every few bytes: longer keys would make reading quadratic.
const (
	maxKeyBytes = 4096
	maxKeyTuple = 4
)

// tupleKey is a tuple as a key: a slice cannot be one in Go.
type tupleKey struct {
	n int
	e [maxKeyTuple]any
}

// hashable returns the Go map key of a Python value. True, 1 and 1.0 are the
// same key in Python.
func hashable(v any) (any, error) {
	t, ok := v.(Tuple)
	if !ok {
		return scalarKey(v)
	}
	if len(t) > maxKeyTuple {
		return nil, fmt.Errorf("want a key of at most %d elements, found a tuple of %d", maxKeyTuple, len(t))
	}
	key := tupleKey{n: len(t)}
	for i, e := range t {
		k, err := scalarKey(e)
		if err != nil {
			return nil, err
		}
		key.e[i] = k
	}
	return key, nil
}

func scalarKey(v any) (any, error) {
	switch v := v.(type) {
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case float64:
		if i := int64(v); float64(i) == v && math.Abs(v) < 1<<62 {
			return i, nil
		}
		return v, nil
	case string:
		return v, keyLength(len(v))
	case Bytes:
		return v, keyLength(len(v))
	case *big.Int:
		return nil, fmt.Errorf("want a key of at most 64 bits, found an integer of %d", v.BitLen())
	case nil, int64, Global, *Object, *Set:
		return v, nil
	}
	return nil, fmt.Errorf("want a key that does not change, found a %s", kind(v))
}

func keyLength(n int) error {
	if n > maxKeyBytes {
		return fmt.Errorf("want a key of at most %d bytes, found %d", maxKeyBytes, n)
	}
	return nil
}

// kind names the Python type of a value for messages.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case Bytes:
		return "bytes"
	case Tuple:
		return "tuple"
	case *List:
		return "list"
	case *Dict:
		return "dict"
	case *Set:
		return "set"
	case Global:
		return strings.TrimSuffix("global "+clip(v.String()), " .")
	case *Object:
		return clip(v.Class.String()) + " object"
	}
	return fmt.Sprintf("%T", v)
}
