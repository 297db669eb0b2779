package landmarks

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"locbench/kapture"
)

// ReadClassic reads the original ground truth of oxford5k or paris6k: below
// dir, one folder with NAME_query.txt, NAME_good.txt, NAME_ok.txt and
// NAME_junk.txt for each query. images are the names of the database; nil
// stands for all images below dir, less the twenty of Paris that came broken
// (corrupt.txt of the data set). They are put in order by name.
func ReadClassic(name, dir string, images []string) (*Dataset, error) {
	if images == nil {
		files, err := Files(dir)
		if err != nil {
			return nil, err
		}
		for image := range files {
			if !broken(image) {
				images = append(images, image)
			}
		}
	}
	d := &Dataset{Name: name, Images: slices.Sorted(slices.Values(images)), Setups: plain()}
	queries, err := queryFiles(dir)
	if err != nil {
		return nil, err
	}
	index := make(map[string]int, len(d.Images))
	for i, image := range d.Images {
		index[image] = i
	}
	bad := make([]error, len(queries))
	for i, path := range queries {
		var q *Query
		if q, bad[i] = readQuery(path, index); bad[i] == nil {
			d.Queries = append(d.Queries, *q)
		}
	}
	if err := kapture.FirstTen(bad); err != nil {
		return nil, err
	}
	return d, d.check(dir)
}

const querySuffix = "_query.txt"

// queryFiles finds the query files below dir, in order.
func queryFiles(dir string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(path, querySuffix) {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, &kapture.InputError{Path: dir, Msg: "want ground truth files such as all_souls_1_query.txt, found none"}
	}
	folder := filepath.Dir(paths[0])
	for _, p := range paths {
		if other := filepath.Dir(p); other != folder {
			return nil, &kapture.InputError{Path: dir, Msg: fmt.Sprintf("want the ground truth files in one folder, found them in %s and %s", folder, other)}
		}
	}
	return paths, nil
}

// readQuery reads the four files of a query.
func readQuery(path string, index map[string]int) (*Query, error) {
	q, err := readBox(path)
	if err != nil {
		return nil, err
	}
	stem := strings.TrimSuffix(path, querySuffix)
	for _, list := range []struct {
		suffix string
		grade  Grade
	}{{"_good.txt", OK}, {"_ok.txt", OK}, {"_junk.txt", Junk}} {
		images, err := readNames(stem+list.suffix, index)
		if err != nil {
			return nil, err
		}
		q.Images[list.grade] = append(q.Images[list.grade], images...)
	}
	return q, nil
}

// readBox reads the line of a query file: the image, and its box. Oxford's
// images have a prefix there that their files do not have.
func readBox(path string) (*Query, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	bad := &kapture.InputError{Path: path, Line: 1, Msg: fmt.Sprintf("want an image and its box: left, top, right, bottom; found %.80q", text)}
	fields := strings.Fields(string(text))
	if len(fields) != 5 {
		return nil, bad
	}
	q := &Query{Name: strings.TrimPrefix(fields[0], "oxc1_"), Box: &Box{}, Images: map[Grade][]int{}}
	for i, f := range fields[1:] {
		if q.Box[i], err = strconv.ParseFloat(f, 64); err != nil {
			return nil, bad
		}
	}
	if !(q.Box[0] < q.Box[2]) || !(q.Box[1] < q.Box[3]) {
		return nil, bad
	}
	return q, nil
}

// readNames reads a list of images, one a line.
func readNames(path string, index map[string]int) ([]int, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &kapture.InputError{Path: path, Msg: "want a list of images, found no such file"}
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var images []int
	var bad []error
	in := bufio.NewScanner(file)
	for line := 1; in.Scan(); line++ {
		name := strings.TrimSpace(in.Text())
		switch i, ok := index[name]; {
		case ok:
			images = append(images, i)
		case name != "" && !broken(name):
			bad = append(bad, &kapture.InputError{Path: path, Line: line, Msg: fmt.Sprintf("want an image of the database, found %q", name)})
		}
	}
	if err := in.Err(); err != nil {
		return nil, &kapture.InputError{Path: path, Msg: "want lines of names: " + err.Error()}
	}
	return images, kapture.FirstTen(bad)
}

// broken says whether an image is one of those of Paris that were published
// broken and that nobody's figures include:
// https://www.robots.ox.ac.uk/~vgg/data/parisbuildings/corrupt.txt
func broken(name string) bool {
	place, number, _ := strings.Cut(strings.TrimPrefix(name, "paris_"), "_")
	return strings.HasPrefix(name, "paris_") && slices.Contains(map[string][]string{
		"louvre":      {"000136", "000146"},
		"moulinrouge": {"000422"},
		"museedorsay": {"001059"},
		"notredame":   {"000188"},
		"pantheon":    {"000284", "000960", "000974"},
		"pompidou":    {"000195", "000196", "000201", "000467", "000640"},
		"sacrecoeur":  {"000299", "000330", "000353"},
		"triomphe":    {"000662", "000833", "000863", "000867"},
	}[place], number)
}
