package landmarks

import (
	"context"
	"fmt"

	"locbench/kapture"
	"locbench/retrieval/npy"
)

// shapeError says that a matrix does not fit the data set.
func (d *Dataset) shapeError(f *npy.File, want string) error {
	return &kapture.InputError{Path: f.Path(), Msg: fmt.Sprintf("want %s for the %d queries and %d images of %s, found the shape %v",
		want, len(d.Queries), len(d.Images), d.Name, f.Shape())}
}

// FromScores returns the places of each query's graded images in a ranking by
// the scores of a file: queries × database. A NaN is a [kapture.InputError].
func (d *Dataset) FromScores(ctx context.Context, f *npy.File) ([][]Place, error) {
	n := len(d.Images)
	if f.Rows() != len(d.Queries) || f.Cols() != n {
		return nil, d.shapeError(f, fmt.Sprintf("scores of %d × %d", len(d.Queries), n))
	}
	places := make([][]Place, len(d.Queries))
	block := make([]float64, min(len(d.Queries), max(1, blockValues/n))*n)
	for from := 0; from < len(places); from += len(block) / n {
		rows := block[:min(len(block), (len(places)-from)*n)]
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := npy.Read(f, from, rows); err != nil {
			return nil, err
		}
		for i := range len(rows) / n {
			scores, q := rows[i*n:][:n], from+i
			for j, s := range scores {
				if s != s {
					return nil, &kapture.InputError{Path: f.Path(), Msg: fmt.Sprintf("row %d, column %d: want a score, found NaN", q, j)}
				}
			}
			places[q] = newTally(d.Queries[q].Graded(OK, Easy, Hard, Junk), scores).places()
		}
	}
	return places, nil
}

// blockValues bounds the values that are read at a time: 32 MiB of float64.
const blockValues = 4 << 20

// FromRanks returns the places of each query's graded images in the ranking of
// a file: database × queries, each column the images of the database, best
// first, as the revisited benchmark has it. A column that is no permutation is a
// [kapture.InputError].
func (d *Dataset) FromRanks(ctx context.Context, f *npy.File) ([][]Place, error) {
	n, queries := len(d.Images), len(d.Queries)
	if f.Rows() != n || f.Cols() != queries {
		return nil, d.shapeError(f, fmt.Sprintf("ranks of %d × %d (database × queries)", n, queries))
	}
	rank := make([]int32, n*queries) // of image i for query q, plus 1, at [q*n+i]
	block := make([]float64, min(n, max(1, blockValues/queries))*queries)
	for from := 0; from < n; from += len(block) / queries {
		rows := block[:min(len(block), (n-from)*queries)]
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := npy.Read(f, from, rows); err != nil {
			return nil, err
		}
		for i, v := range rows {
			q, r := i%queries, from+i/queries
			image := int(v)
			if v != float64(image) || image < 0 || image >= n {
				return nil, d.rankError(f, r, q, fmt.Sprintf("want an image from 0 to %d, found %v", n-1, v))
			}
			if at := &rank[q*n+image]; *at == 0 {
				*at = int32(r) + 1
			} else {
				return nil, d.rankError(f, r, q, fmt.Sprintf("want each image once, found image %d as in row %d", image, *at-1))
			}
		}
	}
	places := make([][]Place, queries)
	for q := range places {
		scores := make([]float64, n)
		for i, r := range rank[q*n:][:n] {
			scores[i] = -float64(r)
		}
		places[q] = newTally(d.Queries[q].Graded(OK, Easy, Hard, Junk), scores).places()
	}
	return places, nil
}

func (d *Dataset) rankError(f *npy.File, row, column int, msg string) error {
	return &kapture.InputError{Path: f.Path(), Msg: fmt.Sprintf("row %d, column %d: %s", row, column, msg)}
}
