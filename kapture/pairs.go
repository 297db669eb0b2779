package kapture

import (
	"io"
)

// Pair says that a map image may show what a query image shows; a higher score
// is a better match.
type Pair struct {
	Query, Map string
	Score      float64
}

// Pairs are the lines of a pairs file: what retrieval hands to localization.
type Pairs []Pair

func pairsTable() codec[Pair] {
	return codec[Pair]{
		columns: "query_image, map_image, score",
		min:     3, unique: "(query_image, map_image)",
		key: func(p Pair) rowKey { return rowKey{a: p.Query, b: p.Map} },
		parse: func(r *row) Pair {
			return Pair{Query: r.image(0), Map: r.image(1), Score: r.finite(2, "score")}
		},
		format: func(w *rowWriter, p Pair) {
			w.filePath(p.Query)
			w.filePath(p.Map)
			w.finite(p.Score)
		},
	}
}

// image is a file's path that occurs on many lines.
func (r *row) image(i int) string {
	if p, ok := r.strings[string(r.fields[i])]; ok {
		return p
	}
	p := r.filePath(i)
	if !r.failed {
		r.strings[p] = p
	}
	return p
}

// ReadPairs reads a pairs file: "query_image, map_image, score", best first for
// each query. path stands for it in messages. A line without three fields, a
// score that is no finite number, a path that leaves the dataset and a pair
// that occurs twice are [InputError]s.
func ReadPairs(r io.Reader, path string) (Pairs, error) {
	var bad problems
	rows, _, err := pairsTable().read(newBlockReader(r, path), blockSize, map[string]string{}, &bad)
	if err != nil {
		return nil, err
	}
	return rows, bad.err()
}

// WriteTo writes the pairs as kapture 1.1 text, in their order.
func (p Pairs) WriteTo(w io.Writer) (int64, error) {
	c := counter{w: w}
	err := pairsTable().write(&c, p)
	return c.n, err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
