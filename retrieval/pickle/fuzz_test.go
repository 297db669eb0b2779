package pickle_test

import (
	"errors"
	"runtime"
	"testing"

	"locbench/retrieval/pickle"
)

// maxBytesPerByte is more than any operation of one byte takes: a map, its
// first bucket, a boxed number, growth of the stack and the memo.
const maxBytesPerByte = 1000

// FuzzRead checks that no input makes the reader panic, return an error of
// another type, or take more memory than in proportion to the input.
func FuzzRead(f *testing.F) {
	for protocol := range 6 {
		f.Add(sample(f, protocol))
	}
	f.Add([]byte("cposix\nsystem\nU\x04true\x85R."))
	f.Add([]byte("(K\x07im\nC\n}U\x01aK\x01sb."))
	f.Add([]byte("\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc."))
	f.Add([]byte("cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02f8\x85RU\x08abcdefgh\x86R."))
	options := pickle.Options{
		Allow:      func(module, _ string) bool { return module != "posix" },
		Persistent: func(id any) (any, error) { return id, nil },
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, err := pickle.Read(data, options)
		runtime.ReadMemStats(&after)
		if limit := uint64(1<<20 + maxBytesPerByte*len(data)); after.TotalAlloc-before.TotalAlloc > limit {
			t.Errorf("%d bytes of input took %d bytes of memory", len(data), after.TotalAlloc-before.TotalAlloc)
		}
		if e := (*pickle.Error)(nil); err != nil && (!errors.As(err, &e) || e.Byte < 0 || e.Byte > int64(len(data))) {
			t.Errorf("want an error with its place, found %v", err)
		}
		if a, err := pickle.AsArray(v); err == nil && len(a.Float64s()) != a.Len() {
			t.Errorf("want %d elements", a.Len())
		}
	})
}
