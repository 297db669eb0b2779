package landmarks

import (
	"fmt"
	"image"
	"math"

	"locbench/kapture"
)

// Grade is what the ground truth says of an image for a query.
type Grade string

// The grades. Revisited sets use easy, hard and junk, the others ok and junk.
const (
	Easy Grade = "easy"
	Hard Grade = "hard"
	OK   Grade = "ok" // good and ok of the original files
	Junk Grade = "junk"
)

// Box is the object in a query image: left, top, right, bottom in pixels.
type Box [4]float64

// Rect returns the box in whole pixels, rounded to even as Pillow's crop does.
func (b Box) Rect() image.Rectangle {
	whole := func(v float64) int { return int(math.RoundToEven(v)) }
	return image.Rect(whole(b[0]), whole(b[1]), whole(b[2]), whole(b[3]))
}

// Query is one query and its ground truth.
type Query struct {
	Name   string
	Box    *Box // nil: the whole image
	Images map[Grade][]int
}

// Graded returns the images of any of the grades.
func (q *Query) Graded(grades ...Grade) []int {
	var images []int
	for _, g := range grades {
		images = append(images, q.Images[g]...)
	}
	return images
}

// Setup is one way to count: which grades are positive, which are taken out.
type Setup struct {
	Name           string
	Positive, Junk []Grade
}

// Dataset is a retrieval set: a database and queries.
type Dataset struct {
	Name    string
	Images  []string // the database; ground truth and rankings count from 0 in it
	Queries []Query
	Setups  []Setup
	// Labelled says that images with the query's label are positive; the
	// queries are the database, and each is its own junk. AP is then the finite
	// sum, and the trapezoid otherwise.
	Labelled bool
}

// revisited are the setups of roxford5k and rparis6k, plain that of the others.
func revisited() []Setup {
	return []Setup{
		{"easy", []Grade{Easy}, []Grade{Junk, Hard}},
		{"medium", []Grade{Easy, Hard}, []Grade{Junk}},
		{"hard", []Grade{Hard}, []Grade{Junk, Easy}},
	}
}

func plain() []Setup { return []Setup{{"all", []Grade{OK}, []Grade{Junk}}} }

// check reports graded images that are not in the database, or that a query
// has twice.
func (d *Dataset) check(path string) error {
	var bad []error
	for i, q := range d.Queries {
		seen := map[int]Grade{}
		for _, grade := range []Grade{OK, Easy, Hard, Junk} {
			for _, image := range q.Images[grade] {
				msg := ""
				switch other, twice := seen[image]; {
				case image < 0 || image >= len(d.Images):
					msg = fmt.Sprintf("want images from 0 to %d, found %d as %s", len(d.Images)-1, image, grade)
				case twice:
					msg = fmt.Sprintf("want each image once, found %d as %s and as %s", image, other, grade)
				}
				if seen[image] = grade; msg != "" {
					bad = append(bad, &kapture.InputError{Path: path, Msg: fmt.Sprintf("query %d, %s: %s", i, q.Name, msg)})
				}
			}
		}
	}
	if len(d.Images) == 0 || len(d.Queries) == 0 {
		bad = append(bad, &kapture.InputError{Path: path, Msg: fmt.Sprintf("want images and queries, found %d and %d", len(d.Images), len(d.Queries))})
	}
	return kapture.FirstTen(bad)
}

// known are the sets that have a name, and whether they are revisited.
func known() map[string]bool {
	return map[string]bool{"oxford5k": false, "paris6k": false, "roxford5k": true, "rparis6k": true}
}

// Folder is the name under which a folder of folders is evaluated.
const Folder = "folder"

// Names returns the names that a data set may have, sorted.
func Names() []string { return []string{Folder, "oxford5k", "paris6k", "rparis6k", "roxford5k"} }

// Classic says whether a name is that of a set with good, ok and junk files.
func Classic(name string) bool {
	revisited, ok := known()[name]
	return ok && !revisited
}
