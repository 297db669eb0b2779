package robust

// Options say when a correspondence is an inlier and how long to search.
type Options struct {
	MaxErrorPx     float64 // an inlier's largest error, pixels of the distorted image
	Confidence     float64 // that at least one sample had no outlier
	MinInlierRatio float64 // the search does not go on for less than this
	MinIterations  int
	MaxIterations  int
	Seed           uint64
}

// AbsoluteDefaults are the options of the benchmark's published tables.
func AbsoluteDefaults() Options {
	return Options{MaxErrorPx: 8, Confidence: 0.9999, MinInlierRatio: 0.01, MinIterations: 1000, MaxIterations: 100000}
}

// RelativeDefaults are COLMAP's for two views, with which the matches of the
// published tables were verified.
func RelativeDefaults() Options {
	return Options{MaxErrorPx: 4, Confidence: 0.999, MinInlierRatio: 0.25, MinIterations: 100, MaxIterations: 10000}
}
