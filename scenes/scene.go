package scenes

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"locbench/kapture"
	"locbench/kapture/geom"
	"locbench/kapture/strictyaml"
)

// Scene is a place to localize in: mapping images with poses, query images, and
// what was computed from them. Its methods are safe for concurrent use.
type Scene struct {
	Card        // what the scene file says; Licence holds the text
	Dir  string // the scene's folder
	File string // the scene file, "" for a known scene or a folder without one
	// ThresholdsFrom says who chose the thresholds, for print beside them.
	ThresholdsFrom string
	LicenceFile    string // the file that Licence was read from, "" if the card holds the text

	mapping, queries []Image
	parts            []*part
	places           map[kapture.FeatureKind]map[string][]place
}

// Image is an image of a scene.
type Image struct {
	Name      string // its path relative to records_data: its name everywhere
	Camera    string // sensor id, in the image's own dataset
	Split     string // "" for mapping images, and for queries of no split
	File      string // path of the image file, which may not be there
	Timestamp int64
	Pose      geom.Pose // world→camera, rigs removed; valid if HasPose
	HasPose   bool      // false: no ground truth

	from *part
}

// part is one kapture dataset of a scene.
type part struct {
	dir   string
	query bool
	sets  []QuerySet // of a query dataset: which images are queries
	data  *kapture.Dataset
	poses map[string]kapture.PartialPose
	// unclaimed are the rows of data.Cameras that no entry of sets takes.
	unclaimed []int
}

// Mapping returns the mapping images, sorted by name. The slice is the scene's:
// do not change it.
func (s *Scene) Mapping() []Image { return s.mapping }

// Queries returns the query images, sorted by name. The slice is the scene's:
// do not change it.
func (s *Scene) Queries() []Image { return s.queries }

// Sensor returns the camera that took an image of this scene, as the image's
// dataset describes it; false if the dataset does not.
func (s *Scene) Sensor(im Image) (kapture.Sensor, bool) {
	if im.from == nil {
		return kapture.Sensor{}, false
	}
	return im.from.data.Sensor(im.Camera)
}

// Rig returns what an image's camera is mounted on, named apart from the rigs of
// other datasets, and the pose rig → camera; false if it is on none.
func (s *Scene) Rig(im Image) (rig string, mount geom.Pose, ok bool) {
	if im.from == nil {
		return "", geom.Identity(), false
	}
	rig, mount, ok = im.from.data.RigOf(im.Camera)
	return im.from.dir + "\x00" + rig, mount, ok
}

// Warnings returns what was odd in the tables of the datasets but could be put
// right or left alone, one line each.
func (s *Scene) Warnings() []string {
	var out []string
	for _, p := range s.parts {
		out = append(out, p.data.Warnings()...)
	}
	return out
}

// Dataset names the dataset that an image of this scene belongs to: its folder,
// relative to the scene's where that can be said.
func (s *Scene) Dataset(im Image) string {
	if im.from == nil {
		return ""
	}
	if rel, err := filepath.Rel(s.Dir, im.from.dir); err == nil {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(im.from.dir)
}

// InputFiles returns the paths of the text tables that the scene was read from
// (scene file, sensors/*.txt of every dataset), sorted.
func (s *Scene) InputFiles() ([]string, error) {
	var files []string
	if s.File != "" {
		files = append(files, s.File)
	}
	for _, p := range s.parts {
		dir := filepath.Join(p.dir, "sensors")
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, fmt.Errorf("list the tables of scene %s: %w", s.Name, err)
		}
		for _, e := range entries {
			if filepath.Ext(e.Name()) == ".txt" && !e.IsDir() {
				files = append(files, filepath.Join(dir, e.Name()))
			}
		}
	}
	slices.Sort(files)
	return files, nil
}

// build opens the datasets that a card names and gathers their images.
func build(card *Card, dir, file, thresholdsFrom string) (*Scene, error) {
	s := &Scene{Card: *card, Dir: dir, File: file, ThresholdsFrom: thresholdsFrom}
	if s.Title == "" {
		s.Title = s.Name
	}
	s.readLicence()
	if err := s.openParts(); err != nil {
		return nil, err
	}
	if err := s.gather(); err != nil {
		return nil, err
	}
	if len(s.mapping) == 0 || len(s.queries) == 0 {
		return nil, &kapture.InputError{Path: s.origin(),
			Msg: fmt.Sprintf("want mapping and query images, found %d and %d", len(s.mapping), len(s.queries))}
	}
	return s, s.findFeatures()
}

// origin is the path that problems of the scene as a whole are reported at.
func (s *Scene) origin() string {
	if s.File != "" {
		return s.File
	}
	return s.Dir
}

// path resolves a folder of the card.
func (s *Scene) path(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(s.Dir, filepath.FromSlash(name))
}

// readLicence replaces the name of a licence file by its text. A file that is
// not there stays a name; Verify says so.
func (s *Scene) readLicence() {
	if s.Licence == "" || strings.ContainsAny(s.Licence, "\n\x00") {
		return
	}
	file := s.path(s.Licence)
	if kapture.CheckFile(file) != nil {
		return
	}
	if text, err := os.ReadFile(file); err == nil {
		s.Licence, s.LicenceFile = strings.TrimSpace(string(text)), file
	}
}

// datasets resolves a folder of the card that is a kapture dataset; a glob such as
// */mapping stands for all datasets that it matches, sorted.
func (s *Scene) datasets(name string) ([]string, error) {
	if !strings.ContainsAny(name, "*?[") || filepath.IsAbs(name) || isDataset(s.path(name)) {
		return []string{s.path(name)}, nil
	}
	found, err := fs.Glob(os.DirFS(s.Dir), path.Clean(name))
	if err != nil {
		return nil, &kapture.InputError{Path: s.origin(), Msg: fmt.Sprintf("want a glob of folders such as */mapping, found %q: %v", name, err)}
	}
	var dirs []string
	for _, name := range found {
		if dir := s.path(name); isDataset(dir) {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 {
		return nil, &kapture.InputError{Path: s.path(name), Msg: "want kapture datasets (folders with sensors/sensors.txt) that match, found none"}
	}
	return dirs, nil
}

func (s *Scene) openParts() error {
	for _, name := range s.Card.Mapping {
		dirs, err := s.datasets(name)
		if err != nil {
			return err
		}
		for _, dir := range dirs {
			s.parts = append(s.parts, &part{dir: dir})
		}
	}
	for _, q := range s.Card.Queries {
		dirs, err := s.datasets(q.Dir)
		if err != nil {
			return err
		}
		for _, dir := range dirs {
			i := slices.IndexFunc(s.parts, func(p *part) bool { return p.query && p.dir == dir })
			if i < 0 {
				i = len(s.parts)
				s.parts = append(s.parts, &part{dir: dir, query: true})
			}
			s.parts[i].sets = append(s.parts[i].sets, q)
		}
	}
	for _, p := range s.parts {
		var err error
		if p.data, err = kapture.Open(p.dir); err != nil {
			return err
		}
		if p.poses, err = p.data.ImagePoses(); err != nil {
			return err
		}
	}
	return nil
}

// gather collects the images of all parts and refuses names that come twice
// among the mapping images, or among the queries.
func (s *Scene) gather() error {
	var problems []*kapture.InputError
	lines := lineIndex{}
	seen := map[bool]map[string]*part{false: {}, true: {}}
	for _, p := range s.parts {
		take, err := p.splitter()
		if err != nil {
			return fmt.Errorf("%s: %w", p.dir, err)
		}
		for i, rec := range p.data.Cameras {
			split, ok := take(rec.Path)
			first := seen[p.query][rec.Path]
			switch {
			case !ok:
				p.unclaimed = append(p.unclaimed, i)
			case first != nil:
				problems = append(problems, p.recordProblem(lines, i, "image %s is already in %s", rec.Path, first.table("records_camera")))
			default:
				seen[p.query][rec.Path] = p
				s.add(p, rec, split)
			}
		}
	}
	byName := func(a, b Image) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(s.mapping, byName)
	slices.SortFunc(s.queries, byName)
	return strictyaml.Join(problems)
}

// add makes a record of part p an image of the scene.
func (s *Scene) add(p *part, rec kapture.FileRecord, split string) {
	pose, known := p.poses[rec.Path]
	im := Image{
		Name: rec.Path, Camera: rec.Sensor, Split: split, Timestamp: rec.Timestamp,
		File: p.imageFile(rec.Path),
		Pose: pose.Pose, HasPose: known && pose.Complete(), from: p,
	}
	if p.query {
		s.queries = append(s.queries, im)
	} else {
		s.mapping = append(s.mapping, im)
	}
}

// recordProblem reports the i-th line of the part's images.
func (p *part) recordProblem(lines lineIndex, i int, format string, args ...any) *kapture.InputError {
	path := p.table("records_camera")
	return &kapture.InputError{Path: path, Line: lines.at(path, i), Msg: fmt.Sprintf(format, args...)}
}

// splitter returns the function that gives an image's split, and whether the
// image belongs to the scene.
func (p *part) splitter() (func(name string) (string, bool), error) {
	if !p.query {
		return func(string) (string, bool) { return "", true }, nil
	}
	var matches []func(string) bool
	for _, q := range p.sets {
		m, err := compilePattern(q.Pattern)
		if err != nil {
			return nil, err
		}
		matches = append(matches, m)
	}
	return func(name string) (string, bool) {
		i := slices.IndexFunc(matches, func(m func(string) bool) bool { return m(name) })
		if i < 0 {
			return "", false
		}
		return p.sets[i].Split, true
	}, nil
}

// table returns the path of one of the part's tables, such as "records_camera".
func (p *part) table(name string) string {
	return filepath.Join(p.dir, "sensors", name+".txt")
}
