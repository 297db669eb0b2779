package trainset

import (
	"context"
	"math"
	"path/filepath"
	"strconv"
	"strings"
)

// openGoogle1 reads Google Landmarks of 2018: train.csv with the columns id,
// url and landmark_id, and tables of boxes (boxes_split1.csv: id, box; a box is
// "ymin xmin ymax xmax" as shares of height and width). Where there are boxes,
// the images without one are used whole. Image abc is abc.jpg in the folder of
// images.
func openGoogle1(ctx context.Context, s Source) (*Set, error) {
	at := s.below(filepath.Dir(s.Path))
	g := newGathering(s, s.Path, func(id string) string { return at(id + ".jpg") })
	if err := g.readGoogle(); err != nil {
		return nil, err
	}
	if len(s.Boxes) > 0 {
		row := make(map[string]int32, len(g.names))
		for i, id := range g.names {
			row[id] = int32(i)
		}
		g.boxes = make([]Box, len(g.names))
		for _, path := range s.Boxes {
			if err := g.readBoxes(path, row); err != nil {
				return nil, err
			}
		}
	}
	return g.set(ctx)
}

// openGoogle2 reads Google Landmarks v2: train.csv with the columns id, url and
// landmark_id, or train_clean.csv with landmark_id and images, which are ids
// with blanks between them. Image abc… is a/b/c/abc….jpg in the folder of
// images.
func openGoogle2(ctx context.Context, s Source) (*Set, error) {
	at := s.below(filepath.Dir(s.Path))
	g := newGathering(s, s.Path, func(id string) string {
		return at(id[0:1] + "/" + id[1:2] + "/" + id[2:3] + "/" + id + ".jpg")
	})
	if err := g.readGoogle(); err != nil {
		return nil, err
	}
	return g.set(ctx)
}

// readGoogle reads the labels.
func (g *gathering) readGoogle() error {
	t, err := openTable(g.path)
	if err != nil {
		return err
	}
	defer t.close()
	label, err := t.column("landmark_id")
	if err != nil {
		return err
	}
	list := "images" // of train_clean.csv
	if _, ok := t.columns[list]; !ok {
		list = "id"
	}
	images, err := t.column(list)
	if err != nil {
		return err
	}
	for {
		ok, err := t.next()
		if !ok || err != nil {
			return err
		}
		g.googleRow(t.row[label], t.row[images], t.line())
	}
}

// googleRow adds the images of a row.
func (g *gathering) googleRow(label, ids string, line int) {
	label = strings.TrimSpace(label)
	if label == "" || label == "None" {
		g.fail(line, "want the landmark_id of %s, found %q", firstWord(ids), label)
		return
	}
	n := 0
	for id := range strings.FieldsSeq(ids) {
		n++
		if !googleID(id) {
			g.fail(line, "want an id of letters and digits, at least three, found %q", id)
			continue
		}
		g.add(strings.Clone(id), label, line)
	}
	if n == 0 {
		g.fail(line, "want images of landmark %s, found none", label)
	}
}

func firstWord(s string) string {
	for word := range strings.FieldsSeq(s) {
		return word
	}
	return "an image"
}

// googleID reports whether id can be an image of these sets, so that it names
// no file elsewhere.
func googleID(id string) bool {
	for i := range len(id) {
		if c := id[i] | 0x20; (c < 'a' || c > 'z') && (id[i] < '0' || id[i] > '9') && id[i] != '_' && id[i] != '-' {
			return false
		}
	}
	return len(id) >= 3
}

// readBoxes reads a table of boxes; row has the images by id.
func (g *gathering) readBoxes(path string, row map[string]int32) error {
	t, err := openTable(path)
	if err != nil {
		return err
	}
	defer t.close()
	id, err := t.column("id")
	if err != nil {
		return err
	}
	box, err := t.column("box")
	if err != nil {
		return err
	}
	unknown := 0
	for {
		ok, err := t.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		i, known := row[t.row[id]]
		if !known {
			unknown++
			continue
		}
		b, ok := relativeBox(t.row[box])
		if !ok {
			g.faults.add(path, t.line(), "want ymin xmin ymax xmax as shares of the image, found %q", t.row[box])
			continue
		}
		g.boxes[i] = b
	}
	if unknown > 0 {
		g.warnf("%s of %s not in %s", counted(unknown, "box"), path, g.path)
	}
	return nil
}

// relativeBox reads "ymin xmin ymax xmax".
func relativeBox(text string) (Box, bool) {
	fields := strings.Fields(text)
	if len(fields) != 4 {
		return Box{}, false
	}
	var v [4]float32
	for i, f := range fields {
		x, err := strconv.ParseFloat(f, 32)
		if err != nil || math.IsNaN(x) {
			return Box{}, false
		}
		v[i] = float32(x)
	}
	b := Box{Left: v[1], Top: v[0], Right: v[3], Bottom: v[2], Relative: true}
	return b, b.valid()
}
