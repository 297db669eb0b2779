package match

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"locbench/kapture"
	"locbench/localize/recent"
	"locbench/retrieval/backend"
)

// Source reads the descriptors of images: rows of Header().DSize values.
type Source interface {
	Header() kapture.FeatureHeader
	Float32(image string, dst []float32) ([]float32, error)
}

// Sweep matches pairs of images by their descriptors.
type Sweep struct {
	Backend     *backend.Backend // its Jobs should be 1 where Jobs is not
	Descriptors Source
	Options     Options
	Jobs        int // pairs at a time; 0: one
	// CacheImages is how many images' descriptors are kept; 0: 64. 20,000
	// keypoints of 32 float32 are 2.5 MB.
	CacheImages int
	// Take receives the matches of a pair, Keypoint1 in pair.Image1. It is
	// called from Jobs goroutines, in no particular order.
	Take func(pair kapture.ImagePair, matches []kapture.Match) error
}

// Run matches the pairs, each by itself. It ends at the first error and when
// ctx does.
func (s *Sweep) Run(ctx context.Context, pairs []kapture.ImagePair) error {
	limit := s.CacheImages
	if limit <= 0 {
		limit = 64
	}
	images := recent.NewCache(limit, s.matrix)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, s.Jobs))
	for _, pair := range inBlocks(pairs, max(1, limit/2)) {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return s.pair(ctx, images, pair)
		})
	}
	return g.Wait()
}

func (s *Sweep) pair(ctx context.Context, images *recent.Cache[backend.Matrix], pair kapture.ImagePair) error {
	first, err := images.Get(pair.Image1)
	if err != nil {
		return err
	}
	second, err := images.Get(pair.Image2)
	if err != nil {
		return err
	}
	matches, err := Mutual(ctx, s.Backend, first, second, s.Options)
	if err != nil {
		return fmt.Errorf("match %s and %s: %w", pair.Image1, pair.Image2, err)
	}
	return s.Take(pair, matches)
}

func (s *Sweep) matrix(image string) (backend.Matrix, error) {
	data, err := s.Descriptors.Float32(image, nil)
	if err != nil {
		return backend.Matrix{}, err
	}
	dim := s.Descriptors.Header().DSize
	return backend.Matrix{Rows: len(data) / dim, Cols: dim, Data: data}, nil
}
