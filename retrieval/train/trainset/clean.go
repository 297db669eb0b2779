package trainset

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"locbench/kapture"
)

// openClean reads the lists that the authors of Deep Image Retrieval published
// for Landmarks: annotation_clean_train.txt, annotation_clean_val.txt and the
// same of annotation_full. A line is
//
//	IMAGE CLASS [BOX]
//
// with blanks between: the image's URL, or its path in the folder of images;
// the number or name of its class; and in four numbers the object's box in
// pixels, as x0 x1 y0 y1 or as x0 y0 x1 y1: all lines of a list have the same
// order, and that is taken which makes every box one with an inside (the second
// if both do). Blank lines and those that begin with # do not count.
//
// The image of a URL is looked for in the folder of images as CLASS/NAME, NAME
// and HOST/PATH, where NAME is the last element of the URL's path. Many of the
// URLs are dead: [MissingDrop] leaves out what could not be had.
func openClean(ctx context.Context, s Source) (*Set, error) {
	if err := kapture.CheckFile(s.Path); err != nil {
		return nil, err
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	at := s.below(filepath.Dir(s.Path))
	g := newGathering(s, s.Path, at)
	var boxes boxOrder
	in := bufio.NewScanner(f)
	line := 0
	for in.Scan() {
		line++
		fields := strings.Fields(in.Text())
		if len(fields) == 0 || fields[0][0] == '#' {
			continue
		}
		g.cleanLine(fields, line, &boxes, at)
	}
	if errors.Is(in.Err(), bufio.ErrTooLong) {
		return nil, &kapture.InputError{Path: s.Path, Line: line + 1, Msg: "want an image, its class and its box, found a line without end"}
	}
	if in.Err() != nil {
		return nil, fmt.Errorf("read %s: %w", s.Path, in.Err())
	}
	boxes.give(g)
	return g.set(ctx)
}

// cleanLine adds the image of a line.
func (g *gathering) cleanLine(fields []string, line int, boxes *boxOrder, at func(string) string) {
	switch len(fields) {
	case 2, 6:
	case 1:
		g.fail(line, "want the class of %s, found none", fields[0])
		return
	default:
		g.fail(line, "want an image, its class and no or four numbers, found %d fields", len(fields))
		return
	}
	name, err := cleanName(fields[0], fields[1], at)
	if err != nil {
		g.fail(line, "%v", err)
		return
	}
	if len(fields) == 6 {
		if err := boxes.add(len(g.names), line, fields[2:]); err != nil {
			g.fail(line, "%v", err)
			return
		}
	}
	g.add(name, strings.Clone(fields[1]), line)
}

// cleanName returns the path in the folder of images of a list's image: of
// those that its URL may have the first that is there, or the first at all.
func cleanName(image, class string, at func(string) string) (string, error) {
	if !strings.Contains(image, "://") {
		return strings.Clone(image), nil
	}
	u, err := url.Parse(image)
	if err != nil {
		return "", fmt.Errorf("want an image's URL or path, found %q", image)
	}
	base := path.Base(path.Clean("/" + u.Path))
	if base == "/" || !filepath.IsLocal(class) {
		return "", fmt.Errorf("want an image's URL and a class, found %q and %q", image, class)
	}
	names := []string{path.Join(class, base), base, path.Join(u.Host, path.Clean("/"+u.Path))}
	for _, name := range names {
		if filepath.IsLocal(name) && kapture.CheckFile(at(name)) == nil {
			return name, nil
		}
	}
	return names[0], nil
}

// boxOrder gathers boxes whose order is not known yet.
type boxOrder struct {
	rows   []int
	values [][4]float32
	// refuted are the first lines whose box would have no inside with its
	// numbers as x0 x1 y0 y1, and as x0 y0 x1 y1; 0: none.
	refuted [2]int
}

// orders say where left, top, right and bottom are, for each order.
var orders = [2][4]int{{0, 2, 1, 3}, {0, 1, 2, 3}}

func (o *boxOrder) add(row, line int, fields []string) error {
	var v [4]float32
	for i, f := range fields {
		x, err := strconv.ParseFloat(f, 32)
		if err != nil || math.IsNaN(x) {
			return fmt.Errorf("want a box of four numbers, found %q", f)
		}
		v[i] = float32(x)
	}
	fits := 0
	for i, k := range orders {
		switch {
		case boxIn(v, k).valid():
			fits++
		case o.refuted[i] == 0:
			o.refuted[i] = line
		}
	}
	if fits == 0 {
		return fmt.Errorf("want a box with an inside, as x0 x1 y0 y1 or x0 y0 x1 y1, found %v", v)
	}
	o.rows = append(o.rows, row)
	o.values = append(o.values, v)
	return nil
}

func boxIn(v [4]float32, k [4]int) Box {
	return Box{Left: v[k[0]], Top: v[k[1]], Right: v[k[2]], Bottom: v[k[3]]}
}

// give puts the boxes into g in the order that all of them agree with.
func (o *boxOrder) give(g *gathering) {
	if len(o.rows) == 0 || g.faults.count > 0 {
		return
	}
	k := orders[1]
	switch {
	case o.refuted[0] > 0 && o.refuted[1] > 0:
		g.fail(o.refuted[0], "want all boxes as x0 x1 y0 y1 or all as x0 y0 x1 y1, found one that is not the first, and one that is not the second on line %d", o.refuted[1])
		return
	case o.refuted[1] > 0:
		k = orders[0]
	}
	g.boxes = make([]Box, len(g.names))
	for i, row := range o.rows {
		g.boxes[row] = boxIn(o.values[i], k)
	}
}
