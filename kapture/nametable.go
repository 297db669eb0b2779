package kapture

import "hash/maphash"

// nameTable gives equal names the same number. It is a hash table of its own,
// for names read millions of times from text: no allocation for a name that is
// known, a third of the time of a Go map. The zero value is empty.
type nameTable struct {
	names []string
	seed  maphash.Seed
	slots []uint64 // upper half: of the name's hash; lower half: its number + 1; 0: free

	hashes  []uint64 // of the names being looked up
	touched uint64   // written, so that the loads of slots are not dropped
}

// add returns the number of a name, which is new if it was not in the table.
func (t *nameTable) add(name []byte) (id uint32, isNew bool) {
	t.reserve(1)
	return t.find(name, maphash.Bytes(t.seed, name))
}

// addAll appends the numbers of every second field to ids. The hashes of all
// come first and touch their slots, so that the waits for memory, which are
// what a lookup costs, overlap.
func (t *nameTable) addAll(fields [][]byte, ids []uint32) []uint32 {
	t.reserve(len(fields))
	t.hashes = t.hashes[:0]
	mask := uint64(len(t.slots) - 1)
	for i := 0; i < len(fields); i += 2 {
		hash := maphash.Bytes(t.seed, fields[i])
		t.hashes = append(t.hashes, hash)
		t.touched |= t.slots[hash&mask]
	}
	for i, hash := range t.hashes {
		id, _ := t.find(fields[2*i], hash)
		ids = append(ids, id)
	}
	return ids
}

// find looks a name up, and adds it if there is none.
func (t *nameTable) find(name []byte, hash uint64) (id uint32, isNew bool) {
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := t.slots[i]
		if slot == 0 {
			t.names = append(t.names, string(name))
			t.slots[i] = hash>>32<<32 | uint64(len(t.names))
			return uint32(len(t.names) - 1), true
		}
		if id := uint32(slot) - 1; slot>>32 == hash>>32 && t.names[id] == string(name) {
			return id, false
		}
	}
}

// reserve makes room for n more names.
func (t *nameTable) reserve(n int) {
	if 4*(len(t.names)+n) > 3*len(t.slots) {
		t.grow(n)
	}
}

func (t *nameTable) grow(n int) {
	size := 64
	for 2*size < 3*(len(t.names)+n) {
		size *= 2
	}
	if t.slots == nil {
		t.seed = maphash.MakeSeed()
	}
	t.slots = make([]uint64, size)
	mask := uint64(size - 1)
	for id, name := range t.names {
		hash := maphash.String(t.seed, name)
		i := hash & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = hash>>32<<32 | uint64(id+1)
	}
}
