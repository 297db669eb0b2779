package synth

import (
	"errors"
	"fmt"
	"image"
)

// LandmarkOptions say what landmarks to generate.
type LandmarkOptions struct {
	Classes int    // landmarks, at least 8; about a fifth is for validation
	Views   int    // pictures of each, at least 2; every third is by night
	Size    int    // edge of the square pictures, pixels, 32 to 2048
	Seed    uint64 // everything random derives from it
	Jobs    int    // workers; below 1: one
	Force   bool   // replace landmarks that were generated with other options
	// Progress, if not nil, is called after every picture, by one worker at a
	// time.
	Progress func(done, total int)
}

// Check reports all that is wrong with o.
func (o LandmarkOptions) Check() error {
	const maxClasses, maxViews = 9999 * quarterSize, 9999 // names have four digits
	var errs []error
	want := func(v, lo, hi int, what string) {
		if v < lo || v > hi {
			errs = append(errs, fmt.Errorf("want %d to %d %s, found %d", lo, hi, what, v))
		}
	}
	want(o.Classes, 2*quarterSize, maxClasses, "classes")
	want(o.Views, 2, maxViews, "views of each class")
	want(o.Size, minSize, maxSize, "pixels as size")
	return errors.Join(errs...)
}

// Landmarks are procedural landmarks: fronts of houses, churches and monuments,
// each a class, seen from many places by day and by night. Each four classes
// make a quarter whose houses are of the same styles, and in it each two are
// look-alikes: the same street with other doors, shops, murals and emblems.
type Landmarks struct {
	options LandmarkOptions
	lenses  []lens
}

// NewLandmarks returns landmarks; they are built when they are asked for.
func NewLandmarks(o LandmarkOptions) (*Landmarks, error) {
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("generate landmarks: %w", err)
	}
	lenses, err := siteLenses(o.Size)
	if err != nil {
		return nil, fmt.Errorf("generate landmarks: %w", err)
	}
	return &Landmarks{options: o, lenses: lenses}, nil
}

// Landmark is one class.
type Landmark struct {
	Name string // the number of its quarter, and a letter
	// Validation says that the class is held out: whole quarters are, so that no
	// look-alike of it is trained on.
	Validation bool
	index      int
	site       *site
	set        *Landmarks
}

// Landmark builds class c, from 0 to Classes−1.
func (l *Landmarks) Landmark(c int) *Landmark {
	if c < 0 || c >= l.options.Classes {
		panic("synth: class out of range")
	}
	return &Landmark{Name: l.name(c), Validation: l.heldOut(c), index: c, site: newSite(l.options.Seed, c), set: l}
}

// name returns the name of class c.
func (l *Landmarks) name(c int) string {
	return fmt.Sprintf("%04d%c", c/quarterSize, 'a'+c%quarterSize)
}

// heldOut reports whether class c is for validation: every fifth quarter is, or
// the second if there are fewer than five.
func (l *Landmarks) heldOut(c int) bool {
	if quarters := (l.options.Classes + quarterSize - 1) / quarterSize; quarters < 5 {
		return c/quarterSize == 1
	}
	return c/quarterSize%5 == 4
}

// Picture takes view v, from 0 to Views−1: the same pixels whenever it is asked
// for. It may be called by several goroutines at once.
func (m *Landmark) Picture(v int) *image.RGBA {
	if v < 0 || v >= m.set.options.Views {
		panic("synth: view out of range")
	}
	seed, number := m.set.options.Seed, m.index<<16|v
	p := m.site.view(generator(seed, "landmark view", number), m.set.lenses, v)
	return m.site.town.render(&p).develop(p.photo, generator(seed, "landmark develop", number))
}
