package pickle

import (
	"errors"
	"fmt"
	"strings"
)

// objects runs the operations that name globals and record calls.
func (d *Decoder) objects(op byte) (bool, error) {
	switch op {
	case 'c': // GLOBAL
		module, err := d.line()
		if err != nil {
			return true, err
		}
		name, err := d.line()
		if err != nil {
			return true, err
		}
		return d.pushed(d.global(module, name))
	case 0x93: // STACK_GLOBAL
		name, err := popAs[string](d)
		if err != nil {
			return true, err
		}
		module, err := popAs[string](d)
		if err != nil {
			return true, err
		}
		return d.pushed(d.global(module, name))
	case 'R', 0x81, 0x92: // REDUCE, NEWOBJ, NEWOBJ_EX
		return d.pushed(d.call(op))
	case 'i', 'o': // INST, OBJ
		return d.pushed(d.instance(op))
	case 'b':
		return true, d.build()
	case 'P': // PERSID
		id, err := d.line()
		if err != nil {
			return true, err
		}
		return d.pushed(d.persistent(id))
	case 'Q': // BINPERSID
		id, err := d.pop()
		if err != nil {
			return true, err
		}
		return d.pushed(d.persistent(id))
	case 0x82, 0x83, 0x84: // EXT1, EXT2, EXT4
		return true, errors.New("want globals by name, found one by a number of the extension registry: refused")
	case 0x97, 0x98: // NEXT_BUFFER, READONLY_BUFFER
		return true, errors.New("want all data in the pickle, found a buffer outside of it")
	}
	return false, nil
}

func (d *Decoder) global(module, name string) (any, error) {
	g := Global{Module: module, Name: name}
	if _, known := plain(g); known || d.options.Allow != nil && d.options.Allow(module, name) {
		return g, nil
	}
	return nil, fmt.Errorf("want data only, found the global %q: refused, nothing was run", clip(g.String()))
}

// clip keeps a name from the file short enough for a message.
func clip(s string) string {
	if len(s) > 120 {
		return s[:120] + "…"
	}
	return s
}

func (d *Decoder) persistent(id any) (any, error) {
	if d.options.Persistent == nil {
		return nil, errors.New("want all data in the pickle, found a persistent id")
	}
	return d.options.Persistent(id)
}

// call records the call of REDUCE, or of __new__.
func (d *Decoder) call(op byte) (any, error) {
	var named *Dict
	var err error
	if op == 0x92 {
		if named, err = popAs[*Dict](d); err != nil {
			return nil, err
		}
	}
	args, err := popAs[Tuple](d)
	if err != nil {
		return nil, err
	}
	g, err := popAs[Global](d)
	if err != nil {
		return nil, err
	}
	return d.called(g, args, named)
}

// instance records a call in the way of protocols 0 and 1: INST names the
// class in the stream, OBJ has it above the mark.
func (d *Decoder) instance(op byte) (any, error) {
	var class any
	if op == 'i' {
		module, err := d.line()
		if err != nil {
			return nil, err
		}
		name, err := d.line()
		if err != nil {
			return nil, err
		}
		if class, err = d.global(module, name); err != nil {
			return nil, err
		}
	}
	items, err := d.popMark()
	if err != nil {
		return nil, err
	}
	if op == 'o' {
		if len(items) == 0 {
			return nil, errEmpty
		}
		class, items = items[0], items[1:]
	}
	g, ok := class.(Global)
	if !ok {
		return nil, fmt.Errorf("want a class, found a %s", kind(class))
	}
	return d.called(g, items, nil)
}

// build gives an object its state.
func (d *Decoder) build() error {
	state, err := d.pop()
	if err != nil {
		return err
	}
	into, err := d.top()
	if err != nil {
		return err
	}
	switch into := into.(type) {
	case *Object:
		into.State = state
	case *Dict:
		into.State = state
	default:
		return fmt.Errorf("want an object to give a state, found a %s", kind(into))
	}
	return nil
}

// called returns the value of a call: data for the globals of [Read], a record
// for others.
func (d *Decoder) called(g Global, args Tuple, named *Dict) (any, error) {
	if data, known := plain(g); known && data != nil {
		v, err := data(d, args)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", g, err)
		}
		return v, nil
	}
	return &Object{Class: g, Args: args, Named: named}, nil
}

// plain returns how a global of Python's own is understood as data; nil for
// one that is only a name.
func plain(g Global) (data func(*Decoder, Tuple) (any, error), known bool) {
	switch g.Module {
	case "builtins", "__builtin__":
		switch g.Name {
		case "set", "frozenset":
			return asSet, true
		case "bytes", "bytearray":
			return asBytes, true
		case "complex", "object", "list", "dict", "int", "float", "str", "bool", "tuple":
			return nil, true
		}
	case "collections":
		switch g.Name {
		case "OrderedDict", "defaultdict":
			return asDict, true
		}
	case "_codecs":
		return asBytes, g.Name == "encode"
	case "copyreg", "copy_reg":
		return asObject, g.Name == "_reconstructor"
	}
	return nil, false
}

func asSet(d *Decoder, args Tuple) (any, error) {
	set := &Set{}
	if len(args) == 0 {
		return set, nil
	}
	items, ok := sequence(args[0])
	if !ok || len(args) > 1 {
		return nil, errors.New("want one list of elements")
	}
	if err := d.spend(len(items)); err != nil {
		return nil, err
	}
	return set, set.add(items)
}

func sequence(v any) ([]any, bool) {
	switch v := v.(type) {
	case *List:
		return v.Items, true
	case Tuple:
		return v, true
	}
	return nil, false
}

// asBytes reads bytes as protocols before 3 hold them: text in Latin-1.
func asBytes(d *Decoder, args Tuple) (any, error) {
	switch {
	case len(args) == 0:
		return Bytes(""), nil
	case len(args) == 1:
		if b, ok := args[0].(Bytes); ok {
			return b, nil
		}
	case len(args) == 2:
		s, isText := args[0].(string)
		coding, _ := args[1].(string)
		if isText && strings.ReplaceAll(strings.ToLower(coding), "-", "") == "latin1" {
			if err := d.spend(len(s)); err != nil {
				return nil, err
			}
			return latin1(s)
		}
	}
	return nil, errors.New("want bytes, or text and latin1")
}

// asDict reads an OrderedDict, perhaps with its (key, value) pairs as Python 2
// has them, or a defaultdict, whose default is of no interest.
func asDict(d *Decoder, args Tuple) (any, error) {
	dict := &Dict{}
	if len(args) == 0 {
		return dict, nil
	}
	if _, isDefault := args[0].(Global); isDefault || args[0] == nil {
		return dict, nil
	}
	pairs, ok := sequence(args[0])
	if !ok {
		return nil, errors.New("want a list of pairs")
	}
	if err := d.spend(len(pairs)); err != nil {
		return nil, err
	}
	for _, p := range pairs {
		pair, ok := sequence(p)
		if !ok || len(pair) != 2 {
			return nil, errors.New("want a list of pairs")
		}
		if err := dict.set(pair[0], pair[1]); err != nil {
			return nil, err
		}
	}
	return dict, nil
}

// asObject reads copyreg._reconstructor(class, base, state), an object as
// protocols 0 and 1 hold it.
func asObject(_ *Decoder, args Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("want a class, found none")
	}
	g, ok := args[0].(Global)
	if !ok {
		return nil, fmt.Errorf("want a class, found a %s", kind(args[0]))
	}
	return &Object{Class: g}, nil
}
