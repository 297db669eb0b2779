package synth

// Options says what scene to generate.
type Options struct {
	Mapping       int    // mapping images, at least 2
	Queries       int    // query images, two thirds by day, one third by night
	Width, Height int    // of the mapping images, pixels, at least 32 each
	Seed          uint64 // everything random derives from it
	LocalFeatures int    // keypoints an image at most; 0: no local features
	Jobs          int    // workers; 0: one
}
