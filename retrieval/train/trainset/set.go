package trainset

import (
	"fmt"
	"image"
	"math"

	"locbench/kapture"
)

// Relation says what one image is to another in training.
type Relation uint8

// The relations.
const (
	Negative Relation = iota
	Positive
	Ignored // neither is known: the pair does not count
)

// Box is the part of an image that shows its object. The zero Box is the whole
// image.
type Box struct {
	Left, Top, Right, Bottom float32 // pixels, or shares of width and height
	Relative                 bool    // they are shares
}

// IsZero reports whether b is the whole image.
func (b Box) IsZero() bool { return b == Box{} }

// Rect returns the box in whole pixels of an image of w×h pixels, rounded to
// even as Pillow's crop does. It may reach beyond the image, or miss it.
func (b Box) Rect(w, h int) image.Rectangle {
	if b.IsZero() {
		return image.Rect(0, 0, w, h)
	}
	kx, ky := 1.0, 1.0
	if b.Relative {
		kx, ky = float64(w), float64(h)
	}
	whole := func(v float32, k float64) int { return int(math.RoundToEven(float64(v) * k)) }
	return image.Rect(whole(b.Left, kx), whole(b.Top, ky), whole(b.Right, kx), whole(b.Bottom, ky))
}

// valid reports whether b has an inside that pixels can be counted in.
func (b Box) valid() bool {
	const most = 1 << 24
	inside := b.Left < b.Right && b.Top < b.Bottom && b.Left >= -most && b.Top >= -most && b.Right <= most && b.Bottom <= most
	return inside && (!b.Relative || b.Left >= 0 && b.Top >= 0 && b.Right <= 1 && b.Bottom <= 1)
}

// Set is a set of training images. They are numbered from 0 in the order of
// their source, classes in the order in which they first appear. A set takes
// about 60 bytes an image beside the names, and is never changed.
type Set struct {
	path    string // of the source, for messages
	locate  func(name string) string
	names   []string
	class   []int32
	boxes   []Box // nil: all are whole
	classes []string
	members []int32 // by class
	first   []int32 // members of class c are members[first[c]:first[c+1]]
	// positives are the pairs that are positive; nil: those of a class are.
	positives *pairs
	ignored   *pairs
	warnings  []string
}

// lacking says that the source does not have what it should.
func (s *Set) lacking(format string, args ...any) error {
	return &kapture.InputError{Path: s.path, Msg: fmt.Sprintf(format, args...)}
}

// Len returns the number of images.
func (s *Set) Len() int { return len(s.names) }

// Name returns what the source calls image i.
func (s *Set) Name(i int) string { return s.names[i] }

// File returns the path of image i.
func (s *Set) File(i int) string { return s.locate(s.names[i]) }

// Box returns the part of image i that shows its object.
func (s *Set) Box(i int) Box {
	if s.boxes == nil {
		return Box{}
	}
	return s.boxes[i]
}

// Classes returns the number of classes. In a scene with poses every image is a
// class of its own.
func (s *Set) Classes() int { return len(s.first) - 1 }

// Class returns the class of image i.
func (s *Set) Class(i int) int { return int(s.class[i]) }

// ClassName returns what the source calls class c.
func (s *Set) ClassName(c int) string { return s.classes[c] }

// Members returns the images of class c in ascending order. The caller does not
// change them.
func (s *Set) Members(c int) []int32 { return s.members[s.first[c]:s.first[c+1]] }

// Relation returns what image j is to image i. It is symmetric, and positive
// for an image and itself.
func (s *Set) Relation(i, j int) Relation {
	same := s.class[i] == s.class[j]
	switch {
	case i == j, same && s.positives == nil, s.positives.has(i, j):
		return Positive
	case same, s.ignored.has(i, j):
		return Ignored
	}
	return Negative
}

// Warnings says what of the source is not in the set.
func (s *Set) Warnings() []string { return s.warnings }

// partners returns the images that are positive for image i; in a set of
// classes image i is one of them.
func (s *Set) partners(i int) []int32 {
	if s.positives == nil {
		return s.Members(int(s.class[i]))
	}
	return s.positives.of(i)
}

// group sorts the images by class.
func (s *Set) group(classes int) {
	s.first = make([]int32, classes+1)
	for _, c := range s.class {
		s.first[c+1]++
	}
	for c := range classes {
		s.first[c+1] += s.first[c]
	}
	next := append([]int32(nil), s.first...)
	s.members = make([]int32, len(s.class))
	for i, c := range s.class {
		s.members[next[c]] = int32(i)
		next[c]++
	}
}
