package trainset

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"locbench/kapture"
)

// maxFaults is how many faults an error lists, maxNames how many names a warning.
const (
	maxFaults = 10
	maxNames  = 5
)

// faults gathers what is wrong with a source: a file of millions of lines can
// be wrong in every one.
type faults struct {
	list  []error
	count int
}

func (f *faults) add(path string, line int, format string, args ...any) {
	if f.count++; f.count <= maxFaults {
		f.list = append(f.list, &kapture.InputError{Path: path, Line: line, Msg: fmt.Sprintf(format, args...)})
	}
}

// err returns nil, the only fault, or all of them joined.
func (f *faults) err() error {
	switch {
	case f.count == 1:
		return f.list[0]
	case f.count > maxFaults:
		return errors.Join(append(f.list, fmt.Errorf("and %d more", f.count-maxFaults))...)
	}
	return errors.Join(f.list...)
}

// gathering is a set while its source is read: a row an image.
type gathering struct {
	source  Source
	path    string // of the lines
	locate  func(name string) string
	names   []string
	class   []int32
	lines   []int32 // 0: not from a text file
	boxes   []Box   // empty as long as no image has a box
	classes []string
	number  map[string]int32 // of classes
	// positives and ignored are by row; see Set.
	positives, ignored *pairs
	faults             faults
	warnings           []string
}

func newGathering(s Source, path string, locate func(string) string) *gathering {
	return &gathering{source: s, path: path, locate: locate, number: map[string]int32{}}
}

// below returns a function that finds names below the source's folder of
// images, or below another one if it says none.
func (s Source) below(otherwise string) func(name string) string {
	root := s.Images
	if root == "" {
		root = otherwise
	}
	return func(name string) string {
		if filepath.IsAbs(name) {
			return name
		}
		return filepath.Join(root, filepath.FromSlash(name))
	}
}

// fail notes that a line is wrong.
func (g *gathering) fail(line int, format string, args ...any) {
	g.faults.add(g.path, line, format, args...)
}

// add appends an image of a class.
func (g *gathering) add(name, class string, line int) {
	c, ok := g.number[class]
	if !ok {
		c = int32(len(g.classes))
		class = strings.Clone(class)
		g.number[class] = c
		g.classes = append(g.classes, class)
	}
	g.names = append(g.names, name)
	g.class = append(g.class, c)
	g.lines = append(g.lines, int32(line))
}

// addBox gives the last image a box.
func (g *gathering) addBox(b Box) {
	g.boxes = append(g.boxes, make([]Box, len(g.names)-len(g.boxes))...)
	g.boxes[len(g.names)-1] = b
}

func (g *gathering) warnf(format string, args ...any) {
	g.warnings = append(g.warnings, fmt.Sprintf(format, args...))
}

// set finishes the reading: what is missing, twice or alone is left out or an
// error, and the rest is numbered anew.
func (g *gathering) set(ctx context.Context) (*Set, error) {
	if g.boxes != nil {
		g.boxes = append(g.boxes, make([]Box, len(g.names)-len(g.boxes))...)
	}
	keep := make([]bool, len(g.names))
	for i := range keep {
		keep[i] = true
	}
	g.dropRepeated(keep)
	if err := g.faults.err(); err != nil {
		return nil, err
	}
	if err := g.checkFiles(ctx, keep); err != nil {
		return nil, err
	}
	if g.positives == nil {
		g.dropSmall(keep)
		g.dropLarge(keep)
	}
	s := g.renumber(keep)
	if s.Len() == 0 || s.positives != nil && len(s.positives.others) == 0 {
		msg := fmt.Sprintf("want images that show the same, found none among %d images", len(g.names))
		if len(g.warnings) > 0 {
			msg += " (" + strings.Join(g.warnings, "; ") + ")"
		}
		return nil, &kapture.InputError{Path: g.path, Msg: msg}
	}
	return s, nil
}

// dropRepeated leaves out what a source lists twice in one class; in two
// classes it is an error.
func (g *gathering) dropRepeated(keep []bool) {
	seed := maphash.MakeSeed()
	seen := make(map[uint64]int32, len(g.names))
	var twice []string
	for i, name := range g.names {
		h := maphash.String(seed, name)
		first, ok := seen[h]
		switch {
		case !ok:
			seen[h] = int32(i)
		case g.names[first] != name: // another name with this hash
		case g.class[first] != g.class[i]:
			g.fail(int(g.lines[i]), "want each image in one class, found %s in %s and in %s%s", name, g.classes[g.class[first]], g.classes[g.class[i]], g.onLine(first))
		default:
			keep[i] = false
			twice = append(twice, name)
		}
	}
	if len(twice) > 0 {
		g.warnf("%s listed more than once: %s", counted(len(twice), "image"), some(twice))
	}
}

func (g *gathering) onLine(i int32) string {
	if g.lines[i] == 0 {
		return ""
	}
	return fmt.Sprintf(" (line %d)", g.lines[i])
}

// checkFiles looks for the images' files as the source says.
func (g *gathering) checkFiles(ctx context.Context, keep []bool) error {
	if g.source.Missing == MissingUnchecked {
		return ctx.Err()
	}
	problems := make([]error, len(keep))
	const stride = 1000
	work, group := errgroup.WithContext(ctx)
	work.SetLimit(max(1, g.source.Jobs))
	for start := 0; start < len(keep); start += stride {
		work.Go(func() error {
			for i := start; i < min(start+stride, len(keep)); i++ {
				if keep[i] {
					problems[i] = kapture.CheckFile(g.locate(g.names[i]))
				}
			}
			return group.Err()
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	var missing []string
	for i, err := range problems {
		switch {
		case err == nil:
		case g.source.Missing == MissingDrop && errors.Is(err, fs.ErrNotExist):
			keep[i] = false
			missing = append(missing, g.names[i])
		default:
			g.fail(int(g.lines[i]), "want the image %s, found %s", g.locate(g.names[i]), reason(err))
		}
	}
	if len(missing) > 0 {
		g.warnf("%s of %d missing: %s", counted(len(missing), "image"), len(g.names), some(missing))
	}
	return g.faults.err()
}

// reason says what is in place of a file.
func reason(err error) string {
	if bad, ok := errors.AsType[*kapture.InputError](err); ok {
		return bad.Msg
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "no such file"
	}
	if bad, ok := errors.AsType[*os.PathError](err); ok {
		return bad.Err.Error()
	}
	return err.Error()
}

// counted returns "1 image" or "5 images".
func counted(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s"):
		return fmt.Sprintf("%d %ses", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// some lists a few names.
func some(names []string) string {
	if more := len(names) - maxNames; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNames], ", "), more)
	}
	return strings.Join(names, ", ")
}
