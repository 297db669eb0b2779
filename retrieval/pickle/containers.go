package pickle

import (
	"errors"
	"fmt"
	"strconv"
)

// containers runs the operations that make and fill tuples, lists, dicts and
// sets.
func (d *Decoder) containers(op byte) (bool, error) {
	switch op {
	case ')':
		return d.pushed(Tuple{}, nil)
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		items, err := d.popN(int(op) - 0x84)
		return d.pushed(Tuple(items), err)
	case 't':
		items, err := d.popMark()
		return d.pushed(Tuple(items), err)
	case ']':
		return d.pushed(&List{}, nil)
	case 'l':
		items, err := d.popMark()
		return d.pushed(&List{Items: items}, err)
	case '}':
		return d.pushed(&Dict{}, nil)
	case 'd':
		items, err := d.popMark()
		if err != nil {
			return true, err
		}
		dict := &Dict{}
		return d.pushed(dict, fill(dict, items))
	case 0x8f: // EMPTY_SET
		return d.pushed(&Set{}, nil)
	case 0x91: // FROZENSET
		items, err := d.popMark()
		if err != nil {
			return true, err
		}
		set := &Set{}
		return d.pushed(set, set.add(items))
	case 'a', 'e', 's', 'u', 0x90: // APPEND, APPENDS, SETITEM, SETITEMS, ADDITEMS
		return true, d.extend(op)
	}
	return false, nil
}

// extend puts what is on top of the stack into the container below.
func (d *Decoder) extend(op byte) error {
	var items []any
	var err error
	switch op {
	case 'a':
		items, err = d.popN(1)
	case 's':
		items, err = d.popN(2)
	default:
		items, err = d.popMark()
	}
	if err != nil {
		return err
	}
	into, err := d.top()
	if err != nil {
		return err
	}
	keyed := op == 's' || op == 'u'
	switch into := into.(type) {
	case *List:
		if keyed || op == 0x90 {
			break
		}
		into.Items = append(into.Items, items...)
		return nil
	case *Dict:
		if !keyed {
			break
		}
		return fill(into, items)
	case *Set:
		if op != 0x90 {
			break
		}
		return into.add(items)
	case *Object:
		if !keyed {
			into.Items = append(into.Items, items...)
			return nil
		}
		if into.Dict == nil {
			into.Dict = &Dict{}
		}
		return fill(into.Dict, items)
	}
	return fmt.Errorf("want a container to fill, found a %s", kind(into))
}

// fill sets key, value, key, value…
func fill(d *Dict, items []any) error {
	if len(items)%2 != 0 {
		return errors.New("want a value for every key, found a key alone")
	}
	for i := 0; i < len(items); i += 2 {
		if err := d.set(items[i], items[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// handling runs the operations on the stack, the memo and the stream.
func (d *Decoder) handling(op byte) (bool, error) {
	switch op {
	case '.':
		d.done = true
		return true, nil
	case 0x80: // PROTO
		v, err := d.byte()
		if err == nil && v > 5 {
			err = fmt.Errorf("want a pickle of protocol 5 at most, found %d", v)
		}
		return true, err
	case 0x95: // FRAME: the operations that follow are the same without it
		n, err := d.uint(width(op))
		if err == nil && n > uint64(d.size-d.pos) {
			err = fmt.Errorf("want a frame of %d bytes, found the end of the file after %d", n, d.size-d.pos)
		}
		return true, err
	case '(':
		d.marks = append(d.marks, len(d.stack))
		return true, nil
	case '0', '1': // POP, POP_MARK
		if op == '0' && len(d.stack) > d.floor() {
			_, err := d.pop()
			return true, err
		}
		_, err := d.popMark()
		return true, err
	case '2':
		v, err := d.top()
		return d.pushed(v, err)
	case 'p', 'q', 'r', 0x94: // PUT, BINPUT, LONG_BINPUT, MEMOIZE
		return true, d.remember(op)
	case 'g', 'h', 'j': // GET, BINGET, LONG_BINGET
		return true, d.recall(op)
	}
	return false, nil
}

func (d *Decoder) remember(op byte) error {
	key, err := uint64(len(d.memo)), error(nil)
	if op != 0x94 {
		key, err = d.memoKey(op)
	}
	if err != nil {
		return err
	}
	v, err := d.top()
	if err == nil {
		d.memo[key] = v
	}
	return err
}

func (d *Decoder) recall(op byte) error {
	key, err := d.memoKey(op)
	if err != nil {
		return err
	}
	v, ok := d.memo[key]
	if !ok {
		return fmt.Errorf("want a value that was kept, found none under %d", key)
	}
	d.push(v)
	return nil
}

// memoKey reads the number of a kept value, in decimal, one byte or four.
func (d *Decoder) memoKey(op byte) (uint64, error) {
	if op != 'p' && op != 'g' {
		return d.uint(width(op))
	}
	s, err := d.line()
	if err != nil {
		return 0, err
	}
	key, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("want the number of a kept value, found %q", clip(s))
	}
	return key, nil
}
